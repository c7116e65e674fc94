"""``thecal schema``: the JSON Schema of ``report.json`` or ``compare.json``."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer


class Of(Enum):
    """Which file's schema."""

    REPORT = "report"
    COMPARE = "compare"


def schema(
    of: Annotated[Of, typer.Option("--of", help="Of report.json or of compare.json.")] = Of.REPORT,
) -> None:
    """Print the JSON Schema of report.json, or of compare.json."""
    import json

    if of is Of.COMPARE:
        from thecal.compare.schema import json_schema
    else:
        from thecal.report.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
