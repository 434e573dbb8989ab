"""`load_script`: the script of the demo set by name, or one that was saved in a file."""

from __future__ import annotations

import gzip
import importlib.resources
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from palate.errors import FileFormatError, InputError, OutputError, UnknownNameError
from palate.llm.scripted.recorded_pair import RecordedPair
from palate.llm.scripted.replay import Recorded


def load_script(name: str) -> Recorded:
    """Return a script: "demo", or the path of a file that `save_script` wrote.

    Parameters
    ----------
    name
        "demo" or a path.

    Raises
    ------
    UnknownNameError
        If there is no such script and no such file.
    FileFormatError
        If the file cannot be read as a saved script.
    """
    if name == "demo":
        return demo_script()
    if not Path(name).exists():
        raise UnknownNameError("script", name, ("demo", "FILE.json"))
    try:
        return Recorded.from_json(Path(name).read_text(encoding="utf-8"))
    except OSError as problem:
        raise FileFormatError(f"{name}: cannot be read ({problem.strerror}).") from None
    except (InputError, UnicodeDecodeError) as problem:
        raise FileFormatError(f"{name}: {problem}") from None


def save_script(script: Recorded, path: str | Path) -> None:
    """Write a recording to a JSON file.

    Parameters
    ----------
    script
        The recording.
    path
        Where to write it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        Path(path).write_text(script.to_json(), encoding="utf-8")
    except OSError as problem:
        raise OutputError(f"{path}: cannot be written ({problem.strerror}).") from None


def recorded_script(
    pairs: Iterable[Mapping[str, Any]],
    annotations: Iterable[Mapping[str, Any]],
    concepts: Sequence[Mapping[str, Any]],
) -> Recorded:
    """Return the script of pairs and the annotations that are recorded of them.

    Parameters
    ----------
    pairs
        Rows with `id`, `domain`, `prompt`, `response_a`, `response_b` and, where recorded,
        `labels`: verdicts by judge.
    annotations
        Rows with `id`, `values` by concept and, where recorded, `values_swapped`.
    concepts
        Rows with `name`, `definition`, `domains`; on a pair of another domain a concept is not
        relevant.
    """
    where = {c["name"]: c.get("domains", "all") for c in concepts}
    by_id = {row["id"]: row for row in annotations}

    def kept(values: Mapping[str, Any], domain: str) -> dict[str, Any]:
        return {
            c: v for c, v in values.items() if where.get(c, "all") in ("all",) or domain in where[c]
        }

    found = []
    for row in pairs:
        known = by_id.get(row["id"])
        if known is None:
            continue
        domain = row["domain"]
        found.append(
            RecordedPair(
                request=row["prompt"],
                first=row["response_a"],
                second=row["response_b"],
                domain=domain,
                values=kept(known["values"], domain),
                swapped=kept(known.get("values_swapped") or {}, domain),
                verdicts=row.get("labels") or {},
            )
        )
    return Recorded(found, concepts)


def demo_script() -> Recorded:
    """Return the recorded annotations of the demo set that ships with Palate."""
    folder = importlib.resources.files("palate").joinpath("data", "demo_set")

    def rows(name: str) -> list[Any]:
        text = gzip.decompress(folder.joinpath(name).read_bytes()).decode()
        return [json.loads(line) for line in text.splitlines()]

    concepts = json.loads(folder.joinpath("concepts.json").read_text(encoding="utf-8"))
    return recorded_script(rows("pairs.jsonl.gz"), rows("annotations.jsonl.gz"), concepts)
