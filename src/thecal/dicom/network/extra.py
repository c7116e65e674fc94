"""The libraries of the extra ``[net]``: loaded when they are used, and missed in one sentence."""

from __future__ import annotations

import logging
from typing import Any

from thecal.extras import load_extra


def load(module: str) -> Any:
    """A module of an optional library, its log silenced: it would name patients and identifiers.

    Raises
    ------
    InputError
        Where the library is not installed.
    """
    loaded = load_extra(module, "net")
    log = logging.getLogger(module.partition(".")[0])
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    return loaded
