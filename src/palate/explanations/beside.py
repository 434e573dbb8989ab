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
from palate.errors import DataError, InputError, UnknownNameError
from palate.explanations.ceiling import explained_share
from palate.explanations.explanation import Band, Explanation
from palate.explanations.replicates import (
    Replicates,
    annotators,
    enough,
    known_replicates,
)
from palate.explanations.yardsticks import ceiling_sentence
from palate.inference.discoveries import Verdict


def replicates_of(
    preferences: Preferences, mechanisms: Sequence[str], *, named: Sequence[str] | None
) -> dict[str, Replicates | None]:
    """Return the replicates of each mechanism, None where there are too few.

    Parameters
    ----------
    preferences
        All pairs, with the mechanisms that are replicates.
    mechanisms
        The explained mechanisms.
    named
        Mechanisms that are replicates of those explained ones that are among them or their
        majority; None for what the data themselves show, as for any other mechanism.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If no explained mechanism is one of the named ones or their majority.
    DataError
        If fewer than 20 pairs have two verdicts of named mechanisms that are not ties.
    """
    found: dict[str, Replicates | None] = {}
    refused: InputError | None = None
    for mechanism in mechanisms if named is not None else ():
        try:
            found[mechanism] = enough(annotators(preferences, named or (), mechanism=mechanism))
        except UnknownNameError:
            raise
        except InputError as error:
            refused = refused or error
    if not found and refused is not None:
        raise refused
    return {m: found[m] if m in found else known_replicates(preferences, m) for m in mechanisms}


def with_ceiling(
    explanation: Explanation, preferences: Preferences, replicates: Replicates | None, *, seed: int
) -> Explanation:
    """Return an explanation with the noise ceiling of its verdicts, unchanged if none is known.

    Parameters
    ----------
    explanation
        The explained mechanism.
    preferences
        All pairs.
    replicates
        What `replicates_of` found for this mechanism.
    seed
        Seed of the draws.
    """
    if replicates is None:
        return explanation
    try:
        share = explained_share(explanation, preferences, replicates, seed=seed)
    except DataError:  # too few of the pairs with replicates were scored
        return explanation
    data: dict[str, Any] = asdict(share) | {"sentence": ceiling_sentence(share)}
    return replace(explanation, ceiling=data)


def with_reliability(
    explanation: Explanation, table: pl.DataFrame, *, distilled: bool = False
) -> Explanation:
    """Return an explanation in which nothing is said of concepts that are measured too unreliably.

    Parameters
    ----------
    explanation
        The explained mechanism.
    table
        What `reliability` or `recorded` gives (`palate.concepts`).
    distilled
        Whether the figures came with the values of a student.
    """
    bad = np.isin(explanation.concepts.names, unreliable(table))
    return replace(
        explanation,
        shared=_silenced(explanation.shared, bad),
        domain=_silenced(explanation.domain, bad),
        total=_silenced(explanation.total, bad),
        reliability=table,
        notes=(*explanation.notes, *reliability_notes(table, distilled=distilled)),
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
