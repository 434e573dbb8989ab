"""Backends small enough to read: one in this process, one that speaks HTTP and nothing else.

Run as a program, it asks a server `n` questions through a store and prints a digest of the answers:
what the tests kill and start again.

    python -m tests.llm.plain URL STORE N CONCURRENCY
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from palate.llm.backend import CallError, Reply
from palate.llm.client import Client
from palate.llm.outcome import Answer, Outcome, Usage
from palate.llm.prices import Price
from palate.llm.request import Message, Request
from palate.llm.store import Store

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "word": {"type": "string"}},
    "required": ["n", "word"],
    "additionalProperties": False,
}
CALL = Usage(100, 10, 40)
PRICE = Price(input=1.0, cached_input=0.1, output=4.0)


def question(i: int, **changes: Any) -> Request:
    """A question about a number."""
    start = Message("system", "You count. " * 20)
    given: dict[str, Any] = {"name": "count", "about": f"number {i}", "max_tokens": 50} | changes
    return Request((start, Message("user", f"Number {i}")), SCHEMA, **given)


def number(request: Request) -> int:
    """The number that a question is about."""
    return int(request.messages[-1].text.rpartition(" ")[2])


def text_of(i: int) -> str:
    """The right answer."""
    return json.dumps({"n": i, "word": f"w{i}"})


def values(outcomes: Sequence[Outcome]) -> list[int]:
    """The numbers that were answered; fails on anything but answers."""
    found = []
    for outcome in outcomes:
        assert isinstance(outcome, Answer), outcome
        found.append(outcome.value["n"])
    return found


class Here:
    """A backend in this process, whose answers a test writes."""

    name = "test:here"
    room = 0

    def __init__(
        self, answer: Callable[[Request, int], Awaitable[str | Reply]] | None = None
    ) -> None:
        self.sent: Mapping[str, Any] = {"model": self.name}
        self.asked: list[int] = []
        self.flying = self.most = self.closed = 0
        self._answer = answer

    async def ask(self, request: Request) -> Reply:
        i = number(request)
        self.asked.append(i)
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            if self._answer is None:
                await asyncio.sleep(0.001)
                return Reply(text_of(i), CALL)
            given = await self._answer(request, self.asked.count(i))
            return given if isinstance(given, Reply) else Reply(given, CALL)
        finally:
            self.flying -= 1

    async def close(self) -> None:
        self.closed += 1


class Batched(Here):
    """A backend that takes many at once."""

    def __init__(self, spoil: Collection[int] = ()) -> None:
        super().__init__()
        self.batches: list[list[int]] = []
        self.spoil = spoil

    async def ask_all(self, requests: Sequence[Request]) -> list[Reply | CallError]:
        numbers = [number(r) for r in requests]
        self.batches.append(numbers)
        return [
            CallError("server error", "expired", retry=True)
            if i in self.spoil and len(self.batches) == 1
            else Reply(text_of(i), CALL)
            for i in numbers
        ]


class Plain:
    """A backend that sends `{"number": i}` by HTTP, a connection a call."""

    name = "test:plain"
    room = 0

    def __init__(self, url: str) -> None:
        host, _, port = url.split("/")[2].partition(":")
        self._host, self._port = host, int(port)
        self.sent: Mapping[str, Any] = {"model": self.name}

    async def ask(self, request: Request) -> Reply:
        body = json.dumps({"number": number(request)}).encode()
        head = f"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}"
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=2**25)
            try:
                writer.write(head.encode() + b"\r\n\r\n" + body)
                await writer.drain()
                top = await reader.readuntil(b"\r\n\r\n")
                fields = dict(
                    line.lower().split(": ", 1) for line in top.decode().split("\r\n")[1:] if line
                )
                text = await reader.readexactly(int(fields["content-length"]))
            finally:
                writer.close()
                await writer.wait_closed()
        except (OSError, EOFError) as error:
            raise CallError("connection", f"{error}", retry=True) from error
        status = int(top.split()[1])
        if status == 429 or status >= 500:
            after = fields.get("retry-after")
            raise CallError(
                "rate limit" if status == 429 else "server error",
                f"the server answered {status}",
                retry=True,
                after=None if after is None else float(after),
            )
        return Reply(text.decode(), CALL)

    async def close(self) -> None:
        pass


def main(url: str, store: str, n: str, concurrency: str) -> None:
    """Ask, and print what came."""
    with Client(Plain(url), store=Store(Path(store)), concurrency=int(concurrency)) as client:
        outcomes = client.ask([question(i) for i in range(int(n))])
    print(json.dumps([x.value if isinstance(x, Answer) else str(x) for x in outcomes]))


if __name__ == "__main__":
    main(*sys.argv[1:])
