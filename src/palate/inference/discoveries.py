"""Which effects are supported: false-discovery control over concepts and, within them, domains.

The statements about one concept form a family: that it has a shared effect; if that is supported,
in which domains the effect differs; if it is not, in which domains there is an effect at all.
Families are tested first, then statements inside the chosen ones at a level that is lowered by the
share of families that were chosen (Benjamini and Bogomolov 2014, doi 10.1111/rssb.12028), so that
the expected share of false statements, averaged over the chosen concepts, is at most `fdr`; and if
no verdict depends on any concept, a single statement is made with probability at most `fdr`.

    p of a family = 2 min(p of the shared effect, Simes over domains of the p of effects there)
    chosen        = Benjamini-Hochberg over families at `fdr`: R of C
    inside        level a = fdr R / C; shared effect: p <= a / 2; domains: the same step-up at a / 2

Shapes: C concepts, D domains.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from palate.inference.effects import Effects
from palate.inference.hierarchy import Array, Mask


class Verdict(StrEnum):
    """What can be said of an effect.

    The last is no outcome of a test: annotating the concept again gave other values.
    """

    EVERYWHERE = "supported everywhere"
    HERE = "supported in this domain"
    DIFFERS = "differs in this domain"
    NOT = "not supported"
    UNRELIABLE = "measured too unreliably"


@dataclass(frozen=True, eq=False)
class Support:
    """The verdicts on shared effects (C,) and on effects in domains (D, C), words of `Verdict`.

    In a domain: "supported everywhere" if the shared effect is and no difference from it was found
    here; "differs in this domain" if the shared effect is supported and a difference was found;
    "supported in this domain" if only the effect here is. `p_family` (C,) is what concepts were
    chosen by, NaN for a concept without any estimate.
    """

    shared: npt.NDArray[np.str_]
    domain: npt.NDArray[np.str_]
    p_family: Array


def benjamini_hochberg(p: Array, *, fdr: float) -> Mask:
    """Return which p-values are rejected by the step-up procedure, same shape; NaN never is.

    Benjamini and Hochberg 1995: the largest k with p_(k) <= fdr k / m, m the p-values that are
    not NaN.

    Parameters
    ----------
    p
        p-values, shape (m,).
    fdr
        Level.
    """
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    below = np.flatnonzero(p[order] <= fdr * np.arange(1, order.size + 1) / max(order.size, 1))
    out = np.zeros(p.shape, dtype=bool)
    if below.size:
        out[order[: below[-1] + 1]] = True
    return out


def simes(p: Array) -> Array:
    """Return the p-value of "none of these" along axis 0: min_k m p_(k) / k; NaN if all are NaN.

    Simes 1986.

    Parameters
    ----------
    p
        p-values, shape (m, ...); NaN is left out.
    """
    ordered = np.sort(p, axis=0)  # NaN last
    m = (~np.isnan(p)).sum(axis=0)
    rank = np.arange(1, len(p) + 1).reshape(-1, *(1,) * (p.ndim - 1))
    scaled = np.where(np.isnan(ordered), np.inf, ordered * m / rank)
    least = np.min(scaled, axis=0, initial=np.inf)
    return np.where(m > 0, np.minimum(least, 1.0), np.nan)


def supported(effects: Effects, *, fdr: float = 0.1, given_up: int = 0) -> Support:
    """Say which effects are supported at a false discovery rate.

    Parameters
    ----------
    effects
        Estimates with p-values.
    fdr
        Level.
    given_up
        Concepts that were tried and given up because of what the verdicts said of them. They count
        as tested with p = 1: which concepts are left was chosen with the same verdicts.
    """
    p_shared = effects.shared.p_value
    single = len(effects.total.p_value) < 2
    p_domain = np.full_like(effects.total.p_value, np.nan) if single else effects.total.p_value
    share = 1.0 if single else 2.0
    first = np.where(np.isnan(p_shared), np.inf, p_shared)
    second = np.nan_to_num(simes(p_domain), nan=np.inf)
    p_family = np.minimum(share * np.minimum(first, second), 1.0)
    p_family[np.isinf(first) & np.isinf(second)] = np.nan
    n_left = int((~np.isnan(p_family)).sum())
    fdr *= n_left / max(n_left + given_up, 1)  # as if p were 1 for each that was given up
    chosen = benjamini_hochberg(p_family, fdr=fdr)
    level = fdr * chosen.sum() / max((~np.isnan(p_family)).sum(), 1) / share
    everywhere = chosen & (first <= level)
    shared = np.where(everywhere, Verdict.EVERYWHERE.value, Verdict.NOT.value)
    domain = np.full(p_domain.shape, Verdict.NOT.value, dtype=object)
    exists = ~np.isnan(effects.total.value)
    for j in np.flatnonzero(chosen):
        if everywhere[j]:
            differs = benjamini_hochberg(effects.deviation.p_value[:, j], fdr=level)
            domain[exists[:, j], j] = Verdict.EVERYWHERE.value
            domain[differs, j] = Verdict.DIFFERS.value
        else:
            domain[benjamini_hochberg(p_domain[:, j], fdr=level), j] = Verdict.HERE.value
    return Support(shared.astype(str), domain.astype(str), p_family)
