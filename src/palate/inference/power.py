"""Power: with what probability a study of some size finds an effect, and how large it must be.

An effect theta, with an estimate of standard error se, is found with probability

    Phi(theta / se - t),    t the quantile of Student's t at a p-value of

    fdr R / (2 C)       for a shared effect
    fdr R / (2 C K)     for an effect in one of K domains, or a difference of one,

which is what `palate.inference.discoveries` asks for where R of C concepts are chosen, this one
included (without the 2 where there is one domain). R grows with the study: it is the mean count
over draws of the p-values of all concepts at that size, with the effects that the pilot's posterior
mean gives them; or 1, if nothing else is found. Corrections:

- planned are effects that are the same in all domains; in one domain and absent elsewhere; and the
  same elsewhere and different in one. Whatever deviations the pilot shows of this concept are
  replaced by none (and theta): U becomes what a study would make of none, plus theta^2 / (TAILS +
  K) for a difference. U stays in the standard error and is no error;
- the standard error of a shared effect is widened where domains seem to differ, here by chance: by
  max(1, h X / (K - 1)), X chi-squared with K - 1 degrees of freedom and h the mean over domains of
  se^2 / (se^2 + U); power is averaged over it;
- the errors of a study to come are known as well as the pilot tells them (`Study.doubt`). A size is
  what gives the power on average over what they may be;
- a strong effect decides pairs and leaves less to learn from them (`Study.strained`). Not for a
  difference, which is planned as an effect elsewhere that is absent in the domain.

Shapes: C concepts, D domains; row 0 of (1 + D, C) are shared effects, rows 1 + d those in d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from palate.inference.discoveries import simes
from palate.inference.hierarchy import TAILS, Array
from palate.inference.linear import MIN_GROUPS
from palate.inference.study import Errors, Study

FEWEST, MOST = 10.0, 1e7  # pairs per domain that are looked at
KNOTS, POINTS = 13, 61
N_DRAWS = 200
QUANTILES = (np.arange(32) + 0.5) / 32
HALVINGS, ROUNDS = 40, 6
LEAST = 0.1  # share of a variance that is left at least
MAX_EFFECT = 10.0


@dataclass(frozen=True, eq=False)
class Power:
    """Of effects in row 0 (shared) and rows 1 + d (in domain d) and of differences, (1 + D, C)."""

    total: Array
    deviation: Array


class Planner:
    """Power at any size, for one pilot, one false discovery rate."""

    def __init__(self, study: Study, *, fdr: float, seed: int) -> None:
        """Prepare the errors at sizes between which is interpolated.

        Parameters
        ----------
        study
            What the pilot says of other studies.
        fdr
            False discovery rate.
        seed
            Seed of the draws for R.
        """
        self.study, self.fdr = study, fdr
        value = study.effects.total.value
        self.several = len(value) > 1
        self.K = (~np.isnan(value)).sum(axis=0)
        self.freedom = np.maximum(self.K - 1, 1)
        self.chance = stats.chi2.ppf(QUANTILES[:, None], self.freedom) / self.freedom
        self.random = np.random.default_rng(seed)
        knots = np.geomspace(FEWEST, MOST, KNOTS)
        found = [study.errors(n / study.n_pairs) for n in knots]
        counts = [self.count(e) for e in found]
        curves = np.log([[e.total, e.deviation, e.total_dof, e.deviation_dof] for e in found])
        self._absent = np.isnan(curves).any(axis=0)
        self._curve = PchipInterpolator(np.log(knots), np.where(self._absent, 0.0, curves))
        self._count = PchipInterpolator(np.log(knots), counts)

    def errors(self, n: float) -> Errors:
        """Return the errors of a study with n pairs in every domain.

        Parameters
        ----------
        n
            Pairs per domain.
        """
        return Errors(*np.where(self._absent, np.nan, np.exp(self._curve(np.log(n)))))

    def chosen(self, n: float) -> Array:
        """Return the mean of R for every concept, if it is chosen itself, shape (C,).

        Parameters
        ----------
        n
            Pairs per domain.
        """
        return np.asarray(np.maximum(self._count(np.log(n)), 1.0))

    def count(self, errors: Errors) -> Array:
        """Return the mean of R for every concept at given errors, shape (C,).

        Parameters
        ----------
        errors
            Of the study.
        """
        study = self.study
        means = np.vstack([study.shared_mean, study.total_mean])
        draws = self.random.standard_normal((N_DRAWS, *means.shape))
        with np.errstate(invalid="ignore"):
            t = np.abs(means / errors.total + draws)
            noise = errors.total[1:] ** 2
            ratio = self.random.chisquare(self.freedom, (N_DRAWS, self.K.size)) / self.freedom
            t[:, 0] /= np.sqrt(self._widening(noise, self.study.prior, ratio))
            p = np.asarray(2.0 * stats.t.sf(t, errors.total_dof))
        family = np.nan_to_num(p[:, 0], nan=1.0)
        if self.several:
            inside = np.nan_to_num(simes(np.moveaxis(p[:, 1:], 1, 0)), nan=1.0)
            family = np.minimum(2.0 * np.minimum(family, inside), 1.0)
        C = self.n_tested
        ordered = np.sort(family, axis=1)[:, :C]
        rank = np.arange(1, C + 1)
        whole = ((ordered <= self.fdr * rank / C) * rank).max(axis=1)
        before = np.hstack([np.zeros((N_DRAWS, 1)), ordered[:, :-1]])
        joined = ((before <= self.fdr * rank / C) * rank).max(axis=1)
        is_chosen = family <= (self.fdr * whole / C)[:, None]
        return np.asarray(np.where(is_chosen, whole[:, None], joined[:, None]).mean(axis=0))

    @property
    def n_tested(self) -> int:
        """Concepts with any estimate, C in the level."""
        known = ~np.isnan(self.study.effects.shared.value) | (self.K > 0)
        return max(int(known.sum()), 1)

    def power(self, theta: Array, errors: Errors, chosen: Array, *, doubt: bool = False) -> Power:
        """Return the probability of finding effects.

        Parameters
        ----------
        theta
            Sizes of the effects, log-odds per step, shape (1 + D, C) or one that broadcasts.
        errors
            Of the study.
        chosen
            R, shape (C,).
        doubt
            Whether the errors are themselves uncertain, as those of a study to come are.
        """
        level = self.fdr * chosen / self.n_tested / (2.0 if self.several else 1.0)
        inside = np.vstack(
            [level, np.tile(level / np.maximum(self.K, 1), (len(errors.total) - 1, 1))]
        )
        with np.errstate(invalid="ignore"):
            t_total = np.asarray(stats.t.isf(inside / 2.0, errors.total_dof))
            t_deviation = np.asarray(stats.t.isf(inside / 2.0, errors.deviation_dof))
            noise = errors.total[1:] ** 2
            prior = self._deviations(noise)
            size = self.study.strained(theta, self._kept(theta, errors.total**2, prior))
            unsure = [v if doubt else 0.0 * v for v in self.study.doubt]
            total = _exceeds(size / errors.total, t_total, unsure[0])
            se, sd = _replaced(errors.total[0] ** 2, self.study.prior, prior, noise)
            factors = np.sqrt(self._widening(noise, prior, self.chance))
            shared = _exceeds(size[0] / sd, t_total[0] * factors * se / sd, unsure[0][0])
            total[0] = shared.mean(axis=0)
            deviation = np.full(total.shape, np.nan)
            for d in range(len(noise)):
                others = np.arange(len(noise)) != d
                raised = prior[others] + theta[1 + d] ** 2 / (TAILS + self.K)
                variance = errors.deviation[1 + d] ** 2
                se, sd = _replaced(variance, self.study.prior[others], raised, noise[others])
                deviation[1 + d] = _exceeds(
                    theta[1 + d] / sd, t_deviation[1 + d] * se / sd, unsure[1][1 + d]
                )
        return Power(total, deviation)

    def _kept(self, theta: Array, noise: Array, prior: Array) -> Array:
        """Return what share of an effect shrinkage leaves, (1 + D, C): V / (V + noise)."""
        before = np.vstack([np.zeros_like(prior[:1]), prior])
        own = np.vstack([np.ones(self.K.size), np.tile(self.K, (len(prior), 1))])
        V = before + theta**2 / (TAILS + own)
        return np.nan_to_num(V / (V + noise))

    def _deviations(self, noise: Array) -> Array:
        """Return the variance that a study gives deviations of a concept that has none, (D, C).

        The fixed point of U = (TAILS scale^2 + K (r + r^2) noise) / (TAILS + K), r = U / (U +
        noise) the share of its noise that a deviation is taken for.
        """
        start = self.study.typical_prior
        mean = np.nan_to_num(noise).sum(axis=0) / np.maximum((~np.isnan(noise)).sum(axis=0), 1)
        U = start.copy()
        for _ in range(ROUNDS):
            r = U / np.maximum(U + mean, 1e-300)
            U = (TAILS * start + self.K * (r + r**2) * mean) / (TAILS + self.K)
        return np.tile(U, (len(noise), 1))

    def _widening(self, noise: Array, prior: Array, ratio: Array) -> Array:
        """Return by what the spread of domains widens a variance, Q / (K - 1) being h `ratio`."""
        share = np.nan_to_num(noise / (noise + prior)).sum(axis=0) / np.maximum(self.K, 1)
        return np.where(self.K > 1, np.maximum(share * ratio, 1.0), 1.0)

    def pairs(self, theta: float, power: float, *, alone: bool = False) -> Power:
        """Return how many pairs per domain are needed, (1 + D, C); inf where `MOST` are too few.

        Parameters
        ----------
        theta
            Size of the effect, log-odds per step.
        power
            Probability of finding it.
        alone
            Whether nothing else is found: R = 1.
        """
        sizes = np.geomspace(FEWEST, MOST, POINTS)
        shape = (1 + len(self.study.n_pairs), self.study.n_concepts)
        one = np.ones(shape[1])
        effect = np.full(shape, theta)
        curves = [
            self.power(effect, self.errors(n), one if alone else self.chosen(n), doubt=True)
            for n in sizes
        ]
        least = self.study.fewest_pairs(MIN_GROUPS)
        total = _crossing(np.sqrt(sizes), np.stack([c.total for c in curves]), power)
        deviation = _crossing(np.sqrt(sizes), np.stack([c.deviation for c in curves]), power)
        return Power(np.maximum(total**2, least), np.maximum(deviation**2, least))

    def smallest(self, power: float, errors: Errors, chosen: Array) -> Power:
        """Return the smallest effects that are found with a probability, log-odds, (1 + D, C).

        Infinity where even `MAX_EFFECT` is not.

        Parameters
        ----------
        power
            Probability.
        errors
            Of the study.
        chosen
            R, shape (C,).
        """
        out = []
        for kind in ("total", "deviation"):
            low, high = np.zeros(errors.total.shape), np.full(errors.total.shape, MAX_EFFECT)
            for _ in range(HALVINGS):
                middle = (low + high) / 2.0
                enough = getattr(self.power(middle, errors, chosen), kind) >= power
                high = np.where(enough, middle, high)
                low = np.where(enough, low, middle)
            high[high >= MAX_EFFECT] = np.inf
            high[np.isnan(getattr(errors, kind))] = np.nan
            out.append(high)
        return Power(*out)


def _exceeds(size: Array, threshold: Array, doubt: Array) -> Array:
    """Return the probability that a normal number of this mean exceeds a threshold.

    `doubt` is the relative variance of the unit that both are in; size / unit is uncertain.
    """
    return np.asarray(ndtr((size - threshold) / np.sqrt(1.0 + doubt * size**2)))


def _replaced(variance: Array, before: Array, prior: Array, noise: Array) -> tuple[Array, Array]:
    """Return the standard error with other prior variances of deviations, and the true one (C,).

    A mean over domains, weighted by 1 / (noise + U), has the variance 1 / sum of the weights, of
    which U is no error where the domains do not differ.
    """
    weight, old = (np.nan_to_num(1.0 / (noise + U)) for U in (prior, before))
    fixed = variance - _inverse(old.sum(axis=0))
    new = np.maximum(fixed + _inverse(weight.sum(axis=0)), LEAST * variance)
    spurious = (weight**2 * prior).sum(axis=0) * _inverse(weight.sum(axis=0) ** 2)
    return np.sqrt(new), np.sqrt(np.maximum(new - spurious, LEAST * new))


def _inverse(total: Array) -> Array:
    """Return 1 / total, 0 where there is no total."""
    return np.where(total > 0, 1.0 / np.where(total > 0, total, 1.0), 0.0)


def _crossing(x: Array, power: Array, wanted: float) -> Array:
    """Return where power first reaches what is wanted, linear in x on the probit scale."""
    z = ndtri(np.clip(power, 1e-12, 1.0 - 1e-12))
    goal = ndtri(wanted)
    reached = z >= goal
    k = np.argmax(reached, axis=0)
    before = np.maximum(k - 1, 0)
    low, high = (np.take_along_axis(z, i[None], axis=0)[0] for i in (before, k))
    share = np.where(k > 0, (goal - low) / np.maximum(high - low, 1e-12), 0.0)
    out = np.where(reached.any(axis=0), x[before] + share * (x[k] - x[before]), np.inf)
    return np.where(np.isnan(power).all(axis=0), np.nan, out)
