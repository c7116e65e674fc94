"""``thecal listen`` with an assessment that takes no time; a program, not a test.

``python listen_with_stand_in.py FOLDER HOME WORDS...`` listens with the words of the command line.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from results import stand_in

from thecal.cli import main
from thecal.dicom.network import listener

if __name__ == "__main__":
    home, *words = sys.argv[1:]
    assess = stand_in(Path(home))
    planned: Any = listener.Plan
    listener.Plan = lambda *plan: replace(planned(*plan), assess=assess)  # type: ignore[misc, assignment]
    main(["listen", *words])
