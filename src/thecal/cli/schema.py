"""``thecal schema``: the JSON Schema of ``report.json``, ``compare.json`` or ``plan.json``."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer


class Of(Enum):
    """Which file's schema."""

    REPORT = "report"
    COMPARE = "compare"
    PLAN = "plan"


def schema(
    of: Annotated[Of, typer.Option("--of", help="Of report.json, compare.json or plan.json.")] = Of.REPORT,
) -> None:
    """Print the JSON Schema of report.json, or of compare.json or plan.json."""
    import json

    if of is Of.COMPARE:
        from thecal.compare.schema import json_schema
    elif of is Of.PLAN:
        from thecal.needle.schema import json_schema
    else:
        from thecal.report.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
