"""A program that ends when whoever started it ends, however that ends.

``python -m thecal.dicom.network.attended MODULE:FUNCTION WORD...`` calls the function with the words. A
watching thread ends the process once its standard input closes, as it does when the parent is killed.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module

ABANDONED = 1


def main(words: list[str]) -> None:
    """Call what the first word names with the others, while the parent lives."""
    threading.Thread(target=_watch, daemon=True).start()
    module, _, name = words[0].partition(":")
    getattr(import_module(module), name)(words[1:])


def _watch() -> None:
    # Not through sys.stdin, whose lock would be held while the interpreter ends.
    while os.read(0, 1):
        continue
    os._exit(ABANDONED)


if __name__ == "__main__":
    main(sys.argv[1:])
