"""`Backend`: what a way of reaching models has to offer; everything else is the client's work.

A backend sends one request and returns what came back, or raises `CallError`. It does not retry,
wait, count, store or validate: `Client` does, for all backends alike. A backend that can hand in
many requests at once (provider batch APIs) is a `BatchBackend`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from palate.llm.outcome import Reason, Usage
from palate.llm.request import Request


@dataclass(frozen=True)
class Reply:
    """What a model said, before it is checked.

    Parameters
    ----------
    text
        The text of the answer, which should be a JSON object.
    usage
        Tokens of the call.
    probabilities
        Per field, the probability of each of its values, where the model gives them.
    """

    text: str
    usage: Usage
    probabilities: Mapping[str, Mapping[str, float]] | None = None


class CallError(Exception):
    """One attempt failed.

    Parameters
    ----------
    reason
        The kind of failure.
    detail
        One sentence, without keys or headers.
    retry
        Whether trying again may help.
    after
        Seconds that the provider asks to wait, if it does.
    fatal
        Whether every other request must fail in the same way (a wrong key, an unknown model).
    usage
        Tokens that the attempt was charged for, if known.
    answered
        Whether the model answered something, so that it was charged for even where no usage is
        known.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        retry: bool = False,
        after: float | None = None,
        fatal: bool = False,
        usage: Usage | None = None,
        answered: bool = False,
    ) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.retry = reason, detail, retry
        self.after, self.fatal, self.usage, self.answered = after, fatal, usage, answered


class Backend(Protocol):
    """A way of reaching a model."""

    name: str
    """Name for people and for the price table, for instance "openai:gpt-5-mini"."""
    sent: Mapping[str, Any]
    """Model and parameters that travel with every request: part of every key."""
    room: int
    """Tokens that an answer may take beyond the limit of its request, for thinking."""

    async def ask(self, request: Request) -> Reply:
        """Send one request once and return the reply, or raise `CallError`."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


@runtime_checkable
class BatchBackend(Backend, Protocol):
    """A way of handing in many requests at once, for less money and after a longer time."""

    async def ask_all(self, requests: Sequence[Request]) -> list[Reply | CallError]:
        """Hand in all requests and return one result each, in their order."""
        ...
