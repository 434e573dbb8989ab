"""`compare`: from preferences and concepts to a comparison of two mechanisms.

Effects are compared on the pairs on which both took a side. A pair on which one of them ties says
nothing about the log-odds of the other that the first could be compared with: using it for one side
only would set effects on different pairs beside each other, and make a difference of pairs look
like one of mechanisms. Ties count in the agreement.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.data.orders import recorded_orders
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.explanations.comparison import (
    AGREEMENT,
    DIFFERENCES,
    DISAGREEMENTS,
    EVERYWHERE,
    PAIRS,
    Comparison,
)
from palate.explanations.comparison_agreement import agreement_rows
from palate.explanations.comparison_pairs import disagreement_rows, pair_rows
from palate.explanations.explain import check_settings
from palate.explanations.lifts import at_even
from palate.explanations.problem import MIN_USED, Frame, Problem, few
from palate.explanations.resampling import build
from palate.inference.differences import Differences, differ
from palate.inference.discoveries import Support, supported

MUCH_SHARPER = 0.1
"""Difference of the shares of pairs whose orders disagree from which on it is told."""

Array = npt.NDArray[np.float64]


def compare(
    preferences: Preferences,
    a: str,
    b: str,
    concepts: ConceptMatrix | None = None,
    *,
    level: float = 0.9,
    fdr: float = 0.1,
    n_bootstrap: int = 1_000,
    seed: int = 0,
    cluster: str | None = None,
    missing: Literal["zero", "raise"] = "zero",
    n_jobs: int | None = None,
) -> Comparison:
    """Compare what two mechanisms reward, on the pairs that both judged.

    Parameters
    ----------
    preferences
        The pairs and verdicts.
    a
        Name of mechanism A.
    b
        Name of mechanism B; differences are A minus B.
    concepts
        Values of concepts on these pairs; None measures them on the texts.
    level
        Level of all intervals, between 0 and 1.
    fdr
        False discovery rate of what is called supported, between 0 and 1.
    n_bootstrap
        Draws of groups for the intervals of agreement, at least 2.
    seed
        Seed of the draws.
    cluster
        Metadata column whose equal values are kept together, as equal prompts are.
    missing
        "zero" counts a value that was not measured as equal; "raise" refuses it.
    n_jobs
        Processes for measuring concepts; None for one per processor.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    DataError
        If the two share no pairs, decided fewer than 20 of them, or cannot be explained there.
    InputError
        If the two are the same, or a setting is out of range.
    """
    check_settings(5, n_bootstrap, level, fdr, seed, 1_000, n_jobs)
    verdicts = [preferences.verdict(name) for name in (a, b)]
    if a == b:
        raise InputError(f"Mechanism {a!r} is given twice; expected two different ones.")
    _check_shared(a, b, verdicts)
    if concepts is None:
        from palate.concepts.measured import measure

        concepts = measure(preferences, n_jobs=n_jobs)
    frame = Frame.of(preferences, concepts, missing=missing, cluster=cluster, n_jobs=n_jobs)
    judged = ~np.isnan(verdicts[0]) & ~np.isnan(verdicts[1])
    decided = judged & (verdicts[0] != 0) & (verdicts[1] != 0)
    usable = decided & frame.covered
    if usable.sum() < MIN_USED:
        raise DataError(
            f"{a!r} and {b!r} both took a side on {usable.sum()} pairs with concept values; "
            f"expected at least {MIN_USED}."
        )
    one, other = (
        Problem.of(frame, name, np.where(usable, v, np.nan))
        for name, v in zip((a, b), verdicts, strict=True)
    )
    exists = build(one).structure
    found = differ(one.X, one.y, other.y, one.codes, one.groups, exists=exists, level=level)
    support = supported(found.difference, fdr=fdr, given_up=one.counts.get("given_up", 0))
    shared = (one.X, one.y, other.y, one.codes)
    rows = np.flatnonzero(judged)
    ids = preferences.ids
    agreement = agreement_rows(
        verdicts[0][rows],
        verdicts[1][rows],
        frame.codes[rows],
        frame.group_of[rows],
        frame.domains,
        level=level,
        n_bootstrap=n_bootstrap,
        seed=seed,
    )
    disagreements = disagreement_rows(
        *shared, one.groups, one.names, exists=exists, level=level, fdr=fdr
    )
    pairs = pair_rows(*shared, [ids[i] for i in one.rows], one.domains, one.names, found)
    counts = {
        "pairs": preferences.n_pairs,
        "judged_a": int((~np.isnan(verdicts[0])).sum()),
        "judged_b": int((~np.isnan(verdicts[1])).sum()),
        "judged": int(judged.sum()),
        "decided": int(usable.sum()),
        "without_values": int((decided & ~frame.covered).sum()),
        "disagreements": len(pairs),
        "prompts": one.counts["prompts"],
        "clusters": one.counts["clusters"],
        "domains": one.n_domains,
        "concepts": one.counts["concepts"],
    }
    return Comparison(
        a=a,
        b=b,
        differences=pl.DataFrame(_difference_rows(frame, one, found, support), schema=DIFFERENCES),
        agreement=pl.DataFrame(agreement, schema=AGREEMENT),
        disagreements=pl.DataFrame(disagreements, schema=DISAGREEMENTS),
        pairs=pl.DataFrame(pairs, schema=PAIRS),
        domains=one.domains,
        counts=counts,
        notes=(*_notes(a, b, verdicts, frame, one, counts), *_sharper(preferences, a, b)),
        settings={
            "level": level,
            "fdr": fdr,
            "n_bootstrap": n_bootstrap,
            "seed": seed,
            "cluster": cluster,
            "missing": missing,
            "correlation": found.correlation,
        },
    )


def _check_shared(a: str, b: str, verdicts: list[Array]) -> None:
    judged = [~np.isnan(v) for v in verdicts]
    for name, mask in zip((a, b), judged, strict=True):
        if not mask.any():
            raise DataError(f"Mechanism {name!r} judged no pair; expected verdicts.")
    both = judged[0] & judged[1]
    if not both.any():
        raise DataError(
            f"{a!r} and {b!r} share no pairs: they judged {judged[0].sum():,} and "
            f"{judged[1].sum():,}, none of them the same; expected at least {MIN_USED} in common."
        )
    decided = int((both & (verdicts[0] != 0) & (verdicts[1] != 0)).sum())
    if decided < MIN_USED:
        raise DataError(
            f"{a!r} and {b!r} both took a side on {decided} of the {both.sum():,} pairs that both "
            f"judged; expected at least {MIN_USED}."
        )


def _difference_rows(
    frame: Frame, problem: Problem, found: Differences, support: Support
) -> list[dict[str, Any]]:
    concepts = [frame.matrix.concepts[j] for j in problem.kept]
    steps = frame.matrix.step[problem.kept]
    rows = []
    for d in range(-1, problem.n_domains):
        parts = {
            side: getattr(effects, "shared" if d < 0 else "total")
            for side, effects in (("a", found.a), ("b", found.b), ("", found.difference))
        }
        words = support.shared if d < 0 else support.domain[d]

        def of(side: str, part: str, j: int, d: int = d, parts: dict[str, Any] = parts) -> Any:
            values = getattr(parts[side], part)
            value = values[j] if d < 0 else values[d, j]
            return None if np.isnan(value) else float(value)

        for j, concept in enumerate(concepts):
            difference = of("", "value", j)
            if difference is None:
                continue
            row: dict[str, Any] = {
                "concept": concept.name,
                "family": concept.family,
                "scope": EVERYWHERE if d < 0 else problem.domains[d],
            }
            for side in ("a", "b"):
                row[side] = of(side, "value", j)
                row |= {f"{side}_{end}": of(side, end, j) for end in ("low", "high")}
            row |= {
                "difference": difference,
                **{end: of("", end, j) for end in ("low", "high", "p_value")},
                "verdict": str(words[j]),
                **{f"lift_{side}": _lift(row[side]) for side in ("a", "b")},
                "lift": _lift(difference),
                **{f"lift_{end}": _lift(of("", end, j)) for end in ("low", "high")},
                "unit": concept.unit,
                "step": None if np.isnan(steps[j]) else float(steps[j]),
            }
            rows.append(row)
    return rows


def _lift(effect: float | None) -> float | None:
    return None if effect is None else float(at_even(np.array(effect)))


def _notes(
    a: str, b: str, verdicts: list[Array], frame: Frame, problem: Problem, counts: dict[str, int]
) -> tuple[str, ...]:
    notes = []
    judged = [~np.isnan(v) for v in verdicts]
    both = judged[0] & judged[1]
    for name, own in ((a, judged[0]), (b, judged[1])):
        left = int((own & ~both).sum())
        if left:
            notes.append(
                f"{left:,} verdicts of {name!r} are on pairs that the other did not judge."
            )
    names = np.array(frame.domains, dtype=object)
    for name, own in ((a, judged[0]), (b, judged[1])):
        missing = sorted(set(names[frame.codes[own]]) - set(names[frame.codes[both]]))
        if missing:
            notes.append(
                f"Only {name!r} judged pairs of {few(missing)}, so nothing can be compared there."
            )
    undecided = sorted(set(names[frame.codes[both]]) - set(problem.domains))
    if undecided:
        notes.append(
            f"In {few(undecided)} there is no pair on which both took a side, so only agreement is "
            "shown."
        )
    ties = counts["judged"] - counts["decided"] - counts["without_values"]
    if ties:
        notes.append(
            f"On {ties:,} of the {counts['judged']:,} pairs that both judged at least one of them "
            "ties: they count in the agreement and are left out of the effects."
        )
    if counts["without_values"]:
        notes.append(
            f"{counts['without_values']:,} pairs that both decided have no concept value and were "
            "left out of the effects."
        )
    size = np.bincount(problem.codes, minlength=problem.n_domains)
    small = [d for d, n in zip(problem.domains, size, strict=True) if n < MIN_USED]
    if small:
        notes.append(
            f"{few(small)}: fewer than {MIN_USED} pairs that both decided, so a difference there "
            "would have to be very large to be found."
        )
    apart = counts["disagreements"]
    if apart < MIN_USED:
        notes.append(
            f"They disagree on {apart} pairs, too few to say which concepts explain it "
            f"(expected at least {MIN_USED})."
        )
    return (*notes, *problem.notes)


def _sharper(preferences: Preferences, a: str, b: str) -> list[str]:
    """Say of which of the two only the verdicts count that held in both orders."""
    orders = recorded_orders(preferences)
    flips = dict.fromkeys((a, b), 0.0)
    for name in flips.keys() & orders.keys():
        first, second = orders[name]
        asked = ~np.isnan(first + second)
        if asked.any():
            flips[name] = float((first[asked] != second[asked]).mean())
    if abs(flips[a] - flips[b]) < MUCH_SHARPER:
        return []
    name, other = (a, b) if flips[a] > flips[b] else (b, a)
    return [
        f"Verdicts of {name!r} count only where its two orders agree, which they do not on "
        f"{100 * flips[name]:.0f} % of the pairs ({other!r}: {100 * flips[other]:.0f} %). Such "
        "verdicts are sharper than one answer: effects are up to twice as large, so a difference "
        f"in what both reward may only say that {name!r} is surer of it."
    ]
