"""The work of the protocol in pieces: some splits of one mechanism, or its left-out domains.

Pieces are the same whoever does them, so the result does not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from palate.errors import ConvergenceError, DataError
from palate.explanations.problem import Array, Integers, Problem
from palate.explanations.protocol_fits import (
    Choice,
    Protocol,
    in_domain_splits,
    new_domain_predictions,
)
from palate.explanations.protocol_splits import Mask
from palate.workers import interrupts_ignored, n_processors

PIECE = 5  # splits in one piece
PARALLEL_FROM = 4_000  # verdicts times splits; below, starting processes costs more than it saves


@dataclass(frozen=True, eq=False)
class Done:
    """Log-odds of one mechanism: in domain (M, S, n), new domain (M, n); and the choices."""

    in_domain: Array
    new_domain: Array
    choices: tuple[Choice, ...]


Piece = tuple[str, Problem, Protocol, Mask | None, Integers]
Result = tuple[Array, list[Choice]] | DataError | ConvergenceError


def work(
    problems: Mapping[str, Problem],
    protocol: Protocol,
    tests: Mask,
    *,
    n_jobs: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Done | DataError | ConvergenceError]:
    """Return what the protocol predicts for every mechanism, or why it cannot.

    Parameters
    ----------
    problems
        The used pairs of each mechanism.
    protocol
        How.
    tests
        Which pairs of the file each split tests, shape (S, N).
    n_jobs
        Processes; None for one per processor.
    progress
        Called with the number of pieces done and their total, first with 0.
    """
    pieces: list[Piece] = []
    for name, problem in problems.items():
        none = np.empty(0, dtype=np.int64)
        pieces.append((name, problem, protocol, None, none))
        for start in range(0, len(tests), PIECE):
            numbers = np.arange(start, min(start + PIECE, len(tests)), dtype=np.int64)
            pieces.append((name, problem, protocol, tests[numbers][:, problem.rows], numbers))
    jobs = n_jobs or n_processors()
    size = sum(p.n_pairs for p in problems.values()) * len(tests)
    results: list[Result] = []
    for k, result in enumerate(_each(pieces, jobs if size >= PARALLEL_FROM else 1, progress)):
        results.append(result)
        if progress is not None:
            progress(k + 1, len(pieces))
    return {
        name: _joined([r for p, r in zip(pieces, results, strict=True) if p[0] == name])
        for name in problems
    }


def _each(
    pieces: Sequence[Piece], jobs: int, progress: Callable[[int, int], None] | None
) -> Iterator[Result]:
    if progress is not None:
        progress(0, len(pieces))
    if jobs == 1:
        yield from map(_quietly, pieces)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", inner_max_num_threads=1):
        run = Parallel(n_jobs=jobs, return_as="generator", max_nbytes="10M", mmap_mode="r")
        with interrupts_ignored():
            results = run(delayed(_quietly)(piece) for piece in pieces)
        yield from results


def _quietly(piece: Piece) -> Any:
    """Do a piece with one thread and without the input checks of scikit-learn."""
    from sklearn import config_context
    from threadpoolctl import threadpool_limits

    quick = config_context(assume_finite=True, skip_parameter_validation=True)
    _, problem, protocol, tests, numbers = piece
    try:
        with threadpool_limits(1), quick:
            if tests is None:
                return new_domain_predictions(problem, protocol)
            return in_domain_splits(problem, protocol, tests, numbers)
    except (DataError, ConvergenceError) as error:
        return error


def _joined(results: Sequence[Result]) -> Done | DataError | ConvergenceError:
    good: list[tuple[Array, list[Choice]]] = []
    for result in results:
        if isinstance(result, DataError | ConvergenceError):
            return result
        good.append(result)
    (new_domain, of_domains), inside = good[0], good[1:]
    return Done(
        in_domain=np.concatenate([z for z, _ in inside], axis=1),
        new_domain=new_domain,
        choices=(*(c for _, choices in inside for c in choices), *of_domains),
    )
