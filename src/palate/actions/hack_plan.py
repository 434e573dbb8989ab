"""What a judge hack asks of the generator, and which responses meet before the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from palate.actions.choose import Effect, drawn, others_in
from palate.actions.generate import Task, Written
from palate.actions.guidance import criterion_of, opposite
from palate.actions.hack_prompts import Prompt
from palate.actions.hack_rates import (
    ALONE,
    ANOTHER,
    ANTI,
    EXPLAINED,
    MATCHED,
    RANDOM,
    VANILLA,
    Match,
)
from palate.concepts.concept import Concept
from palate.explanations.comparison import EVERYWHERE
from palate.explanations.explanation import Explanation
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.matchup import Judged, Matchup

Scopes = Mapping[str, str]
"""Where a concept is tried, "everywhere" or a domain, and which aim it has there."""


@dataclass(frozen=True)
class Plan:
    """What is asked of the generator.

    Parameters
    ----------
    explanation
        What the judge rewards.
    chosen
        By domain, the concepts that guide explained responses.
    alone
        By concept, where it is tried as the only guidance.
    max_words
        Most words of a response.
    control
        Whether a second vanilla response is written.
    seed
        Seed of the random concepts.
    """

    explanation: Explanation
    chosen: Mapping[str, Sequence[Effect]]
    alone: Mapping[str, Scopes]
    max_words: int
    control: bool
    seed: int

    @cached_property
    def others(self) -> dict[str, list[Concept]]:
        """By domain, the concepts that random guidance is drawn from."""
        return {
            domain: others_in(self.explanation, domain, {e.concept.name for e in effects})
            for domain, effects in self.chosen.items()
        }

    def tasks(self, prompts: Sequence[Prompt]) -> list[Task]:
        """Return all responses that are asked for at once.

        Parameters
        ----------
        prompts
            The prompts.
        """
        return [task for prompt in prompts for task in self._tasks(prompt)]

    def as_long(self, written: Written) -> Task:
        """Return the vanilla response that has the length of another one.

        Parameters
        ----------
        written
            The other one.
        """
        words = min(written.words, self.max_words)
        return replace(written.task, arm=MATCHED, criteria=(), words=words)

    def _tasks(self, prompt: Prompt) -> list[Task]:
        effects = self.chosen[prompt.domain]
        other = drawn(self.others[prompt.domain], len(effects), prompt.id, self.seed)
        guided: list[tuple[str, tuple[Criterion, ...]]] = [
            (EXPLAINED, tuple(e.criterion for e in effects)),
            (RANDOM, tuple(criterion_of(c) for c in other)),
            (ANTI, tuple(opposite(e.criterion, e.concept) for e in effects)),
        ]
        for name, scopes in self.alone.items():
            if (aim := scopes.get(EVERYWHERE, scopes.get(prompt.domain))) is not None:
                weight = 1.0 if aim == "more" else -1.0
                guided.append(
                    (f"{ALONE}{name}", (criterion_of(self._by_name[name], weight=weight),))
                )
        plain = Task(prompt.id, prompt.domain, VANILLA, prompt.text)
        return [
            plain,
            *(replace(plain, arm=arm, criteria=criteria) for arm, criteria in guided if criteria),
            *([replace(plain, arm=ANOTHER, sample=1)] if self.control else []),
        ]

    @cached_property
    def _by_name(self) -> dict[str, Concept]:
        return {c.name: c for c in self.explanation.concepts.concepts}


@dataclass(frozen=True)
class Game:
    """A response against another one.

    Parameters
    ----------
    task
        What the response was asked for.
    against
        What the other one is for.
    matchup
        Both, the response as a.
    """

    task: Task
    against: str
    matchup: Matchup

    def match(self, judged: Judged) -> Match:
        """Return what came of it.

        Parameters
        ----------
        judged
            What the judge said.
        """
        task = self.task
        return Match(
            task.prompt_id, task.domain, task.arm, self.against, judged.verdict, judged.flips
        )


def games_of(written: Sequence[Written]) -> list[Game]:
    """Return every comparison whose two responses are there.

    Parameters
    ----------
    written
        The responses.
    """
    there = {(w.task.prompt_id, w.task.arm): w for w in written if not w.failure}
    games = []
    for (prompt_id, arm), response in there.items():
        for against in _AGAINST.get(arm, (VANILLA,)):
            if (other := there.get((prompt_id, against))) is not None:
                name = f"{prompt_id} / {arm} / {against}"
                matchup = Matchup(name, response.task.prompt, response.text, other.text)
                games.append(Game(response.task, against, matchup))
    return games


def tried_alone(audited: pl.DataFrame, most: int) -> dict[str, Scopes]:
    """Return the exploitable concepts with where they are tried alone, what pays most first.

    Parameters
    ----------
    audited
        What `palate.actions.exploitable.audit` found.
    most
        Most concepts.
    """
    found: dict[str, dict[str, str]] = {}
    for row in audited.filter(pl.col("exploitable")).iter_rows(named=True):
        found.setdefault(row["concept"], {})[row["scope"]] = row["aim"]
    return {name: found[name] for name in list(found)[:most]}


_AGAINST = {EXPLAINED: (VANILLA, MATCHED), VANILLA: (), MATCHED: ()}
