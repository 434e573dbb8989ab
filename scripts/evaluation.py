"""Regenerate docs/evaluation.md: HMDR beside its variants and baselines on real data.

    python scripts/evaluation.py [--data ../shared/data] [--out docs/evaluation.md] [--keep FOLDER]

Every table is what `palate evaluate --configs 20` gives, with seed 0. `--keep` stores the
evaluations as JSON and takes those that are there already, so that a change of wording costs
nothing. The data sets are not part of the package; where they are absent the script says so and
changes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import improvements as improvements_module
from improvements import VIRTUES, alphas, compared, tried

import palate
from palate.concepts.imported import read_concepts
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.explanations.protocol_result import Evaluation
from palate.explanations.protocol_table import (
    LEGEND,
    SETTINGS,
    Table,
    about,
    domain_table,
    markdown_table,
    mechanism_table,
    model_table,
    sentences,
)

ROOT = Path(__file__).resolve().parents[1]
CORE = (
    *("FairEval", "GPTInst", "GPTOut", "LLMEval2"),
    *("MT-Bench", "Manual", "Natural", "Neighbor"),
)
HEAD = (
    "# HMDR beside its variants and baselines, on real data\n\n"
    "Written by `python scripts/evaluation.py`; do not edit. The protocol and its intervals are "
    "described in [protocol.md](protocol.md).\n"
)


def core_only(preferences: Preferences) -> Preferences:
    """Return the pairs of the eight core domains."""
    inside = preferences.pairs["domain"].is_in(CORE)
    return preferences.select(inside.to_list())


def judged_everywhere(preferences: Preferences) -> list[str]:
    """Return the mechanisms that judged every pair."""
    return [m for m in preferences.mechanisms if preferences.verdicts[m].null_count() == 0]


def stored(
    keep: Path | None, name: str, make: Callable[[], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return stored rows, or make and store them."""
    file = None if keep is None else keep / f"{name}.json"
    if file is not None and file.is_file():
        rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        return rows
    found = make()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found), encoding="utf-8")
    return found


def penalties(
    preferences: Preferences, concepts: ConceptMatrix, mechanisms: Sequence[str], **options: Any
) -> list[dict[str, Any]]:
    """Return rows of the changes of the penalty."""
    found = [tried(preferences, concepts, m, **options) for m in mechanisms]
    return compared([tested for tested, _ in found], found[0][1])


def weights_of_the_shared_part(
    preferences: Preferences, concepts: ConceptMatrix, mechanisms: Sequence[str]
) -> list[dict[str, Any]]:
    """Return rows of other values of alpha."""
    found = [alphas(preferences, concepts, m) for m in mechanisms]
    return compared([t for tested, _ in found for t in tested], found[0][1])


def evaluated(keep: Path | None, name: str, run: object) -> Evaluation:
    """Return a stored evaluation, or run and store it."""
    if keep is not None and (keep / f"{name}.json").is_file():
        return Evaluation.load(keep / f"{name}.json")
    found: Evaluation = run()  # type: ignore[operator]
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        found.save(keep / f"{name}.json")
    return found


