"""What the report itself must add to the notes on quality: what is missing in it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite

import numpy as np

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.dicom.originals import why_not_referable
from thecal.leakage.findings import Leakage, VertebraMeasure
from thecal.leakage.levels import Levels
from thecal.quality import QualityNote
from thecal.report.headline import listed
from thecal.terms import vertebra_name
from thecal.volume import Volume

# One word a measure, as the table of vertebrae heads its columns.
_MEASURES = {
    "body_volume_ml": "body volume",
    "trabecular_hu": "trabecular HU",
    "height_anterior_mm": "anterior height",
    "height_middle_mm": "middle height",
    "height_posterior_mm": "posterior height",
    "wedge_degrees": "wedge",
    "height_loss_fraction": "height loss",
    "cement_ml": "cement volume",
    "fill_fraction": "fill",
    "canal_area_mm2": "canal area",
}
# These notes of leakage already say that a body's shape was not measured.
_TOLD_BY_LEAKAGE = ("vertebra_incomplete", "body_not_measured")
_SHAPE_WORDS = (
    "body volume",
    "anterior height",
    "middle height",
    "posterior height",
    "wedge",
    "height loss",
    "fill",
)
_INPUT = {
    "series_uid": "series",
    "slice_thickness_mm": "slice thickness",
    "kvp": "tube voltage",
    "kernel": "kernel",
    "age": "age",
    "sex": "sex",
}


def _intradural(leakage: Leakage | None) -> QualityNote:
    found = leakage.dural if leakage else None
    if found is None or found.probability is None:
        why = found.why if found and found.why else "There was no spine to read it from."
        return QualityNote(
            "intradural_not_assessable",
            "warning",
            f"Whether cement lies inside the dura cannot be assessed. {why}",
        )
    return QualityNote(
        "intradural_on_generated_cases",
        "warning",
        "The probability of cement inside the dura was fitted to generated cases, not to patients, and holds "
        f"for the prior of {found.prior:g}. CT does not show the dura.",
    )


def reservations(
    volume: Volume,
    spine: Spine | None,
    cement: Cement | None,
    leakage: Leakage | None,
    *,
    not_found: str | None = None,
) -> list[QualityNote]:
    """Notes for each value that the report leaves null or empty."""
    notes = [_intradural(leakage)]
    if leakage is None:
        notes.append(QualityNote("revision_not_planned", "info", "Without a spine no revision is planned."))
    unnamed = why_not_referable(volume.source) if volume.source.kind == "dicom" else None
    if unnamed is not None:
        notes.append(
            QualityNote(
                "dicom_outputs_not_written",
                "warning",
                f"No DICOM outputs are written, since {unnamed}.",
            )
        )
    unstated = [word for key, word in _INPUT.items() if getattr(volume.source, key) is None]
    if unstated:
        notes.append(
            QualityNote("input_not_stated", "info", f"The input does not state: {', '.join(unstated)}.")
        )
    if volume.source.hu_clipped_at is None:
        notes.append(
            QualityNote("hu_not_clipped", "info", "No value at which the scanner clips HU was seen.")
        )
    if spine is None or leakage is None:
        notes.append(
            QualityNote(
                "spine_not_found",
                "critical",
                not_found or "No spine was found in this scan, so nothing about cement can be said.",
            )
        )
        notes.append(
            QualityNote(
                "label_maps_not_written",
                "info",
                "The label maps are not written, as an empty map would read as no cement.",
            )
        )
        return notes
    notes.append(
        QualityNote(
            "searched_near_spine_only",
            "info",
            "Cement was looked for in the vertebrae, discs and canal and close around them, not in the rest "
            "of the scan: nothing is said of the lungs, the heart and vessels away from the spine.",
        )
    )
    if cement is not None:
        notes += _limit(cement, leakage) + _metal(spine, cement)
    notes += _vertebrae(spine, leakage) + _canal(spine, leakage) + _deposits(leakage)
    return notes


def brightness_of_limit(cement: Cement) -> float | None:
    """HU from which the detection limit holds, rounded up."""
    hu = cement.detection_limit_hu
    return None if hu is None else 50.0 * ceil(round(hu, 3) / 50.0)


def _limit(cement: Cement, leakage: Leakage) -> list[QualityNote]:
    bright = brightness_of_limit(cement)
    if not isfinite(cement.detection_limit_mm3):
        return [
            QualityNote(
                "detection_limit_unknown",
                "warning",
                "No size can be named from which this scan would surely show a deposit.",
            )
        ]
    if bright is None:
        return []
    return [
        QualityNote(
            "detection_limit_holds_for",
            "info" if leakage.deposits else "warning",
            f"The detection limit of {cement.detection_limit_mm3:.0f} mm3 is for compact cement of "
            f"{bright:.0f} HU and brighter. Published means of cement are 1000 to 3000 HU; dimmer cement, "
            "and thin sheets and veins, may be missed at any size.",
        )
    ]


def _metal(spine: Spine, cement: Cement) -> list[QualityNote]:
    """Where metal lies, by level and height: nothing there can be read as free of cement."""
    if not cement.metal.any():
        return []
    points = spine.grid.to_lps(np.argwhere(cement.metal))
    here = Levels.of(spine).spanned(points, share=0.02)
    names = [vertebra_name(v.level, v.id) for v in reversed(here)]
    at = f" at {listed(names)}" if names else ""
    return [
        QualityNote(
            "metal_not_assessable",
            "warning",
            f"Not assessable near metal{at} (z = {points[:, 2].min():.0f} to {points[:, 2].max():.0f} mm): "
            "cement within a few millimetres of it, and the canal on planes that pass it.",
        )
    ]


def _vertebrae(spine: Spine, leakage: Leakage) -> list[QualityNote]:
    notes = []
    measures = {m.id: m for m in leakage.vertebrae}
    unnamed = sum(v.level is None for v in spine.vertebrae)
    if unnamed and not any(note.code == "levels_unknown" for note in spine.quality):
        notes.append(
            QualityNote(
                "levels_unknown",
                "warning",
                f"The number of {unnamed} of {len(spine.vertebrae)} vertebrae is not known, as neither the "
                "sacrum nor the last rib settles it; they carry ids from 201, caudal first (see --level).",
            )
        )
    missing: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for vertebra in spine.vertebrae:
        name = vertebra_name(vertebra.level, vertebra.id)
        told = any(
            n.code in _TOLD_BY_LEAKAGE and f"{name} ".lower() in n.message.lower() for n in leakage.quality
        )
        lacking = [w for w in _lacking(measures.get(vertebra.id)) if not (told and w in _SHAPE_WORDS)]
        why: dict[str, list[str]] = {}
        for word in lacking:
            why.setdefault(_why(word, lacking, complete=vertebra.complete), []).append(word)
        for reason, unknown in why.items():
            missing.setdefault((reason, tuple(unknown)), []).append(name)
    for (reason, words), names in missing.items():
        notes.append(
            QualityNote(
                "measure_missing", "info", f"Not measured at {listed(names)}, as {reason}: {listed(words)}."
            )
        )
    if any(m.cement_anterior is None for m in leakage.vertebrae):
        notes.append(
            QualityNote(
                "thirds_only_with_cement",
                "info",
                "Shares of cement by thirds and by side, and where it reaches, are given only for whole "
                "bodies that hold cement.",
            )
        )
    return notes


def _why(word: str, lacking: Sequence[str], *, complete: bool) -> str:
    """Why one measure of a vertebra is missing, given all that are."""
    if word == "cement volume" or (word == "fill" and "cement volume" in lacking):
        return "metal in or at it hides cement"
    if word == "height loss" and "anterior height" not in lacking:
        return "no sound vertebra near it was measured whole"
    return "the scan does not support it there" if complete else "the edge of the scan cuts it"


def _lacking(measure: VertebraMeasure | None) -> tuple[str, ...]:
    if measure is None:
        return tuple(_MEASURES.values())
    return tuple(word for key, word in _MEASURES.items() if getattr(measure, key) is None)


def _canal(spine: Spine, leakage: Leakage) -> list[QualityNote]:
    measured = [s for s in leakage.profile if s.cement_area_mm2 is not None]
    if leakage.canal_cement_ml is None and not measured:
        return [
            QualityNote(
                "canal_not_assessable", "critical", "Cement in the canal could not be measured on this scan."
            )
        ]
    notes = []
    if leakage.worst is None:
        notes.append(
            QualityNote(
                "no_occlusion_to_state",
                "info",
                "No cement was detected on any plane of the canal, so no largest occlusion is stated.",
            )
        )
    elif leakage.worst.residual_ap_mm is None:
        notes.append(
            QualityNote(
                "residual_diameter_missing",
                "info",
                "The front-to-back diameter left by the cement was not measurable at the worst place.",
            )
        )
    notes += _holes(spine, leakage)
    return notes


def _holes(spine: Spine, leakage: Leakage) -> list[QualityNote]:
    """Where along the canal nothing could be measured; at its very ends that is no more than the end."""
    unmeasured = np.array([s.canal_area_mm2 is None for s in leakage.profile], bool)
    where = np.flatnonzero(unmeasured)
    notes: list[QualityNote] = []
    for run in np.split(where, np.flatnonzero(np.diff(where) > 1) + 1):
        if not len(run):
            continue
        ends = [leakage.profile[run[k]] for k in (-1, 0)]
        z = spine.canal.frame.at([end.at_mm for end in ends])[:, 2]
        names = dict.fromkeys(
            vertebra_name(end.level, end.vertebra_id) for end in ends if end.vertebra_id is not None
        )
        at = f" at {listed(list(names))}" if names else ""
        at_end = run[0] == 0 or run[-1] == len(unmeasured) - 1
        notes.append(
            QualityNote(
                "canal_partly_not_assessable",
                "info" if at_end else "warning",
                f"The canal could not be measured{at}, from z = {z.min():.0f} to {z.max():.0f} mm"
                f"{', the end of what was found of it' if at_end else ''}.",
            )
        )
    return notes


def _deposits(leakage: Leakage) -> list[QualityNote]:
    notes = []
    escaped = [d for d in leakage.deposits if d.compartment != "intravertebral"]
    no_breach = [str(d.id) for d in escaped if d.breach_mm is None]
    if no_breach:
        notes.append(
            QualityNote(
                "breach_unknown",
                "info",
                f"Where the cement left the bone was not found for {_numbered(no_breach)}.",
            )
        )
    no_type = [str(d.id) for d in escaped if d.yeom is None]
    if no_type:
        notes.append(QualityNote("yeom_unknown", "info", f"No Yeom type is given to {_numbered(no_type)}."))
    within = len(leakage.deposits) - len(escaped)
    if within:
        notes.append(
            QualityNote(
                "within_bone_no_breach",
                "info",
                "Deposits inside a vertebra carry no breach point and no Yeom type, since they left no bone.",
            )
        )
    return notes


def _numbered(ids: list[str]) -> str:
    return f"deposit {ids[0]}" if len(ids) == 1 else f"deposits {listed(ids)}"
