"""How far annotated concept values can be relied on, from annotating the same pairs twice.

x and x' are two annotations of the same pairs, with independent errors. Both sides of a pair are
equal by convention, so nothing is centred:

    reliability r = 2 sum x x' / (sum x^2 + sum x'^2)

This is the intraclass correlation around 0, and at the same time Cohen's kappa with quadratic
weights on the table of both orders of presentation. It is also the share of the values' variance
that is not error, so errors of annotation multiply the slope of a verdict on this concept alone by
about r (attenuation; exact in linear regression, nearly so in logistic for moderate effects). With
other concepts beside it, and errors that are independent between concepts, the factor is

    1 - VIF (1 - r),     VIF = variance inflation of the concept among all,

which is smaller, and a part of the effect moves to the concepts that go together with it
(Carroll, Ruppert, Stefanski and Crainiceanu 2006, chapter 3).

Intervals are quantiles of a Bayesian bootstrap over groups of pairs (Rubin 1981), with imagined
pairs of weight 1/2: for the upper end one that agrees, for the lower end also one that is opposite
and one that has a value in one annotation only, as the two ends of Clopper and Pearson's interval
count one success or one failure more. Without them a concept on which three pairs agree would be
certain.

Status of a concept:

- "reliable": the interval lies above .4;
- "too unreliable": r is below .4 and the interval below .7. More than 60 % of the variance is
  error, an effect is shrunk to less than half of its size and what is missing shows up elsewhere,
  so nothing can be said about it. Below .4 agreement is commonly called poor (Cicchetti 1994), from
  .7 on acceptable;
- "not shown": anything else, for instance because too few pairs have the concept at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.errors import DataError, InputError

Array = npt.NDArray[np.float64]
POOR, ACCEPTABLE = 0.4, 0.7
MIN_PAIRS = 20  # pairs annotated twice below which nothing is said
N_DRAWS, BLOCK = 2_000, 100  # draws, and how many of them at a time
PRIOR = (0.5, 0.5, 0.5)  # weights of the imagined pairs: same, opposite, one annotation only
RELIABLE, UNRELIABLE, NOT_SHOWN = "reliable", "too unreliable", "not shown"
RELIABILITY_SCHEMA: dict[str, Any] = {
    "concept": pl.String,
    **dict.fromkeys(("n_pairs", "n_groups", "n_nonzero"), pl.Int64),
    **dict.fromkeys(("agreement", "kappa", "opposite"), pl.Float64),
    **dict.fromkeys(("reliability", "low", "high"), pl.Float64),
    **dict.fromkeys(("vif", "attenuation"), pl.Float64),
    "status": pl.String,
}


def read_again(
    concepts_path: str | PathLike[str] | None,
    values_path: str | PathLike[str],
    again_path: str | PathLike[str],
) -> ConceptMatrix:
    """Read the second annotations of concepts.

    Parameters
    ----------
    concepts_path
        Definitions of the concepts, or None.
    values_path
        The first annotations.
    again_path
        The second ones, in any layout that `read_concepts` knows; or the same file, whose rows
        then hold them under `values_swapped`.

    Raises
    ------
    FileFormatError
        If a file is missing or of no known layout, or the same file has no second annotation.
    RowError
        If a row has a repeated id, a value that is not a number, or an unknown concept.
    """
    from palate.concepts.imported import read_concepts

    same = Path(values_path).resolve() == Path(again_path).resolve()
    return read_concepts(concepts_path, again_path, again=same)


def reliability(
    matrix: ConceptMatrix,
    again: ConceptMatrix,
    *,
    domains: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> pl.DataFrame:
    """Return how reliable each concept is, one row per concept of the matrix.

    Columns: `concept`; `n_pairs` and `n_groups` with both annotations; `n_nonzero` pairs on which
    at least one is not 0; `agreement` (share of pairs with the same sign) and `kappa` (the same
    beyond chance); `opposite` (share with opposite signs among the pairs where both are not 0);
    `reliability` with `low` and `high`; `vif`; `attenuation`, what errors of annotation multiply
    the effect by beside the other concepts; `status`. Null where it cannot be computed.

    Parameters
    ----------
    matrix
        The first annotations, of all pairs.
    again
        Second ones, of some of the pairs; concepts are matched by name.
    domains
        Domain of each pair of the matrix; a specific concept is looked at in its domains only.
    groups
        Group of each pair of the matrix, drawn together; None: each pair by itself.
    level
        Level of the intervals.
    seed
        Seed of the draws.

    Raises
    ------
    InputError
        If no concept has a second annotation, or `domains` or `groups` have another length.
    DataError
        If fewer than 20 pairs are annotated twice.
    """
    group = np.arange(matrix.n_pairs) if groups is None else np.asarray(groups)
    if group.shape != (matrix.n_pairs,):
        raise InputError(f"groups: found shape {group.shape}; expected ({matrix.n_pairs},).")
    second = _second(matrix, again, domains)
    inflation = variance_inflation(np.nan_to_num(matrix.values))
    rows = []
    for j, concept in enumerate(matrix.concepts):
        row: dict[str, Any] = {"concept": concept.name, "status": NOT_SHOWN}
        one, two = matrix.values[:, j], second[:, j]
        both = np.isfinite(one) & np.isfinite(two)
        row |= _one(one[both], two[both], group[both], inflation[j], level=level, seed=seed)
        rows.append(row)
    return pl.DataFrame(rows, schema=RELIABILITY_SCHEMA)


def overall(
    matrix: ConceptMatrix, again: ConceptMatrix, *, domains: Sequence[str] | None = None
) -> dict[str, float | None]:
    """Return `n_values`, `agreement`, `kappa` and `opposite` over the values of all concepts.

    Parameters
    ----------
    matrix
        The first annotations, of all pairs.
    again
        Second ones, of some of the pairs.
    domains
        Domain of each pair of the matrix; a specific concept is looked at in its domains only.

    Raises
    ------
    InputError
        If no concept has a second annotation, or `domains` has another length.
    DataError
        If fewer than 20 pairs are annotated twice.
    """
    second = _second(matrix, again, domains)
    both = np.isfinite(matrix.values) & np.isfinite(second)
    x, y = matrix.values[both], second[both]
    return {"n_values": float(x.size), **_signs(x, y)}


def _second(matrix: ConceptMatrix, again: ConceptMatrix, domains: Sequence[str] | None) -> Array:
    """Return the second annotations as steps of the first, shape (n, C), NaN where there is none
    and for specific concepts outside their domains."""
    column = {name: k for k, name in enumerate(again.names)}
    if not column.keys() & set(matrix.names):
        raise InputError(
            f"Second annotations: found {_some(again.names)}; expected some of the "
            f"concepts {_some(matrix.names)}."
        )
    n = matrix.n_pairs
    where = None if domains is None else np.asarray(domains, dtype=object)
    if where is not None and where.shape != (n,):
        raise InputError(f"domains: found shape {where.shape}; expected ({n},).")
    aligned = again.align(matrix.ids)
    twice = int((np.isfinite(matrix.values).any(1) & np.isfinite(aligned.values).any(1)).sum())
    if twice < MIN_PAIRS:
        raise DataError(
            f"Second annotations: found {twice} pairs that are annotated twice; expected at least "
            f"{MIN_PAIRS}."
        )
    out = np.full((n, matrix.n_concepts), np.nan)
    for j, concept in enumerate(matrix.concepts):
        if concept.name in column:
            k = column[concept.name]
            scale = aligned.step[k] / matrix.step[j]  # two files may have found different steps
            out[:, j] = aligned.values[:, k] * (scale if np.isfinite(scale) else 1.0)
            if where is not None and concept.domains is not None:
                out[~np.isin(where, list(concept.domains)), j] = np.nan
    return out


def unreliable(table: pl.DataFrame) -> tuple[str, ...]:
    """Return the concepts about which nothing can be said.

    Parameters
    ----------
    table
        What `reliability` gives.
    """
    return tuple(table.filter(pl.col("status") == UNRELIABLE)["concept"])


def reliability_notes(table: pl.DataFrame, *, distilled: bool = False) -> tuple[str, ...]:
    """Return what a reader must know: concepts that say nothing, and those not shown to say much.

    Parameters
    ----------
    table
        What `reliability` gives, or `palate.concepts.recorded.recorded`.
    distilled
        Whether the values are those of a student, which the table compares with the annotations it
        was trained on.
    """
    notes = []
    shown = table.drop_nulls("reliability").sort("reliability")
    if distilled and shown.height:
        least, most = shown.row(0, named=True), shown.row(-1, named=True)
        notes.append(
            f"The values of {shown.height} concept{'s' * (shown.height > 1)} are those of a local "
            "model that was trained on annotated pairs. Held out by prompt they hold "
            f"{100 * least['reliability']:.0f} % ({least['concept']}) to "
            f"{100 * most['reliability']:.0f} % ({most['concept']}) of the variance of the "
            "annotations, so effects take accordingly more pairs to be found."
        )
    bad = table.filter(status=UNRELIABLE)
    if bad.height:
        named = ", ".join(
            f"{r['concept']} ({r['reliability']:.2f}, interval {r['low']:.2f} to {r['high']:.2f})"
            for r in bad.iter_rows(named=True)
        )
        notes.append(
            "Nothing can be said about these concepts, because "
            + (
                "the local model holds too little of the annotations"
                if distilled
                else "annotating them again gave other values"
            )
            + f" (reliability below {POOR}): {named}."
        )
    open_ = table.filter(status=NOT_SHOWN)["concept"].to_list()
    if open_:
        notes.append(
            f"Whether the values of {len(open_)} concept{'s' * (len(open_) > 1)} are reliable was "
            f"not shown by the {'annotated pairs' if distilled else 'pairs annotated twice'}: "
            f"{', '.join(open_)}."
        )
    return tuple(notes)


def variance_inflation(values: Array) -> Array:
    """Return the variance inflation of each column among all, around 0; NaN where it is not known.

    Parameters
    ----------
    values
        Shape (n, C), finite; not known for columns of zeros, nor if C is not below n.
    """
    n, C = values.shape
    out = np.full(C, np.nan)
    size = np.sqrt((values**2).mean(axis=0))
    present = np.flatnonzero(size > 0)
    if present.size == 0 or present.size >= n:
        return out
    X = values[:, present] / size[present]
    R = X.T @ X / n
    if np.linalg.eigvalsh(R)[0] < 1e-8:
        return out
    out[present] = np.diag(np.linalg.inv(R))
    return out


def _one(
    x: Array, y: Array, groups: npt.NDArray[Any], vif: float, *, level: float, seed: int
) -> dict[str, Any]:
    """Return the figures of one concept from its two annotations, shape (n,) each."""
    nonzero = int(((x != 0) | (y != 0)).sum())
    found: dict[str, Any] = {
        "n_pairs": int(x.size),
        "n_groups": int(np.unique(groups).size),
        "n_nonzero": nonzero,
    }
    if x.size == 0:
        return found
    found |= _signs(x, y)
    if nonzero == 0:
        return found
    product, square = x * y, (x**2 + y**2) / 2
    r = float(product.sum() / square.sum())
    low, high = _interval(product, square, groups, nonzero, level=level, seed=seed)
    found |= {"reliability": r, "low": min(low, r), "high": max(high, r)}
    if np.isfinite(vif):
        found |= {"vif": float(vif), "attenuation": float(np.clip(1 - vif * (1 - r), 0.0, 1.0))}
    found["status"] = status_of(r, low, high)
    return found


def status_of(r: float, low: float, high: float) -> str:
    """Return the status of a concept, as the head of this file says.

    Parameters
    ----------
    r
        Its reliability.
    low
        Lower end of its interval.
    high
        Upper end.
    """
    if low >= POOR:
        return RELIABLE
    return UNRELIABLE if r < POOR and high < ACCEPTABLE else NOT_SHOWN


def _interval(
    product: Array,
    square: Array,
    groups: npt.NDArray[Any],
    nonzero: int,
    *,
    level: float,
    seed: int,
) -> tuple[float, float]:
    """Return the interval of the reliability by a Bayesian bootstrap over groups."""
    _, code = np.unique(groups, return_inverse=True)
    up, down = np.bincount(code, product), np.bincount(code, square)
    used = down > 0
    typical = float(square.sum()) / nonzero
    up = np.append(up[used], typical * np.array([1.0, -1.0, 0.0]))
    down = np.append(down[used], typical * np.array([1.0, 1.0, 0.5]))
    shape = np.append(np.ones(up.size - 3), PRIOR)
    random = np.random.default_rng([seed, 8])
    lower, upper = np.empty(N_DRAWS), np.empty(N_DRAWS)
    for start in range(0, N_DRAWS, BLOCK):
        weight = random.gamma(shape, size=(BLOCK, up.size))
        lower[start : start + BLOCK] = (weight @ up) / (weight @ down)
        weight[:, -2:] = 0.0
        upper[start : start + BLOCK] = (weight @ up) / (weight @ down)
    low, high = np.quantile(lower, (1 - level) / 2), np.quantile(upper, (1 + level) / 2)
    return float(low), float(high)


def _signs(x: Array, y: Array) -> dict[str, float | None]:
    """Return agreement of the signs, Cohen's kappa in both orders of presentation, and the share of
    opposite signs among pairs where both are not 0; None where it is 0 / 0."""
    a, b = np.sign(x), np.sign(y)
    one, two = float(np.abs(a).mean()), float(np.abs(b).mean())  # by symmetry half for each side
    chance = (1 - one) * (1 - two) + one * two / 2
    agreement = float((a == b).mean())
    signed = (a != 0) & (b != 0)
    return {
        "agreement": agreement,
        "kappa": (agreement - chance) / (1 - chance) if chance < 1 else None,
        "opposite": float((a != b)[signed].mean()) if signed.any() else None,
    }


def _some(names: Sequence[str]) -> str:
    return ", ".join(repr(n) for n in names[:3]) + (", ..." if len(names) > 3 else "")
