"""Answers -> numbers.

A comparison is +1 (more in the response shown first), -1 or 0; where the model gave probabilities
it is p(first) - p(second), so an answer that could have gone either way counts for little. Values
are turned to the sides of the pair, so that the order in which it was shown is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.questions import SCORES, field
from palate.llm.outcome import Answer

DIGITS = 4
"""Soft values are rounded, so that a saved one reads back as it was."""
SIGNS = {"first": 1.0, "second": -1.0, "equal": 0.0, "irrelevant": 0.0}


def compared(answer: Answer, n: int, *, swapped: bool) -> npt.NDArray[np.float64]:
    """Return the values of a comparison, shape (n,): positive is more in response a.

    Parameters
    ----------
    answer
        The answer.
    n
        Number of concepts of the question.
    swapped
        Whether response b was shown first.
    """
    values = np.empty(n)
    for k in range(n):
        soft = _probabilities(answer, k)
        if soft is not None:
            values[k] = round(soft.get("first", 0.0) - soft.get("second", 0.0), DIGITS)
        else:
            said = answer.value[field(k)]
            values[k] = SIGNS[said["answer"] if isinstance(said, Mapping) else said]
    return (-values if swapped else values) + 0.0


def relevant(answer: Answer, n: int) -> npt.NDArray[np.bool_]:
    """Return which concepts matter, shape (n,).

    Parameters
    ----------
    answer
        The answer.
    n
        Number of concepts of the question.
    """
    return np.array([bool(answer.value[field(k)]) for k in range(n)], dtype=bool)


def scored(answer: Answer, n: int) -> npt.NDArray[np.float64]:
    """Return the scores of one response, shape (n,): 1 to 7, or 0 for not relevant.

    With probabilities it is the expected score among 1 to 7, or 0 where 0 is the likelier half.

    Parameters
    ----------
    answer
        The answer.
    n
        Number of concepts of the question.
    """
    values = np.empty(n)
    for k in range(n):
        soft = _probabilities(answer, k)
        if soft is None:
            values[k] = float(answer.value[field(k)])
            continue
        low, high = SCORES
        p = np.array([soft.get(str(score), 0.0) for score in range(low, high + 1)])
        mass = float(p[1:].sum())
        scores = np.arange(low + 1, high + 1)
        values[k] = 0.0 if p[0] >= mass else round(float(p[1:] @ scores) / mass, DIGITS)
    return values


def difference(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return score differences a - b: 0 where a concept is not relevant to one, NaN where unknown.

    Parameters
    ----------
    a
        Scores of response a, NaN = not known.
    b
        Scores of response b.
    """
    out = np.where((a == 0) | (b == 0), 0.0, np.round(a - b, DIGITS))
    return np.where(np.isnan(a) | np.isnan(b), np.nan, out) + 0.0


def _probabilities(answer: Answer, k: int) -> Mapping[str, float] | None:
    found: Any = None if answer.probabilities is None else answer.probabilities.get(field(k))
    return found if isinstance(found, Mapping) and found else None
