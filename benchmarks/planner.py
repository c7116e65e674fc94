"""Plans of punctures: phantoms whose true anatomy is known, and the real CTs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import process_time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from benchmarks.puncture_checks import brute_force, tip_share, touched
from benchmarks.scans import DATA, SCANS, Window, available, clean_spine, reference, window
from benchmarks.table import Row, Table
from thecal.anatomy.find import find_spine
from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.errors import SpineNotFound
from thecal.leakage.tracks.grading import gertzbein_robbins
from thecal.needle.corridor import corridor
from thecal.needle.gauges import gauge
from thecal.needle.plan import Ready, Wish, plan_level, ready
from thecal.needle.plan_value import Approach, LevelPlan, Trajectory
from thecal.needle.search.keep_away import keep_away
from thecal.needle.search.rules import rules
from thecal.phantom.patient import Case, make_patient
from thecal.phantom.scanner import SHARP, SOFT
from thecal.terms import LEVELS, USUAL_ORDER
from thecal.volume import Grid, Volume

NAME: Final = "planner"
COUNT: Final = 104
QUICK: Final = 4
SEED: Final = 47000
SPANS: Final = (
    "T6-T8",
    "T8-T10",
    "T9-T11",
    "T10-T12",
    "T11-L1",
    "T12-L2",
    "L1-L3",
    "L2-L4",
    "L3-L5",
)
SLICES_MM: Final = (1.0, 0.8, 1.5, 2.0, 2.5)
PLANNED: Final = USUAL_ORDER[USUAL_ORDER.index("T6") :]
BRIGHT_HU: Final = 120
NEAR_LABEL_MM: Final = 6.0
"""Labels found leave bone out, most in the corner of body and pedicle."""
GRADE_A: Final = "98.8 % of pedicle screws planned on CT (3D U-Net 2025)"
SUCCESS: Final = "82 % synthetic, 75 % cadaver (bi-plane vertebroplasty, Inigo 2026)"


def cases(*, quick: bool) -> list[int | str]:
    """Names of real CTs, then seeds of phantoms."""
    real = [name for name in SCANS if available(name)]
    return [*real, *range(SEED, SEED + (QUICK if quick else COUNT))]


def make(seed: int) -> Case:
    """A patient of 55 to 90 with three whole levels in view, in half of them the middle one broken."""
    rng = np.random.default_rng(seed)
    span = SPANS[seed % len(SPANS)]
    first, last = span.split("-")
    middle = USUAL_ORDER[(USUAL_ORDER.index(first) + USUAL_ORDER.index(last)) // 2]
    kinds: tuple[Any, ...] = ("wedge", "biconcave", "crush")
    pixel = float(rng.uniform(0.5, 0.9))
    return make_patient(
        seed,
        span,
        spacing_mm=(SLICES_MM[seed % len(SLICES_MM)], pixel, pixel),
        fov_mm=170.0,
        fractures={middle: kinds[int(rng.integers(3))]} if rng.random() < 0.5 else {},
        age=float(rng.uniform(55, 90)),
        sex="F" if rng.random() < 0.6 else "M",
        scanner=SHARP if rng.random() < 0.25 else SOFT,
    )


def one_case(job: int | str) -> dict[str, Any]:
    """Find the spine in the scan alone, plan every whole level, and check the plans."""
    return _real(job) if isinstance(job, str) else _phantom(job)


def _phantom(seed: int) -> dict[str, Any]:
    case = make(seed)
    shown = "-".join([case.model.shown[0], case.model.shown[-1]])
    row: dict[str, Any] = {
        "case": f"phantom {shown}",
        "seed": seed,
        "age": round(case.model.age),
        "fractures": {v.level: v.fracture for v in case.model.vertebrae if v.fracture},
        "spacing_mm": [round(float(s), 2) for s in case.grid.spacing_mm],
    }
    try:
        spine = find_spine(case.volume)
    except SpineNotFound:
        return row | {"levels": [], "found": False}
    scan = ready(case.volume, spine)
    levels = []
    for vertebra in spine.vertebrae:
        true = _same(vertebra, case.spine)
        if true is None or not vertebra.complete or vertebra.id not in scan.bodies:
            continue
        levels.append(_level(scan, vertebra, true, case.labels, case.parts, case.grid, true.level))
    return row | {"levels": levels, "found": True}


def _same(vertebra: Vertebra, truth: Spine) -> Vertebra | None:
    """The true vertebra whose middle lies within the found one's body."""
    middle = vertebra.frame.to_lps((0.0, 12.0, 0.0))
    near = min(truth.vertebrae, key=lambda v: float(np.linalg.norm(v.frame.to_lps((0, 12, 0)) - middle)))
    off = float(np.linalg.norm(near.frame.to_lps((0.0, 12.0, 0.0)) - middle))
    return near if off < 8.0 and near.complete else None


