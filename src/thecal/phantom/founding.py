"""The founding paper's patient (Liao 2025, doi 10.2147/IMCRJ.S535207), as far as its text tells.

A woman of 70 with a compression fracture of T12: cement in the body, tracks on both sides too medial, much
cement in the canal, a piece of 8 x 4 mm within the sac, layering, cement in a disc space. Sizes beyond the
piece's are not in the paper; they are chosen here.
"""

from __future__ import annotations

from typing import Final

from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.needle import TrackSpec
from thecal.phantom.patient import Case, make_patient
from thecal.phantom.scanner import Scanner

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
TRACKS: Final = (TrackSpec("T12", "left", 4.5), TrackSpec("T12", "right", 5.0))


def founding_case(
    *, spacing_mm: tuple[float, float, float] = (1.0, 0.7, 0.7), levels: str = "T10-L2", fov_mm: float = 190.0
) -> Case:
    """The founding paper's patient as a phantom."""
    return make_patient(
        SEED,
        levels,
        spacing_mm=spacing_mm,
        fov_mm=fov_mm,
        fractures={"T12": "crush"},
        age=70,
        sex="F",
        scanner=Scanner(),
        contrast_hu=45.0,
        deposits=DEPOSITS,
        tracks=TRACKS,
        cement_hu=4200.0,
    )
