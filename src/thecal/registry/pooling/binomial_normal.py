"""Random-effects pooling of proportions by the binomial-normal model, fitted by maximum likelihood.

In study i, y_i of n_i leaked; the logit of its own rate is drawn from a normal distribution:

    y_i ~ Binomial(n_i, p_i),  logit p_i = mu + tau z_i,  z_i ~ Normal(0, 1)

(Stijnen, Hamza and Özdemir 2010, Stat Med 29:3046, doi 10.1002/sim.4040.) No normal approximation to the
counts and no correction of empty cells is made. The integral over z_i is taken by adaptive Gauss-Hermite
quadrature: the nodes lie where the integrand of that study has its mode, and as wide as it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError

Array = npt.NDArray[np.float64]
NODES: Final = 31
"""Nodes of the quadrature; with 25 and more, no digit that is shown changes."""
CONFIDENCE_CHI2: Final = 3.841458820694124
"""95 % quantile of chi-squared with one degree of freedom."""
Z95: Final = 1.959963984540054
"""97.5 % quantile of the normal distribution."""
MODE_STEPS: Final = 60
MODE_ERROR: Final = 1e-6
"""Newton's last step: nodes so far off the mode do not change the integral."""
WIDEST_LOGIT: Final = 30.0
"""A rate beyond this logit cannot be told from 0 or 1."""


@dataclass(frozen=True)
class Heterogeneity:
    """How far the studies differ.

    Attributes
    ----------
    saturated_lr, saturated_df, saturated_p : float, int, float
        Likelihood ratio of a rate of its own for each study against one rate for all (G), its degrees of
        freedom and its p by chi-squared.
    tau_lr, tau_p : float
        Likelihood ratio of tau > 0 against tau = 0; p is half of chi-squared's with one degree of freedom,
        for tau = 0 is the end of its range (Self and Liang 1987, J Am Stat Assoc 82:605; from memory).
    i2 : float or None
        Share of tau^2 in tau^2 and the typical variance of a study's logit (Higgins and Thompson 2002,
        doi 10.1002/sim.1186). That variance is an approximation which the model itself does not make.
    """

    saturated_lr: float
    saturated_df: int
    saturated_p: float
    tau_lr: float
    tau_p: float
    i2: float | None


@dataclass(frozen=True)
class Fit:
    """The pooled rate; every rate is a share, 0 to 1, and ``mu``, ``se`` and ``tau2`` are of logits.

    Attributes
    ----------
    mu, se, tau2 : float
    rate : float
        At the middle of the studies: the inverse logit of ``mu``, the median of their rates, not their mean.
    interval : (float, float)
        95 % by the profile likelihood.
    wald : (float, float)
        95 % by ``mu`` and ``se``, as other programs give it.
    prediction : (float, float) or None
        95 % for the rate of a further study, from t with k - 2 degrees of freedom (Higgins, Thompson and
        Spiegelhalter 2009, doi 10.1111/j.1467-985X.2008.00552.x); None for fewer than three studies.
    log_likelihood : float
    heterogeneity : Heterogeneity
    """

    mu: float
    se: float
    tau2: float
    rate: float
    interval: tuple[float, float]
    wald: tuple[float, float]
    prediction: tuple[float, float] | None
    log_likelihood: float
    heterogeneity: Heterogeneity


@cache
def _rule(nodes: int) -> tuple[Array, Array]:
    """Nodes and log weights for integrals against exp(-x^2)."""
    x, w = np.polynomial.hermite.hermgauss(nodes)
    return x, np.log(w)


