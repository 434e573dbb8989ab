"""Repeated random splits of a file, the same for all of its mechanisms.

A test share of 1/P divides the groups at random into P parts, balanced by domain, and each part is
once the test; then the groups are divided anew. Every split by itself is a random grouped split,
stratified by domain, with about 1/P of the pairs in its test. Together they test every pair
equally often (once more or less, where the number of splits is no multiple of P), which independent
draws would not: of 25 independent draws of an eighth, 3.5 % of the pairs are in none and 3 % in
seven or more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from palate.data.splits import grouped_folds
from palate.errors import DataError, InputError
from palate.explanations.problem import Integers

Mask = npt.NDArray[np.bool_]


def n_parts(test_share: float) -> int:
    """Return P, the whole number nearest to 1 / test_share.

    Parameters
    ----------
    test_share
        Share of the pairs in the test of a split.

    Raises
    ------
    InputError
        If it is not above 0 and at most 1/2.
    """
    if not 0.0 < test_share <= 0.5:
        raise InputError(f"test_share: found {test_share!r}; expected more than 0 and at most 0.5.")
    return round(1.0 / test_share)


def repeated_splits(
    groups: Integers, domains: Integers, *, n_splits: int, test_share: float, seed: int
) -> Mask:
    """Return which pairs each split tests, shape (n_splits, n).

    Parameters
    ----------
    groups
        Group of each pair, shape (n,); a group is never divided.
    domains
        Domain of each pair, shape (n,).
    n_splits
        Number of splits.
    test_share
        Share of the pairs in each test, rounded to one over a whole number.
    seed
        Seed of the divisions.

    Raises
    ------
    InputError
        If the share is out of range.
    DataError
        If there are fewer groups than parts.
    """
    parts = n_parts(test_share)
    found = np.unique(groups).size
    if found < parts:
        raise DataError(
            f"The usable pairs are {found} group{'s' * (found != 1)} that share no prompt and no "
            f"responses; expected at least {parts}, to test on one part in {parts}."
        )
    out = np.zeros((n_splits, groups.size), dtype=bool)
    for split in range(n_splits):
        repetition, part = divmod(split, parts)
        if part == 0:
            state = np.random.SeedSequence([seed, repetition]).generate_state(1)
            part_of = grouped_folds(groups, parts, seed=int(state[0]), strata=domains)
        out[split] = part_of == part
    return out
