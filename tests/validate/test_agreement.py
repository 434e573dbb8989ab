"""Coefficients of agreement against published tables, other implementations and symmetries."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from palate.errors import DataError, InputError, UnknownNameError
from palate.explanations.comparison_agreement import measures
from palate.validate.agreement import agreement, find, majority, pairs
from palate.validate.clustered import by_group, interval
from palate.validate.coefficients import (
    AC1,
    ALPHA,
    COHEN,
    FLEISS,
    INTERVAL,
    ORDINAL,
    RAW,
    item_sums,
    raw_agreement,
)
from palate.validate.ratings import KINDS, Array, Kind, Ratings

NA = np.nan
# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C; the same data are
# cac.raw4raters of Gwet's handbook (2014), whose package irrCAC prints the other coefficients.
FOUR = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NA, NA, NA],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NA, 3],
        [NA, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NA],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NA],
    ]
).T
# Fleiss 1971: fourteen raters, ten subjects, five categories
COUNTS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def rated(values: Array, kind: Kind = "nominal", groups: Array | None = None) -> Ratings:
    names = tuple(f"rater {j}" for j in range(np.shape(values)[1]))
    return Ratings(names, values, np.arange(len(values)) if groups is None else groups, kind)


def value(ratings: Ratings, measure: str) -> float:
    return find(agreement(ratings), measure).value


def drawn(seed: int = 0, n: int = 40, m: int = 4, missing: float = 0.2) -> Array:
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, 2, n).astype(float)
    values = np.where(rng.random((n, m)) < 0.6, truth[:, None], rng.integers(-1, 2, (n, m)))
    values[rng.random((n, m)) < missing] = np.nan
    return values


def test_the_published_example_of_fleiss() -> None:
    values = np.array([np.repeat(np.arange(5.0), row) for row in COUNTS])
    assert value(rated(values), FLEISS) == pytest.approx(0.210, abs=5e-4)
    assert value(rated(values), RAW) == pytest.approx(0.378, abs=5e-4)


def test_the_published_example_of_gwet_and_krippendorff() -> None:
    ratings = rated(FOUR)
    assert value(ratings, RAW) == pytest.approx(0.81818, abs=5e-6)
    assert value(ratings, FLEISS) == pytest.approx(0.76117, abs=5e-6)
    assert value(ratings, AC1) == pytest.approx(0.77544, abs=5e-6)
    assert value(ratings, ALPHA) == pytest.approx(0.743, abs=5e-4)
    assert value(rated(FOUR, "ordinal"), ORDINAL) == pytest.approx(0.815, abs=5e-4)
    assert value(rated(FOUR, "interval"), INTERVAL) == pytest.approx(0.849, abs=5e-4)


@pytest.mark.parametrize("kind", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(3))
def test_alpha_is_that_of_the_package_krippendorff(kind: Kind, seed: int) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    values = drawn(seed)
    measure = {"nominal": ALPHA, "ordinal": ORDINAL, "interval": INTERVAL}[kind]
    expected = krippendorff.alpha(values.T, level_of_measurement=kind)
    assert value(rated(values, kind), measure) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_cohens_kappa_is_that_of_scikit_learn(seed: int) -> None:
    values = drawn(seed, m=2)
    both = ~np.isnan(values).any(axis=1)
    expected = cohen_kappa_score(*values[both].astype(int).T)
    assert value(rated(values), COHEN) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_comparative_labels_have_the_kappa_of_comparisons_of_mechanisms(seed: int) -> None:
    a, b = drawn(seed, m=2, missing=0).T
    both = (a != 0) & (b != 0)
    sums = np.array([[(a == b).sum(), (a == 0).sum(), (b == 0).sum(), both.sum(), 0]], float)
    same, _, kappa, ac1 = measures(sums, np.array([float(a.size)]))[0]
    ratings = rated(np.column_stack([a, b]), "comparative")
    assert value(ratings, RAW) == pytest.approx(same)
    assert value(ratings, COHEN) == pytest.approx(kappa)
    assert value(ratings, AC1) == pytest.approx(ac1)


def test_without_ties_comparative_coefficients_are_two_p_minus_one() -> None:
    values = np.where(drawn(missing=0) > 0, 1.0, -1.0)
    ratings = rated(values, "comparative")
    expected = 2 * value(ratings, RAW) - 1
    assert value(ratings, FLEISS) == pytest.approx(expected)
    assert value(ratings, AC1) == pytest.approx(expected)


@given(st.integers(0, 10_000), st.data())
def test_swapping_the_responses_of_any_pair_changes_nothing(seed: int, data: st.DataObject) -> None:
    values = drawn(seed, n=12, m=3)
    signs = np.array(data.draw(st.lists(st.sampled_from([-1, 1]), min_size=12, max_size=12)))
    for one, two in zip(
        agreement(rated(values, "comparative")),
        agreement(rated(values * signs[:, None], "comparative")),
        strict=True,
    ):
        assert one.measure == two.measure
        ends = [two.value, two.low, two.high]
        assert np.allclose([one.value, one.low, one.high], ends, equal_nan=True)


@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_order_of_raters_and_items_and_names_of_groups_do_not_matter(seed: int, kind: Kind) -> None:
    rng = np.random.default_rng(seed)
    values, groups = drawn(seed, n=20, m=3), rng.integers(0, 8, 20)
    rows, columns = rng.permutation(20), rng.permutation(3)
    one = agreement(rated(values, kind, groups))
    two = agreement(rated(values[rows][:, columns], kind, 100 - groups[rows]))
    for a, b in zip(one, two, strict=True):
        assert np.allclose([a.value, a.low, a.high], [b.value, b.low, b.high], equal_nan=True)
        assert (a.n_items, a.n_groups) == (b.n_items, b.n_groups)


@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_intervals_hold_the_coefficient_and_stay_in_range(seed: int, kind: Kind) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 30))
    values = drawn(seed, n=n, m=int(rng.integers(2, 5)), missing=0.1)
    for row in agreement(rated(values, kind)):
        if not np.isnan(row.low):
            assert -1 <= row.low <= row.value <= row.high <= 1
        if row.measure == RAW and not np.isnan(row.low):
            assert row.low >= 0


def test_items_of_one_group_are_one_observation() -> None:
    """Every item three times, in groups of three: the same intervals as once each."""
    values = drawn(1, n=30)
    once = agreement(rated(values))
    thrice = agreement(rated(np.repeat(values, 3, axis=0), groups=np.repeat(np.arange(30), 3)))
    naive = agreement(rated(np.repeat(values, 3, axis=0)))
    for a, b, c in zip(once, thrice, naive, strict=True):
        if a.measure == ALPHA:  # its correction for small samples counts labels
            continue
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))
        assert c.high - c.low < 0.7 * (a.high - a.low)


def test_the_standard_error_is_the_textbook_one_for_a_mean() -> None:
    """On the scale of the mean itself: sqrt(p (1 - p) / (n - 1)), Student's t."""
    values = np.column_stack([np.zeros(60), np.r_[np.zeros(40), np.ones(20)]])
    sums = by_group(item_sums(rated(values)), np.arange(60))
    found = interval(sums, raw_agreement, level=0.9)
    error = np.sqrt(2 / 3 / 3 / 59) / (1 / 3)  # delta method: se / (1 - p)
    assert np.log((1 - found.low) / (1 / 3)) == pytest.approx(1.671 * error, rel=0.02)


