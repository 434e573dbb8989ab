"""`palate evaluate` at paper scale, beside the paper's optimiser; and coverage of its intervals.

    python benchmarks/evaluate.py              # cost; some five minutes on two cores
    python benchmarks/evaluate.py --adam       # the paper's optimiser as well; needs palate[bench]
    python benchmarks/evaluate.py --coverage   # coverage by simulation; some twenty minutes

Cost: 12 mechanisms, 8 domains, 2,800 training and 400 test pairs, 627 concepts (75 shared, 69
specific to each domain), 25 splits, 9 configurations, 5 folds; wall time of `palate.evaluate` with
its worker processes, reading excluded, everything else included, in three steps: HMDR alone, the
four models of the paper, and all. "HMDR alone" includes choosing and fitting it for every left-out
domain. The paper's optimiser is `torch.optim.Adam` with autograd through the L1 norms, 3,000 steps
at rate .03 (what `benchmarks/solver.py` finds it needs), one fit at a time on all concepts: one
fold of one split (9 fits) is measured and multiplied by 5 folds x 25 splits x 12 mechanisms,
divided by the processes. CPU seconds stand
beside wall time because the latter depends on what else the machine does.

Coverage: worlds with known weights; a data set of 400 pairs is drawn, evaluated, and its intervals
are compared with the truth (8 splits, 2 folds). The truth of a data set is the accuracy, on 20,000
fresh pairs, of the models trained on its splits, averaged over the splits (what a cross-validated
score estimates); that of the procedure is the mean of this over all data sets. Beside the interval
from draws of groups: the corrected resampled t-interval of Nadeau and Bengio (2003), from the
scores of splits.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

import numpy as np
import polars as pl

import palate
from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.explanations.evaluation import OURS
from palate.explanations.problem import Frame, Problem
from palate.explanations.protocol_fits import (
    REGRESSIONS,
    Protocol,
    chosen,
    grid,
    inner_folds,
)
from palate.explanations.protocol_scores import Tested, score_rows
from palate.explanations.protocol_splits import repeated_splits
from palate.explanations.resampling import build
from palate.explanations.scores import correctness
from palate.models.selection import fit_on

D, SHARED, OWN = 8, 75, 69


def ternary(rng: np.random.Generator, n: int, columns: int, density: float) -> np.ndarray:
    return (rng.random((n, columns)) < density) * rng.choice([-1.0, 1.0], (n, columns))


def sparse_weights(rng: np.random.Generator, size: int, nonzero: int) -> np.ndarray:
    w = np.zeros(size)
    w[rng.choice(size, nonzero, replace=False)] = rng.normal(0, 0.7, nonzero)
    return w


def preferences_of(verdicts: dict[str, np.ndarray], domains: np.ndarray) -> Preferences:
    n = domains.size
    pairs = pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(n)],
            "domain": [f"d{d}" for d in domains],
            "prompt": [f"q{i}" for i in range(n)],
            "response_a": [f"a {i}" for i in range(n)],
            "response_b": [f"b {i}" for i in range(n)],
        }
    )
    return Preferences(pairs=pairs, verdicts=pl.DataFrame(verdicts))


def matrix_of(X: np.ndarray, ids: list[str], own: dict[int, tuple[str, ...]]) -> ConceptMatrix:
    return ConceptMatrix(
        ids=tuple(ids),
        concepts=tuple(
            Concept(f"c{j}", "High: more; low: less.", domains=own.get(j))
            for j in range(X.shape[1])
        ),
        values=X,
        scales=("comp",) * X.shape[1],
        step=np.full(X.shape[1], np.nan),
    )


def paper_scale(n_mechanisms: int, seed: int = 0) -> tuple[Preferences, ConceptMatrix]:
    """The design of benchmarks/solver.py with the weights of several mechanisms."""
    rng = np.random.default_rng(seed)
    n, C = 3_200, SHARED + D * OWN
    domains = np.arange(n) % D
    X = np.zeros((n, C))
    X[:, :SHARED] = ternary(rng, n, SHARED, 0.25)
    own = [slice(SHARED + d * OWN, SHARED + (d + 1) * OWN) for d in range(D)]
    for d in range(D):
        rows = domains == d
        X[rows, own[d]] = ternary(rng, int(rows.sum()), OWN, 0.1)
    verdicts = {}
    for k in range(n_mechanisms):
        z = X[:, :SHARED] @ sparse_weights(rng, SHARED, 20)
        for d in range(D):
            rows = domains == d
            z[rows] += X[rows, own[d]] @ sparse_weights(rng, OWN, 8)
            z[rows] += X[rows, :SHARED] @ sparse_weights(rng, SHARED, 5)
        verdicts[f"m{k}"] = np.where(rng.random(n) < 1 / (1 + np.exp(-z)), 1.0, -1.0)
    preferences = preferences_of(verdicts, domains)
    specific = {SHARED + d * OWN + j: (f"d{d}",) for d in range(D) for j in range(OWN)}
    return preferences, matrix_of(X, preferences.ids, specific)


def cost(n_mechanisms: int, jobs: int, adam: bool) -> None:
    preferences, concepts = paper_scale(n_mechanisms)
    palate.evaluate(preferences, concepts, mechanisms=["m0"], models=[], n_splits=2, n_jobs=jobs)
    fits = 25 * 5 * 9 * n_mechanisms
    lines = [
        f"| {n_mechanisms} mechanisms, 25 splits, 5 folds, {jobs} processes | wall s "
        f"| CPU s / {jobs} | target |",
        "|---|---|---|---|",
    ]
    for name, models, target in (
        (f"HMDR alone ({fits:,} fits of the choice)", [], "180"),
        ("HMDR, shared-only, specific-only, dirty", list(REGRESSIONS), "180, if possible"),
        ("and all baselines", None, ""),
    ):
        load, used = os.getloadavg()[0], cpu_seconds()
        started = time.perf_counter()
        palate.evaluate(preferences, concepts, models=models, n_jobs=jobs)
        seconds, used = time.perf_counter() - started, (cpu_seconds() - used) / jobs
        lines.append(f"| {name} | {seconds:.0f} | {used:.0f} | {target} |")
        print(f"{name}: {seconds:.1f} s, CPU {used:.1f} s (load before: {load:.1f})", flush=True)
    if adam:
        seconds = one_fold(3_000, 0.03)
        hours = seconds * 5 * 25 * n_mechanisms / jobs / 3600
        lines.append(
            f"| torch Adam, HMDR alone: one fold measured ({seconds:.0f} s), extrapolated "
            f"| | {3600 * hours:,.0f} ({hours:.0f} h) | |"
        )
    print("\n" + "\n".join(lines), flush=True)


def cpu_seconds() -> float:
    """CPU seconds of this process and of the workers, which are ended for that."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    of = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(r.ru_utime + r.ru_stime for r in of)


