"""The fits of the protocol: one mechanism, in arrays.

In domain: for every split, each model's hyperparameters are chosen by grouped cross-validated
log-loss inside the training part, it is fitted on the training part and predicts the test.

New domain: for every domain, the same without any pair of it or any that shares a group with one;
the folds of the choice are whole domains (at most five blocks of them), because what has to be
chosen is what transfers, and the shared part alone predicts.

The nine configurations span, with three values of each penalty, what the twenty of
`selection.default_grid` span with four and five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from palate.data.splits import grouped_folds
from palate.errors import DataError
from palate.explanations.evaluation import BASELINES, OURS, baseline, transfer_losses, without
from palate.explanations.problem import Array, Integers, Problem
from palate.explanations.protocol_splits import Mask
from palate.explanations.resampling import build
from palate.models.design import Config, Design, Fit
from palate.models.folds import pair_losses
from palate.models.selection import DOMAIN, SHARED, fit_on

SHARED_ONLY, SPECIFIC_ONLY, DIRTY = "shared-only", "specific-only", "dirty"
ELASTIC_NET, RIDGE = "elastic net", 1.0  # HMDR with a ridge term as large as its L1 penalty
REGRESSIONS = (OURS, SHARED_ONLY, SPECIFIC_ONLY, DIRTY)
DEFAULT_MODELS = (*REGRESSIONS, *BASELINES)
MODELS = (*REGRESSIONS, ELASTIC_NET, *BASELINES)
WITHOUT_TRANSFER = (SPECIFIC_ONLY, "per domain")  # have nothing to say about a new domain
COARSE_SHARED = (1.0, 0.35, 0.125)  # lambda_shared / Design.noise_scale()
COARSE_DOMAIN = (1.0, 0.25, 0.0625)  # lambda_domain / Design.noise_scale()
GRID_SIZES = (9, 20)
MIN_INNER_FOLDS = 2


@dataclass(frozen=True)
class Protocol:
    """How models are chosen, fitted and tested; see `palate.evaluate`."""

    models: tuple[str, ...] = DEFAULT_MODELS
    n_folds: int = 5
    configs: int = 9
    seed: int = 0
    alpha: float | None = None


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen for one model: in a split, or with a domain left out (position, else -1)."""

    model: str
    split: int
    left_out: int
    config: Config


def grid(
    design: Design, model: str, *, configs: int, alpha: float | None = None
) -> tuple[Config, ...]:
    """Return the configurations that a model is chosen from.

    HMDR and dirty: 9 or 20 combinations of lambda_shared and lambda_domain. Shared-only and
    specific-only, which have one penalty: the same values of it, so that no model is ahead because
    its penalty was searched more finely.

    Parameters
    ----------
    design
        Gives u, the penalty that keeps noise out and depends on no verdict, and the number of
        domains.
    model
        One of `REGRESSIONS`, or "elastic net", which has those of HMDR.
    configs
        9 or 20.
    alpha
        Weight of the loss of the shared part alone in HMDR; None for 1 / number of domains. As the
        losses of b add up to 1 + alpha, lambda_shared grows in proportion.
    """
    u = design.noise_scale()
    shared, domain = (COARSE_SHARED, COARSE_DOMAIN) if configs == 9 else (SHARED, DOMAIN)
    if model == SHARED_ONLY:
        return tuple(Config(0.0, f * u, np.inf) for f in shared)
    if model == SPECIFIC_ONLY:
        return tuple(Config(0.0, np.inf, f * u) for f in domain)
    own = design.default_alpha()
    if model == DIRTY:
        return tuple(Config(0.0, b * u, s * u) for b in shared for s in domain)
    if alpha is None:
        return tuple(Config(own, b * u, s * u) for b in shared for s in domain)
    more = (1.0 + alpha) / (1.0 + own)
    return tuple(Config(alpha, more * b * u, s * u) for b in shared for s in domain)


def with_penalty(design: Design, model: str) -> Design:
    """Return the design with the penalty of a model: a ridge term beside L1 for "elastic net".

    Parameters
    ----------
    design
        The pairs.
    model
        Its name.
    """
    return replace(design, ridge=RIDGE) if model == ELASTIC_NET else design


