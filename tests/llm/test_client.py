"""The client: order, one call for equal questions, retries, limits, interruptions, accounts."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from palate.errors import InputError
from palate.llm import retrying
from palate.llm.backend import CallError, Reply
from palate.llm.client import Client
from palate.llm.outcome import Answer, Failure, Usage
from palate.llm.prices import Price
from palate.llm.request import Message, Request
from palate.llm.retrying import Tries
from palate.llm.spending import Spent
from palate.llm.store import Store

from .loopback import Heard, Said, loopback
from .plain import CALL, SCHEMA, Here, Plain, number, question, text_of, values

PRICE = Price(input=1.0, cached_input=0.1, output=4.0)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries that wait a thousandth of what they would."""
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.0005)


async def soon(request: Request, again: int) -> str:
    await asyncio.sleep(random.random() / 100)
    return text_of(number(request))


class TestOrder:
    """One outcome for each request, in order, and one call for equal ones."""

    def test_outcomes_come_in_the_order_of_the_requests(self) -> None:
        with Client(Here(soon), concurrency=20) as client:
            assert values(client.ask([question(i) for i in range(100)])) == list(range(100))

    def test_equal_requests_are_sent_once_and_samples_apart(self) -> None:
        backend = Here()
        requests = [question(1), question(2), question(1, about="again"), question(1, sample=1)]
        with Client(backend) as client:
            assert values(client.ask(requests)) == [1, 2, 1, 1]
        assert sorted(backend.asked) == [1, 1, 2]

    def test_nothing_asked_is_nothing_answered(self) -> None:
        with Client(Here()) as client:
            assert client.ask([]) == []

    def test_no_more_requests_are_under_way_than_allowed(self) -> None:
        backend = Here()
        with Client(backend, concurrency=7) as client:
            client.ask([question(i) for i in range(60)])
        assert backend.most == 7

    def test_a_large_run_makes_few_tasks(self) -> None:
        tasks = []

        async def count(request: Request, again: int) -> str:
            tasks.append(len(asyncio.all_tasks()))
            return text_of(number(request))

        with Client(Here(count), concurrency=10) as client:
            client.ask([question(i) for i in range(3000)])
        assert max(tasks) <= 11

    def test_it_works_inside_a_running_loop_and_in_several_threads(self) -> None:
        backend = Here()
        found: list[list[int]] = []

        async def notebook() -> None:
            found.append(values(client.ask([question(i) for i in range(5)])))

        with Client(backend) as client:
            asyncio.run(notebook())
            threads = [
                threading.Thread(
                    target=lambda a=a: found.append(values(client.ask([question(a)])))  # type: ignore[misc]
                )
                for a in (11, 12, 13)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(map(tuple, found)) == [(0, 1, 2, 3, 4), (11,), (12,), (13,)]

    def test_one_loop_serves_every_round(self) -> None:
        loops = set()

        async def note(request: Request, again: int) -> str:
            loops.add(id(asyncio.get_running_loop()))
            return text_of(number(request))

        backend = Here(note)
        with Client(backend) as client:
            client.ask([question(1)])
            client.ask([question(2)])
        assert len(loops) == 1
        assert backend.closed == 1

    def test_a_closed_client_says_so(self) -> None:
        client = Client(Here())
        client.close()
        client.close()
        with pytest.raises(InputError, match="closed"):
            client.ask([question(1)])


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


class TestEnds:
    """A run that ends early keeps what was answered and leaves nothing running."""

    def test_a_fatal_error_ends_the_run_after_what_is_under_way(self, tmp_path: Path) -> None:
        async def wrong_key(request: Request, again: int) -> str:
            if number(request) == 3:
                await asyncio.sleep(0.01)
                raise CallError("declined", "The key is wrong: sk-planted-0123456789", fatal=True)
            await asyncio.sleep(0.05)
            return text_of(number(request))

        backend = Here(wrong_key)
        store = Store(tmp_path / "s.sqlite")
        with (
            Client(backend, concurrency=8, store=store) as client,
            pytest.raises(InputError, match="test:here: The key is wrong") as caught,
        ):
            client.ask([question(i) for i in range(100)])
        assert "planted" not in str(caught.value)
        assert len(backend.asked) == 8
        kept = store.get_many([question(i).key(backend.sent) for i in range(100)])
        store.close()
        assert len(kept) == 7

    def test_a_fault_of_a_backend_is_raised_as_it_is(self) -> None:
        async def fault(request: Request, again: int) -> str:
            if number(request) == 20:
                raise ZeroDivisionError("a fault")
            return text_of(number(request))

        with Client(Here(fault), concurrency=4) as client, pytest.raises(ZeroDivisionError):
            client.ask([question(i) for i in range(100)])

    def test_ctrl_c_keeps_what_was_answered(self, tmp_path: Path) -> None:
        async def slower(request: Request, again: int) -> str:
            i = number(request)
            if i == 60:
                threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(0.001 if i < 60 else 30)
            return text_of(i)

        backend = Here(slower)
        requests = [question(i) for i in range(200)]
        with Client(backend, concurrency=10, store=Store(tmp_path / "s.sqlite")) as client:
            with pytest.raises(KeyboardInterrupt):
                client.ask(requests)
            assert backend.flying == 0
        again = Here()
        with Client(again, store=Store(tmp_path / "s.sqlite")) as client:
            assert values(client.ask(requests)) == list(range(200))
        assert sorted(again.asked) == list(range(60, 200))

    def test_an_error_of_the_progress_ends_the_run(self) -> None:
        def broken(*_: object) -> None:
            raise BrokenPipeError

        backend = Here(lambda r, a: asyncio.sleep(60, ""))
        with Client(backend, progress=broken) as client, pytest.raises(BrokenPipeError):
            client.ask([question(i) for i in range(50)])
        assert backend.flying == 0

    def test_a_forgotten_client_leaves_no_thread(self) -> None:
        before = threading.active_count()
        client = Client(Here())
        client.ask([question(1)])
        assert threading.active_count() > before
        del client
        assert threading.active_count() == before


class TestLimits:
    """Requests and tokens per minute."""

    def test_requests_per_minute_are_kept(self) -> None:
        backend = Here()
        started = time.monotonic()
        with Client(backend, requests_per_minute=3000) as client:  # one in 20 ms
            client.ask([question(i) for i in range(20)])
        # 19 gaps, of which five may be made up for
        assert time.monotonic() - started >= (19 - 5) * 0.02 - 0.01

    def test_tokens_per_minute_are_kept_and_learnt(self) -> None:
        backend = Here()
        started = time.monotonic()
        # a call takes 110 tokens: at 66,000 a minute one in a tenth of a second
        with Client(backend, tokens_per_minute=66_000, concurrency=2) as client:
            client.ask([question(i) for i in range(6)])
        assert time.monotonic() - started >= 0.25

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("concurrency", 0),
            ("concurrency", 2.5),
            ("retries", -1),
            ("timeout", 0),
            ("timeout", float("nan")),
            ("requests_per_minute", -3),
            ("tokens_per_minute", float("inf")),
            ("max_cost", -1.0),
            ("concurrency", True),
        ],
    )
    def test_a_wrong_limit_is_refused(self, option: str, value: Any) -> None:
        with pytest.raises(InputError, match=option):
            Client(Here(), price=PRICE, **{option: value})

    def test_a_schema_that_cannot_be_checked_is_refused_before_anything_is_sent(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "x+"}}}
        backend = Here()
        with Client(backend) as client, pytest.raises(InputError, match="'pattern' at a"):
            client.ask([question(1), Request((Message("user", "Number 2"),), schema, "x")])
        assert not backend.asked


