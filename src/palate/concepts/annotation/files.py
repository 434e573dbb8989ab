"""The folder of an annotation.

    concepts.json     the concepts, as they were given
    values.jsonl      one row per pair: `id`, `domain`, `values`; where both orders were asked also
                      `values_first` and `values_swapped`. null = not known; what a pair's domain
                      does not have is not there
    annotation.json   how it was asked, coverage and consistency per concept, what was shortened
    failures.jsonl    one row per question without an answer
    flagged.jsonl     one row per text that addresses the model
    spent.json        tokens and cost of the answers; all other files are the same, byte for byte,
                      when the same is asked again

`palate explain FILE --concepts F/concepts.json --values F/values.jsonl` reads the first two.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from palate.concepts.annotation.annotation import Annotation, Array, matrix_of
from palate.concepts.annotation.asking import Spent
from palate.concepts.annotation.board import Lost
from palate.concepts.annotation.second_order import Consistency
from palate.concepts.concept import Concept
from palate.concepts.imported_files import ValueRow, read_definitions, value_rows
from palate.data.atomic import write_text
from palate.data.injection import Flag
from palate.errors import FileFormatError, OutputError, RowError

SCHEMA = "palate.annotation/1"
FILES = ("concepts.json", "values.jsonl", "annotation.json", "failures.jsonl", "flagged.jsonl")


def save(annotation: Annotation, folder: str | PathLike[str]) -> None:
    """Write the files of an annotation.

    Parameters
    ----------
    annotation
        The annotation.
    folder
        The folder; it is made if it is not there.

    Raises
    ------
    OutputError
        If it cannot be written to.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: the folder cannot be made ({error.strerror}).") from error
    matrix = annotation.matrix
    definitions = [
        {**concept.to_dict(), "scale": scale}  # which values alone do not always tell
        for concept, scale in zip(matrix.concepts, matrix.scales, strict=True)
    ]
    write_text(target / "concepts.json", _json(definitions))
    write_text(target / "values.jsonl", _lines(_rows(annotation)))
    write_text(target / "annotation.json", _json(_facts(annotation)))
    write_text(target / "failures.jsonl", _lines(asdict(lost) for lost in annotation.lost))
    write_text(
        target / "flagged.jsonl",
        _lines(
            {"id": pair_id, **asdict(flag)}
            for pair_id, flags in annotation.flagged.items()
            for flag in flags
        ),
    )
    write_text(target / "spent.json", _json(asdict(annotation.spent)))


def load(folder: str | PathLike[str]) -> Annotation:
    """Read the files of an annotation.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    FileFormatError
        If it holds no annotation, or a file of it is missing or wrong.
    """
    place = Path(folder)
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise FileFormatError(
            f"{place}: found no {missing[0]}; expected a folder that palate annotate wrote."
        )
    facts = _read_json(place / "annotation.json")
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        found = facts.get("schema") if isinstance(facts, dict) else None
        raise FileFormatError(
            f"{place / 'annotation.json'}: found schema {found!r}; expected schema {SCHEMA!r}."
        )
    try:
        return _build(place, facts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"{place}: the annotation cannot be read ({type(error).__name__}: {error})."
        ) from error


def _build(place: Path, facts: Mapping[str, Any]) -> Annotation:
    concepts = read_definitions(place / "concepts.json")
    column = {c.name: j for j, c in enumerate(concepts)}
    rows = list(value_rows(place / "values.jsonl"))
    _agree(place, facts, concepts, rows)
    shape = (len(rows), len(concepts))
    values, first = np.full(shape, np.nan), np.full(shape, np.nan)
    second, asked = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    ids, domains = tuple(r.id for r in rows), tuple(str(r.domain) for r in rows)
    for i, row in enumerate(rows):
        absent = [
            j
            for j, c in enumerate(concepts)
            if c.domains is not None and row.domain not in c.domains
        ]
        _fill(values[i], row.values, column)
        _fill(first[i], row.values if row.first is None else row.first, column)
        _fill(second[i], row.again or {}, column)
        asked[i] = np.isfinite(values[i])
        asked[i, absent] = False
        for order in (values, first):
            order[i, absent] = 0.0 if np.isfinite(np.delete(order[i], absent)).any() else np.nan
    lost = tuple(
        Lost(**{**entry, "concepts": tuple(entry["concepts"])})
        for entry in _read_lines(place / "failures.jsonl")
    )
    row_of = {pair_id: i for i, pair_id in enumerate(ids)}
    for entry in lost:
        asked[row_of[entry.id], [column[name] for name in entry.concepts]] = True
    flagged: dict[str, list[Flag]] = {}
    for raw in _read_lines(place / "flagged.jsonl"):
        flagged.setdefault(raw["id"], []).append(Flag(raw["where"], raw["what"], raw["excerpt"]))
    by_name = {entry["concept"]: entry for entry in facts["concepts"]}
    spent = place / "spent.json"
    return Annotation(
        matrix=matrix_of(
            ids,
            concepts,
            values,
            str(facts["choices"]["protocol"]),
            {**facts["provenance"], "values": str(place / "values.jsonl")},
        ),
        first=first,
        second=second,
        asked=asked,
        domains=domains,
        order=tuple(
            Consistency(entry["n_twice"], entry["n_same"], entry["n_opposite"])
            for entry in (by_name[c.name] for c in concepts)
        ),
        audited=None
        if facts["audited"] == "all"
        else np.isin(np.array(ids, dtype=object), facts["audited"]),
        lost=lost,
        truncated={name: tuple(parts) for name, parts in facts["truncated"].items()},
        flagged={name: tuple(flags) for name, flags in flagged.items()},
        dropped=facts["dropped"],
        stopped={name: tuple(where) for name, where in facts["stopped"].items()},
        cleaned=facts["cleaned"],
        choices={**facts["choices"], "rounds": tuple(facts["choices"]["rounds"])},
        seed=facts["seed"],
        spent=Spent(**_read_json(spent)) if spent.is_file() else Spent(),
        provenance=facts["provenance"],
    )


