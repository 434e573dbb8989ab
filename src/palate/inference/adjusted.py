"""p-values adjusted for being tested together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def holm(p_values: npt.ArrayLike) -> Array:
    """Return p-values adjusted for the family-wise error (Holm 1979).

    Parameters
    ----------
    p_values
        The p-values of a family, any shape; NaN stays and is not counted.
    """
    return _adjusted(
        p_values, lambda ordered, m: np.maximum.accumulate((m - np.arange(m)) * ordered)
    )


def benjamini_hochberg_adjusted(p_values: npt.ArrayLike) -> Array:
    """Return p-values adjusted for the false discovery rate (Benjamini, Hochberg 1995).

    Parameters
    ----------
    p_values
        The p-values of a family, any shape; NaN stays and is not counted.
    """
    return _adjusted(
        p_values,
        lambda ordered, m: np.minimum.accumulate((ordered * m / np.arange(1, m + 1))[::-1])[::-1],
    )


def _adjusted(p_values: npt.ArrayLike, rule: Callable[[Array, int], Array]) -> Array:
    p = np.asarray(p_values, dtype=np.float64)
    out = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p.ravel()[known], kind="stable")]
    if order.size:
        out.ravel()[order] = np.minimum(rule(p.ravel()[order], order.size), 1.0)
    return out
