"""How large a study has to be: standard errors, verdicts and power at sizes that were not drawn.

A pilot gives, for every pair, concept values x_i, the weight w_i = c_i E sigma'(z_i) of its verdict
and the prior variances Lambda^-1 of effects (`palate.inference.hierarchy`). A study in which the
pairs of domain d stand f_d times has the precision

    G(f)^-1 = sum_d f_d sum_{i in d} w_i x_i x_i' + Lambda,

from which the noise of every estimate and the bias that the other effects leave follow as in
`palate.inference.effects`; so the errors fall faster than 1 / sqrt(f) while the other effects are
still unknown. Two factors that only data can show are replaced by their expectation: the larger of
model and sandwich noise (`Inflation`), and the spread of domains, whose Q / (K - 1) is that of a
chi-squared variable with K - 1 degrees of freedom, over which power is averaged.

An effect of size theta with error se is found with probability

    Phi(theta / se - t),    t the quantile of Student's t at a p-value of

    fdr R / (2 C)       for a shared effect
    fdr R / (2 C K)     for an effect in one of K domains, or a difference of one

where R of C concepts are chosen, this one included (`palate.inference.discoveries`; without the 2
where there is one domain). R grows with the study: its mean over draws of the p-values of the other
concepts at that size, their effects as the pilot's posterior mean has them; or 1, if nothing else
is found.

Shapes: n pairs, C concepts, D domains. Rows of a plan: 0 the shared effects, 1..D something in one
domain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from palate.inference.discoveries import simes
from palate.inference.effects import Effects
from palate.inference.hierarchy import TAILS, Array, Block, Posterior
from palate.inference.linear import Influence, Linear

N_DRAWS = 200
QUANTILES = (np.arange(32) + 0.5) / 32


@dataclass(frozen=True, eq=False)
class Errors:
    """Standard errors and degrees of freedom at one size, shape (1 + D, C); NaN without estimate.

    Row 0 holds shared effects, row 1 + d in `total` effects in domain d, in `deviation` their
    differences from elsewhere. The spread of domains is not in the shared ones.
    """

    total: Array
    deviation: Array
    total_dof: Array
    deviation_dof: Array


@dataclass(frozen=True)
class Inflation:
    """By what the larger of model and sandwich noise exceeds the model, on average.

    Their ratio r has mean `mean` and variance 2 `scale`^2 / dof over concepts of the pilot.
    """

    mean: float
    scale: float

    @classmethod
    def of(cls, influences: list[Influence]) -> Inflation:
        """Learn it from what the pilot shows.

        Parameters
        ----------
        influences
            Estimates of one kind.
        """
        model = np.concatenate([i.model for i in influences] or [np.zeros(0)])
        found = np.concatenate([(i.noise**2).sum(axis=0) for i in influences] or [np.zeros(0)])
        dof = np.concatenate([i.dof for i in influences] or [np.zeros(0)])
        used = (model > 0) & (dof > 0)
        if not used.any():
            return cls(1.0, 0.0)
        r, weight = found[used] / model[used], dof[used]
        mean = float((r * weight).sum() / weight.sum())
        return cls(mean, float(np.sqrt(np.mean((r - mean) ** 2 * weight / 2.0))))

    def factor(self, dof: Array) -> Array:
        """Return the mean of max(1, r), same shape, for normal r.

        Parameters
        ----------
        dof
            Degrees of freedom of the noise.
        """
        deviation = np.maximum(self.scale * np.sqrt(2.0 / np.maximum(dof, 1.0)), 1e-9)
        u = (self.mean - 1.0) / deviation
        above = deviation * stats.norm.pdf(u) + (self.mean - 1.0) * stats.norm.cdf(u)
        return np.asarray(1.0 + above)


def replicated(posterior: Posterior, factors: Array, *, weight: Array | None = None) -> Posterior:
    """Return the posterior as if the pairs of each domain stood several times in the data.

    Means, residuals and prior variances stay as they are.

    Parameters
    ----------
    posterior
        Of the pilot.
    factors
        f_d, shape (D,).
    weight
        Weights of the pairs in place of those of the pilot, shape (n,).
    """
    weight = (posterior.weight if weight is None else weight).copy()
    schur = np.diag(1.0 / posterior.variance)
    parts = []
    for f, b in zip(factors, posterior.blocks, strict=True):
        weight[b.rows] *= f
        common = b.common * np.sqrt(weight[b.rows])[:, None]
        own = b.values * np.sqrt(weight[b.rows])[:, None]
        across = common.T @ own
        P = _inverse(own.T @ own + np.diag(1.0 / b.variance))
        K = across @ P
        schur += common.T @ common - K @ across.T
        parts.append((P, K))
    Gbb = _inverse(schur)
    blocks: list[Block] = []
    for b, (P, K) in zip(posterior.blocks, parts, strict=True):
        Gbs = -Gbb @ K
        blocks.append(replace(b, K=K, Gbs=Gbs, Gss=P - K.T @ Gbs))
    return replace(posterior, blocks=tuple(blocks), Gbb=Gbb, weight=weight)


class Study:
    """What a pilot says about studies of other sizes."""

    def __init__(self, effects: Effects, n_pairs: Array, *, weight: Array | None = None) -> None:
        """Take the estimates of the pilot.

        Parameters
        ----------
        effects
            What `infer` gave.
        n_pairs
            Used pairs by domain, shape (D,).
        weight
            Weights of the pairs in place of those of the pilot, shape (n,).
        """
        self.effects, self.n_pairs, self.weight = effects, n_pairs, weight
        self.linear: Linear = effects.linear
        self.n_domains, self.n_concepts = effects.total.value.shape
        parts = [self.linear.domain(d) for d in range(self.n_domains)]
        self.inflation = (
            Inflation.of([self.linear.shared()]),
            Inflation.of([total for total, _ in parts]),
            Inflation.of([deviation for _, deviation in parts]),
        )
        self.prior = self.linear.prior_variance(self.n_concepts)
        self.spread = self._spread()

    def _spread(self) -> float:
        """Return the median of Q / (K - 1) over that of chi-squared variables; 1 if unknown."""
        value, se = self.effects.total.value, self.effects.total.se
        weight = np.nan_to_num(1.0 / (se**2 + self.prior))
        known = np.nan_to_num(value)
        K = (weight > 0).sum(axis=0)
        several = K > 1
        if not several.any():
            return 1.0
        centre = (weight * known).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
        Q = (weight * (known - centre) ** 2).sum(axis=0)[several]
        return float(np.median(Q / stats.chi2.median(K[several] - 1)))

    def errors(self, factors: Array) -> Errors:
        """Return the errors of a study in which the pairs of domain d stand f_d times.

        Parameters
        ----------
        factors
            f_d, shape (D,).
        """
        posterior = replicated(self.linear.posterior, factors, weight=self.weight)
        linear = replace(self.linear, posterior=posterior)
        shape = (1 + self.n_domains, self.n_concepts)
        total, deviation = np.full(shape, np.nan), np.full(shape, np.nan)
        total_dof, deviation_dof = np.full(shape, np.nan), np.full(shape, np.nan)
        size = float((factors * self.n_pairs).sum() / self.n_pairs.sum())
        shared = posterior.shared
        total[0, shared], total_dof[0, shared] = _error(linear.shared(), self.inflation[0], size)
        for d, b in enumerate(posterior.blocks):
            here, away = linear.domain(d)
            f = float(factors[d])
            at = 1 + d, b.own
            total[at], total_dof[at] = _error(here, self.inflation[1], f)
            deviation[at], deviation_dof[at] = _error(away, self.inflation[2], f)
        known = np.vstack([self.effects.shared.value, self.effects.total.value])
        total[np.isnan(known)] = np.nan
        deviation[1:][np.isnan(self.effects.deviation.value)] = np.nan
        return Errors(total, deviation, total_dof, deviation_dof)


def _error(influence: Influence, inflation: Inflation, size: float) -> tuple[Array, Array]:
    """Return standard errors and degrees of freedom of estimates, each group `size` times there."""
    dof = influence.dof * size  # weights of a group grew, where its number should
    noise = influence.model * inflation.factor(dof)
    variance = noise + influence.bias
    return np.sqrt(variance), dof * (variance / np.maximum(noise, 1e-300)) ** 2


def _inverse(matrix: Array) -> Array:
    out: Array = np.linalg.inv(matrix)
    return (out + out.T) / 2.0
