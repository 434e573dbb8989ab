"""Typed decisions, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from palate.llm.backend import CallError, Reply
from palate.llm.decisions import DecisionBackend
from palate.llm.providers import open_model
from palate.llm.request import Message, Request

from .loopback import Heard, Loopback, Said, loopback

FIELDS: dict[str, Mapping[str, Any]] = {
    "c1": {"type": "boolean", "description": "Clarity"},
    "c2": {"enum": ["first", "second", "equal"], "description": "Humour"},
    "c3": {"type": "integer", "minimum": 1, "maximum": 4, "description": "Depth"},
    "c4": {"type": "integer", "enum": [0, 1, 2], "description": "Warmth"},
    "c5": {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}},
}


def request(fields: Mapping[str, Mapping[str, Any]] = FIELDS) -> Request:
    """A request about these fields."""
    schema = {"type": "object", "properties": dict(fields), "required": list(fields)}
    return Request((Message("system", "Judge."), Message("user", "A text.")), schema, "compare")


def ask(server: Loopback, asked: Request) -> Reply:
    """One call of a backend that is opened and closed for it."""

    async def call() -> Reply:
        backend = DecisionBackend(open_model("system-one:judge", base_url=server.url))
        try:
            return await backend.ask(asked)
        finally:
            await backend.close()

    return asyncio.run(call())


def decide(heard: Heard) -> Said:
    """What a server of the protocol answers: the later the option, the likelier."""
    answers: dict[str, Any] = {}
    for name, question in heard.json["questions"].items():
        if question["type"] == "noul":
            answers[name] = {"type": "noul", "noul": 0.75}
            continue
        count = len(question["criteria"])
        shares = [2 * (k + 1) / (count * (count + 1)) for k in range(count)]
        if question["type"] == "choice":
            spread = dict(zip(question["criteria"], shares, strict=True))
            best = max(spread, key=lambda label: spread[label])
            answers[name] = {"type": "choice", "choice": best, "probabilities": spread}
        else:
            mean = sum(k * share for k, share in enumerate(shares))
            spread = {str(k): share for k, share in enumerate(shares)}
            answers[name] = {"type": "score", "score": mean, "probabilities": spread}
        answers[name]["confidence"] = shares[-1]
    usage = {"input_tokens": 40, "output_tokens": 5}
    return Said({"model": "judge", "answers": answers, "usage": usage})


def test_the_likeliest_values_are_the_answer_and_every_probability_is_kept() -> None:
    with loopback(decide) as server:
        reply = ask(server, request())
    assert json.loads(reply.text) == {
        "c1": True,
        "c2": "equal",
        "c3": 4,
        "c4": 2,
        "c5": {"answer": "no"},
    }
    assert reply.probabilities is not None
    assert reply.probabilities["c1"] == {"true": 0.75, "false": 0.25}
    assert reply.probabilities["c2"] == pytest.approx(
        {"first": 1 / 6, "second": 2 / 6, "equal": 0.5}
    )
    assert reply.probabilities["c3"] == pytest.approx({"1": 0.1, "2": 0.2, "3": 0.3, "4": 0.4})
    assert list(reply.probabilities["c4"]) == ["0", "1", "2"]
    assert reply.probabilities["c5/answer"] == pytest.approx({"yes": 1 / 3, "no": 2 / 3})
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (40, 5)


def test_descriptions_are_the_questions_and_the_messages_the_state() -> None:
    with loopback(decide) as server:
        ask(server, request())
    (heard,) = server.heard
    assert heard.path == "/v1/systemone"
    assert heard.json["state"] == "Judge.\n\nA text."
    assert heard.json["questions"]["c1"] == {"type": "noul", "instructions": "Clarity"}
    assert heard.json["questions"]["c3"]["criteria"] == ["1", "2", "3", "4"]
    assert heard.json["questions"]["c5/answer"]["instructions"] == "c5/answer"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string"},
        {"type": "array"},
        {"type": "integer"},
        {"enum": ["only"]},
        {"enum": [1, "1"]},
    ],
)
def test_what_is_no_decision_is_refused_before_anything_is_sent(part: Mapping[str, Any]) -> None:
    with loopback(decide) as server, pytest.raises(CallError) as caught:
        ask(server, request({"c1": part}))
    assert caught.value.fatal
    assert "'c1'" in caught.value.detail
    assert not server.heard


@pytest.mark.parametrize(
    ("said", "reason", "retry"),
    [
        (Said({"error": "no"}, 401), "declined", False),
        (Said({"error": "slow"}, 429), "rate limit", True),
        (Said({"error": "oh"}, 500), "server error", True),
        (Said(b"nonsense"), "server error", True),
        (Said({"model": "judge", "answers": {}, "usage": {}}), "server error", True),
    ],
)
def test_failures(said: Said, reason: str, retry: bool) -> None:
    with loopback(lambda _: said) as server, pytest.raises(CallError) as caught:
        ask(server, request())
    assert (caught.value.reason, caught.value.retry) == (reason, retry)
    assert len(server.heard) == 1


def test_two_answers_to_one_question_are_none() -> None:
    def twice(heard: Heard) -> Said:
        body = json.dumps(decide(heard).body)
        return Said(body.replace('{"c1":', '{"c1": {"type": "noul", "noul": 0.1}, "c1":').encode())

    with loopback(twice) as server, pytest.raises(CallError, match="'c1' stands twice") as caught:
        ask(server, request())
    assert (caught.value.reason, caught.value.retry) == ("not json", True)
