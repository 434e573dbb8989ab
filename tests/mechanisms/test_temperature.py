"""The temperature: against scikit-learn, under symmetries, and in simulated worlds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from palate.errors import DataError
from palate.mechanisms.temperature import Calibration, calibrate, log_losses, soft_verdicts


def world(
    n: int = 200, *, temperature: float = 2.0, per_group: int = 2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins, verdicts drawn at a temperature, and groups."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(0, 2, n)
    verdicts = np.where(rng.random(n) < expit(margins / temperature), 1.0, -1.0)
    return margins, verdicts, np.arange(n) // per_group


def fit(margins: np.ndarray, verdicts: np.ndarray, groups: np.ndarray) -> Calibration:
    return calibrate(margins, verdicts, groups, reference="people", seed=0)


def test_a_margin_becomes_the_verdict_of_its_probability() -> None:
    margins = np.array([-3.0, 0.0, 1.5, 800.0, np.nan])
    np.testing.assert_allclose(
        soft_verdicts(margins, 1.7), 2 * expit(margins / 1.7) - 1, atol=1e-15
    )


def test_the_temperature_is_that_of_a_logistic_regression() -> None:
    margins, verdicts, groups = world()
    found = fit(margins, verdicts, groups)
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=1000)
    theirs.fit(margins[:, None], verdicts)
    assert found.temperature == pytest.approx(1 / theirs.coef_[0, 0], rel=1e-6)
    assert found.high is not None
    assert found.low < found.temperature < found.high
    assert (found.pairs, found.groups) == (200, 100)
    loss = log_losses(margins, (1 + verdicts) / 2, 1.0)
    assert found.log_loss_at_one == pytest.approx(loss.mean())
    assert loss[0] == pytest.approx(-np.log(expit(verdicts[0] * margins[0])))
    assert found.log_loss < found.log_loss_at_one
    assert found.gain_low < found.log_loss_at_one - found.log_loss < found.gain_high


def test_soft_verdicts_of_a_reference_give_its_temperature_back() -> None:
    margins, _, groups = world()
    found = fit(margins, soft_verdicts(margins, 3.0), groups)
    assert found.temperature == pytest.approx(3.0, rel=1e-6)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), turned=st.booleans())
def test_units_and_sides_change_nothing_else(seed: int, scale: float, turned: bool) -> None:
    margins, verdicts, groups = world(80, seed=seed)
    sign = -1.0 if turned else 1.0
    one, other = (
        fit(margins, verdicts, groups),
        fit(sign * scale * margins, sign * verdicts, groups),
    )
    assert other.temperature == pytest.approx(scale * one.temperature, rel=1e-6)
    assert other.low == pytest.approx(scale * one.low, rel=1e-5)
    assert other.log_loss == pytest.approx(one.log_loss, rel=1e-5)


def test_what_is_missing_or_tied_is_left_out() -> None:
    margins, verdicts, groups = world()
    more = np.array([np.nan, 1.0, 1.0, 0.0]), np.array([1.0, np.nan, 0.0, 1.0]), np.arange(500, 504)
    found = fit(*(np.concatenate(x) for x in zip((margins, verdicts, groups), more, strict=True)))
    assert found == fit(margins, verdicts, groups)


def test_what_has_no_temperature_is_refused() -> None:
    margins, verdicts, groups = world()
    with pytest.raises(DataError, match="run against"):
        fit(-margins, verdicts, groups)
    with pytest.raises(DataError, match="tell every verdict"):
        fit(margins, np.sign(margins), groups)
    with pytest.raises(DataError, match="19 pairs of 10 prompts"):
        fit(margins[:19], verdicts[:19], groups[:19])
    with pytest.raises(DataError, match="200 pairs of 2 prompts"):
        fit(margins, verdicts, groups // 50)
    with pytest.raises(DataError, match="0 pairs of 0 prompts"):
        fit(margins, np.full(200, np.nan), groups)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "per_group"), [(60, 1), (200, 4)])
def test_intervals_hold_where_pairs_of_a_prompt_err_together(n: int, per_group: int) -> None:
    rng, runs, hits, gains = np.random.default_rng(1), 600, 0, 0
    groups = np.arange(n) // per_group
    for _ in range(runs):
        margins = rng.normal(0, 2, n)
        # one draw for all pairs of a prompt: verdicts are right one by one and move together
        luck = rng.random(groups.max() + 1)[groups]
        verdicts = np.where(luck < expit(margins / 2.0), 1.0, -1.0)
        found = fit(margins, verdicts, groups)
        hits += found.low <= 2.0 and (found.high is None or found.high >= 2.0)
        gains += found.gain_low > 0
    assert 0.93 <= hits / runs <= 0.985, hits / runs
    assert gains > 0
