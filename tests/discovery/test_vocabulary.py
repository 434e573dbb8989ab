"""Fixed lists in all their forms, and the built-in one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from palate.concepts.discovery.completing import complete
from palate.concepts.discovery.definitions import in_form
from palate.concepts.discovery.merging import stems
from palate.concepts.vocabulary import COMMONPLACE, from_text, general_concepts, read_vocabulary
from palate.errors import FileFormatError, RowError
from palate.llm.outcome import Failure

from .worlds import Function, simple

MARKDOWN = """# Our rubric

What we look for:

- **Warmth**: High: the response is kind; low: it is cold.
- *Brevity* - says much in few words
* Citations
  of sources
1. Choose the response that is least harmful.

Thanks.
"""


def written(folder: Path, name: str, text: str) -> Path:
    """A file."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_built_in_list_is_well_formed_and_without_doubles() -> None:
    concepts = general_concepts()
    assert 28 <= len(concepts) <= 35
    assert set(COMMONPLACE) <= {c.name for c in concepts}
    assert len({c.name.casefold() for c in concepts}) == len(concepts)
    for concept in concepts:
        match = re.fullmatch(r"High: (.+); low: (.+)\.", concept.definition)
        assert match, concept.name
        assert ";" not in match[1] + match[2]
        assert all(3 <= len(half.split()) <= 25 for half in match.groups()), concept.name
        assert not re.search(r" and |/|&", concept.name)
        assert concept.shared
    for k, one in enumerate(concepts):
        assert not any(stems(one.name) & stems(other.name) for other in concepts[:k])
    assert read_vocabulary("general") == concepts


def test_bullets_of_markdown(tmp_path: Path) -> None:
    concepts = read_vocabulary(written(tmp_path, "rubric.md", MARKDOWN))
    assert [(c.name, c.definition) for c in concepts] == [
        ("Warmth", "High: the response is kind; low: it is cold."),
        ("Brevity", "says much in few words"),
        ("Citations of sources", ""),
        (
            "is least harmful",
            "High: the response is least harmful; low: the other response does.",
        ),
    ]


def test_lines_of_plain_text(tmp_path: Path) -> None:
    text = "Warmth: it is kind\n\nBrevity\nPlease choose the assistant response that is wise.\n"
    concepts = read_vocabulary(written(tmp_path, "list.txt", text))
    assert [c.name for c in concepts] == ["Warmth", "Brevity", "is wise"]


def test_a_long_line_is_a_principle() -> None:
    text = "The assistant should never pretend to be a person when it is sincerely asked about it."
    found = from_text(text)
    assert len(found["name"]) <= 80
    assert found["definition"].startswith("High: the response follows this principle: The assist")


def test_json_lists_and_objects(tmp_path: Path) -> None:
    entries = ["Warmth: kind", "Brevity", {"name": "Tact", "domains": ["law"]}]
    listed = read_vocabulary(written(tmp_path, "a.json", json.dumps(entries)))
    assert [(c.name, c.definition, c.domains) for c in listed] == [
        ("Warmth", "kind", None),
        ("Brevity", "", None),
        ("Tact", "", ("law",)),
    ]
    mapped = read_vocabulary(written(tmp_path, "b.json", '{"Warmth": "kind", "Tact": ""}'))
    assert [(c.name, c.definition) for c in mapped] == [("Warmth", "kind"), ("Tact", "")]


def test_principles_of_an_annotated_pairs_file(tmp_path: Path) -> None:
    document = {
        "metadata": {"version": "2.0"},
        "annotators": {
            "a1": {
                "type": "principle",
                "description": "Select the response that is more concise",
            },
            "h": {"type": "human", "description": "people"},
        },
        "comparisons": [{"id": "x", "response_a": {}, "response_b": {}, "annotations": {}}],
    }
    (concept,) = read_vocabulary(written(tmp_path, "pairs.json", json.dumps(document)))
    assert concept.name == "is more concise"
    assert concept.definition.startswith("High: the response is more concise; ")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "[]", "no concepts"),
        ("a.json", "[1]", "row 1"),
        ("a.json", '[{"name": ""}]', "the name of a concept"),
        ("a.json", '[{"name": "A", "domains": 3}]', "domains"),
        ("a.json", '[{"name": "A", "definition": 3}]', "definition"),
        ("a.json", '["A", "a"]', "unique names"),
        ("a.json", '["A"', "malformed JSON"),
        ("a.md", "# Title only\n", "no concepts"),
        ("a.txt", "", "empty file"),
    ],
)
def test_lists_that_cannot_be_read(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises((FileFormatError, RowError), match=words):
        read_vocabulary(written(tmp_path, name, text))


def test_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        read_vocabulary(tmp_path / "none.md")


def test_missing_definitions_are_completed_and_others_kept(tmp_path: Path) -> None:
    concepts = read_vocabulary(written(tmp_path, "a.txt", "Warmth\nTact: my own words\n"))
    warm, tact = complete(concepts, Function(simple))
    assert warm.definition == "High: it is warm; low: it is cold."
    assert tact.definition == "my own words"
    unasked = Function(simple)
    assert complete((tact,), unasked) == (tact,)
    assert not unasked.requests

    def half(request: object) -> object:
        return {"d1": "no form at all"}

    assert complete((concepts[0],), Function(half)) == (concepts[0],)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("High: a b; low: c d.", "High: a b; low: c d."),
        ("high: A.\nLow: C", "High: A; low: C."),
        ("**High**: a; **Low**: c.", None),
        ("It is warm.", None),
        ("High: a.", None),
        ("High: ; low: c", None),
        ("High: " + "a" * 400 + "; low: c", None),
    ],
)
def test_the_form_of_a_definition(text: str, expected: str | None) -> None:
    found = in_form(text)
    assert found == expected or (expected is None and "**" in text and found is not None)


def test_failing_definitions_leave_the_list_as_it_is() -> None:
    concepts = general_concepts()[:2]
    assert complete(concepts, Function(lambda r: Failure("timeout"))) == concepts
