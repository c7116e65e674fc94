"""Fair cases of cement in the canal, outside the dura, inside it, or both, by seed: phantoms and real CT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from benchmarks.scans import Window, available, clean_spine, window
from thecal.anatomy.backends.builtin import Builtin
from thecal.anatomy.spine import Spine
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.insert import CementTruth, insert_deposits
from thecal.phantom.needle import Content, TrackSpec
from thecal.phantom.patient import make_patient
from thecal.phantom.scanner import Scanner
from thecal.terms import Side
from thecal.volume import Volume

SEED: Final = 20251
PER_HOST: Final = 6
"""Cases in one clean scan, one after the other."""
WINDOWS: Final = (
    Window("t11t12_dicom"),
    Window("thorax_2p5mm", (0.0, 0.32)),
    Window("thorax_1p5mm", (0.0, 0.42)),
    Window("l3_1p5mm", (0.0, 1.0), 1.0),
    Window("thorax_2p5mm", (0.2, 0.5)),
    Window("thorax_1p5mm", (0.0, 0.4), 1.0),
    Window("l3_1p5mm"),
    Window("thorax_1p5mm", (0.1, 0.5), 2.0),
    Window("t11t12_dicom", (0.0, 1.0), 3.0),
    Window("abdomen_3mm", (0.5, 0.92)),
    Window("thorax_2p5mm", (0.0, 0.3), 5.0),
)
SPANS: Final = ("T10-T12", "T11-L1", "T12-L2", "L1-L3")
PHANTOM_SLICES_MM: Final = (1.0, 2.0, 3.0, 1.0, 1.5, 2.0, 1.25, 1.0, 3.0, 2.0, 5.0)
BUILDS: Final[tuple[dict[str, float], ...]] = (
    {},
    {"canal_size": 0.78, "sac_share": 0.86},
    {"sac_share": 0.66},
    {"sac_share": 0.90},
)
"""Usual, stenosed, fatty and slim canals."""
SIDE_MM: Final = 56.0
AHEAD_MM: Final = 66.0
BEHIND_MM: Final = 50.0
LEVELS: Final = ("T10", "T11", "T12", "L1", "L2", "L3")
OUTSIDE: Final = (
    ("nothing", 0.08),
    ("crescent", 0.13),
    ("recess", 0.09),
    ("recess with a medial track", 0.12),
    ("basivertebral", 0.08),
    ("plexus", 0.12),
    ("central mass", 0.17),
    ("lateral mass", 0.12),
    ("dorsal", 0.06),
    ("several", 0.03),
)
INSIDE: Final = (
    ("sheets", 0.24),
    ("small dorsal", 0.19),
    ("ventral", 0.17),
    ("lateral", 0.12),
    ("cast", 0.16),
    ("large", 0.12),
)
BOTH_SHARE: Final = 0.3
MEDIAL_SHARE: Final = {"inside": 0.6, "outside": 0.12}

Kind = Literal["inside", "outside"]


@dataclass(frozen=True, eq=False)
class DuralCase:
    """A scan and what is true of it.

    ``name`` says what was drawn, ``inside`` whether any cement lies inside the dura.
    """

    name: str
    host: str
    volume: Volume
    truth: CementTruth

    @property
    def inside(self) -> bool:
        """Whether any cement lies inside the dura."""
        return any(d.compartment == "intradural" for d in self.truth.deposits)


def hosts_needed(cases: int) -> int:
    """Clean scans for a number of cases."""
    return -(-cases // PER_HOST)


def make(seed: int) -> DuralCase:
    """The case of a seed; seeds of one block of six lie in the same clean scan, blocks by turns real."""
    block = seed // PER_HOST
    rng = np.random.default_rng([SEED, seed])
    host, volume, spine, scanner = _real(block) if block % 2 else _phantom(block)
    name, specs, tracks = draw(spine, rng, seed)
    filled, truth = insert_deposits(volume, spine, specs, rng, scanner=scanner, tracks=tracks)
    return DuralCase(name, host, filled, truth)


@lru_cache(maxsize=1)
def _phantom(block: int) -> tuple[str, Volume, Spine, Scanner]:
    rng = np.random.default_rng([SEED, block, 1])
    place = block // 2
    z = PHANTOM_SLICES_MM[place % len(PHANTOM_SLICES_MM)]
    build = BUILDS[int(rng.integers(len(BUILDS)))]
    span = SPANS[int(rng.integers(len(SPANS)))]
    sharp = rng.random() < 0.35
    scanner = Scanner(
        kernel="Br64h" if sharp else "Br44f",
        psf_fwhm_mm=float(rng.uniform(0.6, 0.75) if sharp else rng.uniform(0.85, 1.2)),
        noise_hu=float(rng.uniform(25, 40) if sharp else rng.uniform(10, 24)),
        clip_hu=3071 if rng.random() < 0.7 else None,
        streaks=float(rng.uniform(0.4, 1.5)),
    )
    first, last = span.split("-")
    middle = LEVELS[(LEVELS.index(first) + LEVELS.index(last)) // 2]
    kinds = ("wedge", "biconcave", "crush")
    case = make_patient(
        int(rng.integers(2**31)),
        span,
        spacing_mm=(z, *(2 * (float(rng.uniform(0.55, 0.85)),))),
        fov_mm=96.0,
        fractures={middle: kinds[int(rng.integers(3))]} if rng.random() < 0.6 else {},
        scanner=scanner,
        canal_size=build.get("canal_size", 1.0),
        sac_share=build.get("sac_share"),
    )
    words = ("usual", "stenosed", "fatty", "slim")[BUILDS.index(build)]
    return f"phantom {span} {words} {z:g} mm {scanner.kernel}", case.volume, case.spine, scanner


@lru_cache(maxsize=1)
def _real(block: int) -> tuple[str, Volume, Spine, Scanner]:
    rng = np.random.default_rng([SEED, block, 1])
    which = WINDOWS[(block // 2) % len(WINDOWS)]
    volume, spine = near_canal(which)
    # The detector's own blur, and that of a pixel as wide as this one.
    fwhm = float(np.hypot(rng.uniform(0.6, 1.0), 0.68 * volume.grid.spacing_mm[2]))
    scanner = Scanner(
        psf_fwhm_mm=fwhm,
        slice_fwhm_mm=volume.source.slice_thickness_mm,
        streaks=float(rng.uniform(0.4, 1.5)),
    )
    return f"real {which.name}", volume, spine, scanner


@lru_cache(maxsize=2)
def near_canal(which: Window) -> tuple[Volume, Spine]:
    """A window cut to the spine's surroundings, which is as good for the canal and sooner assessed."""
    whole = window(which)
    points = clean_spine(which).canal.frame.points
    inside = whole.grid.to_index(points)
    shown = (inside[:, 0] > -0.5) & (inside[:, 0] < whole.hu.shape[0] - 0.5)
    reach = np.array([[-SIDE_MM, -AHEAD_MM, 0.0], [SIDE_MM, BEHIND_MM, 0.0]])
    around = whole.grid.box_around((points[shown][:, None, :] + reach[None]).reshape(-1, 3), 0.0)
    box = (slice(0, whole.hu.shape[0]), around[1], around[2])
    grid = whole.grid.crop(box)
    source = replace(whole.source, grid=grid)
    volume = replace(whole, hu=np.ascontiguousarray(whole.hu[box]), grid=grid, source=source)
    return volume, Builtin().find(volume)


