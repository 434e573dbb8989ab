"""The alternative annotator test: against a plain reading of the paper, and what it must refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from palate.errors import DataError, InputError, UnknownNameError
from palate.validate.alternative import (
    AlternativeTest,
    alternative_test,
    benjamini_yekutieli,
    p_value,
    score_variance,
)
from palate.validate.ratings import Array, Kind, Ratings


def people(n: int = 60, m: int = 3, *, seed: int = 0, right: float = 0.7) -> tuple[Ratings, Array]:
    """People who see the truth or guess, and what the truth is."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, 2, n).astype(float)
    values = np.where(rng.random((n, m)) < right, truth[:, None], rng.integers(-1, 2, (n, m)))
    return Ratings(tuple(f"p{j}" for j in range(m)), values, np.arange(n)), truth


def by_the_paper(
    values: Array, model: Array, align: str, epsilon: float, least: int
) -> tuple[float, float, list[float]]:
    """Winning rate, average advantage probability and p-values, one item at a time."""
    p, rho = [], []
    for j in range(values.shape[1]):
        f, h = [], []
        for i in range(len(values)):
            others = [v for k, v in enumerate(values[i]) if k != j and v == v]
            if values[i, j] != values[i, j] or model[i] != model[i] or not others:
                continue

            def score(label: float, others: list[float] = others) -> float:
                if align == "accuracy":
                    return sum(label == o for o in others) / len(others)
                return -((sum((label - o) ** 2 for o in others) / len(others)) ** 0.5)

            f.append(float(score(model[i]) >= score(values[i, j])))
            h.append(float(score(values[i, j]) >= score(model[i])))
        if len(f) < least:
            continue
        rho.append(sum(f) / len(f))
        difference = np.array(h) - np.array(f)
        p.append(float(stats.ttest_1samp(difference, epsilon, alternative="less").pvalue))
    adjusted = stats.false_discovery_control(p, method="by")
    return float(np.mean(adjusted <= 0.05)), float(np.mean(rho)), p


@pytest.mark.parametrize("kind", ["comparative", "ordinal"])
@pytest.mark.parametrize("seed", range(4))
def test_with_t_it_is_the_procedure_of_the_paper(kind: Kind, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ratings, truth = people(90, 4, seed=seed)
    values = np.where(rng.random(ratings.values.shape) < 0.2, np.nan, ratings.values)
    model = np.where(rng.random(90) < 0.85, truth, rng.integers(-1, 2, 90))
    model[:5] = np.nan
    found = alternative_test(
        Ratings(ratings.raters, values, ratings.groups, kind), model, epsilon=0.15, test="t"
    )
    align = "accuracy" if kind == "comparative" else "rmse"
    rate, advantage, p = by_the_paper(values, model, align, 0.15, 30)
    assert found.align == align
    assert found.winning_rate == pytest.approx(rate)
    assert found.advantage.value == pytest.approx(advantage)
    assert [r.p_value for r in found.rivals] == pytest.approx(p)


def test_a_model_that_knows_the_truth_passes_and_one_that_guesses_does_not() -> None:
    ratings, truth = people()
    good = alternative_test(ratings, truth, epsilon=0.1)
    bad = alternative_test(ratings, np.random.default_rng(1).permutation(truth), epsilon=0.1)
    assert good.passes is True
    assert good.winning_rate == 1
    assert bad.passes is False
    assert good.advantage.value > 0.85 > bad.advantage.value
    assert 0 <= good.advantage.low <= good.advantage.value <= good.advantage.high <= 1


def test_a_larger_epsilon_never_makes_it_harder() -> None:
    ratings, truth = people(seed=3)
    model = ratings.values[:, 0].copy()
    model[::7] = -truth[::7]
    for test in ("score", "t"):
        p = [
            [r.p_value for r in alternative_test(ratings, model, epsilon=e, test=test).rivals]
            for e in (0.0, 0.05, 0.1, 0.2, 0.4)
        ]
        assert (np.diff(np.array(p), axis=0) <= 1e-12).all()


@given(st.integers(0, 500))
def test_swapping_the_responses_of_pairs_changes_nothing(seed: int) -> None:
    ratings, truth = people(30, seed=seed)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], 30)
    swapped = Ratings(ratings.raters, ratings.values * signs[:, None], ratings.groups)
    assert alternative_test(ratings, truth) == alternative_test(swapped, truth * signs)


