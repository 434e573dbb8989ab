"""The pairs on which two mechanisms take different sides, and what speaks for each side.

Which concepts explain the disagreements. On a pair on which both take a side, with the chances of
response a p_A and p_B, the odds that A is the one who takes a, given that they disagree, are

    p_A (1 - p_B) / ((1 - p_A) p_B) = exp(z_A - z_B),

also if something that both share but no concept knows is added to z_A and to z_B: it cancels. So a
regression of A's side on the concepts over the disagreements alone, with the model and intervals of
`palate.inference.effects`, says what draws A where they part. Its effects are larger than the
differences of effects by as much as the verdicts hang together beside the concepts.

Local reasons. The contribution of a concept to the log-odds of a pair is value times weight; the
weights are posterior means of the hierarchical model on the pairs both decided, so small effects
are shrunk. A reason of a mechanism speaks for the side that it took.

Shapes: n pairs that both decided, C concepts, D domains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.explanations.lifts import sigmoid
from palate.explanations.problem import MIN_USED
from palate.inference.differences import Differences
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import Effects, infer

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
REASONS = 3


def disagreement_rows(
    X: Array,
    y_a: Array,
    y_b: Array,
    codes: Integers,
    groups: Integers,
    names: Sequence[str],
    *,
    exists: npt.NDArray[np.bool_],
    level: float,
    fdr: float,
) -> list[dict[str, Any]]:
    """Return what draws A on the disagreements, one row per concept that differs on any of them.

    Effects are null where there are fewer than 20 disagreements, or the concept differs on too few.

    Parameters
    ----------
    X
        Concept values, shape (n, C).
    y_a
        Verdicts of A, shape (n,).
    y_b
        Verdicts of B, shape (n,).
    codes
        Domain of each pair, shape (n,).
    groups
        Group of each pair, shape (n,).
    names
        Names of the concepts.
    exists
        Which effects exist, shape (D + 1, C).
    level
        Level of the intervals.
    fdr
        False discovery rate of the verdicts.
    """
    apart = np.flatnonzero(np.sign(y_a) != np.sign(y_b))
    towards = X[apart] * np.sign(y_a[apart])[:, None]  # positive: the response A takes has more
    more, fewer = (towards > 0).sum(axis=0), (towards < 0).sum(axis=0)
    effects, words = None, None
    if apart.size >= MIN_USED:
        present, numbered = np.unique(codes[apart], return_inverse=True)
        here = exists[np.r_[0, 1 + present]]
        side = np.sign(y_a[apart])
        found = infer(
            X[apart], side, numbered.astype(np.int64), groups[apart], exists=here, level=level
        )
        effects, words = found.shared, supported(found, fdr=fdr).shared
    rows = []
    for j in np.flatnonzero(more + fewer).tolist():
        row: dict[str, Any] = {
            "concept": names[j],
            "n_pairs": int(more[j] + fewer[j]),
            "with_a": float(more[j] / (more[j] + fewer[j])),
            **dict.fromkeys(("effect", "low", "high", "p_value")),
            "verdict": Verdict.NOT.value,
        }
        if effects is not None and words is not None and not np.isnan(effects.value[j]):
            row |= {
                "effect": float(effects.value[j]),
                "low": float(effects.low[j]),
                "high": float(effects.high[j]),
                "p_value": float(effects.p_value[j]),
                "verdict": str(words[j]),
            }
        rows.append(row)
    rows.sort(key=_rank)
    return rows


def pair_rows(
    X: Array,
    y_a: Array,
    y_b: Array,
    codes: Integers,
    ids: Sequence[str],
    domains: Sequence[str],
    names: Sequence[str],
    found: Differences,
) -> list[dict[str, Any]]:
    """Return the disagreements, those first that the two fits explain best.

    Parameters
    ----------
    X
        Concept values, shape (n, C).
    y_a
        Verdicts of A, shape (n,).
    y_b
        Verdicts of B, shape (n,).
    codes
        Domain of each pair, shape (n,).
    ids
        Ids of the n pairs.
    domains
        Names of the domains.
    names
        Names of the concepts.
    found
        The fitted effects.
    """
    weights = [shrunk(effects, X.shape[1]) for effects in (found.a, found.b)]
    apart = np.flatnonzero(np.sign(y_a) != np.sign(y_b))
    explained = np.sign(y_a) * (found.log_odds_a - found.log_odds_b)
    rows = []
    for i in apart[np.argsort(-explained[apart], kind="stable")]:
        parts = [X[i] * w[codes[i]] for w in weights]
        rows.append(
            {
                "id": ids[i],
                "domain": domains[codes[i]],
                "verdict_a": float(y_a[i]),
                "verdict_b": float(y_b[i]),
                "probability_a": float(sigmoid(found.log_odds_a[i : i + 1])[0]),
                "probability_b": float(sigmoid(found.log_odds_b[i : i + 1])[0]),
                "explained": float(explained[i]),
                "reasons_a": _reasons(parts[0], X[i], y_a[i], names),
                "reasons_b": _reasons(parts[1], X[i], y_b[i], names),
            }
        )
    return rows


def shrunk(effects: Effects, n_concepts: int) -> Array:
    """Return the posterior mean of the effect of every concept in every domain, shape (D, C).

    Parameters
    ----------
    effects
        Fitted effects.
    n_concepts
        C.
    """
    posterior = effects.linear.posterior
    out = np.zeros((len(posterior.blocks), n_concepts))
    out[:, posterior.shared] = posterior.mean
    for d, block in enumerate(posterior.blocks):
        out[d, block.own] += block.mean
    return out


def _rank(row: dict[str, Any]) -> tuple[bool, float]:
    """Supported effects first, then by p-value; those without an estimate last."""
    p = row["p_value"]
    return row["verdict"] == Verdict.NOT.value, 2.0 if p is None else p


def _reasons(
    parts: Array, values: Array, verdict: float, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the contributions that speak for the side taken, the largest first."""
    towards = np.sign(verdict) * parts
    order = np.argsort(-towards, kind="stable")[:REASONS]
    return [
        {"concept": names[j], "value": float(values[j]), "contribution": float(parts[j])}
        for j in order
        if towards[j] > 0
    ]
