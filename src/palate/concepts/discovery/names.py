"""Names that a model gives: on one line, without marks around them, of one idea."""

from __future__ import annotations

import re

from palate.llm.prompt import one_line

LONGEST_NAME, MOST_WORDS = 60, 6
LONGEST_TEXT = 400
NOTHING = frozenset({"", "none", "n/a", "na", "null", "other", "unknown", "any", "*"})
_JOINED = re.compile(r"[/&+,;|]| (?:and|or|und|et|y|vs\.?|versus) ", re.IGNORECASE)


def plain(name: str) -> str:
    """Return a name on one line, without numbering, quotation marks and the like around it.

    Parameters
    ----------
    name
        As the model gave it.
    """
    line = re.sub(r"^\s*(?:\d+[.)]|[-*•])\s+", "", one_line(name))
    return line.strip(" \t\"'`*_.:;,“”‘’«»()[]{}<>")


def topic_name(name: str) -> str | None:
    """Return the name of a subdomain or task, None if it names nothing.

    Parameters
    ----------
    name
        As the model gave it.
    """
    line = plain(name)
    return None if line.casefold() in NOTHING or len(line) > LONGEST_NAME else line


def concept_name(name: str) -> str | None:
    """Return the name of a concept, None if it is none: empty, a sentence, or two ideas joined.

    Parameters
    ----------
    name
        As the model gave it.
    """
    line = plain(name)
    if line.casefold() in NOTHING or len(line) > LONGEST_NAME or len(line.split()) > MOST_WORDS:
        return None
    if _JOINED.search(line) or not any(c.isalpha() for c in line):
        return None
    return line[:1].upper() + line[1:]


def text_of(description: str) -> str:
    """Return a description on one line, at most 400 characters long.

    Parameters
    ----------
    description
        As the model gave it.
    """
    line = one_line(description)
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1].rstrip() + "…"
