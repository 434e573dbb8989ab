"""Definitions for concepts of a fixed list that have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from palate.concepts.concept import Concept
from palate.concepts.discovery.definitions import define
from palate.llm.outcome import Asks


def complete(concepts: Sequence[Concept], client: Asks) -> tuple[Concept, ...]:
    """Return concepts with a definition each; those that have one keep it as it is.

    A concept for which the model gives no definition of the form "High: ...; low: ..." stays
    without.

    Parameters
    ----------
    concepts
        The concepts.
    client
        Who answers.

    Raises
    ------
    ManyFailuresError
        If more than half of the questions failed.
    """
    missing = [(concept.name, ()) for concept in concepts if not concept.definition]
    definitions, notes = define(missing, client)
    return tuple(
        replace(c, definition=definitions[c.name])
        if c.name in definitions and c.name not in notes
        else c
        for c in concepts
    )
