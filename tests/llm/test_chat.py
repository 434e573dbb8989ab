"""Chat models, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from palate.errors import UnknownNameError
from palate.llm.backend import CallError, Reply
from palate.llm.chat import ChatBackend
from palate.llm.outcome import Usage
from palate.llm.providers import OWN_KEY, PLACEHOLDER, open_model
from palate.llm.request import Message, Request

from .loopback import Heard, Loopback, Said, answered, completion, loopback

SCHEMA = {
    "type": "object",
    "properties": {"c1": {"type": "integer", "minimum": 1, "maximum": 7, "description": "Clarity"}},
    "required": ["c1"],
    "additionalProperties": False,
}
REQUEST = Request(
    (Message("system", "Judge."), Message("user", "Text.")), SCHEMA, "score", max_tokens=50
)
KEY = "planted-4f1d9c2277e8"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", OWN_KEY):
        monkeypatch.delenv(name, raising=False)


def ask(server: Loopback, request: Request = REQUEST, **settings: object) -> Reply:
    """One call of a backend that is opened and closed for it."""

    async def call() -> Reply:
        opened = open_model("openai:m", base_url=server.url, timeout=2.0)
        backend = ChatBackend(opened, **{"timeout": 2.0, **settings})  # type: ignore[arg-type]
        try:
            return await backend.ask(request)
        finally:
            await backend.close()

    return asyncio.run(call())


def failure(said: Said) -> tuple[CallError, int]:
    """How a call fails, and how often the server was asked."""
    with loopback(lambda _: said) as server, pytest.raises(CallError) as caught:
        ask(server)
    return caught.value, len(server.heard)


def test_an_answer_and_its_tokens_and_what_is_sent() -> None:
    with loopback(lambda _: Said(completion('{"c1": 5}'))) as server:
        reply = ask(server, seed=3)
    assert reply == Reply('{"c1": 5}', Usage(120, 7, 64))
    (heard,) = server.heard
    assert heard.path == "/v1/chat/completions"
    assert heard.json == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": "Text."},
        ],
        "max_tokens": 50,
        "temperature": 0.0,
        "seed": 3,
        "stream": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "score", "schema": SCHEMA, "strict": True},
        },
    }


def test_what_travels_with_every_request_is_said() -> None:
    with loopback(lambda _: Said(completion("{}"))) as server:
        opened = open_model("openai:m", base_url=server.url)
        sent = ChatBackend(opened, temperature=0.5, seed=1).sent
        plain = ChatBackend(opened, temperature=None).sent
        whole = ChatBackend(opened, temperature=0).sent
        reasoning = open_model("openai:gpt-5-mini", base_url="https://api.openai.com/v1")
        none = ChatBackend(reasoning).sent
    assert sent == {"model": "openai:m", "temperature": 0.5, "seed": 1}
    assert plain == {"model": "openai:m"}
    assert REQUEST.key(whole) == REQUEST.key({"model": "openai:m", "temperature": 0.0})
    assert none == {"model": "openai:gpt-5-mini", "thinking": "off"}, "no temperature"


def test_a_model_that_must_think_thinks_little_and_its_answer_has_room() -> None:
    def sent(level: str) -> dict[str, object]:
        with loopback(lambda _: Said(completion('{"c1": 5}'))) as server:
            opened = open_model("openai:m", base_url=server.url, timeout=2.0)

            async def call() -> None:
                from pydantic_ai.models.openai import OpenAIChatModel

                model = OpenAIChatModel("gpt-5-mini", provider=opened.model._provider)
                backend = ChatBackend(replace(opened, model=model), thinking=level)
                await backend.ask(REQUEST)
                await backend.close()

            asyncio.run(call())
            return server.heard[0].json

    off, low = sent("off"), sent("low")
    assert (off["reasoning_effort"], off["max_completion_tokens"]) == ("minimal", 50 + 2_048)
    assert (low["reasoning_effort"], low["max_completion_tokens"]) == ("low", 50 + 4_096)
    with loopback(lambda _: Said(completion('{"c1": 5}'))) as server:
        ask(server, thinking="low")  # a server of one's own may think without saying so
    assert server.heard[0].json["max_tokens"] == 50 + 4_096
    assert "reasoning_effort" not in server.heard[0].json
    with pytest.raises(UnknownNameError, match="medium"):
        ChatBackend(open_model("openai:m", base_url=server.url), thinking="much")


def test_another_sample_has_another_seed() -> None:
    with loopback(lambda _: Said(completion("{}"))) as server:
        ask(server, Request(REQUEST.messages, SCHEMA, "score", sample=4), seed=3)
    assert server.heard[0].json["seed"] == 7


@pytest.mark.parametrize("text", ['```json\n{"c1": 2}\n```', '  {"c1": 2}\n'])
def test_a_fence_around_the_answer_is_taken_off(text: str) -> None:
    with loopback(lambda _: Said(completion(text))) as server:
        assert ask(server).text == '{"c1": 2}'


def test_a_model_without_schemas_is_asked_through_a_tool() -> None:
    def answer(heard: Heard) -> Said:
        (tool,) = heard.json["tools"]
        assert tool["function"]["name"] == "score"
        body = completion("")
        call = {"name": "score", "arguments": '{"c1": 3, "c1": 4}'}
        body["choices"][0]["message"]["tool_calls"] = [
            {"id": "1", "type": "function", "function": call}
        ]
        return Said(body)

    with loopback(answer) as server:
        opened = open_model("openai:m", base_url=server.url)
        opened.model.profile["supports_json_schema_output"] = False

        async def call() -> Reply:
            backend = ChatBackend(opened)
            try:
                return await backend.ask(REQUEST)
            finally:
                await backend.close()

        reply = asyncio.run(call())
    assert reply.text == '{"c1": 3, "c1": 4}', "as it came: the client sees the key twice"


@pytest.mark.parametrize(
    ("said", "reason", "retry", "fatal"),
    [
        (Said({"error": {"message": "slow down"}}, 429), "rate limit", True, False),
        (
            Said({"error": {"message": "pay", "code": "insufficient_quota"}}, 429),
            "rate limit",
            False,
            True,
        ),
        (Said({"error": {"message": "oh"}}, 500), "server error", True, False),
        (Said(b"<html>bad gateway", 502), "server error", True, False),
        (Said({"error": {"message": "busy"}}, 503), "server error", True, False),
        (Said({"error": {"message": "late"}}, 408), "timeout", True, False),
        (Said({"error": {"message": "no"}}, 401), "declined", False, True),
        (Said({"error": {"message": "no"}}, 403), "declined", False, True),
        (Said({"error": {"message": "no model"}}, 404), "declined", False, True),
        (
            Said({"error": {"message": "x", "code": "context_length_exceeded"}}, 400),
            "too long",
            False,
            False,
        ),
        (Said({"error": {"message": "bad schema"}}, 400), "declined", False, False),
        (Said(completion("{", finish="length")), "cut off", False, False),
        (Said(completion("", finish="content_filter")), "declined", False, False),
        (Said(completion("", refusal="I cannot")), "declined", False, False),
        (Said({}, 307, {"location": "http://127.0.0.1:9/v1"}), "declined", False, True),
        (Said(b"no json"), "server error", True, False),
        (Said([1, 2]), "server error", True, False),
        (Said({}), "server error", True, False),
        (Said({**completion("x"), "choices": []}), "server error", True, False),
        (Said(completion("{}"), hang_up=True), "connection", True, False),
    ],
)
def test_every_way_to_fail_is_told_apart_and_tried_once(
    said: Said, reason: str, retry: bool, fatal: bool
) -> None:
    error, asked = failure(said)
    assert (error.reason, error.retry, error.fatal) == (reason, retry, fatal), error.detail
    assert asked == 1, "the provider's own library must not try again"
    assert error.detail.endswith(".")


def test_half_of_a_character_is_refused_and_not_tried_again() -> None:
    asked = Request((Message("user", "half: \ud83d"),), SCHEMA, "score")
    with loopback(lambda _: Said(completion("{}"))) as server, pytest.raises(CallError) as caught:
        ask(server, asked)
    error = caught.value
    assert (error.reason, error.retry, error.fatal) == ("declined", False, False), error.detail
    assert not server.heard


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (Said({**completion("x"), "choices": []}), True),
        (Said(b"no json"), True),
        (Said({"error": {"message": "oh"}}, 500), False),
        (Said({"error": {"message": "slow down"}}, 429), False),
    ],
)
def test_an_answer_that_cannot_be_read_may_have_been_charged(said: Said, answered: bool) -> None:
    error, _ = failure(said)
    assert (error.answered, error.usage) == (answered, None)


def test_the_wait_that_the_provider_asks_for_is_passed_on() -> None:
    error, _ = failure(Said({"error": {}}, 429, {"retry-after": "7"}))
    assert error.after == 7.0


def test_a_server_that_hangs_is_a_timeout() -> None:
    with loopback(lambda _: Said(completion("{}"), wait=1.0)) as server:

        async def call() -> Reply:
            opened = open_model("openai:m", base_url=server.url, timeout=0.2)
            backend = ChatBackend(opened, timeout=0.2)
            try:
                return await backend.ask(REQUEST)
            finally:
                await backend.close()

        with pytest.raises(CallError) as caught:
            asyncio.run(call())
    assert (caught.value.reason, caught.value.retry) == ("timeout", True)


def test_a_port_where_nobody_listens_is_a_connection_error() -> None:
    with loopback(lambda _: Said()) as server:
        pass
    with pytest.raises(CallError) as caught:
        ask(server)
    assert (caught.value.reason, caught.value.retry) == ("connection", True)


def test_a_cut_off_answer_says_what_it_cost() -> None:
    error, _ = failure(Said(completion("{", finish="length")))
    assert error.usage == Usage(120, 7, 64)


def test_a_wrong_key_names_the_variable_and_no_secret_gets_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(OWN_KEY, KEY)
    caplog.set_level(logging.DEBUG)
    seen = []
    for status in (400, 401, 429, 500):
        message = f"Incorrect key provided: {KEY}. Authorization: Bearer {KEY}"
        with (
            loopback(lambda _, m=message, s=status: Said({"error": {"message": m}}, s)) as server,
            pytest.raises(CallError) as caught,
        ):
            ask(server)
        assert server.heard[0].headers["authorization"] == f"Bearer {KEY}"
        error = caught.value
        assert error.__cause__ is None
        assert error.__suppress_context__, "a traceback would show what the provider echoed"
        seen += [str(error), repr(error), error.detail, repr(vars(error))]
        if status == 401:
            assert OWN_KEY in error.detail
    opened = open_model("openai:m", base_url="http://127.0.0.1:9/v1")
    backend = ChatBackend(opened)
    seen += [repr(opened), repr(backend), str(backend.sent)]
    asyncio.run(backend.close())
    seen += [record.getMessage() for record in caplog.records]  # of all libraries, at the loudest
    for text in seen:
        assert KEY not in text


def test_a_server_on_this_machine_never_gets_the_key_of_a_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with loopback(lambda _: Said(completion("{}"))) as server:
        ask(server)
    assert server.heard[0].headers["authorization"] == f"Bearer {PLACEHOLDER}"


@pytest.mark.slow
def test_two_hundred_calls_in_flight_share_their_connections() -> None:
    with loopback(lambda _: Said(completion('{"c1": 1}'), wait=0.02)) as server:

        async def calls() -> list[Reply]:
            opened = open_model("openai:m", base_url=server.url, connections=200)
            backend = ChatBackend(opened)
            try:
                for _ in range(2):
                    replies = await asyncio.gather(*(backend.ask(REQUEST) for _ in range(200)))
            finally:
                await backend.close()
            return replies

        replies = asyncio.run(calls())
    assert len(replies) == 200
    assert len(server.heard) == 400
    assert len({heard.port for heard in server.heard}) <= 200, "the second round opens none"


def test_the_other_protocol_of_openai_leaves_no_text_with_the_provider() -> None:
    with loopback(lambda _: Said(answered())) as server:

        async def call() -> Reply:
            backend = ChatBackend(open_model("openai-responses:gpt-5-mini", base_url=server.url))
            try:
                return await backend.ask(REQUEST)
            finally:
                await backend.close()

        reply = asyncio.run(call())
    assert reply == Reply('{"c1": true}', Usage(100, 6, 20))
    (heard,) = server.heard
    assert heard.path == "/v1/responses"
    assert heard.json["store"] is False
    assert "temperature" not in heard.json
    assert heard.json["text"]["format"]["name"] == "score"
