"""Estimates as linear functions of the verdicts: what every group of pairs adds to each of them.

With the notation of `palate.inference.effects`: a target T has estimate theta and direction Z, and
group g adds sum_i Z_i c_i (t_i - p_i) / w_i / sqrt(1 - h_g) over its pairs to the error of theta.
In the blocks of the posterior, Z is a combination of columns of G (I - G V^-1)^-1, so that only
x_i' G e_k ("leaning" of pair i to column k) is needed: for the common effects k, and within a
domain for its own deviations; outside domain d the leaning to s_k(d) is that to the common effects
times -K.

Shapes: n pairs, C concepts, D domains, G groups, S common concepts, T concepts of a domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from palate.inference.hierarchy import (
    Array,
    Integers,
    Mask,
    Posterior,
    measured_posterior,
    posterior,
)
from palate.inference.likelihoods import Measured

MAX_LEVERAGE = 0.9
SCALE_PRIOR = 0.2  # the common factor is 1, give or take this, before verdicts are seen
MIN_GROUPS = 5  # groups on which a concept must differ for an effect to be estimated


@dataclass(frozen=True, eq=False)
class Influence:
    """What each group adds to the error of K estimates, (G, K), and the rest of their variance.

    `noise` (G, K) sums to the error of the estimates up to the bias of the other effects, whose
    variance is `bias` (K,); `model` (K,) is the noise variance under the model and `dof` (K,) the
    degrees of freedom of the noise. `value` (K,) are the estimates.
    """

    value: Array
    noise: Array
    bias: Array
    model: Array
    dof: Array


@dataclass(frozen=True, eq=False)
class Linear:
    """The estimates as linear functions of the verdicts, group by group.

    Pairs are turned so that the preferred response comes first. `cells` (n,) numbers the groups
    0..G-1; `estimable` (D + 1, C) says which effects have values other than 0 in at least
    `MIN_GROUPS` groups; a shared effect needs as many outside any single domain, without which
    nothing is known of it but what that domain says. `scale_error` is the relative error of the
    factor that all effects share, because what is not known about some attenuates all: that of
    the slope of the verdicts on their predicted log-odds z, (1 / SCALE_PRIOR^2 + sum w z^2)^(-1/2).
    `curved` says that outcomes are verdicts, whose likelihood is no quadratic.
    """

    posterior: Posterior
    cells: Integers
    n_groups: int
    estimable: Mask
    scale_error: float = 0.0
    curved: bool = False

    @classmethod
    def of(cls, X: Array, y: Array, codes: Integers, groups: Integers, *, exists: Mask) -> Linear:
        """Fit the hierarchical model and prepare the sums.

        Parameters
        ----------
        X
            Concept values, shape (n, C).
        y
            Verdicts, shape (n,).
        codes
            Domain of each pair, shape (n,).
        groups
            Group of each pair, shape (n,).
        exists
            Which effects exist, shape (D + 1, C).
        """
        X, y = X * np.sign(y)[:, None], np.abs(y)  # the preferred response first: a swap is nothing
        cells, n_groups, estimable = _estimable(X, codes, groups, n_domains=len(exists) - 1)
        found = posterior(X, y, codes, cells, exists=exists & estimable)
        return cls(found, cells, n_groups, estimable, scale_error(found), curved=True)

    @classmethod
    def measured(
        cls,
        X: Array,
        outcomes: Measured,
        codes: Integers,
        groups: Integers,
        *,
        exists: Mask,
        tails: float,
    ) -> Linear:
        """Fit the hierarchical model to normal outcomes instead of verdicts.

        Parameters
        ----------
        X
            Concept values, shape (n, C).
        outcomes
            What was measured on each pair, and how exactly.
        codes
            Domain of each pair, shape (n,).
        groups
            Group of each pair, shape (n,).
        exists
            Which effects exist, shape (D + 1, C).
        tails
            Degrees of freedom of the prior.
        """
        cells, n_groups, estimable = _estimable(X, codes, groups, n_domains=len(exists) - 1)
        found = measured_posterior(
            X, outcomes, codes, cells, exists=exists & estimable, tails=tails
        )
        return cls(found, cells, n_groups, estimable, scale_error(found))

    @cached_property
    def _leaning(self) -> list[Array]:
        """Per domain x_i' G e_k of its pairs for the common effects k, (m, S)."""
        p = self.posterior
        return [b.common @ p.Gbb + b.values @ b.Gbs.T for b in p.blocks]

    @cached_property
    def _own(self) -> list[Array]:
        """Per domain x_i' G e_k of its pairs for its own deviations k, (m, T)."""
        return [b.common @ b.Gbs + b.values @ b.Gss for b in self.posterior.blocks]

    def leaning(self, d: int) -> tuple[Array, Array]:
        """Return x_i' G e_k of the pairs of a domain, for common effects and its deviations.

        Parameters
        ----------
        d
            Position of the domain.
        """
        return self._leaning[d], self._own[d]

    @cached_property
    def _residual(self) -> Array:
        """Residuals c (t - p) / sqrt(1 - leverage of the group), (n,)."""
        p = self.posterior
        leverage = np.zeros(p.weight.size)
        for b, leaning, own in zip(p.blocks, self._leaning, self._own, strict=True):
            h = np.einsum("ij,ij->i", leaning, b.common) + np.einsum("ij,ij->i", own, b.values)
            leverage[b.rows] = h * p.weight[b.rows]
        group = np.bincount(self.cells, leverage, minlength=self.n_groups)
        return np.asarray(p.residual / np.sqrt(1.0 - np.minimum(group, MAX_LEVERAGE))[self.cells])

    @cached_property
    def _common_sums(self) -> tuple[Array, list[tuple[Integers, Array]]]:
        """Sums by group of residual times leaning, (G, S): of all domains, and of each one.

        Of one domain only the groups that touch it, with their numbers.
        """
        whole = np.zeros((self.n_groups, self.posterior.shared.size))
        parts = []
        for b, leaning in zip(self.posterior.blocks, self._leaning, strict=True):
            touched, cell = np.unique(self.cells[b.rows], return_inverse=True)
            sums = _sum_by(cell, leaning * self._residual[b.rows][:, None], touched.size)
            whole[touched] += sums
            parts.append((touched, sums))
        return whole, parts

    @cached_property
    def _common_model(self) -> tuple[list[Array], float]:
        """Per domain leaning' W leaning (S, S); the typical dof of a shared effect."""
        p = self.posterior
        grams = [
            leaning.T @ (leaning * p.weight[b.rows][:, None])
            for b, leaning in zip(p.blocks, self._leaning, strict=True)
        ]
        if not p.shared.size:
            return grams, 1.0
        dof = np.diag(np.add.reduce(grams)) ** 2 / np.maximum(self._fourth, 1e-300)
        return grams, float(np.median(dof))

    @cached_property
    def _fourth(self) -> Array:
        """Sum over groups of the squared noise variances of the shared effects, (S,)."""
        p = self.posterior
        by_group = np.zeros((self.n_groups, p.shared.size))
        for b, leaning in zip(p.blocks, self._leaning, strict=True):
            squares = leaning**2 * p.weight[b.rows][:, None]
            by_group += _sum_by(self.cells[b.rows], squares, self.n_groups)
        return np.asarray((by_group**2).sum(axis=0))

    def prior_variance(self, n_concepts: int) -> Array:
        """Return the variance of deviations in the model, shape (D, C), 0 where there is none.

        Parameters
        ----------
        n_concepts
            C.
        """
        out = np.zeros((len(self.posterior.blocks), n_concepts))
        for d, b in enumerate(self.posterior.blocks):
            out[d, b.own] = b.variance
        return out

    def shared(self) -> Influence:
        """Return the influence of every group on the S common effects."""
        p = self.posterior
        found = np.diag(p.Gbb)
        scale = 1.0 / (1.0 - found / p.variance)
        model = np.diag(np.add.reduce(self._common_model[0]))
        own = found**2 / p.variance
        return Influence(
            value=p.mean * scale,
            noise=self._common_sums[0] * scale,
            bias=np.maximum(found - model - own, 0.0) * scale**2,
            model=model * scale**2,
            dof=model**2 / np.maximum(self._fourth, 1e-300),
        )

    def domain(self, d: int) -> tuple[Influence, Influence]:
        """Return the influence of every group on the totals and on the deviations in a domain.

        Parameters
        ----------
        d
            Position of the domain.
        """
        p, b = self.posterior, self.posterior.blocks[d]
        at = np.searchsorted(p.shared, b.own)
        has = np.isin(b.own, p.shared)
        at[~has] = 0
        take = np.zeros((p.shared.size, b.own.size))  # G e_k of the common effect of each concept
        take[at[has], np.flatnonzero(has)] = 1.0
        g11 = np.where(has, np.diag(p.Gbb)[at] if has.any() else 0.0, 0.0)
        g12 = (b.Gbs * take).sum(axis=0)
        g22 = np.diag(b.Gss)
        v1 = np.where(has, p.variance[at] if has.any() else 1.0, 1.0)
        v2 = b.variance
        # the two-by-two system (I - G V^-1) theta = posterior mean
        m11, m12, m21, m22 = 1.0 - g11 / v1, -g12 / v2, -g12 / v1, 1.0 - g22 / v2
        det = m11 * m22 - m12 * m21
        mean = take.T @ p.mean
        value_b = np.where(has, (m22 * mean - m12 * b.mean) / det, 0.0)
        value_s = (m11 * b.mean - m21 * mean) / det
        # directions G e_b, G e_s combined by V^-1 (I - G V^-1)^-1 V
        l11 = np.where(has, m22 / det, 0.0)
        l12 = np.where(has, -m12 / det * v2 / v1, 0.0)
        l21 = np.where(has, -m21 / det * v1 / v2, 0.0)
        l22 = m11 / det
        out = []
        for value, one, two in (
            (value_b + value_s, l11 + l12, l21 + l22),
            (value_s, l12, l22),
        ):
            elsewhere = take * one - b.K * two  # coefficients on the leaning of other domains
            direction = self._leaning[d] @ (take * one) + self._own[d] * two
            model, dof = self._noise_model(d, direction, elsewhere)
            whole = one**2 * g11 + 2.0 * one * two * g12 + two**2 * g22
            own = (g11 * one + g12 * two) ** 2 / v1 * has + (g12 * one + g22 * two) ** 2 / v2
            out.append(
                Influence(
                    value=value,
                    noise=self._noise(d, direction, elsewhere),
                    bias=np.maximum(whole - model - own, 0.0),
                    model=model,
                    dof=dof,
                )
            )
        return out[0], out[1]

    def _noise(self, d: int, direction: Array, elsewhere: Array) -> Array:
        """Return the sums over the pairs of each group of residual times direction, (G, T)."""
        b, (whole, parts) = self.posterior.blocks[d], self._common_sums
        touched, sums = parts[d]
        outside = whole.copy()
        outside[touched] -= sums
        noise: Array = outside @ elsewhere
        cell = np.searchsorted(touched, self.cells[b.rows])
        noise[touched] += _sum_by(cell, direction * self._residual[b.rows][:, None], touched.size)
        return noise

    def _noise_model(self, d: int, direction: Array, elsewhere: Array) -> tuple[Array, Array]:
        """Return noise variances under the model (T,) and their degrees of freedom (T,)."""
        p, b = self.posterior, self.posterior.blocks[d]
        grams, typical = self._common_model
        gram = np.add.reduce([g for e, g in enumerate(grams) if e != d] or [np.zeros((0, 0))])
        far = np.einsum("ij,ij->j", elsewhere, gram @ elsewhere) if gram.size else 0.0
        touched, cell = np.unique(self.cells[b.rows], return_inverse=True)
        near = _sum_by(cell, direction**2 * p.weight[b.rows][:, None], touched.size)
        model = near.sum(axis=0) + far
        fourth = (near**2).sum(axis=0) + far**2 / typical
        return model, model**2 / np.maximum(fourth, 1e-300)


