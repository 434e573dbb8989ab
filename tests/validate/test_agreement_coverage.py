"""How often the intervals of agreement hold the true value, at the sizes people can label."""

from __future__ import annotations

import numpy as np
import pytest

from palate.inference.bootstrap import Resampling
from palate.validate.agreement import agreement
from palate.validate.clustered import by_group
from palate.validate.coefficients import AC1, ALPHA, FLEISS, RAW, item_sums, measures_of
from palate.validate.ratings import Ratings

LEVEL = 0.9


def world(
    rng: np.random.Generator, n_groups: int, size: int, right: float, *, raters: int = 3
) -> Ratings:
    """People who see the true label or guess; groups share half of it and are hard or easy."""
    n, shares = n_groups * size, [0.4, 0.2, 0.4]
    group = np.repeat(np.arange(n_groups), size)
    own = rng.choice([-1, 0, 1], n, p=shares)
    shared = rng.choice([-1, 0, 1], n_groups, p=shares)[group]
    truth = np.where(rng.random(n) < 0.5 * (size > 1), shared, own)
    sees = np.clip(right + rng.choice([-0.15, 0.15], n_groups)[group], 0, 0.99)
    guess = rng.choice([-1, 0, 1], (n, raters), p=shares)
    values = np.where(rng.random((n, raters)) < sees[:, None], truth[:, None], guess)
    return Ratings(tuple("abc"[:raters]), values, group)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_groups", "size", "right", "raters"),
    [(50, 1, 0.6, 3), (50, 1, 0.84, 2), (25, 4, 0.6, 3), (20, 1, 0.6, 3)],
)
def test_intervals_hold_the_true_value_as_often_as_they_say(
    n_groups: int, size: int, right: float, raters: int
) -> None:
    """Within three standard errors of the level; measured: .89 to .92 at a level of .9."""
    rng = np.random.default_rng(n_groups + size)
    true = {c.measure: c.value for c in agreement(world(rng, 20_000, size, right, raters=raters))}
    n, hits = 500, dict.fromkeys((RAW, FLEISS, AC1, ALPHA), 0)
    for _ in range(n):
        for row in agreement(world(rng, n_groups, size, right, raters=raters), level=LEVEL):
            if row.measure in hits:
                hits[row.measure] += row.low <= true[row.measure] <= row.high
    for measure, k in hits.items():
        assert 0.86 <= k / n <= 0.945, (measure, k / n)


@pytest.mark.slow
def test_quantiles_of_a_bootstrap_hold_it_less_often() -> None:
    """Why these intervals are no quantiles: 20 groups, level 90 %, coverage .87 against .90."""
    rng, n = np.random.default_rng(4), 400
    large = world(rng, 20_000, 1, 0.6)
    true = measures_of(large)[FLEISS](item_sums(large).sum(axis=0, keepdims=True))[0]
    ours = theirs = 0
    for _ in range(n):
        ratings = world(rng, 20, 1, 0.6)
        row = next(c for c in agreement(ratings, level=LEVEL) if c.measure == FLEISS)
        ours += row.low <= true <= row.high
        draws = Resampling.of(ratings.groups, np.zeros(20)).count_block(rng, 400)
        drawn = measures_of(ratings)[FLEISS](draws @ by_group(item_sums(ratings), ratings.groups))
        low, high = np.nanquantile(drawn, [0.05, 0.95])
        theirs += low <= true <= high
    assert theirs / n < ours / n
    assert theirs / n < 0.9
