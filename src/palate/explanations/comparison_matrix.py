"""Many mechanisms side by side: agreement, distance between what they reward, and an order.

Distance. The vector of a mechanism holds its shared effects and its effects in every domain, each
times the root mean square of the concept there (so in log-odds per typical difference). Of two
mechanisms the entries that both have are compared, and what noise alone would put between them is
taken off:

    distance^2 = mean over entries k of v_k [(theta_A,k - theta_B,k)^2 - sum_g (e_A,gk - e_B,gk)^2]

e_gk is what group g of pairs adds to the error of an estimate, so noise that two mechanisms share,
because they judged the same prompts, is not taken off twice. The shared effects have half of the
weight v, each domain a part of the other half in proportion to the pairs that both decided there.
Negative values count as 0: as close as these data can tell.

Shapes: M mechanisms, N pairs, G groups, C concepts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal

import numpy as np
import numpy.typing as npt

from palate.concepts.matrix import ConceptMatrix
from palate.data.documents import as_written, read_document, write_document
from palate.data.preferences import Preferences
from palate.errors import DataError
from palate.explanations.comparison_agreement import measures
from palate.explanations.problem import Frame, Problem
from palate.explanations.resampling import build
from palate.inference.effects import Effects, effects_of
from palate.inference.linear import Influence, Linear

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SCHEMA = "palate.comparison_matrix/1"
FAR = 2.0  # unknown distances are taken for this multiple of the largest known one
ARRAYS = ("agreement", "kappa", "distance")


@dataclass(frozen=True, eq=False)
class ComparisonMatrix:
    """Agreement and distance of every two of M mechanisms.

    Parameters
    ----------
    mechanisms
        Their names.
    judged
        Pairs that two mechanisms both judged, shape (M, M).
    agreement
        Share of these with the same verdict, ties included, shape (M, M); NaN where there are none.
    kappa
        Cohen's kappa of these, shape (M, M).
    distance
        Distance between what they reward, log-odds, shape (M, M); NaN where nothing is comparable.
    order
        The mechanisms in an order in which similar ones are neighbours, shape (M,).
    merges
        The clustering by average linkage, rows (left, right, height, size) as SciPy writes them,
        shape (M - 1, 4).
    skipped
        Mechanisms that could not be compared, with one sentence each.
    """

    mechanisms: tuple[str, ...]
    judged: Integers
    agreement: Array
    kappa: Array
    distance: Array
    order: tuple[int, ...]
    merges: Array
    skipped: Mapping[str, str] = field(default_factory=dict)

    def nearest(self, mechanism: str) -> list[tuple[str, float]]:
        """Return the other mechanisms with their distances, the nearest first.

        Parameters
        ----------
        mechanism
            One of `mechanisms`.
        """
        i = self.mechanisms.index(mechanism)
        found = [
            (name, float(self.distance[i, j]))
            for j, name in enumerate(self.mechanisms)
            if j != i and not np.isnan(self.distance[i, j])
        ]
        return sorted(found, key=lambda item: item[1])

    def __repr__(self) -> str:
        return f"ComparisonMatrix({len(self.mechanisms)} mechanisms)"

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything as one JSON file.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        content = {
            "mechanisms": list(self.mechanisms),
            "judged": self.judged.tolist(),
            **{k: _nulls(getattr(self, k)) for k in ARRAYS},
            "order": list(self.order),
            "merges": self.merges.tolist(),
            "skipped": dict(self.skipped),
        }
        write_document(path, SCHEMA, content)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ComparisonMatrix:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileFormatError
            If it cannot be read, or is no comparison of mechanisms.
        """
        document = read_document(path, SCHEMA, what="a comparison of mechanisms")
        with as_written(path, "ComparisonMatrix.save"):
            arrays = {k: np.array(document[k], dtype=np.float64) for k in ARRAYS}
            return cls(
                mechanisms=tuple(document["mechanisms"]),
                judged=np.array(document["judged"], dtype=np.int64),
                order=tuple(document["order"]),
                merges=np.array(document["merges"], dtype=np.float64).reshape(-1, 4),
                skipped=document["skipped"],
                **arrays,
            )


