"""Students of planted worlds: what they learn, what they leave, and that they are honest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.distil import Student, distil
from palate.distil.agreement import DISTILLED, LEFT

from .worlds import PLANTED, planted

World = tuple[Preferences, ConceptMatrix]


@pytest.fixture(scope="module")
def world() -> World:
    return planted(240)


@pytest.fixture(scope="module")
def student(world: World) -> Student:
    return distil(*world, features="tfidf", n_jobs=1)


def correlation(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """The correlation around 0."""
    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))


def test_planted_concepts_are_distilled_and_a_coin_and_a_constant_are_left(
    student: Student,
) -> None:
    assert tuple(c.name for c in student.concepts) == PLANTED
    assert tuple(c.name for c in student.left) == ("coin", "constant")
    reason = dict(zip(student.table["concept"], student.table["reason"], strict=True))
    assert "variance" in reason["coin"]
    assert reason["constant"] == "the annotations are all 0"
    assert "3 of 5 concepts" in student.notes[0]
    assert len(student.notes) == 3


def test_the_table_foretells_how_well_new_pairs_are_annotated(student: Student) -> None:
    pairs, truth = planted(400, seed=7)
    soft = student.annotate(pairs, n_jobs=1)
    assert soft.names == PLANTED
    assert np.abs(soft.values).max() <= 1.0
    for name in PLANTED:
        row = student.table.row(by_predicate=pl.col("concept") == name, named=True)
        found = correlation(soft.column(name), truth.column(name))
        assert found**2 == pytest.approx(row["reliability"], abs=0.15)
        assert 0.8 < row["attenuation"] < 1.2


def test_soft_values_are_calibrated_so_that_a_regression_on_them_is_not_attenuated() -> None:
    student = distil(*planted(500), features="tfidf", n_jobs=1)
    pairs, truth = planted(2_000, seed=8)
    soft = student.annotate(pairs, n_jobs=1).values
    x = truth.values[:, : len(PLANTED)]
    effects = np.array([1.0, -0.5, 0.0])
    y = x @ effects + 0.5 * np.random.default_rng(0).normal(size=len(x))
    on_soft = np.linalg.lstsq(soft, y, rcond=None)[0]
    assert on_soft == pytest.approx(effects, abs=0.12)
    noisy = x + np.random.default_rng(1).normal(size=x.shape)  # an error that does attenuate
    assert np.linalg.lstsq(noisy, y, rcond=None)[0][0] < 0.7


def test_values_of_training_pairs_are_held_out(student: Student, world: World) -> None:
    pairs, truth = world
    remembered = student.annotate(pairs, n_jobs=1)
    row = student.table.row(0, named=True)
    x = truth.column(row["concept"])
    assert correlation(remembered.column(row["concept"]), x) == pytest.approx(
        row["correlation"], abs=1e-3
    )
    forgetful = replace(student, keys=np.zeros(1, dtype=np.uint64), values=student.values[:1])
    in_sample = forgetful.annotate(pairs, n_jobs=1).column(row["concept"])
    assert correlation(in_sample, x) > row["correlation"] + 0.01


def test_a_concept_whose_labels_are_coins_gets_no_held_out_agreement() -> None:
    pairs, truth = planted(120, seed=3)
    coins = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], size=truth.values.shape)
    # many pairs of one prompt with one label: a leak over folds would be rewarded
    rows = pairs.to_rows()
    repeated = [dict(r, id=f"{r['id']}-{k}") for r in rows for k in range(3)]
    many = Preferences.from_rows(repeated)
    student = distil(
        many,
        replace(truth, ids=tuple(many.ids), values=np.repeat(coins, 3, axis=0)),
        features="tfidf",
        n_jobs=1,
    )
    assert not student.concepts
    assert student.table["reliability"].fill_null(0).max() < 0.1  # type: ignore[operator]


def test_swapping_the_responses_negates_every_value_exactly(student: Student, world: World) -> None:
    new, _ = planted(60, seed=9)
    for pairs in (world[0], new):
        values = student.annotate(pairs, n_jobs=1).values
        assert (student.annotate(pairs.swap(), n_jobs=1).values == -values).all()


def test_training_on_exchanged_responses_gives_the_same_student(world: World) -> None:
    pairs, matrix = world
    flipped = replace(matrix, values=-matrix.values)
    one = distil(pairs, matrix, features="tfidf", n_jobs=1)
    two = distil(pairs.swap(), flipped, features="tfidf", n_jobs=1)
    new, _ = planted(30, seed=11)
    assert two.annotate(new, n_jobs=1).values == pytest.approx(
        one.annotate(new, n_jobs=1).values, abs=2e-4
    )


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(student: Student, world: World) -> None:
    new, _ = planted(2_300, seed=12)
    one = student.annotate(new, n_jobs=1).values
    done: list[int] = []
    two = student.annotate(new, n_jobs=2, progress=lambda k, _: done.append(k)).values
    assert (two == one).all()
    assert done == [1_000, 2_000, 2_300]
    assert distil(*world, features="tfidf", n_jobs=2).table.equals(student.table)


def test_the_order_of_the_pairs_changes_nothing(student: Student) -> None:
    new, _ = planted(300, seed=12)
    one = student.annotate(new, n_jobs=1).values
    order = np.random.default_rng(0).permutation(new.n_pairs)
    assert student.annotate(new.select(order), n_jobs=1).values == pytest.approx(one[order])


def test_the_same_seed_gives_the_same_student(student: Student, world: World) -> None:
    again = distil(*world, features="tfidf", n_jobs=1)
    assert again.table.equals(student.table)
    assert (again.weights.words == student.weights.words).all()


def test_specific_concepts_are_learned_and_given_in_their_domains_only(world: World) -> None:
    pairs, matrix = world
    concepts = (replace(matrix.concepts[0], domains=("d1",)), *matrix.concepts[1:])
    student = distil(pairs, replace(matrix, concepts=concepts), features="tfidf", n_jobs=1)
    assert student.table["n_pairs"].to_list()[:2] == [120, 240]
    new, _ = planted(50, seed=13)
    values = student.annotate(new, n_jobs=1).column(PLANTED[0])
    domains = new.pairs["domain"].to_numpy()
    assert (values[domains == "d0"] == 0).all()
    assert (values[domains == "d1"] != 0).any()


def test_a_new_domain_is_annotated_by_the_shared_part_and_named(student: Student) -> None:
    new, truth = planted(200, seed=14, domains=5)
    soft = student.annotate(new, n_jobs=1)
    assert soft.provenance["new_domains"] == ["d2", "d3", "d4"]
    there = np.isin(new.pairs["domain"].to_numpy(), ["d2", "d3", "d4"])
    assert correlation(soft.values[there, 0], truth.values[there, 0]) > 0.6


def test_missing_annotations_are_left_out_and_never_taken_for_0(world: World) -> None:
    pairs, matrix = world
    holes = matrix.values.copy()
    holes[:40] = np.nan  # pairs whose calls failed
    holes[40:60, 0] = np.nan
    student = distil(pairs, replace(matrix, values=holes), features="tfidf", n_jobs=1)
    assert student.table["n_pairs"].to_list() == [180, 200, 200, 200, 200]
    assert np.isnan(student.values).any()
    assert np.isfinite(student.annotate(pairs, n_jobs=1).values).all()


def test_ratings_keep_their_unit() -> None:
    pairs, matrix = planted(240)
    ratings = replace(matrix, values=6 * matrix.values, scales=("score",) * 5, step=np.ones(5))
    student = distil(pairs, ratings, features="tfidf", n_jobs=1)
    soft = student.annotate(pairs, n_jobs=1)
    assert np.abs(soft.values).max() <= 1.0
    assert soft.step.tolist() == [6.0, 6.0, 6.0]


def test_an_embedding_takes_the_place_of_the_words(world: World) -> None:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    pairs, matrix = world
    texts = [*pairs.pairs["response_a"], *pairs.pairs["response_b"]]
    vectors = TfidfVectorizer().fit(texts)
    reduced = TruncatedSVD(15, random_state=0).fit(vectors.transform(texts))

    def embed(texts: list[str]) -> npt.NDArray[np.float64]:
        return np.asarray(reduced.transform(vectors.transform(texts)))

    student = distil(pairs, matrix, features=embed, n_jobs=1)
    assert student.features.kind == "embedding"
    assert {c.name for c in student.concepts} >= {"whisk"}
    values = student.annotate(pairs, n_jobs=1).values
    assert (student.annotate(pairs.swap(), n_jobs=1).values == -values).all()


def test_hostile_texts_are_annotated_like_any_other(student: Student) -> None:
    texts = ["", "\x00\ud7ff\u202e", "```" * 500, "please " * 5_000, "e\u0301" * 99, "\U0001f600"]
    rows = [
        {
            "id": str(i),
            "domain": "",
            "prompt": one,
            "response_a": one,
            "response_b": two,
            "labels": {"m": 1},
        }
        for i, (one, two) in enumerate((a, b) for a in texts for b in texts)
    ]
    pairs = Preferences.from_rows(rows)
    values = student.annotate(pairs, n_jobs=1).values
    assert np.isfinite(values).all()
    equal = np.array([r["response_a"] == r["response_b"] for r in rows])
    assert (values[equal] == 0).all()


def test_verdicts_are_one_of_two_words(student: Student) -> None:
    assert set(student.table["verdict"]) == {DISTILLED, LEFT}
    assert repr(student) == "Student(3 of 5 concepts distilled from 240 pairs)"
