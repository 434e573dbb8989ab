"""The noun `Preferences`: what it accepts, what it refuses, and that a swap only swaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import palate
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError, UnknownNameError
from tests.growth import assert_within

ROW = {"domain": "d", "prompt": "p", "response_a": "x", "response_b": "y"}


def build(*rows: dict[str, Any]) -> Preferences:
    return Preferences.from_rows([{"id": str(i), **ROW, **row} for i, row in enumerate(rows)])


def test_counts_names_and_missing_verdicts() -> None:
    found = build({"labels": {"m": 1}}, {"domain": "e", "labels": {"n": -0.5}}, {"labels": None})
    assert (len(found), found.n_pairs) == (3, 3)
    assert found.domains == ("d", "e")
    assert found.mechanisms == ("m", "n")
    np.testing.assert_array_equal(found.verdict("m"), [1, np.nan, np.nan])
    np.testing.assert_array_equal(found.verdict("n"), [np.nan, -0.5, np.nan])
    assert found.row("1") == 1
    assert repr(found) == "Preferences(3 pairs, 2 domains, 2 mechanisms: m 1, n 1)"


def test_a_verdict_vector_is_a_copy() -> None:
    found = build({"labels": {"m": 1}})
    found.verdict("m")[0] = -1
    assert found.verdict("m")[0] == 1


def test_names_that_do_not_exist_are_refused_with_the_legal_ones() -> None:
    found = build({"labels": {"human": 1}, "meta": {"user": "u"}})
    with pytest.raises(UnknownNameError, match=r"Unknown mechanism 'humn'.*Did you mean 'human'"):
        found.verdict("humn")
    with pytest.raises(UnknownNameError, match="Unknown pair '9'"):
        found.row("9")
    with pytest.raises(UnknownNameError, match="must be one of 'domain', 'user'"):
        found.with_domains("x")
    with pytest.raises(UnknownNameError, match="Unknown mechanism 'x'"):
        found.with_mechanisms(["x"])


def test_what_is_wrong_is_refused() -> None:
    with pytest.raises(DataError, match="There are no pairs"):
        Preferences.from_rows([])
    with pytest.raises(InputError, match="row 2, column 'id': found '0' a second time"):
        build({}, {"id": "0"})
    with pytest.raises(InputError, match=r"row 1, mechanism 'm': found 2\.0; expected a verdict"):
        build({"labels": {"m": 2}})
    with pytest.raises(InputError, match="row 2, column 'prompt': found null; expected text"):
        build({}, {"prompt": None})
    pairs = build({}).pairs
    with pytest.raises(InputError, match="column 'prompt' is missing"):
        Preferences(pairs.drop("prompt"), pl.DataFrame())
    with pytest.raises(InputError, match="2 rows of verdicts for 1 pairs"):
        Preferences(pairs, pl.DataFrame({"m": [1, 1]}))
    with pytest.raises(InputError, match="2 rows of metadata for 1 pairs"):
        Preferences(pairs, pl.DataFrame(), pl.DataFrame({"k": [1, 1]}))


def test_nan_verdicts_are_missing() -> None:
    found = Preferences(build({}, {}).pairs, pl.DataFrame({"m": [float("nan"), 1.0]}))
    assert found.verdicts["m"].to_list() == [None, 1]


def test_two_swaps_are_none_and_one_negates() -> None:
    demo = palate.load_demo()
    swapped = demo.swap()
    for mechanism in demo.mechanisms:
        np.testing.assert_array_equal(swapped.verdict(mechanism), -demo.verdict(mechanism))
    assert swapped.pairs["response_a"].equals(demo.pairs["response_b"])
    again = swapped.swap()
    assert again.pairs.equals(demo.pairs)
    assert again.verdicts.equals(demo.verdicts)


def test_metadata_of_a_side_goes_with_it() -> None:
    meta = {"model_a": "A", "score:x:a": 1.0, "score:x:b": 2.0, "plan_a": "k", "n": 1}
    meta["response_a_messages"] = [{"role": "assistant", "content": "x"}]
    swapped = next(iter(build({"meta": meta}).swap().to_rows()))["meta"]
    assert swapped == {
        "model_b": "A",
        "score:x:b": 1.0,
        "score:x:a": 2.0,
        "plan_a": "k",  # no plan_b beside it, so it belongs to no side
        "n": 1,
        "response_b_messages": meta["response_a_messages"],
    }


def test_select_by_rows_and_by_mask() -> None:
    found = build({"labels": {"m": 1}, "meta": {"k": 1}}, {"labels": {"m": -1}}, {})
    assert found.select([2, 0]).ids == ["2", "0"]
    assert found.select(np.array([False, True, False])).verdicts["m"].to_list() == [-1]
    assert found.select([1]).metadata["k"].to_list() == [None]
    with pytest.raises(InputError, match="a mask of"):
        found.select([True])


def test_domains_from_metadata_keep_the_former_domain() -> None:
    found = build({"meta": {"lang": "de"}}, {"domain": "e"}).with_domains("lang")
    assert found.pairs["domain"].to_list() == ["de", "(none)"]
    assert found.metadata["domain"].to_list() == ["d", "e"]
    assert found.with_domains("domain") is found


def test_metadata_of_mixed_kinds_comes_back_as_it_was() -> None:
    values = [1, 1.5, True, "x", [1, {"k": None}], None, 2**70]
    found = build(*({"meta": {"k": v}} for v in values))
    assert found.json_metadata == {"k"}
    back = [row["meta"].get("k") for row in found.to_rows()]
    assert back == values
    assert [type(v) for v in back] == [type(v) for v in values]


def test_building_takes_time_linear_in_the_pairs() -> None:
    rows = [{"id": str(i), **ROW, "labels": {"m": 1}, "meta": {"k": i}} for i in range(50_000)]
    # 0.2 s; a list per row and column took 20 s
    assert_within(2, lambda: Preferences.from_rows(rows))
