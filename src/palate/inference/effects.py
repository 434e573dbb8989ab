"""Effects with confidence intervals: common to all domains, in each domain, and their difference.

Three quantities per concept j, all in log-odds per step:

    shared      b_j, the mean of the effects that the concept has in the domains
    total       b_j + s_j(d), the effect in domain d
    deviation   the effect in domain d minus the mean effect in the OTHER domains

Each is estimated without shrinkage of its own. Let ỹ be the working response of the hierarchical
model (see `palate.inference.hierarchy`), W the weights of its pairs and V = W^-1 + the prior
covariance of the log-odds. For the columns T of the design that make up a target (b_j; or b_j and
s_j(d)), generalised least squares that treats the effects of all other concepts as random gives

    theta = (T' V^-1 T)^-1 T' V^-1 ỹ,     Z = V^-1 T (T' V^-1 T)^-1,

the best linear predictor (Henderson 1975; Robinson 1991) with a flat prior on the target only,
as mixed models in genetics test one marker beside all others (Kang et al. 2010). It is also a
desparsified ridge estimate (Bühlmann 2013, Zhang and Zhang 2014) in which the bias that the other
effects may leave enters the variance instead of being hoped to vanish:

    variance = noise + sum_k not in T  V_k (Z' x_k)^2.

noise is the larger of Z' W^-1 Z (model) and the sum over groups of (sum_i Z_i c_i (t_i - p_i) /
w_i / sqrt(1 - h_g))^2 (sandwich clustered by prompt, h_g the leverage of the group). Quantiles are
those of a Student t whose degrees of freedom follow from how many groups carry the noise
(Satterthwaite, as Bell and McCaffrey 2002).

Where concepts are many and prompts few, `palate.inference.crowded` adds to this what is left out.

The variance of a shared effect is multiplied by max(1, Q / (K - 1)), Q = sum_d (total_d - centre)^2
/ (se_d^2 + U_j) over the K domains in which the concept can be estimated: where the domains differ
by more than their errors and the model's U_j account for, the shared effect is less certain (Birge
1932). So an effect of a single domain does not become a shared one.

Shapes: n pairs, C concepts, D domains, G groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from palate.inference.crowded import (
    Curve,
    Steps,
    crowding,
    domain_steps,
    rivals,
    shared_steps,
)
from palate.inference.hierarchy import Array, Integers, Mask
from palate.inference.linear import Influence, Linear, scale_error


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates of one shape with standard errors, intervals and two-sided p-values.

    `dof` are degrees of freedom of the t distribution. NaN where the effect does not exist or
    cannot be estimated.
    """

    value: Array
    se: Array
    dof: Array
    low: Array
    high: Array
    p_value: Array

    @classmethod
    def of(
        cls,
        value: Array,
        se: Array,
        dof: Array,
        *,
        level: float,
        scale_error: float = 0.0,
        steps: Steps | None = None,
    ) -> Estimates:
        """Add intervals and p-values.

        Parameters
        ----------
        value
            Estimates.
        se
            Standard errors.
        dof
            Degrees of freedom.
        level
            Level of the intervals.
        scale_error
            Relative error of a factor that all estimates share. It widens intervals and is no
            reason to doubt that an effect is not 0, so p-values are without it.
        steps
            What moves and stretches intervals; p-values are without this as well.
        """
        p = np.asarray(2.0 * stats.t.sf(np.abs(value) / se, dof))
        if steps is not None:
            value, se = value + steps.shift, se * steps.stretch
        half = stats.t.ppf((1.0 + level) / 2.0, dof) * np.sqrt(se**2 + (scale_error * value) ** 2)
        return cls(value, se, dof, value - half, value + half, p)


@dataclass(frozen=True, eq=False)
class Effects:
    """Shared effects (C,), deviations and totals (D, C), and what their errors are made of.

    `spread` (C,) is the factor by which differences between domains widen the variance of a shared
    effect.
    """

    shared: Estimates
    deviation: Estimates
    total: Estimates
    linear: Linear
    spread: Array
    level: float


def infer(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Mask,
    level: float = 0.9,
) -> Effects:
    """Estimate shared effects, effects in domains and deviations, with intervals.

    Parameters
    ----------
    X
        Concept values, shape (n, C), finite.
    y
        Verdicts in [-1, 1] without 0, shape (n,).
    codes
        Domain of each pair, numbered 0..D-1, shape (n,).
    groups
        Group of each pair, any integers, shape (n,): pairs of one prompt, or of one pair of
        responses.
    exists
        Which effects exist, shape (D + 1, C): row 0 the common ones, row 1 + d deviations in d.
    level
        Level of the intervals.
    """
    return effects_of(Linear.of(X, y, codes, groups, exists=exists), exists=exists, level=level)


