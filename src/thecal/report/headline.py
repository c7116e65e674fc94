"""The report in a few sentences that a surgeon reads in five seconds. Never clears a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from thecal.leakage.findings import Deposit as FoundDeposit
from thecal.report.schema import Deposit, Report
from thecal.terms import EVEN_ODDS, USUAL_ORDER, Compartment, SignName, vertebra_name

# How a compartment is named in running words.
COMPARTMENT_WORDS: dict[Compartment, str] = {
    "intravertebral": "inside the vertebra",
    "intradiscal": "in the disc",
    "epidural": "in the canal outside the thecal sac",
    "intradural": "in the canal within the outline of the thecal sac",
    "foraminal": "in the foramen",
    "paravertebral": "beside the vertebra",
    "needle_track": "along the needle's way",
    "unassigned": "at a place that could not be named",
}
COUNTED = (*USUAL_ORDER[:19], "T13", *USUAL_ORDER[19:], "L6", "sacrum")
# The most dangerous first: this is the order of the headline and of every legend.
BY_DANGER: tuple[Compartment, ...] = (
    "intradural",
    "epidural",
    "foraminal",
    "unassigned",
    "needle_track",
    "intradiscal",
    "paravertebral",
    "intravertebral",
)


# How a sign is named in running words.
_SIGN_WORDS: dict[SignName, str] = {
    "medial_puncture": "a needle's way through the medial wall of the pedicle",
    "layering": "layering",
    "no_extradural_cement": "no cement in the canal outside the sac",
    "sac_conforming_shape": "the sac's shape",
    "root_outlines": "outlined nerve roots",
    "multilevel_spread": "spread over further levels",
    "separated_from_posterior_wall": "a gap to the posterior wall",
}
# Warnings without which the sentences above them would claim too much.
_ALWAYS_TOLD = ("metal_not_assessable", "gaps_between_slices")


@dataclass(frozen=True)
class Sentence:
    """One sentence of the headline; ``tone`` says how it is set."""

    tone: Literal["finding", "plain", "caution"]
    text: str


def headline(report: Report) -> tuple[Sentence, ...]:
    """What leaked and where, the worst narrowing of the canal, and what could not be assessed.

    Parameters
    ----------
    report : Report

    Returns
    -------
    tuple of Sentence
        The leaks, then the canal, then the reservations.
    """
    if any(note.code == "spine_not_found" for note in report.quality):
        reason = next(note.message for note in report.quality if note.code == "spine_not_found")
        return (
            Sentence("caution", "Not assessable: the spine was not found well enough to say anything."),
            Sentence("plain", reason),
        )
    sentences = [_leaks(report), *_canal(report), _intradural(report)]
    told = [note for note in report.quality if note.severity == "critical" or note.code in _ALWAYS_TOLD]
    sentences += [Sentence("caution", note.message) for note in told]
    return tuple(sentences)


def volume_words(millilitres: float) -> str:
    """A volume as it is read: mL from 0.1 upward, mm3 below."""
    if millilitres >= 0.095:
        return f"{millilitres:.1f} mL" if millilitres >= 0.95 else f"{millilitres:.2f} mL"
    return f"{1000 * millilitres:.0f} mm³"


def limit_words(report: Report) -> str:
    """The detection limit of this scan as it is read, with the cement that it holds for."""
    limit, bright = report.intradural.detection_limit_mm3, report.intradural.detection_limit_hu
    if limit is None:
        return "(detection limit unknown)"
    cement = "" if bright is None else f", for cement of {bright:.0f} HU and brighter"
    return f"above {limit:.0f} mm³{cement}"


def leaked(report: Report) -> list[Deposit]:
    """Deposits outside the vertebrae, the most dangerous compartment first, then the largest."""
    outside = [d for d in report.deposits if d.compartment != "intravertebral"]
    return sorted(outside, key=danger)


def danger(deposit: Deposit | FoundDeposit) -> tuple[int, float, int]:
    """A sort key: the most dangerous compartment first, then the largest deposit."""
    return BY_DANGER.index(deposit.compartment), -deposit.volume_ml, deposit.id


def deposit_level(deposit: Deposit) -> str:
    """The level or levels of a deposit in words; numbers of vertebrae where no level is known."""
    spanned = sorted(deposit.levels_spanned, key=_from_the_head)
    if len(spanned) > 1:
        return f"{spanned[0]} to {spanned[-1]}"
    ids = sorted(deposit.vertebra_ids, reverse=True)
    if len(ids) > 1 and not spanned:
        return f"vertebrae no. {ids[0]} to {ids[-1]}"
    return place_words(deposit.level, deposit.vertebra_id)


def place_words(level: str | None, vertebra_id: int | None) -> str:
    """A place along the spine: its level, the vertebra's number, or that neither is known."""
    if level is None and vertebra_id is None:
        return "an unknown level"
    return vertebra_name(level, vertebra_id or 0)


