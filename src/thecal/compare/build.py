"""From two assessments to the comparison of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from thecal import __version__
from thecal.assessment import Assessment
from thecal.compare.match import Moves, Pair, match_vertebrae
from thecal.compare.residue import GONE_SHARE, Remnant, Residue, residue
from thecal.compare.scanned import Scanned
from thecal.compare.schema import (
    SCHEMA_NAME,
    ComparedCanal,
    ComparedCompartment,
    ComparedDeposit,
    ComparedVertebra,
    Comparison,
    NewDeposit,
    Scan,
    Software,
)
from thecal.errors import SpineNotFound
from thecal.leakage.findings import VertebraMeasure
from thecal.leakage.levels import Levels
from thecal.report.figures import max_occlusion_of, rounded
from thecal.report.schema import Heights, Quality
from thecal.terms import COMPARTMENTS, vertebra_name
from thecal.volume import FloatArray

FRACTURE_LOSS: Final = 0.20
FRACTURE_MM: Final = 4.0
"""A vertebra is newly broken where a height has fallen by 20 % and by 4 mm at least (Black 1999, doi
10.1359/jbmr.1999.14.1.90)."""
METAL_BOX_MM: Final = (np.array([0.0, 14.0, 0.0]), np.array([24.0, 24.0, 15.0]))
"""Middle and half size of the box about body and pedicles (left, anterior, cranial) in which metal, or its
glare, shifts the endplates that heights are measured between."""
LEFT_SDS: Final = 2.0
"""Within so many standard deviations nothing was removed."""


@dataclass(frozen=True, eq=False)
class Compared:
    """The comparison, and what its pictures need."""

    comparison: Comparison
    before: Scanned
    after: Scanned
    moves: Moves


def compare(earlier: Assessment, later: Assessment) -> Compared:
    """Compare two assessed CTs of one patient.

    Raises
    ------
    SpineNotFound
        Where either has no spine, or no vertebra of one could be laid over one of the other.
    """
    before, after = Scanned.of(earlier, "earlier"), Scanned.of(later, "later")
    pairs = match_vertebrae(before, after)
    moves = Moves(pairs)
    if not moves:
        raise SpineNotFound("No vertebra of the earlier CT could be laid over one of the later CT")
    found = residue(before, after, moves)
    return Compared(
        Comparison(
            schema=SCHEMA_NAME,
            software=Software(name="thecal", version=__version__),
            before=_scan(before),
            after=_scan(after),
            vertebrae=_vertebrae(before, after, pairs, found),
            deposits=[_deposit(r) for r in found.remnants],
            new_deposits=[
                NewDeposit(
                    after_id=a.deposit.id,
                    compartment=a.deposit.compartment,
                    level=a.deposit.level,
                    volume_ml=round(a.volume_ml, 5),
                    kind="new" if a.from_id is None else "migrated",
                    from_id=a.from_id,
                    distance_mm=rounded(a.distance_mm, 1),
                )
                for a in found.arrivals
            ],
            compartments=_compartments(found),
            canal=ComparedCanal(
                before_ml=rounded(before.leakage.canal_cement_ml, 5),
                after_ml=round(found.canal_ml, 5) if _canal_seen(found) else None,
                before=max_occlusion_of(before.leakage.worst),
                after=max_occlusion_of(found.worst),
            ),
            quality=_quality(pairs, found, _screwed(after)),
        ),
        before,
        after,
        moves,
    )


def _scan(case: Scanned) -> Scan:
    source = case.volume.source
    a, b, c = (round(float(v), 4) for v in source.grid.spacing_mm)
    limit = case.cement.detection_limit_mm3
    return Scan(
        kind=source.kind,
        series_uid=source.series_uid,
        spacing_mm=(a, b, c),
        cement_ml=round(sum(d.volume_ml for d in case.leakage.deposits), 5),
        detection_limit_mm3=round(limit, 2) if np.isfinite(limit) else None,
    )


def _vertebrae(
    before: Scanned, after: Scanned, pairs: tuple[Pair, ...], found: Residue
) -> list[ComparedVertebra]:
    own = {m.id: m for m in before.leakage.vertebrae}
    theirs = {m.id: m for m in after.leakage.vertebrae}
    levels = Levels.of(before.spine)
    rank = {v.id: i for i, v in enumerate(levels.vertebrae)}
    filled = {rank[m.id] for m in before.leakage.vertebrae if m.cement_ml and m.id in rank}
    screwed = _screwed(after)
    at = levels.index_at(before.spine.canal.frame.s_mm)
    shares_before = _shares(before)
    rows = []
    for pair in pairs:
        a, b = own.get(pair.before.id), theirs.get(pair.after.id)
        i = rank[pair.before.id]
        loss, broken = (None, None) if pair.after.id in screwed else _loss(a, b)
        move = pair.registered.move if pair.registered else None
        origin = pair.before.frame.origin
        rows.append(
            ComparedVertebra(
                before_id=pair.before.id,
                after_id=pair.after.id,
                level=pair.before.level or pair.after.level,
                registered=pair.registered is not None,
                agreement=rounded(pair.registered.agreement, 3) if pair.registered else None,
                moved_mm=round(float(np.linalg.norm(move(origin) - origin)), 1) if move else None,
                turned_degrees=round(move.turned_degrees, 1) if move else None,
                heights_before_mm=_heights(a),
                heights_after_mm=_heights(b),
                height_loss_since=rounded(loss, 3),
                fractured_since=broken,
                next_to_cement=bool({i - 1, i + 1} & filled),
                occlusion_before=_most(shares_before[at == i]),
                occlusion_after=_most(found.share[at == i]),
            )
        )
    return rows


def _screwed(case: Scanned) -> set[int]:
    """Vertebrae with metal in the body or its pedicles."""
    points = case.spine.grid.to_lps(np.argwhere(case.cement.metal))
    return {
        v.id
        for v in case.spine.vertebrae
        if len(points)
        and bool((np.abs(v.frame.to_local(points) - METAL_BOX_MM[0]) < METAL_BOX_MM[1]).all(1).any())
    }


def _shares(case: Scanned) -> FloatArray:
    shares = np.full(len(case.spine.canal.frame.s_mm), np.nan)
    for section in case.leakage.profile:
        if section.canal_area_mm2 and section.cement_area_mm2 is not None:
            shares[int(case.spine.canal.frame.index(section.at_mm))] = (
                section.cement_area_mm2 / section.canal_area_mm2
            )
    return shares


def _most(shares: FloatArray) -> float | None:
    known = shares[np.isfinite(shares)]
    return round(float(known.max()), 4) if len(known) else None


def _heights(m: VertebraMeasure | None) -> Heights:
    return Heights(
        anterior=rounded(m.height_anterior_mm, 2) if m else None,
        middle=rounded(m.height_middle_mm, 2) if m else None,
        posterior=rounded(m.height_posterior_mm, 2) if m else None,
    )


def _loss(a: VertebraMeasure | None, b: VertebraMeasure | None) -> tuple[float | None, bool | None]:
    if a is None or b is None:
        return None, None
    pairs = [
        (x, y)
        for x, y in (
            (a.height_anterior_mm, b.height_anterior_mm),
            (a.height_middle_mm, b.height_middle_mm),
            (a.height_posterior_mm, b.height_posterior_mm),
        )
        if x and y
    ]
    if not pairs:
        return None, None
    loss = max(1 - y / x for x, y in pairs)
    return loss, any(1 - y / x >= FRACTURE_LOSS and x - y >= FRACTURE_MM for x, y in pairs)


def _deposit(r: Remnant) -> ComparedDeposit:
    d = r.deposit
    return ComparedDeposit(
        id=d.id,
        compartment=d.compartment,
        level=d.level,
        vertebra_id=d.vertebra_id,
        side=d.side,
        before_ml=round(d.volume_ml, 5),
        residual_ml=rounded(r.residual_ml, 5),
        removed_ml=rounded(r.removed_ml, 5),
        removed_sd_ml=round(r.removed_sd_ml, 5),
        removed_fraction=rounded(r.removed_ml / d.volume_ml, 4) if r.removed_ml is not None else None,
        state=_state(r),
        hidden_fraction=round(r.hidden_fraction, 3),
        after_ids=list(r.after_ids),
    )


def _state(r: Remnant) -> Literal["gone", "partly_removed", "left", "not_assessable"]:
    if r.residual_ml is None or r.removed_ml is None:
        return "not_assessable"
    if r.residual_ml <= GONE_SHARE * r.deposit.volume_ml:
        return "gone"
    return "partly_removed" if r.removed_ml > LEFT_SDS * r.removed_sd_ml else "left"


def _compartments(found: Residue) -> list[ComparedCompartment]:
    rows = []
    for name in COMPARTMENTS:
        old = [r for r in found.remnants if r.deposit.compartment == name]
        new = sum(a.volume_ml for a in found.arrivals if a.deposit.compartment == name)
        if not old and not new:
            continue
        total = sum(r.deposit.volume_ml for r in old)
        known = all(r.residual_ml is not None for r in old)
        left = sum(r.residual_ml or 0.0 for r in old)
        rows.append(
            ComparedCompartment(
                compartment=name,
                before_ml=round(total, 5),
                residual_ml=round(left, 5) if known else None,
                removed_ml=round(total - left, 5) if known else None,
                new_ml=round(new, 5),
            )
        )
    return rows


def _canal_seen(found: Residue) -> bool:
    return all(
        r.residual_ml is not None
        for r in found.remnants
        if r.deposit.compartment in ("intradural", "epidural")
    )


def _quality(pairs: tuple[Pair, ...], found: Residue, screwed: set[int]) -> list[Quality]:
    notes = []
    lost = [vertebra_name(p.before.level, p.before.id) for p in pairs if p.registered is None]
    if lost:
        notes.append(
            Quality(
                code="vertebra_not_registered",
                severity="warning",
                message=f"Not laid over each other, as their bone does not agree: {', '.join(lost)}. Cement "
                "there was followed by the nearest vertebra that was.",
            )
        )
    named = [p for p in pairs if p.before.level and p.after.level and p.before.level != p.after.level]
    if named:
        notes.append(
            Quality(
                code="levels_differ",
                severity="warning",
                message="The two CTs name the same vertebrae differently: "
                + ", ".join(f"{p.before.level} before, {p.after.level} after" for p in named)
                + ". The names before are used.",
            )
        )
    unmeasured = [vertebra_name(p.before.level, p.before.id) for p in pairs if p.after.id in screwed]
    if unmeasured:
        notes.append(
            Quality(
                code="heights_beside_metal",
                severity="info",
                message=f"Heights are not compared where metal stands in the bone: {', '.join(unmeasured)}.",
            )
        )
    hidden = [r for r in found.remnants if r.residual_ml is None]
    if hidden:
        notes.append(
            Quality(
                code="deposit_hidden",
                severity="warning",
                message="Metal hides the place, or the later CT does not show it; nothing is said of what is "
                "left: deposit " + ", ".join(str(r.deposit.id) for r in hidden) + ".",
            )
        )
    if found.ignored:
        notes.append(
            Quality(
                code="bright_beside_metal",
                severity="warning",
                message="Bright parts right beside metal on the later CT, where no cement was before, were "
                "taken as its glare and not as new cement: deposit "
                + ", ".join(map(str, found.ignored))
                + ".",
            )
        )
    return notes