def _real(name: str) -> dict[str, Any]:
    which = Window(name)
    volume, spine = window(which), clean_spine(which)
    scan = ready(volume, spine)
    names, cord = _peer(name, volume, spine)
    levels = []
    for vertebra in spine.vertebrae:
        level = vertebra.level or names.get(vertebra.id)
        if not vertebra.complete or vertebra.id not in scan.bodies or level not in (*PLANNED, None):
            continue
        own = None if cord is None else cord[spine.box]
        labels = _with_bright_bone(spine, volume, vertebra.id)
        levels.append(
            _level(scan, vertebra, vertebra, labels, spine.parts, spine.grid, level, own, asked_beside=True)
        )
    return {
        "case": name,
        "spacing_mm": [round(float(s), 2) for s in volume.grid.spacing_mm],
        "levels": levels,
        "found": True,
    }


def _with_bright_bone(spine: Spine, volume: Volume, number: int) -> npt.NDArray[np.uint16]:
    """The found labels, and bright bone without a label within 6 mm of one vertebra given to it."""
    labels = spine.labels.copy()
    box = spine.grid.box_around(spine.grid.to_lps(np.argwhere(labels == number)), 6.0)
    part = labels[box]
    away = ndimage.distance_transform_edt(part != number, sampling=spine.grid.spacing_mm)
    part[(part == 0) & (away <= NEAR_LABEL_MM) & (volume.hu[spine.box][box] > BRIGHT_HU)] = number
    return labels


def _peer(name: str, volume: Volume, spine: Spine) -> tuple[dict[int, str], npt.NDArray[np.bool_] | None]:
    """Names of the vertebrae, and the cord or sac, by the reference labels that lie beside a CT."""
    verse, other = DATA / name / "labels_verse.nii.gz", DATA / name / "labels_totalsegmentator.nii.gz"
    if verse.exists():
        labels = reference(verse, volume.grid)
        return _names(labels, spine, LEVELS), labels == 100
    if other.exists():
        labels = reference(other, volume.grid)
        named = {27 + k: USUAL_ORDER[::-1][k] for k in range(17)}
        return _names(labels, spine, named), labels == 79
    l3 = Path(DATA / name / "sub-ct_seg-vert_label-22_msk.nii.gz")
    if l3.exists():
        return _names(reference(l3, volume.grid), spine, LEVELS), None
    return {}, None


def _names(labels: npt.NDArray[Any], spine: Spine, table: dict[int, str]) -> dict[int, str]:
    own = labels[spine.box]
    named = {}
    for vertebra in spine.vertebrae:
        votes = np.bincount(own[spine.body_mask(vertebra)].astype(int), minlength=1)
        votes[0] = 0
        best = int(votes.argmax())
        if best in table and votes[best] > 0.5 * spine.body_mask(vertebra).sum():
            named[vertebra.id] = table[best]
    return named


