"""`Annotation`: the values that a language model gave, and what a reader must know about them.

    annotation = Annotation.load("annotated")
    annotation.matrix                      # what explanations are fitted on
    annotation.table()                     # coverage and order consistency of each concept

Three sets of values, all about sides (positive is more in response a): `first`, of the order that
was asked first; `second`, of the exchanged order where it was asked; `matrix`, both combined. 0 is
equal, not relevant, or specific to other domains; NaN is not answered, or not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.annotation.asking import Spent
from palate.concepts.annotation.board import Lost
from palate.concepts.annotation.second_order import Consistency, combined, consistency
from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix, Scale
from palate.data.injection import Flag

if TYPE_CHECKING:
    from palate.concepts.annotation.board import Board

Array = npt.NDArray[np.float64]
TABLE_SCHEMA: dict[str, Any] = {
    "concept": pl.String,
    **dict.fromkeys(("n_pairs", "n_asked", "n_known"), pl.Int64),
    "coverage": pl.Float64,
    **dict.fromkeys(("n_twice", "n_same", "n_opposite"), pl.Int64),
    "consistency": pl.Float64,
    "dropped": pl.String,
    "stopped_in": pl.List(pl.String),
}


@dataclass(frozen=True, eq=False)
class Annotation:
    """Concept values of pairs from a language model.

    Parameters
    ----------
    matrix
        The final values.
    first
        Shape (n_pairs, n_concepts): values of the order asked first, NaN = not known.
    second
        Same shape: values of the exchanged order, NaN where it was not asked or answered.
    asked
        Same shape: whether it was asked.
    domains
        Domain of each pair.
    order
        Per concept, how often both orders agree; of the random audit where there was one.
    audited
        Shape (n_pairs,): pairs that were asked in both orders whatever was answered; None for all.
    lost
        Questions without an answer.
    truncated
        Pairs that were too long, with which texts were shortened.
    flagged
        Pairs whose texts address the model that reads them, with what they try.
    dropped
        Concepts that were given up, with the reason; explanations leave them out.
    stopped
        Concepts that were no longer asked in some domains, with these.
    cleaned
        Characters that cannot be sent and were replaced.
    choices
        How pairs were asked about: the fields of `protocols.Choices`.
    seed
        Seed of everything random.
    spent
        Tokens and cost of the answers that were used.
    provenance
        What was recorded beside: the model, files.
    """

    matrix: ConceptMatrix
    first: Array
    second: Array
    asked: npt.NDArray[np.bool_]
    domains: tuple[str, ...]
    order: tuple[Consistency, ...]
    audited: npt.NDArray[np.bool_] | None = None
    lost: tuple[Lost, ...] = ()
    truncated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flagged: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    stopped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cleaned: int = 0
    choices: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    spent: Spent = field(default_factory=Spent)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        board: Board,
        *,
        truncated: Mapping[str, tuple[str, ...]],
        flagged: Mapping[str, tuple[Flag, ...]],
        cleaned: int,
        provenance: Mapping[str, Any],
    ) -> Annotation:
        """Return the annotation that a board holds in the end.

        Parameters
        ----------
        board
            The finished board.
        truncated
            Pairs that were shortened.
        flagged
            Pairs that address the model.
        cleaned
            Characters that were replaced.
        provenance
            What is recorded beside.
        """
        twice = board.audit if board.audit.any() else np.ones(len(board.ids), dtype=bool)
        domains = board.state().domain_names
        stopped = {
            concept.name: tuple(d for d, k in zip(domains, board.keep[:, j], strict=True) if not k)
            for j, concept in enumerate(board.concepts)
            if concept.name not in board.dropped and not board.keep[:, j].all()
        }
        return cls(
            matrix=matrix_of(
                board.ids,
                board.concepts,
                board.finished(combined(board.first, board.second)),
                board.choices.protocol,
                provenance,
            ),
            first=board.finished(board.first),
            second=board.second.copy(),
            asked=board.asked.copy(),
            domains=board.domains,
            order=tuple(consistency(board.first[twice], board.second[twice])),
            audited=None if board.audit.all() else board.audit.copy(),
            lost=tuple(board.lost),
            truncated=dict(truncated),
            flagged=dict(flagged),
            dropped=dict(board.dropped),
            stopped=stopped,
            cleaned=cleaned,
            choices=asdict(board.choices),
            seed=board.seed,
            spent=board.spent,
            provenance=dict(provenance),
        )

    @property
    def protocol(self) -> str:
        """Name of the protocol."""
        return str(self.choices.get("protocol", ""))

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the pairs."""
        return self.matrix.ids

    @property
    def applies(self) -> npt.NDArray[np.bool_]:
        """Whether a concept applies to a pair, shape (n_pairs, n_concepts)."""
        where = np.asarray(self.domains, dtype=object)
        columns = [
            np.ones(where.size, dtype=bool)
            if c.domains is None
            else np.isin(where, list(c.domains))
            for c in self.matrix.concepts
        ]
        return np.column_stack(columns)

    @property
    def coverage(self) -> dict[str, float | None]:
        """Share of pairs with a value, of those that a concept applies to, by its name."""
        table = self.table()
        return dict(zip(table["concept"], table["coverage"], strict=True))

    @property
    def consistency(self) -> dict[str, Consistency]:
        """How often both orders agree, by name of the concept."""
        return dict(zip(self.matrix.names, self.order, strict=True))

    @property
    def failures(self) -> dict[str, str]:
        """Reason of the first question without an answer, by pair."""
        out: dict[str, str] = {}
        for lost in self.lost:
            out.setdefault(lost.id, lost.reason)
        return out

    @property
    def used(self) -> ConceptMatrix:
        """The matrix without the concepts that were given up: what explanations use.

        Their number is in its provenance: they count as tested, since the others were chosen.
        """
        if not self.dropped:
            return self.matrix
        keep = [j for j, name in enumerate(self.matrix.names) if name not in self.dropped]
        told = {**self.matrix.provenance, "given_up": len(self.dropped)}
        return replace(self.matrix.select_concepts(keep), provenance=told)

    def orders(self) -> tuple[ConceptMatrix, ConceptMatrix] | None:
        """Return the values of both orders for their reliability, None if few pairs have both.

        The two are of one order each, as `reliability` wants it: the final values are made of
        both and would look more reliable than they are. Only audited pairs have a second order
        here: where a policy asked for it, it did so because of the first.
        """
        from palate.concepts.reliability import MIN_PAIRS

        again = self.second
        if self.audited is not None:
            again = np.where(self.audited[:, None], again, np.nan)
        both = (np.isfinite(again) & np.isfinite(self.first)).any(axis=1).sum()
        if both < MIN_PAIRS:
            return None
        keep = [j for j, name in enumerate(self.matrix.names) if name not in self.dropped]
        first, second = (replace(self.matrix, values=v) for v in (self.first, again))
        return first.select_concepts(keep), second.select_concepts(keep)

    def table(self) -> pl.DataFrame:
        """Return one row per concept.

        Columns: `concept`; `n_pairs` that it applies to; `n_asked`; `n_known` with a value;
        `coverage`, `n_known / n_pairs`; `n_twice` with an answer in both orders, `n_same`,
        `n_opposite` and `consistency`, `n_same / n_twice`; `dropped`, the reason if it was given
        up; `stopped_in`, domains in which it was no longer asked.
        """
        applies, known = self.applies, np.isfinite(self.matrix.values)
        rows = []
        for j, (name, order) in enumerate(zip(self.matrix.names, self.order, strict=True)):
            here = applies[:, j]
            n_known = int((known[:, j] & here).sum())
            rows.append(
                {
                    "concept": name,
                    "n_pairs": int(here.sum()),
                    "n_asked": int((self.asked[:, j] & here).sum()),
                    "n_known": n_known,
                    "coverage": n_known / int(here.sum()) if here.any() else None,
                    "n_twice": order.n,
                    "n_same": order.same,
                    "n_opposite": order.opposite,
                    "consistency": order.share,
                    "dropped": self.dropped.get(name),
                    "stopped_in": list(self.stopped.get(name, ())),
                }
            )
        return pl.DataFrame(rows, schema=TABLE_SCHEMA)

    @property
    def n_inconsistent(self) -> int:
        """Answers that became 0 because the two orders disagree."""
        both = np.isfinite(self.first) & np.isfinite(self.second)
        hard = both & np.isin(self.first, (-1, 0, 1)) & np.isin(self.second, (-1, 0, 1))
        return int((hard & (self.first != self.second)).sum())

    def __repr__(self) -> str:
        known = float(np.isfinite(self.matrix.values[self.applies]).mean())
        return (
            f"Annotation({self.matrix.n_pairs} pairs, {self.matrix.n_concepts} concepts, protocol "
            f"{self.protocol!r}, {100 * known:.1f} % known)"
        )

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the files of an annotation into a folder, which is made if it is not there.

        Parameters
        ----------
        folder
            The folder.

        Raises
        ------
        OutputError
            If it cannot be written to.
        """
        from palate.concepts.annotation.files import save

        save(self, folder)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Annotation:
        """Read what `save` wrote.

        Parameters
        ----------
        folder
            The folder.

        Raises
        ------
        FileFormatError
            If it holds no annotation, or a file of it is missing or wrong.
        """
        from palate.concepts.annotation.files import load

        return load(folder)


def matrix_of(
    ids: tuple[str, ...],
    concepts: tuple[Concept, ...],
    values: Array,
    protocol: str,
    provenance: Mapping[str, Any],
) -> ConceptMatrix:
    """Return annotated values as a matrix: scores in points, anything else comparative.

    Parameters
    ----------
    ids
        Ids of the pairs.
    concepts
        The concepts.
    values
        Shape (n_pairs, n_concepts).
    protocol
        Name of the protocol.
    provenance
        What is recorded beside.
    """
    scale: Scale = "score" if protocol == "score" else "comp"
    step = 1.0 if protocol == "score" else np.nan
    return ConceptMatrix(
        ids=ids,
        concepts=concepts,
        values=values,
        scales=tuple(scale for _ in concepts),
        step=np.full(len(concepts), step),
        provenance={"source": "annotated", "protocol": protocol, **provenance},
    )
