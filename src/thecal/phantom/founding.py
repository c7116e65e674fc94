"""The founding paper's patient (Liao 2025, doi 10.2147/IMCRJ.S535207), as far as its text tells.

A woman of 70 with a compression fracture of T12: cement in the body, tracks on both sides too medial, much
cement in the canal, a piece of 8 x 4 mm within the sac, layering, cement in a disc space. Sizes beyond the
piece's are not in the paper; they are chosen here.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.needle import TrackSpec
from thecal.phantom.patient import Case, make_patient
from thecal.phantom.revised import RevisedPair, Revision, revised_pair
from thecal.phantom.scanner import Scanner
from thecal.phantom.spine_model import Fracture

SEED: Final = 2025
DEPOSITS: Final = (
    DepositSpec("intravertebral", "T12", 3.2, "midline"),
    DepositSpec("intradiscal", "T12", 0.35, "midline", "below"),
    DepositSpec("epidural", "T12", 0.45, "right", "crescent"),
    DepositSpec("epidural", "T12", 0.15, "left", "recess"),
    DepositSpec("intradural", "T12", 0.16, "midline", "piece", size_mm=(8.0, 4.0, 6.5)),
    DepositSpec("intradural", "L1", 0.45, "midline", "sheets"),
    DepositSpec("needle_track", "T12", 0.12, "right"),
)
AGE: Final = 70.0
CONTRAST_HU: Final = 45.0
CEMENT_HU: Final = 4200.0
FRACTURES: Final[dict[str, Fracture]] = {"T12": "crush"}
# The paper: a total laminectomy, the piece in the sac and cement of disc and epidural space taken out, T11 to
# L1 fixed, a small amount left in the canal at T12. That the sheets' lower end stayed is chosen here.
REVISION: Final = Revision(
    gone=(2, 4, 5), cut_above=((3, 0.7), (6, 0.7)), laminae=("T12", "L1"), screws=("T11", "L1")
)
# She lies another way on the later day: turned about her long axis and nodding, and moved, mm.
TURNED_DEGREES: Final = (3.0, -4.0)
MOVED_MM: Final = (12.0, -18.0, 25.0)
TRACKS: Final = (TrackSpec("T12", "left", 4.5), TrackSpec("T12", "right", 5.0))


def founding_case(
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 0.7, 0.7),
    levels: str = "T10-L2",
    fov_mm: float = 190.0,
    treated: bool = True,
) -> Case:
    """The founding paper's patient as a phantom.

    Parameters
    ----------
    spacing_mm : (z, y, x)
    levels : str
    fov_mm : float
    treated : bool
        False: as she was before the puncture, fractured and without cement or tracks. The same spine, lying
        the same way.
    """
    return make_patient(
        SEED,
        levels,
        spacing_mm=spacing_mm,
        fov_mm=fov_mm,
        fractures=FRACTURES,
        age=AGE,
        sex="F",
        scanner=Scanner(),
        contrast_hu=CONTRAST_HU,
        deposits=DEPOSITS if treated else (),
        tracks=TRACKS if treated else (),
        cement_hu=CEMENT_HU,
    )


def revised_founding_case(
    *,
    spacing_before: tuple[float, float, float] = (1.0, 0.7, 0.7),
    spacing_after: tuple[float, float, float] = (1.25, 0.8, 0.8),
    levels: str = "T10-L2",
    fov_mm: float = 190.0,
) -> RevisedPair:
    """The founding paper's patient before and after a revision like hers."""
    about_z, about_x = np.radians(TURNED_DEGREES)
    move = np.eye(4)
    move[:3, :3] = np.array(
        [[np.cos(about_z), -np.sin(about_z), 0], [np.sin(about_z), np.cos(about_z), 0], [0, 0, 1]]
    ) @ np.array([[1, 0, 0], [0, np.cos(about_x), -np.sin(about_x)], [0, np.sin(about_x), np.cos(about_x)]])
    move[:3, 3] = MOVED_MM
    return revised_pair(
        SEED,
        levels,
        DEPOSITS,
        REVISION,
        fractures=FRACTURES,
        spacing_before=spacing_before,
        spacing_after=spacing_after,
        scanner_before=Scanner(),
        scanner_after=Scanner(),
        move=move,
        fov_mm=fov_mm,
        age=AGE,
        sex="F",
        contrast_hu=CONTRAST_HU,
        tracks=TRACKS,
        cement_hu=CEMENT_HU,
    )
