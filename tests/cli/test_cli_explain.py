"""`palate explain` on good input: the files it writes, what it records, what it says."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
from pathlib import Path

import polars as pl
import pytest

import palate as package
from palate.cli import main
from palate.cli.run import folder_for

from .session import QUICK, Palate, votes, write_jsonl

FILES = {"COMPLETE", "explanation.json", "pairs.parquet", "report.html", "run.json", "weights.csv"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A finished run: its folder, its input, its summary."""
    folder = tmp_path_factory.mktemp("finished")
    file = write_jsonl(folder / "votes.jsonl.gz", votes(120))
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit) as left:
        main(["explain", str(file), "--out", str(folder / "out"), "--seed", "7", "-q"])
    assert not left.value.code
    return folder / "out", file, shown.getvalue()


def test_the_folder_holds_these_files(finished: tuple[Path, Path, str]) -> None:
    out, _, _ = finished
    assert {p.name for p in out.iterdir()} == FILES
    mark = json.loads((out / "COMPLETE").read_text("utf-8"))
    assert set(mark["files"]) == FILES - {"COMPLETE"}
    for name, digest in mark["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert (out / "COMPLETE").stat().st_mtime_ns >= max(
        (out / name).stat().st_mtime_ns for name in mark["files"]
    )


def test_the_run_is_recorded(finished: tuple[Path, Path, str]) -> None:
    out, file, _ = finished
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["palate"] == package.__version__
    assert run["seed"] == run["arguments"]["seed"] == 7
    assert run["arguments"]["n_bootstrap"] == 100  # defaults are resolved
    assert run["inputs"] == [
        {"file": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    ]
    assert run["counts"]["pairs"] == 120
    assert run["counts"]["explained"] == 2
    assert {"polars", "scikit-learn", "python"} <= set(run["versions"])


def test_the_data_can_be_loaded_and_agree(finished: tuple[Path, Path, str]) -> None:
    out, _, _ = finished
    explanation = package.Explanation.load(out, mechanism="long")
    assert explanation.counts["pairs"] == 120
    weights = pl.read_csv(out / "weights.csv")
    assert set(weights["mechanism"]) == {"long", "short"}
    frame = explanation.to_frame()
    ours = weights.filter(weights["mechanism"] == "long")
    assert ours["weight"].to_list() == frame["weight"].to_list()


def test_mechanisms_that_contradict_each_other_get_opposite_weights(
    finished: tuple[Path, Path, str],
) -> None:
    # "short" is by construction the negation of "long", and the method knows no sides
    out, _, _ = finished
    long, short = (
        package.Explanation.load(out, mechanism=m).shared.weight for m in ("long", "short")
    )
    assert abs(long + short).max() < 1e-6
    assert abs(long).max() > 0.1


def test_the_summary_says_what_was_found(finished: tuple[Path, Path, str]) -> None:
    out, _, shown = finished
    assert "reward" in shown.splitlines()[0]
    for words in (
        "verdicts on new prompts",
        "On a domain left out of the fit:",
        "supported everywhere",
        "90 % interval",
        "at most 10 % is expected",
        "not causes",
        f"Report: {out / 'report.html'}",
    ):
        assert words in shown
    assert re.search(r"\+[\d.]+ [a-z]+", shown)  # one step in natural units
    assert re.search("[█░]", shown)


@pytest.mark.slow
def test_the_same_call_gives_the_same_result(
    finished: tuple[Path, Path, str], palate: Palate, tmp_path: Path
) -> None:
    out, file, _ = finished
    again = tmp_path / "again"
    assert palate("explain", file, "--out", again, "--seed", "7", "--jobs", "1").code == 0
    for name in ("explanation.json", "weights.csv", "pairs.parquet"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_annotated_concepts_stand_alone_or_beside_the_measured_ones(
    palate: Palate, file: Path, tmp_path: Path
) -> None:
    rows = [{"id": r["id"], "values": {"Size": r["labels"]["long"]}} for r in votes()]
    values = write_jsonl(tmp_path / "values.jsonl", rows)
    common = ["--values", values, "-m", "long", *QUICK]
    assert palate("explain", file, *common, "--out", tmp_path / "alone").code == 0
    alone = package.Explanation.load(tmp_path / "alone")
    assert alone.concepts.names == ("Size",)
    assert alone.shared.weight[0] > 1
    done = palate("explain", file, *common, "--with-measured", "--out", tmp_path / "both")
    assert done.code == 0
    assert "1 imported concept stands beside" in " ".join(done.out.split())
    both = package.Explanation.load(tmp_path / "both")
    assert {"Size", "Length"} <= set(both.concepts.names)


def test_tables_of_ones_own_are_read(palate: Palate, tmp_path: Path) -> None:
    rows = votes()
    table = pl.DataFrame(
        {
            "question": [r["prompt"] for r in rows],
            "first": [r["response_a"] for r in rows],
            "second": [r["response_b"] for r in rows],
            "winner": ["a" if r["labels"]["long"] > 0 else "b" for r in rows],
            "topic": [r["domain"] for r in rows],
        }
    )
    table.write_csv(tmp_path / "own.csv")
    names = ["prompt=question", "response_a=first", "response_b=second"]
    done = palate(
        *("explain", tmp_path / "own.csv", *(x for name in names for x in ("--column", name))),
        *("--verdict-column", "winner", "--domain-column", "topic"),
        *("--out", tmp_path / "out", *QUICK),
    )
    assert done.code == 0, done.err
    explanation = package.Explanation.load(tmp_path / "out")
    assert explanation.mechanism == "winner"
    assert set(explanation.domains) == {"soup", "cake"}


def test_the_folder_is_named_after_the_file(
    palate: Palate, file: Path, quick: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    done = palate("explain", file, "-m", "long", "-q", *quick)
    assert done.code == 0
    assert (file.parent / "palate-votes" / "COMPLETE").is_file()


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("data/votes.jsonl.gz", "palate-votes"),
        ("my votes (1).csv", "palate-my-votes-1-"),
        ("hf://org/name", "palate-name"),
        ("hf://org/name/train", "palate-train"),
        (".jsonl", "palate-run"),
    ],
)
def test_names_of_folders(source: str, folder: str) -> None:
    assert folder_for(source) == Path(folder)
