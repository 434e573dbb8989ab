"""`PlantedJudges`: judges whose weights are known, and a generator that follows guidance.

A judge prefers the response shown first with the probability

    bias + (1 - bias) sigmoid(z),   z = (b + s(d))'x + l (words of the first - of the second) / 100

x being the sign of the difference of levels of each concept. The two orders and every sample draw
for themselves, so that verdicts flip where |z| is small, and the expected win rate (wins and half
of the ties) of a response over both orders is .5 bias + (1 - bias) sigmoid(z). Without bias,
verdicts on which both orders agree have the log odds 2 z: effects on these are twice the weights.
Where probabilities are asked for (typed decisions, `logprobs`) a judge gives them, and its answer
is the likelier one.

A generator draws the levels of all concepts, but for those that it is told to show more (level 2)
or less (level 0) of: each of these instructions is obeyed with the probability `fidelity`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from palate.llm.scripted.chaos import uniform
from palate.llm.scripted.planted_concepts import HIGHEST, concept_of
from palate.llm.scripted.planted_texts import (
    LEVELS,
    SHARES,
    PlantedTexts,
    compose,
    count,
    sign,
)
from palate.llm.scripted.question import Question, named

GUIDED = 1.5
"""Log odds by which each criterion counts where a judge is given criteria."""
MEAN_LEVEL = 0.75
RATES, MIDDLE = (1, 10), 5.5


@dataclass(frozen=True)
class PlantedMechanism:
    """The weights of something that judges.

    Parameters
    ----------
    shared
        By concept, its weight b in all domains.
    specific
        By domain and concept, the weight s(d) in addition.
    length
        Log odds for a response that is 100 words longer.
    """

    shared: Mapping[str, float]
    specific: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    length: float = 0.0

    def weights(self, domain: str | None) -> dict[str, float]:
        """Return b + s(d), without the weights that are 0; b where the domain is not known.

        Parameters
        ----------
        domain
            Its name.
        """
        own = self.specific.get(domain or "", {})
        total = {c: self.shared.get(c, 0.0) + own.get(c, 0.0) for c in {**self.shared, **own}}
        return {c: weight for c, weight in total.items() if weight}


class PlantedJudges:
    """Answers "judge", "judge_reasons", "follows", "rate" and "respond".

    Parameters
    ----------
    texts
        Reads the texts.
    mechanisms
        The judges by name. The line `Persona: NAME` says which is asked, without it the first.
    fidelity
        Probability that an instruction of the generator is obeyed.
    error
        Probability that an answer about concepts ("follows", "rate") is another one.
    position_bias
        Probability that a comparison is answered "first", whatever the texts say.
    seed
        Seed of all draws.
    """

    def __init__(
        self,
        texts: PlantedTexts,
        mechanisms: Mapping[str, PlantedMechanism],
        *,
        fidelity: float = 0.9,
        error: float = 0.0,
        position_bias: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.texts, self.mechanisms = texts, dict(mechanisms)
        self.fidelity, self.error, self.position_bias = fidelity, error, position_bias
        self.seed = seed

    @property
    def kinds(self) -> dict[str, Callable[[Question], Mapping[str, Any]]]:
        """What answers each kind of question."""
        return {
            "judge": self._judge,
            "judge_reasons": self._judge,
            "follows": self._follows,
            "rate": self._rate,
            "respond": self._respond,
        }

    def log_odds(
        self,
        request: str,
        first: str,
        second: str,
        *,
        mechanism: str,
        aims: Mapping[str, int] | None = None,
    ) -> float:
        """Return z, the log odds of the response shown first without any bias.

        Parameters
        ----------
        request
            The prompt.
        first
            The response shown first.
        second
            The one shown second.
        mechanism
            Who judges.
        aims
            Criteria to judge by instead, each with 1 (more) or -1 (less).
        """
        return sum(self._parts(request, first, second, mechanism, aims or {}).values())

    def chance(
        self,
        request: str,
        first: str,
        second: str,
        *,
        mechanism: str,
        aims: Mapping[str, int] | None = None,
    ) -> float:
        """Return the probability that the response shown first wins.

        Parameters
        ----------
        request
            The prompt.
        first
            The response shown first.
        second
            The one shown second.
        mechanism
            Who judges.
        aims
            Criteria to judge by instead, each with 1 (more) or -1 (less).
        """
        z = self.log_odds(request, first, second, mechanism=mechanism, aims=aims)
        return self.position_bias + (1 - self.position_bias) / (1 + math.exp(-z))

    def first_wins(
        self,
        request: str,
        first: str,
        second: str,
        *,
        mechanism: str,
        kind: str = "judge",
        aims: Mapping[str, int] | None = None,
        sample: int = 0,
    ) -> bool:
        """Return the verdict: whether the response shown first wins.

        Parameters
        ----------
        request
            The prompt.
        first
            The response shown first.
        second
            The one shown second.
        mechanism
            Who judges.
        kind
            Kind of the question; with reasons another draw decides than without.
        aims
            Criteria to judge by instead, each with 1 (more) or -1 (less).
        sample
            Which of several answers.
        """
        p = self.chance(request, first, second, mechanism=mechanism, aims=aims)
        asked = (kind, mechanism, sorted((aims or {}).items()), request, first, second, sample)
        return uniform("judge", self.seed, *asked) < p

    def response(
        self,
        request: str,
        *,
        aims: Mapping[str, int] | None = None,
        words: int | None = None,
        sample: int = 0,
    ) -> str:
        """Return a response to a prompt.

        Parameters
        ----------
        request
            The prompt.
        aims
            What is wanted: by concept, 1 (more) or -1 (less).
        words
            About how many words are wanted; the response never has fewer than its own.
        sample
            Which of several answers.
        """
        asked = (self.seed, request, sorted((aims or {}).items()), words, sample)
        random = Random(f"palate respond {asked!r}")
        planted, levels = self.texts.planted(request), {}
        for name, aim in (aims or {}).items():
            concept = concept_of(name, self.texts.concepts)
            if concept is not None and random.random() < self.fidelity:
                levels[concept.name] = HIGHEST if aim > 0 else 0
                if concept not in planted:  # what belongs elsewhere can be asked for as well
                    planted.append(concept)
        return compose(random, planted, levels, words)

    def _mechanism(self, question: Question) -> str:
        return named(question.persona, self.mechanisms) or next(iter(self.mechanisms))

    def _parts(
        self, request: str, first: str, second: str, mechanism: str, aims: Mapping[str, int]
    ) -> dict[str, float]:
        """What each concept, and the length, adds to the log odds of the response shown first."""
        if aims:
            return {c: GUIDED * v for c, v in self._followed(request, first, second, aims).items()}
        judge = self.mechanisms[mechanism]
        weights = judge.weights(self.texts.domain(request))
        parts = {
            c.name: weights[c.name] * sign(c.level(first) - c.level(second))
            for c in self.texts.concepts
            if c.name in weights
        }
        if judge.length:
            parts["length"] = judge.length * (count(first) - count(second)) / 100
        return parts

    def _followed(
        self, request: str, first: str, second: str, aims: Mapping[str, int]
    ) -> dict[str, int]:
        """By criterion, 1 where the response shown first follows it better, -1 the second."""
        values = {c: self.texts.value(c, request, first, second) for c in aims}
        return {c: aim * (values[c] or 0) for c, aim in aims.items()}

    def _judge(self, question: Question) -> dict[str, Any]:
        shown, mechanism, aims = _shown(question), self._mechanism(question), question.aims
        if "questions" in question.body or question.body.get("logprobs"):
            p = self.chance(*shown, mechanism=mechanism, aims=aims)
            first = p > 0.5
            verdict: Any = {"first": p, "second": 1 - p}
        else:
            first = self.first_wins(
                *shown, mechanism=mechanism, kind=question.name, aims=aims, sample=question.sample
            )
            verdict = "first" if first else "second"
        if question.name == "judge":
            return {"verdict": verdict}
        parts = self._parts(*shown, mechanism, aims)
        most = max(parts, key=lambda c: parts[c] if first else -parts[c], default="nothing")
        return {"reasons": f"What tells them apart is {most}.", "verdict": verdict}

    def _follows(self, question: Question) -> dict[str, str]:
        shown = _shown(question)
        value = sign(sum(self._followed(*shown, question.aims).values()))
        drawn = (self.seed, sorted(question.aims.items()), *shown, question.sample)
        if uniform("follows position", *drawn) < self.position_bias:
            value = 1
        if uniform("follows error", *drawn) < self.error:
            others = [v for v in (-1, 0, 1) if v != value]
            value = others[int(uniform("follows other", *drawn) * 2)]
        return {"verdict": {1: "first", -1: "second", 0: "equal"}[value]}

    def _rate(self, question: Question) -> dict[str, int]:
        """Weights times levels, around the middle of the scale; one off with `error`."""
        request = question.material.get("request", "")
        text = question.material.get("response", "")
        judge = self.mechanisms[self._mechanism(question)]
        weights: Mapping[str, float] = judge.weights(self.texts.domain(request))
        if question.aims:
            known = {name: concept_of(name, self.texts.concepts) for name in question.aims}
            weights = {c.name: GUIDED * question.aims[n] for n, c in known.items() if c}
        level = {c.name: c.level(text) - MEAN_LEVEL for c in self.texts.concepts}
        rate = MIDDLE + sum(weight * level[c] for c, weight in weights.items() if c in level)
        rate += 0.0 if question.aims else judge.length * count(text) / 100
        drawn = (self.seed, question.persona, request, text, question.sample)
        if uniform("rate error", *drawn) < self.error:
            rate += 1 if uniform("rate other", *drawn) < 0.5 else -1
        return {"score": min(max(round(rate), RATES[0]), RATES[1])}

    def _respond(self, question: Question) -> dict[str, str]:
        return {
            "response": self.response(
                question.material.get("request", ""),
                aims=question.aims,
                words=question.words,
                sample=question.sample,
            )
        }


def expected_win_rate(
    planted: Mapping[str, float],
    aims: Mapping[str, int],
    *,
    fidelity: float,
    position_bias: float = 0.0,
) -> float:
    """Return the win rate that a generator told of these criteria has against one told nothing.

    Exact, up to rounding of the log odds at .001: the mean of sigmoid(z) over the levels that both
    responses draw, with the bias towards the response shown first.

    Parameters
    ----------
    planted
        The judge's weights b + s(d) of the concepts of the domain; length counts nothing.
    aims
        The criteria by name of their concept, 1 (more) or -1 (less).
    fidelity
        Probability that a criterion is obeyed.
    position_bias
        Probability that the judge answers "first" whatever the texts say.
    """
    odds = {0: 1.0}  # of sums of log odds in steps of .001
    for concept, weight in planted.items():
        shares = difference_shares(aims.get(concept, 0), fidelity)
        step = round(1000 * weight)
        found: dict[int, float] = {}
        for total, p in odds.items():
            for x, share in shares.items():
                found[total + step * x] = found.get(total + step * x, 0.0) + p * share
        odds = found
    mean = sum(p / (1 + math.exp(-total / 1000)) for total, p in odds.items())
    return 0.5 * position_bias + (1 - position_bias) * mean


def difference_shares(aim: int, fidelity: float) -> dict[int, float]:
    """Return how often a guided response has less, as much or more of a concept than a plain one.

    Parameters
    ----------
    aim
        1 (told to show more), -1 (less) or 0 (told nothing).
    fidelity
        Probability that it is obeyed.
    """
    obeyed = fidelity if aim else 0.0
    guided = [(1 - obeyed) * share for share in SHARES]
    guided[HIGHEST if aim > 0 else 0] += obeyed
    found = {-1: 0.0, 0: 0.0, 1: 0.0}
    for level, p in zip(LEVELS, guided, strict=True):
        for other, q in zip(LEVELS, SHARES, strict=True):
            found[sign(level - other)] += p * q
    return found


def _shown(question: Question) -> tuple[str, str, str]:
    texts = question.material
    return texts.get("request", ""), texts.get("response_1", ""), texts.get("response_2", "")