def in_domain_splits(
    problem: Problem, protocol: Protocol, tests: Mask, numbers: Integers
) -> tuple[Array, list[Choice]]:
    """Return held-out log-odds of every model in some splits, shape (M, S, n), and the choices.

    NaN where a pair is not in the test.

    Parameters
    ----------
    problem
        The used pairs of a mechanism.
    protocol
        How.
    tests
        Which pairs each of these S splits tests, shape (S, n).
    numbers
        Numbers of the splits, shape (S,).

    Raises
    ------
    DataError
        If a training part has fewer than two groups.
    ConvergenceError
        If a fit cannot be certified.
    """
    design = build(problem)
    out = np.full((len(protocol.models), *tests.shape), np.nan)
    choices: list[Choice] = []
    for s, test in enumerate(tests):
        if not test.any():
            continue
        folds = inner_folds(problem, ~test, protocol, stream=(1, int(numbers[s])))
        for m, model in enumerate(protocol.models):
            if model in BASELINES:
                out[m, s] = baseline(problem, model, [(test, ~test)])
                continue
            fitted = with_penalty(design, model)
            configs = grid(design, model, configs=protocol.configs, alpha=protocol.alpha)
            config = chosen(fitted, configs, folds, seed=protocol.seed)
            fit = fit_on(fitted, config, ~test, seed=protocol.seed)
            out[m, s, test] = fit.log_odds(design.X[test], design.codes[test])
            choices.append(Choice(model, int(numbers[s]), -1, config))
    return out, choices


def inner_folds(
    problem: Problem, train: Mask, protocol: Protocol, *, stream: tuple[int, ...]
) -> Integers:
    """Return the fold of each training pair for the choice of hyperparameters, -1 outside.

    Parameters
    ----------
    problem
        The used pairs.
    train
        Which pairs are in the training part, shape (n,).
    protocol
        Gives the number of folds, fewer where there are fewer groups, and the seed.
    stream
        What tells these folds from others: every split has folds of its own.

    Raises
    ------
    DataError
        If the training part has fewer than two groups.
    """
    n_groups = np.unique(problem.groups[train]).size
    n_folds = min(protocol.n_folds, n_groups)
    if n_folds < MIN_INNER_FOLDS:
        raise DataError(
            f"Mechanism {problem.mechanism!r}: the training part of a split is {n_groups} group of "
            "pairs that share prompts or responses; expected at least "
            f"{MIN_INNER_FOLDS}."
        )
    state = np.random.SeedSequence([protocol.seed, *stream]).generate_state(1)
    out = np.full(problem.n_pairs, -1, dtype=np.int64)
    out[train] = grouped_folds(
        problem.groups[train], n_folds, seed=int(state[0]), strata=problem.codes[train]
    )
    return out


def chosen(design: Design, configs: Sequence[Config], folds: Integers, *, seed: int) -> Config:
    """Return the configuration with the least cross-validated log-loss (the first, if equal).

    Parameters
    ----------
    design
        The pairs.
    configs
        The configurations.
    folds
        Fold of each pair, -1 for those that are neither fitted nor scored.
    seed
        Seed of the solver.
    """
    weight = design.pair_weights()
    losses = np.zeros(len(configs))
    for k in range(int(folds.max()) + 1):
        test, train = folds == k, (folds >= 0) & (folds != k)
        X, codes, y, w = design.X[test], design.codes[test], design.y[test], weight[test]
        for m, config in enumerate(configs):
            fit: Fit = fit_on(design, config, train, seed=seed)
            losses[m] += float(w @ pair_losses(fit.log_odds(X, codes), y))
    return configs[int(np.argmin(losses))]


def new_domain_predictions(problem: Problem, protocol: Protocol) -> tuple[Array, list[Choice]]:
    """Return log-odds of every domain by models that have not seen it, (M, n), and the choices.

    NaN for models that say nothing about a new domain, and for a domain all of whose pairs share
    groups with all others.

    Parameters
    ----------
    problem
        The used pairs of a mechanism in at least two domains.
    protocol
        How.

    Raises
    ------
    ConvergenceError
        If a fit cannot be certified.
    """
    design = build(problem)
    out = np.full((len(protocol.models), problem.n_pairs), np.nan)
    tests = [(test, without(problem, test)) for test in _domains(problem)]
    tests = [(test, train) for test, train in tests if train.any()]
    folds = inner_folds(problem, np.ones(problem.n_pairs, dtype=bool), protocol, stream=(2,))
    choices: list[Choice] = []
    for m, model in enumerate(protocol.models):
        if model in WITHOUT_TRANSFER:
            continue
        if model in BASELINES:
            out[m] = baseline(problem, model, tests)
            continue
        configs = grid(design, model, configs=protocol.configs, alpha=protocol.alpha)
        fitted = with_penalty(design, model)
        losses = transfer_losses(problem, fitted, configs, folds, seed=protocol.seed)
        for test, train in tests:
            d = int(problem.codes[np.argmax(test)])
            config = configs[int(np.argmin(losses[d]))]
            fit = fit_on(fitted, config, train, seed=protocol.seed)
            out[m, test] = design.X[test] @ fit.shared
            choices.append(Choice(model, -1, d, config))
    return out, choices


def _domains(problem: Problem) -> list[Mask]:
    return [problem.codes == d for d in range(problem.n_domains)]
