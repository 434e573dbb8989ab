"""`Budget`: what may still be sent, so that spent and reserved never exceed the limit.

Before a request is sent the most that it can cost is reserved: an upper estimate of its input, and
the whole limit of its output. Where an attempt broke after it was sent, so that nobody knows
whether it was charged, its reservation is kept.

The upper estimate of the input is `count_tokens` times a factor plus `HIDDEN_TOKENS` for what a
provider adds around a request. The factor is at least `MARGIN` times the largest ratio of reported
to estimated tokens seen so far, and `CAUTION` until `ENOUGH` calls were reported.
"""

from __future__ import annotations

import asyncio
import functools
import json
from dataclasses import dataclass

from palate.llm.outcome import Usage
from palate.llm.prices import Price
from palate.llm.request import Request

HIDDEN_TOKENS = 512
CAUTION, MARGIN, ENOUGH = 2.0, 1.25, 30


@dataclass(frozen=True)
class Size:
    """Tokens that a request may take.

    Parameters
    ----------
    counted
        Input by `count_tokens`.
    expected
        Input and output that are likely.
    worst
        Input and output that will not be exceeded.
    """

    counted: int
    expected: float
    worst: Usage


class Sizes:
    """Estimates of tokens that learn from what providers report.

    Parameters
    ----------
    room
        Tokens that an answer may take beyond the limit of its request.
    """

    def __init__(self, room: int = 0) -> None:
        self._room = room
        self._seen = 0
        self._largest = 0.0
        self._sum_ratio = self._sum_output = 0.0

    def of(self, request: Request) -> Size:
        """Return the tokens that a request may take.

        Parameters
        ----------
        request
            The request.
        """
        counted = _count(request)
        factor = max(self._largest * MARGIN, CAUTION if self._seen < ENOUGH else 1.0)
        usual = self._sum_ratio / self._seen if self._seen else 1.0
        most = request.max_tokens + self._room
        output = self._sum_output / self._seen if self._seen else float(most)
        return Size(
            counted=counted,
            expected=counted * usual + output,
            worst=Usage(int(counted * factor) + 1 + HIDDEN_TOKENS, most),
        )

    def learn(self, size: Size, usage: Usage) -> None:
        """Take note of what a call took.

        Parameters
        ----------
        size
            What was estimated.
        usage
            What the provider reported.
        """
        if usage.input_tokens > 0:  # some local servers report nothing
            ratio = usage.input_tokens / max(size.counted, 1)
            self._seen += 1
            self._largest = max(self._largest, ratio)
            self._sum_ratio += ratio
            self._sum_output += usage.output_tokens


def _count(request: Request) -> int:
    from palate.llm.tokens import count_tokens

    total = _count_shared(json.dumps(request.schema))
    for message in request.messages:
        # the same instructions stand before thousands of questions
        total += (_count_shared if message.role == "system" else count_tokens)(message.text) + 4
    return total


@functools.lru_cache(maxsize=64)
def _count_shared(text: str) -> int:
    from palate.llm.tokens import count_tokens

    return count_tokens(text)


class Budget:
    """Money that calls may cost.

    Parameters
    ----------
    limit
        US dollars; None for no limit.
    price
        Price of the tokens; needed where there is a limit.
    """

    def __init__(self, limit: float | None, price: Price | None) -> None:
        self.limit, self._price = limit, price
        self.spent = 0.0
        self.unsure = 0.0
        """Reservations of attempts that broke, which may have been charged."""
        self._reserved = 0.0
        self._open = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def reserve(self, size: Size | None) -> float | None:
        """Reserve the most that a request can cost, once it fits; None where it never will.

        Parameters
        ----------
        size
            Its tokens; None where there is no limit.
        """
        while (reserved := self.reserve_now(size)) is None:
            if self._open == 0:  # nothing is under way whose reservation could become free
                return None
            change = asyncio.get_running_loop().create_future()
            self._waiting.append(change)
            await change
        return reserved

    def reserve_now(self, size: Size | None) -> float | None:
        """Reserve the most that a request can cost; None if it does not fit now.

        Parameters
        ----------
        size
            Its tokens; None where there is no limit.
        """
        if self.limit is None or self._price is None or size is None:
            return 0.0
        cost = self._price.cost(size.worst)
        if self.spent + self.unsure + self._reserved + cost > self.limit:
            return None
        self._reserved += cost
        self._open += 1
        return cost

    def settle(self, reserved: float, cost: float | None, *, unsure: bool = False) -> None:
        """Replace a reservation by what the attempt cost.

        Parameters
        ----------
        reserved
            From `reserve`.
        cost
            What it cost; None where that is not known.
        unsure
            Whether it may have been charged though nobody said so.
        """
        self.spent += cost or 0.0
        if self.limit is None:
            return
        self._open -= 1
        # sums of many small numbers drift: none open means none reserved
        self._reserved = self._reserved - reserved if self._open else 0.0
        if unsure:
            self.unsure += reserved
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():
                change.set_result(None)
