"""What comes back for a request: an `Answer`, or a `Failure` with its reason; never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from palate.llm.request import Request

Reason = Literal[
    "rate limit",  # 429 until the last retry
    "server error",  # 5xx until the last retry
    "connection",  # refused, reset, closed in the middle of the body
    "timeout",
    "not json",  # the text is no JSON object, or repeats a key
    "wrong shape",  # JSON that the schema does not allow: a field missing, unknown, of another type
    "cut off",  # the answer reached its limit of tokens
    "declined",  # the model or a filter would not answer
    "too long",  # the request exceeds what the model takes
    "budget",  # not sent: it could have cost more than --max-cost leaves
]


@dataclass(frozen=True)
class Usage:
    """Tokens of one call.

    Parameters
    ----------
    input_tokens
        Tokens sent, cached ones included.
    output_tokens
        Tokens generated.
    cached_tokens
        Those of `input_tokens` that the provider read from its prefix cache.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """An answer that fits the schema of its request.

    Parameters
    ----------
    value
        The JSON object.
    usage
        Tokens that the call took when it was made.
    cost
        What the call cost when it was made, in US dollars; None where no price is known.
    stored
        Whether it was read from the store, so that nothing was spent now.
    probabilities
        Per field, the probability of each of its values, where the backend gives them.
    """

    value: Mapping[str, Any]
    usage: Usage = Usage()
    cost: float | None = None
    stored: bool = False
    probabilities: Mapping[str, Mapping[str, float]] | None = None


@dataclass(frozen=True)
class Failure:
    """No answer, and why.

    Parameters
    ----------
    reason
        The kind of failure.
    detail
        One sentence for people; never holds a key or a header.
    attempts
        How often it was sent.
    """

    reason: Reason
    detail: str = ""
    attempts: int = 0


Outcome: TypeAlias = Answer | Failure


class Asks(Protocol):
    """Whatever answers requests: a `Client`, or the one that only counts for `--dry-run`."""

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in their order."""
        ...
