"""How often cement left the bone: by compartment, level, procedure and viscosity, with exact intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.registry.statistics.columns import KINDS, LEVELS, NOT_SAID, VISCOSITIES, BoolArray, Columns
from thecal.registry.statistics.intervals import FEWEST, Share, detectable_difference, share
from thecal.terms import COMPARTMENTS

INSIDE: Final = COMPARTMENTS.index("intravertebral")
"""Cement in the vertebra is what was wanted, no leak."""
CEMENT: Final = tuple(KINDS.index(kind) for kind in ("VP", "KP"))
SEVERAL: Final = "several"
UNSAID: Final = "not written down"


@dataclass(frozen=True)
class RateTable:
    """One table of shares.

    Attributes
    ----------
    by : str
        "compartment".
    unit : str
        What is counted: "patients", "treated vertebrae".
    rows : tuple of Share
    left_out : int
        Units of which it is not known, and not counted.
    why : str
        Why they are not.
    power : str
        What these numbers could have shown.
    """

    by: str
    unit: str
    rows: tuple[Share, ...]
    left_out: int
    why: str
    power: str


def leak_rates(columns: Columns) -> tuple[RateTable, ...]:
    """The four tables, patients as units but for levels, where a patient counts once at each level."""
    treated = np.zeros(columns.cases, bool)
    with_cement = np.isin(columns.procedure_kind, CEMENT)
    treated[columns.procedure_case[with_cement]] = True
    known = treated & columns.looked
    unknown = int(treated.sum() - known.sum())
    outside = columns.leak_compartment != INSIDE
    leaked = np.zeros(columns.cases, bool)
    leaked[columns.leak_case[outside]] = True
    why = (
        "neither a leak nor a picture after the cement is written down, so that no leak may mean that nobody "
        "looked"
    )
    return (
        _by_compartment(columns, known, leaked, unknown, why),
        _by_level(columns, known, with_cement, outside),
        _by_group(columns, "procedure", known, leaked, columns.procedure_kind, KINDS[:2], unknown, why),
        _by_group(
            columns, "viscosity", known, leaked, columns.procedure_viscosity, VISCOSITIES, unknown, why
        ),
    )


def _by_compartment(
    columns: Columns, known: BoolArray, leaked: BoolArray, unknown: int, why: str
) -> RateTable:
    total = int(known.sum())
    rows = [share("any leak", int((known & leaked).sum()), total)]
    for at, name in enumerate(COMPARTMENTS):
        if at == INSIDE:
            continue
        there = np.zeros(columns.cases, bool)
        there[columns.leak_case[columns.leak_compartment == at]] = True
        rows.append(share(name.replace("_", " "), int((known & there).sum()), total))
    power = ""
    if total >= FEWEST:
        power = f"A leak that none of {total} has may still befall up to {_most_if_none(total)} of patients."
    return RateTable("compartment", "patients", tuple(rows), unknown, why, power)


def _by_level(columns: Columns, known: BoolArray, with_cement: BoolArray, outside: BoolArray) -> RateTable:
    width = len(LEVELS) + 1
    treated = np.zeros((columns.cases, width), bool)
    of_known = with_cement & known[columns.procedure_case]
    treated[columns.procedure_case[of_known], columns.procedure_level[of_known]] = True
    case, level = columns.leak_case[outside], columns.leak_level[outside]
    # A leak without a level belongs to the only one that was treated, where it was only one.
    only = np.where(treated.sum(1) == 1, treated.argmax(1), NOT_SAID)
    level = np.where(level == NOT_SAID, only[case], level)
    lost = np.zeros(columns.cases, bool)
    lost[case[level == NOT_SAID]] = True
    there = np.zeros_like(treated)
    there[case, level] = True
    kept = treated & ~lost[:, None]
    counts, events = kept.sum(0), (kept & there).sum(0)
    left_out = int(treated[lost].sum())
    rows = tuple(share(LEVELS[at], int(events[at]), int(counts[at])) for at in range(width - 1) if counts[at])
    why = "a leak of the same patient has no level, and several were treated"
    enough = [row for row in rows if row.total >= FEWEST]
    power = ""
    if enough:
        fewest = min(enough, key=lambda row: row.total)
        power = (
            f"If none of the {fewest.total} vertebrae at {fewest.name} had leaked, up to "
            f"{_most_if_none(fewest.total)} of such might."
        )
    return RateTable("level", "treated vertebrae", rows, left_out, why, power)


def _by_group(
    columns: Columns,
    by: str,
    known: BoolArray,
    leaked: BoolArray,
    group: np.ndarray,
    names: tuple[str, ...],
    unknown: int,
    why: str,
) -> RateTable:
    """Patients by the only group that their procedures with cement belong to; several and unsaid apart."""
    with_cement = np.isin(columns.procedure_kind, CEMENT)
    has = np.zeros((columns.cases, len(names) + 1), bool)
    has[columns.procedure_case[with_cement], group[with_cement]] = True
    count = has[:, : len(names)].sum(1)
    rows = []
    for at, name in enumerate(names):
        mine = known & has[:, at] & (count == 1) & ~has[:, -1]
        rows.append(share(name, int((mine & leaked).sum()), int(mine.sum())))
    several = known & (count > 1) & ~has[:, -1]
    unsaid = known & has[:, -1]
    for name, mine in ((SEVERAL, several), (UNSAID, unsaid)):
        if mine.any():
            rows.append(share(name, int((mine & leaked).sum()), int(mine.sum())))
    return RateTable(by, "patients", tuple(rows), unknown, why, _group_power(rows[0], rows[len(names) - 1]))


def _group_power(first: Share, second: Share) -> str:
    if first.value is None or second.value is None:
        return ""
    base, other = sorted((first, second), key=lambda row: row.value or 0.0)
    found = detectable_difference(base.total, other.total, base.value or 0.0)
    if found is None:
        return f"{first.total} and {second.total} patients are too few to notice any difference."
    return (
        f"Between {first.name} and {second.name}, with {first.total} and {second.total} patients, a "
        f"difference of less than {100 * found:.1f} points would be missed more often than one "
        "time in five. Groups were not drawn by lot: a difference between them may be one between their "
        "patients."
    )


def _most_if_none(total: int) -> str:
    return f"{100 * (share('', 0, total).high or 0.0):.2g} %"
