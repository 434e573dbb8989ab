"""Raw rows come out of every kind of file, whatever its line ends and compression."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.data.atomic import atomic_write
from palate.data.formats.base import ReadOptions
from palate.data.formats.compression import open_decompressed
from palate.data.formats.csv_text import parse_csv
from palate.data.formats.json_values import without_surrogates
from palate.data.formats.rows import write_rows
from palate.data.formats.source import Source, plain_suffix
from palate.errors import DataError, FileFormatError, MissingExtraError, OutputError, RowError
from tests.growth import assert_within

ROWS = [{"x": "one", "n": 1}, {"x": "zwei\n", "n": 2}]


def lines(rows: list[dict]) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in rows)


def test_json_lines_are_numbered_by_line_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n" + lines(ROWS[:1]) + b"  \r\n" + lines(ROWS[1:]))
    assert list(Source(path).rows()) == [(2, ROWS[0]), (4, ROWS[1])]
    assert Source(path).kind == "jsonl"


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("layout", ["jsonl", "json", "pretty", "csv", "parquet"])
def test_every_layout_in_every_compression(tmp_path: Path, layout: str, ending: str) -> None:
    frame = pl.DataFrame(ROWS)
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    data = {
        "jsonl": lines(ROWS),
        "json": json.dumps(ROWS).encode(),
        "pretty": json.dumps(ROWS, indent=2).encode(),
        "csv": b'x,n\r\none,1\r\n"zwei\n",2\r\n',
        "parquet": buffer.getvalue(),
    }[layout]
    suffix = {"pretty": "json"}.get(layout, layout)
    path = tmp_path / f"a.{suffix}{ending}"
    with atomic_write(path) as file:
        file.write(data)
    found = [row for _, row in Source(path).rows()]
    expected = [{"x": r["x"], "n": str(r["n"])} for r in ROWS] if layout == "csv" else ROWS
    assert found == expected
    # compression and layout are told by content, so the name may say nothing
    anonymous = tmp_path / "anonymous"
    anonymous.write_bytes(path.read_bytes())
    assert [row for _, row in Source(anonymous).rows()] == expected


def test_a_byte_order_mark_and_crlf_are_tolerated(tmp_path: Path) -> None:
    for name, data in (
        ("a.jsonl", b'\xef\xbb\xbf{"x": "1"}\r\n{"x": "2"}\r\n'),
        ("a.csv", b"\xef\xbb\xbfx\r\n1\r\n2\r\n"),
        ("a.json", b'\xef\xbb\xbf[{"x": "1"},\r\n {"x": "2"}]\r\n'),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        assert [row["x"] for _, row in Source(path).rows()] == ["1", "2"]


def test_one_object_over_several_lines_is_a_document(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n "comparisons": [],\n "annotators": {}\n}\n')
    source = Source(path)
    assert source.kind == "json"
    assert source.document() == {"comparisons": [], "annotators": {}}
    assert source.head().keys == {"comparisons", "annotators"}


def test_null_bytes_bidi_controls_and_line_separators_survive(tmp_path: Path) -> None:
    text = "a\x00b\u202ec\u2028d\x1b[31m\x85e\r\nf\rg"
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"x": text}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert next(Source(path).rows())[1]["x"] == text


def test_a_lone_surrogate_becomes_the_replacement_character(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"x\\ud800": ["\\udfff!", "\\ud83d\\ude00"]}\n')
    assert next(Source(path).rows())[1] == {"x\ufffd": ["\ufffd!", "😀"]}
    assert without_surrogates({"a": ["\ud800", 1, None]}) == {"a": ["\ufffd", 1, None]}


def test_lines_of_ten_megabytes_are_read(tmp_path: Path) -> None:
    long = 'word "quoted", ' * 700_000
    assert len(long) > 10_000_000
    (tmp_path / "a.jsonl").write_text(json.dumps({"x": long}) + "\n")
    quoted = long.replace('"', '""')
    (tmp_path / "a.csv").write_text(f'x,y\n"{quoted}",1\n')

    def read() -> None:
        for name in ("a.jsonl", "a.csv"):
            assert next(Source(tmp_path / name).rows())[1]["x"] == long

    assert_within(5, read)


def test_bad_lines_are_told_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"x": 1}\n{"x": \n[1]\n{"x": "\xff"}\n{"x": 2}\n')
    items = dict(Source(path).items())
    assert items[1] == {"x": 1}
    assert items[5] == {"x": 2}
    assert "row 2" in str(items[2])
    assert "malformed JSON" in str(items[2])
    assert "expected a JSON object" in str(items[3])
    assert "0xff at offset 27" in str(items[4])  # 9 + 7 + 4 + 7
    with pytest.raises(RowError, match="row 2"):
        list(Source(path).rows())


def test_deep_nesting_and_giant_numbers_are_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": ' + "[" * 100_000 + "\n" + '{"x": ' + "9" * 5000 + "}\n")
    for _, item in Source(path).items():
        assert isinstance(item, RowError)


def test_truncated_gzip_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(ROWS) * 10_000)[:-20])
    with pytest.raises(FileFormatError, match=r"a\.jsonl\.gz: the gzip file ends too early"):
        list(Source(path).rows())


def test_truncated_and_corrupt_zstandard_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    with atomic_write(path) as file:
        file.write(json.dumps({"x": list(range(20_000))}).encode() + b"\n")
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(FileFormatError, match="Zstandard file ends too early"):
        list(Source(path).rows())
    path.write_bytes(whole[:20] + b"\xff" * 500)
    with pytest.raises(FileFormatError, match=r"Zstandard file (is corrupt|ends too early)"):
        list(Source(path).rows())


def test_several_zstandard_frames_are_one_file(tmp_path: Path) -> None:
    for i, row in enumerate(ROWS):
        with atomic_write(tmp_path / f"{i}.zst") as file:
            file.write(lines([row]))
    path = tmp_path / "both.jsonl.zst"
    path.write_bytes((tmp_path / "0.zst").read_bytes() + (tmp_path / "1.zst").read_bytes())
    assert [row for _, row in Source(path).rows()] == ROWS


def test_a_name_that_promises_another_compression_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(lines(ROWS))
    with pytest.raises(FileFormatError, match="found no gzip header"):
        list(Source(path).rows())


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n", encoding="utf-16")
    with pytest.raises(FileFormatError, match="found UTF-16 text; expected UTF-8"):
        list(Source(path).rows())


def test_parquet_dates_lists_and_structs_become_json_values(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"d": ["2026-01-02"], "l": [[{"role": "user", "content": "hi"}]]}).with_columns(
        pl.col("d").str.to_datetime()
    ).write_parquet(path)
    assert [row for _, row in Source(path).rows()] == [
        {"d": "2026-01-02T00:00:00", "l": [{"role": "user", "content": "hi"}]}
    ]


# -- CSV ----------------------------------------------------------------------------------------


def test_csv_tells_empty_text_from_nothing(tmp_path: Path) -> None:
    rows = [row for _, row in parse_csv('a,b\n"",\n,""\n', tmp_path)]
    assert rows == [{"a": "", "b": None}, {"a": None, "b": ""}]


def test_csv_separator_is_the_most_frequent_in_the_bare_header(tmp_path: Path) -> None:
    assert [r for _, r in parse_csv('"a,b,c,d";e\n1;2\n', tmp_path)] == [{"a,b,c,d": "1", "e": "2"}]
    assert [r for _, r in parse_csv("a\tb\n1,5\t2\n", tmp_path)] == [{"a": "1,5", "b": "2"}]


def test_csv_rows_of_the_wrong_width_are_bad_rows(tmp_path: Path) -> None:
    items = [item for _, item in parse_csv("a,b\n1\n1,2,3\n1,2\n", tmp_path / "t.csv")]
    assert "row 1: found '1 cells'; expected 2 cells" in str(items[0])
    assert "row 2: found '3 cells'" in str(items[1])
    assert items[2] == {"a": "1", "b": "2"}


def test_csv_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"line 2: found a quotation mark that is not closed"):
        list(parse_csv('a,b\n"1,2\n', tmp_path))
    with pytest.raises(FileFormatError, match="column 'a' twice"):
        list(parse_csv("a,a\n1,2\n", tmp_path))


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_csv_reads_what_polars_quotes(rows: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    written = frame.write_csv(quote_style="always")
    found = [row for _, row in parse_csv(written, Path("t.csv"))]
    assert found == frame.to_dicts()


# -- head and writing ---------------------------------------------------------------------------


def test_the_head_passes_over_bad_first_rows_and_renames(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{\n" + lines(ROWS))
    head = Source(path).head(ReadOptions(columns={"prompt": "x"}))
    assert head.keys == {"prompt", "n"}
    assert len(head.rows) == 2


def test_plain_suffix_ignores_compression() -> None:
    assert plain_suffix(Path("a.JSONL.gz")) == ".jsonl"
    assert plain_suffix(Path("a.b.parquet")) == ".parquet"
    assert plain_suffix(Path("a.gz")) == ""


def test_a_file_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_text("before")
    with pytest.raises(TypeError), atomic_write(path) as file:
        file.writelines([b"half", "text"])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="found a directory"), atomic_write(tmp_path):
        pass
    missing = tmp_path / "no" / "a.txt"
    with (
        pytest.raises(OutputError, match=r"a\.txt: the file cannot be written \(No such file"),
        atomic_write(missing),
    ):
        pass


def test_zstandard_without_its_package_names_the_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with atomic_write(tmp_path / "a.jsonl.zst") as file:
        file.write(lines(ROWS))
    for name in ("compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    with (
        pytest.raises(MissingExtraError, match=r"pip install 'palate\[zstd\]'"),
        open_decompressed(tmp_path / "a.jsonl.zst"),
    ):
        pass
    with pytest.raises(MissingExtraError), atomic_write(tmp_path / "b.jsonl.zst"):
        pass
    assert not (tmp_path / "b.jsonl.zst").exists()


def test_parquet_cannot_hold_several_kinds_in_one_column(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"values of several kinds.*expected the ending \.jsonl"):
        write_rows(tmp_path / "a.parquet", [{"x": 1}, {"x": ["a"]}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet"])
def test_no_rows_are_no_file(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match="nothing was written"):
        write_rows(tmp_path / f"a{ending}", [])
    assert list(tmp_path.iterdir()) == []
