"""What a client uses is counted, and its progress told."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from palate.llm.backend import Reply
from palate.llm.client import Client
from palate.llm.outcome import Answer, Usage
from palate.llm.request import Request
from palate.llm.spending import Spent
from palate.llm.store import Store

from .plain import CALL, PRICE, Here, number, question, text_of


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
