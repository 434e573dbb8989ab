"""Concepts as criteria: what a model is told when an explanation is put to work."""

from __future__ import annotations

from palate.concepts.concept import Concept
from palate.concepts.poles import high_only, low_only
from palate.mechanisms.criteria import Criterion


def criterion_of(concept: Concept, *, weight: float = 1.0) -> Criterion:
    """Return a concept as something to look for, or to avoid where its weight is negative.

    Parameters
    ----------
    concept
        The concept.
    weight
        Its weight or effect; the sign counts.
    """
    if weight >= 0:
        return Criterion(concept.name, high_only(concept.definition), "more")
    low = low_only(concept.definition)
    return Criterion(
        concept.name, low or f"does not have this: {high_only(concept.definition)}", "less"
    )


def opposite(criterion: Criterion, concept: Concept) -> Criterion:
    """Return the criterion that asks for the contrary.

    Parameters
    ----------
    criterion
        A criterion of `criterion_of`.
    concept
        Its concept.
    """
    return criterion_of(concept, weight=-1.0 if criterion.aim == "more" else 1.0)
