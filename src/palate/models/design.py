"""`Design`: pairs, domains and the structure of concepts as one sparse augmented problem.

Shapes and conventions, stated once. n pairs, C concepts, D domains. A pair with verdict y becomes
one *example* (|y| = 1), two weighted ones (|y| < 1: probability (1 + y) / 2 of +1), or none
(y = 0). Every example e gives two signed rows (label times values)

    domain row   [ x_S | 0 ... x_(S + T_d) ... 0 ]   weight c_e
    shared row   [ x_S | 0 ...............     0 ]   weight alpha c_e

with S the shared concepts and T_d those specific to its domain d; a column that is absent by
structure does not exist. c_e is the weight of the example over the sum of the weights of all
examples in the fit, so losses are averaged and integer weights equal repetition. Exchanging the
two responses of a pair gives bitwise the same design.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from palate.errors import DataError, InputError, UnknownNameError
from palate.models.checks import (
    check_penalties,
    check_ridge,
    check_values,
    check_verdicts,
    check_weights,
    domain_codes,
)
from palate.models.elastic_net import solve_elastic_net
from palate.models.solver import Array, Solution, solve

Integers = npt.NDArray[np.int64]
ConceptDomains = Sequence[Iterable[Any] | None]


class Config(NamedTuple):
    """The hyperparameters of one fit."""

    alpha: float
    lambda_shared: float
    lambda_domain: float


@dataclass(frozen=True, eq=False)
class Fit:
    """One certified fit: weights and the figures of its certificate.

    `shared` has shape (C,), `domain` (D, C), 0 where absent by structure.
    """

    shared: Array
    domain: Array
    objective: float
    gap: float
    relative_gap: float
    n_iter: int
    refits: int

    def log_odds(self, X: Array, codes: Integers) -> Array:
        """Return x'(b + s(d)) for rows of X, shape (n,); code -1 (unknown domain) uses b alone.

        Parameters
        ----------
        X
            Concept values, shape (n, C).
        codes
            Position of the domain of each row, shape (n,); -1 is the shared part alone.
        """
        effects = np.vstack([self.shared + self.domain, self.shared])
        return np.asarray(np.einsum("ij,ij->i", X, effects[codes]))


@dataclass(frozen=True, eq=False)
class Design:
    """The augmented design of a set of pairs, built once and fitted many times.

    Parameters
    ----------
    X
        Concept values as given, shape (n, C), zero outside the structure.
    y
        Verdicts as given, shape (n,).
    codes
        Position of the domain of each pair in `domains`, shape (n,).
    domains
        The D domains, sorted.
    structure
        Which weights exist, shape (D + 1, C): row 0 the shared part, row 1 + d domain d.
    rows
        Signed rows of the E examples: E domain rows, then E shared rows; CSR.
    pair
        Pair of each example, shape (E,).
    weight
        Weight of each example before averaging, shape (E,).
    column_domain
        Domain of each column, -1 for the shared part, shape (n_columns,).
    column_concept
        Concept of each column, shape (n_columns,).
    ridge
        Ridge penalty of every column over its L1 penalty, 0 for none.
    """

    X: Array
    y: Array
    codes: Integers
    domains: tuple[Any, ...]
    structure: npt.NDArray[np.bool_]
    rows: sp.csr_array
    pair: Integers
    weight: Array
    column_domain: Integers
    column_concept: Integers
    ridge: float = 0.0

    @classmethod
    def build(
        cls,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        domains: npt.ArrayLike | None = None,
        *,
        concept_domains: ConceptDomains | None = None,
        sample_weight: npt.ArrayLike | None = None,
        domain_names: Sequence[Any] | None = None,
        ridge: float = 0.0,
    ) -> Design:
        """Check the input and build the design.

        Parameters
        ----------
        X
            Concept values, shape (n, C), finite.
        y
            Verdicts in [-1, 1], shape (n,); 0 is a tie and is left out of the fit.
        domains
            Domain of each pair, shape (n,); None puts all pairs into one.
        concept_domains
            Per concept None (shared) or the domains it is specific to.
        sample_weight
            Non-negative weight of each pair, shape (n,).
        domain_names
            All domains there are; those of the pairs by default.
        ridge
            Ridge penalty of every column over its L1 penalty, at least 0.

        Raises
        ------
        InputError
            If shapes disagree, a value is not finite, or a verdict is outside [-1, 1].
        DataError
            If no pair is left to fit: all are ties or have weight 0.
        """
        X, y = check_values(X), check_verdicts(y)
        n, C = X.shape
        check_ridge(ridge)
        if y.size != n:
            raise InputError(f"X has {n} rows and y has {y.size}; expected the same number.")
        names, codes = _codes(domains, n, domain_names)
        structure = _structure(names, concept_domains, C)
        weight = check_weights(sample_weight, n)
        if not weight.any():
            raise DataError(f"The weights of all {n} pairs are zero; expected one that is not.")
        used = np.flatnonzero((y != 0.0) & (weight > 0.0))
        if used.size == 0:
            raise DataError(f"All {n} verdicts are ties; expected at least one that is not.")
        X = np.where(structure[0] | structure[1 + codes], X, 0.0)
        p = (1.0 + np.abs(y[used])) / 2.0
        soft = np.flatnonzero(p < 1.0)
        pair = np.concatenate([used, used[soft]])
        share = np.concatenate([p, 1.0 - p[soft]])
        sign = np.concatenate([np.sign(y[used]), -np.sign(y[used][soft])])
        order = np.argsort(pair, kind="stable")
        pair, share, sign = pair[order], share[order], sign[order]
        signed = X[pair] * sign[:, None]
        code = codes[pair]
        column_domain, column_concept = np.nonzero(structure)
        start = np.zeros(structure.shape, dtype=np.int32)
        start[column_domain, column_concept] = np.arange(column_domain.size, dtype=np.int32)
        E, n_shared = pair.size, int(structure[0].sum())
        shared = sp.csr_array(np.where(structure[0], signed, 0.0))
        own = sp.csr_array(np.where(structure[1 + code], signed, 0.0))
        row_code = np.repeat(code, np.diff(own.indptr))
        shared_shape, own_shape = (E, n_shared), (E, column_domain.size - n_shared)
        shared = sp.csr_array(
            (shared.data, start[0, shared.indices], shared.indptr), shape=shared_shape
        )
        own_columns = start[1 + row_code, own.indices] - n_shared
        own = sp.csr_array((own.data, own_columns, own.indptr), shape=own_shape)
        absent = sp.csr_array(own_shape, dtype=np.float64)
        rows = sp.csr_array(
            sp.vstack([sp.hstack([shared, own]), sp.hstack([shared, absent])], format="csr")
        )
        rows.sort_indices()
        return cls(
            X=X,
            y=y,
            codes=codes,
            domains=names,
            structure=structure,
            rows=rows,
            pair=pair,
            weight=share * weight[pair],
            column_domain=column_domain - 1,
            column_concept=column_concept,
            ridge=ridge,
        )

    @property
    def n_pairs(self) -> int:
        """Number of pairs given, ties included."""
        return int(self.y.size)

    def pair_weights(self) -> Array:
        """Return the weight of each pair in the fit, shape (n,); 0 for ties."""
        out = np.zeros(self.n_pairs)
        np.add.at(out, self.pair, self.weight)
        return out

    def default_alpha(self) -> float:
        """Return 1 / D, or 0 for a single domain, where there is nothing to share with."""
        return 1.0 / len(self.domains) if len(self.domains) > 1 else 0.0

    def noise_scale(self) -> float:
        """Return the lambda_shared at which verdicts that are pure noise give b = 0, about.

        sqrt(2 log(2 C)) / 2 * r: with coin-flip verdicts the slope of the mean loss at zero has
        standard deviation sqrt(sum_e c_e^2 a_ej^2) / 2 in column j, r is the root mean square of
        that root over the C columns of the shared part (over all columns, if it has none).
        """
        E = self.pair.size
        c = self.weight / self.weight.sum()
        squares = self.rows[:E].power(2).T @ (c**2)
        of_shared = squares[self.column_domain < 0]
        squares = of_shared if of_shared.any() else squares
        squares = squares[squares > 0.0]
        if squares.size == 0:
            return 1.0
        return float(np.sqrt(2.0 * np.log(2.0 * squares.size)) / 2.0 * np.sqrt(squares.mean()))

    def fit(
        self,
        *,
        alpha: float,
        lambda_shared: float,
        lambda_domain: float,
        pair_weight: npt.ArrayLike | None = None,
        tol: float = 1e-4,
        seed: int = 0,
    ) -> Fit:
        """Fit b and s(d) on the pairs, reweighted, to a relative duality gap of at most `tol`.

        Parameters
        ----------
        alpha
            Weight of the losses of the shared part alone, at least 0.
        lambda_shared
            Penalty of b on the mean loss, positive; `inf` removes the shared part.
        lambda_domain
            Penalty of every s(d) on the mean loss, positive; `inf` removes the domain parts.
        pair_weight
            Factor per pair, shape (n,): 0 leaves a pair out, integers repeat it.
        tol
            Largest relative duality gap accepted.
        seed
            Seed of the solver's permutations.

        Raises
        ------
        InputError
            If a hyperparameter is out of range.
        DataError
            If every pair has weight 0.
        ConvergenceError
            If the solver cannot certify the optimum to `tol`.
        """
        check_penalties(alpha, lambda_shared, lambda_domain)
        weight = self.weight
        if pair_weight is not None:
            weight = weight * check_weights(pair_weight, self.n_pairs)[self.pair]
        keep = np.flatnonzero(weight > 0.0)
        if keep.size == 0:
            raise DataError("Every pair has weight 0; expected at least one to fit.")
        c = weight[keep] / weight[keep].sum()
        E = self.pair.size
        if alpha > 0.0 and np.isfinite(lambda_shared):
            index, c = np.concatenate([keep, E + keep]), np.concatenate([c, alpha * c])
        else:
            index = keep
        if len(self.domains) == 1 and np.isinf(lambda_shared):  # the only part there is
            lambda_shared = lambda_domain
        penalties = np.where(self.column_domain < 0, lambda_shared, lambda_domain)
        columns = np.flatnonzero(np.isfinite(penalties))
        rows = self.rows if index.size == 2 * E else self.rows[index]
        if columns.size < penalties.size:
            rows = rows[:, columns]
        p = penalties[columns]
        if self.ridge > 0.0:
            ridge = self.ridge * p
            solution = solve_elastic_net(rows, weights=c, penalties=p, ridge=ridge, tol=tol)
        else:
            solution = solve(rows, weights=c, penalties=p, tol=tol, seed=seed)
        constant = alpha * np.log(2.0) if alpha > 0.0 and index is keep else 0.0
        return self._unpack(solution, columns, constant)

    def _unpack(self, solution: Solution, columns: Integers, constant: float) -> Fit:
        effects = np.zeros(self.structure.shape)
        effects[self.column_domain[columns] + 1, self.column_concept[columns]] = solution.coef
        objective = solution.objective + constant
        return Fit(
            shared=effects[0],
            domain=effects[1:],
            objective=objective,
            gap=solution.gap,
            relative_gap=solution.gap / objective,
            n_iter=solution.n_iter,
            refits=solution.refits,
        )


def _codes(
    domains: npt.ArrayLike | None, n: int, names: Sequence[Any] | None
) -> tuple[tuple[Any, ...], Integers]:
    given = np.full(n, "all") if domains is None else np.asarray(domains)
    if given.shape != (n,):
        raise InputError(f"domains: found shape {given.shape}; expected one per pair, ({n},).")
    listed = given.tolist()
    if any(value is None or value != value for value in listed):
        raise InputError("domains: found a missing one; expected a name for every pair.")
    try:
        known = tuple(sorted(set(listed if names is None else names)))
    except TypeError as error:
        raise InputError(f"domains: found mixed types ({error}); expected all strings.") from error
    codes = domain_codes(given, known)
    if (codes < 0).any():
        raise UnknownNameError("domain", str(listed[int(np.argmin(codes))]), map(str, known))
    return known, codes


def _structure(
    names: tuple[Any, ...], concept_domains: ConceptDomains | None, C: int
) -> npt.NDArray[np.bool_]:
    D = len(names)
    structure = np.ones((D + 1, C), dtype=bool)
    if concept_domains is not None:
        if len(concept_domains) != C:
            raise InputError(
                f"concept_domains has {len(concept_domains)} entries; expected {C}, one a concept."
            )
        for j, own in enumerate(concept_domains):
            if own is None:
                continue
            if isinstance(own, str):
                raise InputError(
                    f"concept_domains, concept {j}: found the string {own!r}; "
                    "expected None or a collection of domains."
                )
            structure[:, j] = False
            for name in own:
                if name not in names:
                    raise UnknownNameError("domain", str(name), map(str, names))
                structure[1 + names.index(name), j] = True
    if D == 1:  # one domain: the shared part carries every concept, there is no domain part
        structure = np.vstack([structure.any(axis=0), np.zeros(C, dtype=bool)])
    return structure
