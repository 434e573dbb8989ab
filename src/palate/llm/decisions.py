"""Typed decisions: servers of `/v1/systemone` answer yes/no, choices and scores with probabilities.

No text is generated. What a request's schema asks becomes questions about the text of its
messages: a boolean is a yes/no, an `enum` a choice, an integer between two limits a score on that
many levels; the description of a field is its question. The answer is the most probable value of
every field; `Reply.probabilities` has the rest. A schema with free text, lists or open numbers
cannot be answered.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from palate.llm.backend import CallError, Reply
from palate.llm.call_errors import call_error
from palate.llm.outcome import Usage
from palate.llm.providers import OpenModel
from palate.llm.request import Request
from palate.llm.shape import NotJSONError, object_of_once

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models.decision import DecisionAnswer, DecisionQuestion

SEPARATOR = "/"
MOST_LEVELS = 64


class DecisionBackend:
    """Sends one request at a time to a server of typed decisions.

    Parameters
    ----------
    opened
        The model, from `open_model`.
    timeout
        Seconds until a call counts as failed.
    """

    def __init__(self, opened: OpenModel, *, timeout: float = 120.0) -> None:
        self._opened = opened
        self._timeout = timeout
        self.name = opened.name
        self.sent: Mapping[str, Any] = {"model": opened.name}
        self.room = 0
        client: Any = getattr(opened.model, "client", None)
        if hasattr(client, "event_hooks"):
            # the library would take the last of two answers to one question
            client.event_hooks["response"].append(_refuse_keys_twice)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def ask(self, request: Request) -> Reply:
        """Send one request once and return the reply.

        Parameters
        ----------
        request
            The request.

        Raises
        ------
        CallError
            If there is no answer; for every request, if the schema asks for more than decisions.
        """
        from pydantic_ai.models.decision import DecisionModel, DecisionRequest

        model = self._opened.model
        if not isinstance(model, DecisionModel):
            raise CallError("declined", f"{self.name} makes no typed decisions.", fatal=True)
        fields = dict(_fields(request.schema, ""))
        questions = {path: _question(path, part, self.name) for path, part in fields.items()}
        state = "\n\n".join(message.text for message in request.messages)
        try:
            response = await model.decide(
                DecisionRequest(state=state, questions=questions), {"timeout": self._timeout}
            )
        except NotJSONError as error:
            raise CallError("not json", str(error), retry=True, answered=True) from None
        except Exception as error:  # a body of the wrong shape fails anywhere in the library
            raise call_error(
                error, model=self.name, key_variable=self._opened.key_variable
            ) from None
        value: dict[str, Any] = {}
        probabilities: dict[str, Mapping[str, float]] = {}
        for path, part in fields.items():
            options = _options(part)
            spread = _spread(response.answers[path], [str(label) for label, _ in options])
            probabilities[path] = spread
            best = max(options, key=lambda option: spread[str(option[0])])
            _put(value, path, best[1])
        usage = Usage(response.usage.input_tokens, response.usage.output_tokens)
        return Reply(json.dumps(value, ensure_ascii=False), usage, probabilities)

    async def close(self) -> None:
        """Close the connections."""
        await self._opened.close()


async def _refuse_keys_twice(response: httpx2.Response) -> None:
    await response.aread()
    with contextlib.suppress(json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        # what is no JSON at all the library refuses itself
        json.loads(response.content, object_pairs_hook=object_of_once)


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields that hold no others, by their path."""
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        if part.get("type") == "object":
            yield from _fields(part, path + SEPARATOR)
        else:
            yield path, part


def _options(part: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Label and value of everything that a field may be; empty where that is not a short list."""
    if "enum" in part:
        return [(v if isinstance(v, str) else json.dumps(v), v) for v in part["enum"]]
    if part.get("type") == "boolean":
        return [("true", True), ("false", False)]
    if part.get("type") == "integer" and "minimum" in part and "maximum" in part:
        levels = range(part["minimum"], part["maximum"] + 1)
        if 2 <= len(levels) <= MOST_LEVELS:
            return [(str(level), level) for level in levels]
    return []


def _question(path: str, part: Mapping[str, Any], model: str) -> DecisionQuestion:
    from pydantic_ai.models.decision import ChoiceQuestion, NoulQuestion, ScoreQuestion

    asked = part.get("description") or part.get("title") or path
    if SEPARATOR in path and asked != path:  # the same question may stand in several objects
        asked = f"{path}: {asked}"
    options = _options(part)
    if len(options) < 2:
        raise CallError(
            "declined",
            f"{model} answers yes or no, choices and scores; the field {path!r} asks for "
            f"{part.get('type', 'something else')!r}.",
            fatal=True,
        )
    if len({label for label, _ in options}) < len(options):
        raise CallError(
            "declined", f"The field {path!r} has two options that read the same.", fatal=True
        )
    if part.get("type") == "boolean":
        return NoulQuestion(instructions=asked)
    if "enum" in part:
        return ChoiceQuestion(instructions=asked, criteria={label: label for label, _ in options})
    return ScoreQuestion(instructions=asked, criteria=[label for label, _ in options])


def _spread(answer: DecisionAnswer, labels: list[str]) -> dict[str, float]:
    """The probability of every label."""
    from pydantic_ai.models.decision import ChoiceAnswer, NoulAnswer

    if isinstance(answer, NoulAnswer):
        return {"true": answer.noul, "false": 1.0 - answer.noul}
    if isinstance(answer, ChoiceAnswer):
        return {label: answer.probabilities[label] for label in labels}
    return {label: answer.probabilities[level] for level, label in enumerate(labels)}


def _put(value: dict[str, Any], path: str, leaf: Any) -> None:
    *outer, last = path.split(SEPARATOR)
    for name in outer:
        value = value.setdefault(name, {})
    value[last] = leaf
