"""Intervals and tests of broken ties, against binomial figures and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from palate.actions.coverage_curve import coverage_curve
from palate.actions.ties_scores import (
    coin_test,
    difference,
    gain,
    proportion,
    scores_of,
)


@given(n=st.integers(1, 60), k=st.integers(0, 60))
def test_with_groups_of_one_the_test_is_the_binomial_one(n: int, k: int) -> None:
    values = np.where(np.arange(n) < min(k, n), 0.5, -0.5)
    expected = stats.binomtest(min(k, n), n, 0.5).pvalue
    assert coin_test(values, np.arange(n)) == pytest.approx(expected, abs=1e-12)


def test_ties_that_stay_say_nothing_and_many_groups_are_approximated() -> None:
    values = np.array([0.5, 0.5, 0.5, 0.0, 0.0, -0.5])
    assert coin_test(values, np.arange(6)) == coin_test(values[values != 0], np.arange(4))
    many = np.where(np.arange(6_000) < 3_100, 0.5, -0.5)
    exact = stats.binomtest(3_100, 6_000, 0.5).pvalue
    assert coin_test(many, np.arange(6_000)) == pytest.approx(exact, rel=0.05)
    assert coin_test(np.zeros(0), np.zeros(0, dtype=np.int64)) is None


def test_a_group_counts_once_in_the_test() -> None:
    values = np.full(12, 0.5)
    assert coin_test(values, np.repeat([0, 1, 2], 4)) == pytest.approx(2 / 8)


def test_a_proportion_of_single_groups_is_that_of_agresti_and_coull() -> None:
    scores = np.array([1.0] * 9 + [0.0] * 3)
    found = proportion(scores, np.arange(12), level=0.9)
    z = stats.norm.ppf(0.95)
    centre = (9 + z**2 / 2) / (12 + z**2)
    half = stats.t.ppf(0.95, 11 + z**2) * np.sqrt(centre * (1 - centre) / (12 + z**2))
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half))


def test_few_pairs_that_all_go_one_way_have_a_wide_interval() -> None:
    found = proportion(np.ones(4), np.arange(4), level=0.9)
    assert found.value == found.high == 1.0
    assert found.low is not None
    assert found.low < 0.7
    assert proportion(np.zeros(0), np.zeros(0, dtype=np.int64), level=0.9) == (None, None, None)


def test_pairs_of_few_groups_are_no_more_than_their_groups() -> None:
    one_prompt = proportion(np.ones(500), np.zeros(500, dtype=np.int64), level=0.9)
    assert one_prompt == (1.0, None, None)
    alone, many = (
        proportion(np.ones(5 * k), np.repeat(np.arange(5), k), level=0.9) for k in (1, 40)
    )
    assert many == pytest.approx(alone)  # pairs of a group that all say the same are one
    mixed = np.repeat([1.0, 1.0, 0.0], 30)
    found = proportion(mixed, np.repeat([0, 1, 2], 30), level=0.9)
    assert found == pytest.approx(proportion(mixed[::30], np.arange(3), level=0.9))


def test_the_curve_starts_at_one_half_and_ends_where_all_are_broken() -> None:
    random = np.random.default_rng(0)
    right = random.choice([-1.0, 1.0], 200)
    sureness = random.random(200)
    wrong = random.random(200) > 0.5 + sureness / 2  # the surer, the more often right
    broken = np.where(wrong, -right, right)
    broken[:20] = 0.0
    rows = coverage_curve(broken, sureness, right, np.arange(200), level=0.9)
    assert rows[0]["accuracy"] == 0.5
    assert rows[0]["n_broken"] == 0
    assert rows[-1]["accuracy"] == pytest.approx(scores_of(broken, right).mean())
    assert rows[-1]["n_broken"] == 180
    assert all(r["n_broken"] <= r["allowed"] * 200 + 1e-9 for r in rows)
    assert rows[2]["accuracy_broken"] > rows[-1]["accuracy_broken"]


def test_pairs_that_are_equally_sure_are_broken_together() -> None:
    rows = coverage_curve(np.ones(10), np.ones(10), np.ones(10), np.arange(10), level=0.9)
    assert {r["n_broken"] for r in rows} == {0, 10}
    assert coverage_curve(*np.ones((3, 0)), np.zeros(0, dtype=np.int64), level=0.9) == []


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("alike", [0.0, 0.2, 0.6, 1.0])
@pytest.mark.parametrize(
    ("n_groups", "each"), [(2, 20), (3, 20), (5, 4), (8, 20), (12, 1), (20, 3), (30, 10)]
)
def test_intervals_hold_at_their_level(
    share: float, alike: float, n_groups: int, each: int
) -> None:
    random = np.random.default_rng([n_groups, each, round(100 * share), round(10 * alike)])
    groups = np.repeat(np.arange(n_groups), each)
    hits, runs = 0, 500
    for _ in range(runs):
        scores = _scores(random, groups, n_groups, share, alike)
        found = proportion(scores, groups, level=0.9)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= share <= found.high
    assert hits / runs > 0.85  # 0.87 but for the error of so many runs


def _scores(
    random: np.random.Generator, groups: np.ndarray, n_groups: int, share: float, alike: float
) -> np.ndarray:
    """Scores of pairs, alike within a group: 0 not at all, 1 all the same."""
    own = np.full(n_groups, share)
    if alike == 1:
        own = (random.random(n_groups) < share).astype(float)
    elif alike:
        k = (1 - alike) / alike
        own = random.beta(k * share, k * (1 - share), n_groups)
    return (random.random(groups.size) < own[groups]).astype(float)


@pytest.mark.slow
def test_differences_and_gains_hold_at_their_level() -> None:
    random = np.random.default_rng(5)
    runs = 2_000
    hits = np.zeros(2)
    for _ in range(runs):
        one, other = random.random(40) < 0.75, random.random(40) < 0.6
        found = difference(one.astype(float) - other, np.arange(40), level=0.9)
        moved = np.where(np.arange(200) < 40, 0.0, 0.0)
        moved[:40] = one - 0.5
        whole = gain(moved, np.arange(200), level=0.9)
        assert found.low is not None
        assert whole.low is not None
        hits += [found.low <= 0.15 <= found.high, whole.low <= 0.25 * 0.2 <= whole.high]
    assert (hits / runs > 0.87).all()
