"""Ties of 34 recorded judges broken by explained models, against the verdicts of people.

    python -m benchmarks.ties [--data ../shared/data] [--jobs 2] [--random 20] [--markdown]

LLMBar (judges.jsonl.gz): a judge saw each pair in both orders; where these disagree its verdict is
a tie. No model is asked. Two sets of concepts: those measured on the texts of all 1,192 pairs, and
those that a language model annotated on 453 of them (judges_concepts). Every tied pair is decided
by explanations of the judge and of people that saw neither the tied pairs nor anything that shares
a prompt or responses with it. "all" decides by the whole model, "weight" by the four largest
weights, "supported" by the four largest supported effects, which may be none. "random" is the mean
of several draws of four concepts.

Figures are per cent of the tied pairs decided as people do, a pair that stays tied one half, so
leaving all ties is 50. The interval of a mean over judges is that of a bootstrap that draws prompts
and judges, both with replacement (Owen 2007): judges saw the same prompts, and modes of one model
resemble each other.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

import palate
from palate.actions.strategies import BY, STRATEGIES, By, Strategy, guide_scores, guides_of
from palate.actions.ties import break_ties
from palate.actions.ties_fits import fit_ties
from palate.concepts.imported import read_concepts
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.workers import interrupts_ignored, n_processors

DRAWS, LEVEL = 2_000, 0.9
COLUMNS: list[tuple[Strategy, By]] = [
    ("random", "supported"),
    *((s, by) for by in BY for s in STRATEGIES[1:]),
]


@dataclass(frozen=True)
class Row:
    """One judge: how many ties, its accuracy, and the score of each tied pair by column."""

    judge: str
    n_judged: int
    before: float
    groups: Any
    scores: Any
    n_broken: Any
    parts: int
    p_values: dict[tuple[str, str], float | None]


def sets(data: Path) -> dict[str, tuple[Preferences, ConceptMatrix]]:
    """Return pairs and concepts: measured on all pairs, annotated on those with values."""
    pairs = palate.read(data / "judges.jsonl.gz")
    concepts = data / "judges_concepts.json", data / "judges_concepts.jsonl.gz"
    annotated = read_concepts(*concepts).align(pairs.ids)
    some = pairs.select(np.flatnonzero(np.isfinite(annotated.values).any(axis=1)))
    return {
        "measured": (pairs, palate.measure(pairs, n_jobs=1)),
        "annotated": (some, annotated.align(some.ids)),
    }


def one_judge(preferences: Preferences, concepts: ConceptMatrix, judge: str, draws: int) -> Row:
    """Break the ties of one judge in every way."""
    fits = fit_ties(preferences, judge, concepts, reference="human", n_jobs=1)
    right = preferences.verdict("human")
    verdict = preferences.verdict(judge)
    side = right[fits.rows]
    scores, broken = [], []
    p_values: dict[tuple[str, str], float | None] = {}
    for strategy, by in COLUMNS:
        if strategy == "random":
            leaning = np.array(
                [
                    guide_scores(fits, guides_of(fits, "random", seed=k), counted=True)
                    for k in range(draws)
                ]
            )
        else:
            leaning = guide_scores(fits, guides_of(fits, strategy, by=by))[None]
        scores.append((1 + np.sign(leaning) * side).mean(axis=0) / 2)
        broken.append((leaning != 0).mean())
    for by in BY:
        told = break_ties(preferences, judge, reference="human", fits=fits, by=by, level=LEVEL)
        for row in told.strategies.to_dicts():
            p_values[row["strategy"], by] = row["p_adjusted"]
    judged = ~np.isnan(verdict)
    return Row(
        judge=judge,
        n_judged=int(judged.sum()),
        before=float(((1 + verdict[judged] * right[judged]) / 2).mean()),
        groups=fits.group_of[fits.rows],
        scores=np.column_stack(scores),
        n_broken=np.array(broken),
        parts=len(fits.parts),
        p_values=p_values,
    )


def means(rows: list[Row], seed: int = 0) -> tuple[Any, Any, Any]:
    """Return the mean over judges, and draws of it over prompts alone and prompts and judges."""
    random = np.random.default_rng(seed)
    n_groups = max(int(r.groups.max()) for r in rows) + 1
    sums = np.zeros((len(rows), n_groups, len(COLUMNS) + 1))
    for k, row in enumerate(rows):
        np.add.at(sums[k], row.groups, np.column_stack([row.scores, np.ones(len(row.groups))]))
    present = np.flatnonzero(sums[:, :, -1].sum(axis=0))
    drawn: list[list[Any]] = [[], []]
    for _ in range(DRAWS):
        times = np.bincount(random.choice(present, present.size), minlength=n_groups)
        total = np.einsum("g,kgc->kc", times, sums)
        of_judge = total[:, :-1] / np.maximum(total[:, -1:], 1)
        known = np.flatnonzero(total[:, -1] > 0)
        drawn[0].append(of_judge[known].mean(axis=0))
        drawn[1].append(of_judge[random.choice(known, known.size)].mean(axis=0))
    observed = np.array([r.scores.mean(axis=0) for r in rows]).mean(axis=0)
    return observed, np.array(drawn[0]), np.array(drawn[1])


def ends(draws: Any) -> str:
    """Return an interval in points."""
    low, high = 100 * np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return f"{low:+.1f} to {high:+.1f}"


def show(name: str, rows: list[Row]) -> None:
    """Print the table of one set of concepts, and what it comes to."""
    print(f"\n## {name} concepts\n")
    heads = [s if s == "random" else f"{s} ({by})" for s, by in COLUMNS]
    print("| judge | ties | judged | accuracy | " + " | ".join(heads) + " |")
    print("|---|" + "--:|" * (len(heads) + 3))
    for r in rows:
        cells = [f"{100 * v:.1f}" for v in r.scores.mean(axis=0)]
        print(
            f"| {r.judge} | {len(r.groups)} | {r.n_judged} | {100 * r.before:.1f} | "
            + " | ".join(cells)
            + " |"
        )
    observed, by_prompt, by_both = means(rows)
    print("| **mean** | | | | " + " | ".join(f"**{100 * v:.1f}**" for v in observed) + " |")
    print(
        "| broken, % | | | | "
        + " | ".join(f"{100 * v:.0f}" for v in np.mean([r.n_broken for r in rows], axis=0))
        + " |"
    )
    print(
        "| judges above 50 | | | | "
        + " | ".join(
            str(int(v)) for v in (np.array([r.scores.mean(axis=0) for r in rows]) > 0.5).sum(axis=0)
        )
        + " |"
    )
    print(
        f"\nGains over leaving ties, points, {100 * LEVEL:.0f} % intervals: prompts drawn; "
        "prompts and judges drawn\n"
    )
    for k, head in enumerate(heads):
        gain = 100 * (observed[k] - 0.5)
        print(
            f"  {head:24s} {gain:+6.1f}  ({ends(by_prompt[:, k] - 0.5)};  "
            f"{ends(by_both[:, k] - 0.5)})"
        )
    print("\nSteps of the expected order random <= own <= reference <= difference\n")
    at = {column: k for k, column in enumerate(COLUMNS)}
    for by in BY:
        steps = [COLUMNS[0], *((s, by) for s in STRATEGIES[1:])]
        for one, other in itertools.pairwise(steps):
            i, j = at[one], at[other]
            print(
                f"  {by:9s} {other[0]:10s} - {one[0]:9s} {100 * (observed[j] - observed[i]):+6.1f}"
                f"  ({ends(by_prompt[:, j] - by_prompt[:, i])};  "
                f"{ends(by_both[:, j] - by_both[:, i])})"
            )
    print("\nJudges with a gain (Holm over the strategies, p < .05), and with a loss\n")
    for by in BY:
        for strategy in STRATEGIES[1:]:
            k = at[strategy, by]
            sure = [
                r for r in rows if (p := r.p_values.get((strategy, by))) is not None and p < 0.05
            ]
            up = sum(r.scores[:, k].mean() > 0.5 for r in sure)
            print(
                f"  {by:9s} {strategy:10s} {up:2d} gain, {len(sure) - up:2d} lose, of {len(rows)}"
            )
    print("\nWhat a judge itself rewards, whole model, by how often it agrees with people\n")
    before = np.array([r.before for r in rows])
    own = np.array([r.scores[:, at["own", "all"]].mean() for r in rows])
    for low, high in ((0.0, 0.5), (0.5, 0.6), (0.6, 1.0)):
        here = (before >= low) & (before < high)
        share = f"{100 * low:.0f} to {100 * high:.0f} %"
        print(f"  accuracy {share:12s} {here.sum():2d} judges: {100 * own[here].mean():.1f}")
    print(f"\n{sum(r.parts > 1 for r in rows)} of {len(rows)} judges in five parts.")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--jobs", type=int, default=n_processors())
    parser.add_argument("--random", type=int, default=20, help="draws of random concepts")
    chosen = parser.parse_args()
    start = time.perf_counter()
    with interrupts_ignored():
        workers = Parallel(n_jobs=chosen.jobs)
    for name, (pairs, concepts) in sets(chosen.data).items():
        judges = [m for m in pairs.mechanisms if m != "human"]
        with interrupts_ignored():
            rows = workers(
                delayed(one_judge)(pairs, concepts, judge, chosen.random) for judge in judges
            )
        show(name, rows)
    print(f"\n{time.perf_counter() - start:.0f} s with {chosen.jobs} processes.")


if __name__ == "__main__":
    main()
