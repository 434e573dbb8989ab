"""`PlantedModel`: answers questions about planted texts by reading them, with a set error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from palate.llm.scripted.chaos import uniform
from palate.llm.scripted.planted_concepts import COMMONPLACE, concept_of
from palate.llm.scripted.planted_judges import PlantedJudges
from palate.llm.scripted.question import Question, by_kind
from palate.llm.scripted.topics import tag, topics

NOISE = 3
"""How many of the proposals of a batch are commonplace ones."""


class PlantedModel:
    """A script that knows which sentences show which concept, and sees the texts alone.

    Everything random follows from what is asked: the same question has the same answer, the
    exchanged order and another sample have errors of their own.

    Parameters
    ----------
    judges
        Answers questions about whole responses, and reads the texts.
    """

    def __init__(self, judges: PlantedJudges) -> None:
        self.judges, self.texts = judges, judges.texts
        self.concepts, self.domains = self.texts.concepts, self.texts.domains
        self.error, self.position_bias, self.seed = judges.error, judges.position_bias, judges.seed

    def __call__(self, question: Question) -> Mapping[str, Any]:
        """Answer a question by reading the texts that it shows.

        Parameters
        ----------
        question
            What is asked.

        Raises
        ------
        InputError
            If it is of no kind that this script knows.
        """
        kinds = {
            "relevance": self._relevance,
            "compare": self._compare,
            "compare_reasons": self._compare,
            "score": self._score,
            "topics": self._topics,
            "tagging": self._tagging,
            "propose": self._propose,
            "same": self._same,
            "define": self._define,
        }
        return by_kind(question, kinds | self.judges.kinds, "This model")

    def _relevance(self, question: Question) -> dict[str, bool]:
        texts = question.material
        domain = self.texts.domain(texts.get("request", ""))
        answers = {}
        for name, text in question.fields.items():
            found = concept_of(text, self.concepts)
            elsewhere = found is not None and domain is not None
            answers[name] = not (
                elsewhere and found is not None and found.name not in self.domains[domain or ""]
            )
        return answers

    def _compare(self, question: Question) -> dict[str, Any]:
        texts = question.material
        shown = (texts.get("request", ""), texts.get("response_1", ""), texts.get("response_2", ""))
        key = uniform(*shown)  # stands for the texts, so that they are hashed once
        answers: dict[str, Any] = {}
        for name, concept in question.fields.items():
            value = self.texts.value(concept, *shown)
            allowed = question.allowed(name)
            if value is None:
                with_it = allowed is None or "irrelevant" in allowed
                answer = "irrelevant" if with_it else "equal"
            else:
                drawn = (self.seed, concept.casefold(), key, question.sample)
                if uniform("position", *drawn) < self.position_bias:
                    value = 1
                if uniform("error", *drawn) < self.error:
                    others = [v for v in (-1, 0, 1) if v != value]
                    value = others[int(uniform("other", *drawn) * 2)]
                answer = {1: "first", -1: "second", 0: "equal"}[value]
            if question.name == "compare_reasons":
                answers[name] = {"reason": f"It shows in {concept}.", "answer": answer}
            else:
                answers[name] = answer
        return answers

    def _score(self, question: Question) -> dict[str, int]:
        """Scores 2, 4, 6 by level, one off with the probability of an error; 0 if not relevant."""
        text, request = question.material.get("response", ""), question.material.get("request", "")
        domain = self.texts.domain(request)
        answers = {}
        for name, concept in question.fields.items():
            found = concept_of(concept, self.concepts)
            drawn = (self.seed, concept.casefold(), request, text, question.sample)
            if found is None:
                answers[name] = 3 + int(uniform("noise", *drawn[:-1]) * 3)
                continue
            if domain is not None and found.name not in self.domains[domain]:
                allowed = question.allowed(name)
                answers[name] = 0 if allowed is None or 0 in allowed else 4
                continue
            score = 2 + 2 * found.level(text)
            if uniform("error", *drawn) < self.error:
                score += 1 if uniform("other", *drawn) < 0.5 else -1
            answers[name] = score
        return answers

    def _topics(self, question: Question) -> dict[str, list[str]]:
        queries = [t for name, t in question.material.items() if name.startswith("query")]
        return topics([(query, self.texts.domain(query) or "other") for query in queries])

    def _tagging(self, question: Question) -> dict[str, Any]:
        answers = {}
        for name in question.fields:
            query = question.material.get(f"query_{name[1:]}", "")
            answers[name] = tag(question, name, query, self.texts.domain(query) or "other")
        return answers

    def _propose(self, question: Question) -> dict[str, Any]:
        """Concepts on which the shown pairs differ most, and a few commonplace ones."""
        texts, sample = question.material, question.sample
        batch = sorted(texts.items())
        weight: dict[str, float] = {}
        shown: dict[str, list[str]] = {}
        for name, text in batch:
            kind, _, number = name.partition("_")
            if kind != "request":
                shown.setdefault(number.partition("_")[0], []).append(text)
        for responses in shown.values():
            one, two = (*responses, "")[:2]  # what one response alone shows counts as well
            for concept in self.concepts:
                difference = abs(concept.level(one) - concept.level(two))
                weight[concept.name] = weight.get(concept.name, 0.0) + difference
        limit = question.schema.get("properties", {}).get("concepts", {}).get("maxItems", 10)
        differing = [c for c in self.concepts if weight.get(c.name, 0.0) > 0]
        differing.sort(key=lambda c: -weight[c.name] - uniform(c.name, batch, sample))
        proposals = []
        for concept in differing[: max(1, limit - NOISE)]:
            names = concept.names
            name = names[int(uniform("name", concept.name, batch, sample) * len(names))]
            proposals.append({"name": name, "description": concept.definition})
        plain = sorted(COMMONPLACE, key=lambda item: uniform(item, batch, sample))[:NOISE]
        proposals += [{"name": name, "description": text} for name, text in plain]
        return {"concepts": proposals[:limit]}

    def _same(self, question: Question) -> dict[str, bool]:
        texts, answers = question.material, {}
        for name in question.fields:
            a, b = (texts.get(f"concept_{name[1:]}_{side}", "") for side in "ab")
            one, two = concept_of(a, self.concepts), concept_of(b, self.concepts)
            if one is None and two is None:
                answers[name] = _leading(a) == _leading(b)
            else:
                answers[name] = one == two
        return answers

    def _define(self, question: Question) -> dict[str, str]:
        answers = {}
        for name in question.fields:
            text = question.material.get(f"concept_{name[1:]}", "")
            found = concept_of(text, self.concepts)
            plain = {n.casefold(): d for n, d in COMMONPLACE}.get(_leading(text))
            answers[name] = (
                found.definition
                if found is not None
                else plain or f"High: the response shows {_leading(text)}; low: it does not."
            )
        return answers


def _leading(text: str) -> str:
    """What stands before the first colon or line break, in lower case."""
    return text.strip().partition("\n")[0].partition(":")[0].strip().casefold()
