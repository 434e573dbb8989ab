"""`distil`: a student from the annotations of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import POOR, reliability
from palate.data.splits import grouped_folds, groups
from palate.distil.agreement import (
    DISTILLED,
    LEAST_NONZERO,
    agreement,
    own_coefficients,
    table_of,
    verdict,
)
from palate.distil.features import Embed, Features, Kind, Seen, measures_of
from palate.distil.fitting import INTERCEPT, Chosen, Fit, fit, kernel_of
from palate.distil.student import Student, Weights, keys_of, texts_of
from palate.errors import DataError, InputError, UnknownNameError, shorten

if TYPE_CHECKING:
    from palate.data.preferences import Preferences

Array = npt.NDArray[np.float64]
LEAST_PAIRS = 50
MAX_PAIRS = 5_000  # pairs of the fit, whose cost grows with the cube of their number
KINDS = ("text", "tfidf")


def distil(
    preferences: Preferences,
    matrix: ConceptMatrix,
    *,
    features: Literal["text", "tfidf"] | Embed = "text",
    again: ConceptMatrix | None = None,
    least: float = POOR,
    max_pairs: int = MAX_PAIRS,
    seed: int = 0,
    n_folds: int = 5,
    n_jobs: int | None = None,
) -> Student:
    """Train a student on those pairs that a language model has annotated.

    A concept is distilled if its held-out soft values hold at least the share `least` of the
    variance of the language model's values; the others are left to the language model, and
    `student.table` says why. Folds keep pairs with the same prompt or the same responses together.

    Parameters
    ----------
    preferences
        The pairs; those without annotations are not looked at.
    matrix
        Values of the language model on some of them, in any order.
    features
        "text": measured concepts and words; "tfidf": words and a few counts, several times faster;
        or an embedding, texts to an array of one row each, beside the measured concepts.
    again
        Second annotations of some pairs, for the language model's own reliability in the table.
    least
        Smallest reliability (squared held-out correlation) of a concept that is distilled.
    max_pairs
        Train on a random part of this size where more pairs are annotated.
    seed
        Seed of folds and draws.
    n_folds
        Folds, at least 3.
    n_jobs
        Processes of the fit; None for one per processor (one process if the pairs are few).

    Raises
    ------
    DataError
        If fewer than 50 pairs have annotations, or they have fewer groups than folds.
    InputError
        If a setting is out of range.
    UnknownNameError
        If there are no such features.
    """
    kind = _kind(features)
    embed = None if isinstance(features, str) else features
    _check(n_folds=n_folds, least=least, max_pairs=max_pairs, seed=seed, n_jobs=n_jobs)
    pairs, given, n_annotated = _annotated(preferences, matrix, max_pairs=max_pairs, seed=seed)
    size = np.maximum(np.nanmax(np.abs(given.values), axis=0, initial=1.0), 1.0)
    y = given.values / size
    group = groups(pairs)
    domains = pairs.pairs["domain"].to_list()
    folds = grouped_folds(group, n_folds, seed=seed, strata=domains)
    texts = texts_of(pairs)
    learned = Features.learn(texts, kind=kind, embed=embed)
    names = pairs.domains
    code = np.array([names.index(d) for d in domains], dtype=np.int64)
    kernels = _kernels(learned.see(texts), code)
    found = _fit_all(kernels, _observed(given, domains), y, folds, n_jobs=n_jobs)
    table = []
    theirs = _own_reliability(given, again, domains)
    for j, concept in enumerate(given.concepts):
        rows = found.rows[:, j]
        figures = agreement(found.held_out[rows, j], y[rows, j], group[rows], seed=seed)
        figures |= {"concept": concept.name}
        if concept.name in theirs:
            figures["llm_reliability"] = theirs[concept.name]
        table.append(figures | verdict(figures, least=least))
    done = np.array([row["verdict"] == DISTILLED for row in table], dtype=bool)
    kept = np.flatnonzero(done)
    whole = given.masked(domains).values / size
    own = own_coefficients(found.held_out[:, kept], whole[:, kept])
    for j, coefficient in zip(kept.tolist(), own.tolist(), strict=True):
        table[j]["attenuation"] = coefficient
    comparative = np.array([s == "comp" for s in given.scales])
    keys, sign = keys_of(texts)
    order = np.argsort(keys, kind="stable")
    return Student(
        concepts=tuple(given.concepts[j] for j in kept),
        left=tuple(c for c, keep in zip(given.concepts, done, strict=True) if not keep),
        table=table_of(table),
        features=learned,
        domains=names,
        weights=_primal(kernels, found, code, len(names), kept),
        chosen=found.chosen.of(kept),
        scales=tuple(given.scales[j] for j in kept),
        step=np.where(comparative, given.step, given.step * size)[kept],
        keys=keys[order],
        values=(sign[:, None] * np.where(found.fitted, found.held_out, np.nan))[order][:, kept],
        settings={
            "features": kind,
            "measures": list(measures_of(kind)),
            "n_annotated": n_annotated,
            "n_pairs": pairs.n_pairs,
            "n_prompts": int(np.unique(group).size),
            "n_folds": n_folds,
            "seed": seed,
            "least": least,
        },
    )


class _Kernels(NamedTuple):
    """Features of the training pairs, the mean squared length of each kind, and kernels."""

    seen: Seen
    sizes: tuple[float, float, float]
    odd: list[Array]
    even: Array


class _Found(NamedTuple):
    """Fits of all concepts: held-out values (n, C), which of them come from a fit, which rows count
    for the agreement, what was chosen, and dual weights (n, C)."""

    held_out: Array
    fitted: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.bool_]
    chosen: Chosen
    odd: Array
    even: Array


def _kind(features: object) -> Kind:
    if callable(features):
        return "embedding"
    if features == "text" or features == "tfidf":
        return features
    if isinstance(features, str):
        raise UnknownNameError("kind of features", features, KINDS)
    raise InputError(
        f"distil: found features {shorten(features)}; expected 'text', 'tfidf' or a function that "
        "turns texts into an array."
    )


def _check(*, n_folds: int, least: float, max_pairs: int, seed: int, n_jobs: int | None) -> None:
    if n_folds < 3:
        raise InputError(f"distil: found n_folds={n_folds}; expected at least 3.")
    if not 0 <= least < 1:
        raise InputError(f"distil: found least={least}; expected a share from 0 to below 1.")
    if max_pairs < LEAST_PAIRS:
        raise InputError(f"distil: found max_pairs={max_pairs}; expected at least {LEAST_PAIRS}.")
    if seed < 0:
        raise InputError(f"distil: found seed={seed}; expected 0 or more.")
    if n_jobs is not None and n_jobs < 1:
        raise InputError(f"distil: found n_jobs={n_jobs}; expected at least 1, or None.")


def _annotated(
    preferences: Preferences, matrix: ConceptMatrix, *, max_pairs: int, seed: int
) -> tuple[Preferences, ConceptMatrix, int]:
    """Return the annotated pairs, their values, and how many there were before the limit."""
    rows = np.flatnonzero(np.isfinite(matrix.align(preferences.ids).values).any(axis=1))
    n_annotated = int(rows.size)
    if n_annotated < LEAST_PAIRS:
        example = (
            f"; the annotations have ids like {shorten(matrix.ids[0])}, the pairs like "
            f"{shorten(preferences.ids[0])}"
            if n_annotated == 0 and matrix.n_pairs and preferences.n_pairs
            else ""
        )
        raise DataError(
            f"Found annotations of {n_annotated} of these {preferences.n_pairs} pairs; expected at "
            f"least {LEAST_PAIRS}{example}."
        )
    if n_annotated > max_pairs:
        rows = np.sort(np.random.default_rng(seed).choice(rows, max_pairs, replace=False))
    pairs = preferences.select(rows)
    return pairs, matrix.align(pairs.ids), n_annotated


def _observed(matrix: ConceptMatrix, domains: list[str]) -> npt.NDArray[np.bool_]:
    """Return which values are there and not 0 by definition, shape (n, C)."""
    observed = np.isfinite(matrix.values)
    where = np.array(domains, dtype=object)
    for j, concept in enumerate(matrix.concepts):
        if concept.domains is not None:
            observed[~np.isin(where, list(concept.domains)), j] = False
    return observed


def _kernels(seen: Seen, code: npt.NDArray[np.int64]) -> _Kernels:
    same = (code[:, None] == code[None, :]).astype(np.float64)
    gram = [_gram(x) for x in seen]
    sizes = tuple(float(np.diag(g).mean()) or 1.0 for g in gram)
    dense, words, even = (g / s for g, s in zip(gram, sizes, strict=True))
    odd = [(dense + words) / 2]
    if code.max() > 0:
        odd.append((dense * (1 + same) + words) / 2)
    return _Kernels(seen, (sizes[0], sizes[1], sizes[2]), odd, even + same + INTERCEPT)


def _gram(rows: Any) -> Array:
    product = rows @ rows.T
    dense = product if isinstance(product, np.ndarray) else product.toarray()
    return np.asarray(dense, dtype=np.float64)


def _fit_all(
    kernels: _Kernels,
    observed: npt.NDArray[np.bool_],
    y: Array,
    folds: npt.NDArray[np.int64],
    *,
    n_jobs: int | None,
) -> _Found:
    """Fit the concepts, those with values on the same pairs together."""
    from threadpoolctl import threadpool_limits

    from palate.workers import interrupts_ignored, n_processors

    n, C = y.shape
    nonzero = ((y != 0) & observed).sum(axis=0)
    patterns: dict[bytes, list[int]] = {}
    for j in np.flatnonzero(nonzero >= LEAST_NONZERO):
        if np.unique(folds[observed[:, j]]).size >= 3:
            patterns.setdefault(observed[:, j].tobytes(), []).append(int(j))
    work = [(np.flatnonzero(observed[:, js[0]]), np.array(js)) for js in patterns.values()]

    def task(rows: npt.NDArray[np.int64], js: npt.NDArray[np.int64]) -> tuple[Any, ...]:
        block = np.ix_(rows, rows)
        odd = [k[block] for k in kernels.odd]
        return odd, kernels.even[block], y[np.ix_(rows, js)], folds[rows]

    jobs = min(n_jobs or (n_processors() if n >= 1_000 else 1), max(len(work), 1))
    if jobs == 1:
        with threadpool_limits(1):
            fits = [fit(*task(rows, js)) for rows, js in work]
    else:
        from joblib import Parallel, delayed

        with interrupts_ignored():
            parallel = Parallel(n_jobs=jobs, pre_dispatch=jobs, return_as="generator")
            fits = list(parallel(delayed(fit)(*task(rows, js)) for rows, js in work))
    zero = Chosen(
        np.zeros(C, dtype=np.int64),
        np.zeros(C, dtype=np.int64),
        np.zeros(C),
        np.zeros(C),
        np.zeros(C),
    )
    found = _Found(
        np.zeros((n, C)),
        np.zeros((n, C), dtype=bool),
        observed,
        zero,
        np.zeros((n, C)),
        np.zeros((n, C)),
    )
    for (rows, js), result in zip(work, fits, strict=True):
        _place(found, rows, js, result)
    return found


def _place(
    found: _Found, rows: npt.NDArray[np.int64], js: npt.NDArray[np.int64], result: Fit
) -> None:
    block = np.ix_(rows, js)
    found.held_out[block] = result.held_out
    found.fitted[block] = True
    found.odd[block] = result.odd
    found.even[block] = result.even
    for whole, part in zip(found.chosen, result.chosen, strict=True):
        whole[js] = part


def _own_reliability(
    matrix: ConceptMatrix, again: ConceptMatrix | None, domains: list[str]
) -> dict[str, float]:
    if again is None:
        return {}
    table = reliability(matrix, again, domains=domains).drop_nulls("reliability")
    return dict(zip(table["concept"], table["reliability"], strict=True))


def _primal(
    kernels: _Kernels,
    found: _Found,
    code: npt.NDArray[np.int64],
    n_domains: int,
    kept: npt.NDArray[np.int64],
) -> Weights:
    """Return the weights of features behind the dual weights of pairs."""
    seen, (dense, words, even) = kernels.seen, kernels.sizes
    odd = found.odd[:, kept]
    by_domain = kernel_of(found.chosen.odd[kept]) == 1
    own = np.zeros((n_domains, seen.dense.shape[1], kept.size))
    intercepts = np.zeros((n_domains, kept.size))
    for d in range(n_domains):
        rows = code == d
        own[d] = seen.dense[rows].T @ (odd[rows] * by_domain) / (2 * dense)
        intercepts[d] = found.even[rows][:, kept].sum(axis=0)
    return Weights(
        dense=seen.dense.T @ odd / (2 * dense),
        dense_domain=own,
        words=np.asarray(seen.words.T @ odd / (2 * words)),
        even=seen.even.T @ found.even[:, kept] / even,
        intercept=INTERCEPT * found.even[:, kept].sum(axis=0),
        intercept_domain=intercepts,
    )
