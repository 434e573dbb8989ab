"""`RecordedPair`: what is recorded of two responses, to be read in both orders."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from palate.llm.scripted.question import named

JUDGE = "assistant"
"""Who judges where no recorded judge is named."""
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class RecordedPair:
    """What is recorded of one pair.

    Parameters
    ----------
    request, first, second
        The texts, in the order in which they were recorded.
    domain
        Where it belongs.
    values
        By concept: above 0 = the first shows more, 0 = equal; a concept that is absent or None was
        not relevant.
    swapped
        The same from the exchanged order, signs mapped back, where that was recorded.
    verdicts
        By judge: 1 = the first is better, -1 = the second, 0 = a tie.
    """

    request: str
    first: str
    second: str
    domain: str
    values: Values
    swapped: Values = field(default_factory=dict)
    verdicts: Values = field(default_factory=dict)

    def value(self, concept: str, *, exchanged: bool) -> float | None:
        """Return the value of a concept for the response shown first, None if not relevant.

        Parameters
        ----------
        concept
            Its name.
        exchanged
            Whether the second recorded response is the one shown first.
        """
        found = self.values.get(concept)
        if exchanged:
            found = self.swapped.get(concept, found)
        if found is None or math.isnan(found):
            return None
        return (-found or 0.0) if exchanged else found

    def follows(self, aims: Mapping[str, int], *, exchanged: bool) -> float:
        """Return how much better the response shown first follows criteria, below 0 if worse.

        Parameters
        ----------
        aims
            The criteria: by concept, 1 (more) or -1 (less).
        exchanged
            Whether the second recorded response is the one shown first.
        """
        return sum(aim * (self.value(c, exchanged=exchanged) or 0.0) for c, aim in aims.items())

    def verdict(self, judge: str | None) -> float | None:
        """Return the verdict of a judge, of the usual one if it is not known; None if none is.

        Parameters
        ----------
        judge
            What begins with its name.
        """
        name = named(judge, self.verdicts)
        if name is None:
            name = JUDGE if JUDGE in self.verdicts else next(iter(self.verdicts), "")
        return self.verdicts.get(name)
