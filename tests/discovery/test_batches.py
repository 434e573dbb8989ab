"""Batches: their pairs carry what they were drawn for, as often as it occurs."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from palate.concepts.discovery.batches import (
    ALL_PAIRS,
    ANY,
    DIFFERENCE,
    QUESTIONS,
    Tagged,
    frequencies,
    make_batches,
    systematic,
)
from palate.concepts.discovery.settings import Settings

subsets = st.lists(st.sampled_from(["s1", "s2", "s3"]), unique=True, max_size=2).map(tuple)
tagged = st.lists(st.tuples(subsets, subsets), min_size=1, max_size=40).map(
    lambda tags: [Tagged(f"p{k:02d}", s, t) for k, (s, t) in enumerate(tags)]
)


@given(tagged, st.integers(1, 30), st.integers(1, 6), st.integers(0, 5))
def test_every_pair_of_a_batch_carries_its_combination(
    pairs: list[Tagged], number: int, size: int, seed: int
) -> None:
    by_id = {pair.id: pair for pair in pairs}
    frequency = frequencies(pairs, size=size)
    batches = make_batches(
        "d", pairs, number=number, size=size, labelled=True, commonplace=True, seed=seed
    )
    assert len(batches) == number
    for batch in batches:
        assert all(by_id[name].carries(batch.combination) for name in batch.pairs)
        assert len(batch.pairs) == len(set(batch.pairs)) == min(size, len(pairs))
    total = sum(frequency.values())
    drawn = Counter(batch.combination for batch in batches)
    for combination, count in frequency.items():
        assert abs(drawn[combination] - number * count / total) < 1 + 1e-9
    asked = Counter(batch.question for batch in batches)
    assert set(asked) <= set(QUESTIONS)
    assert max(asked.values()) - min(asked[q] for q in QUESTIONS) <= 1
    assert sum(batch.keeps_away for batch in batches) == (number + 1) // 2


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.integers(1, 200), st.integers())
def test_systematic_draws_follow_the_weights_within_one(
    weights: list[int], number: int, seed: int
) -> None:
    drawn = systematic(weights, number, np.random.default_rng(abs(seed)))
    assert len(drawn) == number
    for k, weight in enumerate(weights):
        assert abs(drawn.count(k) - number * weight / sum(weights)) < 1 + 1e-9


def test_a_combination_is_drawn_on_average_by_its_frequency() -> None:
    # of 20 pairs, 15 carry (s1, t1) and 5 (s2, t1): three in four of the batches
    pairs = [Tagged(f"p{k:02d}", ("s1",) if k < 15 else ("s2",), ("t1",)) for k in range(20)]
    drawn = Counter(
        batch.combination[0]
        for seed in range(200)
        for batch in make_batches(
            "d", pairs, number=3, size=5, labelled=True, commonplace=True, seed=seed
        )
    )
    assert abs(drawn["s1"] / 600 - 0.75) < 0.03


def test_rare_combinations_are_widened_first_over_tasks() -> None:
    pairs = [Tagged(f"p{k}", ("s1",), (f"t{k}",)) for k in range(6)] + [Tagged("q", ("s2",), ())]
    assert frequencies(pairs, size=5) == {("s1", ANY): 6, ALL_PAIRS: 1}
    assert Tagged("x").carries((None, None))
    assert not Tagged("x", ("s1",)).carries((None, None))


def test_all_pairs_are_shown_before_any_is_shown_twice() -> None:
    pairs = [Tagged(f"p{k:02d}") for k in range(30)]
    batches = make_batches("d", pairs, number=6, size=5, labelled=False, commonplace=False, seed=1)
    assert sorted(name for batch in batches for name in batch.pairs) == [p.id for p in pairs]
    assert {batch.question for batch in batches} == {DIFFERENCE}
    assert not any(batch.keeps_away for batch in batches)


def test_defaults_grow_with_the_data() -> None:
    settings = Settings()
    sizes = [10, 30, 100, 400, 3000]
    assert [settings.n_discovery(n) for n in sizes] == [5, 10, 30, 120, 400]
    assert [settings.n_batches(settings.n_discovery(n)) for n in sizes] == [5, 6, 6, 24, 60]
    assert [settings.n_batches(n) for n in (1, 3, 7)] == [1, 3, 6]
    assert Settings(batches=300).n_batches(400) == 300
    assert Settings(share=1.0).n_discovery(17) == 17
