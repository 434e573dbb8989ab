"""Whether held-out probabilities mean what they say: reliability table, error and slope.

A pair is looked at from the side that the model favours, which is the same as looking at every pair
in both orders of presentation: confidence c = sigma(|z|) in [1/2, 1], outcome
o = (1 + v sign(z)) / 2 for a verdict v. Bins hold equal numbers of pairs, in order of confidence.

Expected calibration error: sum over bins of (n_b / n) |mean o - mean c|. It is above 0 for perfect
probabilities too, because a bin is finite. What chance alone gives is found by a wild bootstrap:
the residuals o - c of a group (pairs that share a prompt or responses) get one random sign, which
keeps their spread and their dependence and takes away their mean. `ece_expected` is the mean of
these draws and `ece_p` the share of draws that reach the observed error.

Slope: s minimising sum_i log-loss(v_i, s z_i). 1 is calibrated, below 1 the probabilities are too
extreme, above 1 too cautious. Its interval is that of the sandwich variance with residuals summed
by group (Liang and Zeger 1986), with t quantiles at (number of groups - 1) degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from palate.explanations.problem import Array, Integers

N_BINS, MIN_IN_BIN = 10, 20
N_DRAWS = 1000
WHOLE = "(all)"
CALIBRATION_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("setting", "bin"), pl.String),
    "n_pairs": pl.Int64,
    **dict.fromkeys(("confidence_low", "confidence_high", "predicted"), pl.Float64),
    **dict.fromkeys(("observed", "observed_low", "observed_high"), pl.Float64),
    **dict.fromkeys(("ece", "ece_expected", "ece_p"), pl.Float64),
    **dict.fromkeys(("slope", "slope_low", "slope_high"), pl.Float64),
}


def calibration_rows(
    log_odds: Array,
    verdicts: Array,
    groups: Integers,
    *,
    setting: str,
    level: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the rows of `Explanation.calibration` for one setting: the bins, then "(all)".

    Parameters
    ----------
    log_odds
        Held-out predictions, shape (n,), NaN where there is none.
    verdicts
        Verdicts without ties, shape (n,).
    groups
        Group of each pair, shape (n,).
    setting
        What the predictions are held out from.
    level
        Level of the intervals.
    seed
        Seed of the draws.
    """
    known = np.isfinite(log_odds)
    z, y = log_odds[known], verdicts[known]
    if z.size < MIN_IN_BIN:
        return []
    _, group = np.unique(groups[known], return_inverse=True)
    confidence = 1.0 / (1.0 + np.exp(-np.abs(z)))
    outcome = (1.0 + y * np.sign(z)) / 2.0
    # Ties in confidence are taken in the order of the file, which no exchange of sides changes.
    order = np.argsort(confidence, kind="stable")
    n_bins = max(1, min(N_BINS, z.size // MIN_IN_BIN))
    bin_of = np.empty(z.size, dtype=np.int64)
    bin_of[order] = np.arange(z.size) * n_bins // z.size

    size = np.bincount(bin_of)
    predicted = np.bincount(bin_of, confidence) / size
    observed = np.bincount(bin_of, outcome) / size
    low, high = _shares(outcome, bin_of, group, level=level)
    rows: list[dict[str, Any]] = [
        {
            "setting": setting,
            "bin": str(b + 1),
            "n_pairs": int(size[b]),
            "confidence_low": float(confidence[bin_of == b].min()),
            "confidence_high": float(confidence[bin_of == b].max()),
            "predicted": float(predicted[b]),
            "observed": float(observed[b]),
            "observed_low": float(low[b]),
            "observed_high": float(high[b]),
        }
        for b in range(n_bins)
    ]
    ece, null = calibration_error(outcome - confidence, bin_of, group, seed=seed)
    slope = calibration_slope(z, y, group, level=level)
    one_bin = np.zeros(z.size, dtype=np.int64)
    low, high = _shares(outcome, one_bin, group, level=level)
    whole = {
        "setting": setting,
        "bin": WHOLE,
        "n_pairs": int(z.size),
        "confidence_low": float(confidence.min()),
        "confidence_high": float(confidence.max()),
        "predicted": float(confidence.mean()),
        "observed": float(outcome.mean()),
        "observed_low": float(low[0]),
        "observed_high": float(high[0]),
        "ece": ece,
        "ece_expected": float(null.mean()),
        "ece_p": float((1 + (null >= ece).sum()) / (1 + null.size)),
    }
    if slope is not None:
        whole |= dict(zip(("slope", "slope_low", "slope_high"), slope, strict=True))
    return [*rows, whole]


def calibration_error(
    residual: Array, bin_of: Integers, group: Integers, *, seed: int
) -> tuple[float, Array]:
    """Return the expected calibration error, and draws of it for calibrated predictions.

    Parameters
    ----------
    residual
        Outcome minus confidence, shape (n,).
    bin_of
        Bin of each pair, shape (n,).
    group
        Group of each pair, numbered from 0, shape (n,).
    seed
        Seed of the draws.
    """
    n_groups, n_bins = int(group.max()) + 1, int(bin_of.max()) + 1
    cells, cell = np.unique(group * n_bins + bin_of, return_inverse=True)
    sums = np.bincount(cell, residual)
    owner, where = np.divmod(cells, n_bins)
    ece = float(np.abs(np.bincount(where, sums)).sum() / residual.size)
    signs = np.random.default_rng([seed, 7]).choice([-1.0, 1.0], size=(N_DRAWS, n_groups))
    null = np.zeros(N_DRAWS)
    for b in range(n_bins):
        inside = where == b
        null += np.abs(signs[:, owner[inside]] @ sums[inside])
    return ece, null / residual.size


def calibration_slope(
    z: Array, y: Array, group: Integers, *, level: float
) -> tuple[float, float, float] | None:
    """Return the slope of the verdicts on the predictions with its interval, None if none exists.

    There is none if every prediction is undecided, there is one group, or the predictions separate
    the verdicts (any larger slope is better still).

    Parameters
    ----------
    z
        Held-out log-odds, shape (n,).
    y
        Verdicts in [-1, 1], shape (n,).
    group
        Group of each pair, numbered from 0, shape (n,).
    level
        Level of the interval.
    """
    from scipy.special import expit
    from scipy.stats import t

    n_groups = int(group.max()) + 1
    p = (1.0 + y * np.sign(z)) / 2.0
    z = np.abs(z)  # seen from the favoured side, as everything here
    separated = ((1.0 - p) * (z > 0)).sum() == 0.0
    if n_groups < 2 or separated or not z.any():
        return None
    slope = 0.0
    for _ in range(100):
        s = expit(slope * z)
        gradient, curvature = float(z @ (s - p)), float((z * z) @ (s * (1.0 - s)))
        if curvature < 1e-12:
            return None
        step = float(np.clip(gradient / curvature, -1.0, 1.0))
        slope -= step
        if abs(step) < 1e-10:
            break
    else:
        return None
    score = np.bincount(group, z * (expit(slope * z) - p))
    meat = float(score @ score) * n_groups / (n_groups - 1)
    half = float(t.ppf((1 + level) / 2, n_groups - 1)) * meat**0.5 / curvature
    return slope, slope - half, slope + half


def calibration_sentence(rows: Sequence[dict[str, Any]], *, setting: str) -> str:
    """Return what the table says of one setting in one sentence, empty where there is no table.

    Parameters
    ----------
    rows
        Rows of `Explanation.calibration`, for instance `.to_dicts()`.
    setting
        Which setting.
    """
    whole = [r for r in rows if r["setting"] == setting and r["bin"] == WHOLE]
    if not whole or whole[0].get("slope") is None:
        return ""
    row = whole[0]
    low, high = row["slope_low"], row["slope_high"]
    interval = f"calibration slope {row['slope']:.2f}, interval {low:.2f} to {high:.2f}"
    if high < 0:
        said = f"Its probabilities point the wrong way: {interval}"
    elif high < 1:
        said = f"Its probabilities are too extreme: {interval}"
    elif low > 1:
        said = f"Its probabilities are too cautious: {interval}"
    else:
        said = f"Its probabilities are not shown to be too extreme or too cautious: {interval}"
    return (
        f"{said}; they are off by {100 * row['ece']:.1f} points on average, where chance alone "
        f"would give {100 * row['ece_expected']:.1f}."
    )


def _shares(
    outcome: Array, bin_of: Integers, group: Integers, *, level: float
) -> tuple[Array, Array]:
    """Return Wilson intervals of the share by bin, with the number of pairs made smaller where the
    outcomes of a group go together (by the ratio of the clustered to the independent variance)."""
    from scipy.stats import norm

    z2 = float(norm.ppf((1 + level) / 2)) ** 2
    size = np.bincount(bin_of).astype(np.float64)
    share = np.bincount(bin_of, outcome) / size
    residual = outcome - share[bin_of]
    n_bins = size.size
    cells, cell = np.unique(group * n_bins + bin_of, return_inverse=True)
    sums = np.bincount(cell, residual)
    clustered = np.bincount(cells % n_bins, sums**2, n_bins)
    alone = np.bincount(bin_of, residual**2)
    n = size / np.maximum(np.divide(clustered, alone, out=np.ones(n_bins), where=alone > 0), 1.0)
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
