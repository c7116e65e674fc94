"""``thecal registry edit``, ``remove``, ``revision`` and ``event``: a case that is there, gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from thecal.cli.registry_place import DEFAULT, KeyFile, Pseudonym, Where, Who, opened, who_is_it

if TYPE_CHECKING:
    from thecal.registry.case import Case, Part
    from thecal.registry.edit import Entry
    from thecal.registry.store import Store
    from thecal.registry.store.audit import What

BACK: Final = "<"
CLEAR: Final = "-"
"""Answers to a question that has one already: back, and "not known any more"."""


def edit(
    pseudonym: Pseudonym,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENTRY|FIELD=VALUE]...",
            help="outcomes.3.as_written=4- at once, or outcomes.3 or outcomes to be asked.",
        ),
    ] = None,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
) -> int:
    """Correct or complete a case: FIELD=VALUE at once, or by the questions with the present answers.

    Entries are numbered as show numbers them; outcomes.new is one that is not there yet. FIELD= makes it not
    known. Every change is kept with before and after.
    """
    from thecal.errors import InputError
    from thecal.registry.edit import with_fields

    words = what or []
    given = dict(word.split("=", 1) for word in words if "=" in word)
    with opened(registry, key) as store:
        store.keeper.must_have_key()
        named = store.keeper.key is not None
        if given:
            if len(given) < len(words):
                raise InputError("Give each field once, as FIELD=VALUE, or entries alone to be asked")
            before = store.case(pseudonym)
            _change(
                store, pseudonym, before, with_fields(before, given, with_name=named), who_is_it(who), "edit"
            )
            return 0
        before = store.case(pseudonym)
        after = _asked(before, words, named=named)
        if after != before:
            tell_what_changes(before, after)
        if after == before or not typer.confirm("Keep this?", default=True):
            typer.echo("Nothing was changed.")
            return 0
        _change(store, pseudonym, before, after, who_is_it(who), "edit", told=True)
    return 0


def remove(
    pseudonym: Pseudonym,
    entries: Annotated[
        list[str], typer.Argument(metavar="ENTRY...", help="As show numbers them: outcomes.3, leaks.1.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
) -> int:
    """Take entries out that were made by mistake; what they said stays in the history.

    With imaging goes the report attached to it, and the leaks that were read from it. The entries after one
    that is taken out move up.
    """
    from thecal.cli.registry_show import WIDTH, part_words
    from thecal.errors import InputError
    from thecal.registry.edit import part_at, pointed, without

    with opened(registry, key) as store:
        store.keeper.must_have_key()
        before = store.case(pseudonym)
        meant = [pointed(before, each)[0] for each in entries]
        for entry in meant:
            part = part_at(before, entry)
            if part is None or entry.field == "patient":
                raise InputError(f"Case {pseudonym} has no {entry} that could be removed")
            typer.echo(f"  {entry!s:<{WIDTH}} {part_words(part)}")
        after, reports = without(before, meant)
        also = len(before.leaks) - len(after.leaks) - sum(entry.field == "leaks" for entry in set(meant))
        if reports:
            typer.echo(f"  with {len(reports)} attached report and {also} leaks read from it")
        if not yes and not typer.confirm("Remove?", default=False):
            typer.echo("Nothing was changed.")
            return 0
        store.change(
            pseudonym,
            lambda case: _unless_changed(case, before, after),
            who=who_is_it(who),
            what="remove",
            gone=reports,
        )
    typer.echo(
        f"Removed from case {pseudonym}; thecal registry show {pseudonym} --history keeps what it said."
    )
    return 0


def revision(
    pseudonym: Pseudonym,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="YYYY-MM-DD.")] = None,
    delay_h: Annotated[
        str | None, typer.Option("--delay-h", metavar="HOURS", help="From the cement to it.")
    ] = None,
    laminectomy_levels: Annotated[
        str | None, typer.Option("--laminectomy-levels", metavar="LEVELS", help='"T11 T12".')
    ] = None,
    durotomy: Annotated[
        str | None, typer.Option("--durotomy", metavar="yes|no|unknown", help="Was the dura opened?")
    ] = None,
    corpectomy: Annotated[str | None, typer.Option("--corpectomy", metavar="yes|no|unknown")] = None,
    fixation_levels: Annotated[
        str | None, typer.Option("--fixation-levels", metavar="LEVELS", help='"T11 L1".')
    ] = None,
    fixation: Annotated[str | None, typer.Option("--fixation", metavar="yes|no|unknown")] = None,
    residual_ml: Annotated[
        str | None, typer.Option("--residual-ml", metavar="ML", help="Cement left in the canal.")
    ] = None,
    monitoring_events: Annotated[str | None, typer.Option("--monitoring-events", metavar="TEXT")] = None,
    notes: Annotated[
        str | None, typer.Option("--notes", metavar="TEXT", help="Must not identify her.")
    ] = None,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
) -> int:
    """Enter an operation that took cement out or made room; without options its questions are asked."""
    texts = {
        "on": on,
        "delay_h": delay_h,
        "laminectomy_levels": laminectomy_levels,
        "durotomy": durotomy,
        "corpectomy": corpectomy,
        "fixation_levels": fixation_levels,
        "fixation": fixation,
        "residual_ml": residual_ml,
        "monitoring_events": monitoring_events,
        "notes": notes,
    }
    with opened(registry, key) as store:
        return _entered(store, pseudonym, "revisions", "revision", texts, who)


def event(
    pseudonym: Pseudonym,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="NAME", help="adjacent_fracture, refracture, death and the like."),
    ] = None,
    level: Annotated[str | None, typer.Option("--level", metavar="T12", help="Where.")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="YYYY-MM-DD.")] = None,
    days: Annotated[str | None, typer.Option("--days", metavar="N", help="Days since the procedure.")] = None,
    notes: Annotated[
        str | None, typer.Option("--notes", metavar="TEXT", help="Must not identify her.")
    ] = None,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
) -> int:
    """Enter a later event, such as an adjacent fracture; without options its questions are asked."""
    texts = {"kind": kind, "level": level, "on": on, "days": days, "notes": notes}
    with opened(registry, key) as store:
        return _entered(store, pseudonym, "events", "event", texts, who)


def tell_what_changes(before: Case, after: Case) -> None:
    """The fields that differ, with what they were and are."""
    from thecal.cli.registry_show import tell_differences

    typer.echo(f"Case {before.patient.pseudonym}:")
    tell_differences(before, after)


def _entered(
    store: Store, pseudonym: str, field: str, what: What, texts: dict[str, str | None], who: str | None
) -> int:
    """A new entry at the end of a list, of what was given or else is asked."""
    from thecal.registry.edit import Entry, part_of_texts, with_part

    store.keeper.must_have_key()
    entry, named = Entry(field), store.keeper.key is not None
    before = store.case(pseudonym)
    given = {name: text for name, text in texts.items() if text is not None}
    if given:
        part = part_of_texts(entry, None, given, with_name=named)
    else:
        part = _ask_entry(entry, None, named=named)
    _change(store, pseudonym, before, with_part(before, entry, part), who_is_it(who), what)
    return 0


def _change(
    store: Store, pseudonym: str, before: Case, after: Case, who: str, what: What, *, told: bool = False
) -> None:
    """Keep a case as it is now, unless it was another meanwhile, and say what changed."""
    from thecal.errors import InputError

    if after == before:
        raise InputError(f"Nothing was changed: case {pseudonym} says that already")
    store.change(pseudonym, lambda case: _unless_changed(case, before, after), who=who, what=what)
    if not told:
        tell_what_changes(before, after)
    typer.echo("Kept.")


def _unless_changed(now: Case, before: Case, after: Case) -> Case:
    from thecal.errors import InputError

    if now != before:
        raise InputError(f"Case {now.patient.pseudonym} was changed by somebody else meanwhile: look again")
    return after


def _asked(case: Case, pointers: list[str], *, named: bool) -> Case:
    """Ask about the entries that are meant, or about one part after another."""
    from thecal.cli.registry_show import part_words
    from thecal.registry.edit import SINGLE, Entry, part_at, pointed, with_part
    from thecal.registry.questions import PARTS, another

    typer.echo(
        f"Enter: as it is. {CLEAR}: not known. {BACK}: back one question. Ctrl-C: leave all as it was."
    )
    for pointer in pointers:
        if pointer not in PARTS or pointer in SINGLE:
            entry, _ = pointed(case, pointer)
            case = with_part(case, entry, _ask_entry(entry, part_at(case, entry), named=named))
    lists = [pointer for pointer in pointers if pointer in PARTS and pointer not in SINGLE]
    for field in lists if pointers else ("patient", *PARTS):
        for number in [None] if field in SINGLE else range(1, len(getattr(case, field)) + 1):
            entry = Entry(field, number)
            part = part_at(case, entry)
            if part is not None and not typer.confirm(
                f"{entry}: {part_words(part)}\nChange it?", default=False
            ):
                continue
            if part is None and not typer.confirm(f"Say {PARTS[field][1]}?", default=False):
                continue
            case = with_part(case, entry, _ask_entry(entry, part, named=named))
        while field not in SINGLE and typer.confirm(f"Add {another(field)}?", default=False):
            case = with_part(case, Entry(field), _ask_entry(Entry(field), None, named=named))
    return case


def _ask_entry(entry: Entry, before: Part | None, *, named: bool) -> Part:
    """Ask the questions of one entry, each with its present answer."""
    from thecal.errors import InputError
    from thecal.registry.edit import name_of, part_of_texts, questions_of, texts_of

    present = texts_of(before)
    answers: dict[str, str] = {}
    while True:
        open_ = [
            each for each in questions_of(entry, answers, with_name=named) if name_of(each) not in answers
        ]
        if not open_:
            return part_of_texts(entry, before, answers, with_name=named)
        question, name = open_[0], name_of(open_[0])
        has = present.get(name, "")
        answer = typer.prompt(question.prompt(), default=has, show_default=bool(has)).strip()
        if answer == BACK:
            if answers:
                answers.popitem()
            continue
        try:
            question.read("" if answer == CLEAR else answer)
        except InputError as error:
            typer.echo(f"  {error}.")
            continue
        answers[name] = "" if answer == CLEAR else answer