def _leaks(report: Report) -> Sentence:
    outside = leaked(report)
    if not outside:
        where = "outside but near the vertebrae" if report.deposits else "in or near the vertebrae"
        if _metal(report):
            where += ", away from metal,"
        return Sentence("plain", f"No cement detected {where} {limit_words(report)}.")
    one_level = _levels(outside) if len({(d.level, d.vertebra_id) for d in outside}) == 1 else None
    phrases = []
    in_canal = [d for d in outside if d.compartment in ("intradural", "epidural")]
    if in_canal:
        within_sac = [d for d in in_canal if d.compartment == "intradural"]
        phrases.append(f"{_total(in_canal)} in the canal{'' if one_level else _at(in_canal)}")
        if len(within_sac) == len(in_canal):
            phrases[0] += " (all of it within the outline of the thecal sac)"
        elif within_sac:
            phrases[0] += f" ({_total(within_sac)} of it within the outline of the thecal sac)"
    in_way = [d for d in outside if d.compartment == "needle_track"]
    for compartment in BY_DANGER:
        here = [d for d in outside if d.compartment == compartment]
        if here and compartment not in ("intradural", "epidural", "needle_track"):
            phrases.append(f"{_total(here)} {COMPARTMENT_WORDS[compartment]}{'' if one_level else _at(here)}")
    at = f" at {one_level}" if one_level else ""
    # Most of a needle's way lies in bone.
    if not phrases:
        where = f"{COMPARTMENT_WORDS['needle_track']}{at or _at(in_way)}"
        return Sentence(
            "finding", f"{_total(in_way)} of cement {where}; none detected elsewhere {limit_words(report)}."
        )
    words = f"Cement outside the bone{at}: {listed(phrases)}"
    if in_way:
        words += f"; {_total(in_way)} {COMPARTMENT_WORDS['needle_track']}{'' if one_level else _at(in_way)}"
    return Sentence("finding", f"{words}.")


def _at(deposits: Sequence[Deposit]) -> str:
    return f" at {_levels(deposits)}"


def listed(words: Sequence[str]) -> str:
    """Words as they are read: "T11, T12 and L1"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _total(deposits: Sequence[Deposit]) -> str:
    return volume_words(sum(d.volume_ml for d in deposits))


def _levels(deposits: Sequence[Deposit]) -> str:
    known = sorted({d.level for d in deposits if d.level is not None}, key=_from_the_head)
    unnamed = {d.vertebra_id for d in deposits if d.level is None}
    numbered = sorted((number for number in unnamed if number is not None), reverse=True)
    words = known + [vertebra_name(None, number) for number in numbered]
    return listed(words + ([place_words(None, None)] if None in unnamed else []))


def _from_the_head(level: str) -> int:
    """Rank of a level, cranial first; T13 stands between T12 and L1, L6 before the sacrum."""
    return COUNTED.index(level) if level in COUNTED else len(COUNTED)


def _metal(report: Report) -> bool:
    return any(note.code == "metal_not_assessable" for note in report.quality)


def _canal(report: Report) -> list[Sentence]:
    canal = report.canal
    if all(section.cement_area_mm2 is None for section in canal.profile):
        return [Sentence("caution", "Cement in the canal could not be assessed.")]
    worst = canal.max_occlusion
    if worst is None or worst.fraction <= 0:
        away = " where it could be assessed," if canal.cement_ml is None else ""
        return [Sentence("plain", f"No cement detected in the canal{away} {limit_words(report)}.")]
    at = f"at {place_words(worst.level, worst.vertebra_id)}"
    left = f"; {worst.residual_ap_mm:.1f} mm left front to back" if worst.residual_ap_mm is not None else ""
    return [
        Sentence(
            "finding",
            f"Cement takes up to {100 * worst.fraction:.0f} % of the canal {at} "
            f"({worst.cement_area_mm2:.0f} of {worst.canal_area_mm2:.0f} mm²{left}).",
        )
    ]


def _intradural(report: Report) -> Sentence:
    dura = report.intradural
    seen = [_SIGN_WORDS[sign.name] for sign in dura.signs if sign.state == "present"]
    signs = f" Of its seven signs these are seen: {listed(seen)}." if seen else ""
    if dura.finding == "not_assessable":
        why = f" {dura.reason}" if dura.reason else ""
        return Sentence("caution", f"Not assessable: whether any cement lies inside the dura.{why}{signs}")
    unread = [_SIGN_WORDS[sign.name] for sign in dura.signs if sign.state == "not_assessable"]
    if dura.probability is None:
        return Sentence("plain", f"No intradural cement detected {limit_words(report)}.")
    missing = f" Not assessable: {listed(unread)}." if unread else ""
    if dura.finding == "not_detected":
        words = f"The cement in the canal is not shown to lie inside the dura: {_chance(report)}."
        return Sentence("caution", f"{words}{signs}{missing}")
    words = f"Cement inside the dura is {dura.finding}: {_chance(report)}."
    return Sentence("finding", f"{words}{signs}{missing}")


def _chance(report: Report) -> str:
    """The probability with its interval, and the prior that it rests on."""
    dura = report.intradural
    assert dura.probability is not None
    low, high = dura.interval or (dura.probability, dura.probability)
    prior = "even prior odds" if dura.prior == EVEN_ODDS else f"a prior of {_percent(dura.prior or 0.0)}"
    return f"{_percent(dura.probability)}, {_percent(low)} to {_percent(high)}, at {prior}"


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "below 1 %"
    return "above 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
