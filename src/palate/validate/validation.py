"""`Validation`: agreement of people and models, and whether a model may stand in for a person.

    validation = validate(questions, epsilon=0.1)
    print(validation)
    validation.save("validated")

Two tables. `agreement`, one row per question, set of raters and coefficient; `between` says which
raters they are:

- "people": all people together;
- "two people": each two of them;
- "model and majority": a model and the label that most people gave, where one has most;
- "model and person": a model and each person.

`alternative`, one row per question, model and person (`person` null: all of them).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from palate.data.atomic import write_text
from palate.errors import DataError, FileFormatError
from palate.validate.agreement import LEVEL, Coefficient, agreement, majority, pairs
from palate.validate.alternative import (
    EPSILON,
    LEAST_ITEMS,
    AlternativeTest,
    Q,
    Test,
    alternative_test,
)
from palate.validate.questions import Question, together
from palate.validate.ratings import MOST_CATEGORIES, Ratings
from palate.validate.sentences import notes_of, sentences
from palate.validate.sheet import safe_cell

SCHEMA = "palate.validation/1"
PEOPLE, TWO_PEOPLE = "people", "two people"
MAJORITY, PERSON = "model and majority", "model and person"
AGREEMENT_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("question", "between", "a", "b", "measure"), pl.String),
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
    **dict.fromkeys(("n_items", "n_groups"), pl.Int64),
}
ALTERNATIVE_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("question", "model", "person"), pl.String),
    **dict.fromkeys(("n_items", "n_groups"), pl.Int64),
    **dict.fromkeys(("advantage", "low", "high", "person_advantage", "p_value"), pl.Float64),
    "beaten": pl.Boolean,
    **dict.fromkeys(("n_beaten", "n_tested"), pl.Int64),
    "winning_rate": pl.Float64,
    "passes": pl.Boolean,
}


@dataclass(frozen=True, eq=False)
class Validation:
    """How far people agree, and models with them.

    Parameters
    ----------
    agreement
        The table of coefficients.
    alternative
        The table of the alternative annotator test.
    settings
        Level, epsilon, q, test and the least number of items.
    counts
        People, models, questions, items, groups, labels.
    notes
        Plain sentences that a reader must know.
    """

    agreement: pl.DataFrame
    alternative: pl.DataFrame
    settings: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """Names of the questions, all concepts together first."""
        return tuple(self.agreement["question"].unique(maintain_order=True))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in plain sentences, the main ones first."""
        return sentences(self)

    def __str__(self) -> str:
        return "\n".join((*self.sentences, *(f"Note: {note}" for note in self.notes)))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready data."""
        return {
            "schema": SCHEMA,
            "sentences": list(self.sentences),
            "settings": dict(self.settings),
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "agreement": self.agreement.to_dicts(),
            "alternative": self.alternative.to_dicts(),
        }

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `validation.json`, `agreement.csv` and `alternative.csv`.

        Parameters
        ----------
        folder
            A folder that is there.

        Raises
        ------
        OutputError
            If it cannot be written to.
        """
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
        write_text(Path(folder) / "validation.json", text + "\n")
        for name, table in (("agreement", self.agreement), ("alternative", self.alternative)):
            cells = pl.col(pl.String).map_elements(safe_cell, return_dtype=pl.String)
            write_text(Path(folder) / f"{name}.csv", table.with_columns(cells).write_csv())

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Validation:
        """Read what `save` wrote.

        Parameters
        ----------
        folder
            The folder.

        Raises
        ------
        FileFormatError
            If it holds no validation.
        """
        path = Path(folder) / "validation.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            if raw["schema"] != SCHEMA:
                raise ValueError(f"schema {raw['schema']!r}")
            return cls(
                agreement=pl.DataFrame(raw["agreement"], schema=AGREEMENT_SCHEMA),
                alternative=pl.DataFrame(raw["alternative"], schema=ALTERNATIVE_SCHEMA),
                settings=raw["settings"],
                counts=raw["counts"],
                notes=tuple(raw["notes"]),
            )
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"{path}: found no validation ({error}).") from error


