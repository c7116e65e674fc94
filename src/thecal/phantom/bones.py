"""Signed distances of vertebra, sacrum, ilium and rib in the vertebra's own frame.

mm, negative inside. Points are (u, v, w) = (left, anterior, cranial) from the middle of the posterior wall;
``P`` is the vertebra's row of numbers as ``spine_model`` writes it.
"""

# Compiled functions index arrays, which mypy takes for Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

from numba import njit

from thecal.volume import FloatArray

FAR = 1e3


@njit(cache=True, error_model="numpy")
def _smooth_max(a: float, b: float, k: float) -> float:
    h = k - abs(a - b)
    return max(a, b) + (h * h / (4.0 * k) if h > 0 else 0.0)


@njit(cache=True, error_model="numpy")
def _smooth_min(a: float, b: float, k: float) -> float:
    h = k - abs(a - b)
    return min(a, b) - (h * h / (4.0 * k) if h > 0 else 0.0)


@njit(cache=True, error_model="numpy")
def _ellipse(x: float, y: float, a: float, b: float) -> float:
    """Distance to an ellipse, right to first order near it."""
    k0 = math.sqrt((x / a) ** 2 + (y / b) ** 2)
    k1 = math.sqrt((x / (a * a)) ** 2 + (y / (b * b)) ** 2)
    if k1 < 1e-9:
        return -min(a, b)
    return k0 * (k0 - 1.0) / k1


@njit(cache=True, error_model="numpy")
def capsule(
    x: float,
    y: float,
    z: float,
    ax: float,
    ay: float,
    az: float,
    bx: float,
    by: float,
    bz: float,
    ra: float,
    rb: float,
) -> float:
    """Distance to a cone with round ends from a (radius ra) to b (radius rb)."""
    dx, dy, dz = bx - ax, by - ay, bz - az
    t = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz)
    t = min(1.0, max(0.0, t))
    ex, ey, ez = x - ax - t * dx, y - ay - t * dy, z - az - t * dz
    return math.sqrt(ex * ex + ey * ey + ez * ez) - (ra + t * (rb - ra))


@njit(cache=True, error_model="numpy")
def outline(u: float, v: float, w: float, P: FloatArray) -> float:
    """How far out of the body's outline: 0 at its axis, 1 at its side wall."""
    hw, depth = P[0], P[1]
    rim = P[4] + (P[2] - P[4]) * min(1.0, max(0.0, v / depth))
    t = abs(w) / max(rim * 0.5, 1.0)
    t = min(t, 1.3)
    scale = 1.0 - 0.10 * max(0.0, 1.0 - t * t)
    b = depth * 0.5
    near = math.exp(-max(v, 0.0) / 6.0)
    x = u / hw
    deep = (5.0 + 3.0 * P[10]) * 0.9
    ve = v + deep * x * x * near
    if P[16] > 0:
        ve += (
            P[16]
            * near
            * math.exp(-((u / (0.55 * hw)) ** 2))
            * math.exp(-(((w - 0.22 * P[4]) / (0.3 * P[4])) ** 2))
        )
    if P[15] > 0 and ve > b * 0.45:
        angle = math.atan2(u, ve - b)
        lumps = 0.45 + 0.35 * math.sin(3.0 * angle + P[19]) + 0.35 * math.sin(5.0 * angle + 2.0 * P[19])
        edge = (t - 1.0) * rim * 0.5 / 3.0
        scale += max(0.0, lumps) * P[15] / hw * math.exp(-edge * edge)
    yy = (ve / scale - b) / b
    xx = abs(x) / scale
    yy = abs(yy)
    return (xx * xx * math.sqrt(xx) + yy * yy * math.sqrt(yy)) ** 0.4


@njit(cache=True, error_model="numpy")
def endplates(v: float, f: float, P: FloatArray) -> tuple[float, float]:
    """Heights of the upper and lower endplate above the frame's origin."""
    rim = P[4] + (P[2] - P[4]) * min(1.1, max(-0.1, v / P[1]))
    hollow = max(0.0, 0.5 * (P[2] + P[4]) - P[3]) * max(0.0, 1.0 - f * f * f)
    return 0.5 * rim - 0.58 * hollow, -0.5 * rim + 0.42 * hollow


@njit(cache=True, error_model="numpy")
def body(u: float, v: float, w: float, P: FloatArray) -> float:
    """Distance to the vertebral body."""
    hw, depth = P[0], P[1]
    reach = 0.5 * max(P[2], P[4])
    if abs(w) > reach + 12 or abs(u) > hw + 14 or v < -16 or v > depth + 14:
        return max(max(abs(w) - reach, abs(u) - hw - 5), max(-8 - v, v - depth - 5))
    f = outline(u, v, w, P)
    radius = math.sqrt(u * u + (v - depth * 0.5) ** 2)
    side = radius * (1.0 - 1.0 / f) if f > 0.3 else -0.7 * hw * 0.7
    top, bottom = endplates(v, f, P)
    return _smooth_max(side, max(w - top, bottom - w), 2.0)


