"""Result files: one document with its schema, and tables that no spreadsheet computes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from palate.data.documents import as_written, read_document, write_csv, write_document
from palate.errors import FileFormatError


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_document(path, "palate.thing/1", {"n": 3, "name": "é"})
    found = read_document(path, "palate.thing/1", what="a thing")
    assert found == {"schema": "palate.thing/1", "n": 3, "name": "é"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as a thing"),
        ("[1]", "found schema 'list'; expected 'palate.thing/1'"),
        ("{}", "found schema None; expected 'palate.thing/1'"),
        ('{"schema": "palate.other/1"}', "found schema 'palate.other/1'"),
        ("[" * 100_000, "cannot be read as a thing"),
    ],
)
def test_another_file_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=said) as raised:
        read_document(path, "palate.thing/1", what="a thing")
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_field_names_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(FileFormatError, match=r"r\.json: found 'n'; expected what `Thing\.save`"),
        as_written(tmp_path / "r.json", "Thing.save"),
    ):
        {}["n"]


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    table = pl.DataFrame({"concept": ["=1+1", "@x", "plain", None], "lift": [-1.0, 2.0, None, 0.5]})
    write_csv(tmp_path / "t.csv", table)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["concept,lift", "'=1+1,-1.0", "'@x,2.0", "plain,", ",0.5"]
