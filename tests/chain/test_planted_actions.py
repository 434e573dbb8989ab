"""Explanations put to work in worlds whose truth is known: judge hack and tie break.

Over real HTTP with a planted judge and a planted generator; what is repeated a hundred times asks
the same scripts directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

import palate
from palate.actions import win_rates
from palate.actions.exploitable import audit, one_answer
from palate.actions.hack import hack
from palate.actions.hack_rates import ALL, ANOTHER, ANTI, EXPLAINED, MATCHED, RANDOM, SAME, VANILLA
from palate.actions.ties import break_ties
from palate.data.preferences import Preferences
from palate.errors import DataError
from palate.explanations.explanation import Explanation
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import infer
from palate.llm.client import Client
from palate.llm.connect import connect
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.question import Script
from palate.llm.scripted.server import serve
from palate.mechanisms.judge import judge

from .planted_actions import (
    BLIND,
    Direct,
    accuracy_on_ties,
    aims_of,
    hack_world,
    planted_matrix,
    ties_world,
)

pytestmark = pytest.mark.slow


@contextmanager
def models(script: Script) -> Iterator[tuple[Client, Client]]:
    """A judge and a generator behind one server; samples of the generator differ."""
    with (
        serve(script) as server,
        connect("openai:judge", base_url=server.base_url) as asked,
        connect("openai:writer", base_url=server.base_url, temperature=1, seed=0) as writer,
    ):
        yield asked, writer


def explained(
    world: PlantedWorld, name: str = "judge", *, n_fit: int
) -> tuple[Explanation, Preferences]:
    """The explanation of a judge by the first pairs of a world, and the pairs after them."""
    pairs = Preferences.from_rows(world.rows(both_orders=["judge"]))
    fit = pairs.select(list(range(n_fit)))
    rest = pairs.select(list(range(n_fit, pairs.n_pairs)))
    found = palate.explain(fit, planted_matrix(world, fit), mechanism=name, n_bootstrap=2)
    return found, rest


def whole(rates: pl.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """Rates over all prompts by arm and what it is compared with."""
    rows = rates.filter(pl.col("domain") == ALL).to_dicts()
    return {(row["arm"], row["against"]): row for row in rows}


def test_win_rates_of_a_judge_hack_are_those_that_the_weights_predict() -> None:
    world = hack_world(seed=1)
    explanation, rest = explained(world, n_fit=1_200)
    with models(world.script()) as (asked, writer):
        found = hack(rest, explanation, asked, writer, n_prompts=20)
    assert not found.counts["responses_failed"] + found.counts["matches_failed"]

    # a response wins both orders with nearly the square of its odds: effects are twice the weights
    weights = np.array(
        [
            [world.mechanism("judge").weights(d).get(n, 0.0) for n in explanation.concepts.names]
            for d in explanation.domains
        ]
    )
    effects = explanation.total.estimate
    slope = np.polyfit(weights[np.isfinite(effects)], effects[np.isfinite(effects)], 1)[0]
    print(f"effects are {slope:.2f} times the weights")
    assert 1.5 < slope < 2.2

    predicted: dict[tuple[str, str], list[float]] = {}
    for row in found.responses.to_dicts():
        expected = world.win_rate(row["domain"], aims_of(row["criteria"]))
        predicted.setdefault((row["arm"], ALL), []).append(expected)
        predicted.setdefault((row["arm"], row["domain"]), []).append(expected)
    truth = {key: float(np.mean(values)) for key, values in predicted.items()}
    rates = whole(found.rates)
    for arm in (EXPLAINED, RANDOM, ANTI, ANOTHER):
        row = rates[arm, VANILLA]
        print(f"{arm}: {row['rate']:.3f} [{row['low']:.3f}, {row['high']:.3f}]", end="")
        print(f", predicted {truth[arm, ALL]:.3f}")
        assert row["low"] <= truth[arm, ALL] <= row["high"]
    # the vanilla response of the same length is one more that was told nothing
    row = rates[EXPLAINED, MATCHED]
    assert row["low"] <= truth[EXPLAINED, ALL] <= row["high"]

    # so does the truth order them, and what was measured
    assert truth[EXPLAINED, ALL] > truth[RANDOM, ALL] + 0.1
    assert truth[RANDOM, ALL] > 0.6
    assert truth[ANOTHER, ALL] == pytest.approx(0.5)
    assert truth[ANTI, ALL] < 0.3
    of = {arm: rates[arm, VANILLA]["rate"] for arm in (EXPLAINED, RANDOM, ANTI)}
    assert of[EXPLAINED] > of[RANDOM] > 0.5 > of[ANTI]
    said = {key: row["verdict"] for key, row in rates.items()}
    assert said[EXPLAINED, VANILLA] == said[RANDOM, VANILLA] == said[EXPLAINED, RANDOM] == "wins"
    assert said[ANTI, VANILLA] == "loses"
    assert said[ANOTHER, VANILLA] == SAME

    domains = found.rates.filter((pl.col("domain") != ALL) & (pl.col("against") == VANILLA))
    inside = [
        row["low"] <= truth[row["arm"], row["domain"]] <= row["high"] for row in domains.to_dicts()
    ]
    assert len(inside) == 16
    assert sum(inside) >= 13  # of intervals at .9, by 16 independent ones with chance .98


def test_tie_breaks_gain_what_the_weights_predict() -> None:
    world = ties_world(seed=1)
    pairs = Preferences.from_rows(world.rows(both_orders=["judge"]))
    with models(world.script()) as (asked, _):
        found = break_ties(
            pairs,
            "judge",
            planted_matrix(world, pairs),
            reference="people",
            client=asked,
            level=0.99,
        )
    assert not found.strategies["n_failed"].sum()
    truth, gain = {}, {}
    for row in found.strategies.to_dicts():
        name, expected = row["strategy"], []
        for domain in world.domains:
            given = found.concepts.filter(strategy=name, domain=domain).to_dicts()
            aims = aims_of([{"name": g["concept"], "aim": g["aim"]} for g in given])
            n = found.domains.filter(strategy=name, domain=domain)["n_scored"][0]
            expected += [accuracy_on_ties(world, "judge", "people", domain, aims)] * n
        truth[name], gain[name] = float(np.mean(expected)) - 0.5, row["gain"]
        ends = f"[{row['gain_low']:.3f}, {row['gain_high']:.3f}]"
        print(f"{name}: gain {row['gain']:.3f} {ends}, predicted {truth[name]:.3f}")
        assert row["gain_low"] <= truth[name] <= row["gain_high"]
        assert row["gain_high"] - row["gain_low"] < 0.12
    assert truth["random"] + 0.02 < truth["own"] < truth["reference"] < truth["difference"]
    assert gain["random"] < gain["own"] < gain["reference"]
    assert gain["difference"] > gain["reference"] - 0.03  # truth puts .02 between them
    assert gain["difference"] > gain["own"] + 0.05


def most(n: int, rate: float) -> int:
    """The most that a rate can come to in n tries, but for one time in a thousand."""
    return int(stats.binom.ppf(0.999, n, rate))


def test_a_judge_that_ignores_concepts_is_explained_by_none() -> None:
    """False statements at a false discovery rate of .1, in 150 sets of verdicts in both orders."""
    world = hack_world(seed=3, n_pairs=320)
    judges, values = world.judges(), world.values()
    rows = world.rows()
    X = np.array([[values[r["id"]].get(c.name, 0) for c in world.concepts] for r in rows], float)
    codes = np.array([world.domains.index(r["domain"]) for r in rows])
    exists = np.ones((len(world.domains) + 1, X.shape[1]), dtype=bool)
    for j, concept in enumerate(world.concepts):
        if concept.name not in world.shared:  # it has an effect where it is planted, and no other
            exists[0, j] = False
            exists[1:, j] = [concept.name in world.planted_in(d) for d in world.domains]
    stated = 0
    for sample in range(150):
        ab, ba = (
            np.array(
                [
                    judges.first_wins(
                        r["prompt"], r[first], r[second], mechanism=BLIND, sample=sample
                    )
                    for r in rows
                ]
            )
            for first, second in (("response_a", "response_b"), ("response_b", "response_a"))
        )
        agree = ab != ba  # the first won one order and the second the other: one response both
        y = np.where(ab, 1.0, -1.0)[agree]
        found = supported(
            infer(X[agree], y, codes[agree], np.arange(agree.sum()), exists=exists), fdr=0.1
        )
        stated += bool((found.shared != Verdict.NOT.value).any()) or bool(
            (found.domain != Verdict.NOT.value).any()
        )
    print(f"false statements in {stated} of 150 explanations")
    assert stated <= most(150, 0.1)


def test_a_judge_that_ignores_concepts_is_hacked_by_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arms that are said to win or lose, in 100 hacks guided by what another judge rewards."""
    monkeypatch.setattr(win_rates, "interval", cache(win_rates.interval))  # the same few counts
    world = hack_world(seed=4, n_pairs=900)
    explanation, rest = explained(world, n_fit=800)
    wrong, covered, rates = {ALL: 0, "domains": 0}, 0, []
    for seed in range(100):
        client = Direct(replace(world, seed=1_000 + seed).script(judge=BLIND))
        found = hack(rest, explanation, client, client, n_prompts=5, match_length=False)
        stated = found.rates.filter(pl.col("verdict") != SAME)["domain"].to_list()
        wrong[ALL] += ALL in stated
        wrong["domains"] += any(domain != ALL for domain in stated)
        row = whole(found.rates)[EXPLAINED, VANILLA]
        covered += row["low"] <= 0.5 <= row["high"]
        rates.append(row["rate"])
    print(f"wrong in {wrong}, .5 inside {covered} of 100 intervals, mean {np.mean(rates):.3f}")
    assert max(wrong.values()) <= most(100, 0.1)
    assert 100 - covered <= most(100, 0.1)
    assert np.mean(rates) == pytest.approx(0.5, abs=0.03)


