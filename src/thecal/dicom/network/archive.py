"""What an archive does for us, by whichever protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from thecal.dicom.network.address import Address
from thecal.errors import InputError

# Takes one received instance: its SOP Instance UID and the whole file.
Keep = Callable[[str, bytes], None]


@dataclass(frozen=True)
class Wanted:
    """Which study is asked for, by its UID or its accession number; and which series of it, or all."""

    study: str | None = None
    accession: str | None = None
    series: str | None = None

    def is_met_by(self, study: str, accession: str) -> bool:
        """Whether a study that an archive names is one that was asked for."""
        return bool(study) and self.study in (None, study) and self.accession in (None, accession.strip())


@dataclass(frozen=True)
class Held:
    """One series that an archive holds.

    Attributes
    ----------
    series : str
        Its UID.
    instances : dict
        SOP Instance UID to SOP Class UID, empty text where the archive does not say.
    """

    series: str
    instances: dict[str, str]


@dataclass(frozen=True)
class Outgoing:
    """One file on its way to an archive."""

    path: Path
    study: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str


class Archive(Protocol):
    """An archive; every method raises `InputError` with one sentence where it cannot be done."""

    def studies(self, wanted: Wanted) -> list[str]:
        """The UIDs of the studies that match."""

    def series_of(self, study: str, series: str | None) -> list[Held]:
        """What it holds of a study."""

    def fetch(self, study: str, held: Held, keep: Keep) -> None:
        """Get the instances of a series, each given to ``keep`` as it arrives."""

    def store(self, files: Sequence[Outgoing], stored: Callable[[Outgoing], None]) -> None:
        """Put files there; ``stored`` is called after each that the archive has taken."""


def held_among(archive: Archive, files: Sequence[Outgoing]) -> set[str]:
    """The SOP Instance UIDs among these files' that an archive already has."""
    wanted = {file.sop_instance for file in files}
    found: set[str] = set()
    for study in sorted({file.study for file in files}):
        for held in archive.series_of(study, None):
            found |= wanted & set(held.instances)
    return found


def refuse_in_part(address: Address, sent: int, refused: Sequence[str]) -> None:
    """Raise `InputError` where an archive refused any of the files sent."""
    if refused:
        raise InputError(
            f"The archive {address.shown} took {sent - len(refused)} of {sent} files; it refused the others: "
            f"{refused[0]}"
        )
