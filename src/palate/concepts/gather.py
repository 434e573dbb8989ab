"""All concepts of a run in one matrix: measured from the text, imported, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.errors import InputError

if TYPE_CHECKING:
    from palate.concepts.annotation.annotation import Annotation

Source = str | PathLike[str]


@dataclass(frozen=True)
class Gathered:
    """The concepts of a run and what a reader must know about where they come from.

    Parameters
    ----------
    matrix
        One row per pair of the preferences, in their order; specific concepts are 0 outside
        their domains, but for pairs on which nothing was measured.
    notes
        Plain sentences: coverage of imported values, what was added on its own.
    annotation
        The annotation that concepts come from, if they come from one; they stand last.
    """

    matrix: ConceptMatrix
    notes: tuple[str, ...]
    annotation: Annotation | None = None


def gather(
    preferences: Preferences,
    *,
    concepts: Source | None = None,
    values: Source | None = None,
    annotation: Source | Annotation | None = None,
    with_measured: bool = False,
    families: list[str] | None = None,
    n_jobs: int | None = None,
) -> Gathered:
    """Return the concepts to explain these preferences with.

    Files that are given stand alone, unless `with_measured` asks for both. Without files the
    concepts are measured from the text, and what the preferences bring along stands beside them:
    principle votes of an AnnotatedPairs file, attribute scores that a reader kept.

    Parameters
    ----------
    preferences
        The pairs.
    concepts
        Definitions of annotated concepts, or an AnnotatedPairs file whose principle votes are
        taken; None if there is no such file.
    values
        Values of annotated concepts on pairs, by id.
    annotation
        An annotation by a language model, or the folder that `palate annotate` wrote; stands in the
        place of `concepts` and `values`.
    with_measured
        Whether the measured concepts stand beside those of the files.
    families
        Families of measured concepts; None for all.
    n_jobs
        Processes for measuring; None for all cores.

    Raises
    ------
    InputError
        If definitions are given without values, an annotation beside either, or the values belong
        to other pairs or to too few of these.
    FileFormatError
        If a file cannot be read.
    """
    from palate.concepts.imported import (
        concepts_from_scores,
        concepts_from_votes,
        concepts_of_annotated_pairs,
        coverage_of,
        is_annotated_pairs,
        read_concepts,
    )
    from palate.concepts.measured import measure

    imported: ConceptMatrix | None = None
    apart: frozenset[str] = frozenset()  # pairs that the concepts were discovered on
    if annotation is not None:
        from palate.concepts.annotation.annotation import Annotation
        from palate.concepts.discovery.provenance import discovery_pairs

        if concepts is not None or values is not None:
            raise InputError(
                "Concepts: found an annotation and files of concepts or values; expected one of "
                "the two."
            )
        if not isinstance(annotation, Annotation):
            folder, annotation = annotation, Annotation.load(annotation)
            apart = discovery_pairs(folder)
    if values is None and concepts is not None:
        if not is_annotated_pairs(concepts):
            raise InputError(
                f"{concepts}: these concepts have no values; expected a values file as well, or "
                "an AnnotatedPairs file with principle votes."
            )
        imported = concepts_of_annotated_pairs(concepts)
    elif values is not None:
        imported = read_concepts(concepts, values)
    notes: list[str] = []
    if annotation is not None:
        from palate.concepts.annotation.notes import notes_of

        imported = annotation.used
        notes += notes_of(annotation)

    origin = str(preferences.provenance.get("file", "the preferences"))
    if imported is not None:
        notes += coverage_of(imported, preferences.ids, source=origin).notes
        found = imported.align(preferences.ids)
        if n_apart := len(apart.intersection(preferences.ids).difference(imported.ids)):
            found = replace(found, provenance={**found.provenance, "set_apart": n_apart})
        if with_measured:
            found = measure(preferences, families=families, n_jobs=n_jobs).beside(found)
            what = "imported" if annotation is None else "annotated"
            notes.append(f"{_count(imported.concepts, what)} beside those measured from the text.")
    else:
        found = measure(preferences, families=families, n_jobs=n_jobs)
        scores = concepts_from_scores(preferences)
        if scores is not None:
            found = found.beside(scores)
            notes.append(
                f"{_count(scores.concepts, 'score')} beside those measured from the text; the file "
                "holds the scores."
            )
        votes = concepts_from_votes(preferences)
        if votes is not None:
            found = found.beside(votes)
            notes.append(
                f"{_count(votes.concepts, 'principle')} beside those measured from the text; "
                "the file holds the votes. If the principles were found by reading these verdicts, "
                "held-out scores are optimistic."
            )
    masked = found.masked(preferences.pairs["domain"].to_list())
    annotated = np.isfinite(found.values).any(axis=1, keepdims=True)
    values_of = np.where(annotated, masked.values, np.nan)  # none is no 0 by structure
    return Gathered(replace(masked, values=values_of), tuple(notes), annotation)


def _count(concepts: tuple[Concept, ...], what: str) -> str:
    return f"{len(concepts)} {what} concept{' stands' if len(concepts) == 1 else 's stand'}"
