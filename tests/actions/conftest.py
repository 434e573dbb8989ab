"""The explanation of a planted judge, made once."""

from __future__ import annotations

import pytest

import palate
from palate.data.preferences import Preferences
from palate.explanations.comparison import Comparison
from palate.explanations.explanation import Explanation

from .hack_world import JUDGE, PEOPLE, SEED, explained, world


@pytest.fixture(scope="session")
def known() -> tuple[Explanation, Comparison]:
    """The explanation of the planted judge, and its comparison with people."""
    preferences, matrix = world(600, seed=SEED, judge=JUDGE, people=PEOPLE)
    comparison = palate.compare(preferences, "judge", "people", matrix, n_bootstrap=2, n_jobs=1)
    return explained(preferences, matrix, "judge"), comparison


@pytest.fixture(scope="session")
def explanation(known: tuple[Explanation, Comparison]) -> Explanation:
    """The explanation of the planted judge."""
    return known[0]


@pytest.fixture(scope="session")
def new() -> Preferences:
    """Pairs that the explanation has not seen."""
    return world(120, seed=5, name="new", judge=JUDGE)[0]
