"""`judge_quality`: how good judges are, from verdicts that are there; no model is asked.

Measures and their intervals are those of `palate.validate.judge_quality_measures` and
`palate.validate.judge_quality_shares`. Rows are mechanisms by domains, "(all pairs)" and "(mean of
domains)" among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from palate.data.orders import recorded_orders
from palate.data.preferences import Preferences
from palate.data.splits import groups as groups_of
from palate.errors import InputError, UnknownNameError
from palate.inference.adjusted import benjamini_hochberg_adjusted, holm
from palate.mechanisms.matchup import Judged
from palate.validate.judge_quality_measures import (
    MEASURES,
    Orders,
    accuracy_scores,
    ahead,
    lean_p,
    pair_sums,
    ranking,
    said_orders,
)
from palate.validate.judge_quality_result import ALL, MEAN, JudgeQuality
from palate.validate.judge_quality_shares import (
    Array,
    Integers,
    shares,
)

Row = dict[str, Any]


def judge_quality(
    preferences: Preferences,
    mechanisms: Sequence[str] | None = None,
    *,
    reference: str | None = None,
    judged: Mapping[str, Sequence[Judged]] | None = None,
    level: float = 0.9,
    cluster: str | None = None,
) -> JudgeQuality:
    """Return how good judges are: position bias, flips, ties, self-consistency, accuracy.

    Verdicts by order come from the metadata column `orders` (`palate.data.orders`), or from
    `judged`. Intervals are over groups of pairs that share a prompt or the responses. Everything is
    computed, nothing drawn, so there is no seed.

    Parameters
    ----------
    preferences
        The pairs with the recorded verdicts.
    mechanisms
        The judges; all but the reference if None.
    reference
        The mechanism that is right by definition, for instance people; None for no accuracy.
    judged
        What judges said, by mechanism, in place of the column; samples of one question are only
        known from here.
    level
        Level of the intervals; tests are at 1 - level.
    cluster
        A metadata column whose pairs stay together, as those of one prompt do.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism, reference, column or pair.
    InputError
        If there is no judge, the reference is one of them, the level is not between 0 and 1, or a
        domain has the name of a line over all domains.
    """
    if not 0 < level < 1:
        raise InputError(f"judge_quality: found level={level}; expected a number between 0 and 1.")
    for name in (ALL, MEAN):
        if name in preferences.domains:
            raise InputError(
                f"judge_quality: found a domain {name!r}, which is the name of a line over all "
                "domains; expected another name."
            )
    names = _names(preferences, mechanisms, reference, judged or {})
    groups = groups_of(preferences, cluster_column=cluster)
    domains = preferences.domains
    number = {domain: k for k, domain in enumerate(domains)}
    codes = np.array([number[d] for d in preferences.pairs["domain"]], dtype=np.int64)
    orders: dict[str, Orders] = recorded_orders(preferences)
    samples: dict[str, Orders] = {}
    row_of = {name: i for i, name in enumerate(preferences.ids)} if judged else {}
    for name, said in (judged or {}).items():
        orders[name], samples[name] = said_orders(said, row_of, preferences.n_pairs)
    truth = None if reference is None else preferences.verdict(reference)

    rows: list[Row] = []
    for name in names:
        rows += _rows(
            name,
            preferences.verdict(name),
            orders.get(name),
            truth,
            samples.get(name),
            (codes, groups, domains, level),
        )
    _adjust_places(rows)
    best = None if truth is None else _rank(rows, preferences, names, truth, groups, level)
    return JudgeQuality.of(
        rows,
        reference=reference,
        best=best,
        notes=_notes(preferences, names, orders, truth, reference),
        settings={"level": level, "cluster": cluster, "tests": "Holm; by domain, BH"},
        counts={
            "pairs": preferences.n_pairs,
            "groups": int(np.unique(groups).size),
            "domains": len(domains),
            "judges": len(names),
        },
    )


def _names(
    preferences: Preferences,
    mechanisms: Sequence[str] | None,
    reference: str | None,
    judged: Mapping[str, Sequence[Judged]],
) -> tuple[str, ...]:
    known = preferences.mechanisms
    if reference is not None and reference not in known:
        raise UnknownNameError("reference mechanism", reference, known)
    names = tuple(
        (m for m in known if m != reference) if mechanisms is None else dict.fromkeys(mechanisms)
    )
    for name in (*names, *judged):
        if name not in known:
            raise UnknownNameError("mechanism", name, known)
    if reference in names:
        raise InputError(
            f"judge_quality: found {reference!r} as reference and as judge; expected two different "
            "mechanisms."
        )
    if not names:
        raise InputError("judge_quality: found no judge; expected at least one mechanism to judge.")
    return names


def _rows(
    name: str,
    verdict: Array,
    orders: Orders | None,
    truth: Array | None,
    samples: Orders | None,
    where: tuple[Integers, Integers, tuple[str, ...], float],
) -> list[Row]:
    """Return the rows of one judge: all pairs, the mean of domains, each domain it judged in."""
    codes, groups, domains, level = where
    x, w = pair_sums(verdict, orders, truth, samples)
    found = shares(x, w, codes, groups, len(domains))
    low, high = found.interval(level)
    rows: list[Row] = []
    for at, domain in enumerate((ALL, MEAN, *domains)):
        if domain not in (ALL, MEAN) and not found.weight[at].any():
            continue
        row: Row = {"mechanism": name, "domain": domain}
        row["judged"] = int(found.weight[at, MEASURES.index("ties")])
        row["both_orders"] = int(found.weight[at, MEASURES.index("flips")])
        row["answers"] = int(found.weight[at, MEASURES.index("said_ties")])
        row["compared"] = int(found.weight[at, MEASURES.index("accuracy")])
        for k, measure in enumerate(MEASURES):
            row[measure] = _number(found.value[at, k])
            row[f"{measure}_low"] = _number(low[at, k])
            row[f"{measure}_high"] = _number(high[at, k])
        if orders is not None and row["both_orders"] and domain != MEAN:
            here = slice(None) if domain == ALL else codes == at - 2
            row["place_p"] = lean_p((orders[0][here], orders[1][here]), groups[here])
        rows.append(row)
    return rows


def _adjust_places(rows: list[Row]) -> None:
    """Add the adjusted p-values of position bias: Holm over judges, BH over judges by domain."""
    p = np.array([row.get("place_p", np.nan) for row in rows])
    pooled = np.array([row["domain"] == ALL for row in rows])
    out = np.full(p.shape, np.nan)
    out[pooled] = holm(p[pooled])
    out[~pooled] = benjamini_hochberg_adjusted(p[~pooled])
    for row, adjusted in zip(rows, out, strict=True):
        row["place_p_adjusted"] = _number(adjusted)


def _rank(
    rows: list[Row],
    preferences: Preferences,
    names: Sequence[str],
    truth: Array,
    groups: Integers,
    level: float,
) -> str | None:
    """Add ranks and distances from the best judge to the rows of all pairs; return the best."""
    scores = np.column_stack([accuracy_scores(preferences.verdict(n), truth) for n in names])
    scored = np.flatnonzero(~np.isnan(scores).all(axis=0))
    if not scored.size:
        return None
    best, p, low, high = ranking(scores[:, scored], groups, alpha=1 - level)
    pooled = {row["mechanism"]: row for row in rows if row["domain"] == ALL}
    for j, column in enumerate(scored.tolist()):
        row = pooled[names[column]]
        row["rank_low"], row["rank_high"] = int(low[j]), int(high[j])
        if j == best:
            row["behind"] = row["behind_low"] = row["behind_high"] = 0.0
            continue
        found = ahead(scores[:, scored[best]], scores[:, column], groups)
        ends = found.interval(level)
        values = (float(found.value[0, 0]), float(ends[0][0, 0]), float(ends[1][0, 0]))
        for end, value in zip(("", "_low", "_high"), values, strict=True):
            row[f"behind{end}"] = _number(2 * value - 1)
        row["behind_p"] = _number(p[best, j])
    return names[int(scored[best])]


def _notes(
    preferences: Preferences,
    names: Sequence[str],
    orders: Mapping[str, Orders],
    truth: Array | None,
    reference: str | None,
) -> tuple[str, ...]:
    """Return sentences about what is missing."""
    notes = []
    without = [n for n in names if n not in orders]
    if without:
        notes.append(
            f"No verdicts by order of presentation are recorded of {_some(without)}: position "
            "bias, flips and the accuracy of single answers are empty there. They are kept in the "
            "metadata column 'orders'."
        )
    if truth is None:
        notes.append("No reference mechanism is named, so there is no accuracy.")
    else:
        ties = int((truth == 0).sum())
        if ties:
            notes.append(
                f"{reference} calls {ties:,} pair{'s' * (ties != 1)} a tie; they are left out of "
                "accuracies."
            )
        alone = [n for n in names if np.isnan(accuracy_scores(preferences.verdict(n), truth)).all()]
        if alone:
            notes.append(f"No pair was judged by {reference} and by {_some(alone)}.")
    alike = int((preferences.pairs["response_a"] == preferences.pairs["response_b"]).sum())
    if alike and len(without) < len(names):
        notes.append(
            f"{alike:,} pair{' has' if alike == 1 else 's have'} two responses that are the same: "
            "they count as ties on which the orders agree, and tell nothing of a judge."
        )
    judged = ~np.isnan([preferences.verdict(n) for n in names])
    if (judged != judged[0]).any():
        notes.append(
            "Not all judges judged the same pairs: accuracies side by side are of different pairs. "
            "Distances from the best and ranks are from the pairs that both judged."
        )
    return tuple(notes)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
