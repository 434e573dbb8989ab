"""Plain HTTP to an OpenAI-compatible server, with nothing of ours between."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from palate.llm.prompt import fence, fence_code


def object_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object in which every property is required and no other allowed."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def compare_schema(concepts: Sequence[str]) -> dict[str, Any]:
    """The schema of "compare" for some concepts."""
    answers = ["first", "second", "equal", "irrelevant"]
    return object_of({f"c{i}": {"enum": answers, "description": c} for i, c in enumerate(concepts)})


def expected(value: float | None) -> str:
    """The answer that a recorded value stands for."""
    return {None: "irrelevant", 1: "first", -1: "second", 0: "equal"}[value]


def fenced(material: Mapping[str, str]) -> str:
    """A message that holds some material and nothing else."""
    code = fence_code(material)
    return "\n".join(fence(name, text, code) for name, text in material.items())


class Connection:
    """One connection that stays open."""

    def __init__(self, port: int | None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port or 80, timeout=20)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def chat(
        self,
        name: str,
        schema: Mapping[str, Any],
        user: str,
        *,
        system: str = "You compare two responses.",
        tool: bool = False,
        **more: Any,
    ) -> tuple[int, Any]:
        """Status and JSON of one chat completion with a schema, or with a tool."""
        body: dict[str, Any] = {
            "model": "scripted",
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": user},
            ],
            **more,
        }
        if tool:
            function = {"name": name, "parameters": schema}
            body["tools"] = [{"type": "function", "function": function}]
        else:
            wanted = {"name": name, "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return self.send("POST", "/v1/chat/completions", body)

    def answer(self, name: str, schema: Mapping[str, Any], material: Mapping[str, str]) -> Any:
        """The answer to a question about some material."""
        status, body = self.chat(name, schema, fenced(material))
        assert status == 200, body
        return json.loads(body["choices"][0]["message"]["content"])
