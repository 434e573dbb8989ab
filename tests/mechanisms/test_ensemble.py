"""Ensembles: counted by hand, symmetric, and honest about what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.data.preferences import Preferences
from palate.errors import InputError, UnknownNameError
from palate.mechanisms.ensemble import combine

VOTES = st.sampled_from([1.0, -1.0, 0.0, None])


def judged(votes: Sequence[Sequence[Any]]) -> Preferences:
    """One pair for each list of votes."""
    return Preferences.from_rows(
        {
            "id": str(k),
            "domain": "d",
            "prompt": f"q{k}",
            "response_a": "a",
            "response_b": "b",
            "labels": {f"m{j}": vote for j, vote in enumerate(row)},
        }
        for k, row in enumerate(votes)
    )


@given(st.lists(st.lists(VOTES, min_size=3, max_size=3), min_size=1, max_size=8))
def test_votes_are_counted(votes: list[list[float | None]]) -> None:
    whole: list[list[float | None]] = [[1.0] * 3, *votes]  # so that there are three columns
    pairs = judged(whole)
    majority = combine(pairs, ("m0", "m1", "m2"), "majority")
    mean = combine(pairs, ("m0", "m1", "m2"), "mean")
    for k, row in enumerate(whole):
        known = [vote for vote in row if vote is not None]
        if not known:
            assert np.isnan(majority[k])
            assert np.isnan(mean[k])
            continue
        top = Counter(known).most_common()
        alone = len(top) == 1 or top[0][1] > top[1][1]
        assert majority[k] == (top[0][0] if alone else 0.0)
        assert mean[k] == pytest.approx(sum(known) / len(known))
    turned = combine(pairs.swap(), ("m2", "m0", "m1"), "majority")
    np.testing.assert_array_equal(turned, -majority)
    np.testing.assert_allclose(combine(pairs.swap(), ("m2", "m0", "m1"), "mean"), -mean)


def test_what_cannot_be_combined_is_refused() -> None:
    pairs = judged([[1, -1]])
    with pytest.raises(InputError, match="at least two"):
        combine(pairs, ("m0",), "mean")
    with pytest.raises(InputError, match="at least two"):
        combine(pairs, ("m0", "m0"), "mean")
    with pytest.raises(UnknownNameError, match="'nobody'"):
        combine(pairs, ("m0", "nobody"), "mean")
    with pytest.raises(UnknownNameError, match="'median'"):
        combine(pairs, ("m0", "m1"), "median")  # type: ignore[arg-type]
