"""What a plan cannot keep away from: it was not looked for, or could not be told."""

from __future__ import annotations

from typing import Final

from thecal.needle.search.keep_away import AORTA, LUNG, ROOT, SAC, KeepAway

NEVER_SOUGHT: Final = (
    "nerve roots beyond the foramen",
    "segmental and radicular arteries, the artery of Adamkiewicz among them",
    "veins, the azygos and the lumbar ones among them",
    "pleura where no lung lies against it, diaphragm, kidneys, bowel without gas",
)


def unknown_structures(keep: KeepAway) -> tuple[str, ...]:
    """In words, for one level."""
    said = []
    if not keep.canal_found:
        said.append("canal: it was not found at this vertebra, so that no way is given and none is graded")
    if AORTA not in keep.seen:
        said.append("aorta: not told from the tissue round it without contrast medium")
    if LUNG not in keep.seen:
        said.append("lung: none is seen near this vertebra; where the scan ends, it may lie outside")
    if ROOT not in keep.seen:
        said.append("roots: no foramen was found beside this vertebra")
    if SAC not in keep.seen:
        said.append("thecal sac: not found here, the canal's wall stands for it")
    return (*said, *NEVER_SOUGHT)
