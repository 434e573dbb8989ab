"""Coefficients of agreement, as functions of sums over items.

For item i let r be the number of its labels, n_k how many of them are category k. Items with two
labels or more give the observed agreement and the coincidences; items with one at least give the
shares of the categories:

    P     mean of  sum_k n_k (n_k - 1) / (r (r - 1))                        raw agreement
    pi_k  mean of  n_k / r
    kappa = (P - C) / (1 - C)      C = sum_k pi_k^2                          Fleiss 1971
    ac1   = (P - C) / (1 - C)      C = sum_k pi_k (1 - pi_k) / (K - 1)       Gwet 2008
    alpha = 1 - (N - 1) sum o_kc d_kc / sum N_k N_c d_kc                     Krippendorff 2011

with coincidences o_kc = sum_i n_k (n_c - [k = c]) / (r - 1), N_k their margins, N their sum, and
d = [k != c] (nominal), the squared difference of mean ranks (ordinal) or of values (interval).
Fleiss defined kappa for equal numbers of labels; with unequal ones this is the generalisation of
Gwet's handbook (2014, chapter 2). K counts the categories that occur. Of two raters only,

    cohen = (P - C) / (1 - C)      C = sum_k p_k q_k                         Cohen 1960

with p and q their own shares of the categories, on the items that both labelled. All are NaN where
they are 0 / 0: with one category only nothing can be said of agreement beyond chance.

Comparative labels count in both orders (`ratings`), so that swapping the responses of any pair
changes nothing. Without ties all of them but alpha are then 2 P - 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from palate.validate.ratings import Array, Ratings

RAW, FLEISS, COHEN, AC1 = "raw agreement", "Fleiss' kappa", "Cohen's kappa", "Gwet's AC1"
ALPHA = "Krippendorff's alpha"
ORDINAL, INTERVAL = f"{ALPHA}, ordinal", f"{ALPHA}, interval"
Measure = Callable[[Array], Array]


def item_sums(ratings: Ratings) -> Array:
    """Return what each item adds to the sums, shape (n, 3 + K + K * K).

    Columns: its observed agreement, whether it has two labels, whether it has one, its shares of
    the K categories, its coincidences.

    Parameters
    ----------
    ratings
        The labels.
    """
    codes, k = ratings.codes(), ratings.categories.size
    counts = np.zeros((ratings.n_items, k))
    for j in range(codes.shape[1]):
        held = np.flatnonzero(codes[:, j] >= 0)
        counts[held, codes[held, j]] += 1
    r = counts.sum(axis=1)
    twice = r >= 2
    ways = np.where(twice, r * (r - 1), 1.0)
    same = np.where(twice, (counts * (counts - 1)).sum(axis=1) / ways, 0.0)
    share = counts / np.maximum(r, 1)[:, None]
    together = counts[:, :, None] * counts[:, None, :]
    together[:, np.arange(k), np.arange(k)] -= counts
    together *= (twice / np.maximum(r - 1, 1))[:, None, None]
    if ratings.kind == "comparative":
        share = (share + share[:, ::-1]) / 2
        together = (together + together[:, ::-1, ::-1]) / 2
    return np.column_stack([same, twice, r >= 1, share, together.reshape(len(counts), k * k)])


def table_sums(ratings: Ratings) -> Array:
    """Return the cell of two raters' table that each item falls in, shape (n, K * K), 0 or 1.

    Parameters
    ----------
    ratings
        The labels of two raters; an item that one of them left out falls in no cell.
    """
    codes, k = ratings.codes(), ratings.categories.size
    table = np.zeros((ratings.n_items, k, k))
    both = np.flatnonzero((codes >= 0).all(axis=1))
    table[both, codes[both, 0], codes[both, 1]] = 1.0
    if ratings.kind == "comparative":
        table = (table + table[:, ::-1, ::-1]) / 2
    return table.reshape(ratings.n_items, k * k)


def raw_agreement(sums: Array) -> Array:
    """Return P from sums, shape (R, S) -> (R,).

    Parameters
    ----------
    sums
        Sums over items of `item_sums`.
    """
    return _ratio(sums[:, 0], sums[:, 1])


def fleiss_kappa(sums: Array, n_categories: int) -> Array:
    """Return Fleiss' kappa from sums, shape (R, S) -> (R,).

    Parameters
    ----------
    sums
        Sums over items of `item_sums`.
    n_categories
        K.
    """
    share = _ratio(sums[:, 3 : 3 + n_categories], sums[:, 2:3])
    return beyond(raw_agreement(sums), (share**2).sum(axis=1))


def gwet_ac1(sums: Array, n_categories: int) -> Array:
    """Return Gwet's AC1 from sums, shape (R, S) -> (R,).

    Parameters
    ----------
    sums
        Sums over items of `item_sums`.
    n_categories
        K.
    """
    if n_categories < 2:
        return np.full(len(sums), np.nan)
    share = _ratio(sums[:, 3 : 3 + n_categories], sums[:, 2:3])
    return beyond(raw_agreement(sums), (share * (1 - share)).sum(axis=1) / (n_categories - 1))


def krippendorff_alpha(sums: Array, categories: Array, metric: str = "nominal") -> Array:
    """Return Krippendorff's alpha from sums, shape (R, S) -> (R,).

    Parameters
    ----------
    sums
        Sums over items of `item_sums`.
    categories
        The labels, ascending, shape (K,).
    metric
        "nominal", "ordinal" or "interval".
    """
    k = categories.size
    together = sums[:, 3 + k :].reshape(-1, k, k)
    margin = together.sum(axis=2)
    if metric == "nominal":
        apart = np.broadcast_to(1.0 - np.eye(k), together.shape)
    else:
        place = np.broadcast_to(categories, margin.shape)
        if metric == "ordinal":
            place = margin.cumsum(axis=1) - margin / 2
        apart = (place[:, :, None] - place[:, None, :]) ** 2
    observed = (together * apart).sum(axis=(1, 2))
    expected = (margin[:, :, None] * margin[:, None, :] * apart).sum(axis=(1, 2))
    return 1 - _ratio((margin.sum(axis=1) - 1) * observed, expected)


def cohen_kappa(sums: Array, n_categories: int) -> Array:
    """Return Cohen's kappa from sums, shape (R, S) -> (R,).

    Parameters
    ----------
    sums
        Sums over items of `table_sums`.
    n_categories
        K.
    """
    table = sums.reshape(-1, n_categories, n_categories)
    n = table.sum(axis=(1, 2))
    rows, columns = table.sum(axis=2), table.sum(axis=1)
    same = _ratio(np.trace(table, axis1=1, axis2=2), n)
    return beyond(same, _ratio((rows * columns).sum(axis=1), n**2))


def measures_of(ratings: Ratings) -> Mapping[str, Measure]:
    """Return the coefficients that suit the labels, each a function of sums of `item_sums`.

    Parameters
    ----------
    ratings
        The labels.
    """
    categories = ratings.categories
    k = categories.size
    found: dict[str, Measure] = {
        RAW: raw_agreement,
        FLEISS: lambda sums: fleiss_kappa(sums, k),
        AC1: lambda sums: gwet_ac1(sums, k),
        ALPHA: lambda sums: krippendorff_alpha(sums, categories),
    }
    if ratings.kind != "nominal":
        found[ORDINAL] = lambda sums: krippendorff_alpha(sums, categories, "ordinal")
    if ratings.kind == "interval":
        found[INTERVAL] = lambda sums: krippendorff_alpha(sums, categories, "interval")
    return found


def beyond(observed: Array, chance: Array) -> Array:
    """Return (P - C) / (1 - C), NaN where C is 1.

    Parameters
    ----------
    observed
        P.
    chance
        C.
    """
    left = np.where(chance < 1 - 1e-12, 1 - chance, np.nan)
    out: Array = (observed - chance) / left
    return out


def _ratio(top: Array, bottom: Array) -> Array:
    out: Array = top / np.where(bottom > 1e-12, bottom, np.nan)
    return out


def without_agreement(sums: Array, n_categories: int) -> Array:
    """Return the sums as they were if no two labels agreed and the shares stayed, shape (1, S).

    Parameters
    ----------
    sums
        Sums over all items of `item_sums` or `table_sums`, shape (1, S).
    n_categories
        K.
    """
    k, out = n_categories, sums.copy()
    table = sums[:, -k * k :].reshape(k, k)
    apart = np.outer(table.sum(axis=1), table.sum(axis=0))
    np.fill_diagonal(apart, 0.0)
    if apart.sum() > 0:
        apart *= table.sum() / apart.sum()
    out[:, -k * k :] = apart.reshape(1, -1)
    if sums.shape[1] > k * k:
        out[:, 0] = 0.0
    return out