def _level(
    scan: Ready,
    vertebra: Vertebra,
    true: Vertebra,
    labels: npt.NDArray[np.uint16],
    parts: npt.NDArray[np.uint8],
    grid: Grid,
    level: str | None,
    cord: npt.NDArray[np.bool_] | None = None,
    *,
    asked_beside: bool = False,
) -> dict[str, Any]:
    started = process_time()
    plan = plan_level(scan, vertebra, Wish())
    seconds = process_time() - started
    body = (labels == true.id) & (parts == Part.BODY)

    def checked(way: Trajectory) -> dict[str, Any]:
        found = touched(way, true, labels, parts, grid, cord)
        return {
            "side": way.side,
            "approach": way.approach,
            "transverse": round(way.transverse_deg, 1),
            "sagittal": round(way.sagittal_deg, 1),
            "least_mm": round(way.least_mm, 2),
            "medial_mm": round(way.medial_margin_mm, 2),
            "widest": way.widest_gauge,
            "safe": [round(a.safe, 3) for a in way.aim],
            "tip_share": round(tip_share(way, true, body, grid), 3),
            "grade": gertzbein_robbins(max(float(found["pedicle_off_mm"]), float(found["canal_mm"]))),
            **found,
        }

    # Where a way through a pedicle exists, none beside it is looked for; in the thorax it is asked for too.
    thoracic = asked_beside and (level is None or level.startswith("T"))
    besides = plan_level(scan, vertebra, Wish(approach="extrapedicular")).sides if thoracic else ()
    return {
        "level": level,
        "seconds": round(seconds, 2),
        "beside": [None if one.best is None else checked(one.best) for one in besides],
        "single": None if plan.single is None else checked(plan.single),
        "sides": [
            {
                "side": answer.side,
                "way": None if answer.best is None else checked(answer.best),
                "reason": answer.reason,
                "missed": _missed(scan, vertebra, answer.side, plan) if answer.best is None else 0,
                "width_mm": None if answer.corridor is None else round(answer.corridor.width_mm, 1),
            }
            for answer in plan.sides
        ],
    }


def _missed(scan: Ready, vertebra: Vertebra, side: str, plan: LevelPlan) -> int:
    """Ways through or beside a pedicle that brute force finds where the planner found none."""
    keep = keep_away(scan.volume, scan.spine, vertebra, scan.around)
    sign = 1.0 if side == "left" else -1.0
    middle = scan.pedicles.get((vertebra.id, int(sign)), (14.0, 4.0))
    found = corridor(
        keep, "left" if sign > 0 else "right", middle, float(max(scan.spine.grid.spacing_mm[1:]))
    )
    if found is not None:
        at = vertebra.frame.to_local(found.isthmus_mm)
        middle = (abs(float(at[0])), float(at[2]))
    outer = gauge(Wish().needle).outer_mm
    both: tuple[Approach, ...] = ("transpedicular", "extrapedicular")
    body = scan.bodies[vertebra.id]
    return sum(brute_force(keep, rules(way, outer), body, sign, middle) for way in both)


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    phantoms, real = [c for c in done if "seed" in c], [c for c in done if "seed" not in c]
    rows = []
    if phantoms:
        rows += _rows(f"phantoms ({len(phantoms)})", phantoms, truth=True)
    if real:
        rows += _rows(f"real CT ({len(real)})", real, truth=False)
    broken = sum(bool(c["fractures"]) for c in phantoms)
    caption = (
        f"{len(phantoms)} synthetic patients (seeds from {SEED}, aged 55 to 90, three whole levels of "
        f"T6 to L5 in view, {broken} with a fracture, slices 0.8 to 2.5 mm, soft and sharp kernel) and "
        "every whole vertebra from T6 to L5 of the real CTs. The spine was found in the scan alone, "
        "and each whole level planned for an 11 G needle (3.1 mm) with 1 mm to the medial pedicle "
        "wall. Each planned needle was then filled with points 0.2 mm apart and looked up in a label "
        "map by other code than the planner's: for phantoms that of the truth, for real CTs the found "
        "one with bright bone beside it, since no truth exists (and, where a peer's label of the cord "
        "or sac lies beside the CT, that one). A root counts as touched in front of the pedicle's "
        "back end. Where the planner found no way on a side, brute force on a denser grid looked for "
        "one through the pedicle and beside it (older results: through it alone). In the thorax of real CTs "
        "a way beside the pedicle was asked for as well; in the phantoms lung lies against the body there. "
        "No needle was put into anyone. Published for comparison, on other "
        f"tasks and data: planned {SUCCESS}; grade A {GRADE_A}."
    )
    return Table(NAME, "Planned punctures", caption, rows, done, quick)


