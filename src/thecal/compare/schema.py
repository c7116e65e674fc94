"""The public contract of ``compare.json``: every key, its type and its meaning.

Lengths mm, volumes mL, fractions 0..1. What could not be measured is ``null``, never 0.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from thecal.report.schema import ContractPart, Heights, MaxOcclusion, Quality
from thecal.terms import Compartment, Side

SCHEMA_NAME: Final = "thecal.compare/1"


class Scan(ContractPart):
    """One of the two scans."""

    kind: str
    series_uid: str | None
    spacing_mm: tuple[float, float, float]
    cement_ml: float
    detection_limit_mm3: float | None


class ComparedVertebra(ContractPart):
    """One vertebra on both scans; ``registered`` says whether its bone was laid over itself.

    ``agreement`` is the correlation of the bone's HU then. ``height_loss_since`` is the largest loss of the
    three heights as a share of the height before; ``fractured_since`` where that is 20 % and 4 mm at least.
    """

    before_id: int
    after_id: int
    level: str | None
    registered: bool
    agreement: float | None
    moved_mm: float | None
    turned_degrees: float | None
    heights_before_mm: Heights
    heights_after_mm: Heights
    height_loss_since: float | None
    fractured_since: bool | None
    next_to_cement: bool
    occlusion_before: float | None
    occlusion_after: float | None


class ComparedDeposit(ContractPart):
    """One deposit of the earlier scan; ``id`` is its there, ``after_ids`` are those of what is left."""

    id: int
    compartment: Compartment
    level: str | None
    vertebra_id: int | None
    side: Side
    before_ml: float
    residual_ml: float | None
    removed_ml: float | None
    removed_sd_ml: float
    removed_fraction: float | None
    state: Literal["gone", "partly_removed", "left", "not_assessable"]
    hidden_fraction: float
    after_ids: list[int]


class NewDeposit(ContractPart):
    """Cement of the later scan where the earlier had none."""

    after_id: int
    compartment: Compartment
    level: str | None
    volume_ml: float
    kind: Literal["new", "migrated"]
    from_id: int | None
    distance_mm: float | None


class ComparedCompartment(ContractPart):
    """Totals of one compartment of the earlier scan; null where a deposit of it could not be followed."""

    compartment: Compartment
    before_ml: float
    residual_ml: float | None
    removed_ml: float | None
    new_ml: float


class ComparedCanal(ContractPart):
    """Cement in the canal before and after; both are measured in the canal as it was before."""

    before_ml: float | None
    after_ml: float | None
    before: MaxOcclusion | None
    after: MaxOcclusion | None


class Software(ContractPart):
    """What made this."""

    name: Literal["thecal"]
    version: str


class Comparison(ContractPart):
    """Everything that ``thecal compare`` says about two CTs of one patient. Research use only."""

    schema_: Literal["thecal.compare/1"] = Field(SCHEMA_NAME, alias="schema")
    software: Software
    before: Scan
    after: Scan
    vertebrae: list[ComparedVertebra]
    deposits: list[ComparedDeposit]
    new_deposits: list[NewDeposit]
    compartments: list[ComparedCompartment]
    canal: ComparedCanal
    quality: list[Quality]

    def to_json(self) -> str:
        """As it is written to ``compare.json``."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``compare.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_NAME,
        **{k: v for k, v in Comparison.model_json_schema(mode="serialization").items() if k != "title"},
    }
