"""What is worth asking a model next: a pilot, a stop, and where the second order can matter.

    policy = economical(preferences, mechanisms=["human"])
    annotate(preferences, concepts, client, policy=policy)

After each round the effects are estimated from what is known (`palate.inference`), for every
mechanism that will be explained, and three questions are asked of each concept.

Pilot: can its effect still become supported? Let e and s be the estimate and its standard error
now, S the error of a study of all pairs (`palate.inference.study`) and t the threshold that
`palate.inference.discoveries` will ask for. With nothing else known of the effect the final
estimate is normal around e with variance s^2 - S^2, so

    chance = P(|final estimate| > t S) = Phi((e - t S) / r) + Phi((-e - t S) / r),  r^2 = s^2 - S^2.

The shrunk estimates of the model are not used here: a small pilot may take all effects for none.

A concept is given up where this is below `least_chance` for its shared effect and for its effect in
every domain, for every mechanism, or where it differs too rarely for any estimate. A concept that
was given up because of its estimate still counts among the tested ones (`counted_out`): the others
were chosen by looking at the verdicts, and would else be called supported too easily.

Stop: a domain of which every effect that can be estimated has a narrow interval is asked no more.
It is whole domains, and not single concepts, that stop: a pair without values is left out of a fit,
while a single missing value would count as "equal".

Second order: where few answers survive the exchange of the responses, and the verdict on the effect
is still open (`UNDECIDED`).

Missing at random by design: which pairs are left is decided before they are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import ndtr

from palate.concepts.annotation.policy import AnnotationState, Decision, Policy
from palate.data.preferences import Preferences
from palate.data.splits import groups as groups_of
from palate.errors import InputError
from palate.explanations.lifts import at_even
from palate.inference.effects import Effects, infer
from palate.inference.linear import MIN_GROUPS
from palate.inference.power import Planner
from palate.inference.study import Study

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MIN_PILOT = 40  # decided verdicts below which nothing is concluded
RARE = 0.95  # confidence with which a concept differs too rarely
LATE = 0.6  # share of the pairs asked from which dropping saves less than it costs
UNDECIDED = (0.1, 0.9)  # chances of becoming supported between which a verdict is open
CONSISTENT = 0.8  # share of answers that survive the exchange from which it is not needed
FIRST_ROUND, GROWTH = 1_000, 1.6  # pairs of the first round at most, and by what they grow
MIN_AUDITED = 10  # answers asked twice below which nothing is known of a concept's consistency


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
        Half the interval of the effect in a domain, lift in per cent per step, shape (D, C), NaN
        without an estimate.
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


def economical(
    preferences: Preferences,
    *,
    mechanisms: Sequence[str] | None = None,
    pilot: float | None = 0.25,
    least_chance: float = 0.1,
    half_width: float | None = 10.0,
    second: bool = True,
    fdr: float = 0.1,
    level: float = 0.9,
    cluster: str | None = None,
    seed: int = 0,
) -> Policy:
    """Return a policy that asks only what can still change the explanation of these mechanisms.

    Without any verdicts it keeps everything. Concepts that may be needed to explain a mechanism to
    come must not be dropped for lack of an effect on those that are there: then `pilot=None`.

    Parameters
    ----------
    preferences
        The pairs with their verdicts.
    mechanisms
        Those that will be explained; None for all.
    pilot
        Share of the pairs after which concepts without a chance are dropped; None drops none.
    least_chance
        Probability of becoming supported below which a concept is dropped.
    half_width
        Half the width of an interval, lift in per cent per step, that is narrow enough for a domain
        to stop; None never stops.
    second
        Whether the second order is asked where it can matter.
    fdr
        False discovery rate of what will be called supported.
    level
        Level of the intervals.
    cluster
        Metadata column whose equal values are kept together, as equal prompts are.
    seed
        Seed of the draws that say how many other concepts will be found.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If a setting is out of range.
    """
    for name, share in (("pilot", pilot), ("least_chance", least_chance), ("fdr", fdr)):
        if share is not None and not 0 < share < 1:
            raise InputError(f"{name}: found {share!r}; expected a number between 0 and 1.")
    if half_width is not None and not 0 < half_width < 100:
        raise InputError(f"half_width: found {half_width!r}; expected per cent of lift above 0.")
    names = preferences.mechanisms if mechanisms is None else tuple(mechanisms)
    verdicts = {name: preferences.verdict(name) for name in names}
    groups = groups_of(preferences, cluster_column=cluster)
    row_of = {pair: i for i, pair in enumerate(preferences.ids)}

    def policy(state: AnnotationState) -> Decision:
        rows = np.array([row_of[pair] for pair in state.ids], dtype=np.int64)
        found = [
            evidence
            for name in names
            if (
                evidence := weigh(
                    state, name, verdicts[name][rows], groups[rows], fdr=fdr, level=level, seed=seed
                )
            )
        ]
        keep = np.ones((len(state.domain_names), len(state.concepts)), dtype=bool)
        wanted = np.zeros_like(keep)
        reasons: dict[str, str] = {}
        if found and len(found) == len(names):  # nothing is concluded while a mechanism is unknown
            share = float(state.asked.any(axis=1).mean())
            if pilot is not None and pilot <= share <= LATE:
                reasons = {**hopeless(state, found, least_chance), **too_rare(state)}
                keep[:, [c.name in reasons for c in state.concepts]] = False
            if half_width is not None:
                keep[narrow(state, found, keep, half_width)] = False
            if second:
                wanted = keep & matters(state, found)
        return Decision(keep=keep, second=wanted, reasons=reasons)

    return policy


def growing_rounds(n_pairs: int) -> tuple[float, ...]:
    """Return shares of the pairs for rounds between which a policy can decide early and often.

    The first round has a fifth of the pairs, at most `FIRST_ROUND`; then what is asked grows by
    `GROWTH`.

    Parameters
    ----------
    n_pairs
        Number of pairs.
    """
    done = min(0.2, FIRST_ROUND / max(n_pairs, 1))
    shares = [done]
    while done * GROWTH < 1.0:
        shares.append(done * (GROWTH - 1.0))
        done *= GROWTH
    return (*shares, 1.0 - done)


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
    n_now = np.bincount(codes, minlength=present.size).astype(np.float64)
    n_all = np.array([(decided & (of_pair == d)).sum() for d in present], dtype=np.float64)
    return Evidence(
        mechanism=mechanism,
        n_pairs=int(rows.size),
        domains=present,
        seen=applies & differs,
        half_width=np.asarray((high - low) / 2.0),
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


def hopeless(
    state: AnnotationState, evidence: Sequence[Evidence], least_chance: float
) -> dict[str, str]:
    """Return why concepts without a chance of a supported effect are dropped, by name.

    A concept stays if it applies in a domain that has no evidence yet, or differs there but on too
    few pairs for an estimate although all pairs may bring enough.

    Parameters
    ----------
    state
        What is known.
    evidence
        One of each mechanism that will be explained.
    least_chance
        Probability below which there is none.
    """
    out: dict[str, str] = {}
    shared = np.array([c.domains is None for c in state.concepts])
    for j, concept in enumerate(state.concepts):
        best, open_ = 0.0, False
        for e in evidence:
            known = e.chance[:, j][~np.isnan(e.chance[:, j])]
            best = max([best, *known.tolist()])
            unseen = np.delete(state.applies[:, j], e.domains).any()
            open_ |= known.size == 0 or (not shared[j] and bool(unseen))
        if not open_ and best < least_chance:
            n = max(e.n_pairs for e in evidence)
            out[concept.name] = (
                f"after {n:,} judged pairs its effect has a chance of at most {100 * best:.0f} % "
                f"to become supported with all pairs{_for(evidence)}"
            )
    return out


def too_rare(state: AnnotationState) -> dict[str, str]:
    """Return why concepts that hardly ever differ are dropped, by name.

    With `RARE` confidence they differ on fewer of all pairs than any estimate needs.

    Parameters
    ----------
    state
        What is known.
    """
    out: dict[str, str] = {}
    of_pair = np.searchsorted(np.array(state.domain_names), np.array(state.domains))
    applies = state.applies[of_pair]
    for j, concept in enumerate(state.concepts):
        known = applies[:, j] & state.asked[:, j] & np.isfinite(state.values[:, j])
        n, total = int(known.sum()), int(applies[:, j].sum())
        k = int((state.values[known, j] != 0).sum())
        if n and n < total:
            most = 1.0 if k == n else float(stats.beta.ppf(RARE, k + 1, n - k))
            if k + most * (total - n) < MIN_GROUPS:
                out[concept.name] = (
                    f"the responses differ in it on {k:,} of {n:,} pairs, so on fewer than "
                    f"{MIN_GROUPS} of all {total:,}, which is too few for any estimate"
                )
    return out


def narrow(
    state: AnnotationState, evidence: Sequence[Evidence], keep: Mask, half_width: float
) -> Mask:
    """Return which domains are known well enough, as rows of (n_domains,).

    Parameters
    ----------
    state
        What is known.
    evidence
        One of each mechanism that will be explained.
    keep
        What is still asked, shape (n_domains, n_concepts).
    half_width
        Half the width of an interval that is narrow, lift in per cent per step.
    """
    done = np.ones(len(state.domain_names), dtype=bool)
    for e in evidence:
        wide = e.seen & keep[e.domains] & ~(np.isnan(e.half_width) | (e.half_width <= half_width))
        estimated = (~np.isnan(e.half_width) & keep[e.domains]).any(axis=1)
        here = np.zeros_like(done)
        here[e.domains] = ~wide.any(axis=1) & estimated
        done &= here
    return done


def matters(state: AnnotationState, evidence: Sequence[Evidence]) -> Mask:
    """Return where the second order can change a verdict, shape (n_domains, n_concepts).

    Parameters
    ----------
    state
        What is known.
    evidence
        One of each mechanism that will be explained.
    """
    unstable = np.array(
        [
            n >= MIN_AUDITED and same < CONSISTENT * n
            for n, same in zip(*_audited(state), strict=True)
        ]
    )
    open_ = np.zeros((len(state.domain_names), len(state.concepts)), dtype=bool)
    low, high = UNDECIDED
    for e in evidence:
        with np.errstate(invalid="ignore"):
            between = (e.chance > low) & (e.chance < high)
        open_[e.domains] |= between[0] | between[1:]
    return np.asarray(open_ & unstable & state.applies)


def _audited(state: AnnotationState) -> tuple[Integers, Integers]:
    """Return, per concept, answers other than 0 that were asked twice and those that survived."""
    if state.first is None or state.second is None:
        nobody = np.zeros(len(state.concepts), dtype=np.int64)
        return nobody, nobody
    twice = (np.nan_to_num(state.first) != 0) & np.isfinite(state.second)
    survived = twice & (state.first * np.nan_to_num(state.second) > 0)
    return twice.sum(axis=0), survived.sum(axis=0)


def _for(evidence: Sequence[Evidence]) -> str:
    names = [e.mechanism for e in evidence]
    if len(names) == 1:
        return ""
    return f" for any of {len(names)} mechanisms"
