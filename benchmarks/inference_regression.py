"""Unpenalised logistic regression with a variance that is clustered by prompt.

Linear combinations l'beta of the weights have the jackknife-type variance (CR3 of Bell and
McCaffrey 2002)

    sum_g (l'B Z_g'(I - Z_g B Z_g')^-1 r_g)^2,   Z = W^1/2 X,  r = W^-1/2 (t - p),  B = (Z'Z)^-1,

with t = (1 + y) / 2 and W = p (1 - p), and the t distribution with the Satterthwaite degrees of
freedom (sum_g a_g)^2 / sum_g a_g^2, a_g = sum_{i in g} w_i (x_i'B l)^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy import stats
from scipy.special import expit

from benchmarks.inference_results import Band
from benchmarks.inference_worlds import Array, Integers

RIDGE = 1e-4  # so that separated data have a maximum; a hundredth of a standard error at n = 400


@dataclass(frozen=True, eq=False)
class Regression:
    """A fit: weights (k,), inverse information (k, k), rows (n, k), probabilities (n,), labels."""

    beta: Array
    inverse: Array
    rows: Array
    p: Array
    t: Array

    def wald(self, contrasts: Array, level: float) -> Band:
        """Return combinations of weights (m, k) with the variance of the model, all normal."""
        variance = np.einsum("mk,kl,ml->m", contrasts, self.inverse, contrasts)
        return band(contrasts @ self.beta, variance, np.full(len(contrasts), np.inf), level)

    def clustered(self, contrasts: Array, groups: Integers, level: float) -> Band:
        """Return combinations of weights (m, k) with the variance clustered by group."""
        _, at = np.unique(groups, return_inverse=True)
        order = np.argsort(at, kind="stable")
        starts = np.flatnonzero(np.diff(at[order], prepend=-1))
        w = np.maximum(self.p * (1 - self.p), 1e-10)
        half = self.rows * np.sqrt(w)[:, None]
        residual = (self.t - self.p) / np.sqrt(w)
        adjusted = np.empty(residual.size)
        for members in np.split(order, starts[1:]):
            block = half[members]
            kept = np.eye(members.size) - block @ self.inverse @ block.T
            kept += 1e-6 * np.eye(members.size)
            adjusted[members] = np.linalg.solve(kept, residual[members])
        towards = half @ (self.inverse @ contrasts.T)
        total = sp.csr_array((np.ones(at.size), (at, np.arange(at.size))))
        variance = ((total @ (towards * adjusted[:, None])) ** 2).sum(axis=0)
        share = total @ towards**2
        free = share.sum(axis=0) ** 2 / np.maximum((share**2).sum(axis=0), 1e-300)
        return band(contrasts @ self.beta, variance, np.maximum(free, 1.0), level)


def band(value: Array, variance: Array, free: Array, level: float) -> Band:
    """Return t intervals and two-sided p-values."""
    se = np.sqrt(np.maximum(variance, 1e-300))
    half = stats.t.ppf((1 + level) / 2, free) * se
    return Band(value, value - half, value + half, 2 * stats.t.sf(np.abs(value) / se, free))


def logistic(rows: Array, y: Array, *, ridge: float = RIDGE) -> Regression:
    """Fit without intercept by Newton's method, penalised by ridge sum_ik (beta_k x_ik)^2 / 2."""
    k = rows.shape[1]
    t = (1.0 + y) / 2.0
    penalty = ridge * np.maximum((rows**2).sum(axis=0), 1e-9)
    beta = np.zeros(k)

    def objective(b: Array) -> float:
        z = rows @ b
        return float(np.logaddexp(0.0, z).sum() - t @ z + 0.5 * penalty @ b**2)

    inverse, now = np.diag(1 / penalty), objective(beta)
    for _ in range(100):
        p = expit(rows @ beta)
        information = (rows * (p * (1 - p))[:, None]).T @ rows + np.diag(penalty)
        inverse = np.linalg.inv(information)
        step = inverse @ (rows.T @ (t - p) - penalty * beta)
        size = 1.0
        while objective(beta + size * step) > now + 1e-12 and size > 1e-6:
            size /= 2
        beta = beta + size * step
        now = objective(beta)
        if np.abs(step).max(initial=0.0) < 1e-8:
            break
    return Regression(beta, inverse, rows, expit(rows @ beta), t)
