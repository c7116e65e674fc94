"""The words of scales that have no numbers, worst first."""

from __future__ import annotations

from typing import Final

WALKING: Final[tuple[str, ...]] = ("none", "aided", "independent")
SPHINCTER: Final[tuple[str, ...]] = ("none", "impaired", "normal")
SACRAL: Final[tuple[str, ...]] = ("no", "yes")
"""Whether the anus can be drawn in, and whether pressure in it is felt."""