def section(title: str, what: str, e: Evaluation) -> list[str]:
    """Return one data set: what was found in sentences, and its tables."""
    tables: list[Table] = [
        model_table(e),
        *(mechanism_table(e, s) for s in SETTINGS),
        *(domain_table(e, "human", s) for s in SETTINGS),
    ]
    lines = [f"## {title}", "", what, "", *(f"{s}\n" for s in sentences(e))]
    for table in tables:
        lines += [f"**{table.caption}**", "", *markdown_table(table), ""]
    lines += [f"- {note}" for note in e.notes]
    lines += [f"- Skipped: {reason}" for reason in e.skipped.values()]
    return [*lines, ""]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "evaluation.md")
    parser.add_argument("--keep", type=Path, help="folder for the evaluations as JSON")
    options = parser.parse_args(arguments)
    if not (options.data / "judges.jsonl.gz").is_file():
        print(
            f"{options.data}: the data sets are not here, so {options.out.name} is left as it is "
            "(they are no part of the package; name their folder with --data)."
        )
        return
    judges = palate.read(options.data / "judges.jsonl.gz")
    annotated = read_concepts(
        options.data / "judges_concepts.json", options.data / "judges_concepts.jsonl.gz"
    )
    pandalm = palate.read(options.data / "pandalm.jsonl.gz")
    core = core_only(judges)
    everywhere = judged_everywhere(core)
    # 20 configurations are those of `palate explain`; 9 leave steps of four between penalties
    first = evaluated(
        options.keep, "core", lambda: palate.evaluate(core, mechanisms=everywhere, configs=20)
    )
    second = evaluated(
        options.keep, "annotated", lambda: palate.evaluate(judges, annotated, configs=20)
    )
    third = evaluated(options.keep, "pandalm", lambda: palate.evaluate(pandalm, configs=20))
    lines = [
        HEAD,
        about(first),
        "",
        f"In tables by mechanism and domain: {LEGEND}",
        "",
        *section(
            "judges, eight core domains, measured concepts",
            f"The {core.n_pairs} pairs of the eight domains that human annotators and eight judges "
            f"all judged in full ({', '.join(CORE)}); mechanisms: {', '.join(everywhere)}.",
            first,
        ),
        *section(
            "judges, annotated concepts",
            f"The {annotated.n_pairs} pairs with 30 concepts annotated by a language model; the "
            f"human gold and all {len(judges.mechanisms) - 1} judges.",
            second,
        ),
        *section(
            "pandalm, measured concepts",
            f"All {pandalm.n_pairs} pairs; mechanisms: {', '.join(pandalm.mechanisms)}.",
            third,
        ),
    ]
    human = ["human"]
    on_pandalm, on_core = palate.measure(pandalm), palate.measure(core)
    with_values = set(annotated.ids)
    covered = judges.select([i in with_values for i in judges.ids])
    enough = [m for m in judges.mechanisms if m != "Falcon/CoT"]  # 10 usable verdicts
    makers: dict[str, tuple[str, Callable[[], list[dict[str, Any]]]]] = {
        "judges, annotated concepts, mean of the 9 mechanisms above": (
            "improvements_annotated",
            lambda: penalties(core, annotated, everywhere, virtues=VIRTUES),
        ),
        "judges, eight core domains, measured concepts, human": (
            "improvements_core",
            lambda: penalties(core, on_core, human, n_folds=3),
        ),
        "pandalm, measured concepts, human": (
            "improvements_pandalm",
            lambda: penalties(pandalm, on_pandalm, human, n_folds=3),
        ),
        f"judges, annotated concepts, mean of {len(enough)} mechanisms (all but Falcon/CoT)": (
            "alphas_all",
            lambda: weights_of_the_shared_part(covered, annotated, enough),
        ),
        "the 9 mechanisms among them that judged every core pair": (
            "alphas_annotated",
            lambda: weights_of_the_shared_part(core, annotated, everywhere),
        ),
        "alpha on pandalm, measured concepts, human": (
            "alphas_pandalm",
            lambda: weights_of_the_shared_part(pandalm, on_pandalm, human),
        ),
    }
    changes = {title: stored(options.keep, *maker) for title, maker in makers.items()}
    lines += [
        "## Changes to HMDR that were tried",
        "",
        (improvements_module.__doc__ or "").partition("\n\n")[2].strip(),
        "",
        "8 splits, hyperparameters inside the training part; * marks a difference whose "
        "90 % interval excludes 0.",
        "",
    ]
    for title, rows in changes.items():
        lines += [f"**{title}**", "", *improvements_module.table(rows)]
    lines += [
        "The elastic net helps beyond noise on annotated concepts, so Palate has it "
        "(`HMDR(ridge=1.0)`, `palate evaluate --model 'elastic net'`). By Palate's certified "
        "solver, in 25 splits and on left-out domains, 9 configurations:",
        "",
    ]
    few = [
        m for m in everywhere if m in ("human", "GPT-4/Metrics_Reference", "LLaMA2/Vanilla_NoRules")
    ]
    for title, name, pairs, values, mechanisms in (
        ("judges, annotated concepts, 9 mechanisms", "net_annotated", core, annotated, everywhere),
        (f"judges, measured concepts, {', '.join(few)}", "net_core", core, on_core, few),
        ("pandalm, measured concepts, human", "net_pandalm", pandalm, on_pandalm, human),
    ):
        net = evaluated(
            options.keep,
            name,
            partial(palate.evaluate, pairs, values, mechanisms=mechanisms, models=["elastic net"]),
        )
        lines += [f"**{title}**", "", *markdown_table(model_table(net)), ""]
    options.out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    for e in (first, second, third):
        print(*sentences(e), sep="\n")
        print()


if __name__ == "__main__":
    main()
