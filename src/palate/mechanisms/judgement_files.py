"""The files of judgements, one or several columns in the same folder.

    judgements.jsonl   one row per column and pair: `mechanism`, `id`, `domain`, `verdict`, `soft`,
                       the demonstrations it was shown after, and for each order that was asked
                       (`ab`: a first, `ba`: b first) `verdict`, `soft`, `answers` as the model
                       gave them, and `failure` where there is none
    judging.json       per column: style, hashes of the prompts, orders, samples, model, what it
                       took, which pairs were shortened or address the model

Verdicts name responses (+1 = a); the words of `answers` name places ("first").
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

from palate.data.atomic import write_text
from palate.data.documents import made_folder, write_lines
from palate.data.injection import Flag
from palate.errors import FileFormatError, InputError, RowError, UnknownNameError
from palate.mechanisms.judgement import Judgement
from palate.mechanisms.judging import SIGN
from palate.mechanisms.matchup import UNJUDGED, Judged, Said

ROWS_FILE, FACTS_FILE = "judgements.jsonl", "judging.json"
SCHEMA = "palate.judging/1"
_FACTS = ("orders", "samples", "soft_verdicts", "seed", "max_chars", "cleaned")
_WHOLE = ("style", "prompts", "used", "provenance")


def save_judgements(judgements: Sequence[Judgement], folder: str | PathLike[str]) -> None:
    """Write judgements of several columns into a folder, which is made if absent.

    Parameters
    ----------
    judgements
        The judgements, names unique.
    folder
        Where to write; files of these names in it are replaced.

    Raises
    ------
    OutputError
        If it cannot be written to.
    """
    target = made_folder(folder)
    rows = (row for judgement in judgements for row in _rows(judgement))
    write_lines(target / ROWS_FILE, rows)
    facts = {"schema": SCHEMA, "columns": {one.name: _facts(one) for one in judgements}}
    text = json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False, default=str)
    write_text(target / FACTS_FILE, text + "\n")


def load_judgements(folder: str | PathLike[str]) -> tuple[Judgement, ...]:
    """Read the judgements of a folder.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    FileFormatError
        If the files are absent, damaged or of another schema.
    """
    place = Path(folder)
    try:
        facts = json.loads((place / FACTS_FILE).read_text(encoding="utf-8"))
        text = (place / ROWS_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{place}: found no readable {FACTS_FILE} and {ROWS_FILE} ({error}); expected what "
            "palate judge writes."
        ) from error
    found = facts.get("schema") if isinstance(facts, dict) else None
    if found != SCHEMA:
        raise FileFormatError(
            f"{place / FACTS_FILE}: found schema {found!r}; expected schema {SCHEMA!r}."
        )
    columns = facts["columns"]
    rows = _read_rows(place / ROWS_FILE, text, columns)
    try:
        return tuple(_built(name, columns[name], own) for name, own in rows.items())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FileFormatError(
            f"{place}: the judgements cannot be read ({type(error).__name__}: {error})."
        ) from error


def one_of(
    judgements: Sequence[Judgement], folder: str | PathLike[str], name: str | None
) -> Judgement:
    """Return one of several judgements by its name, or the only one.

    Parameters
    ----------
    judgements
        The judgements.
    folder
        Where they were read, for messages.
    name
        Its name; None for the only one.

    Raises
    ------
    InputError
        If there are several and none is named.
    UnknownNameError
        If there is none of that name.
    """
    by_name = {judgement.name: judgement for judgement in judgements}
    if name is None and len(judgements) == 1:
        return judgements[0]
    if name is None:
        raise InputError(
            f"{folder}: found judgements of {len(by_name)} columns; expected one of them to be "
            f"named: {', '.join(map(repr, by_name))}."
        )
    if name not in by_name:
        raise UnknownNameError("judgement", name, by_name)
    return by_name[name]


def _read_rows(file: Path, text: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each column."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows[row["mechanism"]].append(row)
        except (KeyError, TypeError, ValueError):
            raise RowError(
                file, number, None, line, f"a JSON object about a column of {FACTS_FILE}"
            ) from None
    return rows


def _rows(judgement: Judgement) -> Iterable[dict[str, Any]]:
    tie = "equal" if judgement.style.get("question") == "follows" else "tie"
    verdicts = judgement.verdicts.tolist()
    for pair, domain, verdict in zip(judgement.judged, judgement.domains, verdicts, strict=True):
        row: dict[str, Any] = {
            "mechanism": judgement.name,
            "id": pair.id,
            "domain": domain,
            "verdict": _number(verdict),
            "soft": pair.soft,
        }
        if pair.id in judgement.examples:
            row["examples"] = list(judgement.examples[pair.id])
        for order, said in (("ab", pair.ab), ("ba", pair.ba)):
            if said is not None:
                row[order] = _told(said, swapped=order == "ba", tie=tie)
        yield row


def _told(said: Said, *, swapped: bool, tie: str) -> dict[str, Any]:
    words = {1.0: "second", -1.0: "first"} if swapped else {1.0: "first", -1.0: "second"}
    answers = [{"verdict": words.get(verdict, tie)} for verdict in said.samples]
    if said.reasons:
        answers = [
            {"reasons": reason} | answer
            for reason, answer in zip(said.reasons, answers, strict=True)
        ]
    told = {"verdict": _number(said.verdict), "soft": said.soft, "answers": answers}
    return told | ({"failure": said.failure} if said.failure else {})


def _facts(judgement: Judgement) -> dict[str, Any]:
    return {
        "n_pairs": len(judgement.ids),
        **{name: getattr(judgement, name) for name in _FACTS},
        **{name: dict(getattr(judgement, name)) for name in _WHOLE},
        "truncated": {name: list(parts) for name, parts in judgement.truncated.items()},
        "flagged": {n: [asdict(flag) for flag in flags] for n, flags in judgement.flagged.items()},
    }


def _built(name: str, facts: Mapping[str, Any], rows: Sequence[dict[str, Any]]) -> Judgement:
    if len(rows) != facts["n_pairs"]:
        raise ValueError(f"found {len(rows)} rows of {name!r}, expected {facts['n_pairs']}")
    return Judgement(
        name=name,
        ids=tuple(str(row["id"]) for row in rows),
        domains=tuple(str(row["domain"]) for row in rows),
        judged=tuple(
            Judged(
                row["id"],
                ab=_said(row["ab"], swapped=False) if "ab" in row else None,
                ba=_said(row["ba"], swapped=True) if "ba" in row else None,
            )
            for row in rows
        ),
        examples={row["id"]: tuple(row["examples"]) for row in rows if "examples" in row},
        truncated={n: tuple(parts) for n, parts in facts["truncated"].items()},
        flagged={n: tuple(Flag(**f) for f in flags) for n, flags in facts["flagged"].items()},
        **{part: facts[part] for part in (*_FACTS, *_WHOLE)},
    )


def _said(told: Mapping[str, Any], *, swapped: bool) -> Said:
    sign = -1.0 if swapped else 1.0
    verdict = told["verdict"]
    return Said(
        verdict=UNJUDGED if verdict is None else float(verdict),
        samples=tuple(sign * SIGN[answer["verdict"]] + 0.0 for answer in told["answers"]),
        soft=told["soft"],
        reasons=tuple(answer["reasons"] for answer in told["answers"] if "reasons" in answer),
        failure=told.get("failure", ""),
    )


def _number(value: float) -> float | int | None:
    if math.isnan(value):
        return None
    return int(value) if value == int(value) else value