def test_a_judge_that_ignores_concepts_yields_nothing_over_http() -> None:
    world = hack_world(seed=5, n_pairs=480)
    explanation, rest = explained(world, n_fit=400)
    pairs = Preferences.from_rows(world.rows()).select(list(range(320)))
    with models(world.script(judge=BLIND)) as (asked, writer):
        judged = judge(pairs, asked, name="asked").add_to(pairs)
        blind = palate.explain(
            judged, planted_matrix(world, judged), mechanism="asked", n_bootstrap=2
        )
        said = {*blind.shared.verdict.ravel(), *blind.total.verdict.ravel()}
        assert said - {""} == {Verdict.NOT.value}
        with pytest.raises(DataError, match="No concept of 'asked' is supported"):
            hack(rest, blind, asked, writer, n_prompts=5)
        found = hack(rest, explanation, asked, writer, n_prompts=10)
    assert set(found.rates["verdict"]) == {SAME}
    half = np.mean(judged.verdict("asked") == 0)
    assert half == pytest.approx(0.5, abs=0.1)  # two coins agree half of the time


def test_a_judge_of_length_wins_nothing_against_responses_as_long() -> None:
    """It heeds no concept, but guided responses are longer; the matched ones tell the two apart."""
    world = replace(hack_world(seed=8, n_pairs=900), length_weights={BLIND: 4.0})
    explanation, rest = explained(world, n_fit=800)
    client = Direct(world.script(judge=BLIND))
    found = hack(rest, explanation, client, client, n_prompts=25)
    judges, chances = world.judges(), dict[str, list[float]]()
    written = {(r["prompt_id"], r["arm"]): r for r in found.responses.to_dicts()}
    for (prompt, arm), other in written.items():
        if arm in (VANILLA, MATCHED):
            one = written[prompt, EXPLAINED]
            texts = one["response"], other["response"]
            p, q = (
                judges.chance(one["prompt"], *shown, mechanism=BLIND)
                for shown in (texts, texts[::-1])
            )
            chances.setdefault(arm, []).append((p + 1 - q) / 2)
    rates = whole(found.rates)
    for arm, expected in chances.items():
        row = rates[EXPLAINED, arm]
        print(f"{arm}: {row['rate']:.3f} [{row['low']:.3f}, {row['high']:.3f}]", end="")
        print(f", predicted {np.mean(expected):.3f}")
        assert row["low"] <= np.mean(expected) <= row["high"]
    assert rates[EXPLAINED, VANILLA]["verdict"] == "wins"
    assert rates[EXPLAINED, MATCHED]["verdict"] == SAME


def test_what_people_reward_as_much_is_not_exploitable() -> None:
    """A judge that was asked in both orders looks surer than people who share its taste."""
    planted = hack_world(seed=2)
    unlike = {"Warm tone": 0.0, "Repetition": 0.0}
    judges = {**planted.mechanisms, "people": {}, "others": unlike}
    world = replace(planted, mechanisms=judges)
    pairs = Preferences.from_rows(world.rows(both_orders=["judge"]))
    matrix = planted_matrix(world, pairs)
    explanation = palate.explain(pairs, matrix, mechanism="judge", n_bootstrap=2)
    for name, expected in (("people", set[str]()), ("others", set(unlike))):
        comparison = palate.compare(pairs, "judge", name, matrix, n_bootstrap=2)
        found = audit(explanation, comparison).filter(pl.col("exploitable"))["concept"].to_list()
        print(
            f"scale {one_answer(explanation, comparison):.2f}, exploitable against {name}: {found}"
        )
        assert set(found) == expected