def test_where_nobody_disagrees_the_lower_end_is_that_of_clopper_and_pearson() -> None:
    values = np.tile(np.repeat([1.0, -1.0], 10)[:, None], 3)
    by = {c.measure: c for c in agreement(rated(values, "comparative"), level=0.9)}
    assert by[RAW].value == by[ALPHA].value == 1
    unseen = 1 - 0.05 ** (1 / 20)
    assert by[RAW].low == pytest.approx(1 - unseen)
    assert by[FLEISS].low == pytest.approx(1 - 2 * unseen)  # chance agreement is 1/2
    assert by[ALPHA].low == pytest.approx(1 - 2 * unseen, abs=0.01)


def test_where_everybody_disagrees_the_upper_end_is_not_zero() -> None:
    """As narrow as nothing it would say that agreement is known exactly."""
    values = np.column_stack([np.zeros(20), np.repeat([1.0, -1.0], 10)])
    by = {c.measure: c for c in agreement(rated(values, "comparative"), level=0.9)}
    assert (by[RAW].value, by[RAW].low) == (0, 0)
    assert by[RAW].high == pytest.approx(1 - 0.05 ** (1 / 20))
    for measure in (COHEN, FLEISS, AC1, ALPHA):
        assert by[measure].low <= by[measure].value < by[measure].high < 1