class TestAccounts:
    """What was used is known, and progress told."""

    def test_everything_is_counted_and_stored_answers_cost_nothing(self, tmp_path: Path) -> None:
        requests = [question(i) for i in range(10)]
        for stored in (0, 10):
            with Client(Here(), store=Store(tmp_path / "s.sqlite"), price=PRICE) as client:
                outcomes = client.ask(requests)
                spent = client.spent
            calls = 10 - stored
            assert (spent.calls, spent.stored, spent.failed) == (calls, stored, 0)
            assert spent.usage == Usage(100 * calls, 10 * calls, 40 * calls)
            assert spent.cost == pytest.approx(calls * PRICE.cost(CALL))
            for outcome in outcomes:
                assert isinstance(outcome, Answer)
                assert outcome.stored is bool(stored)
                assert outcome.usage == CALL
                assert outcome.cost == pytest.approx(PRICE.cost(CALL))

    def test_without_a_price_there_is_no_cost(self) -> None:
        with Client(Here()) as client:
            (outcome,) = client.ask([question(1)])
            assert isinstance(outcome, Answer)
            assert outcome.cost is None
            assert client.spent.cost is None

    def test_progress_is_told_in_this_thread_and_ends_at_the_total(self) -> None:
        told: list[tuple[int, int, Spent, float | None, float | None]] = []
        threads = set()

        def progress(*now: Any) -> None:
            told.append(now)
            threads.add(threading.current_thread())

        async def slow(request: Request, again: int) -> str:
            await asyncio.sleep(0.05)
            return text_of(number(request))

        with Client(Here(slow), concurrency=5, price=PRICE, progress=progress) as client:
            client.ask([question(i) for i in range(40)])
        assert threads == {threading.current_thread()}
        assert 2 <= len(told) <= 12
        assert [now[0] for now in told] == sorted(now[0] for now in told)
        done, total, spent, cost, left = told[-1]
        assert (done, total, left) == (40, 40, 0.0)
        assert cost == spent.cost == pytest.approx(40 * PRICE.cost(CALL))
        middle = next(now for now in told if 0 < now[0] < 40)
        assert middle[3] == pytest.approx(40 * PRICE.cost(CALL))
        assert middle[4] is not None

    def test_probabilities_come_with_the_answer_and_from_the_store(self, tmp_path: Path) -> None:
        soft = {"word": {"a": 0.75, "b": 0.25}}

        async def sure(request: Request, again: int) -> Reply:
            return Reply(text_of(number(request)), CALL, soft)

        with Client(Here(sure), store=Store(tmp_path / "s.sqlite")) as client:
            for _ in range(2):
                (outcome,) = client.ask([question(1)])
                assert isinstance(outcome, Answer)
                assert outcome.probabilities == soft


