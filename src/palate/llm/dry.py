"""A client that sends nothing and counts everything: what `--dry-run` runs a pipeline against.

The pipeline runs as it would, so what it would ask is what is counted; each question gets a
typical answer, so that the steps after it have something to work with. Tokens are guessed without
a tokenizer (see `palate.llm.tokens`), the time assumes SECONDS_PER_CALL for a call, and tokens of
a system message that an earlier call began with count as cached where the message is long enough
for providers' caches (CACHED_FROM tokens).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from palate.llm.outcome import Answer, Outcome, Usage
from palate.llm.prices import Price
from palate.llm.request import Request
from palate.llm.spending import Spent
from palate.llm.tokens import MESSAGE_TOKENS, count_tokens

SECONDS_PER_CALL = 3.0
CACHED_FROM = 1024
_WORDS = "High: clear and complete; low: vague, with gaps"


@dataclass(frozen=True)
class Estimate:
    """What a run would take.

    Parameters
    ----------
    calls
        Calls that would be sent; identical ones count once.
    input_tokens
        Tokens that would be sent, cached ones included.
    output_tokens
        Tokens that would be generated.
    cached_tokens
        Those of `input_tokens` that providers with a prefix cache would read from it.
    cost
        US dollars; None where no price is known.
    seconds
        Time it would take at `SECONDS_PER_CALL` a call, within the limits per minute.
    """

    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None
    seconds: float


class DryClient:
    """Answers requests without sending them, and counts what they would cost.

    Parameters
    ----------
    price
        Price of the tokens; None where it is not known.
    answer
        Gives the answer to a request; `typical_answer` of its schema if absent.
    concurrency
        Calls in flight at a time.
    requests_per_minute
        Calls begun in a minute; None for no limit.
    tokens_per_minute
        Tokens in a minute; None for no limit.
    """

    def __init__(
        self,
        price: Price | None = None,
        answer: Callable[[Request], Mapping[str, Any]] | None = None,
        *,
        concurrency: int = 32,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
    ) -> None:
        self._price = price
        self._answer = answer or (lambda request: typical_answer(request.schema))
        self._concurrency = concurrency
        self._per_minute = requests_per_minute, tokens_per_minute
        self._asked: set[bytes] = set()
        self._prefixes: set[str] = set()
        self._calls, self._input, self._output, self._cached = 0, 0, 0, 0
        self._schemas: dict[str, int] = {}

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return a typical answer per request, in their order.

        Parameters
        ----------
        requests
            The requests.
        """
        return [self._ask(request) for request in requests]

    @property
    def estimate(self) -> Estimate:
        """What all that was asked so far would take."""
        usage = Usage(self._input, self._output, self._cached)
        seconds = self._calls * SECONDS_PER_CALL / self._concurrency
        requests, tokens = self._per_minute
        if requests:
            seconds = max(seconds, 60 * self._calls / requests)
        if tokens:
            seconds = max(seconds, 60 * (self._input + self._output) / tokens)
        return Estimate(
            calls=self._calls,
            input_tokens=self._input,
            output_tokens=self._output,
            cached_tokens=self._cached,
            cost=None if self._price is None else self._price.cost(usage),
            seconds=max(seconds, SECONDS_PER_CALL) if self._calls else 0.0,
        )

    @property
    def spent(self) -> Spent:
        """What was used: nothing."""
        return Spent(cost=0.0)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def __enter__(self) -> DryClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, request: Request) -> Answer:
        value = dict(self._answer(request))
        sent, cached = self._sent(request)
        output = count_tokens(json.dumps(value, ensure_ascii=False))
        usage = Usage(sent, output, cached)
        key = request.key({})
        if key not in self._asked:
            self._asked.add(key)
            self._calls += 1
            self._input += sent
            self._output += output
            self._cached += cached
        return Answer(value, usage, None if self._price is None else self._price.cost(usage))

    def _sent(self, request: Request) -> tuple[int, int]:
        shape = json.dumps(request.schema, ensure_ascii=False)
        if shape not in self._schemas:
            self._schemas[shape] = count_tokens(shape)
        counts = [count_tokens(m.text) + MESSAGE_TOKENS for m in request.messages]
        cached = 0
        first = request.messages[0] if request.messages else None
        if first is not None and first.role == "system" and counts[0] >= CACHED_FROM:
            cached = counts[0] if first.text in self._prefixes else 0
            self._prefixes.add(first.text)
        return sum(counts) + self._schemas[shape], cached


def typical_answer(schema: Mapping[str, Any]) -> Any:
    """Return a value that a JSON schema allows and that is about as long as a usual one.

    Parameters
    ----------
    schema
        The schema.
    """
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: typical_answer(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        count = max(schema.get("minItems", 0), min(3, schema.get("maxItems", 3)))
        return [typical_answer(schema.get("items", {"type": "string"})) for _ in range(count)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return {"boolean": True, "null": None}.get(kind, _WORDS)
