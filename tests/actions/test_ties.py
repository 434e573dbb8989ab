"""Breaking ties: which pairs, what the fits may see, and what comes of it in known worlds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import palate
from palate.actions.strategies import guides_of
from palate.actions.ties import break_ties
from palate.actions.ties_fits import TieFits, fit_ties
from palate.actions.ties_found import tied_pairs
from palate.actions.ties_result import TieBreaks
from palate.actions.ties_text import sentences
from palate.data.preferences import Preferences
from palate.errors import DataError, FileFormatError, InputError, UnknownNameError
from palate.llm.scripted.server import serve

from .ties_world import JUDGE, PEOPLE, matrix_of, tied_world, with_verdicts


@pytest.fixture(scope="module", autouse=True)
def fewer_folds() -> Iterator[None]:
    """Choose penalties by three folds: what is tested does not depend on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("palate.actions.ties_fits.FOLDS", 3)
        yield


@pytest.fixture(scope="module")
def world() -> tuple[Preferences, object]:
    return tied_world()


@pytest.fixture(scope="module")
def small() -> tuple[Preferences, TieFits, object]:
    """Few pairs, for questions to a model."""
    preferences, concepts = tied_world(100, seed=4)
    return preferences, fit_ties(preferences, "judge", concepts, reference="people"), concepts


@pytest.fixture(scope="module")
def fits(world) -> TieFits:
    return fit_ties(world[0], "judge", world[1], reference="people")


def arrays(fits: TieFits) -> list[np.ndarray]:
    """Everything that was learned."""
    sides = [s for p in fits.parts for s in (p.own, p.reference, p.difference) if s is not None]
    return [a for s in sides for a in (s.weights, np.nan_to_num(s.effects), s.supported)]


def same(one: TieFits, other: TieFits) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


# -- which pairs ------------------------------------------------------------------------------


def rows(*said: tuple[float | None, object]) -> Preferences:
    """Pairs with a verdict of the judge and what is kept of its orders."""
    return Preferences.from_rows(
        {
            "id": f"p{i}",
            "domain": "d",
            "prompt": f"q{i}",
            "response_a": "a",
            "response_b": "b",
            "labels": {"judge": verdict, "other": 1},
            "meta": {"orders": {"judge": orders}} if orders is not None else {},
        }
        for i, (verdict, orders) in enumerate(said)
    )


def test_ties_are_pairs_whose_orders_disagree_or_zeros_without_orders() -> None:
    preferences = rows(
        (0, "ab"), (0, "ba"), (0, "ta"), (0, {"ab": 1, "ba": -1}), (0, None), (0, "??"), (0, "a-"),
        (0, "tt"), (0, {"ab": 0, "ba": 0}), (1, "aa"), (1, None), (None, None), (1, "ab"),
    )  # fmt: skip
    assert tied_pairs(preferences, "judge").tolist() == [True] * 7 + [False] * 6


def test_no_ties_to_break_is_one_sentence() -> None:
    with pytest.raises(DataError, match=r"'other': found no tie among its 2 verdicts"):
        tied_pairs(rows((0, "ab"), (1, "aa")), "other")
    with pytest.raises(DataError, match=r"3 verdicts \(2 are 0 because both orders said so\)"):
        tied_pairs(rows((0, "tt"), (0, "tt"), (1, "aa")), "judge")
    with pytest.raises(DataError, match=r"2 verdicts \(soft verdicts have a side"):
        tied_pairs(rows((0.1, "ab"), (1, "aa")), "judge")
    with pytest.raises(UnknownNameError, match="nobody"):
        tied_pairs(rows((0, "ab")), "nobody")


# -- what the fits see ------------------------------------------------------------------------


def test_the_reference_on_tied_pairs_is_never_looked_at(world, fits: TieFits) -> None:
    preferences, concepts = world
    people = preferences.verdict("people")
    people[fits.rows] *= -1
    turned = with_verdicts(preferences, people=people)
    again = fit_ties(turned, "judge", concepts, reference="people")
    assert same(fits, again)
    found = break_ties(preferences, "judge", reference="people", fits=fits).pairs
    assert found.equals(break_ties(turned, "judge", reference="people", fits=again).pairs)


