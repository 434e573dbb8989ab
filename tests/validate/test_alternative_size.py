"""How often the test of one person rejects when it must not, and when it should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from palate.validate.alternative import alternative_test, p_value, score_variance
from palate.validate.ratings import Array, Ratings


def sizes(n: int, epsilon: float) -> tuple[Array, Array]:
    """Exact shares of samples that t and score reject at 5 %, on the border of the hypothesis.

    The probability that only the model is as good runs from 0 to .4; that of the person is larger
    by epsilon.
    """
    lost, won = (x.ravel() for x in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    kept = lost + won <= n
    lost, won = lost[kept], won[kept]
    mean = (lost - won) / n
    spread = np.sqrt(np.maximum((lost + won) / n - mean**2, 0) / (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread > 0, (mean - epsilon) / spread, np.sign(mean - epsilon) * np.inf)
    variance = np.array(
        [score_variance(int(b), int(c), n, epsilon) for b, c in zip(lost, won, strict=True)]
    )
    score = (mean - epsilon) / np.sqrt(variance)
    out = []
    for q in (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4):
        if 2 * q + epsilon < 0.999:
            p = stats.multinomial.pmf(
                np.column_stack([lost, won, n - lost - won]),
                n,
                [q + epsilon, q, 1 - 2 * q - epsilon],
            )
            limit = stats.t.ppf(0.05, n - 1)
            out.append([p[t <= limit].sum(), p[score <= limit].sum()])
    both = np.array(out)
    return both[:, 0], both[:, 1]


@pytest.mark.parametrize(("n", "epsilon"), [(30, 0.1), (50, 0.15), (50, 0.2)])
def test_the_score_test_keeps_its_level_where_t_does_not(n: int, epsilon: float) -> None:
    t, score = sizes(n, epsilon)
    assert score.max() <= 0.06
    assert score[1:].min() >= 0.03, "and is no test that never rejects"
    assert t.max() >= 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("n", "epsilon"), [(100, 0.1), (100, 0.2)])
def test_the_same_for_a_hundred_items(n: int, epsilon: float) -> None:
    t, score = sizes(n, epsilon)
    assert score.max() <= 0.06
    assert t.max() >= 0.075


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize(("q", "epsilon"), [(0.0, 0.1), (0.05, 0.1), (0.2, 0.2)])
def test_prompts_with_several_items_keep_the_level(size: int, q: float, epsilon: float) -> None:
    """Half of the outcomes of a prompt are shared: 5.9 % at most, 12 % where each item counts."""
    rng, n = np.random.default_rng(size), 600
    groups = np.repeat(np.arange(100 // size), size)
    chances = [q + epsilon, q, 1 - 2 * q - epsilon]
    rejected = 0
    for _ in range(n):
        own = rng.choice([1.0, -1.0, 0.0], groups.size, p=chances)
        shared = rng.choice([1.0, -1.0, 0.0], groups[-1] + 1, p=chances)[groups]
        difference = np.where(rng.random(groups.size) < 0.5, shared, own)
        rejected += p_value(difference, groups, epsilon) <= 0.05
    assert rejected / n <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n)


def crowd(rng: np.random.Generator, n: int, worse: float) -> tuple[Ratings, Array]:
    """Three people who are right with .75, and a model that is right with .75 less `worse`."""
    truth = rng.integers(-1, 2, n)

    def label(right: float) -> Array:
        return np.where(rng.random(n) < right, truth, rng.integers(-1, 2, n)).astype(float)

    values = np.column_stack([label(0.75) for _ in range(3)])
    return Ratings(("a", "b", "c"), values, np.arange(n)), label(0.75 - worse)


@pytest.mark.slow
def test_a_model_as_good_as_a_person_passes_as_often_as_theory_says() -> None:
    """Exchangeable with people, so rho_h = rho_f; power of each test is that of the normal law."""
    rng, n, runs, epsilon = np.random.default_rng(8), 100, 300, 0.2
    large, model = crowd(rng, 100_000, 0.0)
    rivals = alternative_test(large, model).rivals
    assert abs(rivals[0].advantage - rivals[0].person_advantage) < 0.01
    level, spread = 0.05, []
    rejected = passed = 0
    for _ in range(runs):
        people, model = crowd(rng, n, 0.0)
        found = alternative_test(people, model, epsilon=epsilon)
        p = np.array([r.p_value for r in found.rivals])
        rejected += int((p <= level).sum())
        passed += bool(found.passes)
        spread += [abs(r.advantage - 1) + abs(r.person_advantage - 1) for r in found.rivals]
    deviation = np.sqrt(np.mean(spread))  # d is -1, 0 or 1, with mean 0: its variance
    power = stats.norm.cdf((epsilon * np.sqrt(n)) / deviation - stats.norm.ppf(1 - level))
    assert rejected / (3 * runs) == pytest.approx(power, abs=0.05)
    assert passed / runs > 0.5


@pytest.mark.slow
def test_a_model_that_is_worse_by_epsilon_seldom_passes() -> None:
    """Worse by just epsilon to every person: at most q of the runs pass, here far fewer."""
    rng, runs = np.random.default_rng(9), 300
    large, model = crowd(rng, 100_000, 0.3)
    rivals = alternative_test(large, model).rivals
    epsilon = float(np.mean([r.person_advantage - r.advantage for r in rivals]))
    assert 0.1 < epsilon < 0.3
    passed = beaten = 0
    for _ in range(runs):
        people, model = crowd(rng, 80, 0.3)
        found = alternative_test(people, model, epsilon=epsilon)
        passed += bool(found.passes)
        beaten += any(r.beaten for r in found.rivals)
    assert beaten / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert passed <= beaten