def log_likelihoods(
    events: Array, n: Array, mu: float, tau: float, nodes: int = NODES
) -> tuple[Array, Array, Array]:
    """Each study's log likelihood, and its derivatives by mu and by tau.

    Parameters
    ----------
    events, n : (k,)
    mu, tau : float
        Of the logits; ``tau`` is not negative.
    nodes : int

    Returns
    -------
    value, by_mu, by_tau : (k,)
    """
    from scipy.special import gammaln

    x, log_w = _rule(nodes)
    mode, width = _modes(events, n, mu, tau)
    z = mode[:, None] + np.sqrt(2.0) * width[:, None] * x
    eta = mu + tau * z
    choose = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    inside = (
        events[:, None] * eta
        - n[:, None] * np.logaddexp(0.0, eta)
        - 0.5 * z**2
        - 0.5 * np.log(2.0 * np.pi)
        + log_w
        + x**2
    )
    top = inside.max(axis=1)
    posterior = np.exp(inside - top[:, None])
    weight = posterior.sum(axis=1)
    posterior /= weight[:, None]
    value = choose + 0.5 * np.log(2.0) + np.log(width) + top + np.log(weight)
    residual = events[:, None] - n[:, None] / (1.0 + np.exp(-eta))
    return value, (posterior * residual).sum(1), (posterior * residual * z).sum(1)


def _modes(events: Array, n: Array, mu: float, tau: float) -> tuple[Array, Array]:
    """Where each study's integrand is largest, and its width there, by Newton's method with halved steps."""
    z = np.zeros(len(n))

    def height(at: Array) -> Array:
        eta = mu + tau * at
        made: Array = events * eta - n * np.logaddexp(0.0, eta) - 0.5 * at**2
        return made

    high = height(z)
    for _ in range(MODE_STEPS):
        p = 1.0 / (1.0 + np.exp(-(mu + tau * z)))
        step = (tau * (events - n * p) - z) / (1.0 + tau**2 * n * p * (1.0 - p))
        higher = height(z + step)
        while (worse := higher < high - 1e-12).any():
            step = np.where(worse, 0.5 * step, step)
            higher = height(z + step)
        z, high = z + step, higher
        if abs(step).max() < MODE_ERROR:
            break
    p = 1.0 / (1.0 + np.exp(-(mu + tau * z)))
    return z, 1.0 / np.sqrt(1.0 + tau**2 * n * p * (1.0 - p))


def fit(events: Sequence[int], n: Sequence[int]) -> Fit:
    """Pool the proportions of two or more studies.

    Parameters
    ----------
    events, n : sequences of int
        Of each study so many of so many.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        With fewer than two studies, counts that are no proportions, or where every study has no event or only
        events: then no rate is the likeliest.
    """
    y, m = np.asarray(events, float), np.asarray(n, float)
    _check(y, m)
    from scipy.stats import chi2

    start = float(np.log(y.sum() / (m.sum() - y.sum())))
    mu, tau, best = _maximum(y, m, start)
    common = float(log_likelihoods(y, m, start, 0.0)[0].sum())
    if best <= common:
        mu, tau, best = start, 0.0, common
    se = _standard_error(y, m, mu, tau)
    saturated = max(0.0, 2.0 * (_saturated(y, m) - common))
    tau_lr = max(0.0, 2.0 * (best - common))
    return Fit(
        mu=mu,
        se=se,
        tau2=tau**2,
        rate=_expit(mu),
        interval=(_profile_end(y, m, mu, se, best, -1.0), _profile_end(y, m, mu, se, best, 1.0)),
        wald=(_expit(mu - Z95 * se), _expit(mu + Z95 * se)),
        prediction=_prediction(mu, se, tau, len(y)),
        log_likelihood=best,
        heterogeneity=Heterogeneity(
            saturated_lr=saturated,
            saturated_df=len(y) - 1,
            saturated_p=float(chi2.sf(saturated, len(y) - 1)),
            tau_lr=tau_lr,
            tau_p=0.5 * float(chi2.sf(tau_lr, 1)) if tau_lr > 0.0 else 1.0,
            i2=_i_squared(y, m, tau**2),
        ),
    )


def _check(y: Array, m: Array) -> None:
    if len(y) < 2:
        raise InputError("A single study is not pooled")
    if np.any(y < 0) or np.any(y > m) or np.any(m < 1):
        raise InputError("Events are none to all of a study's number")
    if y.sum() == 0 or y.sum() == m.sum():
        raise InputError("Where all studies have no event, or nothing else, no pooled rate is the likeliest")


