"""The budget: spent and reserved never exceed it, and asking again with more asks only the rest."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from palate.cli.failures import describe
from palate.errors import BudgetError, InputError
from palate.llm import retrying
from palate.llm.backend import CallError, Reply
from palate.llm.budget import Budget, Sizes
from palate.llm.client import Client
from palate.llm.outcome import Usage
from palate.llm.request import Request
from palate.llm.store import Store

from .plain import CALL, PRICE, Batched, Here, number, question, text_of, values

COST = PRICE.cost(CALL)


def worst() -> float:
    """The most that one question can cost, before anything is known."""
    return PRICE.cost(Sizes().of(question(100)).worst)


class TestHardStop:
    """Nothing is sent that could exceed the limit."""

    @pytest.mark.parametrize("concurrency", [1, 30])
    def test_the_limit_holds_and_more_money_asks_the_rest(
        self, tmp_path: Path, concurrency: int
    ) -> None:
        requests = [question(i) for i in range(200)]
        backend, limit = Here(), worst() * 3
        for _ in range(2):
            with Client(
                backend,
                store=Store(tmp_path / "s.sqlite"),
                price=PRICE,
                max_cost=limit,
                concurrency=concurrency,
            ) as client:
                with pytest.raises(BudgetError) as caught:
                    client.ask(requests)
                error = caught.value
                assert error.spent == pytest.approx(client.spent.cost)
                assert limit - worst() < error.spent <= limit  # kept, and used
                assert error.unsent == 200 - len(backend.asked)
        with Client(
            backend, store=Store(tmp_path / "s.sqlite"), price=PRICE, max_cost=1.0
        ) as client:
            assert values(client.ask(requests)) == list(range(200))
        assert sorted(backend.asked) == list(range(200))  # none twice

    def test_nonsense_without_usage_counts_as_charged(self) -> None:
        async def nonsense(request: Request, again: int) -> str:
            raise CallError("server error", "nonsense", answered=True)

        backend = Here(nonsense)
        with (
            Client(backend, price=PRICE, max_cost=worst() * 3, concurrency=2) as client,
            pytest.raises(BudgetError),
        ):
            client.ask([question(i) for i in range(50)])
        assert len(backend.asked) == 3

    def test_reservations_count_while_calls_are_under_way(self) -> None:
        most = 0.0
        flying = 0

        async def slow(request: Request, again: int) -> Reply:
            nonlocal most, flying
            flying += 1
            most = max(most, flying * worst())
            await asyncio.sleep(0.005)
            flying -= 1
            return Reply(text_of(number(request)), Usage(1, 0, 0))

        with Client(Here(slow), price=PRICE, max_cost=worst() * 4.5, concurrency=20) as client:
            client.ask([question(i) for i in range(100, 130)])
        assert most == pytest.approx(4 * worst())

    def test_a_worst_case_that_comes_true_keeps_the_limit(self) -> None:
        async def greedy(request: Request, again: int) -> Reply:
            size = Sizes().of(request).worst
            return Reply(text_of(number(request)), size)

        limit = worst() * 10.5
        with Client(Here(greedy), price=PRICE, max_cost=limit, concurrency=8) as client:
            with pytest.raises(BudgetError, match="no store"):
                client.ask([question(i) for i in range(100, 150)])
            assert client.spent.cost is not None
            assert 0 < client.spent.cost <= limit

    def test_a_budget_of_nothing_sends_nothing(self) -> None:
        backend = Here()
        with (
            Client(backend, price=PRICE, max_cost=0.0) as client,
            pytest.raises(BudgetError, match="3 requests were not sent"),
        ):
            client.ask([question(i) for i in range(3)])
        assert not backend.asked

    def test_retries_are_paid_from_the_budget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retrying, "FIRST_WAIT", 0.0005)

        async def useless(request: Request, again: int) -> str:
            return "no"

        with Client(Here(useless), price=PRICE, max_cost=worst() + COST * 1.5) as client:
            with pytest.raises(BudgetError):
                client.ask([question(1)])
            assert client.spent.calls == 2

    def test_calls_that_broke_may_have_been_charged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retrying, "FIRST_WAIT", 0.0005)

        async def broken(request: Request, again: int) -> str:
            raise CallError("timeout", "no answer", retry=True)

        backend = Here(broken)
        with Client(backend, price=PRICE, max_cost=worst() * 3.5) as client:
            with pytest.raises(BudgetError):
                client.ask([question(100)])
            assert client.spent.cost == 0
        assert len(backend.asked) == 3

    def test_a_server_that_counts_nothing_is_taken_to_charge_the_most(self) -> None:
        backend = Here(lambda r, a: asyncio.sleep(0, Reply(text_of(number(r)), Usage())))
        with (
            Client(backend, price=PRICE, max_cost=worst() * 3.5) as client,
            pytest.raises(BudgetError, match="may have been"),
        ):
            client.ask([question(i) for i in range(100, 120)])
        assert len(backend.asked) == 3

    def test_the_budget_lasts_over_several_rounds(self) -> None:
        with Client(Here(), price=PRICE, max_cost=worst() + 10 * COST) as client:
            client.ask([question(i) for i in range(8)])
            with pytest.raises(BudgetError):
                client.ask([question(i) for i in range(100, 150)])

    def test_batches_hand_in_what_fits(self, tmp_path: Path) -> None:
        backend = Batched()
        with Client(
            backend, price=PRICE, max_cost=worst() * 6.5, store=Store(tmp_path / "s.sqlite")
        ) as client:
            with pytest.raises(BudgetError):
                client.ask([question(i) for i in range(100, 300)])
            assert client.spent.cost is not None
            assert client.spent.cost <= worst() * 6.5
        assert len(backend.batches[0]) == 6
        assert len(backend.batches) > 1

    def test_without_a_price_no_limit_can_be_kept(self) -> None:
        with pytest.raises(InputError, match=r"price of test:here.*--price IN,OUT"):
            Client(Here(), max_cost=1.0)

    def test_the_command_line_leaves_with_three_and_says_how_to_go_on(self) -> None:
        sentence, code = describe(BudgetError(0.981, 1.0, 1200))
        assert code == 3
        assert "$0.981 are spent, 1,200 requests were not sent" in sentence
        assert "larger --max-cost" in sentence


class TestEstimates:
    """The upper estimate is never below what was seen."""

    def test_the_worst_case_learns(self) -> None:
        sizes, chance = Sizes(), random.Random(0)
        assert sizes.of(question(1)).worst.input_tokens >= 2 * sizes.of(question(1)).counted
        largest = 0.0
        for i in range(100):
            size = sizes.of(question(i))
            seen = int(size.counted * chance.uniform(0.5, 3.0))
            largest = max(largest, seen / size.counted)
            sizes.learn(size, Usage(seen, 10))
            later = sizes.of(question(i))
            assert later.worst.input_tokens >= largest * later.counted
        for _ in range(1000):
            sizes.learn(size, Usage(size.counted, 10))
        assert sizes.of(question(1)).worst.input_tokens >= largest * size.counted
        assert sizes.of(question(1)).expected < 2 * size.counted + 20

    def test_what_a_model_may_think_is_reserved(self) -> None:
        plain, thinking = Sizes().of(question(1)), Sizes(room=2_048).of(question(1))
        more = thinking.worst.output_tokens - plain.worst.output_tokens
        assert more == 2_048
        assert thinking.expected == plain.expected + 2_048

    def test_a_server_that_reports_nothing_teaches_nothing(self) -> None:
        sizes = Sizes()
        before = sizes.of(question(1))
        for _ in range(100):
            sizes.learn(before, Usage(0, 0))
        assert sizes.of(question(1)) == before

    def test_a_reservation_that_does_not_fit_waits_for_what_is_under_way(self) -> None:
        async def run() -> float | None:
            money, size = Budget(worst() * 1.5, PRICE), Sizes().of(question(100))
            first = await money.reserve(size)
            assert first == pytest.approx(worst())
            second = asyncio.create_task(money.reserve(size))
            await asyncio.sleep(0.01)
            assert not second.done()
            money.settle(first, COST)
            return await second

        assert asyncio.run(run()) == pytest.approx(worst())
