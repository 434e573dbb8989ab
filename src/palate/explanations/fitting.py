"""From a `Problem` to weights, intervals and held-out scores; arrays in, arrays out.

Up to `max_pairs` used pairs everything is done on all of them. Beyond, hyperparameters are chosen
and held-out scores are computed on a random part of about `max_pairs` pairs (whole groups, every
domain), and only the final fit uses all, with the chosen multiples of the noise level of all
pairs; so time grows with the number of pairs only as fast as one fit does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.data.splits import grouped_folds
from palate.errors import DataError
from palate.explanations.calibration import calibration_rows
from palate.explanations.evaluation import (
    IN_DOMAIN,
    OURS,
    HeldOut,
    Trial,
    in_domain,
    joined,
    new_domain,
    transfer_losses,
    trial,
)
from palate.explanations.grid import MAX_EXTENSIONS, carried_over, transfer_configs
from palate.explanations.nulls import formatting_only, shuffled
from palate.explanations.problem import Array, Integers, Problem, few
from palate.explanations.resampling import (
    Run,
    Task,
    build,
    n_bags,
    resample,
    sample_groups,
    take,
)
from palate.explanations.scores import score_rows
from palate.inference.discoveries import Support, supported
from palate.inference.effects import Effects, infer
from palate.models.design import Config, Design
from palate.models.selection import default_grid, extended

MIN_FOLDS = 3  # what nested cross-validation needs


@dataclass(frozen=True)
class Options:
    """How an explanation is computed; see `palate.explain`."""

    n_folds: int = 5
    n_bootstrap: int = 100
    level: float = 0.9
    fdr: float = 0.1
    seed: int = 0
    max_pairs: int = 5_000


@dataclass(frozen=True, eq=False)
class Fitted:
    """Weights (D + 1, C), row 0 the shared part; replicates (R, D + 1, C); scores; settings.

    `exists` (D + 1, C) says which weights exist by structure; `effects` and `support` are the
    estimates of `palate.inference` and what they support; `held_out` (n,) are log-odds by the
    model that has not seen the pair's fold, NaN where none was made.
    """

    weights: Array
    exists: npt.NDArray[np.bool_]
    replicates: Array
    effects: Effects
    support: Support
    held_out: Array
    scores: list[dict[str, Any]]
    calibration: list[dict[str, Any]]
    settings: dict[str, Any]
    notes: tuple[str, ...]


def one_by_one(tasks: list[Task]) -> list[Any]:
    """Return what the tasks return, each run here in turn.

    Parameters
    ----------
    tasks
        Functions with their arguments.
    """
    return [function(*arguments) for function, arguments in tasks]


def fit_problem(problem: Problem, options: Options, run: Run = one_by_one) -> Fitted:
    """Choose hyperparameters, fit, evaluate and resample.

    Parameters
    ----------
    problem
        The used pairs.
    options
        How.
    run
        Runs independent tasks, perhaps at the same time; changes nothing but the time.

    Raises
    ------
    DataError
        If there are fewer groups of pairs than nested cross-validation needs.
    ConvergenceError
        If a fit cannot be certified.
    """
    n_groups = problem.counts["clusters"]
    n_folds = min(options.n_folds, n_groups)
    if n_folds < MIN_FOLDS:
        raise DataError(
            f"Mechanism {problem.mechanism!r}: the {problem.n_pairs} usable verdicts are on "
            f"{n_groups} groups of pairs that share prompts or responses; expected at least "
            f"{MIN_FOLDS}."
        )
    part = np.arange(problem.n_pairs)
    if problem.n_pairs > options.max_pairs:
        part = sample_groups(problem, options.max_pairs, seed=options.seed)
    small = problem if part.size == problem.n_pairs else take(problem, part)
    design = build(small)
    folds = grouped_folds(small.groups, n_folds, seed=options.seed, strata=small.codes)
    seed = options.seed
    configs, transfer = default_grid(design), transfer_configs(design)
    tasks: list[Task] = [(_trial, (design, part_, folds, seed)) for part_ in chunks(configs)]
    tasks += [(_transfer, (small, design, part_, folds, seed)) for part_ in chunks(transfer)]
    tasks += [(_formatting, (small, folds, seed))]
    *results, formatting = run(tasks)
    tried = joined([r for r in results if isinstance(r, Trial)])
    parts = [r for r in results if not isinstance(r, Trial)]
    losses = np.hstack(parts) if parts else None
    selection = extended(design, tried.cv, seed=seed, max_extensions=MAX_EXTENSIONS)
    predictions = in_domain(small, tried)
    if losses is not None:
        predictions += new_domain(small, design, transfer, losses, seed=seed)
    predictions += [*formatting, *shuffled(small, tried, transfer, losses, seed=seed)]
    scores = score_rows(small, predictions, n_folds=n_folds, level=options.level, seed=options.seed)
    calibration = [
        row
        for h in predictions
        if h.model == OURS
        for row in calibration_rows(
            h.log_odds, small.y, small.groups, setting=h.setting, level=options.level, seed=seed
        )
    ]
    held_out = np.full(problem.n_pairs, np.nan)
    held_out[part] = next(
        p.log_odds for p in predictions if (p.setting, p.model) == (IN_DOMAIN, OURS)
    )
    config = selection.config
    if small is not problem:
        whole = build(problem)
        config = carried_over(config, design, whole)
        design = whole
    fit = design.fit(**config._asdict(), seed=options.seed)
    replicates = resample(problem, design, config, n=options.n_bootstrap, seed=seed, run=run)
    effects = infer(
        problem.X,
        problem.y,
        problem.codes,
        problem.groups,
        exists=design.structure,
        level=options.level,
    )
    settings = {
        **config._asdict(),
        "at_edge": selection.at_edge,
        "dual_gap": fit.gap,
        "relative_gap": fit.relative_gap,
        "objective": fit.objective,
        "folds": n_folds,
        "n_bootstrap": options.n_bootstrap,
        "level": options.level,
        "fdr": options.fdr,
        "repetition": effects.linear.posterior.correlation,
        "seed": options.seed,
        "evaluated_pairs": small.n_pairs,
        "bags": n_bags(problem),
        "grid": [
            {**c._asdict(), "log_loss": float(s)}
            for c, s in zip(selection.cv.configs, selection.cv.scores, strict=True)
        ],
    }
    return Fitted(
        weights=np.vstack([fit.shared, fit.domain]),
        exists=design.structure,
        replicates=replicates,
        effects=effects,
        support=supported(effects, fdr=options.fdr, given_up=problem.counts.get("given_up", 0)),
        held_out=held_out,
        scores=scores,
        calibration=calibration,
        settings=settings,
        notes=_notes(problem, small, selection.at_edge, n_folds, options),
    )


def chunks(items: Sequence[Any]) -> list[Any]:
    """Return a sequence in pieces of at most four.

    Parameters
    ----------
    items
        What to divide.
    """
    return [items[k : k + 4] for k in range(0, len(items), 4)]


def _trial(design: Design, configs: Sequence[Config], folds: Integers, seed: int) -> Trial:
    return trial(design, configs, folds, seed=seed)


def _transfer(
    problem: Problem, design: Design, configs: Sequence[Config], folds: Integers, seed: int
) -> Array:
    return transfer_losses(problem, design, configs, folds, seed=seed)


def _formatting(problem: Problem, folds: Integers, seed: int) -> list[HeldOut]:
    return formatting_only(problem, folds, seed=seed)


def _notes(
    problem: Problem, small: Problem, at_edge: bool, n_folds: int, options: Options
) -> tuple[str, ...]:
    notes = []
    size = np.bincount(small.codes, minlength=small.n_domains)
    unscored = [d for d, n in zip(small.domains, size, strict=True) if n < n_folds]
    if unscored:
        notes.append(
            f"{few(unscored)}: fewer usable verdicts than folds ({n_folds}), so no held-out score "
            "of their own is shown."
        )
    if n_folds < options.n_folds:
        notes.append(
            f"There are {n_folds} groups of pairs that share no prompt, so {n_folds} folds are "
            f"used instead of {options.n_folds}."
        )
    if at_edge:
        notes.append(
            "The chosen penalty is the smallest that was tried; weaker penalties might predict a "
            "little better."
        )
    if small is not problem:
        notes.append(
            f"Penalties and held-out scores are from a random {small.n_pairs:,} of the "
            f"{problem.n_pairs:,} usable verdicts; the weights are fitted on all."
        )
    return tuple(notes)
