"""`combine`: several mechanisms as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from palate.data.preferences import Preferences
from palate.errors import InputError, UnknownNameError

How = Literal["majority", "mean"]


def combine(
    preferences: Preferences, mechanisms: Sequence[str], how: How
) -> npt.NDArray[np.float64]:
    """Return one verdict per pair, shape (n_pairs,), NaN where none of the mechanisms judged.

    A mechanism that did not judge a pair has no voice there.

    Parameters
    ----------
    preferences
        The pairs.
    mechanisms
        At least two mechanisms.
    how
        "majority": the most frequent of a, b and tie, a tie where no single one is most frequent;
        "mean": the mean of the verdicts.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism or no such way.
    InputError
        If fewer than two are named, or one twice.
    """
    if how not in get_args(How):
        raise UnknownNameError("ensemble", how, get_args(How))
    if len(mechanisms) < 2 or len(set(mechanisms)) < len(mechanisms):
        named = ", ".join(map(repr, mechanisms)) or "none"
        raise InputError(f"Ensemble: found {named}; expected at least two different mechanisms.")
    votes = np.array([preferences.verdict(name) for name in mechanisms])
    known = ~np.isnan(votes)
    if how == "mean":
        total, n = np.where(known, votes, 0.0).sum(axis=0), known.sum(axis=0)
        mean: npt.NDArray[np.float64] = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        return mean
    count = np.array([(np.sign(votes) == value).sum(axis=0) for value in (1.0, 0.0, -1.0)])
    top = count == count.max(axis=0)
    verdict: npt.NDArray[np.float64] = np.array([1.0, 0.0, -1.0])[count.argmax(axis=0)]
    verdict[top.sum(axis=0) > 1] = 0.0
    verdict[~known.any(axis=0)] = np.nan
    return verdict