@njit(cache=True, error_model="numpy")
def arch(u: float, v: float, w: float, out: float, lat: float, back: float, P: FloatArray) -> float:
    """Distance to pedicles, laminae and processes.

    ``out`` is the distance outside the canal's tube, ``lat`` and ``back`` the place across and behind
    the canal's axis.
    """
    cw, cap, pw, ph, lum = P[5], P[6], P[7], P[8], P[10]
    hp = P[4]
    ua = abs(u)
    if v > 14 or v < -75 or w > 42 or w < -68 or ua > P[13] + 16:
        return max(max(v - 10, -70 - v), max(max(w - 36, -60 - w), ua - P[13] - 8))
    wp = 0.5 * hp - ph - 0.6
    intact = max(hp, 2.0 * ph + 5.0)
    # pedicle
    axis = cw + pw + P[9] * (-v - 0.3 * cap) * 0.6
    # Its medial wall is the canal's: the ellipse reaches into the tube and is cut by it below.
    d = max(_ellipse(ua - axis + 1.2, w - wp, pw + 1.2, ph), max(v - 5.0, -v - 0.85 * cap))
    # lamina: a roof behind the canal, its lower edge further back than its upper
    top = wp + 0.35 * ph
    low = -0.5 * hp - (1.0 - lum) * (P[23] + 3.5) - lum * 2.0
    rise = lum * 5.0 * max(0.0, 1.0 - abs(lat) / (0.8 * cw))
    mid = 0.5 * (top + low)
    fall = min(1.0, max(0.0, (mid - w) / (mid - low)))
    inner = 0.4 + (1.6 + 0.4 * lum) * fall
    rising = min(1.0, max(0.0, (w - mid) / (top - mid)))
    thick = (5.2 + 0.8 * lum) * (1.0 - 0.45 * rising)
    lamina = max(max(inner - out, out - inner - thick), max(w - top, low + rise - w))
    lamina = max(lamina, 0.10 * cap - back)
    d = _smooth_min(d, lamina, 2.5)
    # spinous process
    cs, sn = math.cos(P[11]), math.sin(P[11])
    v0, w0 = -(cap + 2.0), 0.5 * (top + low) - 1.0 + 3.0 * (1 - lum)
    along = -(v - v0) * cs - (w - w0) * sn
    across = (v - v0) * -sn + (w - w0) * cs
    tall = 4.6 + 4.6 * lum
    tip = along - P[12] + 6.0
    broad = 2.5 + (1.6 * min(1.0, max(0.0, tip / 5.0)) if tip > 0 else 0.0)
    bend = P[22] * 0.06 * max(along, 0.0)
    qx, qy = abs((u - bend) / broad), abs(across / tall)
    q = (qx * qx * qx + qy * qy * qy) ** (1.0 / 3.0)
    plate = (q - 1.0) * broad if q < 1.6 else min((q - 1.0) * broad, math.hypot(u, across))
    plate = _smooth_max(plate, max(along - P[12], -along), 3.0)
    d = _smooth_min(d, plate, 3.0)
    # transverse process
    if P[20] > 0.5:
        small = 0.0 if P[17] < 18 else 1.0
        te_v, te_w = -(1.25 * cap + 4.0 - 2.0 * small), wp + 2.5 - 2.0 * small
        d = _smooth_min(
            d,
            capsule(ua, v, w, cw + pw, -0.9 * cap, wp - 1.0, P[13], te_v, te_w, 4.6, 4.2 - 0.8 * small),
            2.5,
        )
    else:
        d = _smooth_min(
            d,
            capsule(
                ua,
                v,
                w * 0.75,
                cw + pw + 1,
                -0.72 * cap,
                (wp - 3.0) * 0.75,
                P[13],
                -0.95 * cap,
                (wp - 2.0) * 0.75,
                3.6,
                2.5,
            ),
            2.0,
        )
    # articular processes: upper in front of (thoracic) or outside (lumbar) the lower of the level above
    xs, ys = cw + 1.5 + 3.8 * lum, -(0.80 - 0.10 * lum) * cap
    d = _smooth_min(
        d, capsule(ua, v, w, xs, ys, wp, xs, ys - 1.0, 0.5 * intact + 0.4 * P[23] + 3.5, 4.2, 3.4), 2.0
    )
    xi, yi = cw + 1.0 - 1.0 * lum, ys - 6.8
    d = _smooth_min(
        d,
        capsule(
            ua, v, w, xi, yi, low + 8.0, xi + 0.5, yi + 0.3, -0.5 * hp - P[23] - 5.0 - 1.5 * lum, 4.7, 4.5
        ),
        2.0,
    )
    return max(d, 0.25 - out)


