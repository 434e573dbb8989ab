"""What a reference rewards more than a judge, where the judge's ties are known.

Verdicts of a judge that was asked in both orders are sharper than its answers: where the orders
err independently, P(both say a) / P(both say b) = (p / (1 - p))^2, so on the pairs that are no ties
its log-odds, and with them all its effects, are twice those of one answer. Subtracted as they are
from the effects of a reference, they would turn everything that both reward alike into something
that the judge rewards more. So the judge's effects are first put on the scale of one answer,

    difference = reference - s judge,     s = slope(ties as half a win) / slope(without ties),

both slopes those of the judge's verdicts on its own fitted log-odds. s is 1 without ties.

The two are estimated apart, and their errors are added as if they were independent, which is
cautious where what the concepts leave unexplained goes together; s is taken as known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from palate.inference.effects import Effects, Estimates

Array = npt.NDArray[np.float64]
STEEPEST = 50.0


def sharpness(log_odds: Array, verdicts: Array) -> float:
    """Return s, the scale of one answer on that of verdicts without ties, between 0 and 1.

    Where the log-odds say nothing it is the share of pairs that are no ties, to which s tends for
    small log-odds.

    Parameters
    ----------
    log_odds
        The judge's fitted log-odds, shape (n,).
    verdicts
        Its verdicts, 0 for a tie, shape (n,).
    """
    sided = verdicts != 0
    if sided.all() or not sided.any():
        return 1.0
    whole, part = (_slope(log_odds[k], verdicts[k]) for k in (slice(None), sided))
    return float(np.clip(whole / part, 0.0, 1.0)) if part > 0 else float(sided.mean())


def _slope(z: Array, verdicts: Array) -> float:
    """The slope of a logistic regression of soft verdicts on z, not negative."""

    def score(slope: float) -> float:
        return float((z * ((1.0 + verdicts) / 2.0 - expit(slope * z))).sum())

    if score(0.0) <= 0:
        return 0.0
    return STEEPEST if score(STEEPEST) >= 0 else float(brentq(score, 0.0, STEEPEST))


def minus(one: Effects, other: Effects, scale: float) -> Effects:
    """Return one set of effects minus another times a scale, with the errors of both.

    Parameters
    ----------
    one
        Effects.
    other
        Effects of the same concepts in the same domains.
    scale
        What the other ones are multiplied by.
    """
    level = one.level
    return replace(
        one,
        shared=_minus(one.shared, other.shared, scale, level),
        deviation=_minus(one.deviation, other.deviation, scale, level),
        total=_minus(one.total, other.total, scale, level),
    )


def _minus(one: Estimates, other: Estimates, scale: float, level: float) -> Estimates:
    spread = one.se**2, (scale * other.se) ** 2
    value = one.value - scale * other.value
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN stays NaN
        each = spread[0] ** 2 / one.dof + spread[1] ** 2 / other.dof
        dof = np.maximum((spread[0] + spread[1]) ** 2 / each, 1.0)  # Welch and Satterthwaite
    return Estimates.of(value, np.sqrt(spread[0] + spread[1]), dof, level=level)
