"""``thecal schema``: the JSON Schema of ``report.json``."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of report.json."""
    import json

    from thecal.report.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
