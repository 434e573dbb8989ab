"""Replicated verdicts: several annotators of the same pairs, both orders, or the same pair again.

They say how far a mechanism agrees with itself, and so how far it can be predicted at all
(`palate.explanations.ceiling`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from palate.data.orders import recorded_orders
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.explanations.problem import Array

Kind = Literal["votes", "orders"]
MIN_PAIRS = 20  # pairs with two replicates below which nothing is said
SAME = 0.95  # share of verdicts in which a mechanism must be the majority of its replicates
ANNOTATOR = re.compile(r"(?:(?P<of>.*)/)?annotator ?\d+", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Replicates:
    """How often replicated verdicts preferred each response of every pair.

    `wins` and `losses` (N,) count those for the first and the second response, ties left out;
    `votes` is the number of replicates that one verdict of the mechanism is the majority of, 1
    where it is one of them. With `kind` "orders" the two replicates are the two orders of
    presentation, and the verdict counts only if both agree.
    """

    mechanism: str
    sources: tuple[str, ...]
    kind: Kind
    votes: int
    wins: Array
    losses: Array

    @property
    def n_pairs(self) -> int:
        """Number of pairs with at least two replicates that are not ties."""
        return int(np.count_nonzero(self.wins + self.losses >= 2))


def annotators(
    preferences: Preferences, mechanisms: Sequence[str], *, mechanism: str | None = None
) -> Replicates:
    """Return the verdicts of several mechanisms as replicates of each other.

    Parameters
    ----------
    preferences
        The pairs.
    mechanisms
        The replicates, at least two, for instance three annotators.
    mechanism
        The one whose verdicts are explained: one of these, or their majority; None for one of them.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If fewer than two are named, or the explained one is neither one of them nor their majority.
    """
    names = tuple(dict.fromkeys(mechanisms))
    if len(names) < 2:
        raise InputError(
            f"Replicates: found {', '.join(repr(n) for n in names) or 'none'}; expected at least "
            "two mechanisms that judged the same pairs."
        )
    signs = np.nan_to_num(np.sign([preferences.verdict(name) for name in names]))
    target = names[0] if mechanism is None else mechanism
    own = preferences.verdict(target)
    votes = 1
    if target not in names:
        majority = np.sign(signs.sum(axis=0))
        both = (majority != 0) & ~np.isnan(own)
        same = float((np.sign(own[both]) == majority[both]).mean()) if both.any() else 0.0
        if same < SAME or len(names) % 2 == 0:
            raise InputError(
                f"Mechanism {target!r} is none of the replicates ({', '.join(names)}), and it is "
                f"the majority of these {len(names)} in {100 * same:.0f} % of their verdicts; "
                f"expected one of them, or the majority of an odd number of them in at least "
                f"{100 * SAME:.0f} %."
            )
        votes = len(names)
    wins, losses = (signs > 0).sum(axis=0), (signs < 0).sum(axis=0)
    return Replicates(target, names, "votes", votes, wins.astype(float), losses.astype(float))


def both_orders(preferences: Preferences, mechanism: str) -> Replicates | None:
    """Return what a judge said in each order of presentation, None where that was not kept.

    Parameters
    ----------
    preferences
        The pairs; their metadata column "orders" is that of `palate.data.orders`. Pairs with a tie
        or no answer in one order do not count.
    mechanism
        The judge.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    """
    preferences.verdict(mechanism)
    orders = recorded_orders(preferences).get(mechanism)
    if orders is None:
        return None
    said = np.nan_to_num(np.stack(orders))
    sided = (said != 0).all(axis=0)
    if not sided.any():
        return None
    wins, losses = (((said == sign) & sided).sum(axis=0).astype(float) for sign in (1, -1))
    sources = ("first order", "second order")
    return Replicates(mechanism, sources, "orders", 1, wins, losses)


def repeated(preferences: Preferences, mechanism: str) -> Replicates:
    """Return the verdicts on pairs that occur more than once, whichever response stands first.

    Parameters
    ----------
    preferences
        The pairs.
    mechanism
        The mechanism.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    """
    sign = np.nan_to_num(np.sign(preferences.verdict(mechanism)))
    pairs = preferences.pairs
    turned = (pairs["response_a"] > pairs["response_b"]).to_numpy()
    item = (
        pairs.select(
            "domain",
            "prompt",
            pl.min_horizontal("response_a", "response_b").alias("low"),
            pl.max_horizontal("response_a", "response_b").alias("high"),
        )
        .with_row_index()
        .with_columns(pl.col("index").first().over("domain", "prompt", "low", "high"))["index"]
        .to_numpy()
    )
    side = np.where(turned, -sign, sign)
    n = preferences.n_pairs
    wins = np.bincount(item, side > 0, n).astype(float)
    losses = np.bincount(item, side < 0, n).astype(float)
    return Replicates(mechanism, (mechanism,), "votes", 1, wins, losses)


def known_replicates(preferences: Preferences, mechanism: str) -> Replicates | None:
    """Return the replicates that the data themselves show, None where there are too few.

    In this order: both orders of presentation, if they disagree at all; annotators beside the
    mechanism ("human" and "human/annotator1", "overall" and "annotator 1"), which it is one or the
    majority of; pairs that were judged again. At least 20 pairs must have two replicates that are
    not ties.

    Parameters
    ----------
    preferences
        The pairs.
    mechanism
        The mechanism that is explained.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    """
    orders = both_orders(preferences, mechanism)
    if orders is not None and not (orders.wins * orders.losses).any():
        orders = None  # a bound of 100 %, and draws of what never varies have no spread
    tried = [orders]
    names = _beside(preferences.mechanisms, mechanism)
    if len(names) > 1:
        try:
            tried.append(annotators(preferences, names, mechanism=mechanism))
        except InputError:  # neither one of them nor their majority
            tried.append(None)
    tried.append(repeated(preferences, mechanism))
    return next((r for r in tried if r is not None and r.n_pairs >= MIN_PAIRS), None)


def enough(replicates: Replicates) -> Replicates:
    """Return replicates if there are enough of them.

    Parameters
    ----------
    replicates
        Any.

    Raises
    ------
    DataError
        If fewer than 20 pairs have two replicates that are not ties.
    """
    if replicates.n_pairs < MIN_PAIRS:
        raise DataError(
            f"Replicates {', '.join(replicates.sources)}: found {replicates.n_pairs} pairs with "
            f"two verdicts that are not ties; expected at least {MIN_PAIRS}."
        )
    return replicates


def _beside(mechanisms: Sequence[str], mechanism: str) -> list[str]:
    """Return the annotators that belong to a mechanism by their names."""
    own = ANNOTATOR.fullmatch(mechanism)
    of = (own["of"] or "overall") if own else mechanism
    found = []
    for name in mechanisms:
        match = ANNOTATOR.fullmatch(name)
        if match and (match["of"] or "overall") == of:
            found.append(name)
    return found
