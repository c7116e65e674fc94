"""The first run compiles its inner loops, which takes a minute or more; say so rather than seem to hang."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import typer


def is_compiled() -> bool:
    """Whether the inner loops lie compiled in numba's cache; one of the last to run stands for all."""
    from thecal.leakage.occlusion import polar_area

    stats = getattr(polar_area, "stats", None)
    if stats is None:  # compiling is switched off (NUMBA_DISABLE_JIT)
        return True
    code = polar_area.py_func.__code__
    source = Path(code.co_filename)
    # numba names the index of a function's cache after its module, its name and its first line.
    pattern = f"{source.stem}.{code.co_name}-{code.co_firstlineno}.*.nbi"
    indexes = Path(stats.cache_path).glob(pattern)
    return any(index.stat().st_mtime >= source.stat().st_mtime for index in indexes)


@cache
def tell_if_cold() -> None:
    """One line on stderr where the long work is about to be compiled first; once a process."""
    if not is_compiled():
        typer.echo(
            "Compiling, once: this first run takes a minute or more; later ones take seconds.",
            err=True,
        )
