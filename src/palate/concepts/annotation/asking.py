"""Questions -> outcomes; one that fails for its shape is asked again in parts.

A question about several pairs is asked again pair by pair, so that no pair loses its values for
what another one holds; a question about several concepts in halves.

A model that loses a concept in a list of forty often answers twenty. Halving goes on down to single
concepts, but from quarters on only if some part of the question got an answer, so a pair to which
the model has no answer at all costs at most seven calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Event

from palate.concepts.annotation.questions import place
from palate.llm.outcome import Asks, Failure, Outcome, Reason, Usage
from palate.llm.request import Request

SHAPE: frozenset[Reason] = frozenset({"not json", "wrong shape", "cut off", "too long"})
ALONE: frozenset[Reason] = SHAPE | {"declined", "timeout", "server error"}
"""Failures of a question about several pairs that may be the doing of one of them."""
QUARTERS = 2
BLOCK = 5_000
"""Questions handed to the client at a time: many for its concurrency, few for memory."""


@dataclass(frozen=True)
class Question:
    """A question about some concepts of a pair.

    Parameters
    ----------
    row
        Row of the pair.
    columns
        Columns of the concepts.
    build
        Returns the request about some of the columns.
    depth
        How often it was halved.
    exchanged
        Whether the responses are shown in the order that is asked second.
    whole
        Set once any part of the whole question is answered; shared by its parts.
    """

    row: int
    columns: tuple[int, ...]
    build: Callable[[tuple[int, ...]], Request]
    depth: int = 0
    exchanged: bool = False
    whole: Event = field(default_factory=Event, compare=False)

    def halves(self) -> tuple[Question, Question]:
        """Return the same question about the first and the second half of the concepts."""
        middle = (len(self.columns) + 1) // 2
        first = replace(self, columns=self.columns[:middle], depth=self.depth + 1)
        return first, replace(first, columns=self.columns[middle:])


@dataclass(frozen=True)
class Together:
    """Questions about the same concepts of several pairs that share a call.

    Parameters
    ----------
    questions
        One question for each pair, as it is asked if the pair is asked about alone.
    build
        Returns the request about all of them; its answer holds an object for each.
    """

    questions: tuple[Question, ...]
    build: Callable[[], Request]


@dataclass
class Spent:
    """What the answers that were used took when they were made, stored ones included.

    Parameters
    ----------
    calls
        Questions with an answer.
    input_tokens
        Tokens sent.
    output_tokens
        Tokens generated.
    cached_tokens
        Tokens read from the provider's prefix cache.
    cost
        US dollars; None where no price is known.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None

    def add(self, usage: Usage, cost: float | None) -> None:
        """Count one answer.

        Parameters
        ----------
        usage
            Its tokens.
        cost
            Its cost.
        """
        self.calls += 1
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.cached_tokens += usage.cached_tokens
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost


def ask(
    client: Asks, questions: Iterable[Question | Together], *, spent: Spent, block: int
) -> Iterator[tuple[Question, Outcome]]:
    """Yield each question, or the parts of it that were asked in the end, with its outcome.

    Parameters
    ----------
    client
        Who answers.
    questions
        The questions; they are built block by block.
    spent
        Where answers are counted.
    block
        Questions handed over at a time.
    """
    source = iter(questions)
    counted: set[bytes] = set()
    waiting: list[Question | Together]
    while waiting := list(islice(source, block)):
        while waiting:
            requests = [_built(asked) for asked in waiting]
            outcomes = client.ask(requests)
            failed: list[tuple[Question, Outcome]] = []
            alone: list[Question] = []
            for asked, request, outcome in zip(waiting, requests, outcomes, strict=True):
                if not isinstance(outcome, Failure):
                    key = request.key({})
                    if key not in counted:  # the same question of two pairs is asked once
                        counted.add(key)
                        spent.add(outcome.usage, outcome.cost)
                if isinstance(asked, Together):
                    if isinstance(outcome, Failure) and outcome.reason in ALONE:
                        alone += asked.questions
                    else:
                        yield from zip(asked.questions, _of_each(asked, outcome), strict=True)
                    continue
                if not isinstance(outcome, Failure):
                    asked.whole.set()
                elif _may_halve(asked, outcome):
                    failed.append((asked, outcome))
                    continue
                yield asked, outcome
            waiting = [*alone]
            for question, outcome in failed:
                if question.depth < QUARTERS or question.whole.is_set():
                    waiting += question.halves()
                else:
                    yield question, outcome


def _built(asked: Question | Together) -> Request:
    return asked.build() if isinstance(asked, Together) else asked.build(asked.columns)


def _of_each(asked: Together, outcome: Outcome) -> list[Outcome]:
    """The outcome of each pair of a question about several."""
    if isinstance(outcome, Failure):
        return [outcome] * len(asked.questions)
    found: list[Outcome] = []
    for k in range(len(asked.questions)):
        soft = None
        if outcome.probabilities is not None:
            inside = f"{place(k)}/"
            soft = {
                path.removeprefix(inside): spread
                for path, spread in outcome.probabilities.items()
                if path.startswith(inside)
            }
        found.append(replace(outcome, value=outcome.value[place(k)], probabilities=soft))
    return found


def _may_halve(question: Question, failure: Failure) -> bool:
    return failure.reason in SHAPE and len(question.columns) > 1
