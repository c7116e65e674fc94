"""A simulated injection: the pictures of a fluoroscopy with cement that runs, and the truth of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from thecal.anatomy.spine import Spine, Vertebra
from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.target import Needle, body_depth_mm
from thecal.phantom.cement_flow import Flow, FlowSpec, flow
from thecal.phantom.fluoro_scene import Gas, Scene
from thecal.phantom.fluoroscope import Display, Fluoroscope, draw_fluoroscope, primary
from thecal.phantom.injection_truth import FrameTruth, Reader
from thecal.phantom.leak_ways import CANAL_KINDS, LEAK_KINDS, LeakKind
from thecal.phantom.needle_line import straight_needle
from thecal.phantom.patient_motion import Motion, draw_motion
from thecal.volume import FloatArray, Volume

ANGLE_SD_DEG: Final = 1.5
"""How far a C-arm stands from the angles that its DICOM header states."""
Toward = Literal["lateral", "ap"]
BEFORE_S: Final = (5.8, 7.6)
"""Pictures before the injection: whoever injects waits until the monitor has seen a breath."""
MOST_FRAMES: Final = 110
LEAST_DURING_S: Final = 6.0
"""An injection is cut short at so many pictures, but not to less than this."""
KIND_SHARES: Final = (0.32, 0.18, 0.18, 0.08, 0.06, 0.06, 0.04, 0.08)
"""Of ``LEAK_KINDS``: a third stays in the body; the canal has more than its share of leaks in patients, since
it is what is measured."""


@dataclass(frozen=True)
class InjectionSpec:
    """What is drawn by a seed.

    Attributes
    ----------
    seed : int
    toward : "lateral" or "ap"
    flow : FlowSpec
    scope : Fluoroscope
    motion : Motion
    gas : tuple of Gas
    fps : float
    frames : int
    stated_deg, true_deg : (float, float)
        Primary and secondary angle as the header says, and as the C-arm stands.
    off_centre_mm : (3,) floats
        Of the isocentre from the body's middle.
    wider_mm : float
        Soft tissue beside the scan's field of view.
    """

    seed: int
    toward: Toward
    flow: FlowSpec
    scope: Fluoroscope
    motion: Motion
    gas: tuple[Gas, ...]
    fps: float
    frames: int
    stated_deg: tuple[float, float]
    true_deg: tuple[float, float]
    off_centre_mm: tuple[float, float, float]
    wider_mm: float


@dataclass(frozen=True, eq=False)
class Injection:
    """One injection, to be looked at picture by picture.

    Attributes
    ----------
    spec : InjectionSpec
    flow : Flow
    planned, true_needle : Needle
        As planned, and as it was put in.
    stated_view, true_view : View
        As the header says, and as it is.
    """

    spec: InjectionSpec
    flow: Flow
    planned: Needle
    true_needle: Needle
    stated_view: View
    true_view: View
    volume: Volume
    spine: Spine

    def pose(self, time_s: float) -> Pose:
        """The vertebra's true movement from the CT."""
        return self.spec.motion.spine(time_s)

    def pictures(self) -> Iterator[tuple[Frame, FrameTruth]]:
        """The pictures in their order; the same each time."""
        spec = self.spec
        rng = np.random.default_rng([spec.seed, 77])
        length = spec.frames / spec.fps
        scene = Scene(
            self.volume, self.spine, self.flow, (self.true_needle,), spec.gas, self.true_view, spec.motion,
            length, spec.wider_mm,
        )  # fmt: skip
        display = Display(spec.scope, rng)
        reader = Reader(self.flow, spec.scope, scene.view)
        for number in range(spec.frames):
            time = number / spec.fps
            pose = self.pose(time)
            tissue, bone = scene.tissue_and_bone(time)
            cement = scene.cement(self.flow.at(time), pose)
            steel, bore = scene.steel(pose, filled=time >= spec.flow.start_s)
            through = primary(spec.scope, np.maximum(tissue - cement, 0.5), bone, cement + bore, steel)
            pixels, gain = display.show(through)
            yield Frame(number, time, pixels), reader.truth(number, time, pose, steel, through, gain)

    def to_json(self) -> dict[str, Any]:
        """What was drawn, as plain values."""
        return {
            "schema": "thecal.injection/1",
            **asdict(self.spec),
            "depth_mm": round(self.flow.depth_mm, 2),
            "needle": asdict(self.true_needle),
        }


def inject(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    spec: InjectionSpec,
    *,
    arm: CArm | None = None,
    needle: Needle | None = None,
) -> Injection:
    """Make the injection of a specification.

    Raises
    ------
    InputError
        Where needle or leak cannot be had in this vertebra.
    """
    rng = np.random.default_rng([spec.seed, 5])
    arm = arm or CArm()
    depth = body_depth_mm(spine, vertebra)
    planned = needle or straight_needle(spine, vertebra, "left" if rng.random() < 0.5 else "right")
    put_in = _as_put_in(planned, rng)
    run = flow(volume, spine, vertebra, depth, put_in.tip_mm, spec.flow, rng)
    middle = vertebra.frame.to_lps([0.0, 0.5 * depth, 0.0]) + np.array(spec.off_centre_mm)
    return Injection(
        spec, run, planned, put_in, arm.view(middle, *spec.stated_deg), arm.view(middle, *spec.true_deg),
        volume, spine,
    )  # fmt: skip