def _maximum(y: Array, m: Array, start: float) -> tuple[float, float, float]:
    """The likeliest mu and tau, from several beginnings, for tau = 0 may be a maximum of its own."""
    from scipy.optimize import minimize

    def downhill(at: Array) -> tuple[float, Array]:
        value, by_mu, by_tau = log_likelihoods(y, m, float(at[0]), float(at[1]))
        return -float(value.sum()), -np.array([by_mu.sum(), by_tau.sum()])

    spread = float(np.std(np.log((y + 0.5) / (m - y + 0.5))))
    found = [
        minimize(
            downhill,
            [start, tau],
            jac=True,
            method="L-BFGS-B",
            bounds=[(-WIDEST_LOGIT, WIDEST_LOGIT), (0.0, WIDEST_LOGIT)],
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
        )
        for tau in (0.3, max(spread, 0.05))
    ]
    best = min(found, key=lambda one: float(one.fun))
    return float(best.x[0]), float(best.x[1]), -float(best.fun)


def _standard_error(y: Array, m: Array, mu: float, tau: float) -> float:
    """From the observed information of mu and tau together; of mu alone where tau is 0."""
    step = 1e-5

    def gradient(at_mu: float, at_tau: float) -> Array:
        _, by_mu, by_tau = log_likelihoods(y, m, at_mu, at_tau)
        return np.array([by_mu.sum(), by_tau.sum()])

    by_mu = (gradient(mu + step, tau) - gradient(mu - step, tau)) / (2.0 * step)
    if tau <= step:
        return float(1.0 / np.sqrt(-by_mu[0]))
    by_tau = (gradient(mu, tau + step) - gradient(mu, tau - step)) / (2.0 * step)
    covariance = np.linalg.inv(-np.array([by_mu, by_tau]))
    return float(np.sqrt(covariance[0, 0]))


def _profile_end(y: Array, m: Array, mu: float, se: float, best: float, towards: float) -> float:
    """Where the likelihood, at its best over tau, has fallen by half of chi-squared's 95 % quantile."""
    from scipy.optimize import brentq, minimize_scalar

    def over_tau(at: float) -> float:
        def downhill(tau: float) -> float:
            return -float(log_likelihoods(y, m, at, tau)[0].sum())

        # tau grows as mu is forced away from the studies.
        reach = 10.0 + 2.0 * abs(at - mu)
        inside = minimize_scalar(downhill, bounds=(0.0, reach), method="bounded", options={"xatol": 1e-4})
        return -min(float(inside.fun), downhill(0.0))

    def short(at: float) -> float:
        return 2.0 * (best - over_tau(at)) - CONFIDENCE_CHI2

    far = mu + towards * 2.0 * se
    while short(far) < 0.0:
        far += towards * 2.0 * se
        if abs(far) > WIDEST_LOGIT:
            return 0.0 if towards < 0 else 1.0
    return _expit(float(brentq(short, mu, far, xtol=1e-7)))


def _prediction(mu: float, se: float, tau: float, k: int) -> tuple[float, float] | None:
    if k < 3:
        return None
    from scipy.stats import t

    reach = float(t.ppf(0.975, k - 2)) * float(np.sqrt(tau**2 + se**2))
    return _expit(mu - reach), _expit(mu + reach)


def _saturated(y: Array, m: Array) -> float:
    from scipy.stats import binom

    return float(binom.logpmf(y, m, y / m).sum())


def _i_squared(y: Array, m: Array, tau2: float) -> float | None:
    """By the typical variance of the studies' logits, with half an event added where a cell is empty."""
    add = np.where((y == 0) | (y == m), 0.5, 0.0)
    weight = 1.0 / (1.0 / (y + add) + 1.0 / (m - y + add))
    spread = weight.sum() ** 2 - (weight**2).sum()
    if spread <= 0.0:
        return None
    typical = (len(y) - 1) * weight.sum() / spread
    return float(tau2 / (tau2 + typical))


def _expit(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-logit)))
