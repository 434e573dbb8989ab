"""The tiny real engine gives valid objects of every shape that Palate asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from palate.data.demo import load_demo

from .engine import serve_engine
from .talk import Connection, compare_schema, fenced, object_of


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    with serve_engine(tmp_path_factory.mktemp("engine")) as base_url:
        yield base_url


TEXT = {"type": "string"}
SHAPES: dict[str, dict[str, Any]] = {
    "compare": compare_schema([f"Concept {i}" for i in range(20)]),
    "compare_pairs": object_of(
        {f"p{i}": compare_schema([f"Concept {i}" for i in range(10)]) for i in (1, 2)}
    ),
    "compare_reasons": object_of(
        {
            f"c{i}": object_of({"reason": TEXT, "answer": {"enum": ["first", "second", "equal"]}})
            for i in range(5)
        }
    ),
    "relevance": object_of({f"c{i}": {"type": "boolean"} for i in range(20)}),
    "score": object_of(
        {f"c{i}": {"type": "integer", "minimum": 0, "maximum": 7} for i in range(20)}
    ),
    "topics": object_of(
        {kind: {"type": "array", "items": TEXT} for kind in ("subdomains", "tasks")}
    ),
    "propose": object_of(
        {
            "concepts": {
                "type": "array",
                "items": object_of({"name": TEXT, "description": TEXT}),
                "maxItems": 10,
            }
        }
    ),
    "same": object_of({f"m{i}": {"type": "boolean"} for i in range(10)}),
    "define": object_of({f"d{i}": TEXT for i in range(5)}),
}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value has the shape of a schema of those above."""
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"]
    if kind == "object":
        return (
            isinstance(value, dict)
            and list(value) == list(schema["properties"])
            and all(fits(value[k], part) for k, part in schema["properties"].items())
        )
    if kind == "array":
        return isinstance(value, list) and all(fits(x, schema["items"]) for x in value)
    if kind == "integer":
        return type(value) is int and schema["minimum"] <= value <= schema["maximum"]
    return isinstance(value, bool if kind == "boolean" else str)


def valid(base_url: str, n: int) -> list[str]:
    """Ask `n` questions of all shapes about real pairs and return what was not valid."""
    rows = load_demo().pairs.rows(named=True)
    names = list(SHAPES)
    wrong = []
    with Connection(urlsplit(base_url).port) as connection:
        for i in range(n):
            name, row = names[i % len(names)], rows[i % len(rows)]
            material = {"request": row["prompt"], "response_1": row["response_a"]}
            material["response_2"] = row["response_b"]
            status, body = connection.chat(
                name,
                SHAPES[name],
                fenced(material),
                model="tiny",
                temperature=0 if i % 2 else 1,
                max_tokens=2048,
                seed=i,
            )
            text = body["choices"][0]["message"]["content"] if status == 200 else str(body)
            try:
                good = fits(json.loads(text), SHAPES[name])
            except ValueError:
                good = False
            if not good:
                wrong.append(f"{name} {i}: {text[:300]}")
    return wrong


def test_ten_answers_have_the_asked_shapes(engine: str) -> None:
    assert valid(engine, 10) == []


@pytest.mark.slow
def test_two_hundred_of_two_hundred_answers_have_the_asked_shapes(engine: str) -> None:
    assert valid(engine, 200) == []


def test_a_model_is_the_same_each_time_it_is_written(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    from .engine import write_model

    write_model(tmp_path / "a.gguf")
    write_model(tmp_path / "b.gguf")
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


def test_the_client_takes_its_answers(engine: str) -> None:
    from palate.llm.connect import connect
    from palate.llm.outcome import Answer
    from palate.llm.request import Message, Request

    asked = [
        Request((Message("user", f"Question {i}?"),), SHAPES[name], name, max_tokens=2048)
        for i, name in enumerate(("compare", "propose", "define"))
    ]
    with connect("openai:tiny", base_url=engine, concurrency=2) as client:
        outcomes = client.ask(asked)
    assert all(isinstance(outcome, Answer) for outcome in outcomes), outcomes
