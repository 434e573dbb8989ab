"""Probabilities of options from those of tokens, whichever way the answer is cut into tokens.

The truth is that of a small model of the test's own: a chance for every next token, whatever the
tokens are, of which the answer is one path.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import urllib.request
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from palate.llm.backend import CallError, Reply
from palate.llm.chat import ChatBackend
from palate.llm.connect import connect
from palate.llm.outcome import Answer
from palate.llm.providers import open_model
from palate.llm.request import Message, Request
from palate.llm.scripted.chaos import Chaos
from palate.llm.scripted.server import serve
from palate.llm.scripted.token_list import settled, token_list
from palate.llm.store import Store
from palate.llm.token_probabilities import LARGEST_ERROR, Token, field_probabilities, tokens_of

from .loopback import Heard, Loopback, Said, answered, completion, loopback


def schema_of(options: list[str], **more: Any) -> dict[str, Any]:
    """A question with one choice, and other fields before it."""
    fields = {**more, "verdict": {"type": "string", "enum": options}}
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


RATING = {"type": "integer", "minimum": 1, "maximum": 10}
WIDE = {"type": "integer", "minimum": 1, "maximum": 1_000_000_000}
CHOICE = schema_of(["first", "second"])
ASKED = Request((Message("user", "Which?"),), CHOICE, "judge", probabilities=True)


def token(text: str, probability: float, **others: float) -> Token:
    """A token whose alternatives are named by what they say, quotes written as Q."""
    rest = tuple((name.replace("Q", '"').encode(), p) for name, p in others.items())
    return Token(text.encode(), probability, rest)


# --- by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tokens",
    [
        [token('{"verdict": "', 1), token("first", 0.8, second=0.2), token('"}', 1)],
        [token('{"verdict": ', 1), token('"fi', 0.8, Qse=0.2), token('rst"}', 1)],
        [token('{"verdict', 1), Token(b'": "f', 0.8, ((b'": "second', 0.2),)), token('irst"}', 1)],
        [token('{"verdict": "', 1), token('first"}', 0.72, first=0.08, second=0.1, sec=0.1)],
        [Token(b'{"verdict": "first"}', 0.8, ((b'{"verdict": "second"}', 0.2),))],
        [
            token('{"verdict": ', 1),
            token('"', 0.5, Qfirst=0.3, Qsecond=0.2),
            token("first", 1.0, second=0.0),
            token('"}', 1),
        ],
    ],
)
def test_a_token_may_begin_before_a_value_end_after_it_or_split_it(tokens: list[Token]) -> None:
    found = field_probabilities(tokens, '{"verdict": "first"}', CHOICE)
    assert found is not None
    assert found["verdict"] == pytest.approx({"first": 0.8, "second": 0.2})


def test_options_that_begin_alike_are_told_apart_where_they_part() -> None:
    schema = schema_of(["first", "fifth", "second", "first of all"])
    start, end = token('{"verdict": "', 1), token('"}', 0.5, **{" of": 0.5})
    tokens = [start, token("fi", 0.7, second=0.3), token("rst", 0.6, fth=0.4), end]
    found = field_probabilities(tokens, '{"verdict": "first"}', schema)
    wanted = {"first": 0.21, "fifth": 0.28, "second": 0.3, "first of all": 0.21}
    assert found is not None
    assert found["verdict"] == pytest.approx(wanted)
    tokens = [start, token("second", 0.3, fi=0.7), token('"}', 1)]
    assert field_probabilities(tokens, '{"verdict": "second"}', schema) is None, "first or fifth?"


def test_what_is_no_option_is_left_out_and_half_of_all_must_be_one() -> None:
    def found(first: float, second: float, **others: float) -> Mapping[str, Any] | None:
        listed = token("first", first, second=second, **others)
        tokens = [token('{"verdict": "', 1), listed, token('"}', 1)]
        return field_probabilities(tokens, '{"verdict": "first"}', CHOICE)

    kept = found(0.45, 0.15, Firstly=0.2, third=0.2)
    assert kept is not None
    assert kept["verdict"] == pytest.approx({"first": 0.75, "second": 0.25})
    assert found(0.2, 0.2, Firstly=0.3, third=0.3) is None
    assert found(0.5, 0.4) is None, "a tenth went to tokens that nobody listed"
    assert found(0.99, 0.0) is not None


def test_another_layout_has_no_part_in_what_follows_this_one() -> None:
    tokens = [token('{"verdict"', 1), token(":", 0.3, **{": ": 0.3, ': "second': 0.4})]
    tokens += [token('"first', 0.8, Qsecond=0.2), token('"}', 1)]
    found = field_probabilities(tokens, '{"verdict":"first"}', CHOICE)
    assert found is not None
    assert found["verdict"] == pytest.approx({"first": 0.8, "second": 0.2})


def test_another_way_to_cut_the_same_text_may_hide_an_option() -> None:
    # `":` and `"first`, but `":"` and `second`: after `":` there is no doubt left
    tokens = [token('{"verdict', 1), token('":', 0.7, **{'":"': 0.3}), token('"first', 1)]
    assert field_probabilities([*tokens, token('"}', 1)], '{"verdict":"first"}', CHOICE) is None


def test_booleans_several_fields_and_texts_that_quote_the_answer() -> None:
    schema = schema_of(["first", "second"], sure={"type": "boolean"}, why={"type": "string"})
    why = json.dumps('so "verdict": "second", true')
    tokens = [token('{"sure":', 1), token(" true", 0.9, **{" false": 0.1}), token(', "why": ', 1)]
    tokens += [token(why, 1), token(', "verdict": "', 1), token("first", 0.6, second=0.4)]
    tokens += [token('"}', 1)]
    text = b"".join(t.text for t in tokens).decode()
    found = field_probabilities(tokens, text, schema)
    assert found is not None
    assert found["sure"] == pytest.approx({"true": 0.9, "false": 0.1})
    assert found["verdict"] == pytest.approx({"first": 0.6, "second": 0.4})
    assert "why" not in found


def test_ratings_are_told_apart_by_what_follows_them() -> None:
    schema = {"type": "object", "properties": {"score": RATING}}
    tokens = [token('{"score": ', 1), token("1", 0.5, **{"7": 0.3, "10": 0.1, "11": 0.1})]
    tokens.append(token("}", 0.6, **{"0": 0.2, "\n": 0.2}))
    found = field_probabilities(tokens, '{"score": 1}', schema)
    assert found is not None
    shares = {label: share for label, share in found["score"].items() if share}
    assert shares == pytest.approx({"1": 4 / 9, "7": 3 / 9, "10": 2 / 9})
    tokens[1:] = [token("1", 0.7, **{"7": 0.3}), token("}", 0.6, **{"0}": 0.4})]
    found = field_probabilities(tokens, '{"score": 1}', schema)
    assert found is not None
    shares = {label: share for label, share in found["score"].items() if share}
    assert shares == pytest.approx({"1": 0.42, "10": 0.28, "7": 0.3})
    assert field_probabilities(tokens, '{"score": 1}', {"properties": {"score": WIDE}}) is None


def test_half_of_a_character_lies_in_the_bytes() -> None:
    schema = schema_of(["ä", "ö"])  # c3 a4 and c3 b6
    tokens = [
        token('{"verdict": "', 1),
        Token(b"\xc3", 1.0),
        Token(b"\xa4", 0.6, ((b"\xb6", 0.4),)),
    ]
    found = field_probabilities([*tokens, token('"}', 1)], '{"verdict": "ä"}', schema)
    assert found is not None
    assert found["verdict"] == pytest.approx({"ä": 0.6, "ö": 0.4})


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["{", '"verdict": "first"}'], '{"verdict": "second"}'),
        (['{"verdict": "first"}', '{"verdict": "first"}'], '{"verdict": "first"}'),
        (['{"verdict": "first", "verdict": "first"}'], '{"verdict": "first", "verdict": "first"}'),
        (['{"verdict": "f\\u0069rst"}'], '{"verdict": "f\\u0069rst"}'),
        (['{"other": "first"}'], '{"other": "first"}'),
        (["[1]"], "[1]"),
        (["{"], "{"),
        ([], '{"verdict": "first"}'),
        (["x"], ""),
    ],
)
def test_what_cannot_be_told_is_nothing(texts: list[str], text: str) -> None:
    assert field_probabilities([token(t, 1.0) for t in texts], text, CHOICE) is None


@pytest.mark.parametrize(
    "listed",
    [
        None,
        7,
        ["x"],
        [{}],
        [{"token": "x", "logprob": None}],
        [{"token": "x", "logprob": math.nan}],
        [{"token": "x", "logprob": 0, "bytes": [300]}],
        [{"token": "x", "logprob": 0, "top_logprobs": 4}],
    ],
)
def test_a_list_that_is_none_gives_no_tokens(listed: object) -> None:
    assert tokens_of(listed) == []


def test_a_token_is_not_its_own_alternative() -> None:
    item = {"token": "a", "logprob": math.log(0.6), "bytes": None}
    other = {"token": "b", "logprob": math.log(0.4), "bytes": [98]}
    (found,) = tokens_of([{**item, "top_logprobs": [item, other]}])
    assert (found.text, found.others) == (b"a", ((b"b", pytest.approx(0.4)),))


# --- every way of cutting --------------------------------------------------------------------


def documents(options: list[str], space: str) -> dict[str, str]:
    """The whole answer for each option."""
    return {
        o: f'{{{space}"verdict":{space}{json.dumps(o, ensure_ascii=False)}{space}}}'
        for o in options
    }


WORDS = st.lists(st.text("abé", min_size=1, max_size=4), min_size=2, max_size=4, unique=True)
UNICODE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
PIECE = st.text('abé": {}verdict', min_size=2, max_size=6)


def cut(text: str, vocabulary: list[str]) -> list[str]:
    """The text in the longest tokens of a vocabulary, single characters where there is none."""
    found = []
    while text:
        best = max((w for w in [text[0], *vocabulary] if text.startswith(w)), key=len)
        found.append(best)
        text = text[len(best) :]
    return found


@settings(max_examples=150, deadline=None)
@given(WORDS, st.sampled_from(["", " "]), st.lists(PIECE, max_size=12), st.data())
def test_a_model_that_cuts_each_text_in_one_way_is_read_exactly_or_not_at_all(
    options: list[str], space: str, vocabulary: list[str], data: st.DataObject
) -> None:
    weights = [data.draw(st.integers(1, 50)) for _ in options]
    truth = {o: w / sum(weights) for o, w in zip(options, weights, strict=True)}
    texts = documents(options, space)
    cuts = {o: cut(text, vocabulary) for o, text in texts.items()}
    chosen = data.draw(st.sampled_from(options))
    tokens = []
    for i, written in enumerate(cuts[chosen]):
        chances: dict[str, float] = {}
        for o, parts in cuts.items():
            if parts[:i] == cuts[chosen][:i]:
                chances[parts[i]] = chances.get(parts[i], 0.0) + truth[o]
        total = sum(chances.values())
        others = tuple((t.encode(), p / total) for t, p in chances.items() if t != written)
        tokens.append(Token(written.encode(), chances[written] / total, others))
    found = field_probabilities(tokens, texts[chosen], schema_of(options))
    event("told" if found else "not told")
    # what is measured is given the tokens before the one with the end of the field's name
    named, before = texts[chosen].index('verdict"') + 7, 0
    while len("".join(cuts[chosen][: before + 1])) <= named:
        before += 1
    able = {o: truth[o] * (cuts[o][:before] == cuts[chosen][:before]) for o in options}
    wanted = {o: mass / sum(able.values()) for o, mass in able.items()}
    if found is not None:
        assert found["verdict"] == pytest.approx(wanted, abs=LARGEST_ERROR + 1e-9)
    elif not vocabulary:
        assert len(options) > 2, "single characters tell two options apart"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_model_that_cuts_at_random_is_off_by_no_more_than_what_is_unclear(
    data: st.DataObject,
) -> None:
    """Any next token whatever, of random chance: the truth is the sum over all paths."""
    options = data.draw(WORDS)
    texts = documents(options, "")
    start = '{"verdict"'
    seed = data.draw(st.integers(0, 2**32))

    @cache
    def chances(done: str) -> dict[str, float]:
        """The next tokens after a text and their chances, the same each time."""
        rest = {text[len(done) :] for text in texts.values() if text.startswith(done)}
        able = sorted({r[:n] for r in rest for n in range(1, min(len(r), 5) + 1)} - {""})
        draw = random.Random(f"{seed} {done}")
        weights = {piece: draw.random() ** 6 + 1e-9 for piece in able}
        return {piece: w / sum(weights.values()) for piece, w in weights.items()}

    @cache
    def reach(done: str, option: str) -> float:
        """The chance of an option after a text."""
        if done in texts.values():
            return float(texts[option] == done)
        return sum(p * reach(done + piece, option) for piece, p in chances(done).items())

    truth = {option: reach(start, option) for option in options}
    tokens, done = [Token(start.encode(), 1.0)], start
    while done not in texts.values():
        following = chances(done)
        piece = data.draw(st.sampled_from(sorted(following)))
        others = tuple((t.encode(), p) for t, p in following.items() if t != piece)
        tokens.append(Token(piece.encode(), following[piece], others))
        done += piece
    found = field_probabilities(tokens, done, schema_of(options))
    event("told" if found else "not told")
    if found is not None:
        assert found["verdict"] == pytest.approx(truth, abs=LARGEST_ERROR + 1e-9)


# --- over HTTP -------------------------------------------------------------------------------


def listing(first: float) -> dict[str, Any]:
    """A body whose tokens say how probable the first was."""

    def said(text: str, p: float) -> dict[str, Any]:
        return {"token": text, "logprob": math.log(p), "bytes": list(text.encode())}

    body = completion('{"verdict":"first"}')
    body["choices"][0]["logprobs"] = {
        "content": [
            {**said('{"verdict', 1.0), "top_logprobs": []},
            {
                **said('":"first', first),
                "top_logprobs": [said('":"first', first), said('":"second', 1 - first)],
            },
            {**said('"}', 1.0), "top_logprobs": []},
        ],
        "refusal": None,
    }
    return body


def ask(server: Loopback, *requests: Request, model: str = "openai:m") -> list[Reply]:
    """Calls of one backend, one after the other."""

    async def call() -> list[Reply]:
        backend = ChatBackend(open_model(model, base_url=server.url, timeout=2.0), timeout=2.0)
        try:
            return [await backend.ask(request) for request in requests]
        finally:
            await backend.close()

    return asyncio.run(call())


def asked(heard: Heard) -> int:
    """How many alternatives a call asked for."""
    assert bool(heard.json.get("logprobs")) is ("top_logprobs" in heard.json)
    return int(heard.json.get("top_logprobs", 0))


def test_only_who_asks_gets_probabilities() -> None:
    plain = Request(ASKED.messages, CHOICE, "judge")
    with loopback(lambda _: Said(listing(0.75))) as server:
        without, soft = ask(server, plain, ASKED)
    assert without.probabilities is None
    assert soft.probabilities is not None
    assert soft.probabilities["verdict"] == pytest.approx({"first": 0.75, "second": 0.25})
    assert [asked(heard) for heard in server.heard] == [0, 20]
    assert plain.key({}) != ASKED.key({})
    before = Request(ASKED.messages, {"type": "object"}, "judge").key({"model": "openai:m"})
    assert before.hex() == "c4d7b9ac04fce95025b4f9e2f2c74c8d", "as it was before there was a choice"


@pytest.mark.parametrize(
    ("most", "heard"), [(20, [20] * 3), (5, [20, 5, 5, 5]), (0, [20, 5, 0, 0, 0])]
)
def test_who_lists_fewer_or_none_is_not_asked_again_for_more(most: int, heard: list[int]) -> None:
    def answer(heard: Heard) -> Said:
        if asked(heard) > most:
            return Said({"error": {"message": "top_logprobs is too high"}}, 400)
        return Said(listing(0.75) if asked(heard) else completion('{"verdict":"first"}'))

    with loopback(answer) as server:
        replies = ask(server, ASKED, ASKED, ASKED)
    assert [asked(call) for call in server.heard] == heard
    assert all((reply.probabilities is not None) is (most > 0) for reply in replies)
    assert {reply.text for reply in replies} == {'{"verdict":"first"}'}


def test_who_answers_without_them_is_not_asked_again() -> None:
    with loopback(lambda _: Said(completion('{"verdict":"first"}'))) as server:
        replies = ask(server, ASKED, ASKED)
    assert [asked(heard) for heard in server.heard] == [20, 0]
    assert [reply.probabilities for reply in replies] == [None, None]


def test_a_refusal_of_something_else_is_not_blamed_on_them() -> None:
    bad = Request((Message("user", "bad"),), CHOICE, "judge", probabilities=True)

    def answer(heard: Heard) -> Said:
        if heard.json["messages"][-1]["content"] == "bad":
            return Said({"error": {"message": "no"}}, 400)
        return Said(listing(0.75))

    async def call(server: Loopback) -> list[object]:
        backend = ChatBackend(open_model("openai:m", base_url=server.url, timeout=2.0))
        found: list[object] = []
        try:
            for request in (bad, ASKED, bad, ASKED):
                found += await asyncio.gather(backend.ask(request), return_exceptions=True)
            return found
        finally:
            await backend.close()

    with loopback(answer) as server:
        found = asyncio.run(call(server))
    assert [type(one) for one in found] == [CallError, Reply, CallError, Reply]
    assert [asked(heard) for heard in server.heard] == [20, 5, 0, 20, 20, 20]


def test_the_other_protocol_of_openai() -> None:
    body = answered()
    content = listing(0.75)["choices"][0]["logprobs"]["content"]
    (message,) = [item for item in body["output"] if item["type"] == "message"]
    message["content"][0] |= {"text": '{"verdict":"first"}', "logprobs": content}
    with loopback(lambda _: Said(body)) as server:
        (reply,) = ask(server, ASKED, model="openai-responses:gpt-4.1-mini")
    assert reply.probabilities is not None
    assert reply.probabilities["verdict"] == pytest.approx({"first": 0.75, "second": 0.25})
    assert server.heard[0].json["include"] == ["message.output_text.logprobs"]
    assert server.heard[0].json["top_logprobs"] == 20


def test_a_model_that_thinks_is_not_asked() -> None:
    with loopback(lambda _: Said(answered())) as server:
        ask(server, ASKED, model="openai-responses:gpt-5-mini")
    assert "top_logprobs" not in server.heard[0].json


# --- the scripted server and the client ------------------------------------------------------


def test_ratings_of_a_script() -> None:
    schema = {"type": "object", "properties": {"score": RATING}, "required": ["score"]}
    rated = Request((Message("user", "?"),), schema, "rate", probabilities=True)
    with (
        serve(lambda _: {"score": {"7": 0.6, "8": 0.3, 9: 0.1}}) as server,
        connect("openai:m", base_url=server.base_url) as client,
    ):
        (answer,) = client.ask([rated])
    assert isinstance(answer, Answer)
    assert answer.value == {"score": 7}
    assert answer.probabilities is not None
    shares = {label: share for label, share in answer.probabilities["score"].items() if share}
    assert shares == pytest.approx({"7": 0.6, "8": 0.3, "9": 0.1})


SPREAD = {"verdict": {"first": 0.3, "second": 0.7}}


def test_a_script_gives_probabilities_and_the_store_keeps_them(tmp_path: Path) -> None:
    plain = Request(ASKED.messages, CHOICE, "judge")
    with serve(lambda _: SPREAD) as server:
        for _ in range(2):
            with (
                Store(tmp_path / "answers.sqlite") as store,
                connect("openai:m", base_url=server.base_url, store=store) as client,
            ):
                soft, hard = client.ask([ASKED, plain])
            assert isinstance(soft, Answer)
            assert isinstance(hard, Answer)
            assert soft.value == hard.value == {"verdict": "second"}
            assert soft.probabilities is not None
            assert soft.probabilities["verdict"] == pytest.approx(SPREAD["verdict"])
            assert hard.probabilities is None
        assert server.calls == 2


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
        min_size=2,
        max_size=5,
        unique=True,
    ),
    st.lists(st.integers(0, 20), min_size=5, max_size=5),
)
def test_the_server_writes_any_options_so_that_they_are_read_back(
    options: list[str], weights: list[int]
) -> None:
    weights = [*weights[1 : len(options)], 1]
    shares = {o: w / sum(weights) for o, w in zip(options, weights, strict=True)}
    schema = schema_of(options, sure={"type": "boolean"})
    value, spreads = settled({"sure": {True: 0.9, False: 0.1}, "verdict": shares}, schema)
    tokens = tokens_of(token_list(value, spreads, 20))
    found = field_probabilities(tokens, json.dumps(value, ensure_ascii=False), schema)
    assert found is not None
    assert found["sure"] == pytest.approx({"true": 0.9, "false": 0.1})
    assert value["verdict"] == max(shares, key=lambda o: shares[o])
    # a piece of two options that was not written hides which of them it is
    if "verdict" in found:
        assert found["verdict"] == pytest.approx(shares, abs=2 * LARGEST_ERROR)


def test_a_server_that_is_not_asked_says_nothing_and_a_spoiled_answer_has_no_tokens() -> None:
    with (
        serve(lambda _: SPREAD, chaos=Chaos(schedule=["text after", None])) as server,
        connect("openai:m", base_url=server.base_url, concurrency=1) as client,
    ):
        (answer,) = client.ask([ASKED])
    assert isinstance(answer, Answer)
    assert answer.value == {"verdict": "second"}
    assert server.calls == 2


# --- a real engine ---------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real engine whose model likes to write `t` and `f`, and `"` and `:` nearly as much."""
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    from . import engine

    plain = engine.bias
    liked = {"t": 17.0, "f": 17.0, '"': 16.3, ":": 16.3}
    monkeypatch.setattr(engine, "bias", lambda text: liked.get(text, plain(text)))
    with engine.serve_engine(tmp_path) as base_url:
        yield base_url


