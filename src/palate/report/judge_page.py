"""How good judges are, as one self-contained HTML file without any script."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.data.atomic import write_text
from palate.report.page import page
from palate.report.tables import run_rows
from palate.report.visible import one_line
from palate.validate.judge_quality_result import JudgeQuality
from palate.validate.judge_quality_text import (
    NONE,
    about_judge,
    accuracy,
    ends,
    leaning,
    method,
    p_words,
    percent,
    place,
    points,
    sentences,
)

if TYPE_CHECKING:
    from markupsafe import Markup

NAME = 60
TABBED = 12  # judges up to which every cell can be reached by keyboard
FEW = 10  # pairs below which a cell is grey
OTHER_PAIRS = (
    "The judges judged different pairs: compare them by their distance from the best and by their "
    "ranks, which are from the pairs that both judged, not by their accuracies."
)
Row = dict[str, Any]


def write_judges(
    quality: JudgeQuality,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write how good judges are as one HTML file and return its path.

    Parameters
    ----------
    quality
        What was found.
    path
        The file; it is replaced.
    title
        Heading of the page.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, render_judges(quality, title=title, run=run, notes=notes))
    return Path(path)


def render_judges(
    quality: JudgeQuality,
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return how good judges are as the text of an HTML file; see `write_judges`.

    Parameters
    ----------
    quality
        What was found.
    title
        Heading of the page.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.
    """
    names = quality.ranked()
    what = one_line(names[0], 80) if len(names) == 1 else f"{len(names)} judges"
    pooled = [quality.row(name) for name in names]
    figures = [f for f in (_accuracy(quality, pooled), _places(quality, pooled)) if f]
    heats = [h for h in (_accuracy_heat(quality, names), _place_heat(quality, names)) if h]
    return page(
        "judges.html.j2",
        filters={"soft": _soft},
        title=one_line(title, 200) if title else f"How good {what} {_are(names)}",
        sentences=[one_line(s, 1_200) for s in sentences(quality)],
        figures=figures,
        heats=heats,
        judges=[
            {
                "name": one_line(name, NAME),
                "sentences": [one_line(s, 1_200) for s in about_judge(quality, name)]
                or ["Nothing is recorded of it but its verdicts."],
            }
            for name in names
        ],
        about=one_line(method(quality), 2_000),
        notes=[one_line(n, 600) for n in (*notes, *quality.notes)],
        run=run_rows(run),
    )


