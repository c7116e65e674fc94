"""The public contract of ``report.json``: every key, its type and its meaning.

All lengths are mm, volumes mL, points patient LPS mm, fractions 0..1, angles degrees. A value that could not
be measured is ``null``, never 0, and an entry of ``quality`` says why. Keys may be added within a version; a
key that goes, or changes its meaning or its type, raises it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from thecal.terms import (
    Breach,
    Compartment,
    Grade,
    LevelSource,
    Route,
    Severity,
    Side,
    SignName,
    TrackContent,
    Yeom,
)

SCHEMA_NAME: Final = "thecal.report/1"

Point = tuple[float, float, float]
Fraction = float


class ContractPart(BaseModel):
    """A part of what is written: no key beyond the contract's, no NaN, fixed once made."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        populate_by_name=True,
        # A report always writes what has a default.
        json_schema_serialization_defaults_required=True,
    )


class Anatomy(ContractPart):
    """The anatomy backend; null where none found a spine."""

    name: str | None
    version: str | None


class Software(ContractPart):
    """What made this report."""

    name: Literal["thecal"]
    version: str
    anatomy: Anatomy


class Input(ContractPart):
    """The scan as it was read; ``shape`` and ``spacing_mm`` follow the file's own axis order.

    ``noise_hu`` and the Gaussian point spread ``psf_sigma_mm`` (left-right, anterior-posterior,
    caudal-cranial) are measured on it.
    """

    kind: str
    series_uid: str | None
    shape: tuple[int, int, int]
    spacing_mm: Point
    orientation: str
    slice_thickness_mm: float | None
    kvp: float | None
    kernel: str | None
    age: float | None
    sex: str | None
    hu_clipped_at: int | None
    simulated: bool
    noise_hu: float | None
    psf_sigma_mm: Point | None


class Heights(ContractPart):
    """Heights of a vertebral body, mm."""

    anterior: float | None
    middle: float | None
    posterior: float | None


class Reaches(ContractPart):
    """Where in its body the cement reaches; null without cement in a body measured whole."""

    posterior_third: bool | None
    upper_endplate: bool | None
    lower_endplate: bool | None


class Thirds(ContractPart):
    """Shares of the cement in a body by thirds of its depth, from the anterior wall."""

    anterior: Fraction | None
    middle: Fraction | None
    posterior: Fraction | None


class Vertebra(ContractPart):
    """One vertebra; ``level`` is null where its number is not known.

    ``confidence`` says how well its endplates, pedicles and walls agree with the scan.
    """

    level: str | None
    id: int
    level_source: LevelSource
    complete: bool
    confidence: Fraction
    body_volume_ml: float | None
    trabecular_hu: float | None
    heights_mm: Heights
    height_loss_fraction: Fraction | None
    wedge_degrees: float | None
    cement_ml: float | None
    fill_fraction: Fraction | None
    cement_by_third: Thirds
    cement_reaches: Reaches
    cement_left_fraction: Fraction | None
    canal_area_mm2: float | None
    centre_mm: Point


class Deposit(ContractPart):
    """One piece of cement in one compartment.

    ``extent_mm`` is left-right, posterior-anterior, caudal-cranial. ``vertebra_id`` and ``vertebra_ids`` are
    those of ``vertebrae[].id``, also where no level is known.
    """

    id: int
    compartment: Compartment
    level: str | None
    vertebra_id: int | None
    levels_spanned: list[str]
    vertebra_ids: list[int]
    volume_ml: float
    volume_sd_ml: float
    centroid_mm: Point
    extent_mm: Point
    mean_hu: float
    clipped_fraction: Fraction
    side: Side
    route: Route
    yeom: Yeom | None
    breach_mm: Point | None


class MaxOcclusion(ContractPart):
    """The plane normal to the canal on which cement takes the largest share of it."""

    fraction: Fraction
    cement_area_mm2: float
    canal_area_mm2: float
    residual_ap_mm: float | None
    at_mm: float
    level: str | None
    vertebra_id: int | None


class Section(ContractPart):
    """The canal on one plane normal to it; ``at_mm`` is the distance along it from its caudal end.

    ``sac_sd_mm`` is how surely the outline of the thecal sac is known there; null where it was given.
    """

    at_mm: float
    level: str | None
    vertebra_id: int | None
    canal_area_mm2: float | None
    cement_area_mm2: float | None
    confidence: Fraction | None
    sac_sd_mm: float | None


class Canal(ContractPart):
    """Cement in the canal; ``confidence`` is the median of the profile's."""

    confidence: Fraction | None
    cement_ml: float | None
    max_occlusion: MaxOcclusion | None
    profile: list[Section]


