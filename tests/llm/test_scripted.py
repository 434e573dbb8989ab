"""The scripted server is a real one, and its scripts say what is recorded or planted."""

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

from palate.data.demo import demo_paths, load_demo
from palate.data.formats import read
from palate.errors import FileFormatError, InputError, UnknownNameError
from palate.llm.prompt import fence
from palate.llm.scripted.chaos import FAULTS, Chaos
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.planted_concepts import COMMONPLACE, concept_of, library
from palate.llm.scripted.question import Question, chat_question
from palate.llm.scripted.replay import Recorded
from palate.llm.scripted.scripts import load_script, recorded_script, save_script
from palate.llm.scripted.server import ScriptedServer, serve
from palate.llm.scripted.tokens import STEP, PrefixCache, tokens_of

from .talk import Connection, compare_schema, fenced, object_of

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


# ---------------------------------------------------------------- recordings


def expected(value: float | None) -> str:
    return {None: "irrelevant", 1: "first", -1: "second", 0: "equal"}[value]


def test_the_demo_is_replayed_in_both_orders(talk: Connection) -> None:
    rows = {row["id"]: row for row in load_demo().pairs.rows(named=True)}
    script = load_script("demo")
    names = [c["name"] for c in script.concepts]
    annotations = {}
    import gzip

    with gzip.open(demo_paths().values, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            annotations[row["id"]] = row
    schema = compare_schema(names)
    twice = [i for i, row in annotations.items() if "values_swapped" in row]
    assert len(twice) == 48
    for pair_id in [*twice[:12], *list(annotations)[::20]]:
        row, known = rows[pair_id], annotations[pair_id]
        shown = {"request": row["prompt"], "response_1": row["response_a"]}
        shown["response_2"] = row["response_b"]
        answer = talk.answer("compare", schema, shown)
        assert answer == {f"c{i}": expected(known["values"].get(n)) for i, n in enumerate(names)}
        shown = {**shown, "response_1": row["response_b"], "response_2": row["response_a"]}
        answer = talk.answer("compare", schema, shown)
        back = {**known["values"], **known.get("values_swapped", {})}
        assert answer == {
            f"c{i}": expected(-back[n] if n in back else None) for i, n in enumerate(names)
        }


def test_scores_agree_with_the_recorded_comparisons(talk: Connection) -> None:
    script = load_script("demo")
    names = [c["name"] for c in script.concepts]
    part = {"type": "integer", "minimum": 0, "maximum": 7}
    schema = object_of({f"c{i}": {**part, "description": n} for i, n in enumerate(names)})
    for pair in script.pairs[::40]:
        one, two = (
            talk.answer("score", schema, {"request": pair.request, "response": text})
            for text in (pair.first, pair.second)
        )
        for i, name in enumerate(names):
            value = pair.values.get(name)
            difference = one[f"c{i}"] - two[f"c{i}"]
            assert (difference > 0) - (difference < 0) == (value or 0)
            assert (one[f"c{i}"] == 0) == (value is None)


def test_without_irrelevant_the_answer_is_equal_and_reasons_are_given(talk: Connection) -> None:
    pair = load_script("demo").pairs[0]
    shown = {"request": pair.request, "response_1": pair.first, "response_2": pair.second}
    answer = {"type": "string", "enum": ["first", "second", "equal"]}
    part = object_of({"reason": {"type": "string"}, "answer": answer})
    schema = object_of({"c1": {**part, "description": "Runnable code"}})
    answer_ = talk.answer("compare_reasons", schema, shown)
    assert answer_["c1"]["answer"] == "equal"
    assert answer_["c1"]["reason"]


def test_texts_are_known_again_after_cleaning_and_cutting_and_unknown_ones_are_irrelevant() -> None:
    script = load_script("demo")
    pair = next(p for p in script.pairs if min(len(p.first), len(p.second)) > 400)
    schema = compare_schema(["Length", "Warmth"])

    def asked(**material: str) -> Mapping[str, Any]:
        return script(Question("compare", schema, "", material, {}))

    whole = asked(request=pair.request, response_1=pair.first, response_2=pair.second)
    assert "irrelevant" not in whole.values()
    cut = asked(
        request=pair.request,
        response_1=pair.first[:300] + "\n[... left out ...]\n",
        response_2=pair.second[:300].replace(" ", "  "),
    )
    assert cut == whole
    unknown = asked(request="?", response_1="a", response_2="b")
    assert set(unknown.values()) == {"irrelevant"}


def test_discovery_of_the_demo_proposes_recorded_concepts_that_differ(talk: Connection) -> None:
    script = load_script("demo")
    pairs = [p for p in script.pairs if p.domain == "law"][:5]
    material = {}
    for i, pair in enumerate(pairs, 1):
        material |= {f"request_{i}": pair.request, f"preferred_{i}": pair.first}
        material |= {f"other_{i}": pair.second}
    schema = object_of({"concepts": {"type": "array"}})
    proposed = talk.answer("propose", schema, material)["concepts"]
    assert len(proposed) == 10
    known = {c["name"]: c for c in script.concepts}
    for proposal in proposed:
        assert proposal["description"] == known[proposal["name"]]["definition"]
        assert any(p.values.get(proposal["name"]) for p in pairs)
    one = {"concept_1_a": "Warmth: x", "concept_1_b": "Humour: y"}
    two = {"concept_2_a": "Warmth: x", "concept_2_b": "warmth: z"}
    boolean = {"type": "boolean"}
    same = talk.answer("same", object_of({"m1": boolean, "m2": boolean}), {**one, **two})
    assert same == {"m1": False, "m2": True}
    text = {"type": "string"}
    given = {"concept_1": "Warmth\nsome text", "concept_2": "Odd: one"}
    define = talk.answer("define", object_of({"d1": text, "d2": text}), given)
    assert define["d1"] == known["Warmth"]["definition"]
    assert define["d2"].startswith("High: the response shows odd; low:")


def test_topics_and_tags_fit_each_other(talk: Connection) -> None:
    queries = {f"query_{i}": p.request for i, p in enumerate(load_script("demo").pairs[:5], 1)}
    schema = object_of({"subdomains": {"type": "array"}, "tasks": {"type": "array"}})
    topics = talk.answer("topics", schema, queries)
    enums = {
        kind: {"type": "array", "items": {"enum": topics[kind]}} for kind in ("subdomains", "tasks")
    }
    tags = talk.answer(
        "tagging", object_of({f"q{i}": object_of(enums) for i in range(1, 6)}), queries
    )
    for tag in tags.values():
        assert set(tag["subdomains"]) <= set(topics["subdomains"])
        assert set(tag["tasks"]) <= set(topics["tasks"])
        assert tag["subdomains"]
        assert tag["tasks"]


def test_a_recording_is_saved_and_loaded(tmp_path: Path) -> None:
    script = load_script("demo")
    save_script(script, tmp_path / "demo.json")
    again = load_script(str(tmp_path / "demo.json"))
    assert again.pairs == script.pairs
    assert again.concepts == script.concepts
    (tmp_path / "wrong.json").write_text('{"pairs": [{"x": 1}], "concepts": []}')
    with pytest.raises(FileFormatError, match="No saved script"):
        load_script(str(tmp_path / "wrong.json"))
    with pytest.raises(FileFormatError, match="cannot be read"):
        load_script(str(tmp_path))
    with pytest.raises(UnknownNameError, match="absent"):
        load_script("absent")


def test_the_recorded_concepts_of_real_judges_are_replayed() -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not (folder / "judges_concepts.json").exists():
        pytest.skip("shared/data is not there")
    import gzip

    def rows(name: str) -> list[dict[str, Any]]:
        with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    concepts = json.loads((folder / "judges_concepts.json").read_text(encoding="utf-8"))
    annotations = {row["id"]: row for row in rows("judges_concepts.jsonl.gz")}
    pairs = [row for row in rows("judges.jsonl.gz") if row["id"] in annotations]
    script = recorded_script(pairs, annotations.values(), concepts)
    assert len(script.pairs) == 453
    schema = compare_schema([c["name"] for c in concepts])
    where = [c["domains"] for c in concepts]
    for row in pairs:
        material = {"request": row["prompt"], "response_1": row["response_a"]}
        material["response_2"] = row["response_b"]
        answer = script(Question("compare", schema, "", material, {}))
        known = annotations[row["id"]]["values"]
        assert answer == {
            f"c{i}": expected(
                known[c["name"]] if row["domain"] in where[i] or where[i] == "all" else None
            )
            for i, c in enumerate(concepts)
        }


def test_a_kind_of_question_that_no_script_knows_is_said() -> None:
    question = Question("poem", {"properties": {}}, "", {}, {})
    for script in (load_script("demo"), PlantedWorld().script()):
        with pytest.raises(InputError, match="found 'poem'"):
            script(question)


def test_material_of_another_fence_stays_material() -> None:
    inner = fence("response_2", "fake", "0123456789ab")
    material = {"response_1": inner, "response_2": "true"}
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": fenced(material)}]}]}
    assert chat_question(body).material == material


# ---------------------------------------------------------------- planted worlds


def test_a_planted_world_is_what_it_says() -> None:
    world = PlantedWorld(seed=5, n_pairs=400, error=0, position_bias=0)
    rows, values = world.rows(), world.values()
    assert rows == PlantedWorld(seed=5, n_pairs=400, error=0, position_bias=0).rows()
    assert len({row["prompt"] for row in rows}) == 400
    assert len({row["response_a"] for row in rows} | {row["response_b"] for row in rows}) == 800
    script = world.script()
    names = [c.name for c in world.concepts]
    for row in rows[:50]:
        material = {"request": row["prompt"], "response_1": row["response_b"]}
        material["response_2"] = row["response_a"]
        answer = script(Question("compare", compare_schema(names), "", material, {}))
        known = values[row["id"]]
        assert answer == {
            f"c{i}": expected(-known[n] if n in known else None) for i, n in enumerate(names)
        }
    agreement = [
        row["labels"]["people"]
        * sum(
            (world.shared_weights.get(n, 0) + world.domain_weights[row["domain"]].get(n, 0)) * v
            for n, v in values[row["id"]].items()
        )
        > 0
        for row in rows
    ]
    assert sum(agreement) > 0.75 * len(rows)


def test_errors_and_position_bias_have_the_set_rates() -> None:
    world = PlantedWorld(seed=2, n_pairs=400, error=0.1, position_bias=0.2)
    names = list(world.shared)
    schema, script, values = compare_schema(names), world.script(), world.values()
    said = {"first": 1, "second": -1, "equal": 0}
    right = firsts = total = negative = 0
    for row in world.rows():
        material = {"request": row["prompt"], "response_1": row["response_a"]}
        material["response_2"] = row["response_b"]
        answer = script(Question("compare", schema, "", material, {}))
        for i, name in enumerate(names):
            value, given = values[row["id"]][name], said[answer[f"c{i}"]]
            if value == -1:
                negative += 1
                firsts += given == 1
            right += given == value
            total += 1
    # P(right | not 1) = .8 * .9 + .2 * .05, P(first | -1) = .2 * .9 + .8 * .05
    assert firsts / negative == pytest.approx(0.22, abs=0.03)
    assert 0.75 < right / total < 0.85


def test_planted_concepts_are_proposed_under_names_that_are_known_again() -> None:
    world = PlantedWorld(seed=3)
    script, rows = world.script(), [r for r in world.rows() if r["domain"] == "law"]
    found: dict[str | None, set[str]] = {}
    for k in range(0, 100, 5):
        material = {}
        for i, row in enumerate(rows[k : k + 5], 1):
            material |= {f"request_{i}": row["prompt"], f"other_{i}_a": row["response_a"]}
            material |= {f"other_{i}_b": row["response_b"]}
        answer = script(Question("propose", {"properties": {"concepts": {}}}, "", material, {}))
        assert len(answer["concepts"]) == 10
        for proposal in answer["concepts"]:
            concept = concept_of(proposal["name"], library())
            found.setdefault(concept.name if concept else None, set()).add(proposal["name"])
    commonplace = found.pop(None)
    assert commonplace <= {name for name, _ in COMMONPLACE}
    assert set(found) == set(world.planted_in("law"))
    for name, names in found.items():
        material = {f"concept_{i}_a": n for i, n in enumerate(sorted(names))}
        material |= {f"concept_{i}_b": name for i in range(len(names))}
        same = script(
            Question(
                "same", {"properties": {f"m{i}": {} for i in range(len(names))}}, "", material, {}
            )
        )
        assert all(same.values())
    assert max(len(names) for names in found.values()) > 1


def test_no_phrase_of_a_concept_shows_another_one() -> None:
    names = [name for concept in library() for name in concept.names]
    assert len({name.casefold() for name in names}) == len(names)
    assert not any(" and " in name or " or " in name for name in names)
    for concept in library():
        for phrase in concept.phrases:
            shown = [other.name for other in library() if other.level(phrase)]
            assert shown == [concept.name]


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Warm tone"):
        PlantedWorld(shared={"Warm tones": 1.0})
    with pytest.raises(InputError):
        PlantedWorld(n_pairs=2)
    with pytest.raises(InputError):
        PlantedWorld(error=1.5)


def test_rows_of_a_world_are_read_as_preferences(tmp_path: Path) -> None:
    path = tmp_path / "world.jsonl"
    rows = PlantedWorld(n_pairs=40).rows()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    preferences = read(path, format="palate")
    assert preferences.verdicts.columns == ["people", "judge"]
    assert preferences.pairs["id"].to_list() == [row["id"] for row in rows]


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


def test_a_recording_without_concepts_answers_all_the_same() -> None:
    script = Recorded([], [])
    answer = script(Question("compare", compare_schema(["Warmth"]), "", MATERIAL, {}))
    assert answer == {"c0": "irrelevant"}


def test_the_page_on_scripts_names_every_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scripted.md").read_text(encoding="utf-8")
    table = page.partition("| kind | faults |")[2].partition("\n\n")[0]
    assert sorted(table.split("`")[1::2]) == sorted(FAULTS)


# ---------------------------------------------------------------- with the commands' own functions


def test_annotating_the_demo_gets_its_recorded_values() -> None:
    from palate.concepts.annotation.annotate import annotate
    from palate.concepts.imported_files import read_definitions
    from palate.llm.connect import connect

    preferences = load_demo()
    some = preferences.select(list(range(0, preferences.n_pairs, 12)))
    concepts = read_definitions(demo_paths().concepts)
    recorded = {(p.request, p.first): p for p in load_script("demo").pairs}
    with connect("scripted:demo") as client:
        annotation = annotate(some, concepts, client, second_order="never")
        assert client.spent.cost == 0
    assert not annotation.failures
    matrix = annotation.matrix
    for i, row in enumerate(some.pairs.iter_rows(named=True)):
        values = recorded[row["prompt"], row["response_a"]].values
        swapped = recorded[row["prompt"], row["response_a"]].swapped
        for j, concept in enumerate(matrix.concepts):
            known = {values.get(concept.name) or 0, swapped.get(concept.name, 0) or 0}
            assert matrix.values[i, j] in known


def test_discovery_in_a_planted_world_finds_every_planted_concept(tmp_path: Path) -> None:
    from palate.concepts.discovery.discover import discover
    from palate.llm.connect import connect

    world = PlantedWorld(seed=1, n_pairs=600)
    path = tmp_path / "world.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in world.rows()), encoding="utf-8")
    with (
        serve(world.script()) as server,
        connect("openai:planted", base_url=server.base_url) as client,
    ):
        found = discover(read(path), client, seed=1)
    planted = [c for c in (concept_of(x.name, library()) for x in found.concepts) if c]
    assert len(planted) == len(set(planted))  # synonyms were merged
    assert {c.name for c in planted} == {c.name for c in world.concepts}
