"""Accuracy and log-loss of held-out predictions, with intervals over prompts.

Accuracy counts a prediction of exactly 1/2 as half right. A domain is scored if it has at least as
many used pairs as there are folds. "(mean)" is the mean of the scored domains, each counting the
same; "(all pairs)" counts every pair of the scored domains the same. Intervals are percentiles of
1,000 draws of groups of pairs that share a prompt, with replacement within domains: they say how
much the score of these models moves with the choice of prompts, not how much it would move if the
models were fitted again. A domain that is one single group has no interval.

The gain over another model is the accuracy of HMDR minus that of the model, on the same pairs and
in the same draws: what both find hard or easy cancels, so its interval is that of the paired
difference, not to be guessed from whether two intervals overlap. A model that is made several times
(a shuffle) has on each pair the mean score of its repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from palate.explanations.evaluation import OURS, HeldOut
from palate.explanations.problem import Array, Problem
from palate.inference.bootstrap import Resampling, stratum_sums
from palate.models.folds import pair_losses

N_REPLICATES = 1000
MEAN, ALL_PAIRS = "(mean)", "(all pairs)"


def correctness(log_odds: Array, y: Array) -> Array:
    """Return 1 where the sign agrees with the verdict, 1/2 where undecided, else 0.

    Parameters
    ----------
    log_odds
        Predictions, shape (..., n).
    y
        Verdicts without ties, shape (n,).
    """
    return np.asarray((1.0 + np.sign(log_odds) * np.sign(y)) / 2.0)


def score_rows(
    problem: Problem,
    held_out: Sequence[HeldOut],
    *,
    n_folds: int,
    level: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the rows of `Explanation.scores`.

    Parameters
    ----------
    problem
        The used pairs.
    held_out
        Predictions of models in settings.
    n_folds
        Pairs that a domain needs at least to be scored.
    level
        Level of the intervals.
    seed
        Seed of the draws.
    """
    size = np.bincount(problem.codes, minlength=problem.n_domains)
    rows: list[dict[str, Any]] = []
    for setting in dict.fromkeys(h.setting for h in held_out):
        models = [h for h in held_out if h.setting == setting]
        each = [np.atleast_2d(h.log_odds) for h in models]
        known = np.isfinite(np.vstack(each)).all(axis=0)
        kept = np.flatnonzero(known & (size >= n_folds)[problem.codes])
        if kept.size == 0:
            continue
        present, codes = np.unique(problem.codes[kept], return_inverse=True)
        y = problem.y[kept]
        values = np.column_stack(
            [correctness(z[:, kept], y).mean(axis=0) for z in each]
            + [pair_losses(z[:, kept], y).mean(axis=0) for z in each]
        )
        estimates = _summaries(*_observed(values, codes))
        sums, counts = stratum_sums(
            values,
            codes,
            Resampling.of(problem.groups[kept], codes),
            n_replicates=N_REPLICATES,
            seed=seed,
        )
        draws = _summaries(sums, counts)
        alone = [np.unique(problem.groups[kept][codes == d]).size == 1 for d in range(present.size)]
        still = slice(None) if all(alone) else np.flatnonzero(alone)
        draws[:, still] = np.nan  # one group drawn again and again does not vary
        ours = next((m for m, h in enumerate(models) if h.model == OURS), None)
        scopes = [*(problem.domains[d] for d in present), MEAN, ALL_PAIRS]
        numbers = [*np.bincount(codes).tolist(), kept.size, kept.size]
        for m, model in enumerate(models):
            for s, scope in enumerate(scopes):
                row = {"setting": setting, "model": model.model, "domain": scope}
                for name, column in (("accuracy", m), ("log_loss", len(models) + m)):
                    row[name] = float(estimates[0, s, column])
                    low, high = _ends(draws[:, s, column], level)
                    row |= {f"{name}_low": low, f"{name}_high": high}
                if ours is not None and m != ours:
                    low, high = _ends(draws[:, s, ours] - draws[:, s, m], level)
                    row["gain"] = float(estimates[0, s, ours] - estimates[0, s, m])
                    row |= {"gain_low": low, "gain_high": high}
                rows.append(row | {"n_pairs": int(numbers[s])})
    return rows


def _ends(draws: Array, level: float) -> tuple[float | None, float | None]:
    """Return the percentile interval of draws, None where there are none."""
    known = draws[np.isfinite(draws)]
    if known.size == 0:
        return None, None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _observed(values: Array, codes: Any) -> tuple[Array, Array]:
    counts = np.bincount(codes).astype(np.float64)
    sums = np.zeros((counts.size, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums[None], counts[None]


def _summaries(sums: Array, counts: Array) -> Array:
    """Return means by domain, their mean, and the mean over pairs: shape (R, D + 2, S)."""
    means = np.divide(
        sums, counts[:, :, None], out=np.full(sums.shape, np.nan), where=counts[:, :, None] > 0
    )
    mean = np.nanmean(means, axis=1, keepdims=True)
    over_all = (sums.sum(axis=1) / counts.sum(axis=1)[:, None])[:, None]
    return np.concatenate([means, mean, over_all], axis=1)
