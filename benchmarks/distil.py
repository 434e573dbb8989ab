"""What can be distilled from a few hundred annotated pairs, and what it does to explanations.

    python -m benchmarks.distil [--data ../shared/data] [--parts table curve explain speed]

Two sets: the demo set (240 pairs, 28 concepts, five LLM judges) and the annotated pairs of
judges_concepts (453 pairs, 30 concepts, people), where present. Every soft value is held out by
prompt; penalties, relevance and calibration are chosen inside the training folds.

1. table: the student's table. Beside it, held out in the same folds, the best single measured
   concept (chosen and scaled on the training folds); saying the majority's sign or 0 holds nothing.
2. curve: 60, 120, 240 pairs, drawn three times. "Table" is what the student says of itself, "rest"
   what it does on the annotated pairs that it was not given.
3. explain: held-out accuracy with the LLM's values, with those of the distilled concepts alone, and
   with soft values in their place; effects and supported statements compared concept by concept.
4. speed: pairs per CPU second, one process, and the largest memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

import palate
from palate.concepts.imported import read_concepts
from palate.concepts.matrix import ConceptMatrix
from palate.data.demo import demo_paths
from palate.data.preferences import Preferences
from palate.data.splits import grouped_folds, groups
from palate.distil import Student, distil
from palate.explanations.explanation import Explanation
from palate.inference.discoveries import Verdict

SIZES, DRAWS = (60, 120, 240), 3


class Set(NamedTuple):
    """Annotated pairs: name, pairs, values, second annotations, mechanisms to explain."""

    name: str
    pairs: Preferences
    values: ConceptMatrix
    again: ConceptMatrix
    mechanisms: tuple[str, ...]


def sets(data: Path) -> list[Set]:
    """Return the sets that are there."""
    demo = demo_paths()
    files = [("demo", demo.pairs, demo.concepts, demo.values)]
    if (data / "judges_concepts.json").exists():
        judges = ("judges.jsonl.gz", "judges_concepts.json", "judges_concepts.jsonl.gz")
        files.append(("judges_concepts", *(data / name for name in judges)))
    found = []
    for name, pairs_file, concepts, values in files:
        pairs = palate.read(pairs_file)
        matrix = read_concepts(concepts, values).align(pairs.ids)
        pairs = pairs.select(np.flatnonzero(np.isfinite(matrix.values).any(axis=1)))
        matrix = matrix.align(pairs.ids).masked(pairs.pairs["domain"].to_list())
        mechanisms = pairs.mechanisms if name == "demo" else ("human",)
        again = read_concepts(concepts, values, again=True)
        found.append(Set(name, pairs, matrix, again, mechanisms))
    return found


def single_measure(this: Set) -> dict[str, float]:
    """Return the reliability of the best single measured concept, held out, by concept."""
    X = np.tanh(palate.measure(this.pairs, n_jobs=1).filled(missing="zero"))
    domains = this.pairs.pairs["domain"].to_list()
    folds = grouped_folds(groups(this.pairs), 5, seed=0, strata=domains)
    found = {}
    for j, concept in enumerate(this.values.concepts):
        own = np.isin(domains, concept.domains or this.pairs.domains)
        y, held = this.values.values[:, j], np.zeros(len(domains))
        for f in range(5):
            train, test = own & (folds != f), own & (folds == f)
            along, size = X[train].T @ y[train], (X[train] ** 2).sum(axis=0) + 1e-9
            best = int(np.argmax(along**2 / size))
            held[test] = X[test, best] * along[best] / size[best]
        norm = np.sqrt((held[own] ** 2).sum() * (y[own] ** 2).sum())
        found[concept.name] = max(float(held[own] @ y[own] / norm), 0.0) ** 2 if norm > 0 else 0.0
    return found


def table(this: Set) -> None:
    """Print what can be distilled, for both kinds of features."""
    alone = single_measure(this)
    text = distil(this.pairs, this.values, again=this.again, n_jobs=1)
    fast = distil(this.pairs, this.values, features="tfidf", n_jobs=1)
    held = dict(zip(fast.table["concept"], fast.table["reliability"], strict=True))
    print(f"\n## {this.name}: {text}; tfidf: {len(fast.concepts)}")
    print(
        "concept | pairs | not 0 | right sign | AUC | kappa | correlation | held % (90 %) "
        "| calibration | attenuation | LLM twice | tfidf held % | one measure % | verdict"
    )
    for r in text.table.sort("reliability", descending=True, nulls_last=True).to_dicts():
        if r["reliability"] is None:
            print(f"{r['concept']} | {r['n_pairs']} | {r['n_nonzero']} | left: {r['reason']}")
            continue
        cells = [r["concept"], r["n_pairs"], r["n_nonzero"], f"{100 * r['sign_agreement']:.0f}"]
        cells += [_two(r[k]) for k in ("auc", "kappa", "correlation")]
        cells.append(f"{100 * r['reliability']:.0f} ({100 * r['low']:.0f}-{100 * r['high']:.0f})")
        cells += [_two(r[k]) for k in ("calibration", "attenuation", "llm_reliability")]
        cells += [f"{100 * (held[r['concept']] or 0):.0f}", f"{100 * alone[r['concept']]:.0f}"]
        print(*cells, r["verdict"], sep=" | ")
    known = [r for r in text.table.to_dicts() if r["reliability"] is not None]
    for label, values in (
        ("text", [r["reliability"] for r in known]),
        ("tfidf", [held[r["concept"]] or 0.0 for r in known]),
        ("one measure", [alone[r["concept"]] for r in known]),
    ):
        over = sum(v >= 0.4 for v in values)
        print(f"{label}: {over} of {len(known)} hold 40 %; median {100 * np.median(values):.0f} %")
    domains = this.pairs.pairs["domain"].to_list()
    for label, student in (("text", text), ("tfidf", fast)):
        soft = student.annotate(this.pairs, n_jobs=1)
        given = this.values.align(soft.ids).masked(domains)
        truth = np.stack([given.column(n) for n in soft.names], axis=1)
        bins = np.digitize(np.abs(soft.values), (0.1, 0.3, 0.5, 0.7, 0.9)).ravel()
        side = (np.sign(soft.values) * truth).ravel()
        rows = [
            f"{np.abs(soft.values).ravel()[bins == b].mean():.2f}: {side[bins == b].mean():.2f}"
            for b in range(6)
            if (bins == b).sum() >= 20
        ]
        print(f"{label}, mean soft value: mean of the LLM's on that side:", ", ".join(rows))


def curve(this: Set) -> None:
    """Print how much is learned from how many pairs."""
    n = this.pairs.n_pairs
    group = groups(this.pairs)
    print(f"\n## {this.name}: learning curve (common concepts: not 0 on 20 % of the pairs)")
    common = [
        c.name
        for c in this.values.concepts
        if c.domains is None and (this.values.column(c.name) != 0).mean() >= 0.2
    ]
    for size in [s for s in SIZES if s < n] + [n]:
        said, rest, done = [], [], []
        for draw in range(DRAWS if size < n else 1):
            order = np.random.default_rng(draw).permutation(np.unique(group))
            rank = np.argsort(order)[group]
            part = np.sort(np.argsort(rank, kind="stable")[:size])
            student = distil(this.pairs.select(part), this.values, least=0.0, n_jobs=1)
            held = dict(zip(student.table["concept"], student.table["reliability"], strict=True))
            done.append(sum((held[c.name] or 0.0) >= 0.4 for c in this.values.concepts))
            said += [held[c] or 0.0 for c in common]
            others = np.setdiff1d(np.arange(n), np.flatnonzero(np.isin(group, group[part])))
            if others.size >= 50:
                new = this.pairs.select(others)
                soft = student.annotate(new, n_jobs=1)
                truth = this.values.align(new.ids)
                rest += [_held(soft, truth, c) if c in soft.names else 0.0 for c in common]
        print(
            f"{size} pairs: {np.mean(done):.1f} of {this.values.n_concepts} distilled; common "
            f"concepts hold {100 * np.mean(said):.0f} % (table)"
            + (f", {100 * np.mean(rest):.0f} % (rest)" if rest else "")
        )


def explain(this: Set) -> None:
    """Print what soft values do to the explanations."""
    student = distil(this.pairs, this.values, again=this.again, n_jobs=1)
    loose = distil(this.pairs, this.values, least=0.0, n_jobs=1)
    soft = student.annotate(this.pairs, n_jobs=1)
    own = [this.values.names.index(n) for n in soft.names]
    others = [j for j in range(this.values.n_concepts) if j not in own]
    arms = {
        "LLM, all": this.values,
        "LLM, distilled concepts": this.values.select_concepts(own),
        "soft, distilled concepts": soft,
        "soft, and LLM for what is left": soft.beside(this.values.select_concepts(others)),
        "soft, whatever it holds": loose.annotate(this.pairs, n_jobs=1),
        "measured concepts": palate.measure(this.pairs, n_jobs=1),
    }
    print(f"\n## {this.name}: explanations, {len(own)} distilled concepts")
    for mechanism in this.mechanisms:
        found: dict[str, Explanation] = {}
        print(f"\n{mechanism}")
        for arm, matrix in arms.items():
            found[arm] = palate.explain(
                this.pairs, matrix, mechanism=mechanism, n_bootstrap=2, n_jobs=1
            )
            scores = found[arm].scores.filter(setting="in domain", domain="(mean)")
            row = scores.filter(model="HMDR").row(0, named=True)
            print(
                f"  {arm} ({matrix.n_concepts}): {100 * row['accuracy']:.1f} % "
                f"({100 * row['accuracy_low']:.0f} to {100 * row['accuracy_high']:.0f})"
            )
        baselines = scores.filter(pl.col("model").is_in(["majority", "longer response"]))
        print(
            "  "
            + ", ".join(f"{r['model']} {100 * r['accuracy']:.1f} %" for r in baselines.to_dicts())
        )
        for one, two, what in (
            ("LLM, distilled concepts", "soft, distilled concepts", "on the distilled concepts"),
            ("LLM, all", "soft, and LLM for what is left", "on all"),
        ):
            print(f"  {what}: {_compared(found[one], found[two])}")


def _compared(one: Explanation, two: Explanation) -> str:
    names = [n for n in one.concepts.names if n in two.concepts.names]
    i = [one.concepts.names.index(n) for n in names]
    j = [two.concepts.names.index(n) for n in names]
    a, b = one.shared.estimate[i], two.shared.estimate[j]
    both = np.isfinite(a) & np.isfinite(b)
    rank = float(spearmanr(a[both], b[both]).statistic)
    slope = float(a[both] @ b[both] / (a[both] @ a[both]))
    statements = [_statements(e, k, names) for e, k in ((one, i), (two, j))]
    kept = statements[0] & statements[1]
    return (
        f"rank correlation of shared effects {rank:.2f}, slope {slope:.2f}; supported statements "
        f"{len(kept)} kept, {len(statements[0] - kept)} lost, {len(statements[1] - kept)} new"
    )


def _statements(e: Explanation, columns: list[int], names: list[str]) -> set[Any]:
    """Return supported statements: where, concept, sign."""
    found = set()
    for where, band, word in (
        ("shared", e.shared, Verdict.EVERYWHERE),
        ("total", e.total, Verdict.HERE),
        ("domain", e.domain, Verdict.DIFFERS),
    ):
        for name, j in zip(names, columns, strict=True):
            said = np.atleast_1d(band.verdict[..., j])
            sign = np.sign(np.atleast_1d(band.estimate[..., j]))
            found |= {
                (where, d, name, s)
                for d, (v, s) in enumerate(zip(said, sign, strict=True))
                if str(v) == word.value
            }
    return found


def speed(this: Set) -> None:
    """Print how fast a student annotates."""
    print(f"\n## {this.name}: speed, one process, one thread")
    for kind in ("text", "tfidf"):
        student: Student = distil(this.pairs, this.values, features=kind, n_jobs=1)  # type: ignore[arg-type]
        for times in (4, 16):
            rows = [
                dict(r, id=f"{r['id']}#{k}", prompt=f"{k} {r['prompt']}")
                for k in range(times)
                for r in this.pairs.to_rows()
            ]
            many = Preferences.from_rows(rows)
            start = time.process_time()
            for _ in student.blocks(many, n_jobs=1):
                pass
            used = time.process_time() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{kind}: {many.n_pairs:,} pairs in {used:.1f} CPU s, "
                f"{many.n_pairs / used:,.0f} a second; peak {peak:,.0f} MB"
            )


def _held(soft: ConceptMatrix, truth: ConceptMatrix, name: str) -> float:
    x, y = soft.column(name), truth.column(name)
    norm = float((x @ x) * (y @ y))
    return max(float(x @ y), 0.0) ** 2 / norm if norm > 0 else 0.0


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


PARTS = {"table": table, "curve": curve, "explain": explain, "speed": speed}


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    options = parser.parse_args()
    with threadpool_limits(1):
        for this in sets(options.data):
            for part in options.parts:
                PARTS[part](this)


if __name__ == "__main__":
    main()
