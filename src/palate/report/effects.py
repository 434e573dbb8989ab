"""The effects of an `Explanation` as a list of rows: what is supported first, strongest first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from palate.errors import UnknownNameError
from palate.explanations.explanation import Band, Explanation
from palate.inference.discoveries import Verdict

PER_CENT = 100.0
UNSUPPORTED = (Verdict.NOT, Verdict.UNRELIABLE)


@dataclass(frozen=True)
class Difference:
    """The effect in a domain minus the effect in the other domains, log-odds per step."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """The effect of one concept, everywhere (`domain` None) or in one domain, with its verdict.

    `estimate`, `low` and `high` are log-odds per step without shrinkage, NaN where too few pairs
    differ in the concept; `weight` is the penalised weight of HMDR and `selected` the share of
    refits that kept it. `shared` is the effect everywhere (NaN for a concept that has none), and
    `difference` what the domain has more than the others (None everywhere, and where there is no
    elsewhere).
    """

    concept: str
    index: int
    domain: str | None
    estimate: float
    low: float
    high: float
    p_value: float
    verdict: str
    weight: float
    selected: float
    shared: float = math.nan
    difference: Difference | None = None

    @property
    def known(self) -> bool:
        """Whether enough pairs differ in the concept to estimate anything."""
        return not math.isnan(self.estimate)

    @property
    def supported(self) -> bool:
        """Whether the verdict is any other than "not supported"."""
        return self.verdict not in UNSUPPORTED

    @property
    def own(self) -> bool:
        """Whether the verdict is on this very effect, not on the shared one that it may follow."""
        return self.supported and (self.domain is None or self.verdict != Verdict.EVERYWHERE)

    @property
    def one_sided(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    @property
    def drawn(self) -> float:
        """What a bar stands for: the supported effect, which is the shared one where it is that."""
        follows = self.domain is not None and self.verdict == Verdict.EVERYWHERE
        return self.shared if follows and not math.isnan(self.shared) else self.estimate

    @property
    def bound(self) -> float:
        """The end of the interval nearer to zero as a size, negative if zero lies inside."""
        value = self.low if self.estimate > 0 else -self.high
        return -math.inf if math.isnan(value) else value


def effects(explanation: Explanation, *, domain: str | None = None) -> list[Effect]:
    """Return the effects that exist by structure, supported ones first, by decreasing size.

    What is not supported is ordered by p-value, what cannot be estimated comes last.

    Parameters
    ----------
    explanation
        The explained mechanism.
    domain
        None for the effects shared by all domains, else the effects in this domain.

    Raises
    ------
    UnknownNameError
        If the model was not fitted on this domain.
    """
    row: int | None = None
    if domain is not None:
        if domain not in explanation.domains:
            raise UnknownNameError("domain", domain, explanation.domains)
        row = explanation.domains.index(domain)
    band = explanation.shared if row is None else explanation.total
    found = [
        _effect(explanation, band, j, row)
        for j in range(explanation.concepts.n_concepts)
        if math.isfinite(band.weight[j] if row is None else band.weight[row, j])
    ]
    return sorted(found, key=_order)


def supported_effects(explanation: Explanation, *, domain: str | None = None) -> list[Effect]:
    """Return the effects that a verdict supports, the surest large ones first.

    Everywhere these are the shared effects; in a domain those whose verdict is on the domain
    itself: supported there only, or different there. They are ordered by the end of the interval
    nearer to zero, for a difference that of its own interval.

    Parameters
    ----------
    explanation
        The explained mechanism.
    domain
        None for the effects shared by all domains, else the effects in this domain.
    """
    return _surest([e for e in effects(explanation, domain=domain) if e.own])


def domain_statements(explanation: Explanation) -> list[Effect]:
    """Return what is supported of single domains, of all domains together, the surest first.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    return _surest(
        [e for d in explanation.domains for e in supported_effects(explanation, domain=d)]
    )


def anything_supported(explanations: Sequence[Explanation]) -> bool:
    """Return whether any effect of any mechanism is supported.

    Parameters
    ----------
    explanations
        One per mechanism.
    """
    return any(supported_effects(e) or domain_statements(e) for e in explanations)


def lift(weight: float) -> float:
    """Return the lift of an even choice, 100 tanh(weight / 2), in per cent per step.

    Parameters
    ----------
    weight
        Log-odds per step.
    """
    return PER_CENT * math.tanh(weight / 2)


def chance(weight: float) -> float:
    """Return what one step makes of an even choice: 100 / (1 + exp(-weight)), in per cent.

    Parameters
    ----------
    weight
        Log-odds per step.
    """
    if weight >= 0:
        return PER_CENT / (1 + math.exp(-weight))
    return PER_CENT * (1 - 1 / (1 + math.exp(weight)))


def _effect(explanation: Explanation, band: Band, j: int, row: int | None) -> Effect:
    at: Any = j if row is None else (row, j)
    effect = Effect(
        concept=explanation.concepts.names[j],
        index=j,
        domain=None if row is None else explanation.domains[row],
        estimate=float(band.estimate[at]),
        low=float(band.low[at]),
        high=float(band.high[at]),
        p_value=float(band.p_value[at]),
        verdict=str(band.verdict[at]) or Verdict.NOT.value,
        weight=float(band.weight[at]),
        selected=float(band.selected[at]),
        shared=float(explanation.shared.estimate[j]),
    )
    if row is None:
        return effect
    part = explanation.domain
    difference = Difference(*(float(x[at]) for x in (part.estimate, part.low, part.high)))
    return effect if math.isnan(difference.estimate) else replace(effect, difference=difference)


def _order(effect: Effect) -> tuple[int, float, int]:
    if effect.supported:
        return (0, -abs(effect.drawn), effect.index)
    if effect.known:
        return (1, effect.p_value, effect.index)
    return (2, 0.0, effect.index)


def _surest(found: list[Effect]) -> list[Effect]:
    def bound(effect: Effect) -> float:
        part = effect.difference
        if effect.verdict != Verdict.DIFFERS or part is None:
            return effect.bound
        return part.low if part.estimate > 0 else -part.high

    return sorted(found, key=lambda e: (-bound(e), -abs(e.estimate), e.index))
