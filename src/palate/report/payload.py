"""Explanations -> the JSON that a report embeds, compact and safe inside HTML.

Numbers are whole: estimates and weights in thousandths of log-odds, p-values in thousandths,
shares in per cent, scores in tenths of a per cent. Effects that do not exist by structure have no
row; null is what could not be estimated. Texts are cut and their control characters shown
(`visible`), so that the script can put them on the page as plain text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from palate.data.preferences import Preferences
from palate.explanations.explanation import Band, Explanation
from palate.inference.discoveries import Verdict
from palate.report.agreement import agreement
from palate.report.effect_words import SHORT, SYMBOLS, TEMPLATES, VERDICTS
from palate.report.examples import choose_examples
from palate.report.figures import level_of
from palate.report.sentences import mechanism_sentences
from palate.report.visible import cut, one_line
from palate.report.words import step_words
from palate.report.yardstick_data import (
    MODELS,
    calibration_data,
    score_data,
    yardstick_sentences,
)

FEW_MECHANISMS = 8
CONTRIBUTIONS = 6  # bars of a local explanation, the rest is summed
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def payload(explanations: Sequence[Explanation], preferences: Preferences) -> dict[str, Any]:
    """Return everything the script of a report draws, as JSON-ready data.

    Parameters
    ----------
    explanations
        One per mechanism, of these preferences.
    preferences
        The pairs, for the texts of the examples.
    """
    concepts, step = _concepts(explanations)
    domains = list(dict.fromkeys(d for e in explanations for d in e.domains))
    few = len(explanations) <= FEW_MECHANISMS
    texts = _Texts(preferences, limit=3000 if few else 1000)
    mechanisms = [
        _mechanism(e, concepts=concepts, domains=domains, texts=texts, few=few)
        for e in explanations
    ]
    agrees = agreement(explanations)
    return {
        "level": level_of(explanations[0]) if explanations else "90",
        "templates": TEMPLATES,
        "verdicts": [[v, SYMBOLS[v], SHORT[v]] for v in VERDICTS],
        "models": list(MODELS.values()),
        "concepts": [
            {
                "name": one_line(c.name, 120),
                "definition": one_line(c.definition, 600),
                "step": step[c.name],
                "domains": None
                if c.domains is None
                else [domains.index(d) for d in c.domains if d in domains],
            }
            for c in concepts.values()
        ],
        "domains": [one_line(d, 80) for d in domains],
        "mechanisms": mechanisms,
        "pairs": texts.rows,
        "agreement": {
            "share": [[None if np.isnan(x) else round(100 * x) for x in r] for r in agrees.share],
            "n": agrees.n_pairs.tolist(),
        },
    }


def embed(data: Any) -> str:
    """Return data as JSON that cannot end or open an HTML element.

    Parameters
    ----------
    data
        JSON-ready data.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return text


class _Texts:
    """The pairs that are shown, each once, with their texts cut to `limit` characters."""

    def __init__(self, preferences: Preferences, *, limit: int) -> None:
        self.preferences, self.limit = preferences, limit
        self.rows: list[dict[str, Any]] = []
        self._index: dict[str, int] = {}

    def index(self, pair_id: str) -> int:
        """Return the place of a pair in `rows`, adding it if it is new."""
        if pair_id not in self._index:
            row = self.preferences.pairs.row(self.preferences.row(pair_id), named=True)
            entry: dict[str, Any] = {
                "id": one_line(pair_id, 80),
                "domain": one_line(row["domain"], 80),
                "cut": [],
            }
            for key in ("prompt", "response_a", "response_b"):
                entry[key], more = cut(row[key], self.limit)
                entry["cut"].append(more)
            self._index[pair_id] = len(self.rows)
            self.rows.append(entry)
        return self._index[pair_id]


def _concepts(explanations: Sequence[Explanation]) -> tuple[dict[str, Any], dict[str, str]]:
    found: dict[str, Any] = {}
    step: dict[str, str] = {}
    for explanation in explanations:
        for j, concept in enumerate(explanation.concepts.concepts):
            if concept.name not in found:
                found[concept.name] = concept
                step[concept.name] = step_words(explanation, j)
    return found, step


def _mechanism(
    explanation: Explanation,
    *,
    concepts: dict[str, Any],
    domains: list[str],
    texts: _Texts,
    few: bool,
) -> dict[str, Any]:
    place = {name: k for k, name in enumerate(concepts)}
    column = [place[name] for name in explanation.concepts.names]
    in_domain = {}
    for d, domain in enumerate(explanation.domains):
        deviation = _at(explanation.domain, d)
        in_domain[str(domains.index(domain))] = _rows(
            column, _at(explanation.total, d), _scaled(deviation)[:3]
        )
    return {
        "name": one_line(explanation.mechanism, 80),
        "sentences": mechanism_sentences(explanation),
        "shared": _rows(column, explanation.shared),
        "domains": in_domain,
        "scores": score_data(explanation, domains=domains),
        "calibration": calibration_data(explanation),
        "yardsticks": yardstick_sentences(explanation),
        "examples": _examples(explanation, column=column, texts=texts, few=few),
    }


def _rows(column: list[int], band: Band, difference: Sequence[Any] = ()) -> list[Any]:
    """Return [concept, verdict, estimate, low, high, p, weight, selected, then the difference]."""
    parts = [*_scaled(band), *difference]
    return [
        [column[j], _verdict(band.verdict[j]), *(part[j] for part in parts)]
        for j in np.flatnonzero(~np.isnan(band.weight)).tolist()
    ]


def _scaled(band: Band) -> list[list[int | None]]:
    """Return estimate, low, high, p, weight (thousandths) and selected (per cent), NaN as None."""
    numbers = [band.estimate, band.low, band.high, band.p_value, band.weight, band.selected / 10]
    return [[_whole(1000 * x) for x in values] for values in numbers]


def _whole(value: float) -> int | None:
    return round(float(value)) if math.isfinite(value) else None


def _verdict(word: str) -> int:
    return VERDICTS.index(word) if word in VERDICTS else VERDICTS.index(Verdict.NOT)


def _at(band: Band, d: int) -> Band:
    return Band(**{name: part[d] for name, part in vars(band).items()})


def _examples(
    explanation: Explanation, *, column: list[int], texts: _Texts, few: bool
) -> list[dict[str, Any]]:
    chosen = choose_examples(
        explanation, n_concepts=3, per_concept=2 if few else 1, n_misses=4 if few else 3
    )
    place = dict(zip(explanation.concepts.names, column, strict=True))
    shown = []
    for example in chosen:
        local = explanation.local(example.pair_id)
        parts = [c for c in local.contributions if c.contribution]
        rest = parts[CONTRIBUTIONS:]
        shown.append(
            {
                "pair": texts.index(example.pair_id),
                "concept": None if example.concept is None else column[example.concept],
                "verdict": local.verdict,
                "fitted": round(100 * local.probability),
                "held_out": None
                if local.held_out_probability is None
                else round(100 * local.held_out_probability),
                "log_odds": round(1000 * local.log_odds),
                "parts": [
                    [place[c.concept], round(c.value, 2), round(1000 * c.contribution)]
                    for c in parts[:CONTRIBUTIONS]
                ],
                "rest": [len(rest), round(1000 * math.fsum(c.contribution for c in rest))],
                "flips": [[place[f.concept], f.change] for f in local.flips],
            }
        )
    return shown
