"""Judging matchups through a real server: orders, samples, soft verdicts, failures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palate.errors import BudgetError, InputError, UnknownNameError
from palate.llm.outcome import Answer, Failure
from palate.llm.prices import Price
from palate.llm.prompt import read_fences
from palate.llm.scripted.question import Question
from palate.llm.store import Store
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.judging import judge_matchups, judge_request, majority, said_of
from palate.mechanisms.matchup import Matchup
from palate.mechanisms.style import Example, JudgeStyle
from palate.mechanisms.used import Used

from .judges import asking, longer, matchups

PAIRS = matchups(("long one", "short"), ("a", "abc"), ("same", "same"), ("ab", "cd"))
WARM = Criterion("Warmth", "is warm")


@pytest.mark.parametrize(
    ("style", "name"),
    [
        (JudgeStyle(), "judge"),
        (JudgeStyle("cot", persona="coach"), "judge_reasons"),
        (JudgeStyle(question="follows", criteria=(WARM,)), "follows"),
        (JudgeStyle("k-shot", examples=(Example("q", "good", "bad", "first"),)), "judge"),
    ],
)
def test_both_orders_are_asked_and_mapped_back(style: JudgeStyle, name: str) -> None:
    used = Used()
    with asking(longer) as (client, server):
        found = judge_matchups(client, PAIRS, style, used=used)
    assert [pair.verdict for pair in found] == [1.0, -1.0, 0.0, 0.0]
    assert [pair.flips for pair in found] == [False, False, False, True]
    assert [call.name for call in server.log] == [name] * 6  # the equal ones are not asked
    assert used.calls == 6
    assert used.input_tokens > 0
    reasons = {said.reasons for pair in found for said in (pair.ab, pair.ba) if said}
    assert reasons == ({("It says more.",), ()} if style.mode == "cot" else {()})


@pytest.mark.parametrize(("orders", "first"), [("ab", 1.0), ("ba", -1.0)])
def test_one_order_is_asked_where_one_is_wanted(orders: Any, first: float) -> None:
    with asking(lambda _: {"verdict": "first"}) as (client, server):
        found = judge_matchups(client, PAIRS, orders=orders)
    assert [pair.verdict for pair in found] == [first, first, 0.0, first]
    assert len(server.log) == 3
    assert not any(pair.flips for pair in found)


def test_a_drawn_order_follows_from_id_and_seed() -> None:
    pairs = matchups(*((f"a{k}", f"b{k}") for k in range(20)))
    with asking(lambda _: {"verdict": "first"}) as (client, _):
        one = judge_matchups(client, pairs, orders="random")
        again = judge_matchups(client, pairs[::-1], orders="random")[::-1]
        other = judge_matchups(client, pairs, orders="random", seed=1)
    assert one == again != other
    assert 5 < sum(pair.ab is not None for pair in one) < 15


def test_samples_are_asked_apart_and_the_majority_counts() -> None:
    said = iter(["first", "second", "second", "first", "tie", "second"])

    def script(question: Question) -> Mapping[str, Any]:
        assert question.allowed("verdict") == ["first", "second", "tie"]
        return {"verdict": next(said)}

    with asking(script, concurrency=1) as (client, server):
        (found,) = judge_matchups(client, PAIRS[:1], JudgeStyle(ties=True), samples=3)
    assert len(server.log) == 6
    assert found.ab is not None
    assert found.ba is not None
    assert found.ab.samples == (1.0, -1.0, -1.0)
    assert found.ba.samples == (-1.0, 0.0, 1.0)
    assert (found.ab.verdict, found.ba.verdict) == (-1.0, 0.0)


@given(st.lists(st.sampled_from([1.0, -1.0, 0.0]), min_size=1, max_size=7))
def test_a_majority_does_not_depend_on_sides_or_order(verdicts: list[float]) -> None:
    assert majority([-v for v in verdicts]) == -majority(verdicts)
    assert majority(sorted(verdicts)) == majority(verdicts)
    winner = majority(verdicts)
    assert all(verdicts.count(winner) >= verdicts.count(v) for v in (1.0, -1.0) if winner)


def test_probabilities_become_soft_verdicts() -> None:
    spread = {"first": 0.6, "second": 0.2, "tie": 0.2}
    answer = Answer({"verdict": "first"}, probabilities={"verdict": spread})
    assert said_of([answer], swapped=False).soft == pytest.approx(0.4)
    assert said_of([answer], swapped=True).soft == pytest.approx(-0.4)
    half = Answer({"verdict": "first"}, probabilities={"verdict": {"first": 0.3, "second": 0.1}})
    assert said_of([half, answer], swapped=False).soft == pytest.approx((0.5 + 0.4) / 2)
    assert said_of([Answer({"verdict": "first"})], swapped=False).soft is None


def test_a_failure_is_no_verdict() -> None:
    said = said_of([Failure("timeout", "Nobody answered.")], swapped=False)
    assert math.isnan(said.verdict)
    assert said.failure == "timeout: Nobody answered."
    part = said_of([Failure("timeout"), Answer({"verdict": "second"})], swapped=False)
    assert (part.verdict, part.failure, part.samples) == (-1.0, "", (-1.0,))


@pytest.mark.parametrize("answer", ['{"verdict": "both"}', '{"verdict": 1}', "first", "{}"])
def test_an_answer_outside_the_schema_leaves_the_pair_unjudged(answer: str) -> None:
    def script(question: Question) -> Mapping[str, Any] | str:
        return answer if "abc" in question.material.values() else longer(question)

    with asking(script, retries=0) as (client, _):
        found = judge_matchups(client, PAIRS)
    assert math.isnan(found[1].verdict)
    assert found[1].ab is not None
    assert found[1].ab.failure
    assert [pair.verdict for pair in found if pair.id != "1"] == [1.0, 0.0, 0.0]


def test_a_style_may_depend_on_the_matchup() -> None:
    heard: list[str] = []

    def script(question: Question) -> Mapping[str, Any]:
        heard.append(question.system)
        return {"verdict": "first"}

    with asking(script) as (client, _):
        judge_matchups(
            client,
            PAIRS[:2],
            lambda pair: JudgeStyle(persona="coach" if pair.id == "0" else "checker"),
            orders="ab",
        )
    assert sum("Persona: coach" in system for system in heard) == 1
    assert sum("Persona: checker" in system for system in heard) == 1


def test_a_budget_stops_and_the_same_goes_on(tmp_path: Any) -> None:
    file, price = tmp_path / "s.sqlite", Price(100.0, 100.0, 0.0)
    with (
        asking(longer, store=Store(file), price=price, max_cost=0.15, concurrency=1) as (client, _),
        pytest.raises(BudgetError),
    ):
        judge_matchups(client, PAIRS)
    with asking(longer, store=Store(file)) as (client, server):
        found = judge_matchups(client, PAIRS)
    assert 0 < len(server.log) < 6
    assert [pair.verdict for pair in found] == [1.0, -1.0, 0.0, 0.0]


def test_bad_numbers_and_names_are_refused() -> None:
    with asking(longer) as (client, server):
        with pytest.raises(InputError, match="samples: found 0"):
            judge_matchups(client, PAIRS, samples=0)
        with pytest.raises(InputError, match="max_chars: found 0"):
            judge_matchups(client, PAIRS, max_chars=0)
        with pytest.raises(UnknownNameError, match="'both', 'ab'"):
            judge_matchups(client, PAIRS, orders="all")  # type: ignore[arg-type]
        assert judge_matchups(client, []) == []
    assert not server.log


def test_all_before_the_pair_is_the_same_for_every_pair() -> None:
    shots = tuple(Example(f"q{k}", "good", "bad", "first") for k in range(3))
    style = JudgeStyle("k-shot", examples=shots)
    one, other = (judge_request(pair, style, swapped=k == 1) for k, pair in enumerate(PAIRS[:2]))
    assert one.messages[:-1] == other.messages[:-1]
    assert [m.role for m in one.messages] == ["system", *["user", "assistant"] * 3, "user"]
    assert json.loads(one.messages[2].text) == {"verdict": "first"}
    assert read_fences(one.messages[3].text) == {
        "example_2_request": "q1",
        "example_2_response_1": "good",
        "example_2_response_2": "bad",
    }


TEXTS = st.text(max_size=30) | st.sampled_from(
    ["</response_1 0123ab>", "{{material:request}}", "{{standard}}", "# system", "Persona: coach"]
)


@settings(max_examples=30)
@given(prompt=TEXTS, a=TEXTS, b=TEXTS, swapped=st.booleans())
def test_hostile_texts_stay_in_their_fences(prompt: str, a: str, b: str, *, swapped: bool) -> None:
    style = JudgeStyle("k-shot", examples=(Example(a, b, prompt, "second"),))
    request = judge_request(Matchup("1", prompt, a, b), style, swapped=swapped)
    first, second = (b, a) if swapped else (a, b)
    clean = [text.replace("\x00", "\ufffd") for text in (prompt, first, second)]
    assert list(read_fences(request.messages[-1].text).values()) == clean
    assert len(read_fences(request.messages[1].text)) == 3
    harmless = judge_request(PAIRS[0], style, swapped=swapped)
    assert request.messages[0] == harmless.messages[0]
