"""What has been asked and answered so far, pair by concept.

Everything is about sides, not about the order in which responses were shown: positive is more in
response a. A cell is NaN until it is answered. Concepts that are specific to other domains than
the pair's are never asked; they are 0 in the end, unless nothing at all is known of the pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.asking import BLOCK, Question, Spent, Together, ask
from palate.concepts.annotation.policy import AnnotationState, Decision
from palate.concepts.annotation.protocols import Choices, chunks
from palate.concepts.annotation.second_order import combined
from palate.concepts.concept import Concept
from palate.concepts.poles import high_only
from palate.data.preferences import Preferences
from palate.data.shown import Shown, show
from palate.llm.outcome import Asks, Failure, Outcome

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Part = Literal["relevance", "first order", "second order", "response a", "response b"]


@dataclass(frozen=True)
class Lost:
    """A question without an answer.

    Parameters
    ----------
    id
        Id of the pair.
    part
        Which question about it.
    concepts
        The concepts that it was about.
    reason
        Kind of failure.
    detail
        One sentence.
    """

    id: str
    part: Part
    concepts: tuple[str, ...]
    reason: str
    detail: str = ""


class Board:
    """The state of an annotation.

    Parameters
    ----------
    preferences
        The pairs.
    concepts
        The concepts.
    client
        Who answers.
    choices
        How pairs are asked about.
    seed
        The recorded seed.
    block
        Questions handed to the client at a time.
    """

    def __init__(
        self,
        preferences: Preferences,
        concepts: Sequence[Concept],
        client: Asks,
        choices: Choices,
        *,
        seed: int,
        block: int = BLOCK,
    ) -> None:
        self.preferences, self.concepts = preferences, tuple(concepts)
        self.client, self.choices, self.seed, self.block = client, choices, seed, block
        self.ids = tuple(preferences.ids)
        self.domains = tuple(preferences.pairs["domain"].to_list())
        names = sorted(set(self.domains))
        place = {name: d for d, name in enumerate(names)}
        self.domain_of = np.array([place[name] for name in self.domains], dtype=np.int64)
        shape = (len(self.ids), len(self.concepts))
        self.first, self.second = np.full(shape, np.nan), np.full(shape, np.nan)
        self.asked, self.asked_again = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self.keep = np.ones((len(names), shape[1]), dtype=bool)
        self.twice = np.zeros((len(names), shape[1]), dtype=bool)
        self.audit = np.zeros(len(self.ids), dtype=bool)
        self.dropped: dict[str, str] = {}
        self.lost: list[Lost] = []
        self.spent = Spent()
        self.rounds = 0
        self.applies = np.zeros(shape, dtype=bool)
        self.applies = self.state().applies[self.domain_of]
        self._texts = preferences.pairs.select("prompt", "response_a", "response_b").rows()
        # shared concepts first, so that the definitions of all domains begin alike
        self._order = sorted(range(shape[1]), key=lambda j: not self.concepts[j].shared)

    @property
    def values(self) -> Array:
        """Values as far as they are known, 0 where a concept is specific to other domains."""
        known = combined(self.first, self.second)
        known[~self.applies] = 0.0
        return known

    def finished(self, values: Array) -> Array:
        """Return values with 0 where a concept is specific to other domains.

        A pair of which nothing is known stays NaN throughout, so that it is not taken for one on
        which all concepts are equal.

        Parameters
        ----------
        values
            Shape (n_pairs, n_concepts), NaN = not known.
        """
        known = np.isfinite(np.where(self.applies, values, np.nan)).any(axis=1, keepdims=True)
        return np.where(self.applies, values, np.where(known, 0.0, np.nan))

    def state(self) -> AnnotationState:
        """Return what a policy is called with."""
        orders = self.choices.protocol != "score"
        return AnnotationState(
            ids=self.ids,
            domains=self.domains,
            concepts=self.concepts,
            values=self.values,
            asked=self.asked.copy(),
            round=self.rounds,
            first=self.first.copy() if orders else None,
            second=self.second.copy() if orders else None,
        )

    def decide(self, decision: Decision) -> None:
        """Take over what a policy decided.

        Parameters
        ----------
        decision
            The decision; what was decided against before stays so.

        Raises
        ------
        InputError
            If it is not about this annotation.
        """
        decision.check(self.state())
        self.keep &= decision.keep
        self.twice |= decision.second
        for name, reason in decision.reasons.items():
            self.dropped.setdefault(name, str(reason))

    def shown(self, row: int) -> Shown:
        """Return a pair as it is shown.

        Parameters
        ----------
        row
            Its row.
        """
        prompt, a, b = self._texts[row]
        return show(self.ids[row], prompt, a, b, max_chars=self.choices.max_chars)

    def texts(self, row: int) -> tuple[str, str, str]:
        """Return prompt and responses of a pair as they are.

        Parameters
        ----------
        row
            Its row.
        """
        prompt, a, b = self._texts[row]
        return prompt, a, b

    def groups(self, cells: npt.NDArray[np.bool_]) -> list[tuple[int, ...]]:
        """Return the columns of a pair in the groups that are asked in one call each.

        Parameters
        ----------
        cells
            Shape (n_concepts,): what is to be asked.
        """
        return chunks([j for j in self._order if cells[j]], self.choices.concepts_per_call)

    def chosen(self, columns: Sequence[int]) -> tuple[Concept, ...]:
        """Return the concepts of these columns, with the definitions that are shown.

        Parameters
        ----------
        columns
            The columns.
        """
        chosen = tuple(self.concepts[j] for j in columns)
        if self.choices.definitions == "high":
            return tuple(replace(c, definition=high_only(c.definition)) for c in chosen)
        return chosen

    def ask(self, questions: Iterable[Question | Together]) -> Iterator[tuple[Question, Outcome]]:
        """Yield questions, or the parts that were asked in the end, with their outcomes.

        Parameters
        ----------
        questions
            The questions.
        """
        return ask(self.client, questions, spent=self.spent, block=self.block)

    def lose(self, question: Question, failure: Failure, part: Part) -> None:
        """Record a question without an answer.

        Parameters
        ----------
        question
            The question.
        failure
            What came instead.
        part
            Which question about the pair it was.
        """
        names = tuple(self.concepts[j].name for j in question.columns)
        self.lost.append(Lost(self.ids[question.row], part, names, failure.reason, failure.detail))
