"""Ridge logistic regression without intercept, its penalty chosen by leaving groups out.

With p_i = (1 + y_i) / 2, minimises sum_i w_i (log(1 + exp(z_i)) - p_i z_i) + |beta|^2 / (2 C),
z = X beta, by Newton's method with step halving. The log-odds of a group G of pairs by a model
without that group are one Newton step away: z_G + (I - A V)^-1 A g_G, with g = w (sigma(z) - p),
v = w sigma(z) (1 - sigma(z)), V = diag(v_G), A = X_G H^-1 X_G' and H = X' diag(v) X + I / C; for
groups of one pair that is approximate leave-one-out (Rahnama Rad and Maleki 2020, arXiv
1801.10243). Pairs that share a prompt or a response pair must be left out together: leaving them
out one by one chooses too weak a penalty.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from palate.models.ridge_blocks import Blocks
from palate.models.solver import Array


def ridge_logistic(
    X: Array,
    y: Array,
    weight: Array,
    *,
    Cs: Sequence[float],
    groups: npt.NDArray[np.int64] | None = None,
    codes: npt.NDArray[np.int64] | None = None,
) -> tuple[Array, float]:
    """Return the coefficients, shape (C,), at the best of `Cs`, and that C.

    Parameters
    ----------
    X
        Values, shape (n, C).
    y
        Verdicts in [-1, 1], no ties, shape (n,).
    weight
        Positive weights, shape (n,).
    Cs
        Inverse penalties to choose from.
    groups
        Group of each pair, shape (n,), left out together; None: each its own.
    codes
        Domain of each pair, shape (n,); only for speed where concepts are specific to domains.
    """
    blocks = _blocks(np.arange(y.size) if groups is None else groups)
    # Canonical sign, so that exchanging responses gives bitwise the same result.
    side = np.where(y < 0, -1.0, 1.0)
    varies = np.flatnonzero((X != 0.0).any(axis=0))  # the others have coefficient 0
    coef = np.zeros(X.shape[1])
    X, p = X[:, varies] * side[:, None], (1.0 + np.abs(y)) / 2.0
    beta = np.zeros(varies.size)
    arrow = Blocks.of(X, codes)
    best, best_loss, best_C = beta, np.inf, float(min(Cs))
    for C in sorted(Cs):
        beta, held_out = _newton(X, p, weight, C, beta, blocks, arrow)
        loss = float(weight @ (np.logaddexp(0.0, held_out) - p * held_out))
        if loss < best_loss:
            best, best_loss, best_C = beta, loss, float(C)
    coef[varies] = best
    return coef, best_C


def _blocks(groups: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Return the positions of the members of all groups, shape (number, size), for each size."""
    _, code, size = np.unique(groups, return_inverse=True, return_counts=True)
    members = np.argsort(code, kind="stable")
    start = np.cumsum(size) - size
    return [members[start[size == m][:, None] + np.arange(m)] for m in np.unique(size).tolist()]


def _newton(
    X: Array,
    p: Array,
    weight: Array,
    C: float,
    beta: Array,
    blocks: Sequence[npt.NDArray[np.int64]],
    arrow: Blocks,
) -> tuple[Array, Array]:
    def objective(point: Array) -> float:
        z = X @ point
        return float(weight @ (np.logaddexp(0.0, z) - p * z) + point @ point / (2.0 * C))

    value = objective(beta)
    for _ in range(50):
        s = expit(X @ beta)
        v = weight * s * (1.0 - s)
        gradient = X.T @ (weight * (s - p)) + beta / C
        step = arrow.factor(v, C).solve(gradient)
        decrease = float(gradient @ step)
        if decrease <= 1e-9 * (1.0 + value):
            break
        size = 1.0
        while (new := objective(beta - size * step)) > value - 1e-4 * size * decrease:
            size /= 2.0
            if size < 1e-8:
                break
        beta, value = beta - size * step, min(new, value)
    z = X @ beta
    s = expit(z)
    v, g = weight * s * (1.0 - s), weight * (s - p)
    F, own = arrow.factor(v, C).features()
    for rows in blocks:
        m = rows.shape[1]
        if m == 1:
            one = rows[:, 0]
            h = np.square(F[one]).sum(axis=1) + np.square(own[one]).sum(axis=1)
            z[one] += h * g[one] / np.maximum(1.0 - h * v[one], 1e-12)
        elif m <= X.shape[1]:
            domain = arrow.part_of[rows]
            A = (own[rows] @ own[rows].transpose(0, 2, 1)) * (
                domain[:, :, None] == domain[:, None, :]
            )
            A += F[rows] @ F[rows].transpose(0, 2, 1)
            left = np.eye(m) - A * v[rows][:, None, :]
            z[rows] += np.linalg.solve(left, A @ g[rows][:, :, None])[:, :, 0]
        else:  # a group of more pairs than concepts: take it out of H instead
            H = (X * v[:, None]).T @ X + np.eye(X.shape[1]) / C
            for one, inside in zip(rows, X[rows], strict=True):
                without = H - (inside * v[one][:, None]).T @ inside
                z[one] += inside @ np.linalg.solve(without, inside.T @ g[one])
    return beta, z
