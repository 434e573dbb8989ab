"""What an explanation has to beat: position, length, and logistic regressions without hierarchy.

All have `fit(X, y, domains)`, `decision_function(X, domains)` (log-odds of response a),
`predict_proba(X, domains)` in the order (-1, +1) and `predict(X, domains)` (+1, -1, 0 undecided);
shapes as in `palate.models.design`. All but `Majority` and `FirstResponse` are
antisymmetric: exchanging the two responses negates the log-odds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from palate.errors import DataError, InputError
from palate.models.checks import (
    check_values,
    check_verdicts,
    check_weights,
    domain_codes,
    not_fitted,
)
from palate.models.ridge import ridge_logistic
from palate.models.solver import Array

Integers = npt.NDArray[np.int64]
CS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Baseline(ABC):
    """What all baselines share: input checks, probabilities and predictions from log-odds."""

    domains_: tuple[Any, ...]

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        domains: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from pairs; ties are left out.

        Parameters
        ----------
        X
            Values, shape (n, C), finite.
        y
            Verdicts in [-1, 1], shape (n,).
        domains
            Domain of each pair, shape (n,); None puts all pairs into one.
        groups
            Group of each pair, shape (n,), left out together where a penalty is chosen; None: each
            its own.
        sample_weight
            Non-negative weight of each pair, shape (n,).

        Raises
        ------
        InputError
            If the input is malformed.
        DataError
            If all verdicts are ties.
        """
        values, verdicts = check_values(X), check_verdicts(y)
        if len(values) != verdicts.size:
            raise InputError(f"X has {len(values)} rows and y has {verdicts.size}.")
        weight = check_weights(sample_weight, verdicts.size)
        given = _domains(domains, verdicts.size)
        group = np.arange(verdicts.size) if groups is None else np.asarray(groups)
        if group.shape != verdicts.shape:
            raise InputError(f"groups: found shape {group.shape}; expected {verdicts.shape}.")
        used = (verdicts != 0.0) & (weight > 0.0)
        if not used.any():
            raise DataError("All verdicts are ties or have weight 0; expected one that is not.")
        self.domains_ = tuple(sorted(set(given[used].tolist())))
        codes = domain_codes(given[used], self.domains_)
        self._learn(values[used], verdicts[used], codes, group[used], weight[used])
        return self

    def decision_function(self, X: npt.ArrayLike, domains: npt.ArrayLike | None = None) -> Array:
        """Return the log-odds that response a is preferred, shape (n,).

        Parameters
        ----------
        X
            Values, shape (n, C), finite.
        domains
            Domain of each pair, shape (n,); one that was not in the fit gets the pooled answer.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        """
        if not hasattr(self, "domains_"):
            raise not_fitted(self)
        values = check_values(X)
        codes = domain_codes(_domains(domains, len(values)), self.domains_)
        return self._log_odds(values, codes)

    def predict_proba(self, X: npt.ArrayLike, domains: npt.ArrayLike | None = None) -> Array:
        """Return P(b preferred) and P(a preferred), shape (n, 2).

        Parameters
        ----------
        X
            Values, shape (n, C), finite.
        domains
            Domain of each pair, shape (n,).
        """
        from scipy.special import expit

        z = self.decision_function(X, domains)
        return np.column_stack([expit(-z), expit(z)])

    def predict(self, X: npt.ArrayLike, domains: npt.ArrayLike | None = None) -> Array:
        """Return +1, -1, or 0 where undecided, shape (n,).

        Parameters
        ----------
        X
            Values, shape (n, C), finite.
        domains
            Domain of each pair, shape (n,).
        """
        return np.sign(self.decision_function(X, domains)) + 0.0

    @abstractmethod
    def _learn(
        self, X: Array, y: Array, codes: Integers, groups: Integers, weight: Array
    ) -> None: ...

    @abstractmethod
    def _log_odds(self, X: Array, codes: Integers) -> Array: ...


class Majority(Baseline):
    """Always the side that won more often in training, in the domain.

    Responses have no names that two pairs share, so the majority class of a preference is a
    position: a or b. Where sides are shuffled this is chance, and it shows a leak of the winner's
    side where they are not. P(a) = (wins of a + 1) / (pairs + 2); X is ignored.
    """

    def _learn(self, X: Array, y: Array, codes: Integers, groups: Integers, weight: Array) -> None:
        D = len(self.domains_)
        p = (1.0 + y) / 2.0
        wins = np.bincount(codes, weight * p, D)
        losses = np.bincount(codes, weight * (1.0 - p), D)
        wins, losses = np.append(wins, wins.sum()), np.append(losses, losses.sum())
        self.log_odds_ = np.log((wins + 1.0) / (losses + 1.0))  # by domain, then over all

    def _log_odds(self, X: Array, codes: Integers) -> Array:
        return np.asarray(self.log_odds_[codes])


