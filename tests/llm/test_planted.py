"""Planted worlds are what they say, and models read them with the errors that were set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from palate.data.formats import read
from palate.errors import InputError, UnknownNameError
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.planted_concepts import COMMONPLACE, concept_of, library
from palate.llm.scripted.question import Question
from palate.llm.scripted.server import serve

from .talk import compare_schema, expected


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


@pytest.mark.slow
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
