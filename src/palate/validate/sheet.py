"""The sheet that people fill in, and the key that maps it back.

    people.csv        one row per pair: its neutral name, request, both responses, empty columns
    people.txt        what to do, and what each concept means
    people.key.json   which pair a row is, and which response stood first; not for people

The sheet holds no verdict, no name of a model, no id and no domain. It opens in a spreadsheet: with
a byte order mark, so that letters are read as UTF-8, and with an apostrophe before a cell that a
spreadsheet would compute (`=`, `+`, `-`, `@` and what it takes for one of them).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from palate.concepts.concept import Concept
from palate.data.atomic import write_text
from palate.data.preferences import Preferences
from palate.data.shown import show
from palate.errors import FileFormatError, InputError
from palate.validate.sample import SampledPair

SCHEMA = "palate.people_key/1"
ITEM, COMMENT, VERDICT = "item", "comment", "better"
TEXTS = ("request", "response_1", "response_2")
NOT_ASKED = "n/a"
_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class Key:
    """What is needed to read filled-in sheets.

    Parameters
    ----------
    pairs
        The pairs, in the order of the sheet.
    concepts
        Names of the concepts that are asked about; empty where the verdict is.
    seed
        The seed that they were drawn with.
    """

    pairs: tuple[SampledPair, ...]
    concepts: tuple[str, ...] = ()
    seed: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that people fill in."""
        return tuple(column_of(name) for name in self.concepts) or (VERDICT,)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the key as JSON.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        document = {
            "schema": SCHEMA,
            "seed": self.seed,
            "concepts": list(self.concepts),
            "pairs": [
                {"item": p.item, "id": p.id, "response_1": "a" if p.a_first else "b"}
                for p in self.pairs
            ],
        }
        write_text(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Key:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileFormatError
            If it is missing or no key.
        """
        try:
            raw: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise FileFormatError(f"{path}: there is no such file.") from error
        except (OSError, ValueError, RecursionError) as error:
            raise FileFormatError(f"{path}: found no JSON ({error}); expected a key.") from error
        try:
            if raw["schema"] != SCHEMA:
                raise ValueError(f"schema {raw['schema']!r}")
            pairs = tuple(
                SampledPair(str(p["item"]), str(p["id"]), {"a": True, "b": False}[p["response_1"]])
                for p in raw["pairs"]
            )
            if not pairs or len({p.item for p in pairs}) < len(pairs):
                raise ValueError("no pairs, or an item twice")
            return cls(pairs, tuple(str(c) for c in raw["concepts"]), int(raw["seed"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(
                f"{path}: found no key of a sample ({error}); expected the file that palate "
                "validate --sample wrote beside the sheet."
            ) from error


def column_of(concept: str) -> str:
    """Return the name of the column in which people label a concept.

    Parameters
    ----------
    concept
        Its name.
    """
    return "more: " + " ".join(concept.split())


def safe_cell(text: str) -> str:
    """Return a cell that a spreadsheet shows and does not compute.

    Parameters
    ----------
    text
        The text.
    """
    lead = text.lstrip(" \u00a0")
    return "'" + text if lead.startswith(_COMPUTED) else text


def sheet_text(preferences: Preferences, key: Key, concepts: Sequence[Concept] = ()) -> str:
    """Return the sheet as CSV, without its byte order mark.

    Parameters
    ----------
    preferences
        The pairs.
    key
        Which of them, and how they are shown.
    concepts
        The concepts of the key; a pair of a domain that a specific one does not belong to has
        "n/a" in its cell.

    Raises
    ------
    InputError
        If the concepts are not those of the key.
    """
    if tuple(c.name for c in concepts) != key.concepts:
        raise InputError("sheet_text: the concepts are not those of the key.")
    if len({column.lower() for column in key.columns}) < len(key.columns):
        raise InputError("sheet_text: two concepts have the same name but for case and spaces.")
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([ITEM, *TEXTS, *key.columns, COMMENT])
    for pair in key.pairs:
        domain = preferences.pairs["domain"][preferences.row(pair.id)]
        empty = [
            "" if c.domains is None or domain in c.domains else NOT_ASKED for c in concepts
        ] or [""]
        texts = map(safe_cell, texts_of(preferences, pair))
        writer.writerow([pair.item, *texts, *empty, ""])
    return out.getvalue()


def texts_of(preferences: Preferences, pair: SampledPair) -> tuple[str, str, str]:
    """Return request, response 1 and response 2 of a pair as people are shown them.

    Parameters
    ----------
    preferences
        The pairs.
    pair
        Which of them, and which response stands first.
    """
    row = preferences.pairs.row(preferences.row(pair.id), named=True)
    shown = show(pair.id, row["prompt"], row["response_a"], row["response_b"])
    both = (shown.a, shown.b) if pair.a_first else (shown.b, shown.a)
    request, first, second = (text.replace("\r\n", "\n") for text in (shown.prompt, *both))
    return request, first, second


def instructions(key: Key, concepts: Sequence[Concept] = ()) -> str:
    """Return what people are told, as plain text.

    Parameters
    ----------
    key
        What was drawn.
    concepts
        The concepts of the key.
    """
    what = (
        "Each further column names a quality. Write 1 if response 1 has more of it, 2 if response "
        "2 has more of it, equal if both have it alike or it does not matter for this request."
        if concepts
        else "In the column 'better', write 1 if response 1 is the better answer to the request, "
        "2 if response 2 is, equal if you really cannot say which."
    )
    lines = [
        "How to fill in the sheet",
        "",
        f"The sheet has {len(key.pairs)} rows. Each shows a request and two responses to it.",
        what,
        "Leave a cell empty if you cannot judge it, and cells that say n/a as they are.",
        "",
        "- Work alone, and do not ask a language model.",
        "- Judge every row by itself; which response stands first says nothing.",
        "- Do not change the column 'item' and the first row; the order of rows does not matter.",
        "- An apostrophe at the beginning of a text is not part of it.",
        "- Save your copy as CSV under your name, for instance anna.csv.",
    ]
    if concepts:
        lines += ["", "The qualities", ""]
        for concept in concepts:
            name, text = (" ".join(t.split()) for t in (concept.name, concept.definition))
            lines.append(f"- {name}: {text}" if text else f"- {name}")
    return "\n".join(lines) + "\n"
