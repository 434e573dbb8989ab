"""Pair, concepts and order -> the request that is sent.

    relevance  {"c1": true|false, ...}                               the request alone is shown
    compare    {"c1": "first"|"second"|"equal"|"irrelevant", ...}    both responses are shown
    compare_reasons  {"c1": {"reason": "...", "answer": ...}, ...}
    compare_pairs    {"p1": {"c1": ...}, "p2": {"c1": ...}, ...}     several pairs are shown
    score      {"c1": 0..7, ...}                                     one response is shown

"irrelevant" is among the answers where relevance is asked in the comparison itself, and absent
where it was asked before or not at all; the answers always stand in this order. The property of a
concept has its name as `description`.

The system message holds the definitions and nothing of the pair, so it is the same, byte for byte,
for all pairs of a domain that are asked about the same concepts: prefix caches hit. Shared concepts
stand first, so that domains have the start of it in common. The answers are words and not signs:
they cannot be mistaken for a score or for the number of a response.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from palate.concepts.concept import Concept
from palate.data.shown import Shown, clean
from palate.llm.prompt import Prompt, load_prompt, one_line
from palate.llm.request import Request

PACKAGE = "palate.concepts.annotation"
ANSWERS = ("first", "second", "equal", "irrelevant")
SCORES = (0, 7)
_FIRST_PAIR = re.compile(r"(\{\{material:[a-z]+)_1")
Side = Literal["a", "b"]


def relevance_request(shown: Shown, concepts: Sequence[Concept]) -> Request:
    """Return the question which concepts matter for the request of a pair.

    Parameters
    ----------
    shown
        The pair.
    concepts
        The concepts, at least one.
    """
    return Request(
        messages=_prompt("relevance").messages(
            {"definitions": definitions(concepts)}, {"request": shown.prompt}
        ),
        schema=_schema(concepts, {"type": "boolean"}),
        name="relevance",
        max_tokens=256 + 16 * len(concepts),
        about=f"pair {shown.id}, relevance",
    )


def compare_request(
    shown: Shown,
    concepts: Sequence[Concept],
    *,
    swapped: bool,
    folded: bool,
    reasons: bool,
) -> Request:
    """Return the question which response has more of each concept.

    Parameters
    ----------
    shown
        The pair.
    concepts
        The concepts, at least one.
    swapped
        Whether response b is shown first.
    folded
        Whether "irrelevant" is one of the answers.
    reasons
        Whether a short reason stands before each answer.
    """
    first, second = (shown.b, shown.a) if swapped else (shown.a, shown.b)
    answer: dict[str, Any] = {"type": "string", "enum": list(ANSWERS if folded else ANSWERS[:3])}
    if reasons:
        answer = _object({"reason": {"type": "string"}, "answer": answer})
    return Request(
        messages=_prompt(
            f"compare{'' if folded else '_relevant'}{'_reasons' if reasons else ''}"
        ).messages(
            {"definitions": definitions(concepts)},
            {"request": shown.prompt, "response_1": first, "response_2": second},
        ),
        schema=_schema(concepts, answer),
        name="compare_reasons" if reasons else "compare",
        max_tokens=256 + (160 if reasons else 16) * len(concepts),
        about=f"pair {shown.id}, {'b first' if swapped else 'a first'}",
    )


def pairs_request(
    pairs: Sequence[tuple[Shown, bool]], concepts: Sequence[Concept], *, folded: bool
) -> Request:
    """Return the question which response has more of each concept, about several pairs at once.

    Parameters
    ----------
    pairs
        The pairs, each with whether its response b is shown first.
    concepts
        The concepts, at least one.
    folded
        Whether "irrelevant" is one of the answers.
    """
    material: dict[str, str] = {}
    for k, (shown, swapped) in enumerate(pairs, 1):
        first, second = (shown.b, shown.a) if swapped else (shown.a, shown.b)
        material |= {
            f"request_{k}": shown.prompt,
            f"response_{k}_1": first,
            f"response_{k}_2": second,
        }
    answer = {"type": "string", "enum": list(ANSWERS if folded else ANSWERS[:3])}
    prompt = _pairs_prompt(f"compare{'' if folded else '_relevant'}_pairs", len(pairs))
    names = (f"{shown.id}, {'b first' if swapped else 'a first'}" for shown, swapped in pairs)
    return Request(
        messages=prompt.messages({"definitions": definitions(concepts)}, material),
        schema=_object({place(k): _schema(concepts, answer) for k in range(len(pairs))}),
        name="compare_pairs",
        max_tokens=256 + 16 * len(pairs) * (1 + len(concepts)),
        about=f"pairs {'; '.join(names)}",
    )


def score_request(shown: Shown, concepts: Sequence[Concept], *, side: Side) -> Request:
    """Return the question how much of each concept one response has.

    Parameters
    ----------
    shown
        The pair.
    concepts
        The concepts, at least one.
    side
        Whose response it is.
    """
    low, high = SCORES
    return Request(
        messages=_prompt("score").messages(
            {"definitions": definitions(concepts)},
            {"request": shown.prompt, "response": shown.a if side == "a" else shown.b},
        ),
        schema=_schema(concepts, {"type": "integer", "enum": list(range(low, high + 1))}),
        name="score",
        max_tokens=256 + 16 * len(concepts),
        about=f"pair {shown.id}, response {side}",
    )


def field(number: int) -> str:
    """Return the id under which a concept stands in a request.

    Parameters
    ----------
    number
        Its place among the concepts of the request, from 0.
    """
    return f"c{number + 1}"


def place(number: int) -> str:
    """Return the id under which a pair stands in a request about several.

    Parameters
    ----------
    number
        Its place among the pairs of the request, from 0.
    """
    return f"p{number + 1}"


def definitions(concepts: Sequence[Concept]) -> str:
    """Return concepts as one line each: id, name and definition.

    Parameters
    ----------
    concepts
        The concepts in the order of their ids.
    """
    return "\n".join(
        f"{field(k)} {one_line(c.name)}: {one_line(c.definition)}" for k, c in enumerate(concepts)
    )


def _schema(concepts: Sequence[Concept], answer: Mapping[str, Any]) -> dict[str, Any]:
    return _object(
        {field(k): {"description": clean(c.name)[0], **answer} for k, c in enumerate(concepts)}
    )


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


@cache
def _prompt(name: str) -> Prompt:
    return load_prompt(PACKAGE, name)


@cache
def _pairs_prompt(name: str, n: int) -> Prompt:
    """A prompt whose user message stands in its file for the first pair, for n pairs."""
    prompt = _prompt(name)
    user = prompt.sections[-1][1]
    more = (_FIRST_PAIR.sub(rf"\g<1>_{k}", user) for k in range(2, n + 1))
    return Prompt(name, "\n\n".join([prompt.text.rstrip("\n"), *more]))
