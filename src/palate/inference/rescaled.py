"""The posterior of a pilot for other weights of its pairs and other variances of deviations.

Shapes: n pairs, C concepts, D domains, as in `palate.inference.hierarchy`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from palate.inference.hierarchy import TAILS, Array, Block, Posterior

SCALES = (3e-3, 1.0, 12)  # of deviations, whose evidence is looked at
QUARTILES = float(stats.norm.ppf(0.75) / stats.t.ppf(0.75, TAILS))  # of normal and of t alike
USUAL = 0.1  # scale of deviations, log-odds per standard deviation


def replicated(
    posterior: Posterior, weight: Array, *, variances: list[Array] | None = None
) -> tuple[Posterior, float]:
    """Return the posterior for other weights of the pairs, and its log evidence up to a constant.

    Residuals and log-odds stay as they are. Evidence and means are those of the working response
    log_odds + residual / weight, which is only meaningful at the pilot's weights.

    Parameters
    ----------
    posterior
        Of the pilot.
    weight
        Weights of the pairs, shape (n,).
    variances
        Prior variances of deviations by domain, in place of the learned ones.
    """
    score = weight * posterior.log_odds + posterior.residual
    schur, right = np.diag(1.0 / posterior.variance), np.zeros(posterior.shared.size)
    parts, evidence = [], 0.0
    before = variances or [b.variance for b in posterior.blocks]
    for b, variance in zip(posterior.blocks, before, strict=True):
        root = np.sqrt(weight[b.rows])[:, None]
        common, own = b.common * root, b.values * root
        across = common.T @ own
        inner = own.T @ own + np.diag(1.0 / variance)
        P = _inverse(inner)
        K = across @ P
        r = b.values.T @ score[b.rows]
        schur += common.T @ common - K @ across.T
        right += b.common.T @ score[b.rows] - K @ r
        evidence += 0.5 * float(r @ P @ r - np.log(variance).sum() - np.linalg.slogdet(inner)[1])
        parts.append((P, K, P @ r, variance))
    Gbb = _inverse(schur)
    evidence += 0.5 * float(right @ Gbb @ right - np.linalg.slogdet(schur)[1])
    blocks: list[Block] = []
    mean = Gbb @ right
    for b, (P, K, own, variance) in zip(posterior.blocks, parts, strict=True):
        Gbs = -Gbb @ K
        Gss = P - K.T @ Gbs
        own = own - K.T @ mean
        blocks.append(replace(b, K=K, Gbs=Gbs, Gss=Gss, mean=own, variance=variance))
    found = replace(posterior, blocks=tuple(blocks), Gbb=Gbb, mean=mean, weight=weight)
    return found, evidence


def squares(posterior: Posterior) -> Array:
    """Return the mean squared value of each concept over all pairs, shape (C,) or shorter.

    Parameters
    ----------
    posterior
        In blocks.
    """
    n = posterior.weight.size
    size = 1 + max(int(b.own.max(initial=-1)) for b in posterior.blocks)
    out = np.zeros(size)
    for b in posterior.blocks:
        out[b.own] += (b.values**2).sum(axis=0) / n
    return np.maximum(out, 1e-12)


def log_odds_variance(posterior: Posterior) -> Array:
    """Return the posterior variance of the log-odds of each pair, shape (n,).

    Parameters
    ----------
    posterior
        In blocks.
    """
    out = np.empty(posterior.weight.size)
    for b in posterior.blocks:
        out[b.rows] = (
            np.einsum("ij,ij->i", b.common @ posterior.Gbb, b.common)
            + 2.0 * np.einsum("ij,ij->i", b.common @ b.Gbs, b.values)
            + np.einsum("ij,ij->i", b.values @ b.Gss, b.values)
        )
    return np.maximum(out, 0.0)


def likely_deviations(posterior: Posterior) -> tuple[Posterior, float]:
    """Return the posterior at likely variances of deviations, and their scale.

    The scale is its mean given the pilot, deviations being normal and the scale half-Cauchy around
    0 with scale `USUAL` (Gelman 2006); or the learned one, if that is larger than `QUARTILES`
    times this. From it each concept gets the variance that its own deviations suggest, as in the
    model.

    Parameters
    ----------
    posterior
        Of the pilot.
    """
    blocks, weight = posterior.blocks, posterior.weight
    if len(blocks) < 2 or not any(b.own.size for b in blocks):
        return posterior, posterior.scales[1]
    size = squares(posterior)
    scales = np.geomspace(*SCALES)
    even = [[scale**2 / size[b.own] for b in blocks] for scale in scales]
    evidence = np.array([replicated(posterior, weight, variances=v)[1] for v in even])
    before = scales / (1.0 + (scales / USUAL) ** 2)  # on a logarithmic grid
    chance = np.exp(evidence - evidence.max()) * before
    scale = float((chance * scales).sum() / chance.sum())
    tailed = max(posterior.scales[1], QUARTILES * scale)
    start, _ = replicated(posterior, weight, variances=[scale**2 / size[b.own] for b in blocks])
    sums, counts = np.zeros(size.size), np.zeros(size.size)
    for b in start.blocks:
        sums[b.own] += (b.mean**2 + np.diag(b.Gss)) * size[b.own]
        counts[b.own] += 1
    of_concept = (TAILS * tailed**2 + sums) / (TAILS + counts) / size
    return replicated(posterior, weight, variances=[of_concept[b.own] for b in blocks])[0], tailed


def _inverse(matrix: Array) -> Array:
    out = np.linalg.inv(matrix)
    return np.asarray((out + out.T) / 2.0)
