"""``thecal schema``: the JSON Schema of a report, a comparison, a plan or an event of a watch."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer


class Of(Enum):
    """Which file's schema."""

    REPORT = "report"
    COMPARE = "compare"
    PLAN = "plan"
    WATCH = "watch"


def schema(
    of: Annotated[
        Of, typer.Option("--of", help="Of report.json, compare.json, plan.json or a line of events.jsonl.")
    ] = Of.REPORT,
) -> None:
    """Print the JSON Schema of report.json, or of compare.json, plan.json or a line of events.jsonl."""
    import json

    if of is Of.COMPARE:
        from thecal.compare.schema import json_schema
    elif of is Of.PLAN:
        from thecal.needle.outputs.schema import json_schema
    elif of is Of.WATCH:
        from thecal.fluoro.stream.events import json_schema
    else:
        from thecal.report.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
