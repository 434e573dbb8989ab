"""`Judgement`: what a judge said of pairs, and what a reader must know about it.

    judgement = palate.judge(preferences, client, JudgeStyle("cot"), name="judge/cot")
    preferences = judgement.add_to(preferences)     # the column, and the orders behind it
    judgement.save("judged")

Signs are those of `Preferences`: +1 says that a is better, whichever response was shown first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.data.injection import Flag
from palate.data.orders import ORDERS
from palate.data.preferences import Preferences
from palate.errors import InputError
from palate.mechanisms.matchup import Judged, Said

Array = npt.NDArray[np.float64]
NOT_SAID = "-"
_LETTER = {1.0: "a", -1.0: "b", 0.0: "t"}


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a judge said of pairs.

    Parameters
    ----------
    name
        Name of the column of verdicts.
    ids
        Ids of the pairs.
    domains
        Domain of each pair.
    judged
        What was said of each pair.
    style
        How it was asked: mode, persona, rubric, criteria.
    orders
        "both", "ab", "ba" or "random".
    samples
        How often each order was asked.
    soft_verdicts
        Whether the verdicts are those of the probabilities.
    seed
        Seed of everything random.
    max_chars
        Longest text that was shown whole.
    prompts
        Hashes of the prompt files by name.
    examples
        Ids of the demonstrations that each pair was shown after, by id of the pair.
    truncated
        Pairs that were too long, with which texts were shortened.
    flagged
        Pairs whose texts address the model that reads them, with what they try.
    cleaned
        Characters that cannot be sent and were replaced.
    used
        Tokens and cost of the answers, stored ones included.
    provenance
        What was recorded beside: the model, files.
    """

    name: str
    ids: tuple[str, ...]
    domains: tuple[str, ...]
    judged: tuple[Judged, ...]
    style: Mapping[str, Any] = field(default_factory=dict)
    orders: str = "both"
    samples: int = 1
    soft_verdicts: bool = False
    seed: int = 0
    max_chars: int = 0
    prompts: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    truncated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flagged: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)
    cleaned: int = 0
    used: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        known = int(np.isfinite(self.verdicts).sum())
        return (
            f"Judgement({self.name!r}: {known} of {len(self.ids)} pairs judged, "
            f"mode={self.style.get('mode', 'zero-shot')!r}, orders={self.orders!r}, "
            f"samples={self.samples})"
        )

    def __str__(self) -> str:
        return "\n".join(self.notes)

    @property
    def verdicts(self) -> Array:
        """The verdicts, shape (n_pairs,); NaN where an order that was asked has no answer."""
        return self.soft if self.soft_verdicts else self.hard

    @property
    def hard(self) -> Array:
        """+1, -1, and 0 for a tie or orders that disagree; NaN without an answer."""
        return np.array([pair.verdict for pair in self.judged], dtype=float)

    @property
    def soft(self) -> Array:
        """Mean of 2p - 1 over the orders, p the probability of a; NaN where it is not known."""
        return np.array(
            [math.nan if pair.soft is None else pair.soft for pair in self.judged], dtype=float
        )

    @property
    def failures(self) -> tuple[tuple[str, str, str], ...]:
        """Id, order ("ab" or "ba") and reason of everything that has no answer."""
        return tuple(
            (pair.id, order, said.failure)
            for pair in self.judged
            for order, said in (("ab", pair.ab), ("ba", pair.ba))
            if said is not None and said.failure
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in plain sentences, the most important first."""
        from palate.mechanisms.judgement_notes import notes_of

        return notes_of(self)

    def add_to(self, preferences: Preferences, *, replaced: bool = False) -> Preferences:
        """Return preferences with the column of verdicts and what was said in each order.

        Pairs that were not judged have neither. The orders stand in the metadata column `orders`,
        see `palate.data.orders`.

        Parameters
        ----------
        preferences
            The pairs, all that were judged among them.
        replaced
            Whether a column of this name may be there already; it is lost.

        Raises
        ------
        InputError
            As `check_room` does.
        UnknownNameError
            If a judged pair is not among them.
        """
        column: list[float | None] = [None] * preferences.n_pairs
        codes: list[str | None] = [None] * preferences.n_pairs
        for pair, verdict in zip(self.judged, self.verdicts.tolist(), strict=True):
            row = preferences.row(pair.id)
            column[row], codes[row] = verdict, orders_code(pair)
        return add_column(preferences, self.name, column, codes, replaced=replaced)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `judgements.jsonl` and `judging.json` into a folder, which is made if absent.

        Parameters
        ----------
        folder
            Where to write; files of these names in it are replaced.

        Raises
        ------
        OutputError
            If it cannot be written to.
        """
        from palate.mechanisms.judgement_files import save_judgements

        save_judgements([self], folder)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, name: str | None = None) -> Judgement:
        """Read a judgement that `save` or `palate judge` wrote.

        Parameters
        ----------
        folder
            The folder.
        name
            Which one, where there are several.

        Raises
        ------
        FileFormatError
            If the files are absent or damaged.
        InputError
            If there are several and none is named.
        UnknownNameError
            If there is none of that name.
        """
        from palate.mechanisms.judgement_files import load_judgements, one_of

        return one_of(load_judgements(folder), folder, name)


