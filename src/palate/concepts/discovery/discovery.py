"""`Discovery`: the concepts that were found, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from palate.concepts.concept import Concept
from palate.concepts.discovery.provenance import CONCEPTS_FILE, PAIRS_FILE, discovery_pairs
from palate.concepts.imported_files import read_definitions
from palate.data.formats.source import Source
from palate.data.run_directory import RunDirectory


@dataclass(frozen=True)
class Discovery:
    """The concepts that were found, and where each comes from.

    Parameters
    ----------
    concepts
        The concepts, shared ones first.
    provenance
        By name: batches by domain (`found_in`), the names merged into it (`merged`), a batch that
        named it (`example`) with its pairs, descriptions, and a note where there is one.
    pairs
        Ids of the pairs that were set apart for discovery, on which nothing may be evaluated.
    notes
        Sentences on what did not go as planned.
    spent
        What the client had spent in the end; None for a client that does not count, and for a
        discovery that was read from files.
    """

    concepts: tuple[Concept, ...]
    provenance: Mapping[str, Mapping[str, Any]]
    pairs: frozenset[str]
    notes: tuple[str, ...] = ()
    spent: Any = field(default=None, compare=False)

    @property
    def shared(self) -> tuple[Concept, ...]:
        """The shared concepts."""
        return tuple(concept for concept in self.concepts if concept.shared)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the content of `concepts.json`."""
        return [
            {**c.to_dict(), "provenance": dict(self.provenance[c.name])}
            if c.name in self.provenance
            else c.to_dict()
            for c in self.concepts
        ]

    def write(self, run: RunDirectory) -> None:
        """Write `concepts.json`, and `discovery_pairs.json` if there are any.

        Parameters
        ----------
        run
            The folder.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        if self.pairs:
            run.write_json(PAIRS_FILE, sorted(self.pairs))
        run.write_json(CONCEPTS_FILE, self.to_list())

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write a folder with `concepts.json` and `discovery_pairs.json`.

        Parameters
        ----------
        path
            The folder.
        overwrite
            Whether it may hold files already.

        Raises
        ------
        OutputError
            If it cannot be written, or is taken and `overwrite` is false.
        """
        run = RunDirectory(path, overwrite=overwrite)
        self.write(run)
        run.complete()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Discovery:
        """Read the folder of a discovery, hand-edited concepts included.

        Parameters
        ----------
        path
            The folder, or its `concepts.json`.

        Raises
        ------
        FileFormatError
            If a file is missing or malformed.
        """
        given = Path(path)
        file = given / CONCEPTS_FILE if given.is_dir() else given
        concepts = read_definitions(file)
        entries = Source(file, what="definitions of concepts").document()
        return cls(
            concepts=concepts,
            provenance={
                entry["name"]: entry["provenance"] for entry in entries if entry.get("provenance")
            },
            pairs=discovery_pairs(given),
        )
