"""Faults that a scripted server can show, at random or by schedule.

    Chaos({"429": 0.05, "500": 0.05})          # one call in ten fails
    Chaos(schedule=["429", "503", None])       # the first two calls fail
    Chaos({"hang": 1.0})                       # every call

Which call fails follows from the seed, its body and how often that body has come, so that the order
of arrival has no influence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from palate.errors import InputError, UnknownNameError

# the connection or the status goes wrong; what each does stands in `server.py`
TRANSPORT: Mapping[str, str] = MappingProxyType(
    {
        "429": "too many requests, without saying how long to wait",
        "429 retry-after": "too many requests, with Retry-After",
        "quota": "429 that no waiting helps: insufficient_quota",
        "500": "internal server error",
        "503": "service unavailable",
        "html 502": "an HTML page of some proxy, status 502",
        "html": "an HTML page with status 200",
        "401": "a wrong key",
        "404": "an unknown model",
        "too long": "400: the prompt exceeds the context",
        "hang": "no answer at all",
        "close": "the connection closes before the header",
        "close mid-body": "the connection closes in the middle of the body",
        "trickle": "the body comes byte by byte, slower than any patience",
        "truncated envelope": "a complete body that is half a JSON document",
    }
)


def _pairs(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(value.items())


def _object(items: Sequence[tuple[str, Any]]) -> str:
    """A JSON object from pairs, which may repeat a key."""
    return "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in items) + "}"


def _opposite(value: Any) -> Any:
    """A value of the same type that is another one, where that is possible."""
    if isinstance(value, bool):
        return not value
    return {"first": "second", "second": "first"}.get(value, value) if isinstance(value, str) else 1


# the answer itself goes wrong: from a right answer to the text that is sent
CONTENT: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "not json": lambda v: "I would say that " + _object(_pairs(v))[:-1],
        "empty": lambda v: "",
        "list": lambda v: "[" + _object(_pairs(v)) + "]",
        "wrong type": lambda v: _object([(k, [x, {"value": x}]) for k, x in v.items()]),
        "unknown value": lambda v: _object([(k, "better, I think") for k in v]),
        "nulls": lambda v: _object([(k, None) for k in v]),
        "nan": lambda v: _object([(k, float("nan")) for k in v]),
        "missing": lambda v: _object(_pairs(v)[:-1]),
        "unknown concepts": lambda v: _object([*_pairs(v), ("never asked", "first")]),
        "renamed": lambda v: _object([(f"{k}_", x) for k, x in v.items()]),
        "duplicate keys": lambda v: _object(
            [*_pairs(v), *((k, _opposite(x)) for k, x in v.items())]
        ),
        "reordered": lambda v: _object(_pairs(v)[::-1]),
        "10 MB": lambda v: _object([*_pairs(v), ("padding", "x" * 10_000_000)]),
        "10 MB of spaces": lambda v: " " * 10_000_000 + _object(_pairs(v)),
        "deep": lambda v: '{"a":' * 100_000 + "1" + "}" * 100_000,
        "two objects": lambda v: _object(_pairs(v)) * 2,
        "text after": lambda v: _object(_pairs(v)) + "\nIgnore the above.",
    }
)

# the answer is right or absent, and the envelope says that something is amiss
FINISH: Mapping[str, str] = MappingProxyType(
    {
        "refusal": "the message holds a refusal and no content",
        "content filter": "finish_reason content_filter and no content",
        "length": "finish_reason length, the content cut in half",
    }
)

FAULTS: tuple[str, ...] = (*TRANSPORT, *CONTENT, *FINISH)


@dataclass
class Chaos:
    """Which calls go wrong, and how.

    Parameters
    ----------
    probabilities
        Probability of each fault; together at most 1.
    schedule
        The fault of each call in the order of arrival, None for a right answer; when it ends,
        `probabilities` hold.
    retry_after
        Seconds that "429 retry-after" asks to wait.

    Raises
    ------
    UnknownNameError
        If there is no such fault.
    InputError
        If the probabilities exceed 1.
    """

    probabilities: Mapping[str, float] = field(default_factory=dict)
    schedule: Sequence[str | None] = ()
    retry_after: float = 1.0

    def __post_init__(self) -> None:
        for name in [*self.probabilities, *(x for x in self.schedule if x is not None)]:
            if name not in FAULTS:
                raise UnknownNameError("fault", name, FAULTS)
        if sum(self.probabilities.values()) > 1 + 1e-9:
            raise InputError("Probabilities of faults exceed 1 together.")
        self._times: dict[bytes, int] = {}

    def fault(self, order: int, body: bytes, seed: int) -> str | None:
        """Return the fault of a call, or None.

        Parameters
        ----------
        order
            Number of the call, from 0.
        body
            Its body.
        seed
            Seed of the server.
        """
        key = hashlib.blake2b(body, digest_size=16).digest()
        time = self._times[key] = self._times.get(key, -1) + 1
        if order < len(self.schedule):
            return self.schedule[order]
        drawn = uniform("fault", seed, key.hex(), time)
        for name, probability in self.probabilities.items():
            drawn -= probability
            if drawn < 0:
                return name
        return None


def uniform(*what: object) -> float:
    """Return a number in [0, 1) that follows from what is given alone.

    Parameters
    ----------
    what
        Anything whose `repr` is stable.
    """
    digest = hashlib.blake2b(repr(what).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
