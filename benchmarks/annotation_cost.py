"""What each saving of `palate annotate` does to tokens, held-out accuracy and the explanation.

    python -m benchmarks.annotation_cost run OUT.json [--data demo|judges] [--sims 6]
    python -m benchmarks.annotation_cost tokens OUT.json [--data demo|judges]
    python -m benchmarks.annotation_cost table OUT.json

The yardstick is the paper's protocol (`--protocol paper`): a relevance call, then a reason before
each answer, at most 20 concepts a call, both orders of every pair, inconsistent answers 0. `tokens`
counts, `run` fits as well.

Tokens: every request is built by `palate.annotate` itself and answered from the recorded
annotations (`benchmarks/annotation_recorded.py`). The relevance call is taken to keep what differs
and half of the rest; the table also has the two ends, none of the rest and all of it. What wording,
a folded relevance call, missing reasons or several pairs in a call do to the answers themselves
cannot be seen in recordings: rows that change nothing else have the yardstick's values.

Accuracy: of HMDR, penalties chosen by nested cross-validation, on five fixed folds that share no
prompt, mean over judges and simulations (`FEW` of them for rows that are not about orders);
difference from the yardstick on the same pairs, folds and simulated orders, with a bootstrap over
prompts (90 %). Effects: rank correlation of the shared effects with the yardstick's, and statements
(concept, place, sign) kept, lost and new, means over judges and simulations.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from threadpoolctl import threadpool_limits

import palate
from benchmarks.annotation_cost_table import print_tables, shares_of_concepts
from benchmarks.annotation_recorded import (
    Count,
    Recorder,
    both_orders,
    relevance_of,
    rows_of,
    second_orders,
    tokens,
)
from palate.concepts.annotation.annotate import annotate
from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.protocols import PROTOCOLS
from palate.concepts.annotation.questions import pairs_request
from palate.concepts.concept import Concept
from palate.concepts.imported import read_concepts
from palate.data.demo import demo_paths
from palate.data.shown import show
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
FEW = 2  # simulations of the rows that are not about orders
JUDGES = 4  # judges of judges_concepts beside the people, those with most verdicts


@dataclass(frozen=True)
class Way:
    """A way of asking: arguments of `annotate` and of the policy, None for no policy.

    `alone`: every judge is explained on its own, so that the policy looks at one at a time.
    `orders`: "both" are simulated; or the first is the "recorded" one and the second simulated; or
    the first is the "simulated" one and the second recorded, see `annotation_recorded`.
    """

    name: str
    asked: dict[str, Any]
    policy: dict[str, Any] | None = None
    alone: bool = False
    orders: str = "both"
    few: bool = True

    @property
    def values(self) -> str:
        """Ways with the same text give the same values from recordings."""
        orders = self.asked.get("second_order", "always" if self.paper else "audit")
        audit = [self.asked.get("audit_share"), self.asked.get("audit_pairs")]
        return json.dumps(
            [orders, audit if orders == "audit" else None, self.policy, self.alone, self.orders]
        )

    @property
    def paper(self) -> bool:
        """Whether it starts from the paper's protocol."""
        return self.asked.get("protocol") == "paper"


