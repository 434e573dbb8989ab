"""The folder of a discovery: where it goes on, and what it does not write over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from palate.concepts.discovery.provenance import CONCEPTS_FILE
from palate.data.run_directory import COMPLETE, INCOMPLETE, RunDirectory, sha256
from palate.errors import OutputError

START_FILE = "discovery.json"


def open_folder(path: Path, start: Mapping[str, Any], *, overwrite: bool = False) -> RunDirectory:
    """Return the folder to write to, with `discovery.json`: what the discovery starts from.

    An interrupted discovery goes on, and a finished one that starts from the same is read again.

    Parameters
    ----------
    path
        The folder.
    start
        Data, settings, seed and model, JSON-ready.
    overwrite
        Whether anything that is there may be replaced.

    Raises
    ------
    OutputError
        If it holds a finished discovery that started from something else, concepts that were
        edited, or files of another origin, and `overwrite` is false; or cannot be written.
    """
    held = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    if not overwrite and COMPLETE in held:
        if _load(path / START_FILE) != json.loads(json.dumps(start)):
            raise OutputError(
                f"{path}: found a finished discovery with other data, settings or model; expected "
                "another folder, or overwriting to be allowed (--overwrite)."
            )
        written = (_load(path / COMPLETE) or {}).get("files", {}).get(CONCEPTS_FILE)
        if written != sha256(path / CONCEPTS_FILE):
            raise OutputError(
                f"{path / CONCEPTS_FILE}: the file was changed since it was written; expected "
                "another folder, or overwriting to be allowed (--overwrite), which loses changes."
            )
    known = bool(held & {COMPLETE, INCOMPLETE})
    run = RunDirectory(path, overwrite=overwrite or known)
    run.write_json(START_FILE, start)
    return run


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
