"""kill -9 in the middle of `palate annotate`: the store is whole, the result is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from palate.concepts.annotation.files import FILES
from palate.llm.scripted.scripts import demo_script
from palate.llm.scripted.server import ScriptedServer, serve

PATIENCE = 120


def start(server: ScriptedServer, folder: Path, out: str) -> subprocess.Popen[bytes]:
    """Start `palate annotate` on the demo set in a process of its own."""
    command = [sys.executable, "-c", "from palate.cli import main; main()", "annotate", "demo"]
    options = {
        "--concepts": "demo",
        "--llm": "openai:scripted",
        "--base-url": server.base_url,
        "--store": str(folder / "answers.sqlite"),
        "--concurrency": "2",
        "--pairs-per-call": "2",
        "--out": str(folder / out),
    }
    return subprocess.Popen(
        [*command, *(part for option in options.items() for part in option), "--quiet"],
        env={**os.environ, "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a run that must succeed."""
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err.decode()


def stored(folder: Path) -> int:
    """How many answers the store holds; it must be whole."""
    path = folder / "answers.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as look:
        assert look.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not look.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return 0
        return int(look.execute("SELECT count(*) FROM answers").fetchone()[0])


def bodies(server: ScriptedServer, since: int = 0) -> list[bytes]:
    """The questions that were sent since a call."""
    return [call.body for call in server.log[since:] if call.name.startswith("compare")]


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_pay_nothing_twice(tmp_path: Path) -> None:
    folder, chance, untouched = tmp_path, random.Random(20), tmp_path / "untouched"
    untouched.mkdir()
    with serve(demo_script(), latency=0.02) as server:
        finish(start(server, untouched, "out"))
        every = set(bodies(server))
        assert len(every) == stored(untouched) > 120
    with serve(demo_script(), latency=0.1) as server:
        for _ in range(20):
            before, kept = len(server.log), stored(folder)
            process = start(server, folder, "out")
            until = time.monotonic() + PATIENCE
            while len(server.log) == before and process.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.002)
            time.sleep(chance.random() * 0.25)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            time.sleep(0.5)  # what was in flight reaches the server's log
            assert not (folder / "out" / "COMPLETE").exists()
            # no question goes out whose answer is kept; the log may name one in flight late
            assert len(set(bodies(server, before))) <= len(every) - kept
            assert stored(folder) >= kept
        before, kept = len(server.log), stored(folder)
        assert 0 < kept < len(every)
        finish(start(server, folder, "out"))
        # what is paid for is not asked
        assert len(set(bodies(server, before))) == len(every) - kept
        assert set(bodies(server)) == every
    for name in FILES:
        found, expected = (folder / "out" / name), (untouched / "out" / name)
        assert found.read_bytes() == expected.read_bytes(), name
    mark = json.loads((folder / "out" / "COMPLETE").read_text())
    assert set(FILES) <= set(mark["files"])
