"""Layering: sheets of cement inside the sac with gaps between them, the sign of the founding paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.leakage.findings import IntraduralSign, Point
from thecal.leakage.intradural.gaps import FAT_HU, Gaps, gaps_on
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName
from thecal.volume import FloatArray

GAP_MM: Final = (0.5, 3.0)
"""Widths of a gap between sheets; the paper gives none. Wider apart, two deposits are two deposits."""
WIDE_MM: Final = 2.4
"""A gap between sheets is at least this wide across the lines it is seen on; a root's is not."""
LONG_MM: Final = 3.0
"""Gaps seen along less of the canal than this, or than one and a half slices, are no layering."""
INSIDE_MM: Final = 1.0
"""Cement this deep within the sac's outline counts as inside it, whatever it was given to."""
COARSEST_FWHM_MM: Final = 2.0
"""With a wider blur a gap of 1 mm between sheets of 1 mm is not seen."""
ROOM: Final = 2.0
"""Layers are called absent only in a deposit this many times as long as the shortest that would count."""
ANGLES: Final = 96


def layering(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Length of canal on which cement inside the sac lies in sheets with gaps between them.

    Gaps are sought on lines from front to back through every plane of the canal and on rays from the middle
    of the sac. The cement on both sides must have been given to the sac or lie 1 mm within its outline, and
    the gap must hold no fat. A gap counts where it is part of a surface: 2.4 mm wide or more.
    """
    name: SignName = "layering"
    long_mm = max(LONG_MM, 1.5 * scene.slice_mm)
    straight, radial = _from_front_to_back(canal, long_mm), _from_the_middle(canal, long_mm)
    planes = straight.planes | radial.planes
    # A ray meets a sheet aslant and finds the gap wider than it is.
    widths = straight.widths if len(straight.widths) else radial.widths
    sheets = max(straight.sheets, radial.sheets)
    length = float(planes.sum() * canal.plane_mm)
    if length < long_mm:
        hints = float((straight.some | radial.some).sum() * canal.plane_mm)
        # What is seen is seen; only that it is not seen needs a scan and a deposit that would show it.
        why_not = _why_not_absent(scene, canal, long_mm, hints)
        if why_not:
            return unread(name, why_not)
    if not len(widths):
        words = (
            "No gaps between sheets of cement are seen inside the outline of the sac, on lines from front to "
            "back and on rays from its middle."
        )
    else:
        low, high = np.percentile(widths, (25, 75))
        words = (
            f"{sheets} sheets of cement lie inside the outline of the sac with gaps of {low:.1f} to "
            f"{high:.1f} mm between them, along {length:.0f} mm of the canal."
        )
    return sign(
        name,
        "present" if length >= long_mm else "absent",
        words,
        value=round(length, 1),
        unit="mm",
        threshold=round(long_mm, 2),
        at_mm=_place(scene, canal, straight, radial),
    )


def _place(scene: Scene, canal: StraightCanal, straight: Seen, radial: Seen) -> Point | None:
    gap = straight.best()
    if gap is not None:
        return scene.place(gap[0], gap[2], gap[1])
    gap = radial.best()
    if gap is None:
        return None
    rays = canal.rays(ANGLES, canal.step_mm)
    return scene.place(gap[0], float(rays.v[gap[1], gap[2]]), float(rays.u[gap[1], gap[2]]))


def _why_not_absent(scene: Scene, canal: StraightCanal, long_mm: float, hints_mm: float) -> str | None:
    """Why layers could be there unseen."""
    if scene.fwhm_mm > COARSEST_FWHM_MM:
        return f"The scan's blur of {scene.fwhm_mm:.1f} mm is too wide to show gaps between sheets."
    if scene.volume_ml("intradural") <= 0:
        return None
    wide = (canal.sac_cement >= 0.5).any(axis=1).sum(axis=1) * canal.step_mm >= WIDE_MM
    if wide.sum() * canal.plane_mm < ROOM * long_mm:
        return "Too little cement lies within the outline of the sac to show layers."
    if hints_mm >= long_mm:
        return "There are gaps in the cement, but too narrow ones to tell sheets from roots or bubbles."
    return None


@dataclass(frozen=True, eq=False)
class Seen:
    """Gaps between sheets: planes that show them, their widths, sheets on a line, planes with any gap.

    ``middles`` (g, 3) are plane, line and sample of the gaps.
    """

    planes: npt.NDArray[np.bool_]
    widths: FloatArray
    sheets: int
    some: npt.NDArray[np.bool_]
    middles: npt.NDArray[np.intp]

    def best(self) -> tuple[int, int, int] | None:
        """The gap in the middle of the plane that shows most."""
        if not len(self.middles):
            return None
        own = self.middles[self.middles[:, 0] == np.bincount(self.middles[:, 0]).argmax()]
        k, line, sample = own[len(own) // 2]
        return int(k), int(line), int(sample)


def _from_front_to_back(canal: StraightCanal, long_mm: float) -> Seen:
    cement = np.moveaxis(canal.canal_cement, 1, 2)
    inside = np.moveaxis(_inside(canal), 1, 2)
    shape = cement.shape
    gaps = gaps_on(cement.reshape(-1, shape[2]), canal.step_mm)
    across = np.full(shape[:2], canal.step_mm)
    return _surfaces(gaps, inside, np.moveaxis(canal.hu, 1, 2), across[..., None], canal, long_mm)


def _from_the_middle(canal: StraightCanal, long_mm: float) -> Seen:
    rays = canal.rays(ANGLES, canal.step_mm)
    k = np.arange(len(canal.rows), dtype=float)[:, None, None]
    where = np.broadcast_arrays(k, rays.v[None], rays.u[None])

    def polar(image: npt.NDArray[np.float32], order: int = 1) -> npt.NDArray[np.float32]:
        sampled: npt.NDArray[np.float32] = ndimage.map_coordinates(image, where, order=order, mode="nearest")
        return sampled

    cement = polar(canal.canal_cement)
    inside = polar(_inside(canal).astype(np.float32), 0) > 0.5
    gaps = gaps_on(cement.reshape(-1, len(rays.r_mm)), canal.step_mm)
    across = np.broadcast_to(rays.r_mm * 2 * np.pi / ANGLES, cement.shape)
    return _surfaces(gaps, inside, polar(canal.hu), across, canal, long_mm)


def _inside(canal: StraightCanal) -> npt.NDArray[np.bool_]:
    """Cement that counts as inside the sac (k, v, u)."""
    given = canal.sac_cement >= 0.5 * canal.canal_cement
    inside: npt.NDArray[np.bool_] = given | (canal.r[None] <= canal.sac - INSIDE_MM)
    return inside


def _surfaces(
    gaps: Gaps,
    inside: npt.NDArray[np.bool_],
    hu: npt.NDArray[np.float32],
    across_mm: FloatArray,
    canal: StraightCanal,
    long_mm: float,
) -> Seen:
    """Planes with a gap that is part of a surface, their widths, most sheets on a line, planes with any."""
    shape = inside.shape
    plane, line = gaps.line // shape[1], gaps.line % shape[1]
    good = (gaps.width_mm >= GAP_MM[0]) & (gaps.width_mm <= GAP_MM[1])
    good &= inside[plane, line, gaps.before] & inside[plane, line, gaps.after]
    plane, line, middle, width = plane[good], line[good], gaps.middle[good], gaps.width_mm[good]
    planes, some = np.zeros(shape[0], bool), np.zeros(shape[0], bool)
    if not len(plane):
        return Seen(planes, width[:0], 0, some, np.zeros((0, 3), np.intp))
    marks = np.zeros(shape, np.uint8)
    marks[plane, line, middle] = 1
    # A sloping gap moves from line to line by more than a sample.
    own = cc3d.connected_components(
        ndimage.grey_dilation(marks, (1, 1, 3)).astype(np.uint8), connectivity=26
    )[plane, line, middle]
    weight = np.broadcast_to(across_mm, shape)[plane, line, middle]
    kept = np.zeros(len(plane), bool)
    for part in np.unique(own):
        mine = own == part
        # One dark voxel is noise.
        if np.median(hu[plane[mine], line[mine], middle[mine]]) <= FAT_HU:
            continue
        some[plane[mine]] = True
        wide = np.bincount(plane[mine], weights=weight[mine], minlength=shape[0]) >= WIDE_MM
        if wide.sum() * canal.plane_mm >= long_mm:
            planes |= wide
            kept |= mine & wide[plane]
    count = np.bincount((plane * shape[1] + line)[kept], minlength=1)
    middles = np.stack([plane, line, middle], axis=1)[kept].astype(np.intp)
    return Seen(planes, width[kept], int(count.max()) + 1 if kept.any() else 0, some, middles)
