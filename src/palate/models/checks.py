"""What every model checks of its input, and the sentences it says when the input is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.errors import InputError, NotFittedError
from palate.models.solver import Array


def check_penalties(alpha: float, lambda_shared: float, lambda_domain: float) -> None:
    """Refuse hyperparameters out of range.

    Raises
    ------
    InputError
        If alpha is negative or not finite, a lambda is not positive, or both are infinite.
    """
    if not (np.isfinite(alpha) and alpha >= 0.0):
        raise InputError(f"alpha: found {alpha}; expected a finite number of at least 0.")
    for name, value in (("lambda_shared", lambda_shared), ("lambda_domain", lambda_domain)):
        if not value > 0.0:
            raise InputError(f"{name}: found {value}; expected a positive number.")
    if np.isinf(lambda_shared) and np.isinf(lambda_domain):
        raise InputError("lambda_shared and lambda_domain are both infinite; expected one finite.")


def check_ridge(ridge: float) -> None:
    """Refuse a ridge ratio out of range.

    Raises
    ------
    InputError
        If it is negative or not finite.
    """
    if not (np.isfinite(ridge) and ridge >= 0.0):
        raise InputError(f"ridge: found {ridge}; expected a finite number of at least 0.")


def check_values(X: npt.ArrayLike) -> Array:
    """Return X as a finite float64 matrix of shape (n, C), n and C at least 1.

    Raises
    ------
    InputError
        If X is not a dense real matrix, is empty, or holds NaN or an infinity.
    """
    from sklearn.utils.validation import check_array

    try:
        out = check_array(X, dtype=np.float64, ensure_all_finite=False, input_name="X")
    except ValueError as error:
        raise InputError(str(error)) from error
    bad = np.argwhere(~np.isfinite(out))
    if bad.size:
        i, j = bad[0]
        what = "NaN" if np.isnan(out[i, j]) else "infinity (inf)"
        raise InputError(
            f"X, row {i}, concept {j}: found {what}; expected a finite number. "
            "Fill what was not measured explicitly, for instance with ConceptMatrix.filled."
        )
    return np.asarray(out, dtype=np.float64)


def check_verdicts(y: npt.ArrayLike) -> Array:
    """Return y as float64 of shape (n,) with values in [-1, 1].

    Raises
    ------
    InputError
        If y is not one-dimensional, holds NaN, or a value outside [-1, 1].
    """
    if y is None:
        raise InputError("The model requires y to be passed, but the target y is None.")
    try:
        out = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"y: found {error}; expected verdicts in [-1, 1].") from error
    if out.ndim != 1:
        raise InputError(f"y: found shape {out.shape}; expected one verdict per pair.")
    bad = np.flatnonzero(~(np.abs(out) <= 1.0))
    if bad.size:
        raise InputError(
            f"y, row {bad[0]}: found {out[bad[0]]}; expected a verdict in [-1, 1] "
            "(leave out pairs that were not judged)."
        )
    return out


def check_weights(weights: npt.ArrayLike | None, n: int) -> Array:
    """Return weights as float64 of shape (n,), 1 where None.

    Raises
    ------
    InputError
        If the length differs, or a weight is negative or not finite.
    """
    if weights is None:
        return np.ones(n)
    out = np.asarray(weights, dtype=np.float64)
    if out.shape != (n,):
        raise InputError(f"weights: found shape {out.shape}; expected ({n},).")
    if not (np.isfinite(out).all() and (out >= 0.0).all()):
        raise InputError("weights: found a negative or non-finite one; expected at least 0.")
    return out


def domain_codes(domains: npt.ArrayLike, names: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the position of each domain in `names`, -1 for those that are not there.

    Parameters
    ----------
    domains
        Domains, shape (n,).
    names
        The known domains.
    """
    position = {name: k for k, name in enumerate(names)}
    values = np.asarray(domains).ravel().tolist()
    return np.array([position.get(value, -1) for value in values], dtype=np.int64)


def not_fitted(model: object) -> NotFittedError:
    """Return the error of a model that was not fitted, which scikit-learn's users catch too.

    Parameters
    ----------
    model
        The model.
    """
    from sklearn import exceptions

    both = type("NotFittedError", (NotFittedError, exceptions.NotFittedError), {})
    error: NotFittedError = both(
        f"This {type(model).__name__} instance is not fitted yet; call fit first."
    )
    return error
