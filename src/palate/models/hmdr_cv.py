"""`HMDRCV`: HMDR that chooses its own hyperparameters (METHOD section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from palate.errors import UnknownNameError
from palate.models.design import ConceptDomains, Config, Design
from palate.models.folds import grouped_folds
from palate.models.hmdr import HMDR
from palate.models.selection import default_grid, select


class HMDRCV(HMDR):
    """HMDR with alpha and the lambdas chosen by grouped cross-validated log-loss.

    Learned, beside what HMDR learns: `lambda_shared_`, `lambda_domain_`, `at_edge_` (the choice
    has the smallest lambda_shared or lambda_domain of the extended grid), `cv_results_` (a dict of
    lists: alpha, lambda_shared, lambda_domain, log_loss), `selection_`, `folds_`.

    Parameters
    ----------
    grid
        "auto" for `default_grid`, or a sequence of (alpha, lambda_shared, lambda_domain).
    alphas
        Values of alpha for the grid "auto"; None is 1 / D alone.
    n_folds
        Number of folds.
    ridge
        Elastic net: every weight w also costs ridge * lambda * w^2 / 2; 0 for the L1 penalty alone.
    unseen_domain
        What to do with a domain that was not in the fit: "raise", or "shared" to use b alone.
    tol
        Largest relative duality gap of the final fit.
    seed
        Seed of the folds and of the solver's permutations.
    """

    def __init__(
        self,
        *,
        grid: Literal["auto"] | Sequence[tuple[float, float, float]] = "auto",
        alphas: Sequence[float] | None = None,
        n_folds: int = 5,
        ridge: float = 0.0,
        unseen_domain: Literal["raise", "shared"] = "raise",
        tol: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.grid = grid
        self.alphas = alphas
        self.n_folds = n_folds
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
        groups: npt.ArrayLike | None = None,
        folds: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        concept_domains: ConceptDomains | None = None,
    ) -> HMDRCV:
        """Choose the configuration, then fit it on all pairs.

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        y
            Verdicts in [-1, 1], shape (n,).
        domains
            Domain of each pair, shape (n,); None puts all pairs into one.
        groups
            Group of each pair, shape (n,): a group never stands in two folds. None: each its own.
        folds
            Fold of each pair, numbered from 0, instead of `groups`.
        sample_weight
            Non-negative weight of each pair, shape (n,).
        concept_domains
            Per concept None (shared) or the domains it is specific to.
        """
        design = Design.build(
            X,
            y,
            domains,
            concept_domains=concept_domains,
            sample_weight=sample_weight,
            ridge=self.ridge,
        )
        if folds is None:
            each = np.arange(design.n_pairs) if groups is None else np.asarray(groups)
            self.folds_ = grouped_folds(each, self.n_folds, seed=self.seed)
        else:
            self.folds_ = np.asarray(folds, dtype=np.int64)
        if isinstance(self.grid, str):
            if self.grid != "auto":
                raise UnknownNameError("grid", self.grid, ("auto",))
            configs = default_grid(design, alphas=self.alphas)
        else:
            configs = tuple(Config(*c) for c in self.grid)
        found = select(design, self.folds_, configs=configs, seed=self.seed)
        self.selection_ = found
        self.lambda_shared_ = found.config.lambda_shared
        self.lambda_domain_ = found.config.lambda_domain
        self.at_edge_ = found.at_edge
        self.cv_results_ = {
            **{f: [getattr(c, f) for c in found.cv.configs] for f in Config._fields},
            "log_loss": found.cv.scores.tolist(),
        }
        fit = design.fit(**found.config._asdict(), tol=self.tol, seed=self.seed)
        self._learn(design, fit, found.config.alpha)
        return self