def test_a_tied_pair_is_decided_without_anything_of_its_prompt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("palate.actions.ties_fits.PARTS", 2)
    preferences, concepts = tied_world(110, prompts=45, seed=3)
    fits = fit_ties(preferences, "judge", concepts, reference="people")
    assert len(fits.parts) == 2
    assert "divided into 2 parts" in fits.notes[0]
    part = 1
    own = np.isin(fits.group_of, fits.group_of[fits.rows[fits.part_of == part]])
    turned = with_verdicts(
        preferences,
        people=np.where(own, -1, 1) * preferences.verdict("people"),
        judge=np.where(own, -1, 1) * preferences.verdict("judge"),
    )
    other = fit_ties(turned, "judge", concepts, reference="people")
    only = [replace(f, parts=f.parts[part : part + 1]) for f in (fits, other)]
    assert same(*only)
    assert not same(fits, other)


def test_exchanging_the_responses_exchanges_the_sides(world, fits: TieFits) -> None:
    preferences, concepts = world
    swapped = fit_ties(
        preferences.swap(),
        "judge",
        replace(concepts, values=-concepts.values),
        reference="people",
    )
    for by in ("all", "supported"):
        one = break_ties(preferences, "judge", reference="people", fits=fits, by=by)
        other = break_ties(preferences.swap(), "judge", reference="people", fits=swapped, by=by)
        assert np.array_equal(one.pairs["broken"], -other.pairs["broken"])
        assert one.strategies.equals(other.strategies)


# -- what comes of it -------------------------------------------------------------------------


def test_the_reference_breaks_ties_better_than_the_judge_and_the_judge_than_chance(
    world, fits: TieFits
) -> None:
    preferences, _ = world
    found = break_ties(preferences, "judge", reference="people", fits=fits)
    row = {r["strategy"]: r for r in found.strategies.to_dicts()}
    assert list(row) == ["random", "own", "reference", "difference"]
    assert row["reference"]["accuracy"] > row["own"]["accuracy"] > 0.5
    assert row["reference"]["p_adjusted"] < 0.001
    assert row["reference"]["over_random_low"] > 0
    assert row["random"]["over_random"] is None
    n = preferences.n_pairs
    for r in row.values():
        assert r["gain"] == pytest.approx(r["accuracy"] - 0.5)
        gained = r["n_scored"] * r["gain"] / n
        assert r["all_after"] - r["all_before"] == pytest.approx(gained)
        assert r["all_gain"] == pytest.approx(gained)
        assert r["accuracy_low"] <= r["accuracy"] <= r["accuracy_high"]
    assert set(found.domains["domain"]) == {"north", "south"}
    ends = found.curve.filter(allowed=1.0)
    assert ends["accuracy"].to_list() == pytest.approx(found.strategies["accuracy"].to_list())


def test_supported_concepts_are_those_that_are_planted(world, fits: TieFits) -> None:
    found = break_ties(world[0], "judge", reference="people", fits=fits, by="supported")
    chosen = {
        s: set(found.concepts.filter(strategy=s)["concept"].to_list())
        for s in ("own", "reference", "difference")
    }
    planted = {"own": JUDGE, "reference": PEOPLE, "difference": PEOPLE - JUDGE}
    for strategy, weights in planted.items():
        strong = {f"c{j}" for j in np.flatnonzero(np.abs(weights) >= 1.2)}
        assert strong <= chosen[strategy]
    contrary = found.concepts.filter(strategy="difference", aim="less")["concept"].to_list()
    assert "c2" in contrary
    assert "c0" not in contrary
    assert any("fewer than 4 supported effects of 'judge'" in note for note in found.notes)


def test_the_ways_of_choosing_concepts(fits: TieFits) -> None:
    assert all(g.columns.size == 4 for g in guides_of(fits, "random"))
    assert all(g.columns.size <= 2 for g in guides_of(fits, "reference", n_concepts=2))
    whole = guides_of(fits, "reference", by="all")
    assert max(g.columns.size for g in whole) > 2
    one, other = (guides_of(fits, "random", seed=s) for s in (1, 2))
    assert any(not np.array_equal(a.columns, b.columns) for a, b in zip(one, other, strict=True))


def test_the_new_column_keeps_every_other_verdict(world, fits: TieFits) -> None:
    preferences, _ = world
    found = break_ties(preferences, "judge", reference="people", fits=fits, strategies=["own"])
    broken = found.add_to(preferences)
    before, after = preferences.verdict("judge"), broken.verdict("judge+own")
    assert np.array_equal(after[before != 0], before[before != 0])
    assert np.count_nonzero(after) == np.count_nonzero(before) + found.strategies["n_broken"][0]
    assert broken.metadata.equals(preferences.metadata)
    with pytest.raises(InputError, match=r"'judge\+own' is there already"):
        found.add_to(broken)


def test_without_a_reference_there_is_no_accuracy(world) -> None:
    found = break_ties(world[0], "judge", world[1])
    assert found.strategies["strategy"].to_list() == ["random", "own"]
    assert found.strategies["accuracy"].null_count() == 2
    assert not found.curve.height
    assert any("no accuracy can be given" in note for note in found.notes)