def test_what_is_zero_by_zero_is_not_a_number() -> None:
    ratings = rated(np.ones((12, 3)), "nominal")
    by = {c.measure: c for c in agreement(ratings)}
    assert by[RAW].value == 1
    for measure in (FLEISS, AC1, ALPHA):
        assert np.isnan(by[measure].value)
    few = agreement(rated(drawn(n=4), "nominal"))
    assert all(np.isnan(row.low) for row in few), "four groups have no interval"


def test_items_of_one_label_count_for_shares_only() -> None:
    values = np.vstack([drawn(2, missing=0), np.full((5, 4), np.nan)])
    values[-5:, 0] = 1
    found = agreement(rated(values))
    assert found[0].n_items == 40
    assert find(found, RAW).value == pytest.approx(value(rated(values[:40]), RAW))
    assert find(found, ALPHA).value == pytest.approx(value(rated(values[:40]), ALPHA))
    assert find(found, FLEISS).value != pytest.approx(value(rated(values[:40]), FLEISS))


def test_pairs_and_majority() -> None:
    values = np.array([[1, 1, -1], [0, 0, 0], [1, -1, NA], [NA, NA, NA], [1, NA, NA]])
    ratings = rated(values, "comparative")
    assert np.array_equal(majority(ratings), [1, 0, NA, NA, 1], equal_nan=True)
    assert {row.raters for row in pairs(ratings)} == {
        ("rater 0", "rater 1"),
        ("rater 0", "rater 2"),
        ("rater 1", "rater 2"),
    }


def test_bad_ratings_are_refused() -> None:
    with pytest.raises(InputError, match="expected -1, 0 or 1"):
        rated(np.array([[2.0, 1.0]]), "comparative")
    with pytest.raises(InputError, match="twice"):
        Ratings(("a", "a"), np.zeros((1, 2)), np.zeros(1))
    with pytest.raises(InputError, match="groups of shape"):
        Ratings(("a", "b"), np.zeros((1, 2)), np.zeros(2))
    with pytest.raises(InputError, match="infinite"):
        rated(np.array([[np.inf, 1.0]]))
    with pytest.raises(UnknownNameError, match="kind of labels"):
        Ratings(("a",), np.zeros((1, 1)), np.zeros(1), "ordinary")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no item that two"):
        agreement(rated(np.array([[1.0, NA], [NA, 1.0]])))
    with pytest.raises(DataError, match="at most 100"):
        rated(np.arange(202.0).reshape(101, 2))
    with pytest.raises(UnknownNameError, match="rater"):
        rated(FOUR).of(["nobody"])


def test_nothing_warns_at_the_edges() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for values in ([[1.0, 1.0]] * 5, [[1.0, -1.0]] * 8, [[0.0, 0.0]] * 9, [[1.0, 0.0]]):
            for kind in KINDS:
                agreement(rated(np.array(values), kind))
