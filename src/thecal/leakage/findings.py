"""What leakage concludes: the deposits, the canal, the fill. Field meanings are those of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from thecal.quality import QualityNote
from thecal.terms import Breach, Compartment, Grade, Route, Side, SignName, TrackContent, Yeom

if TYPE_CHECKING:
    from thecal.leakage.revision.plan_value import RevisionPlan

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Deposit:
    """One piece of cement in one compartment; a piece that crosses compartments is several deposits.

    ``vertebra_id`` and ``vertebra_ids`` are ``level`` and ``levels_spanned`` as labels of the anatomy, which
    also hold where no level is known.
    """

    id: int
    compartment: Compartment
    level: str | None
    levels_spanned: tuple[str, ...]
    volume_ml: float
    volume_sd_ml: float
    centroid_mm: Point
    extent_mm: Point
    mean_hu: float
    clipped_fraction: float
    side: Side
    route: Route
    yeom: Yeom | None
    breach_mm: Point | None
    vertebra_id: int | None = None
    vertebra_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class CanalSection:
    """The canal on one plane normal to it."""

    at_mm: float
    level: str | None
    canal_area_mm2: float | None
    cement_area_mm2: float | None
    vertebra_id: int | None = None


@dataclass(frozen=True)
class WorstOcclusion:
    """The plane where cement takes the largest share of the canal."""

    fraction: float
    cement_area_mm2: float
    canal_area_mm2: float
    residual_ap_mm: float | None
    at_mm: float
    level: str | None
    vertebra_id: int | None = None


@dataclass(frozen=True)
class VertebraMeasure:
    """Sizes and fill of one vertebra; None where it could not be measured."""

    id: int
    body_volume_ml: float | None
    trabecular_hu: float | None
    height_anterior_mm: float | None
    height_middle_mm: float | None
    height_posterior_mm: float | None
    cement_ml: float | None
    fill_fraction: float | None
    cement_anterior: float | None
    cement_middle: float | None
    cement_posterior: float | None
    posterior_third_reached: bool | None
    upper_endplate_touched: bool | None
    lower_endplate_touched: bool | None
    cement_left_fraction: float | None
    wedge_degrees: float | None
    height_loss_fraction: float | None
    canal_area_mm2: float | None


@dataclass(frozen=True)
class IntraduralSign:
    """One sign of cement inside the dura: the number behind it, and from where on it counts as present.

    ``at_mm`` is where it is seen best, patient LPS; None where nothing shows it.
    """

    name: SignName
    state: Literal["present", "absent", "not_assessable"]
    value: float | None
    unit: str | None
    threshold: float | None
    explanation: str
    source: str
    at_mm: Point | None = None


@dataclass(frozen=True)
class DuralFinding:
    """Whether cement lies inside the dura, from all signs together.

    ``not_detected`` means none above the detection limit. ``probability`` and its ``interval`` (nine of ten)
    follow from the ``prior`` and the ``likelihood_ratio`` of the signs; None where not assessable, and
    ``why`` then says so. ``weights`` are what each sign added to the log odds, 0 where it was not read.
    """

    finding: Literal["probable", "possible", "not_detected", "not_assessable"]
    probability: float | None
    interval: tuple[float, float] | None
    prior: float
    likelihood_ratio: float | None
    weights: tuple[tuple[SignName, float], ...] = ()
    why: str | None = None


@dataclass(frozen=True)
class NeedleTrack:
    """A needle's way through a pedicle; points patient LPS mm, angles degrees in the vertebra's frame.

    The transverse angle is towards the midline, the sagittal one towards the head. Clearances are from the
    needle's surface, negative within; None where the canal was not found. The grade (Gertzbein and Robbins)
    is None where the medial wall lies within the error of the clearance.
    """

    vertebra_id: int
    level: str | None
    side: Side
    content: TrackContent
    entry_mm: Point
    tip_mm: Point
    tip_hidden: bool
    length_mm: float
    transverse_angle: float
    sagittal_angle: float
    medial_wall_clearance_mm: float | None
    sac_clearance_mm: float | None
    clearance_error_mm: float | None
    breach: Breach
    breach_mm: float | None
    gertzbein_robbins: Grade | None
    published_angle: float | None


@dataclass(frozen=True, eq=False)
class Leakage:
    """Everything that follows from the anatomy and the cement.

    ``deposit_labels`` (z, y, x) int32 in the spine's crop holds each deposit's id. ``signs`` is empty and
    ``dural`` None where none was read; ``revision`` is None where no cement in the canal asks for one, and a
    note says so.
    """

    deposits: tuple[Deposit, ...]
    deposit_labels: npt.NDArray[np.int32]
    canal_cement_ml: float | None
    profile: tuple[CanalSection, ...]
    worst: WorstOcclusion | None
    vertebrae: tuple[VertebraMeasure, ...]
    quality: tuple[QualityNote, ...] = ()
    signs: tuple[IntraduralSign, ...] = ()
    dural: DuralFinding | None = None
    revision: RevisionPlan | None = None
    tracks: tuple[NeedleTrack, ...] = ()
    casts_sought: tuple[int, ...] = ()
    bores_sought: tuple[int, ...] = ()
