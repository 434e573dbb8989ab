"""How often two mechanisms agree, raw and corrected for chance, with intervals over prompts.

Verdicts count as a, b or tie. Which response is called a is arbitrary, so chance must not know it:
every pair is counted in both orders, which gives a and b the same share. With t_A and t_B the
shares of ties,

    kappa = (P - C) / (1 - C)     C = (1 - t_A) (1 - t_B) / 2 + t_A t_B        Cohen 1960
    ac1   = (P - C) / (1 - C)     C = ((1 - t)(1 + t) / 2 + t (1 - t)) / 2     Gwet 2008

with P the share of equal verdicts and t the mean of t_A and t_B. Without ties both are 2 P - 1, the
share by which they agree more than two coins; C of ac1 is then 1/2, as it has two categories only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.explanations.comparison import ALL
from palate.inference.bootstrap import Resampling, stratum_sums

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
MEASURES = ("agreement", "same_side", "kappa", "ac1")


def agreement_rows(
    verdict_a: Array,
    verdict_b: Array,
    codes: Integers,
    groups: Integers,
    domains: Sequence[str],
    *,
    level: float,
    n_bootstrap: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the rows of the agreement table: all pairs, then every domain.

    Parameters
    ----------
    verdict_a
        Verdicts of A on the n pairs that both judged, shape (n,).
    verdict_b
        Verdicts of B, shape (n,).
    codes
        Domain of each pair, shape (n,).
    groups
        Group of each pair, shape (n,).
    domains
        Names of the domains.
    level
        Level of the intervals.
    n_bootstrap
        Draws of groups.
    seed
        Seed of the draws.
    """
    a, b = np.sign(verdict_a), np.sign(verdict_b)
    both = (a != 0) & (b != 0)
    values = np.column_stack([a == b, a == 0, b == 0, both, both & (a == b)]).astype(np.float64)
    present, position = np.unique(codes, return_inverse=True)
    position = position.astype(np.int64)
    sums, sizes = stratum_sums(
        values,
        position,
        Resampling.of(groups, position),
        n_replicates=n_bootstrap,
        seed=seed,
    )
    found = np.array([values[position == k].sum(axis=0) for k in range(present.size)])
    size = np.bincount(position).astype(np.float64)
    rows = [_row(ALL, found.sum(axis=0), size.sum(), sums.sum(axis=1), sizes.sum(axis=1), level)]
    for k, code in enumerate(present):
        alone = np.unique(groups[position == k]).size < 2  # one group has no spread
        row = _row(domains[code], found[k], size[k], sums[:, k], sizes[:, k], level)
        if alone:
            row |= dict.fromkeys(c for c in row if c.endswith(("_low", "_high")))
        rows.append(row)
    return rows


def _row(
    domain: str, found: Array, size: float, sums: Array, sizes: Array, level: float
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "domain": domain,
        "judged": int(size),
        "decided": int(found[3]),
        "ties_a": int(found[1]),
        "ties_b": int(found[2]),
    }
    estimate = measures(found[None], np.array([size]))[0]
    drawn = measures(sums, sizes)
    for k, name in enumerate(MEASURES):
        kept = drawn[~np.isnan(drawn[:, k]), k]
        value = estimate[k]
        row[name] = None if np.isnan(value) else float(value)
        ends: tuple[float | None, float | None] = (None, None)
        if kept.size and row[name] is not None:
            low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
            ends = (float(min(low, value)), float(max(high, value)))
        row[f"{name}_low"], row[f"{name}_high"] = ends
    return row


def measures(sums: Array, sizes: Array) -> Array:
    """Return agreement, same side, kappa and ac1, shape (R, 4), NaN where undefined.

    Parameters
    ----------
    sums
        Numbers of equal verdicts, ties of A, ties of B, pairs with two sides and of these with
        the same one, shape (R, 5).
    sizes
        Numbers of pairs, shape (R,).
    """
    n = np.maximum(sizes, 1e-300)
    same, t_a, t_b = (sums[:, k] / n for k in range(3))
    t = (t_a + t_b) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        side = np.where(sums[:, 3] > 0, sums[:, 4] / sums[:, 3], np.nan)
        cohen = (1 - t_a) * (1 - t_b) / 2 + t_a * t_b
        gwet = np.where(t > 0, ((1 - t) * (1 + t) / 2 + t * (1 - t)) / 2, 0.5)
        kappa, ac1 = (
            np.where(chance < 1, (same - chance) / (1 - chance), np.nan) for chance in (cohen, gwet)
        )
    return np.column_stack([same, side, kappa, ac1])
