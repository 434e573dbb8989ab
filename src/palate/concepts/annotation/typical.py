"""A typical answer to each kind of question, for counting what a run would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from palate.llm.request import Request

RELEVANT = 0.6
"""Share of concepts that is taken to matter for a request."""
REASON = "The first response names the quantity and the time, the second speaks in general terms."
_USUAL = ("first", "equal", "second", "equal", "irrelevant")


def typical_answer(request: Request) -> Mapping[str, Any]:
    """Return an answer of the usual length that the schema of a request allows.

    Parameters
    ----------
    request
        A question of this package.
    """
    fields = request.schema["properties"]
    if request.name == "compare_pairs":
        return {name: _compared(part["properties"]) for name, part in fields.items()}
    if request.name == "relevance":
        return {name: (k * RELEVANT) % 1 < RELEVANT for k, name in enumerate(fields)}
    if request.name == "score":
        return {name: 3 + k % 3 for k, name in enumerate(fields)}
    if request.name == "compare_reasons":
        answers = {name: part["properties"]["answer"] for name, part in fields.items()}
        return {
            name: {"reason": REASON, "answer": word} for name, word in _compared(answers).items()
        }
    return _compared(fields)


def _compared(fields: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: _allowed(part, _USUAL[k % len(_USUAL)])
        for k, (name, part) in enumerate(fields.items())
    }


def _allowed(part: Mapping[str, Any], word: str) -> str:
    return word if word in part["enum"] else "equal"
