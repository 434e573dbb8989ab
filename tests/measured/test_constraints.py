"""Limits and counts parsed from prompts, against hand-verified cases and written-out phrases."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palate.concepts.measured import bans, forbidden, format_wishes, limits, required
from palate.concepts.measured.bounds import Limit
from palate.concepts.measured.constraints import parse_limits
from palate.concepts.measured.text import Text
from tests.growth import assert_within

CASES = Path(__file__).parents[1] / "data" / "constraint_cases.json"
DEMO = Path(__file__).parents[2] / "src/palate/data/demo_set/pairs.jsonl.gz"
KIND = {"bullets": "items", "questions": "items"}


def parsed(prompt: str) -> list[tuple[str, int | None, int | None]]:
    return [tuple(limit) for limit in parse_limits(prompt)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Explain tides in under 50 words.", [("words", None, 49)]),
        ("Explain tides in at most three sentences.", [("sentences", None, 3)]),
        ("Answer with exactly 5 bullet points.", [("bullets", 5, 5)]),
        ("Write between 100 and 150 words about tides.", [("words", 100, 150)]),
        ("Write 100-150 words about tides.", [("words", 100, 150)]),
        ("Keep it to no more than 280 characters.", [("characters", None, 280)]),
        ("One paragraph please.", [("paragraphs", 1, 1)]),
        ("Write a 200-word essay on tides.", [("words", 180, 220)]),
        ("Write an essay of at least 1,000 words.", [("words", 1000, None)]),
        ("Write a five-paragraph essay on tides.", [("paragraphs", 5, 5)]),
        ("Give me three reasons.", [("items", 3, 3)]),
        ("List 5 animals.", [("items", 5, 5)]),
        ("Name the top ten movies.", [("items", 10, 10)]),
        ("Tell me three ways we can reduce air pollution.", [("items", 3, 3)]),
        ("I need exactly twenty-five names.", [("items", 25, 25)]),
        ("What are the main traps? Max three.", [("items", None, 3)]),
        ("Suggest two or three books.", [("items", 2, 3)]),
        ("Summarise it in two to three sentences.", [("sentences", 2, 3)]),
        ("The essay should have at least 500 words.", [("words", 500, None)]),
        ("Your answer must not exceed two hundred and fifty words.", [("words", None, 250)]),
        ("Describe it in about 40 words.", [("words", 36, 44)]),
        ("Limit your answer to 100 words.", [("words", None, 100)]),
        ("Word limit: 300 words.", [("words", None, 300)]),
        ("60 words at most, please.", [("words", None, 60)]),
        ("Generate a three paragraph essay.", [("paragraphs", 3, 3)]),
        ("Write a paragraph describing a sporting event.", [("paragraphs", 1, 1)]),
        ("Come up with three date ideas.", [("items", 3, 3)]),
        ("Aim for around 150 words.", [("words", 135, 165)]),
        ("Generate five words that rhyme.", [("items", 5, 5)]),
        ("Give me a couple of ideas.", [("items", 2, 2)]),
    ],
)
def test_stated_limits_are_read(
    prompt: str, expected: list[tuple[str, int | None, int | None]]
) -> None:
    assert parsed(prompt) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "How many words are in this sentence?",
        "I wrote a 500-word essay and my teacher liked it.",
        "My son says about 30 words and does not put two together yet.",
        "He has a spelling test of 20 words every Friday.",
        "Combine the following two sentences. He left. She came.",
        "What do these three words have in common?",
        "Two small startups want to swap information.",
        "I have 3 eggs, 2 tomatoes and $5.",
        "We are a family of five with two dogs and three cats.",
        "Create a password that is at least 8 characters long.",
        "The average of 3 numbers is 5. What is their sum?",
        "A train leaves at 5 and arrives 30 minutes later.",
        "Our twin girls are 5 and go to two schools.",
        "Choose one month.",
        "Given two sorted lists, merge them.",
    ],
)
def test_descriptions_are_not_limits(prompt: str) -> None:
    assert parsed(prompt) == []


def check(prompt: str, response: str) -> list[float]:
    return [limits.check(limit, Text(response)) for limit in parse_limits(prompt)]


def test_a_kept_limit_is_one_and_a_broken_one_is_minus_its_relative_excess() -> None:
    prompt = "Under 11 words please."  # at most 10
    assert check(prompt, "word " * 10) == [1.0]
    assert check(prompt, "word " * 15) == [-0.5]
    assert check(prompt, "word " * 100) == [-1.0]
    assert check("At least 10 words please.", "word " * 5) == [-0.5]


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("1. Heat\n2. Salt\n3. Time", 1.0),
        ("Here they are:\n\n- Heat\n- Salt\n- Time\n\nGood luck!", 1.0),
        ("**1. Heat**\n\nIt rises.\n\n**2. Salt**\n\nIt sinks.\n\n**3. Time**\n\nIt goes.", 1.0),
        ("- Heat\n- Salt", -1 / 3),
        ("1. Heat\n2. Salt\n3. Time\n4. Luck", -1 / 3),
        ("The first is heat. The second is salt. The third is time.", 1.0),
        ("Three reasons stand out: heat, salt and time.", 1.0),
        ("Heat\nSalt\nTime", 1.0),
    ],
)
def test_things_are_counted_in_lists_ordinals_and_announcements(
    response: str, value: float
) -> None:
    assert check("Give me three reasons.", response) == [pytest.approx(value)]


def test_things_in_plain_prose_cannot_be_counted() -> None:
    prose = "It may be the heat, although that depends. " * 20
    assert math.isnan(check("Give me three reasons.", prose)[0])


def test_prompts_without_limits_give_zeros() -> None:
    values = limits.measure(Text("Some answer."), Text("Why is the sky blue?"))
    assert values == (0.0,) * len(limits.CONCEPTS)


# -- hand-verified cases ------------------------------------------------------------------------


def demo() -> dict[str, dict[str, Any]]:
    with gzip.open(DEMO, "rt", encoding="utf-8") as file:
        return {row["id"]: row for row in map(json.loads, file)}


def score() -> dict[str, Counter[str]]:
    """Compare parser and checks with the hand-verified cases.

    Detection, per kind of limit: a stated limit is found if its kind, low and high are right;
    anything else that the parser finds is false. Verdict: "broken" and "kept" per response; a
    verdict on a limit that is not stated, or on one with other bounds, is false.
    """
    data = json.loads(CASES.read_text(encoding="utf-8"))
    rows = demo()
    by_id: dict[str, list[dict[str, Any]]] = {}
    for case in data["cases"]:
        by_id.setdefault(case["id"], []).append(case)
    assert set(by_id).isdisjoint(data["negatives"])
    assert set(by_id) | set(data["negatives"]) == set(rows)
    counts: dict[str, Counter[str]] = {"detected": Counter()}
    for name, row in rows.items():
        found = {
            (KIND.get(limit.unit, limit.unit), limit.low, limit.high): limit
            for limit in parse_limits(row["prompt"])
        }
        stated = {(c["kind"], c["low"], c["high"]): c for c in by_id.get(name, [])}
        for key in found.keys() | stated.keys():
            group = "items" if key[0] == "items" else "lengths"
            detection = counts.setdefault(f"{group} detected", Counter())
            detection["right"] += key in found and key in stated
            detection["found"] += key in found
            detection["stated"] += key in stated
            for side in "ab":
                hand = stated[key][side] if key in stated else None
                value = math.nan
                if key in found:
                    value = limits.check(found[key], Text(row[f"response_{side}"]))
                verdict = None if math.isnan(value) else "kept" if value == 1 else "broken"
                for which in ("kept", "broken"):
                    tally = counts.setdefault(f"{group} {which}", Counter())
                    tally["right"] += verdict == which == hand
                    tally["found"] += verdict == which
                    tally["stated"] += hand == which
    del counts["detected"]
    return counts


def test_hand_verified_cases() -> None:
    lines, low = [], []
    for name, n in sorted(score().items()):
        precision, recall = n["right"] / n["found"], n["right"] / n["stated"]
        lines.append(
            f"{name:17s} precision {precision:.2f} ({n['right']} of {n['found']})  "
            f"recall {recall:.2f} ({n['right']} of {n['stated']})"
        )
        if precision < 0.8 or recall < 0.6:
            low.append(name)
    print("\n" + "\n".join(lines))
    assert not low, "\n".join(lines)


def test_hand_counts_agree_with_the_verdicts_of_the_case_file() -> None:
    for case in json.loads(CASES.read_text(encoding="utf-8"))["cases"]:
        limit = Limit("items", case["low"], case["high"])
        for side in "ab":
            kept = limit.miss(case[f"count_{side}"]) == 0
            missing = case[f"count_{side}"] == 0 and case[side] == "broken"
            assert kept == (case[side] == "kept") or missing, case


# -- formats and bans ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "words", "openings", "letters", "forms"),
    [
        ("Don't use the word 'forbidden'.", ("forbidden",), (), (), set()),
        ('Avoid the words "sea" and "light".', ("sea", "light"), (), (), set()),
        ("Write it without using the letter e.", (), (), ("e",), set()),
        ("Please don't mention weight or alcohol.", ("weight", "alcohol"), (), (), set()),
        (
            "Please don't tell me to use processed cheese.",
            ("processed cheese",),
            (),
            (),
            set(),
        ),
        ("Don't begin with 'Welcome'.", (), ("welcome",), (), set()),
        ("No bullet points, no emojis.", (), (), (), {"list", "emoji"}),
        ("Don't use exclamation marks or tables.", (), (), (), {"exclamation", "table"}),
        ("No first person please.", (), (), (), {"first person"}),
        ("There's no table free at the restaurant.", (), (), (), set()),
        ("I don't mention it because it hurts.", (), (), (), set()),
        ("Why do cats purr?", (), (), (), set()),
    ],
)
def test_bans_are_read(
    prompt: str,
    words: tuple[str, ...],
    openings: tuple[str, ...],
    letters: tuple[str, ...],
    forms: set[str],
) -> None:
    assert bans.parse_bans(prompt) == (words, openings, letters, frozenset(forms))


@pytest.mark.parametrize(
    ("prompt", "response", "values"),
    [
        ("Avoid the word 'sea'.", "The seas are blue.", (0.0, 0.0)),
        ("Avoid the word 'sea'.", "The season is over.", (1.0, 0.0)),
        ("Avoid the letter 'e'.", "A big cat sat.", (1.0, 0.0)),
        ("Avoid the letter 'e'.", "The cat.", (0.0, 0.0)),
        ("No bullet points.", "- one\n- two", (0.0, 0.0)),
        ("No bullet points.", "One and two.", (0.0, 1.0)),
        ("No links please.", "See https://example.org.", (0.0, 0.0)),
        ("No emojis.", "Fine \U0001f600", (0.0, 0.0)),
        ("Why?", "Because!", (0.0, 0.0)),
    ],
)
def test_bans_are_checked(prompt: str, response: str, values: tuple[float, float]) -> None:
    assert forbidden.measure(Text(response), Text(prompt)) == values


@pytest.mark.parametrize(
    ("prompt", "response", "share"),
    [
        ("Write a sentence using the words 'sea' and 'light'.", "The sea is calm.", 0.5),
        ("Use the following three words: love, hope and rain.", "Love hopes for rain.", 1.0),
        ("Answer with the last word to be 'bound'.", "We are bound.", 1.0),
        ("Answer with the last word to be 'bound'.", "Bound are we.", 0.0),
        ("Begin with the word 'Once'.", "Once upon a time.", 1.0),
        ("Respond containing the character '!'.", "Yes!", 1.0),
        ("Do not use the word 'sea'.", "The sea.", 0.0),
        ("Use less salt.", "Use less salt.", 0.0),
    ],
)
def test_required_words_are_read_and_looked_for(prompt: str, response: str, share: float) -> None:
    assert required.measure(Text(response), Text(prompt)) == (share,)


def test_people_prefer_the_response_that_keeps_the_constraint(shared_data: Path) -> None:
    """Human gold of pairs in which one of the responses meets a stated requirement."""
    agree: Counter[str] = Counter()
    differ: Counter[str] = Counter()
    with gzip.open(shared_data / "judges.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["domain"] != "Case-Constraint":
                continue
            prompt, a, b = (Text(row[k]) for k in ("prompt", "response_a", "response_b"))
            for family in (limits, forbidden, required):
                pairs = zip(family.measure(a, prompt), family.measure(b, prompt), strict=True)
                size = sum(x - y for x, y in pairs if not math.isnan(x - y))
                differ[family.__name__] += size != 0
                agree[family.__name__] += size * row["labels"]["human"] > 0
    print("\n", dict(agree), "of", dict(differ))
    assert sum(differ.values()) >= 60
    assert all(agree[name] >= 0.95 * differ[name] for name in differ)


# -- hostile input ------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "at most",
        "max",
        "between",
        "and",
        "100",
        "one",
        "twenty",
        "-",
        "hundred",
        "words",
        "sentences",
        "three",
        "reasons",
        "give me",
        ".",
        ",",
        "\n",
        "no",
        "don't use",
        "the word",
        "'",
        '"',
        "in",
        "a",
        "bullet points",
        "json",
        "table",
        "list",
        "1,000",
        "5.5",
        "9999999999999",
        "%",
        "é",
        "单词",
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map(" ".join)))
def test_any_prompt_can_be_parsed(prompt: str) -> None:
    for limit in parse_limits(prompt):
        assert limit.low is not None or limit.high is not None
        assert limit.low is None or limit.high is None or limit.low <= limit.high
        assert limit.low is None or limit.low >= 0
        value = limits.check(limit, Text(prompt))
        assert math.isnan(value) or value == 1.0 or -1.0 <= value < 0.0
    bans.parse_bans(prompt)
    format_wishes.parse_wishes(prompt)
    for family in (limits, forbidden, required):
        family.measure(Text(prompt), Text(prompt))


@pytest.mark.parametrize(
    "piece",
    ["at most ", "1,", "one ", "twenty-", "a" * 50, "don't use ", "'a", '"', "100 words ", "\n",
     "between 1 and ", "a hundred and ", "no list ", "list of ", "1. ", "- ", "second "],
)  # fmt: skip
def test_time_is_linear_in_hostile_prompts_and_responses(piece: str) -> None:
    def check_all(n: int) -> None:
        text = piece * (n // len(piece))
        parse_limits(text)
        bans.parse_bans(text)
        format_wishes.parse_wishes(text)
        required.parse_wanted(text)
        for limit in (Limit("items", 3, 3), Limit("words", 1, 2), Limit("paragraphs", 1, 1)):
            limits.check(limit, Text(text))

    check_all(1_000)
    assert_within(4.0, lambda: check_all(200_000))
