"""What a method says about every concept, in one form for all, and the rules by which it decides.

Shapes: C concepts, D domains. A `Band` holds estimates of C shared effects or of (D, C) deviations
or totals; NaN where a method gives none. A `Support` holds its statements: `everywhere` (C,),
`here` (D, C) "supported in this domain" (the total), `differs` (D, C) "differs in this domain" (the
deviation). The sign of a statement is that of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.inference_worlds import Array, Booleans


@dataclass(frozen=True, eq=False)
class Band:
    """Estimates, interval bounds and p-values of one kind of effect."""

    value: Array
    low: Array
    high: Array
    p: Array

    @classmethod
    def absent(cls, *shape: int) -> Band:
        """Return a band without any number."""
        return cls(*(np.full(shape, np.nan) for _ in range(4)))

    @property
    def excludes_zero(self) -> Booleans:
        """Where the interval lies on one side of zero."""
        return (self.low > 0) | (self.high < 0)


@dataclass(frozen=True, eq=False)
class Support:
    """The statements of a method."""

    everywhere: Booleans
    here: Booleans
    differs: Booleans


@dataclass(frozen=True, eq=False)
class Result:
    """Estimates, and the statements at every false-discovery rate asked for.

    `log_odds` is false where the values are on another scale, so that coverage has no meaning.
    """

    shared: Band
    deviation: Band
    total: Band
    support: dict[float, Support]
    log_odds: bool = True

    @classmethod
    def of_shared(
        cls,
        shared: Band,
        n_domains: int,
        everywhere: dict[float, Booleans],
        *,
        log_odds: bool = False,
    ) -> Result:
        """Return the result of a method that knows no domains."""
        shape = (n_domains, shared.value.size)
        none = np.zeros(shape, dtype=bool)
        support = {q: Support(found, none, none) for q, found in everywhere.items()}
        return cls(shared, Band.absent(*shape), Band.absent(*shape), support, log_odds)


def benjamini_hochberg(p: npt.ArrayLike, q: float) -> Booleans:
    """Return which hypotheses are rejected at rate q; NaN is no hypothesis.

    The k with the largest p_(k) <= q k / m and all smaller ones (Benjamini and Hochberg 1995).
    """
    values = np.asarray(p, dtype=np.float64)
    asked = np.sort(values[np.isfinite(values)])
    below = np.flatnonzero(asked <= q * np.arange(1, asked.size + 1) / max(asked.size, 1))
    if below.size == 0:
        return np.zeros(values.shape, dtype=bool)
    return np.isfinite(values) & (values <= asked[below[-1]])


def simes(p: Array) -> Array:
    """Return the Simes p-value of every row, min_k m p_(k) / k; NaN is left out."""
    ordered = np.sort(p, axis=1)  # NaN last
    m = np.isfinite(ordered).sum(axis=1, keepdims=True)
    combined = np.where(np.isfinite(ordered), ordered * m / np.arange(1, p.shape[1] + 1), 1.0)
    return np.asarray(np.minimum(combined.min(axis=1), 1.0))


def by_concept(shared: Array, deviation: Array, total: Array, q: float) -> Support:
    """Decide in two steps: which concepts, then what about each (Benjamini and Bogomolov 2014).

    A concept is a family of its shared effect, D deviations and D totals. Families are selected by
    Benjamini-Hochberg at q on their Simes p-values; inside the R selected of C families the same
    procedure runs at q R / C.
    """
    D, C = total.shape
    family = np.column_stack([shared, deviation.T, total.T])
    selected = benjamini_hochberg(simes(family), q)
    found = np.zeros(family.shape, dtype=bool)
    for j in np.flatnonzero(selected):
        found[j] = benjamini_hochberg(family[j], q * selected.sum() / C)
    return Support(found[:, 0], found[:, 1 + D :].T, found[:, 1 : 1 + D].T)
