"""Answers of the usual length and kind, so that a dry run counts what the steps would ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from palate.concepts.discovery.sample import generator
from palate.llm.request import Request

_KINDS = [
    "clear",
    "careful",
    "warm",
    "direct",
    "detailed",
    "practical",
    "vivid",
    "formal",
    "gentle",
    "precise",
    "balanced",
    "cautious",
    "confident",
    "thorough",
    "honest",
    "playful",
    "patient",
    "simple",
    "structured",
    "original",
]
_THINGS = [
    "explanation",
    "tone",
    "advice",
    "example",
    "step",
    "summary",
    "opening",
    "ending",
    "reasoning",
    "source",
    "wording",
    "layout",
    "warning",
    "question",
    "comparison",
    "plan",
    "answer",
    "detail",
    "image",
    "argument",
]
_DESCRIPTION = "The response shows this in most of what it says, so that a reader would notice it."
_DEFINITION = (
    "High: the response shows this in most of what it says, so that a reader notices it at once; "
    "low: the response shows little or nothing of it anywhere."
)
PROPOSED = 10
SAME_SHARE = 0.15


def typical_answer(request: Request) -> Mapping[str, Any]:
    """Return an answer such as a model might give to a question of discovery.

    Parameters
    ----------
    request
        The question.
    """
    random = generator(0, request.name, *(message.text for message in request.messages))
    fields = request.schema["properties"]
    if request.name == "topics":
        return {
            kind: [f"{kind[:-1]} {n}" for n in random.integers(0, 12, size=4).tolist()]
            for kind in fields
        }
    if request.name == "tagging":
        return {
            field: {
                kind: part["items"].get("enum", [])[:1] for kind, part in one["properties"].items()
            }
            for field, one in fields.items()
        }
    if request.name == "propose":
        # squared, so that a few names come often, as models repeat themselves
        drawn = (random.random((PROPOSED, 2)) ** 2 * (len(_KINDS), len(_THINGS))).astype(int)
        return {
            "concepts": [
                {"name": f"{_KINDS[i].capitalize()} {_THINGS[j]}", "description": _DESCRIPTION}
                for i, j in drawn.tolist()
            ]
        }
    if request.name == "same":
        return {field: bool(random.random() < SAME_SHARE) for field in fields}
    return dict.fromkeys(fields, _DEFINITION)
