"""Recordings are replayed in both orders, for every kind of question."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from palate.data.demo import demo_paths, load_demo
from palate.errors import FileFormatError, InputError, UnknownNameError
from palate.llm.prompt import fence
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.question import Question, chat_question
from palate.llm.scripted.recorded_pair import RecordedPair
from palate.llm.scripted.replay import Recorded
from palate.llm.scripted.scripts import load_script, recorded_script, save_script
from palate.llm.scripted.server import ScriptedServer, serve
from palate.mechanisms.criteria import Criterion, criteria_line

from .talk import Connection, compare_schema, expected, fenced, object_of

MATERIAL = {"request": "Why?", "response_1": "Because.", "response_2": "No idea."}


@pytest.fixture(scope="module")
def demo() -> Iterator[ScriptedServer]:
    with serve(load_script("demo")) as server:
        yield server


@pytest.fixture
def talk(demo: ScriptedServer) -> Iterator[Connection]:
    with Connection(demo.port) as connection:
        yield connection


def test_the_demo_is_replayed_in_both_orders(talk: Connection) -> None:
    rows = {row["id"]: row for row in load_demo().pairs.rows(named=True)}
    script = load_script("demo")
    names = [c["name"] for c in script.concepts]
    annotations = {}

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


def test_a_recording_without_concepts_answers_all_the_same() -> None:
    script = Recorded([], [])
    answer = script(Question("compare", compare_schema(["Warmth"]), "", MATERIAL, {}))
    assert answer == {"c0": "irrelevant"}


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


def verdict_question(
    kind: str, words: tuple[str, ...], system: str = "", **material: str
) -> Question:
    part = {"type": "string", "enum": list(words), "description": "Which response is better?"}
    return Question(kind, object_of({"verdict": part}), system, material, {})


def test_recorded_verdicts_are_given_by_each_judge_in_both_orders() -> None:
    script = load_script("demo")
    won = {1: "first", -1: "second", 0: "tie"}
    for row in list(load_demo().to_rows())[::6]:
        shown = {"request": row["prompt"], "response_1": row["response_a"]}
        shown["response_2"] = row["response_b"]
        turned = {**shown, "response_1": row["response_b"], "response_2": row["response_a"]}
        for judge, verdict in row["labels"].items():
            words, system = ("first", "second", "tie"), f"Better.\nPersona: {judge}\nA reader."
            for kind in ("judge", "judge_reasons"):
                asked = verdict_question(kind, words, system, **shown)
                assert script(asked)["verdict"] == won[verdict]
                asked = verdict_question(kind, words, system, **turned)
                assert script(asked)["verdict"] == won[-verdict]
        for system in ("", "Persona: nobody"):
            asked = verdict_question("judge", words, system, **shown)
            assert script(asked)["verdict"] == won[row["labels"]["assistant"]]
    for words, expected_word in (
        (("first", "second"), "first"),
        (("first", "second", "tie"), "tie"),
    ):
        asked = verdict_question("judge", words, **MATERIAL)
        assert script(asked) == {"verdict": expected_word}


def test_criteria_are_followed_by_the_recorded_values() -> None:
    script = load_script("demo")
    warm = criteria_line([Criterion("Warmth", "is warm")])
    cold = criteria_line([Criterion("Warmth", "is cold", "less")])
    follow, judge = ("first", "second", "equal"), ("first", "second")
    requests = [pair.request for pair in script.pairs]
    for pair in script.pairs[::5]:
        shown = {"request": pair.request, "response_1": pair.second, "response_2": pair.first}
        value = pair.value("Warmth", exchanged=True) or 0
        more = {1: "first", -1: "second", 0: "equal"}[int(value)]
        less = {1: "second", -1: "first", 0: "equal"}[int(value)]
        assert script(verdict_question("follows", follow, warm, **shown)) == {"verdict": more}
        assert script(verdict_question("follows", follow, cold, **shown)) == {"verdict": less}
        verdict = script(verdict_question("judge", judge, **shown))["verdict"]
        guided = script(verdict_question("judge", judge, warm, **shown))["verdict"]
        assert guided == (more if value else verdict)

        text = object_of({"response": {"type": "string"}})
        asked = Question("respond", text, warm, {"request": pair.request}, {})
        plain = script(replace(asked, system=""))["response"]
        assert plain in (pair.first, pair.second)
        if requests.count(pair.request) == 1 and (value := pair.value("Warmth", exchanged=False)):
            assert script(asked)["response"] == (pair.first if value > 0 else pair.second)
            assert script(replace(asked, system=cold))["response"] != script(asked)["response"]
    unknown = Question("respond", text, warm, {"request": "Something else"}, {})
    assert script(unknown) == {"response": "I have no answer to that on record."}
    assert script(verdict_question("follows", follow, warm, **MATERIAL)) == {"verdict": "equal"}


def test_ratings_count_recorded_verdicts() -> None:
    script = load_script("demo")
    part = {"type": "integer", "minimum": 1, "maximum": 10}

    def rate(pair: RecordedPair, text: str, system: str = "") -> int:
        material = {"request": pair.request, "response": text}
        return script(Question("rate", object_of({"score": part}), system, material, {}))["score"]

    for pair in script.pairs[::8]:
        total = sum(v or 0 for v in pair.verdicts.values())
        assert rate(pair, pair.first) == min(max(5 + total, 1), 10)
        assert rate(pair, pair.second) == min(max(5 - total, 1), 10)
        own = pair.verdicts["coach"]
        assert rate(pair, pair.first, "Persona: coach") == 5 + 2 * (own or 0)
    assert rate(RecordedPair("?", "", "", "", {}), "unknown") == 5