def check_room(preferences: Preferences, name: str, *, replaced: bool = False) -> None:
    """Refuse a column that would take the place of another one; asked before anything is paid.

    Parameters
    ----------
    preferences
        The pairs.
    name
        Name of the new column.
    replaced
        Whether a column of this name may be there already.

    Raises
    ------
    InputError
        If the column is there already, its name is empty, or the metadata column `orders` holds
        something else than orders.
    """
    if not name.strip():
        raise InputError("Judge: found an empty name for the column; expected a text.")
    if name in preferences.mechanisms and not replaced:
        raise InputError(
            f"Judge: found verdicts of {name!r} in the file already; expected another name "
            "(--name), or replacing them to be allowed (--overwrite-column)."
        )
    if ORDERS not in preferences.metadata.columns:
        return
    texts = preferences.metadata[ORDERS].drop_nulls().to_list()
    if ORDERS not in preferences.json_metadata or not all(x.startswith("{") for x in texts):
        raise InputError(
            f"Judge: found a metadata column {ORDERS!r} that holds something else than the orders "
            'of judges; expected {"judge": "ab"} in each row, or another name for the column.'
        )


def add_column(
    preferences: Preferences,
    name: str,
    verdicts: Sequence[float | None] | Array,
    orders: Sequence[str | None] | None = None,
    *,
    replaced: bool = False,
) -> Preferences:
    """Return preferences with one more column of verdicts.

    Parameters
    ----------
    preferences
        The pairs.
    name
        Name of the column.
    verdicts
        One per pair; None and NaN for missing ones.
    orders
        What was said in both orders, as `orders_code` writes it; None where nothing is known.
    replaced
        Whether a column of this name may be there already; it is lost, and its orders with it.

    Raises
    ------
    InputError
        As `check_room` does.
    """
    check_room(preferences, name, replaced=replaced)
    column = pl.Series(name, verdicts, dtype=pl.Float64).fill_nan(None)
    out = replace(preferences, verdicts=_with(preferences.verdicts, column))
    there = ORDERS in preferences.metadata.columns
    if orders is None and not there:
        return out
    known = preferences.metadata[ORDERS].to_list() if there else [None] * preferences.n_pairs
    said: list[dict[str, Any]] = [json.loads(text or "{}") for text in known]
    for row, code in zip(said, orders or [None] * len(said), strict=True):
        row.pop(name, None)
        if code is not None:
            row[name] = code
    texts = [json.dumps(x, ensure_ascii=False, sort_keys=True) if x else None for x in said]
    return replace(
        out,
        metadata=_with(preferences.metadata, pl.Series(ORDERS, texts, dtype=pl.String)),
        json_metadata=preferences.json_metadata | {ORDERS},
    )


def orders_code(pair: Judged) -> str:
    """Return what was said in both orders as two letters, see `palate.data.orders`.

    Parameters
    ----------
    pair
        What was said.
    """
    return "".join(_letter(said) for said in (pair.ab, pair.ba))


def _letter(said: Said | None) -> str:
    return NOT_SAID if said is None else _LETTER.get(said.verdict, NOT_SAID)


def _with(frame: pl.DataFrame, column: pl.Series) -> pl.DataFrame:
    return frame.with_columns(column) if frame.width else pl.DataFrame([column])
