"""Explanations of a judge and of a reference that have seen none of the pairs they are used on.

Tied pairs of the judge are in no fit, the verdicts of the reference on them included: whoever has
ties to break does not know these. Nor is any pair that shares a prompt or the responses with a tied
pair that the fit is used on. Where that takes little, one part leaves out all groups of tied pairs;
else the groups of tied pairs are divided into parts, and each part is explained without its own.

Shapes: T tied pairs, C concepts, D domains. Row D of an array (D + 1, C) is the shared part, which
also stands for domains without a fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from palate.actions.ties_difference import minus, sharpness
from palate.actions.ties_found import tied_pairs
from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.concepts.recorded import recorded
from palate.concepts.reliability import unreliable
from palate.data.preferences import Preferences
from palate.data.splits import grouped_folds
from palate.errors import DataError, InputError
from palate.explanations.explain import check_settings
from palate.explanations.fitting import MIN_FOLDS
from palate.explanations.grid import carried_over
from palate.explanations.problem import Frame, Problem, given_up_in
from palate.explanations.resampling import build, sample_groups, take
from palate.inference.discoveries import Verdict, supported
from palate.inference.effects import Effects, Estimates, infer
from palate.models.selection import select

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CHEAP = 0.1  # share of the judge's decided pairs that one part may leave out
PARTS = 5
FOLDS = 5  # of the choice of penalties


@dataclass(frozen=True, eq=False)
class Side:
    """What is known of a mechanism, or of a difference of two.

    Parameters
    ----------
    weights
        Weights of HMDR, shape (D + 1, C), 0 where a concept has none.
    effects
        Estimated effects, shape (D + 1, C), NaN where none can be given.
    supported
        Which effects are supported, shape (D + 1, C).
    n_pairs
        How many verdicts it rests on; 0 for a difference.
    estimates
        The estimates with their errors, in the order of the frame's domains and concepts.
    """

    weights: Array
    effects: Array
    supported: Mask
    n_pairs: int
    estimates: Effects


@dataclass(frozen=True, eq=False)
class Part:
    """What one part of the tied pairs is broken by; None for what cannot be explained.

    Parameters
    ----------
    own
        The judge.
    reference
        The reference.
    difference
        Reference minus judge.
    """

    own: Side | None
    reference: Side | None
    difference: Side | None


@dataclass(frozen=True, eq=False)
class TieFits:
    """The tied pairs, and explanations that have not seen them.

    Parameters
    ----------
    judge
        Whose ties they are.
    reference
        Which mechanism says what is right, None if none does.
    rows
        Rows of the tied pairs, shape (T,).
    values
        Concept values of the tied pairs, shape (T, C), 0 where not measured.
    codes
        Domains of the tied pairs, positions in `domains`, shape (T,).
    part_of
        Part of each tied pair, shape (T,).
    group_of
        Group of every pair of the file, shape (n_pairs,).
    covered
        Whether a tied pair has a value of any concept, shape (T,).
    domains
        The D domains.
    concepts
        The C concepts.
    usable
        Concepts that a domain can draw from, shape (D, C).
    parts
        One per part.
    left_out
        Decided pairs of the judge that a part leaves out, on average.
    settings
        How it was computed.
    notes
        Plain sentences that a reader must know.
    """

    judge: str
    reference: str | None
    rows: Integers
    values: Array
    codes: Integers
    part_of: Integers
    group_of: Integers
    covered: Mask
    domains: tuple[str, ...]
    concepts: tuple[Concept, ...]
    usable: Mask
    parts: tuple[Part, ...]
    left_out: float
    settings: dict[str, object]
    notes: tuple[str, ...]

    @property
    def n_tied(self) -> int:
        """Number of tied pairs."""
        return int(self.rows.size)


def fit_ties(
    preferences: Preferences,
    judge: str,
    concepts: ConceptMatrix | None = None,
    *,
    reference: str | None = None,
    fdr: float = 0.1,
    seed: int = 0,
    missing: Literal["zero", "raise"] = "zero",
    cluster: str | None = None,
    max_pairs: int = 5_000,
    n_jobs: int | None = None,
) -> TieFits:
    """Explain a judge and a reference without the judge's tied pairs and what belongs to them.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    judge
        Whose ties are to be broken.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    reference
        A mechanism that says what is right, for instance people; None if there is none.
    fdr
        False discovery rate of what is called supported.
    seed
        Seed of parts, folds and solver.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    cluster
        Metadata column whose equal values are kept together, as equal prompts are.
    max_pairs
        Used pairs beyond which penalties are chosen on a random part.
    n_jobs
        Processes for measuring concepts; None for one per processor.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If there are no ties to break.
    InputError
        If the reference is the judge, or a setting is out of range.
    """
    check_settings(FOLDS, 2, 0.9, fdr, seed, max_pairs, n_jobs)
    tied = tied_pairs(preferences, judge)
    if reference == judge:
        raise InputError(
            f"Mechanism {judge!r} is judge and reference; expected two different ones."
        )
    own = preferences.verdict(judge)
    right = None if reference is None else (reference, preferences.verdict(reference))
    if concepts is None:
        from palate.concepts.measured import measure

        concepts = measure(preferences, n_jobs=n_jobs)
    frame = Frame.of(preferences, concepts, missing=missing, cluster=cluster, n_jobs=n_jobs)
    part_of, left_out = _parts(frame, tied, own, seed=seed)
    fit = _Fit(frame, _unreliable(concepts), fdr=fdr, seed=seed, max_pairs=max_pairs)
    notes: dict[str, None] = {}
    parts = []
    for k in range(int(part_of.max()) + 1):
        rows = np.flatnonzero(tied)[part_of == k]
        hidden = tied | np.isin(frame.group_of, frame.group_of[rows])
        parts.append(_part(fit, (judge, own), right, hidden, notes))
    rows = np.flatnonzero(tied)
    if len(parts) > 1:
        notes = {_told(len(parts)): None, **notes}
    elif left_out:
        one = left_out == 1
        notes = {
            f"{round(left_out):,} pair{'' if one else 's'} that share{'s' if one else ''} a prompt "
            "or responses with a tied one "
            f"{'is' if one else 'are'} left out of the fits as well.": None,
            **notes,
        }
    return TieFits(
        judge=judge,
        reference=reference,
        rows=rows,
        values=frame.filled[rows],
        codes=frame.codes[rows],
        part_of=part_of,
        group_of=frame.group_of,
        covered=frame.covered[rows],
        domains=frame.domains,
        concepts=frame.matrix.concepts,
        usable=_usable(frame) & ~fit.unreliable,
        parts=tuple(parts),
        left_out=left_out,
        settings={"fdr": fdr, "seed": seed, "missing": missing, "cluster": cluster},
        notes=tuple(notes),
    )


def _parts(frame: Frame, tied: Mask, own: Array, *, seed: int) -> tuple[Integers, float]:
    """The part of each tied pair, and how many decided pairs a part leaves out, on average."""
    rows = np.flatnonzero(tied)
    decided = ~np.isnan(own) & (own != 0) & frame.covered
    beside = decided & np.isin(frame.group_of, frame.group_of[rows])
    n_groups = np.unique(frame.group_of[rows]).size
    if beside.sum() <= CHEAP * decided.sum() or n_groups < 2:
        return np.zeros(rows.size, dtype=np.int64), float(beside.sum())
    parts = grouped_folds(
        frame.group_of[rows], min(PARTS, n_groups), seed=seed, strata=frame.codes[rows]
    )
    lost = [
        (decided & np.isin(frame.group_of, frame.group_of[rows[parts == k]])).sum()
        for k in range(int(parts.max()) + 1)
    ]
    return parts, float(np.mean(lost))


@dataclass(frozen=True, eq=False)
class _Fit:
    """Fits mechanisms on the pairs of one frame."""

    frame: Frame
    unreliable: Mask
    fdr: float
    seed: int
    max_pairs: int

    def side(self, name: str, verdicts: Array) -> Side:
        """Explain one mechanism."""
        problem = Problem.of(self.frame, name, verdicts)
        groups = problem.counts["clusters"]
        if groups < MIN_FOLDS:
            raise DataError(
                f"Mechanism {name!r}: the usable verdicts are on {groups} groups of pairs that "
                f"share prompts or responses; expected at least {MIN_FOLDS}."
            )
        small = problem
        if problem.n_pairs > self.max_pairs:
            small = take(problem, sample_groups(problem, self.max_pairs, seed=self.seed))
        design = build(small)
        folds = grouped_folds(small.groups, min(FOLDS, groups), seed=self.seed, strata=small.codes)
        config = select(design, folds, seed=self.seed).config
        if small is not problem:
            whole = build(problem)
            config, design = carried_over(config, design, whole), whole
        fit = design.fit(**config._asdict(), seed=self.seed)
        effects = infer(
            problem.X, problem.y, problem.codes, problem.groups, exists=design.structure
        )
        at = np.array([self.frame.domains.index(d) for d in problem.domains])
        weights = np.zeros((len(self.frame.domains) + 1, len(self.frame.matrix.concepts)))
        weights[:, problem.kept] = fit.shared
        weights[np.ix_(at, problem.kept)] = fit.shared + fit.domain
        return self.of(weights, self._placed(problem, at, effects), problem)

    def difference(self, reference: Side, judge: Side, verdicts: Array) -> Side:
        """Explain what a reference rewards more than one answer of a judge."""
        judged = ~np.isnan(verdicts) & self.frame.covered
        log_odds = (self.frame.filled * judge.weights[self.frame.codes]).sum(axis=1)
        scale = sharpness(log_odds[judged], np.sign(verdicts[judged]))
        effects = minus(reference.estimates, judge.estimates, scale)
        return self.of(reference.weights - scale * judge.weights, effects, None)

    def of(self, weights: Array, effects: Effects, problem: Problem | None) -> Side:
        """Say what is supported; domains without a fit have the shared part."""
        given_up = given_up_in(self.frame.matrix.provenance)
        support = supported(effects, fdr=self.fdr, given_up=given_up)
        values = np.vstack([effects.total.value, effects.shared.value])
        without = np.isnan(effects.total.value).all(axis=1)
        values[:-1][without] = effects.shared.value
        everywhere = support.shared == Verdict.EVERYWHERE.value
        holds = np.vstack([support.domain != Verdict.NOT.value, everywhere])
        holds[:-1][without] = everywhere
        holds &= np.isfinite(values) & ~self.unreliable
        return Side(weights, values, holds, 0 if problem is None else problem.n_pairs, effects)

    def _placed(self, problem: Problem, at: Integers, effects: Effects) -> Effects:
        """Put estimates of a problem into the layout of the frame, NaN elsewhere."""
        D, C = len(self.frame.domains), len(self.frame.matrix.concepts)

        def shared(values: Array) -> Array:
            out = np.full(C, np.nan)
            out[problem.kept] = values
            return out

        def domains(values: Array) -> Array:
            out = np.full((D, C), np.nan)
            out[np.ix_(at, problem.kept)] = values
            return out

        return replace(
            effects,
            shared=_each(effects.shared, shared),
            total=_each(effects.total, domains),
            deviation=_each(effects.deviation, domains),
        )


def _each(estimates: Estimates, place: Callable[[Array], Array]) -> Estimates:
    return Estimates(**{f.name: place(getattr(estimates, f.name)) for f in fields(estimates)})


def _part(
    fit: _Fit,
    judge: tuple[str, Array],
    reference: tuple[str, Array] | None,
    hidden: Mask,
    notes: dict[str, None],
) -> Part:
    """Explain what can be explained without the hidden pairs, and note what cannot."""

    def side(name: str, verdicts: Array) -> Side | None:
        try:
            return fit.side(name, np.where(hidden, np.nan, verdicts))
        except DataError as error:
            notes[f"Without the tied pairs and what shares a prompt with them: {error}"] = None
            return None

    own = side(*judge)
    right = None if reference is None else side(*reference)
    if reference is None or own is None or right is None:
        return Part(own, right, None)
    return Part(
        own, right, fit.difference(right, own, np.where(hidden & (judge[1] != 0), np.nan, judge[1]))
    )


def _unreliable(concepts: ConceptMatrix) -> Mask:
    table = recorded(concepts)
    bad = () if table is None else unreliable(table)
    return np.isin(concepts.names, bad)


def _usable(frame: Frame) -> Mask:
    """Which concepts apply in a domain and differ on some pair of it, shape (D, C)."""
    out = np.zeros((len(frame.domains), len(frame.matrix.concepts)), dtype=bool)
    for d in range(len(frame.domains)):
        out[d] = (frame.filled[frame.codes == d] != 0).any(axis=0)
    return out


def _told(n_parts: int) -> str:
    return (
        f"Many pairs share a prompt or responses with tied ones, so the tied pairs are divided "
        f"into {n_parts} parts, and each is broken by explanations that saw nothing of its part."
    )
