"""`evaluate`: how well do the models predict, and is HMDR better than what it is compared with?

The protocol of the paper's Table 1, for every mechanism of a file: repeated grouped splits in
domain, and leaving each domain out; hyperparameters are chosen inside the training part. The
splits are those of the file, the same for every mechanism and model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError, UnknownNameError
from palate.explanations.evaluation import IN_DOMAIN, NEW_DOMAIN, OURS
from palate.explanations.problem import Frame, Problem
from palate.explanations.protocol_fits import DEFAULT_MODELS, GRID_SIZES, MODELS, Choice, Protocol
from palate.explanations.protocol_result import CHOICES, SCORES, Evaluation
from palate.explanations.protocol_scores import MEAN_MECHANISM, Tested, score_rows
from palate.explanations.protocol_splits import n_parts, repeated_splits
from palate.explanations.protocol_work import Done, work
from palate.explanations.resampling import sample_groups, take

Progress = Callable[[int, int], None]
MAX_PAIRS = 5_000


def evaluate(
    preferences: Preferences,
    concepts: ConceptMatrix | None = None,
    *,
    mechanisms: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    n_splits: int = 25,
    test_share: float = 0.125,
    n_folds: int = 5,
    configs: int = 9,
    alpha: float | None = None,
    level: float = 0.9,
    seed: int = 0,
    missing: Literal["zero", "raise"] = "zero",
    cluster: str | None = None,
    max_pairs: int = MAX_PAIRS,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare HMDR with its variants and with baselines on held-out verdicts, as the paper does.

    A mechanism that cannot be evaluated is left out, and `skipped` says why, unless it is the
    only one. The result does not depend on `n_jobs`.

    Parameters
    ----------
    preferences
        The pairs and verdicts, in at least two domains.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    mechanisms
        Which mechanisms; None for all.
    models
        Which models stand beside HMDR: any of "shared-only", "specific-only", "dirty",
        "elastic net", "majority", "first response", "longer response", "pooled", "per domain";
        None for all but "elastic net".
    n_splits
        Random splits in domain, at least 2.
    test_share
        Share of the pairs in the test of a split, rounded to one over a whole number.
    n_folds
        Folds of the cross-validation inside the training part, at least 2.
    configs
        Configurations that HMDR and dirty are chosen from: 9, or the 20 of `palate.explain`.
    alpha
        Weight of the loss of the shared part alone in HMDR; None for 1 / number of domains.
    level
        Level of all intervals, between 0 and 1.
    seed
        Seed of splits, folds, draws and solver.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    cluster
        Metadata column (a voter, a session) whose equal values are kept together in splits, folds
        and draws, as equal prompts and response pairs are.
    max_pairs
        Used pairs of a mechanism beyond which a random part of about so many is used.
    n_jobs
        Processes; None for one per processor.
    progress
        Called with the number of parts of the work done and their total, first with 0.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism, model or metadata column.
    DataError
        If no mechanism can be evaluated: fewer than two domains, too few verdicts or groups.
    InputError
        If a setting is out of range.
    """
    names = chosen_models(models)
    check_protocol(n_splits, n_folds, configs, level, seed, max_pairs, n_jobs, alpha)
    parts = n_parts(test_share)
    wanted = tuple(preferences.mechanisms if mechanisms is None else dict.fromkeys(mechanisms))
    if not wanted:
        raise DataError("There is no mechanism to evaluate; expected verdicts of at least one.")
    verdicts = {name: preferences.verdict(name) for name in wanted}
    if len(preferences.domains) < 2:
        raise DataError(
            f"All pairs are in one domain ({preferences.domains[0]!r}); expected at least two, "
            "between which shared and domain weights can differ."
        )
    if concepts is None:
        from palate.concepts.measured import measure

        concepts = measure(preferences, n_jobs=n_jobs)
    frame = Frame.of(preferences, concepts, missing=missing, cluster=cluster)
    problems: dict[str, Problem] = {}
    skipped: dict[str, str] = {}
    notes: list[str] = []
    for name in wanted:
        try:
            problems[name] = _problem(frame, name, verdicts[name], max_pairs, seed, notes)
        except DataError as error:
            if len(wanted) == 1:
                raise
            skipped[name] = str(error)
    _any(problems, skipped, len(wanted))
    rows = np.unique(np.concatenate([p.rows for p in problems.values()]))
    tests = np.zeros((n_splits, frame.codes.size), dtype=bool)
    tests[:, rows] = repeated_splits(
        frame.group_of[rows],
        frame.codes[rows],
        n_splits=n_splits,
        test_share=test_share,
        seed=seed,
    )
    protocol = Protocol(names, n_folds, configs, seed, alpha)
    tested: list[Tested] = []
    choices: list[dict[str, Any]] = []
    found = work(problems, protocol, tests, n_jobs=n_jobs, progress=progress)
    for name, result in found.items():
        if not isinstance(result, Done):
            if len(wanted) == 1:
                raise result
            skipped[name] = str(result)
            continue
        p = problems[name]
        for setting, z in ((IN_DOMAIN, result.in_domain), (NEW_DOMAIN, result.new_domain[:, None])):
            scored = Tested.of(p, setting, names, z, least=parts)
            if scored is not None:
                tested.append(scored)
        choices += [_choice(p, choice) for choice in result.choices]
        notes += _small_domains(p, parts)
        if not any(t.mechanism == name for t in tested):
            skipped[name] = (
                f"{name}: no domain has the {parts} usable verdicts that splits into {parts} "
                "parts need."
            )
    _any({t.mechanism: t for t in tested}, skipped, len(wanted))
    scores = score_rows(tested, frame.group_of, frame.codes, level=level, seed=seed)
    evaluated = tuple(n for n in wanted if any(t.mechanism == n for t in tested))
    settings = {
        "models": list(names),
        "n_splits": n_splits,
        "test_share": 1 / parts,
        "n_folds": n_folds,
        "configs": configs,
        "alpha": alpha,
        "level": level,
        "seed": seed,
        "missing": missing,
        "cluster": cluster,
        "max_pairs": max_pairs,
    }
    return Evaluation(
        scores=pl.DataFrame(scores, schema=SCORES),
        choices=pl.DataFrame(choices, schema=CHOICES),
        counts={n: dict(problems[n].counts) for n in evaluated},
        skipped={n: skipped[n] for n in wanted if n in skipped},
        notes=tuple(dict.fromkeys(notes)),
        settings=settings,
    )


