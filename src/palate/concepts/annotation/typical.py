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
    if request.name == "relevance":
        return {name: (k * RELEVANT) % 1 < RELEVANT for k, name in enumerate(fields)}
    if request.name == "score":
        return {name: 3 + k % 3 for k, name in enumerate(fields)}
    usual = {name: _USUAL[k % len(_USUAL)] for k, name in enumerate(fields)}
    if request.name == "compare_reasons":
        return {
            name: {"reason": REASON, "answer": _allowed(fields[name]["properties"]["answer"], word)}
            for name, word in usual.items()
        }
    return {name: _allowed(fields[name], word) for name, word in usual.items()}


def _allowed(part: Mapping[str, Any], word: str) -> str:
    return word if word in part["enum"] else "equal"
