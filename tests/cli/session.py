"""What a command gives, small files to run it on, and commands in processes of their own."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Done:
    """What a command gave: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines on standard error that are not progress."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return [x for x in lines if not x.endswith(" ...") and not x.startswith("  done in")]


Palate = Callable[..., Done]


QUICK = ("--bootstrap", "10", "--folds", "3")  # the least work that goes through every step
PATIENCE = 120  # seconds after which a program counts as hanging, on the busiest machine


def await_workers(process: subprocess.Popen[str]) -> None:
    """Wait until a program that divides its work has workers and listens to Ctrl-C again.

    It ignores Ctrl-C while it starts them. How long that takes depends on the machine, so where
    the system tells, it is asked.
    """
    about = Path("/proc") / str(process.pid)
    workers = about / "task" / str(process.pid) / "children"
    until = time.monotonic() + PATIENCE
    while workers.is_file() and time.monotonic() < until:
        children = workers.read_text().split()
        (ignored,) = (
            line.split()[1]
            for line in (about / "status").read_text().splitlines()
            if line.startswith("SigIgn:")
        )
        if len(children) >= 2 and not int(ignored, 16) >> (signal.SIGINT - 1) & 1:
            break
        time.sleep(0.02)
    time.sleep(0.7)
    assert process.poll() is None, "the run ended before it could be interrupted"


WORDS = ("salt", "water", "heat", "stir", "spoon", "oven", "bread", "butter", "milk", "egg")


def votes(n: int = 60, *, domains: Iterable[str] = ("soup", "cake"), seed: int = 0) -> list[Any]:
    """Canonical rows in which "long" prefers the longer response, and "short" the shorter one."""
    rng = random.Random(seed)
    names = list(domains)
    rows = []
    for i in range(n):
        sizes = rng.sample(range(5, 60), 2)
        a, b = (" ".join(rng.choices(WORDS, k=k)).capitalize() + "." for k in sizes)
        longer = 1 if sizes[0] > sizes[1] else -1
        rows.append(
            {
                "id": f"pair/{i}",
                "domain": names[i % len(names)],
                "prompt": f"How do I cook dish number {i}?",
                "response_a": a,
                "response_b": b,
                "labels": {"long": longer, "short": -longer},
            }
        )
    return rows


def write_jsonl(path: Path, rows: Iterable[Any]) -> Path:
    """Write rows as JSON lines, gzipped where the name says so, and return the path."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path
