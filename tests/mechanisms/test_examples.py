"""Demonstrations: none of the pair's own group, balanced, shared where that is possible."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.errors import DataError, InputError, UnknownNameError
from palate.mechanisms.examples import draw_examples
from palate.mechanisms.judge import judge

from .judges import asking, longer, preferences


def leaks(pairs: Preferences, drawn: dict[str, tuple[str, ...]]) -> list[str]:
    """Pairs that are shown after one with their prompt or their responses, found text by text."""
    rows = {
        row["id"]: (row["prompt"], {row["response_a"], row["response_b"]})
        for row in pairs.to_rows()
    }
    return [
        own
        for own, shots in drawn.items()
        for shot in shots
        if rows[own][0] == rows[shot][0] or rows[own][1] == rows[shot][1]
    ]


@settings(max_examples=25)
@given(n=st.integers(1, 6), seed=st.integers(0, 99), prompts=st.integers(3, 14))
def test_no_pair_sees_its_own_group_and_answers_are_balanced(
    n: int, seed: int, prompts: int
) -> None:
    pairs = preferences(24, prompts=prompts)
    group = dict(zip(pairs.ids, groups(pairs).tolist(), strict=True))
    truth = dict(zip(pairs.ids, pairs.verdict("truth").tolist(), strict=True))
    texts = {row["id"]: row for row in pairs.to_rows()}
    drawn = draw_examples(pairs, "truth", n=n, seed=seed)
    assert list(drawn) == pairs.ids
    assert not leaks(pairs, {own: tuple(s.id for s in shots) for own, shots in drawn.items()})
    for own, shots in drawn.items():
        others = [group[shot.id] for shot in shots]
        assert group[own] not in others
        assert len(set(others)) == len(others) <= n
        firsts = sum(shot.example.verdict == "first" for shot in shots)
        if len(shots) == n:
            assert abs(2 * firsts - n) <= 1
        for shot in shots:
            row, example = texts[shot.id], shot.example
            better = row["response_a"] if truth[shot.id] > 0 else row["response_b"]
            assert (example.first if example.verdict == "first" else example.second) == better
            assert truth[shot.id] != 0


def test_a_domain_shares_its_demonstrations_but_for_their_own_groups() -> None:
    pairs = preferences(60, prompts=30, domains=2)
    group = dict(zip(pairs.ids, groups(pairs).tolist(), strict=True))
    drawn = draw_examples(pairs, "truth", n=4)
    domain_of = dict(zip(pairs.ids, pairs.pairs["domain"].to_list(), strict=True))
    for domain in pairs.domains:
        own = {pair: shots for pair, shots in drawn.items() if domain_of[pair] == domain}
        usual = max(set(own.values()), key=list(own.values()).count)
        shown = {group[shot.id] for shot in usual}
        assert {domain_of[shot.id] for shot in usual} == {domain}
        for pair, shots in own.items():
            assert (shots == usual) == (group[pair] not in shown)
            assert sum(a != b for a, b in zip(shots, usual, strict=True)) <= 1


def test_rows_in_another_order_draw_the_same() -> None:
    pairs = preferences(30)
    order = np.random.default_rng(0).permutation(30)
    again = draw_examples(pairs.select(order), "truth", n=3, seed=5)
    assert again == draw_examples(pairs, "truth", n=3, seed=5)
    assert again != draw_examples(pairs, "truth", n=3, seed=6)


def test_exchanged_sides_show_the_same_examples() -> None:
    pairs = preferences(30)
    assert draw_examples(pairs.swap(), "truth", n=3) == draw_examples(pairs, "truth", n=3)


def test_a_domain_with_too_few_pairs_borrows_from_others() -> None:
    rows = list(preferences(20, prompts=20, domains=1).to_rows())
    rows[0]["domain"] = "lonely"
    drawn = draw_examples(Preferences.from_rows(rows), "truth", n=4)
    assert len(drawn["p0"]) == 4
    assert "p0" not in {shot.id for shot in drawn["p0"]}


def test_what_cannot_be_drawn_is_told() -> None:
    pairs = preferences(12)
    with pytest.raises(UnknownNameError, match="'truth'"):
        draw_examples(pairs, "people")
    with pytest.raises(InputError, match="found 0"):
        draw_examples(pairs, "truth", n=0)
    alone = preferences(6, prompts=1)
    with pytest.raises(DataError, match="has no demonstrations"):
        draw_examples(alone, "truth")


def test_a_judge_is_shown_the_demonstrations_of_each_pair() -> None:
    pairs = preferences(16, prompts=8)
    with asking(longer) as (client, server):
        found = judge(pairs, client, name="k", examples_of="truth", n_examples=2, orders="ab")
    texts = {row["id"]: row["prompt"] for row in pairs.to_rows()}
    asked: dict[str, list[str]] = {}
    for call in server.log:
        users = [m["content"] for m in json.loads(call.body)["messages"] if m["role"] == "user"]
        asked[users[-1]] = users[:-1]
    assert len(asked) == 16
    for own, shots in found.examples.items():
        (before,) = {
            tuple(users) for last, users in asked.items() if f" {own[1:]}\n</response_1" in last
        }
        assert [texts[shot] in text for shot, text in zip(shots, before, strict=True)] == [True] * 2
    assert found.style["mode"] == "k-shot"
    assert found.style["examples_of"] == "truth"
    assert not leaks(pairs, dict(found.examples))
