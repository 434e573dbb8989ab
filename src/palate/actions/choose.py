"""Which concepts are put to work: those whose effects are supported, the strongest first.

A concept that is supported everywhere, and not found to differ in a domain, counts there with its
shared effect, which is known best; one that is supported in a domain or differs there counts with
its effect in that domain, and only if the interval of that leaves no doubt about the sign. In a
domain that the explanation does not know, or where a concept cannot be estimated for want of pairs
that differ on it, shared effects are all there is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from palate.actions.guidance import criterion_of
from palate.concepts.concept import Concept
from palate.data.shown import draw
from palate.explanations.explanation import Band, Explanation
from palate.inference.discoveries import Verdict
from palate.mechanisms.criteria import Criterion

_PARTS = ("estimate", "low", "high")


@dataclass(frozen=True)
class Effect:
    """A supported effect of a concept.

    Parameters
    ----------
    concept
        The concept.
    estimate
        The effect in log-odds per step.
    low
        Lower end of its interval.
    high
        Upper end.
    verdict
        What is supported, a word of `palate.inference.discoveries.Verdict`.
    """

    concept: Concept
    estimate: float
    low: float
    high: float
    verdict: str

    @property
    def lift(self) -> float:
        """What one step does to an even choice, in per cent."""
        return 100.0 * math.tanh(self.estimate / 2.0)

    @property
    def criterion(self) -> Criterion:
        """The concept as a criterion: more of it where it is rewarded, else less."""
        return criterion_of(self.concept, weight=self.estimate)


def supported_effects(explanation: Explanation, domain: str) -> list[Effect]:
    """Return the supported effects in a domain, the largest first.

    Parameters
    ----------
    explanation
        The explanation.
    domain
        The domain; one that the explanation does not know has the shared effects.
    """
    place = explanation.domains.index(domain) if domain in explanation.domains else None
    found = []
    for j, concept in enumerate(explanation.concepts.concepts):
        band: Band = explanation.shared
        at: tuple[int, ...] = (j,)
        verdict = str(explanation.shared.verdict[j])
        if place is not None:
            there = str(explanation.total.verdict[place, j])
            if there in (Verdict.HERE, Verdict.DIFFERS):
                band, at, verdict = explanation.total, (place, j), there
        if verdict not in (Verdict.EVERYWHERE, Verdict.HERE, Verdict.DIFFERS):
            continue  # also where only other domains support it
        estimate, low, high = (float(getattr(band, part)[at]) for part in _PARTS)
        effect = Effect(concept, estimate, low, high, verdict)
        if math.isfinite(effect.estimate) and effect.low * effect.high > 0:
            found.append(effect)
    return sorted(found, key=lambda e: -abs(e.estimate))  # ties keep the order of the concepts


def others_in(explanation: Explanation, domain: str, chosen: Collection[str]) -> list[Concept]:
    """Return the concepts of a domain that were not chosen, in their order.

    Parameters
    ----------
    explanation
        The explanation.
    domain
        The domain.
    chosen
        Names of those that were.
    """
    return [
        c
        for c in explanation.concepts.concepts
        if c.name not in chosen and (c.domains is None or domain in c.domains)
    ]


def drawn(concepts: Sequence[Concept], n: int, prompt_id: str, seed: int) -> list[Concept]:
    """Return n concepts drawn for a prompt, all of them in a random order if there are fewer.

    Parameters
    ----------
    concepts
        What is drawn from.
    n
        How many.
    prompt_id
        Id of the prompt; the draw depends on it and the seed alone.
    seed
        The recorded seed.
    """
    source = random.Random(int(2**48 * draw(prompt_id, seed, "random concepts")))
    return source.sample(list(concepts), min(n, len(concepts)))
