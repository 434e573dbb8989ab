"""Concepts that are there already: annotated elsewhere, voted on, or scored per response.

    matrix = read_concepts("concepts.json", "annotations.jsonl.gz")

Three sources, one result. A values file with one row per pair (`read_concepts`), the principle
votes of an AnnotatedPairs file (`concepts_of_annotated_pairs`, or `concepts_from_votes` for those
that preferences carry), and attribute scores of the two responses that a reader kept as metadata
(`concepts_from_scores`). In all of them a value says how much more of the concept response a has
than response b, so a swap negates it; 0 is equal or not relevant, NaN is not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.concepts.concept import Concept
from palate.concepts.imported_files import (
    AGAIN,
    ValueRow,
    read_definitions,
    read_recorded,
    value_rows,
)
from palate.concepts.imported_scores import concepts_from_scores as concepts_from_scores
from palate.concepts.imported_votes import concepts_from_votes as concepts_from_votes
from palate.concepts.imported_votes import (
    concepts_of_annotated_pairs as concepts_of_annotated_pairs,
)
from palate.concepts.imported_votes import is_annotated_pairs as is_annotated_pairs
from palate.concepts.matrix import ConceptMatrix, Scale
from palate.errors import FileFormatError, InputError, RowError

LARGEST_RATING_DIFFERENCE = 10.0
"""Differences of ratings stay below this; a concept with larger values is rescaled."""
LEAST_SHARE, LEAST_PAIRS = 0.05, 20


def read_concepts(
    concepts_path: str | PathLike[str] | None,
    values_path: str | PathLike[str],
    *,
    again: bool = False,
) -> ConceptMatrix:
    """Read annotated concepts and their values on pairs.

    The values file holds one row per pair, in one of these layouts (.gz and .zst are fine):

    - JSONL `{"id", "domain"?, "values": {concept: number or null}}`;
    - JSONL, a JSON list, CSV or parquet with an `id` column, optionally a `domain` column, and
      one column per concept;
    - an AnnotatedPairs file, whose principle votes are taken.

    A value that is absent, null, empty or NaN is not measured (NaN), except that a concept which
    is specific to other domains than the row's is 0 there by definition. Values that are given
    for other domains are kept; `ConceptMatrix.masked` sets them to 0 on the domains of the
    preferences. A concept whose values are all -1, 0 or 1 has the scale "comp", any other
    "score": differences of ratings (at most 10 in size) keep one point as their step, larger
    numbers are divided by a robust standard deviation, 1.4826 times the median size of the
    non-zero values, which becomes the step. Second annotations of a pair stand under
    `values_swapped` in its row; they are left aside unless `again` asks for them, and their number
    is in the provenance.

    Parameters
    ----------
    concepts_path
        JSON list of `{"name", "definition", "domains": "all" or [domain, ...]}`, or None: then
        every concept found in the values is shared and has no definition.
    values_path
        The values file.
    again
        Read the second annotations, of the pairs that have one, instead of the first.

    Raises
    ------
    FileFormatError
        If a file is missing, empty or not of these layouts, or `again` is asked for and no row has
        a second annotation.
    RowError
        If an id repeats, a value is not a finite number, or a concept of the values is not
        among the definitions; names file, row and column.
    """
    if not again and is_annotated_pairs(values_path):
        matrix = concepts_of_annotated_pairs(values_path)
        return matrix if concepts_path is None else _redefined(matrix, concepts_path)
    rows = list(value_rows(values_path))
    if again:
        rows = [replace(row, values=row.again) for row in rows if row.again is not None]
        if not rows:
            raise FileFormatError(
                f"{values_path}: found no second annotation of any pair; expected some under "
                f"{AGAIN!r}."
            )
    if concepts_path is None:
        names = dict.fromkeys(name for row in rows for name in row.values)
        concepts = tuple(Concept(name=name, definition="") for name in names)
    else:
        concepts = read_definitions(concepts_path)
    values = _fill(rows, concepts, values_path, concepts_path)
    values, scales, step = scaled(values)
    recorded = {} if concepts_path is None else read_recorded(concepts_path)
    for j, concept in enumerate(concepts):  # a soft comparison is no rating of one point
        soft = step[j] == 1.0 and not (np.abs(values[:, j]) > 1).any()
        if soft and recorded.get(concept.name, {}).get("scale") == "comp":
            scales, step[j] = (*scales[:j], "comp", *scales[j + 1 :]), np.nan
    known = {c: r["reliability"] for c, r in recorded.items() if r.get("reliability")}
    return ConceptMatrix(
        ids=tuple(row.id for row in rows),
        concepts=concepts,
        values=values,
        scales=scales,
        step=step,
        provenance={
            "source": "imported",
            "concepts": None if concepts_path is None else str(concepts_path),
            "values": str(values_path),
            "n_second_annotations": sum(row.annotated_twice for row in rows),
            **({"reliability": known} if known else {}),
        },
    )


def _fill(
    rows: Sequence[ValueRow],
    concepts: Sequence[Concept],
    values_path: str | PathLike[str],
    concepts_path: str | PathLike[str] | None,
) -> npt.NDArray[np.float64]:
    """Return the values as a matrix, shape (n_pairs, n_concepts), in the order of `concepts`."""
    column = {concept.name: j for j, concept in enumerate(concepts)}
    values = np.full((len(rows), len(concepts)), np.nan)
    seen: dict[str, int] = {}
    for i, row in enumerate(rows):
        if row.id in seen:
            raise RowError(
                values_path, row.number, "id", row.id, f"unique ids; row {seen[row.id]} has it too"
            )
        seen[row.id] = row.number
        if row.domain is not None:
            for j, concept in enumerate(concepts):
                if concept.domains is not None and row.domain not in concept.domains:
                    values[i, j] = 0.0
        for name, value in row.values.items():
            if name not in column:
                expected = f"a concept that {concepts_path} defines"
                raise RowError(values_path, row.number, name, name, expected)
            if not np.isnan(value):
                values[i, column[name]] = value
    return values


def scaled(
    values: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], tuple[Scale, ...], npt.NDArray[np.float64]]:
    """Return values in steps, the scale of each concept and its step, as `read_concepts` says.

    Parameters
    ----------
    values
        Shape (n_pairs, n_concepts), as they stand in the file, NaN = not measured.
    """
    values = values.copy()
    scales: list[Scale] = []
    step = np.full(values.shape[1], np.nan)
    for j in range(values.shape[1]):
        size = np.abs(values[:, j][np.isfinite(values[:, j])])
        if np.isin(size, (0.0, 1.0)).all():
            scales.append("comp")
            continue
        scales.append("score")
        step[j] = 1.0
        if size.max() > LARGEST_RATING_DIFFERENCE:
            step[j] = 1.4826 * float(np.median(size[size > 0]))
            values[:, j] /= step[j]
    return values, tuple(scales), step


def _redefined(matrix: ConceptMatrix, concepts_path: str | PathLike[str]) -> ConceptMatrix:
    """Return the matrix with the definitions of a concepts file."""
    defined = {c.name: c for c in read_definitions(concepts_path)}
    for name in matrix.names:
        if name not in defined:
            raise RowError(concepts_path, None, None, f"no {name!r}", "every concept of the values")
    return ConceptMatrix(
        ids=matrix.ids,
        concepts=tuple(defined[name] for name in matrix.names),
        values=matrix.values,
        scales=matrix.scales,
        step=matrix.step,
        provenance={**matrix.provenance, "concepts": str(concepts_path)},
    )


@dataclass(frozen=True)
class Coverage:
    """How far concept values reach over a set of pairs.

    Parameters
    ----------
    n_pairs
        Number of pairs asked for.
    n_valued
        Number of them with a value for at least one concept.
    n_unknown
        Number of rows of the matrix whose pair was not asked for.
    notes
        Sentences that say what is not covered; none when every pair is and no row is left over.
    """

    n_pairs: int
    n_valued: int
    n_unknown: int
    notes: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of the pairs with values, between 0 and 1."""
        return self.n_valued / self.n_pairs if self.n_pairs else 0.0


