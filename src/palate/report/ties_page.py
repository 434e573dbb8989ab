"""Broken ties as one self-contained HTML file without any script, in the look of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from palate.actions.ties_result import TieBreaks
from palate.actions.ties_text import (
    CLEAR,
    LEGEND,
    about,
    between,
    concept_lines,
    domain_table,
    meanings,
    p_words,
    points,
    sentences,
    signed,
)
from palate.data.atomic import write_text
from palate.explanations.protocol_table import Table
from palate.report.page import page
from palate.report.tables import run_rows
from palate.report.visible import one_line

DRAWN = (
    "Dot and line: the share of the tied pairs decided as the reference does, with its interval; "
    "the line in the middle is leaving all ties. A filled dot differs from a coin after "
    "correction, an open one does not. Hover or tab to it to read it."
)
CURVES = ("r", "fill v2", "fill v1", "fill v0")  # by strategy, the least informed first
WIDE, HIGH, LEFT = 560, 220, 44


def write_ties(
    found: TieBreaks,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write broken ties as one HTML file and return its path.

    Parameters
    ----------
    found
        What became of the ties.
    path
        The file; it is replaced.
    title
        Heading of the page; by default it names the judge.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, render_ties(found, title=title, run=run, notes=notes))
    return Path(path)


def render_ties(
    found: TieBreaks,
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return broken ties as the text of an HTML file; see `write_ties`.

    Parameters
    ----------
    found
        What became of the ties.
    title
        Heading of the page; by default it names the judge.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.
    """
    lead, *rest = sentences(found)
    return page(
        "ties.html.j2",
        title=one_line(title or f"The ties of {found.judge}", 200),
        lead=one_line(lead, 400),
        sentences=[one_line(s, 800) for s in rest],
        scored=found.reference is not None,
        reference=one_line(found.reference or "", 80),
        level=f"{100 * found.settings['level']:g}",
        drawn=f"{DRAWN} {LEGEND}" if found.reference is not None else "",
        rows=_rows(found),
        meanings=[(strategy, one_line(words, 400)) for strategy, words in meanings(found)],
        left=points(found.strategies["all_before"][0]),
        curve=_curve(found),
        domains=_visible(domain_table(found)),
        concepts=[(strategy, one_line(words, 1_200)) for strategy, words in concept_lines(found)],
        about=about(found),
        notes=[one_line(n, 600) for n in (*notes, *found.notes)],
        run=run_rows(run),
    )


def _rows(found: TieBreaks) -> list[dict[str, Any]]:
    rows = found.strategies.to_dicts()
    ends = [
        r[k]
        for r in rows
        for k in ("accuracy_low", "accuracy_high", "accuracy")
        if r[k] is not None
    ]
    far: float = max([0.1, *(abs(end - 0.5) for end in ends)]) * 1.05

    def at(share: float) -> float:
        return float(round(50 * (1 + (share - 0.5) / far), 2))

    return [_row(found, row, at) for row in rows]


def _row(found: TieBreaks, row: dict[str, Any], at: Callable[[float], float]) -> dict[str, Any]:
    out = {
        "strategy": row["strategy"],
        "broken": f"{row['n_broken']:,} of {row['n_tied']:,}",
        "accuracy": points(row["accuracy"]),
        "interval": between(row, "accuracy").strip(" ()"),
        "p": p_words(row["p_adjusted"]),
        "of_broken": points(row["accuracy_broken"]),
        "over_random": signed(row["over_random"]) + between(row, "over_random", sign=True),
        "after": points(row["all_after"]),
        "sentence": "",
    }
    if row["accuracy"] is None:
        return out
    known = row["accuracy_low"] is not None
    return out | {
        "at": at(row["accuracy"]),
        "low_at": at(row["accuracy_low"]) if known else None,
        "high_at": at(row["accuracy_high"]) if known else None,
        "beyond": row["p_adjusted"] is not None and row["p_adjusted"] < CLEAR,
        "sentence": f"{row['strategy']}: {out['accuracy']} % of the tied pairs as "
        f"{one_line(found.reference or '', 80)}{between(row, 'accuracy')}, p {out['p']}.",
    }


def _curve(found: TieBreaks) -> dict[str, Any] | None:
    """The coverage curve of each strategy as points of a drawing."""
    if not found.curve.height:
        return None
    rows = found.curve.to_dicts()
    known = [float(r["accuracy"]) for r in rows]
    least, most = min(0.45, *known) - 0.02, max(0.55, *known) + 0.02
    step = 0.05 if most - least < 0.3 else 0.1

    def x(share: float) -> float:
        return round(LEFT + share * (WIDE - LEFT - 96), 1)

    def y(share: float) -> float:
        return round(HIGH - 26 - (share - least) / (most - least) * (HIGH - 40), 1)

    lines = []
    for strategy, shade in zip(("random", "own", "reference", "difference"), CURVES, strict=True):
        own = [r for r in rows if r["strategy"] == strategy]
        if own:
            lines.append(
                {
                    "strategy": strategy,
                    "shade": shade,
                    "dots": [
                        (
                            x(r["coverage"]),
                            y(r["accuracy"]),
                            f"{strategy}, {100 * r['coverage']:.0f} % of the ties broken: "
                            f"{points(r['accuracy'])} %",
                        )
                        for r in own
                    ],
                }
            )
    first = int(-(-least // step))
    ticks = [k * step for k in range(first, int(most / step) + 1)]
    return {
        "lines": _apart(lines),
        "wide": WIDE,
        "high": HIGH,
        "left": LEFT,
        "right": x(1.0),
        "bottom": HIGH - 22,
        "half": y(0.5),
        "down": [(y(t), f"{100 * t:.0f} %") for t in ticks],
        "across": [(x(s), f"{100 * s:.0f} %") for s in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)],
    }


def _apart(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say how high the name of each line stands, in the order of their ends."""
    order = sorted(lines, key=lambda line: float(line["dots"][-1][1]))
    last = -100.0
    for line in order:
        last = max(last + 16, line["dots"][-1][1])
        line["name_at"] = last
    return lines


def _visible(table: Table | None) -> Table | None:
    if table is None:
        return None
    rows = tuple((one_line(first, 80), *rest) for first, *rest in table.rows)
    return Table(one_line(table.caption, 200), table.head, rows)
