"""How probable each option of an answer was, from the probabilities of the tokens that wrote it.

    field_probabilities(tokens, '{"verdict": "first"}', schema)
    # {"verdict": {"first": .82, "second": .18}}

A field whose schema lists strings, or that is true or false or a whole number between limits, has
its options told apart by one or more tokens. Tokens may begin before the value (`":"second`), end
after it (`first"}`) or split an option (`"fi`, `rst`). So every token from the end of the field's
name on is looked at, in order: an alternative that can only become one option adds the probability
of getting there to that option, one that may become several cannot be told apart, and the token
that was written leads on.

What is returned is the probability of each option given the text before the value, and given that
one of the options is written. Probability that is not accounted for (alternatives that cannot be
told apart, tokens that the endpoint did not list) bounds the error of every option; where it may
exceed `LARGEST_ERROR`, or where less than `LEAST_MASS` went to the options, the field is left out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LARGEST_ERROR = 0.02
"""How far an option may be off, at most, through probability that is not accounted for."""
LEAST_MASS = 0.5
"""Part of the probability that has to be at the options, where a value could have been written."""

MOST_LEVELS = 64
_ENDS = (",", "}", " ", "\n", "\r", "\t")
_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True)
class Token:
    """One token of an answer.

    Parameters
    ----------
    text
        Its bytes.
    probability
        How probable it was.
    others
        Bytes and probability of the alternatives that the endpoint lists.
    """

    text: bytes
    probability: float
    others: tuple[tuple[bytes, float], ...] = ()


@dataclass
class _Masses:
    options: dict[str, float]
    unclear: float = 0.0
    elsewhere: float = 0.0
    path: float = field(default=1.0)

    def shares(self) -> dict[str, float] | None:
        found = sum(self.options.values())
        open_ = found + self.unclear
        if not found or self.unclear > LARGEST_ERROR * open_:
            return None
        if found < LEAST_MASS * (open_ + self.elsewhere):
            return None
        return {label: mass / found for label, mass in self.options.items()}


def field_probabilities(
    tokens: Sequence[Token], text: str, schema: Mapping[str, Any]
) -> dict[str, dict[str, float]] | None:
    """Return, per field that can be told, the probability of each of its options.

    Parameters
    ----------
    tokens
        The tokens that the model wrote, of which the answer is a part.
    text
        The answer, a JSON object.
    schema
        JSON schema of the answer.

    Returns
    -------
    dict or None
        Probabilities by field and option (as text: "true", "7"); None if no field can be told.
    """
    written = b"".join(token.text for token in tokens)
    answer = _encoded(text)
    if not answer or written.count(answer) != 1:
        return None
    start = written.index(answer)
    found = {}
    places = _places(text)
    for name, part in schema.get("properties", {}).items():
        options = options_of(part)
        if len(options) > 1 and name in places:
            named, begins = (start + len(_encoded(text[:at])) for at in places[name])
            shares = _shares(tokens, written, named, begins, options)
            if shares is not None:
                found[name] = shares
    return found or None


def options_of(part: Mapping[str, Any]) -> dict[str, tuple[bytes, ...]]:
    """Return what a field may be, by label the ways to write it; empty where that is no list.

    A whole number has its end in each way, which tells 1 from 10.

    Parameters
    ----------
    part
        Schema of the field.
    """
    listed = part.get("enum")
    if listed is None and part.get("type") == "boolean":
        return {"true": (b"true",), "false": (b"false",)}
    if listed is None and part.get("type") == "integer" and {"minimum", "maximum"} <= part.keys():
        levels = range(part["minimum"], part["maximum"] + 1)
        return {
            str(level): tuple(_encoded(f"{level}{end}") for end in _ENDS)
            for level in (levels if len(levels) <= MOST_LEVELS else ())
        }
    if listed is None or not all(isinstance(option, str) for option in listed):
        return {}
    return {
        option: tuple(
            _encoded(json.dumps(option, ensure_ascii=escaped)) for escaped in (False, True)
        )
        for option in listed
    }


def tokens_of(listed: object) -> list[Token]:
    """Return the tokens of an OpenAI-style list of log-probabilities; empty if it is none.

    Parameters
    ----------
    listed
        Objects with `token`, `bytes`, `logprob` and `top_logprobs`.
    """
    try:
        return [_token(item) for item in listed]  # type: ignore[attr-defined]
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return []


def _token(item: Mapping[str, Any]) -> Token:
    text = _bytes(item)
    others = [(_bytes(other), _probability(other)) for other in item.get("top_logprobs") or ()]
    for i, (same, _) in enumerate(others):
        if same == text:
            del others[i]
            break
    return Token(text, _probability(item), tuple(others))


def _bytes(item: Mapping[str, Any]) -> bytes:
    """The bytes of a token: half of a character shows in them only."""
    given = item.get("bytes")
    return bytes(given) if given else _encoded(str(item["token"]))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _probability(item: Mapping[str, Any]) -> float:
    value = math.exp(min(float(item["logprob"]), 0.0))
    if math.isnan(value):
        raise ValueError("no number")
    return value


def _places(text: str) -> dict[str, tuple[int, int]]:
    """Of each field of a JSON object, where its name ends and where its value begins."""
    found: dict[str, tuple[int, int]] = {}
    decoder = json.JSONDecoder()

    def after(i: int, mark: str) -> int:
        i = _skip(text, i)
        if text[i : i + 1] != mark:
            raise ValueError(f"no {mark}")
        return _skip(text, i + 1)

    try:
        i = after(0, "{")
        while text[i : i + 1] == '"':
            name, named = decoder.raw_decode(text, i)
            begins = after(named, ":")
            if name in found:
                return {}  # nobody knows which is meant
            found[name] = named, begins
            _, i = decoder.raw_decode(text, begins)
            i = _skip(text, i)
            if text[i : i + 1] == ",":
                i = _skip(text, i + 1)
    except (ValueError, RecursionError):
        return {}
    return found


def _skip(text: str, i: int) -> int:
    found = _SPACE.match(text, i)
    return found.end() if found else i


def _shares(
    tokens: Sequence[Token],
    written: bytes,
    named: int,
    begins: int,
    options: Mapping[str, tuple[bytes, ...]],
) -> dict[str, float] | None:
    """Probabilities of the options of a value, whose name ends and which itself begins there."""
    masses = _Masses(dict.fromkeys(options, 0.0))
    for at, token in _from(tokens, named - 1):
        fixed, known = written[at:begins], written[begins:at]  # before the value, and of it
        listed = token.probability + sum(mass for _, mass in token.others)
        masses.unclear += masses.path * max(0.0, 1.0 - listed)
        for text, mass in token.others:
            _add(masses, _able(text, fixed, known, options), masses.path * mass)
        masses.path *= token.probability
        able = _able(token.text, fixed, known, options)
        if able is None or len(able) > 1:
            continue
        if not able:
            return None  # what was written is no option
        masses.options[able[0]] += masses.path
        return masses.shares()
    return None


def _from(tokens: Sequence[Token], place: int) -> Iterator[tuple[int, Token]]:
    """The tokens from the one that holds a byte on, and where each begins."""
    at = 0
    for token in tokens:
        if at + len(token.text) > place and token.text:
            yield at, token
        at += len(token.text)


def _fits(text: bytes, other: bytes) -> bool:
    """Whether one of two texts begins with the other."""
    return text.startswith(other) or other.startswith(text)


def _able(
    text: bytes, fixed: bytes, known: bytes, options: Mapping[str, tuple[bytes, ...]]
) -> list[str] | None:
    """The options that a token may become; None where it has another text before the value."""
    if not text or not _fits(text, fixed):
        return None
    value = known + text[len(fixed) :]
    if value[:1].isspace():
        return None
    return [label for label, ways in options.items() if any(_fits(value, way) for way in ways)]


def _add(masses: _Masses, able: list[str] | None, mass: float) -> None:
    """Account for an alternative that was not written."""
    if able is None:
        return  # another layout, which has no part in what follows this one
    if not able:
        masses.elsewhere += mass
    elif len(able) == 1:
        masses.options[able[0]] += mass
    else:
        masses.unclear += mass
