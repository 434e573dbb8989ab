"""`Question`: what a scripted server was asked, and `Script`: what answers it.

A script sees the name of the schema, the schema and the material of the messages (`read_fences`);
it never reads prose.

    def script(question: Question) -> Mapping[str, object]:
        return {field: True for field in question.fields}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from palate.errors import InputError
from palate.llm.prompt import read_fences

_LINE = re.compile(r"^(Criteria|Persona|Words): (.*)$", re.MULTILINE)
_FENCED = re.compile(r"^<\w+ [0-9a-f]{6,64}>$", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One structured question as it arrived.

    Parameters
    ----------
    name
        Name of the schema: the kind of question.
    schema
        JSON schema of the answer.
    system
        Text of the system messages.
    material
        Texts of strangers by name, from the fences of all messages.
    body
        The whole body of the request.
    sample
        Which of several answers to the same question is asked for (`seed` of the body).
    """

    name: str
    schema: Mapping[str, Any]
    system: str
    material: Mapping[str, str]
    body: Mapping[str, Any]
    sample: int = 0

    @property
    def fields(self) -> dict[str, str]:
        """Description of each property of the answer, in the order of the schema."""
        return {
            name: str(_resolved(part, self.schema).get("description", ""))
            for name, part in self.schema.get("properties", {}).items()
        }

    @property
    def criteria(self) -> list[dict[str, str]]:
        """What to look for or to write: `name`, `text`, `aim`, from the line "Criteria: [JSON]".

        Raises
        ------
        InputError
            If that line holds no list of such objects.
        """
        line = self._line("Criteria")
        try:
            found = json.loads(line or "[]")
            return [{part: str(row[part]) for part in ("name", "text", "aim")} for row in found]
        except (ValueError, KeyError, TypeError) as problem:
            raise InputError(f"The line of criteria is no list of criteria: {problem}.") from None

    @property
    def aims(self) -> dict[str, int]:
        """By name of a criterion, 1 where more of it is wanted and -1 where less is."""
        return {row["name"]: -1 if row["aim"] == "less" else 1 for row in self.criteria}

    @property
    def persona(self) -> str | None:
        """Who judges, from the line "Persona: NAME"; None without one."""
        return self._line("Persona")

    @property
    def words(self) -> int | None:
        """How many words are wanted, from the line "Words: 120"; None without one."""
        line = self._line("Words")
        return int(line) if line is not None and line.isdecimal() else None

    def _line(self, head: str) -> str | None:
        """What stands behind a head in the system text; the first such line counts."""
        return next((m[2].strip() for m in _LINE.finditer(self.system) if m[1] == head), None)

    def allowed(self, field: str) -> list[Any] | None:
        """Return the values that a property may take, if the schema lists them.

        Parameters
        ----------
        field
            Name of the property.
        """
        part = _resolved(self.schema["properties"][field], self.schema)
        answer = part.get("properties", {}).get("answer")
        if answer is not None:
            part = _resolved(answer, self.schema)
        if "enum" in part:
            return list(part["enum"])
        if part.get("type") == "integer" and {"minimum", "maximum"} <= part.keys():
            return list(range(part["minimum"], part["maximum"] + 1))
        return None

    def pairs(self) -> dict[str, Question]:
        """Return the question about each pair of "compare_pairs", as "compare" would ask it.

        Its material is that of the pair alone, under the names that one pair has.
        """
        found = {}
        for name in self.schema.get("properties", {}):
            number = name.removeprefix("p")
            material = {
                own: self.material[shown]
                for own, shown in (
                    ("request", f"request_{number}"),
                    ("response_1", f"response_{number}_1"),
                    ("response_2", f"response_{number}_2"),
                )
                if shown in self.material
            }
            part = dict(_resolved(self.schema["properties"][name], self.schema))
            if "$defs" in self.schema:
                part["$defs"] = self.schema["$defs"]
            found[name] = replace(self, name="compare", schema=part, material=material)
        return found


Script: TypeAlias = Callable[[Question], Mapping[str, Any] | str]
"""Answers a question with a JSON object, or with a text that is sent as it is."""


def by_kind(
    question: Question, kinds: Mapping[str, Callable[[Question], Mapping[str, Any]]], who: str
) -> Mapping[str, Any]:
    """Return the answer of the function that answers questions of this kind.

    "compare_pairs" is answered pair by pair by what answers "compare".

    Parameters
    ----------
    question
        What is asked.
    kinds
        What answers each kind of question.
    who
        Who answers, for the error.

    Raises
    ------
    InputError
        If it is of none of these kinds.
    """
    if question.name == "compare_pairs" and "compare" in kinds:
        return {name: kinds["compare"](part) for name, part in question.pairs().items()}
    if question.name not in kinds:
        raise InputError(f"{who} answers {', '.join(kinds)}; found {question.name!r}.")
    return kinds[question.name](question)


