"""`PlantedWorld`: pairs whose texts carry known concepts and whose verdicts follow known weights.

    world = PlantedWorld(seed=1, n_pairs=600)
    preferences = read(write_rows(world.rows()))        # for the commands
    with serve(world.script()) as server: ...           # a model that reads the texts
    world.shared_weights, world.domain_weights          # the truth

The value of a concept on a pair is the sign of the difference of its levels in the two texts:
x in {-1, 0, 1}. The verdict of a mechanism is 1 with probability sigmoid((b + s(d))'x), else -1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any

from palate.errors import InputError, UnknownNameError
from palate.llm.scripted.planted_answers import PlantedModel
from palate.llm.scripted.planted_concepts import PlantedConcept, library

SHARED: Mapping[str, float] = MappingProxyType(
    {
        "Warm tone": 1.6,
        "Worked example": 1.3,
        "Hedged claims": -1.2,
        "Numbered steps": 1.0,
        "Stated causes": 0.8,
        "Repetition": -1.5,
        "Closing question": 0.55,
        "Technical terms": -0.8,
        "Playful humour": 0.0,
        "Named sources": 0.3,
        "Safety warning": 0.0,
        "Closing summary": 0.0,
    }
)
SPECIFIC: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "travel": {"Local customs": 1.4, "Price figures": -1.0, "Warm tone": -1.4},
        "law": {"Legal clause": 1.5, "Alternative offered": 0.0, "Technical terms": 1.4},
        "cooking": {"Sensory detail": 1.2, "Seasonal timing": 0.8},
        "health": {"Medical referral": 1.3, "Hedged claims": 1.4},
    }
)
LEVELS, SHARES = (0, 1, 2), (0.45, 0.35, 0.2)
_SUBJECTS = (
    *("a first attempt", "a small budget", "an old house", "a short weekend", "two children"),
    *("a nervous beginner", "a large group", "a tight deadline", "a rainy week", "a friend"),
)
_QUESTIONS = (
    *("How should I plan", "What should I know about", "Which way is best with"),
    *("Why is it so hard with", "How do I begin with", "Please write some advice for"),
)
_PLAIN = (
    "There is more than one side to this.",
    "Most people find their way after a while.",
    "The first days matter less than it seems.",
    "It helps to look at the whole of it.",
    "Some of it can be left to others.",
    "A little order goes a long way.",
    "Nothing here has to be done in one go.",
    "What others do is not always a guide.",
)


@dataclass(frozen=True)
class PlantedWorld:
    """A world of pairs, and a model that annotates them.

    Parameters
    ----------
    seed
        Seed of everything.
    n_pairs
        How many pairs, spread over the domains.
    shared
        Weights b of the concepts that are planted in all domains.
    specific
        By domain, the weights s(d): of concepts planted there alone, and what shared concepts
        weigh there in addition. Its keys are the domains.
    mechanisms
        By mechanism, the shared weights in which it differs from `shared`.
    error
        Probability that an answer of the model is another one than the planted value says.
    position_bias
        Probability that a comparison is answered "first", whatever the texts say.

    Raises
    ------
    UnknownNameError
        If a concept is not in the library.
    InputError
        If there are no domains or fewer pairs than domains, or if it is not a probability.
    """

    seed: int = 0
    n_pairs: int = 600
    shared: Mapping[str, float] = field(default_factory=lambda: SHARED)
    specific: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: SPECIFIC)
    mechanisms: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {"people": {}, "judge": {"Technical terms": 0.9, "Warm tone": 0.2}}
    )
    error: float = 0.1
    position_bias: float = 0.05

    def __post_init__(self) -> None:
        known = {concept.name: concept for concept in library()}
        names = [*self.shared, *(name for own in self.specific.values() for name in own)]
        for name in names:
            if name not in known:
                raise UnknownNameError("planted concept", name, known)
        if not self.specific or self.n_pairs < len(self.specific):
            raise InputError("A planted world needs a domain, and a pair for each of them.")
        if not (0 <= self.error <= 1 and 0 <= self.position_bias <= 1):
            raise InputError("error and position_bias are probabilities.")

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains."""
        return tuple(self.specific)

    @property
    def concepts(self) -> tuple[PlantedConcept, ...]:
        """All planted concepts, the shared ones first."""
        names = dict.fromkeys([*self.shared, *(n for own in self.specific.values() for n in own)])
        known = {concept.name: concept for concept in library()}
        return tuple(known[name] for name in names)

    @property
    def shared_weights(self) -> dict[str, float]:
        """The planted b of the first mechanism."""
        return self.weights()

    @property
    def domain_weights(self) -> dict[str, dict[str, float]]:
        """The planted s(d) by domain."""
        return {domain: dict(own) for domain, own in self.specific.items()}

    def weights(self, mechanism: str | None = None) -> dict[str, float]:
        """Return the planted b of a mechanism.

        Parameters
        ----------
        mechanism
            Its name; None for the first.
        """
        own = self.mechanisms[mechanism or next(iter(self.mechanisms))]
        return {**self.shared, **own}

    def planted_in(self, domain: str) -> list[str]:
        """Return the names of the concepts that are planted in a domain.

        Parameters
        ----------
        domain
            Its name.
        """
        return list(dict.fromkeys([*self.shared, *self.specific[domain]]))

    def rows(self) -> list[dict[str, Any]]:
        """Return the pairs with their verdicts, in Palate's own rows."""
        random = Random(f"palate planted {self.seed}")
        known = {concept.name: concept for concept in self.concepts}
        seen: set[str] = set()
        found = []
        for i in range(self.n_pairs):
            domain = self.domains[i % len(self.domains)]
            planted = [known[name] for name in self.planted_in(domain)]
            prompt = _prompt(random, domain, seen)
            a, b = _response(random, planted), _response(random, planted)
            x = {c.name: _sign(c.level(a) - c.level(b)) for c in planted}
            labels = {}
            for mechanism in self.mechanisms:
                shared, own = self.weights(mechanism), self.specific[domain]
                z = sum((shared.get(c, 0.0) + own.get(c, 0.0)) * v for c, v in x.items())
                labels[mechanism] = 1 if random.random() < 1 / (1 + math.exp(-z)) else -1
            found.append(
                {
                    "id": f"{domain}/{i:05d}",
                    "domain": domain,
                    "prompt": prompt,
                    "response_a": a,
                    "response_b": b,
                    "labels": labels,
                }
            )
        return found

    def values(self) -> dict[str, dict[str, int]]:
        """Return the planted values: by pair and concept, the sign of the difference of levels."""
        known = {concept.name: concept for concept in self.concepts}
        return {
            row["id"]: {
                name: _sign(
                    known[name].level(row["response_a"]) - known[name].level(row["response_b"])
                )
                for name in self.planted_in(row["domain"])
            }
            for row in self.rows()
        }

    def script(self) -> PlantedModel:
        """Return the model that annotates this world, as a script."""
        return PlantedModel(
            self.concepts,
            {domain: tuple(self.planted_in(domain)) for domain in self.domains},
            error=self.error,
            position_bias=self.position_bias,
            seed=self.seed,
        )


def _prompt(random: Random, domain: str, seen: set[str]) -> str:
    """A prompt that no earlier pair has; it names its domain."""
    while True:
        question, subject = random.choice(_QUESTIONS), random.choice(_SUBJECTS)
        text = f"{question} {subject} ({domain}, case {random.randrange(10_000)})?"
        if text not in seen:
            seen.add(text)
            return text


def _response(random: Random, planted: Sequence[PlantedConcept]) -> str:
    """A response with a drawn level of each concept."""
    sentences = random.sample(_PLAIN, 3)
    for concept in planted:
        (level,) = random.choices(LEVELS, SHARES)
        sentences += random.sample(concept.phrases, level)
    random.shuffle(sentences)
    return " ".join(sentences)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
