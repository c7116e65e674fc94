"""What a plan for a revision holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thecal.terms import Side

Neural = Literal["cord", "conus_or_cauda", "cauda", "unknown"]


@dataclass(frozen=True)
class Fragment:
    """One deposit in the canal or a foramen, as a surgeon who comes from behind meets it.

    Attributes
    ----------
    deposit_id : int
    size_mm : (3,) float
        Left-right, posterior-anterior, caudal-cranial.
    from_mm, to_mm : float
        Its stretch along the canal, from the canal's caudal end.
    depth_mm : float or None
        From the dorsal outline of the thecal sac to the fragment's nearest cement, straight forward; negative
        where it lies behind that outline, None where it lies beside the sac.
    intradural : bool
        Whether it lies within the outline of the sac, which is an estimate.
    neural : "cord", "conus_or_cauda", "cauda" or "unknown"
        What lies at its height by the published range of the conus.
    may_have_to_stay : bool
        Within the sac at the height of conus or cauda, where the founding paper's surgeons stopped.
    """

    deposit_id: int
    intradural: bool
    foraminal: bool
    level: str | None
    vertebra_id: int | None
    side: Side
    volume_ml: float
    size_mm: tuple[float, float, float]
    from_mm: float
    to_mm: float
    depth_mm: float | None
    neural: Neural
    may_have_to_stay: bool


@dataclass(frozen=True)
class Lamina:
    """A lamina that lies over the stretch to be opened; ``share`` is how much of its height does."""

    level: str | None
    vertebra_id: int
    from_mm: float
    to_mm: float
    share: float
    measured: bool


@dataclass(frozen=True)
class PedicleSize:
    """Outer diameters of a pedicle at its narrowest; None where it could not be measured.

    ``at_mm`` is its middle, LPS mm; where it could not be measured that of its other side or its neighbours,
    mirrored or carried over, and None without any.
    """

    level: str | None
    vertebra_id: int
    side: Side
    width_mm: float | None
    height_mm: float | None
    at_mm: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Durotomy:
    """Where the dura would be opened, along the canal from its caudal end.

    ``from_place`` and ``to_place`` say the same ends by the vertebra that they lie behind; None where no
    vertebra is near.
    """

    from_mm: float
    to_mm: float
    from_place: str | None = None
    to_place: str | None = None

    @property
    def length_mm(self) -> float:
        """Its length."""
        return self.to_mm - self.from_mm


@dataclass(frozen=True)
class RevisionPlan:
    """A plan to discuss.

    Attributes
    ----------
    levels : tuple of str
        Of the fragments, caudal to cranial.
    laminae : tuple of Lamina
        Caudal to cranial.
    margin_mm : float
        Beyond each fragment, above and below, that the laminae uncover.
    fixation_asked : bool
    fixation_reason : str
    fixation : tuple of str
        From one level below to one above what is opened, caudal to cranial; empty where none is asked.
    conus : str
        Where the conus is taken to lie, and from where that is known.
    remarks : tuple of str
        Sentences that belong to the plan.
    """

    levels: tuple[str, ...]
    fragments: tuple[Fragment, ...]
    laminae: tuple[Lamina, ...]
    margin_mm: float
    durotomy: Durotomy | None
    fixation_asked: bool
    fixation_reason: str
    fixation: tuple[str, ...]
    pedicles: tuple[PedicleSize, ...]
    conus: str
    remarks: tuple[str, ...]
