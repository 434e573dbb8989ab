"""Where discovered concepts come from: on which pairs they were found, in which batches, and how.

Concepts that were read off some pairs describe these pairs better than others, so nothing may be
evaluated on them. `discovery_pairs` gives their ids; `palate annotate` leaves them out.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from palate.data.formats.source import Source
from palate.data.preferences import Preferences
from palate.errors import DataError, FileFormatError

CONCEPTS_FILE, PAIRS_FILE = "concepts.json", "discovery_pairs.json"
FOUND_IN = "found_in"
"""Key in the provenance of a concept that only discovery writes."""


def discovery_pairs(path: str | PathLike[str]) -> frozenset[str]:
    """Return the ids of the pairs on which concepts were discovered, none for other concepts.

    Parameters
    ----------
    path
        The folder that `palate discover` wrote, or a file of concepts; the ids stand in
        `discovery_pairs.json` in that folder or beside that file. `palate annotate` and
        `palate distil` hand the file on, so that what is made of the concepts knows it too.

    Raises
    ------
    FileFormatError
        If the file of ids is malformed, or is not there though the concepts were discovered: their
        pairs would be evaluated without anyone noticing.
    """
    given = Path(path)
    folder, concepts = (given, given / CONCEPTS_FILE) if given.is_dir() else (given.parent, given)
    pairs = folder / PAIRS_FILE
    discovered = _were_discovered(concepts)  # a file of concepts that is wrong is told first
    if not pairs.is_file():
        if not discovered:
            return frozenset()
        raise FileFormatError(
            f"{concepts}: found concepts that were discovered on some pairs, and no {PAIRS_FILE} "
            "beside them; expected that file of the discovery, which says which pairs must not be "
            "evaluated (or one that holds [] if all pairs here are others)."
        )
    ids = Source(pairs, what="ids of discovery pairs").document()
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise FileFormatError(f"{pairs}: found no list of ids; expected a JSON list of texts.")
    return frozenset(ids)


def without_discovery_pairs(
    preferences: Preferences, concepts: str | PathLike[str]
) -> tuple[Preferences, int]:
    """Return the pairs that may be evaluated with some concepts, and how many others there were.

    Parameters
    ----------
    preferences
        Pairs.
    concepts
        The folder that `palate discover` wrote, or a file of concepts.

    Raises
    ------
    FileFormatError
        As `discovery_pairs` does.
    DataError
        If no pair is left.
    """
    apart = discovery_pairs(concepts)
    kept = [row for row, name in enumerate(preferences.ids) if name not in apart]
    if not kept:
        raise DataError(
            f"{concepts}: found that all {preferences.n_pairs:,} pairs were set apart for "
            "discovery; expected others to evaluate on, or a smaller --share of palate discover."
        )
    left_out = preferences.n_pairs - len(kept)
    return (preferences.select(kept) if left_out else preferences), left_out


def concepts_file(path: str | PathLike[str]) -> Path:
    """Return the file of concepts that a path means: a folder holds it as `concepts.json`.

    Parameters
    ----------
    path
        The folder that `palate discover` wrote, or a file of concepts.
    """
    given = Path(path)
    return given / CONCEPTS_FILE if given.is_dir() else given


def _were_discovered(concepts: Path) -> bool:
    """Whether any entry of a file of concepts says in which domains it was found."""
    entries: Any = Source(concepts, what="definitions of concepts").document()
    return isinstance(entries, list) and any(
        isinstance(entry, dict)
        and isinstance(entry.get("provenance"), dict)
        and FOUND_IN in entry["provenance"]
        for entry in entries
    )
