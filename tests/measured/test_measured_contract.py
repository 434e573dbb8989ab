"""What every family and every measured concept must keep."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import palate
from palate.concepts.measured import FAMILIES, measured_concepts
from palate.concepts.measured.text import Text
from tests.growth import assert_linear, assert_within, seconds

NAMES = tuple(FAMILIES)
HOSTILE = {
    "empty": "",
    "spaces": "  \n\t ",
    "null bytes": "a\0b\0" * 50,
    "controls": "".join(map(chr, range(32))) + "\x7f\x9b31m\x1b[31m",
    "brackets": "(" * 3_000 + "[" * 3_000,
    "stars": "*" * 20_000,
    "backticks": "`" * 9_000 + "```",
    "right to left": "שלום עולם. \u202eمرحبا؟ \u200f" * 40,
    "emoji": "😀👩‍👩‍👧‍👦🇫🇷" * 200,
    "lone marks": "\u0301\u0940\ufe0f" * 200,
    "replacement": "\ufffd" * 100,
    "no spaces": "中文字" * 2_000,
    "quotes": "\"'“«" * 2_000,
    "questions": "?!" * 4_000,
    "smileys": ":) ;-) <3" * 500,
    "one long word": "a" * 100_000,
    "many lines": "- x\n" * 2_000,
    "numbers": "1,234.5 " * 2_000,
    "links": "http://a.b [x](y) " * 500,
}


def test_there_are_at_least_45_concepts_with_unique_names() -> None:
    names = [concept.name for _, concept in measured_concepts()]
    assert len(names) >= 45
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("family", NAMES)
def test_every_concept_says_what_it_is(family: str) -> None:
    assert FAMILIES[family].__doc__
    for concept in FAMILIES[family].CONCEPTS:
        assert concept.definition.startswith("High: "), concept.name
        assert "; low: " in concept.definition, concept.name
        assert concept.unit.strip(), concept.name
        assert concept.doc.endswith("."), concept.name
        shared = concept.concept(family)
        assert shared.shared
        assert (shared.origin, shared.family, shared.unit) == ("measured", family, concept.unit)


@pytest.mark.parametrize("family", NAMES)
@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_give_values_and_the_same_ones_again(family: str, raw: str) -> None:
    module = FAMILIES[family]
    for prompt in ("", "Say it in 3 words, in French, as a list, without the word 'it'.", raw):
        values = module.measure(Text(raw), Text(prompt))
        assert len(values) == len(module.CONCEPTS)
        for concept, value in zip(module.CONCEPTS, values, strict=True):
            assert isinstance(value, float), concept.name
            assert not math.isinf(value), concept.name
        again = module.measure(Text(raw), Text(prompt))
        assert [str(v) for v in again] == [str(v) for v in values]


@given(st.text(max_size=200), st.text(max_size=80))
def test_any_text_gives_finite_values_or_nan(raw: str, prompt: str) -> None:
    for module in FAMILIES.values():
        values = module.measure(Text(raw), Text(prompt))
        assert not any(map(math.isinf, values))


def test_every_concept_differs_somewhere() -> None:
    """On the demo set and a handful of texts written to have what is rare there."""
    rare = [
        "# Heading\n\n## Another\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```",
        "I'm sorry, as an AI I can't help with that. Feel free to ask a professional! 😀",
        "**Bold** and *italics*. See [this](https://a.org). Thanks, please! This is a line.\n"
        "This is a line.\nThis is a line. In summary, it holds.",
    ]
    demo = palate.load_demo()
    texts = [*rare, *demo.pairs["response_a"].to_list()]
    prompts = [*("" for _ in rare), *demo.pairs["prompt"].to_list()]
    asked = {"relation", "limits", "requested_format", "forbidden", "required", "code"}
    for family in NAMES:
        if family in asked:  # their tests have the prompts they need
            continue
        rows = [
            FAMILIES[family].measure(Text(raw), Text(prompt))
            for raw, prompt in zip(texts, prompts, strict=True)
        ]
        for j, concept in enumerate(FAMILIES[family].CONCEPTS):
            assert len({row[j] for row in rows}) > 1, concept.name


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_text_and_no_faster(raw: str) -> None:
    unit = raw or "x"

    def measure(size: int) -> None:
        response = Text((unit * (size // len(unit) + 1))[:size])
        prompt = Text("Say it in 3 words.")
        for module in FAMILIES.values():
            module.measure(response, prompt)

    assert_linear(measure, 5_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["a", "a ", "(", "[", "*", "`", "_", "a\n", "- a\n", '"', "?", "! ", "1", "![a](b"]
)
def test_ten_megabytes_take_seconds_and_doubling_doubles(unit: str) -> None:
    def measure(size: int) -> None:
        response, prompt = Text((unit * (size // len(unit) + 1))[:size]), Text("Be brief.")
        for module in FAMILIES.values():
            values = module.measure(response, prompt)
            assert not any(map(math.isinf, values))

    half = max(seconds(lambda: measure(5_000_000)) for _ in range(2))
    assert_within(min(60, 2.6 * half + 0.5), lambda: measure(10_000_000))