def test_a_reference_that_ties_is_not_scored_there(world, fits: TieFits) -> None:
    preferences, _ = world
    people = preferences.verdict("people")
    rows = np.flatnonzero(tied_pairs(preferences, "judge"))
    people[rows[:30]] = 0
    people[rows[30:40]] = np.nan
    found = break_ties(
        with_verdicts(preferences, people=people), "judge", reference="people", fits=fits
    )
    assert set(found.strategies["n_scored"]) == {rows.size - 40}
    assert any(f"took a side on {rows.size - 40}" in note for note in found.notes)


def test_a_reference_with_the_same_verdicts_is_told(world, fits: TieFits) -> None:
    preferences, _ = world
    same = with_verdicts(preferences, people=preferences.verdict("judge"))
    found = break_ties(same, "judge", reference="people", fits=fits, strategies=["random"])
    assert "'people' has the same verdicts as 'judge'." in found.notes
    assert len(sentences(found)) == 1


def test_a_judge_that_cannot_be_explained_leaves_random_and_reference() -> None:
    preferences, concepts = tied_world(120)
    judge = np.zeros(120)
    judge[:10] = 1.0
    preferences = with_verdicts(preferences, judge=judge)
    preferences = replace(preferences, metadata=pl.DataFrame(), json_metadata=frozenset())
    found = break_ties(preferences, "judge", concepts, reference="people")
    assert found.strategies["strategy"].to_list() == ["random"]  # people have 10 pairs left too
    assert any("'own' is left out" in note for note in found.notes)
    assert any(note.startswith("Without the tied pairs and what") for note in found.notes)
    with pytest.raises(DataError, match="None of the strategies"):
        break_ties(preferences, "judge", concepts, strategies=["own"])


