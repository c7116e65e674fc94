"""The whole vertebra: which bone behind and beside the canal belongs to which body.

Bone is shared out by travel time from seeds: pedicles and laminae at the canal's wall for each vertebra,
and rib bone far to the side for none. Dense bone is quick to cross, a joint's gap slow, so fronts meet in
the facet joints and at the ribs' heads. A joint that blur leaves as bright as bone is still darker than the
cortex on either side of it, which makes it slow as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.anatomy.bodies import Body
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, box_of

# Bone membership is 0 at the first and 1 at the second; what lies below half is not bone.
BONE_RAMP_HU = (70.0, 270.0)
LEAST_BONE = 0.5
BONE_COST = 0.2
GAP_COST = 25.0
# A voxel darker than the bone on two opposite sides of it, by more than the first share of its own HU, is
# dear, and by the second share dearest.
JOINT_COST = 25.0
JOINT_SHARE = (0.05, 1.05)
JOINT_REACH_VOXELS = 2
LEAST_JOINT_HU = 200.0
FARTHEST = 110.0
FARTHEST_AHEAD_MM, FARTHEST_LATERAL_MM = 60.0, 65.0
# Transverse processes end within this share of the body's width from the midline, or this far where the
# body is narrow (T1: half of 75 mm, Panjabi 1991, from memory); bone farther out, or beside the body in
# front of its back edge (but for the pedicles' roots), is rib.
PROCESS_REACH = 1.12
PROCESS_REACH_MM = 38.0
RIB_AHEAD_MM = 4.0
RIB_HEAD_SHARE = 0.42
# Thoracic transverse processes point backward: lateral to the pedicles of a narrow body, what lies in front
# of the canal's anterior wall is the neck of a rib.
THORACIC_WIDTH_MM = 34.0
NECK_SHARE = 0.6
NECK_AHEAD_MM = 1.0
# Seeds at the canal's wall: angles from the front, degrees, and shares of the way from the disc below to the
# disc above. In a facet joint the lower vertebra's process lies in front, the upper one's behind. In these
# sectors nine tenths of the bone and more was its vertebra's own, in three CTs (17 vertebrae).
SEEDS = (
    (50.0, 115.0, 0.52, 0.74),  # pedicle
    (85.0, 105.0, 0.74, 0.92),  # superior articular process, in front
    (105.0, 115.0, 0.74, 0.86),
    (115.0, 128.0, 0.58, 0.76),  # its root
    (110.0, 130.0, 0.22, 0.50),  # pars
    (130.0, 180.0, 0.12, 0.50),  # lamina
    (140.0, 180.0, 0.06, 0.12),  # inferior articular process
)
# A spinous process slopes down from its lamina: near the midline no vertebra reaches above the first share
# at the canal, and 10 mm behind it not above one that rises from the second at thoracic spacing to the
# third at lumbar spacing (read off three CTs, 20 vertebrae; with room).
LAMINA_TOP_SHARE = 1.0
SPINOUS_TOP_SHARE = (0.45, 0.90)
SPINOUS_SPACING_MM = (24.0, 32.0)
SPINOUS_BEHIND_MM = 10.0
SPINOUS_HALF_WIDTH_MM = 7.0
NONE = 0
CLOSING_VOXELS = 2


@njit(cache=True)
def _spread(cost, label, lowest, spacing, farthest):  # type: ignore[no-untyped-def]
    """Labels by least travel time from the seeds, within cells of finite cost (Dial 1969's buckets).

    A cell takes no label below its ``lowest``.
    """
    nz, ny, nx = cost.shape
    size = nz * ny * nx
    time = np.full(size, np.inf, np.float32)
    flat = cost.ravel()
    owner = label.ravel()
    least = lowest.ravel()
    width = 0.1
    buckets = int(farthest / width) + 2
    head = np.full(buckets, -1, np.int64)
    # Each cell may be queued more than once; the store grows as needed.
    capacity = 1 << 20
    cell = np.empty(capacity, np.int64)
    link = np.empty(capacity, np.int64)
    used = 0
    for i in range(size):
        if owner[i] != 0:
            time[i] = 0.0
            if used == capacity:
                cell = np.concatenate((cell, np.empty(capacity, np.int64)))
                link = np.concatenate((link, np.empty(capacity, np.int64)))
                capacity *= 2
            cell[used] = i
            link[used] = head[0]
            head[0] = used
            used += 1
    for b in range(buckets):
        while head[b] >= 0:
            at = head[b]
            head[b] = link[at]
            i = cell[at]
            if int(time[i] / width) < b:
                continue
            z = i // (ny * nx)
            y = (i // nx) % ny
            x = i % nx
            for dz in range(-1, 2):
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        if dz == 0 and dy == 0 and dx == 0:
                            continue
                        zz, yy, xx = z + dz, y + dy, x + dx
                        if zz < 0 or yy < 0 or xx < 0 or zz >= nz or yy >= ny or xx >= nx:
                            continue
                        j = (zz * ny + yy) * nx + xx
                        if flat[j] == np.inf or owner[i] < least[j]:
                            continue
                        far = spacing * np.sqrt(float(dz * dz + dy * dy + dx * dx))
                        # As stored: in even bone (a screw) a time rounded up is bettered again and again.
                        t = np.float32(time[i] + far * 0.5 * (flat[i] + flat[j]))
                        if t < time[j] and t < farthest:
                            time[j] = t
                            owner[j] = owner[i]
                            if used == capacity:
                                cell = np.concatenate((cell, np.empty(capacity, np.int64)))
                                link = np.concatenate((link, np.empty(capacity, np.int64)))
                                capacity *= 2
                            cell[used] = j
                            bucket = min(int(t / width), buckets - 1)
                            link[used] = head[bucket]
                            head[bucket] = used
                            used += 1


@njit(cache=True)
def _valley(hu, voxels, reach):  # type: ignore[no-untyped-def]
    """How much darker each voxel is than the darker of two opposite neighbours, at the most, HU."""
    nz, ny, nx = hu.shape
    deepest = np.zeros(len(voxels), np.float32)
    for n in range(len(voxels)):
        z, y, x = voxels[n, 0], voxels[n, 1], voxels[n, 2]
        for dz in range(0, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    if dz == 0 and (dy < 0 or (dy == 0 and dx <= 0)):
                        continue
                    # Diagonal steps are longer.
                    k = reach if dz + abs(dy) + abs(dx) == 1 else max(1, reach - 1)
                    a, b, c = z - k * dz, y - k * dy, x - k * dx
                    p, q, r = z + k * dz, y + k * dy, x + k * dx
                    if min(a, b, c, p, q, r) < 0 or max(a, p) >= nz or max(b, q) >= ny or max(c, r) >= nx:
                        continue
                    deepest[n] = max(deepest[n], min(hu[a, b, c], hu[p, q, r]) - hu[z, y, x])
    return deepest


def share_out_arches(
    hu: npt.NDArray[np.int16],
    hidden: BoolArray,
    taken: BoolArray,
    grid: Grid,
    canal: tuple[CanalFrame, FloatArray, FloatArray],
    bodies: list[Body],
    spans: list[tuple[float, float]],
) -> npt.NDArray[np.uint16]:
    """Number the bone of the arches by vertebra.

    Parameters
    ----------
    hu : (z, y, x) int16
    hidden : (z, y, x) bool
        Cement, metal and what they blur into: bone only where bone encloses it.
    taken : (z, y, x) bool
        Bodies, discs and the canal: not to be shared out.
    grid : Grid
        Even, about 1 mm.
    canal : frame, theta (m,), wall (n, m) mm
    bodies : list of Body
    spans : list of (float, float)
        s of the disc below and above each, mm.

    Returns
    -------
    (z, y, x) uint16
        1 + the vertebra's place in ``bodies``; 0 elsewhere.
    """
    frame, theta, wall = canal
    membership = np.clip((hu - BONE_RAMP_HU[0]) / (BONE_RAMP_HU[1] - BONE_RAMP_HU[0]), 0, 1).astype(
        np.float32
    )
    # Fronts pass through what is hidden, slowly: a needle's track must not part an arch from its body.
    membership[hidden] = LEAST_BONE
    bone = (membership >= LEAST_BONE) & ~taken
    voxels = np.argwhere(bone)
    points = grid.to_lps(voxels)
    s, angle, r = frame.locate(points)
    # Ribs beyond their roots, and what fills with contrast in front of the bodies, need no front.
    near_spine = (np.cos(angle) * r < FARTHEST_AHEAD_MM) & (np.abs(np.sin(angle)) * r < FARTHEST_LATERAL_MM)
    voxels, points = voxels[near_spine], points[near_spine]
    s, angle, r = s[near_spine], angle[near_spine], r[near_spine]
    bone = np.zeros(grid.shape, bool)
    bone[tuple(voxels.T)] = True
    row = frame.index(s)
    past = np.abs(np.einsum("ij,ij->i", points - frame.at(s), frame.cranial[row])) > 3.0
    column = np.rint((angle - theta[0]) / (2 * np.pi) * len(theta)).astype(int) % len(theta)
    beyond = r - wall[row, column]
    lateral = np.abs(np.sin(angle) * r)
    ahead = np.cos(angle) * r - wall[row][:, np.abs(theta) < np.deg2rad(25)].mean(axis=1)
    # What lies beside the bodies and in front of the canal is rib, vessel or osteophyte; so is the far side.
    middles = np.array([0.5 * (low + high) for low, high in spans])
    widths = np.array([_width(body) for body in bodies])
    width = np.interp(s, middles, widths)
    beside = (ahead > RIB_AHEAD_MM) & (lateral > RIB_HEAD_SHARE * width)
    neck = (width < THORACIC_WIDTH_MM) & (ahead > NECK_AHEAD_MM) & (lateral > NECK_SHARE * width)
    rib = (lateral > np.maximum(PROCESS_REACH * width, PROCESS_REACH_MM)) | beside | neck
    near = (beyond > -0.5) & (beyond < 5.0) & ~past
    turn = np.abs(np.rad2deg(angle))
    label = np.zeros(grid.shape, np.uint16)
    ribs = len(bodies) + 1
    label[tuple(voxels[rib].T)] = ribs
    for k, (low, high) in enumerate(spans):
        share = (s - low) / (high - low)
        for first, last, caudal, cranial in SEEDS:
            seed = near & (turn >= first) & (turn <= last) & (share > caudal) & (share < cranial)
            label[tuple(voxels[seed].T)] = k + 1
    cost = np.full(grid.shape, np.inf, np.float32)
    joint = _valley(hu, voxels, JOINT_REACH_VOXELS) / np.maximum(hu[bone], LEAST_JOINT_HU)
    joint = np.clip((joint - JOINT_SHARE[0]) / (JOINT_SHARE[1] - JOINT_SHARE[0]), 0, 1)
    joint[hidden[bone]] = 0.0
    cost[bone] = BONE_COST + GAP_COST * (1.0 - membership[bone]) ** 2 + JOINT_COST * joint
    label[~bone] = NONE
    lowest = np.zeros(grid.shape, np.uint16)
    behind = -np.cos(angle) * r - wall[row][:, np.abs(theta) > np.deg2rad(150)].mean(axis=1)
    lowest[bone] = _lowest_owner(s, lateral, behind, spans)
    label[label < lowest] = NONE
    _spread(cost, label, lowest, float(grid.spacing_mm[0]), FARTHEST)
    label[(label == ribs) | hidden] = NONE
    for k in range(len(bodies)):
        _fill_marrow(label, k + 1, taken)
    return label


def _lowest_owner(
    s: FloatArray, lateral: FloatArray, behind: FloatArray, spans: list[tuple[float, float]]
) -> npt.NDArray[np.uint16]:
    """Number of the most caudal vertebra whose lamina or spinous process may reach each point (n,)."""
    lowest = np.zeros(len(s), np.uint16)
    middle = (lateral < SPINOUS_HALF_WIDTH_MM) & (behind > 0)
    for k, (low, high) in enumerate(spans):
        deep = float(np.interp(high - low, SPINOUS_SPACING_MM, SPINOUS_TOP_SHARE))
        top = np.where(behind > SPINOUS_BEHIND_MM, deep, LAMINA_TOP_SHARE)
        lowest[middle & (s > low + top * (high - low))] = k + 2
    return lowest


def _fill_marrow(label: npt.NDArray[np.uint16], value: int, taken: BoolArray) -> None:
    """Give a vertebra the marrow between its cortices: fatty, open where these are thinner than a voxel."""
    import fill_voids

    margin = CLOSING_VOXELS + 1
    box = box_of(label == value, margin)
    if box is None:
        return
    near = label[box]
    own = near == value
    ball = ndimage.generate_binary_structure(3, 2)
    closed = ndimage.binary_closing(np.pad(own, margin), ball, iterations=CLOSING_VOXELS)
    closed = closed[tuple(slice(margin, -margin) for _ in range(3))]
    for z in range(closed.shape[0]):
        closed[z] = fill_voids.fill(closed[z])
    near[closed & (near == NONE) & ~taken[box]] = value


def _width(body: Body) -> float:
    """Median width of a body from side to side, mm."""
    side = np.abs(np.sin(body.angles)) > 0.9
    return float(2 * np.median(body.waist[:, side]))