class Batched(Here):
    """A backend that takes many at once."""

    def __init__(self, spoil: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        super().__init__()
        self.batches: list[list[int]] = []
        self.spoil = spoil

    async def ask_all(self, requests: Any) -> list[Reply | CallError]:
        numbers = [number(r) for r in requests]
        self.batches.append(numbers)
        return [
            CallError("server error", "expired", retry=True)
            if i in self.spoil and len(self.batches) == 1
            else Reply(text_of(i), CALL)
            for i in numbers
        ]


class TestBatches:
    """Backends that take all requests at once get the same store, checks and accounts."""

    def test_all_unanswered_go_in_one_batch(self, tmp_path: Path) -> None:
        with Client(Here(), store=Store(tmp_path / "s.sqlite")) as client:
            client.ask([question(i) for i in range(3)])
        backend = Batched()
        backend.sent = {"model": Here.name}
        with Client(backend, store=Store(tmp_path / "s.sqlite"), price=PRICE) as client:
            assert values(client.ask([question(i) for i in range(8)])) == list(range(8))
            assert (client.spent.calls, client.spent.stored) == (5, 3)
            assert client.spent.cost == pytest.approx(5 * PRICE.cost(CALL))
        assert backend.batches == [[3, 4, 5, 6, 7]]
        assert not backend.asked

    def test_what_failed_is_handed_in_once_more(self) -> None:
        backend = Batched({2, 4})
        with Client(backend) as client:
            assert values(client.ask([question(i) for i in range(6)])) == list(range(6))
        assert backend.batches == [[0, 1, 2, 3, 4, 5], [2, 4]]


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


def test_the_schema_of_these_tests_is_sound() -> None:
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"])  # type: ignore[call-overload]
