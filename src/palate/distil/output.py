"""What a student writes for the other commands: definitions, values, and what is left over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl

from palate.distil.agreement import LEFT
from palate.distil.student import Student

if TYPE_CHECKING:
    from palate.data.preferences import Preferences

GIVEN_UP = "given up in the annotation: "


def definitions(student: Student) -> list[dict[str, Any]]:
    """Return the distilled concepts for `concepts.json`, each with how reliable its values are.

    Parameters
    ----------
    student
        The student.
    """
    figures = student.provenance()["reliability"]
    return [
        {**concept.to_dict(), "scale": scale, "reliability": figures[concept.name]}
        for concept, scale in zip(student.concepts, student.scales, strict=True)
    ]


def left_over(student: Student) -> list[dict[str, Any]]:
    """Return the concepts left to the language model for `concepts_left.json`, with the reason.

    Parameters
    ----------
    student
        The student.
    """
    reason = {
        row["concept"]: row["reason"] for row in student.table.filter(verdict=LEFT).to_dicts()
    }
    return [{**concept.to_dict(), "reason": reason[concept.name]} for concept in student.left]


def with_given_up(student: Student, reasons: Mapping[str, str]) -> Student:
    """Return a student that says of concepts left why the annotation gave them up.

    Parameters
    ----------
    student
        The student.
    reasons
        Why, by name of the concept.
    """
    if not reasons:
        return student
    told = pl.col("concept").replace_strict(
        {name: f"{GIVEN_UP}{reason}" for name, reason in reasons.items()},
        default=None,
        return_dtype=pl.String,
    )
    left = pl.when(pl.col("verdict") == LEFT).then(told).fill_null(pl.col("reason"))
    return replace(student, table=student.table.with_columns(reason=left))


def write_values(
    student: Student,
    preferences: Preferences,
    file: BinaryIO,
    *,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Annotate pairs and write `{"id", "domain", "values"}` rows, some at a time.

    Values stand in the unit of the annotations that the student learned from.

    Parameters
    ----------
    student
        The student.
    preferences
        The pairs.
    file
        Open for writing bytes.
    n_jobs
        Processes; None for one per processor.
    progress
        Called with the number of pairs done and their total.

    Raises
    ------
    DataError
        If no concept could be distilled.
    """
    names = [concept.name for concept in student.concepts]
    unit = [
        1.0 if scale == "comp" else float(step)
        for scale, step in zip(student.scales, student.step, strict=True)
    ]
    done = 0
    for block in student.blocks(preferences, n_jobs=n_jobs):
        part = preferences.pairs.slice(done, len(block)).select("id", "domain")
        rows = []
        for (pair, domain), values in zip(part.iter_rows(), (block * unit).tolist(), strict=True):
            row = {"id": pair, "domain": domain, "values": dict(zip(names, values, strict=True))}
            rows.append(json.dumps(row, ensure_ascii=False))
        file.write(("\n".join(rows) + "\n").encode("utf-8", "replace"))
        done += len(block)
        if progress is not None:
            progress(done, preferences.n_pairs)
