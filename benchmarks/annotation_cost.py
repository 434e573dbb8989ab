"""What each saving of `palate annotate` does to tokens, held-out accuracy and the explanation.

    python -m benchmarks.annotation_cost run OUT.json [--data demo|judges] [--sims 3] [--repeats 3]
    python -m benchmarks.annotation_cost tokens OUT.json [--data demo|judges]
    python -m benchmarks.annotation_cost table OUT.json

The yardstick is the paper's protocol (`--protocol paper`): a relevance call, then a reason before
each answer, at most 20 concepts a call, both orders of every pair, inconsistent answers 0. `tokens`
counts, `run` fits as well.

Tokens: every request is built by `palate.annotate` itself and answered from the recorded
annotations (`benchmarks/annotation_recorded.py`). The relevance call is taken to keep what differs
and half of the rest; the table also has the two ends, none of the rest and all of it. What wording,
a folded relevance call or reasons do to the answers themselves cannot be seen in recordings: rows
that change nothing else have the yardstick's values.

Accuracy: of HMDR, penalties chosen by nested cross-validation, on folds that share no prompt, mean
over judges, simulated second orders and repetitions; difference from the yardstick on the same
pairs and folds, with a bootstrap over prompts (90 %). Effects: rank correlation of the shared
effects with the yardstick's, and statements (concept, place, sign) kept, lost and new, means over
judges and second orders.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from threadpoolctl import threadpool_limits

import palate
from benchmarks.annotation_recorded import (
    Count,
    Recorder,
    relevance_of,
    rows_of,
    second_orders,
    tokens,
)
from palate.concepts.annotation.annotate import annotate
from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.questions import compare_request, high_only
from palate.concepts.annotation.shown import show
from palate.concepts.concept import Concept
from palate.concepts.imported import read_concepts
from palate.data.demo import demo_paths
from palate.data.splits import grouped_folds
from palate.explanations.annotation_policies import economical, growing_rounds
from palate.explanations.evaluation import chosen_log_odds, trial
from palate.explanations.problem import Frame, Problem
from palate.explanations.resampling import build
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import infer
from palate.models.selection import default_grid

Array = npt.NDArray[np.float64]
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RELEVANT = 0.5  # share of the answers 0 that the relevance call of the paper's protocol keeps
FOLDS, DRAWS = 5, 1000
JUDGES = 4  # judges of judges_concepts beside the people, those with most verdicts


@dataclass(frozen=True)
class Way:
    """A way of asking: arguments of `annotate` and of the policy, None for no policy.

    `alone`: every judge is explained on its own, so that the policy looks at one at a time.
    `other`: the order that is asked first is the simulated one, see `annotation_recorded`.
    """

    name: str
    asked: dict[str, Any]
    policy: dict[str, Any] | None = None
    alone: bool = False
    other: bool = False

    @property
    def values(self) -> str:
        """Ways with the same text give the same values from recordings."""
        orders = self.asked.get("second_order", "always" if self.paper else "audit")
        audit = [self.asked.get("audit_share"), self.asked.get("audit_pairs")]
        return json.dumps(
            [orders, audit if orders == "audit" else None, self.policy, self.alone, self.other]
        )

    @property
    def paper(self) -> bool:
        """Whether it starts from the paper's protocol."""
        return self.asked.get("protocol") == "paper"


