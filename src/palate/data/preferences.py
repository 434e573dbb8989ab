"""`Preferences`: pairs of responses and what each mechanism said about them.

Shapes and conventions, stated once. `n_pairs` rows in one order shared by three frames:

- `pairs`: `id, domain, prompt, response_a, response_b`, all text and never null;
- `verdicts`: one Float64 column per mechanism, +1 = a preferred, -1 = b preferred, 0 = tie (or
  inconsistent over the two orders), null = not judged; a soft preference p for a is 2p - 1;
- `metadata`: free columns (null = absent). Columns named in `json_metadata` hold JSON text of
  nested or mixed values; all others are plain strings, numbers or booleans.

Prompts and responses that came as chat messages are rendered to text in `pairs`; the messages
themselves stay in the JSON metadata columns `prompt_messages`, `response_a_messages` and
`response_b_messages`, so that a writer that can hold them gives them back unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.errors import DataError, InputError, UnknownNameError, shorten

PAIR_COLUMNS = ("id", "domain", "prompt", "response_a", "response_b")
SWAPPED = {"response_a": "response_b", "response_b": "response_a"}
ALWAYS_SIDED = frozenset({"model_a", "model_b", "response_a_messages", "response_b_messages"})
"""Metadata columns that belong to one response even where the other has none."""


@dataclass(frozen=True, eq=False)
class Preferences:
    """Pairs of responses with the verdicts of any number of mechanisms in any number of domains.

    Parameters
    ----------
    pairs
        Frame with the text columns `id, domain, prompt, response_a, response_b`, ids unique.
    verdicts
        Frame with one column per mechanism, values in [-1, 1] or null, as many rows as `pairs`.
    metadata
        Frame of free columns with as many rows as `pairs`, or None for none.
    json_metadata
        Names of the metadata columns that hold JSON text.
    provenance
        Where the data came from: format, file, hash, seed of the side shuffle and the like.

    Raises
    ------
    InputError
        If a column is missing or of the wrong type, an id repeats, a verdict is outside [-1, 1],
        or the frames differ in height. The message names row and column.
    """

    pairs: pl.DataFrame
    verdicts: pl.DataFrame
    metadata: pl.DataFrame = field(default_factory=pl.DataFrame)
    json_metadata: frozenset[str] = frozenset()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [c for c in PAIR_COLUMNS if c not in self.pairs.columns]
        if missing:
            raise InputError(
                f"Preferences: column {missing[0]!r} is missing; "
                f"expected {', '.join(PAIR_COLUMNS)}."
            )
        pairs = self.pairs.select(pl.col(PAIR_COLUMNS).cast(pl.String))
        for column in PAIR_COLUMNS:
            null = pairs[column].is_null().arg_max() if pairs[column].null_count() else None
            if null is not None:
                raise InputError(
                    f"Preferences, row {null + 1}, column {column!r}: found null; expected text."
                )
        if pairs["id"].n_unique() != pairs.height:
            where = int(pairs["id"].is_first_distinct().not_().arg_max() or 0)
            raise InputError(
                f"Preferences, row {where + 1}, column 'id': found {shorten(pairs['id'][where])} "
                "a second time; expected unique ids."
            )
        verdicts = self.verdicts.select(pl.all().cast(pl.Float64).fill_nan(None))
        if verdicts.width and verdicts.height != pairs.height:
            raise InputError(
                f"Preferences: {verdicts.height} rows of verdicts for {pairs.height} pairs."
            )
        for name in verdicts.columns:
            outside = (verdicts[name].abs() > 1).fill_null(False)
            if outside.any():
                where = int(outside.arg_max() or 0)
                raise InputError(
                    f"Preferences, row {where + 1}, mechanism {name!r}: found "
                    f"{verdicts[name][where]}; expected a verdict in [-1, 1]."
                )
        metadata = self.metadata
        if metadata.width and metadata.height != pairs.height:
            raise InputError(
                f"Preferences: {metadata.height} rows of metadata for {pairs.height} pairs."
            )
        object.__setattr__(self, "pairs", pairs)
        object.__setattr__(self, "verdicts", verdicts)

    # -- what is in it --------------------------------------------------------------------------

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return self.pairs.height

    def __len__(self) -> int:
        return self.pairs.height

    @property
    def ids(self) -> list[str]:
        """Ids of the pairs, in row order."""
        return self.pairs["id"].to_list()

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Names of the mechanisms, in column order."""
        return tuple(self.verdicts.columns)

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in order of first appearance."""
        return tuple(self.pairs["domain"].unique(maintain_order=True))

    def verdict(self, mechanism: str) -> npt.NDArray[np.float64]:
        """Return the verdicts of one mechanism, shape (n_pairs,), NaN where it did not judge.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        """
        if mechanism not in self.verdicts.columns:
            raise UnknownNameError("mechanism", mechanism, self.mechanisms)
        return self.verdicts[mechanism].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()

    def row(self, pair_id: str) -> int:
        """Return the row of the pair with this id.

        Raises
        ------
        UnknownNameError
            If there is no such pair.
        """
        if not self._row_of:
            self._row_of.update({name: i for i, name in enumerate(self.ids)})
        if pair_id not in self._row_of:
            raise UnknownNameError("pair", pair_id, self.ids)
        return self._row_of[pair_id]

    @property
    def _row_of(self) -> dict[str, int]:
        cache: dict[str, int] = self.__dict__.setdefault("_row_cache", {})
        return cache

    def __repr__(self) -> str:
        judged = ", ".join(f"{m} {self.verdicts[m].count()}" for m in self.mechanisms[:4]) + (
            f", and {len(self.mechanisms) - 4} more" if len(self.mechanisms) > 4 else ""
        )
        return (
            f"Preferences({self.n_pairs} pairs, {len(self.domains)} domains, "
            f"{len(self.mechanisms)} mechanisms: {judged or 'none'})"
        )

    # -- derived --------------------------------------------------------------------------------

    def swap(self) -> Preferences:
        """Return the same preferences with the two responses of every pair exchanged.

        Verdicts change sign, and metadata columns that belong to a side change their names: those
        whose names end in `_a` or `:a` where the same name exists for b, the model names and the
        message lists; verdicts by order of presentation turn with their pairs.
        """
        from palate.data.orders import ORDERS, turned_orders

        meta = self.metadata
        renames = {
            name: other
            for name in meta.columns
            if (other := other_side(name)) is not None
            and (other in meta.columns or name in ALWAYS_SIDED)
        }
        if ORDERS in self.json_metadata and ORDERS in meta.columns:
            turned = [turned_orders(text) for text in meta[ORDERS].to_list()]
            meta = meta.with_columns(pl.Series(ORDERS, turned, dtype=pl.String))
        json_columns = frozenset(renames.get(c, c) for c in self.json_metadata)
        return replace(
            self,
            pairs=self.pairs.rename(SWAPPED).select(PAIR_COLUMNS),
            verdicts=self.verdicts.select(-pl.all()),
            metadata=meta.rename(renames, strict=False) if meta.width else meta,
            json_metadata=json_columns,
        )

    def select(self, rows: npt.NDArray[Any] | Sequence[int] | Sequence[bool]) -> Preferences:
        """Return the pairs at these row numbers, or where this mask is true, in row order given."""
        index = np.asarray(rows)
        if index.dtype == bool:
            if index.shape != (self.n_pairs,):
                raise InputError(f"select: a mask of {index.shape} for {self.n_pairs} pairs.")
            index = np.flatnonzero(index)
        index = index.astype(np.int64)
        return replace(
            self,
            pairs=self.pairs[index],
            verdicts=self.verdicts[index] if self.verdicts.width else self.verdicts,
            metadata=self.metadata[index] if self.metadata.width else self.metadata,
        )

    def with_domains(self, column: str) -> Preferences:
        """Return the same pairs with the values of a metadata column as their domains.

        Missing values become the domain "(none)"; the former domain is kept in the metadata
        column `domain` if it told anything apart.

        Raises
        ------
        UnknownNameError
            If there is no such metadata column.
        """
        if column == "domain":
            return self
        if column not in self.metadata.columns:
            raise UnknownNameError("domain column", column, ["domain", *self.metadata.columns])
        values = self.metadata[column].cast(pl.String).fill_null("(none)").alias("domain")
        metadata = self.metadata.drop(column)
        if len(self.domains) > 1 and "domain" not in metadata.columns:
            metadata = metadata.with_columns(self.pairs["domain"])
        return replace(
            self,
            pairs=self.pairs.with_columns(values),
            metadata=metadata,
            json_metadata=self.json_metadata - {column},
        )

    def with_mechanisms(self, mechanisms: Sequence[str]) -> Preferences:
        """Return the same pairs with the verdicts of these mechanisms only, in this order."""
        for name in mechanisms:
            if name not in self.verdicts.columns:
                raise UnknownNameError("mechanism", name, self.mechanisms)
        return replace(self, verdicts=self.verdicts.select(mechanisms))

    # -- rows -----------------------------------------------------------------------------------

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, Any]], *, provenance: Mapping[str, Any] | None = None
    ) -> Preferences:
        """Build from canonical rows `{id, domain, prompt, response_a, response_b, labels, meta}`.

        Parameters
        ----------
        rows
            Canonical rows; `labels` maps a mechanism to a verdict in [-1, 1], and a mechanism
            that is absent or None did not judge; `meta` maps any key to any JSON value.
        provenance
            Where the rows came from.

        Raises
        ------
        InputError
            As the constructor does.
        DataError
            If there are no rows.
        """
        rows = list(rows)
        if not rows:
            raise DataError("There are no pairs: expected at least one row.")
        n = len(rows)
        pairs = pl.DataFrame(
            {c: [row.get(c) for row in rows] for c in PAIR_COLUMNS},
            schema=dict.fromkeys(PAIR_COLUMNS, pl.String),
        )
        labels: dict[str, list[float | None]] = {}
        meta: dict[str, list[Any]] = {}
        for i, row in enumerate(rows):
            for name, value in (row.get("labels") or {}).items():
                if value is not None:
                    if name not in labels:
                        labels[name] = [None] * n
                    labels[name][i] = float(value)
            for name, value in (row.get("meta") or {}).items():
                if value is not None:
                    if name not in meta:
                        meta[name] = [None] * n
                    meta[name][i] = value
        metadata, json_metadata = metadata_frame(meta)
        return cls(
            pairs=pairs,
            verdicts=pl.DataFrame(labels, schema=dict.fromkeys(labels, pl.Float64)),
            metadata=metadata,
            json_metadata=json_metadata,
            provenance=dict(provenance or {}),
        )

    def to_rows(self) -> Iterable[dict[str, Any]]:
        """Yield the canonical rows, `labels` and `meta` without what is missing."""
        verdicts = self.verdicts.to_dict(as_series=False)
        metadata = self.metadata.to_dict(as_series=False)
        for i, row in enumerate(self.pairs.iter_rows(named=True)):
            row["labels"] = {m: v[i] for m, v in verdicts.items() if v[i] is not None}
            row["meta"] = {
                k: json.loads(v[i]) if k in self.json_metadata else v[i]
                for k, v in metadata.items()
                if v[i] is not None
            }
            yield row

    # -- files ----------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | PathLike[str], *, format: str | None = None) -> Preferences:
        """Read a file in any known format; see `palate.read` for all options."""
        from palate.data.formats import read

        return read(path, format=format)

    def save(self, path: str | PathLike[str], *, format: str | None = None) -> None:
        """Write a file; the format follows the name (.jsonl, .parquet, .csv) or `format`."""
        from palate.data.formats import write

        write(self, path, format=format)


def other_side(name: str) -> str | None:
    """Return the name that a metadata column of one response has for the other, if it is one.

    `model_a` -> `model_b`, `score:honesty:b` -> `score:honesty:a`, `response_a_messages` ->
    `response_b_messages`, `language` -> None.

    Parameters
    ----------
    name
        Name of a metadata column.
    """
    turn = {"a": "b", "b": "a"}
    if len(name) > 2 and name[-2] in "_:" and name[-1] in turn:
        return name[:-1] + turn[name[-1]]
    if name in ("response_a_messages", "response_b_messages"):
        return f"response_{turn[name[9]]}_messages"
    return None


def metadata_frame(columns: Mapping[str, list[Any]]) -> tuple[pl.DataFrame, frozenset[str]]:
    """Turn columns of JSON values (None = absent) into a frame and the names kept as JSON text.

    A column whose present values are all text, all booleans, all integers or all floats stays
    plain; anything nested or mixed is stored as JSON text and named in the second result. So are
    orders of judges that a format without objects made texts of.
    """
    from palate.data.orders import ORDERS, read_orders

    series: list[pl.Series] = []
    nested: set[str] = set()
    for name, values in columns.items():
        if name == ORDERS:
            values = read_orders(values)
        kinds = {type(v) for v in values if v is not None}
        kind = kinds.pop() if len(kinds) == 1 else None
        plain = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64}
        too_big = kind is int and any(v is not None and abs(v) >= 2**63 for v in values)
        if kind in plain and not too_big:
            series.append(pl.Series(name, values, dtype=plain[kind]))
        else:
            nested.add(name)
            texts = [
                None if v is None else json.dumps(v, ensure_ascii=False, sort_keys=True)
                for v in values
            ]
            series.append(pl.Series(name, texts, dtype=pl.String))
    return pl.DataFrame(series), frozenset(nested)
