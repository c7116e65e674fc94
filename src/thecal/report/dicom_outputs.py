"""``segmentation.dcm`` and ``report.dcm``: the findings as DICOM SEG and SR, for the archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thecal import __version__
from thecal.anatomy.spine import Spine
from thecal.dicom.codes import (
    ANATOMICAL_STRUCTURE,
    BONE_CEMENT,
    PHYSICAL_OBJECT,
    PLACES,
    SPINE,
    THECAL_SAC,
    VERTEBRAL_CANAL,
    Code,
    vertebra_code,
)
from thecal.dicom.codes import SACRUM as SACRUM_CODE
from thecal.dicom.segments import Algorithm, SegForm, Segment
from thecal.leakage.findings import Leakage
from thecal.report.palette import LOOKS
from thecal.report.schema import Report
from thecal.terms import EPIDURAL_SPACE, SACRUM, vertebra_name
from thecal.terms import THECAL_SAC as SAC_LABEL
from thecal.volume import Box, Volume

# CID 7162; what draws the builtin anatomy and the deposits are fronts at edges of brightness.
_EDGES = Code("123103", "DCM", "Edge Detection")
_NETWORK = Code("123110", "DCM", "Artificial Intelligence")
_GIVEN = Code("123109", "DCM", "Manual Processing")
_FAMILIES = {"given": _GIVEN, "totalsegmentator": _NETWORK}
_BONE, _CANAL, _SAC = "#e3d5b8", "#9ad0e6", "#f2c14e"
CANAL_ID, SAC_ID = "thecal-canal", "thecal-sac"


def write_dicom_outputs(
    folder: Path,
    volume: Volume,
    spine: Spine,
    leakage: Leakage,
    report: Report,
    *,
    form: SegForm = "binary",
    whole_frames: bool = False,
) -> None:
    """Write ``segmentation.dcm`` and ``report.dcm`` into a folder.

    Parameters
    ----------
    folder : Path
    volume : Volume
        Of DICOM images that can be referred to (``originals.why_not_referable``).
    spine, leakage
    report : Report
        Whose numbers the structured report repeats.
    form : "binary" or "labelmap"
        One bit a pixel and segment, or one label map.
    whole_frames : bool
        Frames of the images' own size, for viewers that show no other.

    Raises
    ------
    InputError
        Where the input can no longer be read.
    """
    from thecal.dicom.measurement_report import make_measurement_report
    from thecal.dicom.originals import originals_of
    from thecal.dicom.planes import on_source_planes
    from thecal.dicom.segmentation import make_segmentation
    from thecal.report.dicom_groups import comments, groups

    originals = originals_of(volume.source)
    segments = deposit_segments(report) + anatomy_segments(spine, report)
    box, within = _tight(spine, segments, leakage)
    maps = (spine.labels[within], leakage.deposit_labels[within].astype(np.uint16))
    planes = on_source_planes(maps, volume, box, on_pixels=whole_frames)
    segmentation = make_segmentation(
        segments, planes, originals, version=__version__, form=form, whole_frames=whole_frames
    )
    if segmentation is None:
        return
    structured = make_measurement_report(
        groups(report, segments), comments(report), segmentation, originals, version=__version__
    )
    segmentation.dataset.save_as(folder / "segmentation.dcm", enforce_file_format=True)
    structured.save_as(folder / "report.dcm", enforce_file_format=True)


def deposit_id(number: int) -> str:
    """The tracking id of a deposit."""
    return f"thecal-deposit-{number}"


def vertebra_id(label: int) -> str:
    """The tracking id of a vertebra."""
    return f"thecal-vertebra-{label}"


def deposit_segments(report: Report) -> list[Segment]:
    """One segment a deposit."""
    algorithm = Algorithm("thecal cement", __version__, _EDGES)
    return [
        Segment(
            tracking_id=deposit_id(d.id),
            label=f"Cement {d.id}: {d.compartment.replace('_', ' ')}"
            + (f", {vertebra_name(d.level, d.vertebra_id)}" if d.vertebra_id is not None else ""),
            category=PHYSICAL_OBJECT,
            kind=BONE_CEMENT,
            region=SPINE if d.vertebra_id is None else vertebra_code(d.level),
            structure=None if d.compartment == "intravertebral" else PLACES[d.compartment],
            colour=LOOKS[d.compartment].colour,
            algorithm=algorithm,
            layer=1,
            values=(d.id,),
        )
        for d in report.deposits
    ]


def anatomy_segments(spine: Spine, report: Report) -> list[Segment]:
    """Vertebrae from cranial to caudal, sacrum, sac and canal; the canal holds the sac."""
    algorithm = Algorithm(
        f"thecal anatomy {spine.backend}",
        spine.backend_version,
        _FAMILIES.get(spine.backend, _EDGES),
        automatic=spine.backend != "given",
    )

    def made(tracking_id: str, label: str, kind: Code, colour: str, *values: int) -> Segment:
        return Segment(
            tracking_id, label, ANATOMICAL_STRUCTURE, kind, None, None, colour, algorithm, 0, values
        )

    bones = [
        made(vertebra_id(v.id), vertebra_name(v.level, v.id), vertebra_code(v.level), _BONE, v.id)
        for v in reversed(report.vertebrae)
    ]
    return [
        *bones,
        made(vertebra_id(SACRUM), "Sacrum", SACRUM_CODE, _BONE, SACRUM),
        made(SAC_ID, "Thecal sac", THECAL_SAC, _SAC, SAC_LABEL),
        made(CANAL_ID, "Vertebral canal", VERTEBRAL_CANAL, _CANAL, SAC_LABEL, EPIDURAL_SPACE),
    ]


def _tight(spine: Spine, segments: list[Segment], leakage: Leakage) -> tuple[Box, Box]:
    """The smallest box that holds all segments: in the volume, and in the spine's crop."""
    wanted = np.zeros(int(spine.labels.max(initial=0)) + 1, bool)
    for segment in segments:
        if segment.layer == 0:
            wanted[[value for value in segment.values if value < len(wanted)]] = True
    held = [np.zeros(n, bool) for n in spine.labels.shape]
    for k, plane in enumerate(spine.labels):
        inside = wanted[plane] | (leakage.deposit_labels[k] > 0)
        held[0][k] = inside.any()
        held[1] |= inside.any(axis=1)
        held[2] |= inside.any(axis=0)
    within = tuple(
        slice(int(line.argmax()), len(line) - int(line[::-1].argmax())) if line.any() else slice(0, 1)
        for line in held
    )
    box = tuple(slice(b.start + w.start, b.start + w.stop) for b, w in zip(spine.box, within, strict=True))
    return (box[0], box[1], box[2]), (within[0], within[1], within[2])
