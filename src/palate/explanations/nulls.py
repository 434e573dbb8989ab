"""What would be predicted without knowing what the concepts say: null models beside HMDR.

- *formatting only*: HMDR on the length and layout of the texts, tuned and tested in the same way. A
  gain over it is more than how long responses are and how they are laid out.
- *shuffled verdicts*: HMDR at the chosen penalties, fitted on training verdicts whose sides were
  drawn anew, group by group, and scored on the true ones. Its log-loss is the price of learning
  from noise; its accuracy is that of a coin.
- *shuffled concept labels*: the fitted weights, handed out to other concepts of the same domains. A
  gain over it says that it matters which concept is which, not only that a response is better
  all round.

Shuffled verdicts: y_i becomes s_g y_i with one random sign s_g per group g. Which response stands
first is a convention, so exchanging verdicts between pairs would mix concepts with positions; signs
keep the pairs, the scale of the verdicts and what the verdicts of a prompt have in common, and do
not depend on the order of presentation. All signs exchanged at once give the negative weights, so
every draw is scored with both and the accuracy is 1/2 exactly; else a few draws would show the luck
of their signs where concepts go together (any direction then is far from 1/2, up or down).

Rows of values exchanged between pairs say the same thing as verdicts exchanged between them, so
there is no second null of that kind. Columns exchanged before a fit change nothing. Exchanged after
it they do: where concepts share a general impression (a halo), many weights predict well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from palate.explanations.evaluation import (
    IN_DOMAIN,
    NEW_DOMAIN,
    HeldOut,
    Trial,
    chosen_log_odds,
    left_out,
    left_out_log_odds,
    transfer_losses,
    trial,
)
from palate.explanations.problem import Array, Integers, Problem
from palate.explanations.resampling import build
from palate.models.design import Config, Design
from palate.models.selection import fit_on

FORMATTING, VERDICTS, LABELS = (
    "formatting only",
    "shuffled verdicts",
    "shuffled concept labels",
)
COARSE = (1.0, 0.25), (1.0, 0.25, 0.0625)  # lambda_shared and lambda_domain, in units of u
N_VERDICTS, N_LABELS = 3, 20  # repeats; one of the first costs a fit per fold, the others none


def formatting_only(problem: Problem, folds: Integers, *, seed: int) -> list[HeldOut]:
    """Return held-out predictions of HMDR on length and layout alone, in all settings.

    Where no pair differs in length or layout every prediction is undecided.

    Parameters
    ----------
    problem
        The used pairs.
    folds
        Fold of each pair, shape (n,).
    seed
        Seed of the solver.
    """
    columns = problem.formatting[:, (problem.formatting != 0).any(axis=0)]
    many = problem.n_domains > 1
    if columns.shape[1] == 0:
        flat = np.zeros(problem.n_pairs)
        return [HeldOut(s, FORMATTING, flat) for s in (IN_DOMAIN, NEW_DOMAIN)[: 1 + many]]
    plain = replace(
        problem,
        X=np.ascontiguousarray(columns),
        concept_domains=(None,) * columns.shape[1],
    )
    design = build(plain)
    tried = trial(design, coarse_grid(design), folds, seed=seed)
    out = [HeldOut(IN_DOMAIN, FORMATTING, chosen_log_odds(tried))]
    if many:
        configs = tuple(c for c in coarse_grid(design) if c.lambda_shared >= c.lambda_domain)
        losses = transfer_losses(plain, design, configs, folds, seed=seed)
        found = left_out_log_odds(plain, design, configs, losses, seed=seed)
        out.append(HeldOut(NEW_DOMAIN, FORMATTING, found))
    return out


def coarse_grid(design: Design) -> tuple[Config, ...]:
    """Return every other of the penalties that HMDR chooses from: a dozen columns need no more.

    Parameters
    ----------
    design
        Gives the scale u and alpha.
    """
    unit, alpha = design.noise_scale(), design.default_alpha()
    if len(design.domains) == 1:
        return tuple(Config(alpha, f * unit, f * unit) for f in COARSE[1])
    return tuple(Config(alpha, b * unit, s * unit) for b in COARSE[0] for s in COARSE[1])


def shuffled(
    problem: Problem,
    tried: Trial,
    transfer: Sequence[Config],
    losses: Array | None,
    *,
    seed: int,
) -> list[HeldOut]:
    """Return held-out predictions after shuffling verdicts and concept labels, in all settings.

    `log_odds` of these have the shape (repeats, n).

    Parameters
    ----------
    problem
        The used pairs.
    tried
        Fits of all configurations without each fold.
    transfer
        The M configurations for new domains.
    losses
        What `transfer_losses` gives, shape (D, M); None where there is one domain.
    seed
        Seed of the shuffles and of the solver.
    """
    folds = tried.cv.folds
    names = [IN_DOMAIN] + [NEW_DOMAIN] * (losses is not None)
    designs = [build(replace(problem, y=y)) for y in flipped(problem, seed=seed)]
    orders = relabelled(problem, seed=seed)
    verdicts = {name: np.full((N_VERDICTS, problem.n_pairs), np.nan) for name in names}
    labels = {name: np.full((N_LABELS, problem.n_pairs), np.nan) for name in names}

    for k, m in enumerate(np.argmin(tried.inner, axis=0)):
        test, fit = folds == k, tried.cv.fits[m][k]
        X, codes = problem.X[test], problem.codes[test]
        for r, design in enumerate(designs):
            null = fit_on(design, tried.cv.configs[m], ~test, seed=seed)
            verdicts[IN_DOMAIN][r, test] = null.log_odds(X, codes)
        for r, order in enumerate(orders):
            labels[IN_DOMAIN][r, test] = fit.log_odds(X[:, order], codes)
    if losses is not None:
        design = build(problem)
        for test, train, config in left_out(problem, transfer, losses):
            X = problem.X[test]
            shared = fit_on(design, config, train, seed=seed).shared
            for r, null_design in enumerate(designs):
                null = fit_on(null_design, config, train, seed=seed)
                verdicts[NEW_DOMAIN][r, test] = X @ null.shared
            for r, order in enumerate(orders):
                labels[NEW_DOMAIN][r, test] = X[:, order] @ shared
    both = {name: np.vstack([z, -z]) for name, z in verdicts.items()}
    return [
        HeldOut(name, model, found[name])
        for model, found in ((VERDICTS, both), (LABELS, labels))
        for name in names
    ]


def flipped(problem: Problem, *, seed: int) -> list[Array]:
    """Return the verdicts with one random sign per group, several times, shape (n,) each.

    Parameters
    ----------
    problem
        The used pairs.
    seed
        Seed of the signs.
    """
    _, group = np.unique(problem.groups, return_inverse=True)
    random = np.random.default_rng([seed, 5])
    signs = random.choice([-1.0, 1.0], size=(N_VERDICTS, int(group.max()) + 1))
    return [problem.y * sign[group] for sign in signs]


def relabelled(problem: Problem, *, seed: int) -> list[Integers]:
    """Return random orders of the columns that exchange concepts of the same domains only.

    Parameters
    ----------
    problem
        The used pairs.
    seed
        Seed of the orders.
    """
    random = np.random.default_rng([seed, 6])
    alike: dict[tuple[str, ...] | None, list[int]] = {}
    for j, domains in enumerate(problem.concept_domains):
        alike.setdefault(domains, []).append(j)
    orders = []
    for _ in range(N_LABELS):
        order = np.arange(problem.X.shape[1])
        for members in alike.values():
            order[members] = random.permutation(members)
        orders.append(order)
    return orders