def coverage_of(
    matrix: ConceptMatrix, ids: Iterable[str], *, source: str = "the preferences"
) -> Coverage:
    """Return how many of these pairs have values, and refuse where it is too few to say anything.

    Too few is less than 5 % of the pairs, or fewer than 20 pairs unless these are all.

    Parameters
    ----------
    matrix
        Concept values.
    ids
        Ids of the pairs to explain.
    source
        Where the pairs come from, for the message; best the name of the file.

    Raises
    ------
    InputError
        If no pair or too few pairs have values; names both files and the counts.
    """
    ids = list(ids)
    wanted = set(ids)
    known = np.array([name in wanted for name in matrix.ids], dtype=bool)
    valued = np.isfinite(matrix.values).any(axis=1)
    n_valued = int((known & valued).sum())
    n_unknown = int((~known).sum())
    where = _values_file(matrix.provenance)
    if not known.any() and matrix.n_pairs and ids:
        raise InputError(
            f"{where} has values for none of the {len(ids)} pairs of {source}; "
            f"found ids like {matrix.ids[0]!r}, expected ids like {ids[0]!r}."
        )
    counts = f"{n_valued} of the {len(ids)} pairs of {source}"
    percent = 100 * n_valued / len(ids) if ids else 0.0
    if n_valued < LEAST_SHARE * len(ids) or n_valued < min(LEAST_PAIRS, len(ids)):
        raise InputError(
            f"{where} has values for {counts} ({percent:.1f} %); expected at least "
            f"{100 * LEAST_SHARE:.0f} % and at least {LEAST_PAIRS} pairs."
        )
    notes = []
    if n_valued < len(ids):
        notes.append(
            f"{where} has values for {counts} ({percent:.0f} %); "
            "on the others these concepts are not measured."
        )
    if n_unknown:
        rows = "row" if n_unknown == 1 else "rows"
        notes.append(f"{n_unknown} {rows} of {where} belong to no pair of {source}.")
    return Coverage(n_pairs=len(ids), n_valued=n_valued, n_unknown=n_unknown, notes=tuple(notes))


def _values_file(provenance: Mapping[str, Any]) -> str:
    path = provenance.get("values")
    return Path(str(path)).name if path else "The concept matrix"
