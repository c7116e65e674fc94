"""What is chosen for a watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WatchOptions:
    """Choices that change what is said, and so belong to its recording.

    Attributes
    ----------
    posterior : "third" or "quarter"
        Which part of the body, counted from its posterior wall, cement must not reach.
    view : "lateral", "ap" or None
        The view in which the watch begins; None where the source states its angles or nobody said.
    every_frame : bool
        Whether each reading is said.
    clock : str
        What the cement clock was set to, in words; empty without one.
    """

    posterior: Literal["third", "quarter"] = "third"
    view: Literal["lateral", "ap"] | None = None
    every_frame: bool = False
    clock: str = ""
