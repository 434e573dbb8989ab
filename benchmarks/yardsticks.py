"""What the yardsticks claim where the truth is known, and what they say of real data.

    python benchmarks/yardsticks.py [--draws 60] [--data ../shared/data]

1. Gain over the best null baseline on the demo set's annotated values, verdicts drawn anew: from a
   coin, from the length of the responses alone (which no concept may claim), from planted weights.
2. Noise ceiling from three votes a pair, 400 pairs, p known: how often intervals hold the truth.
3. Reliability of a concept annotated twice: how often intervals hold the truth, and what is said.
4. Real data, where present: best null, calibration, ceiling and the share explained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

import palate
from palate.concepts.concept import Concept
from palate.concepts.imported import read_concepts
from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import reliability
from palate.data.demo import demo_paths
from palate.data.preferences import Preferences
from palate.explanations.calibration import WHOLE
from palate.explanations.ceiling import explained_share, noise_ceiling
from palate.explanations.explanation import Explanation
from palate.explanations.problem import Frame
from palate.explanations.replicates import known_replicates
from palate.explanations.yardsticks import best_null

SETTINGS = ("in domain", "new domain")
PLANTED = (1.2, -0.9, 0.6, -0.4)


def rate(count: int, n: int) -> str:
    """Return a share in per cent with its Monte-Carlo standard error."""
    p = count / n
    return f"{100 * p:.0f} % ({100 * (p * (1 - p) / n) ** 0.5:.0f})"


def claims(draws: int) -> None:
    """Print how often a gain over the best null baseline is claimed."""
    demo, paths = palate.load_demo(), demo_paths()
    concepts = read_concepts(paths.concepts, paths.values)
    frame = Frame.of(demo, concepts, missing="zero", cluster=None)
    often = np.flatnonzero((frame.filled != 0).mean(axis=0) > 0.3)
    random = np.random.default_rng(0)
    print("\n| verdicts | claimed, new prompts | gain | claimed, new domain | gain |")
    print("|---|---|---|---|---|", flush=True)
    for kind in ("coin", "length alone", "planted"):
        said = dict.fromkeys(SETTINGS, 0)
        gains: dict[str, list[float]] = {s: [] for s in SETTINGS}
        for seed in range(draws):
            z = np.zeros(demo.n_pairs)
            if kind == "length alone":
                z = 1.5 * np.sign(frame.longer)
            elif kind == "planted":
                chosen = random.choice(often, len(PLANTED), replace=False)
                z = frame.filled[:, chosen] @ np.array(PLANTED)
            y = np.where(random.random(z.size) < 1 / (1 + np.exp(-z)), 1.0, -1.0)
            drawn = Preferences(pairs=demo.pairs, verdicts=pl.DataFrame({"drawn": y}))
            found = palate.explain(drawn, concepts, n_bootstrap=2, seed=seed, n_jobs=1)
            for setting in SETTINGS:
                null = best_null(found, setting=setting)
                if null is not None:
                    said[setting] += null.beaten
                    gains[setting].append(100 * null.gain)
        cells = [f"{rate(said[s], draws)} | {np.mean(gains[s]):+.1f}" for s in SETTINGS]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)


def ceilings(draws: int) -> None:
    """Print how often the intervals of the noise ceiling hold the truth."""
    random = np.random.default_rng(1)
    n = 400
    print(
        "\n| p by pair | pairs a prompt | ceiling | estimate | its interval holds | bounds hold |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    for shape in ("Beta(1, 1)", "Beta(.3, .3)", "all .8 or .2", "clear or coin"):
        for size in (1, 5):
            inside, between, at = 0, 0, []
            for _ in range(draws):
                m = n // size
                if shape == "Beta(1, 1)":
                    p, truth = random.beta(1, 1, m), 0.75
                elif shape == "Beta(.3, .3)":
                    p, truth = random.beta(0.3, 0.3, m), 0.8659  # 1/2 + 2^-.6 / (.3 B(.3, .3))
                elif shape == "all .8 or .2":
                    p, truth = random.choice([0.8, 0.2], m), 0.8
                else:
                    p, truth = random.choice([0.0, 0.5, 1.0], m, p=[0.3, 0.4, 0.3]), 0.8
                p = np.repeat(p, size)
                said = np.where(random.random((3, n)) < p, 1.0, -1.0)
                pairs = {
                    "id": [f"{i}" for i in range(n)],
                    "domain": ["x", "y"] * (n // 2),
                    "prompt": [f"Question {i // size}?" for i in range(n)],
                    "response_a": [f"a{i}" for i in range(n)],
                    "response_b": [f"b{i}" for i in range(n)],
                }
                votes = {f"v{k}": row for k, row in enumerate(said)}
                preferences = Preferences(pairs=pl.DataFrame(pairs), verdicts=pl.DataFrame(votes))
                found = noise_ceiling(preferences, list(votes))
                at.append(found.accuracy[0])
                inside += found.accuracy[1] <= truth <= found.accuracy[2]
                between += found.accuracy_least[1] <= truth <= found.accuracy_most[1]
            print(
                f"| {shape} | {size} | {truth:.3f} | {np.mean(at):.3f} | {rate(inside, draws)} "
                f"| {rate(between, draws)} |",
                flush=True,
            )


def reliabilities(draws: int) -> None:
    """Print how often the intervals of a concept's reliability hold the truth."""
    random = np.random.default_rng(2)
    print("\n| reliability | pairs | not 0 | interval holds | reliable | too unreliable |")
    print("|---|---|---|---|---|---|", flush=True)
    for share, error in ((0.6, 0.05), (0.6, 0.15), (0.3, 0.2), (0.1, 0.02), (0.6, 0.45)):
        for n in (80, 300):
            holds, said = 0, []
            p = [share / 2, 1 - share, share / 2]
            for seed in range(draws):
                true = random.choice([-1.0, 0.0, 1.0], n, p=p)
                one, two = (
                    np.where(random.random(n) < error, random.choice([-1.0, 0, 1], n, p=p), true)
                    for _ in range(2)
                )
                row = reliability(_matrix(one), _matrix(two), seed=seed).row(0, named=True)
                low, high = row["low"], row["high"]
                holds += low is None or low <= (1 - error) ** 2 <= high
                said.append(row["status"])
            print(
                f"| {(1 - error) ** 2:.2f} | {n} | {100 * share:.0f} % | {rate(holds, draws)} "
                f"| {rate(said.count('reliable'), draws)} "
                f"| {rate(said.count('too unreliable'), draws)} |",
                flush=True,
            )