def scale_error(found: Posterior, *, spent: float = 0.0) -> float:
    """Return the relative error of the factor that all effects share.

    Parameters
    ----------
    found
        Posterior.
    spent
        Parameters that were fitted to the same verdicts and are taken off what these tell.
    """
    information = max(float((found.weight * found.log_odds**2).sum()) - spent, 0.0)
    return float((SCALE_PRIOR**-2 + information) ** -0.5)


def _estimable(
    X: Array, codes: Integers, groups: Integers, *, n_domains: int
) -> tuple[Integers, int, Mask]:
    """Return the group of each pair, numbered from 0, their number, and what can be estimated."""
    names, cells = np.unique(groups, return_inverse=True)
    cells = cells.astype(np.int64)
    estimable = np.zeros((n_domains + 1, X.shape[1]), dtype=bool)
    by_domain = np.zeros((n_domains, X.shape[1]))
    for d in range(n_domains):
        rows = np.flatnonzero(codes == d)
        touched = _sum_by(cells[rows], (X[rows] != 0).astype(np.float64), names.size) > 0
        by_domain[d] = touched.sum(axis=0)
    estimable[1:] = by_domain >= MIN_GROUPS
    touched = _sum_by(cells, (X != 0).astype(np.float64), names.size) > 0
    estimable[0] = touched.sum(axis=0) >= MIN_GROUPS
    if n_domains > 1:
        estimable[0] &= by_domain.sum(axis=0) - by_domain.max(axis=0) >= MIN_GROUPS
    return cells, int(names.size), estimable


def _sum_by(cells: Integers, values: Array, n_cells: int) -> Array:
    """Return sums of rows of (m, K) by cell, shape (n_cells, K)."""
    pick = sp.csr_array(
        (np.ones(cells.size), (cells, np.arange(cells.size))), shape=(n_cells, cells.size)
    )
    return np.asarray(pick @ values)
