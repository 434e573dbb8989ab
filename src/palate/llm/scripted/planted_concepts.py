"""Concepts that can be planted in texts: names that mean the same, and sentences that show them."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

HIGHEST = 2
COMMONPLACE: tuple[tuple[str, str], ...] = (
    ("Clarity", "High: the response is easy to follow; low: the response is muddled."),
    ("Helpfulness", "High: the response is of use; low: the response is of no use."),
    ("Relevance", "High: the response keeps to the matter; low: the response wanders off."),
    ("Accuracy", "High: the response is right; low: the response is wrong."),
    ("Engagement", "High: the response holds the attention; low: the response is dull."),
)
"""What models propose whatever they are shown; planted nowhere."""


@dataclass(frozen=True)
class PlantedConcept:
    """A concept that can be planted.

    Parameters
    ----------
    names
        Names that mean the same, the canonical one first; they share stems.
    definition
        What it is.
    phrases
        Sentences of which each shows it.
    """

    names: tuple[str, ...]
    definition: str
    phrases: tuple[str, ...]

    @property
    def name(self) -> str:
        """The canonical name."""
        return self.names[0]

    def level(self, text: str) -> int:
        """Return how much of it a text has: the number of its phrases, at most 2.

        Parameters
        ----------
        text
            Any text.
        """
        return min(HIGHEST, sum(phrase in text for phrase in self.phrases))


@cache
def library() -> tuple[PlantedConcept, ...]:
    """Return all concepts that can be planted."""
    file = importlib.resources.files("palate.llm.scripted").joinpath("planted.json")
    return tuple(
        PlantedConcept(tuple(c["names"]), c["definition"], tuple(c["phrases"]))
        for c in json.loads(file.read_text(encoding="utf-8"))
    )


def concept_of(text: str, concepts: Iterable[PlantedConcept]) -> PlantedConcept | None:
    """Return the concept that a text names, which may go on with ":" and a definition.

    Parameters
    ----------
    text
        A name, or "NAME: definition".
    concepts
        The concepts among which to look.
    """
    folded = text.strip().casefold()
    named = [
        (len(name), concept)
        for concept in concepts
        for name in concept.names
        if folded == name.casefold()
        or folded.startswith((f"{name.casefold()}:", f"{name.casefold()}\n"))
    ]
    return max(named, key=lambda item: item[0])[1] if named else None
