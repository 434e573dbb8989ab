"""kill -9 at random moments: nothing acknowledged is lost, and nothing stored is asked again."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from .loopback import Heard, Said, loopback
from .plain import Plain, question, text_of

ROOT = Path(__file__).resolve().parents[2]
CONCURRENCY = 8
COMMAND = [sys.executable, "-W", "error"]


def start(url: str, store: Path, n: int) -> subprocess.Popen[bytes]:
    """Start a process that asks `n` questions through a store."""
    return subprocess.Popen(
        [*COMMAND, "-m", "tests.llm.plain", url, str(store), str(n), str(CONCURRENCY)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def committed(store: Path) -> set[bytes]:
    """Keys that lie in the store: what a process could have acknowledged."""
    if not store.exists():
        return set()
    with closing(sqlite3.connect(store)) as look:
        assert look.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = look.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return {key for (key,) in look.execute("SELECT key FROM answers")} if tables else set()


def settle(asked: list[int]) -> None:
    """Wait until the server has read whatever a dead process still sent."""
    seen, quiet = -1, 0
    while quiet < 4:  # a busy machine reads late
        quiet = quiet + 1 if seen == len(asked) else 0
        seen = len(asked)
        time.sleep(0.1)


def killed_and_resumed(folder: Path, kills: int, n: int, seed: int) -> None:
    """Kill a run so many times, finish it, and check what was asked and what came out."""
    store, chance = folder / "s.sqlite", random.Random(seed)
    asked: list[int] = []
    lock = threading.Lock()

    def answer(heard: Heard) -> Said:
        i = heard.json["number"]
        with lock:
            asked.append(i)
        return Said(text_of(i).encode(), wait=0.004)

    with loopback(answer) as server:
        key = {i: question(i).key(Plain(server.url).sent) for i in range(n)}
        kept: set[bytes] = set()
        lost = 0
        for life in range(kills):
            before = len(asked)
            process = start(server.url, store, n)
            goal = chance.randrange(1, 2 + (n - len(kept)) // (kills - life + 1))
            while len(asked) < before + goal and process.poll() is None:
                time.sleep(0.001)
            time.sleep(chance.random() / 50)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            settle(asked)
            now = committed(store)
            assert kept <= now  # nothing that was there is gone
            # asked in this life of the process: none of what had been stored before it
            with lock:
                again = [i for i in asked[before:] if key[i] in kept]
                assert not again
                lost += sum(key[i] not in now for i in asked[before:])
            kept = now
        process = start(server.url, store, n)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        assert committed(store) == set(key.values())
        # whatever was asked twice is an answer that a kill kept from the store
        # (the last ones in flight may be heard after they were counted)
        assert lost <= sum(Counter(asked).values()) - n <= lost + CONCURRENCY * kills
        untouched = start(server.url, folder / "untouched.sqlite", n)
        expected, err = untouched.communicate(timeout=60)
        assert untouched.returncode == 0, err.decode()
        assert out == expected
        assert [x["n"] for x in json.loads(out)] == list(range(n))


def test_three_kills(tmp_path: Path) -> None:
    killed_and_resumed(tmp_path, kills=3, n=160, seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_kills(tmp_path: Path, seed: int) -> None:
    killed_and_resumed(tmp_path, kills=20, n=2000, seed=seed)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_keeps_everything_that_came(tmp_path: Path, how: signal.Signals) -> None:
    asked: list[int] = []

    def answer(heard: Heard) -> Said:
        asked.append(heard.json["number"])
        return Said(text_of(asked[-1]).encode(), wait=0.01)

    store = tmp_path / "s.sqlite"
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "from tests.llm.plain import main\n"
        "try:\n    main(*sys.argv[1:])\n"
        "except KeyboardInterrupt:\n    sys.exit(130)\n"
    )
    with loopback(answer) as server:
        process = subprocess.Popen(
            [*COMMAND, "-c", code, server.url, str(store), "2000", str(CONCURRENCY)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + 20
        while len(asked) < 60 and time.monotonic() < until:
            time.sleep(0.001)
        process.send_signal(how)
        _, err = process.communicate(timeout=20)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[how]
    assert err == b""  # no traceback, no warning of a task or a socket left behind
    # only what was under way at that moment is missing
    assert len(committed(store)) >= len(set(asked)) - CONCURRENCY
