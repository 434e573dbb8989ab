"""`Steps`: what each step of a discovery found, kept in a file, so that a killed run goes on.

Every file is JSON lines. Its first line names the step and holds a hash of all that went into it:
its settings, its prompts, the model and the rows of the step before. A file with the right hash
is read, anything else is made again. The rows count as they are found, so an edited file is
honoured and the steps after it are made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from palate.data.atomic import write_text

Rows = list[dict[str, Any]]


class Steps:
    """The steps of one discovery, in order.

    Parameters
    ----------
    folder
        Where their files lie; None keeps nothing.
    start
        Hash of what the first step starts from.
    fresh
        Whether files that are there are made again.
    """

    def __init__(self, folder: Path | None, start: str, *, fresh: bool = False) -> None:
        self._folder, self._last, self._fresh = folder, start, fresh
        self.read: list[str] = []

    def run(self, name: str, inputs: Mapping[str, Any], work: Callable[[], Rows]) -> Rows:
        """Return the rows of a step: from its file, or by doing its work.

        Parameters
        ----------
        name
            Name of the step and, with `.jsonl`, of its file.
        inputs
            What it depends on besides the step before, JSON-ready.
        work
            Does it.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        wanted = digest({"step": name, "inputs": inputs, "before": self._last})
        rows = None if self._fresh else self._stored(name, wanted)
        if rows is None:
            rows = json.loads(json.dumps(work()))  # as it will be read back
            if self._folder is not None:
                lines = [{"step": name, "inputs": wanted}, *rows]
                text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
                write_text(self._folder / f"{name}.jsonl", text)
        else:
            self.read.append(name)
        self._last = digest({"step": wanted, "rows": rows})
        return list(rows)

    def _stored(self, name: str, wanted: str) -> Rows | None:
        if self._folder is None:
            return None
        try:
            lines = (self._folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
            rows = [json.loads(line) for line in lines if line.strip()]
        except (OSError, ValueError):
            return None
        if not rows or not all(isinstance(row, dict) for row in rows):
            return None
        return rows[1:] if rows[0] == {"step": name, "inputs": wanted} else None


def digest(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return a hash of JSON-ready data as 16 hexadecimal digits.

    Parameters
    ----------
    value
        The data.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode("ascii"), digest_size=8).hexdigest()
