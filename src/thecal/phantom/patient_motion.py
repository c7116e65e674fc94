"""How a patient moves under a C-arm: breathing, and the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.fluoro.projection.view import Pose
from thecal.volume import FloatArray


@dataclass(frozen=True)
class Motion:
    """Movement with time; all in LPS.

    Attributes
    ----------
    centre_mm : (3,) floats
        The vertebra turns about it.
    posture_turn_deg, posture_move_mm : (3,) floats
        How the vertebra lies against the CT before anything moves.
    period_s, phase : float
        Of the breath.
    breath_mm : (3,) floats
        Amplitude of the vertebra.
    breath_turn_deg : (3,) floats
    rest_mm : (3,) floats
        Amplitude of ribs, bowel and soft tissue against the vertebra.
    table_mm : (3,) floats
        Where the table goes, within ``table_s`` (from, to).
    table_s : (float, float)
    """

    centre_mm: tuple[float, float, float]
    posture_turn_deg: tuple[float, float, float]
    posture_move_mm: tuple[float, float, float]
    period_s: float
    phase: float
    breath_mm: tuple[float, float, float]
    breath_turn_deg: tuple[float, float, float]
    rest_mm: tuple[float, float, float]
    table_mm: tuple[float, float, float]
    table_s: tuple[float, float]

    def breath(self, time_s: float) -> float:
        """-1 to 1; the pause lies at the end of breathing out."""
        wave = 0.5 - 0.5 * np.cos(2 * np.pi * (time_s / self.period_s + self.phase))
        return float(2.0 * wave**2 - 1.0)

    def posture(self) -> Pose:
        """How the vertebra lies against the CT."""
        return Pose.about(self.centre_mm, self.posture_turn_deg, self.posture_move_mm)

    def table(self, time_s: float) -> FloatArray:
        """Where the table has gone, mm."""
        start, end = self.table_s
        share = np.clip((time_s - start) / max(end - start, 1e-6), 0.0, 1.0)
        gone: FloatArray = np.asarray(self.table_mm) * (3 * share**2 - 2 * share**3)
        return gone

    def spine(self, time_s: float) -> Pose:
        """The vertebra's movement from the CT."""
        b = self.breath(time_s)
        move = np.asarray(self.breath_mm) * b + self.table(time_s)
        return Pose.about(self.centre_mm, np.asarray(self.breath_turn_deg) * b, move).after(self.posture())

    def rest(self, time_s: float) -> Pose:
        """The movement of what is not spine."""
        b = self.breath(time_s)
        move = (np.asarray(self.breath_mm) + np.asarray(self.rest_mm)) * b + self.table(time_s)
        return Pose.about(self.centre_mm, (0.0, 0.0, 0.0), move).after(self.posture())


def draw_motion(centre_mm: FloatArray, length_s: float, rng: np.random.Generator) -> Motion:
    """A movement by chance: amplitudes of a prone patient who breathes quietly (a guess, from memory)."""
    moves = rng.random() < 0.3
    start = float(rng.uniform(0.4, 0.8)) * length_s
    return Motion(
        centre_mm=_three(centre_mm),
        posture_turn_deg=_three(rng.normal(0.0, 3.0, 3)),
        posture_move_mm=_three(rng.normal(0.0, 4.0, 3)),
        period_s=float(rng.uniform(3.0, 5.0)),
        phase=float(rng.random()),
        breath_mm=_three(rng.normal(0.0, (0.2, 0.5, 0.7))),
        breath_turn_deg=_three(rng.normal(0.0, 0.2, 3)),
        rest_mm=_three(rng.normal(0.0, (0.3, 0.8, 1.8))),
        table_mm=_three(rng.normal(0.0, (1.0, 4.0, 4.0))) if moves else (0.0, 0.0, 0.0),
        table_s=(start, start + float(rng.uniform(0.4, 1.5))),
    )


def _three(values: FloatArray) -> tuple[float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]))
