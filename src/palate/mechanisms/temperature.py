"""Margins -> soft verdicts: 2 sigmoid(margin / T) - 1, and the T that fits a reference mechanism.

A margin is score(a) - score(b) in whatever unit a mechanism scores. With p the probability that
the reference prefers a, the Bradley-Terry model says p = sigmoid(margin / T); the likelihood

    L(beta) = sum_i  p_i log sigmoid(beta m_i) + (1 - p_i) log sigmoid(-beta m_i),    beta = 1 / T

is concave in beta and has no intercept, so it does not depend on which response is called a. The
interval is that of beta with standard errors clustered by prompt and Student's t with one less
than the number of clusters, turned into T. The log loss is held out: T is fitted on the other
folds, and no prompt stands on both sides.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.data.splits import grouped_folds
from palate.errors import DataError

Array = npt.NDArray[np.float64]
FOLDS = 5
LEAST_PAIRS, LEAST_GROUPS = 20, 10
"""With fewer a temperature is not worth its name, and none is fitted."""
LEVEL = 0.95


@dataclass(frozen=True)
class Calibration:
    """The temperature that fits a reference mechanism.

    Parameters
    ----------
    reference
        Name of the mechanism.
    temperature
        T by maximum likelihood, in the unit of the scores.
    low
        Lower end of its 95 % interval.
    high
        Upper end; None where margins that say nothing are not ruled out.
    pairs
        Pairs it rests on: margin and verdict known, verdict no tie.
    groups
        Groups of pairs that share a prompt or the responses.
    log_loss
        Held-out log loss, in nats a pair; log 2 = 0.693 is that of a coin.
    log_loss_at_one
        Log loss of the same pairs at T = 1.
    gain_low
        Lower end of the 95 % interval of what T gains over T = 1, clustered.
    gain_high
        Upper end.
    """

    reference: str
    temperature: float
    low: float
    high: float | None
    pairs: int
    groups: int
    log_loss: float
    log_loss_at_one: float
    gain_low: float
    gain_high: float

    def told(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return asdict(self)


def soft_verdicts(margins: Array, temperature: float = 1.0) -> Array:
    """Return 2 sigmoid(margin / T) - 1 = tanh(margin / 2T), NaN where there is no margin.

    Parameters
    ----------
    margins
        score(a) - score(b), shape (n,).
    temperature
        T, above 0.
    """
    return np.tanh(np.asarray(margins, dtype=np.float64) / (2.0 * temperature))


def log_losses(margins: Array, chances: Array, temperature: float) -> Array:
    """Return the cross entropy of every pair in nats, shape (n,).

    Parameters
    ----------
    margins
        score(a) - score(b).
    chances
        Probability that the reference prefers a.
    temperature
        T.
    """
    logit = margins / temperature
    return np.asarray(np.logaddexp(0.0, logit) - chances * logit, dtype=np.float64)


def calibrate(
    margins: Array, verdicts: Array, groups: npt.NDArray[np.integer], *, reference: str, seed: int
) -> Calibration:
    """Return the temperature at which soft verdicts fit a reference mechanism.

    Parameters
    ----------
    margins
        score(a) - score(b), NaN where there is none.
    verdicts
        Verdicts of the reference in [-1, 1], NaN where it did not judge; ties are left out.
    groups
        Group of every pair, see `palate.data.splits.groups`.
    reference
        Name of the reference.
    seed
        Seed of the folds.

    Raises
    ------
    DataError
        If there are too few pairs, the margins tell the verdicts without an error (T would be 0),
        or they point the other way (no T above 0 fits).
    """
    known = np.isfinite(margins) & np.isfinite(verdicts) & (verdicts != 0) & (margins != 0)
    m, p, g = margins[known], (1.0 + verdicts[known]) / 2.0, np.asarray(groups)[known]
    g = np.unique(g, return_inverse=True)[1]
    n_groups = int(g.max(initial=-1)) + 1
    if m.size < LEAST_PAIRS or n_groups < LEAST_GROUPS:
        raise DataError(
            f"The reference mechanism {reference!r} has verdicts without ties on {m.size:,} pairs "
            f"of {n_groups:,} prompts with different scores; expected at least {LEAST_PAIRS} pairs "
            f"of {LEAST_GROUPS} prompts to fit a temperature."
        )
    beta = _fit(m, p)
    if beta <= 0:
        raise DataError(
            f"The scores run against the reference mechanism {reference!r}: no temperature fits; "
            "expected scores that agree with it more often than not (is the label the right one?)."
        )
    if math.isinf(beta):
        raise DataError(
            f"The scores tell every verdict of {reference!r}, so that the likelihood has no "
            "largest temperature; expected some disagreement (--hard needs none)."
        )
    spread = _standard_error(m, p, g, beta) * _t(n_groups - 1)
    held, fold = np.empty(m.size), grouped_folds(g, min(FOLDS, n_groups), seed=seed)
    for k in np.unique(fold):
        train, test = fold != k, fold == k
        fitted = _fit(m[train], p[train])
        # where the other folds have no T, being told without an error or the wrong way, it is 1
        held[test] = log_losses(m[test], p[test], 1.0 / fitted if 0 < fitted < math.inf else 1.0)
    at_one = log_losses(m, p, 1.0)
    gain, half = _clustered_mean(at_one - held, g)
    return Calibration(
        reference=reference,
        temperature=1.0 / beta,
        low=1.0 / (beta + spread),
        high=1.0 / (beta - spread) if beta > spread else None,
        pairs=int(m.size),
        groups=n_groups,
        log_loss=float(held.mean()),
        log_loss_at_one=float(at_one.mean()),
        gain_low=gain - half,
        gain_high=gain + half,
    )


def _fit(m: Array, p: Array) -> float:
    """The maximum-likelihood beta: 0 or less if none above 0 fits, inf if there is no largest."""
    from scipy.optimize import brentq
    from scipy.special import expit

    unit = float(np.median(np.abs(m)))
    x = m / unit

    def slope(beta: float) -> float:
        return float(np.sum(x * (p - expit(beta * x))))

    if slope(0.0) <= 0:
        return 0.0
    if not np.any(np.where(x > 0, 1.0 - p, p) > 0):
        return math.inf
    high = 1.0
    while slope(high) > 0:
        high *= 2.0
        if high > 1e12:
            return math.inf
    return float(brentq(slope, 0.0, high, xtol=1e-14, rtol=1e-12)) / unit


def _standard_error(m: Array, p: Array, g: npt.NDArray[np.integer], beta: float) -> float:
    from scipy.special import expit

    fitted = expit(beta * m)
    sums = np.bincount(g, weights=m * (p - fitted))
    curvature = float(np.sum(m**2 * fitted * (1.0 - fitted)))
    n = sums.size
    return math.sqrt(n / (n - 1) * float(np.sum(sums**2))) / curvature


def _clustered_mean(values: Array, g: npt.NDArray[np.integer]) -> tuple[float, float]:
    """The mean, and half the width of its interval."""
    mean = float(values.mean())
    sums = np.bincount(g, weights=values - mean)
    n = sums.size
    error = math.sqrt(n / (n - 1) * float(np.sum(sums**2))) / values.size
    return mean, error * _t(n - 1)


def _t(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + LEVEL / 2, freedom))
