"""Do plans hold? Studies of the planned size are made, and what is found in them is counted.

    python -m benchmarks.plan run --out FILE [--rows PATTERN ...] [--pilots 20] [--studies 20]
    python -m benchmarks.plan table FILE

Concept values are real: measured ones of LLMBar (13 domains) and PandaLM (8), 30 of them chosen at
random; annotated ones of the demo set (28 concepts, 8 domains) and of LLMBar (30, 8). Rows are
drawn with replacement within domains. True effects: those that `infer` finds in the real verdicts
(posterior means; of people, and of the mechanism `checker` of the demo set); or none (`null`).

Pilot: a few hundred pairs, domains in the shares of the real data, verdicts from the true effects;
`repeated`: prompts of 1 to 20 pairs, as `benchmarks/inference_worlds.py` makes them. A plan is made
from the pilot. Then for a concept chosen at random among those that differ on 20 % of the real
pairs of the domain (for a shared effect: of all), data of just the planned size are drawn with the
planted effect, of either sign, in place of its own: the same in all domains ("shared"); in one
domain and absent elsewhere ("domain"); the same elsewhere and absent in one ("difference"). Found:
the explanation says what was planted, with its sign: "supported everywhere"; "supported in this
domain" or "differs in this domain"; "differs in this domain". Plans above 500 pairs per domain cost
too much to be followed; how many were drawn is in the table.

Needed / planned: the size that would have given the promised power, over the planned one: the
effect is found if a normal number of mean a sqrt(size) exceeds the threshold t of the plan, so
((t + z(promised)) / (t + z(reached)))^2.

Textbook, in the same table, at the power and the p-value of Palate's plan (and at .05, as is
usual): one proportion, (z + z')^2 / (lift / 100)^2 pairs on which the concept differs; one logistic
coefficient, (z + z')^2 / (w^2 mean x^2 / 4) pairs (Hsieh 1989), both without the other concepts.
Shown as the pairs they give over those of the plan, and the power that is reached with the pairs of
the formula for one coefficient. Errors are Monte-Carlo errors over pilots.
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
MOST = 500
OFTEN = 0.2
TARGETS = ("shared", "domain", "difference")


class Row(NamedTuple):
    """A row of the table."""

    design: str
    effects: str
    prompts: str
    n_pilot: int
    lift: int
    lift_domain: int

    @property
    def name(self) -> str:
        """The name of the row."""
        return "-".join(map(str, self))


ROWS = (
    Row("demo", "real", "single", 400, 40, 75),
    Row("annotated", "real", "single", 400, 60, 85),
    Row("annotated", "null", "single", 400, 30, 60),
    Row("pandalm", "real", "single", 400, 40, 75),
    Row("pandalm", "real", "repeated", 600, 50, 80),
    Row("judges", "real", "single", 500, 30, 60),
)


def true_effects(design: str) -> Array:
    """Return the posterior means of the effects on the real verdicts, shape (D + 1, C)."""
    population, y = population_of(design), _verdicts(design)
    used = np.isfinite(y) & (y != 0)
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

    def often(self, target: str) -> Any:
        """Return which concepts differ often enough to be planted, by domain or (1, C)."""
        differs = self.population.values != 0
        if target == "shared":
            return (differs.mean(axis=0) >= OFTEN)[None]
        return np.array([differs[place].mean(axis=0) >= OFTEN for place in self.places])

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


def textbook(
    world: World, target: str, d: int, j: int, theta: float, p_value: float
) -> list[float]:
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
    out = {}
    for target in TARGETS:
        lift = row.lift if target == "shared" else row.lift_domain
        theta = 2.0 * float(np.arctanh(lift / 100.0))
        power = planner.pairs(theta, POWER)
        needed = {
            "shared": power.total[:1],
            "domain": power.total[1:],
            "difference": power.deviation[1:],
        }[target]
        there = world.population.exists[0] if target != "domain" else True
        often = world.often(target) & there & np.isfinite(needed)
        fit = np.argwhere(often)
        lines, left_out = [], 0
        for d, j in fit[random.integers(len(fit), size=studies)]:
            n = float(needed[d, j])
            if n > MOST:
                left_out += 1
                continue
            level = FDR * planner.chosen(n)[j] / planner.n_tested / 2.0
            level /= 1.0 if target == "shared" else planner.K[j]
            book = textbook(world, target, d, j, theta, level)
            truth = planted(world, target, d, j, random.choice([-1.0, 1.0]) * theta)
            found_at = [
                is_found(world, target, d, j, truth, [int(np.ceil(size))] * len(world.places))
                for size in (n, book[1])
            ]
            lines.append([n, level, *found_at, *(b / n for b in book)])
        out[target] = {"studies": lines, "left_out": left_out}
    return out


def table(path: Path) -> str:
    """Return the table in Markdown."""
    lines = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()]
    head = (
        "concepts", "true effects", "prompts", "pilot, pairs", "planted", "lift, %",
        "planned, pairs per domain", "studies", "above 500", "power promised", "power reached",
        "needed / planned", "one proportion / planned", "one coefficient / planned",
        "power reached with it", "the two at p < .05",
    )  # fmt: skip
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in ROWS:
        for target in TARGETS:
            pilots = [x[target] for x in lines if x["row"] == row.name]
            mine = [x["studies"] for x in pilots if x["studies"]]
            if not mine:
                continue
            left_out = sum(x["left_out"] for x in pilots)
            studies = np.concatenate([np.array(x, dtype=float) for x in mine])
            median = np.median(studies, axis=0)
            t = float(stats.norm.isf(studies[:, 1] / 2.0).mean())
            (rate, error), (by_book, book_error) = (_rate(mine, k) for k in (2, 3))
            needed, low, high = (_needed(t, r) for r in (rate, rate + error, rate - error))
            cells = (
                row.design, row.effects, row.prompts, row.n_pilot, target,
                row.lift if target == "shared" else row.lift_domain,
                f"{median[0]:.0f}", len(studies), left_out, f"{POWER:.2f}",
                f"{rate:.3f} ± {error:.3f}",
                f"{needed:.2f} ± {(high - low) / 2:.2f}", f"{median[4]:.2f}", f"{median[5]:.2f}",
                f"{by_book:.3f} ± {book_error:.3f}", f"{median[6]:.2f}, {median[7]:.2f}",
            )  # fmt: skip
            out.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(out)


def _rate(pilots: list[Any], k: int) -> tuple[float, float]:
    """Return the share of hits and its error, pilots being independent."""
    by_pilot = np.array([np.mean([study[k] for study in studies]) for studies in pilots])
    error = by_pilot.std(ddof=1) / np.sqrt(by_pilot.size) if by_pilot.size > 1 else np.nan
    return float(by_pilot.mean()), float(error)


def _needed(t: float, rate: float) -> float:
    """Return the size relative to the planned one at which the power is as promised."""
    z = stats.norm.ppf(np.clip([POWER, rate], 0.005, 0.995))
    return float(((t + z[0]) / (t + z[1])) ** 2)


def main() -> None:
    """Run the benchmark or print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", nargs="*", default=["*"])
    parser.add_argument("--pilots", type=int, default=20)
    parser.add_argument("--studies", type=int, default=20)
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
