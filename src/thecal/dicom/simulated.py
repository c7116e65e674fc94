"""How a scan says that a phantom was scanned, and no patient."""

from __future__ import annotations

from typing import Final

SIMULATED_MARK: Final = "thecal phantom"


def is_simulated(text: str) -> bool:
    """Whether a maker's name or a description is that of thecal's own phantom."""
    return SIMULATED_MARK in text.lower()
