"""`Matchup` -> `Judged`: two responses to a prompt, and what a judge said of them in each order.

Signs are those of `Preferences`: +1 says that a is better, whichever response was shown first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TIE, UNJUDGED = 0.0, math.nan


@dataclass(frozen=True)
class Matchup:
    """Two responses to the same prompt.

    Parameters
    ----------
    id
        Names it, for people and for draws that follow from it.
    prompt
        The user's request.
    a
        One response.
    b
        The other one.
    """

    id: str
    prompt: str
    a: str
    b: str


@dataclass(frozen=True)
class Said:
    """What a judge said in one order, over all its samples.

    Parameters
    ----------
    verdict
        +1 for a, -1 for b, 0 for a tie (said so, or samples that balance), NaN without an answer.
    samples
        The verdict of each sample that was answered.
    soft
        2p - 1 with p the probability of a, from the probabilities of the answer; None where the
        endpoint gives none.
    reasons
        What the judge said before its verdict, where the mode asks for reasons.
    failure
        Why there is no answer; empty where there is one.
    """

    verdict: float = UNJUDGED
    samples: tuple[float, ...] = ()
    soft: float | None = None
    reasons: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class Judged:
    """What a judge said of a matchup.

    Parameters
    ----------
    id
        Id of the matchup.
    ab
        What it said where a stood first; None where that was not asked.
    ba
        What it said where b stood first; None where that was not asked.
    """

    id: str
    ab: Said | None
    ba: Said | None

    @property
    def verdict(self) -> float:
        """The verdict: of both orders where both were asked, 0 where they disagree.

        NaN where an order that was asked has no answer. A tie in one order and a side in the other
        disagree.
        """
        said = [order.verdict for order in (self.ab, self.ba) if order is not None]
        if not said or any(math.isnan(v) for v in said):
            return UNJUDGED
        return said[0] if all(v == said[0] for v in said) else TIE

    @property
    def soft(self) -> float | None:
        """The mean of the soft verdicts of the orders; None where one is missing."""
        said = [order.soft for order in (self.ab, self.ba) if order is not None]
        known = [v for v in said if v is not None]
        return sum(known) / len(known) if known and len(known) == len(said) else None

    @property
    def flips(self) -> bool:
        """Whether both orders were answered and they disagree."""
        return (
            self.ab is not None
            and self.ba is not None
            and not math.isnan(self.ab.verdict + self.ba.verdict)
            and self.ab.verdict != self.ba.verdict
        )
