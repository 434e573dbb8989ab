"""The real client against a server that goes wrong in every way: right answers or failures.

What may be retried is answered in the end; what may not is a `Failure` with its reason; no value is
ever another one than the script gave, and nothing that failed is in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from palate.errors import InputError
from palate.llm import retrying
from palate.llm.chat import ChatBackend
from palate.llm.client import Client
from palate.llm.connect import connect
from palate.llm.outcome import Answer, Failure, Outcome
from palate.llm.request import Message, Request
from palate.llm.scripted.chaos import CONTENT, FAULTS, FINISH, TRANSPORT, Chaos, uniform
from palate.llm.scripted.question import Question
from palate.llm.scripted.server import ScriptedServer, serve
from palate.llm.store import Store

from .talk import compare_schema, fenced

CONCEPTS = [f"Concept {i}" for i in range(6)]
SCHEMA = compare_schema(CONCEPTS)
WORDS = ("first", "second", "equal", "irrelevant")

# what a client makes of a fault that never ends; "answer" = the right one comes all the same
REASONS: Mapping[str, str] = {
    "429": "rate limit",
    "429 retry-after": "rate limit",
    "500": "server error",
    "503": "server error",
    "html 502": "server error",
    "html": "server error",
    "truncated envelope": "server error",
    "too long": "too long",
    "hang": "timeout",
    "trickle": "timeout",
    "close": "connection",
    "close mid-body": "connection",
    "refusal": "declined",
    "content filter": "declined",
    "length": "cut off",
    "not json": "not json",
    "empty": "not json",
    "list": "not json",
    "nan": "not json",
    "duplicate keys": "not json",
    "deep": "not json",
    "two objects": "not json",
    "text after": "not json",
    "wrong type": "wrong shape",
    "unknown value": "wrong shape",
    "nulls": "wrong shape",
    "missing": "wrong shape",
    "unknown concepts": "wrong shape",
    "renamed": "wrong shape",
    "10 MB": "wrong shape",
    "reordered": "answer",
    "10 MB of spaces": "answer",
}
FATAL = {"401": "key", "404": "no model", "quota": "no credit"}
NOT_AGAIN = {"too long", "refusal", "content filter", "length", *FATAL}


def right(question: str) -> dict[str, str]:
    """The answer that follows from a question."""
    return {f"c{i}": WORDS[int(uniform(question, i) * 4)] for i in range(len(CONCEPTS))}


def script(question: Question) -> Mapping[str, Any]:
    return right(question.material["request"])


def requests(n: int) -> list[Request]:
    """Questions with different answers."""
    return [
        Request(
            messages=(
                Message("system", "You compare."),
                Message("user", fenced({"request": str(i), "response_1": "x", "response_2": "y"})),
            ),
            schema=SCHEMA,
            name="compare",
        )
        for i in range(n)
    ]


def wrong(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Answers that are not the right ones."""
    return [
        o
        for i, o in enumerate(outcomes)
        if isinstance(o, Answer) and dict(o.value) != right(str(i))
    ]


def impatient(fault: str) -> dict[str, float]:
    """A short time limit where waiting is the fault; else a long one, for a busy machine."""
    return {"timeout": 0.3} if fault in ("hang", "trickle") else {}


def answered(outcomes: Sequence[Outcome]) -> int:
    return sum(isinstance(outcome, Answer) for outcome in outcomes)


@contextmanager
def asked(
    chaos: Chaos | Mapping[str, float] | Sequence[str | None],
    store: Store | None = None,
    model: str = "openai:tiny",
    **options: Any,
) -> Iterator[tuple[Client, ScriptedServer]]:
    """A client and the server that it asks."""
    options = {"retries": 1, "timeout": 20.0} | options
    with (
        serve(script, chaos=chaos) as server,
        connect(model, base_url=server.base_url, store=store, **options) as client,
    ):
        yield client, server


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.01)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(Store(tmp_path / "answers.sqlite"))
        return opened[-1]

    yield open_store
    for one in opened:
        one.close()


def stored(client: Client, store: Store, n: int) -> int:
    """How many of the first `n` questions have a stored answer."""
    return len(store.get_many([request.key(client.backend.sent) for request in requests(n)]))


def test_every_fault_is_tested() -> None:
    assert {*REASONS, *FATAL} == set(FAULTS) == {*TRANSPORT, *CONTENT, *FINISH}


SLOW = {"10 MB": pytest.mark.slow}  # its copies are made and read several times


@pytest.mark.parametrize("fault", [pytest.param(f, marks=SLOW.get(f, ())) for f in REASONS])
def test_a_fault_that_never_ends_is_a_failure_with_its_reason(
    fault: str, store: Callable[[], Store]
) -> None:
    kept = store()
    chaos = Chaos({fault: 1.0}, retry_after=0.01)
    with asked(chaos, kept, **impatient(fault)) as (client, server):
        n = 1 if "10 MB" in fault else 2
        outcomes = client.ask(requests(n))
        assert not wrong(outcomes)
        if REASONS[fault] == "answer":
            assert answered(outcomes) == stored(client, kept, n) == n
            return
        assert [o.reason for o in outcomes if isinstance(o, Failure)] == [REASONS[fault]] * n
        assert stored(client, kept, n) == 0
        assert server.calls == sum(o.attempts for o in outcomes if isinstance(o, Failure))
        assert (server.calls == n) == (fault in NOT_AGAIN)