def test_items_of_one_group_are_one_observation() -> None:
    """Every item four times: the score test says what it says of one group each, t alike."""
    ratings, truth = people(40, seed=5)
    model = np.where(np.arange(40) % 3 == 0, ratings.values[:, 1], truth)

    def repeated(groups: Array) -> AlternativeTest:
        more = Ratings(ratings.raters, np.repeat(ratings.values, 4, axis=0), groups)
        return alternative_test(more, np.repeat(model, 4), test="t")

    once = alternative_test(ratings, model, test="t")
    kept = repeated(np.repeat(np.arange(40), 4))
    apart = repeated(np.arange(160))
    for a, b, c in zip(once.rivals, kept.rivals, apart.rivals, strict=True):
        assert a.p_value == pytest.approx(b.p_value)
        assert c.p_value < a.p_value
    assert once.advantage == pytest.approx(kept.advantage)


def test_the_variance_under_the_hypothesis_is_that_of_tango() -> None:
    """It solves his quadratic equation, and with epsilon 0 it is McNemar's."""
    assert score_variance(7, 3, 40, 0.0) == pytest.approx((7 + 3) / 40**2)
    lost, won, n, e = 7, 3, 40, 0.1
    q = (score_variance(lost, won, n, e) * n - e * (1 - e)) / 2

    def log_likelihood(x: float) -> float:
        return lost * np.log(x + e) + won * np.log(x) + (n - lost - won) * np.log(1 - 2 * x - e)

    grid = np.linspace(1e-4, 0.44, 200_000)
    assert grid[np.argmax(log_likelihood(grid))] == pytest.approx(q, abs=1e-5)  # type: ignore[arg-type]


def test_benjamini_yekutieli_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.random(6) ** 3
        expected = stats.false_discovery_control(p, method="by") <= 0.05
        assert np.array_equal(benjamini_yekutieli(p, q=0.05), expected)
    assert not benjamini_yekutieli(np.array([np.nan]), q=0.05).any()


def test_people_with_few_items_are_not_tested() -> None:
    ratings, truth = people(40)
    values = ratings.values.copy()
    values[20:, 2] = np.nan
    found = alternative_test(Ratings(ratings.raters, values, ratings.groups), truth)
    assert [np.isnan(r.p_value) for r in found.rivals] == [False, False, True]
    assert found.n_tested == 2
    none = alternative_test(ratings, truth, least_items=41)
    assert none.passes is None
    assert np.isnan(none.advantage.value)


def test_items_on_which_nothing_differs() -> None:
    """No item lost or won: what the exact binomial test would say of n items without a loss."""
    nothing = np.zeros(50)
    assert p_value(nothing, np.arange(50), 0.1) == pytest.approx(0.011, abs=0.005)
    assert p_value(nothing, np.repeat(np.arange(10), 5), 0.1) > 0.1, "ten observations, not fifty"
    assert p_value(nothing, np.arange(50), 0.0) == 0.5
    assert np.isnan(p_value(nothing, np.zeros(50), 0.1)), "one group has no spread"


def test_bad_input_is_refused() -> None:
    ratings, truth = people()
    with pytest.raises(DataError, match="at least 2"):
        alternative_test(ratings.of(["p0"]), truth)
    with pytest.raises(InputError, match="epsilon"):
        alternative_test(ratings, truth, epsilon=1.0)
    with pytest.raises(InputError, match="shape"):
        alternative_test(ratings, truth[:-1])
    with pytest.raises(UnknownNameError, match="wilcoxon"):
        alternative_test(ratings, truth, test="wilcoxon")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="alignment"):
        alternative_test(ratings, truth, align="f1")  # type: ignore[arg-type]
