"""What Palate's client adds to a call: against raw httpx2 and pydantic-ai alone, in the same run.

    python benchmarks/llm.py [--calls 4000] [--in-flight 200] [--latency 0.02] [--stored 100000]

A server in a process of its own (on the other core) answers every call of OpenAI's chat protocol
after `--latency` seconds. Calls are like those of an annotation: about 1,000 tokens of
instructions that all share, a pair of responses that differs, a schema of 12 concepts.

    raw httpx2    the body is built as JSON, the answer's JSON is read, nothing else
    pydantic-ai   `direct.model_request` with the schema, nothing else
    Palate        the client: keys, limits, validation, accounting, the store on disk

CPU is that of the whole process, all threads; a warm-up of two calls for each in flight does not
count. The last rows read stored answers back: from the store by key, and through the client, which
builds the keys from the requests as well. Where other processes want the cores, the figures per
core are the ones to read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TARGET_CALLS, TARGET_CPU, TARGET_STORED = 330.0, 3.0, 50_000.0
CONCEPTS = [f"c{k}" for k in range(12)]
VALUES = ["first", "second", "equal", "irrelevant"]
SCHEMA = {
    "type": "object",
    "properties": {c: {"enum": VALUES, "description": f"Concept {c}"} for c in CONCEPTS},
    "required": CONCEPTS,
    "additionalProperties": False,
}
SYSTEM = "You compare two responses. " + " ".join(
    f'{{"id": "{c}", "name": "Concept {c}", "definition": "High: says what is asked for in plain '
    "words and in the order in which it is needed, without detours; low: leaves the reader to "
    'search for it, or says what nobody asked for at length."}}'
    for c in CONCEPTS
)
ANSWER = json.dumps(dict.fromkeys(CONCEPTS, "first"))


def user(k: int) -> str:
    """The part of a call that differs."""
    words = f"response {k} says something about the matter at hand that another one does not "
    return f"<request>\nQuestion {k}?\n</request>\n" + words * 20


# --- the server -----------------------------------------------------------------------------------


class Answers(asyncio.Protocol):
    """One connection: every request gets the same answer after a while."""

    latency = 0.02
    body = json.dumps(
        {
            "id": "x",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": ANSWER},
                }
            ],
            "usage": {"prompt_tokens": 1400, "completion_tokens": 80, "total_tokens": 1480},
        }
    ).encode()
    reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        head = self.held.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self.held[:head].lower()
        at = lower.index(b"content-length:") + 15
        length = int(lower[at : lower.find(b"\r\n", at) if b"\r\n" in lower[at:] else head])
        if len(self.held) >= head + 4 + length:
            self.held = self.held[head + 4 + length :]
            asyncio.get_running_loop().call_later(self.latency, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.reply)


async def serve(latency: float) -> None:
    """Serve until standard input closes."""
    Answers.latency = latency
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """The address of a server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--latency", str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


# --- the ways to call ----------------------------------------------------------------------------


