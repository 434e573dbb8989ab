"""Null models and the sentences made from them, on planted worlds whose answers are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from palate.data.splits import grouped_folds
from palate.explanations.evaluation import trial
from palate.explanations.explain import explain
from palate.explanations.explanation import Explanation
from palate.explanations.grid import transfer_configs
from palate.explanations.nulls import flipped, formatting_only, relabelled, shuffled
from palate.explanations.problem import Frame, Problem
from palate.explanations.resampling import build
from palate.explanations.scores import correctness
from palate.explanations.yardsticks import (
    NULLS,
    best_null,
    domain_reach,
    domain_warning,
    null_sentence,
)
from palate.models.baselines import FirstResponse
from palate.models.selection import default_grid
from tests.explanations.worlds import matrix_of, planted, preferences_of


def problem_of(preferences, concepts, mechanism: str) -> Problem:  # type: ignore[no-untyped-def]
    """Return the used pairs of one mechanism."""
    frame = Frame.of(preferences, concepts, missing="zero", cluster=None)
    return Problem.of(frame, mechanism, preferences.verdict(mechanism))


def shuffles(problem: Problem):  # type: ignore[no-untyped-def]
    """Return the shuffled models in domain, by name."""
    design = build(problem)
    folds = grouped_folds(problem.groups, 5, seed=0, strata=problem.codes)
    tried = trial(design, default_grid(design)[:4], folds, seed=0)
    found = shuffled(problem, tried, transfer_configs(design), None, seed=0)
    return {h.model: h.log_odds for h in found}


@pytest.fixture(scope="module")
def length_world() -> Explanation:
    """Verdicts that follow length alone, explained by two concepts of which one copies length."""
    random = np.random.default_rng(0)
    lengths = random.integers(1, 30, size=(400, 2))
    longer = (lengths[:, 0] - lengths[:, 1]) / 10
    y = np.where(random.random(400) < 1 / (1 + np.exp(-2 * longer)), 1.0, -1.0)
    preferences = preferences_of(
        {"judge": y.tolist()},
        ["x", "y"] * 200,
        lengths=[(int(a), int(b)) for a, b in lengths],
    )
    values = np.column_stack([longer, random.normal(size=400)])
    return explain(preferences, matrix_of(values, preferences.ids), n_bootstrap=2, n_folds=3)


def test_a_concept_that_copies_length_adds_nothing_over_formatting(
    length_world: Explanation,
) -> None:
    for setting in ("in domain", "new domain"):
        found = best_null(length_world, setting=setting)
        assert found is not None
        assert found.model in ("formatting only", "longer response")
        assert found.accuracy > 0.7
        assert not found.beaten
        assert "The concepts add accuracy" not in null_sentence(length_world, setting=setting)


def test_concepts_that_matter_are_claimed_and_the_nulls_are_coins() -> None:
    world = planted(500, shared=np.array([1.5, -1.0, 0.5, 0.0]), domain=np.zeros((2, 4)))
    found = explain(world.preferences, world.concepts, n_bootstrap=2, n_folds=3)
    rows = found.scores.filter(domain="(mean)", setting="in domain")
    assert set(NULLS) < set(rows["model"])
    null = best_null(found)
    assert null is not None
    assert null.beaten
    assert null.gain == pytest.approx(null.ours - null.accuracy)
    said = null_sentence(found)
    assert said.startswith("The concepts add accuracy on new prompts over the best null baseline")
    assert f"{100 * null.gain:+.1f} points" in said
    assert rows.filter(model="shuffled verdicts")["accuracy"][0] == pytest.approx(0.5)
    # What learning from noise costs: never better than saying one half.
    assert rows.filter(model="shuffled verdicts")["log_loss"][0] >= math.log(2)


def test_nothing_scored_nothing_said(length_world: Explanation) -> None:
    empty = replace(length_world, scores=length_world.scores.clear())
    assert best_null(empty) is None
    assert null_sentence(empty) == ""


def test_shuffled_labels_show_a_halo() -> None:
    # Eight copies of one impression: whichever weight goes to whichever copy, predictions stay.
    # Eight unrelated concepts of different weights: they do not.
    random = np.random.default_rng(1)
    halo = np.repeat(random.choice([-1.0, 1.0], size=(400, 1)), 8, axis=1)
    halo[random.random(halo.shape) < 0.1] = 0.0
    alone = random.choice([-1.0, 1.0], size=(400, 8))
    weight = np.array([1.5, -1.5, 1.0, -1.0, 0.5, -0.5, 0.0, 0.0])
    right = {}
    for name, values, w in (("halo", halo, np.full(8, 0.3)), ("alone", alone, weight)):
        p = 1 / (1 + np.exp(-values @ w))
        y = np.where(random.random(400) < p, 1.0, -1.0)
        preferences = preferences_of({"judge": y.tolist()}, ["x"] * 400)
        problem = problem_of(preferences, matrix_of(values, preferences.ids), "judge")
        z = shuffles(problem)["shuffled concept labels"]
        right[name] = correctness(z, problem.y).mean()
        best = correctness(values @ w, y).mean()
        if name == "halo":
            assert right[name] > best - 0.03
    assert right["alone"] == pytest.approx(0.5, abs=0.08)


def test_labels_stay_among_concepts_of_the_same_domains() -> None:
    random = np.random.default_rng(2)
    values = random.choice([-1.0, 1.0], size=(60, 6))
    preferences = preferences_of(
        {"judge": random.choice([-1.0, 1.0], 60).tolist()}, ["x", "y"] * 30
    )
    concepts = matrix_of(values, preferences.ids, specific={3: ("x",), 4: ("x",), 5: ("y",)})
    problem = problem_of(preferences, concepts, "judge")
    for order in relabelled(problem, seed=0):
        assert sorted(order[:3]) == [0, 1, 2]
        assert sorted(order[3:5]) == [3, 4]
        assert order[5] == 5


def test_shuffled_verdicts_keep_prompts_together_and_do_not_see_the_order() -> None:
    world = planted(300, shared=np.array([1.0, -0.5, 0.0]), domain=np.zeros((2, 3)))
    prompts = [f"Question {i // 3}?" for i in range(300)]
    preferences = replace(
        world.preferences, pairs=world.preferences.pairs.with_columns(prompt=pl.Series(prompts))
    )
    one = problem_of(preferences, world.concepts, "judge 0")
    for y in flipped(one, seed=0):
        sign = y * one.y
        assert set(sign) == {-1.0, 1.0}
        assert (sign == sign[np.arange(300) // 3 * 3]).all()
    side = np.random.default_rng(3).choice([-1.0, 1.0], 300)
    two = replace(one, X=one.X * side[:, None], y=one.y * side, formatting=-one.formatting)
    before, after = shuffles(one), shuffles(two)
    for name, z in before.items():
        np.testing.assert_array_equal(z, after[name] * side)


def test_formatting_is_measured_where_only_annotations_are_given() -> None:
    random = np.random.default_rng(4)
    lengths = [(20, 2)] * 30 + [(2, 20)] * 30
    y = np.r_[np.ones(30), -np.ones(30)] * np.where(random.random(60) < 0.1, -1, 1)
    preferences = preferences_of({"judge": y.tolist()}, ["x", "y"] * 30, lengths=lengths)
    noise = matrix_of(random.choice([-1.0, 1.0], size=(60, 2)), preferences.ids)
    problem = problem_of(preferences, noise, "judge")
    folds = grouped_folds(problem.groups, 5, seed=0, strata=problem.codes)
    found = formatting_only(problem, folds, seed=0)
    assert [h.setting for h in found] == ["in domain", "new domain"]
    for held_out in found:
        longer = np.sign([a - b for a, b in lengths]) * problem.y
        expected = ((1 + longer) / 2).mean()
        assert correctness(held_out.log_odds, problem.y).mean() == pytest.approx(expected)
    flat = replace(problem, formatting=np.zeros_like(problem.formatting))
    assert not any(h.log_odds.any() for h in formatting_only(flat, folds, seed=0))


def test_always_the_first_by_hand() -> None:
    model = FirstResponse().fit(np.zeros((10, 1)), [1.0] * 7 + [-1.0] * 3)
    assert model.predict_proba(np.zeros((2, 1)))[:, 1] == pytest.approx(8 / 12)
    losing = FirstResponse().fit(np.zeros((10, 1)), [1.0] * 3 + [-1.0] * 7)
    assert losing.predict(np.zeros((2, 1))).tolist() == [1.0, 1.0]


def test_the_reach_of_a_domain_by_hand() -> None:
    # Domains x and y, values +1 or -1 on every pair: the best case is se = 2 / sqrt(n), and an
    # effect must be 1.6449 + 0.8416 of them.
    random = np.random.default_rng(5)
    domains = ["x"] * 100 + ["y"] * 30
    preferences = preferences_of({"judge": random.choice([-1.0, 1.0], 130).tolist()}, domains)
    values = random.choice([-1.0, 1.0], size=(130, 2))
    found = explain(preferences, matrix_of(values, preferences.ids), n_bootstrap=2, n_folds=3)
    without = replace(found, total=_without_estimate(found))
    rows = {r["domain"]: r for r in domain_reach(without).iter_rows(named=True)}
    for domain, n in (("x", 100), ("y", 30)):
        expected = 100 * math.tanh((1.6448536 + 0.8416212) * 2 / math.sqrt(n) / 2)
        assert rows[domain]["n_pairs"] == n
        assert rows[domain]["lift"] == pytest.approx(expected)
        assert rows[domain]["basis"] == "best case"
    said = domain_warning(without, largest=30)
    assert "in these domains: y (30 verdicts, 43 %). In brackets" in said
    assert "at the very least" in said
    assert "any single one of the 2 domains" in domain_warning(without, largest=20)
    assert domain_warning(without, largest=60) == ""


def test_the_reach_from_intervals(length_world: Explanation) -> None:
    # Intervals of half-width .3 at the 90 % level: .3 (1 + .8416 / 1.6449) log-odds are needed.
    total = length_world.total
    assert hasattr(total, "estimate")
    some = np.full(total.weight.shape, 0.1)
    found = replace(
        length_world, total=replace(total, estimate=some, low=some - 0.3, high=some + 0.3)
    )
    expected = 100 * math.tanh(0.3 * (1 + 0.8416212 / 1.6448536) / 2)
    assert domain_reach(found)["lift"].to_list() == pytest.approx([expected] * 2)
    assert "at the very least" not in domain_warning(found, largest=10)


def _without_estimate(found: Explanation):  # type: ignore[no-untyped-def]
    """Return the effects in domains without confidence intervals, as early files have them."""
    total = found.total
    if hasattr(total, "estimate"):
        return replace(total, estimate=np.full(total.weight.shape, np.nan))
    return total