@njit(cache=True, error_model="numpy")
def rib(u: float, v: float, w: float, P: FloatArray) -> float:
    """Distance to the vertebra's own pair of ribs."""
    if P[20] < 0.5 or abs(w) > 110:
        return FAR
    number = P[17]
    hw, cap, span = P[0], P[6], P[13]
    wp = 0.5 * P[4] - P[8] - 0.6
    small = 0.0 if number < 18 else 1.0
    ua = abs(u)
    te_v, te_w = -(1.25 * cap + 4.0 - 2.0 * small), wp + 2.5 - 2.0 * small
    hx, hv, hz = hw * 0.94 + 3.4, -1.0 - 3.0 * small, (0.5 * P[4] + 0.5 if number < 18 else wp)
    tx, tv, tz = span + 2.5, te_v + 8.8, te_w + 1.0
    if small > 0.5:
        tx, tv, tz = span + 6.0, te_v + 6.5, te_w - 3.0
    d = capsule(ua, v, w, hx, hv, hz, tx, tv, tz, 4.2, 3.4)
    ax, av, az = tx + 26.0, tv - 12.0, tz - 13.0
    d = min(d, capsule(ua, v, w * 0.8, tx, tv, tz * 0.8, ax, av, az * 0.8, 3.6, 3.6))
    bx, bv, bz = ax + 34.0, av + 10.0, az - 20.0
    d = min(d, capsule(ua, v, w * 0.8, ax, av, az * 0.8, bx, bv, bz * 0.8, 3.6, 3.4))
    if number < 19:
        d = min(
            d, capsule(ua, v, w * 0.8, bx, bv, bz * 0.8, bx + 16.0, bv + 40.0, (bz - 22.0) * 0.8, 3.4, 3.2)
        )
    return d


@njit(cache=True, error_model="numpy")
def sacrum(u: float, v: float, w: float, out: float, back: float, P: FloatArray) -> float:
    """Distance to the fused sacrum: tapering trunk, alae, posterior wall, foramina cut out."""
    ua = abs(u)
    d = body(u, v, w, P)
    h = 0.5 * P[4]
    down = min(1.0, max(0.0, (-w) / 90.0))
    a, b = P[0] * (0.98 - 0.62 * down), 0.5 * P[1] * (1.0 - 0.6 * down)
    centre = 0.5 * P[1] - 9.0 * math.sin(3.0 * down)
    trunk = max(_ellipse(u, v - centre, a, b), max(w - h * 0.6, -96.0 - w))
    d = _smooth_min(d, trunk, 3.0)
    wing = math.sqrt(
        ((ua - 32.0) / 28.0) ** 2 + ((v - 4.0 + 0.35 * (ua - 30.0)) / 14.0) ** 2 + ((w + 16.0) / 32.0) ** 2
    )
    d = _smooth_min(d, (wing - 1.0) * 13.0, 5.0)
    roof = max(max(0.3 - out, out - 5.0), max(max(w - h * 0.2, -88.0 - w), -back - 2.0))
    d = _smooth_min(d, roof, 3.0)
    crest = max(_ellipse(u, v + P[6] + 5.0 + 0.05 * w, 2.5, 7.0), max(w - 2.0, -70.0 - w))
    d = _smooth_min(d, crest, 4.0)
    # superior articular processes for L5
    d = _smooth_min(
        d, capsule(ua, v, w, P[5] + 8.0, -0.75 * P[6], 2.0, P[5] + 6.0, -0.9 * P[6], h + 8.0, 6.0, 4.0), 3.0
    )
    for k in range(3):
        hole = math.hypot(ua - (18.5 - 2.0 * k), w + 19.0 + 21.0 * k) - 4.6
        d = max(d, -hole)
    return max(d, 0.25 - out)


@njit(cache=True, error_model="numpy")
def ilium(u: float, v: float, w: float) -> float:
    """Distance to the iliac bones, in the sacrum's frame."""
    ua = abs(u)
    mid = 61.0 + 0.62 * v if v > -25 else 45.5 + 0.25 * (v + 25)
    flare = 0.0006 * max(0.0, w + 30.0) ** 2
    sheet = abs(ua - mid - flare) * 0.85 - (5.5 + 2.0 * math.exp(-(((v + 25.0) / 14.0) ** 2)))
    disc = math.hypot((v - 10.0) / 1.0, (w + 18.0) / 1.05) - 56.0
    return _smooth_max(sheet, disc, 4.0)
