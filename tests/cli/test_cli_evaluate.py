"""`palate evaluate`: tables in the terminal, files that appear whole, and bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from palate.explanations.protocol_result import Evaluation

from .session import PATIENCE, Done, Palate, await_workers, votes, write_jsonl

FAST = ["--splits", "3", "--test-share", ".34", "--folds", "2", "--jobs", "1"]
FEW = [*FAST, "--model", "shared-only", "--model", "pooled"]
FILES = {
    *("evaluation.json", "evaluation.csv", "evaluation.md", "evaluation.html"),
    *("run.json", "COMPLETE"),
}


@pytest.fixture
def sizes(tmp_path: Path) -> list[object]:
    """One annotated concept, which makes a run fast."""
    rows = [{"id": r["id"], "values": {"Size": r["labels"]["long"]}} for r in votes()]
    return ["--values", write_jsonl(tmp_path / "sizes.jsonl", rows)]


def refused(done: Done, *words: str, out: Path | None = None) -> None:
    """Check that a command was refused with one sentence, and wrote nothing."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]
    assert out is None or not out.exists()


def test_the_tables_are_printed_and_written(
    palate: Palate, file: Path, sizes: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = palate("evaluate", file, *sizes, *FAST, "--out", out)
    assert done.code == 0, done.err
    for word in ("HMDR", "shared-only", "dirty", "per domain", "long", "short", "interval"):
        assert word in done.out
    assert all(len(line) <= 100 for line in done.out.splitlines() if str(out) not in line)
    assert {p.name for p in out.iterdir()} == FILES
    found = Evaluation.load(out / "evaluation.json")
    assert found.mechanisms == ("long", "short")
    assert pl.read_csv(out / "evaluation.csv").height == found.scores.height
    assert (out / "evaluation.md").read_text(encoding="utf-8") == found.to_markdown()
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["arguments"]["command"] == "evaluate"
    assert record["arguments"]["n_splits"] == 3
    assert record["counts"]["evaluated"] == 2


def test_the_page_is_complete_in_itself(
    palate: Palate, file: Path, sizes: list[object], tmp_path: Path
) -> None:
    palate("evaluate", file, *sizes, *FEW, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert page.count('tabindex="0" aria-label="In domain, HMDR') == 2  # one sentence a model


def test_names_of_strangers_are_shown_and_do_nothing(
    palate: Palate, sizes: list[object], tmp_path: Path
) -> None:
    name = "<script>alert(1)</script>\u202e\x1b[31m|"
    rows = [r | {"labels": {name: r["labels"]["long"]}} for r in votes()]
    file = write_jsonl(tmp_path / "hostile.jsonl", rows)
    done = palate("evaluate", file, *sizes, *FAST, "--model", "pooled", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    text = (tmp_path / "out" / "evaluation.md").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\u202e" not in page + done.out
    assert "\x1b" not in page + done.out
    assert "alert(1)" in page
    for harm in ("<script", "\u202e", "\x1b"):
        assert harm not in text
    assert "alert(1)" in text


def test_without_a_folder_nothing_is_written(
    palate: Palate, file: Path, sizes: list[object], tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    done = palate("evaluate", file, *sizes, *FAST, "-m", "long", "--model", "pooled", "-q")
    assert done.code == 0, done.err
    assert not done.err
    assert "specific-only" not in done.out
    assert "mechanism long" in done.out
    assert set(tmp_path.iterdir()) == before


class TestBadInput:
    """Exit code 2, one sentence, nothing written."""

    def test_contradictory_options(self, palate: Palate, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        done = palate("evaluate", file, "--with-measured", "--out", out)
        refused(done, "--with-measured", out=out)
        refused(palate("evaluate", file, "--overwrite"), "--overwrite", "--out")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--mechanism", "lnog"], ("lnog", "long")),
            (["--model", "polled"], ("polled", "pooled")),
            (["--configs", "10"], ("configs", "9 or 20")),
            (["--test-share", "0.9"], ("test_share", "0.5")),
            (["--test-share", "nan"], ("test_share", "nan")),
            (["--cluster", "voter"], ("voter",)),
            (["--domain-column", "topic"], ("topic",)),
        ],
    )
    def test_options(
        self,
        palate: Palate,
        file: Path,
        sizes: list[object],
        tmp_path: Path,
        options: list[str],
        words: tuple[str, ...],
    ) -> None:
        out = tmp_path / "out"
        refused(palate("evaluate", file, *sizes, "--out", out, *options), *words, out=out)

    def test_one_domain(self, palate: Palate, sizes: list[object], tmp_path: Path) -> None:
        one = write_jsonl(tmp_path / "one.jsonl", votes(domains=["soup"]))
        out = tmp_path / "out"
        done = palate("evaluate", one, *sizes, "--out", out)
        refused(done, "one domain", "soup", out=out)

    def test_too_few_pairs(self, palate: Palate, sizes: list[object], tmp_path: Path) -> None:
        few = write_jsonl(tmp_path / "few.jsonl", votes(12))
        done = palate("evaluate", few, *sizes, "-m", "long", "--out", tmp_path / "out")
        refused(done, "12 verdicts", "at least 20", out=tmp_path / "out")

    def test_too_few_groups(self, palate: Palate, sizes: list[object], tmp_path: Path) -> None:
        rows = [r | {"prompt": f"Question {i % 4}?"} for i, r in enumerate(votes())]
        same = write_jsonl(tmp_path / "same.jsonl", rows)
        done = palate("evaluate", same, *sizes, "--out", tmp_path / "out")
        refused(done, "4 groups", "at least 8", out=tmp_path / "out")

    def test_a_place_that_cannot_be_written(
        self, palate: Palate, file: Path, sizes: list[object], tmp_path: Path
    ) -> None:
        (tmp_path / "taken").write_text("a file")
        done = palate("evaluate", file, *sizes, "--out", tmp_path / "taken" / "out")
        refused(done, "taken")
        assert (tmp_path / "taken").read_text() == "a file"

    def test_a_finished_run_is_kept(
        self, palate: Palate, file: Path, sizes: list[object], tmp_path: Path
    ) -> None:
        command = ("evaluate", file, *sizes, *FAST, "--model", "pooled", "--out", tmp_path / "out")
        assert palate(*command).code == 0
        before = (tmp_path / "out" / "run.json").read_bytes()
        refused(palate(*command), "finished run", "--overwrite")
        assert (tmp_path / "out" / "run.json").read_bytes() == before
        assert palate(*command, "--overwrite").code == 0


@pytest.mark.skipif(os.name != "posix", reason="process groups are those of POSIX")
@pytest.mark.slow
def test_an_interrupted_run_leaves_nothing(file: Path, sizes: list[object], tmp_path: Path) -> None:
    arguments = ["evaluate", file, *sizes, "--splits", "400", "--jobs", "2"]
    arguments += ["--out", tmp_path / "new" / "out"]
    run = subprocess.Popen(
        [sys.executable, "-c", "from palate.cli import main; main()", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("Evaluating"):
            break
    await_workers(run)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130, err
    assert "Interrupted; no results were written." in err
    assert "Traceback" not in err
    assert not out
    assert {p.name for p in tmp_path.iterdir()} == {"votes.jsonl", "sizes.jsonl"}
