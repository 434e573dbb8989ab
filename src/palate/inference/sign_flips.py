"""An exact test of signs that respects groups.

If signed sums of groups lean to no side, each is as likely to have the other sign, and the sum of
them has a known distribution, which is computed, not drawn. With groups of one this is the sign
test (McNemar's exact test).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

MOST = 20_000  # sum of absolute signed sums up to which the distribution is computed


def sign_test(sums: npt.ArrayLike) -> float:
    """Return the two-sided p-value of "each of these sums is as likely to have the other sign".

    Exact up to a total of 20,000; beyond, the normal distribution of the same variance.

    Parameters
    ----------
    sums
        Whole numbers, one per group.
    """
    sizes = np.abs(np.asarray(sums, dtype=np.int64))
    observed = abs(int(np.sum(sums)))
    total = int(sizes.sum())
    if total == 0:
        return 1.0
    if total > MOST:
        return float(2 * stats.norm.sf(observed / np.sqrt(float((sizes**2).sum()))))
    chance = np.ones(1)  # of every value of the sum of those below zero, as absolute values
    for size, count in zip(*np.unique(sizes[sizes > 0], return_counts=True), strict=True):
        spread = np.zeros(int(size * count) + 1)
        spread[:: int(size)] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        chance = np.convolve(chance, spread)
    # the sum is total - 2 * (what lies below zero)
    below = np.arange(chance.size)
    return float(min(1.0, chance[np.abs(total - 2 * below) >= observed].sum()))
