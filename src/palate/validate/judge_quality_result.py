"""`JudgeQuality`: how good judges are, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import polars as pl

from palate.data.documents import as_written, read_document, write_csv, write_document
from palate.errors import UnknownNameError
from palate.validate.judge_quality_measures import MEASURES

SCHEMA = "palate.judge_quality/1"
ALL, MEAN = "(all pairs)", "(mean of domains)"
_ENDS = ("", "_low", "_high")
FRAME: dict[str, Any] = {
    **dict.fromkeys(("mechanism", "domain"), pl.String),
    **dict.fromkeys(("judged", "both_orders", "answers", "compared"), pl.Int64),
    **{f"{name}{end}": pl.Float64 for name in MEASURES for end in _ENDS},
    **dict.fromkeys(("place_p", "place_p_adjusted"), pl.Float64),
    **{f"behind{end}": pl.Float64 for end in _ENDS},
    "behind_p": pl.Float64,
    **dict.fromkeys(("rank_low", "rank_high"), pl.Int64),
}


@dataclass(frozen=True, eq=False)
class JudgeQuality:
    """How good judges are.

    `frame` has one row per mechanism and domain, "(all pairs)" and "(mean of domains)" among the
    domains. Counts: `judged` pairs, pairs answered in `both_orders`, single `answers`, pairs
    `compared` with the reference. Measures, as shares with `_low` and `_high`: those of
    `palate.validate.judge_quality_measures`. `first_shown` is the share of verdicts for the
    response shown first, 1/2 without bias; `place_p` tests that, `place_p_adjusted` over judges
    (Holm) or, in domains, over judges and domains (false discovery rate). `behind` is the accuracy
    of the best judge minus this one's on common pairs, `behind_p` adjusted over all couples of
    judges (Holm), `rank_low` to `rank_high` the ranks that cannot be told apart; these are of all
    pairs only. Null: not recorded, or too little to say.

    Parameters
    ----------
    frame
        The table.
    reference
        The mechanism that is right by definition; None for none.
    best
        The most accurate judge on common pairs; None without a reference.
    notes
        Sentences that a reader has to know.
    settings
        Resolved arguments.
    counts
        How many pairs, groups, domains and judges.
    """

    frame: pl.DataFrame
    reference: str | None
    best: str | None
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    counts: Mapping[str, int]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], **rest: Any) -> JudgeQuality:
        """Return it from rows that may lack columns.

        Parameters
        ----------
        rows
            The rows of the table.
        **rest
            The other fields.
        """
        columns = {name: [row.get(name) for row in rows] for name in FRAME}
        return cls(frame=pl.DataFrame(columns, schema=FRAME), **rest)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The judges, in the order of the table."""
        return tuple(self.frame["mechanism"].unique(maintain_order=True))

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains in which any judge judged."""
        found = self.frame["domain"].unique(maintain_order=True).to_list()
        return tuple(d for d in found if d not in (ALL, MEAN))

    @property
    def level(self) -> float:
        """Level of the intervals; tests are at 1 - level."""
        return float(self.settings["level"])

    def row(self, mechanism: str, domain: str = ALL) -> dict[str, Any]:
        """Return one row of the table.

        Parameters
        ----------
        mechanism
            Name of a judge.
        domain
            A domain, "(all pairs)" or "(mean of domains)".

        Raises
        ------
        UnknownNameError
            If there is no such judge, or it did not judge in this domain.
        """
        if mechanism not in self.mechanisms:
            raise UnknownNameError("judge", mechanism, self.mechanisms)
        found = self.frame.filter(mechanism=mechanism, domain=domain)
        if not found.height:
            here = self.frame.filter(mechanism=mechanism)["domain"].to_list()
            raise UnknownNameError("domain", domain, here)
        return found.row(0, named=True)

    def ranked(self) -> tuple[str, ...]:
        """Return the judges, the most accurate first; without a reference in their own order."""
        pooled = self.frame.filter(domain=ALL)
        accuracy = dict(zip(pooled["mechanism"], pooled["accuracy"], strict=True))
        return tuple(
            sorted(self.mechanisms, key=lambda m: -(accuracy[m] if accuracy[m] is not None else -1))
        )

    def __str__(self) -> str:
        from palate.validate.judge_quality_text import sentences

        return "\n".join(sentences(self))

    def __repr__(self) -> str:
        against = f" against {self.reference!r}" if self.reference is not None else ""
        return f"JudgeQuality({len(self.mechanisms)} judges{against})"

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the table for a spreadsheet.

        A name that a spreadsheet would take for a formula gets an apostrophe before it.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        write_csv(path, self.frame)

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything as one JSON file, from which `load` gives the same again.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        content = {
            "reference": self.reference,
            "best": self.best,
            "settings": dict(self.settings),
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "frame": self.frame.to_dict(as_series=False),
        }
        write_document(path, SCHEMA, content)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> JudgeQuality:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileFormatError
            If it cannot be read, or is no quality of judges.
        """
        document = read_document(path, SCHEMA, what="the quality of judges")
        with as_written(path, "JudgeQuality.save"):
            return cls(
                frame=pl.DataFrame(document["frame"], schema=FRAME),
                reference=document["reference"],
                best=document["best"],
                notes=tuple(document["notes"]),
                settings=document["settings"],
                counts=document["counts"],
            )
