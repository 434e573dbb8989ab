"""Scores of the protocol with intervals: each pair counts once, and groups of pairs are drawn.

A pair is tested in several splits by models whose training parts overlap, so its results are no
independent observations. The protocol averages them first: a pair's accuracy (1, 1/2 or 0) and
log-loss are their means over the splits that tested it. What is left is one value per pair, and
pairs of different groups are drawn independently: groups are drawn with replacement within domains,
1,000 times. All mechanisms, models and settings are scored in the same draws, so differences, and
means over mechanisms that judged the same pairs, are paired.

Such draws hold the models fixed, but the same pairs trained them: another sample would have given
other models as well. In simulations with known truth that adds to the variance about as much as the
draws show, so percentiles are moved away from the estimate by sqrt(2); without it 90 % intervals
covered 73 to 87 % of the time (`benchmarks/evaluate.py --coverage`, docs/protocol.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.explanations.evaluation import OURS
from palate.explanations.problem import Array, Integers, Problem
from palate.explanations.scores import ALL_PAIRS, MEAN, correctness
from palate.inference.bootstrap import BLOCK, Resampling
from palate.models.folds import pair_losses

N_REPLICATES = 1000
WIDER = float(np.sqrt(2.0))  # as much variance again for the training parts
MEAN_MECHANISM = "(mean of mechanisms)"
COLUMNS = (
    *("mechanism", "setting", "model", "domain", "n_pairs"),
    *("accuracy", "accuracy_low", "accuracy_high"),
    *("gain", "gain_low", "gain_high"),
    *("log_loss", "log_loss_low", "log_loss_high"),
    *("log_loss_gain", "log_loss_gain_low", "log_loss_gain_high"),
)


@dataclass(frozen=True, eq=False)
class Tested:
    """One mechanism in one setting: values (n, 2 M) of the M models, accuracies then log-losses.

    Only pairs that every model predicted, in domains that are scored; `rows` are their rows in the
    file, `codes` positions in `domains`, `alone` the domains that are one single group.
    """

    mechanism: str
    setting: str
    models: tuple[str, ...]
    domains: tuple[str, ...]
    rows: Integers
    codes: Integers
    values: Array
    alone: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        problem: Problem,
        setting: str,
        models: Sequence[str],
        log_odds: Array,
        *,
        least: int,
    ) -> Tested | None:
        """Average over splits, and keep what can be scored; None if that is nothing.

        Parameters
        ----------
        problem
            The used pairs.
        setting
            "in domain" or "new domain".
        models
            Names of the M models.
        log_odds
            Predictions, shape (M, S, n), NaN where there is none.
        least
            Pairs that a domain needs to be scored.
        """
        known = np.isfinite(log_odds)
        some = [m for m in range(len(models)) if known[m].any()]
        names = tuple(models[m] for m in some)
        log_odds, known = log_odds[some], known[some]
        size = np.bincount(problem.codes, minlength=problem.n_domains)
        kept = known.any(axis=1).all(axis=0) & (size >= least)[problem.codes]
        if not names or not kept.any():
            return None
        z, known, y = log_odds[:, :, kept], known[:, :, kept], problem.y[kept]
        times = known.sum(axis=1)
        right = np.where(known, correctness(z, y), 0.0).sum(axis=1) / times
        loss = np.where(known, pair_losses(z, y), 0.0).sum(axis=1) / times
        present, codes = np.unique(problem.codes[kept], return_inverse=True)
        groups = problem.groups[kept]
        return cls(
            mechanism=problem.mechanism,
            setting=setting,
            models=names,
            domains=tuple(problem.domains[d] for d in present),
            rows=problem.rows[kept],
            codes=codes.astype(np.int64),
            values=np.vstack([right, loss]).T,
            alone=np.array([np.unique(groups[codes == d]).size == 1 for d in range(present.size)]),
        )


def score_rows(
    tested: Sequence[Tested], groups: Integers, domains: Integers, *, level: float, seed: int
) -> list[dict[str, Any]]:
    """Return the rows of `Evaluation.scores`, with the means over mechanisms last.

    Parameters
    ----------
    tested
        What to score.
    groups
        Group of every pair of the file.
    domains
        Domain of every pair of the file, as integers: groups are drawn within them.
    level
        Level of the intervals.
    seed
        Seed of the draws.
    """
    estimates = [_summaries(*_sums(t, np.ones((1, t.rows.size)))) for t in tested]
    draws = _drawn(tested, groups, domains, seed)
    rows = []
    for t, estimate, draw in zip(tested, estimates, draws, strict=True):
        still = slice(None) if t.alone.all() else np.flatnonzero(t.alone)
        draw[:, still] = np.nan  # one group drawn again and again does not vary
        numbers = [*np.bincount(t.codes).tolist(), t.rows.size, t.rows.size]
        scopes = (*t.domains, MEAN, ALL_PAIRS)
        rows += _rows(t.mechanism, t.setting, t.models, scopes, numbers, estimate[0], draw, level)
    return rows + _means(tested, estimates, draws, level)


def _drawn(tested: Sequence[Tested], groups: Integers, domains: Integers, seed: int) -> list[Array]:
    """Return replicates (R, D + 2, 2 M) of everything that was tested, in the same draws."""
    union = np.unique(np.concatenate([t.rows for t in tested]))
    resampling = Resampling.of(groups[union], domains[union])
    group_of = [resampling.group_of[np.searchsorted(union, t.rows)] for t in tested]
    random = np.random.default_rng([seed, 1])
    out: list[list[Array]] = [[] for _ in tested]
    for start in range(0, N_REPLICATES, BLOCK):
        counts = resampling.count_block(random, min(BLOCK, N_REPLICATES - start))
        for k, t in enumerate(tested):
            out[k].append(_summaries(*_sums(t, counts[:, group_of[k]])))
    return [np.concatenate(parts) for parts in out]


def _sums(tested: Tested, weights: Array) -> tuple[Array, Array]:
    """Return weighted sums by domain (R, D, 2 M) and sums of weights (R, D)."""
    D = len(tested.domains)
    sums = np.empty((len(weights), D, tested.values.shape[1]))
    counts = np.empty((len(weights), D))
    for d in range(D):
        inside = tested.codes == d
        sums[:, d] = weights[:, inside] @ tested.values[inside]
        counts[:, d] = weights[:, inside].sum(axis=1)
    return sums, counts


def _summaries(sums: Array, counts: Array) -> Array:
    """Return means by domain, their mean, and the mean over pairs: shape (R, D + 2, 2 M)."""
    n = counts[:, :, None]
    means = np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n > 0)
    there = np.isfinite(means)
    total = np.where(there, means, 0.0).sum(axis=1, keepdims=True)
    mean = total / np.maximum(there.sum(axis=1, keepdims=True), 1)
    pairs = sums.sum(axis=1, keepdims=True) / np.maximum(n.sum(axis=1, keepdims=True), 1.0)
    return np.concatenate([means, mean, pairs], axis=1)


def _rows(
    mechanism: str,
    setting: str,
    models: Sequence[str],
    scopes: Sequence[str],
    numbers: Sequence[int],
    estimate: Array,
    draws: Array,
    level: float,
) -> list[dict[str, Any]]:
    """Return rows from estimates (scopes, 2 M) and draws (R, scopes, 2 M)."""
    M, ours = len(models), models.index(OURS)
    rows = []
    for m, model in enumerate(models):
        for s, scope in enumerate(scopes):
            row: dict[str, Any] = dict.fromkeys(COLUMNS)
            row |= {"mechanism": mechanism, "setting": setting, "model": model, "domain": scope}
            row["n_pairs"] = int(numbers[s])
            for name, gain, first, sign in (
                ("accuracy", "gain", 0, 1.0),
                ("log_loss", "log_loss_gain", M, -1.0),
            ):
                value, draw = estimate[s], draws[:, s]
                row[name] = float(value[first + m])
                low, high = ends(draw[:, first + m], row[name], level)
                if name == "accuracy" and low is not None and high is not None:
                    low, high = max(0.0, low), min(1.0, high)
                row[f"{name}_low"], row[f"{name}_high"] = low, high
                if m != ours:
                    row[gain] = float(sign * (value[first + ours] - value[first + m]))
                    difference = sign * (draw[:, first + ours] - draw[:, first + m])
                    row[f"{gain}_low"], row[f"{gain}_high"] = ends(difference, row[gain], level)
            rows.append(row)
    return rows


def _means(
    tested: Sequence[Tested], estimates: Sequence[Array], draws: Sequence[Array], level: float
) -> list[dict[str, Any]]:
    """Return rows of the mean over mechanisms, each counting the same; none if there is one."""
    rows = []
    for setting in dict.fromkeys(t.setting for t in tested):
        same = [k for k, t in enumerate(tested) if t.setting == setting]
        if len({tested[k].mechanism for k in same}) < 2:
            continue
        models = tested[same[0]].models
        estimate = np.mean([estimates[k][0, -2:] for k in same], axis=0)
        draw = np.mean([draws[k][:, -2:] for k in same], axis=0)
        n = sum(tested[k].rows.size for k in same)
        rows += _rows(
            MEAN_MECHANISM, setting, models, (MEAN, ALL_PAIRS), (n, n), estimate, draw, level
        )
    return rows


def ends(draws: Array, estimate: float, level: float) -> tuple[float | None, float | None]:
    """Return the percentiles of draws, moved away from the estimate; None where there are none.

    Parameters
    ----------
    draws
        Replicates, shape (R,), NaN where there is none.
    estimate
        The estimate.
    level
        For instance 0.9.
    """
    known = draws[np.isfinite(draws)]
    if known.size == 0:
        return None, None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return (
        estimate - WIDER * max(0.0, estimate - float(low)),
        estimate + WIDER * max(0.0, float(high) - estimate),
    )
