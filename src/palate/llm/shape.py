"""Whether an answer is what was asked for: JSON without repeated keys that fits its schema.

The subset of JSON Schema that requests use: `type` (one name or several), `properties`,
`required`, `additionalProperties` (true or false), `items`, `minItems`, `maxItems`, `enum`,
`const`, `minimum`, `maximum`. Any other keyword that could refuse a value is refused itself, so
that no schema is half checked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from palate.errors import InputError, shorten

_CHECKED = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems"}
    | {"enum", "const", "minimum", "maximum"}
)
_WORDS = frozenset(("title", "description", "default", "examples", "$schema", "$id", "$comment"))
_FENCED = re.compile(r"\A```\w*\s*\n(.*)\n\s*```\Z", re.DOTALL)


def _is_integer(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": _is_integer,
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "null": lambda v: v is None,
}


class NotJSONError(ValueError):
    """A text that is no JSON object, or one whose meaning is open."""


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object of a text; a Markdown fence around it is taken off.

    Parameters
    ----------
    text
        What a model wrote.

    Raises
    ------
    NotJSONError
        If it is no JSON, repeats a key, holds NaN, an infinity or half a character, or is not an
        object.
    """
    stripped = text.strip()
    if stripped.startswith("```") and (fenced := _FENCED.match(stripped)):
        stripped = fenced[1]
    try:
        value = json.loads(
            stripped,
            object_pairs_hook=object_of_once,
            parse_constant=_constant,
            parse_float=_float,
        )
        if "\\u" in stripped:
            json.dumps(value, ensure_ascii=False).encode()
    except NotJSONError:
        raise
    except UnicodeEncodeError:
        raise NotJSONError("the text holds half of a character") from None
    except RecursionError:
        raise NotJSONError("the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJSONError(
            f"the text is no JSON ({error.msg} at character {error.pos:,} of {len(stripped):,})"
        ) from None
    except ValueError:  # an integer of more digits than Python converts
        raise NotJSONError("a number is too long") from None
    if not isinstance(value, dict):
        raise NotJSONError(f"the text is no JSON object but {shorten(value, 40)}")
    return value


def object_of_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these pairs, each of whose keys stands there once.

    Parameters
    ----------
    pairs
        Keys and values, as `json.loads` hands them over.

    Raises
    ------
    NotJSONError
        If a key stands there twice, so that nobody knows which value is meant.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise NotJSONError(f"the key {shorten(twice, 40)} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise NotJSONError(f"{name} is no JSON value")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):  # 1e999
        raise NotJSONError("a number is too large")
    return value


def check_schema(schema: Mapping[str, Any], where: str = "") -> None:
    """Refuse a schema that `mismatch` would check only in part.

    Parameters
    ----------
    schema
        JSON schema.
    where
        Path of this part within the whole.

    Raises
    ------
    InputError
        If it has an unknown type or a keyword outside of the subset.
    """
    for keyword in schema:
        if keyword not in _CHECKED and keyword not in _WORDS:
            raise InputError(
                f"The schema of a request has the keyword {shorten(keyword)} at "
                f"{where or 'the top'}, which is not checked; it may have {sorted(_CHECKED)}."
            )
    kinds = _kinds(schema)
    unknown = [kind for kind in kinds if kind not in _TYPES]
    if unknown:
        raise InputError(
            f"The schema of a request has the type {shorten(unknown[0])} at {where or 'the top'}; "
            f"it must be one of {sorted(_TYPES)}."
        )
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise InputError(
            "The schema of a request has additionalProperties that are not true or false at "
            f"{where or 'the top'}."
        )
    for name, part in schema.get("properties", {}).items():
        check_schema(part, f"{where}.{name}".lstrip("."))
    if "items" in schema:
        check_schema(schema["items"], f"{where}[]")


def _kinds(schema: Mapping[str, Any]) -> Sequence[str]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else kind


def mismatch(value: object, schema: Mapping[str, Any], where: str = "") -> str | None:
    """Return what is wrong with a value, None if it fits the schema.

    Parameters
    ----------
    value
        A JSON value.
    schema
        A schema that `check_schema` accepts.
    where
        Path of this value within the whole.
    """
    try:
        return _mismatch(value, schema, where)
    except RecursionError:  # just shallow enough to be read, too deep to be quoted
        return "the answer is nested too deeply"


def _mismatch(value: object, schema: Mapping[str, Any], where: str) -> str | None:
    kinds = _kinds(schema)
    if kinds and not any(_TYPES[kind](value) for kind in kinds):
        return f"{_place(where)} is {shorten(value, 40)}; expected {' or '.join(kinds)}"
    if "enum" in schema and not any(_same(value, legal) for legal in schema["enum"]):
        legal = ", ".join(shorten(x, 40) for x in schema["enum"][:10])
        return f"{_place(where)} is {shorten(value, 40)}; expected one of {legal}"
    if "const" in schema and not _same(value, schema["const"]):
        return f"{_place(where)} is {shorten(value, 40)}; expected {shorten(schema['const'], 40)}"
    if isinstance(value, dict):
        return _object_mismatch(value, schema, where)
    if isinstance(value, list):
        return _list_mismatch(value, schema, where)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            limits = f"{'' if low is None else low}..{'' if high is None else high}"
            return f"{_place(where)} is {shorten(value, 40)}; expected {limits}"
    return None


def _object_mismatch(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    for name in schema.get("required", ()):
        if name not in value:
            return f"{_place(where)} lacks {shorten(name, 40)}"
    parts = schema.get("properties", {})
    for name, item in value.items():
        if name in parts:
            found = _mismatch(item, parts[name], f"{where}.{shorten(name, 40)[1:-1]}".lstrip("."))
            if found is not None:
                return found
        elif schema.get("additionalProperties", True) is False:
            return f"{_place(where)} has {shorten(name, 40)}, which was not asked for"
    return None


def _list_mismatch(value: list[Any], schema: Mapping[str, Any], where: str) -> str | None:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < low or (high is not None and len(value) > high):
        return (
            f"{_place(where)} has {len(value):,} items; "
            f"expected {low}..{'' if high is None else high}"
        )
    if "items" in schema:
        for i, item in enumerate(value):
            found = _mismatch(item, schema["items"], f"{where}[{i}]")
            if found is not None:
                return found
    return None


def _same(value: object, other: object) -> bool:
    """Whether two JSON values are equal; in Python True equals 1."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_same, value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(_same(v, other[k]) for k, v in value.items())
    return value == other


def _place(where: str) -> str:
    return where or "the answer"
