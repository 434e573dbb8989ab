"""What is worth asking a model next: a pilot, a stop, and where the second order can matter.

    policy = economical(preferences, mechanisms=["human"])
    annotate(preferences, concepts, client, policy=policy)

After each round the effects are estimated from what is known (`palate.inference`), for every
mechanism that will be explained, and three questions are asked of each concept.

Pilot: can its effect still become supported (`palate.explanations.annotation_evidence`)? A concept
is given up where the chance is below `least_chance` for its shared effect and for its effect in
every domain, for every mechanism, or where it differs too rarely for any estimate. A concept that
was given up because of its estimate still counts among the tested ones (`given_up`): the others
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

import numpy as np
import numpy.typing as npt
from scipy import stats

from palate.concepts.annotation.policy import AnnotationState, Decision, Policy
from palate.data.preferences import Preferences
from palate.data.splits import groups as groups_of
from palate.errors import InputError
from palate.explanations.annotation_evidence import Evidence, weigh
from palate.inference.linear import MIN_GROUPS

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SURELY = 0.95  # confidence with which a concept differs too rarely, or is too inconsistent
LATE = 0.6  # share of the pairs asked from which dropping saves less than it costs
UNDECIDED = (0.1, 0.9)  # chances of becoming supported between which a verdict is open
CONSISTENT = 0.6  # share of answers that survive the exchange from which it is not needed
FIRST_ROUND, GROWTH = 1_000, 1.6  # pairs of the first round at most, and by what they grow


def economical(
    preferences: Preferences,
    *,
    mechanisms: Sequence[str] | None = None,
    pilot: float | None = 0.2,
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
        Share of the pairs, or `FIRST_ROUND` pairs if these are fewer, after which concepts without
        a chance are dropped, up to `LATE`; None drops none.
    least_chance
        Probability of becoming supported below which a concept is dropped.
    half_width
        Half the width of an interval, lift in per cent per root mean square of the concept in the
        domain, that is narrow enough for the domain to stop; None never stops.
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
            done = state.asked.any(axis=1)
            share = float(done.mean())
            enough = pilot is not None and (share >= pilot or done.sum() >= FIRST_ROUND)
            if enough and share <= LATE:
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

    With `SURELY` confidence they differ on fewer of all pairs than any estimate needs.

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
            most = 1.0 if k == n else float(stats.beta.ppf(SURELY, k + 1, n - k))
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
        Half the width of an interval that is narrow, as in `Evidence.half_width`.
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
    # even the most that the audit allows for is too few
    unstable = np.array(
        [
            n > same and stats.beta.ppf(SURELY, same + 1, n - same) < CONSISTENT
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
