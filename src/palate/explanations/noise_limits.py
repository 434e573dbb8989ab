"""Best accuracy and least log-loss that are possible where replicated verdicts agree so often.

Model: pair i has a probability p_i that a verdict prefers its first response, and replicated
verdicts on it are independent draws. A predictor that knew every p_i would be right in a share
E[max(p, 1 - p)] of verdicts, at a log-loss of E[H(p)], H the entropy in nats. Two replicates agree
with probability a = E[w], w = p^2 + (1 - p)^2, so a is what the data give directly. With
u = max(p, 1 - p) = (1 + sqrt(2 w - 1)) / 2:

- u is a concave function of w from (1/2, 1/2) to (1, 1). So E[u] is at most u at the mean of w
  (Jensen; reached if all pairs are equally hard) and at least a, the chord (reached if every pair
  is either clear or a coin). Without any assumption, a <= ceiling <= (1 + sqrt(2 a - 1)) / 2.
- H is concave in w as well, so 2 (1 - a) log 2 <= floor of log-loss <= H((1 + sqrt(2 a - 1)) / 2).
- The estimate between the bounds assumes p ~ Beta(k, k): symmetric, because which response stands
  first is a convention. Then a = (k + 1) / (2 k + 1), so k = (1 - a) / (2 a - 1), the ceiling is
  1/2 + 2^(-2 k) / (k B(k, k)) and the floor psi(2 k + 1) - psi(k + 1).

Two and three votes a pair identify E[p (1 - p)] and nothing else of the distribution of p (three
are 3:0 with probability 1 - 3 E[p (1 - p)]), so no test of the shape is possible with them, and the
bounds matter.

A verdict that is the majority of m replicates has P(first) = M(p), the chance of a majority, in
place of p. A verdict that counts only if it is the same in both orders of presentation has
P(first) = p^2 / w, given that it counts. The bounds are then the envelopes of the same functions of
w, found numerically; in the case of orders the best possible is 1 and 0, because a preference for a
position makes orders differ without making the verdicts that count any less predictable.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from palate.errors import InputError
from palate.explanations.problem import Array
from palate.explanations.replicates import Kind

LOG2 = float(np.log(2.0))
N_GRID, N_QUANTILES = 401, 1_000


@dataclass(frozen=True)
class Limits:
    """Ceiling of accuracy and floor of log-loss at one agreement: estimate and bounds."""

    accuracy: float
    accuracy_least: float
    accuracy_most: float
    log_loss: float
    log_loss_least: float
    log_loss_most: float


def limits(agreement: float, *, kind: Kind = "votes", votes: int = 1) -> Limits:
    """Return what follows from the chance that two replicates agree.

    Parameters
    ----------
    agreement
        a, in [0, 1]; at most 1/2 means that nothing can be predicted.
    kind
        "votes", or "orders" for verdicts that count only if both orders agree.
    votes
        Number of replicates, odd, whose majority is predicted.

    Raises
    ------
    InputError
        If the agreement is outside [0, 1] or `votes` is not an odd number of at least 1.
    """
    if not 0.0 <= agreement <= 1.0:
        raise InputError(f"agreement: found {agreement}; expected a number between 0 and 1.")
    if votes < 1 or votes % 2 == 0:
        raise InputError(f"votes: found {votes}; expected an odd number of at least 1.")
    a = max(agreement, 0.5)
    roots = np.linspace(0.0, 1.0, N_GRID)
    u = (1.0 + np.unique(np.append(roots, np.sqrt(2.0 * a - 1.0)))) / 2.0  # all equally hard, too
    w = u**2 + (1.0 - u) ** 2
    # Per pair; verdicts that count only if orders agree are w in number.
    counts = w if kind == "orders" else np.ones(w.size)
    total = a if kind == "orders" else 1.0
    chosen = _chosen(u, kind, votes)
    right, lost = counts * chosen, counts * _entropy(chosen)
    accuracy_most, log_loss_least = _envelope(w, right, a) / total, -_envelope(w, -lost, a) / total
    if kind == "orders":
        accuracy_most, log_loss_least = 1.0, 0.0
    accuracy, log_loss = under_beta(np.array(a), kind=kind, votes=votes)
    return Limits(
        accuracy=float(accuracy),
        accuracy_least=-_envelope(w, -right, a) / total,
        accuracy_most=accuracy_most,
        log_loss=float(log_loss),
        log_loss_least=log_loss_least,
        log_loss_most=_envelope(w, lost, a) / total,
    )


def _envelope(x: Array, y: Array, at: float) -> float:
    """Return the concave envelope of points with ascending x at a place between them."""
    hull: list[int] = []
    for i in range(x.size):
        while len(hull) > 1:
            j, k = hull[-2], hull[-1]
            if (y[k] - y[j]) * (x[i] - x[j]) > (y[i] - y[j]) * (x[k] - x[j]):
                break
            hull.pop()
        hull.append(i)
    return float(np.interp(at, x[hull], y[hull]))


def under_beta(agreement: Array, *, kind: Kind = "votes", votes: int = 1) -> tuple[Array, Array]:
    """Return ceiling of accuracy and floor of log-loss for p ~ Beta(k, k), of the same shape.

    Parameters
    ----------
    agreement
        Chance that two replicates agree; at most 1/2 is a coin.
    kind
        "votes", or "orders" for verdicts that count only if both orders agree.
    votes
        Number of replicates whose majority is predicted.
    """
    root, accuracy, log_loss = _curve(kind, votes)
    at = np.sqrt(np.clip(2.0 * agreement - 1.0, 0.0, 1.0))
    return np.interp(at, root, accuracy), np.interp(at, root, log_loss)


@lru_cache(maxsize=32)
def _curve(kind: Kind, votes: int) -> tuple[Array, Array, Array]:
    """Return grid points of sqrt(2 a - 1), and ceiling and floor there.

    Means over the quantiles of p in [1/2, 1], by symmetry: midpoints of many equal shares.
    """
    from scipy.special import betaincinv

    root = np.linspace(0.0, 1.0, N_GRID)
    accuracy, log_loss = np.full(root.size, 0.5), np.full(root.size, LOG2)
    accuracy[-1], log_loss[-1] = 1.0, 0.0
    share = (np.arange(N_QUANTILES) + 0.5) / (2 * N_QUANTILES)
    for i, s in enumerate(root[1:-1] ** 2, start=1):
        k = (1.0 - s) / (2.0 * s)  # (1 - a) / (2 a - 1) with a = (1 + s) / 2
        u = np.maximum(1.0 - betaincinv(k, k, share), 0.5)
        weight = u**2 + (1.0 - u) ** 2 if kind == "orders" else np.ones(u.size)
        chosen = _chosen(u, kind, votes)
        accuracy[i] = weight @ chosen / weight.sum()
        log_loss[i] = weight @ _entropy(chosen) / weight.sum()
    return root, accuracy, log_loss


def _chosen(p: npt.ArrayLike, kind: Kind, votes: int) -> Array:
    """Return the chance that the verdict prefers the first response, given p of one replicate."""
    from scipy.special import bdtrc

    x = np.asarray(p, dtype=np.float64)
    if kind == "orders":
        return np.asarray(x**2 / (x**2 + (1.0 - x) ** 2))
    return x if votes == 1 else np.asarray(bdtrc(votes // 2, votes, x))


def _entropy(p: Array) -> Array:
    from scipy.special import entr

    return np.asarray(entr(p) + entr(1.0 - p))
