"""A validation as one self-contained HTML file without any script, in the look of the report."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from palate.data.atomic import write_text
from palate.report.page import page
from palate.report.tables import run_rows
from palate.report.visible import one_line
from palate.validate.coefficients import AC1, ALPHA, COHEN, FLEISS, RAW
from palate.validate.validation import Validation

NONE, NAME = "–", 60
TESTS = {
    "score": "Tango's score test of matched pairs, t quantiles",
    "t": "Student's t, as in the paper",
}


def write_validation(
    validation: Validation,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
) -> Path:
    """Write a validation as one HTML file and return its path.

    Parameters
    ----------
    validation
        What was found.
    path
        The file; it is replaced.
    title
        Heading of the page.
    run
        Facts about the run (arguments, versions, hashes).

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, render_validation(validation, title=title, run=run))
    return Path(path)


def render_validation(
    validation: Validation,
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
) -> str:
    """Return a validation as the text of an HTML file; see `write_validation`.

    Parameters
    ----------
    validation
        What was found.
    title
        Heading of the page.
    run
        Facts about the run (arguments, versions, hashes).
    """
    lead, *rest = validation.sentences
    main = validation.questions[0]
    settings = validation.settings
    rows = validation.agreement.filter(
        (pl.col("question") == main) & (pl.col("between") != "model and person")
    )
    least = min([0.0, *(x for x in rows.filter(measure=ALPHA)["low"] if x is not None)])
    tests = validation.alternative.filter(
        (pl.col("question") == main) & pl.col("person").is_not_null()
    )
    ticks = [t for t in (-1, -0.8, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1) if t >= least]
    return page(
        "validation.html.j2",
        title=one_line(title, 200) if title else "Can the annotator be trusted",
        lead=one_line(lead, 600),
        sentences=[one_line(s, 1_200) for s in rest],
        level=f"{100 * settings['level']:g}",
        epsilon=f"{settings['epsilon']:g}",
        zero=_at(0.0, least),
        ticks=[{"at": _at(t, least), "label": f"{t:g}"} for t in ticks],
        agreement=_agreement(rows, least),
        rivals=[_rival(row) for row in tests.iter_rows(named=True)],
        concept_head=_concept_head(validation),
        concepts=_concepts(validation),
        about=_about(validation),
        notes=[one_line(n, 600) for n in validation.notes],
        run=run_rows(run),
    )


def _at(value: float, least: float) -> float:
    """Return the place of a coefficient in per cent of the drawing's width."""
    low, high = least - 0.05, 1.05
    return round(100 * (value - low) / (high - low), 2)


def _agreement(rows: pl.DataFrame, least: float) -> list[dict[str, Any]]:
    out = []
    for (between, a, b), part in rows.group_by(["between", "a", "b"], maintain_order=True):
        by = {row["measure"]: row for row in part.iter_rows(named=True)}
        raw, alpha = by[RAW], by[ALPHA]
        who = (
            "All people"
            if between == "people"
            else f"{one_line(str(a), NAME)} and {one_line(str(b), NAME)}"
        )
        drawn = alpha["value"] is not None
        known = drawn and alpha["low"] is not None
        out.append(
            {
                "between": who,
                "n": f"{raw['n_items']:,}",
                "raw": f"{100 * raw['value']:.0f}",
                "raw_interval": _ends(raw, 100, "{:.0f}"),
                "kappa": _number(by.get(COHEN, by[FLEISS])["value"]),
                "ac1": _number(by[AC1]["value"]),
                "alpha": _number(alpha["value"]),
                "interval": _ends(alpha, 1, "{:.2f}"),
                "at": _at(alpha["value"], least) if drawn else None,
                "low_at": _at(alpha["low"], least) if known else None,
                "high_at": _at(alpha["high"], least) if known else None,
                "beyond": known and alpha["low"] > 0,
                "sentence": f"{who}: Krippendorff's alpha {alpha['value']:.2f}, interval "
                f"{_ends(alpha, 1, '{:.2f}')}."
                if drawn
                else "",
            }
        )
    return out


def _rival(row: dict[str, Any]) -> dict[str, str]:
    p = row["p_value"]
    return {
        "model": one_line(row["model"], NAME),
        "person": one_line(row["person"], NAME),
        "n": f"{row['n_items']:,}",
        "groups": f"{row['n_groups']:,}",
        "advantage": _number(row["advantage"]),
        "theirs": _number(row["person_advantage"]),
        "p": NONE if p is None else ("< .001" if p < 0.001 else f"{p:.3f}"),
        "outcome": "not tested" if p is None else ("beaten" if row["beaten"] else "not beaten"),
    }


def _concept_head(validation: Validation) -> list[dict[str, Any]]:
    names = ["Concept", "Items", "People: raw", "Alpha", "Interval"]
    if validation.settings["models"]:
        names += ["Model", "Raw", "Kappa", "Advantage", "Test"]
    words = {"Concept", "Model", "Test"}
    return [{"name": name, "number": name not in words} for name in names]


def _concepts(validation: Validation) -> list[list[str]]:
    """Return the rows of concepts; none where there is one question only."""
    out = []
    for question in validation.questions[1:]:
        rows = validation.agreement.filter(question=question)
        people = {r["measure"]: r for r in rows.filter(between="people").iter_rows(named=True)}
        first = [
            one_line(question, NAME),
            f"{people[RAW]['n_items']:,}",
            _number(people[RAW]["value"]),
            _number(people[ALPHA]["value"]),
            _ends(people[ALPHA], 1, "{:.2f}"),
        ]
        if not validation.settings["models"]:
            out.append(first)
        for model in validation.settings["models"]:
            most = rows.filter((pl.col("between") == "model and majority") & (pl.col("a") == model))
            by = {r["measure"]: r["value"] for r in most.iter_rows(named=True)}
            test = validation.alternative.filter(
                (pl.col("question") == question)
                & (pl.col("model") == model)
                & pl.col("person").is_null()
            ).row(0, named=True)
            words = {None: "not tested", True: "passes", False: "fails"}[test["passes"]]
            counted = f", {test['n_beaten']} of {test['n_tested']}" if test["n_tested"] else ""
            out.append(
                [
                    *first,
                    one_line(model, NAME),
                    _number(by.get(RAW)),
                    _number(by.get(COHEN)),
                    _number(test["advantage"]),
                    words + counted,
                ]
            )
    return out


def _about(validation: Validation) -> str:
    s = validation.settings
    symmetric = (
        "Labels say which of two responses; every item counts in both orders, so chance does not "
        "know the side. "
        if s["kind"] == "comparative"
        else ""
    )
    return (
        f"{symmetric}Kappa is Fleiss' for all people and Cohen's for two raters. "
        f"{100 * s['level']:g} % intervals: jackknife over groups of pairs that share a prompt, on "
        "the scale of log(1 - coefficient), with Student's t. Alternative annotator test: "
        f"Calderon, Reichart and Dror 2025; one-sided, {TESTS[s['test']]}, clustered by the same "
        f"groups, false discovery rate {100 * s['q']:g} % over people (Benjamini and Yekutieli); "
        f"persons with fewer than {s['least_items']} items are not tested. Majority: the label "
        "that most people gave; items where two labels share the first place are left out there."
    )


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _ends(row: dict[str, Any], times: int, style: str) -> str:
    if row["low"] is None:
        return NONE
    return " to ".join(style.format(times * row[end]) for end in ("low", "high"))
