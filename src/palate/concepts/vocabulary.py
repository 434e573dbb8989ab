"""Fixed lists of concepts: a rubric, a constitution, somebody's principles, or the built-in list.

    read_vocabulary("general")            # 32 general qualities, written for Palate
    read_vocabulary("rubric.md")          # bullets "- Name: definition"
    read_vocabulary("constitution.txt")   # one principle a line

A concept that has a definition keeps it as it is. One that has none has an empty definition, and
`palate discover --vocabulary FILE --llm MODEL` writes it.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from palate.concepts.concept import Concept
from palate.data.formats.annotated_pairs_document import (
    as_document,
    is_document,
    principle_name,
)
from palate.data.formats.source import Source
from palate.errors import FileFormatError, RowError

GENERAL = "general"
COMMONPLACE = (
    "Specificity",
    "Clarity",
    "Relevance",
    "Helpfulness",
    "Empathy",
    "Accuracy",
    "Informativeness",
    "Creativity",
    "Safety",
    "Engagement",
)
"""Qualities that a model names first, whatever it is shown; all are in the built-in list."""
LONGEST_NAME = 80
_BULLET = re.compile(r"^(?:[-*+•]|\d+[.)])\s+(.*)$")
_NAMED = re.compile(r"^[*_]{0,2}([^:*_]{1,80}?)[*_]{0,2}\s*(?::|[—–]| - )\s*[*_]{0,2}\s*(.+)$")
_PRINCIPLE = re.compile(
    r"^(?:please\s+)?(?:choose|select|prefer|pick)\s+the\s+(?:\w+\s+)?"
    r"(?:response|answer|output|completion)\s+(?:that|which)\s+",
    re.IGNORECASE,
)


def general_concepts() -> tuple[Concept, ...]:
    """Return the built-in list of general qualities, shared by all domains."""
    text = importlib.resources.files("palate.concepts").joinpath("general.json")
    return tuple(
        Concept.from_dict({**entry, "family": GENERAL})
        for entry in json.loads(text.read_text(encoding="utf-8"))
    )


def read_vocabulary(source: str | PathLike[str]) -> tuple[Concept, ...]:
    """Return the concepts of a fixed list.

    A file may be a JSON list of texts or of `{"name", "definition"?, "domains"?}`, an object
    `{"name": "definition"}`, an AnnotatedPairs file (its principles are taken), Markdown (its
    bullets are taken) or plain text (its lines). A text "Name: definition" gives both; any other
    text of up to 80 characters is a name, and a longer one, or one of the form "Choose the
    response that ...", is a principle, whose definition follows from it.

    Parameters
    ----------
    source
        "general" for the built-in list, or a file.

    Raises
    ------
    FileFormatError
        If the file is missing, or holds no concept.
    RowError
        If an entry has no name or repeats one.
    """
    if str(source) == GENERAL:
        return general_concepts()
    path = Path(source)
    reader = Source(path, what="a list of concepts")
    text = reader.text()
    if text.lstrip("\ufeff \t\r\n").startswith(("[", "{")):
        found = list(_json_entries(reader.document(), path))
    else:
        found = list(_text_entries(text))
    if not found:
        raise FileFormatError(f"{path}: found no concepts; expected at least one.")
    taken: dict[str, Concept] = {}
    for number, entry in found:
        concept = _concept(entry, path, number)
        folded = concept.name.casefold()
        if folded in taken:
            raise RowError(path, number, "name", concept.name, "unique names; this one is there")
        taken[folded] = concept
    return tuple(taken.values())


def from_text(text: str) -> dict[str, str]:
    """Return name and definition that one line of a list means.

    Parameters
    ----------
    text
        A line: "Name: definition", a name, or a principle.
    """
    line = " ".join(text.replace("`", "").split())
    bare = line.strip("*_ ")
    if _PRINCIPLE.match(bare):
        return _principle(_PRINCIPLE.sub("", bare).rstrip(". "))
    named = _NAMED.match(line)
    if named:
        return {"name": named[1].strip("*_ "), "definition": named[2].strip("*_ ")}
    if len(bare) <= LONGEST_NAME:
        return {"name": bare.rstrip("."), "definition": ""}
    return {
        "name": _short(bare),
        "definition": f"High: the response follows this principle: {bare.rstrip('.')}; "
        "low: the response goes against it.",
    }


def _principle(quality: str) -> dict[str, str]:
    """Name and definition of "Choose the response that QUALITY"."""
    return {
        "name": _short(quality),
        "definition": f"High: the response {quality}; low: the other response does.",
    }


def _short(text: str) -> str:
    """A text as a name: whole words, at most 80 characters."""
    if len(text) <= LONGEST_NAME:
        return text
    return text[: LONGEST_NAME - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"


def _json_entries(data: object, path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    if is_document(data):
        principles = [
            str(a.get("description") or a.get("name") or key)
            for key, a in as_document(data, path).annotators.items()
            if a.get("type") == "principle"
        ]
        for number, text in enumerate(principles, start=1):
            yield number, _principle(principle_name(text))
        return
    if isinstance(data, Mapping):
        data = [{"name": name, "definition": text} for name, text in data.items()]
    if not isinstance(data, list):
        raise FileFormatError(
            f"{path}: found a JSON {type(data).__name__}; expected a list of concepts."
        )
    for number, entry in enumerate(data, start=1):
        yield number, from_text(entry) if isinstance(entry, str) else entry


def _text_entries(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """The bullets of a text, or its lines if it has none, with their line numbers.

    A line that is indented below a bullet continues it; headings and rules are left out.
    """
    entries: list[tuple[int, bool, str]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        bullet = _BULLET.match(line)
        if not line or re.match(r"^(?:#{1,6}\s|[-*_=]{3,}$)", line):
            continue
        if not bullet and raw[:1].isspace() and entries and entries[-1][1]:
            start, is_bullet, so_far = entries[-1]
            entries[-1] = (start, is_bullet, f"{so_far} {line}")
        else:
            entries.append((number, bullet is not None, bullet[1] if bullet else line))
    bullets_only = any(is_bullet for _, is_bullet, _ in entries)
    for number, is_bullet, line in entries:
        if is_bullet or not bullets_only:
            yield number, from_text(line)


def _concept(entry: object, path: Path, number: int) -> Concept:
    if not isinstance(entry, Mapping):
        raise RowError(path, number, None, entry, 'a text, or an object with "name"')
    name, definition = entry.get("name"), entry.get("definition") or ""
    domains = entry.get("domains", "all")
    if not isinstance(name, str) or not name.strip():
        raise RowError(path, number, "name", name, "the name of a concept")
    if not isinstance(definition, str):
        raise RowError(path, number, "definition", definition, "text")
    if domains not in ("all", None) and not (
        isinstance(domains, list) and domains and all(isinstance(d, str) for d in domains)
    ):
        raise RowError(path, number, "domains", domains, '"all" or a list of domain names')
    return Concept(
        name=" ".join(name.split()),
        definition=" ".join(definition.split()),
        domains=None if domains in ("all", None) else tuple(domains),
    )
