"""`Question`: what people and models said of the same pairs, about the verdict or one concept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.errors import DataError, FileFormatError, InputError
from palate.validate.labels import Labels
from palate.validate.ratings import Array, Ratings
from palate.validate.sheet import Key, column_of

VERDICT, ALL = "verdict", "all concepts"


@dataclass(frozen=True, eq=False)
class Question:
    """Labels of people and of models on the same items.

    Parameters
    ----------
    name
        "verdict", or the name of a concept.
    people
        Labels of the people.
    annotators
        Name of a model -> its labels of the same items, shape (n,), NaN where there is none.

    Raises
    ------
    InputError
        If the labels of a model have another shape, or it has the name of a person.
    """

    name: str
    people: Ratings
    annotators: Mapping[str, Array]

    def __post_init__(self) -> None:
        for name, values in self.annotators.items():
            if np.shape(values) != (self.people.n_items,):
                raise InputError(
                    f"Question {self.name!r}: labels of {name!r} have shape {np.shape(values)}; "
                    f"expected ({self.people.n_items},)."
                )
            if name in self.people.raters:
                raise InputError(
                    f"Question {self.name!r}: {name!r} is among the people and the models; "
                    "expected different names."
                )


def from_columns(
    preferences: Preferences,
    people: Sequence[str],
    mechanisms: Sequence[str] = (),
    *,
    cluster: str | None = None,
) -> Question:
    """Return people and models whose verdicts are columns of the file.

    Soft verdicts count by their side.

    Parameters
    ----------
    preferences
        The pairs.
    people
        Mechanisms that are people, one each.
    mechanisms
        Mechanisms that are models.
    cluster
        A metadata column whose equal values are one observation, as equal prompts are.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If no pair was judged by two of the people.
    InputError
        If a name is given twice.
    """
    given = [*people, *mechanisms]
    if len(set(given)) < len(given):
        twice = next(x for k, x in enumerate(given) if x in given[:k])
        raise InputError(f"{twice!r} is given twice; expected each column once.")
    values = np.column_stack([np.sign(preferences.verdict(name)) for name in people])
    models = {name: np.sign(preferences.verdict(name)) for name in mechanisms}
    kept = (~np.isnan(values)).any(axis=1)
    if not ((~np.isnan(values)).sum(axis=1) >= 2).any():
        raise DataError(
            f"--people: found no pair that two of {', '.join(map(repr, people))} judged; "
            "expected some."
        )
    number = groups(preferences, cluster_column=cluster)
    ratings = Ratings(tuple(people), values[kept], number[kept])
    return Question(VERDICT, ratings, {name: v[kept] for name, v in models.items()})


def from_sheets(
    preferences: Preferences,
    key: Key,
    labels: Labels,
    *,
    mechanisms: Sequence[str] = (),
    matrices: Mapping[str, ConceptMatrix] | None = None,
    cluster: str | None = None,
) -> tuple[Question, ...]:
    """Return what people wrote in sheets beside what models said of the same pairs.

    Parameters
    ----------
    preferences
        The pairs that the sample was drawn from.
    key
        The key of the sample.
    labels
        What people wrote.
    mechanisms
        Verdict columns of models, where the sheet asked for verdicts.
    matrices
        Name of a model -> its values of concepts, where the sheet asked for concepts; by sign.
    cluster
        A metadata column whose equal values are one observation, as equal prompts are.

    Raises
    ------
    FileFormatError
        If the key names a pair that the file does not hold.
    UnknownNameError
        If a mechanism or a concept is unknown.
    """
    known = set(preferences.ids)
    for pair in key.pairs:
        if pair.id not in known:
            raise FileFormatError(
                f"The key names the pair {pair.id!r}, which is not in the file; expected the file "
                "that the sample was drawn from."
            )
    rows = np.array([preferences.row(pair.id) for pair in key.pairs])
    number = groups(preferences, cluster_column=cluster)[rows]

    def question(name: str, column: str, models: Mapping[str, npt.ArrayLike]) -> Question:
        ratings = Ratings(labels.people, labels.values[column], number)
        at = {model: np.sign(np.asarray(v, dtype=float))[rows] for model, v in models.items()}
        return Question(name, ratings, at)

    if not key.concepts:
        models = {name: preferences.verdict(name) for name in mechanisms}
        return (question(VERDICT, key.columns[0], models),)
    aligned = {name: m.align(preferences.ids) for name, m in (matrices or {}).items()}
    return tuple(
        question(concept, column_of(concept), {n: m.column(concept) for n, m in aligned.items()})
        for concept in key.concepts
    )


def together(questions: Sequence[Question]) -> Question:
    """Return all questions as one: every pair and concept is an item, a prompt one observation.

    Parameters
    ----------
    questions
        Questions to the same people and about the same models.

    Raises
    ------
    InputError
        If people, models or kinds of labels differ, or a concept has the name of all of them.
    """
    first = questions[0]
    for q in questions[1:]:
        same = q.people.raters == first.people.raters and q.people.kind == first.people.kind
        if not same or set(q.annotators) != set(first.annotators):
            raise InputError(f"Questions {first.name!r} and {q.name!r} have different raters.")
    if ALL in (q.name for q in questions):
        raise InputError(
            f"Found a concept {ALL!r}, which is the name of the line over all of them; expected "
            "another name."
        )
    people = Ratings(
        first.people.raters,
        np.vstack([q.people.values for q in questions]),
        np.concatenate([q.people.groups for q in questions]),
        first.people.kind,
    )
    models = {n: np.concatenate([q.annotators[n] for q in questions]) for n in first.annotators}
    return Question(ALL, people, models)
