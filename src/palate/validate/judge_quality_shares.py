"""Shares with intervals clustered by prompt.

A measure is a ratio of sums over pairs, R = sum x / sum w, with x between 0 and w. Groups of pairs
that share a prompt or the responses are independent, pairs within one need not be:

    variance   G / (G - 1)  sum_g ( sum_{i in g} (x_i - R w_i) / sum w )^2
    interval   Clopper-Pearson of R m successes in m trials,
               m = R (1 - R) / variance * (t_{n-1} / t_{df})^2                Korn, Graubard 1998

so that it stays within 0 and 1 and is exact where every pair is a group of its own and right or
wrong. df is the number of groups G, as far as they weigh the same (1 / sum of squared shares), less
one. Where all or none are right m is G. Ratios of pairs that nearly all count one half have a
variance of nearly 0 and would have an interval of nearly none: 1 / m is raised by c t^2 / G^2, as
if c t^2 more pairs had been decided, half of them either way (Agresti, Coull 1998), with c the
share by which the variance falls short of R (1 - R) / G. The mean of domains is the plain mean of
their ratios; its variance sums the residuals of a group over all domains, each with the G / (G - 1)
of its domain.

Shapes: n pairs, M measures, D domains; rows of a result are all pairs, the mean of domains, then
the D domains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shares:
    """Ratios with their uncertainty, arrays of shape (2 + D, M).

    `weight` is the sum of w (the number of pairs or answers that counted), `groups` how many groups
    carry the ratio, as far as they weigh the same. A ratio without any pair is NaN, and so is the
    variance where a domain has one group only.
    """

    value: Array
    variance: Array
    df: Array
    groups: Array
    weight: Array

    def interval(self, level: float) -> tuple[Array, Array]:
        """Return both ends of the intervals, NaN where nothing can be said.

        Parameters
        ----------
        level
            Their level.
        """
        p, tail = self.value, (1.0 - level) / 2.0
        with np.errstate(divide="ignore", invalid="ignore"):
            t = stats.t.ppf(1 - tail, np.maximum(self.df, 1))
            of_many = stats.t.ppf(1 - tail, np.maximum(self.weight - 1, 1))
            spread = p * (1 - p)
            rare = np.where(spread > 0, self.variance / spread, 1 / self.groups)
            below = np.clip(1 - rare * self.groups, 0.0, 1.0)  # below that of right and wrong only
            rare = rare + below * (t / self.groups) ** 2
            trials = np.minimum(of_many / t, 1.0) ** 2 / rare
            won, lost = p * trials, (1 - p) * trials
            low = np.where(p <= 0, 0.0, stats.beta.ppf(tail, won, lost + 1))
            high = np.where(p >= 1, 1.0, stats.beta.ppf(1 - tail, won + 1, lost))
        unknown = np.isnan(p) | np.isnan(self.variance)
        return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def shares(x: Array, w: Array, codes: Integers, groups: Integers, n_domains: int) -> Shares:
    """Return sum x / sum w over all pairs, the mean of domains, and every domain.

    Parameters
    ----------
    x
        What each pair adds to the sums above, shape (n, M).
    w
        What it adds below, shape (n, M); where it is 0, x is too.
    codes
        Domain of each pair, 0..D-1, shape (n,).
    groups
        Group of each pair, 0..G-1, shape (n,).
    n_domains
        D.
    """
    m = x.shape[1]
    out = [np.full((2 + n_domains, m), np.nan) for _ in range(4)]
    weight = np.zeros((2 + n_domains, m))
    value, variance, df, size = out
    n_groups = int(groups.max(initial=-1)) + 1
    across = np.zeros((n_groups, m))  # residuals of a group, summed over domains
    carried = np.zeros((n_groups, m))
    with np.errstate(divide="ignore", invalid="ignore"):
        for row, rows in enumerate([np.arange(codes.size), *_rows_by_domain(codes, n_domains)]):
            at = 0 if row == 0 else row + 1
            total = w[rows].sum(axis=0)
            weight[at] = total
            value[at] = x[rows].sum(axis=0) / total
            residual = _group_sums((x[rows] - value[at] * w[rows]) / total, groups[rows], n_groups)
            below = _group_sums(w[rows], groups[rows], n_groups)
            held = (below > 0).sum(axis=0)
            factor = np.where(held > 1, held / (held - 1), np.nan)
            variance[at] = factor * (residual**2).sum(axis=0)
            size[at] = 1.0 / ((below / total) ** 2).sum(axis=0)
            df[at] = size[at] - 1.0
            if row:
                present = total > 0
                across += np.where(present, np.sqrt(factor) * residual, 0.0)
                carried += np.where(present, below / total**2, 0.0)
        present = weight[2:] > 0
        d = present.sum(axis=0)
        value[1] = np.where(present, value[2:], 0.0).sum(axis=0) / d
        variance[1] = (across**2).sum(axis=0) / d**2
        size[1] = carried.sum(axis=0) ** 2 / (carried**2).sum(axis=0)
        df[1] = size[1] - d
        weight[1] = weight[0]
    return Shares(value, variance, df, size, weight)


def _rows_by_domain(codes: Integers, n_domains: int) -> list[Integers]:
    return [np.flatnonzero(codes == d) for d in range(n_domains)]


def _group_sums(values: Array, groups: Integers, n_groups: int) -> Array:
    out = np.zeros((n_groups, values.shape[1]))
    np.add.at(out, groups, values)
    return out
