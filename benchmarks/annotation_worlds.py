"""Do the policies of annotation harm what is said? Worlds with known truth, asked in rounds.

    python -m benchmarks.annotation_worlds run FILE [--world NAME ...] [--draws 100]
    python -m benchmarks.annotation_worlds table FILE
    python -m benchmarks.annotation_worlds stop FILE [--world NAME ...] [--draws 12]

Worlds are those of `benchmarks/inference_worlds.py` on rows of the demo set's annotations. A world
is annotated in rounds as `palate annotate` does (`played`), with the values that are there; what a
policy leaves out is missing. Then effects are estimated and called supported as `palate.explain`
does. Ways: everything asked; the default policy; the same without counting the concepts that it
gave up as tested, which Palate does not do.

Columns: share of answers asked, of calls made; any false statement (in a null world: the rate that
must stay at or below the nominal .1); false among the statements made; true effects found; coverage
of the 90 % intervals of effects in domains, and the mean error of what is planted towards 0
(slope of estimates on true effects, 1 = none).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

import palate
from benchmarks.inference_worlds import Data, World, draw, estimands
from palate.concepts.annotation.policy import AnnotationState, Policy
from palate.concepts.annotation.rounds import rounds_of
from palate.concepts.concept import Concept
from palate.explanations.annotation_policies import economical, growing_rounds
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import infer

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
WORLDS = ("demo-28-240-null-single", "demo-28-1000-null-single", "demo-28-240-planted-single",
          "demo-28-1000-planted-single", "demo-28-10000-planted-single")  # fmt: skip
FDR = 0.1


@dataclass(frozen=True, eq=False)
class Played:
    """What an annotation in rounds leaves: values (NaN = not asked), what was asked, given up."""

    values: Array
    asked: Mask
    second: Mask
    reasons: dict[str, str]


def played(
    values: Array,
    ids: list[str],
    domains: list[str],
    concepts: tuple[Concept, ...],
    policy: Policy | None,
    *,
    seed: int,
    first: Array | None = None,
    second: Array | None = None,
) -> Played:
    """Ask the values that are there in rounds, as a policy decides."""
    names = sorted(set(domains))
    code = np.searchsorted(np.array(names), np.array(domains))
    applies = np.array([[c.domains is None or d in c.domains for c in concepts] for d in names])
    keep, twice = applies.copy(), np.zeros_like(applies)
    asked = np.zeros(values.shape, dtype=bool)
    reasons: dict[str, str] = {}
    rounds = rounds_of(ids, domains, growing_rounds(len(ids)), seed=seed)
    for number, rows in enumerate(rounds):
        asked[rows] = keep[code[rows]]
        if policy is None or number == len(rounds) - 1:
            continue
        state = AnnotationState(
            ids=tuple(ids),
            domains=tuple(domains),
            concepts=concepts,
            values=np.where(asked, values, np.where(applies[code], np.nan, 0.0)),
            asked=asked.copy(),
            round=number + 1,
            first=None if first is None else np.where(asked, first, np.nan),
            second=second,
        )
        decision = policy(state)
        keep &= decision.keep
        twice |= decision.second
        reasons.update(decision.reasons)
    return Played(
        np.where(asked, values, np.where(applies[code], np.nan, 0.0)),
        asked,
        twice[code] & asked,
        reasons,
    )


def preferences_of(data: Data, concepts_domains: list[str]) -> palate.Preferences:
    """Pairs with the verdicts of a world and empty texts."""
    n = data.y.size
    ids = [str(i) for i in range(n)]
    return palate.Preferences(
        pairs=pl.DataFrame(
            {
                "id": ids,
                "domain": concepts_domains,
                "prompt": [f"p{g}" for g in data.groups],
                "response_a": [f"a{i}" for i in ids],
                "response_b": [f"b{i}" for i in ids],
            }
        ),
        verdicts=pl.DataFrame({"m": data.y}),
    )


def ways(preferences: palate.Preferences) -> dict[str, Policy | None]:
    """The ways of asking."""
    return {"everything": None, "default": economical(preferences)}


def one(world: World, replicate: int) -> list[dict[str, Any]]:
    """Return one row per way for a replicate."""
    data = draw(world, replicate)
    names = [f"d{d:02d}" for d in range(len(data.exists) - 1)]
    domains = [names[c] for c in data.codes]
    concepts = tuple(
        Concept(
            name=f"c{j}",
            definition="",
            domains=None
            if data.exists[0, j]
            else tuple(names[d] for d in np.flatnonzero(data.exists[1:, j])),
        )
        for j in range(data.X.shape[1])
    )
    preferences = preferences_of(data, domains)
    out = []
    for way, policy in ways(preferences).items():
        got = played(data.X, preferences.ids, domains, concepts, policy, seed=replicate)
        out.append({"way": way, **scored(data, got, concepts)})
        if way == "default":
            out.append({"way": "default, uncounted", **scored(data, got, concepts, counted=False)})
    return out


def scored(
    data: Data, got: Played, concepts: tuple[Concept, ...], *, counted: bool = True
) -> dict[str, Any]:
    """Return what is said and how true it is."""
    rows = np.flatnonzero(got.asked.any(axis=1))
    kept = np.array([c.name not in got.reasons for c in concepts])
    X = np.nan_to_num(got.values[rows]) * kept
    differs = (X != 0).any(axis=0)
    exists = data.exists & differs
    effects = infer(X, data.y[rows], data.codes[rows], data.groups[rows], exists=exists)
    given_up = sum(not k for k in kept) if counted else 0
    support = supported(effects, fdr=FDR, given_up=given_up)
    shared, _, total = estimands(data.effects, data.exists)
    everywhere = support.shared == Verdict.EVERYWHERE.value
    here = np.isin(support.domain, [Verdict.HERE.value, Verdict.DIFFERS.value])
    wrong = (everywhere & ~(np.sign(effects.shared.value) * np.nan_to_num(shared) > 0)).sum()
    wrong += (here & ~(np.sign(effects.total.value) * np.nan_to_num(total) > 0)).sum()
    said = int(everywhere.sum() + here.sum())
    real = np.abs(np.nan_to_num(shared)) > 0
    within = ~np.isnan(effects.total.value)
    covered = (effects.total.low <= total) & (total <= effects.total.high)
    big = within & (np.abs(np.nan_to_num(total)) > 0)
    true, found = total[big], effects.total.value[big]
    applies = data.exists[0] | data.exists[1 + data.codes]
    return {
        "answers": float(got.asked.sum() / applies.sum()),
        "calls": float(got.asked.any(axis=1).mean()),
        "any_false": float(wrong > 0),
        "said": said,
        "false": int(wrong),
        "found": float((everywhere & real).sum() / max(real.sum(), 1)),
        "coverage": float(covered[within].mean()) if within.any() else None,
        "slope": float((true * found).sum() / (true**2).sum()) if big.any() else None,
    }


def stopped(world: World, draws: int) -> dict[str, list[float]]:
    """Return coverage, slope and error of effects in domains when half of something stops halfway.

    "cells": half of the concepts, whose missing values count as equal; "domains": half of these.
    """
    out: dict[str, list[list[float]]] = {"everything": [], "cells": [], "domains": []}
    for replicate in range(draws):
        data = draw(world, replicate)
        n, random = data.y.size, np.random.default_rng(replicate)
        late = np.arange(n) >= n // 2
        holes = data.X.copy()
        holes[np.ix_(late, random.random(data.X.shape[1]) < 0.5)] = 0.0
        early = np.flatnonzero(~(late & (random.random(len(data.exists) - 1) < 0.5)[data.codes]))
        total = estimands(data.effects, data.exists)[2]
        for way, X, rows in (
            ("everything", data.X, np.arange(n)),
            ("cells", holes, np.arange(n)),
            ("domains", data.X, early),
        ):
            X, exists = X[rows], data.exists & (X[rows] != 0).any(axis=0)
            effects = infer(X, data.y[rows], data.codes[rows], data.groups[rows], exists=exists)
            found = effects.total.value
            known = ~np.isnan(found)
            real = known & (np.nan_to_num(total) != 0)
            covered = (effects.total.low <= total) & (total <= effects.total.high)
            out[way].append(
                [
                    float(covered[known].mean()),
                    float((total * found)[real].sum() / (total[real] ** 2).sum()),
                    float(np.sqrt(np.mean((found - total)[known] ** 2))),
                ]
            )
    return {way: np.round(np.mean(rows, axis=0), 3).tolist() for way, rows in out.items()}


def main() -> None:
    """Run or print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["run", "table", "stop"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--world", action="append")
    parser.add_argument("--draws", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.what == "stop":
        with threadpool_limits(1):
            for name in arguments.world or ["demo-28-2000-planted-single"]:
                found = stopped(World.of(name), arguments.draws)
                arguments.file.write_text(json.dumps({name: found}))
                print(name, "coverage, slope, error:", found)
        return
    if arguments.what == "run":
        found = json.loads(arguments.file.read_text()) if arguments.file.exists() else {}
        for name in arguments.world or WORLDS:
            with threadpool_limits(1):
                rows = [one(World.of(name), r) for r in range(arguments.draws)]
            found[name] = [row for part in rows for row in part]
            arguments.file.write_text(json.dumps(found))
    found = json.loads(arguments.file.read_text())
    for name, rows in found.items():
        frame = pl.DataFrame(rows, schema_overrides={"slope": pl.Float64, "coverage": pl.Float64})
        table = frame.group_by("way", maintain_order=True).agg(
            pl.len().alias("draws"),
            pl.col("answers", "calls", "any_false", "found", "coverage", "slope").mean().round(3),
            pl.col("said").mean().round(2),
            (pl.col("false").sum() / pl.col("said").sum().clip(1)).round(3).alias("false_share"),
        )
        print(name)
        with pl.Config(
            tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=130
        ):
            print(table)


if __name__ == "__main__":
    main()
