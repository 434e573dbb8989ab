"""Planted judges answer by their weights, and the planted generator by what it is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from palate.data.preferences import Preferences
from palate.errors import InputError, UnknownNameError
from palate.llm.connect import connect
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.planted_answers import PlantedModel
from palate.llm.scripted.planted_concepts import library
from palate.llm.scripted.planted_judges import difference_shares
from palate.llm.scripted.planted_texts import count
from palate.llm.scripted.question import Question, named
from palate.llm.scripted.server import serve
from palate.mechanisms.criteria import Criterion, criteria_line
from palate.mechanisms.judging import judge_matchups
from palate.mechanisms.matchup import Matchup
from palate.mechanisms.style import JudgeStyle

from .talk import Connection, object_of

LEVEL = {concept.name: concept.level for concept in library()}
BLIND = dict.fromkeys(PlantedWorld().shared, 0.0)


def world(**changed: Any) -> PlantedWorld:
    """A world with a judge that heeds little but warmth, and one that heeds no concept."""
    settings: dict[str, Any] = {
        "n_pairs": 600,
        "mechanisms": {"judge": {}, "people": {"Warm tone": -1.0}, "blind": BLIND},
        "specific_of": {"blind": {}},
        "position_bias": 0.1,
        "error": 0.0,
    }
    return PlantedWorld(**{**settings, **changed})


def verdict_schema(*words: str) -> dict[str, Any]:
    part = {"type": "string", "enum": list(words), "description": "Which response is better?"}
    return object_of({"verdict": part})


def ask(
    script: PlantedModel,
    name: str,
    system: str = "",
    sample: int = 0,
    body: Mapping[str, Any] | None = None,
    **material: str,
) -> Mapping[str, Any]:
    schema = verdict_schema("first", "second")
    return script(Question(name, schema, system, material, body or {}, sample))


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "request": row["prompt"],
        "response_1": row["response_a"],
        "response_2": row["response_b"],
    }


def line(**aims: str) -> str:
    names = {name.replace("_", " "): aim for name, aim in aims.items()}
    return "Write.\n\n" + criteria_line([Criterion(n, f"shows {n}", a) for n, a in names.items()])


def test_lines_of_the_system_message_are_read() -> None:
    system = f"{line(Warm_tone='more', Repetition='less')}\nPersona: Fact checker\nWords: 120"
    question = Question("judge", {}, system, {"request": "Persona: coach\nWords: 9"}, {})
    assert [row["name"] for row in question.criteria] == ["Warm tone", "Repetition"]
    assert question.aims == {"Warm tone": 1, "Repetition": -1}
    assert (question.persona, question.words) == ("Fact checker", 120)
    assert named("Fact checker, strict", ["fact", "fact checker", "facts"]) == "fact checker"
    assert named("factual", ["fact"]) is None
    nothing = Question("judge", {}, "You judge. Words: 120", {}, {})
    assert (nothing.criteria, nothing.persona, nothing.words) == ([], None, None)
    with pytest.raises(InputError, match="no list of criteria"):
        _ = Question("judge", {}, 'Criteria: [{"name": "x"}]', {}, {}).criteria


@pytest.mark.slow
def test_win_rates_are_what_the_weights_say() -> None:
    """Wins and half of the ties against bias / 2 + (1 - bias) sigmoid(z), pair by pair."""
    planted = world(n_pairs=1_200)
    script, judges = planted.script(), planted.judges()
    said, firsts = {"first": 1.0, "second": 0.0}, 0.0
    excess, variance, flips = 0.0, 0.0, []
    for row in planted.rows():
        a, b, texts = row["response_a"], row["response_b"], shown(row)
        ab = said[ask(script, "judge", **texts)["verdict"]]
        ba = said[ask(script, "judge", **{**texts, "response_1": b, "response_2": a})["verdict"]]
        z = sum(
            weight * ((x > 0) - (x < 0))
            for name, weight in planted.mechanism("judge").weights(row["domain"]).items()
            if (x := LEVEL[name](a) - LEVEL[name](b)) or True
        )
        p = 1 / (1 + math.exp(-z))
        assert judges.chance(row["prompt"], a, b, mechanism="judge") == pytest.approx(0.1 + 0.9 * p)
        excess += (ab + 1 - ba) / 2 - (0.05 + 0.9 * p)
        variance += ((0.1 + 0.9 * p) * 0.9 * (1 - p) + (1 - 0.9 * p) * 0.9 * p) / 4
        firsts += ab + ba
        flips.append((abs(z), ab == ba))
    assert abs(excess) < 3 * math.sqrt(variance)
    assert firsts / 2_400 == pytest.approx(0.55, abs=0.03)
    flips.sort()
    near, far = ([flip for _, flip in part] for part in (flips[:400], flips[-400:]))
    assert sum(near) > 0.4 * 400
    assert sum(far) < 0.2 * 400


def test_the_persona_says_who_judges_and_samples_draw_for_themselves() -> None:
    planted = world(position_bias=0.0)
    script, rows = planted.script(judge="blind"), planted.rows()[:200]
    wins = {"": 0, "Persona: judge": 0, "Persona: people, all of them": 0, "Persona: nobody": 0}
    for row in rows:
        for persona in wins:
            answer = ask(script, "judge", persona, **shown(row))["verdict"]
            wins[persona] += answer == ("first" if row["labels"]["judge"] > 0 else "second")
    assert wins[""] == wins["Persona: nobody"]  # both are the one that heeds no concept
    assert 75 <= wins[""] <= 125
    assert wins["Persona: judge"] > wins["Persona: people, all of them"] > wins[""]
    again = [ask(script, "judge", sample=s, **shown(rows[0]))["verdict"] for s in range(40)]
    assert 8 <= again.count("first") <= 32
    assert again == [ask(script, "judge", sample=s, **shown(rows[0]))["verdict"] for s in range(40)]


def test_criteria_replace_what_the_judge_prefers() -> None:
    planted = world(position_bias=0.0)
    script, system = planted.script(judge="blind"), line(Warm_tone="less", Numbered_steps="more")
    followed = judged = both = 0
    for row in planted.rows()[:200]:
        a, b = row["response_a"], row["response_b"]
        steps, warm = (LEVEL[n](a) - LEVEL[n](b) for n in ("Numbered steps", "Warm tone"))
        value = (steps > 0) - (steps < 0) - ((warm > 0) - (warm < 0))
        expected = {1: "first", -1: "second", 0: "equal"}[(value > 0) - (value < 0)]
        followed += ask(script, "follows", system, **shown(row))["verdict"] == expected
        if abs(value) == 2:
            both += 1
            judged += ask(script, "judge", system, **shown(row))["verdict"] == expected
    assert followed == 200  # no error was set
    assert judged / both == pytest.approx(1 / (1 + math.exp(-3)), abs=0.08)
    unsure = world(error=0.2, position_bias=0.0).script()
    right = sum(
        ask(unsure, "follows", system, **shown(row)) == ask(script, "follows", system, **shown(row))
        for row in planted.rows()[:200]
    )
    assert right / 200 == pytest.approx(0.8, abs=0.06)


def test_the_generator_follows_its_instructions_with_its_fidelity() -> None:
    planted = world(fidelity=0.7)
    script, rows = planted.script(), planted.rows()[:400]
    system = line(Warm_tone="more", Technical_terms="less", Local_customs="more")
    found = [ask(script, "respond", system, request=row["prompt"])["response"] for row in rows]
    plain = [ask(script, "respond", request=row["prompt"])["response"] for row in rows]
    full = sum(LEVEL["Warm tone"](text) == 2 for text in found) / 400
    none = sum(LEVEL["Technical terms"](text) == 0 for text in found) / 400
    assert full == pytest.approx(0.7 + 0.3 * 0.2, abs=0.06)
    assert none == pytest.approx(0.7 + 0.3 * 0.45, abs=0.06)
    assert sum(LEVEL["Warm tone"](t) == 2 for t in plain) / 400 == pytest.approx(0.2, abs=0.06)
    elsewhere = [t for t, row in zip(found, rows, strict=True) if row["domain"] == "law"]
    assert 0.5 < sum(LEVEL["Local customs"](t) == 2 for t in elsewhere) / len(elsewhere) < 0.9
    assert plain == [ask(script, "respond", request=row["prompt"])["response"] for row in rows]
    assert plain[0] != ask(script, "respond", request=rows[0]["prompt"], sample=1)["response"]
    longer = [ask(script, "respond", "Words: 250", request=row["prompt"]) for row in rows[:50]]
    assert all(abs(count(answer["response"]) - 250) <= 5 for answer in longer)
    short = ask(script, "respond", "Words: 5", request=rows[0]["prompt"])["response"]
    assert count(short) > 20


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["travel", "health"])
def test_expected_win_rates_are_those_of_the_texts(domain: str) -> None:
    planted = world(fidelity=0.8)
    judges = planted.judges()
    for aims in ({"Warm tone": 1, "Repetition": -1}, {"Hedged claims": 1}, {}):
        chances = []
        for i in range(600):
            request = f"How should I plan a visit ({domain}, case {i})?"
            written = judges.response(request, aims=aims)
            plain = judges.response(request, sample=1)
            one = judges.chance(request, written, plain, mechanism="judge")
            chances.append(
                (one + 1 - judges.chance(request, plain, written, mechanism="judge")) / 2
            )
        mean = sum(chances) / len(chances)
        spread = math.sqrt(sum((c - mean) ** 2 for c in chances)) / len(chances)
        assert abs(mean - planted.win_rate(domain, aims)) < 3.5 * spread
    assert planted.win_rate(domain, {}) == pytest.approx(0.5, abs=1e-12)
    assert planted.win_rate(domain, {"Warm tone": 1}, mechanism="blind") == pytest.approx(0.5)
    up, down = (difference_shares(aim, 1.0) for aim in (1, -1))
    assert up == pytest.approx({-1: 0.0, 0: 0.2, 1: 0.8})
    assert down == pytest.approx({-1: 0.55, 0: 0.45, 1: 0.0})


def test_length_counts_where_it_is_set() -> None:
    planted = world(length_weights={"blind": 2.0}, position_bias=0.0)
    judges = planted.judges()
    long, short = "word " * 150, "word " * 50
    z = judges.log_odds("?", long, short, mechanism="blind")
    assert z == pytest.approx(2.0)
    assert judges.log_odds("?", long, short, mechanism="people") == 0
    with pytest.raises(InputError, match="ignore length"):
        planted.win_rate("law", {}, mechanism="blind")


def test_ratings_order_responses_as_the_weights_do() -> None:
    planted = world()
    script = planted.script()
    agree = known = 0
    for row in planted.rows()[:200]:
        a, b = (
            ask(script, "rate", request=row["prompt"], response=row[side])["score"]
            for side in ("response_a", "response_b")
        )
        assert {type(a), type(b)} == {int}
        assert {a, b} <= set(range(1, 11))
        known += a != b
        agree += (a - b) * row["labels"]["judge"] > 0
    assert known > 150
    assert agree > 0.75 * known


def test_verdicts_in_both_orders_are_those_that_the_model_gives() -> None:
    planted = world(n_pairs=40)
    rows = planted.rows(both_orders=["judge"])
    texts = [{k: v for k, v in r.items() if k not in ("labels", "meta")} for r in rows]
    plain = planted.rows()
    assert texts == [{k: v for k, v in r.items() if k != "labels"} for r in plain]
    assert all(
        r["labels"]["people"] == p["labels"]["people"] for r, p in zip(rows, plain, strict=True)
    )
    matchups = [Matchup(r["id"], r["prompt"], r["response_a"], r["response_b"]) for r in rows]
    with (
        serve(planted.script()) as server,
        connect("openai:planted", base_url=server.base_url) as client,
    ):
        judged = judge_matchups(client, matchups)
    won = {1.0: "a", -1.0: "b"}
    for row, one in zip(rows, judged, strict=True):
        assert one.ab is not None
        assert one.ba is not None
        assert row["meta"]["orders"]["judge"] == won[one.ab.verdict] + won[one.ba.verdict]
        assert row["labels"]["judge"] == one.verdict
    assert 0 < sum(one.flips for one in judged) < len(judged)
    preferences = Preferences.from_rows(rows)
    assert "orders" in preferences.json_metadata
    with pytest.raises(UnknownNameError, match="nobody"):
        planted.rows(both_orders=["nobody"])


def test_reasons_name_a_concept_and_probabilities_are_those_of_the_weights() -> None:
    planted = world()
    script, judges, row = planted.script(), planted.judges(), planted.rows()[0]
    answer = ask(script, "judge_reasons", **shown(row))
    assert list(answer) == ["reasons", "verdict"]
    assert any(concept.name in answer["reasons"] for concept in library())
    p = judges.chance(row["prompt"], row["response_a"], row["response_b"], mechanism="judge")
    asked = ask(script, "judge", body={"logprobs": True}, **shown(row))
    assert asked == {"verdict": {"first": p, "second": 1 - p}}


def test_typed_decisions_are_questions_about_verdicts_and_scores() -> None:
    planted = world()
    row = planted.rows()[0]
    fences = "\n".join(
        f"<{name} 0123ab>\n{text}\n</{name} 0123ab>" for name, text in shown(row).items()
    )
    state = f"You judge.\nPersona: people\n\n{fences}"

    def asked(words: list[str]) -> dict[str, Any]:
        question = {"type": "choice", "instructions": "?", "criteria": {w: w for w in words}}
        return {"model": "x", "state": state, "questions": {"verdict": question}}

    levels = [str(i) for i in range(1, 11)]
    rate = {"type": "score", "instructions": "?", "criteria": levels}
    with serve(planted.script()) as server, Connection(server.port) as talk:
        _, judged = talk.send("POST", "/v1/systemone", asked(["first", "second"]))
        _, followed = talk.send("POST", "/v1/systemone", asked(["first", "second", "equal"]))
        body = {"model": "x", "state": state, "questions": {"score": rate}}
        status, _ = talk.send("POST", "/v1/systemone", body)
        assert status == 200
        assert [call.name for call in server.log] == ["judge", "follows", "rate"]
    p = planted.judges().chance(
        row["prompt"], row["response_a"], row["response_b"], mechanism="people"
    )
    assert judged["answers"]["verdict"]["probabilities"]["first"] == pytest.approx(p)
    assert followed["answers"]["verdict"]["choice"] in ("first", "second", "equal")


def test_judges_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="nobody"):
        PlantedWorld(length_weights={"nobody": 1.0})
    with pytest.raises(UnknownNameError, match="nobody"):
        PlantedWorld().script(judge="nobody")
    with pytest.raises(InputError, match="fidelity"):
        PlantedWorld(fidelity=1.1)


def test_styles_of_judges_reach_the_planted_judge() -> None:
    planted = world(mechanisms={"blind": BLIND, "checker": {}}, position_bias=0.0)
    rows = planted.rows()[:60]
    matchups = [Matchup(r["id"], r["prompt"], r["response_a"], r["response_b"]) for r in rows]
    labels = [row["labels"]["checker"] for row in rows]
    with (
        serve(planted.script()) as server,
        connect("openai:planted", base_url=server.base_url) as client,
    ):
        checker = judge_matchups(client, matchups, JudgeStyle("cot", persona="checker"))
    assert sum(one.verdict * v for one, v in zip(checker, labels, strict=True)) > 20
