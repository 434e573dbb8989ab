"""From what the strategies did with the tied pairs to the tables of `TieBreaks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from palate.actions import ties_result as tables
from palate.actions.coverage_curve import coverage_curve
from palate.actions.strategies import Guide, Strategy
from palate.actions.ties_asked import Answers, criteria_of
from palate.actions.ties_fits import Array, Integers, Mask, TieFits
from palate.actions.ties_result import TieBreaks
from palate.actions.ties_scores import (
    TIED,
    Mean,
    coin_test,
    difference,
    gain,
    proportion,
    scores_of,
)
from palate.data.preferences import Preferences
from palate.inference.adjusted import holm
from palate.mechanisms.matchup import Said


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one strategy did with the T tied pairs.

    Parameters
    ----------
    strategy
        The strategy.
    guides
        The concepts it followed.
    broken
        Sides, shape (T,), 0 for still tied.
    score
        How far the concepts lean to response a, shape (T,).
    sureness
        How sure each side is, not negative, shape (T,).
    answers
        What a model said, None where none was asked.
    """

    strategy: Strategy
    guides: tuple[Guide, ...]
    broken: Array
    score: Array
    sureness: Array
    answers: Answers | None


def result_of(
    preferences: Preferences,
    fits: TieFits,
    done: list[Outcome],
    notes: list[str],
    *,
    level: float,
    settings: dict[str, Any],
) -> TieBreaks:
    """Return the tables of a result.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    fits
        The tied pairs and the explanations.
    done
        What the strategies did, at least one.
    notes
        What a reader must know so far.
    level
        Level of the intervals.
    settings
        How it was computed.
    """
    right = np.full(preferences.n_pairs, np.nan)
    if fits.reference is not None:
        right = np.sign(preferences.verdict(fits.reference))
    verdict = np.sign(preferences.verdict(fits.judge))
    scored = np.nan_to_num(right) != 0  # pairs on which the reference took a side
    tied = scored[fits.rows]
    groups = fits.group_of[fits.rows]
    side = right[fits.rows]
    whole = np.flatnonzero(scored & ~np.isnan(verdict))
    before = scores_of(verdict[whole], right[whole])
    place = np.searchsorted(whole, fits.rows[tied])
    rows: list[dict[str, Any]] = []
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in tables.TABLES}
    by_random: Array | None = None
    for one in done:
        scores = scores_of(one.broken[tied], side[tied])
        by_random = scores if one.strategy == "random" else by_random
        moved = np.zeros(whole.size)
        moved[place] = scores - TIED
        row: dict[str, Any] = {
            "strategy": one.strategy,
            "n_tied": fits.n_tied,
            "n_guided": _guided(fits, one),
            "n_broken": int(np.count_nonzero(one.broken)),
            "n_failed": _failures(one),
            "n_scored": int(tied.sum()),
            "p_value": None,
            "all_before": float(before.mean()) if whole.size else None,
            "all_after": float((before + moved).mean()) if whole.size else None,
        }
        of_broken = one.broken[tied] != 0
        accuracy = _accuracy(scores, groups[tied], level)
        row |= _ends("accuracy", accuracy)
        row |= _ends("gain", Mean(*(None if v is None else v - 0.5 for v in accuracy)))
        row |= _ends(
            "accuracy_broken", proportion(scores[of_broken], groups[tied][of_broken], level=level)
        )
        if of_broken.any():
            row["p_value"] = coin_test(scores - TIED, groups[tied])
            row |= _ends("all_gain", gain(moved, fits.group_of[whole], level=level))
        if by_random is not None and one.strategy != "random" and (scores != by_random).any():
            row |= _ends("over_random", difference(scores - by_random, groups[tied], level=level))
            row["over_random_p"] = coin_test(scores - by_random, groups[tied])
        rows.append(row)
        found["domains"] += _by_domain(fits, one, tied, side, groups, level)
        found["curve"] += [
            {"strategy": one.strategy, **r}
            for r in coverage_curve(
                one.broken[tied], one.sureness[tied], side[tied], groups[tied], level=level
            )
        ]
        found["concepts"] += _concepts(fits, one)
        found["pairs"] += _pairs(preferences, fits, one)
    p_values = [np.nan if row["p_value"] is None else row["p_value"] for row in rows]
    for row, adjusted in zip(rows, holm(p_values).tolist(), strict=True):
        row["p_adjusted"] = None if np.isnan(adjusted) else adjusted
    found["strategies"] = rows
    if fits.reference is not None and np.array_equal(
        preferences.verdict(fits.reference), preferences.verdict(fits.judge), equal_nan=True
    ):
        notes = [*notes, f"{fits.reference!r} has the same verdicts as {fits.judge!r}."]
    return TieBreaks(
        judge=fits.judge,
        reference=fits.reference,
        notes=tuple(dict.fromkeys([*notes, *_told(fits, tied, done)])),
        settings=settings,
        **{
            name: pl.DataFrame(found[name], schema=schema) for name, schema in tables.TABLES.items()
        },
    )


