"""`Comparison`: two mechanisms on the same pairs, as data.

What the tables hold, stated once. Effects are log-odds per step of a concept, as in an
`Explanation`; `difference` is the effect in A minus the effect in B, estimated from the pairs that
both decided (`palate.inference.differences`), and lifts are 100 tanh(effect / 2), in per cent.
`scope` is "everywhere" (the shared effects) or a domain (the effects there). Agreement is counted
over the pairs that both judged, ties included; intervals are over groups of pairs that share a
prompt or the responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import polars as pl

from palate.data.documents import as_written, read_document, write_csv, write_document

SCHEMA = "palate.comparison/1"
EVERYWHERE, ALL = "everywhere", "(all pairs)"
_TEXT, _NUMBER, _WHOLE = pl.String, pl.Float64, pl.Int64
_EFFECTS = ("a", "a_low", "a_high", "b", "b_low", "b_high", "difference", "low", "high", "p_value")
DIFFERENCES: dict[str, Any] = {
    **dict.fromkeys(("concept", "family", "scope"), _TEXT),
    **dict.fromkeys(_EFFECTS, _NUMBER),
    "verdict": _TEXT,
    **dict.fromkeys(("lift_a", "lift_b", "lift", "lift_low", "lift_high"), _NUMBER),
    "unit": _TEXT,
    "step": _NUMBER,
}
AGREEMENT: dict[str, Any] = {
    "domain": _TEXT,
    **dict.fromkeys(("judged", "decided", "ties_a", "ties_b"), _WHOLE),
    **{
        f"{name}{end}": _NUMBER
        for name in ("agreement", "same_side", "kappa", "ac1")
        for end in ("", "_low", "_high")
    },
}
DISAGREEMENTS: dict[str, Any] = {
    "concept": _TEXT,
    "n_pairs": _WHOLE,
    **dict.fromkeys(("with_a", "effect", "low", "high", "p_value"), _NUMBER),
    "verdict": _TEXT,
}
REASON = pl.Struct({"concept": pl.String, "value": pl.Float64, "contribution": pl.Float64})
PAIRS: dict[str, Any] = {
    **dict.fromkeys(("id", "domain"), _TEXT),
    **dict.fromkeys(
        ("verdict_a", "verdict_b", "probability_a", "probability_b", "explained"), _NUMBER
    ),
    "reasons_a": pl.List(REASON),
    "reasons_b": pl.List(REASON),
}
TABLES = {
    "differences": DIFFERENCES,
    "agreement": AGREEMENT,
    "disagreements": DISAGREEMENTS,
    "pairs": PAIRS,
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `palate.compare` found about two mechanisms, A and B.

    Parameters
    ----------
    a
        Name of mechanism A.
    b
        Name of mechanism B.
    differences
        One row per concept and scope: effects of A and of B on the pairs that both decided, their
        difference with interval, p-value and verdict (a word of `Verdict`), and lifts.
    agreement
        One row per domain and one for all pairs: `agreement` (same verdict, ties included),
        `same_side` (where both took one), Cohen's `kappa` and Gwet's `ac1`, with intervals.
    disagreements
        One row per concept: on how many disagreements it differs, the share of them in which A
        takes the response with more of it, and its effect on which side A takes.
    pairs
        One row per disagreement, best explained first: both verdicts, fitted probabilities of
        response a, `explained` (by how many log-odds A's fit leans more to A's side than B's), and
        the reasons of each mechanism for its side.
    domains
        The domains in which both decided pairs.
    counts
        How many pairs, shared pairs, decided pairs, disagreements, prompts, concepts.
    notes
        Plain sentences that a reader must know.
    settings
        Resolved arguments and what was estimated on the way.
    """

    a: str
    b: str
    differences: pl.DataFrame
    agreement: pl.DataFrame
    disagreements: pl.DataFrame
    pairs: pl.DataFrame
    domains: tuple[str, ...]
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def supported(self) -> pl.DataFrame:
        """Return the differences that stand for themselves, the largest first.

        Those everywhere; and those in a domain that are supported there only or differ there. A
        domain in which the difference is the one that holds everywhere has no row of its own.
        """
        from palate.inference.discoveries import Verdict

        own = ~pl.col("verdict").is_in([Verdict.NOT.value, Verdict.EVERYWHERE.value])
        shared = (pl.col("scope") == EVERYWHERE) & (pl.col("verdict") != Verdict.NOT.value)
        found = self.differences.filter(own | shared)
        return found.sort(pl.col("difference").abs(), descending=True, maintain_order=True)

    def agreement_in(self, domain: str = ALL) -> dict[str, Any] | None:
        """Return the row of the agreement table of a domain, None if there is none.

        Parameters
        ----------
        domain
            A domain, or "(all pairs)".
        """
        found = self.agreement.filter(domain=domain)
        return found.row(0, named=True) if found.height else None

    def to_frame(self) -> pl.DataFrame:
        """Return the differences."""
        return self.differences

    def __str__(self) -> str:
        from palate.explanations.comparison_text import sentences

        return "\n".join(sentences(self))

    def __repr__(self) -> str:
        n = self.supported().height
        return (
            f"Comparison({self.a!r}, {self.b!r}, {self.counts['decided']} pairs, "
            f"{n} supported difference{'s' * (n != 1)})"
        )

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the differences as a table.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        write_csv(path, self.differences)

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
            "a": self.a,
            "b": self.b,
            "domains": list(self.domains),
            "counts": dict(self.counts),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            **{name: getattr(self, name).to_dict(as_series=False) for name in TABLES},
        }
        write_document(path, SCHEMA, content)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Comparison:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileFormatError
            If it cannot be read, or is no comparison.
        """
        document = read_document(path, SCHEMA, what="a comparison")
        with as_written(path, "Comparison.save"):
            tables = {
                name: pl.DataFrame(document[name], schema=schema) for name, schema in TABLES.items()
            }
            return cls(
                a=document["a"],
                b=document["b"],
                domains=tuple(document["domains"]),
                counts=document["counts"],
                notes=tuple(document["notes"]),
                settings=document["settings"],
                **tables,
            )
