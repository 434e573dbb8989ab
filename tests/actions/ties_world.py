"""A world with ties: people and a judge with known weights, and a judge that loses its way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences

Array = npt.NDArray[np.float64]
PEOPLE = np.array([2.5, 1.5, 0.0, 0.0, -1.0, 0.0])
JUDGE = np.array([1.2, 0.0, 2.0, 0.0, -0.5, 0.0])  # shares one concept, heeds another


def tied_world(
    n: int = 280,
    *,
    people: Array = PEOPLE,
    judge: Array = JUDGE,
    bias: float = 0.4,
    prompts: int | None = None,
    domains: Sequence[str] = ("north", "south"),
    seed: int = 0,
) -> tuple[Preferences, ConceptMatrix]:
    """Return pairs, and values from {-1, 0, 1}: the judge says "first" with probability `bias`."""
    random = np.random.default_rng(seed)
    values = random.choice([-1.0, 0.0, 1.0], size=(n, people.size))
    said = np.where(random.random(n) < _chance(values @ people), 1.0, -1.0)
    orders = []
    for sign in (1.0, -1.0):  # a first, then b first
        first = random.random(n) < bias + (1 - bias) * _chance(sign * (values @ judge))
        orders.append(sign * np.where(first, 1.0, -1.0))
    number = random.integers(0, prompts, n) if prompts else np.arange(n)
    letters = {1.0: "a", -1.0: "b"}
    rows = [
        {
            "id": f"p{i}",
            "domain": domains[int(number[i]) % len(domains)],
            "prompt": f"Question {number[i]}?",
            "response_a": f"a{i}",
            "response_b": f"b{i}",
            "labels": {
                "people": float(said[i]),
                "judge": float(orders[0][i]) if orders[0][i] == orders[1][i] else 0.0,
            },
            "meta": {"orders": {"judge": letters[orders[0][i]] + letters[orders[1][i]]}},
        }
        for i in range(n)
    ]
    preferences = Preferences.from_rows(rows)
    return preferences, matrix_of(values, preferences.ids)


def matrix_of(values: Array, ids: Sequence[str]) -> ConceptMatrix:
    """Return values as concepts c0, c1, ..."""
    return ConceptMatrix(
        ids=tuple(ids),
        concepts=tuple(
            Concept(f"c{j}", f"High: more of c{j}; low: less.") for j in range(values.shape[1])
        ),
        values=values,
        scales=("comp",) * values.shape[1],
        step=np.full(values.shape[1], np.nan),
    )


def with_verdicts(preferences: Preferences, **columns: Array) -> Preferences:
    """Return the same pairs with other verdicts."""
    verdicts = preferences.verdicts.with_columns(
        **{name: pl.Series(column).fill_nan(None) for name, column in columns.items()}
    )
    return Preferences(preferences.pairs, verdicts, preferences.metadata, preferences.json_metadata)


def _chance(z: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-z)))
