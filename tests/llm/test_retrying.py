"""What breaks on the way is tried again, useless answers a little, and chaos fails nothing."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from pathlib import Path

import pytest

from palate.errors import InputError
from palate.llm import retrying
from palate.llm.backend import CallError
from palate.llm.client import Client
from palate.llm.outcome import Answer, Failure, Usage
from palate.llm.request import Request
from palate.llm.retrying import Tries
from palate.llm.store import Store

from .loopback import Heard, Said, loopback
from .plain import CALL, PRICE, Here, Plain, number, question, text_of, values


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries that wait a thousandth of what they would."""
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.0005)


class TestRetries:
    """What breaks on the way is tried again; what the model got wrong is asked again a little."""

    def test_a_tenth_of_broken_calls_fails_nothing(self) -> None:
        chance = random.Random(4)
        faults = [("rate limit", 429), ("server error", 503)]

        async def shaky(request: Request, again: int) -> str:
            if chance.random() < 0.1:
                reason, status = chance.choice(faults)
                raise CallError(reason, f"{status}", retry=True)  # type: ignore[arg-type]
            return text_of(number(request))

        backend = Here(shaky)
        with Client(backend, concurrency=50) as client:
            assert values(client.ask([question(i) for i in range(600)])) == list(range(600))
            assert client.spent.calls == len(backend.asked) > 620
            assert client.spent.failed == 0

    def test_the_reason_of_the_last_attempt_is_told(self) -> None:
        async def down(request: Request, again: int) -> str:
            raise CallError("server error", f"answer {again}\nwas 500", retry=True)

        with Client(Here(down), retries=3) as client:
            (outcome,) = client.ask([question(1)])
        assert outcome == Failure("server error", "answer 4 was 500", 4)

    def test_what_cannot_help_is_not_tried_again(self) -> None:
        async def refuse(request: Request, again: int) -> str:
            raise CallError("declined", "I would rather not", retry=False, usage=CALL)

        with Client(Here(refuse), price=PRICE) as client:
            (outcome,) = client.ask([question(1)])
            assert outcome == Failure("declined", "I would rather not", 1)
            assert client.spent.usage == CALL
            assert client.spent.failed == 1

    @pytest.mark.parametrize(
        ("text", "reason", "words"),
        [
            ("I think it is 3", "not json", "no JSON"),
            ('{"n": 1, "word": "a", "n": 2}', "not json", "stands twice"),
            ('{"n": 1}', "wrong shape", "lacks 'word'"),
            ('{"n": true, "word": "a"}', "wrong shape", "n is True; expected integer"),
            ('{"n": 1, "word": "a", "x": 1}', "wrong shape", "'x', which was not asked for"),
            ('["n"]', "not json", "no JSON object"),
            ("9" * 5000, "not json", "too long"),
            ("[" * 100_000, "not json", "nested"),
            ('{"n": NaN, "word": ""}', "not json", "NaN"),
            ('{"n": 1, "word": "\\ud800"}', "not json", "half of a character"),
        ],
    )
    def test_useless_answers_are_asked_for_twice_more_and_paid(
        self, text: str, reason: str, words: str
    ) -> None:
        async def useless(request: Request, again: int) -> str:
            return text

        with Client(Here(useless), price=PRICE) as client:
            (outcome,) = client.ask([question(1)])
            assert isinstance(outcome, Failure)
            assert (outcome.reason, outcome.attempts) == (reason, 3)
            assert words in outcome.detail
            assert client.spent.usage == Usage(300, 30, 120)
            assert client.spent.cost == pytest.approx(3 * PRICE.cost(CALL))

    def test_the_second_answer_may_be_right(self) -> None:
        async def second(request: Request, again: int) -> str:
            return text_of(number(request)) if again == 2 else "Sure! {"

        with Client(Here(second)) as client:
            assert values(client.ask([question(5)])) == [5]
            assert client.spent.calls == 2

    def test_an_attempt_that_hangs_is_ended(self) -> None:
        async def hang(request: Request, again: int) -> str:
            if again == 1:
                await asyncio.sleep(60)
            return text_of(number(request))

        with Client(Here(hang), timeout=0.05) as client:
            assert values(client.ask([question(3)])) == [3]
        with Client(Here(lambda r, a: asyncio.sleep(60, "")), timeout=0.02, retries=1) as client:
            (outcome,) = client.ask([question(3)])
        assert outcome == Failure("timeout", "no answer within 0.02 seconds", 2)

    def test_ten_megabytes_do_not_hurt(self) -> None:
        async def huge(request: Request, again: int) -> str:
            return json.dumps({"n": 1, "word": "x" * 10_000_000, "more": 1})

        with Client(Here(huge)) as client:
            (outcome,) = client.ask([question(1)])
        assert isinstance(outcome, Failure)
        assert outcome.reason == "wrong shape"
        assert len(outcome.detail) < 500

    def test_the_provider_is_waited_for(self) -> None:
        tries = Tries(b"k" * 16)
        tries.sent = 1
        asked = CallError("rate limit", "", retry=True, after=7.0)
        assert 7.0 <= (tries.wait(asked, 8) or 0) <= 7.7
        tomorrow = CallError("rate limit", "", retry=True, after=86_400.0)
        assert tries.wait(tomorrow, 8) is None

    def test_waits_grow_and_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retrying, "FIRST_WAIT", 0.5)
        tries, waits = Tries(b"key"), []
        while True:
            tries.sent += 1
            wait = tries.wait(CallError("connection", "", retry=True), 10)
            if wait is None:
                break
            waits.append(wait)
        assert len(waits) == 10
        for i, wait in enumerate(waits):
            longest = min(60.0, 0.5 * 2**i)
            assert longest / 2 <= wait <= longest

    def test_nobody_there_ends_the_run_early(self) -> None:
        async def away(request: Request, again: int) -> str:
            raise CallError("connection", "refused", retry=True)

        backend = Here(away)
        with (
            Client(backend, retries=1, concurrency=5) as client,
            pytest.raises(InputError, match=r"20 requests in a row failed.*connection: refused"),
        ):
            client.ask([question(i) for i in range(500)])
        assert len(backend.asked) < 60

    def test_one_request_is_enough_where_nobody_was_ever_heard(self) -> None:
        async def away(request: Request, again: int) -> str:
            raise CallError("connection", "refused", retry=True)

        backend = Here(away)
        with (
            Client(backend, retries=50) as client,
            pytest.raises(InputError, match=r"5 attempts at a request got no connection: refused"),
        ):
            client.ask([question(0)])
        assert len(backend.asked) == 5

    def test_who_was_heard_once_is_waited_for(self) -> None:
        async def later(request: Request, again: int) -> str:
            if again == 1:
                raise CallError("server error", "starting", retry=True)
            if again < 8:
                raise CallError("connection", "refused", retry=True)
            return text_of(number(request))

        with Client(Here(later)) as client:
            (outcome,) = client.ask([question(0)])
        assert isinstance(outcome, Answer)


class TestOverHTTP:
    """The same through real connections to a server that misbehaves."""

    def test_a_server_in_chaos_fails_nothing(self, tmp_path: Path) -> None:
        chance = random.Random(11)
        lock = threading.Lock()

        def chaos(heard: Heard) -> Said:
            i = heard.json["number"]
            right = {"n": i, "word": "ok"}
            with lock:
                fault = (
                    chance.choice((429, 500, 503, "cut", "hang"))
                    if (chance.random() < 0.15)
                    else None
                )
            if fault == "cut":
                return Said(right, hang_up=True)
            if fault == "hang":
                return Said(right, wait=0.4)
            return Said(right) if fault is None else Said(b"", int(fault))

        with (
            loopback(chaos) as server,
            Client(
                Plain(server.url), store=Store(tmp_path / "s.sqlite"), concurrency=16, timeout=0.2
            ) as client,
        ):
            assert values(client.ask([question(i) for i in range(150)])) == list(range(150))

    def test_nobody_listens(self) -> None:
        with loopback(lambda heard: Said()) as server:
            url = server.url
        with Client(Plain(url), retries=1) as client:
            (outcome,) = client.ask([question(1)])
        assert isinstance(outcome, Failure)
        assert outcome.reason == "connection"
