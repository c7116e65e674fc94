"""What the user must know about a scan or a result: one note for each reservation."""

from __future__ import annotations

from dataclasses import dataclass

from thecal.terms import Severity


@dataclass(frozen=True)
class QualityNote:
    """One entry of ``report.quality``.

    Attributes
    ----------
    code : str
        Short, stable, snake_case, for machines (``gantry_tilt``, ``thick_slices``).
    severity : {"info", "warning", "critical"}
    message : str
        One plain sentence for a person; never holds patient data.
    """

    code: str
    severity: Severity
    message: str
