"""A finished run can be told from an interrupted one, and is not overwritten by accident."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import palate
from palate.data.run_directory import COMPLETE, INCOMPLETE, RunDirectory, sha256
from palate.data.staged_run import HIDDEN, staged_run
from palate.errors import OutputError


def test_a_run_ends_with_its_mark(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "new" / "out")
    assert run.file(INCOMPLETE).exists()
    run.write_text("a.txt", "é\n")
    run.write_json("b.json", {"x": None})
    with run.open("c.bin") as file:
        file.write(b"\x00")
    run.complete()
    assert not run.file(INCOMPLETE).exists()
    marks = json.loads(run.file(COMPLETE).read_text())
    assert marks["files"] == {
        name: hashlib.sha256(run.file(name).read_bytes()).hexdigest()
        for name in ("a.txt", "b.json", "c.bin")
    }


def test_run_json_says_what_was_run_on_what(tmp_path: Path) -> None:
    votes = tmp_path / "votes.jsonl"
    votes.write_text("{}\n")
    run = RunDirectory(tmp_path / "out")
    path = run.write_run_json(
        arguments={"file": votes, "folds": 5}, inputs=[votes, "hf://a/b"], counts={"n": 3}, seed=7
    )
    found = json.loads(path.read_text())
    assert found["arguments"] == {"file": str(votes), "folds": 5}
    assert found["inputs"] == [
        {"file": str(votes), "sha256": hashlib.sha256(b"{}\n").hexdigest()},
        {"file": "hf://a/b", "sha256": None},
    ]
    assert (found["seed"], found["counts"], found["palate"]) == (7, {"n": 3}, palate.__version__)
    assert {"python", "numpy", "polars", "scipy", "scikit-learn"} <= set(found["versions"])


def test_a_finished_run_is_kept(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "out").complete()
    with pytest.raises(OutputError, match="found a finished run; expected a new or empty folder"):
        RunDirectory(tmp_path / "out")
    again = RunDirectory(tmp_path / "out", overwrite=True)
    assert not again.file(COMPLETE).exists()  # from here on it is not finished
    again.complete()
    assert again.file(COMPLETE).exists()


def test_an_interrupted_run_is_written_over(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "out").write_text("half.txt", "")
    RunDirectory(tmp_path / "out").complete()


def test_files_of_another_origin_are_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match=r"files of another origin \(thesis\.tex\)"):
        RunDirectory(tmp_path)
    RunDirectory(tmp_path, overwrite=True).complete()
    assert (tmp_path / "thesis.tex").read_text() == "x"


def test_places_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="found a file; expected a folder"):
        RunDirectory(tmp_path / "file")
    with pytest.raises(OutputError, match="the folder cannot be made or read"):
        RunDirectory(tmp_path / "file" / "below")


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a Linux /proc")
def test_places_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(OutputError, match="the folder cannot be made or read"):
        RunDirectory("/proc/palate")


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="the file cannot be written"):
        RunDirectory(tmp_path)
    tmp_path.chmod(0o700)


def test_json_that_no_reader_could_read_is_not_written(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "out")
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.write_json("a.json", float("nan"))
    assert not run.file("a.json").exists()


def test_the_hash_of_no_file_is_none(tmp_path: Path) -> None:
    assert sha256(tmp_path / "none") is None


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """Also if it had the same number; the folder of a run that is alive stays."""
    program = (
        "import sys\nfrom palate.data.staged_run import staged_run\n"
        f"with staged_run({str(tmp_path / 'out')!r}) as run:\n"
        "    run.write_text('a.txt', 'half')\n    print('in', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        (left,) = tmp_path.glob(f"{HIDDEN}*")
        long_ago(left)
        with staged_run(tmp_path / "other"):
            assert left.is_dir()  # its run is alive
        process.kill()
    long_ago(left)
    with staged_run(tmp_path / "out") as run:
        assert not left.exists()
        run.write_text("a.txt", "whole")
    assert (tmp_path / "out" / "a.txt").read_text() == "whole"
    assert not list(tmp_path.glob(f"{HIDDEN}*"))


def test_a_folder_of_a_run_that_has_just_begun_is_left_alone(tmp_path: Path) -> None:
    young = tmp_path / f"{HIDDEN}1-0"
    young.mkdir()
    with staged_run(tmp_path / "out"):
        assert young.is_dir()


def long_ago(folder: Path) -> None:
    os.utime(folder, (1.0, 1.0))