def named(text: str | None, names: Iterable[str]) -> str | None:
    """Return the longest of some names with which a text begins, whatever the case.

    Parameters
    ----------
    text
        What `Question.persona` says.
    names
        The names that are known.
    """
    folded = (text or "").casefold()
    found = [n for n in names if re.match(re.escape(n.casefold()) + r"(?!\w)", folded)]
    return max(found, key=len, default=None)


def pair_by_pair(script: Script) -> Script:
    """Return a script that answers "compare_pairs" by asking another one about each pair.

    Parameters
    ----------
    script
        Answers "compare", and everything else.
    """

    def answer(question: Question) -> Mapping[str, Any] | str:
        if question.name != "compare_pairs":
            return script(question)
        return {name: script(part) for name, part in question.pairs().items()}

    return answer


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of a schema with a reference to `$defs` followed, its own keywords first."""
    reference = part.get("$ref")
    if not isinstance(reference, str):
        return part
    target = schema.get("$defs", {}).get(reference.rsplit("/", 1)[-1], {})
    return {**target, **part}


def chat_question(body: Mapping[str, Any]) -> Question:
    """Return the question of a body of `/v1/chat/completions`.

    Parameters
    ----------
    body
        The body; the schema stands in `response_format` or is the parameters of a tool.

    Raises
    ------
    InputError
        If the body has no messages.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InputError("The body has no messages.")
    name, schema = "", {}
    wanted = (body.get("response_format") or {}).get("json_schema")
    if wanted:
        name, schema = wanted.get("name", ""), wanted.get("schema", {})
    elif body.get("tools"):
        tool = body["tools"][0]["function"]
        name, schema = tool["name"], tool.get("parameters", {})
    texts = [(str(m.get("role")), _text(m.get("content"))) for m in messages]
    material: dict[str, str] = {}
    for _, text in texts:
        material |= read_fences(text)
    system = "\n\n".join(text for role, text in texts if role in ("system", "developer"))
    return Question(name, schema, system, material, body, int(body.get("seed") or 0))


def decision_question(body: Mapping[str, Any]) -> Question:
    """Return the question of a body of `/v1/systemone`, whose kind follows from its questions.

    Yes/no questions about `concept_1_a` are "same", others "relevance"; a choice named `verdict` is
    "follows" where "equal" is among its options, else "judge"; other choices among words are
    "compare", or "compare_pairs" where they stand in objects (`p1/c1`); a score named `score` is
    "rate"; other scores, and choices among numbers, are "score". The description of a field is what
    its instructions say. What stands before the first material counts as the system text.

    Parameters
    ----------
    body
        The body: a `state` and named `questions`.

    Raises
    ------
    InputError
        If the body has no questions.
    """
    questions = body.get("questions")
    if not isinstance(questions, dict) or not questions:
        raise InputError("The body has no questions.")
    material: dict[str, str] = {}
    texts = list(_strings(body.get("state")))
    for text in texts:
        material |= read_fences(text)
    name = _decision_kind(questions, material)
    schema = _object()
    for path, asked in questions.items():
        *outer, last = path.split("/")
        inner = schema
        for part in outer:
            inner = inner["properties"].setdefault(part, _object())
        inner["properties"][last] = _decision_schema(path, asked)
    if name == "compare" and any("/" in path for path in questions):
        name = "compare_pairs"
    system = _FENCED.split("\n\n".join(texts), maxsplit=1)[0]
    return Question(name, schema, system, material, body)


def _decision_kind(questions: Mapping[str, Any], material: Mapping[str, str]) -> str:
    """The kind of question that the options and the names of its fields tell."""
    if {q.get("type") for q in questions.values()} == {"noul"}:
        return "same" if "concept_1_a" in material else "relevance"
    labels = [str(label) for q in questions.values() for label in q.get("criteria", ())]
    if set(questions) == {"verdict"}:
        return "follows" if "equal" in labels else "judge"
    if all(label.isdecimal() for label in labels):
        return "rate" if set(questions) == {"score"} else "score"
    return "compare"


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


def _decision_schema(path: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of the answer to one question of the typed-decision protocol."""
    instructions = question.get("instructions")
    description = instructions if isinstance(instructions, str) else json.dumps(instructions)
    description = description.removeprefix(f"{path}: ")
    if question.get("type") == "noul":
        return {"type": "boolean", "description": description}
    labels = [str(label) for label in question["criteria"]]
    numbers = all(label.isdecimal() for label in labels)
    return {
        "enum": [int(label) for label in labels] if numbers else labels,
        "description": description,
    }


def _text(content: object) -> str:
    """The text of a message, whose content may be a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _strings(value: object) -> Iterator[str]:
    """All texts inside a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