class FirstResponse(Baseline):
    """Always the response that stands first; X is ignored.

    The probability is the share of training pairs whose first response won, (wins + 1) /
    (pairs + 2), and never under one half: the rule picks the first one even where that loses.
    Where sides are shuffled it is right half of the time.
    """

    def _learn(self, X: Array, y: Array, codes: Integers, groups: Integers, weight: Array) -> None:
        wins, pairs = float(weight @ ((1.0 + y) / 2.0)), float(weight.sum())
        share = max((wins + 1.0) / (pairs + 2.0), 0.5 + 1e-9)
        self.confidence_ = float(np.log(share / (1.0 - share)))

    def _log_odds(self, X: Array, codes: Integers) -> Array:
        return np.full(len(X), self.confidence_)


class LongerResponse(Baseline):
    """Always the longer response; undecided where both are equally long.

    X has one column, the difference in words (a - b). The probability is the share of training
    pairs whose longer response won, (wins + 1) / (pairs + 2), and never under one half: the rule
    picks the longer one even where that loses.
    """

    def _learn(self, X: Array, y: Array, codes: Integers, groups: Integers, weight: Array) -> None:
        if X.shape[1] != 1:
            raise InputError(
                f"LongerResponse: found {X.shape[1]} columns; expected one, the word difference."
            )
        side = np.sign(X[:, 0])
        p = (1.0 + y * side) / 2.0
        wins, pairs = float(weight @ (p * (side != 0))), float(weight @ (side != 0))
        share = max((wins + 1.0) / (pairs + 2.0), 0.5 + 1e-9)
        self.confidence_ = float(np.log(share / (1.0 - share)))

    def _log_odds(self, X: Array, codes: Integers) -> Array:
        return np.asarray(self.confidence_ * np.sign(X[:, 0]))


@dataclass(eq=False)
class PooledLogistic(Baseline):
    """One logistic regression for all domains: L2 penalty, no intercept.

    Minimises sum_i w_i l(y_i beta'x_i) + |beta|^2 / (2 C); C is chosen by the
    log-loss of leaving each group out, approximately.

    Parameters
    ----------
    Cs
        Values of C to choose from.
    """

    Cs: tuple[float, ...] = CS

    def _learn(self, X: Array, y: Array, codes: Integers, groups: Integers, weight: Array) -> None:
        self.coef_, self.C_ = ridge_logistic(X, y, weight, Cs=self.Cs, groups=groups, codes=codes)

    def _log_odds(self, X: Array, codes: Integers) -> Array:
        return np.asarray(X @ self.coef_)


@dataclass(eq=False)
class PerDomainLogistic(Baseline):
    """One logistic regression per domain, as `PooledLogistic`.

    A domain with fewer than `min_pairs` decided pairs uses the pooled regression, as does a domain
    that was not in the fit; `fallback_` names them.

    Parameters
    ----------
    min_pairs
        Fewest decided pairs for a regression of its own.
    Cs
        Values of C to choose from, in each domain by itself.
    """

    min_pairs: int = 10
    Cs: tuple[float, ...] = CS

    def _learn(self, X: Array, y: Array, codes: Integers, groups: Integers, weight: Array) -> None:
        pooled, _ = ridge_logistic(X, y, weight, Cs=self.Cs, groups=groups, codes=codes)
        coefs, fallback = [], []
        for d, name in enumerate(self.domains_):
            own = codes == d
            if int(own.sum()) < self.min_pairs:
                fallback.append(name)
                coefs.append(pooled)
            else:
                coef, _ = ridge_logistic(
                    X[own], y[own], weight[own], Cs=self.Cs, groups=groups[own]
                )
                coefs.append(coef)
        self.coef_ = np.vstack([*coefs, pooled])  # by domain, then pooled
        self.fallback_ = tuple(fallback)

    def _log_odds(self, X: Array, codes: Integers) -> Array:
        return np.asarray(np.einsum("ij,ij->i", X, self.coef_[codes]))


def _domains(domains: npt.ArrayLike | None, n: int) -> npt.NDArray[Any]:
    given = np.full(n, "all") if domains is None else np.asarray(domains)
    if given.shape != (n,):
        raise InputError(f"domains: found shape {given.shape}; expected ({n},).")
    return given
