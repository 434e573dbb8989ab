"""Corrections for many concepts on few prompts; usual designs are as they were without them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from palate.inference import effects as effects_module
from palate.inference.crowded import Curve, crowding, domain_steps, rivals, shared_steps
from palate.inference.effects import Effects, infer
from palate.inference.hierarchy import Array, Block, Integers, Mask, Posterior


def design(
    seed: int, n_pairs: int, n_concepts: int, *, per_prompt: int, n_domains: int
) -> tuple[Array, Array, Integers, Integers, Mask]:
    """Return values, verdicts, domains, prompts and structure: three effects, the rest nothing."""
    random = np.random.default_rng(seed)
    X = random.choice([-1.0, 0.0, 1.0], size=(n_pairs, n_concepts))
    codes = random.integers(0, n_domains, n_pairs)
    b = np.zeros(n_concepts)
    b[:3] = 0.9, -0.6, 0.4
    z = X @ b
    y = np.where(random.random(n_pairs) < 1.0 / (1.0 + np.exp(-z)), 1.0, -1.0)
    groups = np.arange(n_pairs) // per_prompt
    return X, y, codes, groups, np.ones((n_domains + 1, n_concepts), dtype=bool)


def fitted(seed: int, n_pairs: int, n_concepts: int, *, per_prompt: int, n_domains: int) -> Effects:
    """Return the effects found in a design."""
    X, y, codes, groups, exists = design(
        seed, n_pairs, n_concepts, per_prompt=per_prompt, n_domains=n_domains
    )
    return infer(X, y, codes, groups, exists=exists)


def test_nothing_is_corrected_up_to_sixty_concepts_or_where_prompts_are_many() -> None:
    assert all(crowding(c, 100) == 0.0 for c in range(61))
    assert crowding(300, 6_000) == 0.0
    assert crowding(300, 2_800) == crowding(120, 400) == 1.0
    grid = [crowding(c, 500) for c in range(50, 140)]
    assert np.all(np.diff(grid) >= 0)
    assert np.diff(grid).max() < 0.03


# value and se of the first three shared effects, of the totals in the first domain, and the lower
# ends of the deviations there, as they were before these corrections existed
BEFORE = {
    (0, 400, 30, 1, 4): [
        [0.761171629, -0.882820107, 0.503148574],
        [0.1913916, 0.14989547, 0.162498309],
        [1.27458127, -0.863763056, 0.229391281],
        [0.303950378, 0.290165001, 0.26296302],
        [0.0748399631, -0.534949364, -0.896997387],
    ],
    (1, 700, 60, 3, 5): [
        [0.898214917, -0.521485407, 0.452644165],
        [0.14884342, 0.102826799, 0.119820932],
        [1.36394712, -0.249992534, 0.751895585],
        [0.238088905, 0.228633332, 0.228847572],
        [0.134924968, -0.087465637, -0.052156491],
    ],
}


@pytest.mark.parametrize("case", list(BEFORE))
def test_usual_designs_are_what_they_were(
    case: tuple[int, int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a usual design was corrected")

    for name in ("rivals", "Curve", "shared_steps", "domain_steps"):
        monkeypatch.setattr(effects_module, name, refuse)
    seed, n_pairs, n_concepts, per_prompt, n_domains = case
    found = fitted(seed, n_pairs, n_concepts, per_prompt=per_prompt, n_domains=n_domains)
    now = [
        found.shared.value[:3],
        found.shared.se[:3],
        found.total.value[0, :3],
        found.total.se[0, :3],
        found.deviation.low[0, :3],
    ]
    np.testing.assert_allclose(now, BEFORE[case], rtol=1e-6)


def test_two_concepts_between_which_the_verdicts_cannot_tell_are_rivals() -> None:
    a, r, score = 40.0, 0.9, 30.0  # information about each, correlation, what the verdicts say
    wide, narrow = 0.5, 0.01  # prior variances: the first has got the effect
    A = a * np.array([[1.0, r, 0.0], [r, 1.0, 0.0], [0.0, 0.0, 1.0]])
    variance = np.array([wide, narrow, narrow])
    G = np.asarray(np.linalg.inv(A + np.diag(1.0 / variance)), dtype=np.float64)
    empty = np.zeros(0)
    posterior = Posterior(
        shared=np.arange(3),
        blocks=(),
        Gbb=G,
        mean=G @ np.array([score, score, 1.0]),
        variance=variance,
        residual=empty,
        weight=empty,
        log_odds=empty,
        scales=(0.1, 0.0),
        correlation=0.0,
        n_iterations=1,
    )
    # by hand: the second is random when the first is estimated, and each alone would explain all
    information = a - (r * a) ** 2 / (a + 1.0 / narrow)
    leak = r * a / narrow / (a + 1.0 / narrow) / information
    alone = (score / a) ** 2 - 1.0 / a
    beside = max((score / a / (1.0 + r)) ** 2 - 1.0 / (a * (1.0 - r**2)), 0.0)
    found = rivals(posterior)
    assert found[0] == pytest.approx(leak**2 * (alone - beside) / 2.0)
    assert np.sqrt(found[0]) > 0.4 * leak * score / a  # of the size of the bias that is feared
    assert found[2] == 0.0


def test_a_rival_widens_the_interval_and_strangers_hardly_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y, codes, groups, exists = design(6, 250, 150, per_prompt=1, n_domains=3)
    kept = np.random.default_rng(106).random(y.size) < 0.75
    X[:, 149] = np.where(kept, X[:, 0], 0.0)  # correlation .87 with the strongest concept
    found = infer(X, y, codes, groups, exists=exists)
    monkeypatch.setattr(effects_module, "rivals", lambda p: np.zeros(p.shared.size))
    alone = infer(X, y, codes, groups, exists=exists)
    wider = found.shared.se / alone.shared.se
    assert wider[0] > 1.3
    assert np.median(wider) < 1.01
    assert found.shared.p_value[0] > alone.shared.p_value[0]


def test_exchanging_responses_and_units_change_nothing_where_concepts_are_many() -> None:
    X, y, codes, groups, exists = design(4, 300, 130, per_prompt=2, n_domains=3)
    one = infer(X, y, codes, groups, exists=exists)
    side = np.random.default_rng(5).choice([-1.0, 1.0], y.size)
    two = infer(X * side[:, None], y * side, codes, groups, exists=exists)
    scale = np.exp(np.random.default_rng(6).normal(size=130))
    three = infer(X * scale, y, codes, groups, exists=exists)
    for kind in ("shared", "total", "deviation"):
        a, b, c = (getattr(found, kind) for found in (one, two, three))
        np.testing.assert_array_equal(a.low, b.low)
        np.testing.assert_array_equal(a.p_value, b.p_value)
        np.testing.assert_allclose(c.low * scale, a.low, rtol=1e-5)
        np.testing.assert_allclose(c.p_value, a.p_value, rtol=1e-5)
        assert np.isfinite(a.low).all()
        assert (a.low < a.high).all()


def shrunk(X: Array, t: Array, *, deviations: bool) -> tuple[Posterior, Curve]:
    """Return a posterior of one domain whose prior hides a single effect almost wholly."""
    n, hidden = t.size, np.array([1e-6])
    S = 0 if deviations else 1
    G = 1.0 / (0.25 * (X**2).sum() + 1.0 / hidden[0])
    mean = np.array([G * (X[:, 0] @ (t - 0.5))])
    empty = np.zeros((n, 0))
    block = Block(
        rows=np.arange(n),
        own=np.arange(1 - S),
        common=empty if deviations else X,
        values=X if deviations else empty,
        K=np.zeros((S, 1 - S)),
        Gbs=np.zeros((S, 1 - S)),
        Gss=np.full((1 - S, 1 - S), G),
        mean=mean[S:],
        variance=hidden[S:],
    )
    posterior = Posterior(
        shared=np.arange(S),
        blocks=(block,),
        Gbb=np.full((S, S), G),
        mean=mean[:S],
        variance=hidden[:S],
        residual=t - 0.5,
        weight=np.full(n, 0.25),
        log_odds=X @ mean,
        scales=(0.0, 0.0),
        correlation=0.0,
        n_iterations=1,
    )
    leaning, own = block.common @ posterior.Gbb, block.values @ block.Gss
    return posterior, Curve.of(posterior, block, leaning, own)


@pytest.mark.parametrize("deviations", [False, True])
def test_further_steps_end_at_the_estimate_of_logistic_regression(deviations: bool) -> None:
    random = np.random.default_rng(7)
    X = random.choice([-1.0, 1.0], size=(3_000, 1)) * random.uniform(0.2, 1.5, size=(3_000, 1))
    t = (random.random(3_000) < 1.0 / (1.0 + np.exp(-1.3 * X[:, 0]))).astype(float)
    posterior, curve = shrunk(X, t, deviations=deviations)
    first = X[:, 0] @ (t - 0.5) / (0.25 * (X**2).sum())
    steps = domain_steps(posterior, curve)[0] if deviations else shared_steps(posterior, [curve])
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(X, t)
    truth = float(model.coef_[0, 0])
    assert abs(first - truth) > 0.2  # a single step falls short
    assert first + steps.shift[0] == pytest.approx(truth, abs=0.02)
    p = model.predict_proba(X)[:, 1]
    se = (X[:, 0] ** 2 * p * (1 - p)).sum() ** -0.5
    assert steps.stretch[0] == pytest.approx(se / (0.25 * (X**2).sum()) ** -0.5, rel=0.05)
