"""Statistics of judges: exact tests, exact intervals, and what simulations say of both."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from palate.data.preferences import Preferences
from palate.inference.sign_flips import sign_test
from palate.validate.judge_quality import judge_quality
from palate.validate.judge_quality_result import ALL
from palate.validate.judge_quality_shares import shares
from tests.validate.test_judge_quality import world


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_exact_test_counts_all_signs(sums: list[int]) -> None:
    values = [sum(s * x for s, x in zip(signs, sums, strict=True)) for signs in
              itertools.product((1, -1), repeat=len(sums))]  # fmt: skip
    expected = np.mean([abs(v) >= abs(sum(sums)) for v in values])
    assert sign_test(sums) == pytest.approx(expected)


def test_with_single_pairs_it_is_the_sign_test_and_many_are_normal() -> None:
    assert sign_test([1] * 14 + [-1] * 5 + [0] * 40) == pytest.approx(
        stats.binomtest(14, 19).pvalue
    )
    exact, normal = (sign_test([1] * (k // 2 + k // 100) + [-1] * (k // 2 - k // 100))
                     for k in (20_000, 20_002))  # fmt: skip
    assert exact == pytest.approx(normal, rel=0.05)
    assert sign_test([]) == sign_test([0, 0]) == 1.0


@pytest.mark.parametrize(("won", "n"), [(0, 30), (1, 40), (20, 50), (95, 100), (60, 60)])
def test_with_single_pairs_the_interval_is_clopper_and_pearsons(won: int, n: int) -> None:
    x = np.zeros((n, 1))
    x[:won] = 1.0
    found = shares(x, np.ones((n, 1)), np.zeros(n, dtype=np.int64), np.arange(n), 1)
    low, high = (float(end[0, 0]) for end in found.interval(0.9))
    exact = stats.binomtest(won, n).proportion_ci(0.9, method="exact")
    assert low <= exact.low + 1e-9
    assert high >= exact.high - 1e-9
    assert high - low <= 1.03 * (exact.high - exact.low)


def test_copies_of_a_pair_add_no_certainty() -> None:
    one = world(n=60, bias=0.1)
    five = Preferences(
        pl.concat([one.pairs.with_columns((pl.col("id") + f"-{k}").alias("id")) for k in range(5)]),
        pl.concat([one.verdicts] * 5),
        pl.concat([one.metadata] * 5),
        one.json_metadata,
    )
    few, many = (judge_quality(p, reference="people").row("judge 0") for p in (one, five))
    for name in ("accuracy", "flips", "first_shown", "place_p"):
        assert many[name] == pytest.approx(few[name])
    for end in ("accuracy_low", "accuracy_high", "flips_low", "first_shown_high"):
        assert many[end] == pytest.approx(few[end], abs=0.004)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "truth"),
    [
        ({"n": 60, "right": 0.95}, {"accuracy": 0.95, "first_shown": 0.5}),
        ({"n": 120, "bias": 0.05}, {"accuracy": 0.77, "flips": 0.1, "first_shown": 0.55}),
        ({"n": 400, "bias": 0.01}, {"flips": 0.02, "first_shown": 0.51}),
        ({"n": 160, "per_prompt": 4, "together": 1.0, "bias": -0.1},
         {"accuracy": 0.74, "flips": 0.2, "first_shown": 0.4}),
    ],
)  # fmt: skip
def test_intervals_hold_the_truth(case: dict[str, Any], truth: dict[str, float]) -> None:
    held = dict.fromkeys(truth, 0)
    draws = 400
    for seed in range(draws):
        row = judge_quality(world(seed=seed, **case), reference="people").row("judge 0")
        for name, value in truth.items():
            held[name] += row[f"{name}_low"] <= value <= row[f"{name}_high"]
    # 400 draws of a coverage of .9 are above .87 with probability .98
    assert min(held.values()) >= 0.87 * draws, held


@pytest.mark.slow
def test_judges_without_differences_are_seldom_told_apart() -> None:
    """Five equal judges, pairs of a prompt alike: ranks and places at the nominal family rate."""
    told = lean = 0
    draws = 200
    for seed in range(draws):
        preferences = world(n=120, per_prompt=3, together=0.7, judges=5, right=0.7, seed=seed)
        random = np.random.default_rng(seed)
        flipped = {  # flips that go either way
            f"judge {j}": [str(random.choice(["aa", "ab", "ba", "bb"])) for _ in range(120)]
            for j in range(5)
        }
        column = [json.dumps({m: said[i] for m, said in flipped.items()}) for i in range(120)]
        noisy = Preferences(
            preferences.pairs,
            preferences.verdicts,
            pl.DataFrame({"orders": column}),
            frozenset({"orders"}),
        )
        pooled = judge_quality(noisy, reference="people").frame.filter(domain=ALL)
        told += bool(((pooled["rank_low"] > 1) | (pooled["rank_high"] < 5)).any())
        lean += bool((pooled["place_p_adjusted"] <= 0.1).any())
    # 200 draws at a rate of .1 are below .15 with probability .99
    assert told <= 0.15 * draws
    assert lean <= 0.15 * draws
