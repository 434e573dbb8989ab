"""`HMDR`: hierarchical multi-domain regression, the estimator (METHOD section 3).

With the losses averaged over the n examples, whatever their domain,

    minimise  mean_i l(y_i (b + s(d_i))'x_i)  +  alpha mean_i l(y_i b'x_i)
              +  lambda_shared |b|_1  +  lambda_domain sum_d |s(d)|_1,     l(m) = log(1 + exp(-m))

b is zero on specific concepts, s(d) on concepts specific to other domains; there is no intercept.
Calderon, Ein-Dor and Reichart, arXiv 2505.20088; a lambda of the paper is D times ours.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from palate.errors import DataError, InputError, UnknownNameError
from palate.models.checks import (
    check_values,
    check_verdicts,
    check_weights,
    domain_codes,
    not_fitted,
)
from palate.models.design import ConceptDomains, Config, Design, Fit
from palate.models.solver import Array


class HMDR(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Hierarchical multi-domain regression with a certified optimum.

    Learned: `domains_`, `shared_coef_` (C,), `domain_coef_` (D, C), `structure_` (D + 1, C),
    `alpha_`, `objective_`, `dual_gap_`, `relative_gap_`, `n_iter_`, `refits_` (how often the
    solver had to run again tighter), `classes_`, `n_features_in_`. With a single domain the model
    is the shared part alone.

    Parameters
    ----------
    alpha
        Weight of the losses of the shared part alone; None is 1 / D.
    lambda_shared
        Penalty of b; `inf` removes the shared part.
    lambda_domain
        Penalty of each s(d); `inf` removes the domain parts.
    ridge
        Elastic net: every weight w also costs ridge * lambda * w^2 / 2; 0 for the L1 penalty alone.
    unseen_domain
        What to do with a domain that was not in the fit: "raise", or "shared" to use b alone.
    tol
        Largest relative duality gap accepted.
    seed
        Seed of the solver's permutations.
    """

    def __init__(
        self,
        *,
        alpha: float | None = None,
        lambda_shared: float = 0.01,
        lambda_domain: float = 0.005,
        ridge: float = 0.0,
        unseen_domain: Literal["raise", "shared"] = "raise",
        tol: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.alpha = alpha
        self.lambda_shared = lambda_shared
        self.lambda_domain = lambda_domain
        self.ridge = ridge
        self.unseen_domain = unseen_domain
        self.tol = tol
        self.seed = seed

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        domains: npt.ArrayLike | None = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
        concept_domains: ConceptDomains | None = None,
    ) -> HMDR:
        """Learn b and s(d).

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        y
            Verdicts in [-1, 1], shape (n,): 0 is left out, |y| < 1 is the soft label (1 + y) / 2.
        domains
            Domain of each pair, shape (n,); None puts all pairs into one.
        sample_weight
            Non-negative weight of each pair, shape (n,).
        concept_domains
            Per concept None (shared) or the domains it is specific to.

        Raises
        ------
        InputError
            If the input or a hyperparameter is malformed.
        DataError
            If all verdicts are ties.
        ConvergenceError
            If the solver cannot certify the optimum to `tol`.
        """
        design = Design.build(
            X,
            y,
            domains,
            concept_domains=concept_domains,
            sample_weight=sample_weight,
            ridge=self.ridge,
        )
        config = self._config(design)
        fit = design.fit(**config._asdict(), tol=self.tol, seed=self.seed)
        return self._learn(design, fit, config.alpha)

    def _config(self, design: Design) -> Config:
        alpha = design.default_alpha() if self.alpha is None else self.alpha
        return Config(alpha, self.lambda_shared, self.lambda_domain)

    def _learn(self, design: Design, fit: Fit, alpha: float) -> HMDR:
        self.alpha_ = alpha
        self.domains_ = design.domains
        self.structure_ = design.structure
        self.shared_coef_ = fit.shared
        self.domain_coef_ = fit.domain
        self.objective_ = fit.objective
        self.dual_gap_ = fit.gap
        self.relative_gap_ = fit.relative_gap
        self.n_iter_ = fit.n_iter
        self.refits_ = fit.refits
        self.classes_ = np.array([-1.0, 1.0])
        self.n_features_in_ = design.X.shape[1]
        self._fit = fit
        return self

    def decision_function(self, X: npt.ArrayLike, domains: npt.ArrayLike | None = None) -> Array:
        """Return the log-odds that response a is preferred, x'(b + s(d)), shape (n,).

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        domains
            Domain of each pair, shape (n,); None only if the model knows a single domain or
            `unseen_domain` is "shared".

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        UnknownNameError
            If a domain was not in the fit and `unseen_domain` is "raise".
        """
        if not hasattr(self, "shared_coef_"):
            raise not_fitted(self)
        values = check_values(X)
        if values.shape[1] != self.n_features_in_:
            raise InputError(
                f"X has {values.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        codes = self._codes(domains, len(values))
        exists = np.vstack([self.structure_[0] | self.structure_[1:], self.structure_[0]])
        return self._fit.log_odds(np.where(exists[codes], values, 0.0), codes)

    def predict_proba(self, X: npt.ArrayLike, domains: npt.ArrayLike | None = None) -> Array:
        """Return P(b preferred) and P(a preferred), shape (n, 2), in the order of `classes_`.

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        domains
            Domain of each pair, shape (n,).
        """
        z = self.decision_function(X, domains)
        small = np.exp(-np.abs(z)) / (1.0 + np.exp(-np.abs(z)))
        return np.column_stack(
            [np.where(z > 0, small, 1.0 - small), np.where(z > 0, 1.0 - small, small)]
        )

    def predict(self, X: npt.ArrayLike, domains: npt.ArrayLike | None = None) -> Array:
        """Return +1 (a preferred), -1 (b) or 0 (the model is undecided), shape (n,).

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        domains
            Domain of each pair, shape (n,).
        """
        return np.sign(self.decision_function(X, domains)) + 0.0

    def score(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        domains: npt.ArrayLike | None = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
    ) -> float:
        """Return the accuracy: ties are not counted, an undecided prediction counts one half.

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        y
            Verdicts in [-1, 1], shape (n,); their sign is what is to be predicted.
        domains
            Domain of each pair, shape (n,).
        sample_weight
            Non-negative weight of each pair, shape (n,).

        Raises
        ------
        DataError
            If all verdicts are ties or have weight 0.
        """
        verdicts = check_verdicts(y)
        right = (1.0 + np.sign(verdicts) * self.predict(X, domains)) / 2.0
        weight = check_weights(sample_weight, verdicts.size) * (verdicts != 0.0)
        if not weight.any():
            raise DataError("All verdicts are ties or have weight 0; expected one that is not.")
        return float(np.average(right, weights=weight))

    def _codes(self, domains: npt.ArrayLike | None, n: int) -> npt.NDArray[np.int64]:
        if self.unseen_domain not in ("raise", "shared"):
            raise UnknownNameError("unseen_domain", str(self.unseen_domain), ("raise", "shared"))
        if domains is None:
            if len(self.domains_) == 1:
                return np.zeros(n, dtype=np.int64)
            if self.unseen_domain == "shared":
                return np.full(n, -1, dtype=np.int64)
            raise InputError(
                f"The model knows {len(self.domains_)} domains; expected the domain of every row, "
                "or unseen_domain='shared' to use the shared part alone."
            )
        given = np.asarray(domains)
        if given.shape != (n,):
            raise InputError(f"domains: found shape {given.shape}; expected ({n},).")
        codes = domain_codes(given, self.domains_)
        if self.unseen_domain == "raise" and (codes < 0).any():
            raise UnknownNameError(
                "domain", str(given[int(np.argmin(codes))]), map(str, self.domains_)
            )
        return codes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
