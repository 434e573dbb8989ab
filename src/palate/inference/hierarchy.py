"""The hierarchical model behind the intervals: effects with a common and a domain part.

Model. The log-odds that response a of pair i in domain d is preferred are x_i'(b + s(d)). Before
the verdicts are seen, a common effect b_j is drawn from a normal distribution of variance V_j and a
deviation s_j(d) from one of variance U_j, both around 0; the variances are those of Student t
distributions with `TAILS` degrees of freedom (for deviations one of a concept, over all domains),
whose scales, one for common effects and one for deviations, per standard deviation of a concept,
are learned from the verdicts. So small effects are pulled to 0 and large ones hardly at all. The
posterior is approximated by a normal one whose mean m and covariance G solve

    sum_i c_i x_i (t_i - E sigma(z_i)) = Lambda m
    G = (sum_i c_i E sigma'(z_i) x_i x_i' + Lambda)^-1

with x_i written in the coordinates (b, s(1), ..., s(D)), t_i = (1 + y_i) / 2, Lambda =
diag(1 / V, 1 / U) and z_i normal around the posterior mean of pair i's log-odds. With its whole
posterior variance this is the Gaussian variational approximation (Opper and Archambeau 2009); with
none it is the mode. The mode attenuates single effects where much is unknown about the others, the
whole variance exaggerates strong ones; `SHARE` of it does neither (docs/statistics.md).

c_i < 1 where verdicts of a group repeat each other: with k_ij the cosine of the concept values of
two pairs of a group and rho the correlation of their residuals along k_ij, c_i is
1 / (1 + rho sum_j k_ij^2); for m copies of one pair with the same verdict it is 1 / m. The
residuals are those about predictions from the other groups. Exchanging the responses of a pair
changes nothing.

Shapes: n pairs, C concepts, D domains. G is never formed whole: domains are independent given b,
so D blocks of the size of a domain's concepts are inverted, and one of the size of the common ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from palate.inference.likelihoods import SHARE as SHARE
from palate.inference.likelihoods import Likelihood, Measured, Verdicts
from palate.inference.likelihoods import moments as moments
from palate.inference.repetition import Inside

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

TAILS = 2.0  # degrees of freedom of the prior of effects
FLOOR, CEILING = 3e-3, 2.0  # bounds of prior standard deviations, log-odds per one of a concept
START_COMMON, START_DOMAIN = 0.1, 0.05
MAX_ITERATIONS, SETTLED = 60, 0.01
WEIGH_AT = (1, 2, 4, 7, 11, 16, 24)
MAX_LEVERAGE = 0.9


@dataclass(frozen=True, eq=False)
class Block:
    """One domain: its pairs, its concepts and its part of the posterior.

    `rows` (m,) are the pairs, `own` the concepts that have a deviation here (T,), `common` values
    of the S common concepts (m, S), `values` those of `own` (m, T); `K` (S, T) is the regression of
    common on own columns, `Gbs` (S, T) and `Gss` (T, T) are blocks of G, `mean` (T,) the posterior
    mean of s(d), `variance` (T,) its prior variance.
    """

    rows: Integers
    own: Integers
    common: Array
    values: Array
    K: Array
    Gbs: Array
    Gss: Array
    mean: Array
    variance: Array


@dataclass(frozen=True, eq=False)
class Posterior:
    """The normal approximation, in blocks.

    `shared` are the S concepts with a common effect; `Gbb` (S, S), `mean` (S,), `variance` (S,)
    the prior variances; `residual` (n,) c_i (t_i - p_i), `weight` (n,) c_i E sigma'(z_i);
    `scales` those of the two priors; `correlation` rho.
    """

    shared: Integers
    blocks: tuple[Block, ...]
    Gbb: Array
    mean: Array
    variance: Array
    residual: Array
    weight: Array
    log_odds: Array
    scales: tuple[float, float]
    correlation: float
    n_iterations: int


def posterior(X: Array, y: Array, codes: Integers, groups: Integers, *, exists: Mask) -> Posterior:
    """Fit the hierarchical model.

    Parameters
    ----------
    X
        Concept values, shape (n, C), zero where absent by structure.
    y
        Verdicts in [-1, 1] without 0, shape (n,).
    codes
        Domain of each pair, numbered 0..D-1, shape (n,).
    groups
        Group of each pair, numbered 0..G-1, shape (n,).
    exists
        Which effects exist, shape (D + 1, C): row 0 the common ones, row 1 + d deviations in d.
    """
    return _Fit(X, Verdicts((1.0 + y) / 2.0), codes, groups, exists).run()


def measured_posterior(
    X: Array,
    outcomes: Measured,
    codes: Integers,
    groups: Integers,
    *,
    exists: Mask,
    tails: float = TAILS,
) -> Posterior:
    """Fit the same model to outcomes that are normal around x_i'(b + s(d)).

    Parameters
    ----------
    X
        Concept values, shape (n, C), zero where absent by structure.
    outcomes
        What was measured on each pair, and how exactly.
    codes
        Domain of each pair, numbered 0..D-1, shape (n,).
    groups
        Group of each pair, numbered 0..G-1, shape (n,).
    exists
        Which effects exist, shape (D + 1, C).
    tails
        Degrees of freedom of the prior.
    """
    return _Fit(X, outcomes, codes, groups, exists, tails=tails).run()


class _Scale:
    """A prior scale that is learned: MacKay's fixed point, in steps that grow while they agree."""

    def __init__(self, start: float) -> None:
        self.value = start
        self._stride, self._last = 1.0, 0.0

    def update(self, squares: Array, posterior_variance: Array, prior_variance: Array) -> float:
        """Move the scale; return by what factor."""
        explained = float((squares / prior_variance).sum())
        determined = float((1.0 - posterior_variance / prior_variance).sum())
        step = 0.5 * np.log(max(explained, 1e-12) / max(determined, 1e-12))
        agree = step * self._last > 0
        self._stride = min(self._stride * 1.6, 6.0) if agree else max(self._stride * 0.5, 1.0)
        self._last = step
        moved = float(np.clip(self._stride * step, -1.0, 1.0))
        new = float(np.clip(self.value * np.exp(moved), FLOOR, CEILING))
        factor, self.value = new / self.value, new
        return factor


