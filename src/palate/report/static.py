"""Effects as ready-made rows, for pages without a script, notebooks and Markdown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from palate.explanations.explanation import Explanation
from palate.report.effect_words import SHORT, SYMBOLS, effect_sentence
from palate.report.effects import Effect, effects, lift
from palate.report.words import interval_words, lift_words


@dataclass(frozen=True)
class ShortEffect:
    """One row: the effect, its texts, and where to draw it, in per cent of the drawing.

    A bar goes from `start`, `width` wide, only where the effect is supported; `at` is the dot,
    `low_at` to `high_at` the interval, `zero` no effect.
    """

    effect: Effect
    symbol: str
    verdict: str
    lift: str
    interval: str
    sentence: str
    start: float
    width: float
    zero: float
    at: float
    low_at: float
    high_at: float


def short_effects(
    explanation: Explanation,
    *,
    domain: str | None = None,
    top: int = 8,
    supported_only: bool = False,
) -> list[ShortEffect]:
    """Return the first effects, supported ones before others, drawn on one common scale.

    Effects that could not be estimated are left out.

    Parameters
    ----------
    explanation
        The explained mechanism.
    domain
        None for the effects shared by all domains, else the effects in this domain.
    top
        At most so many.
    supported_only
        Leave out what is not supported.
    """
    found = [e for e in effects(explanation, domain=domain) if e.known]
    chosen = [e for e in found if e.supported or not supported_only][:top]
    ends = [lift(x) for e in chosen for x in (e.estimate, e.low, e.high) if not math.isnan(x)]
    least, most = min([0.0, *ends]), max([0.0, *ends])
    span = (most - least) or 1.0

    def at(weight: float) -> float:
        return round(100 * (lift(weight) - least) / span, 2)

    zero = at(0.0)
    return [
        ShortEffect(
            effect=e,
            symbol=SYMBOLS[e.verdict],
            verdict=SHORT[e.verdict],
            lift=lift_words(e.estimate),
            interval=interval_words(e.low, e.high),
            sentence=effect_sentence(e, explanation),
            start=min(zero, at(e.drawn)),
            width=round(abs(at(e.drawn) - zero), 2) if e.supported else 0.0,
            zero=zero,
            at=at(e.estimate),
            low_at=at(e.low),
            high_at=at(e.high),
        )
        for e in chosen
    ]
