"""A progress bar by stage on a terminal; silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def stage_progress(stages: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Show on stderr which of the stages runs; yields the function to call as each begins."""
    if not sys.stderr.isatty():
        yield lambda stage: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=len(stages))

        def begin(stage: str) -> None:
            bar.update(task, description=stage, completed=list(stages).index(stage))

        yield begin
