"""The Hessian of a ridge regression whose concepts are shared by all domains or specific to one.

Concepts of different domains never meet in a pair, so H = X' diag(v) X + I / C is an arrow: a block
A of the shared concepts, a block C_d of the concepts specific to domain d, and B_d between the two.
With K_d = C_d^-1 B_d' and the Schur complement S = A - sum_d B_d K_d a system is solved block by
block, and for pairs i of domain d and j of domain e, x = (s, t) in shared and specific values,

    x_i' H^-1 x_j = u_i' S^-1 u_j + [d = e] t_i' C_d^-1 t_j,      u_i = s_i - K_d' t_i.

At paper scale (75 shared and 8 x 69 specific concepts) that is a tenth of the work. Without
specific concepts there is one block, and this is a plain Cholesky factorisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular

from palate.models.solver import Array

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """The pairs of one domain: `rows`, columns `own`, their values in shared and own columns."""

    rows: Integers
    own: Integers
    S: Array
    T: Array


@dataclass(frozen=True, eq=False)
class Blocks:
    """Which columns are shared, and the parts of the domains; `part_of` (n,) numbers the parts."""

    n_columns: int
    shared: Integers
    parts: tuple[Part, ...]
    part_of: Integers

    @classmethod
    def of(cls, X: Array, codes: npt.NDArray[np.integer] | None) -> Blocks:
        """Find the columns that are 0 outside of one domain.

        Parameters
        ----------
        X
            Values, shape (n, p).
        codes
            Domain of each pair, shape (n,); None for one domain.
        """
        n, p = X.shape
        number = np.zeros(n, dtype=np.int64)
        alone = np.zeros(p, dtype=bool)
        if codes is not None:
            _, number = np.unique(codes, return_inverse=True)
            there = np.stack([(X[number == d] != 0.0).any(axis=0) for d in range(number.max() + 1)])
            alone = np.asarray(there.sum(axis=0) == 1) & (len(there) > 1)
            if not alone.any():
                number = np.zeros(n, dtype=np.int64)
        shared = np.flatnonzero(~alone)
        parts = []
        for d in range(int(number.max(initial=0)) + 1):
            rows = np.flatnonzero(number == d)
            own = np.flatnonzero(alone & there[d]) if alone.any() else np.empty(0, dtype=np.int64)
            parts.append(Part(rows, own, X[np.ix_(rows, shared)], X[np.ix_(rows, own)]))
        return cls(p, shared, tuple(parts), number)

    def factor(self, v: Array, C: float) -> Factored:
        """Return H = X' diag(v) X + I / C, factored.

        Parameters
        ----------
        v
            Weight of each pair, shape (n,).
        C
            Inverse penalty.
        """
        schur = np.eye(self.shared.size) / C
        lower, coupling = [], []
        for part in self.parts:
            weighted = part.S * v[part.rows][:, None]
            schur += weighted.T @ part.S
            B = weighted.T @ part.T
            own = (part.T * v[part.rows][:, None]).T @ part.T + np.eye(part.own.size) / C
            lower.append(cholesky(own, lower=True, check_finite=False) if own.size else own)
            K = cho_solve((lower[-1], True), B.T, check_finite=False) if own.size else B.T
            coupling.append(K)
            schur -= B @ K
        root = cholesky(schur, lower=True, check_finite=False) if schur.size else schur
        return Factored(self, root, tuple(lower), tuple(coupling))


@dataclass(frozen=True, eq=False)
class Factored:
    """A factored Hessian: Cholesky factors of S and of every C_d, and every K_d."""

    blocks: Blocks
    root: Array
    lower: tuple[Array, ...]
    coupling: tuple[Array, ...]

    def solve(self, gradient: Array) -> Array:
        """Return H^-1 g, shape (p,).

        Parameters
        ----------
        gradient
            g, shape (p,).
        """
        b = self.blocks
        out = np.zeros(b.n_columns)
        right = gradient[b.shared]
        for part, K in zip(b.parts, self.coupling, strict=True):
            right = right - K.T @ gradient[part.own]
        if right.size:
            out[b.shared] = cho_solve((self.root, True), right, check_finite=False)
        for part, L, K in zip(b.parts, self.lower, self.coupling, strict=True):
            if part.own.size:
                own = cho_solve((L, True), gradient[part.own], check_finite=False)
                out[part.own] = own - K @ out[b.shared]
        return out

    def features(self) -> tuple[Array, Array]:
        """Return F (n, S) and G (n, T): x_i' H^-1 x_j = F_i'F_j + [same domain] G_i'G_j."""
        b = self.blocks
        F = np.zeros((b.part_of.size, b.shared.size))
        G = np.zeros((b.part_of.size, max(part.own.size for part in b.parts)))
        for part, L, K in zip(b.parts, self.lower, self.coupling, strict=True):
            F[part.rows] = part.S - part.T @ K
            if part.own.size:
                own = solve_triangular(L, part.T.T, lower=True, check_finite=False)
                G[part.rows, : part.own.size] = own.T
        if F.size:
            F = solve_triangular(self.root, F.T, lower=True, check_finite=False).T
        return F, G
