"""Which pairs a judge left tied: its orders disagree, or it gave no side where none were kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from palate.data.orders import recorded_orders
from palate.data.preferences import Preferences
from palate.errors import DataError

Mask = npt.NDArray[np.bool_]


def tied_pairs(preferences: Preferences, judge: str) -> Mask:
    """Return the pairs whose ties can be broken, shape (n_pairs,).

    Those with verdict 0, but for pairs on which both orders of presentation were kept and agree: a
    judge that called a pair equal twice has not contradicted itself.

    Parameters
    ----------
    preferences
        The pairs and verdicts; what was said in each order stands in the metadata column "orders".
    judge
        The judge.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If there is no such pair.
    """
    verdict = preferences.verdict(judge)
    zero = verdict == 0
    tied: Mask = zero & ~_agreeing(preferences, judge)
    if not tied.any():
        judged = int((~np.isnan(verdict)).sum())
        why = ""
        if zero.any():
            why = f" ({zero.sum():,} are 0 because both orders said so)"
        elif (np.abs(verdict) < 1).any():
            why = " (soft verdicts have a side wherever they are not 0)"
        raise DataError(
            f"Mechanism {judge!r}: found no tie among its {judged:,} verdicts{why}; expected pairs "
            "on which its orders disagree, or with verdict 0."
        )
    return tied


def _agreeing(preferences: Preferences, judge: str) -> Mask:
    """Where both orders were answered alike."""
    orders = recorded_orders(preferences).get(judge)
    out = np.zeros(preferences.n_pairs, dtype=bool)
    if orders is not None:
        out[:] = orders[0] == orders[1]  # NaN equals nothing
    return out
