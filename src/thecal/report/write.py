"""Everything the report writes into its folder: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.dicom.originals import why_not_referable
from thecal.dicom.segments import SegForm
from thecal.leakage.findings import Leakage
from thecal.report.archive_pictures import key_image_file
from thecal.report.build import build_report
from thecal.report.html import PICTURES, SOMETIMES
from thecal.report.like_cases import LikeCases
from thecal.report.replaced_files import replaced_files
from thecal.report.schema import Observations, Report
from thecal.volume import Volume

OUR_FILES = (
    "report.json",
    "report.html",
    "anatomy.nii.gz",
    "cement.nii.gz",
    "report.pdf",
    "segmentation.dcm",
    "report.dcm",
    *(key_image_file(name) for name in (*PICTURES, *SOMETIMES)),
    "report_pdf.dcm",
)


def write_report(
    out: Path,
    volume: Volume,
    spine: Spine | None,
    cement: Cement | None,
    leakage: Leakage | None,
    *,
    observations: Observations | None = None,
    timings: Mapping[str, float] | None = None,
    not_found: str | None = None,
    identified: bool = False,
    seg_form: SegForm = "binary",
    seg_whole_frames: bool = False,
    pdf: bool = False,
    like: Callable[[Report], LikeCases | None] | None = None,
) -> Report:
    """Write ``report.json``, ``report.html``, the label maps and, of DICOM, SEG, SR and key images.

    Parameters
    ----------
    out : Path
        Made where it does not exist; in an existing folder only the report's own files are replaced.
    volume, spine, cement, leakage
        The stages' values; without a spine no label maps are written.
    observations, timings, not_found
        As in :func:`thecal.report.build.build_report`.
    identified : bool
        Whether the page may carry the patient's name; the key images never do.
    seg_form, seg_whole_frames
        As ``form`` and ``whole_frames`` of :func:`thecal.report.dicom_outputs.write_dicom_outputs`.
    pdf : bool
        Whether the page is also written for paper, as ``report.pdf`` and, of DICOM, ``report_pdf.dcm``.
    like : callable, optional
        Gives the published cases like a report; None for none.

    Returns
    -------
    Report
        As written, with the stage "report" among its timings.

    Raises
    ------
    InputError
        Where ``out`` cannot be written to, or the extra ``[pdf]`` is asked for and not installed.
    """
    from thecal.report.html import draw_pictures, render_html

    if pdf:
        from thecal.report.pdf import check_pdf_can_be_made, render_pdf

        check_pdf_can_be_made()

    began = perf_counter()
    stages = dict(timings or {})

    def built() -> Report:
        return build_report(
            volume,
            spine,
            cement,
            leakage,
            observations=observations,
            timings=stages,
            not_found=not_found,
        )

    with replaced_files(out, OUR_FILES) as folder, ThreadPoolExecutor(1) as pool:
        maps = []
        if spine is not None and cement is not None and leakage is not None:
            from thecal.report.fullest_voxels import segment_voxels
            from thecal.report.labelmaps import write_anatomy, write_cement

            segmented = replace(leakage, deposit_labels=segment_voxels(cement, leakage))

            # Compression leaves the interpreter free, so the pictures are drawn meanwhile.
            maps.append(pool.submit(write_anatomy, folder / "anatomy.nii.gz", volume, spine))
            maps.append(pool.submit(write_cement, folder / "cement.nii.gz", volume, spine, segmented))
        pictures = draw_pictures(volume, spine, leakage)
        found = like(built()) if like is not None else None
        page = render_html(
            built(), volume, spine, leakage, identified=identified, pictures=pictures, like=found
        )
        (folder / "report.html").write_text(page, encoding="utf-8")
        paper = render_pdf(built(), volume, pictures, identified=identified, like=found) if pdf else None
        if paper is not None:
            (folder / "report.pdf").write_bytes(paper)
        if (
            spine is not None
            and cement is not None
            and leakage is not None
            and volume.source.kind == "dicom"
            and why_not_referable(volume.source) is None
        ):
            from thecal.report.archive_pictures import write_key_images, write_pdf_document
            from thecal.report.dicom_outputs import write_dicom_outputs

            write_dicom_outputs(
                folder, volume, spine, segmented, built(), form=seg_form, whole_frames=seg_whole_frames
            )
            write_key_images(folder, volume, pictures)
            if paper is not None:
                write_pdf_document(folder, volume, paper, identified=identified)
        for written in maps:
            written.result()
        stages["report"] = perf_counter() - began
        report = built()
        (folder / "report.json").write_text(report.to_json(), encoding="utf-8")
    return report
