"""A person: sizes, posture and fractures drawn by seed, and every vertebra placed in the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from thecal.errors import InputError
from thecal.frames import VertebraFrame
from thecal.phantom.curve import CanalCurve, build_curve
from thecal.phantom.dimensions import (
    LEVELS_MODELLED,
    MEN_SCALE,
    WOMEN_SCALE,
    LevelSize,
    mean_size,
    trabecular_hu_mean,
)
from thecal.terms import VERSE_IDS
from thecal.volume import FloatArray

Fracture = Literal["wedge", "biconcave", "crush"]
Sex = Literal["F", "M"]

# Share of its height that a fractured vertebra keeps in front, in the middle and behind: Genant's shapes,
# moderate to severe (Genant 1993, doi 10.1002/jbmr.5650080915, loss above 25 %).
_KEPT: Final[dict[str, tuple[float, float, float]]] = {
    "wedge": (0.58, 0.74, 0.95),
    "biconcave": (0.90, 0.58, 0.93),
    "crush": (0.55, 0.55, 0.66),
}


@dataclass(frozen=True, eq=False)
class VertebraModel:
    """One vertebra of the phantom.

    ``heights`` are anterior, middle and posterior in the midline, between the outer faces of the
    endplates, mm; ``intact`` are the same before the fracture; ``parameters`` is the row that the
    tissue kernel reads.
    """

    level: str
    id: int
    frame: VertebraFrame
    size: LevelSize
    heights: tuple[float, float, float]
    intact: tuple[float, float, float]
    fracture: Fracture | None
    trabecular_hu: float
    parameters: FloatArray


@dataclass(frozen=True, eq=False)
class SpineModel:
    """A spine in the patient: vertebrae caudal to cranial, the canal, and the person."""

    seed: int
    age: float
    sex: Sex
    vertebrae: tuple[VertebraModel, ...]
    curve: CanalCurve
    shown: tuple[str, ...]


def parse_levels(text: str | Sequence[str]) -> tuple[str, str]:
    """``"T10-L3"`` or a pair to (cranial, caudal) level names.

    Raises
    ------
    InputError
        Where a level is unknown.
    """
    parts = text.split("-") if isinstance(text, str) else list(text)
    if len(parts) == 1:
        parts = parts * 2
    first, last = parts[0].strip(), parts[-1].strip()
    for level in (first, last):
        if level not in LEVELS_MODELLED:
            raise InputError(f"The phantom has no level {level!r}; it has T1 to L5 and sacrum")
    if LEVELS_MODELLED.index(first) > LEVELS_MODELLED.index(last):
        first, last = last, first
    return first, last


def draw_spine(
    seed: int,
    levels: str | Sequence[str] = "T10-L3",
    *,
    age: float | None = None,
    sex: Sex | None = None,
    fractures: Mapping[str, Fracture] | None = None,
    scoliosis_degrees: float | None = None,
    osteophytes: float | None = None,
    canal_size: float = 1.0,
    sac_share: float | None = None,
    collapsed: Mapping[str, Fracture] | None = None,
) -> SpineModel:
    """Draw a person's spine by seed.

    Parameters
    ----------
    seed : int
    levels : "T10-L3" or (cranial, caudal)
        Levels wholly shown; one more above and one below are modelled so that the scan does not end in air.
    age, sex : optional
        Drawn where not given (vertebroplasty's ages, two women to one man).
    fractures : {level: "wedge", "biconcave" or "crush"}
    scoliosis_degrees, osteophytes : float, optional
        Coronal tilt amplitude; size of the rim osteophytes in mm.
    canal_size : float
        Of the usual canal: below 1 it is stenosed.
    sac_share : float, optional
        Diameter of the sac as a share of the canal's at T6; low in a canal full of fat.
    collapsed : {level: "wedge", "biconcave" or "crush"}
        Fractures since: the same person, whose vertebrae below these stay as they are without them.
    """
    first, last = parse_levels(levels)
    collapsed = dict(collapsed or {})
    since = np.random.default_rng([seed, 6])
    fractures = dict(fractures or {})
    rng = np.random.default_rng([seed, 1])
    drawn_age = float(np.clip(rng.normal(71, 9), 45, 92))
    drawn_sex: Sex = "F" if rng.random() < 0.67 else "M"
    age = drawn_age if age is None else float(age)
    sex = drawn_sex if sex is None else sex
    scale = (WOMEN_SCALE if sex == "F" else MEN_SCALE) * rng.normal(1.0, 0.035)
    canal_scale = rng.normal(1.0, 0.05) * canal_size
    curvature = rng.normal(1.0, 0.15)
    sway = rng.normal(0.0, 2.5) if scoliosis_degrees is None else scoliosis_degrees
    phase = rng.uniform(0, 2 * np.pi)
    spur = max(0.0, rng.normal((age - 50) / 14.0, 0.9)) if osteophytes is None else osteophytes
    spur = float(np.clip(spur, 0.0, 4.5))
    bone_hu = float(np.clip(rng.normal(trabecular_hu_mean(age), 35.0), 40.0, 260.0))

    order = LEVELS_MODELLED
    top = max(order.index(first) - 1, 0)
    bottom = min(order.index(last) + 1, len(order) - 1)
    names = [order[i] for i in range(bottom, top - 1, -1)]  # caudal first
    for level in (*fractures, *collapsed):
        if level not in names or level == "sacrum":
            raise InputError(f"The fracture level {level!r} is not among the phantom's levels")

    built: list[VertebraModel] = []
    lean_extra = 0.0
    joint: FloatArray | None = None
    previous_cranial = np.array([0.0, 0.0, 1.0])
    for k, level in enumerate(names):
        mean = mean_size(level)
        own = rng.normal(1.0, 0.02)
        size = LevelSize(
            mean.body_width * scale * own,
            mean.body_depth * scale * own,
            mean.body_height * scale * rng.normal(1.0, 0.02),
            mean.canal_width * scale * canal_scale * rng.normal(1.0, 0.015),
            mean.canal_ap * scale * canal_scale * rng.normal(1.0, 0.015),
            mean.pedicle_width * scale * rng.normal(1.0, 0.05),
            mean.pedicle_height * scale * rng.normal(1.0, 0.03),
            mean.pedicle_angle + rng.normal(0, 2.0),
            mean.disc_below * scale * float(np.clip(rng.normal(1.0 - 0.003 * (age - 50), 0.1), 0.55, 1.3)),
            mean.tilt * curvature,
        )
        fracture = fractures.get(level)
        behind = size.body_height
        intact = (behind * rng.normal(0.965, 0.015), behind * rng.normal(0.90, 0.015), behind)
        kept = _KEPT[fracture] if fracture else (1.0, 1.0, 1.0)
        if fracture:
            kept = tuple(min(1.0, share * rng.normal(1.0, 0.05)) for share in kept)  # type: ignore[assignment]
        if level in collapsed:
            fracture = collapsed[level]
            kept = tuple(min(1.0, share * since.normal(1.0, 0.05)) for share in _KEPT[fracture])  # type: ignore[assignment]
        if level == "sacrum":
            intact = (behind * 1.1, behind * 0.95, behind)
        heights = (intact[0] * kept[0], intact[1] * kept[1], intact[2] * kept[2])
        wedge = np.degrees(np.arctan2(heights[2] - heights[0], size.body_depth * 0.85))
        lean = np.radians(size.tilt + lean_extra)
        side = np.radians(sway * np.sin(phase + 0.55 * k))
        twist = np.radians(0.4 * sway * np.cos(phase + 0.55 * k))
        cranial = np.array([np.sin(side), -np.sin(lean), np.cos(lean) * np.cos(side)])
        cranial /= np.linalg.norm(cranial)
        left = np.array([np.cos(twist), np.sin(twist), 0.0])
        half = (heights[0] + heights[2]) / 4
        axes = VertebraFrame.from_axes([0.0, 0.0, 0.0], cranial, left)
        if joint is None:
            origin = np.zeros(3)
        else:
            middle = (previous_cranial + axes.cranial) / 2
            centre = joint + middle / np.linalg.norm(middle) * size.disc_below
            origin = centre - axes.to_lps([0.0, size.body_depth / 2, 0.0]) + half * axes.cranial
        frame = VertebraFrame(origin, axes.left, axes.anterior, axes.cranial)
        # A wedged vertebra leans the spine above it forward, half made good by the discs.
        if fracture:
            lean_extra += 0.5 * float(wedge)
        joint = frame.to_lps([0.0, size.body_depth / 2, half])
        previous_cranial = axes.cranial
        hu = max(25.0, bone_hu + rng.normal(0, 6.0))
        row = _kernel_row(level, size, heights, fracture, hu, spur, rng)
        built.append(VertebraModel(level, VERSE_IDS[level], frame, size, heights, intact, fracture, hu, row))
    curve = _canal(built, rng, sac_share)
    wanted = tuple(n for n in order if order.index(first) <= order.index(n) <= order.index(last))
    return SpineModel(seed, age, sex, tuple(built), curve, wanted)


def _kernel_row(
    level: str,
    size: LevelSize,
    heights: tuple[float, float, float],
    fracture: Fracture | None,
    hu: float,
    spur: float,
    rng: np.random.Generator,
) -> FloatArray:
    """The numbers the tissue kernel reads, in the order of ``tissue.py``."""
    number = VERSE_IDS[level]
    thoracic = number <= 19
    # 0 at T8 and above, 1 in the lumbar spine: arch and processes go over from one shape to the other.
    lumbar = float(np.clip((number - 15) / 5.0, 0.0, 1.0))
    slope = float(np.interp(number, [8, 12, 15, 17, 19, 20], [40, 48, 45, 30, 14, 8])) + rng.normal(0, 2)
    spinous = float(np.interp(number, [8, 15, 19, 20, 22, 24], [30, 30, 26, 30, 32, 25])) * rng.normal(
        1, 0.06
    )
    span = float(np.interp(number, [8, 15, 17, 18, 19, 20, 22, 24], [36, 31, 27, 24, 22, 33, 41, 40]))
    bulge = {"crush": 3.0, "biconcave": 0.6, "wedge": 0.8}[fracture] if fracture else 0.0
    return np.array(
        [
            size.body_width / 2,
            size.body_depth,
            heights[0],
            heights[1],
            heights[2],
            size.canal_width / 2,
            size.canal_ap,
            size.pedicle_width / 2,
            size.pedicle_height / 2,
            np.tan(np.radians(size.pedicle_angle)),
            lumbar,
            np.radians(slope),
            spinous,
            span * rng.normal(1.0, 0.04),
            hu,
            spur,
            bulge,
            float(number),
            1.0 if level == "sacrum" else 0.0,
            rng.uniform(0, 2 * np.pi),
            1.0 if thoracic else 0.0,
            float(np.interp(number, [8, 19, 20, 24], [0.45, 0.5, 0.5, 0.55])),
            rng.normal(0.0, 1.0),
            size.disc_below,
        ]
    )


def _canal(built: list[VertebraModel], rng: np.random.Generator, sac_share: float | None) -> CanalCurve:
    """The canal behind the bodies: its line and, along it, the sizes of canal, sac and cord."""
    points: list[FloatArray] = []
    values: list[list[float]] = []
    drawn_share = rng.normal(0.80, 0.04)
    share = drawn_share if sac_share is None else sac_share
    cord_scale = rng.normal(1.0, 0.06)
    # Conus tip: mean lower third of L1, mid-T12 to upper L3, about normal (n = 504, Spine 1998).
    tip = rng.normal(20.25, 0.55)
    numbers = [v.id if v.level != "sacrum" else 25 for v in built]
    for v, number in zip(built, numbers, strict=True):
        half_ap = v.size.canal_ap / 2
        centre = -half_ap + 0.4
        offsets = [-0.5, 0.0, 0.5] if v is not built[0] else [-1.2, -0.5, 0.0, 0.5]
        if v is built[-1]:
            offsets = [*offsets, 1.2]
        if v.level == "sacrum":
            offsets = [-2.6, -1.8, *offsets]
        for part in offsets:
            back = -2.5 * max(0.0, -part - 0.5) if v.level == "sacrum" else 0.0
            points.append(v.frame.to_lps([0.0, centre + back, part * v.heights[2]]))
            narrow = 0.12 + 0.2 * v.parameters[10]
            shrink = 1.0 if v.level != "sacrum" else max(0.3, 1.0 + 0.25 * (part + 0.5))
            cord = float(np.interp(number, [8, 14, 17, 19, 21], [9.0, 8.4, 8.8, 9.4, 9.4])) * cord_scale
            depth = float(np.interp(number, [8, 14, 17, 19, 21], [7.0, 6.4, 6.6, 7.0, 7.0])) * cord_scale
            values.append(
                [
                    v.size.canal_width / 2 * shrink,
                    half_ap * shrink,
                    narrow,
                    v.size.canal_width
                    / 2
                    * min(
                        0.92 if sac_share else 0.86,
                        share * float(np.interp(number, [14, 20, 25], [1.0, 0.97, 0.72])),
                    )
                    * shrink,
                    half_ap * share * float(np.interp(number, [14, 20, 25], [1.0, 0.97, 0.82])) * shrink,
                    -0.2,
                    cord / 2,
                    depth / 2,
                    number - part * 0.8,
                ]
            )
    conus_z = -1e9
    for lower, upper, a, b in zip(built[:-1], built[1:], numbers[:-1], numbers[1:], strict=True):
        if b <= tip <= a:
            up = (a - tip) / max(a - b, 1)
            conus_z = float((1 - up) * lower.frame.origin[2] + up * upper.frame.origin[2])
    if conus_z < -1e8:
        conus_z = -1e4 if tip > max(numbers) else 1e4
    return build_curve(np.array(points), np.array(values), conus_z)
