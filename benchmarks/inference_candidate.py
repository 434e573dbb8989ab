"""Palate's own inference, in the form that the benchmark gives to all methods."""

from __future__ import annotations

import numpy as np

from benchmarks.inference_results import Band, Result, statements
from benchmarks.inference_worlds import Array, Booleans, Integers
from palate.inference.effects import infer


def palate(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
) -> dict[str, Result]:
    """`palate.inference.effects.infer` and `palate.inference.discoveries.supported`."""
    effects = infer(X, y, codes, groups, exists=exists, level=level)
    bands = [
        Band(kind.value, kind.low, kind.high, kind.p_value)
        for kind in (effects.shared, effects.deviation, effects.total)
    ]
    decisions = {q: statements(effects, q) for q in rates}
    return {"Palate": Result(bands[0], bands[1], bands[2], decisions)}


def unclustered(
    X: Array,
    y: Array,
    codes: Integers,
    groups: Integers,
    *,
    exists: Booleans,
    level: float,
    rates: tuple[float, ...],
    seed: int,
) -> dict[str, Result]:
    """The same, as if every pair had a prompt of its own."""
    result = palate(
        X, y, codes, np.arange(y.size), exists=exists, level=level, rates=rates, seed=seed
    )
    return {"Palate, prompts ignored": result["Palate"]}
