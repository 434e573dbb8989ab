"""`Sending`: asks many requests at once, each until it is answered or has failed for good.

A fixed number of workers takes requests from one iterator, so that a hundred thousand requests are
never a hundred thousand tasks. Each attempt: reserve its worst cost, wait for its turn, send it
within the time limit, check the answer, count what it took.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from palate.llm.backend import Backend, BatchBackend, CallError, Reply
from palate.llm.budget import Budget, Size, Sizes
from palate.llm.outcome import Answer, Failure, Outcome
from palate.llm.pacing import Pace
from palate.llm.request import Request
from palate.llm.retrying import Tries
from palate.llm.secrets import redact
from palate.llm.shape import NotJSONError, mismatch, read_object
from palate.llm.spending import Account

HOPELESS = 20  # requests in a row that fail on the way, none answered between: nobody is there
NOBODY = 5  # attempts at one request on which the connection fails, nobody heard of in the run
_ON_THE_WAY = frozenset(("connection", "timeout", "server error", "rate limit"))
_MAYBE_CHARGED = frozenset(("connection", "timeout"))


@dataclass(frozen=True)
class Terms:
    """How requests are sent.

    Parameters
    ----------
    concurrency
        Requests under way at once.
    retries
        Attempts after the first that may fail on the way.
    timeout
        Seconds that an attempt may take.
    secrets
        Keys that no message may show.
    """

    concurrency: int
    retries: int
    timeout: float
    secrets: tuple[str, ...] = ()


class Sending:
    """Asks a backend many requests at once.

    Parameters
    ----------
    backend
        Way to the model.
    terms
        How requests are sent.
    account
        Counts what is used.
    budget
        What may be spent.
    pace
        Limits a minute.
    sizes
        Estimates of tokens.
    done
        Takes each key with its outcome, as soon as it has one.
    """

    def __init__(
        self,
        backend: Backend,
        terms: Terms,
        *,
        account: Account,
        budget: Budget,
        pace: Pace,
        sizes: Sizes,
        done: Callable[[bytes, Request, Outcome], None],
    ) -> None:
        self._backend, self._terms = backend, terms
        self._account, self._budget, self._pace, self._sizes = account, budget, pace, sizes
        self._done = done
        self._measure = budget.limit is not None or pace.counts_tokens
        self._sending: set[asyncio.Task[None]] = set()
        self._workers: list[asyncio.Task[None]] = []
        self._failing = 0
        self._heard = False  # of somebody at the other end
        self.unsent: list[bytes] = []
        """Keys of requests that the budget did not allow."""
        self.fatal: str | None = None
        """Why the run stopped before its end, if it did."""

    async def run(self, requests: Iterable[tuple[bytes, Request]]) -> None:
        """Ask all of them.

        Parameters
        ----------
        requests
            Keys and requests, no key twice.
        """
        if isinstance(self._backend, BatchBackend):
            await self._hand_in(self._backend, list(requests))
            return
        shared = iter(requests)
        self._workers = [
            asyncio.create_task(self._work(shared)) for _ in range(self._terms.concurrency)
        ]
        try:
            await asyncio.wait(self._workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for worker in self._workers:
                worker.cancel()
            ends = await asyncio.gather(*self._workers, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _work(self, requests: Iterator[tuple[bytes, Request]]) -> None:
        for key, request in requests:
            outcome = await self._ask(key, request)
            if outcome is not None:
                self._finish(key, request, outcome)
                self._look_for_hope(outcome)
            if self.fatal is not None:
                return

    async def _ask(self, key: bytes, request: Request) -> Outcome | None:
        """Return the outcome of a request; None where it was not sent or the run is over."""
        tries = Tries(key)
        while True:
            size = self._sizes.of(request) if self._measure else None
            reserved = await self._budget.reserve(size)
            if reserved is None:
                self.unsent.append(key)
                return None
            cost, unsure = None, False
            try:
                expected = size.expected if size else 0.0
                await self._pace.turn(expected)
                unsure = True
                result = await self._send(request)
                tries.sent += 1
                if isinstance(result, Answer) or result.reason != "connection":
                    self._heard = True
                cost, unsure = self._count(result, size)
            finally:
                self._budget.settle(reserved, cost, unsure=unsure)
            if isinstance(result, Answer):
                return result
            if not self._heard and tries.sent >= NOBODY:
                self._stop(f"{NOBODY} attempts at a request got no connection: {result.detail}")
                return None
            if result.fatal:
                self._stop(result.detail)
                return None
            wait = tries.wait(result, self._terms.retries)
            if wait is None:
                return Failure(result.reason, result.detail, tries.sent)
            if self.fatal is not None:
                return None
            if wait > 0:
                await asyncio.sleep(wait)

    async def _send(self, request: Request) -> Answer | CallError:
        """Make one attempt."""
        task = asyncio.current_task()
        assert task is not None
        self._account.calls += 1
        self._sending.add(task)
        try:
            async with asyncio.timeout(self._terms.timeout):
                reply = await self._backend.ask(request)
        except CallError as error:
            return self._told(error)
        except TimeoutError:
            return CallError(
                "timeout", f"no answer within {self._terms.timeout:g} seconds", retry=True
            )
        finally:
            self._sending.discard(task)
        return self._read(request, reply)

    def _read(self, request: Request, reply: Reply) -> Answer | CallError:
        """Check a reply."""
        try:
            value = read_object(reply.text)
        except NotJSONError as error:
            return self._told(CallError("not json", str(error), retry=True, usage=reply.usage))
        wrong = mismatch(value, request.schema)
        if wrong is not None:
            return self._told(CallError("wrong shape", wrong, retry=True, usage=reply.usage))
        return Answer(value, reply.usage, None, probabilities=reply.probabilities)

    def _told(self, error: CallError) -> CallError:
        """Return an error whose words show no key and are few."""
        detail = " ".join(redact(error.detail[:2000], self._terms.secrets).split())[:400]
        return CallError(
            error.reason,
            detail,
            retry=error.retry,
            after=error.after,
            fatal=error.fatal,
            usage=error.usage,
            answered=error.answered,
        )

    def _count(self, result: Answer | CallError, size: Size | None) -> tuple[float | None, bool]:
        """Count what an attempt took; return its cost and whether that is uncertain."""
        usage = result.usage
        if usage is None:
            assert isinstance(result, CallError)
            return None, result.answered or result.reason in _MAYBE_CHARGED
        if size is not None:
            self._sizes.learn(size, usage)
            self._pace.correct(size.expected, usage.input_tokens + usage.output_tokens)
        # who counts no tokens may still charge for them
        return self._account.charge(usage), size is not None and usage.input_tokens == 0

    def _finish(self, key: bytes, request: Request, outcome: Outcome) -> None:
        if isinstance(outcome, Failure):
            self._account.failed += 1
        elif self._account.price is not None:
            outcome = Answer(
                outcome.value,
                outcome.usage,
                self._account.price.cost(outcome.usage),
                probabilities=outcome.probabilities,
            )
        self._done(key, request, outcome)

    def _look_for_hope(self, outcome: Outcome) -> None:
        """Stop where request after request fails on the way."""
        if not isinstance(outcome, Failure):
            self._failing = 0
        elif outcome.reason in _ON_THE_WAY:
            self._failing += 1
            if self._failing >= max(HOPELESS, self._terms.concurrency):
                self._stop(
                    f"{self._failing:,} requests in a row failed, the last one after "
                    f"{outcome.attempts} attempts ({outcome.reason}: {outcome.detail})"
                )

    def _stop(self, why: str) -> None:
        """Let what is under way end, and everything else not begin."""
        self.fatal = self.fatal or why
        for worker in self._workers:
            if worker not in self._sending and worker is not asyncio.current_task():
                worker.cancel()

    async def _hand_in(self, backend: BatchBackend, requests: list[tuple[bytes, Request]]) -> None:
        """Hand in all requests that fit the budget at once, until every one has an outcome.

        What could not be used is handed in again as often as a single request would be asked
        again; what did not fit is handed in when the true costs of the rest are known.
        """
        tries = {key: Tries(key) for key, _ in requests}
        while requests and self.fatal is None:
            chosen: list[tuple[bytes, Request, Size | None, float]] = []
            later: list[tuple[bytes, Request]] = []
            for key, request in requests:
                size = self._sizes.of(request) if self._measure else None
                reserved = self._budget.reserve_now(size)
                if reserved is None:
                    later.append((key, request))
                else:
                    chosen.append((key, request, size, reserved))
            if not chosen:
                self.unsent += [key for key, _ in later]
                return
            results: list[Reply | CallError] | None = None
            try:
                self._account.calls += len(chosen)
                results = await backend.ask_all([request for _, request, _, _ in chosen])
            except CallError as error:
                results = [error] * len(chosen)
            finally:
                if results is None:
                    for _, _, _, reserved in chosen:
                        self._budget.settle(reserved, None, unsure=True)
            for (key, request, size, reserved), result in zip(chosen, results, strict=True):
                told = (
                    self._told(result)
                    if isinstance(result, CallError)
                    else self._read(request, result)
                )
                cost, unsure = self._count(told, size)
                self._budget.settle(reserved, cost, unsure=unsure)
                tries[key].sent += 1
                if isinstance(told, Answer):
                    self._finish(key, request, told)
                elif told.fatal:
                    self._stop(told.detail)
                elif tries[key].wait(told, 1) is None:
                    self._finish(key, request, Failure(told.reason, told.detail, tries[key].sent))
                else:
                    later.append((key, request))
            requests = later
