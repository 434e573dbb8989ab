"""How well a student agrees with the language model, from values held out by prompt.

s are soft values of the student, each made without the pair's own group; x those of the language
model, in [-1, 1]. Both sides of a pair are equal by convention, so nothing is centred:

    correlation   sum s x / sqrt(sum s^2 sum x^2)
    reliability   its square: the share of the LLM's variance that the soft values hold
    calibration   sum s x / sum s^2: 1 if "expected x given s" is s
    attenuation   coefficient of a concept's own s in the regression of its x on all soft values:
                  what the student's errors multiply an effect by, beside the other concepts

The last two are near 1 by construction, because the student's errors are of Berkson's kind: the
truth scatters around the soft value, not the other way round, and a linear regression on soft
values is not attenuated. What is lost is power: a soft value with reliability r needs 1 / r times
the pairs. Intervals are quantiles of a Bayesian bootstrap over groups of pairs (Rubin 1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.reliability import N_DRAWS, POOR

Array = npt.NDArray[np.float64]
DISTILLED, LEFT = "distilled", "left to the LLM"
LEAST_NONZERO = 20
BLOCK = 100
TABLE_SCHEMA: dict[str, Any] = {
    "concept": pl.String,
    **dict.fromkeys(("n_pairs", "n_groups", "n_nonzero"), pl.Int64),
    **dict.fromkeys(
        (
            "share_nonzero",
            "sign_agreement",
            "auc",
            "agreement",
            "kappa",
            "opposite",
            "correlation",
            "reliability",
            "low",
            "high",
            "calibration",
            "attenuation",
            "llm_reliability",
        ),
        pl.Float64,
    ),
    "verdict": pl.String,
    "reason": pl.String,
}


def agreement(
    soft: Array, given: Array, groups: npt.NDArray[Any], *, level: float = 0.9, seed: int = 0
) -> dict[str, Any]:
    """Return the figures of one concept; those that are 0 / 0 are absent.

    Parameters
    ----------
    soft
        Held-out soft values, shape (n,).
    given
        Values of the language model, shape (n,).
    groups
        Group of each pair, shape (n,).
    level
        Level of the interval.
    seed
        Seed of the draws.
    """
    n, nonzero = given.size, given != 0
    found: dict[str, Any] = {
        "n_pairs": int(n),
        "n_groups": int(np.unique(groups).size),
        "n_nonzero": int(nonzero.sum()),
    }
    if n == 0:
        return found
    found["share_nonzero"] = float(nonzero.mean())
    if nonzero.any():
        right = np.sign(soft) * np.sign(given)
        found["sign_agreement"] = float(((right[nonzero] + 1) / 2).mean())  # 0 counts half
        found["auc"] = _auc(soft[nonzero] * np.sign(given[nonzero]))
    found |= _rounded(soft, given)
    product, own, theirs = soft * given, soft**2, given**2
    if own.sum() > 0 and theirs.sum() > 0:
        correlation = float(product.sum() / np.sqrt(own.sum() * theirs.sum()))
        low, high = _interval(product, own, theirs, groups, level=level, seed=seed)
        reliability = max(correlation, 0.0) ** 2
        found |= {
            "correlation": correlation,
            "reliability": reliability,
            "low": min(low, reliability),
            "high": max(high, reliability),
            "calibration": float(product.sum() / own.sum()),
        }
    return found


def verdict(found: dict[str, Any], *, least: float = POOR) -> dict[str, str]:
    """Return whether a concept is distilled, and the reason if not.

    Parameters
    ----------
    found
        What `agreement` gives.
    least
        Smallest reliability of a concept that is distilled.
    """
    nonzero, reliability = found["n_nonzero"], found.get("reliability")
    if found.get("n_pairs") == 0:
        reason = "there are no annotations"
    elif nonzero == 0:
        reason = "the annotations are all 0"
    elif nonzero < LEAST_NONZERO:
        reason = f"{nonzero} annotations that are not 0; {LEAST_NONZERO} are needed"
    elif reliability is None:
        reason = "nothing in the texts was found to predict it"
    elif reliability < least:
        share, wanted = 100 * reliability, 100 * least
        reason = f"holds {share:.1f} % of the LLM's variance; {wanted:.3g} % are needed"
    else:
        return {"verdict": DISTILLED, "reason": ""}
    return {"verdict": LEFT, "reason": reason}


def own_coefficients(soft: Array, given: Array) -> Array:
    """Return the coefficient of each concept's own soft value beside the others, shape (C,).

    Parameters
    ----------
    soft
        Held-out soft values, shape (n, C), finite.
    given
        Values of the language model, shape (n, C), NaN where there are none.
    """
    out = np.full(soft.shape[1], np.nan)
    for j in range(soft.shape[1]):
        rows = np.isfinite(given[:, j])
        present = np.flatnonzero((soft[rows] != 0).any(axis=0))
        if j in present and rows.sum() > 5 * present.size:
            weights = np.linalg.lstsq(soft[np.ix_(rows, present)], given[rows, j], rcond=None)[0]
            out[j] = weights[int(np.flatnonzero(present == j)[0])]
    return out


def table_of(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as the table of a student; figures that are not finite become null.

    Parameters
    ----------
    rows
        One per concept.
    """
    clean = [
        {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
        for row in rows
    ]
    return pl.DataFrame(clean, schema=TABLE_SCHEMA)


def _auc(signed: Array) -> float:
    """Return the chance that a pair with +1 has a larger soft value than one with -1, where both
    orders of each pair count: that s_i + s_j > 0 for signed soft values s."""
    ordered = np.sort(signed)
    above = signed.size - np.searchsorted(ordered, -signed, side="right")
    same = np.searchsorted(ordered, -signed, side="right") - np.searchsorted(ordered, -signed)
    return float((above + same / 2).sum() / signed.size**2)


def _rounded(soft: Array, given: Array) -> dict[str, float | None]:
    """Return agreement and kappa of the rounded values, and the share of opposite signs."""
    a, b = np.rint(soft), np.sign(given)
    one, two = float(np.abs(a).mean()), float(np.abs(b).mean())  # by symmetry half for each side
    chance = (1 - one) * (1 - two) + one * two / 2
    same = float((a == b).mean())
    both = (a != 0) & (b != 0)
    return {
        "agreement": same,
        "kappa": (same - chance) / (1 - chance) if chance < 1 else None,
        "opposite": float((a != b)[both].mean()) if both.any() else None,
    }


def _interval(
    product: Array,
    own: Array,
    theirs: Array,
    groups: npt.NDArray[Any],
    *,
    level: float,
    seed: int,
) -> tuple[float, float]:
    _, code = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(code.ravel(), x) for x in (product, own, theirs)], axis=1)
    random = np.random.default_rng([seed, 17])
    draws = np.empty(N_DRAWS)
    for start in range(0, N_DRAWS, BLOCK):
        up, left, right = (random.exponential(size=(BLOCK, len(sums))) @ sums).T
        draws[start : start + BLOCK] = np.maximum(up, 0.0) ** 2 / np.maximum(left * right, 1e-300)
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
