"""Which pairs are asked in which round: a pilot, then the rest in parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from palate.data.shown import draw


def rounds_of(
    ids: Sequence[str],
    domains: Sequence[str],
    shares: Sequence[float],
    *,
    seed: int,
    together: int = 1,
) -> list[npt.NDArray[np.int64]]:
    """Return the rows of each round, in row order; every domain is spread over the rounds alike.

    Which pair is in which round depends on ids, domains and the seed, not on the order of rows.

    Parameters
    ----------
    ids
        Ids of the pairs.
    domains
        Domain of each pair.
    shares
        Share of the pairs of each round; what they leave is one more.
    seed
        The recorded seed.
    together
        Pairs of a domain that are in the same round, so that they can share a call.
    """
    ends = np.cumsum(shares)
    if ends[-1] < 1 - 1e-9:
        ends = np.append(ends, 1.0)
    ends[-1] = 1.0
    place = places(ids, domains, seed=seed, what="round", together=together)
    number = np.minimum(np.searchsorted(ends, place), ends.size - 1)
    parts = [np.flatnonzero(number == r) for r in range(ends.size)]
    return [rows.astype(np.int64) for rows in parts if rows.size]


def places(
    ids: Sequence[str], domains: Sequence[str], *, seed: int, what: str, together: int = 1
) -> npt.NDArray[np.float64]:
    """Return a random place between 0 and 1 for each pair, spread evenly over each domain.

    Parameters
    ----------
    ids
        Ids of the pairs.
    domains
        Domain of each pair.
    seed
        The recorded seed.
    what
        What it is drawn for.
    together
        Pairs of a domain that have the same place.
    """
    place = np.empty(len(ids))
    rows_of: dict[str, list[int]] = {}
    for i, domain in enumerate(domains):
        rows_of.setdefault(domain, []).append(i)
    for rows in rows_of.values():
        order = sorted(rows, key=lambda i: (draw(ids[i], seed, what), ids[i]))
        for k in range(0, len(order), together):
            block = order[k : k + together]
            place[block] = (k + len(block) / 2) / len(order)
    return place
