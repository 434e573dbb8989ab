"""Power and planned sizes: limits, symmetries, and errors against studies that were made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from palate.inference.effects import Effects, infer
from palate.inference.grams import alike, noise_and_bias
from palate.inference.power import Planner
from palate.inference.rescaled import likely_deviations, replicated
from palate.inference.study import Inflation, Study

D, C = 4, 6


def data(n: int, seed: int, *, domains: int = D, repeats: int = 1) -> tuple[np.ndarray, ...]:
    """Ternary values, many small effects, n pairs in every domain; each pair `repeats` times."""
    random = np.random.default_rng(seed)
    truth = np.random.default_rng(1)
    codes = np.repeat(np.arange(domains), n // repeats)
    X = random.choice([-1.0, 0.0, 1.0], size=(codes.size, C), p=[0.3, 0.4, 0.3])
    own = truth.normal(0, 0.2, C) + truth.normal(0, 0.1, (domains, C))
    chance = expit(np.einsum("ij,ij->i", X, own[codes]))
    y = np.where(random.random(codes.size) < chance, 1.0, -1.0)
    take = np.repeat(np.arange(codes.size), repeats)
    return X[take], y[take], codes[take], take


def pilot(n: int = 120, seed: int = 0, *, domains: int = D, repeats: int = 1) -> Effects:
    X, y, codes, groups = data(n, seed, domains=domains, repeats=repeats)
    return infer(X, y, codes, groups, exists=np.ones((domains + 1, C), dtype=bool))


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(pilot(), np.full(D, 120.0))


@pytest.fixture(scope="module")
def planner(study: Study) -> Planner:
    return Planner(study, fdr=0.1, seed=0)


def test_errors_are_those_of_studies_that_were_made(study: Study) -> None:
    # four times the pilot; the errors that `infer` reports are the reference
    made = pilot(4 * 120, seed=5)
    planned = study.errors(np.full(D, 4.0))
    for ours, theirs in (
        (planned.total[0], made.shared.se / np.sqrt(made.spread)),
        (planned.total[1:], made.total.se),
        (planned.deviation[1:], made.deviation.se),
    ):
        ratio = float(np.exp(np.mean(np.log(ours / theirs))))
        assert ratio == pytest.approx(1.0, abs=0.15)


def test_replicating_pairs_is_repeating_their_rows() -> None:
    effects = pilot(40)
    p = effects.linear.posterior
    factors = np.array([3.0, 1.0, 2.0, 1.0])
    weight = p.weight.copy()
    for f, b in zip(factors, p.blocks, strict=True):
        weight[b.rows] *= f
    got, _ = replicated(p, weight)
    # the dense covariance of all effects, from rows that stand several times in the data
    size = C * (1 + D)
    A = np.zeros((size, size))
    for d, (f, b) in enumerate(zip(factors, p.blocks, strict=True)):
        rows = np.zeros((b.rows.size, size))
        rows[:, p.shared] = b.common
        rows[:, C * (1 + d) + b.own] = b.values
        for _ in range(int(f)):
            A += (rows * p.weight[b.rows][:, None]).T @ rows
    prior = np.concatenate([p.variance, *(b.variance for b in p.blocks)])
    G = np.linalg.inv(A + np.diag(1.0 / prior))
    assert got.Gbb == pytest.approx(G[:C, :C], rel=1e-8)
    for d, b in enumerate(got.blocks):
        at = slice(C * (1 + d), C * (2 + d))
        assert b.Gss == pytest.approx(G[at, at], rel=1e-8)
        assert b.Gbs == pytest.approx(G[:C, at], rel=1e-8, abs=1e-12)


def test_swapping_the_responses_changes_nothing() -> None:
    X, y, codes, groups = data(120, 0)
    turn = np.where(np.arange(y.size) % 2, 1.0, -1.0)
    exists = np.ones((D + 1, C), dtype=bool)
    other = infer(X * turn[:, None], y * turn, codes, groups, exists=exists)
    ours = Planner(Study(pilot(), np.full(D, 120.0)), fdr=0.1, seed=0).pairs(0.4, 0.8)
    theirs = Planner(Study(other, np.full(D, 120.0)), fdr=0.1, seed=0).pairs(0.4, 0.8)
    assert np.array_equal(ours.total, theirs.total)
    assert np.array_equal(ours.deviation, theirs.deviation, equal_nan=True)


def test_smaller_effects_more_power_and_less_fdr_need_more_pairs(study: Study) -> None:
    def needed(theta: float, power: float, fdr: float, **more: bool) -> np.ndarray:
        return Planner(study, fdr=fdr, seed=0).pairs(theta, power, **more).total

    middle = needed(0.4, 0.8, 0.1)
    assert np.isfinite(middle).all()
    assert (needed(0.3, 0.8, 0.1) > middle).all()
    assert (needed(0.4, 0.9, 0.1) > middle).all()
    assert (needed(0.4, 0.8, 0.05) > middle).all()
    assert (needed(0.4, 0.8, 0.1, alone=True) >= middle).all()
    assert (middle[1:].mean(axis=0) > middle[0]).all()  # one domain takes more than all together


def test_power_at_the_planned_size_is_what_was_asked_for(planner: Planner) -> None:
    needed = planner.pairs(0.4, 0.8)
    effect = np.full(needed.total.shape, 0.4)
    for d, j in ((0, 1), (2, 3)):
        n = float(needed.total[d, j])
        got = planner.power(effect, planner.errors(n), planner.chosen(n), doubt=True)
        assert got.total[d, j] == pytest.approx(0.8, abs=0.01)
    n = float(needed.deviation[2, 3])
    got = planner.power(effect, planner.errors(n), planner.chosen(n), doubt=True)
    assert got.deviation[2, 3] == pytest.approx(0.8, abs=0.01)


def test_the_smallest_effect_has_the_power_that_was_asked_for(
    study: Study, planner: Planner
) -> None:
    now = study.errors(np.ones(D))
    chosen = planner.count(now)
    least = planner.smallest(0.8, now, chosen)
    assert planner.power(least.total, now, chosen).total == pytest.approx(0.8, abs=1e-3)
    differences = planner.power(least.deviation, now, chosen).deviation[1:]
    assert differences == pytest.approx(0.8, abs=1e-3)
    assert np.isnan(least.deviation[0]).all()


def test_a_single_concept_and_domain_come_to_the_textbook() -> None:
    # nothing else to know: N = (z + z')^2 / (theta^2 E sigma' mean x^2), Hsieh 1989
    random = np.random.default_rng(0)
    x = random.choice([-1.0, 1.0], size=(4000, 1))
    y = random.choice([-1.0, 1.0], size=4000)
    codes, exists = np.zeros(4000, dtype=np.int64), np.array([[True], [False]])
    effects = infer(x, y, codes, np.arange(4000), exists=exists)
    theta = 0.05
    got = Planner(Study(effects, np.array([4000.0])), fdr=0.1, seed=0).pairs(theta, 0.8)
    wanted = (stats.norm.isf(0.05) + stats.norm.ppf(0.8)) ** 2 / (theta**2 * 0.25)
    assert got.total[0, 0] == pytest.approx(wanted, rel=0.05)


def test_pairs_that_repeat_each_other_count_less() -> None:
    effects = pilot(240, repeats=3)
    together = Study(effects, np.full(D, 240.0))
    assert together.repeats.mean() == pytest.approx(1 / 3, abs=0.12)  # three copies of one verdict
    apart = Study(effects, np.full(D, 240.0), singly=True)
    one = Planner(together, fdr=0.1, seed=0).pairs(0.5, 0.8).total[1:]
    other = Planner(apart, fdr=0.1, seed=0).pairs(0.5, 0.8).total[1:]
    assert np.median(one / other) == pytest.approx(3.0, rel=0.35)


def test_what_cannot_be_estimated_has_no_plan() -> None:
    X, y, codes, groups = data(60, 0)
    X[codes == 2, 1] = 0.0
    effects = infer(X, y, codes, groups, exists=np.ones((D + 1, C), dtype=bool))
    needed = Planner(Study(effects, np.full(D, 60.0)), fdr=0.1, seed=0).pairs(0.5, 0.8)
    assert np.isnan(needed.total[3, 1])
    assert np.isnan(needed.deviation[3, 1])
    assert np.isnan(needed.total).sum() == 1


def test_effects_that_are_too_small_are_out_of_reach(planner: Planner) -> None:
    assert np.isinf(planner.pairs(1e-4, 0.8).total[1:]).all()


def test_the_scale_of_deviations_is_not_taken_for_0_in_a_small_pilot() -> None:
    for seed in range(3):
        p = pilot(30, seed).linear.posterior
        assert 0.02 < likely_deviations(p)[1] < 0.4


def test_inflation_is_the_mean_of_the_larger_one() -> None:
    # a normal ratio with mean .95 and standard deviation .2, by simulation
    dof = np.array([50.0])
    factor = Inflation(mean=0.95, scale=0.2 / np.sqrt(2 / 50)).factor(dof)
    drawn = np.maximum(1.0, np.random.default_rng(0).normal(0.95, 0.2, 200_000))
    assert factor[0] == pytest.approx(drawn.mean(), abs=2e-3)


def test_noise_and_bias_from_grams_are_those_of_the_estimates() -> None:
    X, y, codes, groups = data(60, 0)
    exists = np.ones((D + 1, C), dtype=bool)
    exists[0, 1] = exists[2, 1] = False  # specific to some domains
    X = np.where(exists[0] | exists[1 + codes], X, 0.0)
    linear = infer(X, y, codes, groups, exists=exists).linear
    p = linear.posterior
    p, _ = replicated(p, p.weight)  # the covariance at the very weights of the posterior
    linear = replace(linear, posterior=p)
    turned = X * y[:, None]
    grams = [(turned[b.rows] * p.weight[b.rows][:, None]).T @ turned[b.rows] for b in p.blocks]
    theirs = [linear.shared(), *(i for d in range(D) for i in linear.domain(d))]
    for (noise, bias), influence in zip(noise_and_bias(p, grams), theirs, strict=True):
        assert noise == pytest.approx(influence.model, rel=1e-6)
        assert bias == pytest.approx(influence.bias, rel=1e-6, abs=1e-9)


def test_a_domain_with_fewer_pairs_than_concepts_tells_them_apart_in_a_larger_study() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 30))
    rows = [np.arange(20), np.arange(20, 40)]
    for gram in alike(X, np.ones(40), rows):
        assert np.linalg.eigvalsh(gram).min() > 0.1
    for gram, own in zip(alike(X, np.ones(40), rows), rows, strict=True):
        assert np.diag(gram) == pytest.approx((X[own] ** 2).sum(axis=0))
