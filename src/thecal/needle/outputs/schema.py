"""The public contract of ``plan.json``: every key, its type and its meaning.

Lengths mm, volumes mL, points patient LPS mm, angles degrees, shares 0..1. What was not found is ``null``,
and what was not looked for stands in ``unknown``. Values are those of ``plan_value``, where each is
explained.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from thecal.needle.plan_value import Against, ChosenBy, OuterFrom
from thecal.report.schema import ContractPart, Quality
from thecal.terms import Breach, Grade, Side

SCHEMA_NAME: Final = "thecal.plan/1"
Point = tuple[float, float, float]


class PlannedScan(ContractPart):
    """The scan that was planned on."""

    kind: str
    series_uid: str | None
    spacing_mm: Point
    anatomy: str
    anatomy_version: str


class Asked(ContractPart):
    """What was asked for."""

    sides: Literal["both", "left", "right"]
    approach: Literal["auto", "transpedicular", "extrapedicular"]
    needle: str
    margin_mm: float


class NeedleSize(ContractPart):
    """A needle's size, and where the figures come from."""

    name: str
    outer_mm: float
    inner_mm: float
    source: str


class PlannedCorridor(ContractPart):
    """One pedicle as a way for a needle, at its smallest section."""

    side: Side
    isthmus_mm: Point
    axis: Point
    width_mm: float
    height_mm: float
    inner_width_mm: float | None
    transverse_deg: float
    sagittal_deg: float
    outline_mm: list[Point]
    medial_wall_mm: list[Point]


class Aim(ContractPart):
    """Share of safe outcomes, and of grades, under an aiming error (standard deviations), by Monte-Carlo."""

    entry_sd_mm: float
    angle_sd_deg: float
    trials: int
    safe: float
    grades: dict[Grade, float]


class ClearancePoint(ContractPart):
    """Free distance from the needle's surface at a depth, and to what; ``null`` where not looked at."""

    depth_mm: float
    free_mm: float | None
    nearest: str


class PlannedWay(ContractPart):
    """One needle's planned way; ``score`` holds the named terms of the ranking."""

    side: Side
    approach: Literal["transpedicular", "extrapedicular"]
    needle: NeedleSize
    widest_gauge: str
    skin_mm: Point | None
    entry_mm: Point
    tip_mm: Point
    transverse_deg: float
    sagittal_deg: float
    patient_transverse_deg: float
    patient_craniocaudal_deg: float
    skin_from_midline_mm: float | None
    skin_depth_mm: float | None
    wall_depth_mm: float
    tip_depth_mm: float
    tip_share: float
    least_mm: float
    nearest: str
    medial_margin_mm: float
    grade: Grade
    aim: list[Aim]
    clearance: list[ClearancePoint]
    score: dict[str, float]


class PlannedBeside(ContractPart):
    """The widest rod that passes beside the pedicle, mm (12: or more), and what bounds it."""

    room_mm: float
    nearest: str


class PlannedSide(ContractPart):
    """What a side offers for one of two needles: the best way, the next ones, or why there is none."""

    side: Side
    corridor: PlannedCorridor | None
    best: PlannedWay | None
    others: list[PlannedWay]
    reason: str
    tried: int
    beside: PlannedBeside | None = None


class PlannedCement(ContractPart):
    """The range of cement that the literature supports for this body; never a single number.

    ``limit_ml`` is the lower of ``high_ml`` and 7 mL, above which embolism rises.
    """

    body_ml: float
    low_share: float
    high_share: float
    low_ml: float
    high_ml: float
    limit_ml: float
    sources: list[str]


class PlannedLevel(ContractPart):
    """One vertebra. ``single`` is one needle to the middle; ``single_reason`` says why there is none."""

    vertebra_id: int
    level: str | None
    single: PlannedWay | None
    single_reason: str
    sides: list[PlannedSide]
    cement: PlannedCement
    unknown: list[str]
    seconds: float


class AuditedNeedle(ContractPart):
    """A needle seen on a later CT against the plan; points are in the plan's CT.

    ``seen_as`` is what was seen: a needle of metal, or the track that one left. ``entry_error_mm`` is across
    the planned way; ``tip_error_mm`` is the whole distance, ``null`` where the tip is hidden in cement.
    Clearances are from the needle's surface, negative within: that of a needle of ``outer_mm``, which was
    measured on the later CT, is what the metal there is ``at most``, or that of the planned needle.
    """

    vertebra_id: int
    level: str | None
    side: Side
    seen_as: Literal["metal", "cement", "air", "empty"]
    against: Against | None
    chosen_by: ChosenBy | None
    agreement: float | None
    entry_mm: Point
    tip_mm: Point
    outer_mm: float
    outer_from: OuterFrom
    outer_error_mm: float | None
    entry_error_mm: float | None
    tip_error_mm: float | None
    angle_error_deg: float | None
    transverse_error_deg: float | None
    sagittal_error_deg: float | None
    medial_margin_mm: float
    least_mm: float
    nearest: str
    breach: Breach
    breach_mm: float
    grade: Grade
    planned_medial_margin_mm: float | None


class LevelAgreement(ContractPart):
    """How well a planned vertebra's bone agrees on both CTs; ``null`` where it could not be laid over."""

    vertebra_id: int
    level: str | None
    agreement: float | None


class AuditPart(ContractPart):
    """The audit: needles seen on the later CT, and notes on what could not be told.

    ``plan_version`` is of the thecal that made the stored plan; ``null``: planned anew for the audit.
    """

    series_uid: str | None
    needles: list[AuditedNeedle]
    notes: list[str]
    agreements: list[LevelAgreement]
    plan_version: str | None


class PlanSoftware(ContractPart):
    """What made this."""

    name: Literal["thecal"]
    version: str


class PlanDocument(ContractPart):
    """Everything that ``thecal plan`` says. Research use only.

    ``files`` are those that this plan wrote; a later plan into the same folder takes these alone away.
    """

    schema_: Literal["thecal.plan/1"] = Field(SCHEMA_NAME, alias="schema")
    software: PlanSoftware
    research_use: str
    scan: PlannedScan
    asked: Asked
    levels: list[PlannedLevel]
    audit: AuditPart | None
    quality: list[Quality]
    files: list[str]

    def to_json(self) -> str:
        """As it is written to ``plan.json``."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``plan.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_NAME,
        **{k: v for k, v in PlanDocument.model_json_schema(mode="serialization").items() if k != "title"},
    }
