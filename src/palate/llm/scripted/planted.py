"""`PlantedWorld`: pairs whose texts carry known concepts and whose verdicts follow known weights.

    world = PlantedWorld(seed=1, n_pairs=600)
    preferences = read(write_rows(world.rows()))        # for the commands
    with serve(world.script()) as server: ...           # a model that reads the texts
    world.shared_weights, world.domain_weights          # the truth

The value of a concept on a pair is the sign of the difference of its levels in the two texts:
x in {-1, 0, 1}. The verdict of a mechanism is 1 with probability sigmoid((b + s(d))'x), else -1;
`planted_judges` says what a judge answers that is asked in both orders.

    world.rows(both_orders=["judge"])           # its verdicts are 0 where the orders disagree
    world.script(judge="judge")                 # a model that judges as it does, and writes
    world.win_rate("law", {"Warm tone": 1})     # of responses that are told to be warm
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
from palate.llm.scripted.planted_judges import (
    PlantedJudges,
    PlantedMechanism,
    expected_win_rate,
)
from palate.llm.scripted.planted_texts import PlantedTexts, compose, sign

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
_SUBJECTS = (
    *("a first attempt", "a small budget", "an old house", "a short weekend", "two children"),
    *("a nervous beginner", "a large group", "a tight deadline", "a rainy week", "a friend"),
)
_QUESTIONS = (
    *("How should I plan", "What should I know about", "Which way is best with"),
    *("Why is it so hard with", "How do I begin with", "Please write some advice for"),
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
    specific_of
        By mechanism, its s(d) instead of `specific`, by domain and concept.
    length_weights
        By mechanism, its log odds for a response that is 100 words longer.
    fidelity
        Probability that the model obeys an instruction about the response that it writes.
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
    specific_of: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    length_weights: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 0.9
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
        for name in (*self.specific_of, *self.length_weights):
            if name not in self.mechanisms:
                raise UnknownNameError("planted mechanism", name, self.mechanisms)
        if not all(0 <= p <= 1 for p in (self.error, self.position_bias, self.fidelity)):
            raise InputError("error, position_bias and fidelity are probabilities.")

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

    def mechanism(self, name: str | None = None) -> PlantedMechanism:
        """Return all planted weights of a mechanism.

        Parameters
        ----------
        name
            Its name; None for the first.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        """
        name = next(iter(self.mechanisms)) if name is None else name
        if name not in self.mechanisms:
            raise UnknownNameError("planted mechanism", name, self.mechanisms)
        return PlantedMechanism(
            self.weights(name),
            self.specific_of.get(name, self.specific),
            self.length_weights.get(name, 0.0),
        )

    def planted_in(self, domain: str) -> list[str]:
        """Return the names of the concepts that are planted in a domain.

        Parameters
        ----------
        domain
            Its name.
        """
        return list(dict.fromkeys([*self.shared, *self.specific[domain]]))

    def rows(self, *, both_orders: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the pairs with their verdicts, in Palate's own rows.

        Parameters
        ----------
        both_orders
            Mechanisms that see each pair in both orders: their verdict is 0 where these disagree,
            `meta.orders` holds both, and they are what `script` answers.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        """
        random = Random(f"palate planted {self.seed}")
        known = {concept.name: concept for concept in self.concepts}
        judges = self.judges()
        for name in both_orders:
            self.mechanism(name)
        seen: set[str] = set()
        found: list[dict[str, Any]] = []
        for i in range(self.n_pairs):
            domain = self.domains[i % len(self.domains)]
            planted = [known[name] for name in self.planted_in(domain)]
            prompt = _prompt(random, domain, seen)
            a, b = compose(random, planted), compose(random, planted)
            labels, orders = {}, {}
            for name in self.mechanisms:
                z = judges.log_odds(prompt, a, b, mechanism=name)
                labels[name] = 1 if random.random() < 1 / (1 + math.exp(-z)) else -1
                if name in both_orders:
                    ab = "a" if judges.first_wins(prompt, a, b, mechanism=name) else "b"
                    ba = "b" if judges.first_wins(prompt, b, a, mechanism=name) else "a"
                    orders[name] = ab + ba
                    labels[name] = {"aa": 1, "bb": -1}.get(ab + ba, 0)
            found.append(
                {
                    "id": f"{domain}/{i:05d}",
                    "domain": domain,
                    "prompt": prompt,
                    "response_a": a,
                    "response_b": b,
                    "labels": labels,
                    **({"meta": {"orders": orders}} if orders else {}),
                }
            )
        return found

    def values(self) -> dict[str, dict[str, int]]:
        """Return the planted values: by pair and concept, the sign of the difference of levels."""
        known = {concept.name: concept for concept in self.concepts}
        return {
            row["id"]: {
                name: sign(
                    known[name].level(row["response_a"]) - known[name].level(row["response_b"])
                )
                for name in self.planted_in(row["domain"])
            }
            for row in self.rows()
        }

    def judges(self, judge: str | None = None) -> PlantedJudges:
        """Return what judges responses and writes them.

        Parameters
        ----------
        judge
            Who judges where no persona is named; None for the first mechanism.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        """
        first = {} if judge is None else {judge: self.mechanism(judge)}
        texts = PlantedTexts(
            self.concepts,
            {domain: tuple(self.planted_in(domain)) for domain in self.domains},
            seed=self.seed,
        )
        return PlantedJudges(
            texts,
            {**first, **{name: self.mechanism(name) for name in self.mechanisms}},
            fidelity=self.fidelity,
            error=self.error,
            position_bias=self.position_bias,
            seed=self.seed,
        )

    def script(self, *, judge: str | None = None) -> PlantedModel:
        """Return the model that annotates this world, judges and writes, as a script.

        Parameters
        ----------
        judge
            Who judges where no persona is named; None for the first mechanism.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        """
        return PlantedModel(self.judges(judge))

    def win_rate(
        self, domain: str, aims: Mapping[str, int], *, mechanism: str | None = None
    ) -> float:
        """Return the expected win rate of responses written to criteria, against plain ones.

        Wins and half of the ties, over both orders; without criteria it is one half.

        Parameters
        ----------
        domain
            Where the request belongs.
        aims
            The criteria by name of their concept, 1 (more) or -1 (less).
        mechanism
            Who judges; None for the first.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        InputError
            If the mechanism heeds length, which this sum leaves out.
        """
        found = self.mechanism(mechanism)
        if found.length:
            raise InputError("Expected win rates are known for judges that ignore length.")
        return expected_win_rate(
            found.weights(domain), aims, fidelity=self.fidelity, position_bias=self.position_bias
        )


def _prompt(random: Random, domain: str, seen: set[str]) -> str:
    """A prompt that no earlier pair has; it names its domain."""
    while True:
        question, subject = random.choice(_QUESTIONS), random.choice(_SUBJECTS)
        text = f"{question} {subject} ({domain}, case {random.randrange(10_000)})?"
        if text not in seen:
            seen.add(text)
            return text
