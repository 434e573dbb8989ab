"""Step 7: a definition "High: ...; low: ..." of each concept, from what batches said it is."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from palate.concepts.discovery.asking import (
    an_object,
    ask_groups,
    in_groups,
    messages,
    refuse_if_most_failed,
)
from palate.llm.outcome import Answer, Asks, Outcome
from palate.llm.prompt import one_line
from palate.llm.request import Request

CONCEPTS_PER_CALL = 5
LONGEST_HALF = 300
_FORM = re.compile(r"^\W*high\W*:\s*(\S.*?)\s*[;.,]\s*\W*low\W*:\s*(\S.*?)[\s.;]*$", re.IGNORECASE)
Described = tuple[str, tuple[str, ...]]
"""A name and its descriptions."""


def define(concepts: Sequence[Described], client: Asks) -> tuple[dict[str, str], dict[str, str]]:
    """Return definitions by name, and notes by name where the model gave none of the right form.

    A definition of another form is asked for once more; then a description stands in for it.

    Parameters
    ----------
    concepts
        Names with their descriptions.
    client
        Who answers.

    Raises
    ------
    ManyFailuresError
        If more than half of the questions failed.
    """
    definitions: dict[str, str] = {}
    outcomes: list[Outcome] = []
    for sample in (0, 1):
        missing = [concept for concept in concepts if concept[0] not in definitions]
        build = functools.partial(define_request, sample=sample)
        found = ask_groups(client, in_groups(missing, CONCEPTS_PER_CALL), build)
        for group, outcome in found:
            if sample == 0:
                outcomes.append(outcome)
            if isinstance(outcome, Answer):
                definitions |= _read(group, outcome.value)
    refuse_if_most_failed("Writing definitions", outcomes)
    notes: dict[str, str] = {}
    for name, descriptions in concepts:
        if name not in definitions:
            definitions[name] = descriptions[0] if descriptions else ""
            notes[name] = 'The model gave no definition of the form "High: ...; low: ..."; ' + (
                "this is a batch's description." if descriptions else "it has none."
            )
    return definitions, notes


def _read(group: Sequence[Described], answer: Mapping[str, str]) -> dict[str, str]:
    read = {name: in_form(answer[f"d{k}"]) for k, (name, _) in enumerate(group, start=1)}
    return {name: text for name, text in read.items() if text is not None}


def in_form(text: str) -> str | None:
    """Return a definition in its one form, None if it cannot be read as one.

    Parameters
    ----------
    text
        What the model wrote.
    """
    match = _FORM.match(one_line(text))
    if match is None or max(len(match[1]), len(match[2])) > LONGEST_HALF:
        return None
    return f"High: {match[1]}; low: {match[2]}."


def define_request(concepts: Sequence[Described], sample: int = 0) -> Request:
    """Return the question for the definitions of a few concepts.

    Parameters
    ----------
    concepts
        Names with their descriptions.
    sample
        Which of several answers.
    """
    material = {
        f"concept_{k}": "\n".join(
            [f"{name}: {descriptions[0]}" if descriptions else name, *descriptions[1:]]
        )
        for k, (name, descriptions) in enumerate(concepts, start=1)
    }
    request = Request(
        messages=messages("define", "concepts", {}, material),
        schema=an_object({f"d{k}": {"type": "string"} for k in range(1, len(concepts) + 1)}),
        name="define",
        max_tokens=128 + 128 * len(concepts),
        about=f"definitions of {', '.join(name for name, _ in concepts)}",
    )
    return replace(request, sample=sample)
