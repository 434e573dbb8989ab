"""Asking again with the responses exchanged: of whom, and what two answers amount to.

A model that prefers what stands first says so in both orders, on opposite sides. Two answers that
agree keep their value; any others, one of them 0 included, give 0. Soft values are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.reading import DIGITS
from palate.concepts.annotation.rounds import places

Array = npt.NDArray[np.float64]
CLEAR = 1 / 3
"""A soft value counts as "more" in one response from this size on."""


@dataclass(frozen=True)
class Consistency:
    """How often the two orders agree on a concept.

    Parameters
    ----------
    n
        Pairs with an answer in both orders.
    same
        Those with the same answer.
    opposite
        Those where one order says "first" of a response and the other "second".
    """

    n: int
    same: int
    opposite: int

    @property
    def share(self) -> float | None:
        """Share of the same answer; None where no pair was asked twice."""
        return self.same / self.n if self.n else None


def audited(
    ids: Sequence[str], domains: Sequence[str], *, share: float, at_least: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Return which pairs are asked in both orders to see how often these agree.

    Every domain gives its share, so that specific concepts are looked at as well.

    Parameters
    ----------
    ids
        Ids of the pairs.
    domains
        Domain of each pair.
    share
        Share of them.
    at_least
        Fewest of them.
    seed
        The recorded seed.
    """
    n = min(len(ids), max(math.ceil(share * len(ids)), at_least))
    chosen = np.zeros(len(ids), dtype=bool)
    if share > 0 and n:
        place = places(ids, domains, seed=seed, what="audit")
        chosen[sorted(range(len(ids)), key=lambda i: (place[i], ids[i]))[:n]] = True
    return chosen


def combined(first: Array, second: Array) -> Array:
    """Return the final values: those of both orders where there are two, else the one there is.

    Parameters
    ----------
    first
        Values of the order asked first, NaN = not known.
    second
        Values of the exchanged order, same shape.
    """
    out = np.where(np.isnan(first), second, first)
    both = np.isfinite(first) & np.isfinite(second)
    hard = both & np.isin(first, (-1, 0, 1)) & np.isin(second, (-1, 0, 1))
    out[hard & (first != second)] = 0.0
    soft = both & ~hard
    out[soft] = np.round((first[soft] + second[soft]) / 2, DIGITS)
    return out + 0.0


def consistency(first: Array, second: Array) -> list[Consistency]:
    """Return how often the two orders agree, for each concept.

    Parameters
    ----------
    first
        Shape (n_pairs, n_concepts).
    second
        Same shape, NaN where the second order was not asked.
    """
    one, two = signs(first), signs(second)
    both = np.isfinite(one) & np.isfinite(two)
    return [
        Consistency(
            n=int(both[:, j].sum()),
            same=int((both[:, j] & (one[:, j] == two[:, j])).sum()),
            opposite=int((both[:, j] & (one[:, j] * two[:, j] < 0)).sum()),
        )
        for j in range(first.shape[1])
    ]


def signs(values: Array) -> Array:
    """Return -1, 0 or 1 for values, soft ones by `CLEAR`, NaN for NaN.

    Parameters
    ----------
    values
        Values in [-1, 1].
    """
    out = np.where(np.abs(values) < CLEAR, 0.0, np.sign(values))
    return np.where(np.isnan(values), np.nan, out)
