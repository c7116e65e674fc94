"""Which backends of anatomy are registered, and whether each can run on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from thecal.anatomy.backend import AnatomyBackend
from thecal.anatomy.find import GROUP


@runtime_checkable
class SaysWhyNot(Protocol):
    """A backend that may lack something: a package, weights, a licence."""

    def why_not(self) -> str | None:
        """One plain sentence on what is missing; None where it can run."""
        ...


@dataclass(frozen=True)
class Listed:
    """One backend of anatomy.

    Attributes
    ----------
    name : str
        For ``--anatomy``.
    version : str or None
        None where it could not even be loaded.
    runs : bool
    why_not : str or None
        One plain sentence where it cannot run.
    package : str or None
        That registered it.
    """

    name: str
    version: str | None
    runs: bool
    why_not: str | None
    package: str | None


def list_backends() -> list[Listed]:
    """Every backend registered under the entry-point group ``thecal.anatomy``, by name.

    One that cannot be loaded is listed with the reason; it never keeps the others from being listed.
    """
    found = [_listed(entry) for entry in entry_points(group=GROUP)]
    return sorted(found, key=lambda one: (one.name != "builtin", one.name))


def _listed(entry: EntryPoint) -> Listed:
    package = entry.dist.name if entry.dist is not None else None
    try:
        made = entry.load()()
        reason = made.why_not() if isinstance(made, SaysWhyNot) else None
        if not isinstance(made, AnatomyBackend):
            reason = "It has not what a backend needs: name, version and find"
        version = str(getattr(made, "version", "")) or None
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything as it is loaded
        reason = f"It could not be loaded ({type(error).__name__}: {_one_line(error)})"
        return Listed(entry.name, None, False, reason, package)
    return Listed(entry.name, version, reason is None, reason, package)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
