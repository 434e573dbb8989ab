"""The client: order, one call for equal questions, ends, limits, batches."""

from __future__ import annotations

import asyncio
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
from palate.llm.backend import CallError
from palate.llm.client import Client
from palate.llm.request import Message, Request
from palate.llm.store import Store

from .plain import CALL, PRICE, Batched, Here, number, question, text_of, values


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
        answered: list[int] = []

        def interrupt_after_sixty() -> None:
            until = time.monotonic() + 20
            while len(answered) < 60 and time.monotonic() < until:
                time.sleep(0.005)
            time.sleep(0.1)  # the last of them have arrived
            os.kill(os.getpid(), signal.SIGINT)

        async def slower(request: Request, again: int) -> str:
            i = number(request)
            if i == 60:
                threading.Thread(target=interrupt_after_sixty).start()
            await asyncio.sleep(0.001 if i < 60 else 30)
            answered.append(i)
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

    def test_closing_from_another_thread_ends_the_run_with_a_sentence(self, tmp_path: Path) -> None:
        def close_once_five_are_stored() -> None:
            until = time.monotonic() + 20
            while len(store.get_many(keys)) < 5 and time.monotonic() < until:
                time.sleep(0.005)
            client.close()

        async def slower(request: Request, again: int) -> str:
            i = number(request)
            if i == 5:
                threading.Thread(target=close_once_five_are_stored).start()
            await asyncio.sleep(0.001 if i < 5 else 30)
            return text_of(i)

        backend, store = Here(slower), Store(tmp_path / "s.sqlite")
        keys = [question(i).key(backend.sent) for i in range(50)]
        client = Client(backend, store=store)
        with pytest.raises(InputError, match="closed while it asked"):
            client.ask([question(i) for i in range(50)])
        assert len(store.get_many(keys)) == 5
        store.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_process_is_told_to_open_its_own(self, tmp_path: Path) -> None:
        with Client(Here(), store=Store(tmp_path / "s.sqlite")) as client:
            client.ask([question(1)])
            child = os.fork()
            if child == 0:
                signal.alarm(10)  # what would hang for ever
                try:
                    client.ask([question(2)])
                except InputError as error:
                    client.close()
                    os._exit(7 if "another process" in str(error) else 1)
                os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert values(client.ask([question(1), question(2)])) == [1, 2]

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
