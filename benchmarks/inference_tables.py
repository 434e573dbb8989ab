"""Markdown tables of what `benchmarks/inference.py` has counted, with Monte-Carlo errors.

A rate r of R runs has the error sqrt(r (1 - r) / R); at r = 0 or 1 that of one run more on the
other side. Means over replicates have the standard deviation over sqrt(R). Coverage is the share of
all intervals of a kind; its error that of a ratio of sums over replicates.
"""

from __future__ import annotations

import fnmatch
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Lines = list[dict[str, Any]]
KINDS = ("shared0", "shared1", "deviation0", "deviation1", "total0", "total1")
HEADS = {
    "shared0": "shared, zero",
    "shared1": "shared, not zero",
    "deviation0": "deviation, zero",
    "deviation1": "deviation, not zero",
    "total0": "in domain, zero",
    "total1": "in domain, not zero",
}
ABSENT = "–"


def tables(files: list[Path], worlds: list[str], rows: list[str]) -> str:
    """Return the tables of worlds and rows whose names match as Markdown."""
    by_world: dict[str, dict[str, Lines]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if matches(line["world"], worlds) and matches(line["row"], rows):
                by_world[line["world"]][line["row"]].append(line)
    null = {w: found for w, found in by_world.items() if "-null-" in w}
    other = {w: found for w, found in by_world.items() if w not in null}
    out = []
    if null:
        out += ["Coin verdicts: runs in which any concept is called supported, %", ""]
        out += _table(
            (
                "world",
                "method",
                "runs",
                "FDR .10",
                "FDR .05",
                "shared only, .10",
                "share of concepts, .10",
                "seconds",
            ),
            [(w, m, *_null(lines)) for w, found in null.items() for m, lines in found.items()],
        )
    if other:
        out += ["Effects: false statements and power at FDR .10, %", ""]
        out += _table(
            (
                "world",
                "method",
                "runs",
                "false, shared",
                "power, shared",
                "false, domain",
                "power, domain",
                "false, all",
                "local called everywhere, a run",
                "differs by others alone, a run",
                "false, all, at .05",
                "seconds",
            ),
            [(w, m, *_effects(lines)) for w, found in other.items() for m, lines in found.items()],
        )
    covered = [
        (w, m, *_covered(lines))
        for w, found in by_world.items()
        for m, lines in found.items()
        if any(line.get("coverage") for line in lines)
    ]
    if covered:
        out += ["Coverage of 90 % intervals, % (median width)", ""]
        out += _table(("world", "method", "runs", *(HEADS[k] for k in KINDS)), covered)
    return "\n".join(out)


def matches(name: str, patterns: list[str]) -> bool:
    """Return whether a name is one of the patterns."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    previous = ""
    for world, *rest in rows:
        lines.append("| " + " | ".join(["" if world == previous else world, *rest]) + " |")
        previous = world
    return [*lines, ""]


def _null(lines: Lines) -> tuple[str, ...]:
    runs = len(lines)
    anything = {
        rate: [line[rate]["shared"][1] + line[rate]["domain"][1] > 0 for line in lines]
        for rate in ("0.1", "0.05")
    }
    shared = [line["0.1"]["shared"][1] > 0 for line in lines]
    return (
        str(runs),
        _rate(anything["0.1"]),
        _rate(anything["0.05"]),
        _rate(shared),
        _mean([line["0.1"]["shared"][1] / line["concepts"] for line in lines]),
        _seconds(lines),
    )


def _effects(lines: Lines) -> tuple[str, ...]:
    at = [line["0.1"] for line in lines]
    lower = [line["0.05"] for line in lines]
    there = np.array([line["there"] for line in lines])
    found = np.array([a["found"] for a in at])
    domains = any(a["domain"][1] for a in at)
    return (
        str(len(lines)),
        _mean([_false(a, "shared") for a in at]),
        _ratio(found[:, 0], there[:, 0]),
        _mean([_false(a, "domain") for a in at]) if domains else ABSENT,
        _ratio(found[:, 1], there[:, 1]) if domains else ABSENT,
        _mean([_false(a, "shared", "domain") for a in at]),
        f"{np.mean([a['local as everywhere'] for a in at]):.2f}",
        f"{np.mean([a['by others alone'] for a in at]):.2f}" if domains else ABSENT,
        _mean([_false(a, "shared", "domain") for a in lower]),
        _seconds(lines),
    )


def _covered(lines: Lines) -> tuple[str, ...]:
    out = [str(len(lines))]
    for kind in KINDS:
        some = [line["coverage"][kind] for line in lines if kind in line.get("coverage", {})]
        if not some:
            out.append(ABSENT)
            continue
        held, n, width = np.array(some).T
        out.append(f"{_ratio(held, n)} ({np.median(width):.2f})")
    return tuple(out)


def _false(counts: dict[str, Any], *kinds: str) -> float:
    true, said = (sum(counts[k][i] for k in kinds) for i in (0, 1))
    return (said - true) / max(said, 1)


def _rate(values: list[bool]) -> str:
    rate, runs = float(np.mean(values)), len(values)
    near = min(max(rate, 1 / (runs + 1)), runs / (runs + 1))
    return f"{100 * rate:.1f} ± {100 * np.sqrt(near * (1 - near) / runs):.1f}"


def _mean(values: list[float]) -> str:
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{100 * np.mean(values):.1f} ± {100 * error:.1f}"


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> str:
    if whole.sum() == 0:
        return ABSENT
    ratio = part.sum() / whole.sum()
    runs = len(part)
    error = np.sqrt(((part - ratio * whole) ** 2).sum() / max(runs - 1, 1) * runs) / whole.sum()
    return f"{100 * ratio:.1f} ± {100 * error:.1f}"


def _seconds(lines: Lines) -> str:
    return f"{np.mean([line['seconds'] for line in lines]):.2f}"
