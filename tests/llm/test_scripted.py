"""The scripted server is a real one: connections, tokens, typed decisions, faults."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from palate.errors import InputError, UnknownNameError
from palate.llm.scripted.chaos import FAULTS, Chaos
from palate.llm.scripted.question import Question
from palate.llm.scripted.scripts import load_script
from palate.llm.scripted.server import ScriptedServer, serve
from palate.llm.scripted.tokens import STEP, PrefixCache, tokens_of

from .talk import Connection, compare_schema, fenced

MATERIAL = {"request": "Why?", "response_1": "Because.", "response_2": "No idea."}


def first(question: Question) -> Mapping[str, Any]:
    return dict.fromkeys(question.fields, "first")


@pytest.fixture(scope="module")
def demo() -> Iterator[ScriptedServer]:
    with serve(load_script("demo")) as server:
        yield server


@pytest.fixture
def talk(demo: ScriptedServer) -> Iterator[Connection]:
    with Connection(demo.port) as connection:
        yield connection


# ---------------------------------------------------------------- the server


def test_it_answers_with_a_schema_and_with_a_tool_and_counts_tokens() -> None:
    schema = compare_schema(["Warmth"])
    with serve(first) as server, Connection(server.port) as connection:
        status, body = connection.chat("compare", schema, fenced(MATERIAL), seed=3)
        assert status == 200
        assert json.loads(body["choices"][0]["message"]["content"]) == {"c0": "first"}
        assert body["choices"][0]["finish_reason"] == "stop"
        usage = body["usage"]
        assert usage["completion_tokens"] == tokens_of('{"c0": "first"}') == 4
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        status, body = connection.chat("compare", schema, fenced(MATERIAL), tool=True)
        (call,) = body["choices"][0]["message"]["tool_calls"]
        assert call["function"] == {"name": "compare", "arguments": '{"c0": "first"}'}
        assert connection.send("GET", "/v1/models")[1]["data"][0]["id"] == "scripted"
        assert [(c.name, c.order, c.status) for c in server.log] == [
            ("compare", 0, 200),
            ("compare", 1, 200),
        ]
        assert server.calls == 2


def test_an_answer_over_the_limit_is_cut_off() -> None:
    with serve(first) as server, Connection(server.port) as connection:
        _, body = connection.chat("compare", compare_schema(["W"]), "x", max_tokens=2)
        assert body["choices"][0]["finish_reason"] == "length"
        assert body["choices"][0]["message"]["content"] == '{"c0": "'


def test_the_prefix_cache_counts_whole_steps_that_are_the_same_from_the_start() -> None:
    cache, same = PrefixCache(), "a" * 4 * STEP * 3
    assert cache.read(same + "one") == 0
    assert cache.read(same + "two") == 3 * STEP
    assert cache.read(same[: 4 * STEP + 5] + "b" * 4 * STEP) == STEP
    assert cache.read("b" + same) == 0
    assert cache.read("short") == 0


def test_two_hundred_connections_are_answered_at_once() -> None:
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": fenced(MATERIAL)}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "compare", "schema": compare_schema(["W"])},
            },
        }
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def one(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):  # the connection stays open
            writer.write(head + body)
            line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
            await reader.readuntil(b"}}}")
        writer.close()
        await writer.wait_closed()
        return line

    async def all_of_them(port: int) -> list[bytes]:
        return await asyncio.gather(*(one(port) for _ in range(200)))

    with serve(first, latency=0.05) as server:
        lines = asyncio.run(all_of_them(server.port))
    assert set(lines) == {b"HTTP/1.1 200 OK"}
    assert server.calls == 400


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b"400"),
        (b"POST /v1/systemone HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b"400"),
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", b"404"),
    ],
)
def test_what_is_no_question_gets_a_sentence(sent: bytes, status: bytes) -> None:
    with (
        serve(first) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as client,
    ):
        client.sendall(sent)
        assert client.recv(65536).split()[1] == status


def test_a_script_that_fails_says_so_and_the_server_lives_on() -> None:
    def script(question: Question) -> str:
        raise ValueError("no idea")

    with serve(script) as server, Connection(server.port) as connection:
        for _ in range(2):
            status, body = connection.chat("compare", compare_schema(["W"]), "x")
            assert status == 400
            assert body["error"]["message"] == "The script failed: ValueError: no idea"


def test_it_ends_at_once_and_leaves_nothing_though_calls_hang() -> None:
    before = threading.active_count()
    with serve(first, chaos={"hang": 1.0}) as server:
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
        body = b'{"messages": [{"role": "user", "content": "x"}]}'
        for client in clients:
            client.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            client.sendall(body)
        while server.calls < 5:
            time.sleep(0.01)
    assert threading.active_count() == before
    for client in clients:
        assert client.recv(10) == b""
        client.close()


def test_a_port_that_is_taken_is_an_error_not_a_hang() -> None:
    with (
        serve(first) as server,
        pytest.raises(OSError, match="in use"),
        serve(first, port=server.port),
    ):
        pass


def test_other_programs_reach_it_from_the_shell() -> None:
    command = [sys.executable, "-m", "palate.llm.scripted", "demo", "--fault", "429=0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().split(":")[2].removesuffix("/v1\n"))
            with Connection(port) as connection:
                assert connection.send("GET", "/v1/models")[0] == 200
        finally:
            process.terminate()
    wrong = [*command[:3], "nowhere.json"]
    done = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Unknown script 'nowhere.json'")


# ---------------------------------------------------------------- typed decisions


def test_typed_decisions_fit_what_pydantic_ai_accepts(demo: ScriptedServer) -> None:
    from pydantic_ai.models.decision import (
        ChoiceQuestion,
        DecisionRequest,
        NoulQuestion,
        ScoreQuestion,
    )
    from pydantic_ai.models.system_one import SystemOneModel
    from pydantic_ai.providers.system_one import SystemOneProvider

    recorded = load_script("demo")
    pair = recorded.pairs[2]  # Warmth: 1, Length: -1
    shown = {"request": pair.request, "response_1": pair.first, "response_2": pair.second}
    words = {w: w for w in ("first", "second", "equal", "irrelevant")}

    async def ask() -> list[Any]:
        import httpx2

        async with httpx2.AsyncClient() as http:
            provider = SystemOneProvider(base_url=demo.base_url, api_key="none", http_client=http)
            model = SystemOneModel("tiny", provider=provider)
            found = []
            for state, questions in (
                (
                    fenced(shown),
                    {
                        "c1": ChoiceQuestion(instructions="Warmth", criteria=words),
                        "c2": ChoiceQuestion(instructions="Length", criteria=words),
                    },
                ),
                (
                    fenced({"request": pair.request, "response": pair.first}),
                    {
                        "c1": ScoreQuestion(instructions="Warmth", criteria=[*map(str, range(8))]),
                        "c2": ChoiceQuestion(
                            instructions="Length", criteria={str(i): str(i) for i in range(8)}
                        ),
                    },
                ),
                (
                    fenced({"request": pair.request}),
                    {
                        "c1": NoulQuestion(instructions="Warmth"),
                        "c2": NoulQuestion(instructions="Runnable code"),
                    },
                ),
            ):
                response = await model.decide(
                    DecisionRequest(state=state, questions=questions), {"timeout": 10}
                )
                found.append(response.answers)
            return found

    compare, score, relevance = asyncio.run(ask())
    assert (compare["c1"].choice, compare["c2"].choice) == ("first", "second")
    assert compare["c1"].probabilities["first"] == pytest.approx(0.9)
    assert max(score["c1"].probabilities, key=score["c1"].probabilities.get) == 6
    assert score["c2"].choice == "2"
    assert relevance["c1"].noul > 0.5 > relevance["c2"].noul


# ---------------------------------------------------------------- faults


def test_faults_follow_from_the_seed_and_the_body_not_from_the_order() -> None:
    bodies = [str(i).encode() for i in range(200)]
    one, two = Chaos({"429": 0.1, "500": 0.1}), Chaos({"429": 0.1, "500": 0.1})
    forth = {b: one.fault(i, b, 7) for i, b in enumerate(bodies)}
    back = {b: two.fault(i, b, 7) for i, b in enumerate(bodies[::-1])}
    assert forth == back
    assert 20 <= sum(fault is not None for fault in forth.values()) <= 60
    assert {b: one.fault(i, b, 7) for i, b in enumerate(bodies)} != forth  # the second time


def test_a_schedule_comes_first_and_unknown_faults_are_refused() -> None:
    chaos = Chaos({"500": 1.0}, schedule=["429", None])
    assert [chaos.fault(i, b"", 0) for i in range(3)] == ["429", None, "500"]
    with pytest.raises(UnknownNameError, match="retry-after"):
        Chaos({"418": 0.1})
    with pytest.raises(InputError):
        Chaos({"429": 0.6, "500": 0.6})
    assert len(set(FAULTS)) == len(FAULTS)


def test_the_page_on_scripts_names_every_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scripted.md").read_text(encoding="utf-8")
    table = page.partition("| kind | faults |")[2].partition("\n\n")[0]
    assert sorted(table.split("`")[1::2]) == sorted(FAULTS)
