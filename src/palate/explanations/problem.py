"""`Problem`: one mechanism's verdicts and the concept values, as arrays ready to be fitted.

n used pairs are those that the mechanism judged, that are not ties, and on which at least one
concept has a value. C concepts are left after those without a non-zero value on the used pairs.
Only arrays and plain data, so that it travels cheaply to another process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.data.splits import groups as groups_of
from palate.errors import DataError, InputError

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MIN_USED = 20  # verdicts below which nothing is explained
MEASURED = "measured"
FORMATTING_FAMILIES = ("length", "layout")  # what "formatting only" knows of a response
LOW_COVERAGE = 0.9  # share of values below which a note says so


@dataclass(frozen=True, eq=False)
class Frame:
    """What all mechanisms of one file share, computed once.

    `matrix` and `filled` (N, C) hold the masked values, with NaN and with 0 where not measured;
    `covered` (N,) whether any concept has a value; `domains` all domains, sorted, and `codes` (N,)
    positions in it; `group_of` and `prompt_of` (N,) numbers of groups and prompts; `longer` (N,)
    the difference in words, a - b; `formatting` (N, P) differences in length and layout, in steps,
    measured on the texts whatever the concepts are.
    """

    matrix: ConceptMatrix
    filled: Array
    covered: npt.NDArray[np.bool_]
    domains: tuple[str, ...]
    codes: Integers
    group_of: Integers
    prompt_of: Integers
    longer: Array
    formatting: Array

    @classmethod
    def of(
        cls,
        preferences: Preferences,
        concepts: ConceptMatrix,
        *,
        missing: Literal["zero", "raise"],
        cluster: str | None,
        n_jobs: int | None = None,
    ) -> Frame:
        """Align concepts with pairs, mask specific ones, fill what was not measured.

        Parameters
        ----------
        preferences
            The pairs.
        concepts
            Values on these pairs; pairs without values are allowed.
        missing
            "zero" treats a value that was not measured as equal; "raise" refuses.
        cluster
            Metadata column whose values are kept together in folds and draws as well.
        n_jobs
            Processes for measuring length and layout; None for one per processor.

        Raises
        ------
        DataError
            If no pair has a value of any concept, or one lacks a value and `missing` is "raise".
        """
        if concepts.n_concepts == 0:
            raise DataError("There is no concept; expected at least one.")
        if missing not in ("zero", "raise"):
            raise InputError(f"missing: found {missing!r}; expected 'zero' or 'raise'.")
        aligned = concepts.align(preferences.ids)
        covered = np.asarray(np.isfinite(aligned.values).any(axis=1))
        if not covered.any():
            raise DataError(
                f"None of the {preferences.n_pairs} pairs has a value of any concept; expected "
                "concept values for the ids of these pairs."
            )
        names = preferences.pairs["domain"].to_list()
        domains = tuple(sorted(set(names)))
        position = {d: k for k, d in enumerate(domains)}
        matrix = aligned.masked(names)
        filled = matrix.filled(missing=missing)
        words = preferences.pairs.select(
            pl.col("response_a", "response_b").str.count_matches(r"\S+").cast(pl.Int64)
        )
        longer = (words["response_a"] - words["response_b"]).to_numpy()
        return cls(
            matrix=matrix,
            filled=filled,
            covered=covered,
            domains=domains,
            codes=np.array([position[d] for d in names], dtype=np.int64),
            group_of=groups_of(preferences, cluster_column=cluster),
            prompt_of=preferences.pairs["prompt"].rank("dense").to_numpy().astype(np.int64),
            longer=longer.astype(np.float64),
            formatting=formatting_of(preferences, matrix, filled, n_jobs=n_jobs),
        )


@dataclass(frozen=True, eq=False)
class Problem:
    """One mechanism to explain: used pairs in row order, and what was left out, in numbers.

    `rows` are the rows of the used pairs in the file, `kept` the columns of the concepts, `names`
    their names, `concept_domains` None or the domains a concept is specific to, `codes` positions
    in `domains` (sorted).
    """

    mechanism: str
    X: Array
    y: Array
    domains: tuple[str, ...]
    codes: Integers
    groups: Integers
    longer: Array
    formatting: Array
    concept_domains: tuple[tuple[str, ...] | None, ...]
    rows: Integers
    kept: Integers
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    counts: dict[str, int]
    notes: tuple[str, ...]

    @property
    def n_pairs(self) -> int:
        """Number of used pairs."""
        return int(self.y.size)

    @property
    def n_domains(self) -> int:
        """Number of domains with a used pair."""
        return len(self.domains)

    @classmethod
    def of(cls, frame: Frame, mechanism: str, verdicts: Array) -> Problem:
        """Select the pairs and concepts that can be used to explain a mechanism.

        Parameters
        ----------
        frame
            What all mechanisms share.
        mechanism
            Its name, for the messages.
        verdicts
            Verdicts on all pairs, shape (N,), NaN where it did not judge.

        Raises
        ------
        DataError
            If there are no verdicts, all are ties, all prefer one side of one-sided values, too
            few can be used, or no concept varies.
        """
        judged = ~np.isnan(verdicts)
        decided = judged & (verdicts != 0)
        used = decided & frame.covered
        name = repr(mechanism)
        if not judged.any():
            raise DataError(f"Mechanism {name} judged no pair; expected verdicts.")
        if not decided.any():
            raise DataError(
                f"Mechanism {name}: all {judged.sum()} verdicts are ties; expected verdicts that "
                "prefer one response."
            )
        n = int(used.sum())
        if n < MIN_USED:
            raise DataError(
                f"Mechanism {name}: found {n} verdicts that are not ties on pairs with concept "
                f"values; expected at least {MIN_USED}."
            )
        rows = np.flatnonzero(used)
        y = verdicts[rows]
        if (y > 0).all() or (y < 0).all():
            side = "first" if y[0] > 0 else "second"
            raise DataError(
                f"Mechanism {name}: all {n} usable verdicts prefer the {side} response; expected "
                "both classes (if the winner always stands on one side, shuffle the sides)."
            )
        present = frame.filled[rows] != 0
        varies = present.any(axis=0)
        names = frame.matrix.names
        if not varies.any():
            raise DataError(
                f"Mechanism {name}: none of the {len(names)} concepts has a value other than 0 on "
                f"the {n} usable pairs; expected at least one that varies."
            )
        kept = np.flatnonzero(varies)
        present_codes, codes = np.unique(frame.codes[rows], return_inverse=True)
        domains = tuple(frame.domains[d] for d in present_codes)
        concepts = [frame.matrix.concepts[j] for j in kept]
        dropped = tuple(n for n, v in zip(names, varies, strict=True) if not v)
        specific = tuple(
            None if c.domains is None else tuple(d for d in c.domains if d in domains)
            for c in concepts
        )
        counts = {
            "pairs": len(judged),
            "judged": int(judged.sum()),
            "ties": int((judged & ~decided).sum()),
            "without_values": int((decided & ~frame.covered).sum()),
            "used": n,
            "prompts": len(set(frame.prompt_of[rows].tolist())),
            "clusters": len(set(frame.group_of[rows].tolist())),
            "domains": len(domains),
            "concepts": len(kept),
        }
        if given_up := given_up_in(frame.matrix.provenance):
            counts["given_up"] = given_up
        notes = _notes(frame, rows, kept, judged, counts, dropped, domains)
        return cls(
            mechanism=mechanism,
            X=np.ascontiguousarray(frame.filled[np.ix_(rows, kept)]),
            y=y,
            domains=domains,
            codes=codes.astype(np.int64),
            groups=frame.group_of[rows],
            longer=frame.longer[rows],
            formatting=frame.formatting[rows],
            concept_domains=specific,
            rows=rows.astype(np.int64),
            kept=kept.astype(np.int64),
            names=tuple(c.name for c in concepts),
            dropped=dropped,
            counts=counts,
            notes=notes,
        )


def given_up_in(provenance: Mapping[str, Any]) -> int:
    """Return how many concepts an annotation gave up because of what the verdicts said of them.

    Parameters
    ----------
    provenance
        That of a concept matrix, or of two that stand beside each other.
    """
    inside = sum(given_up_in(provenance[k]) for k in ("left", "right") if k in provenance)
    return int(provenance.get("given_up", 0)) + inside


def formatting_of(
    preferences: Preferences, concepts: ConceptMatrix, filled: Array, *, n_jobs: int | None = None
) -> Array:
    """Return differences in length and layout, in steps, shape (N, P), 0 where not measured.

    They are taken from the concepts where these hold them, else measured.

    Parameters
    ----------
    preferences
        The pairs.
    concepts
        Concepts on these pairs.
    filled
        Their values, 0 where not measured.
    n_jobs
        Processes for measuring; None for one per processor.
    """
    from palate.concepts.measured import FAMILIES, measure

    wanted = [(f, c.name) for f in FORMATTING_FAMILIES for c in FAMILIES[f].CONCEPTS]
    column = {
        (c.family, c.name): j for j, c in enumerate(concepts.concepts) if c.origin == MEASURED
    }
    if not set(wanted) <= set(column):
        return np.nan_to_num(
            measure(preferences, families=FORMATTING_FAMILIES, n_jobs=n_jobs).values
        )
    index = [column[key] for key in wanted]
    if index == list(range(index[0], index[0] + len(index))):  # no copy of what may be large
        return filled[:, index[0] : index[0] + len(index)]
    return filled[:, index]


def coverage_of(frame: Frame, problem: Problem) -> tuple[Array, Array]:
    """Return, per kept concept, the share of used pairs with a value and with one other than 0.

    A specific concept is looked at in its own domains only.

    Parameters
    ----------
    frame
        What all mechanisms share.
    problem
        The used pairs and kept concepts.
    """
    own = np.array(
        [
            [specific is None or d in specific for specific in problem.concept_domains]
            for d in problem.domains
        ]
    )[problem.codes]
    measured = np.isfinite(frame.matrix.values[np.ix_(problem.rows, problem.kept)])
    n_own = own.sum(axis=0)
    return (measured & own).sum(axis=0) / n_own, ((problem.X != 0) & own).sum(axis=0) / n_own


def _notes(
    frame: Frame,
    rows: Integers,
    kept: Integers,
    judged: npt.NDArray[np.bool_],
    counts: dict[str, int],
    dropped: Sequence[str],
    domains: Sequence[str],
) -> tuple[str, ...]:
    notes: list[str] = []
    if counts["without_values"]:
        decided = counts["used"] + counts["without_values"]
        apart = int(frame.matrix.provenance.get("set_apart", 0))
        why = f"; {apart:,} pairs have none because the concepts were discovered on them" * (
            apart > 0
        )
        notes.append(
            f"{counts['without_values']:,} of {decided:,} verdicts are on pairs without any "
            f"concept value and were left out ({100 * counts['used'] / decided:.0f} % are "
            f"covered){why}."
        )
    if counts["ties"]:
        notes.append(
            f"{counts['ties']:,} of {counts['judged']:,} verdicts are ties; they are left out of "
            "the fit and of the scores."
        )
    share = np.isfinite(frame.matrix.values[np.ix_(rows, kept)]).mean(axis=0)
    gaps = [
        f"{frame.matrix.names[j]} ({100 * m:.0f} %)"
        for j, m in zip(kept, share, strict=True)
        if m < LOW_COVERAGE
    ]
    if gaps:
        notes.append(
            f"{few(gaps)} could be measured on fewer than {100 * LOW_COVERAGE:.0f} % of the used "
            "pairs; where a value is missing the responses count as equal."
        )
    if dropped:
        notes.append(
            f"{len(dropped)} concept{'s' * (len(dropped) > 1)} never differ"
            f"{'s' * (len(dropped) == 1)} on the used pairs, so no weight is given: "
            f"{few(dropped)}."
        )
    if len(domains) == 1:
        notes.append(
            f"There is one domain only ({domains[0]!r}): the model is the shared part alone."
        )
    return tuple(notes)


def few(names: Sequence[Any], limit: int = 8) -> str:
    """Return names joined by commas, at most `limit` of them and the number of the others.

    Parameters
    ----------
    names
        What to list.
    limit
        How many to name.
    """
    shown = ", ".join(str(n) for n in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