def draw_spec(
    seed: int,
    vertebra: Vertebra,
    body_ml: float,
    *,
    kind: LeakKind | None = None,
    toward: Toward = "lateral",
    fps: float | None = None,
) -> InjectionSpec:
    """A specification by chance.

    Parameters
    ----------
    seed : int
    vertebra : Vertebra
    body_ml : float
        Volume of the body.
    kind : LeakKind, optional
        Drawn where not given.
    toward : "lateral" or "ap"
    fps : float, optional
        Pictures a second; drawn where not given.
    """
    rng = np.random.default_rng([seed, 3])
    drawn = LEAK_KINDS[int(rng.choice(len(LEAK_KINDS), p=KIND_SHARES))]
    kind = kind or drawn
    drawn_fps = float(rng.choice((3.0, 5.0, 7.5, 7.5, 10.0, 15.0)))
    fps = drawn_fps if fps is None else fps
    before_s = float(rng.uniform(*BEFORE_S))
    during_s = float(rng.uniform(7.0, 20.0))
    most = max(MOST_FRAMES, round((before_s + LEAST_DURING_S) * fps))
    frames = int(np.clip(round((before_s + during_s) * fps), 50, most))
    during_s = frames / fps - before_s
    share = float(rng.uniform(0.12, 0.34))
    ml = float(np.clip(share * body_ml, 1.2, 8.0))
    leak_ml = float(np.exp(rng.uniform(np.log(0.04), np.log(0.9)))) if kind != "none" else 0.0
    if kind not in CANAL_KINDS:
        leak_ml *= 1.6
    ahead = float(rng.uniform(0.4, 0.55)) if rng.random() < 0.4 else None
    run = FlowSpec(
        kind,
        leak_ml,
        ml,
        before_s,
        (ml + leak_ml) / max(during_s - 0.5, 1.0),
        float(rng.uniform(0.3, 0.8)),
        ahead,
        cleft=bool(rng.random() < 0.2),
    )
    stated = (90.0, 0.0) if toward == "lateral" else (0.0, 0.0)
    stated = (stated[0] + float(rng.uniform(-8, 8)), stated[1] + float(rng.uniform(-6, 6)))
    error = rng.normal(0.0, ANGLE_SD_DEG, 2)
    centre = vertebra.frame.to_lps([0.0, 15.0, 0.0])
    return InjectionSpec(
        seed=seed,
        toward=toward,
        flow=run,
        scope=draw_fluoroscope(rng),
        motion=draw_motion(centre, frames / fps, rng),
        gas=_draw_gas(rng),
        fps=fps,
        frames=frames,
        stated_deg=stated,
        true_deg=(stated[0] + float(error[0]), stated[1] + float(error[1])),
        off_centre_mm=_three(rng.normal(0.0, 6.0, 3)),
        wider_mm=float(rng.uniform(20.0, 110.0)),
    )


def body_ml(spine: Spine, vertebra: Vertebra) -> float:
    """Volume of a vertebra's body."""
    return float(spine.body_mask(vertebra).sum() * spine.grid.voxel_mm3 / 1000.0)


def _draw_gas(rng: np.random.Generator) -> tuple[Gas, ...]:
    return tuple(
        Gas(
            (float(rng.uniform(0, 1)), float(rng.uniform(-0.1, 0.5))),
            (float(rng.uniform(0.04, 0.16)), float(rng.uniform(0.04, 0.12))),
            float(rng.uniform(5.0, 30.0)),
            (float(rng.normal(0, 0.002)), float(rng.normal(0, 0.002))),
        )
        for _ in range(int(rng.integers(0, 4)))
    )


def _as_put_in(needle: Needle, rng: np.random.Generator) -> Needle:
    """The needle as a hand puts it in: entry within 1.5 mm, tip within 2 mm (standard deviations)."""
    return Needle(
        needle.side,
        _three(np.asarray(needle.entry_mm) + rng.normal(0.0, 0.9, 3)),
        _three(np.asarray(needle.tip_mm) + rng.normal(0.0, 1.2, 3)),
        needle.outer_mm,
    )


def _three(values: FloatArray) -> tuple[float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]))


def usable(vertebra: Vertebra, spine: Spine) -> bool:
    """Whether an injection can be made: the vertebra is whole and its pedicles are in the anatomy."""
    if not vertebra.complete:
        return False
    try:
        straight_needle(spine, vertebra, "left")
        straight_needle(spine, vertebra, "right")
    except InputError:
        return False
    return True
