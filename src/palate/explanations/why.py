"""`why`: what drives the verdict on a pair that the explanation has not seen.

    values = measured_values(explanation, prompt, response_a, response_b, domain="cooking")
    print(why(explanation, values, domain="cooking"))

Only concepts with a weight in the pair's domain matter (`weighted`): the others add nothing to the
log-odds, so nobody needs to measure or ask them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from palate.concepts.concept import Concept
from palate.concepts.measured import FAMILIES
from palate.concepts.measured.engine import CLIP, measure_text
from palate.errors import InputError, UnknownNameError
from palate.explanations.explanation import Explanation
from palate.explanations.files import PAIR_SCHEMA
from palate.explanations.local import LocalExplanation

MEASURED = "measured"


def why(
    explanation: Explanation,
    values: Mapping[str, float],
    *,
    domain: str | None = None,
    pair_id: str = "new",
    verdict: float | None = None,
) -> LocalExplanation:
    """Explain one pair by its concept values: contributions, log-odds and what would flip them.

    Parameters
    ----------
    explanation
        The fitted weights.
    values
        How much more of a concept response a has, by name, in steps; NaN or absent = not measured.
    domain
        Domain of the pair; where the model was not fitted on it, or it is None, the shared weights
        count alone.
    pair_id
        Name of the pair.
    verdict
        What the mechanism said of it, in [-1, 1]; None if it did not judge it.

    Raises
    ------
    UnknownNameError
        If a value is given for a concept that the explanation does not know.
    InputError
        If a value is infinite.
    """
    matrix = explanation.concepts
    row = np.full((1, matrix.n_concepts), np.nan)
    for name, value in values.items():
        if name not in matrix.names:
            raise UnknownNameError("concept", name, matrix.names)
        if math.isinf(value):
            raise InputError(f"why, concept {name!r}: found {value!r}; expected a number or NaN.")
        row[0, matrix.names.index(name)] = value
    where = domain or ""
    alone = replace(matrix, ids=(pair_id,), values=row).masked([where])
    pair = pl.DataFrame({"id": [pair_id], "domain": [where]}).with_columns(
        pl.lit(verdict if name == "verdict" else None, dtype=kind).alias(name)
        for name, kind in PAIR_SCHEMA.items()
        if name not in ("id", "domain")
    )
    return replace(explanation, concepts=alone, pairs=pair).local(pair_id)


def weighted(explanation: Explanation, *, domain: str | None = None) -> tuple[Concept, ...]:
    """Return the concepts that have a weight in a domain, the largest weights first.

    Parameters
    ----------
    explanation
        The fitted weights.
    domain
        The domain; where the model was not fitted on it, or it is None, the shared weights count.
    """
    weight = explanation.shared.weight
    if domain in explanation.domains:
        weight = explanation.total.weight[explanation.domains.index(domain)]
    size = np.abs(np.nan_to_num(weight))
    order = np.argsort(-size, kind="stable")
    return tuple(explanation.concepts.concepts[j] for j in order if size[j] > 0)


def is_measured(concept: Concept) -> bool:
    """Return whether a concept is computed from the texts, without asking anybody.

    Parameters
    ----------
    concept
        The concept.
    """
    return concept.origin == MEASURED and concept.family in FAMILIES


def measured_values(
    explanation: Explanation,
    prompt: str,
    response_a: str,
    response_b: str,
    *,
    domain: str | None = None,
) -> dict[str, float]:
    """Return the values of the measured concepts that have a weight, in the explanation's steps.

    Parameters
    ----------
    explanation
        The fitted weights and the sizes of steps.
    prompt
        What the responses answer.
    response_a
        One response.
    response_b
        The other one.
    domain
        Domain of the pair.
    """
    wanted = [c for c in weighted(explanation, domain=domain) if is_measured(c)]
    clip = _clip(explanation.concepts.provenance)
    out: dict[str, float] = {}
    for family in dict.fromkeys(c.family for c in wanted):
        names = [c.name for c in FAMILIES[family].CONCEPTS]
        a, b = (measure_text(r, prompt, families=[family]) for r in (response_a, response_b))
        for concept in wanted:
            own = concept.name.removesuffix(f" ({MEASURED})")  # the end that sets namesakes apart
            if concept.family == family and own in names:
                k, j = names.index(own), explanation.concepts.names.index(concept.name)
                steps = (a[k] - b[k]) / float(explanation.concepts.step[j])
                out[concept.name] = float(np.clip(steps, -clip, clip))
    return out


def _clip(provenance: Mapping[str, Any]) -> float:
    """Return at how many steps measured values were cut, wherever it is recorded."""
    if "measured" in provenance:
        return float(provenance["measured"].get("clip", CLIP))
    inside = [_clip(provenance[side]) for side in ("left", "right") if side in provenance]
    return min(inside, default=CLIP)
