"""The files of annotated concepts: definitions, and one row of values per pair."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from palate.concepts.concept import Concept
from palate.data.formats.source import Source
from palate.errors import FileFormatError, RowError

AGAIN = "values_swapped"
"""Key of a second annotation, made with the responses exchanged, signs mapped back."""
FIRST = "values_first"
"""Key of the values of one order alone, where the row's values are made of both."""
NOT_MEASURED = frozenset({"", "nan", "null", "none", "na", "n/a"})
"""Cells of a CSV file, in lower case, that mean that a concept was not measured."""


@dataclass(frozen=True)
class ValueRow:
    """The values of one pair: row number in the file, id, domain if given, value per concept.

    `again` holds the values of a second annotation of the pair, None where there is none; `first`
    those of the first one alone, where `values` are made of both.
    """

    number: int
    id: str
    domain: str | None
    values: Mapping[str, float]
    again: Mapping[str, float] | None = None
    first: Mapping[str, float] | None = None

    @property
    def annotated_twice(self) -> bool:
        """Whether there is a second annotation."""
        return self.again is not None


def read_definitions(path: str | PathLike[str]) -> tuple[Concept, ...]:
    """Read a JSON list of `{"name", "definition"?, "domains"?}` into concepts.

    Concepts that `palate discover` found say so as their origin; all others are imported: where
    values come from a file nothing is measured on the texts, whatever the file says.

    Parameters
    ----------
    path
        JSON file; `domains` is "all" (or absent) for a shared concept, else a list of names.

    Raises
    ------
    FileFormatError
        If the file is missing or no JSON list.
    RowError
        If an entry has no name, repeats one (letter case and blanks aside), or has domains that
        are neither "all" nor a list.
    """
    data = Source(Path(path), what="definitions of concepts").document()
    if not isinstance(data, list) or not data:
        found = "an empty list" if data == [] else f"a JSON {type(data).__name__}"
        raise FileFormatError(
            f'{path}: found {found}; expected a list of {{"name", "definition", "domains"}}.'
        )
    concepts: dict[str, Concept] = {}
    taken: dict[str, str] = {}
    for number, entry in enumerate(data, start=1):
        if not isinstance(entry, dict):
            raise RowError(path, number, None, entry, 'an object with "name" and "definition"')
        name, domains = entry.get("name"), entry.get("domains", "all")
        if not isinstance(name, str) or not name.strip():
            raise RowError(path, number, "name", name, "the name of a concept")
        folded = " ".join(name.casefold().split())
        if folded in taken:
            before = "this one" if taken[folded] == name else repr(taken[folded])
            raise RowError(path, number, "name", name, f"unique names; {before} occurs before")
        taken[folded] = name
        if not isinstance(entry.get("definition", ""), str):
            raise RowError(path, number, "definition", entry["definition"], "text")
        if domains not in ("all", None) and not (
            isinstance(domains, list) and domains and all(isinstance(d, str) for d in domains)
        ):
            raise RowError(path, number, "domains", domains, '"all" or a list of domain names')
        told = "discovered" if entry.get("origin") == "discovered" else "imported"
        concepts[name] = Concept.from_dict({**entry, "origin": told})
    return tuple(concepts.values())


def read_recorded(path: str | PathLike[str]) -> dict[str, dict[str, Any]]:
    """Return what definitions say of the values of concepts: `scale`, and how reliable they are.

    Parameters
    ----------
    path
        The file that `read_definitions` reads.

    Raises
    ------
    FileFormatError
        If the file is missing or no JSON.
    RowError
        If what is recorded is no object of numbers and words, or the scale unknown.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, entry in enumerate(Source(Path(path), what="definitions").document(), start=1):
        kept = {key: entry[key] for key in ("scale", "reliability") if key in entry}
        if kept.get("scale", "comp") not in ("comp", "score", "measured"):
            raise RowError(path, number, "scale", kept["scale"], "comp, score or measured")
        figures = kept.get("reliability", {})
        if not isinstance(figures, dict) or not all(
            value is None
            or (key == "source" and isinstance(value, str))
            or (isinstance(value, int | float) and math.isfinite(value))
            for key, value in figures.items()
        ):
            raise RowError(path, number, "reliability", figures, "an object of numbers")
        found[str(entry["name"])] = kept
    return found


def value_rows(path: str | PathLike[str]) -> Iterator[ValueRow]:
    """Yield the rows of a values file.

    Parameters
    ----------
    path
        JSONL, JSON list, CSV or parquet file, see `palate.concepts.imported.read_concepts`.

    Raises
    ------
    FileFormatError
        If the file is missing, empty or not readable.
    RowError
        If a row has no id or a value that is neither a finite number nor missing.
    """
    n_rows = 0
    for number, raw in Source(Path(path), what="values of concepts").rows():
        n_rows += 1
        yield _value_row(path, number, raw)
    if not n_rows:
        raise FileFormatError(f"{path}: found no rows; expected concept values.")


def _value_row(path: str | PathLike[str], number: int, raw: Mapping[str, Any]) -> ValueRow:
    pair_id = raw.get("id")
    if pair_id is None or isinstance(pair_id, bool | float | list | dict) or pair_id == "":
        expected = "the id of a pair" if "id" in raw else "a column 'id' with the id of a pair"
        raise RowError(path, number, "id", pair_id, expected)
    domain = raw.get("domain")
    nested = raw.get("values")
    if "values" in raw and not isinstance(nested, Mapping):
        raise RowError(path, number, "values", nested, "an object {concept: number}")
    cells = nested if isinstance(nested, Mapping) else raw
    skipped = () if isinstance(nested, Mapping) else ("id", "domain", AGAIN, FIRST)
    return ValueRow(
        number=number,
        id=str(pair_id),
        domain=None if domain is None else str(domain),
        values={k: _number(path, number, k, v) for k, v in cells.items() if k not in skipped},
        again=_nested(path, number, raw.get(AGAIN)),
        first=_nested(path, number, raw.get(FIRST)),
    )


def _nested(path: str | PathLike[str], row: int, values: object) -> dict[str, float] | None:
    if not isinstance(values, Mapping) or not values:
        return None
    return {name: _number(path, row, name, value) for name, value in values.items()}


def _number(path: str | PathLike[str], row: int, column: str, value: object) -> float:
    """Return a cell as a float, NaN for what was not measured."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        if value.strip().lower() in NOT_MEASURED:
            return math.nan
        try:
            value = float(value)
        except ValueError:
            raise RowError(path, row, column, value, "a number, or nothing") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
        raise RowError(path, row, column, value, "a finite number, or nothing")
    return float(value)
