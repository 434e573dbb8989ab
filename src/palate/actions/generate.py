"""Responses that a model writes: a `Task` says to what, by which criteria and how long.

    respond    {"response": "..."}

The system message holds the criteria and the wanted length, each on a line of its own, and nothing
of the request. A response is a stranger's text from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from palate.concepts.measured.text import tokenise
from palate.data.shown import MAX_CHARS, clean, shorten
from palate.llm.outcome import Answer, Asks, Outcome
from palate.llm.prompt import Prompt, load_prompt
from palate.llm.request import Request
from palate.mechanisms.criteria import Criterion, criteria_line
from palate.mechanisms.used import Used

PACKAGE = "palate.actions"
BLOCK = 5_000
TOKENS_PER_WORD, SPARE_TOKENS = 4, 256
"""Of the limit on an answer: four tokens a word hold any language, and JSON takes some more."""
GUIDANCE = (
    "\n\nWrite a response that does well by these criteria, as far as the request allows it. "
    '"text" says what such a response is like, "aim" whether more or less of the quality "name" is '
    "wanted. Do not name them.\n"
)
LENGTH = "\n\nKeep close to this number of words.\n"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"response": {"type": "string"}},
    "required": ["response"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Task:
    """A response that is to be written.

    Parameters
    ----------
    prompt_id
        Names the prompt.
    domain
        Its domain.
    arm
        What the response is for.
    prompt
        The user's request.
    criteria
        What it is to do well by; none for a vanilla response.
    words
        How long it is to be; None if that is left open.
    sample
        Which of several responses to the same question.
    """

    prompt_id: str
    domain: str
    arm: str
    prompt: str
    criteria: tuple[Criterion, ...] = ()
    words: int | None = None
    sample: int = 0


@dataclass(frozen=True)
class Written:
    """A response that was written.

    Parameters
    ----------
    task
        What was asked for.
    text
        The response; empty if there is none.
    failure
        Why there is none; empty if there is one.
    """

    task: Task
    text: str = ""
    failure: str = ""

    @property
    def words(self) -> int:
        """Its length in words as concepts count them: a Chinese character is one."""
        return len(tokenise(self.text))


def write(
    client: Asks,
    tasks: Sequence[Task],
    *,
    max_words: int,
    used: Used | None = None,
) -> list[Written]:
    """Return the response to each task, in their order.

    Parameters
    ----------
    client
        Who writes.
    tasks
        What is to be written.
    max_words
        Most words that a response may have.
    used
        Where answers are counted.

    Raises
    ------
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    found: list[Written] = []
    for start in range(0, len(tasks), BLOCK):
        few = tasks[start : start + BLOCK]
        requests = [respond_request(task, max_words=max_words) for task in few]
        for task, request, outcome in zip(few, requests, client.ask(requests), strict=True):
            if used is not None:
                used.add(request, outcome)
            found.append(_written(task, outcome))
    return found


def respond_request(task: Task, *, max_words: int) -> Request:
    """Return the question for a response.

    Parameters
    ----------
    task
        What is to be written.
    max_words
        Most words that it may have.
    """
    guidance = f"{GUIDANCE}{criteria_line(task.criteria)}" if task.criteria else ""
    length = "" if task.words is None else f"{LENGTH}Words: {max(task.words, 1)}"
    return Request(
        messages=_prompt().messages(
            {"max_words": str(max_words), "guidance": guidance, "length": length},
            {"request": shorten(clean(task.prompt)[0], MAX_CHARS)[0]},
        ),
        schema=SCHEMA,
        name="respond",
        sample=task.sample,
        max_tokens=TOKENS_PER_WORD * max_words + SPARE_TOKENS,
        about=f"prompt {task.prompt_id}, {task.arm}",
    )


def typical_response(request: Request) -> Mapping[str, Any]:
    """Return a response of usual length for a dry run, another one for each question.

    Parameters
    ----------
    request
        The question for a response.
    """
    words = (request.max_tokens - SPARE_TOKENS) // TOKENS_PER_WORD
    return {"response": f"{request.key({}).hex()} {'word ' * max(words // 2, 1)}".strip()}


def _written(task: Task, outcome: Outcome) -> Written:
    if not isinstance(outcome, Answer):
        why = f"{outcome.reason}: {outcome.detail}" if outcome.detail else outcome.reason
        return Written(task, failure=why)
    text = str(outcome.value["response"])
    if not any(c.isprintable() and not c.isspace() for c in text):
        return Written(task, failure="an empty response")
    return Written(task, clean(text)[0])


@cache
def _prompt() -> Prompt:
    return load_prompt(PACKAGE, "respond")
