"""Win rates with exact intervals and tests: wins, ties and losses of one arm, once per prompt.

    win rate = (wins + ties / 2) / n

The interval inverts an exact test of the sum wins - losses: for a win rate w and a share of ties t
the chance of a sum as large is known exactly, and the largest one over all t that the ties
themselves allow (a Clopper-Pearson interval at level 1 - GAMMA, Berger and Boos 1994, doi
10.1080/01621459.1994.10476836) is what counts, GAMMA added. Its coverage is never below the level.

Whether wins and losses differ is a sign test: given the ties, wins are binomial with chance one
half if neither side is better, whatever the share of ties. Holm's correction (1979) bounds the
chance of a single wrong statement in a family of tests, however they depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from palate.errors import InputError

Array = npt.NDArray[np.float64]
GAMMA = 0.001
"""What the interval gives away for not knowing the share of ties."""
TIE_SHARES = 41  # shares of ties that are tried, evenly over their interval
EXACT = 1e-7  # of an end


@dataclass(frozen=True)
class WinRate:
    """How often one side was better than the other.

    Parameters
    ----------
    wins
        Prompts on which it was better.
    ties
        Prompts on which neither was, or the orders disagreed.
    losses
        Prompts on which it was worse.
    low
        Lower end of the interval of the win rate, NaN without prompts.
    high
        Upper end.
    p_value
        Two-sided p-value of wins against losses, NaN without prompts.
    """

    wins: int
    ties: int
    losses: int
    low: float
    high: float
    p_value: float

    @property
    def n(self) -> int:
        """Prompts that were judged."""
        return self.wins + self.ties + self.losses

    @property
    def rate(self) -> float:
        """Wins and half of the ties, as a share; NaN without prompts."""
        return (self.wins + self.ties / 2) / self.n if self.n else math.nan


def win_rate(verdicts: Iterable[float], *, level: float = 0.9) -> WinRate:
    """Return the win rate of verdicts with its interval and its test.

    Parameters
    ----------
    verdicts
        One per prompt: above 0 = better, below 0 = worse, 0 = tie, NaN = not judged.
    level
        Level of the interval, between 0 and 1.

    Raises
    ------
    InputError
        If the level is not between 0 and 1 - 2 GAMMA.
    """
    values = np.asarray(list(verdicts), dtype=np.float64)
    counts = [int((sign * values > 0).sum()) for sign in (1, -1)]
    wins, losses, ties = *counts, int((values == 0).sum())
    low, high = interval(wins, ties, losses, level=level)
    return WinRate(wins, ties, losses, low, high, sign_test(wins, ties, losses))


@lru_cache(maxsize=4096)
def interval(wins: int, ties: int, losses: int, *, level: float = 0.9) -> tuple[float, float]:
    """Return the exact two-sided interval of the win rate, NaN without prompts.

    Parameters
    ----------
    wins
        Prompts won.
    ties
        Prompts tied.
    losses
        Prompts lost.
    level
        Level, between 0 and 1.

    Raises
    ------
    InputError
        If the level is not between 0 and 1 - 2 GAMMA.
    """
    if not 0 < level < 1 - 2 * GAMMA:
        raise InputError(f"level: found {level}; expected a number between 0 and {1 - 2 * GAMMA}.")
    n = wins + ties + losses
    if n == 0:
        return math.nan, math.nan
    tail = (1 - level) / 2 - GAMMA
    least, most = _clopper_pearson(ties, n, level=1 - GAMMA)
    shares = np.linspace(least, most, TIE_SHARES)
    return (
        _lower(wins - losses, n, shares, tail),
        1.0 - _lower(losses - wins, n, shares, tail),
    )


def sign_test(wins: int, ties: int, losses: int) -> float:
    """Return the exact two-sided p-value of as many wins as losses, given the ties.

    Without a single win or loss it is 1; without prompts NaN.

    Parameters
    ----------
    wins
        Prompts won.
    ties
        Prompts tied.
    losses
        Prompts lost.
    """
    from scipy.stats import binom

    if wins + ties + losses == 0:
        return math.nan
    fewer, decided = min(wins, losses), wins + losses
    return min(1.0, 2.0 * float(binom.cdf(fewer, decided, 0.5))) if decided else 1.0


def at_least(total: int, n: int, rate: float, shares: Array) -> Array:
    """Return the chance that wins - losses is at least `total`, for each share of ties.

    Parameters
    ----------
    total
        Wins minus losses.
    n
        Prompts.
    rate
        Win rate, between 0 and 1.
    shares
        Shares of ties; those that the win rate does not allow are brought to the nearest that it
        does.
    """
    from scipy.stats import binom

    ties = np.minimum(shares, 2 * min(rate, 1 - rate))[:, None]
    k = np.arange(n + 1)[None, :]  # number of ties
    rest = 1 - ties
    chance = np.divide(rate - ties / 2, rest, out=np.full_like(rest, 0.5), where=rest > 0)
    # of n - k decided prompts at least (n - k + total) / 2 have to be won
    needed = np.ceil((n - k + total) / 2)
    won = binom.sf(needed - 1, n - k, np.clip(chance, 0.0, 1.0))
    return np.asarray(np.sum(binom.pmf(k, n, ties) * won, axis=1))


def _lower(total: int, n: int, shares: Array, tail: float) -> float:
    """The smallest win rate at which a sum as large is no surprise, rounded down."""
    from scipy.optimize import brentq

    if total == -n:
        return 0.0
    # 0 at no win and 1 at nothing but wins, and it never falls in between
    root = brentq(
        lambda rate: float(at_least(total, n, rate, shares).max()) - tail, 0.0, 1.0, xtol=EXACT
    )
    return max(float(root) - EXACT, 0.0)


def _clopper_pearson(k: int, n: int, *, level: float) -> tuple[float, float]:
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return low, high
