"""Many concepts on few prompts: three corrections, which usual designs do without.

With hundreds of concepts the model of `palate.inference.hierarchy` errs in three ways that are
nothing with thirty. All three grow with `crowding`, from 0, where nothing is computed, to 1.

Rivals. Of two concepts k and j that nearly say the same, the heavy-tailed prior gives the effect to
one, say j, and a small V_k to the other; the bias that k may leave in the estimate of j, c^2 V_k
with c = Z_j' x_k, then knows nothing of the chance that the effect is k's. Free both of the prior
and leave everything else random: if j has no effect, k has one of t_k (variance P_k), q_k = t_k^2 /
P_k; if k has none, j has one, with q_j. The bias allowance of j is increased by the largest over k
of

    c^2 (excess of t_k^2 over P_k, less the same beside j) / (1 + exp((q_j - q_k) / 2)),

the squared bias if the effect is k's, times the posterior probability of that against "it is j's"
with even odds before.

Curvature. Estimates are one Newton step from the posterior mean, at which a strong effect that is
rare among many is drawn to 0; the step then falls short. `STEPS` more are taken along the
direction in which the log-odds change if the target does and all other effects follow, u: the
profile likelihood. They move the interval; the p-value stays that of the first step (a score test,
which does not need them).

Common factor. The slope of verdicts on their fitted log-odds is known less well than the log-odds
vary, because these were fitted to the same verdicts: sum w z^2 is reduced by the effective number
of parameters, sum w var(z), which is what a fit to noise adds to it.

Shapes: n pairs, S common concepts, T concepts of a domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from palate.inference.hierarchy import Array, Block, Posterior
from palate.inference.likelihoods import moments

FEW, MANY = 60, 120  # concepts: no correction up to the one, all of it from the other on
SPARSE, DENSE = 0.05, 0.1  # concepts per group of pairs, likewise
STEPS = 2
LONGEST = 4.0  # length of a step, in standard errors
MOST_LOST = 0.9  # share of the information about a target that a step may take away


@dataclass(frozen=True, eq=False)
class Steps:
    """What further steps do to K estimates: added to them `shift` (K,), errors times `stretch`."""

    shift: Array
    stretch: Array


def crowding(n_concepts: int, n_groups: int) -> float:
    """Return the weight of the corrections, 0 to 1, a smooth function of both numbers.

    Parameters
    ----------
    n_concepts
        Concepts that have an effect in the model.
    n_groups
        Groups of pairs.
    """
    many = (n_concepts - FEW) / (MANY - FEW)
    dense = (n_concepts / max(n_groups, 1) - SPARSE) / (DENSE - SPARSE)
    a, b = (min(max(x, 0.0), 1.0) for x in (many, dense))
    return a * a * (3.0 - 2.0 * a) * b * b * (3.0 - 2.0 * b)


def rivals(p: Posterior) -> Array:
    """Return the variance that the strongest rival of each common effect may add, (S,).

    Parameters
    ----------
    p
        Posterior.
    """
    if p.shared.size < 2:
        return np.zeros(p.shared.size)
    G, V, m = p.Gbb, p.variance, p.mean
    g = np.diag(G)
    det = g[:, None] * g - G**2
    np.fill_diagonal(det, 1.0)
    # precision and score of the pairs (row j, column k) without their own priors
    jj, kk, jk = g / det - 1.0 / V[:, None], g[:, None] / det - 1.0 / V, -G / det
    right_k = (g[:, None] * m - G * m[:, None]) / det
    right_j = (g * m[:, None] - G * m) / det
    for own in (jj, kk):
        np.fill_diagonal(own, 1.0)
    both = np.maximum(jj * kk - jk**2, 1e-12 * jj * kk)
    alone = right_k**2 / kk**2 - 1.0 / kk
    beside = ((jj * right_k - jk * right_j) ** 2 / both - jj) / both
    excess = np.maximum(np.maximum(alone, 0.0) - np.maximum(beside, 0.0), 0.0)
    leak = G / V / (1.0 - g / V)[:, None]
    chance = expit((right_k**2 / kk - right_j**2 / jj) / 2.0)
    found = leak**2 * excess * chance
    np.fill_diagonal(found, 0.0)
    return np.asarray(found.max(axis=1))


@dataclass(frozen=True, eq=False)
class Curve:
    """The pairs of a domain, for steps from the posterior mean of their log-odds.

    `leaning` (m, S) and `own` (m, T) are x_i' G e_k of the common effects and the deviations.
    """

    block: Block
    leaning: Array
    own: Array
    z: Array
    variance: Array
    copies: Array
    p: Array
    w: Array

    @classmethod
    def of(cls, posterior: Posterior, block: Block, leaning: Array, own: Array) -> Curve:
        """Prepare a domain.

        Parameters
        ----------
        posterior
            Posterior.
        block
            The domain.
        leaning
            Of its pairs to the common effects.
        own
            Of its pairs to its own deviations.
        """
        variance = np.einsum("ij,ij->i", leaning, block.common)
        variance = np.maximum(variance + np.einsum("ij,ij->i", own, block.values), 0.0)
        z = posterior.log_odds[block.rows]
        p, w = moments(z, variance)
        return cls(block, leaning, own, z, variance, posterior.weight[block.rows] / w, p, w)

    @property
    def parameters(self) -> float:
        """Effective number of parameters that the pairs of the domain determine."""
        return float((self.copies * self.w * self.variance).sum())

    def beyond(self, change: Array) -> tuple[Array, Array]:
        """Return what a line through p and w leaves out, and the w that is lost, (m, K) each.

        Parameters
        ----------
        change
            Of the log-odds, shape (m, K).
        """
        p, w = moments(self.z[:, None] + change, self.variance[:, None])
        copies, linear = self.copies[:, None], self.w[:, None]
        return copies * (self.p[:, None] + linear * change - p), copies * (linear - w)


def shared_steps(posterior: Posterior, curves: list[Curve]) -> Steps:
    """Return the further steps of the common effects.

    Parameters
    ----------
    posterior
        Posterior.
    curves
        All domains.
    """
    g, m = np.diag(posterior.Gbb), posterior.mean
    information = 1.0 / g - 1.0 / posterior.variance
    first = m / g / information
    at, longest = first, LONGEST / np.sqrt(information)
    for _ in range(STEPS):
        rest, lost = np.zeros(g.size), np.zeros(g.size)
        for curve in curves:
            u = curve.leaning / g
            more, less = curve.beyond(u * (at - m))
            rest += (u * more).sum(axis=0)
            lost += (u * u * less).sum(axis=0)
        left = information - np.minimum(lost, MOST_LOST * information)
        at = at + np.clip((information * (first - at) + rest) / left, -longest, longest)
    return Steps(at - first, np.sqrt(information / left))


def domain_steps(posterior: Posterior, curve: Curve) -> tuple[Steps, Steps]:
    """Return the further steps of the totals and of the deviations of a domain.

    Common effect and deviation of a concept are free together; of what changes, the pairs of the
    domain are looked at, since the others hardly see a deviation.

    Parameters
    ----------
    posterior
        Posterior.
    curve
        The domain.
    """
    p, b = posterior, curve.block
    has = np.isin(b.own, p.shared)
    at = np.where(has, np.searchsorted(p.shared, b.own), 0)
    take = np.zeros((p.shared.size, b.own.size))  # the common effect of each concept, if any
    take[at[has], np.flatnonzero(has)] = 1.0
    g1, g2 = np.where(has, np.diag(p.Gbb) @ take, 1.0), np.diag(b.Gss)
    g12 = (b.Gbs * take).sum(axis=0)
    m1, m2 = p.mean @ take, b.mean
    det = g1 * g2 - g12**2
    i1, i12, i2 = g2 / det, -g12 / det, g1 / det
    a1, a12, a2 = i1 - (1.0 / p.variance) @ take, i12, i2 - 1.0 / b.variance
    leaning = curve.leaning @ take
    u1, u2 = (leaning * i1 + curve.own * i12) * has, leaning * i12 + curve.own * i2
    first = _solve(a1, a12, a2, i1 * m1 + i12 * m2, i12 * m1 + i2 * m2)
    v1, v12, v2 = _inverse(a1, a12, a2)
    longest = LONGEST * np.sqrt(v1), LONGEST * np.sqrt(v2)
    now = first
    for _ in range(STEPS):
        more, less = curve.beyond(u1 * (now[0] - m1) + u2 * (now[1] - m2))
        l1, l12, l2 = ((x * less).sum(axis=0) for x in (u1 * u1, u1 * u2, u2 * u2))
        share = v1 * l1 + 2.0 * v12 * l12 + v2 * l2  # of the information that is lost, at most
        damp = np.minimum(1.0, MOST_LOST / np.maximum(share, MOST_LOST))
        h = a1 - damp * l1, a12 - damp * l12, a2 - damp * l2
        off = first[0] - now[0], first[1] - now[1]
        step = _solve(
            *h,
            a1 * off[0] + a12 * off[1] + (u1 * more).sum(axis=0),
            a12 * off[0] + a2 * off[1] + (u2 * more).sum(axis=0),
        )
        now = (
            now[0] + np.clip(step[0], -longest[0], longest[0]),
            now[1] + np.clip(step[1], -longest[1], longest[1]),
        )
    n1, n12, n2 = _inverse(*h)
    total = np.where(has, (n1 + 2.0 * n12 + n2) / (v1 + 2.0 * v12 + v2), n2 / v2)
    moved = (now[0] - first[0]) * has, now[1] - first[1]
    return Steps(moved[0] + moved[1], np.sqrt(total)), Steps(moved[1], np.sqrt(n2 / v2))


def _inverse(a: Array, b: Array, c: Array) -> tuple[Array, Array, Array]:
    det = a * c - b * b
    return c / det, -b / det, a / det


def _solve(a: Array, b: Array, c: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the solutions of two-by-two systems [[a, b], [b, c]]."""
    det = a * c - b * b
    return (c * x - b * y) / det, (a * y - b * x) / det
