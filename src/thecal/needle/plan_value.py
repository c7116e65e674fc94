"""What a plan of a puncture holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from thecal.terms import Breach, Grade, Side
from thecal.volume import FloatArray

Approach = Literal["transpedicular", "extrapedicular"]
EMBOLISM_RISES_ML: Final = 7.0
"""Pulmonary embolism of cement that needed oxygen: below 3.5 mL 0 %, to 7 mL 0.11 %, above 0.9 %
(abstract)."""
Point = tuple[float, float, float]
OuterFrom = Literal["measured", "at most", "planned"]
Against = Literal["single", "left", "right"]
ChosenBy = Literal["meant", "only", "nearest"]


@dataclass(frozen=True)
class Gauge:
    """A needle's size: outer and inner diameter, mm, and where the figures come from."""

    name: str
    outer_mm: float
    inner_mm: float
    source: str


@dataclass(frozen=True, eq=False)
class Corridor:
    """One pedicle as a way for a needle.

    Attributes
    ----------
    side : "left" or "right"
    isthmus_mm : Point
        Middle of the smallest section, LPS.
    axis : (3,) float64
        Unit direction of the pedicle from back to front, LPS.
    width_mm, height_mm : float
        Outer width and height of the isthmus.
    inner_width_mm : float or None
        Width of the marrow between the cortices; None where the scan does not resolve it.
    transverse_deg, sagittal_deg : float
        The axis in the vertebra's frame: towards the midline, towards the head.
    outline : (n, 3) float64
        The isthmus' outer border, LPS mm, closed.
    medial_wall : (m, 3) float64
        The pedicle's medial border from back to front, LPS mm: the most lateral place of the canal over the
        pedicle's height, drawn at that of the isthmus.
    """

    side: Side
    isthmus_mm: Point
    axis: FloatArray
    width_mm: float
    height_mm: float
    inner_width_mm: float | None
    transverse_deg: float
    sagittal_deg: float
    outline: FloatArray
    medial_wall: FloatArray


