"""How well raters agree, raw and beyond chance, with intervals over groups of items.

    agreement(ratings)     all raters together
    pairs(ratings)         each two of them
    majority(ratings)      the label that most of them gave, to set somebody else beside it

`palate.explanations.comparison_agreement` gives the same kappa and AC1 for the verdicts of two
mechanisms, with chance symmetric under exchange of the responses; here there may be any number of
raters, labels of other kinds, and labels that are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from palate.errors import DataError
from palate.validate.clustered import by_group, interval
from palate.validate.coefficients import (
    COHEN,
    RAW,
    cohen_kappa,
    item_sums,
    measures_of,
    table_sums,
    without_agreement,
)
from palate.validate.ratings import Array, Ratings

LEVEL = 0.9


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement.

    Parameters
    ----------
    raters
        Whose agreement it is.
    measure
        Its name.
    value
        At most 1; NaN where it is 0 / 0.
    low
        Lower end of its interval; NaN where there are too few groups.
    high
        Upper end.
    n_items
        Items with two labels or more.
    n_groups
        Groups of them.
    """

    raters: tuple[str, ...]
    measure: str
    value: float
    low: float
    high: float
    n_items: int
    n_groups: int


def agreement(ratings: Ratings, *, level: float = LEVEL) -> tuple[Coefficient, ...]:
    """Return the coefficients of agreement that suit the labels.

    Raw agreement, Fleiss' kappa (Cohen's too where there are two raters), Gwet's AC1 and
    Krippendorff's alpha; ordinal alpha where the labels have an order, interval alpha where their
    differences count.

    Parameters
    ----------
    ratings
        Labels of two raters or more.
    level
        Level of the intervals.

    Raises
    ------
    DataError
        If there are fewer than two raters, or no item has two labels.
    """
    twice = (~np.isnan(ratings.values)).sum(axis=1) >= 2
    if not twice.any():
        raise DataError(
            f"Agreement of {', '.join(map(repr, ratings.raters))}: found no item that two of them "
            "labelled; expected some."
        )
    k = ratings.categories.size
    counts = int(twice.sum()), int(np.unique(ratings.groups[twice]).size)
    sums = by_group(item_sums(ratings), ratings.groups)
    found = [(name, sums, measure) for name, measure in measures_of(ratings).items()]
    if len(ratings.raters) == 2:
        table = by_group(table_sums(ratings), ratings.groups)
        found.insert(1, (COHEN, table, lambda s: cohen_kappa(s, k)))
    rows = []
    for name, of_groups, measure in found:
        worst = measure(without_agreement(of_groups.sum(axis=0, keepdims=True), k))[0]
        ends = interval(
            of_groups,
            measure,
            level=level,
            worst=float(np.nan_to_num(worst)),
            least=0.0 if name == RAW else -1.0,
        )
        rows.append(Coefficient(ratings.raters, name, *ends, *counts))
    return tuple(rows)


def pairs(ratings: Ratings, *, level: float = LEVEL) -> tuple[Coefficient, ...]:
    """Return the coefficients of each two raters who labelled an item in common.

    Parameters
    ----------
    ratings
        The labels.
    level
        Level of the intervals.
    """
    held = ~np.isnan(ratings.values)
    rows: list[Coefficient] = []
    for i, j in combinations(range(len(ratings.raters)), 2):
        if (held[:, i] & held[:, j]).any():
            rows += agreement(ratings.of([ratings.raters[i], ratings.raters[j]]), level=level)
    return tuple(rows)


def majority(ratings: Ratings) -> Array:
    """Return the label that most raters gave each item, shape (n,).

    NaN where two labels share the first place, or nobody gave one: half of the people for each side
    is not the same as all of them for a tie.

    Parameters
    ----------
    ratings
        The labels.
    """
    categories = ratings.categories
    counts = (ratings.values[:, :, None] == categories).sum(axis=1)
    out = np.full(ratings.n_items, np.nan)
    if not categories.size:
        return out
    most = counts.max(axis=1)
    clear = (most > 0) & ((counts == most[:, None]).sum(axis=1) == 1)
    out[clear] = categories[counts[clear].argmax(axis=1)]
    return out


def find(rows: Sequence[Coefficient], measure: str) -> Coefficient:
    """Return the coefficient of this name.

    Parameters
    ----------
    rows
        What `agreement` gave.
    measure
        Its name.

    Raises
    ------
    DataError
        If it is not among them.
    """
    for row in rows:
        if row.measure == measure:
            return row
    raise DataError(f"{measure}: found {', '.join(r.measure for r in rows)}; expected it as well.")