def real_available() -> bool:
    """Whether the shared CTs lie on this machine."""
    return all(available(w.scan) for w in WINDOWS)


def draw(
    spine: Spine, rng: np.random.Generator, seed: int
) -> tuple[str, tuple[DepositSpec, ...], tuple[TrackSpec, ...]]:
    """What is put into one case: the treated body's fill, what leaked, and needles' ways."""
    names = [v.level or f"#{v.id}" for v in spine.vertebrae if v.complete] or [
        v.level or f"#{v.id}" for v in spine.vertebrae
    ]
    level = names[int(rng.integers(len(names)))]
    specs = [DepositSpec("intravertebral", level, float(rng.uniform(1.0, 5.0)), "midline")]
    inside = bool(seed % 2)
    both = inside and rng.random() < BOTH_SHARE
    words = []
    if inside:
        word = _chosen(INSIDE, rng)
        words.append(f"inside: {word}")
        specs += _inside(word, level, rng)
    if both or not inside:
        word = _chosen(OUTSIDE[1:] if both else OUTSIDE, rng)
        words.append(f"outside: {word}")
        specs += _outside(word, level, rng)
    if rng.random() < 0.25:
        specs.append(DepositSpec("intradiscal", level, float(rng.uniform(0.1, 0.8)), None, "below"))
    if rng.random() < 0.2:
        specs.append(DepositSpec("paravertebral", level, float(rng.uniform(0.1, 0.8)), None))
    if rng.random() < 0.2:
        specs.append(DepositSpec("foraminal", level, float(rng.uniform(0.03, 0.2)), None))
    medial = rng.random() < MEDIAL_SHARE["inside" if inside else "outside"] or any(
        "medial track" in word for word in words
    )
    tracks = _tracks(level, medial, rng)
    return ", ".join(words) + (", medial track" if medial else ""), tuple(specs), tracks