def test_probabilities_of_a_real_engine_are_those_of_its_tokens(engine: str) -> None:
    schema = {"type": "object", "properties": {"b": {"type": "boolean"}}, "required": ["b"]}
    yes, text = (
        Request((Message("user", "Which?"),), shape, "x", probabilities=True)
        for shape in (schema, CHOICE)
    )
    with connect("openai:tiny", base_url=engine, concurrency=1) as client:
        outcome, unlikely = client.ask([yes, text])
    assert isinstance(outcome, Answer), outcome
    assert isinstance(unlikely, Answer), unlikely
    assert unlikely.probabilities is None, "without its grammar it would have begun with no quote"
    assert outcome.probabilities is not None
    body = {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Which?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        "logprobs": True,
        "top_logprobs": 20,
        "temperature": 0,
    }
    sent = urllib.request.Request(f"{engine}/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(sent) as answer:
        tokens = json.load(answer)["choices"][0]["logprobs"]["content"]
    texts = [token["token"] for token in tokens]
    place = texts.index(":") + 1
    assert texts[place] in ("t", "f"), texts
    listed = {t["token"]: math.exp(t["logprob"]) for t in tokens[place]["top_logprobs"]}
    share = listed["t"] / (listed["t"] + listed["f"])
    assert outcome.probabilities["b"] == pytest.approx(
        {"true": share, "false": 1 - share}, abs=1e-3
    )
