"""Estimates and intervals against independent fits, invariances, and rates under known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import Effects, infer
from palate.inference.hierarchy import Array, Integers, Mask
from tests.growth import assert_within


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def draw(
    seed: int, n: int, b: list[float], s: list[list[float]] | None = None
) -> tuple[Array, Array, Integers, Mask]:
    """Return values, verdicts, domains and structure: ternary concepts, verdicts of a model."""
    random = np.random.default_rng(seed)
    own = np.zeros((2, len(b))) if s is None else np.array(s)
    X = random.choice([-1.0, 0.0, 1.0], size=(n, len(b)))
    codes = random.integers(0, len(own), n)
    z = np.einsum("ij,ij->i", X, (np.array(b) + own)[codes])
    y = np.where(random.random(n) < sigmoid(z), 1.0, -1.0)
    return X, y, codes, np.ones((len(own) + 1, len(b)), dtype=bool)


def test_with_many_pairs_effects_are_those_of_logistic_regression_in_each_domain() -> None:
    X, y, codes, exists = draw(0, 8_000, [0.8, -0.5, 0.0, 0.2], [[0.0] * 4, [0.0, 0.9, 0.0, 0.0]])
    found = infer(X, y, codes, np.arange(y.size), exists=exists)
    for d in range(2):
        rows = codes == d
        model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8).fit(X[rows], y[rows])
        p = model.predict_proba(X[rows])[:, 1]
        # inverse information, the textbook covariance of a logistic regression
        covariance = np.linalg.inv((X[rows] * (p * (1 - p))[:, None]).T @ X[rows])
        np.testing.assert_allclose(found.total.value[d], model.coef_[0], atol=0.02)
        np.testing.assert_allclose(found.total.se[d], np.sqrt(np.diag(covariance)), rtol=0.1)
    np.testing.assert_allclose(
        found.deviation.value[1], found.total.value[1] - found.total.value[0], atol=0.02
    )


def test_planted_effects_get_the_verdicts_that_they_deserve() -> None:
    s = np.zeros((8, 5))
    s[2, 1], s[3, 2] = -1.6, 1.4
    X, y, codes, exists = draw(1, 6_000, [0.8, 0.8, 0.0, 0.0, 0.0], s.tolist())
    support = supported(infer(X, y, codes, np.arange(y.size), exists=exists))
    assert support.shared.tolist() == [Verdict.EVERYWHERE.value] * 2 + [Verdict.NOT.value] * 3
    assert support.domain[2, 1] == Verdict.DIFFERS.value
    assert support.domain[3, 2] == Verdict.HERE.value
    assert (support.domain[:, 3:] == Verdict.NOT.value).all()


@given(st.integers(0, 50), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_exchanging_responses_changes_nothing(seed: int, flips: int) -> None:
    X, y, codes, exists = draw(seed, 300, [0.6, 0.0, -0.4], [[0.3, 0.0, 0.0], [0.0] * 3])
    random = np.random.default_rng(flips)
    side = random.choice([-1.0, 1.0], y.size)
    groups = random.integers(0, 150, y.size)
    one = infer(X, y, codes, groups, exists=exists)
    two = infer(X * side[:, None], y * side, codes, groups, exists=exists)
    same(one, two, rtol=0.0)


def test_the_order_of_the_pairs_and_the_names_of_groups_do_not_matter() -> None:
    X, y, codes, exists = draw(3, 400, [0.6, 0.0, -0.4], [[0.3, 0.0, 0.0], [0.0] * 3])
    random = np.random.default_rng(0)
    groups = random.integers(0, 150, y.size)
    order = random.permutation(y.size)
    one = infer(X, y, codes, groups, exists=exists)
    two = infer(X[order], y[order], codes[order], 7 * groups[order] - 3, exists=exists)
    same(one, two, rtol=1e-6)


def test_another_unit_of_a_concept_only_rescales_its_effect() -> None:
    X, y, codes, exists = draw(4, 500, [0.6, 0.0, -0.4], [[0.3, 0.0, 0.0], [0.0] * 3])
    groups = np.arange(y.size)
    one = infer(X, y, codes, groups, exists=exists)
    scale = np.array([10.0, 1.0, 0.01])
    two = infer(X * scale, y, codes, groups, exists=exists)
    for band in ("shared", "total", "deviation"):
        a, b = getattr(one, band), getattr(two, band)
        np.testing.assert_allclose(b.value * scale, a.value, rtol=1e-6)
        np.testing.assert_allclose(b.high * scale, a.high, rtol=1e-6)
        np.testing.assert_allclose(b.p_value, a.p_value, rtol=1e-6)


def test_copies_of_pairs_within_a_group_carry_no_information() -> None:
    X, y, codes, exists = draw(5, 400, [0.8, 0.0, -0.5], [[0.0] * 3, [0.0, 0.8, 0.0]])
    groups = np.arange(y.size)
    once = infer(X, y, codes, groups, exists=exists)
    five = [np.repeat(a, 5, axis=0) for a in (X, y, codes, groups)]
    copied = infer(*five, exists=exists)
    np.testing.assert_allclose(copied.total.value, once.total.value, atol=0.12)
    np.testing.assert_allclose(copied.total.se, once.total.se, rtol=0.15)
    # Taken for independent, the same copies make the errors smaller, at best by sqrt(5).
    fooled = infer(*five[:3], np.arange(five[1].size), exists=exists)
    assert (fooled.total.se < 0.75 * once.total.se).all()
    assert copied.linear.posterior.correlation > 0.9


def test_what_does_not_exist_or_hardly_varies_has_no_estimate() -> None:
    X, y, codes, exists = draw(6, 300, [0.8, 0.0, 0.0, 0.0], [[0.0] * 4, [0.0] * 4])
    exists[0, 1] = exists[2, 1] = False  # specific to the first domain
    X[codes == 1, 1] = 0.0
    X[:, 2] = 0.0
    X[np.flatnonzero(codes == 0)[:4], 2] = 1.0  # four groups of the first domain only
    found = infer(X, y, codes, np.arange(y.size), exists=exists)
    assert np.isnan(found.shared.value).tolist() == [False, True, True, False]
    assert np.isnan(found.total.value[1]).tolist() == [False, True, True, False]
    assert np.isnan(found.total.value[0]).tolist() == [False, False, True, False]
    assert np.isnan(found.deviation.value[0, 1])  # there is no elsewhere
    for band in (found.shared, found.total, found.deviation):
        np.testing.assert_array_equal(np.isnan(band.value), np.isnan(band.p_value))
        np.testing.assert_array_equal(np.isnan(band.value), np.isnan(band.low))


def test_an_effect_that_turns_in_one_of_four_domains_is_not_called_shared() -> None:
    X, y, codes, exists = draw(1, 4_000, [0.8], [[0.0], [0.0], [-1.6], [0.0]])
    support = supported(infer(X, y, codes, np.arange(y.size), exists=exists))
    assert support.shared.tolist() == [Verdict.NOT.value]
    assert support.domain.ravel().tolist() == [Verdict.HERE.value] * 4


def test_what_differs_in_one_domain_only_is_known_there_and_nowhere_else() -> None:
    X, y, codes, exists = draw(2, 800, [0.8, 1.2], [[0.0] * 2] * 4)
    X[codes != 1, 1] = 0.0
    random = np.random.default_rng(0)
    y = np.where(random.random(y.size) < sigmoid(X @ np.array([0.8, 1.2])), 1.0, -1.0)
    found = infer(X, y, codes, np.arange(y.size), exists=exists)
    assert np.isnan(found.shared.value).tolist() == [False, True]
    assert np.isfinite(found.total.value[:, 1]).tolist() == [False, True, False, False]
    assert found.total.low[1, 1] < 1.2 < found.total.high[1, 1]
    support = supported(found)
    assert support.shared.tolist() == [Verdict.EVERYWHERE.value, Verdict.NOT.value]
    assert (
        support.domain[:, 1].tolist()
        == ["not supported", Verdict.HERE.value] + [Verdict.NOT.value] * 2
    )


def test_a_single_domain_has_shared_effects_only() -> None:
    X, y, _, _ = draw(7, 500, [0.8, 0.0])
    exists = np.array([[True, True], [False, False]])
    found = infer(X, y, np.zeros(y.size, dtype=np.int64), np.arange(y.size), exists=exists)
    np.testing.assert_array_equal(found.total.value[0], found.shared.value)
    assert np.isnan(found.deviation.value).all()
    assert supported(found).shared.tolist() == [Verdict.EVERYWHERE.value, Verdict.NOT.value]


def test_more_concepts_than_pairs_are_no_obstacle() -> None:
    X, y, codes, exists = draw(8, 120, [1.5] + [0.0] * 149, [[0.0] * 150, [0.0] * 150])
    found = infer(X, y, codes, np.arange(y.size), exists=exists)
    assert found.shared.low[0] < 1.5 < found.shared.high[0]
    assert np.argmin(found.shared.p_value) == 0


@pytest.mark.parametrize("copies", [1, 40])
def test_verdicts_that_concepts_separate_have_large_but_finite_effects(copies: int) -> None:
    X, _, codes, exists = draw(10, 200, [0.0] * 6, [[0.0] * 6] * 2)
    X = np.repeat(X[X[:, 0] != 0], copies, axis=0)
    codes = np.repeat(codes[: len(X) // copies], copies)
    y = X[:, 0]
    found = infer(X, y, codes, np.arange(y.size), exists=exists)
    assert np.isfinite(found.shared.value).all()
    assert found.shared.low[0] > 0
    assert np.abs(found.linear.posterior.log_odds).max() < 50
    assert supported(found).shared[0] == Verdict.EVERYWHERE.value


def test_soft_verdicts_weigh_less_than_hard_ones() -> None:
    X, y, codes, exists = draw(9, 1_000, [0.8, 0.0], [[0.0] * 2, [0.0] * 2])
    hard = infer(X, y, codes, np.arange(y.size), exists=exists)
    soft = infer(X, y * 0.5, codes, np.arange(y.size), exists=exists)
    assert 0 < soft.shared.value[0] < hard.shared.value[0]


@pytest.mark.slow
def test_the_cost_at_the_scale_of_the_paper() -> None:
    """2,800 pairs, 8 domains, 75 shared concepts and 69 of each domain: at most 60 s."""
    random = np.random.default_rng(0)
    n, n_domains, n_shared, n_own = 2_800, 8, 75, 69
    exists = np.zeros((n_domains + 1, n_shared + n_domains * n_own), dtype=bool)
    exists[:, :n_shared] = True
    for d in range(n_domains):
        exists[1 + d, n_shared + d * n_own : n_shared + (d + 1) * n_own] = True
    codes = np.arange(n) % n_domains
    X = random.choice([-1.0, 0.0, 1.0], size=(n, exists.shape[1]), p=[0.2, 0.6, 0.2])
    X *= exists[1 + codes]
    y = np.where(random.random(n) < sigmoid(X[:, 0] - X[:, 1]), 1.0, -1.0)
    found = []
    assert_within(
        60, lambda: found.append(supported(infer(X, y, codes, np.arange(n), exists=exists)))
    )
    support = found[-1]
    assert (support.shared[:2] == Verdict.EVERYWHERE.value).all()


@pytest.mark.slow
def test_rates_under_known_truth() -> None:
    """Coin verdicts: any statement in at most 10 % of runs; planted: coverage of 90 % intervals.

    200 runs: two standard errors are 4 points for the first, and less for the second.
    """
    any_claim, inside, intervals = 0, 0, 0
    for seed in range(200):
        X, y, codes, exists = draw(1_000 + seed, 400, [0.0] * 20, [[0.0] * 20] * 4)
        support = supported(infer(X, y, codes, np.arange(y.size), exists=exists))
        said = {*support.shared.tolist(), *support.domain.ravel().tolist()}
        any_claim += said != {Verdict.NOT.value}
        b = [0.9, -0.6, 0.4] + [0.0] * 17
        X, y, codes, exists = draw(5_000 + seed, 400, b, [[0.0] * 20] * 4)
        found = infer(X, y, codes, np.arange(y.size), exists=exists)
        inside += int(((found.total.low <= b) & (b <= found.total.high)).sum())
        intervals += found.total.low.size
    assert any_claim <= 28
    assert 0.88 <= inside / intervals <= 0.96


def same(one: Effects, two: Effects, *, rtol: float) -> None:
    for band in ("shared", "total", "deviation"):
        for part in ("value", "low", "high", "p_value"):
            np.testing.assert_allclose(
                getattr(getattr(one, band), part), getattr(getattr(two, band), part), rtol=rtol
            )