def _matrix(values: np.ndarray) -> ConceptMatrix:
    return ConceptMatrix(
        ids=tuple(f"p{i}" for i in range(values.size)),
        concepts=(Concept("c", "High: more; low: less."),),
        values=values[:, None],
        scales=("comp",),
        step=np.array([np.nan]),
    )


def real(data: Path) -> None:
    """Print what the yardsticks say of real data."""
    print(
        "\n| data, mechanism | setting | HMDR | best null | gain | calibration slope | error, by "
        "chance | ceiling (bounds) | share explained (bounds) |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    pandalm, judges = (palate.read(data / f"{n}.jsonl.gz") for n in ("pandalm", "judges"))
    annotated = read_concepts(data / "judges_concepts.json", data / "judges_concepts.jsonl.gz")
    for name, preferences, concepts, mechanisms in (
        ("PandaLM, measured", pandalm, None, ["human", "human/annotator1"]),
        ("LLMBar, measured", judges, None, ["human", "GPT-4/Vanilla", "LLaMA2/Vanilla"]),
        ("LLMBar, annotated", judges, annotated, ["human", "GPT-4/Vanilla", "LLaMA2/Vanilla"]),
    ):
        for mechanism in mechanisms:
            found = palate.explain(preferences, concepts, mechanism=mechanism, n_bootstrap=2)
            for setting in SETTINGS:
                print(f"| {name}, {mechanism} | {_row(found, preferences, setting)} |", flush=True)


def _row(found: Explanation, preferences: Preferences, setting: str) -> str:
    null = best_null(found, setting=setting)
    slope, ceiling, share, error = "", "", "", ""
    for row in found.calibration.filter(setting=setting, bin=WHOLE).iter_rows(named=True):
        if row["slope"] is not None:
            slope = f"{row['slope']:.2f} [{row['slope_low']:.2f}, {row['slope_high']:.2f}]"
        error = f"{100 * row['ece']:.1f}, {100 * row['ece_expected']:.1f}"
    replicates = known_replicates(preferences, found.mechanism)
    if replicates is not None and setting == "in domain":
        s = explained_share(found, preferences, replicates)
        c = s.ceiling
        ceiling = (
            f"{100 * c.accuracy[0]:.1f} "
            f"({100 * c.accuracy_least[0]:.1f} to {100 * c.accuracy_most[0]:.1f})"
        )
        share = (
            f"{100 * s.share:.0f} % [{100 * s.low:.0f}, {100 * s.high:.0f}] "
            f"({100 * s.least:.0f} to {100 * s.most:.0f})"
        )
    if null is None:
        return f"{setting} | | | | {slope} | {error} | {ceiling} | {share}"
    interval = ""
    if null.low is not None and null.high is not None:
        interval = f" [{100 * null.low:+.1f}, {100 * null.high:+.1f}]"
    return (
        f"{setting} | {100 * null.ours:.1f} | {null.model} {100 * null.accuracy:.1f} "
        f"| {100 * null.gain:+.1f}{interval} | {slope} | {error} | {ceiling} | {share}"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=60)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data")
    options = parser.parse_args()
    ceilings(5 * options.draws)
    reliabilities(5 * options.draws)
    if (options.data / "judges.jsonl.gz").is_file():
        real(options.data)
    claims(options.draws)


if __name__ == "__main__":
    main()
