"""`Hack`: what came of putting a judge's explanation to work, as data.

    hack.json        everything but the texts
    responses.jsonl  one row per response: prompt, what it was asked to do well by, text
    matches.jsonl    one row per comparison: what the judge said in each order
    rates.csv        the win rates as a table

Tables are frames with the columns of `palate.actions.hack_rates` and `palate.actions.exploitable`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from palate.actions.exploitable import EXPLOITABLE
from palate.actions.hack_rates import ALL, LENGTHS, RATES
from palate.data.atomic import write_text
from palate.data.documents import as_written, made_folder, read_document, write_csv, write_lines
from palate.errors import FileFormatError

SCHEMA = "palate.hack/1"
_CRITERIA = pl.List(pl.Struct({"name": pl.String, "text": pl.String, "aim": pl.String}))
CHOSEN: dict[str, Any] = {
    **dict.fromkeys(("domain", "concept", "aim", "text"), pl.String),
    **dict.fromkeys(("estimate", "low", "high", "lift"), pl.Float64),
    "verdict": pl.String,
}
RESPONSES: dict[str, Any] = {
    **dict.fromkeys(("prompt_id", "domain", "arm", "prompt"), pl.String),
    "criteria": _CRITERIA,
    **dict.fromkeys(("words_wanted", "words"), pl.Int64),
    **dict.fromkeys(("response", "failure"), pl.String),
}
MATCHES: dict[str, Any] = {
    **dict.fromkeys(("prompt_id", "domain", "arm", "against"), pl.String),
    **dict.fromkeys(("verdict", "ab", "ba"), pl.Float64),
    "flips": pl.Boolean,
    **dict.fromkeys(("reasons_ab", "reasons_ba"), pl.List(pl.String)),
    "failure": pl.String,
}
TABLES = {
    "chosen": CHOSEN,
    "rates": RATES,
    "alone": RATES,
    "lengths": LENGTHS,
    "exploitable": EXPLOITABLE,
}
LINES = {"responses": RESPONSES, "matches": MATCHES}
FILES = ("hack.json", "responses.jsonl", "matches.jsonl", "rates.csv")


@dataclass(frozen=True, eq=False)
class Hack:
    """Responses written by a judge's own concepts, and what the judge says of them.

    Parameters
    ----------
    mechanism
        The judge, as its explanation names it.
    reference
        The mechanism that the judge was compared with; None without one.
    domains
        The domains in which responses were written.
    chosen
        The concepts that guided the explained responses: one row per domain and concept, the
        strongest first.
    rates
        Win rates of each arm, over all prompts and per domain, with intervals, p-values and what
        they show after correction.
    alone
        Win rates of single exploitable concepts as the only guidance; empty unless asked for.
    lengths
        Words of the responses of each arm.
    exploitable
        Every concept that the judge rewards beside what the reference makes of it, what can be
        exploited first; empty without a reference.
    responses
        Every response.
    matches
        Every comparison.
    counts
        How many prompts, responses, comparisons and failures.
    notes
        Plain sentences that a reader must know.
    settings
        Resolved arguments, and the models that were asked.
    """

    mechanism: str
    reference: str | None
    domains: tuple[str, ...]
    chosen: pl.DataFrame
    rates: pl.DataFrame
    alone: pl.DataFrame
    lengths: pl.DataFrame
    exploitable: pl.DataFrame
    responses: pl.DataFrame
    matches: pl.DataFrame
    counts: Mapping[str, Any]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def rate(self, arm: str, against: str = "vanilla", domain: str = ALL) -> dict[str, Any] | None:
        """Return the row of a win rate, None if there is none.

        Parameters
        ----------
        arm
            "explained", "random", "anti" or "another vanilla".
        against
            What it is compared with: "vanilla", "vanilla as long" or "random".
        domain
            A domain, or "(all prompts)".
        """
        found = self.rates.filter(arm=arm, against=against, domain=domain)
        return found.row(0, named=True) if found.height else None

    def __str__(self) -> str:
        from palate.actions.hack_text import sentences

        return "\n".join(sentences(self))

    def __repr__(self) -> str:
        row = self.rate("explained")
        rate = "" if row is None or row["rate"] is None else f", win rate {row['rate']:.2f}"
        return f"Hack({self.mechanism!r}, {self.counts['prompts']} prompts{rate})"

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the win rates as a table for a spreadsheet.

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
        write_csv(path, pl.concat([self.rates, self.alone]))

    def save(self, directory: str | PathLike[str]) -> None:
        """Write the files of this module into a directory, which is made if absent.

        Parameters
        ----------
        directory
            Where to write; files of these names in it are replaced.

        Raises
        ------
        OutputError
            If the directory cannot be written.
        """
        target = made_folder(directory)
        document = {
            "schema": SCHEMA,
            "mechanism": self.mechanism,
            "reference": self.reference,
            "domains": list(self.domains),
            "counts": dict(self.counts),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            **{name: getattr(self, name).to_dicts() for name in TABLES},
        }
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        write_text(target / "hack.json", text + "\n")
        for name in LINES:
            write_lines(target / f"{name}.jsonl", getattr(self, name).iter_rows(named=True))
        self.write_csv(target / "rates.csv")

    @classmethod
    def load(cls, directory: str | PathLike[str]) -> Hack:
        """Read what `save` or `palate hack` wrote.

        Parameters
        ----------
        directory
            The directory.

        Raises
        ------
        FileFormatError
            If a file is absent, damaged or of another schema.
        """
        place = Path(directory)
        file = place / "hack.json"
        document = read_document(file, SCHEMA, what="a judge hack")
        tables = {}
        for name, schema in LINES.items():
            lines = place / f"{name}.jsonl"
            with as_written(lines, "Hack.save"):
                rows = [json.loads(line) for line in _text(lines).split("\n") if line]
                tables[name] = pl.DataFrame(rows, schema=schema)
        with as_written(file, "Hack.save"):
            tables |= {
                name: pl.DataFrame(document[name], schema=schema) for name, schema in TABLES.items()
            }
            return cls(
                mechanism=document["mechanism"],
                reference=document["reference"],
                domains=tuple(document["domains"]),
                counts=document["counts"],
                notes=tuple(document["notes"]),
                settings=document["settings"],
                **tables,
            )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileFormatError(f"{file}: cannot be read ({reason}).") from error
