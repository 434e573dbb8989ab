"""Scores, baselines and calibration as the page draws them, and their sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from palate.explanations.calibration import WHOLE, calibration_sentence
from palate.explanations.evaluation import IN_DOMAIN, NEW_DOMAIN, OURS
from palate.explanations.explanation import Explanation
from palate.explanations.nulls import FORMATTING, LABELS, VERDICTS
from palate.explanations.yardsticks import domain_warning, null_sentence
from palate.report.figures import SETTINGS, TOTALS, Score, scores_of
from palate.report.visible import one_line

MODELS = {
    OURS: "This explanation",
    "majority": "More frequent side",
    "first response": "First response",
    "longer response": "Longer response",
    FORMATTING: "Length and layout only",
    VERDICTS: "Shuffled verdicts",
    LABELS: "Shuffled concept names",
    "pooled": "One regression for all domains",
    "per domain": "One regression per domain",
}
"""Names of models as tables show them; those but the first and the last two know no concept."""
_MINUS = re.compile(r"(?<=\s)-(?=\d)")
BY_DOMAIN = (OURS, "longer response", "majority", FORMATTING)


def score_data(explanation: Explanation, *, domains: Sequence[str]) -> list[list[Any]]:
    """Return [setting, model, domain (-1: all), accuracy, low, high, pairs, gain, low, high].

    Settings and models are numbered as in `SETTINGS` and `MODELS`, shares in tenths of a per cent.

    Parameters
    ----------
    explanation
        The explained mechanism.
    domains
        The domains of the report, in its order.
    """
    found = scores_of(explanation)
    models = list(MODELS)
    rows = []
    for s in found:
        if s.model not in MODELS or s.setting not in SETTINGS:
            continue
        if s.domain == _total(found, s.setting):
            place = -1
        elif s.domain in domains and s.model in BY_DOMAIN:
            place = domains.index(s.domain)
        else:
            continue
        numbers = [_mille(x) for x in (s.accuracy, s.low, s.high)]
        gains = [_mille(x) for x in (s.gain, s.gain_low, s.gain_high)] if place < 0 else []
        head = [SETTINGS.index(s.setting), models.index(s.model), place]
        rows.append([*head, *numbers, s.n_pairs, *gains])
    return rows


def calibration_data(explanation: Explanation) -> list[list[int]]:
    """Return [predicted, observed, low, high, pairs] by bin on new prompts, in tenths of per cent.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    names = ("predicted", "observed", "observed_low", "observed_high")
    return [
        [*(round(1000 * r[k]) for k in names), r["n_pairs"]]
        for r in explanation.calibration.iter_rows(named=True)
        if r["setting"] == IN_DOMAIN and r["bin"] != WHOLE
    ]


def yardstick_sentences(explanation: Explanation) -> list[str]:
    """Return what the numbers are worth: gain over null baselines, calibration, reach in domains.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    rows = explanation.calibration.to_dicts()
    said = [
        null_sentence(explanation),
        null_sentence(explanation, setting=NEW_DOMAIN),
        str(explanation.ceiling.get("sentence", "")),
        calibration_sentence(rows, setting=IN_DOMAIN),
        domain_warning(explanation),
    ]
    return [one_line(_MINUS.sub("−", s), 1_000) for s in said if s]


def _total(found: Sequence[Score], setting: str) -> str | None:
    kept = {s.domain for s in found if s.setting == setting}
    return next((d for d in TOTALS if d in kept), None)


def _mille(value: float | None) -> int | None:
    return None if value is None else round(1000 * value)