def _ends(name: str, mean: Mean) -> dict[str, float | None]:
    return {name: mean.value, f"{name}_low": mean.low, f"{name}_high": mean.high}


def _accuracy(scores: Array, groups: Integers, level: float) -> Mean:
    """Return the mean score; where nothing was broken it is one half, which is no estimate."""
    if scores.size and (scores == TIED).all():
        return Mean(TIED, None, None)
    return proportion(scores, groups, level=level)


def _guided(fits: TieFits, one: Outcome) -> int:
    return sum(
        int(((fits.part_of == g.part) & (fits.codes == g.domain)).sum())
        for g in one.guides
        if g.columns.size
    )


def _by_domain(
    fits: TieFits, one: Outcome, tied: Mask, side: Array, groups: Integers, level: float
) -> list[dict[str, Any]]:
    rows = []
    for d in np.unique(fits.codes).tolist():
        here = fits.codes == d
        known = here & tied
        scores = scores_of(one.broken[known], side[known])
        rows.append(
            {
                "strategy": one.strategy,
                "domain": fits.domains[d],
                "n_tied": int(here.sum()),
                "n_broken": int(np.count_nonzero(one.broken[here])),
                "n_scored": int(known.sum()),
                **_ends("accuracy", _accuracy(scores, groups[known], level)),
            }
        )
    return rows


def _concepts(fits: TieFits, one: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "strategy": one.strategy,
            "part": guide.part,
            "domain": fits.domains[guide.domain],
            "concept": criterion.name,
            "aim": criterion.aim,
            "weight": float(weight),
        }
        for guide in one.guides
        for criterion, weight in zip(criteria_of(fits, guide), guide.weights, strict=True)
    ]


def _pairs(preferences: Preferences, fits: TieFits, one: Outcome) -> list[dict[str, Any]]:
    ids = preferences.pairs["id"].gather(fits.rows).to_list()
    rows = []
    for t, name in enumerate(ids):
        said = None if one.answers is None else one.answers.judged[t]
        orders = (None, None) if said is None else (said.ab, said.ba)
        rows.append(
            {
                "id": name,
                "domain": fits.domains[fits.codes[t]],
                "part": int(fits.part_of[t]),
                "strategy": one.strategy,
                "broken": float(one.broken[t]) + 0.0,
                "score": float(one.score[t]),
                "sureness": float(one.sureness[t]),
                "ab": _known(orders[0]),
                "ba": _known(orders[1]),
                "failure": "; ".join(o.failure for o in orders if o is not None and o.failure)
                or None,
            }
        )
    return rows


def _failures(one: Outcome) -> int:
    return 0 if one.answers is None else one.answers.failures


def _known(said: Said | None) -> float | None:
    return None if said is None or np.isnan(said.verdict) else float(said.verdict)


def _told(fits: TieFits, tied: Mask, done: list[Outcome]) -> list[str]:
    notes = []
    bare = int((~fits.covered).sum())
    if bare:
        notes.append(f"{bare:,} of the {fits.n_tied:,} tied pairs have no concept value.")
    if fits.reference is None:
        notes.append(
            "No reference is named, so no accuracy can be given, and nothing can be decided by "
            "what it rewards."
        )
    elif not tied.any():
        notes.append(
            f"{fits.reference!r} took a side on none of the tied pairs, so no accuracy can be "
            "given."
        )
    elif tied.sum() < fits.n_tied:
        notes.append(
            f"{fits.reference!r} took a side on {tied.sum():,} of the {fits.n_tied:,} tied pairs; "
            "the others are not scored."
        )
    lacking = [f"{_failures(o):,} for {o.strategy}" for o in done if _failures(o)]
    if lacking:
        notes.append(
            f"Pairs that lack an answer in some order stay ties ({', '.join(lacking)}); the same "
            "command asks them again."
        )
    return notes
