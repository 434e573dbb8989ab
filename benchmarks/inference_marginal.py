"""Rivals that look at one concept at a time, from their documented definitions.

Every method of the benchmark has the signature (X, y, codes, groups, *, exists, level, rates, seed)
and returns results by name. Those here read the sign of a value as the vote of an annotator, as the
peers' data are, and know neither domains nor prompts.

- Feedback Forensics (repository rdnfn/feedback-forensics, docs/method/metrics.md and
  app/metrics.py): strength = Cohen's kappa x relevance, kappa = 2 (share of
  agreeing votes - 1/2) as the order of responses is random, relevance = share of votes that are no
  ties. Its star is p <= .05 of a binomial test, one-sided in the direction that the data show; its
  interval is a parametric bootstrap: a multinomial of (agree, disagree, not applicable) counts with
  1 added to each. Neither is corrected for the number of concepts.
- HypotheSAEs (Movva et al., arXiv 2502.04382; repository rmovva/HypotheSAEs, evaluation.py): the
  separation test, Student's t between verdicts (1, 0) where a concept votes, those of -1 votes
  multiplied by -1, and verdicts where it does not; and its count of significant concepts: ordinary
  least squares of the verdict on all annotations, p < .1 / C (Bonferroni).
- The t-test of a concept's values between the pairs won by a and by b (Welch), uncorrected and with
  Benjamini-Hochberg.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from benchmarks.inference_results import Band, Result
from benchmarks.inference_worlds import Array, Booleans, Integers
from palate.inference.discoveries import benjamini_hochberg

UNCORRECTED = 0.05
RESAMPLES = 1_000


def feedback_forensics(
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
    """Strength with its binomial test, and with its parametric bootstrap interval."""
    votes = np.sign(X) * y[:, None]
    agree, disagree = (votes > 0).sum(axis=0), (votes < 0).sum(axis=0)
    n, valid = y.size, agree + disagree
    strength = (agree - disagree) / n
    p = np.where(valid > 0, stats.binom.sf(np.maximum(agree, disagree) - 1, valid, 0.5), 1.0)
    random = np.random.default_rng(seed)
    low, high, low95, high95 = np.empty((4, X.shape[1]))
    ends = [(1 - level) / 2, (1 + level) / 2, 0.025, 0.975]
    for j, counts in enumerate(np.column_stack([agree, disagree, n - valid]) + 1.0):
        drawn = random.multinomial(n + 3, counts / counts.sum(), size=RESAMPLES)
        resampled = (drawn[:, 0] - drawn[:, 1]) / (n + 3)
        low[j], high[j], low95[j], high95[j] = np.quantile(resampled, ends)
    band = Band(strength, low, high, p)
    D = exists.shape[0] - 1
    starred = dict.fromkeys(rates, p <= UNCORRECTED)
    clear = dict.fromkeys(rates, (low95 > 0) | (high95 < 0))
    return {
        "Feedback Forensics, p < .05": Result.of_shared(band, D, starred),
        "Feedback Forensics, 95 % interval": Result.of_shared(band, D, clear),
    }


def hypothesaes(
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
    """The separation test, uncorrected, and least squares with Bonferroni at .1."""
    annotations = np.sign(X)
    won = (1.0 + y) / 2.0
    zero = annotations == 0
    present = np.where(zero, 0.0, won[:, None] * annotations)  # -won where the vote is -1
    n_present, n_absent = (~zero).sum(axis=0), zero.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, other = present.sum(axis=0) / n_present, won @ zero / n_absent
        spread = (present**2).sum(axis=0) - n_present * mean**2
        spread += won**2 @ zero - n_absent * other**2
        free = y.size - 2
        t = (mean - other) / np.sqrt(spread / free * (1 / n_present + 1 / n_absent))
        for_a, for_b = annotations > 0, annotations < 0
        sides = (won @ for_a / for_a.sum(axis=0), (1 - won) @ for_b / for_b.sum(axis=0))
    tested = (n_present > 1) & (n_absent > 1)
    p = np.where(tested, 2 * stats.t.sf(np.abs(np.where(tested, t, 0.0)), free), 1.0)
    known = np.isfinite(sides)
    in_favour = np.where(known, sides, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    effect = np.where(tested, in_favour - np.where(tested, other, 0.0), 0.0)
    D = exists.shape[0] - 1
    nothing = np.full(effect.size, np.nan)
    separation = Band(effect, nothing, nothing, p)
    regression = _least_squares(annotations, won, level)
    return {
        "HypotheSAEs separation, p < .05": Result.of_shared(
            separation, D, dict.fromkeys(rates, p <= UNCORRECTED)
        ),
        "HypotheSAEs least squares, Bonferroni .1": Result.of_shared(
            regression, D, dict.fromkeys(rates, regression.p < 0.1 / p.size)
        ),
    }


def _least_squares(annotations: Array, won: Array, level: float) -> Band:
    n = len(annotations)
    design = np.column_stack([np.ones(n), annotations])
    inverse = np.linalg.pinv(design.T @ design)
    beta = inverse @ (design.T @ won)
    free = max(n - np.linalg.matrix_rank(design), 1)
    se = np.sqrt(np.diag(inverse) * ((won - design @ beta) ** 2).sum() / free)
    half = stats.t.ppf((1 + level) / 2, free) * se[1:]
    p = 2 * stats.t.sf(np.abs(beta[1:]) / np.maximum(se[1:], 1e-12), free)
    return Band(beta[1:], beta[1:] - half, beta[1:] + half, p)


def t_test(
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
    """Welch's t-test of each concept between pairs won by a and by b."""
    a, b = X[y > 0], X[y < 0]
    size = (a**2).sum(axis=0) + (b**2).sum(axis=0)
    va, vb = (np.var(s, axis=0, ddof=1) / len(s) for s in (a, b))
    se = np.sqrt(np.maximum(va + vb, 1e-12 * size))
    free = (va + vb) ** 2 / np.maximum(va**2 / (len(a) - 1) + vb**2 / (len(b) - 1), 1e-300)
    difference = a.mean(axis=0) - b.mean(axis=0)
    p = 2 * stats.t.sf(np.abs(difference) / se, np.maximum(free, 1.0))
    half = stats.t.ppf((1 + level) / 2, np.maximum(free, 1.0)) * se
    band = Band(difference, difference - half, difference + half, p)
    D = exists.shape[0] - 1
    return {
        "t-test, p < .05": Result.of_shared(band, D, dict.fromkeys(rates, p <= UNCORRECTED)),
        "t-test, BH": Result.of_shared(band, D, {q: benjamini_hochberg(p, fdr=q) for q in rates}),
    }
