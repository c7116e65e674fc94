"""Cases for the tests of the registry: the founding paper's patient, and simple ones in any number."""

from __future__ import annotations

import random
from datetime import date

from thecal.registry.case import (
    Case,
    Deficit,
    Event,
    Fracture,
    Imaging,
    Leak,
    Outcome,
    Patient,
    Procedure,
    Revision,
    Sign,
)

DAY_OF_CEMENT = date(2023, 3, 1)
"""Not the founding paper's, which gives no dates."""


def founding(pseudonym: str = "founding", **patient: object) -> Case:
    """A case with every part; strength as the founding paper writes it."""

    def strength(days: float, side: str, written: str, value: float) -> Outcome:
        return Outcome.model_validate(
            {
                "scale": "mrc",
                "as_written": written,
                "value": value,
                "side": side,
                "muscle": "quadriceps",
                "days": days,
            }
        )

    return Case(
        patient=Patient(pseudonym=pseudonym, age_years=70, sex="F", **patient),  # type: ignore[arg-type]
        fractures=(Fracture(level="T12", cause="osteoporotic", posterior_wall="breached"),),
        procedures=(Procedure(kind="VP", level="T12", on=DAY_OF_CEMENT, notes="two punctures"),),
        imaging=(Imaging(modality="CT", on=DAY_OF_CEMENT, series_uid="1.2.3"),),
        leaks=(
            Leak(
                compartment="intradural",
                level="T12",
                intradural="probable",
                signs=(Sign(name="layering", state="present"), Sign(name="root_outlines", state="absent")),
            ),
            Leak(compartment="epidural", level="T12", signs=(Sign(name="layering", state="absent"),)),
        ),
        deficit=Deficit(present="yes", delay_h=0.0, on=DAY_OF_CEMENT, description="legs, bladder, bowel"),
        revisions=(Revision(laminectomy_levels=("T12",), durotomy="yes", fixation_levels=("T11", "L1")),),
        outcomes=(
            strength(0, "left", "2", 2.0),
            strength(0, "right", "1", 1.0),
            strength(1, "right", "2+", 2.33),
            strength(30, "left", "4", 4.0),
            Outcome(scale="bladder", as_written="normal", choice="normal", days=30),
        ),
        events=(Event(kind="adjacent_fracture", level="L1", on=date(2024, 3, 1)),),
    )


def simple(number: int) -> Case:
    """A case drawn by its number."""
    draw = random.Random(number)
    level = draw.choice(["T11", "T12", "L1", "L2"])
    day = date(2020, 1, 1 + number % 28)
    return Case(
        patient=Patient(pseudonym=f"P{number:06d}", age_years=draw.randint(55, 90), sex=draw.choice("FM")),
        fractures=(Fracture(level=level),),
        procedures=(Procedure(kind=draw.choice(["VP", "KP"]), level=level, on=day),),
        leaks=tuple(
            Leak(compartment=draw.choice(["epidural", "intradiscal", "paravertebral"]), level=level)
            for _ in range(number % 3)
        ),
        deficit=Deficit(present="yes" if number % 50 == 0 else "no"),
        outcomes=(Outcome(scale="vas", as_written="3", value=3.0, days=1),),
    )
