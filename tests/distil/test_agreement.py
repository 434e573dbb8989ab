"""Figures of agreement: against numbers by hand and by other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from palate.distil.agreement import DISTILLED, LEFT, agreement, own_coefficients, verdict


def some(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    given = random.choice([-1.0, 0.0, 1.0], size=n)
    return np.clip(0.5 * given + 0.4 * random.normal(size=n), -1, 1), given


def test_figures_are_those_of_both_orders_of_each_pair() -> None:
    soft, given = some()
    found = agreement(soft, given, np.arange(soft.size))
    both, truth = np.concatenate([soft, -soft]), np.concatenate([given, -given])
    signed = truth != 0
    assert found["auc"] == pytest.approx(roc_auc_score(truth[signed] > 0, both[signed]))
    assert found["kappa"] == pytest.approx(cohen_kappa_score(np.rint(both), truth))
    assert found["correlation"] == pytest.approx(np.corrcoef(both, truth)[0, 1])  # means are 0
    assert found["reliability"] == pytest.approx(found["correlation"] ** 2)
    slope = np.polyfit(both, truth, 1)[0]
    assert found["calibration"] == pytest.approx(slope)
    assert found["sign_agreement"] == pytest.approx((soft * given > 0)[given != 0].mean())
    assert found["low"] < found["reliability"] < found["high"]


def test_exchanging_the_responses_of_any_pair_changes_nothing() -> None:
    soft, given = some()
    flip = np.where(np.arange(soft.size) % 3, 1.0, -1.0)
    group = np.arange(soft.size) // 2
    one, two = agreement(soft, given, group), agreement(flip * soft, flip * given, group)
    assert one == pytest.approx(two)


def test_repeating_every_pair_in_its_group_leaves_the_interval() -> None:
    soft, given = some()
    group = np.arange(soft.size)
    once = agreement(soft, given, group)
    twice = agreement(np.tile(soft, 2), np.tile(given, 2), np.tile(group, 2))
    assert twice["low"] == pytest.approx(once["low"])
    assert twice["high"] == pytest.approx(once["high"])


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"n_nonzero": 0}, "the annotations are all 0"),
        ({"n_nonzero": 19}, "19 annotations that are not 0; 20 are needed"),
        ({"n_nonzero": 20}, "nothing in the texts was found to predict it"),
        ({"n_nonzero": 20, "reliability": 0.3996}, "holds 40.0 % of the LLM's variance"),
    ],
)
def test_a_concept_is_left_with_a_reason(found: dict[str, float], reason: str) -> None:
    said = verdict(found)
    assert said["verdict"] == LEFT
    assert said["reason"].startswith(reason)


def test_a_concept_that_holds_enough_is_distilled() -> None:
    assert verdict({"n_nonzero": 20, "reliability": 0.4}) == {"verdict": DISTILLED, "reason": ""}
    assert verdict({"n_nonzero": 20, "reliability": 0.2}, least=0.1)["verdict"] == DISTILLED


def test_a_soft_value_that_another_one_explains_has_no_coefficient_of_its_own() -> None:
    random = np.random.default_rng(1)
    cause, other = random.normal(size=(2, 2_000))
    soft = np.stack([cause, cause + other], axis=1)
    given = np.stack([cause, cause], axis=1)  # the second follows the first in truth
    assert own_coefficients(soft, given) == pytest.approx([1.0, 0.0], abs=1e-9)


def test_nothing_to_say_about_no_pairs_or_only_zeros() -> None:
    assert agreement(np.zeros(0), np.zeros(0), np.zeros(0))["n_pairs"] == 0
    found = agreement(np.zeros(5), np.zeros(5), np.arange(5))
    assert found["kappa"] is None
    assert "reliability" not in found
