"""Concepts that come from files: annotations, principle votes, attribute scores."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from palate.concepts.imported import (
    concepts_from_scores,
    concepts_from_votes,
    concepts_of_annotated_pairs,
    coverage_of,
    is_annotated_pairs,
    read_concepts,
)
from palate.concepts.imported_files import read_definitions
from palate.data.formats import read
from palate.data.preferences import Preferences
from palate.errors import FileFormatError, InputError, RowError

SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(
    not (SHARED / "data" / "judges_concepts.json").exists(),
    reason="the shared data folder is not beside the repository",
)

CONCEPTS = [
    {"name": "Warmth", "definition": "High: kind; low: cold.", "domains": "all"},
    {"name": "Seasoning", "definition": "High: seasoned; low: bland.", "domains": ["cooking"]},
]


def write_json(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def write_lines(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    return write_json(tmp_path / "concepts.json", CONCEPTS)


# -- real files ---------------------------------------------------------------------------------


@needs_shared
def test_the_judges_set_is_read_whole() -> None:
    """Counts from its README: 30 concepts, 453 pairs, 80 annotated a second time."""
    folder = SHARED / "data"
    m = read_concepts(folder / "judges_concepts.json", folder / "judges_concepts.jsonl.gz")
    assert (m.n_pairs, m.n_concepts) == (453, 30)
    assert set(m.scales) == {"comp"}
    assert np.isnan(m.step).all()
    assert set(np.unique(m.values)) == {-1.0, 0.0, 1.0}
    assert m.provenance["n_second_annotations"] == 80
    with gzip.open(folder / "judges_concepts.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for i in (0, 200, 452):
        assert m.ids[i] == rows[i]["id"]
        assert dict(zip(m.names, m.values[i], strict=True)) == rows[i]["values"]


@needs_shared
def test_the_demo_set_is_measured_everywhere() -> None:
    """Every pair holds the shared concepts and those of its domain; the others are 0 there."""
    folder = SHARED / "demo"
    m = read_concepts(folder / "concepts.json", folder / "annotations.jsonl.gz")
    assert (m.n_pairs, m.n_concepts) == (240, 28)
    assert sum(c.shared for c in m.concepts) == 16
    assert np.isfinite(m.values).all()
    of_pair = [name.split("/")[0] for name in m.ids]
    np.testing.assert_array_equal(m.masked(of_pair).values, m.values)
    without = read_concepts(None, folder / "annotations.jsonl.gz")
    assert set(without.names) == set(m.names)
    assert all(c.shared and not c.definition for c in without.concepts)
    assert np.isnan(without.values).any()


# -- layouts ------------------------------------------------------------------------------------


def test_absent_is_zero_only_where_the_concept_belongs_to_other_domains(
    tmp_path: Path, definitions: Path
) -> None:
    values = write_lines(
        tmp_path / "v.jsonl",
        [
            {"id": "1", "domain": "cooking", "values": {"Warmth": 1}},
            {"id": "2", "domain": "law", "values": {"Warmth": None}},
            {"id": "3", "values": {"Seasoning": -1}},
            {"id": "4", "domain": "law", "values": {"Seasoning": 1}},
        ],
    )
    m = read_concepts(definitions, values)
    nan = np.nan
    np.testing.assert_array_equal(m.values, [[1, nan], [nan, 0], [nan, -1], [nan, 1]])


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "jsonl", "json"])
def test_wide_tables(tmp_path: Path, definitions: Path, kind: str) -> None:
    path = tmp_path / f"wide.{kind}"
    frame = pl.DataFrame(
        {
            "id": ["007", "8"],
            "domain": ["cooking", "law"],
            "Warmth": [1.0, None],
            "Seasoning": [-1.0, None],
        }
    )
    if kind == "csv":
        frame.write_csv(path)
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    elif kind == "parquet":
        frame.write_parquet(path)
    elif kind == "jsonl":
        frame.write_ndjson(path)
    else:
        write_json(path, frame.to_dicts())
    m = read_concepts(definitions, path)
    assert m.ids == ("007", "8")
    np.testing.assert_array_equal(m.values, [[1, -1], [np.nan, 0]])
    assert m.scales == ("comp", "comp")


def test_words_for_missing_in_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("id,Warmth\na,\nb,NaN\nc,null\nd,n/a\ne, 1 \n")
    np.testing.assert_array_equal(
        read_concepts(None, path).column("Warmth"), [np.nan, np.nan, np.nan, np.nan, 1]
    )


def test_scales_and_steps(tmp_path: Path) -> None:
    """1.4826 times the median size is the standard deviation of normal values around zero."""
    normal = np.random.default_rng(0).normal(0, 40, size=2001).round(6)
    rows = [
        {"id": str(i), "votes": i % 3 - 1, "stars": i % 7 - 3, "words": x}
        for i, x in enumerate(normal)
    ]
    m = read_concepts(None, write_lines(tmp_path / "v.jsonl", rows))
    assert m.scales == ("comp", "score", "score")
    assert np.isnan(m.step[0])
    assert m.step[1] == 1
    assert m.column("stars").max() == 3
    assert m.step[2] == pytest.approx(40, rel=0.05)
    np.testing.assert_allclose(m.column("words") * m.step[2], normal)


def test_swapped_values_give_the_negated_matrix(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 30, size=(50, 2))
    for sign, name in ((1, "ab"), (-1, "ba")):
        pl.DataFrame(
            {"id": np.arange(50).astype(str), "c": sign * x[:, 0], "d": sign * x[:, 1]}
        ).write_parquet(tmp_path / f"{name}.parquet")
    ab = read_concepts(None, tmp_path / "ab.parquet")
    ba = read_concepts(None, tmp_path / "ba.parquet")
    np.testing.assert_array_equal(ab.values, -ba.values)
    np.testing.assert_array_equal(ab.step, ba.step)


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "1", "values": {"Warmth": "high"}}], r"row 1, column 'Warmth': found 'high'; exp"),
        ([{"id": "1", "values": {"Warmth": True}}], "row 1, column 'Warmth': found True"),
        (
            [{"id": "1", "values": {"Kindness": 1}}],
            "'Kindness'; expected a concept that .*concepts",
        ),
        ([{"id": "1", "values": [1]}], "column 'values': found .*expected an object"),
        ([{"values": {"Warmth": 1}}], "column 'id': found None; expected a column 'id'"),
        ([{"id": "", "values": {}}], "column 'id': found ''; expected the id of a pair"),
        ([{"id": "1", "values": {}}] * 2, "row 2, column 'id': found '1'; .*row 1 has it too"),
        ([{"id": "1", "values": {"Warmth": float("inf")}}], "expected a finite number"),
        ([[1]], "row 1: found"),
    ],
)
def test_bad_values_are_named_with_file_row_and_column(
    tmp_path: Path, definitions: Path, rows: list[object], message: str
) -> None:
    values = write_lines(tmp_path / "values.jsonl", rows)
    with pytest.raises(RowError, match=message) as caught:
        read_concepts(definitions, values)
    assert "values.jsonl" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "Warmth"}, "found a JSON dict; expected a list"),
        ([], "found an empty list"),
        (["Warmth"], "row 1: found 'Warmth'; expected an object"),
        ([{"definition": "High"}], "row 1, column 'name': found None"),
        ([{"name": "W"}, {"name": "W"}], "row 2, column 'name': found 'W'; expected unique names"),
        ([{"name": "Tact"}, {"name": "tact "}], "found 'tact '; expected unique names; 'Tact'"),
        ([{"name": "W", "domains": "cooking"}], "found 'cooking'; expected \"all\" or a list"),
        ([{"name": "W", "domains": []}], "column 'domains': found"),
        ([{"name": "W", "definition": 3}], "column 'definition': found 3; expected text"),
    ],
)
def test_bad_definitions(tmp_path: Path, data: object, message: str) -> None:
    path = write_json(tmp_path / "concepts.json", data)
    values = write_lines(tmp_path / "v.jsonl", [{"id": "1", "values": {}}])
    with pytest.raises(FileFormatError, match=message) as caught:
        read_concepts(path, values)
    assert "concepts.json" in str(caught.value)


def test_only_discovered_concepts_keep_their_origin(tmp_path: Path) -> None:
    told = ["discovered", "measured", "imported", ["discovered"], None]
    data = [{"name": str(k), "origin": origin} for k, origin in enumerate(told)] + [{"name": "x"}]
    found = read_definitions(write_json(tmp_path / "concepts.json", data))
    assert [c.origin for c in found] == ["discovered", *["imported"] * 5]


def test_files_that_cannot_be_read(tmp_path: Path, definitions: Path) -> None:
    good = write_lines(tmp_path / "v.jsonl", [{"id": "1", "values": {}}])
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    header = tmp_path / "header.csv"
    header.write_text("id,Warmth\n")
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(good.read_bytes())[:-9])
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"id": "\xe9"}\n')
    malformed = tmp_path / "malformed.jsonl"
    malformed.write_text('{"id": "1"}\n{"id": \n')
    for concepts, values, name in [
        (definitions, tmp_path / "absent.jsonl", "absent.jsonl.*expected values of concepts"),
        (definitions, tmp_path, tmp_path.name),
        (definitions, empty, "empty.jsonl"),
        (definitions, header, "header.csv"),
        (definitions, broken, "broken.jsonl.gz"),
        (definitions, latin, "latin.jsonl, row 1"),
        (definitions, malformed, "malformed.jsonl, row 2"),
        (tmp_path / "absent.json", good, "absent.json.*expected definitions of concepts"),
    ]:
        with pytest.raises(FileFormatError, match=name):
            read_concepts(concepts, values)


# -- coverage -----------------------------------------------------------------------------------


def coverage_case(tmp_path: Path, n_values: int) -> object:
    rows = [{"id": f"p{i}", "Warmth": 1} for i in range(n_values)]
    return read_concepts(None, write_lines(tmp_path / "values.jsonl", rows))


def test_full_coverage_says_nothing(tmp_path: Path) -> None:
    covered = coverage_of(coverage_case(tmp_path, 5), [f"p{i}" for i in range(5)])
    assert (covered.n_pairs, covered.n_valued, covered.n_unknown) == (5, 5, 0)
    assert (covered.share, covered.notes) == (1.0, ())


def test_partial_coverage_and_unknown_pairs_are_counted(tmp_path: Path) -> None:
    covered = coverage_of(
        coverage_case(tmp_path, 60), [f"p{i}" for i in range(10, 110)], source="votes.jsonl"
    )
    assert (covered.n_valued, covered.n_unknown) == (50, 10)
    assert covered.notes == (
        "values.jsonl has values for 50 of the 100 pairs of votes.jsonl (50 %); "
        "on the others these concepts are not measured.",
        "10 rows of values.jsonl belong to no pair of votes.jsonl.",
    )


def test_three_per_cent_is_too_little(tmp_path: Path) -> None:
    ids = [f"p{i}" for i in range(1000)]
    with pytest.raises(
        InputError,
        match=r"values.jsonl has values for 30 of the 1000 pairs of votes.jsonl \(3.0 %\); "
        r"expected at least 5 % and at least 20 pairs",
    ):
        coverage_of(coverage_case(tmp_path, 30), ids, source="votes.jsonl")
    with pytest.raises(InputError, match="19 of the 40 pairs"):
        coverage_of(coverage_case(tmp_path, 19), ids[:40])


def test_values_of_other_pairs_are_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of the 2 pairs of the pref.*found ids like 'p0'"):
        coverage_of(coverage_case(tmp_path, 30), ["x", "y"])


# -- principle votes ----------------------------------------------------------------------------

ANNOTATED = {
    "metadata": {"version": "2.0", "default_annotator": "ba751e7b"},
    "annotators": {
        "ba751e7b": {"description": "people", "type": "human"},
        "11111111": {"description": "Select the response that is shorter.", "type": "principle"},
        "22222222": {"description": "Select the response that is shorter", "type": "principle"},
        "33333333": {"description": "is a list", "type": "non_preference_principle"},
    },
    "comparisons": [
        {"id": "same", "annotations": {"11111111": {"pref": "a"}, "22222222": {"pref": "text_b"}}},
        {
            "id": "same",
            "annotations": {
                "11111111": {"pref": None, "no_pref_reason": "not_applicable"},
                "22222222": {"pref": None, "no_pref_reason": "invalid"},
            },
        },
        {
            "id": "both",
            "annotations": {
                "11111111": {"pref": None, "no_pref_reason": "both"},
                "22222222": {"pref": "nan"},
            },
        },
        {"id": "none", "annotations": {"11111111": {"pref": None}}},
    ],
}


def test_principle_votes_become_concepts(tmp_path: Path) -> None:
    path = write_json(tmp_path / "annotated.json", ANNOTATED)
    assert is_annotated_pairs(path)
    m = concepts_of_annotated_pairs(path)
    nan = np.nan
    np.testing.assert_array_equal(m.values, [[1, -1], [0, nan], [0, nan], [nan, nan]])
    assert m.ids == ("same", "same#2", "both", "none")
    assert m.names == ("is shorter", "is shorter (22222222)")
    assert m.concepts[0].definition.startswith("High: the response is shorter; low:")
    assert m.provenance["annotators"]["is shorter"] == "11111111"
    same = read_concepts(None, path)
    np.testing.assert_array_equal(same.values, m.values)


def test_principle_votes_with_definitions_of_ones_own(tmp_path: Path) -> None:
    path = write_json(tmp_path / "annotated.json", ANNOTATED)
    own = write_json(
        tmp_path / "own.json",
        [
            {"name": "is shorter (22222222)", "domains": ["law"]},
            {"name": "is shorter", "definition": "High: brief; low: long."},
        ],
    )
    m = read_concepts(own, path)
    assert m.concepts[0].definition == "High: brief; low: long."
    assert m.concepts[1].domains == ("law",)
    write_json(own, [{"name": "is shorter"}])
    with pytest.raises(FileFormatError, match="expected every concept of the values"):
        read_concepts(own, path)


def test_votes_that_preferences_carry(tmp_path: Path) -> None:
    """They are those of the file, follow the rows, and change sign with the sides."""
    data = json.loads(json.dumps(ANNOTATED))
    for comparison in data["comparisons"]:
        comparison |= {"response_a": {"text": "x"}, "response_b": {"text": "y"}}
    path = write_json(tmp_path / "annotated.json", data)
    m, p = concepts_of_annotated_pairs(path), read(path)
    carried = concepts_from_votes(p)
    assert carried is not None
    assert (carried.ids, carried.concepts) == (m.ids, m.concepts)
    np.testing.assert_array_equal(carried.values, m.values)
    swapped = concepts_from_votes(p.swap().select([2, 0]))
    assert swapped is not None
    np.testing.assert_array_equal(swapped.values, -m.values[[2, 0]])
    data["annotators"] = {"ba751e7b": data["annotators"]["ba751e7b"]}
    for comparison in data["comparisons"]:
        comparison["annotations"] = {"ba751e7b": {"pref": "a"}}
    assert concepts_from_votes(read(write_json(path, data))) is None


def test_votes_that_mean_nothing_are_named(tmp_path: Path) -> None:
    bad = json.loads(json.dumps(ANNOTATED))
    bad["comparisons"][3]["annotations"]["11111111"] = {"pref": "left"}
    path = write_json(tmp_path / "annotated.json", bad)
    with pytest.raises(RowError, match=r"row 4, column 'annotations/11111111/pref': found 'left'"):
        concepts_of_annotated_pairs(path)
    del bad["annotators"]["11111111"], bad["annotators"]["22222222"]
    write_json(path, bad)
    with pytest.raises(FileFormatError, match="no annotator of type 'principle'"):
        concepts_of_annotated_pairs(path)


# -- attribute scores ---------------------------------------------------------------------------


def scored(meta: dict[str, list[object]]) -> Preferences:
    return Preferences.from_rows(
        {
            "id": str(i),
            "domain": "all",
            "prompt": "q",
            "response_a": "a",
            "response_b": "b",
            "labels": {"human": 1},
            "meta": {key: column[i] for key, column in meta.items()},
        }
        for i in range(2)
    )


def test_attribute_scores_are_differenced() -> None:
    p = scored(
        {
            "score:instruction_following:a": [4, 1],
            "score:instruction_following:b": [1, None],
            "score:honesty:a": [2.5, 3.0],
            "score:lonely:a": [1, 1],
            "model_a": ["x", "y"],
        }
        | {"score:honesty:b": [2.0, 5.0]}
    )
    m = concepts_from_scores(p)
    assert m is not None
    assert m.names == ("instruction following", "honesty")
    np.testing.assert_array_equal(m.values, [[3, 0.5], [np.nan, -2]])
    assert m.scales == ("score", "score")
    assert m.step.tolist() == [1, 1]
    assert m.concepts[0].unit == "points"


def test_no_scores_no_concepts() -> None:
    assert concepts_from_scores(scored({"model_a": ["x", "y"]})) is None
