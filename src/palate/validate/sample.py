"""Which pairs people are asked about, and how they are shown: drawn by a seed, blinded.

Every domain gets places in proportion to its pairs, one at least where there are enough. No two
pairs share a prompt while there are others, because pairs of one prompt are one observation. As
long as a value (-1, 0 or 1) of a concept or verdict stands on fewer than five chosen pairs although
there are more, the pair is taken that has most of such values; the other places are filled at
random. So rare values are seen, and are more frequent in the sample than in the file: agreement
beyond chance depends on how frequent values are, and what is found holds for the sample.

Order of the rows, order of the responses and every choice follow from ids and seed, not from the
order of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from palate.data.preferences import Preferences
from palate.data.shown import draw
from palate.data.splits import groups as groups_of
from palate.errors import InputError
from palate.validate.ratings import Array, Integers

LEAST_OF_VALUE = 5
MOST_CANDIDATES = 20_000


@dataclass(frozen=True)
class SampledPair:
    """A pair that people are asked about.

    Parameters
    ----------
    item
        Its neutral name.
    id
        Its id.
    a_first
        Whether response a is shown as response 1.
    """

    item: str
    id: str
    a_first: bool


def draw_sample(
    preferences: Preferences,
    n: int,
    *,
    values: Array | None = None,
    cluster: str | None = None,
    seed: int = 0,
) -> tuple[SampledPair, ...]:
    """Draw pairs for people to label, in the order in which they are shown.

    Parameters
    ----------
    preferences
        All pairs.
    n
        How many; 50 to 100 are usual.
    values
        Shape (n_pairs, C): what a model said of them, whose values are all to be there; by sign,
        NaN where it said nothing; a pair of which it said nothing at all is not drawn. None: by
        domain alone.
    cluster
        A metadata column whose equal values belong together as equal prompts do.
    seed
        Seed of everything random.

    Raises
    ------
    InputError
        If there are fewer such pairs, `n` is below 1 or the shape is wrong.
    """
    ids = preferences.ids
    said = np.zeros((len(ids), 0)) if values is None else np.sign(np.asarray(values, float))
    if said.ndim != 2 or len(said) != len(ids):
        raise InputError(f"draw_sample: found values of shape {said.shape} for {len(ids)} pairs.")
    known = (
        np.flatnonzero(~np.isnan(said).all(axis=1)) if values is not None else np.arange(len(ids))
    )
    if not 1 <= n <= known.size:
        with_values = " that a model has values of" if known.size < len(ids) else ""
        raise InputError(
            f"--sample: found {n:,}; expected between 1 and {known.size:,}, the number of pairs"
            f"{with_values}."
        )
    chance = np.array([draw(ids[i], seed, "sample of people") for i in known])
    places = _choose(
        n,
        groups_of(preferences, cluster_column=cluster)[known],
        np.unique(preferences.pairs["domain"].to_numpy()[known], return_inverse=True)[1],
        np.stack([said[known] == v for v in (-1, 0, 1)], axis=2).reshape(known.size, -1),
        chance,
    )
    chosen = known[places].tolist()
    order = sorted(chosen, key=lambda i: (draw(ids[i], seed, "place in the sheet"), ids[i]))
    width = max(2, len(str(n)))
    return tuple(
        SampledPair(
            f"item-{k:0{width}d}", ids[i], draw(ids[i], seed, "order of the responses") < 0.5
        )
        for k, i in enumerate(order, 1)
    )


def quotas(sizes: Array, n: int) -> Array:
    """Return how many of n places each domain gets, in proportion and at most its size.

    Largest remainders; every domain gets one if there are places enough.

    Parameters
    ----------
    sizes
        Pairs of each domain, at least 1.
    n
        Places, at most the sum of the sizes.
    """
    given = np.minimum(np.ones(sizes.size), sizes) if n >= sizes.size else np.zeros(sizes.size)
    ideal = sizes / sizes.sum() * n
    while given.sum() < n:
        behind = np.where(given < sizes, ideal - given, -np.inf)
        given[int(behind.argmax())] += 1
    return given


def _choose(
    n: int, group: Integers, domain: Integers, cells: npt.NDArray[np.bool_], chance: Array
) -> list[int]:
    """Return rows: `cells` (n_pairs, C) says which wanted values a pair has."""
    left = quotas(np.bincount(domain).astype(float), n)
    want = np.minimum(LEAST_OF_VALUE, cells.sum(axis=0))
    waiting = np.argsort(chance, kind="stable")
    chosen: list[int] = []
    for fresh in (True, False):  # pairs of new prompts first
        seen = {int(group[i]) for i in chosen}
        taken = set(chosen)
        rows: list[int] = []
        for i in waiting.tolist():
            if i in taken or (fresh and int(group[i]) in seen):
                continue
            seen.add(int(group[i]))
            rows.append(i)
        pool = np.array(rows, dtype=np.int64)
        short = pool[:MOST_CANDIDATES]
        while len(chosen) < n and short.size:
            lacking = want > 0
            gain = cells[short][:, lacking].sum(axis=1) * (left[domain[short]] > 0)
            best = int(gain.argmax()) if gain.size else 0
            if not lacking.any() or gain[best] == 0:
                break
            row = int(short[best])
            short = np.delete(short, best)
            chosen.append(row)
            left[domain[row]] -= 1
            want = want - cells[row]
        for row in pool.tolist():
            if len(chosen) < n and left[domain[row]] > 0 and row not in chosen:
                chosen.append(row)
                left[domain[row]] -= 1
    return chosen
