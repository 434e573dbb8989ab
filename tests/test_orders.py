"""Verdicts by order of presentation: both forms are read, and turn with their pairs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import palate
from palate.data.orders import order_signs, recorded_orders, turned_orders
from palate.data.preferences import Preferences
from palate.explanations.replicates import both_orders, known_replicates

ENTRIES = st.one_of(
    st.text("abt-?", min_size=2, max_size=2),
    st.fixed_dictionaries({}, optional={"ab": st.sampled_from([1, -1, 0, 0.5, None, "x"])}),
    st.fixed_dictionaries({"ab": st.sampled_from([1, -1, 0]), "ba": st.sampled_from([1, -1, 0])}),
    st.sampled_from([None, 3, "abc", [], {"ab": True}]),
)


def with_orders(said: list[Any], *, mechanism: str = "judge") -> Preferences:
    n = len(said)
    texts = [None if s is None else json.dumps(s) for s in said]
    return Preferences(
        pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(n)],
                "domain": ["all"] * n,
                "prompt": [f"q{i}" for i in range(n)],
                "response_a": [f"a{i}" for i in range(n)],
                "response_b": [f"b{i}" for i in range(n)],
            }
        ),
        pl.DataFrame({mechanism: [1.0] * n}),
        pl.DataFrame({"orders": pl.Series(texts, dtype=pl.String)}),
        frozenset({"orders"}),
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ab", (1, -1)),
        ("bt", (-1, 0)),
        ("-a", (math.nan, 1)),
        ("??", (math.nan, math.nan)),
        ({"ab": 1, "ba": -1}, (1, -1)),
        ({"ab": 0.4}, (1, math.nan)),
        ({"ab": 7, "ba": True}, (math.nan, math.nan)),
        ("aba", (math.nan, math.nan)),
        (None, (math.nan, math.nan)),
    ],
)
def test_one_entry(said: Any, expected: tuple[float, float]) -> None:
    np.testing.assert_equal(order_signs(said), expected)


def test_both_forms_and_what_is_no_mechanism() -> None:
    found = recorded_orders(
        with_orders([{"judge": "ab", "other": "aa"}, {"judge": {"ab": -1, "ba": -1}}, None, []])
    )
    assert list(found) == ["judge"]
    np.testing.assert_array_equal(found["judge"][0], [1, -1, np.nan, np.nan])
    np.testing.assert_array_equal(found["judge"][1], [-1, -1, np.nan, np.nan])
    assert recorded_orders(with_orders([{"judge": "--"}])) == {}
    assert recorded_orders(with_orders([{"judge": "ab"}]).select([])) == {}


@given(ENTRIES)
def test_turning_negates_and_exchanges_and_twice_is_nothing(entry: Any) -> None:
    text = json.dumps({"judge": entry})
    turned = turned_orders(text)
    assert turned is not None
    first, second = order_signs(json.loads(turned)["judge"])
    was_first, was_second = order_signs(entry)
    np.testing.assert_array_equal([first, second], [-was_second, -was_first])
    assert json.loads(turned_orders(turned) or "") == json.loads(text)


def test_they_turn_when_the_preferences_are_swapped() -> None:
    preferences = with_orders([{"judge": "ab"}, {"judge": {"ab": 1, "ba": 1}}, None])
    first, second = recorded_orders(preferences.swap())["judge"]
    np.testing.assert_array_equal(first, [1, -1, np.nan])
    np.testing.assert_array_equal(second, [-1, -1, np.nan])
    assert preferences.swap().swap().metadata.equals(preferences.metadata)


def test_replicates_count_pairs_with_a_side_in_both_orders() -> None:
    found = both_orders(
        with_orders([{"judge": s} for s in ("aa", "ab", "at", "-b", "bb")]), "judge"
    )
    assert found is not None
    np.testing.assert_array_equal(found.wins, [2, 1, 0, 0, 0])
    np.testing.assert_array_equal(found.losses, [0, 1, 0, 0, 2])


def test_orders_that_never_disagree_bound_nothing() -> None:
    demo = palate.load_demo()  # 48 pairs in both orders, which always agree
    found = both_orders(demo, "expert")
    assert found is not None
    assert found.n_pairs == 48
    assert known_replicates(demo, "expert") is None


def test_orders_that_a_format_made_text_are_orders_still(tmp_path: Path) -> None:
    """Such a column was refused by palate judge, and did not turn with its pairs."""
    before = palate.load_demo().select(range(0, 240, 12))
    before.save(tmp_path / "pairs.json", format="annotated_pairs")
    after = palate.read(tmp_path / "pairs.json")
    assert "orders" in after.json_metadata
    expected = recorded_orders(before)
    for name, found in recorded_orders(after).items():
        np.testing.assert_array_equal(found, expected[name])
    other = Preferences.from_rows([row | {"meta": {"orders": "two"}} for row in before.to_rows()])
    assert other.json_metadata == frozenset()
