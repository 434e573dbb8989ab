"""Verdicts of one group that repeat each other: how alike its pairs are, and how much they weigh.

See `palate.inference.hierarchy` for the model. Shapes: n pairs, C concepts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
MAX_GROUP = 200  # pairs of a group among which repetition is looked for


class Inside:
    """The pairs of pairs inside groups, and how alike their concept values are."""

    def __init__(self, X: Array, groups: Integers) -> None:
        order = np.argsort(groups, kind="stable")
        ends = np.flatnonzero(np.diff(groups[order])) + 1
        members = [m for m in np.split(order, ends) if m.size > 1]
        left = [np.repeat(m[:MAX_GROUP], min(m.size, MAX_GROUP)) for m in members]
        right = [np.tile(m[:MAX_GROUP], min(m.size, MAX_GROUP)) for m in members]
        empty = np.zeros(0, dtype=np.int64)
        i, j = np.concatenate([empty, *left]), np.concatenate([empty, *right])
        self.i, self.j = i[i != j], j[i != j]
        spread = np.sqrt(np.maximum((X**2).mean(axis=0), 1e-12))
        norm = np.maximum(np.sqrt(((X / spread) ** 2).sum(axis=1)), 1e-12)
        self.n = len(X)
        self.cosine = np.empty(self.i.size)
        for k in range(0, self.i.size, 100_000):
            a, b = self.i[k : k + 100_000], self.j[k : k + 100_000]
            dot = np.einsum("ij,ij->i", X[a] / spread, X[b] / spread)
            self.cosine[k : k + 100_000] = dot / (norm[a] * norm[b])

    def correlation(self, residual: Array) -> float:
        """Return rho, the slope of residual products on the cosine, within 0 and 1."""
        if not self.i.size or not (self.cosine**2).sum() > 0:
            return 0.0
        products = residual[self.i] * residual[self.j]
        return float(np.clip((products * self.cosine).sum() / (self.cosine**2).sum(), 0.0, 1.0))

    def weights(self, rho: float) -> Array:
        """Return 1 / (1 + rho times the sum of squared cosines with the rest of the group)."""
        likeness = np.bincount(self.i, self.cosine**2, minlength=self.n)
        return np.asarray(1.0 / (1.0 + rho * likeness), dtype=np.float64)
