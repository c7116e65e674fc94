"""The libraries of the extras: loaded when they are used, and missed in one sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, Literal

from thecal.errors import InputError

PACKAGES: Final = {"cv2": "opencv-python-headless", "psycopg": "psycopg[binary]"}
"""Libraries whose package has another name."""
Extra = Literal["net", "pdf", "watch", "fhir", "parquet", "crypt", "postgres"]


def load_extra(module: str, extra: Extra) -> Any:
    """A module of an optional library.

    Parameters
    ----------
    module : str
        Its dotted name.
    extra : str
        The extra of thecal that installs it.

    Raises
    ------
    InputError
        Where the library is not installed.
    """
    library = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        package = PACKAGES.get(library, library.replace("_", "-"))
        raise InputError(
            f"This needs {package}, which is not installed: pip install 'thecal[{extra}]'"
        ) from error
