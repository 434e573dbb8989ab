"""The first table of a report: what each mechanism rewards and penalises, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from palate.explanations.explanation import Explanation
from palate.report.effect_words import SYMBOLS
from palate.report.effects import Effect, domain_statements, supported_effects
from palate.report.figures import Score, headline_score
from palate.report.words import interval_words, lift_words, shown


@dataclass(frozen=True)
class Item:
    """One supported effect: its mark, the concept, the lift and its interval, as texts."""

    symbol: str
    verdict: str
    concept: str
    domain: str  # empty for an effect shared by all domains
    lift: str
    interval: str


@dataclass(frozen=True)
class Glance:
    """One mechanism: its surest supported effects, how many there are, and its score.

    `more` counts, for rewards and penalties, the supported effects that are not listed.
    """

    mechanism: str
    rewards: tuple[Item, ...]
    penalises: tuple[Item, ...]
    more: tuple[int, int]
    score: Score | None


def glance(explanations: Sequence[Explanation], *, top: int) -> list[Glance]:
    """Return one row per mechanism, surest effects first.

    Effects are those supported everywhere; a mechanism that has none of a sign shows its surest
    one in a single domain, if one is supported.

    Parameters
    ----------
    explanations
        One per mechanism.
    top
        At most so many effects of either sign.
    """
    rows = []
    for explanation in explanations:
        rewards, more_rewards = _items(explanation, sign=1, top=top)
        penalties, more_penalties = _items(explanation, sign=-1, top=top)
        rows.append(
            Glance(
                mechanism=shown(explanation.mechanism),
                rewards=rewards,
                penalises=penalties,
                more=(more_rewards, more_penalties),
                score=headline_score(explanation),
            )
        )
    return rows


def _items(explanation: Explanation, *, sign: int, top: int) -> tuple[tuple[Item, ...], int]:
    everywhere = [e for e in supported_effects(explanation) if sign * e.estimate > 0]
    within = [e for e in domain_statements(explanation) if sign * e.estimate > 0]
    found = everywhere[:top] or within[:1]
    return tuple(_item(e) for e in found), len(everywhere) + len(within) - len(found)


def _item(effect: Effect) -> Item:
    return Item(
        symbol=SYMBOLS[effect.verdict],
        verdict=effect.verdict,
        concept=shown(effect.concept),
        domain="" if effect.domain is None else shown(effect.domain),
        lift=f"{lift_words(effect.estimate)} %",
        interval=interval_words(effect.low, effect.high),
    )
