"""Strategies of tie break: which concepts a tied pair is decided by.

    random      four concepts drawn by seed, more of each wanted
    own         what the judge itself rewards, which says what it means where the order misleads it
    reference   what the reference rewards
    difference  what the reference rewards more than the judge

Concepts are chosen domain by domain from explanations that have not seen the pair
(`palate.actions.ties_fits`): of those supported there the ones with the largest effects
("supported"), or those with the largest weights of HMDR, supported or not ("weight", as in the
paper), or, where no model is asked, the whole model ("all").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from palate.actions.ties_fits import Array, Integers, Side, TieFits

Strategy = Literal["random", "own", "reference", "difference"]
STRATEGIES: tuple[Strategy, ...] = ("random", "own", "reference", "difference")
NEED_REFERENCE: tuple[Strategy, ...] = ("reference", "difference")
By = Literal["supported", "weight", "all"]
BY: tuple[By, ...] = ("supported", "weight", "all")


@dataclass(frozen=True, eq=False)
class Guide:
    """The concepts that decide the tied pairs of one domain in one part, the strongest first.

    Parameters
    ----------
    part
        The part.
    domain
        Position of the domain.
    columns
        The concepts.
    weights
        Their effects or weights; the sign says whether more or less is wanted.
    """

    part: int
    domain: int
    columns: Integers
    weights: Array


def guides_of(
    fits: TieFits, strategy: Strategy, *, by: By = "supported", n_concepts: int = 4, seed: int = 0
) -> tuple[Guide, ...]:
    """Return the concepts of a strategy for every part and domain with tied pairs.

    Parameters
    ----------
    fits
        The tied pairs and the explanations.
    strategy
        The strategy.
    by
        How concepts are chosen; "random" draws them whatever it says.
    n_concepts
        How many at most; "all" takes all.
    seed
        Seed of the draws of "random".
    """
    found = []
    for part in range(len(fits.parts)):
        for domain in np.unique(fits.codes[fits.part_of == part]).tolist():
            if strategy == "random":
                columns, weights = _drawn(fits, domain, n_concepts, seed)
            else:
                side = getattr(fits.parts[part], strategy)
                columns, weights = _strongest(fits, side, domain, by, n_concepts)
            found.append(Guide(part, domain, columns, weights))
    return tuple(found)


def guide_scores(fits: TieFits, guides: tuple[Guide, ...], *, counted: bool = False) -> Array:
    """Return how far the concepts of its guide lean to response a of each tied pair, shape (T,).

    Parameters
    ----------
    fits
        The tied pairs.
    guides
        The guides of a strategy.
    counted
        Whether each concept counts one, on whichever side more of it is, as where there are no
        weights.
    """
    out = np.zeros(fits.n_tied)
    values = np.sign(fits.values) if counted else fits.values
    for guide in guides:
        rows = (fits.part_of == guide.part) & (fits.codes == guide.domain)
        out[rows] = values[np.ix_(rows, guide.columns)] @ guide.weights
    return out


def _drawn(fits: TieFits, domain: int, n_concepts: int, seed: int) -> tuple[Integers, Array]:
    known = np.flatnonzero(fits.usable[domain])
    random = np.random.default_rng([seed, domain])
    columns = random.permutation(known)[:n_concepts]
    return columns, np.ones(columns.size)


def _strongest(
    fits: TieFits, side: Side | None, domain: int, by: By, n_concepts: int
) -> tuple[Integers, Array]:
    if side is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    strength = side.effects[domain] if by == "supported" else side.weights[domain]
    allowed = fits.usable[domain] & (strength != 0) & np.isfinite(strength)
    if by == "supported":
        allowed &= side.supported[domain]
    columns = np.flatnonzero(allowed)
    columns = columns[np.argsort(-np.abs(strength[columns]), kind="stable")]
    if by != "all":
        columns = columns[:n_concepts]
    return columns, strength[columns]
