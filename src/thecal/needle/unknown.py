"""What a plan cannot keep away from: it was not looked for, or could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from thecal.needle.plan_value import Trajectory
from thecal.needle.search.clearance import NOT_LOOKED, STEP_MM
from thecal.needle.search.keep_away import AORTA, LUNG, ROOT, SAC, KeepAway

NEVER_SOUGHT: Final = (
    "nerve roots beyond the foramen",
    "segmental and radicular arteries, the artery of Adamkiewicz among them",
    "veins, the azygos and the lumbar ones among them",
    "pleura where no lung lies against it, diaphragm, kidneys, bowel without gas",
)


def unknown_structures(keep: KeepAway, ways: Sequence[Trajectory] = ()) -> tuple[str, ...]:
    """In words, for one level and its planned ways."""
    said = []
    if not keep.canal_found:
        said.append("canal: it was not found at this vertebra, so that no way is given and none is graded")
    if keep.filled:
        said.append(
            "cement or metal is in this vertebra already: what it hides, and how much more the body takes"
        )
    unseen = max((_unseen_mm(way) for way in ways), default=0.0)
    if unseen > 0.0:
        said.append(
            f"up to {unseen:.0f} mm of the way outside the block that is searched, or outside the scan: not "
            "looked at"
        )
    if AORTA not in keep.seen:
        said.append("aorta: not told from the tissue round it without contrast medium")
    if LUNG not in keep.seen:
        said.append("lung: none is seen near this vertebra; where the scan ends, it may lie outside")
    if ROOT not in keep.seen:
        said.append("roots: no foramen was found beside this vertebra")
    if SAC not in keep.seen:
        said.append("thecal sac: not found here, the canal's wall stands for it")
    return (*said, *NEVER_SOUGHT)


def _unseen_mm(way: Trajectory) -> float:
    """How much of a way was not looked at."""
    return STEP_MM * sum(name == NOT_LOOKED for name in way.clearance.nearest)
