"""`palate validate`: a sample for people, their sheets, people in columns, and bad input."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from .session import Done, Palate, write_jsonl

N = 80


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """80 pairs with a truth, three people and two judges as columns, and two concepts."""
    rng = random.Random(5)
    rows, values = [], []
    for i in range(N):
        truth = rng.choice([-1, -1, 0, 1, 1])

        def said(right: float, truth: int = truth) -> int:
            return truth if rng.random() < right else rng.choice([-1, 0, 1])

        rows.append(
            {
                "id": f"pair/{i}",
                "domain": ("soup", "cake")[i % 2],
                "prompt": f"=How do I cook dish {i}?",
                "response_a": f"Boil it {i} times.",
                "response_b": f"Bake it {i} times.",
                "labels": {
                    **{f"person{k}": said(0.75) for k in (1, 2, 3)},
                    "good": said(0.95),
                    "bad": rng.choice([-1, 1]),
                },
            }
        )
        values.append({"id": f"pair/{i}", "values": {"Warmth": truth, "Wit": said(0.2)}})
    write_jsonl(tmp_path / "values.jsonl", values)
    return write_jsonl(tmp_path / "votes.jsonl", rows)


PEOPLE = [x for k in (1, 2, 3) for x in ("--people", f"person{k}")]


def refused(done: Done, *words: str) -> None:
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


def fill(sheet: Path, key: Path, folder: Path, *, right: float = 0.85) -> None:
    """Three people fill in copies, who know the truth of Warmth (the values of the file)."""
    document = json.loads(key.read_text(encoding="utf-8"))
    values = {
        row["id"]: row["values"]
        for row in map(json.loads, (sheet.parent / "values.jsonl").read_text().splitlines())
    }
    of = {p["item"]: p for p in document["pairs"]}
    folder.mkdir()
    for k, name in enumerate(("ann", "bo", "cy")):
        rng = random.Random(k)
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        for row in rows[1:]:
            pair = of[row[0]]
            for column in range(4, len(rows[0]) - 1):
                truth = values[pair["id"]]["Warmth"]
                label = truth if rng.random() < right else rng.choice([-1, 0, 1])
                label = label if pair["response_1"] == "a" else -label
                row[column] = {1: "1", -1: "Second", 0: "EQUAL"}[label]
        with (folder / f"{name}.csv").open("w", encoding="cp1252", newline="") as file:
            csv.writer(file, delimiter=";").writerows(rows)


def test_people_in_columns(palate: Palate, votes: Path, tmp_path: Path) -> None:
    out = tmp_path / "validated"
    done = palate("validate", votes, *PEOPLE, "-m", "good", "-m", "bad", "--out", out, "-q")
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert text.startswith("3 people share 80 pairs in 80 groups")
    assert (
        "good passes the alternative annotator test at epsilon 0.1 (crowd): it beats 3 of 3" in text
    )
    assert "bad does not pass" in text
    assert all(len(line) <= 100 for line in done.out.splitlines() if str(out) not in line)
    document = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    assert document["counts"]["models"] == 2
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["arguments"]["people"] == ["person1", "person2", "person3"]
    assert (out / "COMPLETE").exists()
    refused(palate("validate", votes, *PEOPLE, "--out", out), "validated")
    by_paper = palate("validate", votes, *PEOPLE, "-m", "bad", "--test", "t", "-q")
    assert "bad does not pass" in by_paper.out


def test_a_sheet_of_verdicts_there_and_back(palate: Palate, votes: Path, tmp_path: Path) -> None:
    sheet, key = tmp_path / "people.csv", tmp_path / "people.key.json"
    done = palate("validate", votes, "--sample", 50, "-m", "good", "--out", sheet)
    assert done.code == 0, done.err
    assert "50 pairs of 2 domains" in done.out
    assert f"--key {key} -m good" in done.out
    text = sheet.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert b"pair/" not in text
    assert b"\"'=How do I cook" in text
    assert "write 1 if response 1 is the better answer" in (tmp_path / "people.txt").read_text()
    fill(sheet, key, tmp_path / "filled")
    back = palate("validate", votes, "--labels", tmp_path / "filled", "--key", key, "-m", "good")
    assert back.code == 0, back.err
    text = " ".join(back.out.split())
    assert "3 people share 50 pairs in 50 groups" in text
    assert "good passes" in text
    refused(palate("validate", votes, "--sample", 50, "--out", sheet), "people.csv", "--overwrite")
    (tmp_path / "filled" / "ann.csv").rename(tmp_path / "filled" / "ann.TSV")
    out = tmp_path / "validated"
    labels = ("--labels", tmp_path / "filled", "-q", "--key")
    assert palate("validate", votes, *labels, key, "-o", out).code == 0
    read = json.loads((out / "run.json").read_text())["inputs"]
    assert sum("filled" in str(one) for one in read) == 3, "every sheet is recorded"
    (tmp_path / "filled" / "ann.TSV").rename(tmp_path / "filled" / "ann.csv")
    another = tmp_path / "another.csv"
    assert palate("validate", votes, "--sample", 50, "--out", another, "--seed", 1).code == 0
    refused(palate("validate", votes, *labels, tmp_path / "another.key.json"), "of other pairs")
    other = tmp_path / "other.csv"
    assert palate("validate", votes, "--sample", 9, "--out", other, "--seed", 1).code == 0
    refused(
        palate("validate", votes, "--labels", tmp_path / "filled", "--key", "other.key.json"),
        "other.key.json",
    )
    files = [x for name in ("ann", "bo") for x in ("--labels", tmp_path / "filled" / f"{name}.csv")]
    refused(
        palate("validate", votes, *files, "--key", tmp_path / "other.key.json"),
        "ann.csv",
        "an item of the key",
    )


def test_a_sheet_of_concepts_there_and_back(palate: Palate, votes: Path, tmp_path: Path) -> None:
    values = ["--values", tmp_path / "values.jsonl"]
    sheet, key = tmp_path / "people.csv", tmp_path / "people.key.json"
    done = palate("validate", votes, "--sample", 60, *values, "--out", sheet)
    assert done.code == 0, done.err
    assert "60 pairs x 2 concepts" in done.out
    fill(sheet, key, tmp_path / "filled")
    read = ["--labels", tmp_path / "filled", "--key", key]
    back = palate("validate", votes, *read, *values, "--out", tmp_path / "v")
    assert back.code == 0, back.err
    assert "Concept by concept" in back.out
    rows = {line.split()[0]: line for line in back.out.splitlines() if line.strip()}
    assert "passes, 3 of 3" in rows["Warmth"]
    assert "fails, 0 of 3" in rows["Wit"]
    alone = palate("validate", votes, *read, *values, "--concept", "Warmth", "-q")
    assert "3 people share 60 pairs" in alone.out
    refused(palate("validate", votes, *read, "-m", "good"), "the sheet asks for concepts")
    refused(palate("validate", votes, *read, *values, "--concept", "Wot"), "Wot", "Wit")


def test_definitions_alone_make_a_sheet(palate: Palate, votes: Path, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('[{"name": "Wit", "definition": "High: funny; low: not."}]')
    sheet = tmp_path / "s.csv"
    done = palate("validate", votes, "--sample", 5, "--concepts", tmp_path / "c.json", "-o", sheet)
    assert done.code == 0, done.err
    assert "more: Wit" in sheet.read_text(encoding="utf-8-sig").splitlines()[0]
    assert "- Wit: High: funny; low: not." in (tmp_path / "s.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["none of --sample"]),
        (["--sample", 5, "--people", "person1"], ["--sample and --people"]),
        (["--sample", 5], ["--out"]),
        (["--sample", 5, "--out", "x.xlsx"], [".csv"]),
        (["--sample", 500, "--out", "x.csv"], ["500", "80"]),
        (["--labels", "x.csv"], ["--key"]),
        (["--key", "x.json", *PEOPLE], ["--key", "--labels"]),
        (["--people", "person1"], ["at least two"]),
        (["--people", "person1", "--people", "nobody"], ["nobody", "person1"]),
        (["--people", "person1", "--people", "person1"], ["given twice"]),
        ([*PEOPLE, "-m", "person1"], ["given twice"]),
        ([*PEOPLE, "--test", "z"], ["'z'", "score"]),
        ([*PEOPLE, "--values", "v.jsonl"], ["--people"]),
        ([*PEOPLE, "--concept", "Wit"], ["--concept"]),
        (["--sample", 5, "-m", "good", "--values", "v", "-o", "x.csv"], ["--mechanism"]),
        (["--labels", "x.csv", "--key", "absent.json"], ["absent.json"]),
    ],
)
def test_bad_input_is_one_sentence(
    palate: Palate,
    votes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[object],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(palate("validate", votes, *arguments), *words)
    assert not (tmp_path / "x.csv").exists()


def test_hostile_names_steer_no_terminal(palate: Palate, votes: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in votes.read_text().splitlines()]
    for row in rows:
        row["labels"] = {
            {"person1": "a\x1b[2Jb", "good": "\u202egood"}.get(k, k): v
            for k, v in row["labels"].items()
        }
    file = write_jsonl(tmp_path / "hostile.jsonl", rows)
    people = ["--people", "a\x1b[2Jb", "--people", "person2", "--people", "person3"]
    done = palate("validate", file, *people, "-m", "\u202egood", "-q")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
