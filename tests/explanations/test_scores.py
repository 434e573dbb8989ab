"""Held-out scores, baselines and lifts against figures worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.data.splits import grouped_folds
from palate.explanations.evaluation import (
    HeldOut,
    baseline,
    blocks,
    in_domain,
    new_domain,
    transfer_losses,
    trial,
    without,
)
from palate.explanations.explain import explain
from palate.explanations.grid import transfer_configs
from palate.explanations.lifts import mean_exact, sigmoid
from palate.explanations.problem import Frame, Problem
from palate.explanations.resampling import build, divide, n_bags, sample_groups
from palate.explanations.scores import correctness, score_rows
from palate.models.selection import default_grid
from tests.explanations.worlds import matrix_of, planted, preferences_of


def problem_of(verdicts: list[float], domains: list[str], **texts) -> Problem:  # type: ignore[no-untyped-def]
    """Return a problem with one random concept."""
    preferences = preferences_of({"judge": verdicts}, domains, **texts)
    values = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(domains), 2))
    frame = Frame.of(preferences, matrix_of(values, preferences.ids), missing="zero", cluster=None)
    return Problem.of(frame, "judge", preferences.verdict("judge"))


def test_scores_by_hand() -> None:
    # Domain x: 30 pairs, 18 right, 6 undecided, 6 wrong: (18 + 3) / 30 = .7.
    # Domain y: 10 pairs, all right: 1. Mean of domains .85, over all pairs 31 / 40.
    y = [1.0, -1.0] * 20
    problem = problem_of(y, ["x"] * 30 + ["y"] * 10)
    z = np.array(y) * math.log(3)  # a probability of 3/4 for the right side
    z[18:24] = 0.0
    z[24:30] *= -1
    rows = score_rows(problem, [HeldOut("in domain", "HMDR", z)], n_folds=5, level=0.9, seed=0)
    found = {r["domain"]: r for r in rows}
    assert found["x"]["accuracy"] == pytest.approx(0.7)
    assert found["y"]["accuracy"] == pytest.approx(1.0)
    assert found["(mean)"]["accuracy"] == pytest.approx(0.85)
    assert found["(all pairs)"]["accuracy"] == pytest.approx(31 / 40)
    loss_x = (18 * math.log(4 / 3) + 6 * math.log(2) + 6 * math.log(4)) / 30
    assert found["x"]["log_loss"] == pytest.approx(loss_x)
    assert found["(mean)"]["log_loss"] == pytest.approx((loss_x + math.log(4 / 3)) / 2)
    assert [found[d]["n_pairs"] for d in ("x", "y", "(mean)", "(all pairs)")] == [30, 10, 40, 40]
    # In y every pair is right, so every draw is; in x the spread is that of a mean of 30.
    assert found["y"]["accuracy_low"] == found["y"]["accuracy_high"] == 1.0
    spread = np.std(correctness(z[:30], np.array(y[:30]))) / math.sqrt(30)
    width = found["x"]["accuracy_high"] - found["x"]["accuracy_low"]
    assert width == pytest.approx(2 * 1.645 * spread, rel=0.15)


def test_the_gain_is_the_paired_difference() -> None:
    # 100 pairs of one domain: 60 both get right, 10 only HMDR, 2 only the other, 28 neither.
    y = [1.0, -1.0] * 50
    problem = problem_of(y, ["x"] * 100)
    right = np.repeat([[1, 1], [1, -1], [-1, 1], [-1, -1]], [60, 10, 2, 28], axis=0) * 1.0
    found = [
        HeldOut("in domain", name, right[:, m] * np.array(y))
        for m, name in enumerate(("HMDR", "pooled"))
    ]
    rows = score_rows(problem, found, n_folds=5, level=0.9, seed=0)
    ours, theirs = (next(r for r in rows if r["model"] == m) for m in ("HMDR", "pooled"))
    assert "gain" not in ours
    assert theirs["gain"] == pytest.approx(0.08)
    # The paired differences are 10 times +1, 2 times -1 and 88 times 0.
    spread = np.std([1] * 10 + [-1] * 2 + [0] * 88) / 10
    assert theirs["gain_low"] == pytest.approx(0.08 - 1.645 * spread, abs=0.011)
    assert theirs["gain_high"] == pytest.approx(0.08 + 1.645 * spread, abs=0.011)
    assert theirs["gain_low"] > 0
    assert ours["accuracy_low"] < theirs["accuracy_high"]  # though the two intervals overlap


def test_domains_with_fewer_pairs_than_folds_have_no_score() -> None:
    problem = problem_of([1.0, -1.0] * 20, ["x"] * 36 + ["y"] * 4)
    rows = score_rows(
        problem, [HeldOut("in domain", "HMDR", problem.y)], n_folds=5, level=0.9, seed=0
    )
    assert [r["domain"] for r in rows] == ["x", "(mean)", "(all pairs)"]
    assert rows[-1]["n_pairs"] == 36


def test_a_domain_of_one_prompt_has_a_score_without_an_interval() -> None:
    prompts = [f"Question {i}?" for i in range(20)] + ["One question?"] * 20
    problem = problem_of([1.0, -1.0] * 20, ["x"] * 20 + ["y"] * 20, prompts=prompts)
    z = np.where(np.arange(40) % 3 == 0, -1.0, 1.0) * problem.y
    rows = score_rows(problem, [HeldOut("in domain", "HMDR", z)], n_folds=5, level=0.9, seed=0)
    found = {r["domain"]: r for r in rows}
    assert found["y"]["accuracy"] == pytest.approx(13 / 20)
    assert found["y"]["accuracy_low"] is None
    assert found["y"]["log_loss_high"] is None
    for scope in ("x", "(mean)", "(all pairs)"):
        assert found[scope]["accuracy_low"] < found[scope]["accuracy"]


def test_longer_response_and_majority_by_hand() -> None:
    # The longer response wins 25 of the 30 pairs that differ in length; 10 are equally long.
    lengths = [(3, 1)] * 30 + [(2, 2)] * 10
    verdicts = [1.0] * 25 + [-1.0] * 5 + [1.0, -1.0] * 5
    problem = problem_of(verdicts, ["x"] * 40, lengths=lengths)
    folds = grouped_folds(problem.groups, 5, seed=0)
    tests = [(folds == k, folds != k) for k in range(5)]
    longer = baseline(problem, "longer response", tests)
    assert correctness(longer, problem.y).mean() == pytest.approx((25 + 10 / 2) / 40)
    # Here a is longer and wins 25 + 5 of 40, so always a is right 30 times.
    majority = baseline(problem, "majority", tests)
    assert correctness(majority, problem.y).mean() == pytest.approx(30 / 40)
    for k in range(5):
        train = folds != k
        wins = int((problem.y[train] > 0).sum())
        expected = math.log((wins + 1) / (int(train.sum()) - wins + 1))
        assert majority[folds == k] == pytest.approx(expected)


def test_groups_never_stand_on_both_sides() -> None:
    random = np.random.default_rng(1)
    prompts = [f"Question {p}?" for p in random.integers(0, 40, 200)]  # across domains too
    problem = problem_of(
        random.choice([-1.0, 1.0], 200).tolist(),
        [f"d{d}" for d in random.integers(0, 4, 200)],
        prompts=prompts,
    )
    for d in range(problem.n_domains):
        test = problem.codes == d
        train = without(problem, test)
        assert not set(problem.groups[train]) & set(problem.groups[test])
    part = sample_groups(problem, 60, seed=0)
    rest = np.setdiff1d(np.arange(200), part)
    assert not set(problem.groups[part]) & set(problem.groups[rest])


def test_bags_keep_groups_together_and_do_not_overlap() -> None:
    n = 12_000
    random = np.random.default_rng(2)
    problem = problem_of(
        random.choice([-1.0, 1.0], n).tolist(),
        ["x", "y"] * (n // 2),
        prompts=[f"{i // 3}" for i in range(n)],
    )
    assert n_bags(problem) == 2
    members = divide(problem, 2, seed=0)
    assert not set(problem.groups[members[0]]) & set(problem.groups[members[1]])
    assert all(abs(m.size - 6_000) < 10 for m in members)


def test_every_domain_is_predicted_by_models_that_have_not_seen_it() -> None:
    # Change all verdicts of one domain: its own predictions, when left out, must not move.
    shared, domain = np.array([1.0, -1.0, 0.0]), np.zeros((6, 3))
    world = planted(420, shared=shared, domain=domain)
    frame = Frame.of(world.preferences, world.concepts, missing="zero", cluster=None)
    verdict = world.preferences.verdict("judge 0")
    changed = np.where(frame.codes == 2, -verdict, verdict)
    found = []
    for y in (verdict, changed):
        problem = Problem.of(frame, "judge 0", y)
        design = build(problem)
        folds = grouped_folds(problem.groups, 5, seed=0, strata=problem.codes)
        configs = transfer_configs(design)
        losses = transfer_losses(problem, design, configs, folds, seed=0)
        found.append(new_domain(problem, design, configs, losses, seed=0))
    for one, two in zip(*found, strict=True):
        left_out = frame.codes == 2
        np.testing.assert_array_equal(one.log_odds[left_out], two.log_odds[left_out])
        if one.model == "HMDR":
            assert not np.array_equal(one.log_odds[~left_out], two.log_odds[~left_out])


@pytest.mark.slow
def test_every_fold_is_predicted_by_models_that_have_not_seen_it() -> None:
    # Change all verdicts of one fold: its own predictions must not move.
    shared, domain = np.array([1.0, -1.0, 0.0]), np.zeros((2, 3))
    world = planted(300, shared=shared, domain=domain)
    frame = Frame.of(world.preferences, world.concepts, missing="zero", cluster=None)
    verdict = world.preferences.verdict("judge 0")
    folds = grouped_folds(frame.group_of, 5, seed=0, strata=frame.codes)
    changed = np.where(folds == 1, -verdict, verdict)
    found = []
    for y in (verdict, changed):
        problem = Problem.of(frame, "judge 0", y)
        design = build(problem)
        found.append(in_domain(problem, trial(design, default_grid(design), folds, seed=0)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one.log_odds[folds == 1], two.log_odds[folds == 1])


@pytest.mark.slow
def test_exchanging_some_pairs_changes_no_prediction_but_those_about_sides() -> None:
    world = planted(200, shared=np.array([1.0, -0.5, 0.0]), domain=np.zeros((2, 3)))
    frame = Frame.of(world.preferences, world.concepts, missing="zero", cluster=None)
    one = Problem.of(frame, "judge 0", world.preferences.verdict("judge 0"))
    side = np.random.default_rng(3).choice([-1.0, 1.0], 200)
    two = replace(one, X=one.X * side[:, None], y=one.y * side, longer=one.longer * side)
    folds = grouped_folds(one.groups, 5, seed=0, strata=one.codes)
    a, b = (
        in_domain(p, trial(build(p), default_grid(build(p)), folds, seed=0)) for p in (one, two)
    )
    for before, after in zip(a, b, strict=True):
        same = np.array_equal(before.log_odds, after.log_odds * side)
        assert same == (before.model not in ("majority", "first response"))


def test_domains_are_put_into_blocks_of_nearly_equal_size() -> None:
    sizes = [50, 40, 30, 30, 20, 20, 10]
    domains = [f"d{k}" for k, n in enumerate(sizes) for _ in range(n)]
    verdicts = np.random.default_rng(0).choice([-1.0, 1.0], 200).tolist()
    block = blocks(problem_of(verdicts, domains))
    filled = [sum(n for n, b in zip(sizes, block, strict=True) if b == k) for k in range(5)]
    assert sorted(filled) == [30, 40, 40, 40, 50]


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=20),
    st.lists(st.floats(-3, 3), min_size=1, max_size=4),
)
def test_the_mean_exact_lift(log_odds: list[float], weights: list[float]) -> None:
    z, w = np.array(log_odds), np.array(weights)
    both = np.concatenate([z, -z])
    expected = [100 * np.mean((sigmoid(both + b) - sigmoid(both)) / sigmoid(both)) for b in weights]
    np.testing.assert_allclose(mean_exact(z, w), expected, rtol=1e-7, atol=1e-7)


def test_small_weights_have_the_first_order_lift() -> None:
    z = np.random.default_rng(0).normal(size=1000)
    w = np.array([1e-4, -1e-4, np.nan])
    np.testing.assert_allclose(mean_exact(z, w)[:2], 50 * w[:2], rtol=1e-3)
    assert np.isnan(mean_exact(z, w)[2])
    assert np.isnan(mean_exact(z[:0], w)).all()


def test_a_cluster_column_joins_groups() -> None:
    import polars as pl

    from palate.data.preferences import Preferences

    world = planted(100, shared=np.array([1.0, 0.0]), domain=np.zeros((1, 2)))
    voters = pl.DataFrame({"voter": [f"v{i // 10}" for i in range(100)]})
    preferences = Preferences(
        pairs=world.preferences.pairs, verdicts=world.preferences.verdicts, metadata=voters
    )
    found = explain(preferences, world.concepts, cluster="voter", n_bootstrap=5)
    assert found.counts["clusters"] == 10
    assert found.counts["prompts"] == 100
