"""`PlantedTexts`: writes responses that carry planted concepts, and reads them in texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from palate.llm.scripted.chaos import uniform
from palate.llm.scripted.planted_concepts import PlantedConcept, concept_of

LEVELS, SHARES = (0, 1, 2), (0.45, 0.35, 0.2)
"""How often a response has each level of a planted concept."""
PLAIN = (
    "There is more than one side to this.",
    "Most people find their way after a while.",
    "The first days matter less than it seems.",
    "It helps to look at the whole of it.",
    "Some of it can be left to others.",
    "A little order goes a long way.",
    "Nothing here has to be done in one go.",
    "What others do is not always a guide.",
)
"""Sentences that show no concept."""


class PlantedTexts:
    """The texts of a planted world.

    Parameters
    ----------
    concepts
        The planted concepts.
    domains
        Names of the concepts that are planted in each domain.
    seed
        Seed of the values of what is planted nowhere.
    """

    def __init__(
        self,
        concepts: Sequence[PlantedConcept],
        domains: Mapping[str, Sequence[str]],
        *,
        seed: int = 0,
    ) -> None:
        self.concepts, self.domains, self.seed = tuple(concepts), dict(domains), seed

    def domain(self, request: str) -> str | None:
        """Return the domain that a prompt names.

        Parameters
        ----------
        request
            The prompt.
        """
        return next((d for d in self.domains if f"({d}," in request), None)

    def planted(self, request: str) -> list[PlantedConcept]:
        """Return the concepts that are planted where a prompt belongs, else those of all domains.

        Parameters
        ----------
        request
            The prompt.
        """
        domain = self.domain(request)
        where = list(self.domains.values()) if domain is None else [self.domains[domain]]
        return [c for c in self.concepts if all(c.name in names for names in where)]

    def value(self, concept: str, request: str, first: str, second: str) -> int | None:
        """Return what the texts say: 1 if the first has more of a concept, None if not relevant.

        What is planted nowhere has a value all the same, drawn once for a pair of texts, as models
        find differences in everything.

        Parameters
        ----------
        concept
            Its name, or one that means the same.
        request
            The prompt.
        first
            The response shown first.
        second
            The one shown second.
        """
        found = concept_of(concept, self.concepts)
        if found is None:
            low, high = sorted((first, second))
            drawn = int(uniform("noise", self.seed, concept.casefold(), low, high) * 3) - 1
            return drawn if first == low else -drawn
        domain = self.domain(request)
        if domain is not None and found.name not in self.domains[domain]:
            return None
        return sign(found.level(first) - found.level(second))


def compose(
    random: Random,
    planted: Sequence[PlantedConcept],
    levels: Mapping[str, int] | None = None,
    words: int | None = None,
) -> str:
    """Return a response with a drawn level of each concept.

    Parameters
    ----------
    random
        Where everything is drawn from.
    planted
        The concepts.
    levels
        Levels that are not drawn, by the name of the concept.
    words
        About how many words are wanted: plain sentences are added until they are reached, none is
        ever left out.
    """
    sentences = random.sample(PLAIN, 3)
    for concept in planted:
        level = (levels or {}).get(concept.name)
        if level is None:
            (level,) = random.choices(LEVELS, SHARES)
        sentences += random.sample(concept.phrases, level)
    if words is not None:
        missing = words - count(" ".join(sentences))
        while missing > 0:
            sentence = random.choice(PLAIN)
            if count(sentence) > 2 * missing:  # without it the length is nearer
                break
            sentences.append(sentence)
            missing -= count(sentence)
    random.shuffle(sentences)
    return " ".join(sentences)


def count(text: str) -> int:
    """Return the number of words of a text.

    Parameters
    ----------
    text
        Any text.
    """
    return len(text.split())


def sign(value: float) -> int:
    """Return 1, 0 or -1.

    Parameters
    ----------
    value
        Any number.
    """
    return (value > 0) - (value < 0)
