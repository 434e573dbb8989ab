"""Held-out scores and settings of an `Explanation`, as a report reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl

from palate.explanations.explanation import Explanation

OURS = "HMDR"
SETTINGS = ("in domain", "new domain")
TOTALS = ("(mean)", "(all pairs)")
_SCORES: WeakKeyDictionary[Explanation, list[Score]] = WeakKeyDictionary()  # read often


@dataclass(frozen=True)
class Score:
    """Held-out accuracy of one model in one setting; None where it cannot be computed.

    `gain` is the accuracy of the explanation minus this one, with the interval of the paired
    difference; None for the explanation itself.
    """

    setting: str
    model: str
    domain: str
    accuracy: float
    low: float | None
    high: float | None
    log_loss: float | None
    n_pairs: int
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


def scores_of(explanation: Explanation) -> list[Score]:
    """Return all scores that could be computed, in the order of the frame.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    if explanation in _SCORES:
        return _SCORES[explanation]
    rows = explanation.scores.filter(pl.col("accuracy").is_not_null())
    found = [
        Score(
            setting=r["setting"],
            model=r["model"],
            domain=r["domain"],
            accuracy=r["accuracy"],
            low=r["accuracy_low"],
            high=r["accuracy_high"],
            log_loss=r["log_loss"],
            n_pairs=r["n_pairs"] or 0,
            gain=r.get("gain"),
            gain_low=r.get("gain_low"),
            gain_high=r.get("gain_high"),
        )
        for r in rows.iter_rows(named=True)
    ]
    _SCORES[explanation] = found
    return found


def headline_score(
    explanation: Explanation, *, model: str = OURS, setting: str = "in domain"
) -> Score | None:
    """Return the score over all domains (their mean, else all pairs), or None if there is none.

    Parameters
    ----------
    explanation
        The explained mechanism.
    model
        Name of the model or baseline.
    setting
        "in domain" or "new domain".
    """
    found = {
        s.domain: s
        for s in scores_of(explanation)
        if s.setting == setting and s.model == model and s.domain in TOTALS
    }
    return next((found[d] for d in TOTALS if d in found), None)


def n_scored(explanation: Explanation, *, setting: str = "in domain") -> int:
    """Return the number of domains that have a score: what "(mean)" is the mean of.

    Parameters
    ----------
    explanation
        The explained mechanism.
    setting
        "in domain" or "new domain".
    """
    return len({s.domain for s in scores_of(explanation) if s.setting == setting} - set(TOTALS))


def level_of(explanation: Explanation) -> str:
    """Return the level of the intervals in per cent, for instance "90".

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    level: Any = explanation.settings.get("level", 0.9)
    return f"{100 * float(level):.4g}"


def fdr_of(explanation: Explanation) -> str:
    """Return the false discovery rate of the verdicts in per cent, for instance "10".

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    fdr: Any = explanation.settings.get("fdr", 0.1)
    return f"{100 * float(fdr):.4g}"
