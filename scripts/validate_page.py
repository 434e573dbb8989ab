"""Write the figures of docs/validate.md: real people and judges, and how well the statistics hold.

    python scripts/validate_page.py [--data ../shared/data]

Rewrites what stands between the two marks of the page. The data sets are not part of the package;
where they are absent the script says so and changes nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

import palate
from palate.inference.bootstrap import Resampling
from palate.validate.agreement import Coefficient, agreement, find
from palate.validate.alternative import alternative_test, p_value, score_variance
from palate.validate.clustered import by_group
from palate.validate.coefficients import ALPHA, FLEISS, ORDINAL, RAW, item_sums, measures_of
from palate.validate.questions import from_columns
from palate.validate.ratings import Array, Ratings
from palate.validate.validation import validate

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validate.md"
BEGIN = "<!-- figures of scripts/validate_page.py begin -->"
END = "<!-- figures of scripts/validate_page.py end -->"
PEOPLE = ("human/annotator1", "human/annotator2", "human/annotator3")
JUDGES = ("gpt-3.5-turbo/PandaLM-prompt", "PandaLM-7B/pairwise")
CRITERIA = ("Relevance", "Coherence", "Empathy", "Surprise", "Engagement", "Complexity")
SHORT = dict(zip(CRITERIA, ("RE", "CH", "EM", "SU", "EG", "CX"), strict=True))
MODELS = ("Beluga-13B", "OrcaPlatypus", "Mistral-7B", "Llama-13B", "ChatGPT")
RUNS = 2000


def ends(row: Coefficient) -> str:
    """Return a coefficient with its interval."""
    return f"{row.value:.2f} [{row.low:.2f}, {row.high:.2f}]"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table of the page, numbers to the right."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join(["| " + " | ".join(r) + " |" for r in (head,)] + [rule]
                     + ["| " + " | ".join(r) + " |" for r in rows])  # fmt: skip


def pandalm(path: Path) -> str:
    """Return what the three annotators and two judges of PandaLM show."""
    question = from_columns(palate.read(path), PEOPLE, JUDGES)
    people = agreement(question.people)
    n, g = people[0].n_items, people[0].n_groups
    rows = []
    for epsilon in (0.1, 0.2):
        found = validate([question], epsilon=epsilon)
        tests = found.alternative.filter(pl.col("person").is_null())
        for row in tests.iter_rows(named=True):
            most = found.agreement.filter(
                between="model and majority", a=row["model"], measure="Cohen's kappa"
            ).row(0, named=True)
            rows.append(
                (
                    row["model"],
                    f"{epsilon:g}",
                    f"{most['value']:.2f} [{most['low']:.2f}, {most['high']:.2f}]",
                    f"{row['advantage']:.2f} [{row['low']:.2f}, {row['high']:.2f}]",
                    f"{row['n_beaten']} of {row['n_tested']}",
                )
            )
    head = ("judge", "epsilon", "kappa with the majority", "average advantage", "people beaten")
    return (
        f"PandaLM test set: {n} pairs in {g} groups, three annotators. They agree on "
        f"{100 * people[0].value:.0f} % of pairs (Krippendorff's alpha {ends(find(people, ALPHA))})"
        f"; no judge may stand in for one of them.\n\n{table(head, rows)}\n\n"
        "A third annotator in the judge's place, set beside the other two at epsilon .1: "
        + third(question.people)
    )


def third(people: Ratings) -> str:
    """Return how each annotator does in the place of a judge."""
    out = []
    for j, name in enumerate(people.raters):
        others = people.of([r for r in people.raters if r != name])
        found = alternative_test(others, people.values[:, j], epsilon=0.1)
        beaten = sum(r.beaten for r in found.rivals)
        out.append(f"{name.removeprefix('human/')} beats {beaten} of {found.n_tested}")
    return ", ".join(out) + "."


def hanna(path: Path) -> str:
    """Return what the people and language models of HANNA show."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        stories = [json.loads(line) for line in file]
    prompts = np.array([s["prompt_index"] for s in stories])

    def column(name: str) -> Array:
        return np.array([s["scores"][name] for s in stories], dtype=float)

    rows = []
    for name in CRITERIA:
        values = np.column_stack([column(f"Human {j} {SHORT[name]}") for j in (1, 2, 3)])
        people = Ratings(("1", "2", "3"), values, prompts, "ordinal")
        cells = []
        for model in MODELS:
            found = alternative_test(people, column(f"{model} {SHORT[name]} 1"), epsilon=0.1)
            beaten = sum(r.beaten for r in found.rivals)
            cells.append(f"{found.advantage.value:.2f} ({beaten})")
        rows.append((name, ends(find(agreement(people), ORDINAL)), *cells))
    head = ("criterion", "people: ordinal alpha", *MODELS)
    return (
        f"HANNA: {len(stories)} stories to {np.unique(prompts).size} prompts, three people, scores "
        "1 to 5; each model's first prompt, alignment by root mean squared error, epsilon .1. "
        "Average advantage probability, and in brackets how many of three people are beaten.\n\n"
        f"{table(head, rows)}\n\n"
        "People agree little here, on coherence less than chance would have it. Most models pass "
        "on it all the same: where people contradict each other, anybody stands in for them. So a "
        "validation says so where the interval of alpha reaches 0."
    )