@pytest.mark.parametrize("fault", FATAL)
def test_a_fault_that_no_other_call_can_escape_ends_the_run(
    fault: str, store: Callable[[], Store]
) -> None:
    kept = store()
    with asked({fault: 1.0}, kept, concurrency=2) as (client, server):
        with pytest.raises(InputError, match=FATAL[fault]):
            client.ask(requests(50))
        assert server.calls <= 4
        assert stored(client, kept, 50) == 0


@pytest.mark.parametrize("model", ["openai:tiny", "system-one:tiny"])
def test_a_fault_that_ends_is_answered(model: str) -> None:
    no_faults = {*NOT_AGAIN, "10 MB"} | {f for f in REASONS if REASONS[f] == "answer"}
    if model == "system-one:tiny":
        no_faults.add("duplicate keys")  # which are no matter of a text of the model there
    ends = [f for f in REASONS if f not in no_faults]
    schedule = [step for fault in ends for step in (fault, None)]
    chaos = Chaos(schedule=schedule, retry_after=0.01)
    with asked(chaos, model=model, concurrency=1, retries=8, timeout=0.4) as (client, server):
        outcomes = client.ask(requests(len(ends)))
        assert [f for f, o in zip(ends, outcomes, strict=True) if isinstance(o, Failure)] == []
        assert not wrong(outcomes)
        assert {call.fault for call in server.log} == set(schedule)


def test_one_call_in_ten_failing_leaves_no_failure(store: Callable[[], Store]) -> None:
    kept = store()
    chaos = {"429": 0.04, "500": 0.03, "503": 0.03}
    with asked(chaos, kept, retries=8) as (client, server):
        outcomes = client.ask(requests(300))
        assert answered(outcomes) == 300
        assert not wrong(outcomes)
        assert sum(call.fault is not None for call in server.log) > 15
        assert client.spent.calls >= 300
        # everything is stored: asking again sends nothing
        calls = server.calls
        again = client.ask(requests(300))
        assert server.calls == calls
        assert all(isinstance(o, Answer) and o.stored for o in again)
        assert not wrong(again)


@pytest.mark.slow
def test_with_every_fault_at_once_an_answer_is_right_or_absent(store: Callable[[], Store]) -> None:
    kept = store()
    slow = {"10 MB", "10 MB of spaces", "deep"}
    some = [f for f in REASONS if f not in slow]
    chaos = Chaos({f: 0.5 / len(some) for f in some}, retry_after=0.01)
    with asked(chaos, kept, retries=3, timeout=1.0) as (client, server):
        outcomes = client.ask(requests(200))
        assert not wrong(outcomes)
        failed = [o for o in outcomes if isinstance(o, Failure)]
        assert {o.reason for o in failed} <= set(REASONS.values())
        assert 0 < len(failed) < 40
        assert stored(client, kept, 200) == answered(outcomes) == 200 - len(failed)
        # a second run asks for what failed, and for nothing else
        good = {i for i, o in enumerate(outcomes) if isinstance(o, Answer)}
        before = len(server.log)
        again = client.ask(requests(200))
        assert not wrong(again)
        assert all(isinstance(again[i], Answer) for i in good)
        asked_again = {call.body for call in server.log[before:]}
        assert len(asked_again) == len(failed)


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("500", {"server error"}),
        ("429", {"rate limit"}),
        ("hang", {"timeout"}),
        ("close mid-body", {"connection"}),
        ("truncated envelope", {"server error"}),
        ("not json", {"server error"}),
        ("missing", {"server error"}),
        ("unknown concepts", {"server error"}),
        ("renamed", {"server error"}),
        ("wrong type", {"server error"}),
        ("nulls", {"server error"}),
        ("nan", {"server error"}),
    ],
)
def test_typed_decisions_that_go_wrong_are_failures_too(fault: str, reasons: set[str]) -> None:
    with asked({fault: 1.0}, model="system-one:tiny", **impatient(fault)) as (client, _):
        outcomes = client.ask(requests(2))
        assert {o.reason for o in outcomes if isinstance(o, Failure)} == reasons


def test_no_failure_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALATE_API_KEY", "sk-planted-0123456789abcdef")
    for fault in ("500", "not json", "too long", "html"):
        with asked({fault: 1.0}) as (client, server):
            assert isinstance(client.backend, ChatBackend)
            (outcome,) = client.ask(requests(1))
            assert isinstance(outcome, Failure)
            assert server.log[0].headers["authorization"].endswith("0123456789abcdef")
            assert "planted" not in repr(outcome)
