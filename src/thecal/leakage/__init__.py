"""Where the cement went: compartments, routes, the canal, the fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thecal.anatomy.spine import Spine
    from thecal.cement.deposit_map import Cement
    from thecal.leakage.findings import Leakage
    from thecal.volume import Volume


def find_leakage(
    volume: Volume, spine: Spine, cement: Cement, *, intradural_prior: float | None = None
) -> Leakage:
    """Split the cement into deposits by compartment and measure what it did to the canal and the bodies.

    Parameters
    ----------
    volume : Volume
    spine : Spine
        The anatomy of the volume; its walls may be off by a voxel or two.
    cement : Cement
        On the spine's crop.
    intradural_prior : float, optional
        Probability of cement inside the dura before the CT; even odds where not given.

    Returns
    -------
    Leakage
        Deposits numbered from 1 in falling volume, their label map on the spine's crop, the canal's profile
        and its worst plane, one measure for each vertebra, and notes on what could not be measured.
    """
    # The jitted kernels are loaded only when there is work for them.
    from thecal.leakage.find import find_leakage as find
    from thecal.leakage.intradural.probability import DEFAULT_PRIOR

    return find(volume, spine, cement, DEFAULT_PRIOR if intradural_prior is None else intradural_prior)
