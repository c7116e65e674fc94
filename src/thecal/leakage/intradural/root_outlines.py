"""Nerve roots outlined by cement: thin dark lines along the canal, as in a myelogram."""

from __future__ import annotations

from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.gaps import FAT_HU, gaps_on
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName

ROOT_MM: Final = (0.4, 2.5)
"""Width of a defect that a root of the cauda equina leaves; roots are 1 to 2 mm across (from memory)."""
LONG_MM: Final = 6.0
"""A defect is a line from this length on, or from four slices on ..."""
SLENDER: Final = 3.0
"""... and from three times its own width on."""
LEAST_ROOTS: Final = 2.0
"""One line may be a bubble or a fold; the published case shows several roots."""
COARSEST_FWHM_MM: Final = 1.6
"""With a wider blur a root of 1 mm leaves no dip."""
THICK_MM: Final = 3.0
"""Cement thinner than this cannot surround a root."""
SOLID: Final = 0.5

Line = tuple[float, tuple[float, ...]]


def root_outlines(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Number of thin linear defects in the cement that run along the canal.

    A defect has cement in front, behind, left and right of it, is no wider than 2.5 mm either way, holds no
    fat, and is followed from plane to plane over 6 mm or more. Looked at is cement given to the sac; where
    there is none, all cement in the canal.
    """
    name: SignName = "root_outlines"
    if scene.fwhm_mm > COARSEST_FWHM_MM:
        return unread(name, f"The scan's blur of {scene.fwhm_mm:.1f} mm is too wide to show a root.")
    suspect, _ = scene.suspect()
    long_mm = max(LONG_MM, 4 * scene.slice_mm)
    if _thick_planes(suspect, canal) * canal.plane_mm < long_mm:
        return unread(
            name,
            f"The cement is {THICK_MM:g} mm thick on too few planes to surround a root over {long_mm:g} mm.",
        )
    lines = _lines(_enclosed(suspect, canal), canal, long_mm)
    lengths = [length for length, _ in lines]
    if lengths:
        words = (
            f"{len(lengths)} thin dark {'line runs' if len(lengths) == 1 else 'lines run'} along the canal "
            f"within the cement, the longest over {max(lengths):.0f} mm."
        )
    else:
        words = "No thin dark line runs along the canal within the cement."
    return sign(
        name,
        "present" if len(lengths) >= LEAST_ROOTS else "absent",
        words,
        value=float(len(lengths)),
        unit="linear defects",
        threshold=LEAST_ROOTS,
        at_mm=scene.place(*max(lines)[1]) if lines else None,
    )


def _thick_planes(suspect: npt.NDArray[np.float32], canal: StraightCanal) -> int:
    """Planes on which a disc of that thickness fits into the cement, its defects closed."""
    half = round(0.5 * ROOT_MM[1] / canal.step_mm)
    y, x = np.ogrid[-half : half + 1, -half : half + 1]
    closed = ndimage.binary_closing(suspect >= SOLID, (x**2 + y**2 <= half**2)[None])
    deepest = [ndimage.distance_transform_edt(plane).max() if plane.any() else 0.0 for plane in closed]
    return int((2 * np.array(deepest) * canal.step_mm >= THICK_MM).sum())


def _enclosed(suspect: npt.NDArray[np.float32], canal: StraightCanal) -> npt.NDArray[np.bool_]:
    """Middles of defects with cement on all four sides (k, v, u)."""
    found = []
    for axis in (1, 2):
        lines = np.moveaxis(suspect, axis, 2)
        shape = lines.shape
        gaps = gaps_on(lines.reshape(-1, shape[2]), canal.step_mm)
        good = (gaps.width_mm >= ROOT_MM[0]) & (gaps.width_mm <= ROOT_MM[1])
        mark = np.zeros(shape, bool)
        mark.reshape(-1, shape[2])[gaps.line[good], gaps.middle[good]] = True
        found.append(ndimage.binary_dilation(np.moveaxis(mark, 2, axis), np.ones((1, 3, 3), bool)))
    enclosed: npt.NDArray[np.bool_] = found[0] & found[1] & (canal.hu > FAT_HU)
    return enclosed


def _lines(marks: npt.NDArray[np.bool_], canal: StraightCanal, long_mm: float) -> list[Line]:
    """Lengths of the marks' parts that are lines along the canal, with their middles (k, v, u)."""
    parts = cc3d.connected_components(marks.astype(np.uint8), connectivity=26)
    lengths: list[Line] = []
    for number, where in enumerate(ndimage.find_objects(parts), start=1):
        mine = np.argwhere(parts[where] == number)
        length = (where[0].stop - where[0].start) * canal.plane_mm
        if length < long_mm:
            continue
        middles = np.array([mine[mine[:, 0] == k, 1:].mean(0) for k in np.unique(mine[:, 0])])
        across = [np.ptp(mine[mine[:, 0] == k, 1:], axis=0).max() + 1 for k in np.unique(mine[:, 0])]
        width = float(np.median(across)) * canal.step_mm
        shift = np.linalg.norm(np.ptp(middles, axis=0)) * canal.step_mm
        if width <= ROOT_MM[1] and length >= SLENDER * width and shift <= length:
            half = len(middles) // 2
            low = [part.start for part in where]
            middle = (low[0] + np.unique(mine[:, 0])[half], *(low[1:] + middles[half]))
            lengths.append((float(length), tuple(float(x) for x in middle)))
    return lengths
