"""Refits on resampled prompts, and the parts of many pairs that are drawn on the way.

Beyond `BAG_FROM` pairs the bootstrap is a bag of little bootstraps (Kleiner, Talwalkar, Sarkar and
Jordan 2014, arXiv 1112.5016): groups are divided at random into bags of about `BAG_SIZE` pairs,
and each replicate draws as many groups as the whole data have from one bag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from palate.explanations.problem import Array, Integers, Problem
from palate.inference.bootstrap import Resampling
from palate.models.design import Config, Design
from palate.models.selection import CV_TOL

BAG_FROM, BAG_SIZE, MAX_BAGS = 10_000, 5_000, 10
PIECE = 10  # refits in one task
Task = tuple[Callable[..., Any], tuple[Any, ...]]
Run = Callable[[list[Task]], list[Any]]


def resample(
    problem: Problem, design: Design, config: Config, *, n: int, seed: int, run: Run
) -> Array:
    """Return bootstrap replicates of all weights, shape (R, D + 1, C).

    Parameters
    ----------
    problem
        The used pairs.
    design
        Their design.
    config
        Its hyperparameters, which every replicate keeps.
    n
        R, the number of replicates.
    seed
        Seed of the draws.
    run
        Runs independent tasks.
    """
    bags = n_bags(problem)
    out = np.empty((n, problem.n_domains + 1, problem.X.shape[1]))
    if bags == 1:
        resampling = Resampling.of(problem.groups, problem.codes)
        pieces = [np.arange(k, min(k + PIECE, n)) for k in range(0, n, PIECE)]
        tasks: list[Task] = [
            (_refits, (design, config, resampling, 1.0, piece, seed)) for piece in pieces
        ]
    else:
        pieces = [np.arange(k, n, bags) for k in range(bags)]
        members = divide(problem, bags, seed=seed)
        tasks = [
            (_bag, (take(problem, rows), config, piece, seed))
            for rows, piece in zip(members, pieces, strict=True)
            if piece.size
        ]
        pieces = [piece for piece in pieces if piece.size]
    for piece, draws in zip(pieces, run(tasks), strict=True):
        out[piece] = draws
    return out


def _refits(
    design: Design,
    config: Config,
    resampling: Resampling,
    times: float,
    replicates: Integers,
    seed: int,
) -> Array:
    draws = [
        refit(design, config, resampling.pair_weights(int(r), seed=seed, times=times), seed)
        for r in replicates
    ]
    return np.stack(draws)


def _bag(bag: Problem, config: Config, replicates: Integers, seed: int) -> Array:
    """Return refits on one bag, each as large as the whole data."""
    resampling = Resampling.of(bag.groups, bag.codes)
    times = bag.counts["clusters"] / resampling.n_groups  # counts are those of the whole
    return _refits(build(bag), config, resampling, times, replicates, seed)


def build(problem: Problem) -> Design:
    """Return the design of a problem, all of its domains included.

    Parameters
    ----------
    problem
        The used pairs.
    """
    position = {name: d for d, name in enumerate(problem.domains)}
    specific = [
        None if own is None else [position[d] for d in own] for own in problem.concept_domains
    ]
    return Design.build(
        problem.X,
        problem.y,
        problem.codes,
        concept_domains=specific,
        domain_names=range(problem.n_domains),
    )


def refit(design: Design, config: Config, weights: Array, seed: int) -> Array:
    """Return the weights (D + 1, C) of a fit on reweighted pairs.

    Parameters
    ----------
    design
        The pairs.
    config
        Hyperparameters.
    weights
        Weight of each pair, shape (n,).
    seed
        Seed of the solver.
    """
    fit = design.fit(**config._asdict(), pair_weight=weights, tol=CV_TOL, seed=seed)
    return np.vstack([fit.shared, fit.domain])


def n_bags(problem: Problem) -> int:
    """Return the number of bags of the bootstrap, 1 for the ordinary one.

    Parameters
    ----------
    problem
        The used pairs.
    """
    if problem.n_pairs <= BAG_FROM:
        return 1
    return min(MAX_BAGS, problem.n_pairs // BAG_SIZE)


def take(problem: Problem, part: Integers) -> Problem:
    """Return some pairs of a problem, in row order, its domains and concepts unchanged.

    Parameters
    ----------
    problem
        The used pairs.
    part
        Positions of the pairs to keep, ascending.
    """
    return replace(
        problem,
        X=problem.X[part],
        y=problem.y[part],
        codes=problem.codes[part],
        groups=problem.groups[part],
        longer=problem.longer[part],
        formatting=problem.formatting[part],
        rows=problem.rows[part],
    )


def sample_groups(problem: Problem, n_pairs: int, *, seed: int) -> Integers:
    """Return positions of about `n_pairs` pairs: whole groups at random, some of every domain.

    Parameters
    ----------
    problem
        The used pairs.
    n_pairs
        How many pairs, about.
    seed
        Seed of the choice.
    """
    order = _shuffled(problem, seed)
    share = np.ceil(np.bincount(problem.codes) * (n_pairs / problem.n_pairs))
    quota = np.maximum(share, 200.0)
    rank = np.empty(problem.n_pairs)
    for d in range(problem.n_domains):
        inside = order[problem.codes[order] == d]
        rank[inside] = np.arange(inside.size)
    chosen = np.unique(problem.groups[rank < quota[problem.codes]])
    return np.flatnonzero(np.isin(problem.groups, chosen))


def divide(problem: Problem, bags: int, *, seed: int) -> list[Integers]:
    """Return positions of pairs in `bags` bags of about `BAG_SIZE` pairs, whole groups.

    Parameters
    ----------
    problem
        The used pairs.
    bags
        Number of bags.
    seed
        Seed of the division.
    """
    _, code = np.unique(problem.groups, return_inverse=True)
    n_groups = int(code.max()) + 1
    slots = max(bags, problem.n_pairs // BAG_SIZE)
    slot = np.random.default_rng([seed, 3]).permutation(n_groups) % slots
    return [np.flatnonzero(slot[code] == k) for k in range(bags)]


def _shuffled(problem: Problem, seed: int) -> Integers:
    """Return all positions such that groups are in random order and stay together."""
    _, code = np.unique(problem.groups, return_inverse=True)
    position = np.random.default_rng([seed, 2]).permutation(int(code.max()) + 1)
    return np.argsort(position[code], kind="stable")
