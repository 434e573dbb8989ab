"""What a validation found, in plain sentences, and what its reader must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from palate.validate.alternative import EPSILON
from palate.validate.coefficients import ALPHA, COHEN, RAW

if TYPE_CHECKING:
    from palate.validate.validation import Validation

NAMED = 5


def sentences(validation: Validation) -> tuple[str, ...]:
    """Return what was found, the main statements first.

    Parameters
    ----------
    validation
        What was found.
    """
    counts, settings = validation.counts, validation.settings
    main = validation.questions[0]
    rows = validation.agreement.filter(question=main)
    people = rows.filter(between="people")
    what = "pairs" if counts["questions"] == 1 else "labels of pairs and concepts"
    out = [
        f"{counts['people']} people share {counts['items']:,} {what} in {counts['groups']:,} "
        f"groups that have no prompt in common: raw agreement {_percent(people, RAW)}, "
        f"Krippendorff's alpha {_decimal(people, ALPHA)}."
    ]
    tests = validation.alternative.filter((pl.col("question") == main) & pl.col("person").is_null())
    for row in tests.iter_rows(named=True):
        most = rows.filter(between="model and majority", a=row["model"])
        if most.height:
            out.append(
                f"{row['model']} and the majority of people: raw agreement {_percent(most, RAW)}, "
                f"Cohen's kappa {_decimal(most, COHEN)}."
            )
        out.append(_verdict(row, settings, chance=_by_chance(people)))
    return tuple(out)


def notes_of(
    agreement: pl.DataFrame,
    alternative: pl.DataFrame,
    settings: Mapping[str, Any],
    counts: Mapping[str, int],
    skipped: Sequence[str],
) -> tuple[str, ...]:
    """Return what a reader must know.

    Parameters
    ----------
    agreement
        The table of coefficients.
    alternative
        The table of the alternative annotator test.
    settings
        Settings of the validation.
    counts
        Counts of the validation.
    skipped
        Questions that no two people answered for the same item.
    """
    notes = []
    alpha = agreement.filter(between="people", measure=ALPHA)
    low = alpha["low"][0] if alpha.height else None
    if counts["models"] and low is not None and low <= 0:
        notes.append(
            "People may agree no better than chance (the interval of alpha reaches 0). Then any "
            "model agrees with them as well as they do, and passing says nothing of it."
        )
    elif counts["models"] and alpha["value"][1:].is_not_null().any():
        weak = alpha.filter(pl.col("low") <= 0)["question"].to_list()
        if weak:
            more = f" and {len(weak) - NAMED} more" if len(weak) > NAMED else ""
            notes.append(
                f"People may agree no better than chance on {', '.join(weak[:NAMED])}{more}; there "
                "passing says nothing."
            )
    if counts["people"] == 2 and counts["models"]:
        notes.append(
            "With two people the alternative annotator test says only whom of them the model is "
            "nearer to; three or more are better."
        )
    untested = alternative.filter(pl.col("person").is_not_null() & pl.col("p_value").is_null())
    if untested.height:
        n = untested.select("question", "person").unique().height
        person = "person has" if n == 1 else "people have"
        which = f"{n} {person}" if counts["questions"] == 1 else f"{n} times a person has"
        notes.append(
            f"Not tested: {which} fewer than {settings['least_items']} items that the model and "
            "another person labelled as well, or all of them in one group."
        )
    if counts["questions"] > 1 and counts["models"]:
        notes.append(
            "The false discovery rate is held over people within a concept, not over concepts: "
            "of many concepts some may pass by chance. The line of all concepts is one test."
        )
    if skipped:
        more = f" and {len(skipped) - NAMED} more" if len(skipped) > NAMED else ""
        notes.append(
            f"Left out, as no two people labelled the same pair: "
            f"{', '.join(skipped[:NAMED])}{more}."
        )
    return tuple(notes)


def _by_chance(people: pl.DataFrame) -> bool:
    """Whether people may agree no better than chance."""
    low = _one(people, ALPHA)["low"]
    return low is not None and low <= 0


def _verdict(row: Mapping[str, Any], settings: Mapping[str, Any], *, chance: bool) -> str:
    who = next((f" ({w})" for w, e in EPSILON.items() if e == settings["epsilon"]), "")
    margin = f"epsilon {settings['epsilon']:g}{who}"
    if row["passes"] is None:
        return (
            f"{row['model']}: no person has {settings['least_items']} items, so the alternative "
            "annotator test was not done."
        )
    verb = "passes" if row["passes"] else "does not pass"
    ends = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
    nothing = ""
    if chance and row["passes"]:
        nothing = " That says nothing, as people may agree no better than chance."
    return (
        f"{row['model']} {verb} the alternative annotator test at {margin}: it beats "
        f"{row['n_beaten']} of {row['n_tested']} people (winning rate {row['winning_rate']:.2f}); "
        f"average advantage probability {row['advantage']:.2f}{ends}.{nothing}"
    )


def _one(rows: pl.DataFrame, measure: str) -> dict[str, Any]:
    return rows.filter(measure=measure).row(0, named=True)


def _percent(rows: pl.DataFrame, measure: str) -> str:
    row = _one(rows, measure)
    if row["low"] is None:
        return f"{100 * row['value']:.0f} %"
    return f"{100 * row['value']:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f})"


def _decimal(rows: pl.DataFrame, measure: str) -> str:
    row = _one(rows, measure)
    if row["value"] is None:
        return "not defined, as one label alone occurs"
    ends = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
    return f"{row['value']:.2f}{ends}"
