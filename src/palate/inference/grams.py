"""Noise and bias of the estimates from Gram matrices alone, and Gram matrices for later studies.

With A_d = sum over the pairs of domain d of w_i x_i x_i', all that `palate.inference.linear` needs
of the pairs for the model variance of an estimate is in A_d: an estimate with direction Z = G v has
the noise variance sum_d v_d' A_d v_d.

Shapes: n pairs, C concepts, D domains, S common concepts, T concepts of a domain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from palate.inference.hierarchy import Array, Integers, Posterior

Pair = tuple[Array, Array]


def alike(X: Array, weight: Array, rows: Sequence[Integers]) -> list[Array]:
    """Return weighted Gram matrices by domain, (C, C) each, in a domain of few pairs like the rest.

    The correlations of domain d are mixed with those over all domains in the shares n_d and C_d,
    the concepts with a value in d; what a concept adds alone (the diagonal) stays.

    Parameters
    ----------
    X
        Concept values, shape (n, C).
    weight
        Weights of the pairs, shape (n,).
    rows
        Pairs of each domain.
    """
    found, sizes = [], []
    pooled = np.zeros((X.shape[1], X.shape[1]))
    count = np.zeros(X.shape[1])
    for own in rows:
        half = X[own] * np.sqrt(weight[own])[:, None]
        gram = half.T @ half
        size = np.sqrt(np.diag(gram))
        unit = np.where(size > 0, 1.0 / np.where(size > 0, size, 1.0), 0.0)
        pooled += own.size * gram * np.outer(unit, unit)
        count += own.size * (size > 0)
        found.append(gram)
        sizes.append(size)
    root = np.sqrt(np.maximum(count, 1.0))
    pooled /= np.outer(root, root)
    out = []
    for own, gram, size in zip(rows, found, sizes, strict=True):
        share = own.size / max(own.size + int((size > 0).sum()), 1) if len(rows) > 1 else 1.0
        out.append(share * gram + (1.0 - share) * pooled * np.outer(size, size))
    return out


def noise_and_bias(posterior: Posterior, grams: Sequence[Array]) -> list[Pair]:
    """Return noise and bias: of shared effects, then of totals and deviations, domain by domain.

    Parameters
    ----------
    posterior
        Its structure and prior variances are used.
    grams
        A_d, (C, C) each.
    """
    shared, blocks = posterior.shared, posterior.blocks
    S = shared.size
    schur = np.diag(1.0 / posterior.variance)
    parts = []
    for A, b in zip(grams, blocks, strict=True):
        bb, bs = A[np.ix_(shared, shared)], A[np.ix_(shared, b.own)]
        ss = A[np.ix_(b.own, b.own)]
        P = _inverse(ss + np.diag(1.0 / b.variance))
        K = bs @ P
        schur += bb - K @ bs.T
        parts.append((P, K, np.block([[bb, bs], [bs.T, ss]])))
    Gbb = _inverse(schur)
    leanings = [np.vstack([Gbb, -K.T @ Gbb]) for _, K, _ in parts]  # G e_k, k common
    spread = [B.T @ A @ B for B, (_, _, A) in zip(leanings, parts, strict=True)]
    whole = np.add.reduce(spread) if S else np.zeros((0, 0))
    found = np.diag(Gbb)
    scale = 1.0 / (1.0 - found / posterior.variance)
    model = np.diag(whole)
    bias = np.maximum(found - model - found**2 / posterior.variance, 0.0)
    out = [(model * scale**2, bias * scale**2)]
    for d, (b, (P, K, A)) in enumerate(zip(blocks, parts, strict=True)):
        Gbs = -Gbb @ K
        Gss = P - K.T @ Gbs
        has = np.isin(b.own, shared)
        at = np.where(has, np.searchsorted(shared, b.own), 0)
        take = np.zeros((S, b.own.size))
        take[at[has], np.flatnonzero(has)] = 1.0
        g11 = np.where(has, found[at] if has.any() else 0.0, 0.0)
        g12, g22 = (Gbs * take).sum(axis=0), np.diag(Gss)
        v1 = np.where(has, posterior.variance[at] if has.any() else 1.0, 1.0)
        v2 = b.variance
        m11, m12, m21, m22 = 1.0 - g11 / v1, -g12 / v2, -g12 / v1, 1.0 - g22 / v2
        det = m11 * m22 - m12 * m21
        l11 = np.where(has, m22 / det, 0.0)
        l12 = np.where(has, -m12 / det * v2 / v1, 0.0)
        l21 = np.where(has, -m21 / det * v1 / v2, 0.0)
        l22 = m11 / det
        own = np.vstack([Gbs, Gss])
        for one, two in ((l11 + l12, l21 + l22), (l12, l22)):
            elsewhere = take * one - K * two
            far = ((whole - spread[d]) @ elsewhere * elsewhere).sum(axis=0) if S else 0.0
            near = leanings[d] @ (take * one) + own * two
            noise = (A @ near * near).sum(axis=0) + far
            all_of_it = one**2 * g11 + 2.0 * one * two * g12 + two**2 * g22
            itself = (g11 * one + g12 * two) ** 2 / v1 * has + (g12 * one + g22 * two) ** 2 / v2
            out.append((noise, np.maximum(all_of_it - noise - itself, 0.0)))
    return out


def _inverse(matrix: Array) -> Array:
    out = np.linalg.inv(matrix) if matrix.size else matrix
    return np.asarray((out + out.T) / 2.0)
