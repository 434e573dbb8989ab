"""The files of scores.

scores.jsonl   one row per pair: `id`, `score_a`, `score_b`, `margin`, `verdict`, and for each
               side what there is to say: `tokens_a`, `left_out_a`, `plain_a`, `failure_a`
scoring.json   how it was scored, and the temperature
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

from palate.data.atomic import write_text
from palate.data.documents import made_folder
from palate.errors import FileFormatError
from palate.mechanisms.scored import Score, Scored
from palate.mechanisms.temperature import Calibration

ROWS_FILE, FACTS_FILE = "scores.jsonl", "scoring.json"
SCHEMA = "palate.scoring/1"


def save_scored(scored: Scored, folder: str | PathLike[str]) -> None:
    """Write scores into a folder, which is made if absent.

    Parameters
    ----------
    scored
        The scores.
    folder
        Where to write; files of these names in it are replaced.

    Raises
    ------
    OutputError
        If it cannot be written to.
    """
    target = made_folder(folder)
    lines = (json.dumps(row, allow_nan=False) + "\n" for row in _rows(scored))
    write_text(target / ROWS_FILE, "".join(lines))
    facts = {
        "schema": SCHEMA,
        "name": scored.name,
        "pairs": len(scored.ids),
        "hard": scored.hard,
        "temperature": scored.temperature,
        "calibration": None if scored.calibration is None else asdict(scored.calibration),
        "facts": dict(scored.facts),
        "notes": list(scored.notes),
    }
    text = json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False, default=str)
    write_text(target / FACTS_FILE, text + "\n")


def load_scored(folder: str | PathLike[str]) -> Scored:
    """Read scores.

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
        lines = (place / ROWS_FILE).read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line]
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{place}: found no readable {FACTS_FILE} and {ROWS_FILE} ({error}); expected what "
            "palate score writes."
        ) from error
    found = facts.get("schema") if isinstance(facts, dict) else None
    if found != SCHEMA:
        raise FileFormatError(
            f"{place / FACTS_FILE}: found schema {found!r}; expected schema {SCHEMA!r}."
        )
    try:
        if len(rows) != facts["pairs"]:
            raise ValueError(f"found {len(rows)} rows, expected {facts['pairs']}")
        fit = facts["calibration"]
        return Scored(
            name=facts["name"],
            ids=tuple(str(row["id"]) for row in rows),
            a=tuple(_score(row, "a") for row in rows),
            b=tuple(_score(row, "b") for row in rows),
            calibration=None if fit is None else Calibration(**fit),
            hard=facts["hard"],
            facts=facts["facts"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FileFormatError(
            f"{place}: the scores cannot be read ({type(error).__name__}: {error})."
        ) from error


def _rows(scored: Scored) -> Iterator[dict[str, Any]]:
    sides = zip(scored.ids, scored.a, scored.b, scored.margins, scored.verdicts, strict=True)
    for pair, a, b, margin, verdict in sides:
        yield {
            "id": pair,
            "score_a": _number(a.value),
            "score_b": _number(b.value),
            "margin": _number(float(margin)),
            "verdict": _number(float(verdict)),
            **_more(a, "a"),
            **_more(b, "b"),
        }


def _more(score: Score, side: str) -> dict[str, Any]:
    told = {name: value for name, value in asdict(score).items() if name != "value" and value}
    return {f"{name}_{side}": value for name, value in told.items()}


def _score(row: dict[str, Any], side: str) -> Score:
    value = row[f"score_{side}"]
    more = {
        name: row[f"{name}_{side}"]
        for name in ("tokens", "left_out", "plain", "failure")
        if f"{name}_{side}" in row
    }
    return Score(math.nan if value is None else float(value), **more)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
