"""Standard errors of studies that were not made, from the estimates of a pilot.

A pilot gives, for every pair, concept values x_i, the mean and variance (m_i, v_i) of its log-odds,
its repetition c_i and the prior variances Lambda^-1 of effects (`palate.inference.hierarchy`). A
study in which the pairs of domain d stand f_d times has the precision

    G(f)^-1 = sum_d f_d sum_{i in d} c_i E sigma'(z_i) x_i x_i' + Lambda,

from which the noise of every estimate, and the bias that the other effects leave, follow as in
`palate.inference.effects`. So errors do not fall as 1 / sqrt(f): the bias falls as the others
become known. Four things that the pilot does not show as they will be:

- the log-odds. What is blurred in the pilot is known, but spread, in a larger study: z_i has the
  variance v_i - (1 - `SHARE`) x_i' G(f) x_i;
- the scale of deviations between domains. Its learned value is where the evidence is largest, often
  0 in a small pilot although larger ones are hardly less likely, and a later study would find them:
  its mean over the evidence takes its place;
- the values. Where a domain of the pilot has few pairs for its concepts, they seem to go together
  more closely than they do, and copies of its pairs would never tell them apart: its Gram matrix is
  mixed with that of all domains (`palate.inference.grams`);
- the larger of model and sandwich noise, of which the expectation is taken (`Inflation`).

Shapes: n pairs, C concepts, D domains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import stats

from palate.inference.effects import Effects
from palate.inference.grams import alike, noise_and_bias
from palate.inference.hierarchy import SHARE, Array, moments
from palate.inference.linear import Influence, Linear
from palate.inference.repetition import Inside
from palate.inference.rescaled import (
    likely_deviations,
    log_odds_variance,
    replicated,
    squares,
)

EFFECTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)  # log-odds per step


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


class Study:
    """What a pilot says about studies of other sizes."""

    def __init__(self, effects: Effects, n_pairs: Array, *, singly: bool = False) -> None:
        """Take the estimates of the pilot.

        Parameters
        ----------
        effects
            What `infer` gave.
        n_pairs
            Used pairs by domain, shape (D,).
        singly
            Whether to plan for pairs that stand on prompts of their own.
        """
        self.effects, self.n_pairs = effects, n_pairs
        self.linear: Linear = effects.linear
        self.n_domains, self.n_concepts = effects.total.value.shape
        parts = [self.linear.domain(d) for d in range(self.n_domains)]
        self._pilot = [self.linear.shared(), *(i for pair in parts for i in pair)]
        self.inflation = (
            Inflation.of(self._pilot[:1]),
            Inflation.of(self._pilot[1::2]),
            Inflation.of(self._pilot[2::2]),
        )
        pilot = self.linear.posterior
        self.belief, self.domain_scale = likely_deviations(pilot)
        self.uncertain = log_odds_variance(self.belief)
        self.repeats = Inside(self.X, self.linear.cells).weights(pilot.correlation)
        self.counted = np.ones_like(self.repeats) if singly else self.repeats
        self.shared_mean = np.zeros(self.n_concepts)
        self.shared_mean[pilot.shared] = pilot.mean
        self.total_mean = np.tile(self.shared_mean, (self.n_domains, 1))
        for d, b in enumerate(pilot.blocks):
            self.total_mean[d, b.own] += b.mean
        self.prior = replace(self.linear, posterior=self.belief).prior_variance(self.n_concepts)

    def errors(self, factors: Array) -> Errors:
        """Return the errors of a study in which the pairs of domain d stand f_d times.

        Parameters
        ----------
        factors
            f_d, shape (D,).
        """
        grams = [f * g for f, g in zip(factors, self._grams(factors), strict=True)]
        parts = noise_and_bias(self.belief, grams)
        shape = (1 + self.n_domains, self.n_concepts)
        total, deviation = np.full(shape, np.nan), np.full(shape, np.nan)
        total_dof, deviation_dof = np.full(shape, np.nan), np.full(shape, np.nan)
        size = float((factors * self.n_pairs).sum() / self.n_pairs.sum())
        pilot, widened = self._pilot, self.inflation
        at: tuple[Any, ...] = 0, self.belief.shared
        total[at], total_dof[at] = _error(*parts[0], pilot[0].dof * size, widened[0])
        for d, b in enumerate(self.belief.blocks):
            at, f = (1 + d, b.own), float(factors[d])
            most = self._even_dof[b.own] * self._groups[d]
            here, away = (f * _between(pilot[k + 2 * d].dof, most) for k in (1, 2))
            total[at], total_dof[at] = _error(*parts[1 + 2 * d], here, widened[1])
            deviation[at], deviation_dof[at] = _error(*parts[2 + 2 * d], away, widened[2])
        known = np.vstack([self.effects.shared.value, self.effects.total.value])
        total[np.isnan(known)] = np.nan
        deviation[1:][np.isnan(self.effects.deviation.value)] = np.nan
        return Errors(total, deviation, total_dof, deviation_dof)

    @cached_property
    def doubt(self) -> tuple[Array, Array]:
        """Relative variances of the standard errors that the pilot suggests, (1 + D, C) each.

        1 / (4 dof) at the size of the pilot, for `Errors.total` and `Errors.deviation`: as uneven
        as the groups are in what they tell of an effect, so uncertain is what others will tell.
        """
        now = self.errors(np.ones(self.n_domains))
        total, deviation = np.maximum(now.total_dof, 1.0), np.maximum(now.deviation_dof, 1.0)
        return 0.25 / total, 0.25 / deviation

    @cached_property
    def _groups(self) -> list[int]:
        """Number of groups that touch each domain."""
        return [np.unique(self.linear.cells[b.rows]).size for b in self.belief.blocks]

    @cached_property
    def _even_dof(self) -> Array:
        """Degrees of freedom per group of the shared effects, shape (C,), infinity without one."""
        out = np.full(self.n_concepts, np.inf)
        out[self.belief.shared] = self._pilot[0].dof / self.linear.n_groups
        return out

    def _grams(self, factors: Array) -> list[Array]:
        """Return weighted Gram matrices by domain, the weights of pairs as they will be.

        What is not yet known of a pair's log-odds is partly known in a larger study, and so spreads
        them instead of blurring them.
        """
        pilot = self.belief
        times = np.empty_like(self.repeats)
        for f, b in zip(factors, pilot.blocks, strict=True):
            times[b.rows] = f
        _, slope = moments(pilot.log_odds, self.uncertain / SHARE)
        later, _ = replicated(pilot, times * self.counted * slope)
        left = np.minimum(log_odds_variance(later), self.uncertain / SHARE)
        v = np.maximum(self.uncertain - (1.0 - SHARE) * left, 0.0)
        _, slope = moments(pilot.log_odds, v / SHARE)
        return alike(self.X, self.counted * slope, [b.rows for b in pilot.blocks])

    @cached_property
    def typical_prior(self) -> Array:
        """Variance of the deviations of a concept without any that the pilot shows, shape (C,)."""
        out = np.zeros(self.n_concepts)
        size = squares(self.belief)
        out[: size.size] = self.domain_scale**2 / size
        out[self.prior.max(axis=0, initial=0.0) == 0] = 0.0
        return out

    def strained(self, theta: Array, kept: Array) -> Array:
        """Return effects as they count beside the errors of the pilot's log-odds, (1 + D, C).

        With I(u) the information on a concept that has the effect u, relative to that in the pilot:
        the model holds the shrunk effect u = `kept` theta, weighs pairs by it, and takes one step
        from there: (u + int_u^theta I / I(u)) sqrt(I(u)).

        Parameters
        ----------
        theta
            Effects, log-odds per step, shape (1 + D, C).
        kept
            Share that shrinkage leaves of them, same shape.
        """
        u = kept * theta
        here, below = self._at(u)
        _, whole = self._at(theta)
        return np.asarray((u + (whole - below) / here) * np.sqrt(here))

    def _at(self, theta: Array) -> tuple[Array, Array]:
        """Return I(theta) and its integral from 0, interpolated between the sizes of `EFFECTS`."""
        grid, table = self._information
        steps = np.diff(grid)[:, None] * (table[1:] + table[:-1]) / 2.0
        sums = np.vstack([np.zeros(self.n_concepts), np.cumsum(steps, axis=0)])
        at = np.clip(np.searchsorted(grid, theta, side="right") - 1, 0, grid.size - 2)
        far = np.clip(theta - grid[at], 0.0, grid[at + 1] - grid[at])
        concept = np.arange(self.n_concepts)
        first, last = table[at, concept], table[at + 1, concept]
        here = first + (last - first) * far / (grid[at + 1] - grid[at])
        return here, sums[at, concept] + far * (first + here) / 2.0

    @cached_property
    def _information(self) -> tuple[Array, Array]:
        """Sizes and, for each, the information on every concept relative to that in the pilot.

        sum_i E sigma'(z_i + theta x_i) x_i^2 / sum_i E sigma'(z_i + a x_i) x_i^2, z_i without what
        the concept adds, mean of theta and -theta, a the effect and its error in the pilot.
        """
        grid, p = np.array(EFFECTS), self.belief
        left, whole = np.zeros((grid.size, self.n_concepts)), np.zeros(self.n_concepts)
        for d, b in enumerate(p.blocks):
            z, v, counted = p.log_odds[b.rows], self.uncertain[b.rows], self.counted[b.rows]
            leaning = b.common @ p.Gbb + b.values @ b.Gbs.T
            own = b.common @ b.Gbs + b.values @ b.Gss
            shared_at = {int(j): k for k, j in enumerate(p.shared)}
            for k, j in enumerate(b.own):
                x = b.values[:, k]
                cov, variance = own[:, k], float(b.Gss[k, k])
                if int(j) in shared_at:
                    at = shared_at[int(j)]
                    cov = cov + leaning[:, at]
                    variance += float(p.Gbb[at, at] + 2.0 * b.Gbs[at, k])
                rest = np.maximum(v - cov**2 / max(variance, 1e-300), 0.0) / SHARE
                base, square = z - x * self.total_mean[d, j], counted * x**2
                shift = grid[:, None] * x
                both = moments(base + shift, rest)[1] + moments(base - shift, rest)[1]
                left[:, j] += both @ square / 2.0
                whole[j] += moments(z, v / SHARE)[1] @ square
        known = whole > 0
        left[:, known] /= whole[known]
        left[:, ~known] = 1.0
        return grid, left

    @cached_property
    def X(self) -> Array:  # noqa: N802
        """Concept values, the preferred response first, shape (n, C), 0 where absent."""
        out = np.zeros((self.linear.cells.size, self.n_concepts))
        for b in self.belief.blocks:
            out[np.ix_(b.rows, self.belief.shared)] = b.common
            out[np.ix_(b.rows, b.own)] = b.values
        return out

    def fewest_pairs(self, n_groups: int) -> Array:
        """Return pairs per domain at which a concept differs on so many groups, (1 + D, C).

        Parameters
        ----------
        n_groups
            Groups.
        """
        differs = self.X != 0
        out = np.zeros((1 + self.n_domains, self.n_concepts))
        for d, b in enumerate(self.belief.blocks):
            for j in np.flatnonzero(differs[b.rows].any(axis=0)):
                groups = np.unique(self.linear.cells[b.rows][differs[b.rows, j]]).size
                out[1 + d, j] = n_groups * b.rows.size / groups
        return out


def _error(noise: Array, bias: Array, dof: Array, inflation: Inflation) -> tuple[Array, Array]:
    """Return standard errors and degrees of freedom."""
    noise = noise * inflation.factor(dof)
    variance = noise + bias
    return np.sqrt(variance), dof * (variance / np.maximum(noise, 1e-300)) ** 2


def _between(dof: Array, most: Array) -> Array:
    """Return degrees of freedom between those of a domain and those of as many groups of all.

    How unevenly a concept is spread over groups hardly shows in the few of one domain, and is
    overstated by those of domains that differ.
    """
    return np.sqrt(dof * np.minimum(dof, most))
