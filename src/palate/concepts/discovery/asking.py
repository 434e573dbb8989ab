"""Questions about several things at a time: in groups, in halves where an answer has no shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from palate.errors import PalateError
from palate.llm.outcome import Asks, Failure, Outcome
from palate.llm.prompt import Prompt, load_prompt
from palate.llm.request import Message, Request

T = TypeVar("T")
PACKAGE = "palate.concepts.discovery"
HALVED = frozenset({"not json", "wrong shape", "cut off", "too long"})
"""Failures that a shorter question may not meet."""


class ManyFailuresError(PalateError):
    """Most questions of a step got no answer, so its result would be worthless."""


def in_groups(things: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """Return things in groups of this size, the last one smaller.

    Parameters
    ----------
    things
        What is asked about.
    size
        Things in a group.
    """
    return [tuple(things[i : i + size]) for i in range(0, len(things), size)]


def ask_groups(
    client: Asks, groups: Sequence[tuple[T, ...]], build: Callable[[Sequence[T]], Request]
) -> list[tuple[tuple[T, ...], Outcome]]:
    """Ask about groups of things and return each group with its outcome, in order.

    A group whose answer has no usable shape is asked again in halves, down to single things.

    Parameters
    ----------
    client
        Who answers.
    groups
        What is asked about, together in one question each.
    build
        Returns the request about a group.
    """
    outcomes = list(zip(groups, client.ask([build(g) for g in groups]), strict=True))
    while any(_may_halve(*pair) for pair in outcomes):
        halves: list[tuple[T, ...]] = []
        for group, outcome in outcomes:
            if _may_halve(group, outcome):
                middle = (len(group) + 1) // 2
                halves += [group[:middle], group[middle:]]
        answers = iter(client.ask([build(half) for half in halves]))
        asked = iter(halves)
        again: list[tuple[tuple[T, ...], Outcome]] = []
        for group, outcome in outcomes:
            if _may_halve(group, outcome):
                again += [(next(asked), next(answers)) for _ in range(2)]
            else:
                again.append((group, outcome))
        outcomes = again
    return outcomes


def _may_halve(group: Sequence[object], outcome: Outcome) -> bool:
    return isinstance(outcome, Failure) and outcome.reason in HALVED and len(group) > 1


def refuse_if_most_failed(step: str, outcomes: Iterable[Outcome]) -> int:
    """Return how many questions of a step failed.

    Parameters
    ----------
    step
        Name of the step, for people.
    outcomes
        What came back.

    Raises
    ------
    ManyFailuresError
        If more than half of them failed.
    """
    found = list(outcomes)
    failures = [outcome for outcome in found if isinstance(outcome, Failure)]
    if 2 * len(failures) > len(found):
        reasons = Counter(failure.reason for failure in failures)
        told = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common(3))
        detail = next((f.detail for f in failures if f.detail), "")
        raise ManyFailuresError(
            f"{step}: {len(failures)} of {len(found)} questions got no answer ({told}"
            f"{f': {detail}' if detail else ''}); expected at least half of them to succeed. What "
            "was answered is kept; the same command goes on from there."
        )
    return len(failures)


def messages(
    name: str, places: str, fields: Mapping[str, str], material: Mapping[str, str]
) -> tuple[Message, ...]:
    """Return the messages of a prompt with as many texts of strangers as are given.

    Parameters
    ----------
    name
        Name of the prompt file.
    places
        Name of the place where the texts go, one below the other.
    fields
        Texts of ours.
    material
        Texts of strangers, in order.
    """
    prompt = load_prompt(PACKAGE, name)
    wanted = "\n\n".join(f"{{{{material:{key}}}}}" for key in material)
    filled = Prompt(prompt.name, prompt.text.replace(f"{{{{{places}}}}}", wanted))
    return filled.messages(fields, material)


def an_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that holds exactly these properties.

    Parameters
    ----------
    properties
        Schema of each.
    """
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
