"""`palate plan`: the plan in the terminal and in a file, hostile names, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from .session import Done, Palate, votes, write_jsonl


@pytest.fixture
def pilot(tmp_path: Path) -> list[object]:
    """A file of votes and its annotated concepts."""
    rows = votes(120)
    concepts = [
        {"id": r["id"], "values": {"Size": r["labels"]["long"], "Odd": (-1) ** (i // 2)}}
        for i, r in enumerate(rows)
    ]
    for i, row in enumerate(rows):  # every fifth verdict the other way
        row["labels"] = {k: -v if i % 5 == 0 else v for k, v in row["labels"].items()}
    values = write_jsonl(tmp_path / "values.jsonl", concepts)
    return [write_jsonl(tmp_path / "votes.jsonl", rows), "--values", values]


def refused(done: Done, *words: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


def test_the_plan_is_printed_and_written(
    palate: Palate, pilot: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "plan.json"
    done = palate("plan", *pilot, "-m", "long", "--lift", "30", "--out", out)
    assert done.code == 0, done.err
    first = " ".join(done.out.split())
    assert first.startswith("To find a lift of 30 % in one domain with probability 0.8 you need")
    assert "(you have 60)." in first
    assert all(len(line) <= 100 for line in done.out.splitlines() if str(out) not in line)
    document = json.loads(out.read_text(encoding="utf-8"))
    assert " ".join(document["headline"].split()) in first
    assert document["settings"]["lift"] == 30.0
    again = palate("plan", *pilot, "-m", "long", "--lift", "30", "--out", out)
    refused(again, "plan.json", "--overwrite")
    table = tmp_path / "plan.csv"
    done = palate("plan", *pilot, "-m", "long", "--lift", "30", "-q", "--out", table)
    assert done.code == 0
    assert pl.read_csv(table).height == len(document["table"]["concept"])
    assert not done.errors


def test_one_concept_or_one_domain_can_be_shown(palate: Palate, pilot: list[object]) -> None:
    done = palate("plan", *pilot, "-m", "long", "--concept", "Odd")
    assert done.code == 0, done.err
    assert "Where Odd is concerned" in done.out
    done = palate("plan", *pilot, "-m", "long", "--domain", "soup")
    assert "Where soup is concerned" in done.out
    table = done.out.split("Where soup is concerned")[1]
    assert "cake" not in table


def test_names_cannot_steer_the_terminal(palate: Palate, tmp_path: Path) -> None:
    rows = votes(80, domains=("so\x1b[31mup", "ca[red]ke\u202e"))
    concepts = [{"id": r["id"], "values": {"Si\x1b]0;ze": r["labels"]["long"]}} for r in rows]
    for row in rows[::3]:
        row["labels"] = {k: -v for k, v in row["labels"].items()}
    values = write_jsonl(tmp_path / "values.jsonl", concepts)
    done = palate("plan", write_jsonl(tmp_path / "v.jsonl", rows), "--values", values, "-m", "long")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert "ca[red]ke" in done.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lift", "0"], ["lift", "between 0 and 100"]),
        (["--lift", "100"], ["lift"]),
        (["--power", "1"], ["power"]),
        (["--power", ".05"], ["power"]),
        (["--fdr", "0"], ["fdr"]),
        (["--domain", "soup", "--concept", "Size"], ["--domain and --concept"]),
        (["--domain", "soupe"], ["domain", "soupe", "'soup'"]),
        (["--concept", "Sise"], ["concept", "Sise", "'Size'"]),
        (["--overwrite"], ["--overwrite", "--out"]),
        (["--out", "plan.txt"], ["plan.txt", ".json or .csv"]),
        (["--cluster", "voter"], ["voter"]),
    ],
)
def test_bad_options_are_refused(
    palate: Palate, pilot: list[object], options: list[str], words: list[str]
) -> None:
    refused(palate("plan", *pilot, "-m", "long", *options), *words)


def test_which_mechanism_must_be_said(palate: Palate, pilot: list[object]) -> None:
    refused(palate("plan", *pilot), "--mechanism", "'long'", "'short'")
    refused(palate("plan", *pilot, "-m", "lnog"), "mechanism", "lnog", "'long'")


def test_a_pilot_that_is_too_small_is_refused(palate: Palate, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "few.jsonl", votes(12))
    refused(palate("plan", file, "-m", "long"), "12 verdicts", "at least 20")
    refused(palate("plan", tmp_path / "absent.jsonl"), "absent.jsonl", "no such file")


def test_measured_ones_need_annotated_ones_beside_them(palate: Palate, pilot: list[object]) -> None:
    refused(palate("plan", pilot[0], "-m", "long", "--with-measured"), "--with-measured")
