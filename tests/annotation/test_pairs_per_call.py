"""Several pairs in one call: which share one, and that none gains or loses by the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import palate
from palate.concepts.annotation.asking import Question, Spent, Together, ask
from palate.concepts.annotation.policy import AnnotationState, Decision, keep_all
from palate.concepts.annotation.protocols import choose
from palate.concepts.annotation.together import together
from palate.concepts.annotation.typical import typical_answer
from palate.data.preferences import Preferences
from palate.llm.dry import DryClient
from palate.llm.outcome import Answer, Failure
from palate.llm.prices import Price
from palate.llm.prompt import read_fences
from palate.llm.request import Message, Request
from palate.llm.scripted.question import Question as Asked
from palate.llm.scripted.server import serve
from palate.llm.store import Store

from .asked import asking, connect, demo_concepts, demo_pairs, demo_script


def first(rows: Iterable[int]) -> list[tuple[int, bool]]:
    """Rows in the first order."""
    return [(row, False) for row in rows]


IDS = [f"pair {k}" for k in range(300)]


@given(st.sets(st.integers(0, 299), max_size=120), st.integers(1, 8), st.randoms())
def test_groups_are_full_and_do_not_depend_on_the_order_of_rows(
    rows: set[int], size: int, chance: Any
) -> None:
    listed = sorted(rows)
    groups = [[r for r, _ in g] for g in together(IDS, first(listed), size, seed=4)]
    assert sorted(row for group in groups for row in group) == listed
    assert sum(len(group) < size for group in groups) <= 1
    order = list(range(300))
    chance.shuffle(order)  # the same pairs on other rows
    ids = [IDS[k] for k in order]
    there = first([k for k, row in enumerate(order) if row in rows])
    turned = together(ids, there, size, seed=4)
    assert [[ids[k] for k, _ in group] for group in turned] == [
        [IDS[k] for k in group] for group in groups
    ]


def test_another_pair_moves_few_groups_and_another_seed_all() -> None:
    before = set(together(IDS, first(range(299)), 2, seed=0))
    moved = [
        len(before - set(together(IDS, first(r for r in range(299) if r != gone), 2, seed=0)))
        for gone in range(0, 299, 7)
    ]
    assert max(moved) <= 12
    assert np.mean(moved) < 6
    other = set(together(IDS, first(range(299)), 2, seed=1))
    assert len(before & other) < 10


def test_equal_ids_and_places_end() -> None:
    groups = together(["x"] * 7, first(range(7)), 2, seed=0)
    assert [[row for row, _ in group] for group in groups] == [[0, 1], [2, 3], [4, 5], [6]]
    assert together([], [], 3, seed=0) == []


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_a_pair_never_stands_beside_itself(n: int) -> None:
    both = [(row, exchanged) for row in range(n) for exchanged in (False, True)]
    for size in (2, 3, 8):
        groups = together(IDS, both, size, seed=2)
        assert sorted(item for group in groups for item in group) == both
        assert all(len({row for row, _ in group}) == len(group) for group in groups)
    assert len(together(IDS, both, 2, seed=2)) == max(n, 2)


@pytest.mark.parametrize("size", [2, 3, 8])
def test_values_are_those_of_single_questions(size: int) -> None:
    pairs, found = demo_pairs(4), {}
    for n in (1, size):
        with asking() as (client, server):
            found[n] = palate.annotate(
                pairs, demo_concepts(), client, pairs_per_call=n, audit_pairs=24
            )
        kinds = Counter(call.name for call in server.log)
        if n == 1:
            assert kinds == {"compare": 60 + 24}
        else:
            assert kinds.total() <= 84 / size + 8
            assert kinds["compare"] <= 8  # one a domain
    for name in ("first", "second"):
        one, many = (getattr(found[n], name) for n in (1, size))
        np.testing.assert_array_equal(one, many)
    np.testing.assert_array_equal(found[1].matrix.values, found[size].matrix.values)
    assert found[size].spent.input_tokens < found[1].spent.input_tokens * (0.5 + 0.6 / size)
    assert found[size].choices["pairs_per_call"] == size


def grouped(client: DryClient, pairs: Preferences, **how: Any) -> set[tuple[str, ...]]:
    """The requests that are asked about in one call, for each call."""
    calls = set()

    def answer(request: Request) -> Mapping[str, Any]:
        texts = read_fences(request.messages[1].text)
        calls.add(tuple(text for name, text in texts.items() if name.startswith("request")))
        return typical_answer(request)

    palate.annotate(pairs, demo_concepts(), DryClient(Price(1.0, 1.0, 1.0), answer), **how)
    return calls


def test_calls_stay_within_a_domain_and_are_the_same_for_rows_in_any_order() -> None:
    pairs = demo_pairs(3)
    domain_of = dict(pairs.pairs.select("prompt", "domain").rows())
    calls = grouped(DryClient(), pairs, pairs_per_call=3)
    assert max(len(call) for call in calls) == 3
    for call in calls:
        assert len({domain_of[request] for request in call}) == 1
        assert len(set(call)) == len(call)  # never a pair beside itself
    turned = pairs.select(np.random.default_rng(1).permutation(pairs.n_pairs).tolist())
    assert grouped(DryClient(), turned, pairs_per_call=3) == calls


def test_a_pair_that_spoils_the_call_costs_the_other_nothing() -> None:
    pairs = demo_pairs(4)
    bad = pairs.pairs["prompt"][3]

    def script(question: Asked) -> Mapping[str, Any]:
        if question.material["request"] == bad:
            return {"nonsense": 1}
        return demo_script("demo")(question)

    how: dict[str, Any] = {"second_order": "never", "pairs_per_call": 2}
    with asking(script) as (client, server):
        found = palate.annotate(pairs, demo_concepts(), client, **how)
    with asking() as (client, _):
        whole = palate.annotate(pairs, demo_concepts(), client, **how)
    assert np.isnan(found.matrix.values[3]).all()
    np.testing.assert_array_equal(
        np.delete(found.matrix.values, 3, axis=0), np.delete(whole.matrix.values, 3, axis=0)
    )
    assert list(found.failures) == [pairs.ids[3]]
    assert sum(bad[:30].encode() in call.body for call in server.log) <= 8 * 3


@pytest.mark.parametrize(
    "fault",
    [
        "refusal",
        "length",
        "too long",
        "500",
        "renamed",
        pytest.param("10 MB", marks=pytest.mark.slow),
    ],
)
def test_whatever_a_shared_call_fails_with_is_asked_pair_by_pair(fault: str) -> None:
    law = [k for k, d in enumerate(demo_pairs().pairs["domain"]) if d == "law"]
    pairs = demo_pairs().select(law[:4])
    how: dict[str, Any] = {"second_order": "never", "pairs_per_call": 2}
    tries = 1 if fault in ("refusal", "too long", "length") else 3
    found = []
    for chaos in ([], [fault] * tries):  # the first call fails as often as it is tried
        with (
            serve(demo_script("demo"), chaos=chaos) as server,
            connect("openai:tiny", base_url=server.base_url, retries=2, concurrency=1) as client,
        ):
            found.append(palate.annotate(pairs, demo_concepts(), client, **how))
    np.testing.assert_array_equal(found[0].matrix.values, found[1].matrix.values)
    assert not found[1].failures
    right = Counter(call.name for call in server.log if call.fault is None)
    assert right == {"compare_pairs": 1, "compare": 2}


def test_a_model_that_answers_one_pair_only_answers_all() -> None:
    def one_only(question: Asked) -> Mapping[str, Any]:
        return {} if question.name == "compare_pairs" else demo_script("demo")(question)

    found = []
    for script in (demo_script("demo"), one_only):
        with serve(script) as server, connect("openai:tiny", base_url=server.base_url) as client:
            found.append(palate.annotate(demo_pairs(12), demo_concepts(), client, audit_pairs=5))
    np.testing.assert_array_equal(found[0].matrix.values, found[1].matrix.values)
    assert not found[1].failures


class Says:
    """Answers every request with the outcome of its number."""

    def __init__(self, *outcomes: Answer | Failure) -> None:
        self.outcomes, self.asked = list(outcomes), []

    def ask(self, requests: list[Request]) -> list[Any]:
        """The outcomes in their order."""
        self.asked += [request.name for request in requests]
        return [self.outcomes.pop(0) for _ in requests]


def two() -> Together:
    """Two pairs that share a call."""

    def build(columns: tuple[int, ...]) -> Request:
        return Request((Message("user", f"{columns}"),), {}, "compare")

    return Together(
        (Question(0, (3,), build), Question(1, (3,), build)),
        lambda: Request((Message("user", "both"),), {}, "compare_pairs"),
    )


def test_an_answer_is_taken_apart_with_its_probabilities() -> None:
    soft = {"p1/c1": {"first": 0.7}, "p2/c1": {"first": 0.2}, "p10/c1": {"first": 0.1}}
    client = Says(Answer({"p1": {"c1": "first"}, "p2": {"c1": "equal"}}, probabilities=soft))
    done = list(ask(client, [two()], spent=(spent := Spent()), block=5))
    assert [question.row for question, _ in done] == [0, 1]
    assert [outcome.value for _, outcome in done] == [{"c1": "first"}, {"c1": "equal"}]  # type: ignore[union-attr]
    assert [outcome.probabilities for _, outcome in done] == [  # type: ignore[union-attr]
        {"c1": {"first": 0.7}},
        {"c1": {"first": 0.2}},
    ]
    assert spent.calls == 1


def test_what_no_pair_can_help_fails_for_both() -> None:
    client = Says(Failure("connection"))
    done = list(ask(client, [two()], spent=Spent(), block=5))
    assert [outcome for _, outcome in done] == [Failure("connection")] * 2
    client = Says(Failure("declined"), Failure("declined"), Answer({"c1": "first"}))
    done = list(ask(client, [two()], spent=(spent := Spent()), block=5))
    assert client.asked == ["compare_pairs", "compare", "compare"]
    assert [isinstance(outcome, Answer) for _, outcome in done] == [False, True]
    assert spent.calls == 1


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    pairs = demo_pairs(6)
    how: dict[str, Any] = {"pairs_per_call": 3, "audit_pairs": 16}

    class StopError(Exception):
        """Ends a run in the middle."""

    def stop(done: int, total: int) -> None:
        if done:
            raise StopError

    rounds = {"rounds": (0.4, 0.3)}
    bodies = []
    for name, rows in (("whole", range(40)), ("resumed", range(40)), ("turned", range(40)[::-1])):
        store = tmp_path / f"{'whole' if name == 'whole' else 'cut'}.sqlite"
        some = pairs.select(list(rows))
        with asking(store=Store(store)) as (client, server):
            if name == "resumed":
                with pytest.raises(StopError):
                    palate.annotate(some, demo_concepts(), client, progress=stop, **how, **rounds)
                assert 0 < len(server.log) < len(bodies[0])
            found = palate.annotate(some, demo_concepts(), client, **how, **rounds)
            found.save(tmp_path / name)
        bodies.append([call.body for call in server.log])
    assert sorted(bodies[0]) == sorted(bodies[1])  # each question once
    assert bodies[2] == []  # another order of rows asks nothing that is new
    for file in ("values.jsonl", "annotation.json", "failures.jsonl", "concepts.json"):
        assert (tmp_path / "whole" / file).read_bytes() == (
            tmp_path / "resumed" / file
        ).read_bytes(), file


def test_a_policy_that_drops_concepts_parts_no_pair_from_its_values() -> None:
    pairs, concepts = demo_pairs(3), demo_concepts()

    def policy(state: AnnotationState) -> Decision:
        keep = keep_all(state).keep.copy()
        keep[: len(keep) // 2, 0] = False
        keep[:, 1] = False
        second = np.zeros_like(keep)
        second[:, 2] = True
        return Decision(keep, second, {concepts[1].name: "no chance"})

    found = {}
    for n in (1, 4):
        with asking() as (client, server):
            found[n] = palate.annotate(
                pairs, concepts, client, policy=policy, rounds=(0.4, 0.3), pairs_per_call=n
            )
        if n == 4:
            assert Counter(call.name for call in server.log)["compare_pairs"] > 16
    one, many = found[1], found[4]  # which pairs are in the first round differs
    for name in ("first", "second"):
        both = np.isfinite(getattr(one, name)) & np.isfinite(getattr(many, name))
        assert both.any(axis=0).sum() >= 20
        np.testing.assert_array_equal(getattr(one, name)[both], getattr(many, name)[both])
    for n in found:
        known = np.isfinite(found[n].first)
        assert (known == found[n].asked)[found[n].applies].all()
        assert known[:, 2:][found[n].applies[:, 2:]].all()
        assert 0.2 < known[:, 1].mean() < 0.6
    assert found[1].dropped == found[4].dropped == {concepts[1].name: "no chance"}
    assert found[1].stopped == found[4].stopped


def test_typed_decisions_give_the_same_soft_values_for_two_pairs() -> None:
    pairs, soft = demo_pairs(24), {}
    for n in (1, 2):
        with asking(model="system-one:tiny") as (client, server):
            soft[n] = palate.annotate(
                pairs, demo_concepts()[:4], client, second_order="never", pairs_per_call=n
            ).matrix.values
        assert ("compare_pairs" in {call.name for call in server.log}) == (n == 2)
    np.testing.assert_array_equal(soft[1], soft[2])
    assert ((soft[2] != np.round(soft[2])) & (np.abs(soft[2]) < 1)).any()


def test_a_choice_that_needs_calls_of_its_own_has_them() -> None:
    assert choose("lean", with_policy=False).pairs_per_call > 1
    for how in ({"reasons": True}, {"relevance": "call"}):
        assert choose("lean", with_policy=False, **how).pairs_per_call == 1
    for protocol in ("paper", "score"):
        assert choose(protocol, with_policy=False).pairs_per_call == 1
    some = choose("paper", with_policy=False, relevance="none", reasons=False, pairs_per_call=4)
    assert some.pairs_per_call == 4
