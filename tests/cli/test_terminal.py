"""What a terminal gets: plain and stable text without one, and no escape of a stranger in any."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from palate.cli.failures import describe
from palate.cli.progress import Stages, time_left
from palate.errors import DataError

from .session import PATIENCE, QUICK, Palate, await_workers, votes, write_jsonl

PROGRAM = [sys.executable, "-c", "from palate.cli import main; main()"]
HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202eevil\u2066 \x00 "
    "[bold]x[/bold] <script>a</script>\r\b"
)


def hostile_rows() -> list[Any]:
    """Votes whose mechanisms, domains, prompts and responses hold whatever can do harm."""
    rows = votes(60, domains=[f"soup{HOSTILE}", "cake"])
    for row in rows:
        row["labels"] = {f"{name}{HOSTILE}": v for name, v in row["labels"].items()}
        row["prompt"] += HOSTILE
        row["response_a"] += HOSTILE
        row["id"] += HOSTILE
    return rows


def harmful(text: str) -> list[str]:
    """Characters of a text that can steer a terminal or turn the direction of writing."""
    return re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A file of hostile texts."""
    return write_jsonl(tmp_path / "hostile.jsonl", hostile_rows())


def test_hostile_texts_do_no_harm_in_any_command(
    palate: Palate, hostile: Path, tmp_path: Path
) -> None:
    for arguments in (
        ["explain", hostile, "--out", tmp_path / "out", *QUICK],
        ["inspect", hostile],
        ["convert", hostile, tmp_path / "out.parquet"],
    ):
        done = palate(*arguments)
        assert done.code == 0, done.err
        assert not harmful(done.out + done.err)
        if arguments[0] == "explain":
            assert "[bold]x[/bold]" in done.out  # shown as it is, not read as markup


def test_hostile_names_of_concepts_do_no_harm(palate: Palate, file: Path, tmp_path: Path) -> None:
    name = f"Warmth{HOSTILE}"
    concepts = tmp_path / "concepts.json"
    concepts.write_text(json.dumps([{"name": name, "definition": HOSTILE, "domains": "all"}]))
    rows = [{"id": r["id"], "values": {name: r["labels"]["long"]}} for r in votes()]
    values = write_jsonl(tmp_path / "values.jsonl", rows)
    done = palate(
        *("explain", file, "--concepts", concepts, "--values", values),
        *("--out", tmp_path / "out", *QUICK),
    )
    assert done.code == 0, done.err
    assert "Warmth" in done.out
    assert not harmful(done.out + done.err)


def test_hostile_texts_do_no_harm_in_errors(palate: Palate, hostile: Path, tmp_path: Path) -> None:
    rows = hostile_rows()
    rows[3]["labels"] = {HOSTILE: HOSTILE}
    bad = write_jsonl(tmp_path / "bad.jsonl", rows)
    for arguments in (
        ["explain", hostile, "--mechanism", f"x{HOSTILE.replace(chr(0), '')}"],
        ["inspect", bad],
        ["inspect", f"absent{HOSTILE.replace(chr(0), '')}"],
    ):
        done = palate(*arguments)
        assert done.code == 2
        assert not harmful(done.out + done.err)