async def in_flight(call: Callable[[int], Awaitable[None]], count: int, width: int) -> None:
    """Make `count` calls, `width` at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for k in numbers:
            await call(k)

    await asyncio.gather(*(worker() for _ in range(width)))


async def timed(
    call: Callable[[int], Awaitable[None]], count: int, width: int
) -> tuple[float, float]:
    """Seconds and CPU seconds of the calls after a warm-up."""
    await in_flight(lambda k: call(-1 - k), 2 * width, width)
    start, cpu = time.perf_counter(), time.process_time()
    await in_flight(call, count, width)
    return time.perf_counter() - start, time.process_time() - cpu


async def raw(url: str, count: int, width: int) -> tuple[float, float]:
    """The calls with httpx2 and nothing else."""
    import httpx2

    shape = {"name": "compare", "schema": SCHEMA, "strict": True}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=width)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as client:

        async def call(k: int) -> None:
            body = {
                "model": "m",
                "messages": [
                    {"role": "system", "content": SYSTEM},
                    {"role": "user", "content": user(k)},
                ],
                "max_tokens": 500,
                "temperature": 0.0,
                "response_format": {"type": "json_schema", "json_schema": shape},
            }
            response = await client.post(f"{url}/chat/completions", json=body)
            json.loads(response.json()["choices"][0]["message"]["content"])

        return await timed(call, count, width)


async def library(url: str, count: int, width: int) -> tuple[float, float]:
    """The calls with pydantic-ai and nothing else."""
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=url, api_key="none"))
    parameters = ModelRequestParameters(
        output_mode="native",
        output_object=OutputObjectDefinition(json_schema=SCHEMA, name="compare", strict=True),
    )

    async def call(k: int) -> None:
        response = await model_request(
            model,
            [ModelRequest(parts=[SystemPromptPart(SYSTEM), UserPromptPart(user(k))])],
            model_settings={"temperature": 0.0, "max_tokens": 500},
            model_request_parameters=parameters,
        )
        json.loads(response.text or "")

    async with model:
        return await timed(call, count, width)


def requests(start: int, count: int) -> list[Any]:
    """The calls as requests of Palate."""
    from palate.llm.request import Message, Request

    system = Message("system", SYSTEM)
    return [
        Request((system, Message("user", user(k))), SCHEMA, "compare", max_tokens=500)
        for k in range(start, start + count)
    ]


def palate(url: str, count: int, width: int, path: Path) -> tuple[float, float]:
    """The calls with Palate's client, store and accounting."""
    from palate.llm.connect import connect
    from palate.llm.outcome import Answer
    from palate.llm.prices import Price
    from palate.llm.store import Store

    with connect(
        "openai:m",
        base_url=url,
        store=Store(path),
        concurrency=width,
        price=Price(1.0, 0.1, 4.0),
        max_cost=1e6,
    ) as client:
        client.ask(requests(-10 * width, 2 * width))
        start, cpu = time.perf_counter(), time.process_time()
        outcomes = client.ask(requests(0, count))
        taken = time.perf_counter() - start, time.process_time() - cpu
        assert all(isinstance(outcome, Answer) for outcome in outcomes)
        assert client.spent.calls == count + 2 * width
    return taken


def stored(path: Path, count: int) -> dict[str, tuple[float, float]]:
    """Seconds and CPU seconds to read answers back by key, and through the client."""
    from palate.llm.connect import connect
    from palate.llm.outcome import Answer, Usage
    from palate.llm.store import Store

    with connect("openai:m", base_url="http://127.0.0.1:9/v1", store=Store(path)) as client:
        assert client.store is not None
        asked = requests(0, count)
        keys = [request.key(client.backend.sent) for request in asked]
        answer = Answer(json.loads(ANSWER), Usage(1400, 80), 0.001)
        for key, request in zip(keys, asked, strict=True):
            client.store.put(key, request, "openai:m", answer)
        client.store.flush()
        start, cpu = time.perf_counter(), time.process_time()
        found = client.store.get_many(keys)
        by_key = time.perf_counter() - start, time.process_time() - cpu
        assert len(found) == count
        del found
        start, cpu = time.perf_counter(), time.process_time()
        client.ask(asked)
        whole = time.perf_counter() - start, time.process_time() - cpu
        assert client.spent.calls == 0
    return {"from the store by key": by_key, "through the client": whole}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.02)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.latency))
        return
    count, width = options.calls, options.in_flight
    with serving(options.latency) as url, tempfile.TemporaryDirectory() as folder:
        rows = {
            "raw httpx2": asyncio.run(raw(url, count, width)),
            "pydantic-ai": asyncio.run(library(url, count, width)),
            "Palate": palate(url, count, width, Path(folder, "calls.sqlite")),
        }
        read = stored(Path(folder, "stored.sqlite"), options.stored)
    print(f"{count:,} calls, {width} in flight, {1000 * options.latency:.0f} ms latency\n")
    print("                 calls/s   calls/s and core   CPU ms a call")
    for name, (seconds, cpu) in rows.items():
        print(f"{name:14} {count / seconds:9.0f} {count / cpu:18.0f} {1000 * cpu / count:15.2f}")
    print(f"{'target':14} {'':9} {TARGET_CALLS:18.0f} {TARGET_CPU:15.2f}\n")
    print(f"{options.stored:,} stored answers  per second  per second and core")
    for name, (seconds, cpu) in read.items():
        print(f"{name:22} {options.stored / seconds:12,.0f} {options.stored / cpu:20,.0f}")
    print(f"{'target':22} {'':12} {TARGET_STORED:20,.0f}")


if __name__ == "__main__":
    main()
