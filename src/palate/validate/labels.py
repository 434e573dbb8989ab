"""Filled-in sheets -> labels about sides, +1 = response a, as the model's values are.

Reads what spreadsheets make of a sheet: a byte order mark or none, UTF-8, UTF-16 or the Western
code page, commas, semicolons or tabs, any line ends, blank rows and columns, rows in another order,
columns that were left out (but for `item` and those to be filled in), a first line `sep=;`.

The texts of a sheet, where they were left in it, must be those of the pairs that the key names: a
sheet of another sample has the same names of items. Spreadsheets change texts, so that letters and
digits of their beginnings are compared, and a few rows that differ are a note.

A label is 1, 2 or equal, in any case, with or without "response": `1`, `1.0`, `First`, `response
1`; `equal`, `tie`, `same`, `both`, `0`, `=`. An empty cell, `n/a`, `?` and `-` are no label.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from os import PathLike
from pathlib import Path

import numpy as np

from palate.data.preferences import Preferences
from palate.errors import FileFormatError, InputError, RowError
from palate.validate.ratings import Array
from palate.validate.sheet import ITEM, TEXTS, Key, texts_of

FIRST = frozenset({"1", "first", "response 1", "response_1", "response1", "r1", "one", "#1"})
SECOND = frozenset({"2", "second", "response 2", "response_2", "response2", "r2", "two", "#2"})
EQUAL = frozenset({"equal", "equally", "tie", "tied", "same", "both", "neither", "0", "=", "draw"})
NONE = frozenset({"", "n/a", "na", "n.a", "?", "-", "–"})
EXPECTED = "1, 2, equal or an empty cell"
MOST_OTHER = 0.25
"""Share of rows with other texts above which a sheet belongs to another key."""
LEAST_COPY = 20
"""Pairs on which two people must agree without exception to be asked whether one is a copy."""
_COMPARED = 80  # letters and digits of a text
_TELLS = 12  # of fewer of them a spreadsheet may make a number or a date


@dataclass(frozen=True, eq=False)
class Labels:
    """What people wrote.

    Parameters
    ----------
    people
        Their names, from those of the files.
    values
        Per column of the key the labels, shape (pairs of the key, people): +1 = response a has
        more or is better, -1 = response b, 0 = equal, NaN = no label.
    notes
        Plain sentences: rows that are missing or have other texts, labels that may be copies.
    """

    people: tuple[str, ...]
    values: Mapping[str, Array]
    notes: tuple[str, ...] = ()


def read_labels(
    paths: Sequence[str | PathLike[str]], key: Key, preferences: Preferences | None = None
) -> Labels:
    """Read the sheets of several people.

    Parameters
    ----------
    paths
        One CSV file per person, whose name is that of the file, or folders of them.
    key
        The key of the sample.
    preferences
        The pairs that it was drawn from, to compare the texts of the sheets with; None for none.

    Raises
    ------
    InputError
        If two files have the same name, or none is given.
    FileFormatError
        If a file is missing, not readable, lacks a column, holds no label at all or the texts of
        other pairs; or if the key names a pair that is not among them.
    RowError
        If an item is unknown or stands there twice, or a label is none of 1, 2, equal.
    """
    files = sheets_of(paths)
    names = [path.stem for path in files]
    for k, name in enumerate(names):
        if name in names[:k]:
            raise InputError(
                f"{files[k]}: found a second file of {name!r}; expected one file per person, named "
                "after the person."
            )
    values = {c: np.full((len(key.pairs), len(files)), np.nan) for c in key.columns}
    notes: list[str] = []
    texts = {} if preferences is None else _texts(preferences, key)
    for j, path in enumerate(files):
        seen, others = _read_one(path, key, values, j, texts)
        if others:
            notes.append(
                f"{path.name} has other texts than the sheet in {len(others)} "
                f"row{'s' * (len(others) > 1)}, {', '.join(others[:3])}: was it edited?"
            )
        if len(seen) < len(key.pairs):
            lacking = len(key.pairs) - len(seen)
            notes.append(f"{path.name} lacks {lacking} of the {len(key.pairs)} rows of the sheet.")
    return Labels(tuple(names), values, (*notes, *_copies(names, values)))


def label_of(text: str) -> float | None:
    """Return +1 for response 1, -1 for response 2, 0 for equal, NaN for no label.

    None if it is none of these.

    Parameters
    ----------
    text
        What stands in a cell.
    """
    words = " ".join(text.strip().strip("'\"“”‘’.!").lower().split())
    words = words[:-2] if words in ("1.0", "2.0", "0.0", "1,0", "2,0", "0,0") else words
    for legal, value in ((FIRST, 1.0), (SECOND, -1.0), (EQUAL, 0.0), (NONE, np.nan)):
        if words in legal:
            return value
    return None


def sheets_of(paths: Sequence[str | PathLike[str]]) -> list[Path]:
    """Return the files of several people, those of folders among them.

    Parameters
    ----------
    paths
        Files, or folders of CSV files.

    Raises
    ------
    InputError
        If none is given.
    FileFormatError
        If a folder holds none.
    """
    out: list[Path] = []
    for given in map(Path, paths):
        if given.is_dir():
            inside = sorted(p for p in given.iterdir() if p.suffix.lower() in (".csv", ".tsv"))
            if not inside:
                raise FileFormatError(f"{given}: found no CSV file; expected one per person.")
            out += inside
        else:
            out.append(given)
    if not out:
        raise InputError("--labels: found no file; expected one CSV file per person.")
    return out


def _texts(preferences: Preferences, key: Key) -> dict[str, list[str]]:
    """What is compared of the three texts of each item."""
    known = set(preferences.ids)
    for pair in key.pairs:
        if pair.id not in known:
            raise FileFormatError(
                f"The key names the pair {pair.id!r}, which is not in the file; expected the file "
                "that the sample was drawn from."
            )
    return {p.item: [_letters(text) for text in texts_of(preferences, p)] for p in key.pairs}


def _letters(text: str) -> str:
    """Letters and digits of the beginning, those alone that every code page has."""
    plain = "".join(c for c in text[: 20 * _COMPARED] if c.isascii() and c.isalnum())
    return plain[:_COMPARED].lower()


def _copies(names: Sequence[str], values: Mapping[str, Array]) -> list[str]:
    """A sentence for each two people who agree without exception."""
    found = []
    whole = np.vstack(list(values.values()))
    for i, j in combinations(range(len(names)), 2):
        both = ~np.isnan(whole[:, i]) & ~np.isnan(whole[:, j])
        n = int(both.sum())
        if n >= LEAST_COPY and (whole[both, i] == whole[both, j]).all():
            found.append(
                f"{names[i]} and {names[j]} gave the same label all {n} times; is one a copy of "
                "the other?"
            )
    return found


def _read_one(
    path: Path, key: Key, values: Mapping[str, Array], j: int, texts: Mapping[str, list[str]]
) -> tuple[set[str], list[str]]:
    """Put the labels of one person into column j; return the items, and those with other texts."""
    rows = _rows(path)
    header = [_name(cell) for cell in rows[0]] if rows else []
    places: dict[str, int] = {}
    for column in (ITEM, *key.columns):
        found = [k for k, name in enumerate(header) if name == _name(column)]
        if len(found) != 1:
            named = ", ".join(repr(c) for c in header if c) or "none"
            times = "no column" if not found else f"{len(found)} columns"
            raise FileFormatError(
                f"{path}: found {times} {column!r} among {named[:300]}; expected the sheet that "
                "belongs to the key, with one."
            )
        places[column] = found[0]
    row_of = {p.item: i for i, p in enumerate(key.pairs)}
    shown = [(k, header.index(name)) for k, name in enumerate(TEXTS) if header.count(name) == 1]
    seen: set[str] = set()
    others: list[str] = []
    given = 0
    for number, row in enumerate(rows[1:], 1):
        if not any(cell.strip() for cell in row):
            continue
        item = _cell(row, places[ITEM]).strip().lower()
        if item not in row_of or item in seen:
            what = f"{item} a second time" if item in seen else item
            example = key.pairs[0].item
            raise RowError(path, number, ITEM, what, f"an item of the key, once, as {example}")
        seen.add(item)
        i = row_of[item]
        if item in texts and any(
            len(texts[item][k]) >= _TELLS and there and there != texts[item][k]
            for k, there in ((k, _letters(_cell(row, place))) for k, place in shown)
        ):
            others.append(item)
        for column in key.columns:
            cell = _cell(row, places[column])
            label = label_of(cell)
            if label is None:
                raise RowError(path, number, column, cell, f"{EXPECTED} for {item}")
            values[column][i, j] = label if key.pairs[i].a_first else -label + 0.0
            given += label == label
    if not given:
        raise FileFormatError(
            f"{path}: found no label in {', '.join(key.columns)[:300]}; expected {EXPECTED}."
        )
    if len(others) > MOST_OTHER * len(seen):
        raise FileFormatError(
            f"{path}: found the texts of other pairs in {len(others)} of {len(seen)} rows, that of "
            f"{others[0]} for instance; expected the sheet and the key of one sample."
        )
    return seen, others


def _rows(path: Path) -> list[list[str]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise FileFormatError(f"{path}: the file cannot be read ({error.strerror}).") from error
    if data.startswith(b"PK\x03\x04"):
        raise FileFormatError(
            f"{path}: found a spreadsheet; expected CSV (in the spreadsheet: save as CSV)."
        )
    text = _decoded(data).replace("\x00", "")
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        text = rest
    separator = max(",;\t", key=lambda mark: _fits(text, mark))
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise FileFormatError(f"{path}: found no readable CSV ({error}).") from error


def _fits(text: str, separator: str) -> tuple[bool, int]:
    """Say whether the header has the column of items with this separator, and how many columns."""
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return False, 0
    return ITEM in (_name(cell) for cell in header), len(header)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _name(cell: str) -> str:
    return " ".join(cell.strip().lstrip("'").lower().split())


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""
