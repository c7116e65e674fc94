"""One vertebra to be found in pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.view import View
from thecal.fluoro.registration.bone_model import BoneModel
from thecal.fluoro.target import Target


@dataclass(frozen=True, eq=False)
class Watched:
    """One vertebra with its model, and a way to show the patient."""

    target: Target
    model: BoneModel
    lateral: View
    ap: View
    show: Callable[..., Frame]
