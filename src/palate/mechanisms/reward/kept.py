"""`Kept`: scores in a file that only grows, so that an interrupted run goes on where it stopped.

A line is written when a batch is done. A line that a killed process left unfinished is passed over,
and so is every line of another model, of another length or of other texts: a score is found under
the hash of everything that it depends on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any

from palate.errors import OutputError


class Kept:
    """Scores by key, in memory and in a file.

    `used` counts scores of an earlier run that were asked for, `added` those that were put.

    Parameters
    ----------
    path
        The file; it is made when something is put. None keeps them in memory only.

    Raises
    ------
    OutputError
        If the file cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.used, self.added = 0, 0
        self._known: dict[str, dict[str, Any]] = {}
        self._file: TextIOWrapper | None = None
        self._torn = False
        if path is None or not path.exists():
            return
        try:
            data = path.read_bytes()
        except OSError as error:
            raise OutputError(
                f"{path}: scores of an interrupted run cannot be read ({error.strerror})."
            ) from error
        self._torn = bool(data) and not data.endswith(b"\n")
        for line in data.split(b"\n"):
            try:
                row = json.loads(line)
                self._known[row["key"]] = row
            except (ValueError, KeyError, TypeError):
                continue  # cut off, or nothing of ours

    def __enter__(self) -> Kept:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what was put under a key; None if nothing was.

        Parameters
        ----------
        key
            The key.
        """
        return self._known.get(key)

    def put(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep rows, each under its "key".

        Parameters
        ----------
        rows
            JSON objects.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        rows = list(rows)
        self.added += len(rows)
        self._known.update((row["key"], row) for row in rows)
        if self.path is None:
            return
        try:
            if self._file is None:
                self._file = self.path.open("a", encoding="ascii", newline="\n")
                if self._torn:
                    self._file.write("\n")
            self._file.write("".join(json.dumps(row) + "\n" for row in rows))
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"{self.path}: scores cannot be kept there ({error.strerror})."
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
