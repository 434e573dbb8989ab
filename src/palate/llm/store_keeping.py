"""What lies in a store: counted, exported, pruned.

summarise(path)                              # answers, tokens, cost per model and question
for row in export(path): ...                 # one plain dict per answer
prune(path, Which(older_than=30 * DAY))      # deleted, the file made smaller
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from palate.llm.store import unpacked
from palate.llm.store_file import open_file, output_error

DAY = 86_400.0


@dataclass(frozen=True)
class Which:
    """Some answers of a store; those that fit everything that is given.

    Parameters
    ----------
    model
        Name of their model.
    name
        Kind of their question.
    older_than
        Seconds since they were made, at least.
    """

    model: str | None = None
    name: str | None = None
    older_than: float | None = None

    def condition(self) -> tuple[str, list[Any]]:
        """Return the SQL that chooses them, and its parameters."""
        parts, values = ["1"], list[Any]()
        if self.model is not None:
            parts.append("model = ?")
            values.append(self.model)
        if self.name is not None:
            parts.append("name = ?")
            values.append(self.name)
        if self.older_than is not None:
            parts.append("created <= ?")
            values.append(time.time() - self.older_than)
        return " AND ".join(parts), values


@dataclass(frozen=True)
class Kept:
    """The answers of one model to one kind of question.

    Parameters
    ----------
    model
        Name of the model.
    name
        Kind of question.
    answers
        How many.
    input_tokens
        Tokens sent.
    output_tokens
        Tokens generated.
    cost
        US dollars, of those whose price was known; None if of none.
    first
        When the first one came, seconds since 1970.
    last
        When the last one came.
    """

    model: str
    name: str
    answers: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    first: int
    last: int


def summarise(path: Path) -> list[Kept]:
    """Return what is kept per model and kind of question, in their order.

    Parameters
    ----------
    path
        A store.

    Raises
    ------
    FileFormatError
        If it is no store.
    OutputError
        If it is not there or cannot be read.
    """
    with closing(open_file(path, create=False)) as store:
        try:
            rows = store.execute(
                "SELECT model, name, count(*), sum(input_tokens), sum(output_tokens), sum(cost), "
                "min(created), max(created) FROM answers GROUP BY model, name ORDER BY model, name"
            ).fetchall()
        except sqlite3.Error as error:
            raise output_error(path, error, "read") from error
    return [Kept(*row) for row in rows]


def size(path: Path) -> int:
    """Return the bytes of a store, those that are not yet merged included.

    Parameters
    ----------
    path
        A store.
    """
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def export(path: Path, which: Which | None = None) -> Iterator[dict[str, Any]]:
    """Yield one plain dict per answer, the oldest first.

    Parameters
    ----------
    path
        A store.
    which
        Those answers only; None for all.

    Raises
    ------
    FileFormatError
        If it is no store.
    OutputError
        If it is not there or cannot be read.
    """
    condition, values = (which or Which()).condition()
    with closing(open_file(path, create=False)) as store:
        try:
            rows = store.execute(
                "SELECT key, model, name, about, value, probabilities, input_tokens, "
                "output_tokens, cached_tokens, cost, created, prompt FROM answers "
                f"WHERE {condition} ORDER BY rowid",
                values,
            )
            for key, model, name, about, value, soft, sent, made, cached, cost, at, prompt in rows:
                yield {
                    "key": key.hex(),
                    "model": model,
                    "name": name,
                    "about": about,
                    "value": json.loads(value),
                    **({} if soft is None else {"probabilities": json.loads(soft)}),
                    "input_tokens": sent,
                    "output_tokens": made,
                    "cached_tokens": cached,
                    "cost": cost,
                    "created": datetime.fromtimestamp(at, UTC).isoformat(),
                    **({} if prompt is None else unpacked(prompt)),
                }
        except sqlite3.Error as error:
            raise output_error(path, error, "read") from error


def prune(path: Path, which: Which, *, dry_run: bool = False) -> int:
    """Delete answers, make the file smaller, and return how many there were.

    Parameters
    ----------
    path
        A store.
    which
        Which answers.
    dry_run
        Whether they are only counted.

    Raises
    ------
    FileFormatError
        If it is no store.
    OutputError
        If it is not there or cannot be written.
    """
    condition, values = which.condition()
    with closing(open_file(path, create=False)) as store:
        try:
            if dry_run:
                query = f"SELECT count(*) FROM answers WHERE {condition}"
                return int(store.execute(query, values).fetchone()[0])
            gone = store.execute(f"DELETE FROM answers WHERE {condition}", values).rowcount
            if gone:
                store.execute("VACUUM")
                store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise output_error(path, error, "written") from error
    return gone
