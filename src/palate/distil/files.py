"""The folder of a student: `student.json`, `student.npz`, `vocabulary.json`; no pickle."""

from __future__ import annotations

import json
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from palate.concepts.concept import Concept
from palate.data.atomic import atomic_write, write_text
from palate.distil.agreement import table_of
from palate.distil.features import Embed, Features, measures_of
from palate.distil.fitting import Chosen
from palate.distil.student import Student, Weights
from palate.errors import FileFormatError, InputError, OutputError

SCHEMA = "palate.student/1"
HEAD, ARRAYS = "student.json", "student.npz"
PROBE = ("A first text, 1 of 2.", "Another text: the second one!")


def save_student(student: Student, folder: str | PathLike[str]) -> None:
    """Write a student.

    Parameters
    ----------
    student
        The student.
    folder
        The folder; it is made if it is not there.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{place}: the folder cannot be made ({error.strerror}); expected a writable place."
        ) from error
    features = student.features
    arrays: dict[str, Any] = {
        "feature_step": features.step,
        "feature_centre": features.centre,
        "idf": features.idf,
        "step": student.step,
        "keys": student.keys,
        "values": student.values,
        **{f"weight_{k}": v for k, v in student.weights._asdict().items()},
        **{f"chosen_{k}": v for k, v in student.chosen._asdict().items()},
    }
    if features.embed is not None:
        arrays["probe"] = np.asarray(features.embed(list(PROBE)), dtype=np.float64)
    with atomic_write(place / ARRAYS) as file:
        np.savez_compressed(file, **arrays)
    head = {
        "schema": SCHEMA,
        "settings": dict(student.settings),
        "concepts": [c.to_dict() for c in student.concepts],
        "left": [c.to_dict() for c in student.left],
        "domains": list(student.domains),
        "scales": list(student.scales),
        "table": student.table.to_dicts(),
        "kind": features.kind,
        "width": features.width,
        "vocabulary": list(features.vocabulary),
    }
    write_text(place / HEAD, json.dumps(head, ensure_ascii=False, allow_nan=False) + "\n")


def load_student(folder: str | PathLike[str], *, embed: Embed | None = None) -> Student:
    """Read a student.

    Parameters
    ----------
    folder
        The folder.
    embed
        The embedding that it was trained with, if it was.

    Raises
    ------
    FileFormatError
        If there is no student, or it was trained by a version with other measured concepts.
    InputError
        If the embedding is missing, not needed, or another one.
    """
    place = Path(folder)
    try:
        head = json.loads((place / HEAD).read_text(encoding="utf-8"))
        with np.load(place / ARRAYS, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except FileNotFoundError as error:
        raise FileFormatError(
            f"{place}: found no student; expected a folder with {HEAD} and {ARRAYS}."
        ) from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{place}: this student cannot be read ({error}).") from error
    found = head.get("schema") if isinstance(head, dict) else None
    if found != SCHEMA:
        raise FileFormatError(f"{place / HEAD}: found schema {found!r}; expected {SCHEMA!r}.")
    try:
        student = _student(head, arrays, embed)
    except (KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{place}: this student cannot be read ({error}).") from error
    if tuple(student.settings.get("measures", ())) != measures_of(student.features.kind):
        raise FileFormatError(
            f"{place}: this student was trained by a version of Palate that measures other "
            "concepts; expected one trained by this version."
        )
    _check_embedding(student, arrays, place)
    return student


def _student(head: dict[str, Any], arrays: dict[str, Any], embed: Embed | None) -> Student:
    features = Features(
        kind=head["kind"],
        step=arrays["feature_step"],
        centre=arrays["feature_centre"],
        vocabulary=tuple(head["vocabulary"]),
        idf=arrays["idf"],
        width=int(head["width"]),
        embed=embed,
    )
    return Student(
        concepts=tuple(Concept.from_dict(c) for c in head["concepts"]),
        left=tuple(Concept.from_dict(c) for c in head["left"]),
        table=table_of(head["table"]),
        features=features,
        domains=tuple(head["domains"]),
        weights=Weights(*(arrays[f"weight_{k}"] for k in Weights._fields)),
        chosen=Chosen(*(arrays[f"chosen_{k}"] for k in Chosen._fields)),
        scales=tuple(head["scales"]),
        step=arrays["step"],
        keys=arrays["keys"],
        values=arrays["values"],
        settings=head["settings"],
    )


def _check_embedding(student: Student, arrays: dict[str, Any], place: Path) -> None:
    embed = student.features.embed
    if student.features.kind != "embedding":
        if embed is not None:
            raise InputError(f"{place}: this student was trained without an embedding.")
        return
    if embed is None:
        raise InputError(
            f"{place}: this student was trained with an embedding; expected the same one as "
            "`embed=`."
        )
    now = np.asarray(embed(list(PROBE)), dtype=np.float64)
    if now.shape != arrays["probe"].shape or not np.allclose(now, arrays["probe"], atol=1e-4):
        raise InputError(
            f"{place}: this student was trained with another embedding, which gave other numbers "
            "for the same texts."
        )
