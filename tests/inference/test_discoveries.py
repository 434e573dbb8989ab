"""Which effects are called supported: step-up procedures against scipy, and the order of tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from palate.inference.discoveries import Verdict, benjamini_hochberg, simes, supported
from palate.inference.effects import Effects, Estimates

P_VALUES = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=12)


@given(P_VALUES, st.floats(0.01, 0.4))
@settings(deadline=None, max_examples=100)
def test_the_step_up_procedure_is_that_of_scipy(values: list[float], fdr: float) -> None:
    p = np.array(values)
    adjusted = stats.false_discovery_control(p, method="bh")
    ours = benjamini_hochberg(p, fdr=fdr)
    clear = np.abs(adjusted - fdr) > 1e-9  # at equality rounding decides
    np.testing.assert_array_equal(ours[clear], (adjusted <= fdr)[clear])


@given(P_VALUES)
@settings(deadline=None, max_examples=100)
def test_the_smallest_adjusted_p_value_is_that_of_simes(values: list[float]) -> None:
    p = np.array(values)
    least = stats.false_discovery_control(p, method="bh").min()
    assert simes(p) == pytest.approx(least)
    with_gap = np.append(p, np.nan)
    assert simes(with_gap) == simes(p)
    np.testing.assert_array_equal(
        benjamini_hochberg(with_gap, fdr=0.1)[:-1], benjamini_hochberg(p, fdr=0.1)
    )


def test_nothing_is_known_where_all_p_values_are_missing() -> None:
    assert np.isnan(simes(np.full(3, np.nan)))
    assert not benjamini_hochberg(np.full(3, np.nan), fdr=0.5).any()


def effects(shared: list[float], total: list[list[float]], deviation: list[list[float]]) -> Effects:
    """Return effects with these p-values."""

    def part(p: list[float] | list[list[float]]) -> Estimates:
        values = np.array(p)
        one = np.where(np.isnan(values), np.nan, 1.0)
        return Estimates(one, one, one, one, one, values)

    return Effects(part(shared), part(deviation), part(total), None, np.ones(len(shared)), 0.9)  # type: ignore[arg-type]


def test_verdicts_follow_the_tests_in_their_order() -> None:
    nan = np.nan
    found = supported(
        effects(
            shared=[1e-6, 1e-6, 0.5, 0.5, nan],
            total=[[0.5, 0.5, 1e-6, 0.5, 1e-6], [0.5, 1e-6, 0.5, 0.5, nan]],
            deviation=[[0.5, 1e-6, 1e-6, 1e-6, nan], [0.5, 0.5, 0.5, 0.5, nan]],
        ),
        fdr=0.1,
    )
    everywhere, here, differs, no = (
        v.value for v in (Verdict.EVERYWHERE, Verdict.HERE, Verdict.DIFFERS, Verdict.NOT)
    )
    assert found.shared.tolist() == [everywhere, everywhere, no, no, no]
    # Concept 0: shared only. 1: differs in the first domain. 2: only the effect in the first domain
    # is supported, so its difference is not asked for. 3: nothing, though it seems to differ.
    # 4: specific to the first domain.
    assert found.domain[0].tolist() == [everywhere, differs, here, no, here]
    assert found.domain[1].tolist() == [everywhere, everywhere, no, no, no]
    # p of a family = 2 min(shared, Simes): twice 1e-6; twice 2 x 1e-6 for the third
    np.testing.assert_allclose(found.p_family, [2e-6, 2e-6, 4e-6, 1.0, 2e-6])


def test_with_one_domain_the_shared_effect_is_tested_alone() -> None:
    found = supported(effects([0.04, 0.5], [[0.04, 0.5]], [[np.nan, np.nan]]), fdr=0.1)
    np.testing.assert_allclose(found.p_family, [0.04, 0.5])  # not doubled
    assert found.shared.tolist() == [Verdict.EVERYWHERE.value, Verdict.NOT.value]


def test_the_level_inside_falls_with_the_share_of_chosen_concepts() -> None:
    # One of ten concepts is chosen, so its domains are tested at .1 x 1 / 10 / 2 = .005.
    shared = [1e-6] + [0.9] * 9
    total = [[0.9] * 10, [0.9] * 10]
    at = supported(effects(shared, total, [[0.004] + [0.9] * 9, [0.9] * 10]), fdr=0.1)
    assert at.domain[0, 0] == Verdict.EVERYWHERE.value  # step-up of two: .004 > .005 / 2
    below = supported(effects(shared, total, [[0.002] + [0.9] * 9, [0.9] * 10]), fdr=0.1)
    assert below.domain[0, 0] == Verdict.DIFFERS.value
