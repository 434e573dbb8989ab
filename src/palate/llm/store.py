"""`Store`: answers kept on disk by the key of their request, so that none is asked or paid twice.

    store = Store("answers.sqlite")
    store.put(key, request, "openai:gpt-5-mini", answer)
    store.flush()            # now it is committed
    store.get_many([key])    # {key: Answer(..., stored=True)}

A SQLite file in write-ahead mode. Only answers that fit their schema are kept, never a failure.
One thread of each process writes, many rows a commit; a commit returns when the rows are on disk.
What was committed survives `kill -9` and the loss of power. Several processes may share a file:
readers never wait, writers take turns. Prompts are kept only on request (`keep_prompts`), keys and
headers never.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from palate.errors import OutputError
from palate.llm.outcome import Answer, Usage
from palate.llm.request import Request
from palate.llm.store_file import open_file, output_error
from palate.llm.store_writer import Row, Writer

CHUNK = 500  # keys of one query

_SELECT = (
    "SELECT key, value, probabilities, input_tokens, output_tokens, cached_tokens, cost "
    "FROM answers WHERE key IN ({})"
)


def default_path() -> Path:
    """Return where answers are kept: `PALATE_STORE`, else the user's folder for data."""
    if given := os.environ.get("PALATE_STORE"):
        return Path(given).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "palate" / "answers.sqlite"


class Store:
    """Answers by the key of their request.

    Parameters
    ----------
    path
        The file, made with its folder if it is not there; None for `default_path()`.
    keep_prompts
        Whether messages and schema are kept beside each answer, compressed.

    Raises
    ------
    FileFormatError
        If the file is something else, or was written by a newer Palate.
    OutputError
        If it cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, keep_prompts: bool = False
    ) -> None:
        self.path = default_path() if path is None else Path(path)
        self.keep_prompts = keep_prompts
        self._lock = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: Writer | None = None
        self._end: Any = None
        self._open()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> tuple[sqlite3.Connection, Writer]:
        """Open what is not open; a closed store opens again when it is used."""
        if self._reader is None or self._writer is None:
            self._reader = open_file(self.path)
            self._writer = Writer(self.path)
            self._end = weakref.finalize(self, _close, self._reader, self._writer)
        return self._reader, self._writer

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        """Return the answers that are there, by key.

        Parameters
        ----------
        keys
            Keys of requests.

        Raises
        ------
        OutputError
            If the file cannot be read any more.
        """
        found: dict[bytes, Answer] = {}
        loads = json.loads
        with self._lock:
            reader, _ = self._open()
            try:
                for start in range(0, len(keys), CHUNK):
                    part = keys[start : start + CHUNK]
                    marks = ",".join("?" * len(part))
                    for key, value, soft, sent, made, cached, cost in reader.execute(
                        _SELECT.format(marks), part
                    ):
                        found[key] = Answer(
                            loads(value),
                            Usage(sent, made, cached),
                            cost,
                            True,
                            None if soft is None else loads(soft),
                        )
            except sqlite3.Error as error:
                raise output_error(self.path, error, "read") from error
        return found

    def put(self, key: bytes, request: Request, model: str, answer: Answer) -> None:
        """Hand over an answer; it is safe once `flush` has returned, and soon after anyway.

        Parameters
        ----------
        key
            Key of the request; an answer that is there already stays.
        request
            The request.
        model
            Name of the model.
        answer
            The answer.

        Raises
        ------
        OutputError
            If an earlier answer could not be written.
        """
        row = Row(
            key,
            model,
            request.name,
            request.about,
            json.dumps(answer.value, separators=(",", ":")),
            None if answer.probabilities is None else json.dumps(answer.probabilities),
            answer.usage.input_tokens,
            answer.usage.output_tokens,
            answer.usage.cached_tokens,
            answer.cost,
            int(time.time()),
            _packed(request) if self.keep_prompts else None,
        )
        with self._lock:
            _, writer = self._open()
        writer.put(row)

    def flush(self) -> None:
        """Wait until everything handed over is committed.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with self._lock:
            writer = self._writer
        if writer is not None:
            writer.flush()

    def close(self) -> None:
        """Commit everything and close the file; the store opens again when it is used.

        Raises
        ------
        OutputError
            If the last answers cannot be written, and nobody was told so before.
        """
        with self._lock:
            writer, self._reader, self._writer = self._writer, None, None
            end, self._end = self._end, None
        if writer is None:
            return
        try:
            if not writer.told:
                writer.flush()
        finally:
            end()


def _close(reader: sqlite3.Connection, writer: Writer) -> None:
    writer.close()
    with contextlib.suppress(sqlite3.Error):
        reader.close()


def _packed(request: Request) -> bytes:
    whole = {
        "messages": [[m.role, m.text] for m in request.messages],
        "schema": request.schema,
    }
    return zlib.compress(json.dumps(whole, separators=(",", ":")).encode("ascii"), 6)


def unpacked(data: bytes) -> dict[str, Any]:
    """Return the messages and the schema of a kept prompt.

    Parameters
    ----------
    data
        As it lies in the store.

    Raises
    ------
    OutputError
        If it is damaged.
    """
    try:
        found: dict[str, Any] = json.loads(zlib.decompress(data))
    except (zlib.error, ValueError) as error:
        raise OutputError(f"A kept prompt is damaged ({error}).") from error
    return found
