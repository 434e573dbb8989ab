"""The check of answers against their schema, and the redaction of keys."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palate.errors import InputError
from palate.llm.secrets import redact
from palate.llm.shape import NotJSONError, check_schema, mismatch, read_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def schemas_with_values(draw: st.DrawFn, depth: int = 2) -> tuple[dict[str, Any], Any]:
    """A schema of the subset, and a value that fits it by construction."""
    kinds = ["string", "integer", "number", "boolean", "enum"] + ["object", "array"] * (depth > 0)
    kind = draw(st.sampled_from(kinds))
    if kind == "string":
        return {"type": "string"}, draw(st.text(max_size=5))
    if kind == "boolean":
        return {"type": "boolean"}, draw(st.booleans())
    if kind in ("integer", "number"):
        low = draw(st.integers(-5, 5))
        high = low + draw(st.integers(0, 5))
        value = draw(st.integers(low, high) if kind == "integer" else st.floats(low, high))
        return {"type": kind, "minimum": low, "maximum": high}, value
    if kind == "enum":
        legal = draw(st.lists(st.text(max_size=3) | st.integers(0, 3), min_size=1, max_size=3))
        return {"enum": legal}, draw(st.sampled_from(legal))
    if kind == "array":
        schema, _ = item = draw(schemas_with_values(depth=depth - 1))
        many = draw(st.integers(0, 3))
        return {"type": "array", "items": schema, "maxItems": 3}, [item[1]] * many
    parts = draw(
        st.dictionaries(st.text(max_size=3), schemas_with_values(depth=depth - 1), max_size=3)
    )
    return {
        "type": "object",
        "properties": {name: part[0] for name, part in parts.items()},
        "required": list(parts),
        "additionalProperties": False,
    }, {name: part[1] for name, part in parts.items()}


@settings(max_examples=150, deadline=None)
@given(schemas_with_values())
def test_what_fits_by_construction_is_accepted(case: tuple[dict[str, Any], Any]) -> None:
    schema, value = case
    check_schema(schema)
    assert mismatch(value, schema) is None


@settings(max_examples=150, deadline=None)
@given(schemas_with_values(), st.data())
def test_one_broken_field_is_refused_with_a_sentence(
    case: tuple[dict[str, Any], Any], data: st.DataObject
) -> None:
    schema, value = case
    if schema.get("type") == "object" and value:
        name = data.draw(st.sampled_from(sorted(value)))
        lacking = {k: v for k, v in value.items() if k != name}
        assert "lacks" in (mismatch(lacking, schema) or "")
        assert mismatch(value | {"unasked": 1}, schema) is not None
    elif schema.get("type") in ("integer", "number"):
        for wrong in (schema["minimum"] - 1, schema["maximum"] + 1, True, "1", None, float("nan")):
            if wrong == wrong:  # a NaN never comes out of JSON
                assert mismatch(wrong, schema) is not None
    elif schema.get("type") == "array":
        assert mismatch([*value, *value, 1, 2, 3, 4], schema) is not None
    elif "type" in schema:
        assert mismatch(None, schema) is not None


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_any_value_against_any_type_gives_a_verdict(value: Any, other: Any) -> None:
    for kind, types in {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "null": type(None),
    }.items():
        assert (mismatch(value, {"type": kind}) is None) == isinstance(value, types)
    assert mismatch(value, {"enum": [other, value]}) is None
    sentence = mismatch(value, {"enum": []})
    assert sentence is not None
    assert "\n" not in sentence


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(NotJSONError):
        assert isinstance(read_object(text), dict)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400 + ".0"])
def test_a_number_that_would_become_infinite_is_refused(number: str) -> None:
    with pytest.raises(NotJSONError, match="too large"):
        read_object(f'{{"n": {number}}}')


def test_no_depth_of_nesting_is_a_fault() -> None:
    schema = {"type": "object", "properties": {"o": {"properties": {"x": {"type": "string"}}}}}
    for depth in range(900, 1000):  # the limit of Python lies somewhere in between
        for text in ("[" * depth + "]" * depth, '{"a": ' * depth + "1" + "}" * depth):
            with contextlib.suppress(NotJSONError):
                assert mismatch(read_object(f'{{"o": {{"x": {text}}}}}'), schema) is not None


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4))
def test_what_json_writes_is_read(value: dict[str, Any]) -> None:
    for text in (json.dumps(value), f" \n{json.dumps(value, indent=1)}\n"):
        assert read_object(text) == value
    assert read_object(f"```json\n{json.dumps(value)}\n```") == value


def test_true_is_no_one_and_one_is_no_true() -> None:
    assert mismatch(True, {"enum": [1, 0]})
    assert mismatch(1, {"enum": [True]})
    assert mismatch([1], {"enum": [[True]]})
    assert mismatch(1.0, {"enum": [1]}) is None
    assert mismatch(2.0, {"type": "integer"}) is None
    assert mismatch(2.5, {"type": "integer"})
    assert mismatch(None, {"type": ["string", "null"]}) is None


def test_a_mismatch_names_its_place() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    schema = {"type": "object", "properties": {"q1": inner}}
    assert mismatch({"q1": {"a": ["x", 3]}}, schema) == "q1.a[1] is 3; expected string"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "text"}, "'text'"),
        ({"oneOf": []}, "'oneOf'"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "additionalProperties"),
        ({"type": "array", "items": {"pattern": "x"}}, "'pattern'"),
    ],
)
def test_a_schema_beyond_the_subset_is_refused(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_schema(schema)


SECRET = "Zq81-nothing/like+it_77kk"


@pytest.mark.parametrize(
    "text",
    [
        f"401: wrong key {SECRET}.",
        f"{SECRET[:12]}... is no key",
        f"...{SECRET[-9:]} is no key",
        f"{SECRET}{SECRET}",
        f'{{"authorization": "Bearer {SECRET}"}}',
    ],
)
def test_a_known_secret_and_its_parts_are_hidden(text: str) -> None:
    clean = redact(text, [SECRET])
    assert "[hidden]" in clean
    assert not any(SECRET[i : i + 8] in clean for i in range(len(SECRET) - 7))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Incorrect API key provided: sk-abcd****wxyz. See the page.", "wxyz"),
        ("sent Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("x-api-key=0123456789abc was refused", "0123456789abc"),
        ("https://user:pass@host/v1 is away", "pass"),
        ("AIzaSyA1234567890abcdefghijklmn is wrong", "1234567890"),
        ("token hf_abcdefghijkl", "abcdefghijkl"),
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str, gone: str) -> None:
    assert gone not in redact(text)


def test_ordinary_sentences_stay() -> None:
    text = "The model gpt-5-mini does not exist; see https://host/docs (error 404)."
    assert redact(text, [SECRET, "", "abc"]) == text
