"""What the numbers of an explanation are worth: the gain over null models, the reach in domains.

Both are sentences made from numbers, so that every view says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from palate.explanations.ceiling import Share
from palate.explanations.evaluation import IN_DOMAIN, OURS
from palate.explanations.explanation import Explanation
from palate.explanations.lifts import at_even
from palate.explanations.nulls import FORMATTING, LABELS, VERDICTS
from palate.explanations.problem import Array, few
from palate.explanations.scores import ALL_PAIRS, MEAN

NULLS = ("majority", "first response", "longer response", FORMATTING, VERDICTS, LABELS)
"""Models that do not know what a concept says about a verdict; `pooled` and `per domain` do."""
POWER = 0.8
LARGEST_LIFT = 50.0  # from 50 to 75 %: if a typical concept needs more, a domain says little
WORDS = {
    "majority": "always picking the side that wins more often in the domain",
    "first response": "always picking the first response",
    "longer response": "always picking the longer response",
    FORMATTING: "the same model on length and layout alone",
    VERDICTS: "the same model fitted on shuffled verdicts",
    LABELS: "the same weights with the names of the concepts shuffled",
}


@dataclass(frozen=True)
class Yardstick:
    """The strongest null model in a setting, and the gain of the explanation over it.

    Accuracies between 0 and 1; `scope` is "(mean)" of domains or "(all pairs)". The gain has the
    interval of the paired difference, None where there is none. `beaten` says that the interval
    of the gain over every null model, not only over this one, lies above zero.
    """

    setting: str
    scope: str
    model: str
    accuracy: float
    ours: float
    gain: float
    low: float | None
    high: float | None
    beaten: bool


def best_null(explanation: Explanation, *, setting: str = IN_DOMAIN) -> Yardstick | None:
    """Return the null model with the highest held-out accuracy, None where nothing was scored.

    That it is chosen as the highest makes it look a little better than it is, so the gain over it
    is, if anything, too small.

    Parameters
    ----------
    explanation
        The explained mechanism.
    setting
        "in domain" or "new domain".
    """
    here = explanation.scores.filter(
        (pl.col("setting") == setting) & pl.col("accuracy").is_not_null()
    )
    for scope in (MEAN, ALL_PAIRS):
        rows = {r["model"]: r for r in here.filter(domain=scope).iter_rows(named=True)}
        nulls = [rows[m] for m in NULLS if m in rows and rows[m]["gain"] is not None]
        if OURS not in rows or not nulls:
            continue
        best = max(nulls, key=lambda r: float(r["accuracy"]))
        return Yardstick(
            setting=setting,
            scope=scope,
            model=best["model"],
            accuracy=best["accuracy"],
            ours=rows[OURS]["accuracy"],
            gain=best["gain"],
            low=best["gain_low"],
            high=best["gain_high"],
            beaten=all(r["gain_low"] is not None and r["gain_low"] > 0 for r in nulls),
        )
    return None


def null_sentence(explanation: Explanation, *, setting: str = IN_DOMAIN) -> str:
    """Return what the concepts add over the best null model, empty where nothing was scored.

    Parameters
    ----------
    explanation
        The explained mechanism.
    setting
        "in domain" or "new domain".
    """
    found = best_null(explanation, setting=setting)
    if found is None:
        return ""
    level = f"{100 * float(explanation.settings.get('level', 0.9)):.4g}"
    where = "on new prompts" if setting == IN_DOMAIN else "in a domain it has not seen"
    null = f"{WORDS[found.model]} ({100 * found.accuracy:.1f} %)"
    gain = f"{100 * found.gain:+.1f} points"
    if found.low is not None and found.high is not None:
        gain += f", {level} % interval {100 * found.low:+.1f} to {100 * found.high:+.1f}"
    if found.beaten:
        return f"The concepts add accuracy {where} over the best null baseline, {null}: {gain}."
    if found.gain > 0:
        return (
            f"Whether the concepts add accuracy {where} over the best null baseline, {null}, is "
            f"not clear: {gain}."
        )
    return f"The concepts add no accuracy {where} over the best null baseline, {null}: {gain}."


def ceiling_sentence(share: Share) -> str:
    """Return which share of what can be explained is explained, in one sentence.

    Parameters
    ----------
    share
        What `palate.explanations.ceiling.explained_share` gives.
    """
    ceiling = share.ceiling
    least, most = ceiling.accuracy_least[0], ceiling.accuracy_most[0]
    source = "both orders agree" if ceiling.kind == "orders" else "replicated verdicts agree"
    best = (
        f"{source} in {100 * ceiling.agreement[0]:.1f} % of {ceiling.n_pairs:,} pairs, so the best "
        f"possible accuracy is about {100 * ceiling.accuracy[0]:.1f} % ({100 * least:.1f} to "
        f"{100 * most:.1f} % without assumptions)"
    )
    if not np.isfinite(share.share):
        return f"How much of what can be explained is explained cannot be said: {best}."
    text = f"Of what can be explained, {100 * share.share:.0f} % is explained"
    if np.isfinite(share.low) and np.isfinite(share.high):
        level = f"{100 * ceiling.level:.4g}"
        text += f" ({level} % interval {100 * share.low:.0f} to {100 * share.high:.0f})"
    return f"{text}, with an accuracy of {100 * share.accuracy:.1f} %: {best}."


def domain_reach(
    explanation: Explanation, *, power: float = POWER, level: float | None = None
) -> pl.DataFrame:
    """Return how large an effect in each domain must be for its interval to exclude zero.

    Columns `domain`, `n_pairs` (verdicts used), `n_concepts` (with an effect there), `lift` (per
    cent per step, of a typical concept: the median) and `basis`. An effect w with standard error s
    is found with probability `power` if |w| = (z_level + z_power) s. Where effects have confidence
    intervals, s is their half-width over z_level ("intervals"). Where they have not, s is the least
    possible, 2 / sqrt(sum of x^2), that of even choices and unrelated concepts ("best case"). The
    lift is 100 tanh(w / 2). Correction for many concepts asks for more.

    Parameters
    ----------
    explanation
        The explained mechanism.
    power
        Probability with which the effect is to be found.
    level
        Level of the intervals; None for that of the explanation.
    """
    from scipy.stats import norm

    level = float(explanation.settings.get("level", 0.9)) if level is None else level
    z_level, z_power = norm.ppf((1 + level) / 2), norm.ppf(power)
    total = explanation.total
    estimate: Array | None = getattr(total, "estimate", None)
    pairs = explanation.pairs
    used = (pairs["verdict"] != 0).fill_null(False) & pairs["probability"].is_not_null()
    values = np.nan_to_num(explanation.concepts.values)
    rows = []
    for d, domain in enumerate(explanation.domains):
        here = (used & (pairs["domain"] == domain)).to_numpy()
        size = np.sqrt((values[here] ** 2).sum(axis=0))
        error = np.divide(2.0, size, out=np.full(size.size, np.inf), where=size > 0)
        basis, exists = "best case", np.isfinite(total.weight[d])
        if estimate is not None and np.isfinite(estimate[d]).any():
            half = (total.high[d] - total.low[d]) / 2
            error, basis = np.where(np.isfinite(half), half / z_level, np.inf), "intervals"
        error = error[exists]
        needed = float(np.median(error)) * (z_level + z_power) if error.size else np.inf
        rows.append(
            {
                "domain": domain,
                "n_pairs": int(here.sum()),
                "n_concepts": int(exists.sum()),
                "lift": float(at_even(np.array(needed))) if np.isfinite(needed) else 100.0,
                "basis": basis,
            }
        )
    return pl.DataFrame(
        rows,
        schema={
            "domain": pl.String,
            "n_pairs": pl.Int64,
            "n_concepts": pl.Int64,
            "lift": pl.Float64,
            "basis": pl.String,
        },
    )


def domain_warning(
    explanation: Explanation, *, largest: float = LARGEST_LIFT, power: float = POWER
) -> str:
    """Return in which domains there are too few verdicts for their concepts, empty if in none.

    Parameters
    ----------
    explanation
        The explained mechanism.
    largest
        Lift in per cent per step that must be enough for a typical concept to be noticed.
    power
        Probability with which it must be.
    """
    if len(explanation.domains) < 2:
        return ""
    reach = domain_reach(explanation, power=power)
    weak = reach.filter(pl.col("lift") > largest).sort("lift", descending=True)
    if weak.is_empty():
        return ""
    all_of_them = weak.height == reach.height
    where = f"any single one of the {reach.height} domains" if all_of_them else "these domains"
    best = " at the very least" if (weak["basis"] == "best case").all() else ""
    return (
        f"The data cannot support statements about a typical concept in {where}: "
        f"{_domains(weak)}. In brackets, the verdicts used and the lift per step that it would "
        f"need there{best} to be noticed with a probability of {100 * power:.0f} %; a lift of "
        f"{largest:.0f} % already takes an even choice to {50 + largest / 2:.0f} %. That nothing "
        "is found there does not say that nothing is there."
    )


def _domains(weak: pl.DataFrame) -> str:
    named: Sequence[str] = [
        f"{r['domain']} ({r['n_pairs']:,} verdict{'s' * (r['n_pairs'] != 1)}, {r['lift']:.0f} %)"
        for r in weak.iter_rows(named=True)
    ]
    return few(named)