PAPER: dict[str, Any] = {"protocol": "paper"}
SHORT = {**PAPER, "relevance": "folded", "reasons": False}
PILOT = {"half_width": None, "second": False}
STOP = {"pilot": None, "second": False}
WAYS = (
    Way("paper's protocol", PAPER, few=False),
    Way("relevance folded in", {**PAPER, "relevance": "folded"}),
    Way("no reasons", {**PAPER, "reasons": False}),
    Way("relevance folded in, no reasons", SHORT),
    Way("the same, three pairs a call", {**SHORT, "pairs_per_call": 3}),
    Way("one order and audit", {**PAPER, "second_order": "audit"}, few=False),
    Way("all concepts in one call", {**PAPER, "concepts_per_call": 40}),
    Way("definitions: High only", {**PAPER, "definitions": "high"}),
    Way("pilot", PAPER, PILOT),
    Way("pilot, each judge alone", PAPER, PILOT, alone=True),
    Way("adaptive stop", PAPER, STOP),
    Way("default", {}, {}, few=False),
    Way("default, each judge alone", {}, {}, alone=True),
    Way("default, no policy", {}, few=False),
    Way("default, one pair a call", {"pairs_per_call": 1}, {}, few=False),
    Way("default, two pairs a call", {"pairs_per_call": 2}, {}, few=False),
    Way("default, four pairs a call", {"pairs_per_call": 4}, {}, few=False),
    Way("default, definitions: High only", {"definitions": "high"}, {}, few=False),
    Way("default, second order always", {"second_order": "always"}, {"second": False}),
)
BOUNDS = (
    Way("paper's protocol, one order recorded", PAPER, orders="recorded"),
    Way("default, the recorded order asked", {}, {}, orders="recorded"),
    Way("default, the simulated order asked", {}, {}, orders="simulated"),
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
    found = Recorded(name, pairs, matrix.concepts, matrix.values, again.values, names)
    first, second = (np.where(found.applies, v, np.nan) for v in (found.first, found.again))
    return replace(found, first=first, again=second)


def asked(
    data: Recorded,
    way: Way,
    sim: int,
    relevant: float = RELEVANT,
    mechanisms: tuple[str, ...] | None = None,
) -> tuple[Annotation, Count]:
    """Annotate from recordings and count."""
    if way.orders == "both":
        orders = both_orders(data.first, data.again, seed=sim)
    else:
        orders = data.first, second_orders(data.first, data.again, seed=sim)
        if way.orders == "simulated":
            orders = orders[1], orders[0]
    keep = relevance_of(*orders, relevant, seed=sim)
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
    """Held-out hits (n_pairs,) and the estimates of one mechanism."""

    hits: Array
    estimates: dict[str, float] = field(default_factory=dict)
    statements: set[tuple[str, str, int]] = field(default_factory=set)


def fitted(data: Recorded, annotation: Annotation, mechanism: str) -> Fits:
    """Fit and test HMDR, and estimate the effects."""
    columns = [j for j, c in enumerate(data.concepts) if c.name not in annotation.dropped]
    matrix = annotation.matrix.select_concepts(columns)
    frame = Frame.of(data.preferences, matrix, missing="zero", cluster=None, n_jobs=1)
    problem = Problem.of(frame, mechanism, data.preferences.verdict(mechanism))
    design = build(problem)
    out = Fits(np.full(data.preferences.n_pairs, np.nan))
    folds = grouped_folds(problem.groups, FOLDS, seed=0, strata=problem.codes)
    z = chosen_log_odds(trial(design, default_grid(design), folds, seed=0))
    out.hits[problem.rows] = np.where(z == 0, 0.5, z * problem.y > 0)
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


def fits_of(data: Recorded, sims: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return accuracy and effects of every way."""
    groups = palate.data.splits.groups(data.preferences)
    random = np.random.default_rng(0)
    draws = random.multinomial(
        groups.max() + 1, np.full(groups.max() + 1, 1 / (groups.max() + 1)), size=DRAWS
    )[:, groups].astype(float)
    done: dict[tuple[str, int], dict[str, Fits]] = {}
    out: dict[str, Any] = {}
    for way in WAYS + BOUNDS:
        n_sims = min(sims, FEW) if way.few else sims
        for sim in range(n_sims):
            if (way.values, sim) not in done:
                whole = None if way.alone else asked(data, way, sim)[0]
                done[way.values, sim] = {
                    m: fitted(data, whole or asked(data, way, sim, mechanisms=(m,))[0], m)
                    for m in data.mechanisms
                }
        yardstick = WAYS[0] if way.orders == "both" else BOUNDS[0]
        ours = [done[way.values, s] for s in range(n_sims)]
        theirs = [done[yardstick.values, s] for s in range(n_sims)]
        out[way.name] = compared(data, ours, theirs, draws)
        say(f"{way.name}: {out[way.name]}")
    return out


def compared(
    data: Recorded, ours: list[dict[str, Fits]], theirs: list[dict[str, Fits]], draws: Array
) -> dict[str, Any]:
    """Return accuracy and effects of a way beside the yardstick's of the same simulations."""
    hits, base = (
        np.array([[f[m].hits for m in data.mechanisms] for f in x]) for x in (ours, theirs)
    )
    known = np.isfinite(base)
    gain = np.where(known, hits - base, 0.0)  # (simulations, mechanisms, pairs)
    n = known[0].astype(float)
    drawn = 100 * ((draws @ gain.mean(axis=0).T) / (draws @ n.T)).mean(axis=1)
    each = 100 * (gain.sum(axis=2) / n.sum(axis=1)).mean(axis=1)
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
    return {
        "accuracy": float(100 * np.nanmean(hits)),
        "gain": float(each.mean()),
        "gain_low": float(np.quantile(drawn, 0.05)),
        "gain_high": float(np.quantile(drawn, 0.95)),
        "by_simulation": np.round(each, 2).tolist(),
        "correlation": float(np.mean(correlation)),
        "kept": float(np.mean(kept)),
        "lost": float(np.mean(lost)),
        "new": float(np.mean(new)),
    }


def tokens_of(data: Recorded) -> dict[str, Any]:
    """Return tokens per pair of every way, in the first simulation."""
    n = data.preferences.n_pairs
    out: dict[str, Any] = {}
    for way in WAYS:
        counts = []
        for alone in [(m,) for m in data.mechanisms] if way.alone else [data.mechanisms]:
            annotation, count = asked(data, way, 0, mechanisms=alone)
            counts.append({**asdict(count), "dropped": n * len(annotation.dropped)})
        out[way.name] = {k: float(np.mean([c[k] for c in counts])) / n for k in counts[0]}
    ends = {str(r): asked(data, WAYS[0], 0, r)[1].raw / n for r in (0.0, RELEVANT, 1.0)}
    call = {str(share): call_of(data, share) for share in sorted({1.0, *shares_of_concepts()})}
    return {"ways": out, "yardstick": ends, "pairs": n, "call": call}


def call_of(data: Recorded, share: float) -> dict[str, float]:
    """Return what a call of the default takes that asks about a share of the concepts.

    Tokens of the system message, and where these are enough for a prefix cache; of the rest by
    pair; and of the answers by pair.
    """
    size = PROTOCOLS["lean"].pairs_per_call
    domains = np.array(data.preferences.pairs["domain"])
    rows = list(data.preferences.pairs.iter_rows(named=True))
    found = []
    for domain in np.unique(domains):
        here = np.flatnonzero(domains == domain)
        own = [c for c, a in zip(data.concepts, data.applies[here[0]], strict=True) if a]
        own = own[: round(share * len(own))]
        answer = {f"c{k + 1}": "equal" for k in range(len(own))}
        for k in range(0, here.size - size + 1, size):
            pairs = []
            for i in here[k : k + size].tolist():
                texts = (rows[i]["prompt"], rows[i]["response_a"], rows[i]["response_b"])
                pairs.append((show(rows[i]["id"], *texts, max_chars=1_000_000), False))
            system, user = (m.text for m in pairs_request(pairs, own, folded=True).messages)
            whole = json.dumps({f"p{i + 1}": answer for i in range(size)}, separators=(",", ":"))
            n = tokens(system)
            found.append([n, n * (n >= Recorder.least_prefix), tokens(user), tokens(whole)])
    system, prefix, user, answered = np.mean(found, axis=0).tolist()
    return {"system": system, "prefix": prefix, "user": user / size, "answered": answered / size}


def main() -> None:
    """Run or print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["run", "tokens", "table"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", choices=["demo", "judges"], action="append")
    parser.add_argument("--sims", type=int, default=6)
    options = parser.parse_args()
    say = partial(print, flush=True)
    found = json.loads(options.file.read_text()) if options.file.exists() else {}
    if options.what != "table":
        for name in options.data or ["demo", "judges"]:
            data = load(name)
            with threadpool_limits(1):
                part = found.setdefault(name, {})
                part["tokens"] = tokens_of(data)
                options.file.write_text(json.dumps(found, indent=1) + "\n")
                if options.what == "run":
                    part["fits"] = fits_of(data, options.sims, say)
            options.file.write_text(json.dumps(found, indent=1) + "\n")
    print_tables(found)


if __name__ == "__main__":
    main()
