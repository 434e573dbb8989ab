"""`palate compare`: what it prints and writes, gates and their exit codes, bad input."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from palate.data.demo import demo_paths
from palate.explanations.comparison import Comparison

from .session import Done, Palate, votes, write_jsonl


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Votes in which "long" prefers the longer response, "short" the shorter one."""
    return write_jsonl(tmp_path / "votes.jsonl", votes(80))


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "compare.md"


def test_the_example_workflow_runs(
    palate: Palate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workflow,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (command,) = re.findall(r"run: >-\n((?: {10}.*\n)+)", workflow)
    arguments = shlex.split(command)
    assert arguments[0] == "palate"
    (tmp_path / "votes.jsonl").write_bytes(gzip.decompress(demo_paths().pairs.read_bytes()))
    monkeypatch.chdir(tmp_path)
    done = palate(*arguments[1:], "--jobs", 1)
    assert done.code == 0, done
    assert done.out.count("passed  ") == 2
    assert (tmp_path / "comparison" / "comparison.html").exists()


def refused(done: Done, *words: str) -> None:
    """Exit code 2, one sentence with these words, nothing printed."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


def test_opposite_judges_differ_in_length_and_the_gates_say_so(
    palate: Palate, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    gates = ["any supported difference > 5% lift", "agreement > 50%"]
    options = [x for gate in gates for x in ("--fail-on", gate)]
    done = palate("compare", file, "long", "short", "--out", out, "--jobs", 1, *options)
    assert done.code == 1
    assert not done.errors
    assert "FAILED  any supported difference > 5% lift: " in done.out
    assert "passed  agreement > 50%: agreement is 0.0 % (80 pairs)" in done.out
    assert "long rewards" in done.out
    found = Comparison.load(out / "comparison.json")
    assert found.counts["disagreements"] == 80
    assert sorted(p.name for p in out.iterdir()) == [
        "COMPLETE",
        "comparison.html",
        "comparison.json",
        "differences.csv",
        "run.json",
    ]
    run = json.loads((out / "run.json").read_text())
    assert run["counts"]["gates_failed"] == 1
    assert run["arguments"]["fail_on"] == gates


def test_gates_that_pass_leave_the_exit_code_zero(palate: Palate, file: Path) -> None:
    done = palate("compare", file, "long", "short", "-q", "--jobs", 1, "--fail-on", "kappa > 0")
    assert done.code == 0
    assert "passed  kappa > 0: kappa is -1.000 (80 pairs)" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["long", "long"], ["'long' is given twice"]),
        (["long", "lnog"], ["Unknown mechanism 'lnog'", "Did you mean 'long'"]),
        (["long", "short", "--fail-on", "agreement << 80%"], ["at position 12", "a number"]),
        (["long", "short", "--fail-on", "kappa in tea < .5"], ["no domain 'tea'", "'soup'"]),
        (["long", "short", "--overwrite"], ["--overwrite", "--out"]),
        (["long", "short", "--with-measured"], ["--with-measured", "--concepts"]),
        (["long", "short", "--cluster", "voter"], ["cluster column 'voter'"]),
    ],
)
def test_bad_input_is_one_sentence(
    palate: Palate, file: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    out = tmp_path / "out"
    more: list[Any] = [] if "--overwrite" in arguments else ["--out", out]
    refused(palate("compare", file, *arguments, "--jobs", 1, *more), *words)
    assert not out.exists()


def test_mechanisms_without_common_pairs_are_refused(palate: Palate, tmp_path: Path) -> None:
    rows = votes(80)
    for i, row in enumerate(rows):
        del row["labels"]["long" if i % 2 else "short"]
    file = write_jsonl(tmp_path / "apart.jsonl", rows)
    refused(palate("compare", file, "long", "short", "--jobs", 1), "share no pairs")
    few = write_jsonl(tmp_path / "few.jsonl", votes(19))
    refused(palate("compare", few, "long", "short", "--jobs", 1), "19", "at least 20")
