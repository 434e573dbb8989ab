"""A student on disk: the same numbers after loading, and plain words about what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from palate.distil import Student, distil
from palate.errors import FileFormatError, InputError, OutputError

from .worlds import planted


def lengths(texts: list[str]) -> npt.NDArray[np.float64]:
    """An embedding of three counts."""
    return np.array([[len(t), t.count("please"), t.count("whisk")] for t in texts], dtype=float)


@pytest.fixture(scope="module")
def student() -> Student:
    return distil(*planted(120), features="tfidf", n_jobs=1)


def test_a_loaded_student_gives_the_same_values(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "s")
    loaded = Student.load(tmp_path / "s")
    new, _ = planted(40, seed=5)
    for pairs in (planted(120)[0], new):
        one, two = student.annotate(pairs, n_jobs=1), loaded.annotate(pairs, n_jobs=1)
        assert (one.values == two.values).all()
        assert one.concepts == two.concepts
        assert one.provenance == two.provenance
    assert loaded.table.equals(student.table)
    assert loaded.left == student.left


def test_no_pickle_is_written_or_read(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path)
    with np.load(tmp_path / "student.npz", allow_pickle=False) as data:
        assert all(data[name].dtype.kind in "fiu" for name in data.files)
    np.savez(tmp_path / "student.npz", values=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FileFormatError, match="cannot be read"):
        Student.load(tmp_path)


def test_an_embedding_must_be_the_one_of_the_training(tmp_path: Path) -> None:
    pairs, matrix = planted(120)
    student = distil(pairs, matrix, features=lengths, n_jobs=1)
    student.save(tmp_path)
    loaded = Student.load(tmp_path, embed=lengths)
    one = student.annotate(pairs, n_jobs=1).values
    assert (loaded.annotate(pairs, n_jobs=1).values == one).all()
    with pytest.raises(InputError, match="expected the same one"):
        Student.load(tmp_path)
    with pytest.raises(InputError, match="another embedding"):
        Student.load(tmp_path, embed=lambda texts: lengths(list(texts)) + 1)
    with pytest.raises(InputError, match="another embedding"):
        Student.load(tmp_path, embed=lambda texts: lengths(list(texts))[:, :2])


def test_what_is_no_student_is_refused(student: Student, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="found no student"):
        Student.load(tmp_path / "nowhere")
    student.save(tmp_path)
    head = json.loads((tmp_path / "student.json").read_text(encoding="utf-8"))

    def changed(**parts: object) -> None:
        (tmp_path / "student.json").write_text(json.dumps(head | parts), encoding="utf-8")

    changed(schema="palate.student/9")
    with pytest.raises(FileFormatError, match="student/9"):
        Student.load(tmp_path)
    changed(settings=head["settings"] | {"measures": ["Older measure"]})
    with pytest.raises(FileFormatError, match="version of Palate"):
        Student.load(tmp_path)
    changed(domains=None)
    with pytest.raises(FileFormatError, match="cannot be read"):
        Student.load(tmp_path)
    (tmp_path / "student.json").write_text("{", encoding="utf-8")
    with pytest.raises(FileFormatError, match="cannot be read"):
        Student.load(tmp_path)
    changed()
    with pytest.raises(InputError, match="without an embedding"):
        Student.load(tmp_path, embed=lengths)
    (tmp_path / "student.npz").write_bytes(b"no zip")
    with pytest.raises(FileFormatError, match="cannot be read"):
        Student.load(tmp_path)


def test_a_place_that_cannot_be_written_is_refused(student: Student, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        student.save(tmp_path / "file" / "s")