@dataclass(frozen=True, eq=False)
class Clearance:
    """What lies nearest along a needle's way.

    Attributes
    ----------
    depth_mm : (n,) float64
        From the skin (from the bone's entry where no skin is in the scan).
    free_mm : (n,) float64
        From the needle's surface to the nearest thing that it must not touch; negative inside, NaN where
        nothing was looked at.
    nearest : (n,) tuple of str
        Its name: "sac", "medial pedicle wall", "root in the foramen", "aorta", "lung", "rib", ...
    """

    depth_mm: FloatArray
    free_mm: FloatArray
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class AimShare:
    """Share of safe outcomes under an aiming error, by Monte-Carlo."""

    entry_sd_mm: float
    angle_sd_deg: float
    trials: int
    safe: float
    grades: dict[Grade, float]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One needle's planned way.

    Attributes
    ----------
    side, approach, gauge
    skin_mm : Point or None
        None where the scan does not reach the skin.
    entry_mm, tip_mm : Point
        Where it meets bone, and its tip, LPS.
    transverse_deg, sagittal_deg : float
        In the vertebra's frame: towards the midline, towards the head (as the tracks of the assessment).
    patient_transverse_deg, patient_craniocaudal_deg : float
        The same in the patient's axes as she lies in the scanner.
    skin_from_midline_mm : float or None
        Along the skin's level, from the line of the spinous processes; positive on the needle's side.
    skin_depth_mm, wall_depth_mm, tip_depth_mm : float or None
        Depth marks from the skin: to the bone, to the plane of the posterior wall, to the tip; where there is
        no skin in the scan ``skin_depth_mm`` is None and the others count from the bone.
    widest_gauge : str
        The widest needle that keeps the margin.
    least_mm : float
        Least clearance along the way, and ``nearest`` what it is to.
    medial_margin_mm : float
        Least distance of the needle's surface from the medial pedicle wall before the posterior wall.
    grade : Grade
        Gertzbein-Robbins if carried out as planned.
    aim : tuple of AimShare
    clearance : Clearance
    tip_share : float
        Depth of the tip in the body: 0 at the posterior wall, 1 at the anterior.
    score : dict of str to float
        The named terms of the ranking.
    """

    side: Side
    approach: Approach
    gauge: Gauge
    skin_mm: Point | None
    entry_mm: Point
    tip_mm: Point
    transverse_deg: float
    sagittal_deg: float
    patient_transverse_deg: float
    patient_craniocaudal_deg: float
    skin_from_midline_mm: float | None
    skin_depth_mm: float | None
    wall_depth_mm: float
    tip_depth_mm: float
    widest_gauge: str
    least_mm: float
    nearest: str
    medial_margin_mm: float
    grade: Grade
    aim: tuple[AimShare, ...]
    clearance: Clearance
    tip_share: float
    score: dict[str, float]


@dataclass(frozen=True, eq=False)
class SideAnswer:
    """What a side offers: the best way, or why there is none.

    Attributes
    ----------
    side : "left" or "right"
    corridor : Corridor or None
        None where the pedicle was not measured.
    best : Trajectory or None
    others : tuple of Trajectory
        The next best that differ from it.
    reason : str
        Why there is no safe way; empty where there is one.
    tried : int
        Candidates looked at.
    """

    side: Side
    corridor: Corridor | None
    best: Trajectory | None
    others: tuple[Trajectory, ...]
    reason: str
    tried: int


@dataclass(frozen=True)
class CementRange:
    """Volume of cement that the literature supports, for this body; never a single number.

    Attributes
    ----------
    body_ml : float
    low_ml, high_ml : float
        ``low_share`` and ``high_share`` of the body's volume.
    limit_ml : float
        The lower of ``high_ml`` and the volume above which embolism rises.
    sources : tuple of str
    """

    body_ml: float
    low_share: float
    high_share: float
    low_ml: float
    high_ml: float
    sources: tuple[str, ...]

    @property
    def limit_ml(self) -> float:
        """The lower of the upper share and the volume above which embolism rises."""
        return min(self.high_ml, EMBOLISM_RISES_ML)


@dataclass(frozen=True, eq=False)
class LevelPlan:
    """The plan of one vertebra.

    Attributes
    ----------
    vertebra_id : int
    level : str or None
    single : Trajectory or None
        One needle to the middle, of the safer side; None where no side has one.
    sides : tuple of SideAnswer
        One needle each side for two.
    cement : CementRange
    unknown : tuple of str
        Structures that were not looked for or could not be told: what the plan cannot keep away from.
    seconds : float
        Time the search took.
    single_reason : str
        Why there is no needle to the middle; empty where there is one.
    """

    vertebra_id: int
    level: str | None
    single: Trajectory | None
    sides: tuple[SideAnswer, ...]
    cement: CementRange
    unknown: tuple[str, ...]
    seconds: float
    single_reason: str = ""


@dataclass(frozen=True)
class SeenNeedle:
    """A needle, or what one left, on a later CT; points in that CT's LPS mm.

    Attributes
    ----------
    vertebra_id : int
        Of the later CT's anatomy.
    seen_as : "metal", "cement", "air" or "empty"
        A needle in place, or what fills its track.
    entry_mm, tip_mm : Point
        On the bone, and the tip.
    tip_hidden : bool
        The track runs into cement: where the tip was cannot be told.
    outer_mm : float or None
        Its diameter where it was measured: of metal alone.
    outer_error_mm : float or None
        Of ``outer_mm``; None with a diameter says that this is what it is at most, since metal glares.
    """

    vertebra_id: int
    seen_as: Literal["metal", "cement", "air", "empty"]
    entry_mm: Point
    tip_mm: Point
    tip_hidden: bool
    outer_mm: float | None
    outer_error_mm: float | None = None


@dataclass(frozen=True)
class ExecutedNeedle:
    """A needle of the later CT laid over the plan's CT, and held against the plan.

    Attributes
    ----------
    vertebra_id, level, side
        Of the plan's CT.
    seen_as
        As of ``SeenNeedle``.
    against : "single", "left", "right" or None
        The planned needle it is compared with; None where its side has none.
    chosen_by : "meant", "only", "nearest" or None
        Why that one: it was named, it is the only one of its side, or the nearest, which flatters errors.
    agreement : float or None
        Correlation of the vertebra's bone on both CTs.
    entry_mm, tip_mm : Point
        In the plan's CT.
    outer_mm : float
        The diameter that margins and breach are reckoned with.
    outer_from : "measured", "at most" or "planned"
        On the later CT; there, but no more than an upper bound; or taken for the planned needle's (11 G where
        nothing was planned).
    outer_error_mm : float or None
        Where it was measured.
    entry_error_mm : float or None
        Across the planned way at the planned entry.
    tip_error_mm : float or None
        The whole distance; None where the tip is hidden.
    angle_error_deg, transverse_error_deg, sagittal_error_deg : float or None
        Between both ways, and in the vertebra's two planes (executed less planned).
    medial_margin_mm, least_mm, nearest
        As of ``Trajectory``, negative within.
    breach, breach_mm, grade
        Where the needle left its pedicle, by how much, Gertzbein-Robbins.
    planned_medial_margin_mm : float or None
    """

    vertebra_id: int
    level: str | None
    side: Side
    seen_as: Literal["metal", "cement", "air", "empty"]
    against: Against | None
    chosen_by: ChosenBy | None
    agreement: float | None
    entry_mm: Point
    tip_mm: Point
    outer_mm: float
    outer_from: OuterFrom
    outer_error_mm: float | None
    entry_error_mm: float | None
    tip_error_mm: float | None
    angle_error_deg: float | None
    transverse_error_deg: float | None
    sagittal_error_deg: float | None
    medial_margin_mm: float
    least_mm: float
    nearest: str
    breach: Breach
    breach_mm: float
    grade: Grade
    planned_medial_margin_mm: float | None


@dataclass(frozen=True)
class Agreement:
    """How well a planned vertebra's bone agrees with itself on the later CT (a correlation).

    ``agreement`` is None where it is not on the later CT, or could not be laid over it.
    """

    vertebra_id: int
    level: str | None
    agreement: float | None


@dataclass(frozen=True)
class Audit:
    """Needles of a later CT against the plan.

    Attributes
    ----------
    series_uid : str or None
        Of the later CT.
    needles : tuple of ExecutedNeedle
        Caudal to cranial.
    agreements : tuple of Agreement
        One for each planned level.
    notes : tuple of str
        What could not be told: levels without a needle, needles at a level that was not planned.
    plan_version : str or None
        Of the thecal that made the stored plan; None where the plan was made anew for the audit.
    """

    series_uid: str | None
    needles: tuple[ExecutedNeedle, ...]
    notes: tuple[str, ...]
    agreements: tuple[Agreement, ...] = ()
    plan_version: str | None = None