def world(rng: np.random.Generator, n_groups: int, size: int, right: float) -> Ratings:
    """Return three people who see the true label or guess."""
    n, shares = n_groups * size, [0.4, 0.2, 0.4]
    group = np.repeat(np.arange(n_groups), size)
    shared = rng.choice([-1, 0, 1], n_groups, p=shares)[group]
    truth = rng.choice([-1, 0, 1], n, p=shares)
    truth = np.where(rng.random(n) < 0.5 * (size > 1), shared, truth)
    sees = np.clip(right + rng.choice([-0.15, 0.15], n_groups)[group], 0, 0.99)
    guess = rng.choice([-1, 0, 1], (n, 3), p=shares)
    return Ratings(("a", "b", "c"), np.where(rng.random((n, 3)) < sees[:, None], truth[:, None],
                   guess), group)  # fmt: skip


def coverage() -> str:
    """Return how often intervals of alpha and raw agreement hold the true value."""
    rows = []
    for n_groups, size, right in ((20, 1, 0.6), (50, 1, 0.6), (50, 1, 0.84), (100, 1, 0.6),
                                  (25, 4, 0.6)):  # fmt: skip
        rng = np.random.default_rng(n_groups)
        large = agreement(world(rng, 40_000 // size, size, right))
        names = (RAW, FLEISS)
        true = {name: find(large, name).value for name in names}
        hits = {(name, how): 0 for name in names for how in ("ours", "bootstrap")}
        for _ in range(RUNS):
            ratings = world(rng, n_groups, size, right)
            found = agreement(ratings, level=0.9)
            sums = by_group(item_sums(ratings), ratings.groups)
            draws = Resampling.of(np.arange(n_groups), np.zeros(n_groups)).count_block(rng, 400)
            for name in names:
                row = find(found, name)
                hits[name, "ours"] += row.low <= true[name] <= row.high
                low, high = np.nanquantile(measures_of(ratings)[name](draws @ sums), [0.05, 0.95])
                hits[name, "bootstrap"] += low <= true[name] <= high
        rows.append(
            (
                f"{n_groups} prompts x {size}",
                f"{true[FLEISS]:.2f}",
                *(f"{100 * hits[name, how] / RUNS:.1f}" for name in names
                  for how in ("ours", "bootstrap")),
            )
        )  # fmt: skip
    head = ("three people", "kappa", "raw: ours", "raw: bootstrap", "kappa: ours",
            "kappa: bootstrap")  # fmt: skip
    return (
        f"Coverage of 90 % intervals in per cent, {RUNS:,} samples each (standard error "
        f"{100 * (0.09 / RUNS) ** 0.5:.1f}); bootstrap: quantiles over the same groups.\n\n"
        f"{table(head, rows)}"
    )


def size_of_tests() -> str:
    """Return how often tests of one person reject on the border of their hypothesis."""
    rows = []
    for n, epsilon in ((30, 0.1), (50, 0.1), (50, 0.2), (100, 0.1), (100, 0.2)):
        lost, won = (x.ravel() for x in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
        kept = lost + won <= n
        lost, won = lost[kept], won[kept]
        mean = (lost - won) / n
        spread = np.sqrt(np.maximum((lost + won) / n - mean**2, 0) / (n - 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(spread > 0, (mean - epsilon) / spread, np.sign(mean - epsilon) * np.inf)
        variance = [
            score_variance(int(b), int(c), n, epsilon) for b, c in zip(lost, won, strict=True)
        ]
        score, limit = (mean - epsilon) / np.sqrt(variance), stats.t.ppf(0.05, n - 1)
        found = []
        for q in (0.0, 0.02, 0.05, 0.1, 0.2, 0.3):
            chances = [q + epsilon, q, 1 - 2 * q - epsilon]
            p = stats.multinomial.pmf(np.column_stack([lost, won, n - lost - won]), n, chances)
            found.append((p[t <= limit].sum(), p[score <= limit].sum()))
        worst = np.array(found).max(axis=0)
        rows.append((f"{n} items", f"{epsilon:g}", *(f"{100 * x:.1f}" for x in worst)))
    head = ("one person", "epsilon", "t, as in the paper", "score")
    clustered = []
    for size in (2, 4):
        rng = np.random.default_rng(size)
        groups = np.repeat(np.arange(100 // size), size)
        hits = np.zeros(2)
        for _ in range(RUNS):
            own = rng.choice([1.0, -1.0, 0.0], groups.size, p=[0.15, 0.05, 0.8])
            shared = rng.choice([1.0, -1.0, 0.0], groups[-1] + 1, p=[0.15, 0.05, 0.8])[groups]
            d = np.where(rng.random(groups.size) < 0.5, shared, own)
            hits += [p_value(d, groups, 0.1) <= 0.05, p_value(d, np.arange(100), 0.1) <= 0.05]
        clustered.append(
            f"{size} per prompt: {100 * hits[0] / RUNS:.1f} % (items counted one by one: "
            f"{100 * hits[1] / RUNS:.1f} %)"
        )
    return (
        "Largest share of samples that a test of one person rejects wrongly at 5 %, in per cent; "
        f"exact, over how often only the model is as good.\n\n{table(head, rows)}\n\n"
        f"100 items with several per prompt, half of whose outcomes are shared, epsilon .1, "
        f"{RUNS:,} samples: {'; '.join(clustered)}."
    )


def main() -> None:
    """Rewrite the figures of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    data: Path = parser.parse_args().data
    if not data.is_dir():
        print(f"{data}: the data sets are not there; {PAGE} stays as it is.")
        return
    parts = [
        "### Real people\n",
        pandalm(data / "pandalm.jsonl.gz") + "\n",
        hanna(data / "hanna_scores.jsonl.gz") + "\n",
        "### Intervals and tests\n",
        coverage() + "\n",
        size_of_tests(),
    ]
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(parts) + "\n\n" + END + after, "utf-8")


if __name__ == "__main__":
    main()
