"""`solve_elastic_net`: the L1-penalised logistic loss with a ridge term, with its certificate.

Shapes as in `palate.models.solver`; `ridge` are the n_columns positive ridge penalties r_j:

    minimise  P(w) = sum_i c_i log(1 + exp(-a_i'w))  +  sum_j (p_j |w_j| + r_j w_j^2 / 2)

by accelerated proximal gradient with restarts (Beck and Teboulle 2009; O'Donoghue and Candes 2015).
liblinear knows no such penalty. Certificate: with u_i = 1 / (1 + exp(a_i'w)) every u is dual
feasible, and D(u) = sum_i c_i H(u_i) - sum_j max(0, |sum_i c_i u_i a_ij| - p_j)^2 / (2 r_j), H the
binary entropy in nats, is a lower bound of the optimum.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from palate.errors import ConvergenceError
from palate.models.solver import Array, Solution

MAX_ITER = 20_000
CHECK_EVERY = 10
POWER_STEPS = 30


def elastic_certificate(
    rows: sp.csr_array, weights: Array, penalties: Array, ridge: Array, coef: Array
) -> tuple[float, float]:
    """Return the objective P(w) and its duality gap, both in nats.

    Parameters
    ----------
    rows
        Signed rows, shape (n_rows, n_columns).
    weights
        Weights of the losses, shape (n_rows,).
    penalties
        L1 penalties of the columns, shape (n_columns,).
    ridge
        Ridge penalties of the columns, shape (n_columns,), positive.
    coef
        The point w to certify, shape (n_columns,).
    """
    margin = rows @ coef
    soft = np.exp(-np.abs(margin))
    loss = np.log1p(soft) - np.minimum(margin, 0.0)
    primal = float(weights @ loss + penalties @ np.abs(coef) + ridge @ coef**2 / 2.0)
    u = np.where(margin >= 0, soft, 1.0) / (1.0 + soft)
    excess = np.maximum(0.0, np.abs(rows.T @ (weights * u)) - penalties)
    entropy = loss + u * margin  # H(u) at u = sigmoid(-margin)
    dual = float(weights @ entropy - (excess**2 / ridge).sum() / 2.0)
    return primal, max(0.0, primal - dual)


def solve_elastic_net(
    rows: sp.csr_array,
    *,
    weights: Array,
    penalties: Array,
    ridge: Array,
    tol: float = 1e-4,
) -> Solution:
    """Minimise P(w) to a relative duality gap of at most `tol`.

    Parameters
    ----------
    rows
        Signed rows, shape (n_rows, n_columns).
    weights
        Positive weights of the losses, shape (n_rows,).
    penalties
        Positive finite L1 penalties, shape (n_columns,).
    ridge
        Positive finite ridge penalties, shape (n_columns,).
    tol
        Largest relative duality gap accepted.

    Raises
    ------
    ConvergenceError
        If it is not reached.
    """
    columns = rows.T.tocsr()
    step = 1.0 / max(_curvature(rows, columns, weights), 1e-12)
    shrink, damp = step * penalties, 1.0 / (1.0 + step * ridge)
    coef = point = np.zeros(rows.shape[1])
    t, relative = 1.0, np.inf
    for iteration in range(MAX_ITER):
        if iteration % CHECK_EVERY == 0:
            objective, gap = elastic_certificate(rows, weights, penalties, ridge, coef)
            relative = gap / objective
            if relative <= tol:
                return Solution(coef, objective, gap, relative, iteration, 0)
        margin = rows @ point
        soft = np.exp(-np.abs(margin))
        u = np.where(margin >= 0, soft, 1.0) / (1.0 + soft)
        ahead = point + step * (columns @ (weights * u))
        new = np.sign(ahead) * np.maximum(np.abs(ahead) - shrink, 0.0) * damp
        move = new - coef
        if float((point - new) @ move) > 0.0:  # the momentum points uphill
            t = 1.0
        after = (1.0 + np.sqrt(1.0 + 4.0 * t * t)) / 2.0
        point, coef, t = new + (t - 1.0) / after * move, new, after
    raise ConvergenceError(
        f"The elastic net reached a relative duality gap of {relative:.1e}; expected at most "
        f"{tol:.1e}. Larger penalties, or concepts of comparable scale, make the problem easier."
    )


def _curvature(rows: sp.csr_array, columns: sp.csr_array, weights: Array) -> float:
    """Return a bound of the largest curvature of the loss: A' diag(c) A / 4, by power iteration.

    The start is the vector of column norms, so that it is the same for every order of presentation
    (which changes the sign of no row), and a tenth is added for what the iteration misses.
    """
    v = np.sqrt(np.asarray(rows.power(2).sum(axis=0)).ravel()) + 1e-12
    size = 0.0
    for _ in range(POWER_STEPS):
        v = v / np.linalg.norm(v)
        v = columns @ (weights * (rows @ v))
        size = float(np.linalg.norm(v))
        if size == 0.0:
            return 0.0
    return 1.1 * size / 4.0
