"""Policies of annotation: what they drop, when they stop, and that they do not make things up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

import palate
from palate.concepts.annotation.notes import KINDS
from palate.concepts.annotation.policy import AnnotationState
from palate.concepts.concept import Concept
from palate.errors import InputError, UnknownNameError
from palate.explanations.annotation_evidence import chances, weigh
from palate.explanations.annotation_policies import (
    CONSISTENT,
    FIRST_ROUND,
    economical,
    growing_rounds,
    matters,
    too_rare,
)
from palate.explanations.problem import Frame, Problem
from palate.inference.discoveries import supported
from palate.inference.effects import infer

N, DOMAINS = 400, ("law", "travel")


def world(
    weights: tuple[float, ...], *, n: int = N, seed: int = 0, rare: bool = False
) -> tuple[palate.Preferences, np.ndarray, tuple[Concept, ...], list[str]]:
    """Pairs whose verdicts follow concept values with these weights, in two domains."""
    random = np.random.default_rng(seed)
    values = random.choice([-1.0, 0.0, 1.0], size=(n, len(weights)))
    if rare:
        values[:, -1] = 0.0
    log_odds = values @ np.array(weights)
    verdicts = np.where(random.random(n) < 1 / (1 + np.exp(-log_odds)), 1.0, -1.0)
    domains = [DOMAINS[i % 2] for i in range(n)]
    names = [str(i) for i in range(n)]
    pairs = pl.DataFrame(
        {
            "id": names,
            "domain": domains,
            "prompt": [f"prompt {i}" for i in names],
            "response_a": [f"a {i}" for i in names],
            "response_b": [f"b {i}" for i in names],
        }
    )
    concepts = tuple(Concept(f"c{j}", "High: more; low: less") for j in range(len(weights)))
    preferences = palate.Preferences(pairs=pairs, verdicts=pl.DataFrame({"judge": verdicts}))
    return preferences, values, concepts, domains


def state_of(
    preferences: palate.Preferences,
    values: np.ndarray,
    concepts: tuple[Concept, ...],
    domains: list[str],
    n_asked: int,
    second: np.ndarray | None = None,
) -> AnnotationState:
    """The first pairs are asked, the others not."""
    asked = np.zeros(values.shape, dtype=bool)
    asked[:n_asked] = True
    known = np.where(asked, values, np.nan)
    return AnnotationState(
        ids=tuple(preferences.ids),
        domains=tuple(domains),
        concepts=concepts,
        values=known,
        asked=asked,
        round=1,
        first=known,
        second=np.full(values.shape, np.nan) if second is None else second,
    )


def test_a_strong_concept_stays_and_hopeless_ones_are_dropped_with_a_reason() -> None:
    data = world((2.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    decision = economical(data[0], half_width=None)(state_of(*data, n_asked=200))
    assert "c0" not in decision.reasons
    assert decision.keep[:, 0].all()
    assert decision.reasons
    for name, reason in decision.reasons.items():
        assert not decision.keep[:, int(name[1:])].any()
        assert reason.startswith("after 200 judged pairs its effect has a chance of at most ")
        assert [words for words in KINDS if words in reason] == ["become supported"]
    assert not decision.second.any()


def test_nothing_is_dropped_before_the_pilot_nor_late_nor_without_verdicts() -> None:
    data = world((2.0, 0.0, 0.0, 0.0))
    policy = economical(data[0], half_width=None)
    for n_asked in (60, 300):
        assert policy(state_of(*data, n_asked=n_asked)).keep.all()
    assert economical(data[0], pilot=None)(state_of(*data, n_asked=200)).keep.all()
    none = economical(data[0], mechanisms=[])(state_of(*data, n_asked=200))
    assert none.keep.all()
    assert not none.reasons


def test_a_concept_that_matters_to_one_of_two_mechanisms_stays() -> None:
    preferences, *rest = world((2.0, 0.0, 0.0, 0.0, 0.0))
    other = world((0.0, 2.0, 0.0, 0.0, 0.0))[0].verdict("judge")
    both = palate.Preferences(
        pairs=preferences.pairs, verdicts=preferences.verdicts.with_columns(other=other)
    )
    state = state_of(both, *rest, n_asked=200)
    assert not {"c0", "c1"} & set(economical(both, half_width=None)(state).reasons)
    alone = economical(both, mechanisms=["judge"], half_width=None)(state)
    assert "c0" not in alone.reasons


def test_a_concept_that_never_differs_is_too_rare() -> None:
    data = world((1.0, 0.0, 0.0), rare=True)
    reasons = too_rare(state_of(*data, n_asked=340))
    assert set(reasons) == {"c2"}
    assert reasons["c2"].startswith("the responses differ in it on 0 of 340 pairs")
    assert [words for words in KINDS if words in reasons["c2"]] == ["differ in it"]
    assert not too_rare(state_of(*data, n_asked=100))  # the other 300 may bring enough


def test_a_domain_stops_when_every_interval_in_it_is_narrow() -> None:
    data = world((1.0, 0.5), n=1200)
    state = state_of(*data, n_asked=1000)
    widths = weigh(
        state,
        "judge",
        data[0].verdict("judge"),
        np.arange(1200),
        fdr=0.1,
        level=0.9,
        seed=0,
    )
    assert widths is not None
    wide = float(np.max(widths.half_width))
    for half_width, stops in ((wide * 1.01, True), (wide * 0.99, False)):
        keep = economical(data[0], pilot=None, half_width=half_width)(state).keep
        assert (not keep.any()) == stops
        assert all(row.all() or not row.any() for row in keep)


def test_the_chance_is_what_a_normal_final_estimate_gives() -> None:
    data = world((1.0, 0.3, 0.0))
    values, verdicts = data[1][:200], data[0].verdict("judge")[:200]
    codes = np.arange(200) % 2
    exists = np.ones((3, 3), dtype=bool)
    effects = infer(values, verdicts, codes, np.arange(200), exists=exists)
    n = np.array([100.0, 100.0])
    more = chances(effects, n, 4 * n, fdr=0.1, seed=0)
    assert ((more >= 0) & (more <= 1)).all()
    assert more[0, 0] > 0.95 > more[0, 2]
    # hardly any pairs are left: the chance is whether it is supported now
    now = chances(effects, n, 1.0001 * n, fdr=0.1, seed=0)
    found = supported(effects).shared == "supported everywhere"
    assert ((now[0] > 0.5) == found).all()


def test_the_second_order_is_asked_where_answers_do_not_survive_and_verdicts_are_open() -> None:
    data = world((0.7, 0.7, 3.0), n=200)
    values = data[1]
    random = np.random.default_rng(1)
    second = np.full(values.shape, np.nan)
    second[:60] = values[:60]
    lost = random.random(60) < 0.6
    second[:60][lost, 0] = 0.0
    state = state_of(*data, n_asked=100, second=second)
    twice = (values[:60, 0] != 0).sum()
    survived = (values[:60, 0] * second[:60, 0] > 0).sum()
    assert stats.beta.ppf(0.95, survived + 1, twice - survived) < CONSISTENT
    evidence = weigh(
        state, "judge", data[0].verdict("judge"), np.arange(200), fdr=0.1, level=0.9, seed=0
    )
    assert evidence is not None
    wanted = matters(state, [evidence])
    assert not wanted[:, 1:].any()  # they are consistent
    open_ = ((evidence.chance > 0.1) & (evidence.chance < 0.9))[:, 0]
    assert (wanted[:, 0] == (open_[0] | open_[1:])).all()


def test_given_up_concepts_count_as_tested_with_p_of_one() -> None:
    random = np.random.default_rng(3)
    values = random.choice([-1.0, 0.0, 1.0], size=(300, 6))
    verdicts = np.where(random.random(300) < 1 / (1 + np.exp(-0.45 * values[:, 0])), 1.0, -1.0)
    codes, exists = np.arange(300) % 2, np.ones((3, 6), dtype=bool)
    effects = infer(values, verdicts, codes, np.arange(300), exists=exists)
    p = supported(effects).p_family
    given_up = 14
    order = np.sort(p)
    expected = max((k + 1 for k in range(6) if order[k] <= 0.1 * (k + 1) / 20), default=0)
    found = supported(effects, given_up=given_up)
    chosen = (found.shared != "not supported") | (found.domain != "not supported").any(axis=0)
    assert chosen.sum() <= expected <= (supported(effects).p_family <= 0.1).sum()
    assert np.array_equal(
        supported(effects, fdr=0.1 * 6 / 20).shared, supported(effects, given_up=given_up).shared
    )


def test_the_number_that_was_given_up_reaches_the_explained_problem() -> None:
    preferences, values, concepts, _ = world((1.0, 0.0), n=60)
    matrix = palate.ConceptMatrix(
        ids=tuple(preferences.ids),
        concepts=concepts,
        values=values,
        scales=("comp", "comp"),
        step=np.full(2, np.nan),
        provenance={"given_up": 3},
    )
    other = replace(
        matrix, concepts=tuple(replace(c, name=f"{c.name}'") for c in concepts), provenance={}
    )
    for concepts_, expected in ((matrix, 3), (other.beside(matrix), 3), (other, None)):
        frame = Frame.of(preferences, concepts_, missing="zero", cluster=None, n_jobs=1)
        problem = Problem.of(frame, "judge", preferences.verdict("judge"))
        assert problem.counts.get("given_up") == expected


@pytest.mark.parametrize("n", [1, 40, 240, 10_000, 100_000])
def test_rounds_grow_and_cover_all_pairs(n: int) -> None:
    shares = np.array(growing_rounds(n))
    assert (shares > 0).all()
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] * n <= FIRST_ROUND + 1e-9
    done = np.cumsum(shares)
    assert (done[1:] <= 1.6 * done[:-1] + 1e-12).all()


def test_settings_out_of_range_are_refused() -> None:
    preferences = world((1.0,))[0]
    with pytest.raises(UnknownNameError, match="nobody"):
        economical(preferences, mechanisms=["nobody"])
    for setting in ({"pilot": 1.5}, {"least_chance": 0.0}, {"fdr": 1.0}, {"half_width": 0.0}):
        with pytest.raises(InputError, match=next(iter(setting))):
            economical(preferences, **setting)
