"""What stands beside the fit: the noise ceiling of replicated verdicts, reliability of concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import reliability, reliability_notes, unreliable
from palate.data.preferences import Preferences
from palate.errors import DataError
from palate.explanations.ceiling import explained_share
from palate.explanations.explanation import Band, Explanation
from palate.explanations.replicates import annotators, enough, known_replicates
from palate.explanations.yardsticks import ceiling_sentence
from palate.inference.discoveries import Verdict


def with_ceiling(
    explanation: Explanation,
    preferences: Preferences,
    *,
    replicates: Sequence[str] | None,
    seed: int,
) -> Explanation:
    """Return an explanation with the noise ceiling of its verdicts, unchanged if none is known.

    Parameters
    ----------
    explanation
        The explained mechanism.
    preferences
        All pairs, with the mechanisms that are replicates.
    replicates
        Mechanisms that are replicates of each other, of this one or of their majority; None for
        what the data themselves show.
    seed
        Seed of the draws.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If the explained mechanism is neither one of the replicates nor their majority.
    DataError
        If replicates are named and fewer than 20 pairs have two verdicts that are not ties.
    """
    if replicates is None:
        found = known_replicates(preferences, explanation.mechanism)
        if found is None:
            return explanation
    else:
        found = enough(annotators(preferences, replicates, mechanism=explanation.mechanism))
    try:
        share = explained_share(explanation, preferences, found, seed=seed)
    except DataError:
        if replicates is not None:
            raise
        return explanation
    data: dict[str, Any] = asdict(share) | {"sentence": ceiling_sentence(share)}
    return replace(explanation, ceiling=data)


def with_reliability(explanation: Explanation, table: pl.DataFrame) -> Explanation:
    """Return an explanation in which nothing is said of concepts that are measured too unreliably.

    Parameters
    ----------
    explanation
        The explained mechanism.
    table
        What `palate.concepts.reliability.reliability` gives.
    """
    bad = np.isin(explanation.concepts.names, unreliable(table))
    return replace(
        explanation,
        shared=_silenced(explanation.shared, bad),
        domain=_silenced(explanation.domain, bad),
        total=_silenced(explanation.total, bad),
        reliability=table,
        notes=(*explanation.notes, *reliability_notes(table)),
    )


def reliability_of(
    preferences: Preferences,
    concepts: ConceptMatrix,
    again: ConceptMatrix,
    *,
    groups: npt.ArrayLike,
    level: float,
    seed: int,
) -> pl.DataFrame:
    """Return the reliability of each concept, aligned with the preferences.

    Parameters
    ----------
    preferences
        All pairs.
    concepts
        The values that are explained with.
    again
        Second annotations of some of the pairs.
    groups
        Group of each pair, shape (N,).
    level
        Level of the intervals.
    seed
        Seed of the draws.

    Raises
    ------
    InputError
        If no concept has a second annotation.
    DataError
        If fewer than 20 pairs are annotated twice.
    """
    aligned = concepts.align(preferences.ids)
    domains = preferences.pairs["domain"].to_list()
    return reliability(aligned, again, domains=domains, groups=groups, level=level, seed=seed)


def _silenced(band: Band, bad: npt.NDArray[np.bool_]) -> Band:
    verdict = band.verdict.astype(object)
    verdict[..., bad] = np.where(verdict[..., bad] == "", "", Verdict.UNRELIABLE.value)
    return replace(band, verdict=verdict.astype(str))