class _Fit:
    """The state of the iteration."""

    def __init__(
        self,
        X: Array,
        outcomes: Likelihood,
        codes: Integers,
        groups: Integers,
        exists: Mask,
        *,
        tails: float = TAILS,
    ) -> None:
        self.outcomes, self.groups, self.tails = outcomes, groups, tails
        n_domains = len(exists) - 1
        self.shared = np.flatnonzero(exists[0])
        spread = np.maximum((X**2).mean(axis=0), 1e-12)
        self.rows = [np.flatnonzero(codes == d) for d in range(n_domains)]
        self.own = [np.flatnonzero(exists[1 + d]) for d in range(n_domains)]
        self.same = [np.array_equal(own, self.shared) for own in self.own]
        self.common = [X[np.ix_(rows, self.shared)] for rows in self.rows]
        self.values = [
            common if same else X[np.ix_(rows, own)]
            for rows, own, common, same in zip(
                self.rows, self.own, self.common, self.same, strict=True
            )
        ]
        self.spread_shared = spread[self.shared]
        self.spread_own = [spread[own] for own in self.own]
        self.sizes = np.cumsum([own.size for own in self.own])[:-1]
        self.scale_common, self.scale_domain = _Scale(START_COMMON), _Scale(START_DOMAIN)
        self.v_common = START_COMMON**2 / self.spread_shared
        self.v_own = [START_DOMAIN**2 / spread for spread in self.spread_own]
        self.mean, self.var = np.zeros(outcomes.size), np.zeros(outcomes.size)
        self.inside = Inside(X, groups)
        self.c = np.ones(outcomes.size)
        self.rho = 0.0

    def run(self) -> Posterior:
        for iteration in range(1, MAX_ITERATIONS + 1):
            before = self.mean
            solution = self._solve()
            change = float(np.sqrt(np.mean((self.mean - before) ** 2 / (1.0 + self.var))))
            if change < SETTLED and iteration > 3 and self._moved < 1.05:
                break
            self._learn(solution)
            if iteration in WEIGH_AT and self.inside.i.size:
                self._weigh(solution[2], solution[0])
        slope, w = self.outcomes.at(self.mean, self.var)
        Gbb, mean, blocks = self._solve()
        return Posterior(
            shared=self.shared,
            blocks=tuple(blocks),
            Gbb=Gbb,
            mean=mean,
            variance=self.v_common,
            residual=self.c * slope,
            weight=self.c * w,
            log_odds=self.mean,
            scales=(self.scale_common.value, self.scale_domain.value),
            correlation=self.rho,
            n_iterations=iteration,
        )

    _moved = np.inf

    def _solve(self) -> tuple[Array, Array, list[Block]]:
        """One Newton step at the current variances; updates mean and variance of the log-odds."""
        slope, w = self.outcomes.at(self.mean, self.var)
        weight = self.c * w
        score = weight * self.mean + self.c * slope
        S = self.shared.size
        schur, right = np.diag(1.0 / self.v_common), np.zeros(S)
        parts = []
        for d, rows in enumerate(self.rows):
            root = np.sqrt(weight[rows])[:, None]
            common = self.common[d] * root
            own = common if self.same[d] else self.values[d] * root
            Abb = common.T @ common
            Abs = Abb if self.same[d] else common.T @ own
            Ass = Abb if self.same[d] else own.T @ own
            P = _inverse(Ass + np.diag(1.0 / self.v_own[d]))
            K = Abs @ P
            schur += Abb - K @ Abs.T
            r = self.values[d].T @ score[rows]
            right += self.common[d].T @ score[rows] - K @ r
            parts.append((P, K, r))
        Gbb = _inverse(schur)
        mean = Gbb @ right
        blocks = []
        self.mean, self.var = np.empty(weight.size), np.empty(weight.size)
        for d, (P, K, r) in enumerate(parts):
            rows = self.rows[d]
            Gbs = -Gbb @ K
            Gss = P - K.T @ Gbs
            own_mean = P @ r - K.T @ mean
            common, values = self.common[d], self.values[d]
            self.mean[rows] = common @ mean + values @ own_mean
            if self.same[d]:
                self.var[rows] = np.einsum("ij,ij->i", common @ (Gbb + Gbs + Gbs.T + Gss), common)
            else:
                self.var[rows] = (
                    np.einsum("ij,ij->i", common @ Gbb, common)
                    + 2.0 * np.einsum("ij,ij->i", common @ Gbs, values)
                    + np.einsum("ij,ij->i", values @ Gss, values)
                )
            blocks.append(
                Block(rows, self.own[d], common, values, K, Gbs, Gss, own_mean, self.v_own[d])
            )
        np.maximum(self.var, 0.0, out=self.var)
        return Gbb, mean, blocks

    def _learn(self, solution: tuple[Array, Array, list[Block]]) -> None:
        """Learn the scales of the priors and the variance of each effect."""
        Gbb, mean, blocks = solution
        moved = 1.0
        if self.shared.size:
            found = np.diag(Gbb)
            moved = self.scale_common.update(mean**2, found, self.v_common)
            scale = self.scale_common.value**2
            size = (mean**2 + found) * self.spread_shared
            variance = (self.tails * scale + size) / (self.tails + 1.0)
            self.v_common = np.minimum(variance, CEILING**2) / self.spread_shared
        if any(own.size for own in self.own):
            squares = np.concatenate([b.mean**2 for b in blocks])
            found = np.concatenate([np.diag(b.Gss) for b in blocks])
            other = self.scale_domain.update(squares, found, np.concatenate(self.v_own))
            scale = self.scale_domain.value**2
            size = (squares + found) * np.concatenate(self.spread_own)
            concept = np.concatenate(self.own)
            sums, counts = np.bincount(concept, size), np.bincount(concept)
            of_concept = (self.tails * scale + sums) / (self.tails + counts)
            of_concept = np.minimum(of_concept, CEILING**2)  # where verdicts can be separated
            variance = of_concept[concept] / np.concatenate(self.spread_own)
            self.v_own = np.split(variance, self.sizes)
            moved = max(moved, 1.0 / moved, other, 1.0 / other)
        self._moved = max(moved, 1.0 / moved)

    def _weigh(self, blocks: list[Block], Gbb: Array) -> None:
        """Give less weight to pairs whose verdicts repeat those of their group."""
        slope, w = self.outcomes.at(self.mean, self.var)
        residual = self.c * slope
        leverage = np.bincount(self.groups, self.c * w * self.var)[self.groups]
        share = 1.0 / (1.0 - np.minimum(leverage, MAX_LEVERAGE))
        others = self.mean.copy()  # log-odds without the pair's own group, to first order
        for b in blocks:
            names, cell = np.unique(self.groups[b.rows], return_inverse=True)
            pull = np.zeros((names.size, b.common.shape[1] + b.own.size))
            both = np.hstack([b.common, b.values])
            np.add.at(pull, cell, both * residual[b.rows][:, None])
            leaning = np.hstack(
                [b.common @ Gbb + b.values @ b.Gbs.T, b.common @ b.Gbs + b.values @ b.Gss]
            )
            own = np.einsum("ij,ij->i", leaning, pull[cell])
            others[b.rows] -= own * share[b.rows]
        self.rho = self.inside.correlation(self.outcomes.residual(others, self.var))
        self.c = self.inside.weights(self.rho)


def _inverse(matrix: Array) -> Array:
    """Return the inverse of a positive definite matrix."""
    if not matrix.size:
        return matrix
    factor = cho_factor(matrix, lower=True, check_finite=False)
    out: Array = cho_solve(factor, np.eye(len(matrix)), check_finite=False)
    symmetric: Array = (out + out.T) / 2.0
    return symmetric
