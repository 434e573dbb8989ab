"""`palate distil`: trains, annotates, explains what it wrote, and refuses what it cannot use."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import palate as package
from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.second_order import Consistency

from .session import Done, Palate, votes, write_jsonl


def refused(done: Done, *words: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


@pytest.fixture
def annotated(tmp_path: Path) -> list[Any]:
    """Votes on 100 pairs, of which 80 are annotated with one concept that can be distilled."""
    rows = votes(100)
    coin = random.Random(1)
    values = [
        {
            "id": r["id"],
            "values": {"Size": r["labels"]["long"], "[bold]Luck\x1b": coin.choice((-1, 0, 1))},
        }
        for r in rows[:80]
    ]
    for i, row in enumerate(rows):  # every fifth verdict the other way
        row["labels"] = {k: -v if i % 5 == 0 else v for k, v in row["labels"].items()}
    concepts = [{"name": n, "definition": "High: more; low: less."} for n in values[0]["values"]]
    (tmp_path / "c.json").write_text(json.dumps(concepts), encoding="utf-8")
    return [
        write_jsonl(tmp_path / "votes.jsonl", rows),
        "--concepts",
        tmp_path / "c.json",
        "--values",
        write_jsonl(tmp_path / "v.jsonl", values),
    ]


def test_train_annotate_explain_and_apply_to_other_pairs(
    palate: Palate, annotated: list[Any], tmp_path: Path
) -> None:
    out, other = tmp_path / "d", tmp_path / "e"
    done = palate("distil", *annotated, "--features", "tfidf", "--out", out, "--jobs", "1")
    assert done.code == 0, done.err
    assert done.out.startswith("1 of 2 concepts were distilled from 80 annotated pairs.")
    assert "\x1b" not in done.out
    assert "concepts_left.json" in done.out
    assert {p.name for p in out.iterdir()} == {
        *("COMPLETE", "run.json", "student.json", "student.npz", "table.csv"),
        *("concepts.json", "concepts_left.json", "values.jsonl"),
    }
    rows = [json.loads(r) for r in (out / "values.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 100  # those without annotations too
    assert set(rows[99]["values"]) == {"Size"}
    assert json.loads((out / "run.json").read_text("utf-8"))["counts"]["annotated_pairs"] == 80

    files = ("--concepts", out / "concepts.json", "--values", out / "values.jsonl")
    explained = palate(
        *("explain", annotated[0], "-m", "long", *files, "--out", tmp_path / "x"),
        *("--folds", "3", "--bootstrap", "2", "--jobs", "1"),
    )
    assert explained.code == 0, explained.err
    assert "those of a local model" in " ".join(explained.out.split())

    new = write_jsonl(tmp_path / "new.jsonl", votes(30, seed=9, domains=("soup", "tea")))
    again = palate("distil", new, "--student", out, "--out", other, "-q", "--jobs", "1")
    assert again.code == 0, again.err
    assert "not trained on: tea" in again.out
    longer = {r["id"]: r["labels"]["long"] for r in votes(30, seed=9)}
    soft = [json.loads(r) for r in (other / "values.jsonl").read_text("utf-8").splitlines()]
    right = [r["values"]["Size"] * longer[r["id"]] > 0 for r in soft]
    assert sum(right) >= 27
    third = palate("distil", new, "--student", other, "--out", out, "-q", "--overwrite")
    assert third.code == 0, third.err


def test_nothing_to_distil_is_said_and_what_is_left_is_written(
    palate: Palate, annotated: list[Any], tmp_path: Path
) -> None:
    rows = [json.loads(r) for r in annotated[4].read_text("utf-8").splitlines()]
    for row in rows:
        row["values"]["Size"] = 0
    values = write_jsonl(tmp_path / "zeros.jsonl", rows)
    out = tmp_path / "d"
    done = palate("distil", *annotated[:4], values, "--features", "tfidf", "--out", out, "-q")
    assert done.code == 0, done.err
    assert done.out.startswith("0 of 2 concepts")
    assert "No values were written" in done.out
    assert not (out / "values.jsonl").exists()
    assert len(json.loads((out / "concepts_left.json").read_text("utf-8"))) == 2
    refused(palate("distil", annotated[0], "--student", out, "--out", tmp_path / "e"), "left")


def test_annotations_may_come_from_a_folder(
    palate: Palate, annotated: list[Any], tmp_path: Path
) -> None:
    folder = tmp_path / "annotation"
    folder.mkdir()
    refused(palate("distil", annotated[0], "--annotation", folder), "concepts.json")
    (folder / "concepts.json").write_bytes(annotated[2].read_bytes())
    (folder / "values.jsonl").write_bytes(annotated[4].read_bytes())
    done = palate(
        *("distil", annotated[0], "--annotation", folder, "--features", "tfidf", "-q"),
        *("--out", tmp_path / "d", "--least", ".9"),
    )
    assert done.code == 0, done.err
    arguments = json.loads((tmp_path / "d" / "run.json").read_text("utf-8"))["arguments"]
    assert arguments["least"] == 0.9
    assert arguments["values"] == str(folder / "values.jsonl")


def test_concepts_left_say_why_the_annotation_gave_them_up(
    palate: Palate, annotated: list[Any], tmp_path: Path
) -> None:
    matrix = package.read_concepts(annotated[2], annotated[4])
    reason = "the responses differ in it on 1 of 60 pairs, so on too few"
    Annotation(
        matrix=matrix,
        first=matrix.values,
        second=matrix.values * float("nan"),
        asked=matrix.values == matrix.values,
        domains=("soup",) * matrix.n_pairs,
        order=(Consistency(0, 0, 0),) * 2,
        dropped=dict.fromkeys(matrix.names, reason),
        choices={"protocol": "lean", "rounds": (1.0,)},
    ).save(tmp_path / "a")
    done = palate(
        *("distil", annotated[0], "--annotation", tmp_path / "a", "--features", "tfidf", "-q"),
        *("--out", tmp_path / "d", "--jobs", "1"),
    )
    assert done.code == 0, done.err
    assert "left: given up, hardly ever differs" in " ".join(done.out.split())
    left = json.loads((tmp_path / "d" / "concepts_left.json").read_text("utf-8"))
    assert [entry["reason"] for entry in left] == [f"given up in the annotation: {reason}"]
    assert done.out.startswith("1 of 2 concepts were distilled")


def test_what_does_not_go_together_is_refused(
    palate: Palate, annotated: list[Any], tmp_path: Path
) -> None:
    votes_, *files = annotated
    out = tmp_path / "d"
    refused(palate("distil", votes_, "--out", out), "no annotations", "--values")
    refused(palate("distil", votes_, "--student", out, *files), "--student and --concepts")
    refused(palate("distil", votes_, "--annotation", out, *files), "--annotation and --concepts")
    refused(palate("distil", votes_, "--student", out, "--least", ".5"), "--least")
    refused(palate("distil", votes_, "--student", out, "--out", out), "found no student")
    few = [json.loads(r) for r in files[3].read_text("utf-8").splitlines()][:49]
    few_path = write_jsonl(tmp_path / "few.jsonl", few)
    refused(palate("distil", votes_, "--values", few_path, "--out", out), "49 of these 100 pairs")
    other = [row | {"id": f"x{row['id']}"} for row in few]
    other_path = write_jsonl(tmp_path / "other.jsonl", other)
    refused(palate("distil", votes_, "--values", other_path, "--out", out), "'xpair/0'")
    assert not out.exists()
