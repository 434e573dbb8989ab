"""Win rates: exact intervals, sign tests and Holm's correction."""

from __future__ import annotations

import math
import random
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial

from palate.actions.hack_rates import (
    ALL,
    ANOTHER,
    ANTI,
    EXPLAINED,
    MATCHED,
    RANDOM,
    SAME,
    VANILLA,
    Match,
    rate_table,
)
from palate.actions.win_rates import interval, sign_test, win_rate
from palate.errors import InputError

FEW = st.integers(0, 9)


def test_a_rate_counts_ties_half_and_leaves_out_what_was_not_judged() -> None:
    found = win_rate([1.0, 0.5, 0.0, -1.0, math.nan])
    assert (found.wins, found.ties, found.losses, found.n) == (2, 1, 1, 4)
    assert found.rate == 0.625
    nothing = win_rate([math.nan])
    assert nothing.n == 0
    assert all(math.isnan(x) for x in (nothing.rate, nothing.low, nothing.high, nothing.p_value))


@pytest.mark.parametrize("wins", [0, 3, 10, 20, 25])
def test_without_ties_the_interval_is_that_of_clopper_and_pearson(wins: int) -> None:
    low, high = interval(wins, 0, 25 - wins)
    known = binomtest(wins, 25).proportion_ci(0.9)
    assert known.low - 0.004 <= low <= known.low + 1e-6  # a little wider, never narrower
    assert known.high - 1e-6 <= high <= known.high + 0.004


def test_ties_make_the_interval_narrower_and_all_ties_hold_one_half() -> None:
    widths = [
        high - low for t in (0, 10, 20) for low, high in [interval(20 - t // 2, t, 20 - t // 2)]
    ]
    assert widths[0] > widths[1] > widths[2]
    low, high = interval(0, 25, 0)
    assert low < 0.5 < high
    assert high - low < 0.2


@settings(max_examples=15)
@given(wins=FEW, ties=FEW, losses=FEW)
def test_exchanging_wins_and_losses_mirrors_everything(wins: int, ties: int, losses: int) -> None:
    if not wins + ties + losses:
        return
    low, high = interval(wins, ties, losses)
    mirrored = interval(losses, ties, wins)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-9)
    rate = (wins + ties / 2) / (wins + ties + losses)
    assert 0 <= low <= rate <= high <= 1
    assert sign_test(wins, ties, losses) == sign_test(losses, ties, wins)


@pytest.mark.parametrize("n", [1, 6])
def test_the_coverage_is_never_below_the_level(n: int) -> None:
    outcomes = [(w, t, n - w - t) for w, t in product(range(n + 1), repeat=2) if w + t <= n]
    ends = np.array([interval(*o) for o in outcomes])
    for win, tie in product(np.linspace(0, 1, 11), repeat=2):
        if win + tie > 1 + 1e-9:
            continue
        chances = [win, tie, max(1 - win - tie, 0.0)]
        weight = multinomial.pmf(outcomes, n, chances)
        truth = win + tie / 2
        inside = (ends[:, 0] <= truth + 1e-9) & (truth - 1e-9 <= ends[:, 1])
        assert weight[inside].sum() >= 0.9 - 1e-9, chances


@pytest.mark.slow
def test_the_coverage_is_near_the_level_where_ties_are_few_and_above_where_they_are_many() -> None:
    rng = np.random.default_rng(0)
    cases = (([0.6, 0.05, 0.35], 0.96), ([0.4, 0.3, 0.3], 0.98), ([0.1, 0.8, 0.1], 1.0))
    for chances, most in cases:
        truth, inside = chances[0] + chances[1] / 2, []
        for counts in rng.multinomial(40, chances, size=400):
            low, high = interval(*(int(c) for c in counts))
            inside.append(low <= truth <= high)
        assert 0.885 <= np.mean(inside) <= most, chances


def test_the_sign_test_is_the_exact_binomial_one() -> None:
    for wins, losses in ((0, 1), (3, 9), (20, 5), (7, 7)):
        assert sign_test(wins, 4, losses) == pytest.approx(binomtest(wins, wins + losses).pvalue)
    assert sign_test(0, 9, 0) == 1.0


@pytest.mark.parametrize("level", [0.0, 1.0, 0.999])
def test_a_level_that_cannot_be_kept_is_refused(level: float) -> None:
    with pytest.raises(InputError, match="level"):
        interval(1, 1, 1, level=level)


def null_matches(rng: random.Random, prompts: int, domains: int) -> list[Match]:
    """Matches in which no guidance matters; the judge ties now and then."""
    kinds = [(a, VANILLA) for a in (EXPLAINED, RANDOM, ANTI, ANOTHER)] + [(EXPLAINED, MATCHED)]
    return [
        Match(f"{d}-{i}", f"domain {d}", arm, against, rng.choice((1.0, -1.0, 0.0)), False)
        for d in range(domains)
        for i in range(prompts)
        for arm, against in kinds
    ]


def test_a_table_pairs_explained_and_random_by_prompt() -> None:
    matches = [
        Match("1", "x", EXPLAINED, VANILLA, 1.0, False),
        Match("1", "x", RANDOM, VANILLA, 0.0, True),
        Match("2", "x", EXPLAINED, VANILLA, -1.0, False),
        Match("2", "x", RANDOM, VANILLA, -1.0, False),
        Match("3", "x", EXPLAINED, VANILLA, math.nan, False),
        Match("3", "x", RANDOM, VANILLA, 1.0, False),
    ]
    table = rate_table(matches, level=0.9)
    row = table.filter(arm=EXPLAINED, against=RANDOM, domain="x").row(0, named=True)
    assert (row["wins"], row["ties"], row["losses"], row["failed"]) == (1, 1, 0, 1)
    row = table.filter(arm=RANDOM, domain=ALL).row(0, named=True)
    assert (row["prompts"], row["flips"], row["verdict"]) == (3, 1, SAME)


@pytest.mark.slow
def test_nothing_is_claimed_of_a_judge_that_ignores_guidance() -> None:
    rng, wrong = random.Random(0), [0, 0]
    for _ in range(120):
        table = rate_table(null_matches(rng, 9, 2), level=0.9)
        for k, whole in enumerate((True, False)):
            family = table.filter((pl.col("domain") == ALL) == whole)
            wrong[k] += bool((family["verdict"] != SAME).any())
    assert max(wrong) <= 20  # at most 12 are expected; above 20 has a chance below 1 %
