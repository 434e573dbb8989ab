"""Planted judges through the whole way: the soft verdicts are those of the weights, hard ones too.

The probability with which a planted judge prefers the response shown first is known for each pair
(`PlantedJudges.chance`), so soft verdicts have to equal it, and counts of hard ones have to lie
within binomial noise of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import palate
from palate.data.preferences import Preferences
from palate.data.shown import b_first
from palate.llm.connect import connect
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.server import serve
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.style import JudgeStyle

BIAS = 0.3


def world(n: int) -> PlantedWorld:
    """A world with one judge that leans to the response shown first."""
    return PlantedWorld(n_pairs=n, position_bias=BIAS, error=0.0)


def chances(planted: PlantedWorld, pairs: Preferences, **how: Any) -> np.ndarray[Any, Any]:
    """Probability that a wins where it is shown first, and where it is shown second."""
    judges = planted.judges()
    mechanism = next(iter(judges.mechanisms))  # who is asked without a persona
    out = []
    for row in pairs.to_rows():
        prompt, a, b = row["prompt"], row["response_a"], row["response_b"]
        first = judges.chance(prompt, a, b, mechanism=mechanism, **how)
        out.append((first, 1 - judges.chance(prompt, b, a, mechanism=mechanism, **how)))
    return np.array(out)


@pytest.mark.slow
def test_soft_verdicts_are_the_planted_probabilities() -> None:
    planted = world(60)
    pairs = Preferences.from_rows(planted.rows())
    known = 2 * chances(planted, pairs) - 1
    with (
        serve(planted.script()) as server,
        connect("system-one:judge", base_url=server.base_url) as client,
    ):
        both = palate.judge(pairs, client, name="j", soft=True)
        one = palate.judge(pairs, client, name="j", soft=True, orders="random", seed=3)
    np.testing.assert_allclose(both.verdicts, known.mean(axis=1), atol=1e-9)
    drawn = [order[int(b_first(name, 3))] for name, order in zip(pairs.ids, known, strict=True)]
    np.testing.assert_allclose(one.verdicts, drawn, atol=1e-9)
    # the bias favours whoever stands first
    assert (known[:, 0] > known[:, 1]).all()


@pytest.mark.slow
def test_hard_verdicts_and_samples_have_the_planted_frequencies() -> None:
    planted = world(200)
    pairs = Preferences.from_rows(planted.rows())
    known = chances(planted, pairs)
    with (
        serve(planted.script()) as server,
        connect("openai:judge", base_url=server.base_url, temperature=0.7) as client,
    ):
        found = palate.judge(pairs, client, name="j", samples=3)
    said = [[order.samples for order in (p.ab, p.ba) if order is not None] for p in found.judged]
    wins = (np.array(said) > 0).sum(axis=2)  # (n, 2): samples in which a won
    noise = math.sqrt(3 * (known * (1 - known)).sum())
    assert abs((wins - 3 * known).sum()) < 3 * noise
    # the majority of three wins with p^2 (3 - 2 p)
    ab = np.array([p.ab.verdict > 0 for p in found.judged if p.ab is not None])
    chance = known[:, 0] ** 2 * (3 - 2 * known[:, 0])
    assert abs((ab - chance).sum()) < 3 * math.sqrt((chance * (1 - chance)).sum())
    first = ab.sum() + sum(p.ba.verdict < 0 for p in found.judged if p.ba is not None)
    assert first / 400 > 0.55
    assert (found.verdicts == 0).sum() == sum(p.flips for p in found.judged) > 20


@pytest.mark.slow
def test_a_judge_given_criteria_goes_by_them() -> None:
    planted = world(60)
    pairs = Preferences.from_rows(planted.rows())
    name = next(iter(planted.shared_weights))
    style = JudgeStyle(criteria=(Criterion(name, f"shows {name}", "less"),))
    with (
        serve(planted.script()) as server,
        connect("system-one:judge", base_url=server.base_url) as client,
    ):
        found = palate.judge(pairs, client, style, name="j", soft=True)
    known = 2 * chances(planted, pairs, aims={name: -1}).mean(axis=1) - 1
    np.testing.assert_allclose(found.verdicts, known, atol=1e-9)
    assert abs(found.verdicts).max() > 0.1
