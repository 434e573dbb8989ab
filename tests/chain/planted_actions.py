"""Worlds for the proof that explanations work when put to work, and what their truth predicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.llm.outcome import Answer, Outcome
from palate.llm.prompt import read_fences
from palate.llm.request import Request
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.planted_judges import difference_shares
from palate.llm.scripted.question import Question, Script

Array = npt.NDArray[np.float64]
BLIND = "blind"
"""A judge that heeds no concept."""


def hack_world(seed: int, *, n_pairs: int = 1_600) -> PlantedWorld:
    """A judge with four strong concepts in every domain, and others that it likes a little.

    So concepts drawn at random win as well, but less often than the strong ones.
    """
    strong = {"Warm tone": 1.5, "Worked example": 1.3, "Repetition": -1.3, "Numbered steps": 1.1}
    liked = dict.fromkeys(("Stated causes", "Closing question", "Closing summary"), 0.5)
    more = {"Named sources": 0.45, "Playful humour": 0.45, "Safety warning": 0.4}
    shared = {**strong, **liked, **more}
    return PlantedWorld(
        seed=seed,
        n_pairs=n_pairs,
        shared=shared,
        specific={
            "travel": {"Local customs": 1.6},
            "law": {"Legal clause": 1.6},
            "cooking": {"Worked example": -1.3},
            "health": {},
        },
        mechanisms={"judge": {}, BLIND: dict.fromkeys(shared, 0.0)},
        specific_of={BLIND: {}},
    )


def ties_world(seed: int, *, n_pairs: int = 1_200) -> PlantedWorld:
    """People reward eight concepts, the judge four of them.

    Effects of a judge that was asked in both orders are nearly twice its weights, because ties are
    left out: a response wins both orders with odds that are squared. The judge's weights are a
    little more than half of people's, so what people reward more are the four that it ignores.
    """
    heeded = {"Warm tone": 2.0, "Repetition": -1.9, "Worked example": 1.2, "Hedged claims": -1.0}
    ignored = {
        "Stated causes": 2.1,
        "Technical terms": -1.8,
        "Named sources": 1.7,
        "Safety warning": -1.6,
    }
    idle = ("Closing question", "Closing summary", "Playful humour", "Numbered steps")
    own = {"Warm tone": 1.2, "Repetition": -1.1, "Worked example": 0.8, "Hedged claims": -0.7}
    return PlantedWorld(
        seed=seed,
        n_pairs=n_pairs,
        shared={**heeded, **ignored, **dict.fromkeys(idle, 0.0)},
        specific={"travel": {}, "law": {}},
        mechanisms={"people": {}, "judge": {**own, **dict.fromkeys(ignored, 0.0)}},
        error=0.05,
        position_bias=0.02,
    )


class Direct:
    """A client that asks a script without a server, for what is repeated many times."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """One answer per request, in their order."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        material: dict[str, str] = {}
        for message in request.messages:
            material |= read_fences(message.text)
        system = "\n\n".join(m.text for m in request.messages if m.role == "system")
        question = Question(request.name, request.schema, system, material, {}, request.sample)
        value = self.script(question)
        assert not isinstance(value, str)
        return Answer(value)


def planted_matrix(world: PlantedWorld, preferences: Preferences) -> ConceptMatrix:
    """The planted values of these pairs, without error; 0 where a concept is not planted."""
    values = world.values()
    return ConceptMatrix(
        ids=tuple(preferences.ids),
        concepts=tuple(
            Concept(
                c.name,
                c.definition,
                None
                if c.name in world.shared
                else tuple(d for d in world.domains if c.name in world.planted_in(d)),
            )
            for c in world.concepts
        ),
        values=np.array(
            [[float(values[i].get(c.name, 0)) for c in world.concepts] for i in preferences.ids]
        ),
        scales=tuple("comp" for _ in world.concepts),
        step=np.full(len(world.concepts), np.nan),
    )


def aims_of(criteria: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Criteria as the planted world takes them: by concept, 1 (more) or -1 (less)."""
    return {row["name"]: -1 if row["aim"] == "less" else 1 for row in criteria}


def accuracy_on_ties(
    world: PlantedWorld, judge: str, reference: str, domain: str, aims: Mapping[str, int]
) -> float:
    """Expected accuracy of breaking a judge's ties by criteria, 1/2 where it stays a tie.

    Exact: a sum over all values of the concepts that weigh anything or are asked for, each pair of
    responses by the chance that the judge's two orders disagree on it.
    """
    own = world.mechanism(judge).weights(domain)
    right = world.mechanism(reference).weights(domain)
    planted = [c for c in world.planted_in(domain) if c in {*own, *right, *aims}]
    share = difference_shares(0, 1.0)
    x = np.array(list(itertools.product((-1, 0, 1), repeat=len(planted))), dtype=np.int8)
    chance = np.ones(len(x))
    for column in x.T:
        chance *= np.array([share[-1], share[0], share[1]])[column + 1]

    def leaning(weights: Mapping[str, float]) -> Array:
        found: Array = x @ np.array([float(weights.get(c, 0.0)) for c in planted])
        return found

    bias, z = world.position_bias, leaning(own)
    ab = bias + (1 - bias) / (1 + np.exp(-z))  # says a where a stands first
    ba = (1 - bias) / (1 + np.exp(-z))  # says a where b stands first
    chance *= ab * (1 - ba) + (1 - ab) * ba
    side = np.sign(leaning({c: float(aim) for c, aim in aims.items()}))
    says_a, says_b = np.zeros((2, len(x))), np.zeros((2, len(x)))
    for order, first in enumerate((1, -1)):  # which side "first" stands for
        for meant, p in ((side, 1 - bias), (np.full(len(x), first), bias)):
            for sign, said in ((1, says_a), (-1, says_b)):
                said[order] += p * np.where(meant == sign, 1 - world.error, world.error / 2)
    for_a, for_b = says_a.prod(axis=0), says_b.prod(axis=0)
    a_is_right = 1 / (1 + np.exp(-leaning(right)))
    score = a_is_right * for_a + (1 - a_is_right) * for_b + (1 - for_a - for_b) / 2
    return float((chance * score).sum() / chance.sum())