def test_pairs_without_values_stay_ties(world) -> None:
    preferences, concepts = world
    rows = np.flatnonzero(tied_pairs(preferences, "judge"))
    values = concepts.values.copy()
    values[rows[:25]] = np.nan
    found = break_ties(preferences, "judge", matrix_of(values, concepts.ids), reference="people")
    assert any(f"25 of the {rows.size} tied pairs have no concept" in n for n in found.notes)
    own = found.pairs.filter(strategy="reference")["broken"].to_numpy()
    assert not own[:25].any()


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"strategies": ["best"]}, UnknownNameError, "best"),
        ({"strategies": ["difference"]}, InputError, "needs a reference"),
        ({"reference": "judge"}, InputError, "expected two different ones"),
        ({"reference": "nobody"}, UnknownNameError, "nobody"),
        ({"by": "luck"}, UnknownNameError, "luck"),
        ({"n_concepts": 0}, InputError, "n_concepts"),
        ({"level": 1.0}, InputError, "level"),
        ({"fdr": 0.0}, InputError, "fdr"),
        ({"by": "all", "client": object()}, InputError, "follows few concepts"),
    ],
)
def test_what_is_wrong_is_said(world, wrong: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        break_ties(*world[:1], "judge", world[1], **wrong)


def test_a_result_is_saved_and_read_back(world, fits: TieFits, tmp_path: Path) -> None:
    found = break_ties(world[0], "judge", reference="people", fits=fits, by="supported")
    found.save(tmp_path / "ties.json")
    again = TieBreaks.load(tmp_path / "ties.json")
    for name in ("strategies", "domains", "curve", "concepts", "pairs"):
        assert getattr(again, name).equals(getattr(found, name))
    assert (again.judge, again.reference, again.notes) == ("judge", "people", found.notes)
    assert "TieBreaks('judge', reference 'people'" in repr(again)
    (tmp_path / "other.json").write_text('{"schema": "x"}')
    with pytest.raises(FileFormatError, match=r"palate\.tie_breaks/1"):
        TieBreaks.load(tmp_path / "other.json")


# -- asked again ------------------------------------------------------------------------------


def test_a_model_is_asked_in_both_orders_about_the_concepts(small) -> None:
    preferences, fits, concepts = small
    row = {p["response_a"]: k for k, p in enumerate(preferences.pairs.to_dicts())}
    seen = []

    def script(question):
        seen.append(question)
        first, second = question.material["response_1"], question.material["response_2"]
        turned = first not in row
        x = concepts.values[row[second if turned else first]] * (-1 if turned else 1)
        if x[5] > 0:  # a bias to the place where it stands
            return {"verdict": "first"}
        said = sum((1 if a == "more" else -1) * x[int(name[1:])] for name, a in aims(question))
        return {"verdict": {1: "first", -1: "second", 0: "equal"}[int(np.sign(said))]}

    with serve(script) as server, palate.connect("openai:x", base_url=server.base_url) as client:
        found = break_ties(
            preferences, "judge", reference="people", fits=fits, client=client,
            strategies=["reference"], by="weight",
        )  # fmt: skip
    table = found.strategies.row(0, named=True)
    assert len(seen) == 2 * table["n_tied"]
    assert all(q.name == "follows" for q in seen)
    assert table["accuracy"] > 0.6
    pairs = found.pairs.to_dicts()
    disagree = [p for p in pairs if p["ab"] != p["ba"]]
    assert disagree
    assert all(p["broken"] == 0 for p in disagree)
    assert all(p["broken"] == p["ab"] for p in pairs if p["ab"] == p["ba"])
    assert {len(q.aims) for q in seen} == {4}


def aims(question) -> list[tuple[str, str]]:
    """The criteria of a question with their aims."""
    return [(name, "more" if sign > 0 else "less") for name, sign in question.aims.items()]


def test_answers_that_fail_leave_a_tie_and_are_told(small) -> None:
    preferences, fits, _ = small
    rows = fits.rows[:-1]  # all but one
    lost = set(preferences.pairs["response_b"].gather(rows))

    def script(question):
        texts = question.material.values()
        if question.material["response_1"].startswith("b") and lost & set(texts):
            return {"verdict": "neither of them"}
        return {"verdict": "first"}

    with serve(script) as server, palate.connect("openai:x", base_url=server.base_url) as client:
        found = break_ties(
            preferences, "judge", reference="people", fits=fits, client=client,
            strategies=["own"], by="weight",
        )  # fmt: skip
    assert found.strategies["n_broken"].to_list() == [0]
    assert found.strategies["n_failed"].to_list() == [fits.n_tied - 1]
    assert found.strategies["p_value"].to_list() == [None]
    assert any(f"lack an answer in some order stay ties ({fits.n_tied - 1} for own)" in note
               for note in found.notes)  # fmt: skip
    assert found.pairs["failure"].null_count() == 1
    assert sentences(found)[1:] == ["None was broken."]


def test_a_model_that_answers_nothing_is_no_result(small) -> None:
    preferences, fits, _ = small
    with (
        serve(lambda question: {"verdict": "banana"}) as server,
        palate.connect("openai:x", base_url=server.base_url) as client,
        pytest.raises(DataError, match=r"None of the questions about \d+ tied pairs .*banana"),
    ):
        break_ties(
            preferences, "judge", reference="people", fits=replace_ties(fits, 3), client=client,
            strategies=["own"], by="weight",
        )  # fmt: skip


def replace_ties(fits: TieFits, n: int) -> TieFits:
    """The same with the first n tied pairs only."""
    per_pair = ("rows", "values", "codes", "part_of", "covered")
    return replace(fits, **{name: getattr(fits, name)[:n] for name in per_pair})


# -- simulations and recorded data -------------------------------------------------------------


@pytest.mark.slow
def test_a_reference_that_tosses_a_coin_is_found_out_at_the_nominal_rate() -> None:
    p = []
    for seed in range(8):
        preferences, concepts = tied_world(140, people=np.zeros(6), seed=100 + seed)
        fits = fit_ties(preferences, "judge", concepts, reference="people")
        random = np.random.default_rng(seed)
        for _ in range(25):  # on tied pairs people may say anything: the fits do not know it
            people = preferences.verdict("people")
            people[fits.rows] = random.choice([-1.0, 1.0], fits.n_tied)
            found = break_ties(
                with_verdicts(preferences, people=people),
                "judge",
                reference="people",
                fits=fits,
                strategies=["own"],
            )
            p += [v for v in found.strategies["p_value"] if v is not None]
    assert len(p) == 200
    assert 0.02 < np.mean(np.array(p) < 0.1) < 0.16  # exact, so a little below where discrete
    assert 0.4 < np.mean(p) < 0.65


@pytest.mark.slow
def test_recorded_ties_are_broken_better_than_they_were_left(shared_data: Path) -> None:
    preferences = palate.read(shared_data / "judges.jsonl.gz")
    concepts = palate.measure(preferences, n_jobs=1)
    found = break_ties(preferences, "GPT-4/Vanilla", concepts, reference="human")
    row = {r["strategy"]: r for r in found.strategies.to_dicts()}
    assert row["own"]["n_tied"] == 90
    for strategy in ("own", "reference", "difference"):
        assert row[strategy]["p_adjusted"] < 0.01
        assert row[strategy]["accuracy"] > 0.6
