"""The whole assessment of one CT: anatomy, then cement, then leakage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from thecal.anatomy.find import find_spine
from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.cement.find import find_cement
from thecal.errors import SpineNotFound
from thecal.leakage.find import find_leakage
from thecal.leakage.findings import Leakage
from thecal.leakage.intradural.probability import DEFAULT_PRIOR, check_prior
from thecal.volume import Volume

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Assessment:
    """One CT and all that was concluded from it.

    Attributes
    ----------
    volume : Volume
    spine, cement, leakage
        None where no spine was found; ``not_found`` then says why in one sentence.
    anatomy : str
        The anatomy that was asked for.
    timings_s : dict
        Seconds by stage.
    """

    volume: Volume
    spine: Spine | None
    cement: Cement | None
    leakage: Leakage | None
    anatomy: str
    timings_s: dict[str, float]
    not_found: str | None = None


def assess(
    volume: Volume,
    *,
    anatomy: str = "builtin",
    level: str | None = None,
    intradural_prior: float = DEFAULT_PRIOR,
    progress: Progress | None = None,
) -> Assessment:
    """Find the spine, the cement and where the cement went.

    Parameters
    ----------
    volume : Volume
    anatomy : str
        "builtin", "totalsegmentator", another registered backend, or the path of a label map.
    level : str or None
        "T12@-804.5" pins the vertebra whose body crosses patient z = -804.5 mm (LPS).
    intradural_prior : float
        Probability of cement inside the dura before the CT.
    progress : callable or None
        Called with each stage's name as it begins.

    Returns
    -------
    Assessment
        Without spine, cement and leakage where no spine was found.

    Raises
    ------
    InputError
        Where ``anatomy``, ``level`` or the prior cannot be used.
    """
    check_prior(intradural_prior)
    timings: dict[str, float] = {}

    def begin(stage: str) -> float:
        if progress is not None:
            progress(stage)
        return perf_counter()

    started = begin("anatomy")
    try:
        spine = find_spine(volume, anatomy=anatomy, level=level)
    except SpineNotFound as error:
        timings["anatomy"] = perf_counter() - started
        return Assessment(volume, None, None, None, anatomy, timings, str(error))
    timings["anatomy"] = perf_counter() - started

    started = begin("cement")
    cement = find_cement(volume, spine)
    timings["cement"] = perf_counter() - started

    started = begin("leakage")
    leakage = find_leakage(volume, spine, cement, intradural_prior=intradural_prior)
    timings["leakage"] = perf_counter() - started
    return Assessment(volume, spine, cement, leakage, anatomy, timings)
