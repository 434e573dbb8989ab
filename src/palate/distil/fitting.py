"""The fit of a student: two ridge regressions per concept and a slope, all chosen by nested folds.

    soft value = t * clip(b * o(x) * r(x)^g, -1, 1)

- o, odd: a ridge regression of the LLM's values on the odd features, without intercept; either the
  same weights in every domain, or weights of the dense features that may differ between domains;
- r, even: a ridge regression of the size of the LLM's values (0: equal or not relevant) on the even
  features, with an intercept per domain, cut to [.02, 1];
- g in {0, 1/2, 1} says how far the relevance counts; b is 1 to 3 times the slope of the LLM's
  values on what stands behind it (more than once where they are nearly certain), and t in [0, 1]
  the slope on the clipped product, so that soft values are calibrated.

Which o, both penalties, g, b and t are chosen per concept from predictions for pairs that a model
has not seen. To be honest for fold f as well, every model is fitted without f and each further
fold h: what is chosen for f has not seen f. All concepts share the solutions of one linear system,
with as many unknowns as there are training pairs (the dual), so a fit costs n^3 whatever the
vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
POWERS = (0.0, 0.5, 1.0)
GAINS = (1.0, 1.25, 1.5, 2.0, 3.0)
LEAST = 0.02  # smallest relevance
INTERCEPT = 10.0  # prior variance of the intercept, beside 1 for all features together


class Chosen(NamedTuple):
    """What was chosen for each of C concepts: numbers of candidates, power g, slope b and
    ceiling t, shape (C,) each."""

    odd: Ints
    even: Ints
    power: Array
    slope: Array
    ceiling: Array

    def of(self, concepts: Ints) -> Chosen:
        """Return what was chosen for these concepts.

        Parameters
        ----------
        concepts
            Their numbers.
        """
        return Chosen(
            self.odd[concepts],
            self.even[concepts],
            self.power[concepts],
            self.slope[concepts],
            self.ceiling[concepts],
        )


class Fit(NamedTuple):
    """The result for some concepts: held-out soft values (n, C), what was chosen on all pairs, and
    the dual weights (n, C) of both parts."""

    held_out: Array
    chosen: Chosen
    odd: Array
    even: Array


def fit(odd: list[Array], even: Array, y: Array, folds: Ints) -> Fit:
    """Return the fit on pairs that all have values.

    Parameters
    ----------
    odd
        Candidate kernels of the odd part, shape (n, n) each.
    even
        Kernel of the even part, shape (n, n).
    y
        Values of the LLM in [-1, 1], shape (n, C).
    folds
        Fold of each pair, shape (n,).
    """
    size = np.abs(y)
    one_odd, two_odd = _predictions(odd, y, folds)
    one_even, two_even = _predictions([even], size, folds)
    held_out = np.zeros_like(y)
    for f in np.unique(folds):
        train, test = folds != f, folds == f
        chosen = choose(two_odd[f][:, train], two_even[f][:, train], y[train])
        held_out[test] = soft(
            _picked(one_odd[:, test], chosen.odd), _picked(one_even[:, test], chosen.even), chosen
        )
    chosen = choose(one_odd, one_even, y)
    return Fit(held_out, chosen, _dual(odd, y, chosen.odd), _dual([even], size, chosen.even))


def choose(odd: Array, even: Array, y: Array) -> Chosen:
    """Return the candidates with the smallest squared error per concept.

    Parameters
    ----------
    odd
        Predictions of the odd candidates, shape (k, n, C).
    even
        Predictions of the even candidates, shape (m, n, C).
    y
        Values of the LLM, shape (n, C).
    """
    best_odd = ((odd - y) ** 2).sum(axis=1).argmin(axis=0)
    best_even = ((even - np.abs(y)) ** 2).sum(axis=1).argmin(axis=0)
    direction, relevance = _picked(odd, best_odd), _relevance(_picked(even, best_even))
    raw = np.stack([direction * relevance**g for g in POWERS])
    slope = np.maximum(_slope(raw, y), 0.0)
    sharp = np.multiply.outer(np.array(GAINS), slope)  # (gains, powers, C)
    cut = np.clip(sharp[:, :, None, :] * raw, -1.0, 1.0)
    ceiling = np.clip(_slope(cut, y), 0.0, 1.0)
    error = ((ceiling[:, :, None, :] * cut - y) ** 2).sum(axis=2)
    columns = np.arange(y.shape[1])
    best = error.reshape(-1, columns.size).argmin(axis=0)
    gain, power = np.unravel_index(best, error.shape[:2])
    return Chosen(
        best_odd,
        best_even,
        np.array(POWERS)[power],
        sharp[gain, power, columns],
        ceiling[gain, power, columns],
    )


def soft(direction: Array, size: Array, chosen: Chosen) -> Array:
    """Return soft values from the predictions of both parts, shape (n, C).

    Parameters
    ----------
    direction
        Predictions of the odd part, shape (n, C).
    size
        Predictions of the even part, shape (n, C).
    chosen
        What was chosen.
    """
    raw = chosen.slope * direction * _relevance(size) ** chosen.power
    values: Array = chosen.ceiling * np.clip(raw, -1.0, 1.0)
    return values + 0.0  # no negative zeros


def penalty_of(candidate: Ints) -> Array:
    """Return the penalty of candidates.

    Parameters
    ----------
    candidate
        Numbers of candidates.
    """
    return np.array(PENALTIES)[candidate % len(PENALTIES)]


def kernel_of(candidate: Ints) -> Ints:
    """Return the number of the kernel of candidates.

    Parameters
    ----------
    candidate
        Numbers of candidates.
    """
    return np.asarray(candidate // len(PENALTIES), dtype=np.int64)


def _slope(predicted: Array, y: Array) -> Array:
    """Return sum of products over sum of squares over the pairs, 0 where nothing is predicted."""
    along, square = (predicted * y).sum(axis=-2), (predicted**2).sum(axis=-2)
    slope: Array = np.divide(along, square, out=np.zeros_like(along), where=square > 0)
    return slope


def _relevance(size: Array) -> Array:
    return np.clip(size, LEAST, 1.0)


def _picked(predictions: Array, candidate: Ints) -> Array:
    return predictions[candidate, :, np.arange(candidate.size)].T


def _predictions(kernels: list[Array], y: Array, folds: Ints) -> tuple[Array, dict[int, Array]]:
    """Return predictions of each pair by the models without its fold, shape (k, n, C), and for
    every fold f those by the models without f and the pair's fold (rows of f are left 0)."""
    numbers = np.unique(folds)
    shape = (len(kernels) * len(PENALTIES), *y.shape)
    one = np.zeros(shape)
    two = {int(f): np.zeros(shape) for f in numbers}
    for i, f in enumerate(numbers):
        without, held = folds != f, folds == f
        for c, predicted in _solved(kernels, y, without, held):
            one[c, held] = predicted
        for h in numbers[i + 1 :]:
            left_out = held | (folds == h)
            for c, predicted in _solved(kernels, y, ~left_out, left_out):
                two[int(f)][c, left_out] = predicted
                two[int(h)][c, left_out] = predicted
    return one, two


def _solved(
    kernels: list[Array], y: Array, train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, Array]]:
    from scipy.linalg import cho_factor, cho_solve

    at, to = np.flatnonzero(train), np.flatnonzero(test)
    for k, kernel in enumerate(kernels):
        inner, across = kernel[np.ix_(at, at)], kernel[np.ix_(to, at)]
        for p, penalty in enumerate(PENALTIES):
            system = inner + penalty * np.eye(at.size)
            weights = cho_solve(cho_factor(system, overwrite_a=True, check_finite=False), y[at])
            yield k * len(PENALTIES) + p, across @ weights


def _dual(kernels: list[Array], y: Array, candidate: Ints) -> Array:
    """Return the dual weights of the chosen candidates on all pairs, shape (n, C)."""
    from scipy.linalg import cho_factor, cho_solve

    out = np.zeros_like(y)
    for c in np.unique(candidate):
        penalty = float(penalty_of(c))
        system = kernels[int(kernel_of(c))] + penalty * np.eye(y.shape[0])
        columns = candidate == c
        out[:, columns] = cho_solve(cho_factor(system, overwrite_a=True), y[:, columns])
    return out