def _agree(
    place: Path, facts: Mapping[str, Any], concepts: Sequence[Concept], rows: Sequence[ValueRow]
) -> None:
    """Say where the files of a folder, or values edited by hand, do not fit together."""
    names, told = {c.name for c in concepts}, {entry["concept"] for entry in facts["concepts"]}
    if names != told:
        raise FileFormatError(
            f"{place / 'concepts.json'}: found other concepts than annotation.json tells of "
            f"({min(names ^ told)!r} is in one of them only); expected both as they were written."
        )
    file, seen = place / "values.jsonl", set()
    largest = 6 if facts["choices"]["protocol"] == "score" else 1  # scores reach from 1 to 7
    for row in rows:
        if row.id in seen:
            raise RowError(file, row.number, "id", row.id, "ids that occur once")
        seen.add(row.id)
        for values in (row.values, row.first or {}, row.again or {}):
            for name, value in values.items():
                if name not in names:
                    raise RowError(file, row.number, name, value, "concepts of concepts.json only")
                if abs(value) > largest:
                    raise RowError(
                        file, row.number, name, value, f"a number from -{largest} to {largest}"
                    )
    if len(rows) != facts["n_pairs"]:
        raise FileFormatError(
            f"{file}: found {len(rows):,} rows; expected the {facts['n_pairs']:,} pairs that "
            "annotation.json tells of (--concepts and --values read a part)."
        )


def _rows(annotation: Annotation) -> Iterable[dict[str, Any]]:
    names, applies = annotation.matrix.names, annotation.applies
    for i, (pair_id, domain) in enumerate(zip(annotation.ids, annotation.domains, strict=True)):
        columns = np.flatnonzero(applies[i]).tolist()

        def named(values: Array, columns: list[int] = columns) -> dict[str, float | int | None]:
            return {names[j]: _number(values[j]) for j in columns}

        row = {"id": pair_id, "domain": domain, "values": named(annotation.matrix.values[i])}
        if np.isfinite(annotation.second[i]).any():
            twice = np.flatnonzero(np.isfinite(annotation.second[i])).tolist()
            row["values_first"] = named(annotation.first[i])
            row["values_swapped"] = named(annotation.second[i], twice)
        yield row


def _facts(annotation: Annotation) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "choices": dict(annotation.choices),
        "seed": annotation.seed,
        "n_pairs": annotation.matrix.n_pairs,
        "n_failed_pairs": len(annotation.failures),
        "n_inconsistent": annotation.n_inconsistent,
        "audited": "all"
        if annotation.audited is None
        else [name for name, a in zip(annotation.ids, annotation.audited, strict=True) if a],
        "cleaned": annotation.cleaned,
        "concepts": annotation.table().to_dicts(),
        "dropped": dict(annotation.dropped),
        "stopped": {name: list(where) for name, where in annotation.stopped.items()},
        "truncated": {name: list(parts) for name, parts in annotation.truncated.items()},
        "provenance": dict(annotation.provenance),
    }


def _fill(row: Array, values: Mapping[str, float], column: Mapping[str, int]) -> None:
    for name, value in values.items():
        row[column[name]] = value


def _number(value: float) -> float | int | None:
    if math.isnan(value):
        return None
    return int(value) if value == int(value) else float(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot be read as JSON ({error}).") from error


def _read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot be read as JSON lines ({error}).") from error