def _soft(name: str) -> Markup:
    """Return a name, escaped, that may be divided after a slash or an underscore."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[/_])", name))


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _accuracy(quality: JudgeQuality, rows: Sequence[Row]) -> dict[str, Any] | None:
    """Return the overview: accuracy of every judge, the best first."""
    if quality.best is None:
        return None
    shown = []
    for row in rows:
        best = row["mechanism"] == quality.best
        low, high = row["rank_low"], row["rank_high"]
        rank = NONE if low is None else f"{low}" if low == high else f"{low} to {high}"
        shown.append(
            {
                "filled": row["behind_p"] is not None and row["behind_p"] <= 1 - quality.level,
                "left": [f"{row['compared']:,}", _figure(row["accuracy"]), ends(row, "accuracy")],
                "right": [
                    "best" if best else points(_minus(row["behind"])),
                    NONE if best or row["behind"] is None else _behind_ends(row),
                    rank,
                    _figure(row["accuracy_decided"]),
                    _figure(row["accuracy_answers"]),
                ],
                "sentence": accuracy(quality, row),
            }
        )
    reference = one_line(str(quality.reference), NAME)
    level = f"{100 * quality.level:g} %"
    others = len({row["compared"] for row in rows}) > 1
    return _drawn(
        "accuracy",
        "Accuracy",
        f"Agreement with {reference} over all pairs, a tie counting one half, with {level} "
        f"intervals. A filled dot is behind {one_line(str(quality.best), NAME)} beyond noise, an "
        "open one is not; the line marks 50 %. Ranks span the judges that cannot be told apart. "
        "Decided: verdicts that are no ties only. Answers: single answers in either order, "
        "where they are recorded." + (" " + OTHER_PAIRS) * others,
        ("Pairs", "Accuracy, %", f"{level} interval"),
        ("From the best, points", f"{level} interval", "Rank", "Decided, %", "Answers, %"),
        rows,
        shown,
        "accuracy",
    )


def _places(quality: JudgeQuality, rows: Sequence[Row]) -> dict[str, Any] | None:
    """Return position bias, flips and ties of the judges with verdicts in both orders."""
    rows = [row for row in rows if row["first_shown"] is not None]
    if not rows:
        return None
    samples = any(row["samples_agree"] is not None for row in rows)
    shown = [
        {
            "filled": leaning(quality, row) != 0,
            "left": [
                f"{row['both_orders']:,}",
                _figure(row["first_shown"]),
                ends(row, "first_shown"),
            ],
            "right": [
                p_words(row["place_p_adjusted"]).removeprefix("p ").removeprefix("= "),
                _figure(row["flips"]),
                ends(row, "flips"),
                _figure(row["first_of_flips"]),
                _figure(row["ties"]),
                *([_figure(row["samples_agree"])] if samples else ()),
            ],
            "sentence": place(quality, row),
        }
        for row in rows
    ]
    level = f"{100 * quality.level:g} %"
    return _drawn(
        "place",
        "Position bias and flips",
        "Share of verdicts for the response shown first, over both orders: 50 % is no bias. A "
        "filled dot is a preference beyond noise, an open one is not. Flips: pairs on which the "
        "two orders disagree; of these, how many went to the response shown first. Ties: verdicts "
        "that are 0, those of flipping pairs among them.",
        ("Pairs", "Shown first, %", f"{level} interval"),
        (
            "Adjusted p",
            "Flips, %",
            f"{level} interval",
            "of these to the first, %",
            "Ties, %",
            *(("Samples agree, %",) if samples else ()),
        ),
        rows,
        shown,
        "first_shown",
    )


def _drawn(
    name: str,
    heading: str,
    note: str,
    left: Sequence[str],
    right: Sequence[str],
    rows: Sequence[Row],
    shown: Sequence[Row],
    measure: str,
) -> dict[str, Any]:
    """Return a table with dots and whiskers on one scale of per cent."""
    known = [
        100 * row[f"{measure}{end}"]
        for row in rows
        for end in ("", "_low", "_high")
        if row[f"{measure}{end}"] is not None
    ]
    least, most = min([45.0, *known]) - 2.0, max([55.0, *known]) + 2.0

    def at(share: float | None) -> float | None:
        return None if share is None else round(100 * (100 * share - least) / (most - least), 2)

    step = next(s for s in (5, 10, 20, 25) if (most - least) / s <= 6)
    ticks = range(step * ceil(least / step), int(most) + 1, step)
    return {
        "id": name,
        "heading": heading,
        "note": note,
        "left": left,
        "right": right,
        "half": at(0.5),
        "ticks": [{"at": at(t / 100), "label": str(t)} for t in ticks],
        "rows": [
            {
                **of,
                "name": one_line(row["mechanism"], NAME),
                "sentence": one_line(of["sentence"], 1_200),
                "at": at(row[measure]),
                "low_at": at(row[f"{measure}_low"]),
                "high_at": at(row[f"{measure}_high"]),
            }
            for row, of in zip(rows, shown, strict=True)
        ],
    }


def _accuracy_heat(quality: JudgeQuality, names: Sequence[str]) -> dict[str, Any] | None:
    if quality.best is None:
        return None
    return _heat(
        quality,
        names,
        ("accuracy-by-domain", "Accuracy by domain", "accuracy", "compared"),
        "Agreement in per cent, a tie counting one half. Bold: the interval leaves out 50 %. Grey: "
        f"fewer than {FEW} pairs. Hover to read the interval.",
        lambda row: accuracy(quality, row).partition(" On the pairs")[0],
        lambda row: (
            row["accuracy_low"] is not None
            and not row["accuracy_low"] <= 0.5 <= row["accuracy_high"]
        ),
    )


def _place_heat(quality: JudgeQuality, names: Sequence[str]) -> dict[str, Any] | None:
    frame = quality.frame
    if frame["first_shown"].is_null().all():
        return None
    return _heat(
        quality,
        names,
        ("place-by-domain", "Position bias by domain", "first_shown", "both_orders"),
        "Share of verdicts for the response shown first, in per cent. Bold: a preference beyond "
        f"noise, false discovery rate over judges and domains. Grey: fewer than {FEW} pairs.",
        lambda row: place(quality, row),
        lambda row: leaning(quality, row) != 0,
    )


def _heat(
    quality: JudgeQuality,
    names: Sequence[str],
    what: tuple[str, str, str, str],
    note: str,
    sentence: Callable[[Row], str],
    bold: Callable[[Row], bool],
) -> dict[str, Any] | None:
    """Return a table of judges by domains in colours around one half."""
    identity, heading, measure, count = what
    rows = {(row["mechanism"], row["domain"]): row for row in quality.frame.rows(named=True)}
    domains = quality.domains
    if len(domains) < 2:
        return None

    def cell(name: str, domain: str) -> dict[str, Any]:
        row = rows.get((name, domain))
        said = f"{one_line(domain, NAME)}: "
        if row is None or row[measure] is None:
            return {"shade": "none", "text": "·", "bold": False, "sentence": f"{said}nothing."}
        few = row[count] < FEW
        return {
            "shade": "rest" if few else _shade(row[measure] - 0.5),
            "text": f"{100 * row[measure]:.0f}",
            "bold": bold(row) and not few,
            "sentence": one_line(said + sentence(row), 1_200),
        }

    return {
        "id": identity,
        "heading": heading,
        "note": note,
        "domains": [one_line(domain, NAME) for domain in domains],
        "tabbed": len(names) <= TABBED,
        "rows": [
            {"name": one_line(name, NAME), "cells": [cell(name, d) for d in domains]}
            for name in names
        ],
    }


def _shade(distance: float) -> str:
    if distance == 0:
        return ""
    return f"{'p' if distance > 0 else 'm'}{max(1, min(6, ceil(12 * abs(distance))))}"


def _figure(share: float | None) -> str:
    return percent(share).removesuffix(" %")


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _behind_ends(row: Row) -> str:
    if row["behind_low"] is None:
        return NONE
    return f"{points(-row['behind_high'])} to {points(-row['behind_low'])}"
