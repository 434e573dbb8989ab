"""Tied pairs, asked again: which response follows the concepts of a strategy better."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from palate.actions.guidance import criterion_of
from palate.actions.strategies import Guide
from palate.actions.ties_fits import Array, TieFits
from palate.data.preferences import Preferences
from palate.data.shown import MAX_CHARS
from palate.llm.outcome import Asks
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.judging import judge_matchups
from palate.mechanisms.matchup import Judged, Matchup
from palate.mechanisms.style import JudgeStyle


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model said of the tied pairs.

    Parameters
    ----------
    broken
        Sides, shape (T,): +1, -1, 0 where it is still a tie or nothing was asked.
    soft
        Soft verdicts, shape (T,), NaN where the endpoint gives none.
    judged
        What was said in each order, None for a pair that was not asked; length T.
    """

    broken: Array
    soft: Array
    judged: tuple[Judged | None, ...]

    @property
    def failures(self) -> int:
        """Pairs that lack the answer of an order."""
        return sum(j is not None and math.isnan(j.verdict) for j in self.judged)

    @property
    def sure(self) -> bool:
        """Whether each side has a soft verdict, and there is any."""
        sided = self.broken != 0
        return bool(sided.any() and np.isfinite(self.soft[sided]).all())


def criteria_of(fits: TieFits, guide: Guide) -> tuple[Criterion, ...]:
    """Return the concepts of a guide as criteria.

    Parameters
    ----------
    fits
        What the guide was made of.
    guide
        The guide.
    """
    return tuple(
        criterion_of(fits.concepts[j], weight=float(weight))
        for j, weight in zip(guide.columns.tolist(), guide.weights.tolist(), strict=True)
    )


def ask_ties(
    preferences: Preferences,
    fits: TieFits,
    guides: tuple[Guide, ...],
    client: Asks,
    *,
    soft: bool = False,
    max_chars: int = MAX_CHARS,
) -> Answers:
    """Ask which response follows the concepts better, in both orders; disagreement stays a tie.

    Pairs of a domain without any concept are not asked.

    Parameters
    ----------
    preferences
        The pairs.
    fits
        The tied ones.
    guides
        The concepts, by part and domain.
    client
        Who answers.
    soft
        Whether probabilities of the verdict are asked for.
    max_chars
        Longest prompt or response that is shown whole.

    Raises
    ------
    InputError
        If nothing can be asked (a wrong key, an unknown model).
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    styles: dict[str, JudgeStyle] = {}
    matchups: list[Matchup] = []
    position: list[int] = []
    pairs = preferences.pairs[fits.rows].rows(named=True)
    for guide in guides:
        if not guide.columns.size:
            continue
        style = JudgeStyle(criteria=criteria_of(fits, guide), question="follows")
        here = (fits.part_of == guide.part) & (fits.codes == guide.domain)
        for t in np.flatnonzero(here).tolist():
            row = pairs[t]
            styles[row["id"]] = style
            matchups.append(Matchup(row["id"], row["prompt"], row["response_a"], row["response_b"]))
            position.append(t)
    broken, leaning = np.zeros(fits.n_tied), np.full(fits.n_tied, np.nan)
    judged: list[Judged | None] = [None] * fits.n_tied
    if matchups:
        said = judge_matchups(
            client, matchups, lambda m: styles[m.id], soft=soft, max_chars=max_chars
        )
        for t, one in zip(position, said, strict=True):
            judged[t] = one
            broken[t] = 0.0 if math.isnan(one.verdict) else one.verdict
            leaning[t] = math.nan if one.soft is None else one.soft
    return Answers(broken, leaning, tuple(judged))
