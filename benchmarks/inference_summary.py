"""One line per method over all worlds that were run, for docs/statistics.md.

    python -m benchmarks.inference_summary FILE [FILE ...]

Rates are means over worlds, with the worst world in brackets; coverage is the mean over worlds with
the lowest one in brackets. Every world counts the same.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("shared0", "shared1", "deviation0", "deviation1", "total0", "total1")
HEAD = (
    "method",
    "coin: any statement, at .10",
    "coin: any, at .05",
    "effects: false statements, at .10",
    "power, shared",
    "power, domain",
    "coverage: shared zero",
    "shared",
    "difference zero",
    "difference",
    "domain zero",
    "domain",
    "CPU s",
)
Lines = list[dict[str, Any]]


def main(files: list[str]) -> None:
    """Print the table."""
    by: dict[str, dict[str, Lines]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        for text in Path(file).read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            by[line["row"]][line["world"]].append(line)
    print("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|")
    for method, found in by.items():
        null = [lines for world, lines in found.items() if "-null-" in world]
        planted = [lines for world, lines in found.items() if "-null-" not in world]
        cells = [method]
        for rate in ("0.1", "0.05"):
            cells.append(worst([np.mean([said(x[rate]) > 0 for x in lines]) for lines in null]))
        cells.append(worst([np.mean([false(x["0.1"]) for x in lines]) for lines in planted]))
        for k in (0, 1):
            power = [
                sum(x["0.1"]["found"][k] for x in lines) / max(sum(x["there"][k] for x in lines), 1)
                for lines in planted
            ]
            cells.append(f"{100 * np.mean(power):.0f}" if planted and max(power) > 0 else "–")
        for kind in KINDS:
            chosen = null + planted if kind.endswith("0") else planted
            cells.append(worst([c for x in chosen if (c := held(x, kind)) is not None], least=True))
        seconds = [x["seconds"] for lines in found.values() for x in lines]
        print("| " + " | ".join([*cells, f"{np.mean(seconds):.2f}"]) + " |")


def said(counts: dict[str, Any]) -> int:
    """Return the number of statements."""
    return int(counts["shared"][1] + counts["domain"][1])


def false(counts: dict[str, Any]) -> float:
    """Return the share of false statements, 0 if there are none."""
    true = counts["shared"][0] + counts["domain"][0]
    return float((said(counts) - true) / max(said(counts), 1))


def held(lines: Lines, kind: str) -> float | None:
    """Return the share of intervals of a kind that hold the truth."""
    some = [x["coverage"][kind][:2] for x in lines if kind in x.get("coverage", {})]
    return None if not some else float(np.sum(some, axis=0)[0] / np.sum(some, axis=0)[1])


def worst(values: list[Any], *, least: bool = False) -> str:
    """Return the mean in per cent, and the largest (or least) value in brackets."""
    if not values:
        return "–"
    edge = min(values) if least else max(values)
    return f"{100 * np.mean(values):.1f} ({100 * edge:.1f})"


if __name__ == "__main__":
    main(sys.argv[1:])
