"""The student's error in an explanation: figures, notes, and silence where too little is held."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import palate
from palate.concepts.imported import read_concepts
from palate.concepts.recorded import recorded
from palate.concepts.reliability import UNRELIABLE
from palate.distil import Student, distil
from palate.distil.output import definitions, left_over, write_values
from palate.errors import RowError
from palate.explanations.files import load_explanations, save_explanations

from .worlds import planted


@pytest.fixture(scope="module")
def student() -> Student:
    return distil(*planted(160), features="tfidf", least=0.0, n_jobs=1)


def files(student: Student, folder: Path) -> tuple[Path, Path]:
    """What the command writes."""
    concepts, values = folder / "concepts.json", folder / "values.jsonl"
    concepts.write_text(json.dumps(definitions(student)), encoding="utf-8")
    with values.open("wb") as file:
        write_values(student, planted(160)[0], file, n_jobs=1)
    return concepts, values


def test_files_read_back_are_the_annotated_matrix(student: Student, tmp_path: Path) -> None:
    matrix = read_concepts(*files(student, tmp_path))
    direct = student.annotate(planted(160)[0], n_jobs=1)
    assert (matrix.values == direct.values).all()
    assert matrix.ids == direct.ids
    assert matrix.names == direct.names
    assert matrix.scales == direct.scales == ("comp",) * matrix.n_concepts
    assert np.isnan(matrix.step).all()
    one, two = recorded(matrix), recorded(direct)
    assert one is not None
    assert two is not None
    assert one.equals(two)


def test_an_explanation_shows_the_figures_and_silences_what_is_not_held(student: Student) -> None:
    assert "coin" in [c.name for c in student.concepts]  # with least=0 anything is kept
    pairs, _ = planted(160)
    soft = student.annotate(pairs, n_jobs=1)
    found = palate.explain(pairs, soft, n_bootstrap=2, n_folds=3, n_jobs=1)
    table = {row["concept"]: row for row in found.reliability.iter_rows(named=True)}
    held = {row["concept"]: row for row in student.table.iter_rows(named=True)}
    for name in ("please", "coin"):
        assert table[name]["reliability"] == held[name]["reliability"]
        assert table[name]["attenuation"] == held[name]["attenuation"]
    assert table["coin"]["status"] == UNRELIABLE
    j = soft.names.index("coin")
    assert set(found.total.verdict[:, j]) <= {"", "measured too unreliably"}
    notes = " ".join(found.notes)
    assert "local model that was trained on annotated pairs" in notes
    assert "holds too little of the annotations" in notes


def test_values_without_figures_are_explained_as_before() -> None:
    pairs, matrix = planted(80)
    assert recorded(matrix) is None
    found = palate.explain(pairs, matrix, n_bootstrap=2, n_folds=3, n_jobs=1)
    assert found.reliability.is_empty()


def test_figures_survive_being_saved_and_standing_beside_others(
    student: Student, tmp_path: Path
) -> None:
    pairs, matrix = planted(160)
    soft = student.annotate(pairs, n_jobs=1)
    both = recorded(soft.beside(matrix.select_concepts([4])))
    assert both is not None
    assert both["concept"].to_list() == list(soft.names)
    found = palate.explain(pairs, soft, n_bootstrap=2, n_folds=3, n_jobs=1)
    save_explanations([found], tmp_path)
    (again,) = load_explanations(tmp_path)
    assert again.reliability.equals(found.reliability)


def test_what_is_left_can_be_read_as_definitions(tmp_path: Path) -> None:
    student = distil(*planted(120), features="tfidf", n_jobs=1)
    path = tmp_path / "concepts_left.json"
    path.write_text(json.dumps(left_over(student)), encoding="utf-8")
    from palate.concepts.imported_files import read_definitions

    assert [c.name for c in read_definitions(path)] == [c.name for c in student.left]
    assert all(entry["reason"] for entry in left_over(student))


def test_ratings_are_written_in_points(tmp_path: Path) -> None:
    pairs, matrix = planted(160)
    ratings = replace(matrix, values=6 * matrix.values, scales=("score",) * 5, step=np.ones(5))
    student = distil(pairs, ratings, features="tfidf", n_jobs=1)
    back = read_concepts(*files(student, tmp_path))
    assert back.scales == ("score",) * back.n_concepts
    soft = student.annotate(pairs, n_jobs=1)
    assert back.values == pytest.approx(6 * soft.values)
    assert np.abs(back.values).max() > 1


@pytest.mark.parametrize(
    ("change", "word"), [({"reliability": [1]}, "reliability"), ({"scale": "great"}, "scale")]
)
def test_figures_spoiled_by_hand_are_refused(
    student: Student, tmp_path: Path, change: dict[str, object], word: str
) -> None:
    concepts, values = files(student, tmp_path)
    entries = json.loads(concepts.read_text(encoding="utf-8"))
    concepts.write_text(json.dumps([entries[0] | change, *entries[1:]]), encoding="utf-8")
    with pytest.raises(RowError, match=word):
        read_concepts(concepts, values)
