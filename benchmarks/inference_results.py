"""What a method says about every concept, in one form for all, and the rules by which it decides.

Shapes: C concepts, D domains. A `Band` holds estimates of C shared effects or of (D, C) deviations
or totals; NaN where a method gives none. A `Support` holds its statements: `everywhere` (C,),
`here` (D, C) "supported in this domain" (the total), `differs` (D, C) "differs in this domain" (the
deviation). The sign of a statement is that of the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.inference_worlds import Array, Booleans
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import Estimates


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


def decided(shared: Band, deviation: Band, total: Band, q: float) -> Support:
    """Decide by Palate's rule, `palate.inference.discoveries.supported`, at rate q."""
    names = ("value", "low", "high", "p")
    parts = []
    for band in (shared, deviation, total):
        value, low, high, p = (getattr(band, name) for name in names)
        unknown = np.full(value.shape, np.nan)
        parts.append(Estimates(value, unknown, unknown, low, high, p))
    return statements(SimpleNamespace(shared=parts[0], deviation=parts[1], total=parts[2]), q)


def statements(effects: Any, q: float) -> Support:
    """Return what Palate's rule says of its `Effects` at rate q."""
    found = supported(effects, fdr=q)
    return Support(
        found.shared == Verdict.EVERYWHERE,
        found.domain == Verdict.HERE,
        found.domain == Verdict.DIFFERS,
    )
