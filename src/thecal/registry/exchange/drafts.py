"""Cases being put together from rows, and every reason why one of them is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from thecal.registry.case import Case
from thecal.registry.exchange.fields import LISTS, SINGLE, fields_of
from thecal.registry.readings import contradiction, is_settled, scale_words, settled

ROW: Final = "the whole row"


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell; nothing in it repeats what stands there.

    Attributes
    ----------
    file : str
    row : int
        As a spreadsheet counts: the head is row 1.
    column : str
        Its head, or "the whole row".
    found : str
        The kind of what stands there: "a number", "text of 12 characters".
    sentence : str
        What it must be.
    """

    file: str
    row: int
    column: str
    found: str
    sentence: str

    def __str__(self) -> str:
        found = f" ({self.found})" if self.found else ""
        return f"{self.file} row {self.row}, {self.column}{found}: {self.sentence}"


class Origin(NamedTuple):
    """Where a part was read: the file, the row, and the columns of its fields."""

    file: str
    row: int
    columns: dict[str, str]


@dataclass
class Draft:
    """One case, or what is added to one."""

    pseudonym: str
    rows: list[tuple[str, int]] = field(default_factory=list)
    parts: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    origins: dict[tuple[str, int], Origin] = field(default_factory=dict)
    bad: bool = False

    def part(self, part: str, number: int | None, origin: Origin) -> dict[str, Any]:
        """The values of one part to be filled; a further one of its list where the number is None."""
        held = self.parts.setdefault(part, {})
        if number is None:
            number = max(held, default=0) + 1
        if number not in held:
            held[number] = {}
            self.origins[part, number] = origin
        return held[number]


@dataclass(frozen=True)
class Incoming:
    """What an import would bring.

    Attributes
    ----------
    cases : list of Case
        New ones, all good.
    additions : dict
        Parts for cases that the registry has: pseudonym to list name to parts.
    problems : list of Problem
    rows : int
        That were read.
    not_taken : list of str
        Columns that no mapping names.
    places : dict
        Pseudonym to the file and row that first named it.
    """

    cases: list[Case]
    additions: dict[str, dict[str, tuple[Any, ...]]]
    problems: list[Problem]
    rows: int
    not_taken: list[str]
    places: dict[str, tuple[str, int]]


@dataclass
class Drafts:
    """Every case being put together, in the order in which they were met."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    not_taken: list[str] = field(default_factory=list)
    rows: int = 0

    def of(self, pseudonym: str) -> Draft:
        """The draft of a pseudonym, begun where there is none."""
        draft = self.drafts.get(pseudonym)
        if draft is None:
            draft = self.drafts[pseudonym] = Draft(pseudonym)
        return draft

    def begin_case(self, pseudonym: str, file: str, row: int) -> Draft:
        """The draft of a row that is a case; a second such row is a duplicate, and spoils both."""
        draft = self.of(pseudonym)
        if draft.rows:
            first_file, first_row = draft.rows[0]
            there = f"row {first_row}" if first_file == file else f"row {first_row} of {first_file}"
            self.wrong(draft, file, row, ROW, "", f"case {pseudonym} stands in {there} already")
        draft.rows.append((file, row))
        return draft

    def wrong(self, draft: Draft | None, file: str, row: int, column: str, found: str, sentence: str) -> None:
        """Note what is wrong, and that the case cannot be taken."""
        problem = Problem(file, row, column, found, sentence)
        if problem not in self.problems[-1:]:  # One cell may be several fields.
            self.problems.append(problem)
        if draft is not None:
            draft.bad = True

    def finish(self) -> Incoming:
        """The cases and additions that are good, and all problems by row."""
        cases: list[Case] = []
        additions: dict[str, dict[str, tuple[Any, ...]]] = {}
        places: dict[str, tuple[str, int]] = {}
        for pseudonym, draft in self.drafts.items():
            for part in SINGLE if not draft.rows else ():
                origin = draft.origins.get((part, 1))
                if origin is not None:
                    self.wrong(
                        draft, origin.file, origin.row, ROW, "", f"the {part} comes with a new case only"
                    )
            case = self._case(draft)
            first = next(iter(draft.origins.values()), None)
            # Of many cases the drafts would take more room than the cases.
            draft.parts, draft.origins = {}, {}
            if case is None or draft.bad:
                continue
            places[pseudonym] = draft.rows[0] if draft.rows else (first.file, first.row) if first else ("", 0)
            if draft.rows:
                cases.append(case)
            else:
                additions[pseudonym] = {part: getattr(case, part) for part in LISTS if getattr(case, part)}
        problems = sorted(self.problems, key=lambda p: (p.file, p.row))
        return Incoming(cases, additions, problems, self.rows, self.not_taken, places)

    def _case(self, draft: Draft) -> Case | None:
        content: dict[str, Any] = {}
        numbers: dict[str, list[int]] = {}
        for part, held in draft.parts.items():
            if part in LISTS:
                numbers[part] = sorted(held)
                content[part] = [held[number] for number in numbers[part]]
            else:
                content[part] = held[1]
        content.setdefault("patient", {})["pseudonym"] = draft.pseudonym
        try:
            case = Case.model_validate(content)
            return self._settled(draft, case, numbers)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                self._explain(draft, numbers, each["loc"], content)
            return None

    def _settled(self, draft: Draft, case: Case, numbers: dict[str, list[int]]) -> Case | None:
        """The case with the number or word of what was written in each outcome; None if one contradicts."""
        if all(map(is_settled, case.outcomes)):
            return case
        good = True
        for number, outcome in zip(numbers["outcomes"], case.outcomes, strict=True):
            found = contradiction(outcome)
            if found is None:
                continue
            name, sentence = found
            origin = draft.origins["outcomes", number]
            self.wrong(draft, origin.file, origin.row, origin.columns.get(name, name), "", sentence)
            good = False
        return settled(case) if good else None

    def _explain(
        self, draft: Draft, numbers: dict[str, list[int]], loc: tuple[int | str, ...], content: dict[str, Any]
    ) -> None:
        part = str(loc[0])
        in_list = part in LISTS and len(loc) > 1
        number = numbers[part][int(loc[1])] if in_list else 1
        rest = loc[2:] if in_list else loc[1:]
        origin = draft.origins.get((part, number))
        file, row = (origin.file, origin.row) if origin else (draft.rows or [("", 0)])[0]
        name = str(rest[0]) if rest else ""
        known = fields_of(part).get(name)
        column = ROW
        if origin and name in origin.columns:
            column = origin.columns[name]
        if known is None:
            held = content[part][int(loc[1])] if in_list else {}
            scale = held.get("scale", "")
            is_scale = scale in fields_of("outcomes")["scale"].choices
            sentence = scale_words(scale) if part == "outcomes" and is_scale else f"is no {part}"
            self.wrong(draft, file, row, column, "", sentence)
        elif name not in (content[part][int(loc[1])] if in_list else content.get(part, {})):
            self.wrong(draft, file, row, column, "nothing", f"{part} need {name}: {known.takes}")
        else:
            self.wrong(draft, file, row, column, "", f"{name} must be {known.takes}")
