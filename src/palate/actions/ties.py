"""`break_ties`: a judge's ties decided by concepts, asked again or by the explained model alone.

    broken = break_ties(preferences, "GPT-4/Vanilla", concepts, reference="human")
    print(broken.strategies)
    broken.add_to(preferences)     # verdicts of "GPT-4/Vanilla+own" and so on

Accuracies are against the reference; its verdicts on tied pairs decide nothing and are in no fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from palate.actions.strategies import (
    BY,
    NEED_REFERENCE,
    STRATEGIES,
    By,
    Guide,
    Strategy,
    guide_scores,
    guides_of,
)
from palate.actions.ties_asked import Answers, ask_ties
from palate.actions.ties_fits import TieFits, fit_ties
from palate.actions.ties_result import TieBreaks
from palate.actions.ties_tables import Outcome, result_of
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.data.shown import MAX_CHARS
from palate.errors import DataError, InputError, UnknownNameError
from palate.explanations.problem import few
from palate.llm.outcome import Asks


def break_ties(
    preferences: Preferences,
    judge: str,
    concepts: ConceptMatrix | None = None,
    *,
    reference: str | None = None,
    client: Asks | None = None,
    strategies: Sequence[Strategy] | None = None,
    by: By | None = None,
    n_concepts: int = 4,
    level: float = 0.9,
    fdr: float = 0.1,
    seed: int = 0,
    missing: Literal["zero", "raise"] = "zero",
    cluster: str | None = None,
    soft: bool = False,
    max_chars: int = MAX_CHARS,
    n_jobs: int | None = None,
    fits: TieFits | None = None,
) -> TieBreaks:
    """Break the ties of a judge by what explanations say that it, or a reference, rewards.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    judge
        Whose ties are broken.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    reference
        The mechanism that says what is right, for instance people; without it there are neither
        accuracies nor the strategies "reference" and "difference".
    client
        Who is asked again, see `palate.connect`; None lets the explained models decide.
    strategies
        Which of "random", "own", "reference", "difference"; None for all that are possible.
    by
        How concepts are chosen: "supported" (the default where a model is asked), "weight", or
        "all" (the whole model; the default where none is asked).
    n_concepts
        How many concepts decide at most, unless all do.
    level
        Level of the intervals, between 0 and 1.
    fdr
        False discovery rate of what is called supported, between 0 and 1.
    seed
        Seed of parts, folds and random concepts.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    cluster
        Metadata column whose equal values are kept together, as equal prompts are.
    soft
        Whether a model is asked for probabilities of its verdict.
    max_chars
        Longest prompt or response that a model is shown whole.
    n_jobs
        Processes for measuring concepts; None for one per processor.
    fits
        Fits of `fit_ties` for the same pairs and judge, where they are there already.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism, strategy or way of choosing concepts.
    DataError
        If there are no ties to break, no strategy can be followed, or no model answers.
    InputError
        If the reference is the judge, a strategy needs one, or a setting is out of range.
    """
    by = by or ("all" if client is None else "supported")
    names = check_strategies(strategies, by, n_concepts, reference=reference, asked=client)
    if not 0 < level < 1:
        raise InputError(f"level: found {level!r}; expected a number between 0 and 1.")
    if fits is None:
        fits = fit_ties(
            preferences,
            judge,
            concepts,
            reference=reference,
            fdr=fdr,
            seed=seed,
            missing=missing,
            cluster=cluster,
            n_jobs=n_jobs,
        )
    notes = list(fits.notes)
    done: list[Outcome] = []
    for name in names:
        if name != "random" and all(getattr(part, name) is None for part in fits.parts):
            notes.append(f"Strategy {name!r} is left out: there is no explanation to follow.")
            continue
        guides = guides_of(fits, name, by=by, n_concepts=n_concepts, seed=seed)
        notes += _short(fits, name, guides, by, n_concepts)
        answers = None
        if client is not None:
            answers = ask_ties(preferences, fits, guides, client, soft=soft, max_chars=max_chars)
            if soft and answers.broken.any() and not answers.sure:
                notes.append(
                    f"{name}: not every side has a probability; the surest ties are those to "
                    "which the concepts lean most."
                )
        done.append(_outcome(fits, name, guides, answers))
    if not done:
        raise DataError(f"None of the strategies can be followed. {' '.join(fits.notes[:3])}")
    asked = [j for one in done if one.answers for j in one.answers.judged if j is not None]
    if asked and all(math.isnan(j.verdict) for j in asked):
        said = (order.failure for j in asked for order in (j.ab, j.ba) if order is not None)
        why = next(failure for failure in said if failure)
        raise DataError(
            f"None of the questions about {fits.n_tied:,} tied pairs was answered in both orders; "
            f"the first that failed: {why.rstrip('.')}."
        )
    return result_of(
        preferences,
        fits,
        done,
        notes,
        level=level,
        settings={
            **fits.settings,
            "by": by,
            "n_concepts": n_concepts,
            "level": level,
            "asked": client is not None,
            "parts": len(fits.parts),
        },
    )


def check_strategies(
    strategies: Sequence[str] | None,
    by: str,
    n_concepts: int,
    *,
    reference: str | None,
    asked: object | None,
) -> tuple[Strategy, ...]:
    """Return the strategies to follow, in their usual order; refuse what cannot be.

    Parameters
    ----------
    strategies
        Their names; None for all that are possible.
    by
        How concepts are chosen.
    n_concepts
        How many concepts decide.
    reference
        The mechanism that says what is right, None without one.
    asked
        Who is asked, None if nobody is.

    Raises
    ------
    UnknownNameError
        If there is no such strategy or way of choosing concepts.
    InputError
        If a strategy needs a reference, or a model would be asked about all concepts.
    """
    if by not in BY:
        raise UnknownNameError("choice of concepts", by, BY)
    if by == "all" and asked is not None:
        raise InputError(
            "by: found 'all' with a model to ask, which follows few concepts; expected 'supported' "
            "or 'weight'."
        )
    if n_concepts < 1:
        raise InputError(f"n_concepts: found {n_concepts}; expected at least 1.")
    for name in strategies or ():
        if name not in STRATEGIES:
            raise UnknownNameError("strategy", name, STRATEGIES)
        if name in NEED_REFERENCE and reference is None:
            raise InputError(
                f"Strategy {name!r} needs a reference; expected the name of a mechanism that says "
                "what is right."
            )
    possible = [s for s in STRATEGIES if reference is not None or s not in NEED_REFERENCE]
    return tuple(s for s in possible if strategies is None or s in strategies)


def _outcome(
    fits: TieFits, name: Strategy, guides: tuple[Guide, ...], answers: Answers | None
) -> Outcome:
    score = guide_scores(fits, guides, counted=name == "random")
    if answers is None:
        return Outcome(name, guides, np.sign(score), score, np.abs(score), None)
    sureness = np.abs(score)
    if answers.sure:
        sureness = np.maximum(answers.broken * np.nan_to_num(answers.soft), 0.0)
    return Outcome(name, guides, answers.broken, score, sureness, answers)


def _short(
    fits: TieFits, name: Strategy, guides: tuple[Guide, ...], by: By, n_concepts: int
) -> list[str]:
    """Say where there are fewer concepts than wanted, or none."""
    what = {"own": f"of {fits.judge!r}", "reference": f"of {fits.reference!r}"}.get(
        name, f"between {fits.reference!r} and {fits.judge!r}"
    )
    kind = {
        "random": "concepts",
        "difference": f"supported differences {what}",
    }.get(name, f"supported effects {what}")
    if name != "random" and by != "supported":
        kind = f"weights {what}"
    wanted = 1 if by == "all" and name != "random" else n_concepts
    guides = tuple(g for g in guides if fits.usable[g.domain].any())  # else nothing has a value
    none = sorted({fits.domains[g.domain] for g in guides if g.columns.size == 0})
    less = sorted({fits.domains[g.domain] for g in guides if 0 < g.columns.size < wanted})
    notes = []
    if none:
        notes.append(f"{name}: no {kind} in {few(none)}, so ties stay there.")
    if less:
        notes.append(f"{name}: fewer than {wanted} {kind} in {few(less)}; what there is decides.")
    return notes
