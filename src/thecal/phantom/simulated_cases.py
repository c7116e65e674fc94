"""Cases of a registry that never were: plausible, seeded, and named so.

For measuring speed and for trying the statistics out; no figure of theirs says anything of patients. Shares
are made up, but for a leak in 54.7 % after vertebroplasty and 18.4 % after kyphoplasty (Zhan 2017, doi
10.1016/j.wneu.2017.01.124).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from thecal.registry.case import Case
from thecal.registry.grades import GRADES, grade_value

LEVELS: Final = ("T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
LEVEL_WEIGHTS: Final = (3, 3, 5, 10, 22, 26, 13, 9, 6, 3)
LEAK_SHARES: Final = {"VP": 0.547, "KP": 0.184}
COMPARTMENT_WEIGHTS: Final = {
    "intradiscal": 40,
    "paravertebral": 35,
    "epidural": 18,
    "needle_track": 5,
    "foraminal": 1.8,
    "intradural": 0.2,
}
VISITS_DAYS: Final = (1, 11, 30, 90, 180, 365)
MUSCLES: Final = ("iliopsoas", "quadriceps", "tibialis anterior", "triceps surae")
DEFICIT_SHARE: Final = 0.01
"""Made up, and more than is known of: so that the courses of nerves have something to show."""


def simulated_cases(count: int, seed: int, *, deficit_share: float = DEFICIT_SHARE) -> Iterator[Case]:
    """Cases named SIM-1 and on.

    Parameters
    ----------
    count, seed : int
    deficit_share : float
        Of patients whose nerves were hurt, and were followed.
    """
    random = Random(seed)
    for number in range(1, count + 1):
        yield Case.model_validate(_case(random, f"SIM-{number}", deficit_share))


def _case(random: Random, pseudonym: str, deficit_share: float) -> dict[str, Any]:
    levels = list(
        dict.fromkeys(random.choices(LEVELS, LEVEL_WEIGHTS, k=random.choices((1, 2, 3), (7, 2, 1))[0]))
    )
    on = date(2015, 1, 1) + timedelta(days=random.randrange(3400))
    kind = "VP" if random.random() < 0.7 else "KP"
    viscosity = random.choice(("low", "medium", "high", None))
    case: dict[str, Any] = {
        "patient": {
            "pseudonym": pseudonym,
            "age_years": float(min(max(round(random.gauss(74, 9)), 45), 98)),
            "sex": "F" if random.random() < 0.78 else "M",
            "bone_t_score": round(random.gauss(-3.0, 0.8), 1) if random.random() < 0.6 else None,
        },
        "fractures": [{"level": level, "cause": "osteoporotic"} for level in levels],
        "procedures": [
            {
                "kind": kind,
                "level": level,
                "on": on,
                "viscosity": viscosity,
                "cement_brand": "simulated",
                "volume_ml": round(random.uniform(2.0, 7.0), 1),
            }
            for level in levels
        ],
    }
    if random.random() < 0.92:
        case["imaging"] = [{"modality": "CT", "on": on + timedelta(days=1)}]
    leaking = LEAK_SHARES[kind] * (0.8 if viscosity == "high" else 1.05)
    if random.random() < leaking:
        where = random.choices(list(COMPARTMENT_WEIGHTS), list(COMPARTMENT_WEIGHTS.values()))[0]
        volume = round(random.expovariate(4.0), 2)
        case["leaks"] = [{"compartment": where, "level": random.choice(levels), "volume_ml": volume}]
    case["outcomes"] = _pain(random)
    hurt = random.random() < deficit_share
    case["deficit"] = {"present": "yes" if hurt else "no"}
    if hurt:
        _nerves(random, case, on)
    return case


def _pain(random: Random) -> list[dict[str, Any]]:
    if random.random() > 0.7:
        return []
    before, after = random.randrange(5, 11), random.randrange(0, 6)
    return [
        {"scale": "vas", "as_written": str(value), "value": float(value), "days": float(day)}
        for day, value in ((-1, before), (1, after))
    ]


def _nerves(random: Random, case: dict[str, Any], on: date) -> None:
    """A deficit, often a decompression, and visits until one is missed."""
    hours = round(random.lognormvariate(3.3, 1.3), 1)
    case["deficit"] |= {"on": on, "delay_h": 0.0}
    if random.random() < 0.8:
        level = case["procedures"][0]["level"]
        case["revisions"] = [{"delay_h": hours, "laminectomy_levels": [level], "durotomy": "unknown"}]
    else:
        hours = 2000.0
    pace = random.uniform(0.5, 3.0) / (1.0 + hours / 200.0)
    rank = {(muscle, side): random.randrange(0, 7) for muscle in MUSCLES for side in ("left", "right")}
    walk_at, bladder_at = (random.expovariate(pace / (90.0 * other)) for other in (1.0, 1.6))
    for day in VISITS_DAYS:
        if day > 1 and random.random() < 0.15:
            break
        for (muscle, side), begun in rank.items():
            gained = int(pace * (day / 30.0) ** 0.5 * random.uniform(0.5, 2.0)) if day > 1 else 0
            grade = GRADES[min(begun + gained, len(GRADES) - 1)]
            case["outcomes"].append(
                {
                    "scale": "mrc",
                    "as_written": grade,
                    "value": grade_value(grade),
                    "muscle": muscle,
                    "side": side,
                    "days": float(day),
                }
            )
        walking = "none" if day < walk_at else "aided"
        bladder = "impaired" if day < bladder_at else "normal"
        for scale, word in (("walking", walking), ("bladder", bladder)):
            case["outcomes"].append({"scale": scale, "as_written": word, "choice": word, "days": float(day)})