def check_protocol(
    n_splits: int,
    n_folds: int,
    configs: int,
    level: float,
    seed: int,
    max_pairs: int,
    n_jobs: int | None,
    alpha: float | None,
) -> None:
    """Refuse settings out of range, by name.

    Parameters
    ----------
    n_splits
        At least 2.
    n_folds
        At least 2.
    configs
        9 or 20.
    level
        Between 0 and 1.
    seed
        At least 0.
    max_pairs
        At least 1,000.
    n_jobs
        At least 1, or None.
    alpha
        At least 0 and finite, or None.

    Raises
    ------
    InputError
        If one is out of range.
    """
    for name, value, least in (
        ("n_splits", n_splits, 2),
        ("n_folds", n_folds, 2),
        ("seed", seed, 0),
        ("max_pairs", max_pairs, 1_000),
        ("n_jobs", 1 if n_jobs is None else n_jobs, 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(
                f"{name}: found {value!r}; expected a whole number of at least {least}."
            )
    if configs not in GRID_SIZES:
        raise InputError(f"configs: found {configs!r}; expected 9 or 20.")
    if alpha is not None and not 0.0 <= alpha < np.inf:
        raise InputError(f"alpha: found {alpha!r}; expected a finite number of at least 0.")
    if not 0 < level < 1:
        raise InputError(f"level: found {level!r}; expected a number between 0 and 1.")


def chosen_models(models: Sequence[str] | None) -> tuple[str, ...]:
    """Return HMDR and the models that were asked for, in the order of `MODELS`.

    Parameters
    ----------
    models
        Names of models; None for all but "elastic net".

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    if models is None:
        return DEFAULT_MODELS
    for name in models:
        if name not in MODELS:
            raise UnknownNameError("model", name, MODELS)
    return tuple(m for m in MODELS if m == OURS or m in models)


def _problem(
    frame: Frame, name: str, verdicts: Any, max_pairs: int, seed: int, notes: list[str]
) -> Problem:
    if name == MEAN_MECHANISM:
        raise DataError(f"Mechanism {name!r}: this name stands for the mean over mechanisms.")
    problem = Problem.of(frame, name, verdicts)
    if problem.n_domains < 2:
        raise DataError(
            f"Mechanism {name!r}: its usable verdicts are all in one domain "
            f"({problem.domains[0]!r}); expected at least two domains."
        )
    if problem.n_pairs > max_pairs:
        part = sample_groups(problem, max_pairs, seed=seed)
        notes.append(
            f"{name}: a random {part.size:,} of {problem.n_pairs:,} usable verdicts were used."
        )
        problem = take(problem, part)
    return problem


def _any(found: dict[str, Any], skipped: dict[str, str], n: int) -> None:
    if not found:
        reasons = " ".join(list(skipped.values())[:3])
        if n == 1:
            raise DataError(reasons)
        raise DataError(f"None of the {n} mechanisms can be evaluated. {reasons}".rstrip())


def _small_domains(problem: Problem, least: int) -> list[str]:
    size = np.bincount(problem.codes, minlength=problem.n_domains)
    small = [d for d, n in zip(problem.domains, size, strict=True) if n < least]
    if not small:
        return []
    return [
        f"{problem.mechanism}: {', '.join(small)} {'has' if len(small) == 1 else 'have'} fewer "
        f"than {least} usable verdicts, so no score and no part in the mean of domains."
    ]


def _choice(problem: Problem, choice: Choice) -> dict[str, Any]:
    """Return a row of `Evaluation.choices`; a penalty that is absent with its part is null."""
    penalties = {k: v if np.isfinite(v) else None for k, v in choice.config._asdict().items()}
    inside = choice.left_out < 0
    return {
        "mechanism": problem.mechanism,
        "setting": IN_DOMAIN if inside else NEW_DOMAIN,
        "model": choice.model,
        "split": choice.split if inside else None,
        "left_out": None if inside else problem.domains[choice.left_out],
        **penalties,
    }
