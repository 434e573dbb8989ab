"""`Used`: tokens and cost of the answers that a mechanism rests on, stored ones included."""

from __future__ import annotations

from dataclasses import dataclass, field

from palate.llm.outcome import Answer, Outcome
from palate.llm.request import Request


@dataclass
class Used:
    """What the answers took when they were made; the same question counts once.

    Parameters
    ----------
    calls
        Questions with an answer.
    input_tokens
        Tokens sent.
    output_tokens
        Tokens generated.
    cached_tokens
        Tokens read from the provider's prefix cache.
    cost
        US dollars; None where no price is known.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None
    _seen: set[bytes] = field(default_factory=set, repr=False, compare=False)

    def add(self, request: Request, outcome: Outcome) -> None:
        """Count the answer to a question, if there is one.

        Parameters
        ----------
        request
            The question.
        outcome
            What came of it.
        """
        key = request.key({})
        if not isinstance(outcome, Answer) or key in self._seen:
            return
        self._seen.add(key)
        self.calls += 1
        self.input_tokens += outcome.usage.input_tokens
        self.output_tokens += outcome.usage.output_tokens
        self.cached_tokens += outcome.usage.cached_tokens
        if outcome.cost is not None:
            self.cost = (self.cost or 0.0) + outcome.cost

    def told(self) -> dict[str, float | int | None]:
        """Return the counts by name."""
        return {
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached_tokens,
            "cost": self.cost,
        }
