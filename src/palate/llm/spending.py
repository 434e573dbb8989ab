"""`Spent`: what a client has used so far, and how a run tells its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from palate.llm.outcome import Usage
from palate.llm.prices import Price

_NOTHING = Usage()


@dataclass(frozen=True)
class Spent:
    """What a client has used so far.

    Parameters
    ----------
    calls
        Attempts that were sent.
    stored
        Requests that the store answered.
    failed
        Requests without an answer.
    usage
        Tokens of all attempts, of those whose answer could not be used as well.
    cost
        US dollars; None where no price is known.
    seconds
        Time between asking and the last answer, over all questions asked.
    """

    calls: int = 0
    stored: int = 0
    failed: int = 0
    usage: Usage = _NOTHING
    cost: float | None = None
    seconds: float = 0.0


Progress: TypeAlias = Callable[[int, int, Spent, float | None, float | None], None]
"""Called with requests done, requests in all, what is spent, the estimated cost in the end and the
estimated seconds left; the last two are None where they are not known."""


class Account:
    """Counts what a client uses.

    Parameters
    ----------
    price
        Price of the tokens, None where it is not known.
    """

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.calls = self.stored = self.failed = 0
        self.input = self.output = self.cached = 0
        self.cost = 0.0
        self.seconds = 0.0

    def charge(self, usage: Usage) -> float | None:
        """Add the tokens of an attempt and return what they cost, None without a price.

        Parameters
        ----------
        usage
            The tokens.
        """
        self.input += usage.input_tokens
        self.output += usage.output_tokens
        self.cached += usage.cached_tokens
        if self.price is None:
            return None
        cost = self.price.cost(usage)
        self.cost += cost
        return cost

    def spent(self) -> Spent:
        """Return what was used so far."""
        return Spent(
            calls=self.calls,
            stored=self.stored,
            failed=self.failed,
            usage=Usage(self.input, self.output, self.cached),
            cost=None if self.price is None else self.cost,
            seconds=self.seconds,
        )
