"""From fitted arrays to an `Explanation`: bands, lifts, probabilities, coverage and counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.data.preferences import Preferences
from palate.explanations.calibration import CALIBRATION_SCHEMA
from palate.explanations.explanation import Band, Explanation
from palate.explanations.files import COVERAGE_SCHEMA, PAIR_SCHEMA, SCORE_SCHEMA
from palate.explanations.fitting import Fitted
from palate.explanations.lifts import mean_exact, sigmoid
from palate.explanations.problem import Array, Frame, Problem, coverage_of
from palate.inference.effects import Estimates


def assemble(
    preferences: Preferences,
    frame: Frame,
    problem: Problem,
    verdicts: Array,
    fitted: Fitted,
    extra: Mapping[str, Any],
) -> Explanation:
    """Put the results of a fit together as an `Explanation`.

    Parameters
    ----------
    preferences
        All pairs.
    frame
        What all mechanisms share.
    problem
        The used pairs.
    verdicts
        Verdicts on all pairs, shape (N,), NaN where not judged.
    fitted
        Weights, replicates and scores.
    extra
        Further settings to record.
    """
    shared_exists, domain_exists = fitted.exists[0], fitted.exists[1:]
    weights, draws = fitted.weights, fitted.replicates
    effects, support = fitted.effects, fitted.support
    shared = _band(weights[0], draws[:, 0], effects.shared, support.shared, shared_exists)
    domain = _band(weights[1:], draws[:, 1:], effects.deviation, support.domain, domain_exists)
    total = _band(
        weights[:1] + weights[1:],
        draws[:, :1] + draws[:, 1:],
        effects.total,
        support.domain,
        shared_exists | domain_exists,
    )
    log_odds = np.full(preferences.n_pairs, np.nan)
    position = {frame.domains.index(name): d for d, name in enumerate(problem.domains)}
    known = np.full(len(frame.domains), -1)
    for code, d in position.items():
        known[code] = d
    betas = np.vstack([np.nan_to_num(total.weight), np.nan_to_num(shared.weight)])
    filled = frame.filled[:, problem.kept]
    for d in range(-1, problem.n_domains):
        rows = np.flatnonzero(frame.covered & (known[frame.codes] == d))
        log_odds[rows] = filled[rows] @ betas[d]
    held_out = np.full(preferences.n_pairs, np.nan)
    held_out[problem.rows] = sigmoid(fitted.held_out)
    judged = ~np.isnan(verdicts) & frame.covered
    exact_total = np.vstack(
        [
            mean_exact(log_odds[judged & (known[frame.codes] == d)], total.weight[d])
            for d in range(problem.n_domains)
        ]
    )
    columns = {
        "id": preferences.pairs["id"],
        "domain": preferences.pairs["domain"],
        "verdict": pl.Series(verdicts, nan_to_null=True),
        "probability": pl.Series(sigmoid(log_odds), nan_to_null=True),
        "held_out_probability": pl.Series(held_out, nan_to_null=True),
    }
    measured, nonzero = coverage_of(frame, problem)
    return Explanation(
        mechanism=problem.mechanism,
        concepts=frame.matrix.select_concepts(problem.kept),
        domains=problem.domains,
        shared=shared,
        domain=domain,
        total=total,
        exact_shared=mean_exact(log_odds[judged & (known[frame.codes] >= 0)], shared.weight),
        exact_total=exact_total,
        pairs=pl.DataFrame(columns, schema=PAIR_SCHEMA),
        scores=pl.DataFrame(fitted.scores, schema=SCORE_SCHEMA),
        calibration=pl.DataFrame(fitted.calibration, schema=CALIBRATION_SCHEMA),
        coverage=pl.DataFrame(
            {"concept": problem.names, "measured": measured, "nonzero": nonzero},
            schema=COVERAGE_SCHEMA,
        ),
        settings={**fitted.settings, **extra, "dropped": list(problem.dropped)},
        counts=problem.counts
        | {
            "nonzero_shared": int(np.count_nonzero(fitted.weights[0])),
            "nonzero_domain": int(np.count_nonzero(fitted.weights[1:])),
        },
        notes=problem.notes + fitted.notes,
    )


def _band(
    weight: Array, draws: Array, effect: Estimates, verdict: npt.NDArray[np.str_], exists: Any
) -> Band:
    selected = (draws != 0).mean(axis=0)
    return Band(
        weight=np.where(exists, weight, np.nan),
        estimate=np.where(exists, effect.value, np.nan),
        low=np.where(exists, effect.low, np.nan),
        high=np.where(exists, effect.high, np.nan),
        p_value=np.where(exists, effect.p_value, np.nan),
        verdict=np.where(exists, verdict, ""),
        selected=np.where(exists, selected, np.nan),
    )
