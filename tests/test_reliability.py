"""Reliability of annotated concepts: by hand, on simulated annotators, and on real second ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import palate
from palate.concepts.concept import Concept
from palate.concepts.imported import read_concepts
from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import (
    overall,
    read_again,
    reliability,
    reliability_notes,
    unreliable,
    variance_inflation,
)
from palate.errors import DataError, FileFormatError, InputError
from palate.models.ridge import ridge_logistic


def matrix_of(values, names=None, *, step=None, domains=None) -> ConceptMatrix:  # type: ignore[no-untyped-def]
    """Return values as concepts on pairs p0, p1, ..."""
    values = np.asarray(values, dtype=float)
    names = names or [f"c{j}" for j in range(values.shape[1])]
    return ConceptMatrix(
        ids=tuple(f"p{i}" for i in range(len(values))),
        concepts=tuple(
            Concept(n, f"High: more {n}; low: less.", domains=(domains or {}).get(n)) for n in names
        ),
        values=values,
        scales=("comp" if step is None else "score",) * len(names),
        step=np.full(len(names), np.nan if step is None else step),
    )


def twice(random, n: int, *, share: float, error: float):  # type: ignore[no-untyped-def]
    """Return two annotations that are each replaced by chance with probability `error`.

    The share of the variance that is common is (1 - error)^2.
    """
    p = [share / 2, 1 - share, share / 2]
    true = random.choice([-1.0, 0.0, 1.0], n, p=p)
    return [
        np.where(random.random(n) < error, random.choice([-1.0, 0.0, 1.0], n, p=p), true)
        for _ in range(2)
    ]


def test_the_figures_by_hand() -> None:
    # 10 pairs where both say 1, 2 opposite, 4 with a value in one only, 14 where both say 0.
    one = np.r_[np.ones(10), np.ones(2), np.ones(4), np.zeros(14)]
    two = np.r_[np.ones(10), -np.ones(2), np.zeros(4), np.zeros(14)]
    row = reliability(matrix_of(one[:, None]), matrix_of(two[:, None])).row(0, named=True)
    assert (row["n_pairs"], row["n_nonzero"]) == (30, 16)
    assert row["agreement"] == pytest.approx(24 / 30)
    assert row["opposite"] == pytest.approx(2 / 12)
    # 2 x (10 - 2) / (16 + 12).
    assert row["reliability"] == pytest.approx(16 / 28)
    assert row["low"] < 16 / 28 < row["high"]
    # One concept: nothing to inflate, the factor is the reliability itself.
    assert row["vif"] == pytest.approx(1.0)
    assert row["attenuation"] == pytest.approx(16 / 28)
    # Kappa in both orders: 16/30 and 12/30 are not 0, half of them on either side.
    chance = (14 / 30) * (18 / 30) + 2 * (8 / 30) * (6 / 30)
    assert row["kappa"] == pytest.approx((24 / 30 - chance) / (1 - chance))


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), min_size=20, max_size=60))
def test_reliability_is_quadratically_weighted_kappa_of_both_orders(pairs) -> None:  # type: ignore[no-untyped-def]
    values = np.array(pairs, dtype=float)
    row = reliability(matrix_of(values[:, :1]), matrix_of(values[:, 1:])).row(0, named=True)
    both = np.vstack([values, -values])
    table = np.array([[np.sum((both == (i, j)).all(1)) for j in (-1, 0, 1)] for i in (-1, 0, 1)])
    table = table / table.sum()
    loss = np.subtract.outer([-1, 0, 1], [-1, 0, 1]) ** 2
    expected = np.outer(table.sum(1), table.sum(0))
    if (values == 0).all():
        assert row["reliability"] is None
        assert row["status"] == "not shown"
    else:
        kappa = 1 - (loss * table).sum() / (loss * expected).sum()
        assert row["reliability"] == pytest.approx(kappa)


def test_exchanging_responses_changes_nothing() -> None:
    random = np.random.default_rng(0)
    one, two = twice(random, 60, share=0.5, error=0.2)
    side = random.choice([-1.0, 1.0], 60)
    found = reliability(matrix_of(one[:, None]), matrix_of(two[:, None]))
    swapped = reliability(matrix_of((one * side)[:, None]), matrix_of((two * side)[:, None]))
    assert found.equals(swapped)


@pytest.mark.parametrize(
    ("n", "share", "error"), [(80, 0.6, 0.15), (80, 0.1, 0.02), (80, 0.6, 0.45), (300, 0.3, 0.05)]
)
def test_intervals_hold_the_truth(n: int, share: float, error: float) -> None:
    # 200 drawings of intervals at the 90 % level, Monte-Carlo error 2.1 points.
    random = np.random.default_rng(1)
    truth, holds, said = (1 - error) ** 2, 0, []
    for seed in range(200):
        one, two = twice(random, n, share=share, error=error)
        row = reliability(matrix_of(one[:, None]), matrix_of(two[:, None]), seed=seed)
        low, high = row["low"][0], row["high"][0]
        holds += low is None or low <= truth <= high
        said.append(row["status"][0])
    assert holds / 200 > 0.9 - 3 * 0.021
    wrong = "too unreliable" if truth > 0.4 else "reliable"
    assert said.count(wrong) <= 4


def test_errors_shrink_the_effect_as_said() -> None:
    # Soft verdicts, the chances that the true values give, fitted on values with errors. The first
    # concept alone is shrunk by its reliability; beside a related one by 1 - VIF (1 - r).
    random = np.random.default_rng(2)
    n, weight = 4_000, 0.3
    common = random.normal(size=(n, 1))
    true = (common + random.normal(size=(n, 2))) / np.sqrt(2)
    one, two = (true + random.normal(scale=0.5, size=true.shape) for _ in range(2))
    y = np.tanh(weight * true[:, 0] / 2)
    table = reliability(matrix_of(one, step=1.0), matrix_of(two, step=1.0))
    assert table["reliability"].to_list() == pytest.approx([1 / 1.25] * 2, abs=0.01)
    alone, _ = ridge_logistic(one[:, :1], y, np.ones(n), Cs=[1e3])
    beside, _ = ridge_logistic(one, y, np.ones(n), Cs=[1e3])
    assert alone[0] / weight == pytest.approx(table["reliability"][0], abs=0.02)
    assert beside[0] / weight == pytest.approx(table["attenuation"][0], abs=0.02)
    assert table["attenuation"][0] < table["reliability"][0] - 0.03
    assert beside[1] > 0.02  # what is missing shows up at the related concept


def test_variance_inflation_is_that_of_a_regression() -> None:
    random = np.random.default_rng(3)
    X = random.normal(size=(100, 3)) @ random.normal(size=(3, 3))
    found = variance_inflation(X)
    for j in range(3):
        rest = np.delete(X, j, axis=1)
        left = X[:, j] - rest @ np.linalg.lstsq(rest, X[:, j], rcond=None)[0]
        assert found[j] == pytest.approx((X[:, j] @ X[:, j]) / (left @ left))
    assert np.isnan(variance_inflation(np.c_[X, np.zeros(100), X[:, 0]])).all()
    assert np.isnan(variance_inflation(np.zeros((4, 1)))[0])


def test_groups_widen_the_interval() -> None:
    random = np.random.default_rng(4)
    base = twice(random, 30, share=0.6, error=0.3)
    one, two = (np.repeat(x, 10)[:, None] for x in base)
    alone = reliability(matrix_of(one), matrix_of(two)).row(0, named=True)
    joined = reliability(matrix_of(one), matrix_of(two), groups=np.arange(300) // 10)
    row = joined.row(0, named=True)
    assert row["n_groups"] == 30
    assert row["high"] - row["low"] > 2 * (alone["high"] - alone["low"])


def test_units_and_domains_are_respected() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(40, 2))
    # The same numbers in steps of 2 and of 4 units.
    table = reliability(matrix_of(x, step=2.0), matrix_of(x / 2, step=4.0))
    assert table["reliability"].to_list() == pytest.approx([1.0, 1.0])
    # c1 is specific to domain d: on the other pairs nobody asks.
    where = ["d"] * 25 + ["e"] * 15
    one = matrix_of(np.sign(x), domains={"c1": ("d",)})
    table = reliability(one, matrix_of(np.sign(x)), domains=where)
    assert table["n_pairs"].to_list() == [40, 25]
    assert overall(one, matrix_of(np.sign(x)), domains=where)["n_values"] == 65


def test_an_unreliable_concept_is_named_and_an_absent_one_is_not_shown() -> None:
    random = np.random.default_rng(6)
    noise = random.choice([-1.0, 1.0], size=(2, 60))
    good = random.choice([-1.0, 0.0, 1.0], 60)
    table = reliability(
        matrix_of(np.c_[noise[0], good, good], ["noise", "good", "once"]),
        matrix_of(np.c_[good, noise[1]], ["good", "noise"]),
    )
    assert table["status"].to_list() == ["too unreliable", "reliable", "not shown"]
    assert unreliable(table) == ("noise",)
    assert table["n_pairs"][2] == 0
    said = reliability_notes(table)
    assert said[0].startswith("Nothing can be said about these concepts")
    assert f"noise ({table['reliability'][0]:.2f}" in said[0]
    assert said[1].endswith("annotated twice: once.")
    assert reliability_notes(table.filter(status="reliable")) == ()


def test_bad_input_is_said() -> None:
    one = matrix_of(np.ones((30, 1)))
    with pytest.raises(InputError, match="found 'other'; expected some of the concepts 'c0'"):
        reliability(one, matrix_of(np.ones((30, 1)), ["other"]))
    with pytest.raises(DataError, match="found 10 pairs"):
        reliability(one, matrix_of(np.ones((10, 1))))
    with pytest.raises(InputError, match="groups"):
        reliability(one, one, groups=[1, 2])
    with pytest.raises(InputError, match="domains"):
        reliability(one, one, domains=["x"])


def test_second_annotations_are_read_from_the_same_or_another_file(tmp_path: Path) -> None:
    rows = [
        {"id": f"p{i}", "values": {"c": 1}} | ({"values_swapped": {"c": -1}} if i < 20 else {})
        for i in range(30)
    ]
    path, other = tmp_path / "values.jsonl", tmp_path / "again.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    other.write_text("".join(json.dumps(r) + "\n" for r in rows[5:]), encoding="utf-8")
    same = read_again(None, path, path)
    assert same.ids == tuple(f"p{i}" for i in range(20))
    assert (same.values == -1).all()
    again = read_again(None, path, other)
    assert again.n_pairs == 25
    assert (again.values == 1).all()
    other.write_text('{"id": "p0", "values": {"c": 1}}\n', encoding="utf-8")
    with pytest.raises(FileFormatError, match="found no second annotation"):
        read_again(None, other, other)


def test_the_second_annotations_of_judges_concepts(shared_data: Path) -> None:
    # Known of the data: kappa .84 and no opposite signs; Cohen's kappa again from the raw file.
    concepts, values = shared_data / "judges_concepts.json", "judges_concepts.jsonl.gz"
    matrix = read_concepts(concepts, shared_data / values)
    again = read_again(concepts, shared_data / values, shared_data / values)
    assert again.n_pairs == 80
    found = overall(matrix, again)
    assert found["kappa"] == pytest.approx(0.84, abs=0.005)
    assert found["opposite"] == 0.0
    pairs = []
    with gzip.open(shared_data / values, "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            for name, value in (row.get("values_swapped") or {}).items():
                pairs.append((row["values"][name], value))
    raw = np.array(pairs)
    table = np.array([[np.sum((raw == (i, j)).all(1)) for j in (-1, 0, 1)] for i in (-1, 0, 1)])
    table = table / table.sum()
    chance = table.sum(0) @ table.sum(1)
    assert found["kappa"] == pytest.approx((np.trace(table) - chance) / (1 - chance), abs=0.002)
    preferences = palate.read(str(shared_data / "judges.jsonl.gz"))
    domain = dict(zip(preferences.ids, preferences.pairs["domain"], strict=True))
    table = reliability(matrix, again, domains=[domain[i] for i in matrix.ids])
    status = dict(zip(table["concept"], table["status"], strict=True))
    assert status["Answer correctness"] == "reliable"
    assert status["Harm avoidance"] == "not shown"  # never differs on the pairs annotated twice
    assert unreliable(table) == ()
