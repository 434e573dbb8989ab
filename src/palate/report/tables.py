"""Rows of the static tables of a report: scores, concepts with coverage, data and method."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palate.explanations.evaluation import IN_DOMAIN
from palate.explanations.explanation import Explanation
from palate.explanations.yardsticks import Yardstick, best_null, null_sentence
from palate.report.figures import Score, headline_score
from palate.report.visible import one_line
from palate.report.words import shown, signed, step_words
from palate.report.yardstick_data import MODELS

LABELS = {
    "pairs": "pairs in the file",
    "judged": "pairs judged",
    "ties": "ties (left out of the fit)",
    "without_values": "verdicts without any concept value",
    "used": "verdicts used",
    "evaluated_pairs": "verdicts used for choice and scores",
    "bags": "random parts that the resamples are drawn from",
    "objective": "objective at the optimum",
    "missing": "values that were not measured count as",
    "cluster": "further column kept together in folds and resamples",
    "dropped": "concepts left out because they do not vary",
    "grid": "settings tried by cross-validation",
    "prompts": "different prompts",
    "clusters": "groups that share a prompt or a pair of responses",
    "domains": "domains",
    "concepts": "concepts",
    "nonzero_shared": "weights that are not zero, shared part",
    "nonzero_domain": "weights that are not zero, domain parts",
    "alpha": "alpha (weight of the shared part's own loss)",
    "lambda_shared": "lambda of the shared part",
    "lambda_domain": "lambda of the domain parts",
    "at_edge": "a chosen value lies at the edge of the grid",
    "dual_gap": "duality gap (distance from the optimum, at most)",
    "relative_gap": "relative duality gap",
    "folds": "folds",
    "n_folds": "folds",
    "n_bootstrap": "bootstrap resamples of prompts",
    "level": "level of the intervals",
    "fdr": "false discovery rate of the verdicts",
    "repetition": "correlation of the verdicts on one prompt",
    "seed": "seed",
}


@dataclass(frozen=True)
class ScoreRow:
    """One mechanism in the table of scores: its score, the best null baseline, and the gain.

    `gain` and `gain_interval` are texts in points, empty where there is no baseline; `beaten` says
    that the gain over every null baseline lies above zero with its interval. `low_at` to `high_at`,
    `at` and `null_at` are positions in per cent of the drawing, None where there is nothing.
    """

    mechanism: str
    ours: Score
    null: str
    null_accuracy: str
    gain: str
    gain_interval: str
    beaten: bool
    sentence: str
    at: float
    low_at: float | None
    high_at: float | None
    null_at: float | None
    ceiling: str
    share: str
    share_interval: str
    ceiling_at: float | None


@dataclass(frozen=True)
class ScoreTable:
    """The scores of all mechanisms in one setting, and the scale that they are drawn on."""

    setting: str
    rows: tuple[ScoreRow, ...]
    ticks: tuple[tuple[float, str], ...]
    coin_at: float
    ceilings: bool


def score_table(explanations: Sequence[Explanation], *, setting: str) -> ScoreTable:
    """Return the headline scores in one setting, mechanisms without a score left out.

    Parameters
    ----------
    explanations
        One per mechanism.
    setting
        "in domain" or "new domain".
    """
    scored = [
        (e, s, best_null(e, setting=setting))
        for e in explanations
        if (s := headline_score(e, setting=setting)) is not None
    ]
    values = [x for _, s, y in scored for x in (s.accuracy, s.low, y.accuracy if y else None)]
    least = 40 if min((x for x in values if x is not None), default=1.0) >= 0.4 else 0

    def at(value: float | None) -> float | None:
        return None if value is None else round(100 * (100 * value - least) / (100 - least), 2)

    ticks = tuple(
        (at(x / 100) or 0.0, str(x)) for x in range(least, 101, 20 if least == 40 else 25)
    )
    return ScoreTable(
        setting=setting,
        rows=tuple(_score_row(e, s, y, at, setting) for e, s, y in scored),
        ticks=ticks,
        coin_at=at(0.5) or 0.0,
        ceilings=setting == IN_DOMAIN and any(e.ceiling for e, _, _ in scored),
    )


def _score_row(
    explanation: Explanation,
    ours: Score,
    null: Yardstick | None,
    at: Callable[[float | None], float | None],
    setting: str,
) -> ScoreRow:
    interval = ""
    if null is not None and null.low is not None and null.high is not None:
        interval = f"{signed(100 * null.low)} to {signed(100 * null.high)}"
    name = shown(explanation.mechanism)
    limit = explanation.ceiling if setting == IN_DOMAIN else {}
    best = float(limit["ceiling"]["accuracy"][0]) if limit else None
    said = f"{name}: {round(100 * ours.accuracy)} % predicted."
    return ScoreRow(
        mechanism=name,
        ours=ours,
        null=MODELS.get(null.model, null.model) if null else "",
        null_accuracy=f"{100 * null.accuracy:.0f} %" if null else "–",
        gain=signed(100 * null.gain) if null else "–",
        gain_interval=interval or "–",
        beaten=null is not None and null.beaten,
        sentence=" ".join(
            s for s in (said, null_sentence(explanation, setting=setting), _limit(limit)) if s
        ),
        at=at(ours.accuracy) or 0.0,
        low_at=at(ours.low),
        high_at=at(ours.high),
        null_at=at(null.accuracy) if null else None,
        ceiling="–" if best is None else f"{100 * best:.0f} %",
        share=_percent(limit.get("share")),
        share_interval=_share_interval(limit),
        ceiling_at=at(best),
    )


def _limit(ceiling: Mapping[str, Any]) -> str:
    return one_line(str(ceiling.get("sentence", "")), 600)


def _share_interval(ceiling: Mapping[str, Any]) -> str:
    ends = [ceiling.get(k) for k in ("low", "high")]
    if any(x is None or x != x for x in ends):
        return ""
    return " to ".join(f"{100 * float(x or 0.0):.0f}" for x in ends)


def _percent(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.0f} %"


def concept_rows(explanations: Sequence[Explanation]) -> list[dict[str, Any]]:
    """Return one row per concept with its definition, unit and lowest coverage.

    Parameters
    ----------
    explanations
        One per mechanism.
    """
    rows: dict[str, dict[str, Any]] = {}
    for explanation in explanations:
        share = {r["concept"]: r for r in explanation.coverage.iter_rows(named=True)}
        again = {r["concept"]: r for r in explanation.reliability.iter_rows(named=True)}
        for j, concept in enumerate(explanation.concepts.concepts):
            if concept.name in rows:
                continue
            found = share.get(concept.name, {})
            rows[concept.name] = {
                "name": one_line(concept.name, 120),
                "definition": one_line(concept.definition, 1000),
                "where": "all domains"
                if concept.domains is None
                else ", ".join(shown(d) for d in concept.domains),
                "origin": concept.origin,
                "family": one_line(concept.family, 40),
                "step": step_words(explanation, j),
                "measured": found.get("measured"),
                "nonzero": found.get("nonzero"),
                "reliability": _reliability(again.get(concept.name, {})),
            }
    return list(rows.values())


def _reliability(row: Mapping[str, Any]) -> str:
    """Return "0.81 (0.7 to 0.9)", empty where the concept was not annotated twice."""
    value, low, high = (row.get(k) for k in ("reliability", "low", "high"))
    if value is None or low is None or high is None or math.isnan(value):
        return ""
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


@dataclass(frozen=True)
class Facts:
    """Numbers of a run: those equal for all mechanisms, and a table of those that differ."""

    common: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def facts(explanations: Sequence[Explanation]) -> Facts:
    """Return counts and settings of the mechanisms, each number once.

    Parameters
    ----------
    explanations
        One per mechanism.
    """
    found = [
        _flat({**e.counts, **{k: _brief(k, v) for k, v in e.settings.items()}})
        for e in explanations
    ]
    keys = list(dict.fromkeys(k for f in found for k in f))
    same = [k for k in keys if len({f.get(k) for f in found}) == 1]
    differ = [k for k in keys if k not in same]
    return Facts(
        common=tuple((label(k), found[0][k]) for k in same),
        columns=tuple(label(k) for k in differ),
        rows=tuple(
            (shown(e.mechanism), *(f.get(k, "") for k in differ))
            for e, f in zip(explanations, found, strict=True)
        ),
    )


def run_rows(run: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return the information about a run as pairs of name and text.

    Parameters
    ----------
    run
        Any JSON-ready mapping, for instance the content of `run.json`, or None.
    """
    return [(one_line(k, 80), one_line(v, 400)) for k, v in _flat(run or {}).items()]


def label(key: str) -> str:
    """Return the words for a count or setting.

    Parameters
    ----------
    key
        Its name in `counts` or `settings`.
    """
    return LABELS.get(key, one_line(key.replace("_", " "), 60))


def number(value: object) -> str:
    """Return a value as the tables of a report show it.

    Parameters
    ----------
    value
        A number, truth value, text or JSON-ready structure.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _brief(key: str, value: Any) -> Any:
    """Return the size of the grid instead of its rows, and lists of names as text."""
    if key == "grid" and isinstance(value, Sequence):
        return len(value)
    if key == "dropped" and isinstance(value, Sequence):
        return one_line(", ".join(map(str, value)), 400) or "none"
    return value


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    rows: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            rows |= _flat(value, f"{prefix}{key} ")
        elif isinstance(value, list | tuple) and any(isinstance(x, Mapping) for x in value):
            rows |= _flat({f"{key} {k + 1}": x for k, x in enumerate(value)}, prefix)
        else:
            rows[f"{prefix}{key}"] = number(value)
    return rows
