"""`TieBreaks`: what became of a judge's ties, as data.

What the tables hold, stated once. A tied pair is *scored* where the reference took a side on it; it
scores 1, 0, or 1/2 where it stays a tie. `accuracy` is the mean score, so leaving all ties is 1/2.
Columns that end in `low` and `high` are intervals clustered by prompt; everything that needs a
reference is null without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import polars as pl

from palate.data.documents import as_written, read_document, write_document
from palate.data.preferences import Preferences
from palate.errors import InputError

SCHEMA = "palate.tie_breaks/1"
_TEXT, _NUMBER, _WHOLE = pl.String, pl.Float64, pl.Int64


def _with_ends(*names: str) -> dict[str, Any]:
    return {f"{n}{end}": _NUMBER for n in names for end in ("", "_low", "_high")}


STRATEGIES: dict[str, Any] = {
    "strategy": _TEXT,
    **dict.fromkeys(("n_tied", "n_guided", "n_broken", "n_failed", "n_scored"), _WHOLE),
    **_with_ends("accuracy", "accuracy_broken", "gain"),
    **dict.fromkeys(("p_value", "p_adjusted"), _NUMBER),
    **dict.fromkeys(("all_before", "all_after"), _NUMBER),
    **_with_ends("all_gain", "over_random"),
    "over_random_p": _NUMBER,
}
DOMAINS: dict[str, Any] = {
    **dict.fromkeys(("strategy", "domain"), _TEXT),
    **dict.fromkeys(("n_tied", "n_broken", "n_scored"), _WHOLE),
    **_with_ends("accuracy"),
}
CURVE: dict[str, Any] = {
    "strategy": _TEXT,
    **dict.fromkeys(("allowed", "threshold"), _NUMBER),
    "n_broken": _WHOLE,
    **dict.fromkeys(
        ("coverage", "accuracy", "low", "high", "accuracy_broken", "broken_low", "broken_high"),
        _NUMBER,
    ),
}
CONCEPTS: dict[str, Any] = {
    "strategy": _TEXT,
    "part": _WHOLE,
    **dict.fromkeys(("domain", "concept", "aim"), _TEXT),
    "weight": _NUMBER,
}
PAIRS: dict[str, Any] = {
    **dict.fromkeys(("id", "domain"), _TEXT),
    "part": _WHOLE,
    "strategy": _TEXT,
    **dict.fromkeys(("broken", "score", "sureness", "ab", "ba"), _NUMBER),
    "failure": _TEXT,
}
TABLES = {
    "strategies": STRATEGIES,
    "domains": DOMAINS,
    "curve": CURVE,
    "concepts": CONCEPTS,
    "pairs": PAIRS,
}


def broken_name(judge: str, strategy: str) -> str:
    """Return the name of a judge's verdicts with ties broken.

    Parameters
    ----------
    judge
        The judge.
    strategy
        The strategy.
    """
    return f"{judge}+{strategy}"


@dataclass(frozen=True, eq=False)
class TieBreaks:
    """What `break_ties` made of a judge's ties.

    Parameters
    ----------
    judge
        Whose ties they are.
    reference
        The mechanism that says what is right; None without one.
    strategies
        One row per strategy: `n_tied` pairs, `n_guided` of them with any concept to decide by,
        `n_broken`, `n_failed` without an answer, `n_scored`; `accuracy` on the scored ones,
        `accuracy_broken` on those broken, `gain` over leaving ties at one half with an exact
        `p_value` and `p_adjusted` (Holm over the strategies); the judge's accuracy on all pairs
        `all_before` and `all_after`, and its gain; `over_random`, paired.
    domains
        One row per strategy and domain.
    curve
        One row per strategy and share of the ties that may be broken, the surest first.
    concepts
        One row per strategy, part, domain and concept: what the pairs were decided by.
    pairs
        One row per tied pair and strategy: the side it got (`broken`), how far the concepts lean to
        response a (`score`), `sureness`, and what a model said in each order.
    notes
        Plain sentences that a reader must know.
    settings
        How it was computed.
    """

    judge: str
    reference: str | None
    strategies: pl.DataFrame
    domains: pl.DataFrame
    curve: pl.DataFrame
    concepts: pl.DataFrame
    pairs: pl.DataFrame
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def mechanism(self, strategy: str) -> str:
        """Return the name of the judge's verdicts with ties broken.

        Parameters
        ----------
        strategy
            The strategy.
        """
        return broken_name(self.judge, strategy)

    def add_to(self, preferences: Preferences) -> Preferences:
        """Return the preferences with one more column of verdicts per strategy.

        Parameters
        ----------
        preferences
            The pairs whose ties were broken.

        Raises
        ------
        InputError
            If a column of that name is there already.
        UnknownNameError
            If the judge or a tied pair is not in them.
        """
        verdicts = preferences.verdicts
        for strategy in self.strategies["strategy"].to_list():
            name = self.mechanism(strategy)
            if name in verdicts.columns:
                raise InputError(
                    f"Mechanism {name!r} is there already; expected pairs without it, or remove "
                    "the column."
                )
            column = preferences.verdict(self.judge)
            for row in self.pairs.filter(strategy=strategy).iter_rows(named=True):
                column[preferences.row(row["id"])] = row["broken"]
            verdicts = verdicts.with_columns(pl.Series(name, column).fill_nan(None))
        return replace(preferences, verdicts=verdicts)

    def __repr__(self) -> str:
        names = ", ".join(self.strategies["strategy"].to_list())
        n = self.strategies["n_tied"][0]
        return f"TieBreaks({self.judge!r}, reference {self.reference!r}, {n} ties: {names})"

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
            "judge": self.judge,
            "reference": self.reference,
            "settings": dict(self.settings),
            "notes": list(self.notes),
            **{name: getattr(self, name).to_dict(as_series=False) for name in TABLES},
        }
        write_document(path, SCHEMA, content)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> TieBreaks:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileFormatError
            If it cannot be read, or holds something else.
        """
        document = read_document(path, SCHEMA, what="broken ties")
        with as_written(path, "TieBreaks.save"):
            tables = {
                name: pl.DataFrame(document[name], schema=schema) for name, schema in TABLES.items()
            }
            return cls(
                judge=document["judge"],
                reference=document["reference"],
                notes=tuple(document["notes"]),
                settings=document["settings"],
                **tables,
            )
