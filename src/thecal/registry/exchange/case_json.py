"""One case from a JSON file, as ``thecal registry show --json`` prints it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.exchange.fields import LISTS, PARTS, fields_of
from thecal.registry.readings import contradiction, settled


def read_case(path: Path) -> Case:
    """Read a case that is to be added.

    Raises
    ------
    InputError
        Where it is no case, its consent was withdrawn, or a number beside a finding is not that of what was
        written. The sentence says where and what is expected, and nothing of what stands there.
    """
    try:
        case = Case.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise InputError(f"{path} is no case: {what_is_expected(error)}") from error
    if case.withdrawn:
        raise InputError(f"{path} says that consent was withdrawn: such a case is not taken in")
    for number, outcome in enumerate(case.outcomes, 1):
        found = contradiction(outcome)
        if found is not None:
            raise InputError(f"{path} is no case: outcomes.{number}.{found[0]} {found[1]}")
    return settled(case)


def what_is_expected(error: ValidationError) -> str:
    """The first place where something is no case, and what must stand there; nothing of what does."""
    first = error.errors(include_url=False, include_input=False)[0]
    place, kind = first["loc"], first["type"]
    if kind == "json_invalid":
        return "it is not JSON"
    part = str(place[0]) if place else ""
    if part == "withdrawn":
        return "withdrawn must be true or false"
    if part not in PARTS:
        return f"a case holds {', '.join(PARTS)}"
    in_list = part in LISTS and len(place) > 1
    at = f"{part}.{int(place[1]) + 1}" if in_list else part
    rest = place[2:] if in_list else place[1:]
    fields = fields_of(part)
    if rest and str(rest[0]) in fields:
        return f"{at}.{rest[0]} must be {fields[str(rest[0])].takes}"
    if kind == "value_error":
        return f"{at}: {first['msg'].removeprefix('Value error, ')}"
    return f"{at} must be made of {', '.join(fields)}"