def compare_all(
    preferences: Preferences,
    concepts: ConceptMatrix | None = None,
    *,
    mechanisms: Sequence[str] | None = None,
    cluster: str | None = None,
    missing: Literal["zero", "raise"] = "zero",
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ComparisonMatrix:
    """Compare every two of many mechanisms.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    mechanisms
        Which mechanisms; None for all.
    cluster
        Metadata column whose equal values are kept together, as equal prompts are.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    n_jobs
        Processes for measuring concepts; None for one per processor.
    progress
        Called with the number of mechanisms done and their total.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If fewer than two mechanisms can be compared.
    """
    names = tuple(preferences.mechanisms if mechanisms is None else dict.fromkeys(mechanisms))
    verdicts = {name: preferences.verdict(name) for name in names}
    if concepts is None:
        from palate.concepts.measured import measure

        concepts = measure(preferences, n_jobs=n_jobs)
    frame = Frame.of(preferences, concepts, missing=missing, cluster=cluster, n_jobs=n_jobs)
    fits: dict[str, _Fit] = {}
    skipped: dict[str, str] = {}
    for k, name in enumerate(names):
        try:
            problem = Problem.of(frame, name, verdicts[name])
        except DataError as error:
            skipped[name] = str(error)
        else:
            fits[name] = _Fit.of(problem)
        if progress is not None:
            progress(k + 1, len(names))
    if len(fits) < 2:
        raise DataError(
            f"{len(fits)} of {len(names)} mechanisms can be explained; expected at least two to "
            f"compare. {' '.join(list(skipped.values())[:3])}"
        )
    kept = tuple(fits)
    judged, agreement, kappa = _agreements([verdicts[name] for name in kept])
    distance = _distances(frame, list(fits.values()))
    merges, order = _clustered(distance)
    return ComparisonMatrix(
        mechanisms=kept,
        judged=judged,
        agreement=agreement,
        kappa=kappa,
        distance=distance,
        order=order,
        merges=merges,
        skipped=skipped,
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    problem: Problem
    linear: Linear
    effects: Effects
    names: Integers  # group names behind the cells of `linear`

    @classmethod
    def of(cls, problem: Problem) -> _Fit:
        exists = build(problem).structure
        linear = Linear.of(problem.X, problem.y, problem.codes, problem.groups, exists=exists)
        return cls(problem, linear, effects_of(linear, exists=exists), np.unique(problem.groups))


def _agreements(verdicts: Sequence[Array]) -> tuple[Integers, Array, Array]:
    sides = np.sign(np.array(verdicts))
    known = (~np.isnan(sides)).astype(np.float64)
    tie, took = (sides == 0).astype(np.float64), np.abs(np.nan_to_num(sides))
    n = known @ known.T
    both = took @ took.T
    same_side = (both + np.nan_to_num(sides) @ np.nan_to_num(sides).T) / 2
    same = same_side + tie @ tie.T
    sums = np.stack([same, tie @ known.T, known @ tie.T, both, same_side], axis=-1)
    found = measures(sums.reshape(-1, 5), n.ravel()).reshape(*n.shape, 4)
    none = n == 0
    found[none] = np.nan
    return n.astype(np.int64), found[..., 0], found[..., 2]


def _distances(frame: Frame, fits: Sequence[_Fit]) -> Array:
    """Return the distances of every two, NaN where no entry can be compared."""
    M, C = len(fits), len(frame.matrix.names)
    shared = [(fit, fit.linear.shared(), fit.linear.posterior.shared, -1) for fit in fits]
    total, count = _squares(frame, shared, M, C)
    squares, weight = 0.5 * total, 0.5 * count
    pairs = np.zeros((len(frame.domains), M, frame.codes.size), dtype=bool)
    for m, fit in enumerate(fits):
        pairs[frame.codes[fit.problem.rows], m, fit.problem.rows] = True
    both = np.array([p.astype(np.float64) @ p.T.astype(np.float64) for p in pairs])
    part = both / np.maximum(both.sum(axis=0), 1.0)
    for d, name in enumerate(frame.domains):
        own: list[tuple[_Fit, Influence, Integers, int] | None] = []
        for fit in fits:
            if name not in fit.problem.domains:
                own.append(None)
                continue
            k = fit.problem.domains.index(name)
            block = fit.linear.posterior.blocks[k]
            own.append((fit, fit.linear.domain(k)[0], block.own, k) if block.own.size else None)
        total, count = _squares(frame, own, M, C)
        squares += 0.5 * part[d] * total
        weight += 0.5 * part[d] * count
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.sqrt(np.maximum(squares / weight, 0.0))
    np.fill_diagonal(out, 0.0)
    return np.asarray(np.where(weight > 0, out, np.nan))


def _squares(
    frame: Frame, found: Sequence[tuple[_Fit, Influence, Integers, int] | None], M: int, C: int
) -> tuple[Array, Array]:
    """Return mean squared differences without noise (M, M), and 1 where there is any entry."""
    groups = int(frame.group_of.max()) + 1
    value, known = np.zeros((M, C)), np.zeros((M, C))
    noise = np.zeros((C, M, groups), dtype=np.float32)
    for m, entry in enumerate(found):
        if entry is None:
            continue
        fit, influence, at, d = entry
        problem = fit.problem
        rows = np.ones(problem.n_pairs, dtype=bool) if d < 0 else problem.codes == d
        size = np.sqrt((problem.X[rows] ** 2).mean(axis=0))[at]
        can = fit.linear.estimable[1 + d][at] & np.isfinite(influence.value)
        columns = problem.kept[at[can]]
        value[m, columns] = (influence.value * size)[can]
        known[m, columns] = 1.0
        noise[columns[:, None], m, fit.names[None, :]] = (influence.noise * size)[:, can].T
    total, count = np.zeros((M, M)), np.zeros((M, M))
    for j in np.flatnonzero(known.any(axis=0)):
        cross = noise[j].astype(np.float64) @ noise[j].T.astype(np.float64)
        own = np.diag(cross)
        apart = (value[:, j][:, None] - value[:, j]) ** 2 - (own[:, None] + own - 2 * cross)
        both = np.outer(known[:, j], known[:, j])
        total += both * apart
        count += both
    return total / np.maximum(count, 1.0), (count > 0).astype(np.float64)


def _clustered(distance: Array) -> tuple[Array, tuple[int, ...]]:
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    known = distance[~np.isnan(distance)]
    filled = np.where(np.isnan(distance), FAR * max(float(known.max(initial=0.0)), 1e-9), distance)
    filled = (filled + filled.T) / 2
    np.fill_diagonal(filled, 0.0)
    merges = linkage(squareform(filled, checks=False), method="average", optimal_ordering=True)
    return merges, tuple(int(i) for i in leaves_list(merges))


def _nulls(values: Array) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in row] for row in values]
