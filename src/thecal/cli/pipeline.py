"""From an input path to a written report: what ``assess`` and ``demo`` share."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from thecal.cli.compiled import tell_if_cold
from thecal.cli.progress import stage_progress
from thecal.dicom.segments import SegForm
from thecal.errors import InputError
from thecal.report.replaced_files import check_writable
from thecal.report.schema import Observations, Report
from thecal.report.write import write_report
from thecal.terms import EVEN_ODDS

STAGES = ("read", "anatomy", "cement", "leakage", "report")


def assess_to_folder(
    input_path: Path,
    out: Path,
    *,
    anatomy: str = "builtin",
    level: str | None = None,
    series: str | None = None,
    findings: Path | None = None,
    intradural_prior: float = EVEN_ODDS,
    identified: bool = False,
    seg_form: SegForm = "binary",
    seg_whole_frames: bool = False,
    pdf: bool = False,
) -> tuple[Report, bool]:
    """Read, assess and write; with a progress bar where stderr is a terminal.

    Returns
    -------
    report : Report
    found : bool
        False where no spine was found, and the report says so.

    Raises
    ------
    InputError
        Where the input, an option or ``out`` cannot be used, or the PDF's library is missing.
    """
    check_writable(out)
    if pdf:
        from thecal.report.pdf import check_pdf_can_be_made

        check_pdf_can_be_made()
    observations = read_findings(findings) if findings is not None else None
    with stage_progress(STAGES) as begin:
        begin("read")
        started = perf_counter()
        from thecal.assessment import assess
        from thecal.dicom import read
        from thecal.registry.similar.box import cases_like

        volume = read(input_path, series=series)
        # Only now: an input that cannot be used is told in one sentence.
        tell_if_cold()
        timings = {"read": perf_counter() - started}
        result = assess(
            volume, anatomy=anatomy, level=level, intradural_prior=intradural_prior, progress=begin
        )
        begin("report")
        report = write_report(
            out,
            volume,
            result.spine,
            result.cement,
            result.leakage,
            observations=observations,
            timings=timings | result.timings_s,
            not_found=result.not_found,
            identified=identified,
            seg_form=seg_form,
            seg_whole_frames=seg_whole_frames,
            pdf=pdf,
            like=cases_like,
        )
    return report, result.spine is not None


def read_findings(path: Path) -> Observations:
    """What the surgeon or the radiograph saw.

    Raises
    ------
    InputError
        Where the file is not JSON of the contract's ``observations``.
    """
    from pydantic import ValidationError

    try:
        return Observations.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"--findings {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"--findings {path}: {where + ': ' if where else ''}{first['msg']}") from error