def _chosen(table: tuple[tuple[str, float], ...], rng: np.random.Generator) -> str:
    share = np.array([w for _, w in table])
    return table[int(rng.choice(len(table), p=share / share.sum()))][0]


def _ml(rng: np.random.Generator, low_mm3: float, high_mm3: float) -> float:
    return float(np.exp(rng.uniform(np.log(low_mm3), np.log(high_mm3)))) / 1000.0


def _side(rng: np.random.Generator) -> Side:
    return "left" if rng.random() < 0.5 else "right"


def _outside(word: str, level: str, rng: np.random.Generator) -> list[DepositSpec]:
    side = _side(rng)
    if word == "nothing":
        return []
    if word == "crescent":
        return [DepositSpec("epidural", level, _ml(rng, 60, 1000), None, "crescent")]
    if word.startswith("recess"):
        return [DepositSpec("epidural", level, _ml(rng, 40, 500), side, "recess")]
    if word == "basivertebral":
        return [DepositSpec("epidural", level, _ml(rng, 40, 300), None, "basivertebral")]
    if word == "plexus":
        return [DepositSpec("epidural", level, _ml(rng, 150, 1400), None, "plexus")]
    if word == "central mass":
        return [DepositSpec("epidural", level, _ml(rng, 120, 1800), "midline", "mass")]
    if word == "lateral mass":
        return [DepositSpec("epidural", level, _ml(rng, 100, 1200), side, "mass")]
    if word == "dorsal":
        return [DepositSpec("epidural", level, _ml(rng, 40, 400), None, "dorsal")]
    return [
        DepositSpec("epidural", level, _ml(rng, 100, 800), "midline", "mass"),
        DepositSpec("epidural", level, _ml(rng, 100, 700), None, "plexus"),
        DepositSpec("epidural", level, _ml(rng, 40, 300), side, "recess"),
    ]


def _inside(word: str, level: str, rng: np.random.Generator) -> list[DepositSpec]:
    if word == "sheets":
        return [DepositSpec("intradural", level, _ml(rng, 120, 900), None, "sheets")]
    if word == "cast":
        return [DepositSpec("intradural", level, _ml(rng, 400, 2200), "midline", "cast")]
    low, high = {"small dorsal": (25, 110), "large": (500, 1800)}.get(word, (50, 500))
    volume = _ml(rng, low, high)
    scale = (volume * 1000.0 / 120.0) ** (1 / 3)
    thick = 4.0 * scale * (-1.0 if word == "ventral" else 1.0)
    size = (8.0 * scale * float(rng.uniform(0.8, 1.6)), thick, 6.5 * scale)
    side: Side = _side(rng) if word == "lateral" else "midline"
    return [DepositSpec("intradural", level, volume, side, "lump", size_mm=size)]


def _tracks(level: str, medial: bool, rng: np.random.Generator) -> tuple[TrackSpec, ...]:
    contents: tuple[Content, ...] = ("cement", "empty", "air")
    sides: tuple[Literal["left", "right"], ...] = ("left", "right")
    chosen = []
    first = int(rng.integers(2))
    for number in range(int(rng.choice(3, p=(0.25, 0.45, 0.3))) if not medial else int(rng.integers(1, 3))):
        through = medial and number == 0
        chosen.append(
            TrackSpec(
                level,
                sides[(first + number) % 2],
                medial_mm=float(rng.uniform(3.5, 6.5) if through else rng.uniform(-1.5, 1.0)),
                tip_depth=float(rng.uniform(0.3, 0.7)),
                content=contents[int(rng.choice(3, p=(0.5, 0.35, 0.15)))],
                radius_mm=float(rng.uniform(1.2, 1.7)),
            )
        )
    return tuple(chosen)


def truth_of(case: DuralCase) -> dict[str, Any]:
    """What is true of a case, as plain values."""
    deposits = case.truth.deposits
    return {
        "case": case.host,
        "made": case.name,
        "inside": case.inside,
        "inside_ml": round(sum(d.volume_ml for d in deposits if d.compartment == "intradural"), 4),
        "outside_ml": round(sum(d.volume_ml for d in deposits if d.compartment == "epidural"), 4),
        "layers": any(d.form == "sheets" and d.pieces >= 2 for d in deposits),
        "medial_mm": min((t.medial_wall_clearance_mm for t in case.truth.tracks), default=None),
        "spacing_mm": [round(float(s), 2) for s in case.volume.grid.spacing_mm],
    }
