"""Held-out predictions: in domain by nested grouped folds, and leaving each domain out.

In domain: K grouped folds; each is predicted by the model whose hyperparameters were chosen, by
grouped cross-validation, and whose weights were fitted without it. The inner fits leave out two
folds {j, k}; as the same fits serve (j, k) and (k, j), K (K - 1) / 2 per configuration suffice.

New domain: each domain is predicted by the shared part b of a model fitted without it, and without
any pair that shares a prompt or response pair with it. For the choice of hyperparameters domains
are put into at most five blocks; models fitted without block i and block j predict block j by
their shared part, and the configuration with the least loss over all j is used for the domains of
block i. So nothing of the left-out domain enters the choice; with two domains, where no third is
left to choose on, grouped folds inside the other domain take the place of the blocks.

Baselines see the same folds and the same left-out domains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from palate.explanations.problem import Array, Integers, Problem
from palate.models import selection
from palate.models.baselines import (
    Baseline,
    FirstResponse,
    LongerResponse,
    Majority,
    PerDomainLogistic,
    PooledLogistic,
)
from palate.models.design import Config, Design
from palate.models.folds import pair_losses
from palate.models.selection import CrossValidation, cross_validate, fit_on, inner_losses

Mask = npt.NDArray[np.bool_]
IN_DOMAIN, NEW_DOMAIN = "in domain", "new domain"
OURS = "HMDR"
MAX_BLOCKS = 5
BASELINES: dict[str, Callable[[], Baseline]] = {
    "majority": Majority,
    "first response": FirstResponse,
    "longer response": LongerResponse,
    "pooled": PooledLogistic,
    "per domain": PerDomainLogistic,
}


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out log-odds of one model in one setting, shape (n,), NaN where not predicted.

    A model that is made several times (a shuffle) has the shape (repeats, n).
    """

    setting: str
    model: str
    log_odds: Array


@dataclass(frozen=True, eq=False)
class Trial:
    """What the fits of M configurations say: the choice in domain and its nested evaluation.

    `cv` are the fits without one fold; `inner` (M, K) is the loss of the other folds when fold k
    stays out of everything.
    """

    cv: CrossValidation
    inner: Array


def trial(design: Design, configs: Sequence[Config], folds: Integers, *, seed: int) -> Trial:
    """Fit every configuration without each fold and without each pair of folds.

    Parameters
    ----------
    design
        The pairs.
    configs
        The M configurations.
    folds
        Fold of each pair, shape (n,), numbered from 0.
    seed
        Seed of the solver.
    """
    return Trial(
        cross_validate(design, configs, folds, seed=seed),
        inner_losses(design, configs, folds, seed=seed),
    )


def joined(trials: Sequence[Trial]) -> Trial:
    """Return the trials of several sets of configurations on the same folds as one.

    Parameters
    ----------
    trials
        At least one.
    """
    return Trial(selection.joined([t.cv for t in trials]), np.vstack([t.inner for t in trials]))


def in_domain(problem: Problem, tried: Trial) -> list[HeldOut]:
    """Return the held-out predictions of HMDR and of every baseline on the same folds.

    Parameters
    ----------
    problem
        The used pairs.
    tried
        Fits of all configurations.
    """
    folds = tried.cv.folds
    tests = [(folds == k, folds != k) for k in range(int(folds.max()) + 1)]
    return [
        HeldOut(IN_DOMAIN, OURS, chosen_log_odds(tried)),
        *(
            HeldOut(IN_DOMAIN, name, baseline(problem, name, tests))
            for name in BASELINES
            if name != "per domain" or problem.n_domains > 1
        ),
    ]


def chosen_log_odds(tried: Trial) -> Array:
    """Return log-odds of every fold by the configuration chosen without it, shape (n,).

    Parameters
    ----------
    tried
        Fits of all configurations.
    """
    folds = tried.cv.folds
    out = np.empty(folds.size)
    for k, m in enumerate(np.argmin(tried.inner, axis=0)):
        out[folds == k] = tried.cv.log_odds[m, folds == k]
    return out


def transfer_losses(
    problem: Problem, design: Design, configs: Sequence[Config], folds: Integers, *, seed: int
) -> Array:
    """Return the loss of each configuration on further left-out pairs, by domain, shape (D, M).

    Row d is what the choice for domain d is made by; nothing of domain d enters it.

    Parameters
    ----------
    problem
        The used pairs.
    design
        Their design.
    configs
        The M configurations.
    folds
        Fold of each pair, used in place of blocks where there are two domains.
    seed
        Seed of the solver.
    """
    if problem.n_domains == 2:
        losses = np.zeros((2, len(configs)))
        for d in range(2):
            outside = without(problem, problem.codes == d)
            for k in range(int(folds.max()) + 1):
                train, test = outside & (folds != k), outside & (folds == k)
                losses[d] += _shared_losses(design, configs, train, [test], seed)[0]
        return losses
    block_of = blocks(problem)
    n_blocks = int(block_of.max()) + 1
    inside = [block_of[problem.codes] == i for i in range(n_blocks)]
    apart = [without(problem, mask) for mask in inside]
    by_block = np.zeros((n_blocks, len(configs)))
    for i, j in combinations(range(n_blocks), 2):
        tests = [inside[j] & apart[i], inside[i] & apart[j]]
        of_i, of_j = _shared_losses(design, configs, apart[i] & apart[j], tests, seed)
        by_block[i] += of_i
        by_block[j] += of_j
    return by_block[block_of]


