"""The smallest effect that could have been found: what stands where nothing was.

An effect w with standard error s is supported with probability `POWER` if
|w| = (z(1 - p / 2) + z(POWER)) s, p the p-value that the first discovery needs: fdr / (2 C) for an
effect shared by all domains, fdr / (2 C K) for one in one of K domains (`inference.discoveries`;
without the 2 where there is one domain). s is read from the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from palate.explanations.explanation import Array, Explanation
from palate.explanations.yardsticks import LARGEST_LIFT, domain_reach
from palate.report.effects import lift

POWER = 0.8


@dataclass(frozen=True)
class Reach:
    """Lift in per cent per step that a typical concept (the median) needs to be found.

    `everywhere` is that of a shared effect, `domain` of an effect in a single domain; None where
    there is none.
    """

    everywhere: float | None
    domain: float | None


def reach(explanation: Explanation) -> Reach:
    """Return how large an effect must be to be found with a probability of 80 %.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    fdr = float(explanation.settings.get("fdr", 0.1))
    shared, total = explanation.shared, explanation.total
    single = len(explanation.domains) < 2
    n_concepts = int((np.isfinite(shared.low) | np.isfinite(total.low).any(axis=0)).sum())
    first = fdr / max(n_concepts, 1) / (1 if single else 2)
    return Reach(
        everywhere=_needed(explanation, shared.low, shared.high, first),
        domain=None
        if single
        else _needed(explanation, total.low, total.high, first / len(explanation.domains)),
    )


def reach_sentence(explanation: Explanation) -> str:
    """Return which lift could have been found, empty where nothing could be estimated.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    found = reach(explanation)
    parts = []
    if found.everywhere is not None:
        parts.append(f"{_at_least(found.everywhere)} everywhere")
    if found.domain is not None:
        parts.append(f"{_at_least(found.domain)} in a single domain")
    if not parts:
        return ""
    return (
        "With these data, a typical concept would have been found with a probability of "
        f"{100 * POWER:.0f} % from a lift of {' or '.join(parts)} on; smaller effects may be there."
    )


def domain_reach_sentence(explanations: Sequence[Explanation]) -> str:
    """Return how little single domains can support, empty where there is one or they can.

    Parameters
    ----------
    explanations
        One per mechanism.
    """
    lifts: list[float] = []
    n_pairs: list[int] = []
    for explanation in explanations:
        if len(explanation.domains) > 1:
            found = domain_reach(explanation, power=POWER)
            lifts += found["lift"].to_list()
            n_pairs += found["n_pairs"].to_list()
    weak = sum(x > LARGEST_LIFT for x in lifts)
    if 2 * weak <= len(lifts):
        return ""
    verdicts = f"{min(n_pairs):,}"
    if min(n_pairs) < max(n_pairs):
        verdicts += f" to {max(n_pairs):,}"
    return (
        f"Single domains can support little here: with {verdicts} verdicts each, a typical concept "
        f"needs a lift of {min(lifts):.0f} to {max(lifts):.0f} % there for its interval to exclude "
        f"no effect with a probability of {100 * POWER:.0f} %. That nothing is found in a domain "
        "does not say that nothing is there."
    )


def _needed(explanation: Explanation, low: Array, high: Array, p: float) -> float | None:
    from scipy.stats import norm

    level = float(explanation.settings.get("level", 0.9))
    error = (high - low)[np.isfinite(high - low)] / (2 * norm.ppf((1 + level) / 2))
    if not error.size:
        return None
    return lift(float(np.median(error) * (norm.ppf(1 - p / 2) + norm.ppf(POWER))))


def _at_least(value: float) -> str:
    return "over 99 %" if value > 99.5 else f"{value:.0f} %"
