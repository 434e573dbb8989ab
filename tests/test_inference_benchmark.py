"""The benchmark of inference: worlds have the truth they claim, rivals are what they are named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from benchmarks.inference import METHODS, replicate_of, run, score, worlds
from benchmarks.inference_marginal import feedback_forensics, hypothesaes, t_test
from benchmarks.inference_regression import logistic
from benchmarks.inference_results import Band, Result, Support
from benchmarks.inference_rivals import desparsified, many_splits, oracle
from benchmarks.inference_tables import tables
from benchmarks.inference_worlds import DATA, Data, World, draw, estimands, population_of

RATES = (0.1, 0.05)
CALL = {"level": 0.9, "rates": RATES, "seed": 0}
PLANTED = World.of("ternary-30-2800-planted-repeated")


def log_odds(data: Data) -> np.ndarray:
    effects = data.effects[0] + data.effects[1:]
    return np.einsum("ij,ij->i", data.X, effects[data.codes])


def test_a_replicate_is_the_same_whenever_it_is_drawn() -> None:
    one, again, other = (draw(PLANTED, r) for r in (3, 3, 4))
    assert (one.X == again.X).all()
    assert (one.y == again.y).all()
    assert (one.X != other.X).any()


@pytest.mark.parametrize("prompts", ["single", "repeated"])
def test_verdicts_have_the_probability_that_the_truth_gives(prompts: str) -> None:
    # standardised residuals have mean 0 and variance 1, in each fifth of the log-odds
    world = PLANTED._replace(prompts=prompts)
    z, y = (
        np.concatenate(k) for k in zip(*((log_odds(d), d.y) for d in draws(world)), strict=True)
    )
    p = expit(z)
    rank = np.argsort(np.argsort(z)) * 5 // z.size
    for fifth in range(5):
        some = rank == fifth
        expected, variance = p[some].sum(), (p * (1 - p))[some].sum()
        within = 6 if prompts == "repeated" else 1  # verdicts of a prompt hang together
        assert abs((y[some] > 0).sum() - expected) < 4 * math.sqrt(within * variance)


def draws(world: World) -> list[Data]:
    return [draw(world, r) for r in range(10)]


def test_verdicts_and_values_of_a_prompt_hang_together() -> None:
    data = draw(PLANTED._replace(effects="null"), 0)
    assert 10 < np.bincount(data.groups).max() <= 20
    first = np.unique(data.groups, return_index=True)[1][data.groups]
    other = np.flatnonzero(first != np.arange(data.y.size))
    equal = (data.X[other] == data.X[first[other]]).all(axis=1)
    opposite = (data.X[other] == -data.X[first[other]]).all(axis=1)  # sides exchanged at random
    assert 0.4 < (equal | opposite).mean() < 0.6
    product = np.where(equal, 1, -1) * data.y[other] * data.y[first[other]]
    # signs of normals with correlation r have correlation 2 / pi asin(r)
    expected = 2 / math.pi * math.asin(0.8)
    assert product[equal ^ opposite].mean() == pytest.approx(expected, abs=0.1)
    alone = draw(PLANTED._replace(prompts="single"), 0)
    assert (np.bincount(alone.groups) == 1).all()


def test_planted_effects_are_as_announced() -> None:
    data = draw(PLANTED, 0)
    b, s = data.effects[0], data.effects[1:]
    size = np.abs(b * np.sqrt((data.X**2).mean(axis=0)))[b != 0]
    assert (b != 0).sum() == 5
    assert (size >= 0.3).all()
    assert (size <= 1.2).all()
    assert (s != 0).sum() == 6
    assert ((s != 0).any(axis=0) & (b == 0)).sum() == 3
    assert ((s != 0) & (np.sign(b + s) == -np.sign(b)) & (b != 0)).sum() >= 1


def test_estimands_of_a_small_case_by_hand() -> None:
    effects = np.array([[1.0, 0.0, 9.0], [0.5, 0.0, 2.0], [0.0, 0.0, -1.0], [0.0, 3.0, 9.0]])
    exists = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]], dtype=bool)
    shared, deviation, total = estimands(effects, exists)
    nan = np.nan
    np.testing.assert_array_equal(shared, [1, 0, nan])
    np.testing.assert_array_equal(total, [[1.5, 0, 2], [1, 0, -1], [1, 3, nan]])
    np.testing.assert_array_equal(deviation, [[0.5, -1.5, 3], [-0.25, -1.5, -3], [-0.25, 3, nan]])


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside this checkout")
@pytest.mark.parametrize(("design", "n_domains"), [("judges", 13), ("pandalm", 8)])
@pytest.mark.slow
def test_real_rows_are_rows_of_the_real_matrix(design: str, n_domains: int) -> None:
    data = draw(World.of(f"{design}-300-400-null-single"), 0)
    assert data.exists.shape[0] == n_domains + 1
    assert 250 < data.X.shape[1] <= 300
    # columns that are 0 throughout a draw are left out, so rows are compared by what is not 0
    real = population_of(design).values
    known = {values_in(row) for row in np.vstack([real, -real])}
    small = draw(World(design, real.shape[1], 300, "null", "single"), 0)
    assert all(values_in(row) in known for row in small.X)


def values_in(row: np.ndarray) -> tuple[float, ...]:
    return tuple(sorted(row[row != 0].tolist()))


def test_specific_concepts_keep_their_domains() -> None:
    data = draw(World.of("demo-28-400-planted-repeated"), 0)
    absent = ~(data.exists[0] | data.exists[1 + data.codes])
    assert absent.any()
    assert (data.X[absent] == 0).all()
    assert (data.effects[~data.exists] == 0).all()


def test_strength_is_kappa_times_relevance_with_a_one_sided_binomial_test() -> None:
    # by hand: 7 agree, 2 disagree, 3 ties: kappa 2 (7/9 - 1/2), relevance 9/12; p from binomtest
    X = np.array([1, 1, 1, 1, 1, -1, -1, 1, -1, 0, 0, 0], dtype=float)[:, None]
    y = np.array([1, 1, 1, 1, 1, -1, -1, -1, 1, 1, 1, -1], dtype=float)
    found = marginal(feedback_forensics, X, y)["Feedback Forensics, p < .05"]
    assert found.shared.value[0] == pytest.approx(2 * (7 / 9 - 0.5) * 9 / 12)
    assert found.shared.p[0] == pytest.approx(stats.binomtest(7, 9, alternative="greater").pvalue)
    assert found.shared.low[0] < found.shared.value[0] < found.shared.high[0]


def test_separation_rejects_every_true_null_as_its_definition_says() -> None:
    random = np.random.default_rng(0)
    X = random.choice([-1.0, 0.0, 1.0], size=(400, 20))
    y = random.choice([-1.0, 1.0], size=400)
    results = marginal(hypothesaes, X, y)
    assert results["HypotheSAEs separation, p < .05"].support[0.1].everywhere.all()
    won, votes = (1 + y) / 2, X[:, 0]
    values = np.concatenate([won[votes == 1], -won[votes == -1]])
    expected = stats.ttest_ind(values, won[votes == 0]).pvalue
    p = results["HypotheSAEs separation, p < .05"].shared.p[0]
    assert p == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_t_test_is_that_of_scipy() -> None:
    random = np.random.default_rng(1)
    X, y = random.standard_normal((60, 3)), random.choice([-1.0, 1.0], size=60)
    expected = stats.ttest_ind(X[y > 0], X[y < 0], equal_var=False)
    band = marginal(t_test, X, y)["t-test, BH"].shared
    np.testing.assert_allclose(band.p, expected.pvalue)
    low, high = expected.confidence_interval(0.9)
    np.testing.assert_allclose([band.low, band.high], [low, high])


def marginal(
    method: Callable[..., dict[str, Result]], X: np.ndarray, y: np.ndarray
) -> dict[str, Result]:
    zeros = np.zeros(y.size, dtype=np.int64)
    exists = np.ones((2, X.shape[1]), dtype=bool)
    return method(X, y, zeros, np.arange(y.size), exists=exists, **CALL)


def test_logistic_regression_of_one_ternary_concept_is_a_log_ratio() -> None:
    # 30 agreeing and 10 disagreeing votes: weight log 3, variance 1 / (40 p q)
    x = np.r_[np.ones(40), np.zeros(20)][:, None]
    y = np.r_[np.ones(30), -np.ones(10), np.ones(20)]
    fit = logistic(x, y, ridge=1e-9)
    one = np.eye(1)
    assert fit.beta[0] == pytest.approx(math.log(3), abs=1e-6)
    wald = fit.wald(one, 0.9)
    half = stats.norm.ppf(0.95) / math.sqrt(40 * 0.75 * 0.25)
    assert wald.high[0] - wald.value[0] == pytest.approx(half, rel=1e-6)
    # pairs copied five times: the clustered variance is that of the originals, the other is not
    copied = logistic(np.repeat(x, 5, axis=0), np.repeat(y, 5), ridge=1e-9)
    alone = fit.clustered(one, np.arange(60), 0.9)
    together = copied.clustered(one, np.repeat(np.arange(60), 5), 0.9)
    assert together.high[0] - together.low[0] == pytest.approx(alone.high - alone.low, rel=1e-3)
    assert copied.wald(one, 0.9).high[0] - math.log(3) == pytest.approx(half / 5**0.5, rel=1e-5)


def test_desparsified_lasso_of_uncorrelated_columns_is_close_to_the_regression() -> None:
    random = np.random.default_rng(2)
    X = random.choice([-1.0, 1.0], size=(4000, 5))
    y = np.where(random.random(4000) < expit(0.5 * X[:, 0]), 1.0, -1.0)
    value, variance, _ = desparsified(X, y, np.arange(4000), seed=0)
    fit = logistic(X, y)
    np.testing.assert_allclose(value, fit.beta, atol=0.02)
    np.testing.assert_allclose(np.sqrt(variance), np.sqrt(np.diag(fit.inverse)), rtol=0.1)


def test_the_oracle_finds_strong_effects_and_the_rest_never() -> None:
    data = draw(World.of("score-30-2800-planted-single"), 0)
    call = {"exists": data.exists, **CALL, "support": data.effects != 0}
    found = oracle(data.X, data.y, data.codes, data.groups, **call)["oracle"].support[0.1]
    np.testing.assert_array_equal(found.everywhere, data.effects[0] != 0)
    assert not found.differs[data.effects[1:] == 0].any()


def test_many_splits_finds_a_strong_effect_and_nothing_in_noise() -> None:
    random = np.random.default_rng(4)
    X = random.choice([-1.0, 0.0, 1.0], size=(600, 10))
    codes, exists = np.arange(600) % 2, np.ones((3, 10), dtype=bool)
    for weight in (1.5, 0.0):
        y = np.where(random.random(600) < expit(weight * X[:, 0]), 1.0, -1.0)
        found = many_splits(X, y, codes, np.arange(600), exists=exists, **CALL)["many splits"]
        expected = np.arange(10) == (0 if weight else -1)
        np.testing.assert_array_equal(found.support[0.1].everywhere, expected)


def test_statements_are_counted_by_their_truth_and_sign() -> None:
    effects = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    codes = np.array([0, 1])
    data = Data(np.ones((2, 3)), np.ones(2), codes, codes, np.ones((3, 3), dtype=bool), effects)
    shared = Band(np.array([-1.0, 1.0, 1.0]), np.full(3, -2.0), np.full(3, 0.5), np.ones(3))
    value = np.array([[1.0, 2.0, 0.0], [1.0, -2.0, 1.0]])
    cells = Band(value, value - 1.5, value + 0.5, value)
    said = Support(np.ones(3, dtype=bool), value != 0, np.abs(value) == 2)
    out = score(data, Result(shared, cells, cells, {0.1: said}))
    assert out["0.1"] == {
        "shared": [0, 3],  # a wrong sign, an effect of one domain, nothing
        "domain": [3 + 2, 5 + 2],  # in domain: false are (1, 1) and (1, 2)
        "found": [0, 1],
        "local as everywhere": 1,
        "by others alone": 1,
    }
    assert out["coverage"]["shared1"] == [0, 1, 2.5]
    assert out["coverage"]["shared0"] == [1, 1, 2.5]  # the effect of one domain is no zero
    assert out["coverage"]["deviation1"] == [1, 1, 2.0]


def test_runs_are_continued_and_printed(tmp_path: Path) -> None:
    out = tmp_path / "runs.jsonl"
    chosen = [World.of(f"ternary-10-100-{e}-single") for e in ("null", "planted")]
    for methods in (("t-test",), ("t-test", "refit")):
        run(out, chosen, methods, replicates=2, jobs=1)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2 * 2 * 3  # the t-test has two rows
    text = tables([out], ["*"], ["t-test*"])
    assert "ternary-10-100-null-single | t-test, p < .05 | 2 |" in text
    assert "refit" not in text


def test_every_method_answers_in_the_common_form() -> None:
    world = World.of("demo-28-400-null-repeated")
    for line in map(json.loads, replicate_of(world, 0, tuple(METHODS))):
        assert line["concepts"] == 28
        assert line["there"] == [0, 0]
    assert len({w.name for w in worlds()}) == len(worlds())
    assert all(World.of(w.name) == w for w in worlds())
    with pytest.raises(ValueError, match="unknown"):
        World.of("judges-30-400-nil-single")
