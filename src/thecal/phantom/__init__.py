"""Synthetic patients with known truth.

The public names are imported on first use, so that the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thecal.phantom.deposit_spec import DepositSpec
    from thecal.phantom.insert import insert_deposits
    from thecal.phantom.needle import TrackSpec
    from thecal.phantom.patient import Case, make_patient
    from thecal.phantom.scanner import Scanner

__all__ = ["Case", "DepositSpec", "Scanner", "TrackSpec", "insert_deposits", "make_patient"]

_HOME = {
    "Case": "patient",
    "DepositSpec": "deposit_spec",
    "Scanner": "scanner",
    "TrackSpec": "needle",
    "insert_deposits": "insert",
    "make_patient": "patient",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"thecal.phantom.{_HOME[name]}"), name)
