"""`Writer`: the one thread of a process that writes answers, many rows a commit."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from pathlib import Path
from typing import NamedTuple

from palate.errors import OutputError
from palate.llm.store_file import PATIENCE, is_busy, open_file, output_error

ROWS, SECONDS = 400, 0.02  # a commit comes after so many rows or so long

_INSERT = f"INSERT OR IGNORE INTO answers VALUES ({','.join('?' * 12)})"


class Row(NamedTuple):
    """One row of the store.

    Parameters
    ----------
    key
        Key of the request.
    model
        Name of the model.
    name
        Kind of question.
    about
        What it was about, for people.
    value
        The answer as JSON.
    probabilities
        Probabilities as JSON.
    input_tokens
        Tokens sent.
    output_tokens
        Tokens generated.
    cached_tokens
        Tokens read from the provider's cache.
    cost
        US dollars.
    created
        Seconds since 1970.
    prompt
        Messages and schema, compressed.
    """

    key: bytes
    model: str
    name: str
    about: str
    value: str
    probabilities: str | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None
    created: int
    prompt: bytes | None


class Writer:
    """Writes rows in a thread of its own.

    Parameters
    ----------
    path
        A store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []
        self._given = self._kept = 0
        self._hurry = self._closing = False
        self._error: Exception | None = None
        self.told = False
        """Whether somebody was told that rows could not be written."""
        self._change = threading.Condition()
        self._connection = open_file(path)
        self._thread = threading.Thread(target=self._run, name="palate-store", daemon=True)
        self._thread.start()

    def put(self, row: Row) -> None:
        """Hand over a row.

        Parameters
        ----------
        row
            The row.

        Raises
        ------
        OutputError
            If earlier rows could not be written.
        """
        with self._change:
            self._check()
            self._rows.append(row)
            self._given += 1
            if len(self._rows) == 1 or len(self._rows) == ROWS:
                self._change.notify_all()

    def flush(self) -> None:
        """Wait until everything handed over is committed.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with self._change:
            goal = self._given
            self._hurry = True
            self._change.notify_all()
            while self._kept < goal and self._error is None:
                self._change.wait()
            self._check()

    def close(self) -> None:
        """Commit what is there if that is possible, and end the thread."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join()
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _check(self) -> None:
        if self._error is not None:
            self.told = True
            raise self._error

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._rows and not self._closing:
                    self._hurry = False
                    self._change.wait()
                if not self._rows:
                    return
                until = time.monotonic() + SECONDS
                while len(self._rows) < ROWS and not (self._hurry or self._closing):
                    left = until - time.monotonic()
                    if left <= 0:
                        break
                    self._change.wait(left)
                rows, self._rows = self._rows, []
            try:
                self._commit(rows)
            except sqlite3.Error as error:
                self._fail(output_error(self._path, error, "written"))
                return
            except Exception as error:
                self._fail(OutputError(f"{self._path}: an answer cannot be written ({error})."))
                return
            with self._change:
                self._kept += len(rows)
                self._change.notify_all()

    def _commit(self, rows: list[Row]) -> None:
        """Commit the rows, all or none, as soon as other writers let it."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(_INSERT, rows)
                self._connection.execute("COMMIT")
                return
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                if not is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(random.uniform(0.005, 0.05))

    def _fail(self, error: Exception) -> None:
        with self._change:
            self._error = error
            self._change.notify_all()
