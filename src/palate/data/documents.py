"""Results as files: one JSON document with a schema's name, and tables for spreadsheets."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.data.atomic import write_text
from palate.errors import FileFormatError, OutputError

if TYPE_CHECKING:
    import polars as pl

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula."""


def write_document(path: str | PathLike[str], schema: str, content: Mapping[str, Any]) -> None:
    """Write a result as one JSON file.

    Parameters
    ----------
    path
        The file; it is replaced.
    schema
        Name of what it holds, with a version.
    content
        The fields; none is NaN.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    document = {"schema": schema, **content}
    write_text(path, json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")


def read_document(path: str | PathLike[str], schema: str, *, what: str) -> dict[str, Any]:
    """Read a file that `write_document` wrote.

    Parameters
    ----------
    path
        The file.
    schema
        Name of what it must hold.
    what
        The same in words, "a comparison".

    Raises
    ------
    FileFormatError
        If it cannot be read, or holds something else.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileFormatError(f"{path}: cannot be read as {what} ({reason}).") from error
    found = document.get("schema") if isinstance(document, dict) else type(document).__name__
    if not isinstance(document, dict) or found != schema:
        raise FileFormatError(f"{path}: found schema {found!r}; expected {schema!r}.")
    return document


@contextmanager
def as_written(path: str | PathLike[str], writer: str) -> Iterator[None]:
    """Turn what goes wrong while a document is taken apart into one sentence about its file.

    Parameters
    ----------
    path
        The file.
    writer
        What writes such files, "Comparison.save".

    Raises
    ------
    FileFormatError
        If a field is missing or of another kind.
    """
    from polars.exceptions import PolarsError

    try:
        yield
    except FileFormatError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, PolarsError) as error:
        raise FileFormatError(f"{path}: found {error}; expected what `{writer}` writes.") from error


def made_folder(path: str | PathLike[str]) -> Path:
    """Return a folder, which is made if absent.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error
    return folder


def write_lines(path: str | PathLike[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as one JSON object a line.

    Parameters
    ----------
    path
        The file; it is replaced.
    rows
        The rows; no number is NaN.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_text(
        path,
        "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows),
    )


def write_csv(path: str | PathLike[str], table: pl.DataFrame) -> None:
    """Write a table for a spreadsheet.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.

    Parameters
    ----------
    path
        The file; it is replaced.
    table
        The table.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import polars as pl

    text = io.StringIO()
    cell = pl.col(pl.String)
    table.with_columns(
        pl.when(cell.str.slice(0, 1).is_in(FORMULA)).then("'" + cell).otherwise(cell).name.keep()
    ).write_csv(text)
    write_text(path, text.getvalue())
