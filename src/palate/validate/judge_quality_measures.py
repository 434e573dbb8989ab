"""What each pair adds to the measures of a judge, and how far two judges are apart.

Per pair, y is the verdict, r the reference, u and v what was said with a and with b shown first
(+1 = a, -1 = b, 0 = tie), f = ((1 + u) / 2, (1 - v) / 2) whether the response shown first won:

    ties              y = 0                          of verdicts
    said_ties         u = 0, v = 0                   of single answers
    flips             u != v                         of pairs with both answers
    orders_agree      u = v                          of the same; flips + orders_agree = 1
    samples_agree     chance that two samples of one question agree
    first_of_flips    f1 + f2 > 1                    of flips
    first_shown       mean of f1 and f2              of pairs with both answers; 1/2 is no bias
    accuracy          y = r, 1/2 where y = 0         of verdicts where r takes a side
    accuracy_decided  y = r                          of those with y != 0
    accuracy_answers  u = r, v = r, 1/2 for a tie    of single answers: the mean of both orders

Verdicts that are soft count by their sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.errors import UnknownNameError
from palate.inference.adjusted import holm
from palate.inference.sign_flips import sign_test
from palate.mechanisms.matchup import Judged
from palate.validate.judge_quality_shares import Array, Integers, Shares, shares

MEASURES = (
    *("ties", "said_ties", "flips", "orders_agree", "samples_agree", "first_of_flips"),
    *("first_shown", "accuracy", "accuracy_decided", "accuracy_answers"),
)
NEED_ORDERS = frozenset(
    {"said_ties", "flips", "orders_agree", "first_of_flips", "first_shown", "accuracy_answers"}
)
Orders = tuple[Array, Array]


def pair_sums(
    verdict: Array, orders: Orders | None, reference: Array | None, samples: Orders | None
) -> tuple[Array, Array]:
    """Return what each pair adds above and below the line of each measure, both (n, M).

    Parameters
    ----------
    verdict
        Verdicts of the judge, shape (n,), NaN where there is none.
    orders
        What it said in each order, or None.
    reference
        Verdicts of the reference, or None.
    samples
        Chance that two samples of a question agree, and 1 where there are two; or None.
    """
    n = verdict.size
    x, w = np.zeros((n, len(MEASURES))), np.zeros((n, len(MEASURES)))

    def put(name: str, above: npt.NDArray[Any], below: Array) -> None:
        k = MEASURES.index(name)
        w[:, k] = below
        x[:, k] = np.where(below > 0, np.nan_to_num(above), 0.0)

    y = np.sign(verdict)
    judged = ~np.isnan(y)
    put("ties", y == 0, judged.astype(float))
    r = np.full(n, np.nan) if reference is None else np.sign(reference)
    r[r == 0] = np.nan
    with_r = (judged & ~np.isnan(r)).astype(float)
    put("accuracy", (1 + y * r) / 2, with_r)
    put("accuracy_decided", y == r, with_r * (y != 0))
    if orders is not None:
        u, v = (np.sign(order) for order in orders)
        answers = (~np.isnan(u)).astype(float) + ~np.isnan(v)
        both = (answers == 2).astype(float)
        put("said_ties", (u == 0).astype(float) + (v == 0), answers)
        put("flips", u != v, both)
        put("orders_agree", u == v, both)
        put("first_of_flips", u - v > 0, both * (u != v))
        put("first_shown", (2 + u - v) / 4, both)
        right = np.nan_to_num((1 + u * r) / 2) + np.nan_to_num((1 + v * r) / 2)
        put("accuracy_answers", right, answers * ~np.isnan(r))
    if samples is not None:
        put("samples_agree", *samples)
    return x, w


def lean_p(orders: Orders, groups: Integers) -> float:
    """Return the p-value of "neither place is preferred", exact, by groups.

    Parameters
    ----------
    orders
        What the judge said in each order.
    groups
        Group of each pair.
    """
    return sign_test(_signed_sums(orders[0] - orders[1], groups))


def accuracy_scores(verdict: Array, reference: Array) -> Array:
    """Return 1 for right, 0 for wrong, 1/2 for a tie, NaN without a verdict or reference.

    Parameters
    ----------
    verdict
        Verdicts of the judge, shape (n,).
    reference
        Verdicts of the reference; its ties are left out.
    """
    r = np.sign(reference)
    return np.where(r == 0, np.nan, (1 + np.sign(verdict) * r) / 2)


def ahead(one: Array, other: Array, groups: Integers) -> Shares:
    """Return by how much one judge is ahead of another on the pairs that both judged.

    The ratio is (1 + difference) / 2, so that it is a share.

    Parameters
    ----------
    one
        Scores of `accuracy_scores`.
    other
        Those of the other judge.
    groups
        Group of each pair.
    """
    difference = one - other
    both = ~np.isnan(difference)
    x = np.where(both, (1 + np.nan_to_num(difference)) / 2, 0.0)[:, None]
    return shares(x, both[:, None].astype(float), np.zeros_like(groups), groups, 1)


def ranking(scores: Array, groups: Integers, *, alpha: float) -> tuple[int, Array, Array, Array]:
    """Return the best judge, adjusted p-values (m, m) and both ends of the ranks (m,).

    Every two judges are compared on the pairs that both judged, and p-values are adjusted for all
    m (m - 1) / 2 of these tests (Holm), so that they hold whichever two are picked afterwards. The
    best is the one that is behind no other on common pairs, or the least far. A judge's rank is at
    least 1 + the number of judges found to be better, at most m - the number found to be worse.

    Parameters
    ----------
    scores
        Scores of `accuracy_scores`, shape (n, m), each judge with one at least.
    groups
        Group of each pair.
    alpha
        Level of the tests.
    """
    m = scores.shape[1]
    gap, p = np.zeros((m, m)), np.full((m, m), np.nan)
    for j in range(m):
        for k in range(j + 1, m):
            difference = scores[:, j] - scores[:, k]
            if np.isnan(difference).all():
                continue
            gap[j, k] = np.nanmean(difference)
            gap[k, j] = -gap[j, k]
            p[j, k] = sign_test(_signed_sums(2 * difference, groups))
    adjusted = holm(p)
    adjusted = np.where(np.isnan(adjusted), adjusted.T, adjusted)
    means = np.nanmean(scores, axis=0)
    best = max(range(m), key=lambda j: (gap[j].min(), means[j]))
    found = adjusted <= alpha
    low = 1 + (found & (gap < 0)).sum(axis=1)
    high = m - (found & (gap > 0)).sum(axis=1)
    return best, adjusted, low, high


def said_orders(
    judged: Sequence[Judged], row_of: Mapping[str, int], n_pairs: int
) -> tuple[Orders, Orders]:
    """Return verdicts by order, and agreement of samples with where it is known, by row.

    Parameters
    ----------
    judged
        What a judge said.
    row_of
        Row of each pair by its id.
    n_pairs
        Number of rows.

    Raises
    ------
    UnknownNameError
        If there is no such pair.
    """
    u, v = np.full(n_pairs, np.nan), np.full(n_pairs, np.nan)
    agree, known = np.zeros(n_pairs), np.zeros(n_pairs)
    for one in judged:
        if one.id not in row_of:
            raise UnknownNameError("pair", one.id, list(row_of))
        i = row_of[one.id]
        same = []
        for order, said in ((u, one.ab), (v, one.ba)):
            if said is None:
                continue
            order[i] = said.verdict
            r = len(said.samples)
            if r > 1:
                counts = [said.samples.count(s) for s in set(said.samples)]
                same.append(sum(c * (c - 1) for c in counts) / (r * (r - 1)))
        if same:
            agree[i], known[i] = float(np.mean(same)), 1.0
    return (u, v), (agree, known)


def _signed_sums(values: Array, groups: Integers) -> Integers:
    """Return sums of values by group as whole numbers, in halves if there are any."""
    sums = np.bincount(groups, weights=2 * np.nan_to_num(values)).astype(np.int64)
    step = max(int(np.gcd.reduce(sums)), 1)
    return np.asarray(sums // step)
