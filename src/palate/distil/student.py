"""`Student`: annotates pairs the way a language model annotated others, at no cost.

    student = distil(preferences, matrix)
    soft = student.annotate(many)       # ConceptMatrix, values in [-1, 1]
    student.save("student")

Values of pairs that the student was trained on are the held-out ones: they come from a model that
has not seen the pair, nor another with its prompt or its responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix, Scale
from palate.distil.agreement import DISTILLED, LEFT
from palate.distil.features import Embed, Features, Seen, Texts
from palate.distil.fitting import Chosen, soft
from palate.errors import DataError, InputError

if TYPE_CHECKING:
    from palate.data.preferences import Preferences

Array = npt.NDArray[np.float64]
CHUNK = 1_000  # pairs looked at together; the result does not depend on the number of processes
PARALLEL_FROM = 2_000  # pairs; below, starting processes costs more than it saves
DECIMALS = 4


class Weights(NamedTuple):
    """Primal weights of C concepts: odd dense (p, C), its part per domain (D, p, C), odd words
    (v, C), even (p, C), and the intercepts of the even part: common (C,) and per domain (D, C)."""

    dense: Array
    dense_domain: Array
    words: Array
    even: Array
    intercept: Array
    intercept_domain: Array


@dataclass(frozen=True, eq=False)
class Student:
    """A trained annotator of those concepts that it can do.

    Parameters
    ----------
    concepts
        The concepts that it annotates.
    left
        Those left to the language model.
    table
        One row per concept, both kinds: how well held-out values agree with the language model, and
        the verdict (see `palate.distil.agreement`).
    features
        What is looked at.
    domains
        Domains of the training pairs; in others the shared part alone speaks.
    weights
        Weights of the distilled concepts.
    chosen
        Power, slope and ceiling of each.
    scales
        Scale of each distilled concept.
    step
        Step of each; a soft value of 1 is one step.
    keys
        Key of every training pair.
    values
        Their held-out values, shape (n, C), NaN where the concept was not annotated.
    settings
        How it was trained.
    """

    concepts: tuple[Concept, ...]
    left: tuple[Concept, ...]
    table: pl.DataFrame
    features: Features
    domains: tuple[str, ...]
    weights: Weights
    chosen: Chosen
    scales: tuple[Scale, ...]
    step: Array
    keys: npt.NDArray[np.uint64]
    values: Array
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"Student({len(self.concepts)} of {self.table.height} concepts distilled from "
            f"{self.settings['n_pairs']:,} pairs)"
        )

    def annotate(
        self,
        preferences: Preferences,
        *,
        n_jobs: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ConceptMatrix:
        """Return soft values of the distilled concepts on these pairs.

        Parameters
        ----------
        preferences
            The pairs; verdicts are not looked at.
        n_jobs
            Number of processes, or None for one per processor (one process if the pairs are few).
        progress
            Called with the number of pairs done and their total.

        Raises
        ------
        DataError
            If no concept could be distilled.
        InputError
            If `n_jobs` is below 1.
        """
        values = np.zeros((preferences.n_pairs, len(self.concepts)))
        done = 0
        for block in self.blocks(preferences, n_jobs=n_jobs):
            values[done : done + len(block)] = block
            done += len(block)
            if progress is not None:
                progress(done, preferences.n_pairs)
        return ConceptMatrix(
            ids=tuple(preferences.ids),
            concepts=self.concepts,
            values=values,
            scales=self.scales,
            step=self.step,
            provenance=self.provenance(preferences.domains),
        )

    def blocks(self, preferences: Preferences, *, n_jobs: int | None = None) -> Iterator[Array]:
        """Yield the soft values of at most 1,000 pairs at a time, in row order.

        Parameters
        ----------
        preferences
            The pairs.
        n_jobs
            Number of processes, or None for one per processor (one process if the pairs are few).

        Raises
        ------
        DataError
            If no concept could be distilled.
        InputError
            If `n_jobs` is below 1.
        """
        from palate.workers import interrupts_ignored, n_processors

        if not self.concepts:
            raise DataError("This student annotates nothing: every concept was left to the LLM.")
        if n_jobs is not None and n_jobs < 1:
            raise InputError(f"annotate: found n_jobs={n_jobs!r}; expected at least 1, or None.")
        jobs = n_jobs or (n_processors() if preferences.n_pairs >= PARALLEL_FROM else 1)
        chunks = _chunks(preferences)
        if jobs == 1:
            for texts, domains in chunks:
                yield self._annotated(texts, domains)
            return
        from joblib import Parallel, delayed

        with interrupts_ignored():
            found = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")(
                delayed(_annotated)(self, texts, domains) for texts, domains in chunks
            )
        yield from found

    def provenance(self, domains: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return where values come from, with the figures on each concept's reliability.

        Parameters
        ----------
        domains
            Domains of the annotated pairs; those not trained on are named.
        """
        rows = {row["concept"]: row for row in self.table.iter_rows(named=True)}
        figures = (
            *("n_pairs", "n_groups", "n_nonzero", "agreement", "kappa", "opposite"),
            *("reliability", "low", "high", "attenuation"),
        )
        return {
            "source": "distilled",
            "reliability": {
                c.name: {k: rows[c.name][k] for k in figures} | {"source": "distilled"}
                for c in self.concepts
            },
            "left": {name: row["reason"] for name, row in rows.items() if row["verdict"] == LEFT},
            "new_domains": [d for d in domains if d not in self.domains],
            "student": {k: v for k, v in self.settings.items() if k != "measures"},
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user must know: how many concepts are distilled, and which are left and why."""
        done = self.table.filter(verdict=DISTILLED).height
        notes = [
            f"{done} of {self.table.height} concepts were distilled from "
            f"{self.settings['n_pairs']:,} annotated pairs."
        ]
        notes += [
            f"Left to the LLM: {row['concept']}: {row['reason']}."
            for row in self.table.filter(verdict=LEFT).iter_rows(named=True)
        ]
        return tuple(notes)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the student into a folder, as JSON and NumPy arrays.

        Parameters
        ----------
        folder
            The folder; it is made if it is not there.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from palate.distil.files import save_student

        save_student(self, folder)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, embed: Embed | None = None) -> Student:
        """Read what `save` wrote.

        Parameters
        ----------
        folder
            The folder.
        embed
            The embedding that the student was trained with, if it was.

        Raises
        ------
        FileFormatError
            If there is no student, or it was trained by a version with other measured concepts.
        InputError
            If the embedding is missing, not needed, or another one.
        """
        from palate.distil.files import load_student

        return load_student(folder, embed=embed)

    def _annotated(self, texts: Texts, domains: list[str]) -> Array:
        number = {d: k for k, d in enumerate(self.domains)}
        code = np.array([number.get(d, -1) for d in domains], dtype=np.int64)
        values = apply(self.weights, self.chosen, self.features.see(texts), code)
        key, sign = keys_of(texts)
        at = np.searchsorted(self.keys, key)
        known = np.flatnonzero(self.keys[np.minimum(at, self.keys.size - 1)] == key)
        remembered = self.values[at[known]] * sign[known, None]
        values[known] = np.where(np.isfinite(remembered), remembered, values[known])
        for j, concept in enumerate(self.concepts):
            if concept.domains is not None:
                values[~np.isin(np.array(domains, dtype=object), list(concept.domains)), j] = 0.0
        return np.round(values, DECIMALS) + 0.0  # no negative zeros


def apply(weights: Weights, chosen: Chosen, seen: Seen, domain: npt.NDArray[np.int64]) -> Array:
    """Return soft values, shape (n, C).

    Parameters
    ----------
    weights
        Weights of C concepts.
    chosen
        Power, slope and ceiling of each.
    seen
        Features of the pairs.
    domain
        Number of the domain of each pair, -1 for one that is not known.
    """
    odd = seen.dense @ weights.dense + seen.words @ weights.words
    even = seen.even @ weights.even + weights.intercept
    for d in np.unique(domain[domain >= 0]):
        rows = domain == d
        odd[rows] += seen.dense[rows] @ weights.dense_domain[d]
        even[rows] += weights.intercept_domain[d]
    return soft(odd, even, chosen)


def keys_of(texts: Texts) -> tuple[npt.NDArray[np.uint64], Array]:
    """Return a number per pair that tells its texts, and -1 where the responses stand the other
    way round, 0 where they are equal, shape (n,) each.

    Parameters
    ----------
    texts
        The pairs.
    """
    from hashlib import blake2b

    raw = b"".join(
        blake2b(
            f"{len(prompt)} {len(low)} {prompt}{low}{high}".encode("utf-8", "surrogatepass"),
            digest_size=8,
        ).digest()
        for prompt, low, high in (
            (prompt, min(first, second), max(first, second))
            for prompt, first, second in zip(*texts, strict=True)
        )
    )
    sign = [(a < b) - (a > b) for a, b in zip(texts.first, texts.second, strict=True)]
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64), np.array(sign, dtype=np.float64)


def texts_of(preferences: Preferences) -> Texts:
    """Return the texts of pairs.

    Parameters
    ----------
    preferences
        The pairs.
    """
    pairs = preferences.pairs
    return Texts(*(pairs[c].to_list() for c in ("prompt", "response_a", "response_b")))


def _annotated(student: Student, texts: Texts, domains: list[str]) -> Array:
    return student._annotated(texts, domains)  # a plain function, as processes need it


def _chunks(preferences: Preferences) -> Iterator[tuple[Texts, list[str]]]:
    pairs = preferences.pairs
    for start in range(0, preferences.n_pairs, CHUNK):
        part = pairs.slice(start, CHUNK)
        yield (
            Texts(*(part[c].to_list() for c in ("prompt", "response_a", "response_b"))),
            part["domain"].to_list(),
        )
