"""A case as the registry knows it: the patient, what was done, what leaked, and what became of her.

Every part may be empty: what nobody wrote down stays ``None``, never 0. Dates are dates, intervals name
their unit.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from thecal.registry.words import SACRAL, SPHINCTER, WALKING
from thecal.terms import VERSE_IDS, Compartment, SignName, Yeom


def _known_level(value: str) -> str:
    if value not in VERSE_IDS:
        raise ValueError("A level is T12, L1 and the like")
    return value


def _written_day(value: object) -> object:
    """A date, or one as it is written; a bare number is none."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        raise ValueError("A date is written YYYY-MM-DD")
    return value.strip()


def _likely_day(value: date) -> date:
    if not 1880 <= value.year <= 2200:
        raise ValueError("The year is no year of a patient: 1880 to 2200")
    return value


Day = Annotated[date, BeforeValidator(_written_day), AfterValidator(_likely_day)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Millilitres = Annotated[float, Field(ge=0.0, le=100.0)]
Level = Annotated[str, AfterValidator(_known_level), Field(json_schema_extra={"enum": list(VERSE_IDS)})]
BodySide = Literal["left", "right", "both"]
YesNo = Literal["yes", "no", "unknown"]
Cause = Literal["osteoporotic", "traumatic", "metastasis", "myeloma", "haemangioma", "pathological", "other"]
Kind = Literal["VP", "KP", "conservative"]
Approach = Literal["transpedicular", "extrapedicular", "anterolateral", "open"]
Viscosity = Literal["low", "medium", "high"]
Wall = Literal["intact", "breached", "unknown"]
Verdict = Literal["probable", "possible", "not_detected", "not_assessable"]
Seen = Literal["ct", "mri", "radiograph", "surgery", "other"]
Modality = Literal["CT", "MR", "CR", "DX", "XA", "RF", "US", "OT"]
Scale = Literal[
    "mrc",
    "isncsci_motor",
    "isncsci_light_touch",
    "isncsci_pin_prick",
    "ais",
    "frankel",
    "bladder",
    "bowel",
    "anal_contraction",
    "anal_pressure",
    "reflex",
    "vas",
    "odi",
    "walking",
]
"""What an outcome is measured on. ``mrc`` 0 to 5 for one muscle and side; ISNCSCI totals 0 to 100 (motor)
and 0 to 112 (each sense); ``ais`` and ``frankel`` A to E; bladder and bowel ``normal``, ``impaired``,
``none``; voluntary anal contraction and deep anal pressure (ISNCSCI) ``yes``, ``no``; reflex 0 to 4; ``vas``
0 to 10; ``odi`` 0 to 100; walking ``independent``, ``aided``, ``none``."""
EventKind = Literal[
    "adjacent_fracture", "refracture", "cement_migration", "pulmonary_embolism", "infection", "death"
]
IMPAIRMENT: tuple[str, ...] = ("A", "B", "C", "D", "E")
RANGES: dict[str, tuple[float, float]] = {
    "mrc": (0.0, 5.0),
    "isncsci_motor": (0.0, 100.0),
    "isncsci_light_touch": (0.0, 112.0),
    "isncsci_pin_prick": (0.0, 112.0),
    "reflex": (0.0, 4.0),
    "vas": (0.0, 10.0),
    "odi": (0.0, 100.0),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "walking": WALKING,
    "bladder": SPHINCTER,
    "bowel": SPHINCTER,
    "anal_contraction": SACRAL,
    "anal_pressure": SACRAL,
    "ais": IMPAIRMENT,
    "frankel": IMPAIRMENT,
}


class Part(BaseModel):
    """A part of a case: nothing unknown in it, and it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Patient(Part):
    """Who she is, without saying who.

    ``pseudonym`` is unique in a registry. ``bone_t_score`` in standard deviations (DXA), ``bone_hu`` of
    trabecular bone. ``name`` and ``born`` identify her: they are kept only encrypted, where the registry has
    a key.
    """

    pseudonym: Word
    age_years: Annotated[float, Field(ge=0.0, le=120.0)] | None = None
    sex: Literal["F", "M", "O"] | None = None
    bone_t_score: Annotated[float, Field(ge=-10.0, le=10.0)] | None = None
    bone_hu: Annotated[float, Field(ge=-200.0, le=1000.0)] | None = None
    name: Text | None = None
    born: Day | None = None


class Fracture(Part):
    """One broken vertebra."""

    level: Level
    cause: Cause | None = None
    age_days: Annotated[float, Field(ge=0.0)] | None = None
    posterior_wall: Wall = "unknown"
    cleft: YesNo = "unknown"


class Procedure(Part):
    """One operation that brought cement in, or the decision against it, at one level."""

    kind: Kind
    level: Level
    on: Day | None = None
    approach: Approach | None = None
    side: BodySide | None = None
    needle_gauge: Annotated[float, Field(gt=5.0, lt=25.0)] | None = None
    cement_brand: Word | None = None
    viscosity: Viscosity | None = None
    since_mixing_s: Annotated[float, Field(ge=0.0, le=7200.0)] | None = None
    volume_ml: Millilitres | None = None
    notes: Text | None = None


class Imaging(Part):
    """One series, and the assessment of it where one was attached."""

    modality: Modality
    on: Day | None = None
    study_uid: Word | None = None
    series_uid: Word | None = None
    report_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class Sign(Part):
    """One sign of cement inside the dura, as ``report.json`` says it."""

    name: SignName
    state: Literal["present", "absent", "not_assessable"]


class Leak(Part):
    """Cement outside the body. ``occlusion`` is the largest share of the canal that is lost.

    ``report_sha256`` names the attached report that it was read from; None where a person entered it.
    """

    compartment: Compartment
    level: Level | None = None
    side: Literal["left", "right", "midline"] | None = None
    volume_ml: Millilitres | None = None
    yeom: Yeom | None = None
    occlusion: Share | None = None
    intradural: Verdict | None = None
    probability: Share | None = None
    signs: tuple[Sign, ...] = ()
    seen_on: Seen | None = None
    report_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class Deficit(Part):
    """What the nerves lost. ``delay_h`` from the cement to the first sign; ``on`` its date."""

    present: YesNo
    on: Day | None = None
    delay_h: Annotated[float, Field(ge=0.0)] | None = None
    description: Text | None = None


class Revision(Part):
    """One operation that took cement out or made room.

    ``delay_h`` from the cement to it. ``residual_ml`` is the cement left in the canal.
    """

    on: Day | None = None
    delay_h: Annotated[float, Field(ge=0.0)] | None = None
    laminectomy_levels: tuple[Level, ...] = ()
    durotomy: YesNo = "unknown"
    corpectomy: YesNo = "unknown"
    fixation_levels: tuple[Level, ...] = ()
    fixation: YesNo = "unknown"
    residual_ml: Millilitres | None = None
    monitoring_events: Text | None = None
    notes: Text | None = None


class Outcome(Part):
    """One finding at one time.

    ``as_written`` keeps the grade verbatim ("4+", "4-", "3/5"); ``value`` is its number (4+ is 4.33 and 4- is
    3.67 by a convention of this program that is said wherever it is used), ``choice`` its word for scales of
    words. ``days`` counts from the procedure; ``on`` is the date.
    """

    scale: Scale
    as_written: Word
    value: float | None = None
    choice: Word | None = None
    side: Literal["left", "right"] | None = None
    muscle: Word | None = None
    on: Day | None = None
    days: float | None = None

    @model_validator(mode="after")
    def _within_the_scale(self) -> Self:
        if self.scale in RANGES:
            low, high = RANGES[self.scale]
            if self.value is not None and not low <= self.value <= high:
                raise ValueError(f"{self.scale} lies between {low:g} and {high:g}")
        elif self.choice is not None and self.choice not in CHOICES[self.scale]:
            raise ValueError(f"{self.scale} is one of {', '.join(CHOICES[self.scale])}")
        return self


class Event(Part):
    """What came later."""

    kind: EventKind
    level: Level | None = None
    on: Day | None = None
    days: float | None = None
    notes: Text | None = None


class Case(Part):
    """All of one case. ``withdrawn``: consent was taken back, and no export shows it."""

    patient: Patient
    fractures: tuple[Fracture, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    imaging: tuple[Imaging, ...] = ()
    leaks: tuple[Leak, ...] = ()
    deficit: Deficit | None = None
    revisions: tuple[Revision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    events: tuple[Event, ...] = ()
    withdrawn: bool = False
