"""p-values adjusted for being tested together, against other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from palate.inference.adjusted import benjamini_hochberg_adjusted, holm


def test_holm_gives_what_r_gives() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") in R: 0.03 0.06 0.06 0.02
    found = holm([0.01, 0.04, math.nan, 0.03, 0.005])
    assert found.tolist()[:2] == pytest.approx([0.03, 0.06])
    assert math.isnan(found[2])
    assert found.tolist()[3:] == pytest.approx([0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values(values: list[float]) -> None:
    p = np.array(values)
    np.testing.assert_allclose(benjamini_hochberg_adjusted(p), stats.false_discovery_control(p))
    order = np.argsort(p, kind="stable")
    expected, most = np.empty(p.size), 0.0
    for rank, i in enumerate(order):
        most = max(most, min(1.0, (p.size - rank) * p[i]))
        expected[i] = most
    np.testing.assert_allclose(holm(p), expected)
    assert np.isnan(holm(np.array([np.nan, 0.5]))[0])
    assert holm([]).size == benjamini_hochberg_adjusted([math.nan]).size - 1 == 0
