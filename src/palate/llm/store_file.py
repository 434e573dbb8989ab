"""The file of a store: opened, made where it is not there, refused where it is something else."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from pathlib import Path

from palate.errors import FileFormatError, OutputError

VERSION = 1
APPLICATION = 0x50414C54  # "PALT": SQLite's own place for what a file is
PATIENCE = 30.0  # seconds for which a process waits for others

_TABLE = """
CREATE TABLE answers (
    key BLOB NOT NULL UNIQUE,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    about TEXT NOT NULL,
    value TEXT NOT NULL,
    probabilities TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cost REAL,
    created INTEGER NOT NULL,
    prompt BLOB
)"""


def open_file(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Return a connection to a store, made first if it is not there.

    Parameters
    ----------
    path
        The file.
    create
        Whether it may be made.

    Raises
    ------
    FileFormatError
        If the file is something else, or was written by a newer Palate.
    OutputError
        If it cannot be opened for writing, or is not there and may not be made.
    """
    if not create and not path.exists():
        raise OutputError(f"{path}: no such file; expected a store of answers.")
    if path.is_dir():
        raise OutputError(f"{path}: found a directory; expected a store of answers.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError(
            f"{path}: its folder cannot be made ({error.strerror}); choose another store."
        ) from error
    try:
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise output_error(path, error, "opened") from error
    try:
        _prepare(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise output_error(path, error, "opened") from error
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _patiently(connection, "BEGIN")  # the marks and the tables of one moment
    try:
        ours = _is_ours(connection, path)
    finally:
        connection.execute("ROLLBACK")
    if not ours:
        _patiently(connection, "BEGIN IMMEDIATE")
        try:
            if not _is_ours(connection, path):  # another process may have made it meanwhile
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    _patiently(connection, "PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16000")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is a store; False for an empty one, refused if it is anything else."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION:
        if version > VERSION:
            raise FileFormatError(
                f"{path}: found a store of version {version}; expected at most {VERSION}: it was "
                "written by a newer Palate."
            )
        return True
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables or application or version:
        raise FileFormatError(
            f"{path}: found a database of another program; expected a store of answers."
        )
    return False


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement that SQLite does not always wait for when others are at work."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(random.uniform(0.01, 0.05))


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another process is in the way, which passes.

    Parameters
    ----------
    error
        From SQLite.
    """
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def output_error(path: str | os.PathLike[str], error: sqlite3.Error, what: str) -> Exception:
    """Return the sentence for what SQLite says.

    Parameters
    ----------
    path
        The file.
    error
        From SQLite.
    what
        What was tried: "opened", "read" or "written".
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return FileFormatError(f"{path}: found no store of answers ({error}); expected one.")
    return OutputError(f"{path}: the store cannot be {what} ({error}); choose another place.")