def new_domain(
    problem: Problem, design: Design, configs: Sequence[Config], losses: Array, *, seed: int
) -> list[HeldOut]:
    """Return predictions of every domain by models that have not seen it; none if there is one.

    Parameters
    ----------
    problem
        The used pairs.
    design
        Their design.
    configs
        The M configurations to choose from.
    losses
        What `transfer_losses` gives, shape (D, M).
    seed
        Seed of the solver.
    """
    if problem.n_domains < 2:
        return []
    tests = [(test, train) for test, train, _ in left_out(problem, configs, losses)]
    ours = left_out_log_odds(problem, design, configs, losses, seed=seed)
    return [
        HeldOut(NEW_DOMAIN, OURS, ours),
        *(
            HeldOut(NEW_DOMAIN, name, baseline(problem, name, tests))
            for name in BASELINES
            if name != "per domain"
        ),
    ]


def left_out(
    problem: Problem, configs: Sequence[Config], losses: Array
) -> Iterator[tuple[Mask, Mask, Config]]:
    """Yield, for every domain that can be left out, its pairs, the others, and the configuration.

    Parameters
    ----------
    problem
        The used pairs.
    configs
        The M configurations to choose from.
    losses
        What `transfer_losses` gives, shape (D, M).
    """
    for d, m in enumerate(np.argmin(losses, axis=1)):
        test = problem.codes == d
        train = without(problem, test)
        if train.any():
            yield test, train, configs[m]


def left_out_log_odds(
    problem: Problem, design: Design, configs: Sequence[Config], losses: Array, *, seed: int
) -> Array:
    """Return log-odds of every domain by the shared part fitted without it, shape (n,).

    Parameters
    ----------
    problem
        The used pairs.
    design
        Their design.
    configs
        The M configurations to choose from.
    losses
        What `transfer_losses` gives, shape (D, M).
    seed
        Seed of the solver.
    """
    out = np.full(problem.n_pairs, np.nan)
    for test, train, config in left_out(problem, configs, losses):
        out[test] = design.X[test] @ fit_on(design, config, train, seed=seed).shared
    return out


def without(problem: Problem, left_out: Mask) -> Mask:
    """Return the pairs that share no group with any pair of a mask, shape (n,).

    Parameters
    ----------
    problem
        The used pairs.
    left_out
        The pairs to keep away from, shape (n,).
    """
    return ~np.isin(problem.groups, problem.groups[left_out])


def blocks(problem: Problem) -> Integers:
    """Return the block of each domain, shape (D,): the largest first, each to the smallest block.

    Parameters
    ----------
    problem
        The used pairs.
    """
    size = np.bincount(problem.codes, minlength=problem.n_domains)
    filled = np.zeros(min(problem.n_domains, MAX_BLOCKS), dtype=np.int64)
    out = np.zeros(problem.n_domains, dtype=np.int64)
    for d in np.argsort(-size, kind="stable"):
        out[d] = int(np.argmin(filled))
        filled[out[d]] += size[d]
    return out


def baseline(problem: Problem, name: str, tests: Sequence[tuple[Mask, Mask]]) -> Array:
    """Return held-out log-odds of a baseline, shape (n,).

    Parameters
    ----------
    problem
        The used pairs.
    name
        One of `BASELINES`.
    tests
        Masks of test and training pairs.
    """
    X = problem.longer[:, None] if name == "longer response" else problem.X
    out = np.full(problem.n_pairs, np.nan)
    for test, train in tests:
        model = BASELINES[name]()
        model.fit(X[train], problem.y[train], problem.codes[train], groups=problem.groups[train])
        out[test] = model.decision_function(X[test], problem.codes[test])
    return out


def _shared_losses(
    design: Design, configs: Sequence[Config], train: Mask, tests: Sequence[Mask], seed: int
) -> Array:
    """Return the losses of the shared part on each test, shape (tests, M); 0 if nothing to fit."""
    out = np.zeros((len(tests), len(configs)))
    if train.any():
        for m, config in enumerate(configs):
            shared = fit_on(design, config, train, seed=seed).shared
            for t, test in enumerate(tests):
                z = design.X[test] @ shared
                out[t, m] = float(pair_losses(z, design.y[test]).sum())
    return out
