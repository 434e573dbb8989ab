"""Step 6: which concepts are shared, which are specific to some domains, and which are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from palate.concepts.discovery.merging import Found
from palate.concepts.discovery.settings import Settings

MOST_DESCRIPTIONS = 5


@dataclass(frozen=True)
class Merged:
    """A concept with all that was found under its names.

    Parameters
    ----------
    name
        The name that stays.
    fixed
        Whether it was given beforehand.
    found_in
        Number of batches by domain, the most first.
    merged
        The other names that it stands for.
    descriptions
        Up to five descriptions from different batches, its own name's first.
    example
        Id of a batch that named it; None if no batch did.
    domains
        None for a shared concept, else the domains that it is specific to.
    kept
        Whether it is within the limits on the number of concepts.
    """

    name: str
    fixed: bool
    found_in: dict[str, int]
    merged: tuple[str, ...]
    descriptions: tuple[str, ...]
    example: str | None
    domains: tuple[str, ...] | None
    kept: bool

    @property
    def n_batches(self) -> int:
        """Number of batches that named it."""
        return sum(self.found_in.values())

    @property
    def rank(self) -> tuple[bool, int, int, str]:
        """Sorts fixed concepts first, then those of more domains, then of more batches."""
        return (not self.fixed, -len(self.found_in), -self.n_batches, self.name.casefold())

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return dict(self.__dict__)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Merged:
        """Build from what `to_dict` returns.

        Parameters
        ----------
        row
            JSON data.
        """
        lists = {key: tuple(row[key]) for key in ("merged", "descriptions")}
        domains = None if row["domains"] is None else tuple(row["domains"])
        return cls(**{**row, **lists, "domains": domains})


def least_domains(n_domains: int) -> int:
    """Return in how many domains a shared concept was found: half of them, two at least.

    With one domain all concepts are shared.

    Parameters
    ----------
    n_domains
        Domains of which any batch was answered.
    """
    return 1 if n_domains <= 1 else max(2, math.ceil(n_domains / 2))


def share(
    groups: Sequence[tuple[Found, Sequence[Found]]], *, n_domains: int, settings: Settings
) -> list[Merged]:
    """Return all concepts, the shared ones first, and say which are kept.

    Of the shared concepts the first `max_shared` are kept: fixed ones, then those of more domains,
    then of more batches. A specific concept is kept for those of its domains in which it is among
    the `max_specific` of most batches.

    Parameters
    ----------
    groups
        Names that stay, with the names that they stand for.
    n_domains
        Domains of which any batch was answered.
    settings
        The limits.
    """
    needed = least_domains(n_domains)
    everything = sorted((_together(first, names) for first, names in groups), key=lambda c: c.rank)
    shared = [c for c in everything if c.fixed or len(c.found_in) >= needed]
    specific = [c for c in everything if not (c.fixed or len(c.found_in) >= needed)]
    stays: dict[str, list[str]] = {}
    for domain in sorted({domain for c in specific for domain in c.found_in}):
        here = [c for c in specific if domain in c.found_in]
        here.sort(key=lambda c: (-c.found_in[domain], c.rank))
        for c in here[: settings.max_specific]:
            stays.setdefault(c.name, []).append(domain)
    return [
        _with(c, None, settings.max_shared is None or k < settings.max_shared)
        for k, c in enumerate(shared)
    ] + [
        _with(c, tuple(stays.get(c.name) or sorted(c.found_in)), c.name in stays) for c in specific
    ]


def _with(concept: Merged, domains: tuple[str, ...] | None, kept: bool) -> Merged:
    return Merged(**{**concept.__dict__, "domains": domains, "kept": kept})


def _together(first: Found, names: Sequence[Found]) -> Merged:
    batches: dict[str, set[str]] = {}
    descriptions: dict[str, str] = {}
    for one in names:  # its own name comes first
        for domain, ids in one.batches.items():
            batches.setdefault(domain, set()).update(ids)
        for batch, text in sorted(one.descriptions.items()):
            descriptions.setdefault(batch, text)
    found_in = {d: len(ids) for d, ids in batches.items()}
    return Merged(
        name=first.name,
        fixed=first.fixed,
        found_in=dict(sorted(found_in.items(), key=lambda item: (-item[1], item[0]))),
        merged=tuple(one.name for one in names if one is not first),
        descriptions=tuple(dict.fromkeys(descriptions.values()))[:MOST_DESCRIPTIONS],
        example=next(iter(descriptions), None),
        domains=None,
        kept=True,
    )
