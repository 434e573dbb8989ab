"""How a text is taken apart: words, sentences, paragraphs, and Markdown against markdown-it-py."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from palate.concepts.measured import layout_parse, lexicon
from palate.concepts.measured.layout_parse import Layout, parse_layout
from palate.concepts.measured.lexicon import count_hits, register, register_measure
from palate.concepts.measured.text import Text, split_sentences, tokenise
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, well-known 3.5 1,000!", ["don't", "stop", "well-known", "3.5", "1,000"]),
        ("don’t", ["don't"]),
        ("snake_case __init__", ["snake", "case", "init"]),
        ("naïve Übung Ёлка", ["naïve", "übung", "ёлка"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("中文字 ok", ["中", "文", "字", "ok"]),
        ("", []),
        ("--- *** ...", []),
        ("a\0b", ["a", "b"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert tokenise(text) == words


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met e.g. Mr. Jones. Fine.", ["Dr. Smith met e.g. Mr. Jones.", "Fine."]),
        ("Pi is 3.14 here. Yes", ["Pi is 3.14 here.", "Yes"]),
        ('"Really?" he asked. She said "No."', ['"Really?" he asked.', 'She said "No."']),
        ("Wait... what? OK", ["Wait... what?", "OK"]),
        ("1. First item\n2. Second item", ["First item", "Second item"]),
        ("- **Bold.** Rest.\n- Other", ["Bold.**", "Rest.", "Other"]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("\n\n***\n---\n", []),
        ("no end", ["no end"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_paragraphs_lines_and_prose() -> None:
    text = Text("One\nline\r\n\r\n  \nTwo\n\n```python\nprint(1)\n```\nafter")
    assert text.paragraphs == ["One\nline", "Two", "after"]
    assert text.lines == ["One", "line", "Two", "```python", "print(1)", "```", "after"]
    assert text.words == ["one", "line", "two", "after"]
    assert text.n_words_total == 6
    assert text.layout.code_blocks == (("python", "print(1)\n"),)
    assert (text.first_sentence, text.last_sentence) == ("One", "after")
    assert Text("").first_sentence == Text("").last_paragraph == ""


def test_layout_of_a_document_with_everything() -> None:
    layout = parse_layout(
        "# Title\n\nText with **bold**, *italics*, `code` and [a link](http://a.org).\n\n"
        "1. one\n2. two\n   - nested\n\n- a\n- b\n\n• c\n\n> quote\n\n---\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n```js\nlet x\n```\n"
    )
    assert layout == Layout(
        n_headings=1,
        n_bullets=4,
        n_numbered=2,
        list_item_counts=(2, 3),
        n_tables=1,
        n_table_rows=2,
        code_blocks=(("js", "let x\n"),),
        n_bold=1,
        n_italic=1,
        n_inline_code=1,
        n_links=1,
        n_quotes=1,
        n_rules=1,
        code_lines=((22, 25),),
    )
    assert layout.n_list_items == 6


# -- the shortcut against the parser ------------------------------------------------------------

_KINDS = {
    "heading_open": "n_headings",
    "table_open": "n_tables",
    "blockquote_open": "n_quotes",
    "hr": "n_rules",
    "strong_open": "n_bold",
    "em_open": "n_italic",
    "code_inline": "n_inline_code",
    "link_open": "n_links",
    "image": "n_links",
}


def by_tokens(text: str) -> dict[str, int]:
    """Count tokens with markdown-it-py alone, written apart from the code under test."""
    reader = MarkdownIt("commonmark").enable("table")
    reader.disable(["reference", "html_block", "html_inline"])
    found = dict.fromkeys([*_KINDS.values(), "n_bullets", "n_numbered", "n_code"], 0)
    lists = []
    for token in reader.parse(text):
        for one in (token, *(token.children or ())):
            if one.type in _KINDS:
                found[_KINDS[one.type]] += 1
        if token.type.endswith("_list_open"):
            lists.append(token.type)
        elif token.type.endswith("_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            found["n_bullets" if lists[-1] == "bullet_list_open" else "n_numbered"] += 1
        elif token.type in ("fence", "code_block"):
            found["n_code"] += 1
    return found


def assert_as_tokens(text: str) -> None:
    layout = parse_layout(text)
    ours = {name: getattr(layout, name, None) for name in by_tokens("")}
    ours["n_code"] = len(layout.code_blocks)
    assert ours == by_tokens(text), text


_LINES = st.lists(
    st.builds(
        lambda indent, mark, body: indent + mark + body,
        st.sampled_from(["", "", "", "  ", "   ", "    "]),
        st.sampled_from(["", "", "- ", "* ", "1. ", "2. ", "3) ", "# ", "> ", "```", "| "]),
        st.sampled_from(
            ["foo", "**bar** x", "baz *q* r", "", "1 x", "`c` d_e", "foo: **b**, c", "a | b |",
             "--- | --- |", "_u_ v", "***", "---", "[x](y)", "\\*z*", "**a *b* c**", "==="]
        ),
    ),
    max_size=9,
)  # fmt: skip


@given(_LINES)
def test_layout_is_that_of_the_tokens_on_random_markdown(lines: list[str]) -> None:
    assert_as_tokens("\n".join(lines))


def test_layout_is_that_of_the_tokens_on_real_texts(shared_data: Path) -> None:
    for name in ("judges", "pandalm"):
        with gzip.open(shared_data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        for row in random.Random(0).sample(rows, 250):
            text = row["response_a"].replace("\r\n", "\n")
            if not any(mark in text for mark in "•●▪◦‣·") and len(text) < 2_000:
                assert_as_tokens(text)


# -- lexicon ------------------------------------------------------------------------------------


def test_lexicon_counts_words_phrases_and_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, empty in (("_names", []), ("_word_lists", {}), ("_measures", []), ("_pairs", {}),
                        ("_longer", {}), ("_clues", set())):  # fmt: skip
        monkeypatch.setattr(lexicon, name, empty)
    monkeypatch.setattr(lexicon, "_packed", lexicon._Packed())
    fruit = register("fruit", "apple pear", phrases=("passion fruit", "fruit of the tree"))
    length = register_measure("length", len)
    red = register("red", ["apple"])
    assert register("red", "other") == red
    words = tokenise("apple pear apple passion fruit of the tree plum")
    hits = count_hits(words)
    assert hits[fruit] == 5  # apple, pear, apple, passion fruit, fruit of the tree
    assert hits[red] == 2
    assert hits[length] == sum(map(len, words))
    assert count_hits([]) == [0, 0, 0]


# -- time ---------------------------------------------------------------------------------------

HOSTILE = {
    "open brackets": "[",
    "open parentheses": "(",
    "stars": "*",
    "underscores": "_",
    "backticks": "`",
    "backtick spans": "`a ",
    "spaces": " ",
    "lines": "\n",
    "quotes": "> ",
    "bullets": "- ",
    "bullet lines": "- a\n",
    "nested": "- - ",
    "tabs": "\t",
    "stops": ". ",
    "dots": ".",
    "stop and quotes": '."',
    "bars": "|",
    "table": "|a|\n|-|\n",
    "links": "[a](",
    "images": "![a](b",
    "bold": "**a ",
    "angle": "<a ",
    "a": "a",
    "hyphens": "a-",
    "numbers": "1,",
    "quotation": '"a',
    "hashes": "# ",
    "fences": "```\n",
    "devanagari": "हि",
    "chinese": "中。",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_taking_apart_is_linear(unit: str) -> None:
    def take_apart(size: int) -> None:
        text = Text((unit * (size // len(unit) + 1))[:size])
        _ = text.layout, text.hits, text.counts, text.sentences, text.paragraphs, text.lines

    assert_linear(take_apart, 4_000)


def test_slices_of_a_long_text_give_what_the_whole_gives() -> None:
    paragraph = "Some **bold** text and a list:\n\n- one\n- two\n\n> quoted\n\n"
    n = 2 * layout_parse.MAX_BLOCK // len(paragraph)
    layout = parse_layout(paragraph * n)
    assert layout.n_bold == n
    assert n * 2 <= layout.n_bullets <= n * 2 + 4
