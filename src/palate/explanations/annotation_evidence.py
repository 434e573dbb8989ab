"""What the pairs asked so far say of the effects, and what all pairs may say of them in the end.

Let e and s be the estimate of an effect and its standard error now, S the error of a study of all
pairs (`palate.inference.study`) and t the threshold that `palate.inference.discoveries` will ask
for. With nothing else known of the effect the final estimate is normal around e with variance
s^2 - S^2, so

    chance = P(|final estimate| > t S) = Phi((e - t S) / r) + Phi((-e - t S) / r),  r^2 = s^2 - S^2.

The shrunk estimates of the model are not used here: a small pilot may take all effects for none.

Shapes: C concepts, D domains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import ndtr

from palate.concepts.annotation.policy import AnnotationState
from palate.explanations.lifts import at_even
from palate.inference.effects import Effects, infer
from palate.inference.power import Planner
from palate.inference.study import Study

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MIN_PILOT = 40  # decided verdicts below which nothing is concluded


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the pairs asked so far say of the effects on one mechanism's verdicts.

    Parameters
    ----------
    mechanism
        Whose verdicts.
    n_pairs
        Decided verdicts on asked pairs.
    domains
        Rows of `AnnotationState.domain_names` that have such pairs, shape (D,).
    seen
        Whether an effect exists and its concept differed on these pairs, shape (D, C).
    half_width
        Half the interval of the effect in a domain, lift in per cent, of a root mean square of the
        concept there (a rare one is known well enough sooner), shape (D, C), NaN without estimate.
    chance
        Probability that the effect becomes supported with all pairs, shape (1 + D, C), row 0 the
        shared effect; NaN without an estimate.
    """

    mechanism: str
    n_pairs: int
    domains: Integers
    seen: Mask
    half_width: Array
    chance: Array


def weigh(
    state: AnnotationState,
    mechanism: str,
    verdicts: Array,
    groups: Integers,
    *,
    fdr: float,
    level: float,
    seed: int,
) -> Evidence | None:
    """Return what the asked pairs say of one mechanism; None while they are fewer than `MIN_PILOT`.

    Parameters
    ----------
    state
        What is known.
    mechanism
        Its name.
    verdicts
        Its verdicts on all pairs of the state, shape (n_pairs,), NaN where it did not judge.
    groups
        Group of each pair: pairs of one prompt or one pair of responses.
    fdr
        False discovery rate.
    level
        Level of the intervals.
    seed
        Seed of the draws for the number of other concepts that will be found.
    """
    decided = ~np.isnan(verdicts) & (verdicts != 0)
    known = np.isfinite(np.where(state.asked, state.values, np.nan)).any(axis=1)
    rows = np.flatnonzero(decided & known)
    if rows.size < MIN_PILOT or np.unique(verdicts[rows] > 0).size < 2:
        return None
    names = np.array(state.domain_names)
    of_pair = np.searchsorted(names, np.array(state.domains))
    present, codes = np.unique(of_pair[rows], return_inverse=True)
    X = np.nan_to_num(state.values[rows])
    applies = state.applies[present]
    shared = np.array([c.domains is None for c in state.concepts])
    differs = np.array([(X[codes == d] != 0).any(axis=0) for d in range(present.size)])
    X[:, ~shared] *= applies[codes][:, ~shared]
    if present.size == 1:
        exists = np.vstack([applies[0], np.zeros_like(shared)])
    else:
        exists = np.vstack([shared, applies])
    exists[0] &= differs.any(axis=0)
    exists[1:] &= differs.any(axis=0)
    effects = infer(X, verdicts[rows], codes, groups[rows], exists=exists, level=level)
    low, high = at_even(effects.total.low), at_even(effects.total.high)
    spread = np.array([np.sqrt((X[codes == d] ** 2).mean(axis=0)) for d in range(present.size)])
    n_now = np.bincount(codes, minlength=present.size).astype(np.float64)
    n_all = np.array([(decided & (of_pair == d)).sum() for d in present], dtype=np.float64)
    return Evidence(
        mechanism=mechanism,
        n_pairs=int(rows.size),
        domains=present,
        seen=applies & differs,
        half_width=np.asarray((high - low) / 2.0 * spread),
        chance=chances(effects, n_now, n_all, fdr=fdr, seed=seed),
    )


def chances(effects: Effects, n_now: Array, n_all: Array, *, fdr: float, seed: int) -> Array:
    """Return the probability that each effect becomes supported with all pairs, (1 + D, C).

    Parameters
    ----------
    effects
        Of the pairs asked so far.
    n_now
        Their number by domain, shape (D,).
    n_all
        That of all pairs, shape (D,).
    fdr
        False discovery rate.
    seed
        Seed of the draws for the number of other concepts that will be found.
    """
    value = np.vstack([effects.shared.value, effects.total.value])
    if np.isnan(value).all():
        return value
    study = Study(effects, n_now)
    planner = Planner(study, fdr=fdr, seed=seed)
    later = study.errors(n_all / n_now)
    chosen = planner.count(later)
    level = fdr * chosen / planner.n_tested / (2.0 if planner.several else 1.0)
    inside = np.vstack([level, *[level / np.maximum(planner.K, 1)] * len(n_now)])
    with np.errstate(invalid="ignore"):
        threshold = stats.t.isf(inside / 2.0, later.total_dof) * later.total
        now = np.vstack([effects.shared.se, effects.total.se])
        spread = np.sqrt(np.maximum(now**2 - later.total**2, 1e-9 * now**2))
        found = ndtr((value - threshold) / spread) + ndtr((-value - threshold) / spread)
    return np.asarray(found)
