"""A plan's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thecal.anatomy.spine import Spine
from thecal.needle.outputs.folder import write_plan
from thecal.needle.outputs.schema import PlanDocument
from thecal.needle.pictures.kept_away import KeptAway
from thecal.needle.plan import Ready
from thecal.needle.plan_value import Audit, LevelPlan
from thecal.needle.search.keep_away import FOREIGN
from thecal.quality import QualityNote
from thecal.volume import Volume


def write_document(
    out: Path,
    volume: Volume,
    spine: Spine,
    scan: Ready,
    plans: Sequence[LevelPlan],
    audit: Audit | None,
    document: PlanDocument,
    margin_mm: float,
    notes: Sequence[QualityNote] = (),
) -> None:
    """Write ``plan.json`` and all that goes with it.

    Raises
    ------
    InputError
        Where ``out`` cannot be written to.
    """
    around = scan.around
    others = tuple(
        KeptAway(name, mask, around.grid)
        for name, mask in (("aorta", around.aorta), ("lung", around.lung), ("gas in the body", around.gas))
        if mask.any()
    )
    if scan.foreign is not None and scan.foreign.any():
        others = (*others, KeptAway(FOREIGN, scan.foreign, spine.grid))
    write_plan(
        out,
        volume,
        spine,
        plans,
        audit,
        plan_json=document.to_json(),
        others=others,
        margin_mm=margin_mm,
        notes=notes,
    )
