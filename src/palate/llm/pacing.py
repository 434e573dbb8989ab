"""Requests and tokens per minute: every request takes its place in a line that moves evenly.

A limit of R a minute lets one unit pass every 60/R seconds. Up to `SLACK` seconds that were missed
may be caught up, so that the sleep of the system, which is never exact, costs no throughput; in any
minute at most R * (1 + SLACK / 60) + 1 units pass.
"""

from __future__ import annotations

import asyncio
import time

SLACK = 0.1


class Line:
    """A line through which so many units pass in a minute.

    Parameters
    ----------
    per_minute
        Units a minute; None for no limit.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._every = None if per_minute is None else 60.0 / per_minute
        self._free = 0.0

    def take(self, units: float, now: float) -> float:
        """Take a place and return the seconds until it passes.

        Parameters
        ----------
        units
            How much of the line it takes.
        now
            Reading of the clock.
        """
        if self._every is None:
            return 0.0
        start = max(self._free, now - SLACK)
        self._free = start + units * self._every
        return max(start - now, 0.0)

    def correct(self, units: float) -> None:
        """Move everybody by units that were taken too few, or, if negative, too many.

        Parameters
        ----------
        units
            The difference.
        """
        if self._every is not None:
            self._free += units * self._every


class Pace:
    """Requests and tokens per minute together.

    Parameters
    ----------
    requests_per_minute
        Limit on requests; None for none.
    tokens_per_minute
        Limit on tokens in and out; None for none.
    """

    def __init__(
        self, requests_per_minute: float | None = None, tokens_per_minute: float | None = None
    ) -> None:
        self._requests, self._tokens = Line(requests_per_minute), Line(tokens_per_minute)
        self.counts_tokens = tokens_per_minute is not None

    async def turn(self, tokens: float) -> None:
        """Wait until a request may be sent.

        Parameters
        ----------
        tokens
            Tokens that it is expected to take.
        """
        now = time.monotonic()
        wait = max(self._requests.take(1, now), self._tokens.take(tokens, now))
        if wait > 0:
            await asyncio.sleep(wait)

    def correct(self, expected: float, taken: float) -> None:
        """Say how many tokens a request took in the end.

        Parameters
        ----------
        expected
            What was said before.
        taken
            What the provider counted.
        """
        self._tokens.correct(taken - expected)
