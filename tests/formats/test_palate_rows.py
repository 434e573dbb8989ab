"""Palate's own rows hold everything, and what comes back is what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import palate
from palate.data.preferences import Preferences

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["\r", "\r\n", "\x00", '"', '""', "a,b;c\td", "\u2028", "\ufeff", "\u202e", "null", "1", "é"]
)
NAME = TEXT.filter(bool)
SCALAR = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    SCALAR, lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3), max_leaves=6
)
VERDICT = st.sampled_from([-1.0, 0.0, 1.0]) | st.floats(-1, 1).map(lambda v: v + 0.0)  # no -0.0


@st.composite
def preferences(draw: st.DrawFn) -> Preferences:
    """Any preferences: any Unicode text, several mechanisms, metadata of any JSON kind."""
    mechanisms = draw(st.lists(NAME, max_size=3, unique=True))
    keys = draw(st.lists(NAME, max_size=3, unique=True))
    kinds = [draw(st.sampled_from([SCALAR, JSON, TEXT, st.integers(-5, 5)])) for _ in keys]
    n = draw(st.integers(1, 4))
    ids = draw(st.lists(TEXT, min_size=n, max_size=n, unique=True))
    rows = [
        {
            "id": ids[i],
            "domain": draw(TEXT),
            "prompt": draw(TEXT),
            "response_a": draw(TEXT),
            "response_b": draw(TEXT),
            "labels": {m: draw(st.none() | VERDICT) for m in mechanisms},
            "meta": {k: draw(st.none() | kind) for k, kind in zip(keys, kinds, strict=True)},
        }
        for i in range(n)
    ]
    return Preferences.from_rows(rows)


def rows_of(found: Preferences) -> list[dict[str, Any]]:
    return list(found.to_rows())


ENDINGS = [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".csv", ".csv.gz", ".tsv"]


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=60)
@given(preferences())
def test_what_was_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, written: Preferences
) -> None:
    path = tmp_path_factory.getbasetemp() / f"round-trip{ending}"
    format = "palate" if "json" in ending else "table"
    report = palate.write(written, path)
    assert (report.format, report.n_pairs, report.dropped) == (format, written.n_pairs, ())
    found = palate.read(path, format=format)
    # JSON text is the notion of equality: 1 and 1.0 and True are told apart by it
    assert json.dumps(rows_of(found)) == json.dumps(rows_of(written))


@pytest.mark.parametrize("name", ["judges", "pandalm", "hhh"])
@pytest.mark.slow
def test_real_sets_come_back(shared_data: Path, tmp_path: Path, name: str) -> None:
    written = palate.read(shared_data / f"{name}.jsonl.gz")
    for ending in ENDINGS:
        palate.write(written, tmp_path / f"x{ending}")
        found = palate.read(tmp_path / f"x{ending}")
        assert rows_of(found) == rows_of(written)
        assert found.mechanisms == written.mechanisms


def write_lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


PAIR = {"prompt": "p", "response_a": "x", "response_b": "y"}


def test_what_may_be_left_out(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        {**PAIR, "verdicts": {"human": 1}},
        {**PAIR, "verdicts": {"human": None}, "user": "u1"},
        {**PAIR, "id": 7, "verdicts": {}, "response_a": "", "response_b": ""},
    )
    found = palate.read(path)
    assert found.domains == ("all",)
    assert found.ids[1] == found.ids[0] + "-2"  # equal content, named by its hash and a count
    assert found.ids[2] == "7"
    assert found.verdicts["human"].to_list() == [1, None, None]
    assert found.metadata["user"].to_list() == [None, "u1", None]
    assert found.pairs["response_a"].to_list() == ["x", "x", ""]


def test_ids_depend_on_content_alone(tmp_path: Path) -> None:
    rows = [{**PAIR, "prompt": str(i), "labels": {"h": 1}} for i in range(3)]
    one = palate.read(write_lines(tmp_path / "a.jsonl", *rows))
    other = palate.read(write_lines(tmp_path / "b.jsonl", *rows[::-1]))
    assert one.ids == other.ids[::-1]


def test_label_words_are_understood(tmp_path: Path) -> None:
    words = {"a": 1, "B": -1, "tie": 0, "both_bad": 0, "Model_A": 1, "0.5": 0.5, "": None, -1: -1}
    rows = [{**PAIR, "labels": {"m": word}} for word in words]
    found = palate.read(write_lines(tmp_path / "a.jsonl", *rows))
    assert found.verdicts["m"].to_list() == list(words.values())


def test_chat_messages_are_rendered_and_kept(tmp_path: Path) -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    answer = [{"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]
    image = [{"role": "assistant", "content": [{"type": "image", "image": "x.png"}]}]
    row = {"prompt": prompt, "response_a": answer, "response_b": image, "labels": {"m": "a"}}
    found = palate.read(write_lines(tmp_path / "a.jsonl", row))
    pair = found.pairs.row(0, named=True)
    assert pair["prompt"] == "system: Be brief.\n\nuser: Hi"
    assert (pair["response_a"], pair["response_b"]) == ("Hello", "[image]")
    meta = rows_of(found)[0]["meta"]
    assert meta["prompt_messages"] == prompt
    assert meta["response_a_messages"] == answer
    palate.write(found, tmp_path / "b.jsonl")
    assert rows_of(palate.read(tmp_path / "b.jsonl")) == rows_of(found)


def test_domain_column_takes_a_metadata_key(tmp_path: Path) -> None:
    rows = [
        {**PAIR, "prompt": str(i), "labels": {"m": 1}, "meta": {"lang": x}}
        for i, x in enumerate(["de", "fr", None])
    ]
    found = palate.read(write_lines(tmp_path / "a.jsonl", *rows), domain_column="lang")
    assert found.pairs["domain"].to_list() == ["de", "fr", "(none)"]


def test_numbers_that_are_not_finite_are_not_metadata(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"prompt": "p", "response_a": "x", "response_b": "y", "labels": {"m": 1}, '
        '"meta": {"x": NaN, "y": 1}}\n'
    )
    assert rows_of(palate.read(tmp_path / "a.jsonl"))[0]["meta"] == {"y": 1}


def test_provenance_says_where_the_pairs_came_from(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {**PAIR, "labels": {"m": 1}})
    found = palate.read(path)
    assert found.provenance["format"] == "palate"
    assert found.provenance["file"] == str(path)
    assert len(found.provenance["sha256"]) == 64
