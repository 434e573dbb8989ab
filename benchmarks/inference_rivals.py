"""Rivals that regress: the oracle, lasso and refit, lasso bootstrap, nodewise lasso, many splits.

Signature and result as in `inference_marginal.py`; the oracle is also given the true support.

- oracle: unpenalised logistic regression on the weights that are not 0, variance clustered by
  prompt, and Palate's rule over all effects, where those that are truly 0 have independent uniform
  p-values: it knows what to estimate, and not what to claim.
- lasso, refit: HMDR with cross-validated penalties, then unpenalised logistic regression on the
  selected weights with the same pairs, Wald p-values of that model, p = 1 for weights not selected,
  Benjamini-Hochberg over shared effects, over totals and over deviations.
- lasso bootstrap: HMDR with cross-validated penalties, 100 refits to resampled prompts, supported
  where the percentile interval excludes 0; and where 99 % of the refits kept the weight as well.
- nodewise lasso: the desparsified lasso (van de Geer, Bühlmann, Ritov and Dezeure 2014) in every
  domain of its own, variance clustered by prompt; shared effect = mean of the domains.
- many splits: Meinshausen, Meier and Bühlmann 2009; 25 times HMDR selects on half of the prompts,
  a clustered refit on the other half gives p |S|, aggregated over quantiles and rejected by their
  rule P_(i) <= i q / sum_k 1/k; p is not capped at 1, which i q exceeds, and infinite if not
  selected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from scipy.special import expit

from benchmarks.inference_regression import band, logistic
from benchmarks.inference_results import (
    Band,
    Result,
    Support,
    decided,
)
from benchmarks.inference_worlds import Array, Booleans, Integers, estimands
from palate.data.splits import grouped_folds
from palate.inference.bootstrap import Resampling
from palate.inference.discoveries import benjamini_hochberg
from palate.models.design import Config, Design
from palate.models.selection import CV_TOL, select
from palate.models.solver import solve

REFITS, OFTEN = 100, 0.99
SPLITS, SMALLEST_QUANTILE = 25, 0.05
SWEEPS = 40


def oracle(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
    support: Booleans,
) -> dict[str, Result]:
    """Regression on the true support (D + 1, C), decided among as many effects as the others."""
    fit = logistic(_columns(X, codes, support), y)
    shared, deviation, total = _contrasts(
        support, exists, lambda rows: fit.clustered(rows, groups, level)
    )
    random = np.random.default_rng(seed)
    structure = estimands(np.zeros(exists.shape), exists)
    tested = []
    for kind, there, held in zip(
        (shared, deviation, total),
        structure,
        (support[0], support[1:], np.isfinite(total.p)),
        strict=True,
    ):
        null = np.where(np.isnan(there), np.nan, random.random(there.shape))
        known = np.where(np.isfinite(there), np.nan_to_num(kind.value), np.nan)
        tested.append(replace(kind, value=known, p=np.where(held, kind.p, null)))
    decisions = {}
    for q in rates:
        found = decided(tested[0], tested[1], tested[2], q)
        decisions[q] = Support(
            found.everywhere & support[0],
            found.here & np.isfinite(total.p),
            found.differs & support[1:],
        )
    return {"oracle": Result(shared, deviation, total, decisions)}


def lasso_refit(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
) -> dict[str, Result]:
    """Select and refit on the same pairs."""
    design, config = _chosen(X, y, codes, groups, exists, seed)
    fit = design.fit(**config._asdict(), seed=seed)
    support = np.vstack([fit.shared, fit.domain]) != 0
    refit = logistic(_columns(X, codes, support), y)
    bands = _contrasts(support, exists, lambda rows: refit.wald(rows, level))
    structure = estimands(np.zeros(exists.shape), exists)
    p = [
        np.where(np.isnan(there), np.nan, np.where(np.isfinite(kind.p), kind.p, 1.0))
        for kind, there in zip(bands, structure, strict=True)
    ]
    decisions = {
        q: Support(
            benjamini_hochberg(p[0], fdr=q),
            _rejected(p[2], q),
            _rejected(p[1], q) & support[1:],
        )
        for q in rates
    }
    return {"lasso, refit on the same pairs, BH": Result(*bands, decisions)}


def lasso_bootstrap(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
) -> dict[str, Result]:
    """Percentile intervals of penalised weights, as Palate had them before."""
    design, config = _chosen(X, y, codes, groups, exists, seed)
    fit = design.fit(**config._asdict(), seed=seed)
    weights = np.vstack([fit.shared, fit.domain])
    resampling = Resampling.of(groups, codes)
    draws = np.empty((REFITS, *weights.shape))
    for r in range(REFITS):
        drawn = resampling.pair_weights(r, seed=seed)
        again = design.fit(**config._asdict(), pair_weight=drawn, tol=CV_TOL, seed=seed)
        draws[r] = np.vstack([again.shared, again.domain])
    bands, clear, kept = [], [], []
    for value, replicates in zip(estimands(weights, exists), estimands(draws, exists), strict=True):
        low, high = percentile_interval(replicates, value, level=level)
        found = Band(value, low, high, np.full(value.shape, np.nan))
        bands.append(found)
        clear.append(found.excludes_zero)
        kept.append(found.excludes_zero & ((replicates != 0).mean(axis=0) >= OFTEN))
    # a deviation is named where the domain's own weight is
    own = draws[:, 1:]
    low, high = percentile_interval(own, weights[1:], level=level)
    clear[1] = (low > 0) | (high < 0)
    kept[1] = clear[1] & ((own != 0).mean(axis=0) >= OFTEN)
    return {
        name: Result(*bands, dict.fromkeys(rates, Support(rule[0], rule[2], rule[1])))
        for name, rule in (
            ("lasso bootstrap, interval", clear),
            ("lasso bootstrap, kept in 99 %", kept),
        )
    }


def nodewise(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
) -> dict[str, Result]:
    """Desparsified lasso domain by domain, averaged."""
    D, C = exists.shape[0] - 1, exists.shape[1]
    value, variance, free = (np.full((D, C), np.nan) for _ in range(3))
    for d in range(D):
        rows = codes == d
        columns = np.flatnonzero((exists[0] | exists[1 + d]) & (X[rows] != 0).any(axis=0))
        result = desparsified(X[np.ix_(rows, columns)], y[rows], groups[rows], seed=seed)
        value[d, columns], variance[d, columns], free[d, columns] = result
    known = np.isfinite(value)
    n = known.sum(axis=0)

    def mean_of(weight: Array) -> tuple[Array, Array, Array]:
        """Return value, variance and degrees of freedom of sum_d weight_d value_d."""
        parts = np.where(known & (weight != 0), weight**2 * variance, 0.0)
        total = parts.sum(axis=-2)
        squares = np.where(known, parts**2 / free, 0.0).sum(axis=-2)
        nan = np.where(total > 0, 1.0, np.nan)
        combined = np.where(known, weight * value, 0.0).sum(axis=-2)
        return combined * nan, total * nan, total**2 / np.maximum(squares, 1e-300)

    with np.errstate(invalid="ignore", divide="ignore"):
        mean = mean_of(np.where(known, 1.0 / n, 0.0))
        against = [
            mean_of(np.where(np.arange(D)[:, None] == d, 1.0, -1.0 / (n - 1))) for d in range(D)
        ]
    shared = band(*(np.where(exists[0], m, np.nan) for m in mean), level)
    deviation = band(
        *(np.where(known & (n > 1), np.stack(part), np.nan) for part in zip(*against, strict=True)),
        level,
    )
    total = band(value, variance, free, level)
    decisions = {q: decided(shared, deviation, total, q) for q in rates}
    return {"nodewise lasso per domain": Result(shared, deviation, total, decisions)}


def desparsified(X: Array, y: Array, groups: Integers, *, seed: int) -> tuple[Array, Array, Array]:
    """Return desparsified weights, their variances clustered by group, and degrees of freedom.

    Columns are scaled to mean square 1. The lasso has half the penalty that keeps noise out,
    sqrt(2 log(2 C) / n) / 4, and so has each nodewise lasso, relative to its column.
    """
    n, C = X.shape
    scale = np.sqrt((X**2).mean(axis=0))
    rows = X / scale
    universal = np.sqrt(2 * np.log(2 * max(C, 2)) / n)
    beta = solve(
        sp.csr_array(rows * y[:, None]),
        weights=np.full(n, 1 / n),
        penalties=np.full(C, universal / 4),
        tol=CV_TOL,
        seed=seed,
    ).coef
    p = expit(rows @ beta)
    gram = (rows * (p * (1 - p))[:, None]).T @ rows / n
    size = np.diag(gram).copy()
    penalty = 0.5 * universal * size
    others = np.zeros((C, C))  # column j: weights of the other columns in the lasso of column j
    for _ in range(SWEEPS):
        moved = 0.0
        for k in range(C):
            gradient = gram[k] - gram[k] @ others + size[k] * others[k]
            new = np.sign(gradient) * np.maximum(np.abs(gradient) - penalty, 0.0) / size[k]
            new[k] = 0.0
            moved = max(moved, float(np.abs(new - others[k]).max()))
            others[k] = new
        if moved < 1e-3:
            break
    direction = np.eye(C) - others
    direction /= np.maximum(np.einsum("kj,kj->j", gram, direction), 1e-9 * size)
    pull = rows @ direction
    residual = (1 + y) / 2 - p
    _, at = np.unique(groups, return_inverse=True)
    total = sp.csr_array((np.ones(n), (at, np.arange(n))))
    value = beta + pull.T @ residual / n
    variance = ((total @ (pull * residual[:, None])) ** 2).sum(axis=0) / n**2
    share = total @ (pull**2 * (p * (1 - p))[:, None])
    free = share.sum(axis=0) ** 2 / np.maximum((share**2).sum(axis=0), 1e-300)
    return value / scale, variance / scale**2, np.maximum(free, 1.0)


def many_splits(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
) -> dict[str, Result]:
    """Select on half of the prompts, test on the other half, many times."""
    design = _design(X, y, codes, exists)
    unit = design.noise_scale()
    config = Config(design.default_alpha(), unit / 2, unit / 2)
    n_groups = int(groups.max()) + 1
    p = np.full((SPLITS, *exists.shape), np.inf)
    sign = np.zeros((SPLITS, *exists.shape))
    for split in range(SPLITS):
        random = np.random.default_rng([seed, split])
        first = (random.permutation(n_groups) < n_groups // 2)[groups]
        fit = design.fit(**config._asdict(), pair_weight=first.astype(float), tol=CV_TOL, seed=seed)
        support = np.vstack([fit.shared, fit.domain]) != 0
        rows = _columns(X[~first], codes[~first], support)
        used = (rows != 0).any(axis=0)
        n_used = int(used.sum())
        if n_used == 0:
            continue
        refit = logistic(rows[:, used], y[~first])
        tested = refit.clustered(np.eye(n_used), groups[~first], level)
        cells = tuple(index[used] for index in np.nonzero(support))
        p[split][cells] = tested.p * support.sum()
        sign[split][cells] = np.sign(tested.value)
    quantiles = np.linspace(SMALLEST_QUANTILE, 1.0, 39)
    raised = np.quantile(p, quantiles, axis=0, method="higher") / quantiles[:, None, None]
    combined = (1 - np.log(SMALLEST_QUANTILE)) * raised.min(axis=0)
    combined = np.where(exists, combined, np.nan)
    harmonic = (1.0 / np.arange(1, exists.sum() + 1)).sum()
    ordered = np.sort(combined[exists])
    decisions = {}
    for q in rates:
        below = np.flatnonzero(ordered <= q * np.arange(1, ordered.size + 1) / harmonic)
        found = exists & (combined <= (ordered[below[-1]] if below.size else -1.0))
        decisions[q] = Support(found[0], np.zeros_like(found[1:]), found[1:])
    direction, nothing = np.sign(sign.sum(axis=0)), np.full(exists.shape, np.nan)
    shared, deviation = (
        Band(direction[part], nothing[part], nothing[part], combined[part])
        for part in (0, slice(1, None))
    )
    return {"many splits": Result(shared, deviation, Band.absent(*deviation.p.shape), decisions)}


def percentile_interval(samples: Array, estimate: Array, *, level: float) -> tuple[Array, Array]:
    """Return the percentile interval of samples along axis 0, widened to hold the estimate."""
    low = np.quantile(samples, (1 - level) / 2, axis=0)
    high = np.quantile(samples, (1 + level) / 2, axis=0)
    return np.minimum(low, estimate), np.maximum(high, estimate)


def _rejected(p: Array, q: float) -> Booleans:
    return np.asarray(benjamini_hochberg(p.ravel(), fdr=q).reshape(p.shape))


def _design(X: Array, y: Array, codes: Integers, exists: Booleans) -> Design:
    specific = [
        None if exists[0, j] else np.flatnonzero(exists[1:, j]).tolist()
        for j in range(exists.shape[1])
    ]
    names = range(exists.shape[0] - 1)
    return Design.build(X, y, codes, concept_domains=specific, domain_names=names)


def _chosen(
    X: Array, y: Array, codes: Integers, groups: Integers, exists: Booleans, seed: int
) -> tuple[Design, Config]:
    """Return the design and the configuration that cross-validation chooses."""
    design = _design(X, y, codes, exists)
    folds = grouped_folds(groups, 5, seed=seed, strata=codes)
    return design, select(design, folds, seed=seed).config


def _columns(X: Array, codes: Integers, support: Booleans) -> Array:
    """Return the values of the weights in a support, shape (n, k), in the order of `nonzero`."""
    part, concept = np.nonzero(support)
    everywhere = part == 0
    return np.where(everywhere | (codes[:, None] == part - 1), X[:, concept], 0.0)


def _contrasts(
    support: Booleans, exists: Booleans, evaluate: Callable[[Array], Band]
) -> tuple[Band, Band, Band]:
    """Return shared, deviation and total bands of a fit to a support; NaN where it holds nothing.

    `evaluate` turns combinations of the k weights, shape (m, k), into a band.
    """
    part, concept = np.nonzero(support)
    single = np.zeros((part.size, *support.shape))
    single[np.arange(part.size), part, concept] = 1.0
    out = []
    for kind in estimands(single, exists):
        rows = np.nan_to_num(kind.reshape(part.size, int(np.prod(kind.shape[1:]))).T)
        held = (rows != 0).any(axis=1)
        numbers = np.full((4, held.size), np.nan)
        if held.any():
            found = evaluate(rows[held])
            numbers[:, held] = found.value, found.low, found.high, found.p
        out.append(Band(*numbers.reshape(4, *kind.shape[1:])))
    return out[0], out[1], out[2]
