"""What cannot be distilled is refused with one sentence that says what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from palate.distil import distil
from palate.errors import DataError, InputError, UnknownNameError

from .worlds import planted


def test_fewer_than_50_annotated_pairs() -> None:
    pairs, matrix = planted(49)
    with pytest.raises(
        DataError, match="annotations of 49 of these 49 pairs; expected at least 50"
    ):
        distil(pairs, matrix)


def test_annotations_of_other_pairs() -> None:
    pairs, _ = planted(60)
    with pytest.raises(DataError, match="ids like '1/0', the pairs like '0/0'"):
        distil(pairs, planted(60, seed=1)[1])


def test_one_prompt_for_all() -> None:
    pairs, matrix = planted(60)
    same = replace(pairs, pairs=pairs.pairs.with_columns(prompt=pairs.pairs["id"].str.slice(0, 1)))
    with pytest.raises(DataError, match="1 groups"):
        distil(same, matrix)


def test_concepts_that_are_all_0_are_all_left_and_nothing_can_be_annotated() -> None:
    pairs, matrix = planted(60)
    student = distil(pairs, replace(matrix, values=0 * matrix.values), features="tfidf", n_jobs=1)
    assert len(student.left) == 5
    with pytest.raises(DataError, match="every concept was left to the LLM"):
        student.annotate(pairs)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_folds": 2}, "n_folds=2"),
        ({"least": 1.0}, "least=1"),
        ({"max_pairs": 10}, "max_pairs=10"),
        ({"seed": -1}, "seed=-1"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"features": 3}, "features 3"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        distil(*planted(60), **settings)


def test_unknown_features_and_bad_embeddings() -> None:
    pairs, matrix = planted(60)
    with pytest.raises(UnknownNameError, match="text"):
        distil(pairs, matrix, features="words")  # type: ignore[arg-type]
    for embed in (
        lambda texts: np.zeros(len(texts)),
        lambda texts: np.zeros((len(texts) + 1, 2)),
        lambda texts: np.full((len(texts), 2), np.nan),
    ):
        with pytest.raises(InputError, match="The embedding gave"):
            distil(pairs, matrix, features=embed, n_jobs=1)


def test_a_part_is_drawn_where_there_are_too_many_pairs() -> None:
    pairs, matrix = planted(200)
    student = distil(pairs, matrix, features="tfidf", max_pairs=80, n_jobs=1)
    assert student.settings["n_pairs"] == 80
    assert student.settings["n_annotated"] == 200
    with pytest.raises(InputError, match="n_jobs=0"):
        student.annotate(pairs, n_jobs=0)
