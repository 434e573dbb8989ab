"""How right broken ties are: accuracies with intervals, and tests against a coin.

A tied pair scores 1 where the side it got is that of the reference, 0 where it is the other one,
1/2 where it stays a tie. Pairs that share a prompt or responses are one group; nothing is assumed
of what goes on in a group.

Interval: mean with the sandwich by group and a t quantile (G - 1 degrees of freedom), after
pseudo-observations at the ends of the scale, as Agresti and Coull (1998) for a proportion and
Agresti and Min (2005) for a paired difference, without which few pairs that all go one way would
have an interval of width 0. Where every pair is a group of its own these are z^2 pairs. Pairs of a
group may all say the same, so with groups of m pairs (the mean over pairs) they are z^2 groups of k
pairs, k the geometric mean of m and of the design effect that the pairs show, which few groups
cannot tell from chance. One group alone has no interval.

Test: of "no better than a coin" each group's sum of score - 1/2 is as likely with either sign; the
p-value is the exact share of all 2^G signs that give a sum at least as far from 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from palate.inference.sign_flips import sign_test

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

TIED = 0.5  # score of a pair that stays a tie


class Mean(NamedTuple):
    """A mean with its interval; None where there is nothing to average."""

    value: float | None
    low: float | None
    high: float | None


def scores_of(broken: Array, right: Array) -> Array:
    """Return 1 where a broken tie agrees with the reference, 0 where not, 1/2 where still tied.

    Parameters
    ----------
    broken
        Sides, shape (n,): +1, -1, or 0 for still tied.
    right
        Verdicts of the reference without ties, shape (n,).
    """
    return np.asarray((1.0 + np.sign(broken) * np.sign(right)) / 2.0)


def proportion(values: Array, groups: Integers, *, level: float) -> Mean:
    """Return the mean of scores between 0 and 1 with its interval.

    Parameters
    ----------
    values
        Scores, shape (n,).
    groups
        Group of each, shape (n,).
    level
        Level of the interval.
    """
    return _mean(values, groups, level, ends=((0.0, 0.5), (1.0, 0.5)), bounds=(0.0, 1.0))


def difference(values: Array, groups: Integers, *, level: float) -> Mean:
    """Return the mean of differences between -1 and 1 with its interval.

    Parameters
    ----------
    values
        Differences of scores of the same pairs, shape (n,).
    groups
        Group of each, shape (n,).
    level
        Level of the interval.
    """
    ends = ((-1.0, 0.25), (0.0, 0.5), (1.0, 0.25))
    return _mean(values, groups, level, ends=ends, bounds=(-1.0, 1.0))


def gain(values: Array, groups: Integers, *, level: float) -> Mean:
    """Return the mean over many pairs of what few of them gain, with its interval.

    Parameters
    ----------
    values
        Score minus 1/2 of each pair, 0 where it was not tied, shape (n,).
    groups
        Group of each, shape (n,).
    level
        Level of the interval.
    """
    ends = ((-0.5, 0.25), (0.0, 0.5), (0.5, 0.25))
    return _mean(values, groups, level, ends=ends, bounds=(-0.5, 0.5))


def _mean(
    values: Array,
    groups: Integers,
    level: float,
    *,
    ends: tuple[tuple[float, float], ...],
    bounds: tuple[float, float],
) -> Mean:
    n = values.size
    if n == 0:
        return Mean(None, None, None)
    of = np.unique(groups, return_inverse=True)[1]
    G = int(of.max()) + 1
    mean = float(values.mean())
    if G < 2:
        return Mean(mean, None, None)
    size = float((np.bincount(of) ** 2).sum()) / n
    each = np.sqrt(size * _design_effect(values - mean, of, size))
    z2 = stats.norm.ppf((1.0 + level) / 2.0) ** 2
    extra = z2 * each
    centre = (values.sum() + extra * sum(at * share for at, share in ends)) / (n + extra)
    within = np.bincount(of, values - centre)
    spread = float((within**2).sum())
    spread += extra * each * sum((at - centre) ** 2 * share for at, share in ends)
    half = stats.t.ppf((1.0 + level) / 2.0, G - 1 + z2 * each / size) * np.sqrt(spread)
    low, high = np.clip([centre - half / (n + extra), centre + half / (n + extra)], *bounds)
    return Mean(mean, float(low), float(high))


def _design_effect(residuals: Array, of: Integers, size: float) -> float:
    """How many times more groups vary than single pairs would, between 1 and their size."""
    n, G = residuals.size, int(of.max()) + 1
    single = float((residuals**2).sum()) * n / (n - 1)
    if single == 0:
        return size  # all alike: they may be so because of their groups
    grouped = float((np.bincount(of, residuals) ** 2).sum()) * G / (G - 1)
    return float(np.clip(grouped / single, 1.0, size))


def coin_test(values: Array, groups: Integers) -> float | None:
    """Return the two-sided p-value of "the mean is 0", exact under symmetry; None without values.

    Parameters
    ----------
    values
        Scores minus 1/2, or differences of scores: multiples of 1/2, shape (n,).
    groups
        Group of each, shape (n,).
    """
    if values.size == 0:
        return None
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], 2.0 * values)
    return sign_test(np.rint(sums))
