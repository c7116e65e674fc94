"""One probability of cement inside the dura from the seven signs, with its interval."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import product
from math import exp, log, sqrt
from typing import Any, Final

import numpy as np

from thecal.errors import InputError
from thecal.leakage.findings import DuralFinding, IntraduralSign
from thecal.terms import EVEN_ODDS, SIGNS, SignName
from thecal.volume import FloatArray

DEFAULT_PRIOR: Final = EVEN_ODDS
"""Even odds: the probability is then what the CT says and nothing else. No rate is known of what is asked
here, cement inside the dura given cement in the canal. The founding paper's 1.08 % goes back to a report of
one patient and to one centre's series (1 of 93 is 1.075 %); its own table counts a dozen cases worldwide."""
SPAN: Final[dict[SignName, tuple[float, float]]] = {
    "medial_puncture": (1.0, -3.0),
    "layering": (0.0, 10.0),
    "no_extradural_cement": (1.0, 0.0),
    "sac_conforming_shape": (0.0, 0.8),
    "root_outlines": (0.0, 3.0),
    "multilevel_spread": (0.0, 2.0),
    "separated_from_posterior_wall": (0.0, 1.0),
}
"""Each sign's value where it speaks least and most for the dura, in its own unit; straight between."""
INTERVAL_SD: Final = 1.645
"""Half width of the interval in standard deviations of the log odds: nine of ten."""
PROBABLE_FROM: Final = 0.70
"""At which none of the cases outside the dura that the model was fitted to is called probable."""
POSSIBLE_FROM: Final = 0.15
MODEL_FILE: Final = "probability.json"


@dataclass(frozen=True, eq=False)
class Model:
    """Log likelihood ratios of the signs, as fitted; arrays in the order of ``SIGNS``.

    Attributes
    ----------
    for_ : (7,) float64
        What a sign at its strongest adds to the log odds.
    against : (7,) float64
        What a sign at its weakest takes away; neither is negative.
    covariance : (14, 14) float64
        Of ``for_`` and ``against``, from the bootstrap.
    spread : (7,) float64
        Standard deviation of each sign's term over the fitted cases that showed it.
    nothing_seen, nothing_seen_sd : float
        Log likelihood ratio where no cement is detected in the canal: how often cement inside the dura is
        missed.
    """

    for_: FloatArray
    against: FloatArray
    covariance: FloatArray
    spread: FloatArray
    nothing_seen: float
    nothing_seen_sd: float

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Model:
        """The model of the data file's content."""
        signs = [stored["signs"][name] for name in SIGNS]
        nothing = stored["nothing_seen"]
        return cls(
            np.array([s["for"] for s in signs], float),
            np.array([s["against"] for s in signs], float),
            np.array(stored["covariance"], float),
            np.array([s["spread"] for s in signs], float),
            float(nothing["log_likelihood_ratio"]),
            float(nothing["sd"]),
        )


def evidence(sign: IntraduralSign) -> float | None:
    """How strongly a sign speaks, 0..1; None where it was not assessable."""
    if sign.state == "not_assessable" or sign.value is None:
        return None
    least, most = SPAN[sign.name]
    return float(np.clip((sign.value - least) / (most - least), 0.0, 1.0))


def log_odds(strengths: dict[SignName, float | None], model: Model) -> tuple[float, float, FloatArray]:
    """Log likelihood ratio, its standard deviation, and each sign's part (0 where unread).

    A sign of strength x adds x·for − (1 − x)·against. One that was not read adds nothing. The variance is
    then the largest that the signs would have with any strength of the unread ones, and the spread of what
    these could have added besides: reading a sign never widens the interval.
    """
    parts, unseen = np.zeros(len(SIGNS)), 0.0
    choices: list[tuple[float, ...]] = []
    for i, name in enumerate(SIGNS):
        x = strengths.get(name)
        if x is None:
            unseen += float(model.spread[i]) ** 2
            # A quadratic form is largest at a corner.
            choices.append((0.0, 1.0))
            continue
        parts[i] = x * model.for_[i] - (1.0 - x) * model.against[i]
        choices.append((x,))
    corners = np.array(list(product(*choices)))
    slopes = np.hstack([corners, corners - 1.0])
    variance = float(np.einsum("ni,ij,nj->n", slopes, model.covariance, slopes).max()) + unseen
    return float(parts.sum()), sqrt(variance), parts


def judge(
    signs: tuple[IntraduralSign, ...], prior: float = DEFAULT_PRIOR, *, in_sac: bool = False
) -> DuralFinding:
    """The finding from signs of which some were read.

    Parameters
    ----------
    signs : tuple of IntraduralSign
    prior : float
        Probability before the CT, 0..1 without the ends.
    in_sac : bool
        Whether cement lies within the outline of the sac: it is then never called not detected.

    Raises
    ------
    InputError
        Where the prior is no probability.
    """
    model = stored_model()
    ratio, sd, parts = log_odds({s.name: evidence(s) for s in signs}, model)
    weights = tuple((name, round(float(part), 3)) for name, part in zip(SIGNS, parts, strict=True))
    found = _found(ratio, sd, check_prior(prior), weights)
    return replace(found, finding="possible") if in_sac and found.finding == "not_detected" else found


def nothing_seen(prior: float = DEFAULT_PRIOR) -> DuralFinding:
    """The finding where no cement is detected in a canal that can be judged."""
    model = stored_model()
    return _found(model.nothing_seen, model.nothing_seen_sd, check_prior(prior), ())


def not_assessable(why: str, prior: float = DEFAULT_PRIOR) -> DuralFinding:
    """No finding, and why."""
    return DuralFinding("not_assessable", None, None, check_prior(prior), None, (), why)


def check_prior(prior: float) -> float:
    """The prior, where it is one.

    Raises
    ------
    InputError
        Where it is not between 0 and 1.
    """
    if not 0.0 < prior < 1.0:
        raise InputError(f"A prior of {prior:g} is no probability between 0 and 1")
    return prior


def _found(
    ratio: float, sd: float, prior: float, weights: tuple[tuple[SignName, float], ...]
) -> DuralFinding:
    start = log(prior / (1.0 - prior))
    low, middle, high = (_chance(start + ratio + k * INTERVAL_SD * sd) for k in (-1, 0, 1))
    if middle >= PROBABLE_FROM:
        return DuralFinding("probable", middle, (low, high), prior, exp(ratio), weights)
    name = "possible" if middle >= POSSIBLE_FROM else "not_detected"
    return DuralFinding(name, middle, (low, high), prior, exp(ratio), weights)  # type: ignore[arg-type]


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + exp(-logit))


@lru_cache(maxsize=1)
def stored_model() -> Model:
    """The fitted model that is installed with the program."""
    text = files("thecal.leakage.intradural").joinpath(MODEL_FILE).read_text(encoding="utf-8")
    return Model.of(json.loads(text))