PAPER: dict[str, Any] = {"protocol": "paper"}
PILOT = {"half_width": None, "second": False}
STOP = {"pilot": None, "second": False}
WAYS = (
    Way("paper's protocol", PAPER),
    Way("relevance folded in", {**PAPER, "relevance": "folded"}),
    Way("no reasons", {**PAPER, "reasons": False}),
    Way("one order and audit", {**PAPER, "second_order": "audit"}),
    Way("all concepts in one call", {**PAPER, "concepts_per_call": 40}),
    Way("definitions: High only", {**PAPER, "definitions": "high"}),
    Way("pilot", PAPER, PILOT),
    Way("pilot, each judge alone", PAPER, PILOT, alone=True),
    Way("adaptive stop", PAPER, STOP),
    Way("default", {}, {}),
    Way("default, each judge alone", {}, {}, alone=True),
    Way("default, the simulated order asked", {}, {}, other=True),
    Way("default, whole definitions", {"definitions": "full"}, {}),
    Way("default, no policy", {}),
    Way("default, second order always", {"second_order": "always"}, {"second": False}),
)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A data set with recorded annotations."""

    name: str
    preferences: palate.Preferences
    concepts: tuple[Concept, ...]
    first: Array
    again: Array
    mechanisms: tuple[str, ...]

    @property
    def applies(self) -> npt.NDArray[np.bool_]:
        """Which concepts apply to which pairs."""
        return np.array(
            [
                [c.domains is None or d in c.domains for c in self.concepts]
                for d in self.preferences.pairs["domain"]
            ]
        )


def load(name: str) -> Recorded:
    """Return a data set, or leave with a reason."""
    if name == "demo":
        pairs, paths = palate.load_demo(), demo_paths()
        definitions, values = paths.concepts, paths.values
    else:
        definitions = SHARED / "judges_concepts.json"
        values = SHARED / "judges_concepts.jsonl.gz"
        if not values.exists():
            raise SystemExit(f"skipped: there is no {values.name} here.")
        pairs = palate.read(SHARED / "judges.jsonl.gz")
    matrix = read_concepts(definitions, values)
    known = set(matrix.ids)
    pairs = pairs.select([i for i, pair in enumerate(pairs.ids) if pair in known])
    matrix = matrix.align(pairs.ids)
    again = read_concepts(definitions, values, again=True).align(pairs.ids)
    if name == "demo":
        names = pairs.mechanisms
    else:
        most = sorted(
            (m for m in pairs.mechanisms if m != "human"),
            key=lambda m: -np.isfinite(pairs.verdict(m)).sum(),
        )
        names = ("human", *most[:JUDGES])
    return Recorded(name, pairs, matrix.concepts, matrix.values, again.values, names)


def asked(
    data: Recorded,
    way: Way,
    sim: int,
    relevant: float = RELEVANT,
    mechanisms: tuple[str, ...] | None = None,
) -> tuple[Annotation, Count]:
    """Annotate from recordings and count."""
    second = second_orders(data.first, data.again, seed=sim)
    first = np.where(data.applies, data.first, np.nan)
    keep = relevance_of(first, np.where(data.applies, second, np.nan), relevant, seed=sim)
    orders = (second, data.first) if way.other else (data.first, second)
    recorder = Recorder(data.concepts, *orders, rows_of(data.preferences), keep)
    policy = rounds = None
    if way.policy is not None:
        policy = economical(
            data.preferences, mechanisms=mechanisms or data.mechanisms, **way.policy
        )
        rounds = growing_rounds(data.preferences.n_pairs)
    found = annotate(
        data.preferences,
        data.concepts,
        recorder,
        policy=policy,
        rounds=rounds,
        seed=sim,
        max_chars=1_000_000,
        **way.asked,
    )
    return found, recorder.count


@dataclass
class Fits:
    """Held-out hits (repeats, n_pairs) and the estimates of one mechanism."""

    hits: Array
    estimates: dict[str, float] = field(default_factory=dict)
    statements: set[tuple[str, str, int]] = field(default_factory=set)


def fitted(data: Recorded, annotation: Annotation, mechanism: str, repeats: int) -> Fits:
    """Fit and test HMDR, and estimate the effects."""
    columns = [j for j, c in enumerate(data.concepts) if c.name not in annotation.dropped]
    matrix = annotation.matrix.select_concepts(columns)
    frame = Frame.of(data.preferences, matrix, missing="zero", cluster=None, n_jobs=1)
    problem = Problem.of(frame, mechanism, data.preferences.verdict(mechanism))
    design = build(problem)
    out = Fits(np.full((repeats, data.preferences.n_pairs), np.nan))
    for seed in range(repeats):
        folds = grouped_folds(problem.groups, FOLDS, seed=seed, strata=problem.codes)
        z = chosen_log_odds(trial(design, default_grid(design), folds, seed=seed))
        out.hits[seed, problem.rows] = np.where(z == 0, 0.5, z * problem.y > 0)
    effects = infer(problem.X, problem.y, problem.codes, problem.groups, exists=design.structure)
    support = supported(effects, given_up=len(annotation.dropped))
    for j, name in enumerate(problem.names):
        value = float(effects.shared.value[j])
        if np.isfinite(value):
            out.estimates[name] = value
        if support.shared[j] == Verdict.EVERYWHERE.value:
            out.statements.add((name, "everywhere", int(np.sign(value))))
        for d, domain in enumerate(problem.domains):
            if support.domain[d, j] in (Verdict.HERE.value, Verdict.DIFFERS.value):
                sign = int(np.sign(effects.total.value[d, j]))
                out.statements.add((name, domain, sign))
    return out


def fits_of(data: Recorded, sims: int, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return accuracy and effects of every way."""
    groups = palate.data.splits.groups(data.preferences)
    random = np.random.default_rng(0)
    draws = random.multinomial(
        groups.max() + 1, np.full(groups.max() + 1, 1 / (groups.max() + 1)), size=DRAWS
    )[:, groups].astype(float)
    done: dict[tuple[str, int], dict[str, Fits]] = {}
    for way in WAYS:
        for sim in range(sims):
            if (way.values, sim) not in done:
                whole = None if way.alone else asked(data, way, sim)[0]
                done[way.values, sim] = {
                    m: fitted(data, whole or asked(data, way, sim, mechanisms=(m,))[0], m, repeats)
                    for m in data.mechanisms
                }
        say(way.name)
    out: dict[str, Any] = {}
    for way in WAYS:
        ours = [done[way.values, s] for s in range(sims)]
        theirs = [done[WAYS[0].values, s] for s in range(sims)]
        hits = np.array([[f[m].hits for m in data.mechanisms] for f in ours])
        base = np.array([[f[m].hits for m in data.mechanisms] for f in theirs])
        both = np.isfinite(hits) & np.isfinite(base)
        gain = np.where(both, hits - base, 0.0).mean(axis=(0, 2))  # (mechanisms, pairs)
        n = both.mean(axis=(0, 2))
        drawn = 100 * ((draws @ gain.T) / (draws @ n.T)).mean(axis=1)
        kept, lost, new, correlation = [], [], [], []
        for a, b in zip(ours, theirs, strict=True):
            for m in data.mechanisms:
                mine, other = a[m].statements, b[m].statements
                kept.append(len(mine & other))
                lost.append(len(other - mine))
                new.append(len(mine - other))
                common = sorted(a[m].estimates.keys() & b[m].estimates.keys())
                pairs = [[x[m].estimates[c] for c in common] for x in (a, b)]
                correlation.append(float(stats.spearmanr(*pairs).statistic))
        out[way.name] = {
            "accuracy": float(100 * np.nanmean(hits)),
            "gain": float(100 * (gain.sum(axis=1) / n.sum(axis=1)).mean()),
            "gain_low": float(np.quantile(drawn, 0.05)),
            "gain_high": float(np.quantile(drawn, 0.95)),
            "correlation": float(np.mean(correlation)),
            "kept": float(np.mean(kept)),
            "lost": float(np.mean(lost)),
            "new": float(np.mean(new)),
        }
    return out


