"""Where the slices of one stack lie: their order, gaps, tilt, and the grid they fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.dicom.headers import Frame
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import FloatArray, Grid

# Scanners round positions to 0.1 mm and less; so much off an even ladder is still even.
EVEN_WITHIN_OF_SPACING = 0.1
EVEN_WITHIN_MM = 0.2
# Slices nearer to each other than this show the same place.
SAME_PLACE_MM = 0.01
# A step of more than this many usual steps is a gap ...
GAP_STEPS = 1.5
# ... and the widest gap of one slice that linear interpolation may bridge: a cement deposit or a pedicle is
# still seen on one of its sides.
BRIDGED_GAP_MM = 6.0
BRIDGED_GAPS = 3
# In-plane drift that is left alone: half a voxel over the whole stack.
DRIFT_VOXELS = 0.5


@dataclass(frozen=True, eq=False)
class Layout:
    """The slices of a stack in order along their normal.

    Attributes
    ----------
    frames : tuple of Frame
        Along the normal, each place once.
    at_mm : (n,) float64
        Place of each slice along the normal, from the first.
    drift_mm : (n, 2) float64
        How far each slice lies off the first along its rows and its columns (gantry tilt); all 0 where
        there is none.
    even : bool
        Whether the slices are evenly spaced.
    one_line : bool
        Whether they follow one straight line, so that ``as_read`` holds for all of them.
    spacing_mm : float
        Their spacing, or that of the even ladder they will be brought to.
    as_read : Grid
        Grid of the array (column, row, slice) as it was read, sheared where the gantry was tilted.
    notes : tuple of QualityNote
    """

    frames: tuple[Frame, ...]
    at_mm: FloatArray
    drift_mm: FloatArray
    even: bool
    one_line: bool
    spacing_mm: float
    as_read: Grid
    notes: tuple[QualityNote, ...]

    @property
    def tilted(self) -> bool:
        """Whether the slices drift sideways, so that the stack is not a right-angled box."""
        return bool(self.drift_mm.any())


def in_order(frames: tuple[Frame, ...]) -> tuple[tuple[Frame, ...], FloatArray]:
    """Frames sorted along their normal, by instance number at one place, and their places (n,) in mm."""
    normal = frames[0].normal
    at = np.array([frame.position @ normal for frame in frames])
    order = sorted(
        range(len(frames)),
        key=lambda i: (round(float(at[i]) / SAME_PLACE_MM), frames[i].instance or 0, frames[i].number),
    )
    return tuple(frames[i] for i in order), at[order]


def same_place_runs(at_mm: FloatArray) -> list[tuple[int, int]]:
    """Runs (first, past the last) of slices in order that lie at one place."""
    runs, first = [], 0
    for i in range(1, len(at_mm) + 1):
        if i == len(at_mm) or at_mm[i] - at_mm[i - 1] > 2 * SAME_PLACE_MM:
            runs.append((first, i))
            first = i
    return runs


def lay_out(frames: tuple[Frame, ...], what: str) -> Layout:
    """The layout of slices that are in order and lie each at its own place.

    Parameters
    ----------
    frames : tuple of Frame
        Two or more.
    what : str
        How a message names the series.

    Raises
    ------
    InputError
        Where slices are missing that cannot honestly be made up.
    """
    first = frames[0]
    positions = np.stack([frame.position for frame in frames])
    at = (positions - positions[0]) @ first.normal
    steps = np.diff(at)
    notes = _gap_notes(steps, positions, _thickness(frames), what)

    usual = float(np.median(steps))
    ladder = np.polynomial.Polynomial.fit(np.arange(len(at)), at, 1).convert().coef
    spacing = float(ladder[1])
    off = np.abs(at - (ladder[0] + ladder[1] * np.arange(len(at)))).max()
    even = not notes and bool(off <= min(EVEN_WITHIN_OF_SPACING * spacing, EVEN_WITHIN_MM))
    if not even:
        spacing = usual
        if not notes:
            notes.append(
                QualityNote(
                    "uneven_spacing",
                    "warning",
                    f"The slices of {what} are {steps.min():.2f} to {steps.max():.2f} mm apart; they were "
                    f"interpolated to an even {spacing:.2f} mm.",
                )
            )

    aside = positions - positions[0]
    drift = np.stack([aside @ first.along_row, aside @ first.along_column], axis=1)
    voxel = np.array([first.spacing_mm[1], first.spacing_mm[0]])
    slope = np.linalg.lstsq(at[:, None], drift, rcond=None)[0][0]
    one_line = bool(np.all(np.abs(drift - at[:, None] * slope) <= DRIFT_VOXELS * voxel))
    if np.all(np.ptp(drift, axis=0) <= DRIFT_VOXELS * voxel):
        drift = np.zeros_like(drift)
        slope = np.zeros(2)
    elif one_line:
        degrees = np.degrees(np.arctan(np.linalg.norm(slope)))
        notes.append(
            QualityNote(
                "gantry_tilt",
                "warning",
                f"The slices of {what} are sheared by {degrees:.1f} degrees (gantry tilt); they were "
                "resampled to a right-angled grid.",
            )
        )
    else:
        slope = np.zeros(2)
        notes.append(
            QualityNote(
                "shifted_slices",
                "warning",
                f"The slices of {what} lie up to {np.abs(drift).max():.1f} mm beside each other; they were "
                "moved to where they say they are.",
            )
        )
    step = (first.normal + slope[0] * first.along_row + slope[1] * first.along_column) * spacing
    count = len(frames) if even else int(np.floor(at[-1] / spacing + 1e-6)) + 1
    affine = np.eye(4)
    affine[:3, 0] = first.along_row * first.spacing_mm[1]
    affine[:3, 1] = first.along_column * first.spacing_mm[0]
    affine[:3, 2] = step
    affine[:3, 3] = positions[0]
    grid = Grid((first.header.columns, first.header.rows, count), affine)
    return Layout(frames, at, drift, even, one_line, spacing, grid, tuple(notes))


def place(frame: Frame) -> str:
    """Where a slice lies, as a person says it: "z = -790.5 mm" for an axial one."""
    axis = int(np.abs(frame.normal).argmax())
    return f"{'xyz'[axis]} = {frame.position[axis]:.1f} mm"


def _thickness(frames: tuple[Frame, ...]) -> FloatArray | None:
    thickness = [frame.thickness_mm for frame in frames]
    if any(t is None or t <= 0 for t in thickness):
        return None
    return np.array(thickness, float)


def _gap_notes(
    steps: FloatArray, positions: FloatArray, thickness: FloatArray | None, what: str
) -> list[QualityNote]:
    """Notes for gaps that may be bridged; raises for those that may not."""
    axis = int(np.abs(positions[-1] - positions[0]).argmax())
    bridged = []
    for i, step in enumerate(steps):
        near = np.concatenate([steps[max(0, i - 3) : i], steps[i + 1 : i + 4]])
        usual = float(np.median(near)) if len(near) else float(step)
        if step <= GAP_STEPS * usual:
            continue
        between = sorted((positions[i, axis], positions[i + 1, axis]))
        span = f"between {'xyz'[axis]} = {between[0]:.1f} and {between[1]:.1f} mm"
        missing = max(1, round(step / usual) - 1)
        touching = thickness is not None and step <= (thickness[i] + thickness[i + 1]) / 2 * 1.05
        if not touching and (missing > 1 or step > BRIDGED_GAP_MM):
            raise InputError(f"{what} misses slices {span}.".replace("series", "Series", 1))
        bridged.append(span)
    if len(bridged) > BRIDGED_GAPS:
        raise InputError(
            f"{what} misses slices in {len(bridged)} places, the first {bridged[0]}.".replace(
                "series", "Series", 1
            )
        )
    return [
        QualityNote(
            "missing_slice",
            "warning",
            f"One slice of {what} is missing {span}; it was interpolated from its neighbours, "
            "and what lies only there is not seen.",
        )
        for span in bridged
    ]
