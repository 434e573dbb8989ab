"""Coverage against accuracy: what is gained and risked by breaking only the surest ties."""

from __future__ import annotations

from typing import Any

import numpy as np

from palate.actions.ties_scores import Array, Integers, proportion, scores_of

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def coverage_curve(
    broken: Array, sureness: Array, right: Array, groups: Integers, *, level: float
) -> list[dict[str, Any]]:
    """Return one row per share of the tied pairs that may be broken, the surest first.

    Each has `allowed` (the share), `threshold` (the least sureness among those broken),
    `n_broken`, `coverage` (share of the pairs broken), `accuracy` with `low` and `high` (of all
    pairs, ties that are left at one half) and `accuracy_broken` with its interval. Pairs equally
    sure are broken together or not at all, so a share may break fewer than it allows.

    Parameters
    ----------
    broken
        Sides of the tied pairs, shape (n,), 0 for still tied.
    sureness
        How sure each side is, not negative, shape (n,).
    right
        Verdicts of the reference without ties, shape (n,).
    groups
        Group of each pair, shape (n,).
    level
        Level of the intervals.
    """
    n = broken.size
    if n == 0:
        return []
    sided = broken != 0
    rank = np.sort(np.where(sided, sureness, -np.inf))[::-1]
    rows: list[dict[str, Any]] = []
    for share in SHARES:
        allowed = int(np.floor(share * n + 1e-9))
        threshold = rank[allowed] if allowed < n else -np.inf  # the first that is one too many
        kept = sided & (sureness > threshold)
        scores = scores_of(np.where(kept, broken, 0.0), right)
        whole = proportion(scores, groups, level=level)
        part = proportion(scores[kept], groups[kept], level=level)
        rows.append(
            {
                "allowed": share,
                "threshold": float(sureness[kept].min()) if kept.any() else None,
                "n_broken": int(kept.sum()),
                "coverage": float(kept.mean()),
                "accuracy": whole.value,
                "low": whole.low,
                "high": whole.high,
                "accuracy_broken": part.value,
                "broken_low": part.low,
                "broken_high": part.high,
            }
        )
    return rows
