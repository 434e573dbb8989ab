"""A small HTTP server on loopback whose answers a test writes: what a protocol needs, no more."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Heard:
    """A request that the server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int = 0  # of the client: one per connection

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Said:
    """What the server answers: an object as JSON, or bytes as they are."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    hang_up: bool = False  # in the middle of the body


@dataclass
class Loopback:
    """A server that runs."""

    url: str
    heard: list[Heard]


@contextmanager
def loopback(answer: Callable[[Heard], Said]) -> Iterator[Loopback]:
    """Serve on a free port for the length of a block."""
    heard: list[Heard] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            pass

        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            request = Heard(
                self.command,
                self.path,
                {k.lower(): v for k, v in self.headers.items()},
                self.rfile.read(length),
                self.client_address[1],
            )
            heard.append(request)
            said = answer(request)
            time.sleep(said.wait)
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            try:
                self.send_response(said.status)
                for name, value in {"content-type": "application/json", **said.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body) + 10 * said.hang_up))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
            except OSError:
                pass  # the client went away, which is its right
            self.close_connection = said.hang_up

        do_POST = do_GET = do_DELETE = answer  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 512

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Loopback(f"http://127.0.0.1:{server.server_port}/v1", heard)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def completion(text: str, *, finish: str = "stop", refusal: str | None = None) -> dict[str, Any]:
    """A body of OpenAI's chat protocol."""
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, "refusal": refusal},
            }
        ],
        "usage": {
            "prompt_tokens": 120,
            "completion_tokens": 7,
            "total_tokens": 127,
            "prompt_tokens_details": {"cached_tokens": 64},
        },
    }


def answered() -> dict[str, Any]:
    """A body of OpenAI's other protocol, which its batches use."""
    text = {"type": "output_text", "text": '{"c1": true}', "annotations": []}
    return {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o-mini",
        "status": "completed",
        "output": [
            {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [text],
            }
        ],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0},
            "output_tokens": 6,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 106,
        },
    }
