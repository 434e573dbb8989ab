"""Generative scalar judges: a language model rates each response alone, 1 to 10.

    rate    {"score": 1..10}

Where the endpoint says how probable each rating was, which it is asked for, the score is the
expected rating; else it is the rating itself, of which many pairs have two equal ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from palate.data.preferences import Preferences
from palate.data.shown import MAX_CHARS, clean, shorten
from palate.errors import DataError, InputError
from palate.llm.outcome import Answer, Asks, Outcome
from palate.llm.prompt import Prompt, load_prompt
from palate.llm.request import Request
from palate.mechanisms.scored import Score, Scored, check_room
from palate.mechanisms.style import JudgeStyle
from palate.mechanisms.used import Used

PACKAGE = "palate.mechanisms"
RATINGS = tuple(range(1, 11))
RATE_TOKENS = 256
BLOCK = 5_000
"""Questions handed to the client at a time: many for its concurrency, few for memory."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "score": {
            "type": "integer",
            "minimum": RATINGS[0],
            "maximum": RATINGS[-1],
            "description": "How good is the response, from 1 to 10?",
        }
    },
    "required": ["score"],
    "additionalProperties": False,
}


def rate(
    preferences: Preferences,
    client: Asks,
    style: JudgeStyle = JudgeStyle(),  # noqa: B008 - frozen
    *,
    name: str,
    hard: bool = False,
    max_chars: int = MAX_CHARS,
    provenance: Mapping[str, Any] | None = None,
) -> Scored:
    """Let a language model rate both responses of each pair, each one alone.

    Equal responses to equal prompts are rated once.

    Parameters
    ----------
    preferences
        The pairs; verdicts are not looked at.
    client
        Who answers, see `palate.llm.connect`.
    style
        What good means: persona, rubric or criteria.
    name
        Name of the column of verdicts.
    hard
        Whether verdicts are signs.
    max_chars
        Longest prompt or response that is shown whole.
    provenance
        What is recorded beside, for instance the name of the model.

    Raises
    ------
    DataError
        If not a single response was rated.
    InputError
        If there is a column of this name, or the style asks for more than a rating.
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    check_room(preferences, name)
    if style.mode != "zero-shot" or style.question != "better" or style.ties:
        raise InputError("rate: found a style for pairs; expected a persona, rubric or criteria.")
    if max_chars < 1:
        raise InputError(f"--max-chars: found {max_chars}; expected at least 1.")
    pairs = preferences.pairs.select("id", "prompt", "response_a", "response_b").rows()
    used, scores = Used(), []
    for start in range(0, len(pairs), BLOCK // 2):
        asked = [
            _request(pair, prompt, response, side, style, max_chars)
            for pair, prompt, a, b in pairs[start : start + BLOCK // 2]
            for side, response in (("a", a), ("b", b))
        ]
        requests = [request for request, _ in asked]
        for (request, lost), outcome in zip(asked, client.ask(requests), strict=True):
            used.add(request, outcome)
            scores.append((_score(outcome, lost), outcome))
    found = [score for score, _ in scores]
    if found and all(score.failure for score in found):
        raise DataError(
            f"None of the {len(pairs):,} pairs could be rated; the first question failed with "
            f"{found[0].failure.rstrip('.')}."
        )
    values = [score.value for score in found if not score.failure]
    spread = sum(isinstance(o, Answer) and bool(_spread(o)) for _, o in scores)
    return Scored(
        name=name,
        ids=tuple(preferences.ids),
        a=tuple(found[0::2]),
        b=tuple(found[1::2]),
        hard=hard,
        facts={
            **(provenance or {}),
            "prompts": {prompt().name: prompt().hash},
            "style": {"persona": style.persona, "rubric": style.rubric, "standard": style.standard},
            "max_chars": max_chars,
            "whole_numbers": all(value.is_integer() for value in values),
            "answered": len(values),
            "expected_ratings": spread,
            "used": used.told(),
        },
    )


def rate_request(prompt_text: str, response: str, style: JudgeStyle, *, about: str = "") -> Request:
    """Return the question how good a response is.

    Parameters
    ----------
    prompt_text
        The user's request, as it is shown.
    response
        The response, as it is shown.
    style
        What good means.
    about
        What it is about, for people.
    """
    return Request(
        messages=prompt().messages(
            {"standard": style.standard}, {"request": prompt_text, "response": response}
        ),
        schema=SCHEMA,
        name="rate",
        max_tokens=RATE_TOKENS,
        probabilities=True,
        about=about,
    )


@cache
def prompt() -> Prompt:
    """Return the prompt file of the question."""
    return load_prompt(PACKAGE, "rate")


def _request(
    pair: str, prompt_text: str, response: str, side: str, style: JudgeStyle, max_chars: int
) -> tuple[Request, int]:
    asked, lost_p = shorten(clean(prompt_text)[0], max_chars)
    answered, lost_r = shorten(clean(response)[0], max_chars)
    about = f"pair {pair}, response {side}"
    return rate_request(asked, answered, style, about=about), lost_p + lost_r


def _score(outcome: Outcome, lost: int) -> Score:
    if not isinstance(outcome, Answer):
        why = f"{outcome.reason}: {outcome.detail}" if outcome.detail else outcome.reason
        return Score(math.nan, left_out=lost, failure=why)
    spread = _spread(outcome)
    if not spread:
        return Score(float(outcome.value["score"]), left_out=lost)
    total = sum(spread.values())
    return Score(sum(level * p for level, p in spread.items()) / total, left_out=lost)


def _spread(answer: Answer) -> dict[int, float]:
    """The probability of each rating; empty where nothing is said of them."""
    said = (answer.probabilities or {}).get("score") or {}
    spread = {level: said[str(level)] for level in RATINGS if said.get(str(level), 0.0) > 0}
    return spread if sum(spread.values()) > 0 else {}
