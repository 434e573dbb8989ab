"""`serve`: an HTTP/1.1 server on loopback that speaks the OpenAI protocol and follows a script.

It runs an event loop in a thread of its own, keeps connections alive, and ends at once. Besides
`POST /v1/chat/completions` (schema in `response_format` or as a tool) it answers `GET /v1/models`
and the typed decisions of `POST /v1/systemone`.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from palate.errors import PalateError
from palate.llm.scripted.chaos import CONTENT, FINISH, Chaos
from palate.llm.scripted.http import BadRequestError, Received, read_request, response
from palate.llm.scripted.question import Question, Script, chat_question, decision_question
from palate.llm.scripted.token_list import settled, token_list
from palate.llm.scripted.tokens import PrefixCache
from palate.llm.scripted.wire import chat_body, decision_body, error_body, model_list

HOST = "127.0.0.1"
DRIP = 0.05
"""Seconds between two bytes of the fault "trickle"."""
PAGE = b"<!doctype html><html><title>502 Bad Gateway</title><h1>Bad Gateway</h1></html>"

# status, type and code of the faults that are one error body
_ERRORS: dict[str, tuple[int, str, str | None]] = {
    "429": (429, "requests", "rate_limit_exceeded"),
    "429 retry-after": (429, "requests", "rate_limit_exceeded"),
    "quota": (429, "insufficient_quota", "insufficient_quota"),
    "500": (500, "server_error", None),
    "503": (503, "server_error", None),
    "401": (401, "invalid_request_error", "invalid_api_key"),
    "404": (404, "invalid_request_error", "model_not_found"),
    "too long": (400, "invalid_request_error", "context_length_exceeded"),
}


@dataclass(frozen=True)
class Call:
    """One call that a server received.

    Parameters
    ----------
    order
        Number of the call, from 0.
    name
        Name of the schema.
    status
        HTTP status that was sent; 0 if none was.
    fault
        Name of the fault, or None.
    body
        The body as it came.
    headers
        The headers as they came, names in lower case.
    """

    order: int
    name: str
    status: int
    fault: str | None = None
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class ScriptedServer:
    """A server that is running; `serve` starts and ends it.

    Parameters
    ----------
    script
        Answers the questions.
    latency
        Seconds before every answer.
    chaos
        Which calls go wrong.
    seed
        Seed of the chaos.
    """

    def __init__(self, script: Script, latency: float, chaos: Chaos, seed: int) -> None:
        self.script, self.latency, self.chaos, self.seed = script, latency, chaos, seed
        self.port = 0
        self.calls = 0
        self.log: list[Call] = []
        self._cache = PrefixCache()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """Address for clients, with `/v1`."""
        return f"http://{HOST}:{self.port}/v1"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            while (received := await read_request(reader)) is not None:
                if not await self._answer(received, writer):
                    break
                await writer.drain()
        except BadRequestError as problem:
            writer.write(_json(400, error_body(str(problem), "invalid_request_error")))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away, which is its right
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            if task is not None:
                self._tasks.discard(task)
            with suppress(ConnectionError):
                writer.close()

    async def _answer(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        """Answer one request and return whether the connection stays open."""
        if received.method == "GET" and received.path == "/v1/models":
            writer.write(_json(200, model_list()))
            return True
        if received.path not in ("/v1/chat/completions", "/v1/systemone"):
            writer.write(_json(404, error_body(f"No route {received.path}.", "not_found")))
            return True
        order, self.calls = self.calls, self.calls + 1
        fault = self.chaos.fault(order, received.body, self.seed)
        try:
            body = json.loads(received.body)
            chat = received.path == "/v1/chat/completions"
            question = chat_question(body) if chat else decision_question(body)
        except (ValueError, TypeError, KeyError, AttributeError, PalateError) as problem:
            self._note(order, "", 400, None, received)
            writer.write(_json(400, error_body(f"Bad request: {problem}", "invalid_request_error")))
            return True
        if self.latency:
            await asyncio.sleep(self.latency)
        status, data, headers = self._reply(question, order, fault, chat=chat)
        if fault in ("hang", "close"):
            self._note(order, question.name, 0, fault, received)
            if fault == "hang":
                await asyncio.Event().wait()
            return False
        self._note(order, question.name, status, fault, received)
        sent = response(status, data, headers)
        if fault == "close mid-body":
            writer.write(sent[: len(sent) - len(data) // 2 - 1])
            await writer.drain()
            return False
        if fault == "trickle":
            head = len(sent) - len(data)
            writer.write(sent[:head])
            for byte in data:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(DRIP)
            return True
        writer.write(sent)
        return True

    def _reply(
        self, question: Question, order: int, fault: str | None, *, chat: bool
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        if fault in ("html", "html 502"):
            return (200 if fault == "html" else 502), PAGE, {"Content-Type": "text/html"}
        if fault in _ERRORS:
            status, kind, code = _ERRORS[fault]
            retry = {"Retry-After": f"{self.chaos.retry_after:g}"}
            headers = retry if fault == "429 retry-after" else {}
            return status, _encoded(error_body(f"Scripted fault {fault}.", kind, code)), headers
        try:
            answer = self.script(question)
        except Exception as problem:  # a script's mistake must reach its author, not hang a client
            message = f"The script failed: {type(problem).__name__}: {problem}"
            return 400, _encoded(error_body(message, "script_error")), {}
        if chat:
            data = self._chat(question, answer, order, fault)
        else:
            data = _decision(question, answer, fault)
        return 200, data[: len(data) // 2] if fault == "truncated envelope" else data, {}

    def _chat(
        self, question: Question, answer: Mapping[str, Any] | str, order: int, fault: str | None
    ) -> bytes:
        """The body of a chat completion with the faults of content and ending."""
        tokens = None
        if not isinstance(answer, str):
            answer, spreads = settled(answer, question.schema)
            if spreads and question.body.get("logprobs") and fault not in CONTENT:
                most = question.body.get("top_logprobs")
                tokens = token_list(answer, spreads, most if isinstance(most, int) else 0)
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        if fault is not None and fault in CONTENT and not isinstance(answer, str):
            text = CONTENT[fault](answer)
        limited = fault not in CONTENT  # a server that goes wrong keeps to no limit
        body = chat_body(question, text, order, self._cache, limited=limited, tokens=tokens)
        if fault in FINISH:
            choice = body["choices"][0]
            message = choice["message"] = {"role": "assistant", "content": None, "refusal": None}
            if fault == "refusal":
                message["refusal"] = "I cannot help with that."
            elif fault == "content filter":
                choice["finish_reason"] = "content_filter"
            else:
                message["content"], choice["finish_reason"] = text[: len(text) // 2], "length"
        return _encoded(body)

    def _note(
        self, order: int, name: str, status: int, fault: str | None, received: Received
    ) -> None:
        self.log.append(Call(order, name, status, fault, received.body, received.headers))


@contextmanager
def serve(
    script: Script,
    *,
    latency: float = 0.0,
    port: int = 0,
    chaos: Chaos | Mapping[str, float] | Sequence[str | None] | None = None,
    seed: int = 0,
) -> Iterator[ScriptedServer]:
    """Run a scripted server on loopback for the length of a block.

    Parameters
    ----------
    script
        Answers the questions; runs in the thread of the server.
    latency
        Seconds before every answer.
    port
        Port, or 0 for any that is free.
    chaos
        Faults: a `Chaos`, probabilities by name, or the fault of each call in order.
    seed
        Seed of the chaos.
    """
    server = ScriptedServer(script, latency, _chaos(chaos), seed)
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    ready = threading.Event()
    problems: list[OSError] = []

    async def run() -> None:
        try:
            listening = await asyncio.start_server(
                server._connected, HOST, port, backlog=1024, limit=1 << 20
            )
        except OSError as problem:
            problems.append(problem)
            ready.set()
            return
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        listening.close()
        tasks = list(server._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next turn of the loop

    def work() -> None:
        try:
            loop.run_until_complete(run())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    thread = threading.Thread(target=work, name="palate-scripted", daemon=True)
    thread.start()
    ready.wait()
    try:
        if problems:
            raise problems[0]
        yield server
    finally:
        if not problems:
            loop.call_soon_threadsafe(ended.set)
        thread.join()


def _chaos(given: Chaos | Mapping[str, float] | Sequence[str | None] | None) -> Chaos:
    if isinstance(given, Chaos):
        return given
    if isinstance(given, Mapping):
        return Chaos(given)
    return Chaos(schedule=tuple(given or ()))


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode("ascii")


def _json(status: int, body: Mapping[str, Any]) -> bytes:
    return response(status, _encoded(body), {})


def _decision(question: Question, answer: Mapping[str, Any] | str, fault: str | None) -> bytes:
    """The body of a typed decision with the faults of content."""
    body = decision_body(question, {} if isinstance(answer, str) else answer)
    if fault is None or fault not in CONTENT:
        return _encoded(body)
    answers, body["answers"] = body["answers"], "answers stand here"
    return _encoded(body).replace(b'"answers stand here"', CONTENT[fault](answers).encode())
