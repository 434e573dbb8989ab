"""Do plans hold? Studies of the planned size are made, and what is found in them is counted.

    python -m benchmarks.plan run --out FILE [--rows PATTERN ...] [--pilots 40] [--studies 10]
    python -m benchmarks.plan table FILE

Concept values are real: measured ones of LLMBar (13 domains) and PandaLM (8), 30 of them chosen at
random, annotated ones of the demo set (28 concepts, 8 domains) and of LLMBar (30, 8); rows are drawn
with replacement within domains. True effects: those that `infer` finds in the real verdicts of
people (posterior means; of the demo set, of its mechanism `checker`), so many and small ones; or
none at all (`null`).

Pilot: a few hundred pairs, domains in the shares of the real data, verdicts from the true effects;
`repeated`: prompts of 1 to 20 pairs, as `benchmarks/inference_worlds.py` makes them. A plan is made
from the pilot. Then for a concept chosen at random among those with a plan between 20 and 400 pairs
per domain, data of just the planned size are drawn with the planted effect, of either sign, in place
of its own: the same in all domains ("shared"); in one domain and absent elsewhere ("one domain"); the
same elsewhere and absent in one ("difference"). Found: the explanation says what was planted, with
its sign: "supported everywhere"; "supported" or "differs in this domain"; "differs in this domain".

Sizes: the same is done at .8 and 1.25 times the planned size. The size that would have given the
promised power is that at which the line through the three powers, on the probit scale and against
the root of the size, reaches it.

Textbook, in the same table, at the power and the p-value of Palate's plan (and at .05, as is usual):
one proportion, (z + z')^2 / (lift / 100)^2 pairs on which the concept differs; one logistic
coefficient, (z + z')^2 / (w^2 mean x^2 / 4) pairs (Hsieh 1989), both without the other concepts.
Shown as the pairs they give over those of the plan. Errors are Monte-Carlo errors over pilots.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.special import expit
from threadpoolctl import threadpool_limits

import palate
from benchmarks.inference_worlds import (
    COPULA,
    DATA,
    Array,
    Population,
    _layout,
    _share_within,
    population_of,
)
from palate.concepts.imported import read_concepts
from palate.data.demo import demo_paths
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import infer
from palate.inference.power import Planner
from palate.inference.study import Study

POWER, FDR = 0.8, 0.1
FEWEST, MOST = 20, 400
SIZES = (0.8, 1.0, 1.25)
TARGETS = ("shared", "domain", "difference")


class Row(NamedTuple):
    """A row of the table."""

    design: str
    effects: str
    prompts: str
    n_pilot: int
    lift: int
    target: str

    @property
    def name(self) -> str:
        """The name of the row."""
        return "-".join(map(str, self))


ROWS = tuple(
    Row(design, effects, prompts, n, 30 if target == "shared" else 50, target)
    for design, effects, prompts, n in (
        ("demo", "real", "single", 400),
        ("annotated", "real", "single", 400),
        ("annotated", "null", "single", 400),
        ("pandalm", "real", "single", 400),
        ("pandalm", "real", "repeated", 600),
        ("judges", "real", "single", 500),
    )
    for target in TARGETS
)


def true_effects(design: str) -> Array:
    """Return the posterior means of the effects on the real verdicts, shape (D + 1, C)."""
    population, y = population_of(design), _verdicts(design)
    used = np.isfinite(y) & (y != 0)
    if used.sum() != used.size:
        used = np.flatnonzero(used)
    X, codes = population.values[used], population.codes[used]
    found = infer(X, y[used], codes, np.arange(len(X)), exists=population.exists)
    out = np.zeros(population.exists.shape)
    p = found.linear.posterior
    out[0, p.shared] = p.mean
    for d, b in enumerate(p.blocks):
        out[1 + d, b.own] = b.mean
    return out


def _verdicts(design: str) -> Array:
    """Return the verdicts on the rows of a population."""
    if design == "demo":
        pairs, paths = palate.load_demo(), demo_paths()
        matrix = read_concepts(paths.concepts, paths.values).align(pairs.ids)
        name = "checker"
    elif design == "annotated":
        pairs = palate.read(DATA / "judges.jsonl.gz")
        matrix = read_concepts(DATA / "judges_concepts.json", DATA / "judges_concepts.jsonl.gz")
        matrix = matrix.align(pairs.ids)
        name = "human"
    else:
        pairs = palate.read(DATA / f"{design}.jsonl.gz")
        return np.asarray(pairs.verdict("human"))
    return np.asarray(pairs.verdict(name))[np.isfinite(matrix.values).any(axis=1)]


class World:
    """Values to draw from, true effects, and how prompts repeat."""

    def __init__(self, row: Row, random: np.random.Generator, effects: Array) -> None:
        """Choose 30 concepts where there are more."""
        population = population_of(row.design)
        C = population.values.shape[1]
        columns = np.arange(C)
        if C > 40:
            often = np.flatnonzero((population.values != 0).mean(axis=0) >= 0.05)
            columns = np.sort(random.choice(often, size=30, replace=False))
        self.population = Population(
            population.values[:, columns], population.codes, population.exists[:, columns]
        )
        self.effects = effects[:, columns] * (row.effects == "real")
        self.prompts, self.random = row.prompts, random
        self.places = [
            np.flatnonzero(population.codes == d) for d in range(population.codes.max() + 1)
        ]

    def draw(self, sizes: list[int], effects: Array) -> tuple[Array, Array, Any, Any]:
        """Return values, verdicts, domains and prompts of a study."""
        p, random = self.population, self.random
        codes, groups = _layout(sizes, self.prompts, random)
        rows = np.concatenate(
            [random.choice(place, n) for place, n in zip(self.places, sizes, strict=True)]
        )
        X = _share_within(p.values[rows], groups, random)
        own = np.where(p.exists[0], effects[0], 0.0) + np.where(p.exists[1:], effects[1:], 0.0)
        chance = expit(np.einsum("ij,ij->i", X, own[codes]))
        shared = random.standard_normal(groups.max() + 1)[groups]
        noise = np.sqrt(COPULA) * shared + np.sqrt(1 - COPULA) * random.standard_normal(len(X))
        y = np.where(stats.norm.cdf(noise) < chance, 1.0, -1.0)
        return X, y, codes, groups


def planted(world: World, target: str, d: int, j: int, size: float) -> Array:
    """Return the true effects with one planted in place of what the concept has."""
    effects = world.effects.copy()
    effects[:, j] = 0.0
    if target == "domain":
        effects[1 + d, j] = size
    else:
        effects[0, j] = size
        effects[1 + d, j] = -size if target == "difference" else 0.0
    return effects


def is_found(world: World, target: str, d: int, j: int, effects: Array, sizes: list[int]) -> bool:
    """Make one study and say whether it finds what was planted."""
    X, y, codes, groups = world.draw(sizes, effects)
    found = infer(X, y, codes, groups, exists=world.population.exists)
    support = supported(found, fdr=FDR)
    sign = np.sign(effects[:, j][np.flatnonzero(effects[:, j])[0]])
    if target == "shared":
        return bool(support.shared[j] == Verdict.EVERYWHERE and found.shared.value[j] * sign > 0)
    said = support.domain[d, j]
    if target == "difference":
        return bool(said == Verdict.DIFFERS and found.deviation.value[d, j] * sign < 0)
    right = found.total.value[d, j] * sign > 0
    return bool(said in (Verdict.HERE, Verdict.DIFFERS) and right)


def textbook(world: World, target: str, d: int, j: int, theta: float, p_value: float) -> list[float]:
    """Return pairs per domain: one proportion, one logistic coefficient, at p and both at .05."""
    values = world.population.values
    x = values[:, j] if target == "shared" else values[world.places[d], j]
    lift = np.tanh(theta / 2.0)
    out = []
    for p in (p_value, 0.05):
        z = float(stats.norm.isf(p / 2.0) + stats.norm.ppf(POWER)) ** 2
        n = [z / lift**2 / (x != 0).mean(), z / (theta**2 * (x**2).mean() / 4.0)]
        factor = {"shared": 1 / len(world.places), "domain": 1.0, "difference": 1.0}[target]
        if target == "difference":
            factor += 1.0 / (len(world.places) - 1)
        out += [v * factor for v in n]
    return out


def run(out: Path, rows: list[Row], pilots: int, studies: int) -> None:
    """Append one line per pilot to FILE; what is there already is not made again."""
    done = set()
    if out.exists():
        lines = [json.loads(x) for x in out.read_text(encoding="utf-8").splitlines()]
        done = {(x["row"], x["pilot"]) for x in lines}
    effects = {design: true_effects(design) for design in {row.design for row in rows}}
    for pilot in range(pilots):
        for row in rows:
            if (row.name, pilot) in done:
                continue
            line = one_pilot(row, pilot, studies, effects[row.design])
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"row": row.name, "pilot": pilot} | line) + "\n")


def one_pilot(row: Row, pilot: int, studies: int, effects: Array) -> dict[str, Any]:
    """Make a pilot, a plan and studies of the planned size."""
    random = np.random.default_rng([zlib.crc32(row.name.encode()), pilot])
    world = World(row, random, effects)
    share = np.array([p.size for p in world.places]) / world.population.codes.size
    sizes = np.maximum(np.round(share * row.n_pilot), 8).astype(int)
    X, y, codes, groups = world.draw(sizes.tolist(), world.effects)
    found = infer(X, y, codes, groups, exists=world.population.exists)
    planner = Planner(Study(found, sizes.astype(float)), fdr=FDR, seed=pilot)
    theta = 2.0 * float(np.arctanh(row.lift / 100.0))
    power = planner.pairs(theta, POWER)
    needed = {
        "shared": power.total[:1],
        "domain": power.total[1:],
        "difference": power.deviation[1:],
    }[row.target]
    fit = np.argwhere((needed >= FEWEST) & (needed <= MOST))
    hits = {str(size): [0, 0] for size in SIZES}
    ratios, planned = [], []
    for k in range(studies if fit.size else 0):
        d, j = fit[random.integers(len(fit))]
        n = float(needed[d, j])
        level = FDR * planner.chosen(n)[j] / planner.n_tested / 2.0
        level /= 1.0 if row.target == "shared" else planner.K[j]
        planned.append(n)
        ratios.append([v / n for v in textbook(world, row.target, d, j, theta, level)])
        truth = planted(world, row.target, d, j, random.choice([-1.0, 1.0]) * theta)
        for size in SIZES:
            study = [int(np.ceil(n * size))] * len(world.places)
            hits[str(size)][0] += is_found(world, row.target, d, j, truth, study)
            hits[str(size)][1] += 1
    return {"hits": hits, "planned": planned, "textbook": ratios, "rows": int(needed.size)}


def table(path: Path) -> str:
    """Return the table in Markdown."""
    lines = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()]
    head = (
        "concepts", "true effects", "prompts", "pilot, pairs", "planted", "lift, %",
        "planned, pairs per domain (median)", "studies", "power promised", "power reached",
        "at .8 x", "at 1.25 x", "needed / planned",
        "one proportion / planned", "one coefficient / planned", "the two at p < .05",
    )  # fmt: skip
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in ROWS:
        mine = [x for x in lines if x["row"] == row.name and x["planned"]]
        if not mine:
            continue
        rates = {s: np.array([x["hits"][str(s)] for x in mine], dtype=float) for s in SIZES}
        cells = {s: _rate(r) for s, r in rates.items()}
        curve = {s: (lambda pick, r=r: float(r[pick, 0].sum() / r[pick, 1].sum())) for s, r in rates.items()}
        ratio = _needed(*(curve[s](np.arange(len(mine))) for s in SIZES))
        random = np.random.default_rng(0)
        draws = []
        for _ in range(200):
            pick = random.integers(len(mine), size=len(mine))
            draws.append(_needed(*(curve[s](pick) for s in SIZES)))
        text = np.concatenate([np.array(x["textbook"]) for x in mine])
        planned = np.concatenate([x["planned"] for x in mine])
        medians = np.median(text, axis=0)
        out.append(
            f"| {row.design} | {row.effects} | {row.prompts} | {row.n_pilot} | {row.target} | "
            f"{row.lift} | {np.median(planned):.0f} | {planned.size} | {POWER:.2f} | {cells[1.0]} | "
            f"{cells[0.8]} | {cells[1.25]} | {ratio:.2f} ± {np.std(draws):.2f} | {medians[0]:.2f} | "
            f"{medians[1]:.2f} | {medians[2]:.2f}, {medians[3]:.2f} |"
        )
    return "\n".join(out)


def _rate(found: Array) -> str:
    rate = found[:, 0].sum() / found[:, 1].sum()
    by_pilot = found[:, 0] / found[:, 1]
    return f"{rate:.3f} ± {by_pilot.std(ddof=1) / np.sqrt(len(by_pilot)):.3f}"


def _needed(*power: float) -> float:
    """Return the size relative to the planned one at which the power is as promised."""
    z = stats.norm.ppf(np.clip(power, 0.005, 0.995))
    slope, start = np.polyfit(np.sqrt(SIZES), z, 1)
    return float(((stats.norm.ppf(POWER) - start) / max(slope, 0.1)) ** 2)


def main() -> None:
    """Run the benchmark or print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", nargs="*", default=["*"])
    parser.add_argument("--pilots", type=int, default=40)
    parser.add_argument("--studies", type=int, default=10)
    options = parser.parse_args()
    path = options.file or options.out
    if path is None:
        parser.error("a file is needed")
    if options.what == "run":
        chosen = [r for r in ROWS if any(fnmatch.fnmatch(r.name, p) for p in options.rows)]
        with threadpool_limits(1):
            run(path, chosen, options.pilots, options.studies)
    print(table(path))


if __name__ == "__main__":
    main()
