"""Which pairs a report shows: clean cases of supported concepts, and the worst misses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from palate.explanations.explanation import Array, Explanation
from palate.report.effects import domain_statements, supported_effects


@dataclass(frozen=True)
class Example:
    """A pair to show; `concept` is the column it is an example of, None for a miss."""

    pair_id: str
    concept: int | None


def choose_examples(
    explanation: Explanation, *, n_concepts: int, per_concept: int, n_misses: int
) -> list[Example]:
    """Return example pairs, no pair twice: first of supported concepts, then misses.

    A case of a concept is a pair on which the concept speaks for the side that the mechanism took,
    as the model says too; the pairs where it has the largest share of all contributions come
    first. Concepts supported everywhere come first, then those supported in one domain, whose
    cases are from that domain. A miss is a pair whose held-out probability contradicts the
    verdict, largest first.

    Parameters
    ----------
    explanation
        The explained mechanism.
    n_concepts
        How many of the concepts with a supported effect to show.
    per_concept
        How many pairs to show for each.
    n_misses
        How many misses to show.
    """
    taken: set[int] = set()
    chosen: list[Example] = []
    verdict = _column(explanation, "verdict")
    probability = _column(explanation, "probability")
    held_out = _column(explanation, "held_out_probability")
    side = np.sign(np.nan_to_num(verdict))
    contributions = _contributions(explanation)
    size = np.abs(contributions).sum(axis=1)
    agrees = (side != 0) & (side * (probability - 0.5) > 0)
    agrees &= np.isnan(held_out) | (side * (held_out - 0.5) > 0)
    domains = explanation.pairs["domain"].to_numpy()
    strongest = [*supported_effects(explanation), *domain_statements(explanation)]
    first = {e.index: e for e in reversed(strongest)}  # each concept once, shared effects first
    order = [e for e in strongest if first[e.index] is e]
    for effect in order[:n_concepts]:
        speaks = side * contributions[:, effect.index]
        here = agrees & (speaks > 0)
        if effect.domain is not None:
            here &= domains == effect.domain
        share = np.where(here, speaks / np.where(size > 0, size, 1.0), 0.0)
        found = 0
        for i in np.argsort(-share, kind="stable"):
            if found == per_concept or share[i] <= 0:
                break
            if int(i) in taken:
                continue
            taken.add(int(i))
            chosen.append(Example(explanation.concepts.ids[i], effect.index))
            found += 1
    wrong = np.nan_to_num(-side * (held_out - 0.5))
    for i in np.argsort(-wrong, kind="stable")[: n_misses + len(taken)]:
        if wrong[i] <= 0 or n_misses == 0:
            break
        if int(i) in taken:
            continue
        taken.add(int(i))
        chosen.append(Example(explanation.concepts.ids[i], None))
        n_misses -= 1
    return chosen


def _column(explanation: Explanation, name: str) -> Array:
    values: Array = explanation.pairs[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values


def _contributions(explanation: Explanation) -> Array:
    """Return value times weight, shape (n_pairs, n_concepts), unmeasured and absent as 0."""
    rows = {name: d for d, name in enumerate(explanation.domains)}
    weights = np.vstack([explanation.total.weight, explanation.shared.weight[None, :]])
    index = [rows.get(d, len(rows)) for d in explanation.pairs["domain"].to_list()]
    values: Array = np.nan_to_num(explanation.concepts.values) * np.nan_to_num(weights)[index]
    return values
