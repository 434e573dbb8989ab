"""`Client`: structured questions in, one outcome each out, in their order; nothing is paid twice.

    with Client(backend, store=Store("answers.sqlite"), max_cost=5.0, price=price) as client:
        outcomes = client.ask(requests)
    client.spent  # calls, tokens, cost

`ask` is an ordinary function: the client runs an event loop in a thread of its own. It returns when
every answer that came from the model is committed to the store. An interrupted run keeps what was
answered; asking again asks only the rest.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, wait
from types import TracebackType
from typing import TYPE_CHECKING

from palate.errors import BudgetError, InputError
from palate.llm.backend import Backend
from palate.llm.budget import Budget, Sizes
from palate.llm.loop_thread import LoopThread, Running
from palate.llm.outcome import Answer, Outcome
from palate.llm.pacing import Pace
from palate.llm.request import Request
from palate.llm.sending import Sending, Terms
from palate.llm.shape import check_schema
from palate.llm.spending import Account, Progress, Spent

if TYPE_CHECKING:
    from palate.llm.prices import Price
    from palate.llm.store import Store

TELL_EVERY = 0.1  # seconds between two calls of `progress`
LOOK_AGAIN = 64  # requests that are looked up in the store together just before they are sent
CLOSING = 10.0


class Client:
    """Asks a model through a backend, a store, limits and a budget.

    Parameters
    ----------
    backend
        Way to the model.
    store
        Where answers are kept; None keeps none. `close` closes it, and it opens again when used.
    concurrency
        Requests under way at once.
    requests_per_minute
        Limit on requests; None for none.
    tokens_per_minute
        Limit on tokens in and out; None for none.
    max_cost
        US dollars that all calls of this client may cost; None for no limit.
    retries
        Attempts after the first that may fail on the way (429, 5xx, connections, timeouts).
    timeout
        Seconds that an attempt may take.
    price
        Price of the tokens; None where it is not known.
    progress
        Called with requests done, requests in all, what is spent, the estimated cost in the end
        and the estimated seconds left, at most ten times a second, in the thread that asks.
    secrets
        Keys that no message may show.

    Raises
    ------
    InputError
        If a limit is not a positive number, or there is a `max_cost` and no price.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        store: Store | None = None,
        concurrency: int = 32,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        max_cost: float | None = None,
        retries: int = 8,
        timeout: float = 120.0,
        price: Price | None = None,
        progress: Progress | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        _positive("concurrency", concurrency, whole=True)
        _positive("retries", retries, whole=True, zero=True)
        _positive("timeout", timeout)
        for name, value in (
            ("requests_per_minute", requests_per_minute),
            ("tokens_per_minute", tokens_per_minute),
        ):
            if value is not None:
                _positive(name, value)
        if max_cost is not None:
            _positive("max_cost", max_cost, zero=True)
            if price is None:
                raise InputError(
                    f"The price of {backend.name} is not known, so that a limit on the cost cannot "
                    "be kept; give it with --price IN,OUT in US dollars per million tokens."
                )
        self.backend, self.store, self.progress = backend, store, progress
        self._terms = Terms(concurrency, retries, timeout, tuple(secrets))
        self._account, self._budget = Account(price), Budget(max_cost, price)
        self._pace, self._sizes = Pace(requests_per_minute, tokens_per_minute), Sizes(backend.room)
        self._thread: LoopThread | None = None
        self._turn = threading.Lock()
        self._process = os.getpid()  # threads do not come along when a process is forked
        self._closed = False

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def spent(self) -> Spent:
        """What was used so far."""
        return self._account.spent()

    @property
    def committed(self) -> float:
        """US dollars that were spent, and that calls which broke may have cost."""
        return self._budget.spent + self._budget.unsure

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in their order; equal requests are sent once.

        Parameters
        ----------
        requests
            The questions.

        Raises
        ------
        InputError
            If the client is closed or another process opened it, a schema cannot be checked, or
            nothing can be asked (a wrong key, an unknown model, nobody there); answers that came
            before are stored.
        BudgetError
            If the budget did not allow all requests; what was answered is stored.
        OutputError
            If answers cannot be stored.
        """
        if self._closed:
            raise InputError("This client is closed; open another one.")
        if os.getpid() != self._process:
            raise InputError("This client was opened by another process; open one in this process.")
        with self._turn:
            started = time.monotonic()
            try:
                return self._ask(requests, started)
            finally:
                self._account.seconds += time.monotonic() - started

    def _ask(self, requests: Sequence[Request], started: float) -> list[Outcome]:
        keys = [request.key(self.backend.sent) for request in requests]
        wanted = dict(zip(keys, requests, strict=True))
        outcomes: dict[bytes, Outcome] = {}
        if self.store is not None:
            outcomes.update(self.store.get_many(list(wanted)))
            self._account.stored += len(outcomes)
        rest = [(key, request) for key, request in wanted.items() if key not in outcomes]
        _check_schemas(request for _, request in rest)
        teller = _Teller(self._account, self.progress, len(wanted), len(outcomes), started)
        if rest:
            self._send(rest, outcomes, teller)
        teller.tell(len(outcomes))
        return [outcomes[key] for key in keys]

    def _send(
        self, rest: list[tuple[bytes, Request]], outcomes: dict[bytes, Outcome], teller: _Teller
    ) -> None:
        def done(key: bytes, request: Request, outcome: Outcome) -> None:
            if self.store is not None and isinstance(outcome, Answer):
                self.store.put(key, request, self.backend.name, outcome)
            outcomes[key] = outcome

        terms = Terms(
            min(self._terms.concurrency, len(rest)),
            self._terms.retries,
            self._terms.timeout,
            self._terms.secrets,
        )
        sending = Sending(
            self.backend,
            terms,
            account=self._account,
            budget=self._budget,
            pace=self._pace,
            sizes=self._sizes,
            done=done,
        )
        self._thread = self._thread or LoopThread()
        running = self._thread.start(sending.run(self._still_open(rest, outcomes)))
        try:
            while not wait([running.ended], timeout=TELL_EVERY).done:
                teller.tell(len(outcomes))
        except BaseException:
            _end(running)
            self._flush()
            raise
        self._flush()
        try:
            running.ended.result()
        except CancelledError:  # nobody but `close` ends it in this way
            raise InputError("This client was closed while it asked.") from None
        if sending.fatal is not None:
            kept = "" if self.store is None else "; what was answered before is stored"
            raise InputError(f"{self.backend.name}: {sending.fatal.rstrip('.')}{kept}.")
        if sending.unsent:
            raise BudgetError(
                self._budget.spent,
                self._budget.limit or 0.0,
                len(sending.unsent),
                unsure=self._budget.unsure,
                stored=self.store is not None,
            )

    def _still_open(
        self, rest: list[tuple[bytes, Request]], outcomes: dict[bytes, Outcome]
    ) -> Iterator[tuple[bytes, Request]]:
        """Yield the requests that no other process has answered in the meantime."""
        for start in range(0, len(rest), LOOK_AGAIN):
            part = rest[start : start + LOOK_AGAIN]
            if self.store is not None and start > 0:
                known = self.store.get_many([key for key, _ in part])
                self._account.stored += len(known)
                outcomes.update(known)
                part = [item for item in part if item[0] not in known]
            yield from part

    def _flush(self) -> None:
        if self.store is not None:
            self.store.flush()

    def close(self) -> None:
        """Close connections, the thread and the store; a second time does nothing."""
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        thread, self._thread = self._thread or LoopThread(), None
        try:
            closing = thread.start(self.backend.close())
            with contextlib.suppress(CancelledError, TimeoutError):
                closing.ended.result(timeout=CLOSING)
        finally:
            thread.close()
            if self.store is not None:
                self.store.close()


class _Teller:
    """Tells the progress of one question round."""

    def __init__(
        self, account: Account, progress: Progress | None, total: int, stored: int, started: float
    ) -> None:
        self._account, self._progress, self._total = account, progress, total
        self._stored, self._started, self._cost = stored, started, account.cost

    def tell(self, done: int) -> None:
        if self._progress is None:
            return
        spent, asked, left = self._account.spent(), done - self._stored, self._total - done
        cost = seconds = None
        if left == 0:
            cost, seconds = spent.cost, 0.0
        elif asked > 0:
            seconds = (time.monotonic() - self._started) / asked * left
            if spent.cost is not None:
                cost = spent.cost + (spent.cost - self._cost) / asked * left
        self._progress(done, self._total, spent, cost, seconds)


def _end(running: Running[None]) -> None:
    """Cancel what is under way and wait until it has ended."""
    running.cancel()
    wait([running.ended], timeout=CLOSING)


def _check_schemas(requests: Iterable[Request]) -> None:
    seen: set[int] = set()
    for request in requests:
        if id(request.schema) not in seen:
            check_schema(request.schema)
            seen.add(id(request.schema))


def _positive(name: str, value: float, *, whole: bool = False, zero: bool = False) -> None:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        expected = "a whole number" if whole else "a number"
        raise InputError(f"{name}: found {value!r}; expected {expected}.")
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise InputError(
            f"{name}: found {value!r}; expected a number {'of at least' if zero else 'above'} 0."
        )
