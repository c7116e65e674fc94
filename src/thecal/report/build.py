"""From the values of the stages to the report of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Final

import numpy as np
from scipy import ndimage

from thecal import __version__
from thecal.anatomy.spine import Part, Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import Deposit as FoundDeposit
from thecal.leakage.findings import IntraduralSign, Leakage, NeedleTrack, VertebraMeasure
from thecal.leakage.intradural.meaning import SIGN_MEANING
from thecal.quality import QualityNote
from thecal.report.figures import max_occlusion_of, point, rounded
from thecal.report.reservations import brightness_of_limit, reservations
from thecal.report.revision import revision_of
from thecal.report.schema import (
    SCHEMA_NAME,
    Anatomy,
    Canal,
    Deposit,
    Heights,
    Input,
    Intradural,
    Observations,
    Quality,
    Reaches,
    Report,
    Section,
    Sign,
    Software,
    Thirds,
    Track,
    Vertebra,
)
from thecal.terms import SIGNS, SignName, is_vertebra
from thecal.volume import FloatArray, Volume

_SEVERITIES = ("critical", "warning", "info")

_SURGERY = {
    "seen": "At surgery cement was seen outside the dura.",
    "none": "At surgery no cement was found outside the dura.",
    "unknown": "What surgery found is not stated.",
}


NO_CANAL_CEMENT: Final = "No cement was detected in the canal, so there is nothing to judge."


def build_report(
    volume: Volume,
    spine: Spine | None,
    cement: Cement | None,
    leakage: Leakage | None,
    *,
    observations: Observations | None = None,
    timings: Mapping[str, float] | None = None,
    not_found: str | None = None,
) -> Report:
    """The report of one assessment.

    Parameters
    ----------
    volume : Volume
    spine, cement, leakage
        What the stages found; None from the stage on that could not be done.
    observations : Observations, optional
        What the surgeon or the radiograph saw.
    timings : mapping, optional
        Seconds by stage.
    not_found : str, optional
        Why there is no spine, in one sentence.

    Returns
    -------
    Report
        Notes on quality are the stages' own and the report's, each once, critical ones first.
    """
    parts = (volume, spine, cement, leakage)
    notes: list[QualityNote] = [note for part in parts if part is not None for note in part.quality]
    notes += reservations(volume, spine, cement, leakage, not_found=not_found)
    return Report(
        schema=SCHEMA_NAME,
        software=Software(
            name="thecal",
            version=__version__,
            anatomy=Anatomy(
                name=spine.backend if spine else None, version=spine.backend_version if spine else None
            ),
        ),
        input=_input(volume, cement),
        vertebrae=_vertebrae(spine, leakage),
        deposits=[_deposit(d) for d in leakage.deposits] if leakage else [],
        canal=_canal(spine, leakage),
        intradural=_intradural(cement, leakage, observations or Observations()),
        tracks=[_track(t) for t in leakage.tracks] if leakage else [],
        observations=observations or Observations(),
        revision=revision_of(leakage.revision) if leakage else None,
        quality=_ordered(notes),
        timings_s={stage: round(seconds, 3) for stage, seconds in (timings or {}).items()},
    )


def _input(volume: Volume, cement: Cement | None) -> Input:
    source = volume.source
    a, b, c = (round(float(v), 4) for v in source.grid.spacing_mm)
    return Input(
        kind=source.kind,
        series_uid=source.series_uid,
        shape=source.grid.shape,
        spacing_mm=(a, b, c),
        orientation=source.orientation,
        slice_thickness_mm=rounded(source.slice_thickness_mm, 3),
        kvp=source.kvp,
        kernel=source.kernel,
        age=source.age,
        sex=source.sex,
        hu_clipped_at=source.hu_clipped_at,
        simulated=source.simulated,
        noise_hu=rounded(cement.noise_hu, 1) if cement else None,
        psf_sigma_mm=point(cement.psf_sigma_mm[::-1]) if cement else None,
    )


def _vertebrae(spine: Spine | None, leakage: Leakage | None) -> list[Vertebra]:
    if spine is None:
        return []
    measures: dict[int, VertebraMeasure] = {m.id: m for m in leakage.vertebrae} if leakage else {}
    centres = _body_centres(spine)
    rows = []
    for vertebra in spine.vertebrae:
        m = measures.get(vertebra.id)
        rows.append(
            Vertebra(
                level=vertebra.level,
                id=vertebra.id,
                level_source=vertebra.level_source,
                complete=vertebra.complete,
                confidence=round(float(vertebra.confidence), 3),
                body_volume_ml=rounded(m.body_volume_ml, 3) if m else None,
                trabecular_hu=rounded(m.trabecular_hu, 1) if m else None,
                heights_mm=Heights(
                    anterior=rounded(m.height_anterior_mm, 2) if m else None,
                    middle=rounded(m.height_middle_mm, 2) if m else None,
                    posterior=rounded(m.height_posterior_mm, 2) if m else None,
                ),
                height_loss_fraction=rounded(m.height_loss_fraction, 4) if m else None,
                wedge_degrees=rounded(m.wedge_degrees, 2) if m else None,
                cement_ml=rounded(m.cement_ml, 5) if m else None,
                fill_fraction=rounded(m.fill_fraction, 4) if m else None,
                cement_by_third=Thirds(
                    anterior=rounded(m.cement_anterior, 4) if m else None,
                    middle=rounded(m.cement_middle, 4) if m else None,
                    posterior=rounded(m.cement_posterior, 4) if m else None,
                ),
                cement_reaches=Reaches(
                    posterior_third=m.posterior_third_reached if m and m.cement_ml else None,
                    upper_endplate=m.upper_endplate_touched if m and m.cement_ml else None,
                    lower_endplate=m.lower_endplate_touched if m and m.cement_ml else None,
                ),
                cement_left_fraction=rounded(m.cement_left_fraction, 4) if m and m.cement_ml else None,
                canal_area_mm2=rounded(m.canal_area_mm2, 2) if m else None,
                centre_mm=point(centres.get(vertebra.id, vertebra.frame.origin)),
            )
        )
    return rows


def _body_centres(spine: Spine) -> dict[int, FloatArray]:
    """The centre of each body by vertebra id, LPS mm."""
    centres = {}
    for label, where in enumerate(ndimage.find_objects(spine.labels), start=1):
        if where is None or not is_vertebra(label):
            continue
        body = (spine.labels[where] == label) & (spine.parts[where] == Part.BODY)
        if body.any():
            index = np.argwhere(body).mean(0) + [part.start for part in where]
            centres[label] = spine.grid.to_lps(index)
    return centres


def _deposit(found: FoundDeposit) -> Deposit:
    return Deposit(
        id=found.id,
        compartment=found.compartment,
        level=found.level,
        vertebra_id=found.vertebra_id,
        levels_spanned=list(found.levels_spanned),
        vertebra_ids=list(found.vertebra_ids),
        volume_ml=round(float(found.volume_ml), 5),
        volume_sd_ml=round(float(found.volume_sd_ml), 5),
        centroid_mm=point(found.centroid_mm),
        extent_mm=point(found.extent_mm),
        mean_hu=round(float(found.mean_hu), 1),
        clipped_fraction=round(float(found.clipped_fraction), 4),
        side=found.side,
        route=found.route,
        yeom=found.yeom,
        breach_mm=point(found.breach_mm) if found.breach_mm is not None else None,
    )


def _track(found: NeedleTrack) -> Track:
    return Track(
        level=found.level,
        vertebra_id=found.vertebra_id,
        side=found.side,
        content=found.content,
        entry_mm=point(found.entry_mm),
        tip_mm=point(found.tip_mm),
        tip_hidden=found.tip_hidden,
        length_mm=round(found.length_mm, 1),
        transverse_angle=round(found.transverse_angle, 1),
        sagittal_angle=round(found.sagittal_angle, 1),
        published_angle=found.published_angle,
        medial_wall_clearance_mm=rounded(found.medial_wall_clearance_mm, 2),
        clearance_error_mm=rounded(found.clearance_error_mm, 2),
        breach=found.breach,
        breach_mm=rounded(found.breach_mm, 2),
        gertzbein_robbins=found.gertzbein_robbins,
    )


def _canal(spine: Spine | None, leakage: Leakage | None) -> Canal:
    if spine is None or leakage is None:
        return Canal(confidence=None, cement_ml=None, max_occlusion=None, profile=[])
    at = spine.canal.frame.index([section.at_mm for section in leakage.profile])
    confidence = spine.canal.confidence[at]
    sac_sd = spine.canal.sac_sd_mm
    return Canal(
        confidence=round(float(np.median(confidence)), 3) if len(at) else None,
        cement_ml=rounded(leakage.canal_cement_ml, 5),
        max_occlusion=max_occlusion_of(leakage.worst),
        profile=[
            Section(
                at_mm=round(float(section.at_mm), 2),
                level=section.level,
                vertebra_id=section.vertebra_id,
                canal_area_mm2=rounded(section.canal_area_mm2, 2),
                cement_area_mm2=rounded(section.cement_area_mm2, 2),
                confidence=round(float(confidence[i]), 3),
                sac_sd_mm=None if sac_sd is None else round(float(sac_sd[at[i]]), 2),
            )
            for i, section in enumerate(leakage.profile)
        ],
    )


def _intradural(cement: Cement | None, leakage: Leakage | None, observations: Observations) -> Intradural:
    known = cement is not None and isfinite(cement.detection_limit_mm3)
    limit = rounded(cement.detection_limit_mm3, 2) if cement and known else None
    bright = brightness_of_limit(cement) if cement and known else None
    read = {sign.name: sign for sign in leakage.signs} if leakage else {}
    dural = leakage.dural if leakage else None
    weights = dict(dural.weights) if dural else {}
    in_canal = leakage is not None and any(
        d.compartment in ("intradural", "epidural") for d in leakage.deposits
    )
    if dural and dural.finding == "not_detected" and not in_canal:
        # Of cement that was not seen no probability can be given: it would hang on the prior alone.
        dural = replace(dural, probability=None, interval=None, likelihood_ratio=None, why=NO_CANAL_CEMENT)
    low, high = dural.interval if dural and dural.interval else (None, None)
    return Intradural(
        finding=dural.finding if dural else "not_assessable",
        probability=rounded(dural.probability, 4) if dural else None,
        interval=None if low is None or high is None else (round(low, 4), round(high, 4)),
        prior=dural.prior if dural else None,
        likelihood_ratio=float(f"{dural.likelihood_ratio:.4g}") if dural and dural.likelihood_ratio else None,
        reason=dural.why if dural else "There was no spine to read it from.",
        detection_limit_mm3=limit,
        detection_limit_hu=bright,
        signs=[_sign(name, read.get(name), weights.get(name), observations) for name in SIGNS],
    )


def _sign(
    name: SignName, found: IntraduralSign | None, log_odds: float | None, observations: Observations
) -> Sign:
    meaning, source = SIGN_MEANING[name]
    explanation = found.explanation if found else f"{meaning} There was nothing to read it from."
    if name == "no_extradural_cement":
        # CT and surgery are two observers, and are told apart.
        explanation = f"{explanation} {_SURGERY[observations.extradural_cement_at_surgery]}"
    return Sign(
        name=name,
        state=found.state if found else "not_assessable",
        value=found.value if found else None,
        unit=found.unit if found else None,
        threshold=found.threshold if found else None,
        explanation=explanation,
        source=source,
        log_odds=log_odds if found and found.state != "not_assessable" else None,
        at_mm=point(found.at_mm) if found and found.at_mm is not None else None,
    )


def _ordered(notes: Sequence[QualityNote]) -> list[Quality]:
    once = dict.fromkeys(notes)
    return [
        Quality(code=note.code, severity=note.severity, message=_sentence(note.message))
        for severity in _SEVERITIES
        for note in once
        if note.severity == severity
    ]


def _sentence(message: str) -> str:
    """With a capital at its beginning, unless it begins with the name of a file."""
    return message[:1].upper() + message[1:] if message.split(" ")[0].isalpha() else message
