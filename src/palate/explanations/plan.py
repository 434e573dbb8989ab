"""`plan`: how many pairs a study needs to find an effect, from the user's own pilot data."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.explanations.lifts import at_even
from palate.explanations.plan_result import COLUMNS, DIFFERENCE, DOMAIN, SHARED, Plan
from palate.explanations.problem import Array, Frame, Problem, few
from palate.explanations.resampling import build
from palate.inference.effects import infer
from palate.inference.power import MOST, Planner, Power
from palate.inference.study import Study

FEW_PROMPTS = 50  # below it a note says that the pilot is small


def plan(
    preferences: Preferences,
    concepts: ConceptMatrix | None = None,
    *,
    mechanism: str | None = None,
    lift: float = 10.0,
    power: float = 0.8,
    fdr: float = 0.1,
    cluster: str | None = None,
    missing: Literal["zero", "raise"] = "zero",
    seed: int = 0,
    n_jobs: int | None = None,
) -> Plan:
    """Say how many pairs per domain are needed to find a lift, concept by concept.

    The pilot may be any data of the kind that is planned for: its verdicts, the values of its
    concepts and how they go together, and its prompts. A plan holds for effects of the given size
    in either direction, found as `palate.explain` finds them.

    Parameters
    ----------
    preferences
        The pilot.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    mechanism
        Whose verdicts; needed if there are several.
    lift
        Size of the effect, per cent per step, between 0 and 100.
    power
        Probability of finding it, between `fdr` and 1.
    fdr
        False discovery rate, between 0 and 1.
    cluster
        Metadata column whose equal values are kept together, as equal prompts are.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    seed
        Seed of the draws that say how many other concepts will be found.
    n_jobs
        Processes for measuring concepts; None for one per processor.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If the pilot cannot be explained, or no effect in it can be estimated.
    InputError
        If a setting is out of range.
    """
    check_plan(lift, power, fdr, seed)
    if mechanism is None:
        if len(preferences.mechanisms) != 1:
            raise InputError(
                f"There are {len(preferences.mechanisms)} mechanisms; say which one to plan for: "
                f"{few([repr(m) for m in preferences.mechanisms], 40)}."
            )
        mechanism = preferences.mechanisms[0]
    verdicts = preferences.verdict(mechanism)
    if concepts is None:
        from palate.concepts.measured import measure

        concepts = measure(preferences, n_jobs=n_jobs)
    frame = Frame.of(preferences, concepts, missing=missing, cluster=cluster, n_jobs=n_jobs)
    problem = Problem.of(frame, mechanism, verdicts)
    return _plan(problem, lift, power, fdr, seed, {"missing": missing, "cluster": cluster})


def check_plan(lift: float, power: float, fdr: float, seed: int) -> None:
    """Refuse settings out of range, by name.

    Parameters
    ----------
    lift
        Between 0 and 100, neither included.
    power
        Between `fdr` and 1, neither included.
    fdr
        Between 0 and 1, neither included.
    seed
        A whole number of at least 0.

    Raises
    ------
    InputError
        If one is out of range.
    """
    if not 0 < lift < 100:
        raise InputError(f"lift: found {lift!r}; expected per cent between 0 and 100.")
    if not 0 < fdr < 1:
        raise InputError(f"fdr: found {fdr!r}; expected a number between 0 and 1.")
    if not fdr < power < 1:
        raise InputError(
            f"power: found {power!r}; expected a number between the false discovery rate ({fdr:g}) "
            "and 1."
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed: found {seed!r}; expected a whole number of at least 0.")


def _plan(
    problem: Problem, lift: float, power: float, fdr: float, seed: int, extra: dict[str, object]
) -> Plan:
    structure = build(problem).structure
    effects = infer(problem.X, problem.y, problem.codes, problem.groups, exists=structure)
    if np.isnan(effects.shared.value).all() and np.isnan(effects.total.value).all():
        raise DataError(
            f"Mechanism {problem.mechanism!r}: no concept differs on enough prompts of the pilot; "
            "expected at least five for one concept."
        )
    n_pairs = np.bincount(problem.codes, minlength=problem.n_domains).astype(np.float64)
    study = Study(effects, n_pairs)
    planner = Planner(study, fdr=fdr, seed=seed)
    theta = 2.0 * float(np.arctanh(lift / 100.0))
    needed, alone = planner.pairs(theta, power), planner.pairs(theta, power, alone=True)
    now = study.errors(np.ones(problem.n_domains))
    chosen = planner.count(now)
    present = planner.power(np.full(now.total.shape, theta), now, chosen)
    smallest = planner.smallest(power, now, chosen)
    columns = [needed, alone, present, smallest]
    rows: list[tuple[object, ...]] = []
    for j, name in enumerate(problem.names):
        rows.append((name, SHARED, None, *_cells([c.total[0, j] for c in columns])))
        if problem.n_domains == 1:
            continue
        for kind, of in ((DOMAIN, "total"), (DIFFERENCE, "deviation")):
            for d, domain in enumerate(problem.domains):
                cells = _cells([getattr(c, of)[1 + d, j] for c in columns])
                specific = problem.concept_domains[j]
                if specific is None or domain in specific:
                    rows.append((name, kind, domain, *cells))
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    groups = int(np.unique(problem.groups).size)
    counts = {
        **problem.counts,
        "groups": groups,
        "fewest_pairs": int(n_pairs.min()),
        "most_pairs": int(n_pairs.max()),
        "expected_chosen": round(float(np.median(chosen)), 1),
    }
    repeated = problem.n_pairs / groups
    prompts = {
        "pairs_per_prompt": repeated,
        "worth": float(study.repeats.mean()),
        "single": None,
    }
    if repeated > 1:
        single = Planner(Study(effects, n_pairs, singly=True), fdr=fdr, seed=seed)
        prompts["single"] = _middle(single.pairs(theta, power), problem.n_domains)
    return Plan(
        mechanism=problem.mechanism,
        table=table,
        domains=problem.domains,
        counts=counts,
        prompts=prompts,
        notes=_notes(problem, counts, table),
        settings={"lift": lift, "power": power, "fdr": fdr, "seed": seed, **extra},
    )


def _cells(values: list[float]) -> tuple[int | None, int | None, float | None, float | None]:
    """Return pairs, pairs if nothing else is found, power now and the smallest lift now."""
    needed, alone, present, smallest = values
    return (
        _whole(needed),
        _whole(alone),
        None if np.isnan(present) else float(present),
        float(at_even(np.array(smallest))) if smallest < MOST else None,
    )


def _whole(pairs: float) -> int | None:
    """Return a number of pairs rounded up, None if there is none below the limit."""
    return int(np.ceil(pairs)) if pairs <= MOST else None


def _middle(needed: Power, n_domains: int) -> int | None:
    """Return the pairs per domain for the median concept: in one domain, or at all if it is one."""
    values: Array = (needed.total[1:] if n_domains > 1 else needed.total[:1]).ravel()
    known = values[~np.isnan(values)]
    return _whole(float(np.sort(known)[(known.size - 1) // 2])) if known.size else None


def _notes(problem: Problem, counts: dict[str, float], table: pl.DataFrame) -> tuple[str, ...]:
    notes = []
    share = problem.counts["used"] / problem.counts["judged"]
    if share < 1:
        notes.append(
            f"Pairs are those with a verdict that is not a tie and with concept values: "
            f"{100 * share:.0f} % of the judged ones here; collect {1 / share:.2f} times as many."
        )
    if counts["groups"] < FEW_PROMPTS:
        notes.append(
            f"The pilot has {counts['groups']:,} prompts only; a plan from fewer than "
            f"{FEW_PROMPTS} is a rough guess."
        )
    unknown = table.filter(pl.col("power_now").is_null()).height
    if unknown:
        notes.append(
            f"{unknown:,} of {table.height:,} effects differ on too few prompts of the pilot to be "
            "planned for; they have no numbers and are not in the medians."
        )
    return (*notes, *problem.notes)