def validate(
    questions: Sequence[Question],
    *,
    epsilon: float = EPSILON["crowd"],
    q: float = Q,
    test: Test = "score",
    least_items: int = LEAST_ITEMS,
    level: float = LEVEL,
    notes: Sequence[str] = (),
) -> Validation:
    """Return agreement and the alternative annotator test of each question and of all together.

    Parameters
    ----------
    questions
        Questions to the same people and about the same models.
    epsilon
        What people cost more than models: .2 for experts, .15 for skilled annotators, .1 for a
        crowd.
    q
        False discovery rate over people, in each question by itself.
    test
        Test of one person, "score" or "t".
    least_items
        Items below which a person is not tested.
    level
        Level of the intervals.
    notes
        Sentences about the input that a reader must know.

    Raises
    ------
    DataError
        If there are fewer than two people, or no item has labels of two.
    """
    if not questions:
        raise DataError("validate: found no question; expected at least one.")
    whole = questions[0] if len(questions) == 1 else together(questions)
    if len(whole.people.raters) < 2:
        found_people = ", ".join(map(repr, whole.people.raters)) or "nobody"
        raise DataError(
            f"Found labels of {found_people} alone; expected at least 2 people, as a model is "
            "compared with how well people agree."
        )
    asked = [whole] if len(questions) == 1 else [whole, *questions]
    rows: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    skipped: list[str] = []
    for question in asked:
        if not ((~np.isnan(question.people.values)).sum(axis=1) >= 2).any():
            if question is whole:
                agreement(question.people)  # says that nobody's items meet
            skipped.append(question.name)
            continue
        rows += _agreement_rows(question, level)
        for name, values in question.annotators.items():
            found = alternative_test(
                question.people,
                values,
                annotator=name,
                epsilon=epsilon,
                q=q,
                test=test,
                least_items=least_items,
                level=level,
            )
            tests += _test_rows(question.name, found)
    held = ~np.isnan(whole.people.values)
    counts = {
        "people": len(whole.people.raters),
        "models": len(whole.annotators),
        "questions": len(questions),
        "items": int((held.sum(axis=1) >= 2).sum()),
        "groups": int(np.unique(whole.people.groups[held.sum(axis=1) >= 2]).size),
        "labels": int(held.sum()),
    }
    settings = {
        "level": level,
        "epsilon": epsilon,
        "q": q,
        "test": test,
        "least_items": least_items,
        "kind": whole.people.kind,
        "people": list(whole.people.raters),
        "models": list(whole.annotators),
    }
    frame = pl.DataFrame(rows, schema=AGREEMENT_SCHEMA)
    table = pl.DataFrame(tests, schema=ALTERNATIVE_SCHEMA)
    found_notes = (*notes, *notes_of(frame, table, settings, counts, skipped))
    return Validation(frame, table, settings, counts, found_notes)


def _agreement_rows(question: Question, level: float) -> list[dict[str, Any]]:
    people = question.people
    rows = [_row(question.name, PEOPLE, "", "", c) for c in agreement(people, level=level)]
    if len(people.raters) > 2:
        two = pairs(people, level=level)
        rows += [_row(question.name, TWO_PEOPLE, c.raters[0], c.raters[1], c) for c in two]
    most = majority(people) if people.kind in ("comparative", "nominal") else None
    for name, values in question.annotators.items():
        beside = [(PERSON, person, people.of([person])) for person in people.raters]
        if most is not None:
            among = Ratings(("majority",), most[:, None], people.groups, people.kind)
            beside.insert(0, (MAJORITY, "majority", among))
        for between, other, alone in beside:
            both = ~np.isnan(alone.values[:, 0]) & ~np.isnan(values)
            # scores of a model may have more decimals than a table of categories can hold
            found_labels = np.unique(np.concatenate([values[both], alone.values[both, 0]]))
            if 0 < found_labels.size <= MOST_CATEGORIES:
                both_raters = Ratings(
                    (name, other),
                    np.column_stack([values, alone.values])[both],
                    people.groups[both],
                    people.kind,
                )
                found = agreement(both_raters, level=level)
                rows += [_row(question.name, between, name, other, c) for c in found]
    return rows


def _row(question: str, between: str, a: str, b: str, c: Coefficient) -> dict[str, Any]:
    ends = {key: _known(getattr(c, key)) for key in ("value", "low", "high")}
    return {
        "question": question,
        "between": between,
        "a": a or None,
        "b": b or None,
        "measure": c.measure,
        **ends,
        "n_items": c.n_items,
        "n_groups": c.n_groups,
    }


def _test_rows(question: str, found: AlternativeTest) -> list[dict[str, Any]]:
    head = {"question": question, "model": found.annotator}
    rows: list[dict[str, Any]] = [
        {
            **head,
            "n_items": None,
            "advantage": _known(found.advantage.value),
            "low": _known(found.advantage.low),
            "high": _known(found.advantage.high),
            "n_beaten": sum(r.beaten for r in found.rivals),
            "n_tested": found.n_tested,
            "winning_rate": _known(found.winning_rate),
            "passes": found.passes,
        }
    ]
    for rival in found.rivals:
        rows.append(
            {
                **head,
                "person": rival.person,
                "n_items": rival.n_items,
                "n_groups": rival.n_groups,
                "advantage": _known(rival.advantage),
                "person_advantage": _known(rival.person_advantage),
                "p_value": _known(rival.p_value),
                "beaten": rival.beaten if not math.isnan(rival.p_value) else None,
            }
        )
    return rows


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
