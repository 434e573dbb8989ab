"""The noise ceiling of a mechanism, and which share of what can be explained is explained.

The best possible accuracy follows from how often replicated verdicts agree
(`palate.explanations.noise_limits`: model, bounds and the estimate between them). Agreement is the
chance that another verdict on the same pair agrees with a verdict, ties left out as in the fit,
every verdict counting the same; intervals are percentiles of draws of groups within domains.

What the ceiling means depends on the replicates. Of annotators who judge alike it bounds any
prediction; a rule that one annotator follows and the others do not is noise here, though it could
be learned. Between the two orders of presentation the estimate takes what differs for noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from palate.data.preferences import Preferences
from palate.data.splits import groups as groups_of
from palate.errors import InputError
from palate.explanations.explanation import Explanation
from palate.explanations.noise_limits import limits, under_beta
from palate.explanations.problem import Array, Integers
from palate.explanations.replicates import Kind, Replicates, annotators, enough
from palate.explanations.scores import correctness
from palate.inference.bootstrap import Resampling, stratum_sums

N_DRAWS = 1000


@dataclass(frozen=True)
class Ceiling:
    """How well the verdicts of a mechanism can be predicted at best.

    Parameters
    ----------
    mechanism
        Whose verdicts are to be predicted.
    sources
        The replicates: mechanisms, or the two orders of presentation.
    kind
        "votes" (replicated verdicts) or "orders" (the same judge with the responses exchanged).
    votes
        Replicates that one verdict of the mechanism is the majority of; 1: it is one of them.
    agreement
        Chance that a second replicate agrees, with its interval.
    accuracy
        Estimated ceiling of accuracy, with its interval.
    accuracy_least
        Lower bound without the assumption, and the low end of its interval.
    accuracy_most
        Upper bound without the assumption, and the high end of its interval.
    log_loss
        Estimated floor of log-loss in nats, with its interval.
    log_loss_least
        Lower bound of the floor without the assumption.
    log_loss_most
        Upper bound of the floor without the assumption.
    n_pairs
        Pairs with at least two replicates that are not ties.
    n_groups
        Groups of pairs that share a prompt or responses.
    level
        Level of the intervals.
    """

    mechanism: str
    sources: tuple[str, ...]
    kind: Kind
    votes: int
    agreement: tuple[float, float, float]
    accuracy: tuple[float, float, float]
    accuracy_least: tuple[float, float]
    accuracy_most: tuple[float, float]
    log_loss: tuple[float, float, float]
    log_loss_least: float
    log_loss_most: float
    n_pairs: int
    n_groups: int
    level: float


@dataclass(frozen=True)
class Share:
    """The share of the explainable signal that is explained, with its interval.

    (accuracy - 1/2) / (ceiling - 1/2): 0 is a coin, 1 is all that replicates let one expect.
    `least` and `most` use the bounds of the ceiling in place of its estimate. NaN where the
    replicates agree no more than by chance.
    """

    accuracy: float
    share: float
    low: float
    high: float
    least: float
    most: float
    n_pairs: int
    ceiling: Ceiling = field(repr=False)


def noise_ceiling(
    preferences: Preferences,
    mechanisms: Sequence[str],
    *,
    mechanism: str | None = None,
    level: float = 0.9,
    seed: int = 0,
    cluster: str | None = None,
) -> Ceiling:
    """Return how well verdicts can be predicted at best, from mechanisms that are replicates.

    Parameters
    ----------
    preferences
        The pairs.
    mechanisms
        The replicates, at least two, for instance three annotators.
    mechanism
        Whose verdicts are to be predicted: one of these, or their majority; None for one of them.
    level
        Level of the intervals.
    seed
        Seed of the draws.
    cluster
        Metadata column whose equal values are drawn together, beside prompts and responses.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If fewer than two are named, or the explained one is neither one of them nor their majority.
    DataError
        If fewer than 20 pairs have two verdicts that are not ties.
    """
    replicates = annotators(preferences, mechanisms, mechanism=mechanism)
    return ceiling_of(preferences, replicates, level=level, seed=seed, cluster=cluster)


def ceiling_of(
    preferences: Preferences,
    replicates: Replicates,
    *,
    level: float = 0.9,
    seed: int = 0,
    cluster: str | None = None,
) -> Ceiling:
    """Return how well verdicts can be predicted at best, from any replicates.

    Parameters
    ----------
    preferences
        The pairs.
    replicates
        What `palate.explanations.replicates` found.
    level
        Level of the intervals.
    seed
        Seed of the draws.
    cluster
        Metadata column whose equal values are drawn together, beside prompts and responses.

    Raises
    ------
    DataError
        If fewer than 20 pairs have two verdicts that are not ties.
    """
    enough(replicates)
    agreeing, weight = _agreement(replicates)
    rows = np.flatnonzero(weight)
    groups = groups_of(preferences, cluster_column=cluster)[rows]
    sums = _draws(preferences, np.column_stack([agreeing, weight]), rows, groups, seed)
    share = sums[:, 0] / sums[:, 1]
    low, high = np.quantile(share, [(1 - level) / 2, (1 + level) / 2])
    a = float(agreeing.sum() / weight.sum())
    at, below, above = (
        limits(float(x), kind=replicates.kind, votes=replicates.votes) for x in (a, low, high)
    )
    return Ceiling(
        mechanism=replicates.mechanism,
        sources=replicates.sources,
        kind=replicates.kind,
        votes=replicates.votes,
        agreement=(a, float(low), float(high)),
        accuracy=(at.accuracy, below.accuracy, above.accuracy),
        accuracy_least=(at.accuracy_least, below.accuracy_least),
        accuracy_most=(at.accuracy_most, above.accuracy_most),
        log_loss=(at.log_loss, above.log_loss, below.log_loss),
        log_loss_least=at.log_loss_least,
        log_loss_most=at.log_loss_most,
        n_pairs=int(rows.size),
        n_groups=int(np.unique(groups).size),
        level=level,
    )


def explained_share(
    explanation: Explanation, preferences: Preferences, replicates: Replicates, *, seed: int = 0
) -> Share:
    """Return which share of what can be explained an explanation explains, on new prompts.

    Accuracy is that of the held-out predictions, every pair counting the same, in the domains that
    have replicates. Accuracy and agreement are drawn together.

    Parameters
    ----------
    explanation
        Of the mechanism of the replicates, on these preferences.
    preferences
        The pairs.
    replicates
        What `palate.explanations.replicates` found.
    seed
        Seed of the draws.

    Raises
    ------
    InputError
        If the explanation is of another mechanism or of other pairs.
    DataError
        If fewer than 20 pairs have two verdicts that are not ties.
    """
    if explanation.mechanism != replicates.mechanism:
        raise InputError(
            f"The explanation is of {explanation.mechanism!r} and the replicates are of "
            f"{replicates.mechanism!r}; expected the same mechanism."
        )
    if explanation.pairs["id"].to_list() != preferences.ids:
        raise InputError("The explanation is of other pairs than these preferences.")
    level = float(explanation.settings.get("level", 0.9))
    cluster = explanation.settings.get("cluster")
    ceiling = ceiling_of(preferences, replicates, level=level, seed=seed, cluster=cluster)
    agreeing, weight = _agreement(replicates)
    domains = preferences.pairs["domain"].to_numpy()
    probability, verdict = (
        explanation.pairs[c].cast(float).fill_null(np.nan).to_numpy()
        for c in ("held_out_probability", "verdict")
    )
    scored = np.isfinite(probability) & np.isin(domains, np.unique(domains[weight > 0]))
    right = np.zeros(preferences.n_pairs)
    right[scored] = correctness(probability[scored] - 0.5, verdict[scored])
    table = np.column_stack([agreeing, weight, right, scored])
    rows: Integers = np.flatnonzero(scored | (weight > 0))
    groups = groups_of(preferences, cluster_column=cluster)[rows]
    a, accuracy = _ratios(table[rows].sum(axis=0)[None])
    draws_a, draws_accuracy = _ratios(_draws(preferences, table, rows, groups, seed))
    kind, votes = replicates.kind, replicates.votes
    top, _ = under_beta(np.r_[a, draws_a], kind=kind, votes=votes)
    shares = _share(np.r_[accuracy, draws_accuracy], top)
    known = shares[1:][np.isfinite(shares[1:])]
    low, high = np.nan, np.nan
    if known.size > 0.9 * shares.size:
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    bounds = limits(float(a[0]), kind=kind, votes=votes)
    least, most = _share(accuracy, np.array([bounds.accuracy_most, bounds.accuracy_least]))
    return Share(
        accuracy=float(accuracy[0]),
        share=float(shares[0]),
        low=float(low),
        high=float(high),
        least=float(least),
        most=float(most),
        n_pairs=int(scored.sum()),
        ceiling=ceiling,
    )


def _agreement(replicates: Replicates) -> tuple[Array, Array]:
    """Return weight times agreement and weight of each pair: its number of verdicts, 0 if one."""
    wins, losses = replicates.wins, replicates.losses
    n = wins + losses
    weight = np.where(n >= 2, n, 0.0)
    pairs = np.where(n >= 2, n * (n - 1.0), 1.0)
    agree = (wins * (wins - 1.0) + losses * (losses - 1.0)) / pairs
    return weight * agree, weight


def _draws(
    preferences: Preferences, table: Array, rows: Integers, groups: Integers, seed: int
) -> Array:
    """Return sums of the columns over pairs in draws of groups within domains, shape (R, S)."""
    codes = preferences.pairs["domain"].rank("dense").to_numpy().astype(np.int64)[rows] - 1
    _, codes = np.unique(codes, return_inverse=True)
    sums, _ = stratum_sums(
        table[rows], codes, Resampling.of(groups, codes), n_replicates=N_DRAWS, seed=seed
    )
    return np.asarray(sums.sum(axis=1))


def _ratios(sums: Array) -> tuple[Array, Array]:
    with np.errstate(invalid="ignore"):
        return sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]


def _share(accuracy: Array, ceiling: Array) -> Array:
    """Return (accuracy - 1/2) / (ceiling - 1/2), NaN where the ceiling is a coin."""
    room = ceiling - 0.5
    out = np.full(np.broadcast(accuracy, room).shape, np.nan)
    np.divide(accuracy - 0.5, room, out=out, where=room > 1e-9)
    return out
