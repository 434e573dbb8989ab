"""What is seen on a pair, given its predictor z: a verdict, or a measurement of z itself.

Shapes: n pairs; means and variances are those of a normal approximation to what is known of z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MIN_WEIGHT = 1e-9
SHARE = 0.85  # share of the posterior variance over which probabilities are averaged


class Likelihood(Protocol):
    """How the outcomes of the pairs depend on their predictor z."""

    @property
    def size(self) -> int:
        """Number of pairs."""

    def at(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Return slope and curvature of the log-likelihood, averaged over normal z, (n,) each."""

    def residual(self, mean: Array, variance: Array) -> Array:
        """Return residuals of variance 1 under the model, (n,)."""


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Outcomes t in [0, 1] whose log-odds are z: slope t - E sigma(z), curvature E sigma'(z)."""

    t: Array

    @property
    def size(self) -> int:
        """Number of pairs."""
        return int(self.t.size)

    def at(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Return t - E sigma(z) and E sigma'(z)."""
        p, w = moments(mean, variance)
        return self.t - p, w

    def residual(self, mean: Array, variance: Array) -> Array:
        """Return (t - p) / sqrt(p (1 - p))."""
        p, _ = moments(mean, variance)
        return np.asarray((self.t - p) / np.sqrt(np.maximum(p * (1.0 - p), 1e-9)))


@dataclass(frozen=True, eq=False)
class Measured:
    """Outcomes r normal around z with variance 1 / h: slope h (r - z), curvature h."""

    r: Array
    h: Array

    @property
    def size(self) -> int:
        """Number of pairs."""
        return int(self.r.size)

    def at(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Return h (r - mean) and h."""
        return self.h * (self.r - mean), self.h

    def residual(self, mean: Array, variance: Array) -> Array:
        """Return sqrt(h) (r - mean)."""
        return np.asarray((self.r - mean) * np.sqrt(self.h))


def moments(mean: Array, variance: Array) -> tuple[Array, Array]:
    """Return E sigma(z) and E sigma'(z) for normal z, by MacKay's approximation.

    sigma(kappa mean) and kappa sigma'(kappa mean) with kappa = 1 / sqrt(1 + pi v / 8), v = `SHARE`
    times the variance.

    Parameters
    ----------
    mean
        Means, any shape.
    variance
        Variances, same shape.
    """
    kappa = 1.0 / np.sqrt(1.0 + SHARE * np.pi * variance / 8.0)
    small = np.exp(-np.abs(kappa * mean))
    p = np.where(mean > 0, 1.0 / (1.0 + small), small / (1.0 + small))
    return p, np.maximum(kappa * small / (1.0 + small) ** 2, MIN_WEIGHT)
