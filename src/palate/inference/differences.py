"""Differences between the effects of two mechanisms that judged the same pairs.

Let z_A, z_B be the log-odds of the two on a pair. Where they take the same side, the pair says
nothing about a difference; what is left are the disagreements. With t = 1 where a mechanism prefers
response a and 0 where it prefers b,

    E(t_A - t_B | x) = sigma(z_A) - sigma(z_B) = w x'delta,     delta = beta_A - beta_B,

w the slope of the chord of sigma between z_A and z_B. So r = (t_A - t_B) / w is a measurement of
x'delta, with variance 1 / h, h = w^2 / (w_A + w_B - 2 kappa sqrt(w_A w_B)); w_A and w_B are the
variances of the verdicts and kappa the correlation of what the concepts leave unexplained in them.
The hierarchical model of `palate.inference.hierarchy` with r as normal outcomes then gives the
differences that are shared, those in each domain, and what each group of pairs adds to them. Three
things follow. What the two have in common beside the concepts (a response that is simply better)
cancels pair by pair. Their common effects need not be known well, because the other concepts bias a
difference only by how they differ themselves, and the variance of that is learned. And for two
mechanisms with equal effects E(r | x) = 0 whatever the form of their common log-odds.

The prior of differences is a Cauchy distribution (few differ much, most hardly), and the variance
of a shared difference is widened where the domains differ beyond chance, at the 5 % level.

w, w_A and w_B come from a fit of each mechanism to the same pairs, averaged over the whole
posterior variance of the log-odds. With chord and verdict variances equal, h is the Fisher
information of the pair about x'delta.

A concept that differs in a single one of several domains has no shared effect: what is found counts
for this domain.

Shapes: n pairs on which both took a side, C concepts, D domains.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from palate.inference.effects import Effects, Estimates, effects_of
from palate.inference.hierarchy import Array, Integers, Mask, Posterior
from palate.inference.likelihoods import Measured
from palate.inference.linear import Linear

TAILS = 1.0  # mechanisms that are alike differ in few things: a prior with longer tails
TOLERATED = 0.95  # spread between domains that chance exceeds in 5 % widens a shared difference
SMALL = 0.2  # difference of log-odds below which the chord is taken as the tangent in the middle
LEAST_SLOPE = 1e-3
MOST_CORRELATION = 0.95


@dataclass(frozen=True, eq=False)
class Differences:
    """Effects of two mechanisms on the pairs both decided, and their differences a - b.

    `correlation` is kappa, the correlation of what the concepts leave unexplained in the verdicts
    of the two; `log_odds_a` and `log_odds_b` (n,) are those of response a, fitted.
    """

    a: Effects
    b: Effects
    difference: Effects
    correlation: float
    log_odds_a: Array
    log_odds_b: Array


def differ(
    X: Array,
    y_a: Array,
    y_b: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Mask,
    level: float = 0.9,
) -> Differences:
    """Estimate the effects of two mechanisms and their differences.

    Parameters
    ----------
    X
        Concept values, shape (n, C), finite.
    y_a
        Verdicts of mechanism A in [-1, 1] without 0, shape (n,).
    y_b
        Verdicts of mechanism B on the same pairs, shape (n,).
    codes
        Domain of each pair, numbered 0..D-1, shape (n,).
    groups
        Group of each pair, any integers, shape (n,).
    exists
        Which effects exist, shape (D + 1, C): row 0 the common ones, row 1 + d deviations in d.
    level
        Level of the intervals.
    """
    fits = [Linear.of(X, y, codes, groups, exists=exists) for y in (y_a, y_b)]
    side = np.sign(y_a)  # all that follows sees the response first that A prefers
    t_a, t_b = (1.0 + side * y_a) / 2.0, (1.0 + side * y_b) / 2.0
    # a fit has the preferred response first, so its log-odds are turned back
    z_a, z_b = fits[0].posterior.log_odds, side * np.sign(y_b) * fits[1].posterior.log_odds
    v_a, v_b = (_variance(fit.posterior) for fit in fits)
    outcomes, kappa = measured(t_a, t_b, z_a, z_b, v_a, v_b)
    linear = Linear.measured(X * side[:, None], outcomes, codes, groups, exists=exists, tails=TAILS)
    return Differences(
        a=_placed(effects_of(fits[0], exists=exists, level=level)),
        b=_placed(effects_of(fits[1], exists=exists, level=level)),
        difference=_placed(effects_of(linear, exists=exists, level=level, tolerated=TOLERATED)),
        correlation=kappa,
        log_odds_a=side * z_a,
        log_odds_b=side * z_b,
    )


def measured(
    t_a: Array, t_b: Array, z_a: Array, z_b: Array, v_a: Array, v_b: Array
) -> tuple[Measured, float]:
    """Return the measurements r of the differences of log-odds with their precision h, and kappa.

    Parameters
    ----------
    t_a
        Outcomes of A in [0, 1], shape (n,).
    t_b
        Outcomes of B, shape (n,).
    z_a
        Fitted log-odds of A, shape (n,).
    z_b
        Those of B, shape (n,).
    v_a
        Posterior variances of the log-odds of A, shape (n,).
    v_b
        Those of B, shape (n,).
    """
    p_a, w_a = _averaged(z_a, v_a)
    p_b, w_b = _averaged(z_b, v_b)
    _, tangent = _averaged((z_a + z_b) / 2.0, (v_a + v_b) / 2.0)
    apart = z_a - z_b
    far = np.abs(apart) > SMALL
    w = np.where(far, (p_a - p_b) / np.where(far, apart, 1.0), tangent)
    w = np.clip(w, LEAST_SLOPE, 0.25)
    e_a, e_b = t_a - p_a, t_b - p_b
    scale = np.sqrt(float(e_a @ e_a) * float(e_b @ e_b))
    kappa = float(e_a @ e_b) / scale if scale > 0 else 0.0
    kappa = float(np.clip(kappa, -MOST_CORRELATION, MOST_CORRELATION))
    h = w**2 / (w_a + w_b - 2.0 * kappa * np.sqrt(w_a * w_b))
    return Measured((t_a - t_b) / w, h), kappa


def _placed(effects: Effects) -> Effects:
    """Move shared effects that only one of several domains informs to where they come from."""
    estimable = effects.linear.estimable[1:]
    if len(estimable) < 2:
        return effects
    only = np.flatnonzero((estimable.sum(axis=0) == 1) & ~np.isnan(effects.shared.value))
    d = estimable[:, only].argmax(axis=0)
    shared, total = (
        {f.name: getattr(part, f.name).copy() for f in fields(Estimates)}
        for part in (effects.shared, effects.total)
    )
    for name, values in shared.items():
        total[name][d, only] = values[only]
        values[only] = np.nan
    return replace(effects, shared=Estimates(**shared), total=Estimates(**total))


def _variance(posterior: Posterior) -> Array:
    """Return the posterior variance of the log-odds of each pair, (n,)."""
    out = np.empty(posterior.weight.size)
    for b in posterior.blocks:
        both = np.hstack([b.common @ posterior.Gbb + b.values @ b.Gbs.T, b.values @ b.Gss])
        out[b.rows] = np.einsum("ij,ij->i", both, np.hstack([b.common, b.values]))
        out[b.rows] += np.einsum("ij,ij->i", b.common @ b.Gbs, b.values)
    return np.maximum(out, 0.0)


def _averaged(z: Array, variance: Array) -> tuple[Array, Array]:
    """Return E sigma and E sigma' over the whole variance of z (MacKay's approximation)."""
    kappa = 1.0 / np.sqrt(1.0 + np.pi * variance / 8.0)
    small = np.exp(-np.abs(kappa * z))
    p = np.where(z > 0, 1.0 / (1.0 + small), small / (1.0 + small))
    return p, np.maximum(kappa * small / (1.0 + small) ** 2, LEAST_SLOPE**2)
