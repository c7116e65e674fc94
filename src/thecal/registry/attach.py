"""An assessment in a case: its file kept as it is, and what it says found again without opening it.

Indexed are the series, every deposit outside the body as a leak, and for those in the canal the verdict on
the dura with its signs and the largest share of the canal that is lost. Another report of the same series
takes the place of the earlier one's leaks; what a person entered stays.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from thecal.errors import InputError
from thecal.registry.case import Case, Imaging, Leak, Sign
from thecal.report.schema import Deposit, Report

if TYPE_CHECKING:
    from thecal.registry.store import Store

AGES_APART_YEARS: Final = 2.0
"""How far the ages in a report and in a case may differ, for they may be of other times: a choice."""
DAYS_A_YEAR: Final = 365.25
IN_THE_BODY: Final = "intravertebral"
IN_THE_CANAL: Final = ("epidural", "intradural")


def attach(store: Store, pseudonym: str, folder: Path, *, who: str) -> Case:
    """Keep the ``report.json`` of an assessment's folder with a case, and index it.

    Raises
    ------
    InputError
        Where there is no such report or case, the report is not of this schema, it is attached already, to
        whichever case, or it says another sex or age than the case.
    """
    path = folder / "report.json" if folder.is_dir() else folder
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    try:
        report = Report.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        at = ".".join(map(str, first["loc"])) or "its beginning"
        raise InputError(f"{path} is no report of thecal assess: {first['msg']} (at {at})") from error
    sha256 = hashlib.sha256(content).hexdigest()

    def edit(case: Case) -> Case:
        if any(each.report_sha256 == sha256 for each in case.imaging):
            raise InputError(f"This report is attached to case {pseudonym} already")
        said, known = report.input.sex, case.patient.sex
        if said in ("F", "M") and known in ("F", "M") and said != known:
            raise InputError(
                f"The report is of sex {said}, case {pseudonym} of sex {known}: another patient?"
            )
        if not _ages_agree(report, case):
            raise InputError(
                f"The age in the report is not that of case {pseudonym}, within {AGES_APART_YEARS:g} years "
                "and the time that she was followed up: another patient?"
            )
        return with_report(case, report, sha256)

    files = [(sha256, zlib.compress(content))]
    return store.change(pseudonym, edit, who=who, what="attach", files=files)


def _ages_agree(report: Report, case: Case) -> bool:
    """Whether both may be of one patient, as far as both ages are known.

    A case's age is that at the procedure, by custom; a CT may come as late as the last finding or event.
    """
    said, known = report.input.age, case.patient.age_years
    if said is None or known is None:
        return True
    later = _followed_years(case)
    return -AGES_APART_YEARS <= said - known <= later + AGES_APART_YEARS


def _followed_years(case: Case) -> float:
    """From the first procedure to the last finding, event, operation or image, years; 0 where unknown."""
    first = min((each.on for each in case.procedures if each.on is not None), default=None)
    days = [outcome.days for outcome in case.outcomes] + [event.days for event in case.events]
    dates = [outcome.on for outcome in case.outcomes] + [event.on for event in case.events]
    dates += [image.on for image in case.imaging] + [operation.on for operation in case.revisions]
    found = [number for number in days if number is not None]
    if first is not None:
        found += [float((on - first).days) for on in dates if on is not None]
    return max([0.0, *found]) / DAYS_A_YEAR


def with_report(case: Case, report: Report, sha256: str) -> Case:
    """The case with what a report says."""
    series = report.input.series_uid
    same = [each for each in case.imaging if series is not None and each.series_uid == series]
    earlier = {each.report_sha256 for each in same} - {None}
    image = Imaging(modality="CT", series_uid=series)
    if same:
        image = same[0]
    image = image.model_copy(update={"report_sha256": sha256})
    imaging = tuple(each for each in case.imaging if each not in same)
    kept = tuple(leak for leak in case.leaks if leak.report_sha256 not in earlier)
    found = tuple(_leak(deposit, report, sha256) for deposit in report.deposits if _leaked(deposit))
    return case.model_copy(update={"imaging": (*imaging, image), "leaks": (*kept, *found)})


def _leaked(deposit: Deposit) -> bool:
    return deposit.compartment != IN_THE_BODY


def _leak(deposit: Deposit, report: Report, sha256: str) -> Leak:
    inside = deposit.compartment in IN_THE_CANAL
    worst = report.canal.max_occlusion
    at_worst = worst is not None and worst.vertebra_id in (deposit.vertebra_id, *deposit.vertebra_ids)
    dura = report.intradural
    return Leak(
        compartment=deposit.compartment,
        level=deposit.level,
        side=deposit.side,
        volume_ml=deposit.volume_ml,
        yeom=deposit.yeom,
        occlusion=worst.fraction if worst is not None and inside and at_worst else None,
        intradural=dura.finding if inside else None,
        probability=dura.probability if inside else None,
        signs=tuple(Sign(name=sign.name, state=sign.state) for sign in dura.signs) if inside else (),
        seen_on="ct",
        report_sha256=sha256,
    )
