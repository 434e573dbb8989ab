"""`Ratings`: the labels that several raters gave to the same items.

Shapes and conventions, stated once. n items, m raters, K categories. `values` is (n, m), NaN where
a rater gave no label, which is never a category of its own. `groups` (n,) says which items belong
together (pairs that share a prompt): intervals and tests take one group as one observation.

Kinds of labels:

- "comparative": which of two responses, +1, -1 or 0 for equal. Which response is called a is
  arbitrary, so chance must not know it: every item counts in both orders, which gives the two sides
  the same share;
- "nominal": names without an order, numbered in any way;
- "ordinal": numbers of which only the order counts;
- "interval": numbers whose differences count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from palate.errors import DataError, InputError, UnknownNameError

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Kind = Literal["comparative", "nominal", "ordinal", "interval"]
KINDS: tuple[Kind, ...] = ("comparative", "nominal", "ordinal", "interval")
SIDES = (-1.0, 0.0, 1.0)
MOST_CATEGORIES = 100


@dataclass(frozen=True, eq=False)
class Ratings:
    """Labels of raters on items.

    Parameters
    ----------
    raters
        Names of the raters, in column order.
    values
        Shape (n, m): their labels, NaN where there is none.
    groups
        Shape (n,): items with the same number are one observation.
    kind
        What the labels are: "comparative", "nominal", "ordinal" or "interval".

    Raises
    ------
    InputError
        If shapes disagree, a name repeats, the kind is unknown, or a comparative label is none of
        -1, 0 and 1.
    DataError
        If there are more than 100 different labels.
    """

    raters: tuple[str, ...]
    values: Array
    groups: npt.NDArray[Any]
    kind: Kind = "comparative"

    def __post_init__(self) -> None:
        raters = tuple(self.raters)
        values = np.array(self.values, dtype=np.float64)
        groups = np.asarray(self.groups)
        if values.ndim != 2 or values.shape[1] != len(raters):
            raise InputError(
                f"Ratings: values of shape {values.shape}; expected (items, {len(raters)})."
            )
        if groups.shape != (len(values),):
            raise InputError(f"Ratings: groups of shape {groups.shape} for {len(values)} items.")
        if len(set(raters)) < len(raters):
            twice = next(r for k, r in enumerate(raters) if r in raters[:k])
            raise InputError(f"Ratings: rater {twice!r} occurs twice.")
        if self.kind not in KINDS:
            raise UnknownNameError("kind of labels", str(self.kind), KINDS)
        known = values[~np.isnan(values)]
        if np.isinf(known).any():
            raise InputError("Ratings: found an infinite label; expected numbers or NaN.")
        if self.kind == "comparative" and not np.isin(known, SIDES).all():
            wrong = known[~np.isin(known, SIDES)][0]
            raise InputError(f"Ratings: found the label {wrong:g}; expected -1, 0 or 1.")
        found = np.unique(known).size
        if found > MOST_CATEGORIES:
            raise DataError(
                f"Ratings: found {found} different labels; expected at most {MOST_CATEGORIES}."
            )
        values.setflags(write=False)
        object.__setattr__(self, "raters", raters)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "groups", groups)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.values)

    @property
    def categories(self) -> Array:
        """The labels that occur, ascending; of comparative labels with each side its mirror."""
        known = self.values[~np.isnan(self.values)]
        if self.kind == "comparative":
            known = np.concatenate([known, -known])
        return np.unique(known + 0.0)  # so that -0 is 0

    def codes(self) -> Integers:
        """Return the labels as positions in `categories`, -1 where there is none, shape (n, m)."""
        held = ~np.isnan(self.values)
        codes = np.full(self.values.shape, -1, dtype=np.int64)
        codes[held] = np.searchsorted(self.categories, self.values[held])
        return codes

    def of(self, raters: Sequence[str]) -> Ratings:
        """Return the labels of these raters only.

        Parameters
        ----------
        raters
            Their names, in the order wanted.

        Raises
        ------
        UnknownNameError
            If there is no such rater.
        """
        for name in raters:
            if name not in self.raters:
                raise UnknownNameError("rater", name, self.raters)
        columns = [self.raters.index(name) for name in raters]
        return Ratings(tuple(raters), self.values[:, columns], self.groups, self.kind)

    def beside(self, name: str, values: npt.ArrayLike) -> Ratings:
        """Return these ratings with one more rater.

        Parameters
        ----------
        name
            Its name.
        values
            Its labels, shape (n,).
        """
        more = np.asarray(values, dtype=np.float64)
        return Ratings(
            (*self.raters, name), np.column_stack([self.values, more]), self.groups, self.kind
        )
