"""An evaluation as one self-contained HTML file without any script, in the look of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from palate.data.atomic import write_text
from palate.explanations.evaluation import OURS
from palate.explanations.protocol_result import Evaluation
from palate.explanations.protocol_table import (
    LEGEND,
    NONE,
    SETTINGS,
    Table,
    about,
    beyond,
    sentences,
    tables,
)
from palate.report.page import page
from palate.report.tables import run_rows
from palate.report.visible import one_line

HEADINGS = {"in domain": "New prompts of known domains", "new domain": "A domain left out entirely"}
NOTES = {
    "in domain": "Mean over random splits.",
    "new domain": "Each domain is predicted by models that have not seen it.",
}
DRAWN = (
    "Dot and line: by how much HMDR is ahead, in points of accuracy, with its interval. A filled "
    "dot is a difference beyond noise, an open one is not. Hover or tab to it to read it."
)


def write_evaluation(
    evaluation: Evaluation,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write an evaluation as one HTML file and return its path.

    Parameters
    ----------
    evaluation
        What was found.
    path
        The file; it is replaced.
    title
        Heading of the page; by default it names the mechanisms.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, render_evaluation(evaluation, title=title, run=run, notes=notes))
    return Path(path)


def render_evaluation(
    evaluation: Evaluation,
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return an evaluation as the text of an HTML file; see `write_evaluation`.

    Parameters
    ----------
    evaluation
        What was found.
    title
        Heading of the page; by default it names the mechanisms.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.
    """
    names = evaluation.mechanisms
    what = one_line(names[0], 80) if len(names) == 1 else f"{len(names)} mechanisms"
    lead, *rest = sentences(evaluation)
    detail = [_visible(t) for t in tables(evaluation)[1:]]
    skipped = [f"Skipped: {reason}" for reason in evaluation.skipped.values()]
    return page(
        "evaluation.html.j2",
        title=one_line(title, 200) if title else f"How well {what} can be predicted",
        lead=one_line(lead, 400),
        sentences=[one_line(s, 1_200) for s in rest],
        figures=[_figure(evaluation, s) for s in SETTINGS if evaluation.score(s, OURS)],
        detail=detail,
        detail_heading="By domain" if len(names) == 1 else "By mechanism",
        legend=LEGEND,
        level=f"{100 * evaluation.settings['level']:g}",
        about=about(evaluation),
        notes=[one_line(n, 600) for n in (*notes, *evaluation.notes, *skipped)],
        run=run_rows(run),
    )


def _figure(evaluation: Evaluation, setting: str) -> dict[str, Any]:
    """Return the rows of one setting, differences drawn on one scale."""
    found = [r for m in evaluation.models if (r := evaluation.score(setting, m)) is not None]
    ends = [
        100 * x for r in found for x in (r["gain"], r["gain_low"], r["gain_high"]) if x is not None
    ]
    least, most = min([0.0, *ends]) - 1.0, max([0.0, *ends]) + 1.0

    def at(points: float) -> float:
        return float(round(100 * (points - least) / (most - least), 2))

    step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if (most - least) / s <= 6)
    first = int(-(-least // step))
    ticks = [k * step for k in range(first, int(most // step) + 1)]
    return {
        "id": setting.replace(" ", "-"),
        "heading": HEADINGS[setting],
        "note": f"{NOTES[setting]} {DRAWN}",
        "zero": at(0.0),
        "ticks": [{"at": at(t), "label": f"{t:+d}" if t else "0"} for t in ticks],
        "rows": [_row(evaluation, r, at) for r in found],
    }


def _row(evaluation: Evaluation, row: dict[str, Any], at: Any) -> dict[str, Any]:
    out = {
        "model": row["model"],
        "accuracy": f"{100 * row['accuracy']:.1f}",
        "interval": _ends(row, "accuracy", "{:.1f}"),
        "log_loss": f"{row['log_loss']:.3f}",
        **dict.fromkeys(("gain", "gain_interval", "sentence"), ""),
    }
    if row["gain"] is None:
        return out
    gain = 100 * row["gain"]
    low, high = (None if row[k] is None else 100 * row[k] for k in ("gain_low", "gain_high"))
    sign = beyond(row)
    level = f"{100 * evaluation.settings['level']:g}"
    interval = _ends(row, "gain", "{:+.1f}")
    return out | {
        "gain": f"{gain:+.1f}",
        "gain_interval": interval,
        "at": at(gain),
        "low_at": None if low is None else at(low),
        "high_at": None if high is None else at(high),
        "beyond": sign != 0,
        "sentence": f"{row['setting'].capitalize()}, HMDR's accuracy minus that of {row['model']}: "
        f"{gain:+.1f} points, {level} % interval {interval}; "
        + {1: "HMDR is ahead.", 0: "no difference beyond noise.", -1: "HMDR is behind."}[sign],
    }


def _ends(row: dict[str, Any], name: str, style: str) -> str:
    if row[f"{name}_low"] is None:
        return NONE
    return " to ".join(style.format(100 * row[f"{name}_{end}"]) for end in ("low", "high"))


def _visible(table: Table) -> Table:
    rows = tuple((one_line(first, 80), *rest) for first, *rest in table.rows)
    return Table(one_line(table.caption, 200), table.head, rows)
