"""All seven signs of one scan, in the report's order."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Final

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import DuralFinding, IntraduralSign, Leakage
from thecal.leakage.intradural.layering import layering
from thecal.leakage.intradural.medial_puncture import medial_puncture
from thecal.leakage.intradural.multilevel_spread import multilevel_spread
from thecal.leakage.intradural.no_extradural_cement import no_extradural_cement
from thecal.leakage.intradural.probability import DEFAULT_PRIOR, judge, not_assessable, nothing_seen
from thecal.leakage.intradural.root_outlines import root_outlines
from thecal.leakage.intradural.sac_conforming_shape import sac_conforming_shape
from thecal.leakage.intradural.scene import Scene, scene_of, unread
from thecal.leakage.intradural.separated_from_posterior_wall import separated_from_posterior_wall
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SIGNS, SignName
from thecal.volume import Volume

ON_CANAL_CEMENT: Final[dict[SignName, Callable[[Scene, StraightCanal], IntraduralSign]]] = {
    "layering": layering,
    "no_extradural_cement": no_extradural_cement,
    "sac_conforming_shape": sac_conforming_shape,
    "root_outlines": root_outlines,
    "multilevel_spread": multilevel_spread,
    "separated_from_posterior_wall": separated_from_posterior_wall,
}


def read_signs(
    volume: Volume, spine: Spine, cement: Cement, leakage: Leakage, prior: float = DEFAULT_PRIOR
) -> tuple[tuple[IntraduralSign, ...], DuralFinding]:
    """Read the signs of cement inside the dura one by one, then together.

    Parameters
    ----------
    volume : Volume
    spine : Spine
    cement : Cement
        On the spine's crop.
    leakage : Leakage
        With its deposits and their label map.
    prior : float
        Probability of cement inside the dura before the CT.

    Returns
    -------
    signs : tuple of IntraduralSign
        One for each of ``SIGNS``, in that order; what cannot be seen is ``not_assessable`` with the reason.
    finding : DuralFinding

    Raises
    ------
    InputError
        Where the prior is no probability.
    """
    scene = scene_of(volume, spine, cement, leakage)
    signs = tuple(_read(name, scene) for name in SIGNS)
    return signs, _together(scene, signs, prior)


def _together(scene: Scene, signs: tuple[IntraduralSign, ...], prior: float) -> DuralFinding:
    if scene.hidden:
        return not_assessable(scene.hidden, prior)
    if scene.canal is not None:
        return judge(signs, prior, in_sac=scene.volume_ml("intradural") > 0)
    if not isfinite(scene.cement.detection_limit_mm3):
        return not_assessable("No deposit is so large that this scan would surely show it.", prior)
    return nothing_seen(prior)


def _read(name: SignName, scene: Scene) -> IntraduralSign:
    # The needle's way lies beside the canal; all other signs look at the cement within it.
    if name == "medial_puncture":
        return unread(name, scene.unreadable) if scene.unreadable else medial_puncture(scene)
    if scene.canal_unreadable:
        return unread(name, scene.canal_unreadable)
    assert scene.canal is not None
    return ON_CANAL_CEMENT[name](scene, scene.canal)
