"""The batch API of OpenAI, as far as the library needs it, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from palate.errors import InputError, OutputError
from palate.llm.backend import BatchBackend, CallError, Reply
from palate.llm.batch import ProviderBatch
from palate.llm.chat import ChatBackend
from palate.llm.providers import open_model
from palate.llm.request import Message, Request

from .loopback import Heard, Loopback, Said, answered, loopback

ROOT = Path(__file__).parents[2]
SCHEMA = {
    "type": "object",
    "properties": {"c1": {"type": "boolean"}},
    "required": ["c1"],
    "additionalProperties": False,
}


def request(text: str) -> Request:
    """A request with this text."""
    return Request((Message("system", "Judge."), Message("user", text)), SCHEMA, "relevance")


REQUESTS = [request(f"text {k}") for k in range(5)]


class Provider:
    """Files and batches of OpenAI; texts that contain "error" fail, "lost" get no line."""

    def __init__(self, *, polls: int = 1) -> None:
        self.polls = polls
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.handed_in: list[str] = []
        self.down = 0  # calls about batches that fail before it works again

    def __call__(self, heard: Heard) -> Said:
        parts = heard.path.removeprefix("/v1/").split("/")
        if parts[0] == "files" and heard.method == "POST":
            boundary = heard.headers["content-type"].partition("boundary=")[2].strip('"').encode()
            chunks = [c for c in heard.body.split(b"--" + boundary) if b"filename=" in c]
            name = f"file-{len(self.files)}"
            self.files[name] = chunks[0].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            return Said(
                {
                    "id": name,
                    "object": "file",
                    "bytes": 1,
                    "created_at": 1,
                    "filename": "batch.jsonl",
                    "purpose": "batch",
                    "status": "processed",
                }
            )
        if parts[0] == "files" and heard.method == "DELETE":
            return Said({"id": parts[1], "object": "file", "deleted": True})
        if parts[0] == "files":
            return Said(self.files[parts[1]], headers={"content-type": "application/jsonl"})
        if self.down:
            self.down -= 1
            return Said({"error": {"message": "busy"}}, 503)
        if heard.method == "POST":
            return Said(self._create(heard.json["input_file_id"]))
        batch = self.batches[parts[1]]
        batch["left"] -= 1
        if batch["left"] <= 0:
            batch["body"] |= {"status": "completed", "output_file_id": f"out-{parts[1]}"}
        return Said(batch["body"])

    def _create(self, file: str) -> dict[str, Any]:
        name = f"batch-{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[file].splitlines()]
        out = []
        for line in lines:
            text = json.dumps(line["body"]["input"])
            self.handed_in.append(line["custom_id"])
            status, body = 200, answered()
            if "error" in text:
                status, body = 400, {"error": {"message": "refused", "type": "invalid"}}
            if "lost" not in text:
                response = {"status_code": status, "body": body}
                out.append({"custom_id": line["custom_id"], "response": response})
        out.reverse()
        self.files[f"out-{name}"] = b"\n".join(json.dumps(line).encode() for line in out)
        body = {
            "id": name,
            "object": "batch",
            "endpoint": "/v1/responses",
            "input_file_id": file,
            "completion_window": "24h",
            "status": "in_progress",
            "created_at": int(time.time()),
        }
        self.batches[name] = {"left": self.polls, "body": body}
        return body


def hand_in(
    server: Loopback, requests: list[Request], journal: Path | None = None, *, limit: float = 20.0
) -> list[Reply | CallError]:
    """All requests through a backend that is opened and closed for them."""

    async def call() -> list[Reply | CallError]:
        opened = open_model("openai:gpt-4o-mini", base_url=server.url, batch=True)
        backend = ProviderBatch(opened, journal=journal, first_wait=0.02)
        try:
            return await asyncio.wait_for(backend.ask_all(requests), limit)
        finally:
            await backend.close()

    return asyncio.run(call())


def test_all_requests_go_in_one_batch_and_come_back_in_their_order() -> None:
    provider = Provider(polls=2)
    with loopback(provider) as server:
        results = hand_in(server, [*REQUESTS, request("error"), request("lost"), REQUESTS[0]])
    assert len(provider.batches) == 1
    good = [r for r in results if isinstance(r, Reply)]
    assert [r.text for r in good] == ['{"c1": true}'] * 6
    assert (good[0].usage.input_tokens, good[0].usage.cached_tokens) == (100, 20)
    refused, lost = results[5], results[6]
    assert isinstance(refused, CallError)
    assert (refused.reason, refused.retry) == ("declined", False)
    assert isinstance(lost, CallError)
    assert (lost.reason, lost.retry) == ("server error", True)
    assert len(set(provider.handed_in)) == len(provider.handed_in), "an equal request is sent once"
    body = json.loads(provider.files["file-0"].splitlines()[0])["body"]
    assert (body["store"], body["temperature"]) == (False, 0.0)


def test_without_its_journal_no_batch_is_handed_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    provider = Provider()
    with loopback(provider) as server, pytest.raises(OutputError, match="no batch was handed in"):
        hand_in(server, REQUESTS, tmp_path / "file" / "answers.sqlite.batches")
    assert not provider.batches


def test_a_journal_that_breaks_after_a_batch_was_taken_loses_no_answer(tmp_path: Path) -> None:
    provider, journal = Provider(), tmp_path / "answers.sqlite.batches"

    def breaking(heard: Heard) -> Said:
        said = provider(heard)
        if heard.method == "POST" and heard.path.endswith("/batches"):
            journal.unlink()
            journal.mkdir()
        return said

    with loopback(breaking) as server:
        results = hand_in(server, REQUESTS, journal)
    assert all(isinstance(r, Reply) for r in results)
    assert len(provider.batches) == 1


def test_a_batch_that_was_handed_in_before_a_kill_is_collected_and_not_paid_again(
    tmp_path: Path,
) -> None:
    provider, journal = Provider(polls=10**6), tmp_path / "answers.sqlite.batches"
    with loopback(provider) as server:
        with pytest.raises(TimeoutError):
            hand_in(server, REQUESTS, journal, limit=1.0)
        assert len(provider.batches) == 1
        with journal.open("ab") as file:
            file.write(b'\n{"model": "openai:gpt-4o-mini", "bat')  # a kill in the middle of a line
        provider.polls = provider.batches["batch-0"]["left"] = 1
        results = hand_in(server, [*REQUESTS, request("new")], journal)
        assert all(isinstance(r, Reply) for r in results)
        assert len(provider.batches) == 2, "only what is new was handed in"
        assert len(provider.handed_in) == len(REQUESTS) + 1
        again = hand_in(server, [*REQUESTS, request("new")], journal)
        assert again == results, "the line that was cut short spoiled none after it"
    assert len(provider.handed_in) == len(REQUESTS) + 1
    text = journal.read_text(encoding="utf-8")
    assert "no-key-needed" not in text


@pytest.mark.slow
def test_a_batch_outlives_kill_9(tmp_path: Path) -> None:
    provider, journal = Provider(polls=10**6), tmp_path / "batches"
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from tests.llm.loopback import Loopback\nfrom tests.llm.test_batch import *\n"
        "hand_in(Loopback(sys.argv[1], []), REQUESTS, Path(sys.argv[2]), limit=60)\n"
    )
    with loopback(provider) as server:
        child = subprocess.Popen([sys.executable, "-c", code, server.url, str(journal)], cwd=ROOT)
        end = time.monotonic() + 60
        while not (journal.exists() and journal.read_bytes().endswith(b"}\n")):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.kill()
        child.wait()
        provider.polls = provider.batches["batch-0"]["left"] = 1
        results = hand_in(server, REQUESTS, journal)
    assert all(isinstance(r, Reply) for r in results)
    assert len(provider.batches) == 1


def test_what_an_earlier_batch_could_not_answer_is_handed_in_again(tmp_path: Path) -> None:
    provider, journal = Provider(), tmp_path / "batches"
    with loopback(provider) as server:
        first = hand_in(server, [request("lost")], journal)
        second = hand_in(server, [request("lost")], journal)
    assert isinstance(first[0], CallError)
    assert isinstance(second[0], CallError)
    assert len(provider.batches) == 2


def test_a_provider_that_is_down_for_a_while_loses_nothing() -> None:
    provider = Provider()

    def answer(heard: Heard) -> Said:
        said = provider(heard)
        if heard.method == "POST" and heard.path.endswith("/batches"):
            provider.down = 3
        return said

    with loopback(answer) as server:
        results = hand_in(server, REQUESTS)
    assert all(isinstance(r, Reply) for r in results)
    assert len(provider.batches) == 1


def test_a_batch_that_may_have_been_taken_is_not_handed_in_again() -> None:
    provider = Provider()
    provider.down = 1
    with loopback(provider) as server:
        results = hand_in(server, REQUESTS)
    assert not provider.batches
    for result in results:
        assert isinstance(result, CallError)
        assert result.fatal
        assert "list of batches" in result.detail


def test_answers_of_batches_and_of_single_calls_have_the_same_key() -> None:
    async def kinds() -> None:
        chat = ChatBackend(open_model("openai:gpt-4o-mini", base_url="http://127.0.0.1:9/v1"))
        opened = open_model("openai:gpt-4o-mini", base_url="http://127.0.0.1:9/v1", batch=True)
        batch = ProviderBatch(opened)
        assert chat.sent == batch.sent
        assert isinstance(batch, BatchBackend)
        assert not isinstance(chat, BatchBackend)
        await chat.close()
        await batch.close()

    asyncio.run(kinds())


def test_a_model_without_a_batch_api_says_so() -> None:
    async def refused() -> None:
        opened = open_model("openai-chat:m", base_url="http://127.0.0.1:9/v1", batch=True)
        try:
            with pytest.raises(InputError, match="no batch API"):
                ProviderBatch(opened)
        finally:
            await opened.close()

    asyncio.run(refused())
