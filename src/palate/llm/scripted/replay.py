"""`Recorded`: answers that a model once gave, as a script that gives them again.

A recording knows texts and names only: for two responses and the name of a concept, which of the
two shows more of it. What was recorded for (a, b) answers (b, a) with the signs exchanged, unless
the exchanged order was recorded too.

One verdict is recorded of each judge, so both orders agree. Questions about whole responses:

    judge    the verdict of the named judge, without a name of "assistant" or else the first one; a
             tie and an unknown pair are "tie" where that is allowed, else "first"; where there are
             criteria on which the responses differ, these decide instead
    follows  whichever response has more of the criteria by the recorded values
    rate     5 + the judges that preferred the response - those that preferred the other one; for a
             named judge 7, 3 or 5
    respond  the one of two recorded responses that follows the criteria better; where neither does,
             or without criteria, one that the request and the sample draw
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from palate.errors import InputError
from palate.llm.scripted.chaos import uniform
from palate.llm.scripted.planted_texts import sign
from palate.llm.scripted.question import Question, by_kind, named
from palate.llm.scripted.recorded_pair import RecordedPair
from palate.llm.scripted.topics import tag, topics

HEAD = 160
"""Characters by which a text is known again when it was shortened before it was asked about."""
UNKNOWN = "I have no answer to that on record."
RATES, MIDDLE = (1, 10), 5
SPREAD = 1.5
"""Distance of a score from the middle, 4, where a response shows more or less of a concept."""


class Recorded:
    """A script that replays recorded pairs.

    Parameters
    ----------
    pairs
        What was recorded.
    concepts
        Definitions: `name`, `definition` and `domains` ("all" or a list).
    """

    def __init__(
        self, pairs: Iterable[RecordedPair], concepts: Sequence[Mapping[str, Any]]
    ) -> None:
        self.pairs = tuple(pairs)
        self.concepts = tuple(concepts)
        self._names = {str(c["name"]).casefold(): str(c["name"]) for c in self.concepts}
        self._known: dict[tuple[str, ...], list[tuple[RecordedPair, bool]]] = {}
        self._shown: dict[str, list[tuple[RecordedPair, bool]]] = {}
        self._asked: dict[str, list[RecordedPair]] = {}
        for pair in self.pairs:
            for cut in (_whole, _head):
                a, b, request = cut(pair.first), cut(pair.second), cut(pair.request)
                for key in ((request, a, b), (a, b)):
                    self._known.setdefault(key, []).append((pair, False))
                    self._known.setdefault((*key[:-2], b, a), []).append((pair, True))
                self._shown.setdefault(a, []).append((pair, False))
                self._shown.setdefault(b, []).append((pair, True))
                self._asked.setdefault(request, []).append(pair)

    def __call__(self, question: Question) -> Mapping[str, Any]:
        """Answer a question from what is recorded.

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
            "judge": self._judge,
            "judge_reasons": self._judge,
            "follows": self._follows,
            "rate": self._rate,
            "respond": self._respond,
        }
        return by_kind(question, kinds, "A recording")

    def find(self, material: Mapping[str, str]) -> tuple[RecordedPair, bool] | None:
        """Return the pair whose responses are shown, and whether they are exchanged.

        Parameters
        ----------
        material
            Texts by name: `response_1`, `response_2` and, to tell equal pairs apart, `request`.
        """
        for cut in (_whole, _head):
            a, b = cut(material.get("response_1", "")), cut(material.get("response_2", ""))
            for key in ((cut(material.get("request", "")), a, b), (a, b)):
                if key in self._known:
                    return self._known[key][0]
        return None

    def _name(self, concept: str) -> str:
        return self._names.get(concept.strip().casefold(), concept)

    def _relevance(self, question: Question) -> dict[str, bool]:
        """A concept is relevant to a request if it was recorded for any of its pairs."""
        found = self.find(question.material)
        pairs = [found[0]] if found else self._of_request(question.material)
        relevant = {c for p in pairs for c, v in p.values.items() if v is not None}
        return {f: self._name(concept) in relevant for f, concept in question.fields.items()}

    def _of_request(self, material: Mapping[str, str]) -> list[RecordedPair]:
        request = material.get("request", "")
        return self._asked.get(_whole(request)) or self._asked.get(_head(request)) or []

    def _compare(self, question: Question) -> dict[str, Any]:
        found = self.find(question.material)
        answers: dict[str, Any] = {}
        for field_name, concept in question.fields.items():
            value = found[0].value(self._name(concept), exchanged=found[1]) if found else None
            answer = spoken(value, question.allowed(field_name))
            if question.name == "compare_reasons":
                reason = f"Recorded: {concept} is {answer}."
                answers[field_name] = {"reason": reason, "answer": answer}
            else:
                answers[field_name] = answer
        return answers

    def _score(self, question: Question) -> dict[str, int]:
        """Scores 4 +- 1.5 by the recorded comparison; where none was, 0."""
        places = self._places(question.material)
        answers = {}
        for field_name, concept in question.fields.items():
            name = self._name(concept)
            # each of the two responses is scored alone: the exchanged recording has no part in it
            signs = [-1 if second else 1 for _, second in places]
            values = [p.value(name, exchanged=False) for p, _ in places]
            known = [s * v for s, v in zip(signs, values, strict=True) if v is not None]
            score = round(4 + SPREAD * sum(known) / len(known)) if known else 0
            allowed = question.allowed(field_name)
            answers[field_name] = score if not allowed or score in allowed else 4
        return answers

    def _places(self, material: Mapping[str, str]) -> list[tuple[RecordedPair, bool]]:
        """Where a response stands, and whether it is the second of its pair."""
        text, request = material.get("response", ""), material.get("request", "")
        places = self._shown.get(_whole(text)) or self._shown.get(_head(text)) or []
        return [p for p in places if _head(p[0].request) == _head(request)] or places

    def _aims(self, question: Question) -> dict[str, int]:
        return {self._name(concept): aim for concept, aim in question.aims.items()}

    def _judge(self, question: Question) -> dict[str, str]:
        found, value = self.find(question.material), None
        if found is not None:
            pair, exchanged = found
            value = pair.follows(self._aims(question), exchanged=exchanged)
            if not value:
                known = pair.verdict(question.persona)
                value = -known if known is not None and exchanged else known
        tie = "tie" if "tie" in (question.allowed("verdict") or ()) else "first"
        verdict = {1: "first", -1: "second"}.get(sign(value or 0), tie)
        if question.name == "judge":
            return {"verdict": verdict}
        return {"reasons": f"Recorded: {verdict}.", "verdict": verdict}

    def _follows(self, question: Question) -> dict[str, str]:
        found = self.find(question.material)
        value = found[0].follows(self._aims(question), exchanged=found[1]) if found else 0.0
        return {"verdict": {1: "first", -1: "second"}.get(sign(value), "equal")}

    def _rate(self, question: Question) -> dict[str, int]:
        places = self._places(question.material)[:1]
        rate = MIDDLE
        for pair, second in places:
            own = named(question.persona, pair.verdicts)
            known = pair.verdicts.values() if own is None else [2 * (pair.verdicts[own] or 0)]
            total = sum(v or 0 for v in known)
            rate += round(-total if second else total)
        return {"score": min(max(rate, RATES[0]), RATES[1])}

    def _respond(self, question: Question) -> dict[str, str]:
        pairs = self._of_request(question.material)
        if not pairs:
            return {"response": UNKNOWN}
        follows = pairs[0].follows(self._aims(question), exchanged=False)
        if not follows:
            follows = uniform("respond", pairs[0].request, question.sample) - 0.5
        return {"response": pairs[0].first if follows > 0 else pairs[0].second}

    def _domain(self, query: str) -> str:
        pairs = self._asked.get(_whole(query)) or self._asked.get(_head(query))
        return pairs[0].domain if pairs else "other"

    def _topics(self, question: Question) -> dict[str, list[str]]:
        queries = [t for name, t in question.material.items() if name.startswith("query")]
        return topics([(query, self._domain(query)) for query in queries])

    def _tagging(self, question: Question) -> dict[str, Any]:
        return {
            f: tag(question, f, (q := question.material.get(f"query_{f[1:]}", "")), self._domain(q))
            for f in question.fields
        }

    def _propose(self, question: Question) -> dict[str, Any]:
        """Concepts on which the shown pairs differ first, then others of their domains."""
        weight: dict[str, float] = {}
        domains: set[str] = set()
        for name, text in question.material.items():
            if name.split("_")[0] not in ("preferred", "other"):
                continue
            for pair, _ in (self._shown.get(_whole(text)) or self._shown.get(_head(text)) or [])[
                :1
            ]:
                domains.add(pair.domain)
                for concept, value in pair.values.items():
                    weight[concept] = weight.get(concept, 0.0) + abs(value or 0.0)
        listed = [
            c
            for c in self.concepts
            if c.get("domains", "all") == "all" or domains & {*c["domains"]}
        ]
        drawn = sorted(question.material.items())  # equal ones come in another order each time
        listed.sort(key=lambda c: (-weight.get(str(c["name"]), 0.0), uniform(c["name"], drawn)))
        limit = question.schema.get("properties", {}).get("concepts", {}).get("maxItems", 10)
        return {
            "concepts": [
                {"name": c["name"], "description": c["definition"]} for c in listed[:limit]
            ]
        }

    def _same(self, question: Question) -> dict[str, bool]:
        """Recorded concepts are all different: the same is what has the same name."""
        texts = question.material
        return {
            f: self._leading(texts.get(f"concept_{f[1:]}_a", ""))
            == self._leading(texts.get(f"concept_{f[1:]}_b", ""))
            for f in question.fields
        }

    def _leading(self, text: str) -> str:
        """The recorded name that a text begins with, or what stands before its first colon."""
        folded = text.strip().casefold()
        names = [name for name in self._names if folded.startswith(name)]
        return max(names, key=len, default=folded.partition(":")[0].strip())

    def _define(self, question: Question) -> dict[str, str]:
        known = {str(c["name"]).casefold(): str(c["definition"]) for c in self.concepts}
        answers = {}
        for field_name in question.fields:
            name = self._leading(question.material.get(f"concept_{field_name[1:]}", ""))
            answers[field_name] = known.get(
                name, f"High: the response shows {name}; low: the response does not."
            )
        return answers

    def to_json(self) -> str:
        """Return the recording as a JSON document, which `from_json` reads."""
        pairs = [
            {
                "request": p.request,
                "first": p.first,
                "second": p.second,
                "domain": p.domain,
                "values": dict(p.values),
                "swapped": dict(p.swapped),
                "verdicts": dict(p.verdicts),
            }
            for p in self.pairs
        ]
        return json.dumps({"concepts": list(self.concepts), "pairs": pairs}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Recorded:
        """Return a recording from what `to_json` returned.

        Parameters
        ----------
        text
            The JSON document.

        Raises
        ------
        InputError
            If it is no such document.
        """
        try:
            found = json.loads(text)
            return cls([RecordedPair(**pair) for pair in found["pairs"]], found["concepts"])
        except (ValueError, KeyError, TypeError) as problem:
            raise InputError(f"No saved script: {problem}.") from None


def spoken(value: float | None, allowed: Sequence[Any] | None) -> str:
    """Return a value as an answer: "first", "second", "equal" or "irrelevant".

    Parameters
    ----------
    value
        Above 0 where the response shown first shows more; None if not relevant.
    allowed
        What the schema allows, or None for everything; "equal" stands in for "irrelevant".
    """
    if value is None:
        return "equal" if allowed is not None and "irrelevant" not in allowed else "irrelevant"
    return "first" if value > 0 else "second" if value < 0 else "equal"


def _whole(text: str) -> str:
    return " ".join(text.split())


def _head(text: str) -> str:
    return "\n" + _whole(text[: 2 * HEAD])[:HEAD]  # no whole text begins with a line break
