"""The libraries of the extra ``[net]``: loaded when they are used, and missed in one sentence."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from thecal.errors import InputError


def load(module: str) -> Any:
    """A module of an optional library, its log silenced: it would name patients and identifiers.

    Raises
    ------
    InputError
        Where the library is not installed.
    """
    library = module.partition(".")[0]
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise InputError(
            f"This needs {library.replace('_', '-')}, which is not installed: pip install 'thecal[net]'"
        ) from error
    log = logging.getLogger(library)
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    return loaded
