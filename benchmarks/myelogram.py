"""CT myelograms: contrast painted into phantoms and into the sac of real CTs, with cement and without."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, Final

import numpy as np
from scipy import ndimage

from benchmarks.scans import Window, available, clean_spine, window
from benchmarks.score import FOUND_SHARE, cement_scores, dice
from benchmarks.table import Row, Table
from thecal.anatomy.spine import Spine
from thecal.assessment import Assessment, assess
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.insert import insert_deposits
from thecal.phantom.myelogram import Myelogram, inject
from thecal.phantom.patient import make_patient
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, FloatArray, Volume

NAME: Final = "myelogram"
SEED: Final = 7300
Job = tuple[str, int, float | None, tuple[str, str] | None, bool]
# Phantom seed or window, HU, levels reached (None: all), with cement. Without contrast: the same on plain CT.
PHANTOMS: Final[tuple[Job, ...]] = (
    ("phantom", 1, None, None, True),
    ("phantom", 1, 300.0, None, True),
    ("phantom", 1, 600.0, None, False),
    ("phantom", 2, None, None, True),
    ("phantom", 2, 900.0, None, True),
    ("phantom", 2, 500.0, ("T12", "L1"), False),
    ("phantom", 3, None, None, True),
    ("phantom", 3, 600.0, ("T12", "L1"), True),
    ("phantom", 3, 1300.0, None, True),
)
WINDOWS: Final = (
    Window("thorax_2p5mm", (0.0, 0.45)),
    Window("abdomen_3mm", (0.1, 0.85)),
    Window("thorax_1p5mm", (0.0, 0.55)),
    Window("t11t12_dicom"),
)
REAL: Final[tuple[Job, ...]] = (
    ("0", 1, 400.0, None, False),
    ("0", 2, 800.0, None, True),
    ("1", 1, 400.0, None, False),
    ("1", 2, 800.0, None, True),
    ("2", 1, 400.0, None, True),
    ("3", 1, 600.0, None, False),
)


def cases(*, quick: bool) -> list[Job]:
    """Phantoms, then real CTs."""
    real = [job for job in REAL if available(WINDOWS[int(job[0])].scan)]
    if quick:
        return [*PHANTOMS[1:3], *real[:2]]
    # By turns, so that a run cut short has seen both kinds.
    both = zip_longest(PHANTOMS, real)
    return [job for pair in both for job in pair if job is not None]


def one_case(job: Job) -> dict[str, Any]:
    """Make a myelogram, assess it from the voxels alone, and compare with what is known of it."""
    where, seed, hu, levels, cement = job
    medium = None if hu is None else Myelogram(hu, levels)
    if where == "phantom":
        case = make_patient(
            SEED + seed,
            "T12-L2",
            spacing_mm=(1.5, 0.9, 0.9),
            fov_mm=140.0,
            deposits=_deposits("L1", "T12") if cement else (),
            myelogram=medium,
        )
        volume, truth, spine = case.volume, case.cement, case.spine
    else:
        which = WINDOWS[int(where)]
        plain, spine = window(which), clean_spine(which)
        volume, truth = inject(plain, spine, medium) if medium else plain, None
        whole = [v.level or f"#{v.id}" for v in spine.vertebrae if v.complete]
        if cement:
            rng = np.random.default_rng([SEED, seed])
            volume, truth = insert_deposits(volume, spine, _deposits(whole[-1], whole[0]), rng)
    result = assess(volume)
    found: dict[str, Any] = {
        "case": where if where == "phantom" else WINDOWS[int(where)].name,
        "seed": seed,
        "contrast_hu": hu,
        "levels": None if levels is None else list(levels),
        "seconds": round(sum(result.timings_s.values()), 1),
        "not_found": result.not_found,
        **_anatomy(volume, spine, result),
        "reported": 0 if result.leakage is None else len(result.leakage.deposits),
    }
    if truth is not None:
        found |= cement_scores(volume, truth, result)
    if result.spine is not None and result.cement is not None and result.leakage is not None:
        notes = (*result.spine.quality, *result.cement.quality)
        found["notes"] = sorted({note.code for note in notes if "contrast" in note.code})
        found["finding"] = None if result.leakage.dural is None else result.leakage.dural.finding
    return found


def _deposits(treated: str, other: str) -> tuple[DepositSpec, ...]:
    """Fill, cement within the sac, and cement outside it at another level."""
    return (
        DepositSpec("intravertebral", treated, 2.5),
        DepositSpec("intradural", treated, 0.4),
        DepositSpec("epidural", other, 0.4, side="left"),
    )


def _anatomy(volume: Volume, spine: Spine, result: Assessment) -> dict[str, Any]:
    """Canal and sac against the truth, or the plain scan's; sac's radius where both canals are judged."""
    if result.spine is None:
        return {"canal_dice": 0.0, "sac_dice": 0.0, "sac_error_mm": None}
    shown = np.zeros(volume.hu.shape[0], bool)
    for which in (spine, result.spine):
        at = volume.grid.to_index(which.canal.frame.points[which.canal.confidence >= 0.2])[:, 0]
        rows = np.clip(np.rint(at), 0, len(shown) - 1).astype(int)
        mark = np.zeros_like(shown)
        mark[rows] = True
        shown = mark if which is spine else shown & mark
    masks = {}
    for name, labels in (("canal", (THECAL_SAC, EPIDURAL_SPACE)), ("sac", (THECAL_SAC,))):
        masks[name] = [_mask(volume, s, labels) & shown[:, None, None] for s in (spine, result.spine)]
    true, ours = (mask.sum(axis=(1, 2))[shown] for mask in masks["sac"])
    pixel = float(np.prod(volume.grid.spacing_mm[1:]))
    # The radius of a circle of the sac's area, slice by slice.
    error = np.sqrt(ours * pixel / np.pi) - np.sqrt(true * pixel / np.pi)
    surface = _surface_mm(*masks["sac"], volume)
    sd = result.spine.canal.sac_sd_mm
    return {
        "canal_dice": round(dice(*masks["canal"]), 4),
        "sac_dice": round(dice(*masks["sac"]), 4),
        "sac_error_mm": round(float(np.median(surface)), 3) if len(surface) else None,
        "sac_radius_bias_mm": round(float(np.median(error)), 3),
        "sac_sd_mm": None if sd is None else round(float(np.median(sd)), 2),
    }


def _mask(volume: Volume, spine: Spine, labels: tuple[int, ...]) -> BoolArray:
    mask = np.zeros(volume.hu.shape, bool)
    mask[spine.box] = np.isin(spine.labels, labels)
    return mask


def _surface_mm(a: BoolArray, b: BoolArray, volume: Volume) -> FloatArray:
    """Distance within its slice of each border pixel of one mask from the other's border, mm."""
    pixels = volume.grid.spacing_mm[1:]
    found = []
    for one, other in zip(a, b, strict=True):
        if not one.any() or not other.any():
            continue
        edges = [mask & ~ndimage.binary_erosion(mask) for mask in (one, other)]
        found.append(ndimage.distance_transform_edt(~edges[0], sampling=pixels)[edges[1]])
    return np.concatenate(found) if found else np.zeros(0)


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    rows: list[Row] = []
    groups = {
        "phantoms, plain CT": [c for c in done if c["case"] == "phantom" and c["contrast_hu"] is None],
        "phantoms, contrast": [c for c in done if c["case"] == "phantom" and c["contrast_hu"] is not None],
        "real CT, contrast painted in": [c for c in done if c["case"] != "phantom"],
    }
    for on, group in groups.items():
        if not group:
            continue
        on = f"{on} ({len(group)})"
        judged = on.startswith("phantoms, contrast") or on.startswith("real")
        lost = sum(c["not_found"] is not None for c in group)
        rows.append(
            Row(
                on,
                "spine found",
                "all" if judged else "",
                f"{len(group) - lost} of {len(group)}",
                lost == 0 if judged else None,
            )
        )
        for key, words in (("canal_dice", "canal Dice"), ("sac_dice", "sac Dice")):
            values = [c[key] for c in group]
            rows.append(Row(on, f"{words}, mean", "", f"{np.mean(values):.3f} (lowest {np.min(values):.3f})"))
        errors = [c["sac_error_mm"] for c in group if c["sac_error_mm"] is not None]
        if errors:
            rows.append(Row(on, "distance of the sac's border, median of a case, mean over cases", "",
                            f"{np.mean(errors):.2f} mm (largest {np.max(errors):.2f})"))  # fmt: skip
        stated = [c["sac_sd_mm"] for c in group if c.get("sac_sd_mm") is not None]
        if stated:
            rows.append(
                Row(
                    on,
                    "uncertainty of the sac's radius that is stated, median",
                    "",
                    f"{np.median(stated):.2f} mm",
                )
            )
        ones = [d for c in group for d in c.get("deposits", []) if d["counted"]]
        for kind in ("intravertebral", "intradural", "epidural"):
            own = [d for d in ones if d["compartment"] == kind]
            if own:
                right = sum(d["share_right"] >= FOUND_SHARE for d in own)
                called = ", ".join(sorted(d["called"] for d in own if d["share_right"] < FOUND_SHARE))
                rows.append(
                    Row(
                        on,
                        f"{kind} cement found with the right compartment",
                        "",
                        f"{right} of {len(own)}" + (f"; else: {called}" if called else ""),
                    )
                )
        without = [c for c in group if "deposits" not in c]
        if without:
            alarms = sum(c["reported"] for c in without)
            rows.append(
                Row(
                    on,
                    "deposits reported without cement",
                    "none",
                    f"{alarms} in {len(without)} cases",
                    alarms == 0,
                )
            )
        false = sum(len(c.get("false", [])) for c in group if "deposits" in c)
        rows.append(Row(on, "false deposits beside cement", "", f"{false}"))
    caption = (
        "Contrast medium painted into phantoms (CSF bright, cord and roots dark; blur and noise as of all "
        "else) and into the sac that the built-in anatomy draws in real CTs (with a made-up cord and roots), "
        "over the whole scan or over T12 to L1 alone. In phantoms the reference is the truth, in real CTs "
        "the anatomy of the same CT without contrast, whose sac is itself an estimate. The cement's "
        "brightness is drawn by seed. No real myelogram was at hand; these phantoms were not "
        "looked at while the method was made."
    )
    return Table(NAME, "CT myelograms", caption, rows, done, quick)
