"""The elastic net: its certificate, against an independent solver, and HMDR with a ridge term."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from palate.errors import ConvergenceError, InputError
from palate.models import elastic_net
from palate.models.elastic_net import elastic_certificate, solve_elastic_net
from palate.models.hmdr import HMDR
from palate.models.hmdr_cv import HMDRCV

from .problems import problem


def rows_of(seed: int, n: int = 60, p: int = 7) -> tuple[sp.csr_array, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((n, p)) < 0.6, rng.normal(0.3, 1, (n, p)), 0.0)
    return sp.csr_array(dense), rng.uniform(0.1, 1, n) / n, rng.uniform(0.002, 0.02, p)


def test_the_minimum_is_that_of_scikit_learn() -> None:
    rows, weights, _ = rows_of(0)
    lam = 0.01
    found = solve_elastic_net(
        rows, weights=weights, penalties=np.full(7, lam), ridge=np.full(7, lam), tol=1e-10
    )
    side = np.where(np.arange(60) % 2 == 0, 1.0, -1.0)
    # C (loss + ...) = sum + l1_ratio |w|_1 + (1 - l1_ratio) / 2 |w|^2
    other = LogisticRegression(
        C=1 / (2 * lam),
        l1_ratio=0.5,
        solver="saga",
        fit_intercept=False,
        tol=1e-10,
        max_iter=50_000,
    ).fit(rows.toarray() * side[:, None], side, sample_weight=weights)
    np.testing.assert_allclose(found.coef, other.coef_[0], atol=1e-5)


@given(seed=st.integers(0, 1000), bad=st.floats(-2, 2))
def test_the_gap_bounds_the_suboptimality_of_any_point(seed: int, bad: float) -> None:
    rows, weights, penalties = rows_of(seed)
    best = solve_elastic_net(rows, weights=weights, penalties=penalties, ridge=penalties, tol=1e-9)
    point = best.coef + bad * np.random.default_rng(seed).normal(size=best.coef.size)
    primal, gap = elastic_certificate(rows, weights, penalties, penalties, point)
    assert primal - best.objective <= gap + 1e-12
    assert best.objective <= primal + best.gap + 1e-12
    assert best.relative_gap <= 1e-9


def test_what_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic_net, "MAX_ITER", 3)
    rows, weights, penalties = rows_of(1)
    with pytest.raises(ConvergenceError, match="duality gap"):
        solve_elastic_net(rows, weights=weights, penalties=penalties, ridge=penalties, tol=1e-12)


def test_rows_of_nothing_but_zeros_give_zero() -> None:
    rows = sp.csr_array((4, 2))
    one = np.ones(2)
    found = solve_elastic_net(rows, weights=np.full(4, 0.25), penalties=one, ridge=one)
    assert not found.coef.any()


class TestHMDR:
    """HMDR with a ridge term."""

    def fitted(self, ridge: float, **more: float) -> HMDR:
        p = problem(0)
        model = HMDR(lambda_shared=0.02, lambda_domain=0.01, ridge=ridge, tol=1e-8, **more)
        return model.fit(
            p.X, p.y, p.domains, sample_weight=p.sample_weight, concept_domains=p.concept_domains
        )

    def test_without_it_nothing_changes(self) -> None:
        tiny = self.fitted(1e-5)
        np.testing.assert_allclose(tiny.shared_coef_, self.fitted(0.0).shared_coef_, atol=1e-3)

    def test_with_it_weights_are_smaller(self) -> None:
        plain, net = self.fitted(0.0), self.fitted(1.0)
        assert np.abs(net.shared_coef_).sum() < np.abs(plain.shared_coef_).sum()
        assert net.relative_gap_ <= 1e-8

    def test_the_order_of_presentation_does_not_matter(self) -> None:
        p = problem(0)
        q = p.swapped(np.arange(p.y.size) % 3 == 0)
        options = {"sample_weight": p.sample_weight, "concept_domains": p.concept_domains}
        one = HMDR(ridge=1.0).fit(p.X, p.y, p.domains, **options)
        two = HMDR(ridge=1.0).fit(q.X, q.y, q.domains, **options)
        np.testing.assert_array_equal(one.shared_coef_, two.shared_coef_)
        np.testing.assert_array_equal(one.domain_coef_, two.domain_coef_)

    def test_selection_works_with_it(self) -> None:
        p = problem(1, n=150)
        model = HMDRCV(ridge=1.0, n_folds=3).fit(
            p.X, p.y, p.domains, concept_domains=p.concept_domains
        )
        assert model.relative_gap_ <= 1e-4
        assert model.shared_coef_.any() or model.domain_coef_.any()

    @pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
    def test_a_bad_ratio_is_refused(self, bad: float) -> None:
        with pytest.raises(InputError, match="ridge"):
            self.fitted(bad)
