"""Do the numbers hold? Known truth, many replicates, Palate's inference beside its rivals.

    python -m benchmarks.inference run --out FILE [--worlds PATTERN ...] [--methods NAME ...]
                                       [--replicates 400] [--jobs 2]
    python -m benchmarks.inference table FILE [FILE ...] [--worlds PATTERN ...] [--rows PATTERN ...]
    python -m benchmarks.inference list

`run` appends one JSON object a line (world, replicate, method) to FILE, so that partial runs are
kept and continued; `table` prints Markdown. Worlds: `inference_worlds.py`; a pattern is a world's
name with * and ?. Methods: `inference_rivals.py` and `inference_marginal.py`. Every replicate has
its own random numbers, so that it is the same in any order and number of processes.

What is counted. A statement is true if the true effect is not 0 and has the sign that is claimed.
Shared: "supported everywhere", true if b is. Domain: "supported in this domain", true if b + s(d)
is; "differs in this domain", true if s(d) minus the mean of the other s is; where s(d) is 0, so
that only the others make it true, it is counted apart as well ("by others alone"). Power: shared, b
that are not 0 and are found; domain, s(d) that are not 0 and whose domain got a true statement
about this concept. Coverage: of the mean over the domains of b + s(d), which is what "shared" means
(where b is not 0; or zero: no effect in any domain), of b + s(d), and of s(d) minus the mean of the
other domains; deviations count as zero where the concept has none in any domain, as nonzero where
s(d) is not 0.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import inference_candidate, inference_marginal, inference_rivals
from benchmarks.inference_results import Result
from benchmarks.inference_tables import tables
from benchmarks.inference_worlds import SYNTHETIC, Array, Data, World, draw, estimands

LEVEL = 0.9
RATES = (0.1, 0.05)

METHODS: dict[str, Callable[..., dict[str, Result]]] = {
    "palate": inference_candidate.palate,
    "unclustered": inference_candidate.unclustered,
    "oracle": inference_rivals.oracle,
    "feedback-forensics": inference_marginal.feedback_forensics,
    "hypothesaes": inference_marginal.hypothesaes,
    "t-test": inference_marginal.t_test,
    "refit": inference_rivals.lasso_refit,
    "bootstrap": inference_rivals.lasso_bootstrap,
    "nodewise": inference_rivals.nodewise,
    "splits": inference_rivals.many_splits,
}


def worlds() -> tuple[World, ...]:
    """Return the worlds of the full table."""
    out = []
    for design, some in {
        "ternary": (30, 300),
        "score": (30, 300),
        "judges": (30, 300),
        "pandalm": (30, 300),
        "annotated": (30,),
        "demo": (28,),
    }.items():
        for n_concepts in some:
            for n_pairs in (400, 2800):
                for effects in ("null", "planted", "dense"):
                    for prompts in ("single", "repeated"):
                        if effects == "dense" and (design not in SYNTHETIC or n_concepts > 30):
                            continue
                        out.append(World(design, n_concepts, n_pairs, effects, prompts))
    return tuple(out)


def score(data: Data, result: Result) -> dict[str, Any]:
    """Count true and false statements at every rate, and covered effects."""
    truth = estimands(data.effects, data.exists)
    b, deviation, total = truth
    own = np.where(data.exists[1:], data.effects[1:], 0.0)
    signs = [np.sign(band.value) for band in (result.shared, result.total, result.deviation)]
    out: dict[str, Any] = {}
    with np.errstate(invalid="ignore"):
        right = [s * np.sign(t) > 0 for s, t in zip(signs, (b, total, deviation), strict=True)]
        n_shared, n_own = int((np.abs(b) > 0).sum()), int((own != 0).sum())
    for rate, support in result.support.items():
        said = support.everywhere, support.here, support.differs
        true = [s & r for s, r in zip(said, right, strict=True)]
        local = support.everywhere & (b == 0) & (own != 0).any(axis=0)
        out[f"{rate}"] = {
            "shared": [int(true[0].sum()), int(said[0].sum())],
            "domain": [
                int(true[1].sum() + true[2].sum()),
                int(said[1].sum() + said[2].sum()),
            ],
            "found": [int(true[0].sum()), int(((true[1] | true[2]) & (own != 0)).sum())],
            "local as everywhere": int(local.sum()),
            "by others alone": int((true[2] & (own == 0)).sum()),
        }
    out["there"] = [n_shared, n_own]
    out["concepts"] = int(b.size)
    if result.log_odds:
        out["coverage"] = dict(_coverage(truth, own, result))
    return out


def _coverage(
    truth: tuple[Array, Array, Array], own: Array, result: Result
) -> Iterator[tuple[str, list[float]]]:
    """Yield, by kind of effect: covered, intervals, median width."""
    deviates = (own != 0).any(axis=0)
    b, exists = truth[0], np.isfinite(truth[2])
    mean = np.where(exists, truth[2], 0.0).sum(axis=0) / np.maximum(exists.sum(axis=0), 1)
    for name, true, band, zero, nonzero in (
        (
            "shared",
            np.where(np.isfinite(b), mean, np.nan),
            result.shared,
            (b == 0) & ~deviates,
            np.abs(b) > 0,
        ),
        ("deviation", truth[1], result.deviation, ~deviates & np.isfinite(truth[1]), own != 0),
        ("total", truth[2], result.total, truth[2] == 0, np.abs(truth[2]) > 0),
    ):
        given = np.isfinite(band.low) & np.isfinite(band.high) & np.isfinite(true)
        covered = (band.low <= true) & (true <= band.high)
        for kind, cells in (("0", zero & given), ("1", nonzero & given)):
            if cells.any():
                width = float(np.median((band.high - band.low)[cells]))
                yield name + kind, [int(covered[cells].sum()), int(cells.sum()), width]


def replicate_of(world: World, replicate: int, methods: tuple[str, ...]) -> list[str]:
    """Run methods on one replicate and return the lines to be written."""
    data = draw(world, replicate)
    lines = []
    for name in methods:
        method = METHODS[name]
        if name == "oracle":
            method = partial(method, support=data.exists & (data.effects != 0))
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            results = method(
                data.X,
                data.y,
                data.codes,
                data.groups,
                exists=data.exists,
                level=LEVEL,
                rates=RATES,
                seed=replicate,
            )
        seconds = time.process_time() - started
        for row, result in results.items():
            line = {"world": world.name, "replicate": replicate, "method": name, "row": row}
            lines.append(json.dumps(line | {"seconds": seconds} | score(data, result)))
    return lines


def one_thread() -> None:
    """Keep the linear algebra of this process to one thread."""
    threadpool_limits(1)


def run(
    out: Path,
    chosen: list[World],
    methods: tuple[str, ...],
    replicates: int,
    jobs: int,
) -> None:
    """Run what FILE does not hold yet, replicate by replicate, all worlds in turn."""
    done = set()
    if out.exists():
        for text in out.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            done.add((line["world"], line["replicate"], line["method"]))
    tasks = []
    for r in range(replicates):
        for world in chosen:
            left = tuple(m for m in methods if (world.name, r, m) not in done)
            if world.prompts == "single":
                left = tuple(m for m in left if m != "unclustered")
            if left:
                tasks.append((world, r, left))
    print(f"{len(tasks)} replicates of {len(chosen)} worlds to run", flush=True)
    started, told = time.perf_counter(), 0.0
    pool = ProcessPoolExecutor(jobs, initializer=one_thread)
    with out.open("a", encoding="utf-8") as file, pool:
        for k, lines in enumerate(pool.map(replicate_of, *zip(*tasks, strict=True)), 1):
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            if (spent := time.perf_counter() - started) > told + 60 or k == len(tasks):
                told = spent
                print(f"{k} of {len(tasks)}, {spent:.0f} s", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names of the worlds and methods")
    runs = commands.add_parser("run", help="simulate")
    runs.add_argument("--out", type=Path, required=True)
    runs.add_argument("--worlds", nargs="+", default=["*"])
    runs.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    runs.add_argument("--replicates", type=int, default=400)
    runs.add_argument("--jobs", type=int, default=2)
    shown = commands.add_parser("table", help="print Markdown")
    shown.add_argument("files", type=Path, nargs="+")
    shown.add_argument("--worlds", nargs="+", default=["*"])
    shown.add_argument("--rows", nargs="+", default=["*"], help="rows of the tables, with * and ?")
    options = parser.parse_args()
    if options.command == "list":
        print("\n".join([*(w.name for w in worlds()), "", *METHODS]))
    elif options.command == "table":
        print(tables(options.files, options.worlds, options.rows))
    else:
        known = {w.name: w for w in worlds()}
        chosen = [w for n, w in known.items() if any(fnmatch.fnmatch(n, p) for p in options.worlds)]
        chosen += [World.of(p) for p in options.worlds if p not in known and not set("*?") & set(p)]
        if not chosen:
            parser.error(f"no world is named like {' '.join(options.worlds)}; see the list")
        run(options.out, chosen, tuple(options.methods), options.replicates, options.jobs)


if __name__ == "__main__":
    main()
