"""What asking in both orders says of the values that an explanation uses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from palate.concepts.annotation.annotation import Annotation
from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import MIN_PAIRS
from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.explanations.beside import reliability_of, with_reliability
from palate.explanations.explain import Explanations


def with_orders(
    explanations: Explanations,
    preferences: Preferences,
    concepts: ConceptMatrix,
    annotation: Annotation,
    *,
    cluster: str | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> Explanations:
    """Return explanations with the reliability of the annotated concepts.

    The two orders of presentation are two annotations of the same pair. Their agreement is that
    of one answer with another; final values that are made of both are better than it says.
    Unchanged if fewer than 20 of the pairs were asked in both orders.

    Parameters
    ----------
    explanations
        The explanations.
    preferences
        The explained pairs.
    concepts
        The values that they were explained with; the annotated concepts stand last.
    annotation
        Where these come from.
    cluster
        Metadata column whose equal values are kept together.
    level
        Level of the intervals.
    seed
        Seed of the draws.
    """
    orders = annotation.orders()
    if orders is None:
        return explanations
    first, second = (order.align(preferences.ids) for order in orders)
    if (np.isfinite(first.values) & np.isfinite(second.values)).any(axis=1).sum() < MIN_PAIRS:
        return explanations
    begin = concepts.n_concepts - first.n_concepts
    values = concepts.align(preferences.ids).values.copy()
    values[:, begin:] = first.values
    table = reliability_of(
        preferences,
        replace(concepts.align(preferences.ids), values=values),
        replace(second, concepts=concepts.concepts[begin:]),
        groups=groups(preferences, cluster_column=cluster),
        level=level,
        seed=seed,
    )
    return replace(
        explanations,
        explanations=tuple(with_reliability(e, table) for e in explanations.explanations),
    )