def _grades(ways: list[dict[str, Any]]) -> str:
    """Shares of the grades by how far a needle left the pedicle or entered the canal.

    Results of before the depth in the canal was measured have no grade where the canal is touched.
    """
    graded = [w for w in ways if "canal_mm" in w or not w["canal"]]
    if not graded:
        return f"none of {len(ways)} was graded"
    best = np.mean([w["grade"] == "A" for w in graded])
    good = np.mean([w["grade"] in "AB" for w in graded])
    rest = "" if len(graded) == len(ways) else f"; {len(ways) - len(graded)} in the canal not graded"
    return f"{100 * best:.1f} % (A or B {100 * good:.1f} %, n = {len(graded)}{rest})"


def _rows(on: str, cases: list[dict[str, Any]], *, truth: bool) -> list[Row]:
    levels = [level for c in cases for level in c["levels"]]
    sides = [side for level in levels for side in level["sides"]]
    ways = [s["way"] for s in sides if s["way"]] + [v["single"] for v in levels if v["single"]]
    count = len(ways)
    canal, root = sum(w["canal"] > 0 for w in ways), sum(w["root"] > 0 for w in ways)
    where = "the true canal" if truth else "the canal as it was found"
    rows = [
        Row(on, f"planned needles that touch {where}", "0", f"{canal} of {count}", canal == 0),
        Row(on, "planned needles that touch a foramen", "0", f"{root} of {count}", root == 0),
    ]
    with_cord = [w for w in ways if "cord" in w]
    if with_cord:
        hit = sum(w["cord"] > 0 for w in with_cord)
        text = f"{hit} of {len(with_cord)}"
        rows.append(Row(on, "planned needles that touch a peer's cord or sac", "0", text, hit == 0))
    out = sum(w["body_off_mm"] > 1.0 for w in ways)
    rows.append(Row(on, "needles that leave the body by more than 1 mm", "0", f"{out} of {count}", out == 0))
    through = [w for w in ways if w["approach"] == "transpedicular"]
    if through:
        rows.append(Row(on, "transpedicular needles of grade A as planned", "", _grades(through)))
    share = float(np.mean([w["tip_share"] >= 2 / 3 - 0.01 for w in ways])) if ways else 0.0
    rows.append(Row(on, "tip in the anterior third", "≥ 0.98", f"{share:.3f} (n = {count})", share >= 0.98))
    planned = [s for s in sides if s["way"]]
    beside = sum(s["way"]["approach"] == "extrapedicular" for s in planned)
    both = np.mean([all(s["way"] for s in v["sides"]) for v in levels]) if levels else 0.0
    rows.append(
        Row(
            on,
            "sides with a way",
            "",
            f"{len(planned)} of {len(sides)} ({beside} beside the pedicle); both sides on "
            f"{100 * both:.0f} % of {len(levels)} levels",
        )
    )
    missed = sum(s["missed"] > 0 for s in sides)
    none = len(sides) - len(planned)
    rows.append(
        Row(
            on,
            "sides without a way on which brute force finds one",
            "0",
            f"{missed} of {none}",
            missed == 0,
        )
    )
    asked = [way for level in levels for way in level.get("beside", [])]
    if asked:
        ways = [way for way in asked if way]
        text = f"{len(ways)} of {len(asked)}"
        rows.append(Row(on, "thoracic sides with a way beside the pedicle, where one is asked for", "", text))
        canal = sum(w["canal"] > 0 for w in ways)
        root = sum(w["root"] > 0 for w in ways)
        text = f"canal {canal}, foramen {root} of {len(ways)}"
        rows.append(Row(on, "ways beside the pedicle that touch", "0", text, canal + root == 0))
    seconds = [v["seconds"] for v in levels]
    if seconds:
        soon = 100 * np.mean([s <= 2.0 for s in seconds])
        text = (
            f"{np.median(seconds):.1f} ({soon:.0f} % of {len(seconds)} levels within 2, longest "
            f"{max(seconds):.1f})"
        )
        rows.append(
            Row(
                on,
                "seconds of one core a level, after anatomy, median",
                "≤ 2",
                text,
                bool(np.median(seconds) <= 2.0),
            )
        )
    if not truth:
        return rows
    lost = sum(not c["found"] for c in cases)
    return [*rows, Row(on, "phantoms in which no spine was found", "", f"{lost} of {len(cases)}")]
