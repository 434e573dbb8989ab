"""`explain` and `explain_all`: from preferences and concepts to explanations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np

from palate.concepts.matrix import ConceptMatrix
from palate.concepts.recorded import recorded
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.explanations.assembly import assemble
from palate.explanations.beside import (
    reliability_of,
    replicates_of,
    with_ceiling,
    with_reliability,
)
from palate.explanations.explanation import Explanation
from palate.explanations.fitting import MIN_FOLDS, Fitted, Options
from palate.explanations.parallel import fit_all
from palate.explanations.problem import Frame, Problem, few

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Explanations(Sequence[Explanation]):
    """Explanations of several mechanisms of the same pairs: a sequence, and what was skipped.

    `skipped` maps a mechanism that cannot be explained to one sentence that says why.
    """

    explanations: tuple[Explanation, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Explanation, ...]: ...
    def __getitem__(self, index: int | slice) -> Explanation | tuple[Explanation, ...]:
        return self.explanations[index]

    def __len__(self) -> int:
        return len(self.explanations)

    def __repr__(self) -> str:
        names = ", ".join(e.mechanism for e in self.explanations)
        skipped = f"; skipped: {', '.join(self.skipped)}" if self.skipped else ""
        return f"Explanations({names}{skipped})"


def explain(
    preferences: Preferences,
    concepts: ConceptMatrix | None = None,
    *,
    mechanism: str | None = None,
    n_folds: int = 5,
    n_bootstrap: int = 100,
    level: float = 0.9,
    fdr: float = 0.1,
    seed: int = 0,
    missing: Literal["zero", "raise"] = "zero",
    cluster: str | None = None,
    replicates: Sequence[str] | None = None,
    again: ConceptMatrix | None = None,
    max_pairs: int = 5_000,
    n_jobs: int | None = None,
) -> Explanation:
    """Explain what one mechanism rewards.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    mechanism
        Which mechanism; may be left out if there is only one.
    n_folds
        Folds of the cross-validation, at least 3.
    n_bootstrap
        Bootstrap refits for selection frequencies, at least 2.
    level
        Level of all intervals, between 0 and 1.
    fdr
        False discovery rate of what is called supported, between 0 and 1.
    seed
        Seed of folds, draws and solver.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    cluster
        Metadata column (a voter, a session) whose equal values are kept together in folds and
        draws, as equal prompts and response pairs are.
    replicates
        Mechanisms that are replicates of the explained one (annotators of whom it is one, or the
        majority), for the noise ceiling; None for what the data themselves show.
    again
        Second annotations of the concepts on some of the pairs: concepts that turn out too
        unreliable get no verdict.
    max_pairs
        Used pairs beyond which penalties and held-out scores come from a random part.
    n_jobs
        Processes; None for one per processor.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If the mechanism cannot be explained: no verdicts, all ties, too few, no varying concept.
    InputError
        If a setting is out of range, or there are several mechanisms and none is named.
    """
    if mechanism is None:
        if len(preferences.mechanisms) != 1:
            raise InputError(
                f"There are {len(preferences.mechanisms)} mechanisms; say which one to explain: "
                f"{few([repr(m) for m in preferences.mechanisms], 40)}."
            )
        mechanism = preferences.mechanisms[0]
    return explain_all(
        preferences,
        concepts,
        mechanisms=[mechanism],
        n_folds=n_folds,
        n_bootstrap=n_bootstrap,
        level=level,
        fdr=fdr,
        seed=seed,
        missing=missing,
        cluster=cluster,
        replicates=replicates,
        again=again,
        max_pairs=max_pairs,
        n_jobs=n_jobs,
    )[0]


def explain_all(
    preferences: Preferences,
    concepts: ConceptMatrix | None = None,
    *,
    mechanisms: Sequence[str] | None = None,
    n_folds: int = 5,
    n_bootstrap: int = 100,
    level: float = 0.9,
    fdr: float = 0.1,
    seed: int = 0,
    missing: Literal["zero", "raise"] = "zero",
    cluster: str | None = None,
    replicates: Sequence[str] | None = None,
    again: ConceptMatrix | None = None,
    max_pairs: int = 5_000,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Explanations:
    """Explain what each of several mechanisms rewards, in parallel over mechanisms.

    A mechanism that cannot be explained is skipped, and `skipped` says why, unless it is the only
    one. The result does not depend on `n_jobs`.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    mechanisms
        Which mechanisms; None for all.
    n_folds
        Folds of the cross-validation, at least 3.
    n_bootstrap
        Bootstrap refits for selection frequencies, at least 2.
    level
        Level of all intervals, between 0 and 1.
    fdr
        False discovery rate of what is called supported, between 0 and 1.
    seed
        Seed of folds, draws and solver.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    cluster
        Metadata column (a voter, a session) whose equal values are kept together in folds and
        draws, as equal prompts and response pairs are.
    replicates
        Mechanisms that are replicates of the explained one (annotators of whom it is one, or the
        majority), for the noise ceiling; None for what the data themselves show.
    again
        Second annotations of the concepts on some of the pairs: concepts that turn out too
        unreliable get no verdict.
    max_pairs
        Used pairs beyond which penalties and held-out scores come from a random part.
    n_jobs
        Processes; None for one per processor.
    progress
        Called with the number of mechanisms done and their total, first with 0.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If no mechanism can be explained.
    InputError
        If a setting is out of range.
    """
    check_settings(n_folds, n_bootstrap, level, fdr, seed, max_pairs, n_jobs)
    names = tuple(preferences.mechanisms if mechanisms is None else dict.fromkeys(mechanisms))
    if not names:
        raise DataError("There is no mechanism to explain; expected verdicts of at least one.")
    verdicts = {name: preferences.verdict(name) for name in names}
    beside = replicates_of(preferences, names, named=replicates)
    if concepts is None:
        from palate.concepts.measured import measure

        concepts = measure(preferences, n_jobs=n_jobs)
    frame = Frame.of(preferences, concepts, missing=missing, cluster=cluster, n_jobs=n_jobs)
    problems: dict[str, Problem] = {}
    skipped: dict[str, str] = {}
    for name in names:
        try:
            problems[name] = Problem.of(frame, name, verdicts[name])
        except DataError as error:
            if len(names) == 1:
                raise
            skipped[name] = str(error)
    table = recorded(concepts)
    if again is not None:
        table = reliability_of(
            preferences, concepts, again, groups=frame.group_of, level=level, seed=seed
        )
    options = Options(n_folds, n_bootstrap, level, fdr, seed, max_pairs)
    done: dict[str, Explanation] = {}
    if progress is not None:
        progress(0, len(problems))
    for k, (name, result) in enumerate(fit_all(problems, options, n_jobs=n_jobs)):
        if isinstance(result, Fitted):
            extra = {"missing": missing, "cluster": cluster}
            found = assemble(preferences, frame, problems[name], verdicts[name], result, extra)
            found = with_ceiling(found, preferences, beside[name], seed=seed)
            if table is not None:
                found = with_reliability(found, table, distilled=again is None)
            done[name] = found
        elif len(names) == 1:
            raise result
        else:
            skipped[name] = str(result)
        if progress is not None:
            progress(k + 1, len(problems))
    if not done:
        reasons = " ".join(list(skipped.values())[:3])
        raise DataError(f"None of the {len(names)} mechanisms can be explained. {reasons}")
    return Explanations(
        explanations=tuple(done[name] for name in names if name in done),
        skipped={name: skipped[name] for name in names if name in skipped},
    )


def check_settings(
    n_folds: int,
    n_bootstrap: int,
    level: float,
    fdr: float,
    seed: int,
    max_pairs: int,
    n_jobs: int | None,
) -> None:
    """Refuse settings out of range, by name.

    Parameters
    ----------
    n_folds
        At least 3.
    n_bootstrap
        At least 2.
    level
        Between 0 and 1.
    fdr
        Between 0 and 1.
    seed
        At least 0.
    max_pairs
        At least 1,000.
    n_jobs
        At least 1, or None.

    Raises
    ------
    InputError
        If one is out of range.
    """
    for name, value, least in (
        ("n_folds", n_folds, MIN_FOLDS),
        ("n_bootstrap", n_bootstrap, 2),
        ("seed", seed, 0),
        ("max_pairs", max_pairs, 1_000),
        ("n_jobs", 1 if n_jobs is None else n_jobs, 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(
                f"{name}: found {value!r}; expected a whole number of at least {least}."
            )
    for name, share in (("level", level), ("fdr", fdr)):
        if not 0 < share < 1:
            raise InputError(f"{name}: found {share!r}; expected a number between 0 and 1.")