class Sign(ContractPart):
    """One sign of cement inside the dura, with the number behind it.

    ``log_odds`` is what it adds to the log odds of the finding, None where it was not read; ``at_mm`` is
    where it is seen best.
    """

    name: SignName
    state: Literal["present", "absent", "not_assessable"]
    value: float | None
    unit: str | None
    threshold: float | None
    explanation: str
    source: str
    log_odds: float | None
    at_mm: Point | None


class Intradural(ContractPart):
    """Whether cement lies inside the dura; ``not_detected`` means not above ``detection_limit_mm3``.

    The limit holds for compact cement of ``detection_limit_hu`` and brighter. ``probability`` and its
    ``interval`` (nine of ten) follow from ``prior`` and ``likelihood_ratio``; ``reason`` says why it is not
    assessable.
    """

    finding: Literal["probable", "possible", "not_detected", "not_assessable"]
    probability: Fraction | None
    interval: tuple[Fraction, Fraction] | None
    prior: Fraction | None
    likelihood_ratio: float | None
    reason: str | None
    detection_limit_mm3: float | None
    detection_limit_hu: float | None
    signs: list[Sign]


class Track(ContractPart):
    """A needle's way through a pedicle; angles degrees in the vertebra's frame.

    ``transverse_angle`` is towards the midline, ``sagittal_angle`` towards the head. The clearance is from
    the needle's surface to the canal's wall, negative inside it, with its error. Where ``tip_hidden``, the
    way runs into a wider fill of cement, and the tip is where it does.
    """

    level: str | None
    vertebra_id: int
    side: Side
    content: TrackContent
    entry_mm: Point
    tip_mm: Point
    tip_hidden: bool
    length_mm: float
    transverse_angle: float | None
    sagittal_angle: float | None
    published_angle: float | None
    medial_wall_clearance_mm: float | None
    clearance_error_mm: float | None
    breach: Breach
    breach_mm: float | None
    gertzbein_robbins: Grade | None


class Observations(ContractPart):
    """What the surgeon or the radiograph saw, from ``--findings``; CT cannot know these."""

    extradural_cement_at_surgery: Literal["seen", "none", "unknown"] = "unknown"
    rounded_mass_on_fluoroscopy: Literal["yes", "no", "unknown"] = "unknown"
    deficit: Literal["yes", "no", "unknown"] = "unknown"


class Durotomy(ContractPart):
    """Where the dura would be opened, along the canal; the ends also by the vertebra that they lie behind."""

    from_mm: float
    to_mm: float
    length_mm: float
    from_place: str | None
    to_place: str | None


class FragmentMeasure(ContractPart):
    """One deposit in canal or foramen as a surgeon who comes from behind meets it; ``id`` is the deposit's.

    ``depth_mm`` is from the dorsal outline of the thecal sac straight forward, negative behind it.
    """

    id: int
    intradural: bool
    level: str | None
    vertebra_id: int | None
    side: Side
    volume_ml: float
    size_mm: Point
    from_mm: float
    to_mm: float
    depth_mm: float | None
    neural: Literal["cord", "conus_or_cauda", "cauda", "unknown"]
    may_have_to_stay: bool


class Lamina(ContractPart):
    """A lamina over the stretch to be opened, and the share of its height that is."""

    level: str | None
    vertebra_id: int
    from_mm: float
    to_mm: float
    share: Fraction
    measured: bool


class PedicleSize(ContractPart):
    """Outer diameters of a pedicle at its narrowest."""

    level: str | None
    vertebra_id: int
    side: Side
    width_mm: float | None
    height_mm: float | None
    at_mm: Point | None


class Fixation(ContractPart):
    """Whether what is opened asks for fixation, and why."""

    asked: bool
    reason: str


class Revision(ContractPart):
    """A plan to discuss for taking the cement out of canal and foramina."""

    levels: list[str]
    laminectomy_levels: list[str]
    durotomy: Durotomy | None
    fragments: list[int]
    fixation_levels: list[str]
    fragment_measures: list[FragmentMeasure]
    laminae: list[Lamina]
    margin_mm: float
    fixation: Fixation
    pedicles: list[PedicleSize]
    conus: str
    remarks: list[str]


class Quality(ContractPart):
    """One reservation about the scan or a result."""

    code: str
    severity: Severity
    message: str


class Report(ContractPart):
    """Everything that ``thecal assess`` says about one CT. Research use only."""

    schema_: Literal["thecal.report/1"] = Field(SCHEMA_NAME, alias="schema")
    software: Software
    input: Input
    vertebrae: list[Vertebra]
    deposits: list[Deposit]
    canal: Canal
    intradural: Intradural
    tracks: list[Track]
    observations: Observations
    revision: Revision | None
    quality: list[Quality]
    timings_s: dict[str, float]

    def to_json(self) -> str:
        """The report as it is written to ``report.json``: UTF-8, indented, keys in the contract's order."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``report.json``; every key is required, no other is allowed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_NAME,
        **{k: v for k, v in Report.model_json_schema(mode="serialization").items() if k != "title"},
    }
