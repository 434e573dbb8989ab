"""Samples for people: stratified, blinded, the same for a seed; sheets that come back anyhow."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.concepts.concept import Concept
from palate.data.preferences import Preferences
from palate.errors import FileFormatError, InputError, RowError
from palate.validate.labels import label_of, read_labels
from palate.validate.questions import from_columns, from_sheets, together
from palate.validate.sample import draw_sample, quotas
from palate.validate.sheet import Key, instructions, safe_cell, sheet_text

CONCEPTS = (
    Concept("Warmth", "High: is warm; low: is cold."),
    Concept("=Rhyme", "High: rhymes; low: does not.", domains=("poems",)),
)


def preferences(n: int = 120) -> Preferences:
    """Three domains of different sizes, every prompt twice, one judge that rarely ties."""
    rows = []
    for i in range(n):
        rows.append(
            {
                "id": f"secret/{i:03d}",
                "domain": ("poems", "letters", "letters", "recipes", "letters")[i % 5],
                "prompt": f"Write number {i // 10 * 5 + i % 5}.",
                "response_a": f"=SUM({i}) of a",
                "response_b": f'Text {i}, of "b"\nand more',
                "labels": {"judge": 0 if i % 20 == 0 else (1 if i % 3 else -1), "ann": 1, "bo": -1},
                "meta": {"model_a": "GPT-9", "model_b": "Llama-9"},
            }
        )
    return Preferences.from_rows(rows)


def key_of(pairs: Preferences, n: int = 20, *, concepts: tuple[Concept, ...] = CONCEPTS) -> Key:
    return Key(draw_sample(pairs, n), tuple(c.name for c in concepts), 0)


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def filled(pairs: Preferences, key: Key, label: str = "1") -> list[list[str]]:
    """The cells of the sheet with this label everywhere."""
    rows = cells(sheet_text(pairs, key, CONCEPTS if key.concepts else ()))
    for row in rows[1:]:
        row[4:-1] = [cell or label for cell in row[4:-1]]
    return rows


def written(rows: list[list[str]], separator: str = ",", end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue()


def test_every_domain_and_every_value_is_there_and_prompts_do_not_repeat() -> None:
    pairs = preferences()
    chosen = draw_sample(pairs, 40, values=pairs.verdict("judge")[:, None])
    rows = [pairs.row(p.id) for p in chosen]
    domains = [pairs.pairs["domain"][i] for i in rows]
    assert {d: domains.count(d) for d in set(domains)} == {"letters": 24, "poems": 8, "recipes": 8}
    said = pairs.verdict("judge")[rows]
    assert {v: (said == v).sum() >= 5 for v in (-1, 0, 1)} == {-1: True, 0: True, 1: True}
    prompts = [pairs.pairs["prompt"][i] for i in rows]
    assert len(set(prompts)) == len(prompts)
    sides = sum(p.a_first for p in chosen)
    assert 10 <= sides <= 30


def test_it_depends_on_ids_and_seed_not_on_the_order_of_the_file() -> None:
    pairs = preferences()
    turned = pairs.select(np.arange(pairs.n_pairs)[::-1])
    values = pairs.verdict("judge")[:, None]
    one = draw_sample(pairs, 30, values=values, seed=3)
    assert one == draw_sample(pairs, 30, values=values, seed=3)
    assert one == draw_sample(turned, 30, values=values[::-1], seed=3)
    assert one != draw_sample(pairs, 30, values=values, seed=4)


def test_more_pairs_than_prompts_and_pairs_without_values() -> None:
    pairs = preferences()
    assert len({p.id for p in draw_sample(pairs, 120)}) == 120
    values = np.full((120, 1), np.nan)
    values[:30] = 1
    assert all(int(p.id[-3:]) < 30 for p in draw_sample(pairs, 30, values=values))
    with pytest.raises(InputError, match="between 1 and 30"):
        draw_sample(pairs, 31, values=values)
    with pytest.raises(InputError, match="between 1 and 120"):
        draw_sample(pairs, 121)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.data())
def test_quotas_are_in_proportion(sizes: list[int], data: st.DataObject) -> None:
    n = data.draw(st.integers(0, sum(sizes)))
    given_ = quotas(np.array(sizes, float), n)
    assert given_.sum() == n
    assert (given_ <= sizes).all()
    if n >= len(sizes):
        assert (given_ >= 1).all()


def test_the_sheet_is_blinded_and_a_spreadsheet_computes_nothing() -> None:
    pairs = preferences()
    key = key_of(pairs)
    text = sheet_text(pairs, key, CONCEPTS)
    for secret in ("secret/", "GPT-9", "Llama-9", "judge", "letters", "recipes"):
        assert secret not in text
    rows = cells(text)
    assert rows[0] == [
        "item", "request", "response_1", "response_2", "more: Warmth", "more: =Rhyme", "comment"
    ]  # fmt: skip
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert {row[5] for row in rows[1:]} == {"", "n/a"}, "poems only are asked for rhymes"
    told = instructions(key, CONCEPTS)
    assert "- =Rhyme: High: rhymes; low: does not." in told
    assert "secret" not in told


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\uff1d1", "=cmd|' /C calc'!A0"]
)
def test_cells_that_would_be_computed_are_escaped(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert safe_cell("1 = 1") == "1 = 1"


def test_the_key_is_read_back(tmp_path: Path) -> None:
    key = key_of(preferences())
    key.save(tmp_path / "k.json")
    assert Key.load(tmp_path / "k.json") == key
    for text in (
        "[]",
        "{}",
        '{"schema": "palate.people_key/1", "pairs": []}',
        "no",
        '{"schema": 1}',
    ):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(FileFormatError, match="key"):
            Key.load(tmp_path / "bad.json")
    with pytest.raises(FileFormatError, match="no such file"):
        Key.load(tmp_path / "absent.json")


def quirks(rows: list[list[str]]) -> dict[str, bytes]:
    """What spreadsheets make of a sheet."""
    blank = [""] * len(rows[0])
    wide = [[*row, "", ""] for row in rows]
    return {
        "plain": written(rows).encode(),
        "bom": codecs.BOM_UTF8 + written(rows).encode(),
        "semicolons": written(rows, ";").encode(),
        "tabs in utf-16": written(rows, "\t").encode("utf-16"),
        "unix": written(rows, end="\n").encode(),
        "old mac": written([[c.replace("\n", " ") for c in r] for r in rows], end="\r").encode(),
        "sep": b"sep=;\r\n" + written(rows, ";").encode(),
        "western": written([*rows[:-1], [*rows[-1][:-1], "Caf\u00e9"]]).encode("cp1252"),
        "blank rows": written([rows[0], blank, *rows[1:], blank, []]).encode(),
        "wide": written(wide).encode(),
        "sorted and cut": written([[r[0], *r[4:6]] for r in [rows[0], *rows[:0:-1]]]).encode(),
        "capitals": written([[c.upper() for c in rows[0]], *rows[1:]]).encode(),
    }


@pytest.mark.parametrize("quirk", list(quirks([["a"] * 7, ["b"] * 7])))
def test_what_spreadsheets_make_of_a_sheet_is_read(quirk: str, tmp_path: Path) -> None:
    pairs = preferences()
    key = key_of(pairs)
    (tmp_path / "ann.csv").write_bytes(quirks(filled(pairs, key))[quirk])
    labels = read_labels([tmp_path / "ann.csv"], key)
    assert labels.people == ("ann",)
    assert not labels.notes
    sides = np.array([1.0 if p.a_first else -1.0 for p in key.pairs])
    assert np.array_equal(labels.values["more: Warmth"][:, 0], sides)
    poems = [pairs.pairs["domain"][pairs.row(p.id)] == "poems" for p in key.pairs]
    assert np.array_equal(~np.isnan(labels.values["more: =Rhyme"][:, 0]), poems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), (" First ", 1), ("Response 1", 1), ("1.0", 1), ("1,0", 1), ("'1", 1),
        ("2", -1), ("SECOND", -1), ("r2", -1), ("equal", 0), ("Equal.", 0), ("0", 0), ("tie", 0),
        ("=", 0), ("both", 0), ("", np.nan), ("n/a", np.nan), ("?", np.nan), ("-", np.nan),
        ("3", None), ("yes", None), ("none", None), ("12", None),
    ],
)  # fmt: skip
def test_labels_in_words(text: str, value: float | None) -> None:
    found = label_of(text)
    assert found == value or (value is not None and np.isnan(value) and np.isnan(found or 0.0))


@given(st.text(max_size=20))
def test_any_text_is_a_label_or_is_refused(text: str) -> None:
    assert label_of(text) in (1.0, -1.0, 0.0, None) or label_of(text) != label_of(text)


@pytest.mark.parametrize("value", ["1", "2", "equal"])
def test_exchanging_the_order_of_a_pair_exchanges_the_side(value: str, tmp_path: Path) -> None:
    pairs = preferences()
    key = key_of(pairs, concepts=())
    (tmp_path / "ann.csv").write_text(written(filled(pairs, key, value)))
    turned = Key(tuple(type(p)(p.item, p.id, not p.a_first) for p in key.pairs))
    one = read_labels([tmp_path / "ann.csv"], key).values["better"]
    two = read_labels([tmp_path / "ann.csv"], turned).values["better"]
    assert np.array_equal(one, -two)


def broken(rows: list[list[str]], row: int, column: int, text: str) -> bytes:
    rows = [list(r) for r in rows]
    rows[row][column] = text
    return written(rows).encode()


def test_mistakes_are_named_with_file_row_and_column(tmp_path: Path) -> None:
    pairs = preferences()
    key = key_of(pairs)
    rows, path = filled(pairs, key), tmp_path / "ann.csv"

    def refused(data: bytes, *words: str, kind: type[Exception] = RowError) -> None:
        path.write_bytes(data)
        with pytest.raises(kind) as error:
            read_labels([path], key)
        assert all(word in str(error.value) for word in ("ann.csv", *words)), error.value

    refused(broken(rows, 3, 4, "yes"), "row 3", "more: Warmth", "'yes'", "1, 2, equal", "item-03")
    refused(broken(rows, 2, 0, "item-99"), "row 2", "item-99", "item-01")
    refused(broken(rows, 2, 0, "item-01"), "row 2", "a second time")
    refused(written([r[:4] for r in rows]).encode(), "more: Warmth", kind=FileFormatError)
    refused(written([[*r, r[4]] for r in rows]).encode(), "2 columns", kind=FileFormatError)
    refused(b"", "no column 'item'", kind=FileFormatError)
    refused(b"PK\x03\x04xx", "save as CSV", kind=FileFormatError)
    refused(written(cells(sheet_text(pairs, key, CONCEPTS))).encode(), "no label",
            kind=FileFormatError)  # fmt: skip
    refused(b'item,"more\n' + b"x" * 200_000, "CSV", kind=FileFormatError)
    with pytest.raises(FileFormatError, match="no such file"):
        read_labels([tmp_path / "absent.csv"], key)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match="no CSV file"):
        read_labels([tmp_path / "empty"], key)
    path.write_bytes(written(rows).encode())
    with pytest.raises(InputError, match="second file of 'ann'"):
        read_labels([path, path], key)
    with pytest.raises(InputError, match="no file"):
        read_labels([], key)


def test_rows_that_are_missing_are_told(tmp_path: Path) -> None:
    pairs = preferences()
    key = key_of(pairs)
    (tmp_path / "ann.csv").write_text(written(filled(pairs, key)[:-4]))
    labels = read_labels([tmp_path], key)
    assert labels.notes == ("ann.csv lacks 4 of the 20 rows of the sheet.",)
    assert np.isnan(labels.values["more: Warmth"][-4:]).all()


def test_questions_bring_people_and_models_together(tmp_path: Path) -> None:
    pairs = preferences()
    key = key_of(pairs, concepts=())
    for name in ("ann", "bo"):
        (tmp_path / f"{name}.csv").write_text(written(filled(pairs, key)))
    labels = read_labels([tmp_path], key)
    (question,) = from_sheets(pairs, key, labels, mechanisms=["judge"])
    assert question.people.raters == ("ann", "bo")
    rows = [pairs.row(p.id) for p in key.pairs]
    assert np.array_equal(question.annotators["judge"], pairs.verdict("judge")[rows])
    with pytest.raises(FileFormatError, match="not in the file"):
        from_sheets(pairs.select(np.arange(3)), key, labels)
    with pytest.raises(InputError, match="among the people and the models"):
        from_sheets(pairs, key, labels, mechanisms=["ann"])
    columns = from_columns(pairs, ["ann", "bo"], ["judge"])
    assert columns.people.n_items == 120
    assert np.unique(columns.people.groups).size == 60
    both = together([columns, columns])
    assert both.people.n_items == 240
    with pytest.raises(InputError, match="given twice"):
        from_columns(pairs, ["ann", "ann"])
    with pytest.raises(InputError, match="a concept 'all concepts'"):
        together([columns, replace(columns, name="all concepts")])
    with pytest.raises(InputError, match="different raters"):
        together([columns, from_columns(pairs, ["ann", "bo"])])


def test_a_key_of_another_sample_is_refused(tmp_path: Path) -> None:
    """Items have the same names in every sample, so labels would go to other pairs unseen."""
    pairs = preferences()
    key, path = key_of(pairs, concepts=()), tmp_path / "ann.csv"
    path.write_text(written(filled(pairs, key)))
    assert not read_labels([path], key, pairs).notes
    other = Key(draw_sample(pairs, 20, seed=7))
    turned = Key(tuple(type(p)(p.item, p.id, not p.a_first) for p in key.pairs))
    for wrong in (other, turned):
        with pytest.raises(FileFormatError, match=r"ann.csv: found the texts of other pairs"):
            read_labels([path], wrong, pairs)
    rows = filled(pairs, key)
    path.write_text(written([[row[0], row[4]] for row in rows]))
    assert not read_labels([path], other, pairs).notes, "nothing to tell it by"


def test_texts_that_a_spreadsheet_changed_are_read_and_edited_ones_are_told(tmp_path: Path) -> None:
    rows = [
        {
            "id": str(i),
            "domain": "d",
            "prompt": f"Écris à Łódź {i} – « s’il te plaît » …",
            "response_a": f"Voilà {i} :\r\n\r\n– déjà là\u00a0!" * 20,
            "response_b": f"0.50{i}",
            "labels": {"judge": 1},
        }
        for i in range(20)
    ]
    pairs = Preferences.from_rows(rows)
    key, path = Key(draw_sample(pairs, 20)), tmp_path / "ann.csv"
    sheet = filled(pairs, key)
    changed = [
        [c.replace("0.50", "0,5").replace("\n", " ").replace("\u00a0", " ") for c in row]
        for row in sheet
    ]
    path.write_bytes(written(changed, ";").encode("cp1252", "replace"))
    assert not read_labels([path], key, pairs).notes
    changed[3][2] = "something else that somebody typed"
    changed[3][3] = "something else that somebody typed"
    path.write_bytes(written(changed).encode())
    (note,) = read_labels([path], key, pairs).notes
    assert note == "ann.csv has other texts than the sheet in 1 row, item-03: was it edited?"
    with pytest.raises(FileFormatError, match="not in the file"):
        read_labels([path], key, pairs.select(np.arange(3)))


def test_a_copy_of_another_persons_sheet_is_told(tmp_path: Path) -> None:
    pairs = preferences()
    key = key_of(pairs, 30, concepts=())
    rows = filled(pairs, key)
    for name in ("ann", "bo", "cy"):
        (tmp_path / f"{name}.csv").write_text(written(rows))
        rows[1][4] = "2" if name == "bo" else "1"
    (note,) = read_labels([tmp_path], key, pairs).notes
    assert note == "ann and bo gave the same label all 30 times; is one a copy of the other?"
