"""A world in which what a judge rewards is planted, and a generator does what it is told.

A response is a list of words; each concept is a word that it holds or not. The judge adds the
weights of the words; the generator writes each word with chance one half, and those that it is told
to write, or to leave out, as it is told with chance `fidelity`.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import palate
from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.explanations.explanation import Explanation
from palate.llm.outcome import Answer, Outcome
from palate.llm.prompt import read_fences
from palate.llm.request import Request
from palate.llm.scripted.question import Question

NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel")
JUDGE = dict(zip(NAMES, (1.6, 1.2, -1.2, 0.9, 0.0, 0.0, 0.0, 0.0), strict=True))
PEOPLE = dict(zip(NAMES, (0.0, 1.1, -1.1, 0.0, 0.9, 0.0, 0.0, 0.0), strict=True))
DOMAINS = ("forest", "garden")
SEED = 1  # of pairs on which an explanation supports what is planted and nothing else
Weights = Mapping[str, float]


def concepts() -> tuple[Concept, ...]:
    """The concepts, all shared."""
    return tuple(Concept(n, f"High: the response says {n}; low: it never says {n}.") for n in NAMES)


def world(
    n: int = 400, *, seed: int = 0, name: str = "pair", **mechanisms: Weights
) -> tuple[Preferences, ConceptMatrix]:
    """Pairs of random responses with the verdicts of mechanisms, and their concept values."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    values = np.zeros((n, len(NAMES)))
    for i in range(n):
        a, b = ([name for name in NAMES if rng.random() < 0.5] for _ in range(2))
        labels = {}
        for mechanism, weights in mechanisms.items():
            z = sum(weights[w] for w in a) - sum(weights[w] for w in b)
            labels[mechanism] = 1.0 if rng.random() < 1 / (1 + math.exp(-z)) else -1.0
        values[i] = [(name in a) - (name in b) for name in NAMES]
        rows.append(
            {
                "id": f"{name} {i}",
                "domain": DOMAINS[i % 2],
                "prompt": f"Name some trees, {name} {i}.",
                "response_a": " ".join([*a, "a", str(i)]),
                "response_b": " ".join([*b, "b", str(i)]),
                "labels": labels,
            }
        )
    import polars as pl

    pairs = pl.DataFrame([{k: r[k] for k in rows[0] if k != "labels"} for r in rows])
    verdicts = pl.DataFrame([r["labels"] for r in rows])
    matrix = ConceptMatrix(
        tuple(pairs["id"]),
        concepts(),
        values,
        tuple("comp" for _ in NAMES),
        np.full(len(NAMES), np.nan),
    )
    return Preferences(pairs, verdicts), matrix


def explained(preferences: Preferences, matrix: ConceptMatrix, mechanism: str) -> Explanation:
    """A quick explanation of a mechanism."""
    return palate.explain(
        preferences, matrix, mechanism=mechanism, n_folds=3, n_bootstrap=2, n_jobs=1
    )


def said_of(system: str, head: str) -> str | None:
    """What a line of the system message says behind its head."""
    lines = [line for line in system.split("\n") if line.startswith(head)]
    return lines[0].removeprefix(head) if lines else None


def answer(
    name: str,
    system: str,
    material: Mapping[str, str],
    *,
    weights: Weights = JUDGE,
    fidelity: float = 1.0,
    sample: int = 0,
) -> dict[str, Any]:
    """What the planted judge or generator answers."""
    criteria = json.loads(said_of(system, "Criteria: ") or "[]")
    key = [name, sample, json.dumps(criteria, sort_keys=True), *sorted(material.items())]
    rng = random.Random(json.dumps(key))
    if name == "respond":
        wanted = {c["name"]: c["aim"] for c in criteria}
        words = []
        for tree in NAMES:
            there = rng.random() < 0.5
            if tree in wanted and rng.random() < fidelity:
                there = wanted[tree] == "more"
            words += [tree] * there
        length = int(said_of(system, "Words: ") or 30 + 10 * len(criteria))
        return {"response": " ".join([*words, *["leaf"] * (length - len(words))])}
    z = 0.0
    for sign, side in ((1, "response_1"), (-1, "response_2")):
        z += sign * sum(weights.get(w, 0.0) for w in set(material[side].split()))
    # one draw for both orders, so that the judge does not flip by chance alone
    pair = random.Random("\n".join(sorted([material["response_1"], material["response_2"]])))
    noise = math.log(1 / max(pair.random(), 1e-9) - 1 + 1e-12)
    flip = 1 if material["response_1"] <= material["response_2"] else -1
    verdict = {"verdict": "first" if z + flip * noise > 0 else "second"}
    return {"reasons": "trees", **verdict} if name == "judge_reasons" else verdict


def script(**options: Any) -> Callable[[Question], Mapping[str, Any]]:
    """The same behind a real server."""
    return lambda q: answer(q.name, q.system, q.material, sample=q.sample, **options)


class Planted:
    """The same in this process, for statistics; counts its questions."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.asked: list[Request] = []

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer every request."""
        self.asked += requests
        return [
            Answer(
                answer(
                    r.name,
                    "\n".join(m.text for m in r.messages if m.role == "system"),
                    read_fences(r.messages[-1].text),
                    sample=r.sample,
                    **self.options,
                )
            )
            for r in requests
        ]
