"""The noise ceiling against simulations with known probabilities, and on real annotators."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import palate
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.explanations.ceiling import ceiling_of, explained_share, noise_ceiling
from palate.explanations.explain import explain
from palate.explanations.noise_limits import limits, under_beta
from palate.explanations.replicates import annotators, both_orders, known_replicates, repeated
from palate.explanations.yardsticks import ceiling_sentence
from tests.explanations.worlds import planted, preferences_of


def entropy(p):  # type: ignore[no-untyped-def]
    """Return the entropy of a coin in nats."""
    p = np.clip(p, 1e-300, 1 - 1e-16)
    return -p * np.log(p) - (1 - p) * np.log(1 - p)


def chance(p, kind: str, votes: int):  # type: ignore[no-untyped-def]
    """Return the chance of the verdict, summed over all outcomes by hand."""
    if kind == "orders":
        return p * p / (p * p + (1 - p) ** 2)
    return sum(
        math.comb(votes, k) * p**k * (1 - p) ** (votes - k)
        for k in range(votes // 2 + 1, votes + 1)
    )


CASES = [("votes", 1), ("votes", 3), ("votes", 5), ("orders", 1)]


@pytest.mark.parametrize(("kind", "votes"), CASES)
@given(st.lists(st.tuples(st.floats(0.5, 1), st.floats(0.01, 1)), min_size=1, max_size=6))
@example([(0.501953125, 1.0)])
@example([(0.5, 0.5), (1.0, 0.5)])
def test_the_bounds_hold_for_any_distribution(kind, votes, mixture) -> None:  # type: ignore[no-untyped-def]
    p = np.array([m[0] for m in mixture])
    share = np.array([m[1] for m in mixture]) / sum(m[1] for m in mixture)
    w = p * p + (1 - p) ** 2
    count = share * (w if kind == "orders" else 1)
    right = chance(p, kind, votes)
    accuracy = count @ np.maximum(right, 1 - right) / count.sum()
    log_loss = count @ entropy(right) / count.sum()
    found = limits(float(min(share @ w, 1.0)), kind=kind, votes=votes)
    assert found.accuracy_least - 1e-4 <= accuracy <= found.accuracy_most + 1e-4
    assert found.log_loss_least - 1e-4 <= log_loss <= found.log_loss_most + 1e-4


def test_the_bounds_by_hand() -> None:
    # a = .82: equally hard pairs have p = .9 (.81 + .01); or 64 % clear ones and 36 % coins.
    found = limits(0.82)
    assert found.accuracy_most == pytest.approx(0.9, abs=1e-5)
    assert found.accuracy_least == pytest.approx(0.64 + 0.18)
    assert found.log_loss_most == pytest.approx(entropy(0.9), abs=1e-4)
    assert found.log_loss_least == pytest.approx(0.36 * math.log(2))
    # A majority of three at p = .9: .729 + 3 x .081 = .972.
    assert limits(0.82, votes=3).accuracy_most == pytest.approx(0.972, abs=1e-4)
    # Both orders agree: clear pairs always, coins half of the time: .64 / .82 + .5 x .18 / .82.
    assert limits(0.82, kind="orders").accuracy_least == pytest.approx((0.64 + 0.09) / 0.82)
    assert limits(0.3).accuracy_most == 0.5
    assert limits(1.0).accuracy_least == 1.0


@pytest.mark.parametrize("k", [0.1, 0.5, 1.0, 2.0, 10.0])
def test_the_estimate_is_that_of_a_beta_distribution(k: float) -> None:
    a = (k + 1) / (2 * k + 1)
    accuracy, log_loss = under_beta(np.array(a))
    beta = math.gamma(k) ** 2 / math.gamma(2 * k)
    assert accuracy == pytest.approx(0.5 + 2 ** (-2 * k) / (k * beta), abs=2e-4)
    if k == 1.0:  # uniform p: E max = 3/4 and E H = 1/2
        assert accuracy == pytest.approx(0.75, abs=1e-4)
        assert log_loss == pytest.approx(0.5, abs=1e-4)
    p = np.random.default_rng(0).beta(k, k, 200_000)
    for kind, votes in CASES:
        w = p * p + (1 - p) ** 2 if kind == "orders" else np.ones(p.size)
        right = chance(p, kind, votes)
        expected = w @ np.maximum(right, 1 - right) / w.sum()
        accuracy, log_loss = under_beta(np.array(a), kind=kind, votes=votes)  # type: ignore[arg-type]
        assert accuracy == pytest.approx(expected, abs=3e-3)
        assert log_loss == pytest.approx(w @ entropy(right) / w.sum(), abs=3e-3)


def drawn(p, random, *, votes: int = 3, size: int = 1) -> Preferences:  # type: ignore[no-untyped-def]
    """Return replicated verdicts drawn from p, and their majority; `size` pairs share a prompt."""
    n = p.size
    said = np.where(random.random((votes, n)) < p, 1.0, -1.0)
    verdicts = {f"v{k}": row.tolist() for k, row in enumerate(said)}
    verdicts["majority"] = np.sign(said.sum(axis=0)).tolist()
    prompts = [f"Question {i // size}?" for i in range(n)]
    return preferences_of(verdicts, ["x", "y"] * (n // 2), prompts=prompts)


@pytest.mark.parametrize("shape", ["beta", "equal", "clear or coin"])
@pytest.mark.slow
def test_known_probabilities(shape: str) -> None:
    # 80 drawings of 400 pairs: the bounds hold the truth in all but a few (their intervals are at
    # the 90 % level), and where p is Beta the estimate's interval holds it in 90 %, give or take
    # three Monte-Carlo errors of 3.4 points.
    random = np.random.default_rng(1)
    inside = between = 0
    n_runs = 80
    for _ in range(n_runs):
        if shape == "beta":
            p, truth = random.beta(1.0, 1.0, 400), 0.75
        elif shape == "equal":
            p, truth = np.where(random.random(400) < 0.5, 0.8, 0.2), 0.8
        else:
            p, truth = random.choice([0.0, 0.5, 1.0], 400, p=[0.3, 0.4, 0.3]), 0.8
        found = noise_ceiling(drawn(p, random), ["v0", "v1", "v2"])
        inside += found.accuracy[1] <= truth <= found.accuracy[2]
        between += found.accuracy_least[1] <= truth <= found.accuracy_most[1]
    assert between / n_runs > 0.9 - 3 * 0.034
    if shape == "beta":
        assert inside / n_runs > 0.9 - 3 * 0.034


def test_prompts_are_drawn_as_a_whole() -> None:
    random = np.random.default_rng(2)
    p = np.repeat(random.choice([0.02, 0.5], 40), 10)
    wide = noise_ceiling(drawn(p, random, size=10), ["v0", "v1", "v2"])
    narrow = noise_ceiling(drawn(p, random), ["v0", "v1", "v2"])
    assert wide.n_groups == 40
    assert np.ptp(wide.agreement[1:]) > 1.8 * np.ptp(narrow.agreement[1:])


@pytest.mark.slow
def test_the_share_that_is_explained() -> None:
    # Two judges draw from the same planted weights: the best accuracy is known, and so is what an
    # explanation that finds the weights reaches.
    shared = np.array([1.2, -0.8, 0.5, 0.0])
    world = planted(1000, shared=shared, domain=np.zeros((2, 4)), mechanisms=2)
    z = world.concepts.values @ shared
    truth = float(np.mean(1 / (1 + np.exp(-np.abs(z)))))
    replicates = annotators(world.preferences, ["judge 0", "judge 1"])
    found = explain(
        world.preferences, world.concepts, mechanism="judge 0", n_bootstrap=2, n_folds=3
    )
    share = explained_share(found, world.preferences, replicates)
    assert share.ceiling.accuracy[1] - 0.01 < truth < share.ceiling.accuracy[2] + 0.01
    assert share.low < (share.accuracy - 0.5) / (truth - 0.5) < share.high
    assert share.least < share.share < share.most
    assert share.low < 1 < share.high  # it finds nearly all there is
    said = ceiling_sentence(share)
    assert f"{100 * share.share:.0f} % is explained (90 % interval" in said
    assert f"agree in {100 * share.ceiling.agreement[0]:.1f} % of 1,000 pairs" in said
    nothing = dataclasses.replace(share, share=math.nan)
    assert "cannot be said" in ceiling_sentence(nothing)
    other = annotators(world.preferences, ["judge 1", "judge 0"])
    with pytest.raises(InputError, match="expected the same mechanism"):
        explained_share(found, world.preferences, other)


def test_replicates_are_checked() -> None:
    random = np.random.default_rng(3)
    preferences = drawn(np.full(40, 0.7), random)
    names = ["v0", "v1", "v2"]
    assert annotators(preferences, names, mechanism="majority").votes == 3
    assert annotators(preferences, names, mechanism="v1").votes == 1
    with pytest.raises(InputError, match="at least two"):
        annotators(preferences, ["v0"])
    with pytest.raises(InputError, match="none of the replicates"):
        annotators(preferences, ["v0", "v1"], mechanism="majority")
    few = preferences.select(np.arange(10))
    with pytest.raises(DataError, match="found 10 pairs"):
        noise_ceiling(few, names)
    with pytest.raises(InputError, match="odd number"):
        limits(0.8, votes=2)
    with pytest.raises(InputError, match="between 0 and 1"):
        limits(1.2)


def test_pairs_that_were_judged_again_are_replicates() -> None:
    # Pair i occurs twice, the second time with its responses exchanged.
    random = np.random.default_rng(4)
    first = preferences_of({"judge": [1.0, -1.0] * 20}, ["x"] * 40)
    flips = random.random(40) < 0.25
    again = first.pairs.with_columns(pl.col("id") + "'").rename(
        {"response_a": "response_b", "response_b": "response_a"}
    )
    said = np.where(flips, 1.0, -1.0) * first.verdict("judge")
    both = Preferences(
        pairs=pl.concat([first.pairs, again.select(first.pairs.columns)]),
        verdicts=pl.DataFrame({"judge": np.r_[first.verdict("judge"), said]}),
    )
    replicates = repeated(both, "judge")
    assert replicates.n_pairs == 40
    assert ceiling_of(both, replicates).agreement[0] == pytest.approx(1 - flips.mean())
    found = known_replicates(both, "judge")
    assert found is not None
    assert found.sources == ("judge",)
    assert known_replicates(first, "judge") is None


def test_three_annotators_of_pandalm(shared_data: Path) -> None:
    # Counted from the file with plain Python: agreeing pairs of decided votes.
    preferences = palate.read(str(shared_data / "pandalm.jsonl.gz"))
    names = [f"human/annotator{k}" for k in (1, 2, 3)]
    agree = total = 0.0
    for votes in zip(*(preferences.verdicts[n].to_list() for n in names), strict=True):
        decided = [v for v in votes if v]
        m = len(decided)
        if m >= 2:
            same = sum(decided[i] == decided[j] for i in range(m) for j in range(i))
            agree += m * same / (m * (m - 1) / 2)
            total += m
    found = noise_ceiling(preferences, names, mechanism="human")
    assert found.agreement[0] == pytest.approx(agree / total)
    assert found.votes == 3
    assert found.accuracy[1] < found.accuracy[0] < found.accuracy[2]
    known = known_replicates(preferences, "human/annotator2")
    assert known is not None
    assert (known.votes, known.sources) == (1, tuple(names))
    assert known_replicates(preferences, "PandaLM-7B/pairwise") is None


def test_both_orders_of_a_judge(shared_data: Path) -> None:
    preferences = palate.read(str(shared_data / "judges.jsonl.gz"))
    found = both_orders(preferences, "LLaMA2/Vanilla")
    assert found is not None
    verdict = preferences.verdict("LLaMA2/Vanilla")
    # Where the orders agree the verdict stands, elsewhere it is a tie.
    np.testing.assert_array_equal(verdict[verdict > 0], (found.wins == 2)[verdict > 0])
    ceiling = ceiling_of(preferences, found)
    judged = ~np.isnan(verdict) & (found.wins + found.losses == 2)
    assert ceiling.agreement[0] == pytest.approx(np.mean(verdict[judged] != 0))
    assert ceiling.accuracy_most == (1.0, 1.0)
    assert both_orders(preferences, "human") is None
