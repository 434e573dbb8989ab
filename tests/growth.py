"""How the cost of a call grows with its input, measured so that a busy machine cannot fail it.

CPU time alone is not enough: a garbage collection over everything the other tests left behind, a
cold cache or a throttled core falls on one call and not on the next. So a call is timed again
until it meets its limit, and only a call that never does is too slow.
"""

import gc
import time
from collections.abc import Callable

TRIES = 6


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of one call, without garbage collections."""
    gc.disable()
    try:
        start = time.process_time()
        call()
        return time.process_time() - start
    finally:
        gc.enable()


def assert_within(limit: float, call: Callable[[], object]) -> None:
    """At least one of several calls takes less than `limit` CPU seconds."""
    taken = []
    for _ in range(TRIES):
        taken.append(seconds(call))
        if taken[-1] < limit:
            return
    raise AssertionError(f"{min(taken):.3f} s at best of {TRIES}, the limit is {limit} s")


def assert_linear(call: Callable[[int], object], small: int, *, times: int = 8) -> None:
    """`times` as much text costs at most three times as many times as much, and .15 s.

    A quadratic step costs `times` squared.
    """
    few = max(seconds(lambda: call(small)) for _ in range(2))
    assert_within(3 * times * few + 0.15, lambda: call(times * small))
