"""Calibration: tables and errors worked out by hand, rates and slopes on simulated predictions."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from palate.explanations.calibration import (
    calibration_rows,
    calibration_sentence,
    calibration_slope,
)
from palate.explanations.explain import explain
from palate.explanations.files import load_explanations, save_explanations
from tests.explanations.worlds import planted

SETTING = {"setting": "in domain", "level": 0.9, "seed": 0}


def whole(z, y, groups=None):  # type: ignore[no-untyped-def]
    """Return the row "(all)"."""
    groups = np.arange(z.size) if groups is None else groups
    return calibration_rows(z, y, groups, **SETTING)[-1]


def drawn(z, random, groups=None):  # type: ignore[no-untyped-def]
    """Return verdicts drawn from log-odds; pairs of one group share their luck."""
    luck = random.random(z.size) if groups is None else random.random(groups.max() + 1)[groups]
    return np.where(luck < 1 / (1 + np.exp(-z)), 1.0, -1.0)


def test_the_table_by_hand() -> None:
    # 20 pairs at confidence .6 of which 15 are right, 20 at .8 of which 14 are right, both from
    # either side: error (20 |.75 - .6| + 20 |.7 - .8|) / 40 = .125.
    confidence = np.repeat([0.6, 0.8], 20)
    right = np.r_[np.ones(15), -np.ones(5), np.ones(14), -np.ones(6)]
    side = np.tile([1.0, -1.0], 20)
    z = side * np.log(confidence / (1 - confidence))
    first, second, all_ = calibration_rows(z, side * right, np.arange(40), **SETTING)
    assert [first["n_pairs"], second["n_pairs"], all_["n_pairs"]] == [20, 20, 40]
    assert first["predicted"] == pytest.approx(0.6)
    assert first["observed"] == pytest.approx(0.75)
    assert second["observed"] == pytest.approx(0.7)
    assert all_["ece"] == pytest.approx(0.125)
    # Wilson's interval at 90 % of 15 of 20 (his formula, worked out with z = 1.6449).
    n, p, z2 = 20, 0.75, 1.6448536**2
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    assert first["observed_low"] == pytest.approx(centre - half)
    assert first["observed_high"] == pytest.approx(centre + half)


def test_exchanging_responses_changes_nothing() -> None:
    random = np.random.default_rng(0)
    z = random.normal(size=200)
    y, side = drawn(z, random), random.choice([-1.0, 1.0], 200)
    groups = np.arange(200) // 2
    one = calibration_rows(z, y, groups, **SETTING)
    assert one == calibration_rows(z * side, y * side, groups, **SETTING)


def test_the_slope_with_one_step_size_is_a_ratio_of_log_odds() -> None:
    # With |z| = log 3 everywhere and 60 of 100 right, the best slope takes z to log(60 / 40).
    z = np.where(np.arange(100) % 2 == 0, 1.0, -1.0) * math.log(3)
    y = np.sign(z) * np.r_[np.ones(60), -np.ones(40)]
    slope = calibration_slope(z, y, np.arange(100), level=0.9)
    assert slope is not None
    expected = math.log(1.5) / math.log(3)
    assert slope[0] == pytest.approx(expected)
    # Delta method: the variance of the log-odds of 60 in 100 is 1 / (100 x .24).
    half = 1.660391 * math.sqrt(1 / 24) / math.log(3) * math.sqrt(100 / 99)
    assert slope[2] - slope[0] == pytest.approx(half, rel=1e-4)


def test_no_slope_where_none_exists() -> None:
    z = np.array([1.0, -2.0, 0.5, 3.0])
    groups = np.arange(4)
    assert calibration_slope(z, np.sign(z), groups, level=0.9) is None  # separated
    assert calibration_slope(np.zeros(4), np.ones(4), groups, level=0.9) is None
    assert calibration_slope(z, np.array([1.0, 1, 1, 1]), groups * 0, level=0.9) is None
    assert calibration_rows(np.full(50, np.nan), np.ones(50), np.arange(50), **SETTING) == []


@pytest.mark.parametrize("size", [1, 4])
def test_the_error_of_true_probabilities_is_what_chance_gives(size: int) -> None:
    # Of 200 drawings with true probabilities 10 % should reach a p-value below .1, 90 % of the
    # slopes' intervals hold 1; Monte-Carlo error 2.1 points. Groups of four share their luck.
    random = np.random.default_rng(size)
    groups = np.arange(300) // size
    errors, expected, small, holds = [], [], 0, 0
    for _ in range(200):
        z = np.repeat(random.normal(size=300 // size), size)
        row = whole(z, drawn(z, random, groups), groups)
        errors.append(row["ece"])
        expected.append(row["ece_expected"])
        small += row["ece_p"] < 0.1
        holds += row["slope_low"] <= 1 <= row["slope_high"]
    assert np.mean(expected) == pytest.approx(np.mean(errors), rel=0.1)
    assert small / 200 < 0.1 + 3 * 0.021
    assert holds / 200 > 0.9 - 3 * 0.021


def test_extreme_probabilities_are_noticed() -> None:
    random = np.random.default_rng(2)
    z = random.normal(size=2000)
    row = whole(2 * z, drawn(z, random))
    assert row["slope_low"] < 0.5 < row["slope_high"] < 1
    assert row["ece_p"] < 0.01
    assert "too extreme" in calibration_sentence([row], setting="in domain")
    cautious = whole(z / 2, drawn(z, random))
    assert "too cautious" in calibration_sentence([cautious], setting="in domain")
    right = whole(z, drawn(z, random))
    assert "not shown to be" in calibration_sentence([right], setting="in domain")
    assert calibration_sentence([], setting="in domain") == ""


def test_the_table_is_saved_and_files_without_it_are_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    world = planted(200, shared=np.array([1.0, -0.5, 0.0]), domain=np.zeros((2, 3)))
    found = explain(world.preferences, world.concepts, n_bootstrap=2, n_folds=3)
    assert found.calibration["setting"].unique(maintain_order=True).to_list() == [
        "in domain",
        "new domain",
    ]
    save_explanations([found], tmp_path)
    assert load_explanations(tmp_path)[0].calibration.equals(found.calibration)
    path = tmp_path / "explanation.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["explanations"][0]["calibration"]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert load_explanations(tmp_path)[0].calibration.is_empty()
