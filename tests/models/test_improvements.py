"""The changes to HMDR that the evaluation page tries are what they say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from palate.models.design import Config, Design

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "improvements.py"
CONFIG = Config(1 / 3, 0.02, 0.01)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("improvements", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["improvements"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def design() -> Design:
    """Pairs of three domains with planted weights."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 3, 300)
    X = random.choice([-1.0, 0.0, 1.0], size=(300, 5))
    own = np.zeros((3, 5))
    own[1, 0], own[2, 3] = -2.0, 1.5
    z = np.einsum("ij,ij->i", X, np.array([1.2, -0.8, 0.5, 0.0, 0.0]) + own[codes])
    y = np.where(random.random(300) < 1 / (1 + np.exp(-z)), 1.0, -1.0)
    return Design.build(X, y, codes)


def fitted(script: ModuleType, design: Design, name: str) -> np.ndarray:
    """Weights (D + 1, C) of one change."""
    rows = script.Rows.of(design, design.rows.toarray(), np.ones(300, dtype=bool), CONFIG.alpha)
    virtue = np.array([False, True, False, False, False])
    w = script.FITTERS[name](rows, CONFIG, np.zeros(design.column_domain.size), virtue)
    effects = np.zeros(design.structure.shape)
    effects[design.column_domain + 1, design.column_concept] = w
    return effects


def test_without_a_change_it_is_the_certified_fit(script: ModuleType, design: Design) -> None:
    fit = design.fit(**CONFIG._asdict(), tol=1e-9)
    ours = fitted(script, design, "HMDR")
    np.testing.assert_allclose(ours, np.vstack([fit.shared, fit.domain]), atol=2e-3)


def test_a_refit_keeps_the_support_and_undoes_the_shrinkage(
    script: ModuleType, design: Design
) -> None:
    before, after = fitted(script, design, "HMDR"), fitted(script, design, "refit")
    assert not after[before == 0].any()
    assert np.abs(after).sum() > 1.2 * np.abs(before).sum()


def test_elastic_net_shrinks_and_keeps_more(script: ModuleType, design: Design) -> None:
    before, after = fitted(script, design, "HMDR"), fitted(script, design, "elastic net")
    assert np.abs(after).sum() < np.abs(before).sum()
    assert (after != 0).sum() >= (before != 0).sum()


def test_groups_keep_or_drop_a_concept_in_all_domains(script: ModuleType, design: Design) -> None:
    kept = fitted(script, design, "group")[1:] != 0
    assert kept.any()
    assert (kept.all(axis=0) | ~kept.any(axis=0)).all()


def test_a_known_sign_is_kept(script: ModuleType, design: Design) -> None:
    assert (fitted(script, design, "HMDR")[:, 1] < 0).any()  # planted against it
    assert (fitted(script, design, "known signs")[:, 1] >= 0).all()


def test_adaptive_penalties_favour_large_effects(script: ModuleType, design: Design) -> None:
    before, after = fitted(script, design, "HMDR"), fitted(script, design, "adaptive")
    assert np.abs(after).max() > np.abs(before).max()
