"""The block Hessian of ridge regressions against the dense one that numpy inverts."""

from __future__ import annotations

import numpy as np
import pytest

from palate.models.ridge import ridge_logistic
from palate.models.ridge_blocks import Blocks

N, D = 120, 3


def world(shared: int, own: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of shared concepts and of some that belong to one domain each, codes, verdicts."""
    random = np.random.default_rng(shared * 10 + own)
    codes = random.integers(0, D, N)
    X = random.normal(size=(N, shared + D * own))
    for d in range(D):
        X[codes != d, shared + d * own : shared + (d + 1) * own] = 0.0
    z = X @ random.normal(size=X.shape[1])
    return X, codes, np.where(random.random(N) < 1 / (1 + np.exp(-z)), 1.0, -1.0)


@pytest.mark.parametrize(("shared", "own"), [(5, 4), (5, 0), (0, 4)])
def test_systems_and_leverages_are_those_of_the_dense_hessian(shared: int, own: int) -> None:
    X, codes, _ = world(shared, own)
    v = np.random.default_rng(1).uniform(0.05, 0.25, N)
    inverse = np.linalg.inv((X * v[:, None]).T @ X + np.eye(X.shape[1]) / 0.7)
    gradient = np.random.default_rng(2).normal(size=X.shape[1])
    factored = Blocks.of(X, codes).factor(v, 0.7)
    np.testing.assert_allclose(factored.solve(gradient), inverse @ gradient, atol=1e-12)
    F, G = factored.features()
    same = codes[:, None] == codes
    np.testing.assert_allclose(F @ F.T + same * (G @ G.T), X @ inverse @ X.T, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 40])
def test_domains_change_the_time_and_not_the_coefficients(size: int) -> None:
    X, codes, y = world(6, 5)
    groups = np.random.default_rng(3).permutation(N) // size
    with_blocks = ridge_logistic(X, y, np.ones(N), Cs=(0.03, 0.3, 3.0), groups=groups, codes=codes)
    dense = ridge_logistic(X, y, np.ones(N), Cs=(0.03, 0.3, 3.0), groups=groups)
    np.testing.assert_allclose(with_blocks[0], dense[0], atol=1e-12)
    assert with_blocks[1] == dense[1]


def test_concepts_that_never_vary_have_coefficient_zero() -> None:
    X, codes, y = world(4, 3)
    wider = np.insert(X, 2, 0.0, axis=1)
    coef, C = ridge_logistic(wider, y, np.ones(N), Cs=(0.1, 1.0), codes=codes)
    alone, same = ridge_logistic(X, y, np.ones(N), Cs=(0.1, 1.0), codes=codes)
    assert coef[2] == 0.0
    assert same == C
    np.testing.assert_array_equal(np.delete(coef, 2), alone)