def one_fold(steps: int, rate: float) -> float:
    """CPU seconds of nine fits of one fold by the paper's optimiser."""
    import torch
    from solver import Task, adam_plain, make, one_by_one

    torch.set_num_threads(1)
    task = Task(make(2_800), torch.float32, compact=False)
    return float(one_by_one(adam_plain, task, list(range(0, 45, 5)), steps, rate)[2])


# -- coverage ----------------------------------------------------------------------------------

SMALL = {"n": 400, "domains": 4, "concepts": 15, "splits": 8, "folds": 2}


class World:
    """Known weights; the groups of 400 pairs hold `repeats` pairs that share their values' core."""

    def __init__(self, repeats: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        d, c = SMALL["domains"], SMALL["concepts"]
        self.repeats = repeats
        self.shared = sparse_weights(rng, c, 5) * 1.2
        self.own = np.stack([sparse_weights(rng, c, 3) for _ in range(d)])

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        """Values, verdicts, domains and groups: pairs of a group share values and a leaning."""
        g = n // self.repeats
        group = np.repeat(np.arange(g), self.repeats)
        codes = (np.arange(g) % SMALL["domains"])[group]
        core = rng.normal(size=(g, SMALL["concepts"]))[group]
        X = core + 0.5 * rng.normal(size=(n, SMALL["concepts"])) * (self.repeats > 1)
        leaning = 0.7 * rng.normal(size=g)[group] * (self.repeats > 1)
        z = np.einsum("ij,ij->i", X, self.shared + self.own[codes]) + leaning
        return X, np.where(rng.random(n) < 1 / (1 + np.exp(-z)), 1.0, -1.0), codes, group


def coverage(replicates: int) -> None:
    models = (OURS, "shared-only", "specific-only")
    print(
        "| groups | what | truth | draws of groups | mean width | Nadeau-Bengio | mean width |\n"
        "|---|---|---|---|---|---|---|",
        flush=True,
    )
    for repeats in (1, 4):
        world = World(repeats, seed=5)
        runs = [one_world(world, models, seed) for seed in range(replicates)]
        error = 100 * np.sqrt(0.9 * 0.1 / replicates)
        for w, what in enumerate((OURS, "HMDR - shared-only", "HMDR - specific-only")):
            own = np.array([r["truth"][w] for r in runs])
            for name, truth in (("of the data set", own), ("of the procedure", own.mean())):
                cells = []
                for kind in ("draws", "nb"):
                    low, high = np.array([r[kind][w] for r in runs]).T
                    hit = 100 * np.mean((low <= truth) & (truth <= high))
                    cells += [f"{hit:.1f}", f"{100 * np.mean(high - low):.1f}"]
                print(
                    f"| {SMALL['n'] // repeats} of {repeats} | {what} | {name} | "
                    + " | ".join(cells)
                    + " |",
                    flush=True,
                )
    print(f"\n{replicates} data sets each; Monte-Carlo error of 90 %: {error:.1f} points.")


def one_world(world: World, models: tuple[str, ...], seed: int) -> dict[str, np.ndarray]:
    """Truths (3,) and intervals (3, 2): accuracy of HMDR, and its difference to two variants."""
    from scipy.stats import t as student
    from sklearn import config_context

    rng = np.random.default_rng([seed, world.repeats])
    X, y, codes, group = world.draw(rng, SMALL["n"])
    fresh_X, fresh_y, fresh_codes, _ = world.draw(rng, 20_000)
    preferences = preferences_of({"m": y}, codes)
    prompts = pl.Series("prompt", [f"q{g}" for g in group])
    pairs = preferences.pairs.with_columns(prompts)
    preferences = Preferences(pairs=pairs, verdicts=preferences.verdicts)
    frame = Frame.of(
        preferences, matrix_of(X, preferences.ids, {}), missing="zero", cluster=None, n_jobs=1
    )
    problem = Problem.of(frame, "m", y)
    tests = repeated_splits(
        problem.groups, problem.codes, n_splits=SMALL["splits"], test_share=1 / 8, seed=seed
    )
    protocol = Protocol(models, SMALL["folds"], 9, seed)
    design = build(problem)
    log_odds = np.full((len(models), *tests.shape), np.nan)
    right = np.zeros((len(models), len(tests)))
    by_split = np.zeros((len(models), len(tests)))
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for s, test in enumerate(tests):
            folds = inner_folds(problem, ~test, protocol, stream=(1, s))
            for m, model in enumerate(models):
                config = chosen(design, grid(design, model, configs=9), folds, seed=seed)
                fit = fit_on(design, config, ~test, seed=seed)
                log_odds[m, s, test] = fit.log_odds(design.X[test], design.codes[test])
                by_split[m, s] = _mean(log_odds[m, s, test], problem.y[test], problem.codes[test])
                right[m, s] = _mean(fit.log_odds(fresh_X, fresh_codes), fresh_y, fresh_codes)
    tested = Tested.of(problem, "in domain", models, log_odds, least=8)
    assert tested is not None
    rows = score_rows([tested], frame.group_of, frame.codes, level=0.9, seed=seed)
    mean = {r["model"]: r for r in rows if r["domain"] == "(mean)"}
    ends = [[mean[OURS]["accuracy_low"], mean[OURS]["accuracy_high"]]]
    ends += [[mean[m]["gain_low"], mean[m]["gain_high"]] for m in models[1:]]
    scores = np.vstack([by_split[0], by_split[0] - by_split[1:]])
    half = np.sqrt((1 / len(tests) + 1 / 7) * scores.var(axis=1, ddof=1))
    half *= student.ppf(0.95, len(tests) - 1)
    centre = scores.mean(axis=1)
    truth = right.mean(axis=1)
    return {
        "truth": np.concatenate([truth[:1], truth[0] - truth[1:]]),
        "draws": np.array(ends),
        "nb": np.stack([centre - half, centre + half], axis=1),
    }


def _mean(z: np.ndarray, y: np.ndarray, codes: np.ndarray) -> float:
    right = correctness(z, y)
    return float(np.mean([right[codes == d].mean() for d in np.unique(codes)]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--adam", action="store_true", help="measure the paper's optimiser too")
    parser.add_argument("--coverage", action="store_true", help="coverage instead of cost")
    parser.add_argument("--mechanisms", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replicates", type=int, default=300)
    arguments = parser.parse_args()
    if arguments.coverage:
        coverage(arguments.replicates)
    else:
        cost(arguments.mechanisms, arguments.jobs, arguments.adam)
