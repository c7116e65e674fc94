"""``thecal registry add`` and ``outcome``: entering a case by questions, and a follow-up in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from thecal.cli.registry_place import DEFAULT, KeyFile, Pseudonym, Where, Who, opened, who_is_it

if TYPE_CHECKING:
    from thecal.registry.case import Case
    from thecal.registry.store import Store

BACK: Final = "<"
FIRST: Final = "patient.pseudonym"


def add(
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A case as JSON (see show --json).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a case whose questions were broken off.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Throw the answers of a case that was broken off away.")
    ] = False,
    pseudonym: Annotated[
        str | None, typer.Option("--pseudonym", metavar="NAME", help="Which one, where several were.")
    ] = None,
) -> int:
    """Enter a case by questions, one part after another; Enter is "not known", < goes back one question.

    Each answer is kept at once: after Ctrl-C, --resume goes on where it was, and --discard forgets it.
    """
    from thecal.errors import InputError

    if (source is not None) + resume + discard > 1:
        raise InputError("--from, --resume and --discard each stand alone")
    with opened(registry, key) as store:
        store.keeper.must_have_key()
        if discard:
            from thecal.registry.store.drafts import drop_draft

            name = _which(store, pseudonym)
            drop_draft(store, name)
            typer.echo(f"The answers about {name} were thrown away.")
            return 0
        if source is not None:
            from thecal.registry.exchange.case_json import read_case

            case = read_case(source)
            store.add(case, who=who_is_it(who))
        else:
            case = _asked(store, _begun(store, pseudonym) if resume else {}, who_is_it(who))
    typer.echo(f"Case {case.patient.pseudonym} is in the registry.")
    return 0


def outcome(
    pseudonym: Pseudonym,
    scale: Annotated[
        str, typer.Option("--scale", metavar="NAME", help="mrc, bladder, anal_contraction, vas and the like.")
    ],
    as_written: Annotated[
        str, typer.Option("--as-written", metavar="TEXT", help='The finding: "4-", "urinary retention", "7".')
    ],
    side: Annotated[str | None, typer.Option("--side", metavar="left|right", help="Of the body.")] = None,
    muscle: Annotated[str | None, typer.Option("--muscle", metavar="NAME", help="For mrc.")] = None,
    days: Annotated[float | None, typer.Option("--days", help="Days since the procedure.")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="YYYY-MM-DD.")] = None,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
) -> int:
    """Enter one finding of a follow-up."""
    from pydantic import ValidationError

    from thecal.errors import InputError
    from thecal.registry.case import CHOICES, RANGES, Outcome
    from thecal.registry.readings import read_finding

    scale = scale.lower()
    if scale not in RANGES and scale not in CHOICES:
        raise InputError(f"--scale is one of {', '.join((*RANGES, *CHOICES))}")
    if days is None and on is None:
        raise InputError("Say when it was found: --days N since the procedure, or --on YYYY-MM-DD")
    value, choice = read_finding(scale, as_written)  # type: ignore[arg-type]
    try:
        found = Outcome.model_validate(
            {
                "scale": scale,
                "as_written": as_written,
                "value": value,
                "choice": choice,
                "side": side,
                "muscle": muscle,
                "days": days,
                "on": on,
            }
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InputError(f"--{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    with opened(registry, key) as store:
        store.change(
            pseudonym,
            lambda case: case.model_copy(update={"outcomes": (*case.outcomes, found)}),
            who=who_is_it(who),
            what="outcome",
        )
    said = f"{value:g}" if value is not None else str(choice)
    told = "" if said == as_written.strip() else f" ({said})"
    typer.echo(f"Entered for case {pseudonym}: {scale} {as_written}{told}")
    return 0


def _which(store: Store, pseudonym: str | None) -> str:
    """The draft that is meant, where it is plain."""
    from thecal.errors import InputError
    from thecal.registry.store.drafts import draft_names

    names = draft_names(store)
    if not names:
        raise InputError("No case was broken off: thecal registry add begins one")
    if pseudonym is None and len(names) > 1:
        raise InputError(f"Several cases were broken off, say which with --pseudonym: {', '.join(names)}")
    name = pseudonym or names[0]
    if name not in names:
        raise InputError(f"No questions about {name} were broken off")
    return name


def _begun(store: Store, pseudonym: str | None) -> dict[str, str]:
    """The answers of the draft that is meant."""
    from thecal.registry.store.drafts import draft

    name = _which(store, pseudonym)
    answers = draft(store, name) or {}
    typer.echo(f"Going on with {name}, {len(answers)} answers are there.")
    return answers


def _asked(store: Store, answers: dict[str, str], who: str) -> Case:
    """Ask what is not answered, keep each answer, and add the case."""
    from thecal.cli.registry_show import tell_case
    from thecal.errors import InputError
    from thecal.registry.questions import case_of_answers, next_question
    from thecal.registry.store.drafts import save_draft

    named = store.keeper.key is not None
    typer.echo('Enter: not known. <: back one question. Ctrl-C: break off; "add --resume" goes on.')
    try:
        while True:
            question = next_question(answers, with_name=named)
            if question is None:
                case = case_of_answers(answers, with_name=named)
                tell_case(case)
                if not typer.confirm("Keep this case?", default=True):
                    _back(store, answers)
                    continue
                store.add(case, who=who, draft=case.patient.pseudonym)
                return case
            answer = typer.prompt(question.prompt(), default="", show_default=False)
            if answer.strip() == BACK:
                _back(store, answers)
                continue
            try:
                value = question.read(answer)
                if question.path == FIRST:
                    _is_new(store, str(value))
            except InputError as error:
                typer.echo(f"  {error}.")
                continue
            answers[question.path] = answer
            save_draft(store, answers[FIRST].strip(), answers)
    except (KeyboardInterrupt, typer.Abort):
        if FIRST in answers:
            typer.echo(f"\nKept so far: thecal registry add --resume --pseudonym {answers[FIRST]}", err=True)
        raise


def _back(store: Store, answers: dict[str, str]) -> None:
    """Forget the last answer, in the draft too; with whose case it is the draft goes."""
    from thecal.registry.store.drafts import drop_draft, save_draft

    if not answers:
        return
    name = answers[FIRST].strip()
    answers.popitem()
    if answers:
        save_draft(store, name, answers)
    else:
        drop_draft(store, name)


def _is_new(store: Store, pseudonym: str) -> None:
    from thecal.errors import InputError
    from thecal.registry.store.drafts import draft_names

    if store.knows(pseudonym):
        raise InputError(f"Case {pseudonym} is in the registry already")
    if pseudonym in draft_names(store):
        raise InputError(f"{pseudonym} was broken off: thecal registry add --resume --pseudonym {pseudonym}")
