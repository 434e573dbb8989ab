"""What a reference rewards more than a judge whose ties are known: equal ones differ in nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from palate.actions.ties_difference import sharpness
from palate.actions.ties_fits import fit_ties

from .ties_world import tied_world

ALIKE = np.array([1.0, 0.6, 0.0, 0.0, -0.8, 0.0])


def test_orders_that_err_independently_make_verdicts_twice_as_sharp() -> None:
    random = np.random.default_rng(0)
    z = random.normal(0, 1, 40_000)
    orders = np.where(random.random((2, z.size)) < expit(z), 1.0, -1.0)
    verdicts = orders.mean(axis=0)
    assert sharpness(z, verdicts) == pytest.approx(0.5, abs=0.02)
    assert sharpness(3 * z, verdicts) == pytest.approx(sharpness(z, verdicts), abs=1e-3)
    assert sharpness(z, orders[0]) == 1.0  # no ties
    assert sharpness(np.zeros(z.size), verdicts) == pytest.approx((verdicts != 0).mean())


@pytest.mark.slow
def test_a_judge_that_rewards_the_same_has_other_effects_but_no_difference() -> None:
    preferences, concepts = tied_world(1_200, people=ALIKE, judge=ALIKE, bias=0.0, seed=1)
    (part,) = fit_ties(preferences, "judge", concepts, reference="people").parts
    assert part.own is not None
    assert part.reference is not None
    assert part.difference is not None
    assert part.own.effects[-1, 0] > 1.5 * part.reference.effects[-1, 0]
    assert np.abs(part.difference.effects[-1]).max() < 0.3
    assert not part.difference.supported.any()


@pytest.mark.slow
def test_differences_that_are_none_are_seldom_supported() -> None:
    found = []
    for seed in range(20):
        preferences, concepts = tied_world(300, people=ALIKE, judge=ALIKE, bias=0.0, seed=seed)
        (part,) = fit_ties(preferences, "judge", concepts, reference="people").parts
        assert part.difference is not None
        found.append(part.difference.supported.any())
    assert np.mean(found) <= 0.2  # false discovery rate .1: with nothing to find, 1 world in 10
