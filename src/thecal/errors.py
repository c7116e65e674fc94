"""Every error thecal raises on purpose.

::

    ThecalError
    ├── InputError      the input or the command line cannot be used   (exit status 2)
    └── SpineNotFound   the input was read, but no spine to speak of   (exit status 3)

Each carries one plain sentence for a person; the command line prints that sentence and nothing else.
A sentence never holds a patient's name, birth date or identifier.
"""

from __future__ import annotations


class ThecalError(Exception):
    """Base of all deliberate errors; ``str(error)`` is one sentence for the user."""


class InputError(ThecalError):
    """The input cannot be used as it is; the sentence names the series or file and the place."""


class SpineNotFound(ThecalError):
    """The volume was read, but the canal or the vertebrae were not found well enough."""