@pytest.mark.slow
def test_without_a_terminal_the_summary_is_plain_stable_and_narrow(
    palate: Palate,
    file: Path,
    quick: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = [*quick, "--out"]
    monkeypatch.setenv("COLUMNS", "60")
    first = palate("explain", file, *options, tmp_path / "a")
    monkeypatch.setenv("COLUMNS", "200")
    second = palate("explain", file, *options, tmp_path / "b", "--jobs", "1")
    assert first.code == second.code == 0, first.err
    assert "\x1b" not in first.out
    own = str(tmp_path)
    lines = first.out.splitlines()
    assert all(len(line) <= 100 for line in lines if own not in line)
    assert first.out.replace(f"{own}/a", "DIR") == second.out.replace(f"{own}/b", "DIR")


@pytest.mark.slow
def test_quiet_leaves_the_summary_only(
    palate: Palate, file: Path, quick: list[object], tmp_path: Path
) -> None:
    done = palate("explain", file, *quick, "--out", tmp_path / "out", "-q")
    assert done.code == 0
    assert not done.err
    assert "report.html" in done.out


@pytest.mark.parametrize("broken", [False, True])
def test_a_stage_that_broke_off_is_not_called_done(
    broken: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([1.0, 6.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with contextlib.suppress(DataError), Stages() as stages:
        stages.stage("Asking")
        if broken:
            raise DataError("no")
    assert ("done in" in capsys.readouterr().err) is not broken


def in_terminal(arguments: list[str], folder: Path) -> str:
    """What a command shows in a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=folder,
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "110", "LINES": "50"},
    )
    os.close(theirs)
    shown = b""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not select.select([ours], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data
    os.close(ours)
    assert process.wait(timeout=PATIENCE) == 0, shown
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
def test_a_terminal_gets_colour_and_progress_but_no_escape_of_a_stranger(
    hostile: Path, tmp_path: Path
) -> None:
    # one process, so that one mechanism is done well before the other
    shown = in_terminal(["explain", str(hostile), *QUICK, "--jobs", "1"], tmp_path)
    assert "\x1b[" in shown  # our own colours
    assert "Explaining 2 mechanisms" in shown
    assert re.search(r"about (\d+ min )?\d+ s left", shown)
    assert "\x1b[31mred" not in shown
    assert "\x1b]0;" not in shown
    assert not re.search("[\x07\x08\x00\u202a-\u202e\u2066-\u2069]", shown)


def started(folder: Path, out: Path, *more: str, **variables: str) -> subprocess.Popen[str]:
    """A run that is in the middle of its work, with processes of its own."""
    file = write_jsonl(folder / "many.jsonl", votes(1200, domains=[f"d{i}" for i in range(8)]))
    process = subprocess.Popen(
        [
            *(*PROGRAM, "explain", str(file), "--out", str(out)),
            *("--bootstrap", "2000", "--jobs", "2", *more),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **variables},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Explaining"):
            break
    await_workers(process)
    return process


def interrupted(process: subprocess.Popen[str], by: int = signal.SIGINT) -> tuple[int, str, str]:
    """Exit code and output of a run after Ctrl-C, which reaches all its processes."""
    os.killpg(process.pid, by)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@pytest.mark.skipif(os.name != "posix", reason="process groups are those of POSIX")
def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    code, out, err = interrupted(started(tmp_path, tmp_path / "new" / "out"))
    assert code == 130, err
    assert not out
    assert [line for line in err.splitlines() if line.strip()][-1] == (
        "Interrupted; no results were written."
    )
    assert "Traceback" not in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["many.jsonl"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups are those of POSIX")
def test_an_impatient_ctrl_c_without_helper_programs_ends_all_the_same(tmp_path: Path) -> None:
    # a slim container has no pgrep, which joblib would ask; users press Ctrl-C more than once
    process = started(tmp_path, tmp_path / "out", PATH=str(tmp_path))
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.03)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Warning" not in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["many.jsonl"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups are those of POSIX")
def test_an_interrupt_leaves_an_earlier_run_as_it_was(
    palate: Palate, file: Path, quick: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert palate("explain", file, "--out", out, *quick).code == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    for by, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        code, _, err = interrupted(started(tmp_path, out, "--overwrite"), by)
        assert code == expected, err
        assert "Traceback" not in err
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_closed_pipe_is_no_error(file: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "inspect", str(file)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=PATIENCE) == 1


def test_every_kind_of_failure_is_one_sentence_with_its_code() -> None:
    assert describe(DataError("All verdicts are ties."))[1] == 2
    assert describe(OSError(28, "No space left on device", "out/report.html")) == (
        "Error: out/report.html: No space left on device.",
        2,
    )
    assert describe(KeyboardInterrupt()) == ("Interrupted; no results were written.", 130)
    assert describe(MemoryError())[1] == 1
    sentence, code = describe(ZeroDivisionError("division by zero"))
    assert code == 1
    assert "--debug" in sentence
    assert "report" in sentence


def test_the_time_left_follows_from_what_is_done() -> None:
    assert time_left(30.0, 10, 35) == "about 1 min 15 s left"
    assert time_left(10.0, 5, 6) == "about 2 s left"
    assert time_left(10.0, 0, 6) == time_left(10.0, 6, 6) == ""


@pytest.mark.slow
def test_a_terminal_that_knows_ascii_only_is_no_obstacle(
    file: Path, quick: list[object], tmp_path: Path
) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [
            *(*PROGRAM, "explain", str(file), *map(str, quick)),
            *("-m", "long", "--quiet", "-o", "out ü"),
        ],
        cwd=tmp_path,
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert (tmp_path / "out ü" / "COMPLETE").is_file()