def tokens_of(data: Recorded, sims: int) -> dict[str, Any]:
    """Return tokens per pair of every way, means over simulated second orders."""
    n = data.preferences.n_pairs
    out: dict[str, Any] = {}
    for way in WAYS:
        counts, dropped = [], []
        for sim in range(sims):
            for alone in [(m,) for m in data.mechanisms] if way.alone else [data.mechanisms]:
                annotation, count = asked(data, way, sim, mechanisms=alone)
                counts.append(asdict(count))
                dropped.append(len(annotation.dropped))
        mean = {k: float(np.mean([c[k] for c in counts])) / n for k in counts[0]}
        out[way.name] = {**mean, "dropped": float(np.mean(dropped))}
    ends = {}
    for relevant in (0.0, RELEVANT, 1.0):
        _, count = asked(data, WAYS[0], 0, relevant)
        ends[str(relevant)] = count.raw / n
    return {"ways": out, "yardstick": ends, "pairs": n, "call": call_of(data)}


def call_of(data: Recorded) -> dict[str, float]:
    """Return what a call of the default takes: tokens of a call, and of each concept in it."""
    sizes = []
    for part in (1.0, 0.5):
        sent = answered = asked_about = 0
        for i, row in enumerate(data.preferences.pairs.iter_rows(named=True)):
            own = [c for c, a in zip(data.concepts, data.applies[i], strict=True) if a]
            own = [
                replace(c, definition=high_only(c.definition))
                for c in own[: round(part * len(own))]
            ]
            texts = (row["prompt"], row["response_a"], row["response_b"])
            shown = show(row["id"], *texts, max_chars=1_000_000)
            request = compare_request(shown, own, swapped=False, folded=True, reasons=False)
            sent += sum(tokens(m.text) for m in request.messages)
            answers = {f"c{k + 1}": "equal" for k in range(len(own))}
            answered += tokens(json.dumps(answers, separators=(",", ":")))
            asked_about += len(own)
        sizes.append(np.array([sent, answered, asked_about]) / data.preferences.n_pairs)
    whole, half = sizes
    each = (whole - half)[:2] / (whole - half)[2]
    return {
        "concepts": float(whole[2]),
        "sent": float(whole[0] - each[0] * whole[2]),
        "sent_per_concept": float(each[0]),
        "answered": float(whole[1] - each[1] * whole[2]),
        "answered_per_concept": float(each[1]),
    }


def main() -> None:
    """Run or print."""
    from benchmarks.annotation_cost_table import print_tables

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["run", "tokens", "table"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", choices=["demo", "judges"], action="append")
    parser.add_argument("--sims", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    found = json.loads(options.file.read_text()) if options.file.exists() else {}
    if options.what != "table":
        for name in options.data or ["demo", "judges"]:
            data = load(name)
            with threadpool_limits(1):
                part = found.setdefault(name, {})
                part["tokens"] = tokens_of(data, options.sims)
                options.file.write_text(json.dumps(found, indent=1) + "\n")
                if options.what == "run":
                    part["fits"] = fits_of(data, options.sims, options.repeats, print)
            options.file.write_text(json.dumps(found, indent=1) + "\n")
    print_tables(found)


if __name__ == "__main__":
    main()
