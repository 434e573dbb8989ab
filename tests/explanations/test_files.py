"""Explanations on disk and as tables: what is read is what was written, to the last bit."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from palate.errors import FileFormatError, InputError, OutputError, UnknownNameError
from palate.explanations.explain import Explanations, explain_all
from palate.explanations.explanation import Explanation
from palate.explanations.files import finite, load_explanations, save_explanations
from palate.explanations.tables import write_weights_csv
from tests.explanations.worlds import planted


@pytest.fixture(scope="module")
def found() -> Explanations:
    shared = np.array([1.5, -1.0, 0.0])
    domain = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    world = planted(
        200, shared=shared, domain=domain, mechanisms=2, missing=0.1, specific={2: ("domain 0",)}
    )
    return explain_all(world.preferences, world.concepts, n_bootstrap=5)


def assert_same(a: Explanation, b: Explanation) -> None:
    """Compare every field."""
    assert a.mechanism == b.mechanism
    assert a.domains == b.domains
    assert a.concepts.ids == b.concepts.ids
    assert a.concepts.concepts == b.concepts.concepts
    assert a.concepts.scales == b.concepts.scales
    np.testing.assert_array_equal(a.concepts.values, b.concepts.values)
    np.testing.assert_array_equal(a.concepts.step, b.concepts.step)
    for band in ("shared", "domain", "total"):
        for part in ("weight", "low", "high", "selected"):
            np.testing.assert_array_equal(
                getattr(getattr(a, band), part), getattr(getattr(b, band), part)
            )
    np.testing.assert_array_equal(a.exact_shared, b.exact_shared)
    np.testing.assert_array_equal(a.exact_total, b.exact_total)
    assert a.pairs.equals(b.pairs)
    assert a.scores.equals(b.scores)
    assert a.coverage.equals(b.coverage)
    assert finite(a.settings) == b.settings
    assert a.counts == b.counts
    assert a.notes == b.notes


def test_what_is_read_is_what_was_written(found: Explanations, tmp_path: Path) -> None:
    save_explanations(found, tmp_path / "new" / "folder")
    read = load_explanations(tmp_path / "new" / "folder")
    assert len(read) == 2
    for a, b in zip(found, read, strict=True):
        assert_same(a, b)
        assert repr(a) == repr(b)
        assert str(a.local("p00005")) == str(b.local("p00005"))
    assert Explanation.load(tmp_path / "new" / "folder", mechanism="judge 1").mechanism == "judge 1"
    found[0].save(tmp_path)
    assert_same(found[0], Explanation.load(tmp_path))


def test_the_json_is_strict_and_the_values_are_stored_once(
    found: Explanations, tmp_path: Path
) -> None:
    save_explanations(found, tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (tmp_path / "explanation.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=refuse)
    assert document["schema"] == "palate.explanation/2"
    columns = pl.read_parquet(tmp_path / "pairs.parquet").columns
    assert sum(c.startswith("value:") for c in columns) == 3


def test_every_key_of_the_json_is_documented(found: Explanations, tmp_path: Path) -> None:
    found[0].save(tmp_path)
    document = json.loads((tmp_path / "explanation.json").read_text(encoding="utf-8"))
    page = Path(__file__).resolve().parents[2] / "docs" / "explanation_json.md"
    described = page.read_text(encoding="utf-8")
    entry = document["explanations"][0]
    for key in [*document, *entry, *entry["settings"], *entry["counts"], *entry["concepts"][0]]:
        assert f"`{key}`" in described, key


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "explanation.json").unlink(), "there is no such file"),
        (lambda d: (d / "explanation.json").write_text("{"), "cannot be read as JSON"),
        (lambda d: (d / "explanation.json").write_bytes(b"\xff\xfe"), "cannot be read as JSON"),
        (lambda d: (d / "explanation.json").write_text("[]"), "found schema None"),
        (lambda d: (d / "explanation.json").write_text('{"schema": "x/9"}'), "found schema 'x/9'"),
        (
            lambda d: (d / "explanation.json").write_text('{"schema": "palate.explanation/2"}'),
            "expected the keys",
        ),
        (lambda d: (d / "pairs.parquet").unlink(), "cannot be read as parquet"),
        (lambda d: (d / "pairs.parquet").write_bytes(b"PAR1"), "cannot be read as parquet"),
        (
            lambda d: pl.DataFrame({"id": ["a"]}).write_parquet(d / "pairs.parquet"),
            "expected the keys",
        ),
    ],
)
def test_bad_files_are_named(found: Explanations, tmp_path: Path, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    save_explanations(found, tmp_path)
    spoil(tmp_path)
    with pytest.raises(FileFormatError, match=message) as caught:
        load_explanations(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("key", ["weights", "concepts", "domains", "scores", "value_columns"])
def test_a_missing_key_is_a_format_error(found: Explanations, tmp_path: Path, key: str) -> None:
    save_explanations(found, tmp_path)
    path = tmp_path / "explanation.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["explanations"][0][key]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(FileFormatError, match=key):
        load_explanations(tmp_path)


def test_several_mechanisms_need_a_name(found: Explanations, tmp_path: Path) -> None:
    save_explanations(found, tmp_path)
    with pytest.raises(InputError, match=r"of 2 mechanisms.*'judge 0', 'judge 1'"):
        Explanation.load(tmp_path)
    with pytest.raises(UnknownNameError, match="Unknown mechanism 'judge 7'"):
        Explanation.load(tmp_path, mechanism="judge 7")


def test_places_and_lists_that_cannot_be_saved(found: Explanations, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="cannot be written here"):
        save_explanations(found, tmp_path / "file")
    with pytest.raises(InputError, match="no explanation to save"):
        save_explanations([], tmp_path)
    with pytest.raises(InputError, match="'judge 0' is explained twice"):
        save_explanations([found[0], found[0]], tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        write_weights_csv(found, tmp_path / "absent" / "weights.csv")


def test_the_table_of_weights(found: Explanations, tmp_path: Path) -> None:
    frame = found[0].to_frame()
    first = found[0]
    # Two shared concepts everywhere and in two domains, one specific concept in one domain.
    assert frame.height == 2 * 3 + 1
    row = frame.filter((pl.col("concept") == "c1") & (pl.col("scope") == "domain 1")).row(
        0, named=True
    )
    assert row["weight"] == first.total.weight[1, 1]
    assert row["domain_weight"] == first.domain.weight[1, 1]
    assert row["first_order_lift"] == 50 * row["weight"]
    assert row["estimate"] == first.total.estimate[1, 1]
    assert row["difference"] == first.domain.estimate[1, 1]
    assert row["verdict"] == first.total.verdict[1, 1]
    even = 1 / (1 + math.exp(-row["estimate"]))  # the chance that one step makes of an even choice
    assert row["lift"] == pytest.approx(100 * (even - 0.5) / 0.5)
    assert row["exact_lift"] == first.exact_total[1, 1]
    write_weights_csv(found, tmp_path / "weights.csv")
    back = pl.read_csv(tmp_path / "weights.csv")
    assert back.height == 14
    assert back["weight"].to_list()[:7] == frame["weight"].to_list()


def test_the_summary_names_the_strongest_concept_and_the_scores(found: Explanations) -> None:
    text = repr(found[0])
    strongest = first_name = found[0].concepts.names[
        int(np.nanargmax(np.abs(found[0].shared.weight)))
    ]
    assert first_name == strongest
    assert strongest in text.split("in domains")[0]
    assert "of verdicts on new prompts" in text
