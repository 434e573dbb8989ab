"""When a failed attempt is made again, and after how long.

What the way to the model broke (429, 5xx, connections, timeouts) is tried again `retries` times
after longer and longer waits. What the model itself got wrong (no JSON, the wrong shape) costs
money each time, so that it is asked again at once and at most `SAMPLES` times. An answer that
reached its limit of tokens would reach it again, and is not.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from palate.llm.backend import CallError

SAMPLES = 2
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
LONGEST_ASKED = 900.0
_OF_THE_MODEL = frozenset(("not json", "wrong shape"))


@dataclass
class Tries:
    """Attempts at one request.

    Parameters
    ----------
    key
        Key of the request: its waits are the same in every run.
    sent
        Attempts so far.
    spoiled
        Those of them that the model answered and that could not be used.
    """

    key: bytes
    sent: int = 0
    spoiled: int = 0

    def wait(self, error: CallError, retries: int) -> float | None:
        """Return the seconds to wait before the next attempt, None if there is none.

        The wait is what the provider asks for and up to a tenth more; otherwise a random share,
        one half at least, of `FIRST_WAIT` * 2^(attempts - 1), at most `LONGEST_WAIT`.

        Parameters
        ----------
        error
            How the last attempt failed.
        retries
            Attempts after the first that may fail on the way.
        """
        if error.fatal or not error.retry:
            return None
        if error.reason in _OF_THE_MODEL:
            self.spoiled += 1
            return 0.0 if self.spoiled <= SAMPLES else None
        on_the_way = self.sent - self.spoiled
        if on_the_way > retries:
            return None
        chance = random.Random(self.key + bytes([self.sent % 256])).random()
        if error.after is not None:
            if error.after > LONGEST_ASKED:  # a quota of the day: another day
                return None
            return max(error.after, 0.0) * (1 + chance / 10)
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(on_the_way - 1, 30))
        return longest * (1 + chance) / 2