def effects_of(
    linear: Linear, *, exists: Mask, level: float = 0.9, tolerated: float = 0.0
) -> Effects:
    """Return intervals and p-values from the linear parts of the estimates.

    Parameters
    ----------
    linear
        The fitted model.
    exists
        Which effects exist, shape (D + 1, C).
    level
        Level of the intervals.
    tolerated
        Differences between domains of which chance makes larger ones with probability
        1 - tolerated do not widen a shared effect.
    """
    n_domains, n_concepts = len(exists) - 1, exists.shape[1]
    in_model = (exists & linear.estimable).any(axis=0)
    crowded = crowding(int(in_model.sum()), linear.n_groups) if linear.curved else 0.0

    def estimates(shape: tuple[int, ...]) -> dict[str, Array]:
        return {k: np.full(shape, np.nan) for k in ("value", "se", "dof")}

    shared = estimates((n_concepts,))
    _put(shared, linear.posterior.shared, _spread(linear.shared()))
    if crowded:
        at = linear.posterior.shared
        shared["se"][at] = np.sqrt(shared["se"][at] ** 2 + crowded * rivals(linear.posterior))
    total, deviation = estimates((n_domains, n_concepts)), estimates((n_domains, n_concepts))
    for d in range(n_domains):
        own = linear.posterior.blocks[d].own
        totals, deviations = linear.domain(d)
        _put({k: v[d] for k, v in total.items()}, own, _spread(totals))
        _put({k: v[d] for k, v in deviation.items()}, own, _spread(deviations))
        only_shared = exists[0] & ~exists[1 + d]
        for k in total:
            total[k][d, only_shared] = shared[k][only_shared]
        deviation["se"][d, ~(exists[0] & linear.estimable[0])] = np.nan  # there is no elsewhere
    estimable = linear.estimable
    for part, mask in ((shared, estimable[0]), (total, estimable[1:]), (deviation, estimable[1:])):
        part["value"][~mask] = part["se"][~mask] = np.nan
    deviation["value"][np.isnan(deviation["se"])] = np.nan
    prior = linear.prior_variance(n_concepts)
    spread = excess_spread(total["value"], total["se"], prior, tolerated=tolerated)
    shared["se"] = shared["se"] * np.sqrt(spread)
    factor, steps = linear.scale_error, None
    if crowded:
        factor, steps = _further(linear, exists, crowded)
    shared_band, deviation_band, total_band = (
        Estimates.of(
            **band,
            level=level,
            scale_error=factor,
            steps=None if steps is None else steps[name],
        )
        for name, band in (("shared", shared), ("deviation", deviation), ("total", total))
    )
    return Effects(shared_band, deviation_band, total_band, linear, spread, level)


def _further(linear: Linear, exists: Mask, crowded: float) -> tuple[float, dict[str, Steps]]:
    """Return the error of the common factor and further steps, weighted by `crowded`."""
    p, n_concepts = linear.posterior, exists.shape[1]
    curves = [Curve.of(p, b, *linear.leaning(d)) for d, b in enumerate(p.blocks)]
    spent = crowded * sum(curve.parameters for curve in curves)
    shapes = {"shared": (n_concepts,), "total": (len(curves), n_concepts)}
    shapes["deviation"] = shapes["total"]
    steps = {k: Steps(np.zeros(shape), np.ones(shape)) for k, shape in shapes.items()}

    def put(into: Steps, at: tuple[Integers, ...] | Integers, found: Steps) -> None:
        into.shift[at] = crowded * found.shift
        into.stretch[at] = 1.0 + crowded * (found.stretch - 1.0)

    put(steps["shared"], p.shared, shared_steps(p, curves))
    for d, curve in enumerate(curves):
        only = np.flatnonzero(exists[0] & ~exists[1 + d])  # the shared effect is the effect here
        steps["total"].shift[d, only] = steps["shared"].shift[only]
        steps["total"].stretch[d, only] = steps["shared"].stretch[only]
        own = curve.block.own
        at = np.full(own.size, d), own
        for name, found in zip(("total", "deviation"), domain_steps(p, curve), strict=True):
            put(steps[name], at, found)
    return scale_error(p, spent=spent), steps


def excess_spread(value: Array, se: Array, prior: Array, *, tolerated: float = 0.0) -> Array:
    """Return max(1, Q / (K - 1)) per concept, shape (C,); 1 where K < 2 or Q is tolerated.

    Parameters
    ----------
    value
        Effects in the domains, shape (D, C), NaN where not estimated.
    se
        Their standard errors, shape (D, C).
    prior
        Variance of deviations that is already accounted for, shape (D, C).
    tolerated
        Quantile of the chi-square distribution up to which Q counts as chance.
    """
    weight = np.nan_to_num(1.0 / (se**2 + prior))
    known = np.nan_to_num(value)
    centre = (weight * known).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
    Q = (weight * (known - centre) ** 2).sum(axis=0)
    K = (weight > 0).sum(axis=0)
    chance = stats.chi2.ppf(tolerated, np.maximum(K - 1, 1))
    return np.asarray(np.where(chance < Q, np.maximum(1.0, Q / np.maximum(K - 1, 1)), 1.0))


def _spread(influence: Influence) -> dict[str, Array]:
    noise = np.maximum((influence.noise**2).sum(axis=0), influence.model)
    variance = noise + influence.bias
    dof = influence.dof * (variance / np.maximum(noise, 1e-300)) ** 2
    return {
        "value": influence.value,
        "se": np.sqrt(variance),
        "dof": np.clip(dof, 1.0, 1e6),
    }


def _put(into: dict[str, Array], at: Integers, what: dict[str, Array]) -> None:
    for key, values in what.items():
        into[key][at] = values


__all__ = ["Effects", "Estimates", "Influence", "Linear", "effects_of", "excess_spread", "infer"]
