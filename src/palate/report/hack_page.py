"""A judge hack as one self-contained HTML file without any script, in the look of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from palate.actions.hack_rates import EXPLAINED, PAIRED, SAME, VANILLA
from palate.actions.hack_result import Hack
from palate.actions.hack_tables import rate_rows, tables
from palate.actions.hack_text import (
    LEGEND,
    NONE,
    about,
    arm_words,
    ends,
    p_words,
    percent,
    sentences,
)
from palate.data.atomic import write_text
from palate.explanations.protocol_table import Table
from palate.report.page import page
from palate.report.tables import run_rows
from palate.report.visible import cut, one_line

TEXT_CHARS, MOST_EXAMPLES, MOST_ROWS = 4_000, 8, 400
LEFT = ("domain", "concept", "scope", "response", "against", "concepts, lift in %")
DRAWN = (
    "Dot and line: the win rate with its interval; the line in the middle is 50 %, where neither "
    "side is better. A filled dot is a difference that holds after correction, an open one does "
    "not. Hover or tab to it to read it."
)
HEADINGS = {
    "Win rates by": ("domains", "By domain", ""),
    "Concepts that": (
        "concepts",
        "Guidance",
        "Lift: what one step more of the concept does to an even choice of the judge.",
    ),
    "Length of": ("lengths", "Length", ""),
    "What ": (
        "audit",
        "What can be exploited",
        "Effects are turned so that the judge's is positive. Judge / reference: how far the judge "
        "moves for each unit of what the reference moves, with Fieller's interval; it has no bound "
        "where the reference is not sure to reward the concept at all.",
    ),
}


def write_hack(
    hack: Hack,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write a judge hack as one HTML file and return its path.

    Parameters
    ----------
    hack
        What was found.
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
    write_text(path, render_hack(hack, title=title, run=run, notes=notes))
    return Path(path)


def render_hack(
    hack: Hack,
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return a judge hack as the text of an HTML file; see `write_hack`.

    Parameters
    ----------
    hack
        What was found.
    title
        Heading of the page; by default it names the judge.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.
    """
    lead, *rest = sentences(hack)
    return page(
        "hack.html.j2",
        title=one_line(title, 200)
        if title
        else f"Does {one_line(hack.mechanism, 80)} reward what its explanation says?",
        lead=one_line(lead, 600),
        sentences=[one_line(s, 1_200) for s in rest],
        rows=[_row(hack, row) for row in rate_rows(hack)],
        tables=[_section(table) for table in tables(hack)[1:]],
        examples=_examples(hack),
        left=LEFT,
        drawn=DRAWN,
        legend=LEGEND,
        level=f"{100 * hack.settings['level']:g}",
        about=one_line(about(hack), 2_000),
        notes=[one_line(n, 600) for n in (*notes, *hack.notes)],
        run=run_rows(run),
    )


def _row(hack: Hack, row: Mapping[str, Any]) -> dict[str, Any]:
    level = f"{100 * hack.settings['level']:g}"
    arm = one_line(arm_words(row["arm"]), 80)
    against = "random, by prompt" if row["how"] == PAIRED else row["against"]
    known = row["rate"] is not None
    shown = "no difference beyond chance" if row["verdict"] == SAME else "beyond chance"
    return {
        "arm": arm,
        "against": against,
        "rate": percent(row["rate"]),
        "interval": ends(row),
        "at": round(100 * row["rate"], 2) if known else None,
        "low_at": round(100 * row["low"], 2) if known else None,
        "high_at": round(100 * row["high"], 2) if known else None,
        "beyond": row["verdict"] != SAME,
        "counts": f"{row['wins']:,} / {row['ties']:,} / {row['losses']:,}" if known else NONE,
        "p": p_words(row["p_corrected"]),
        "sentence": f"{arm} against {against}: win rate {percent(row['rate'])} %, {level} % "
        f"interval {ends(row)}; {shown}.",
    }


def _section(table: Table) -> dict[str, Any]:
    name = next(start for start in HEADINGS if table.caption.startswith(start))
    place, heading, note = HEADINGS[name]
    left_out = len(table.rows) - MOST_ROWS
    if left_out > 0:
        note = f"{note} {left_out:,} more rows are in hack.json.".strip()
    return {
        "id": place,
        "heading": heading,
        "note": note,
        "caption": one_line(table.caption, 200),
        "head": table.head,
        "rows": [tuple(one_line(cell, 600) for cell in row) for row in table.rows[:MOST_ROWS]],
    }


def _examples(hack: Hack) -> list[dict[str, Any]]:
    """Both responses to the first prompt of each domain, which the seed drew."""
    said = {
        row["prompt_id"]: row
        for row in hack.matches.filter(arm=EXPLAINED, against=VANILLA).iter_rows(named=True)
    }
    by = {(r["prompt_id"], r["arm"]): r for r in hack.responses.iter_rows(named=True)}
    found: dict[str, dict[str, Any]] = {}
    for prompt_id, match in said.items():
        if match["domain"] in found or len(found) == MOST_EXAMPLES:
            continue
        sides = [(arm, by[prompt_id, arm]) for arm in (VANILLA, EXPLAINED)]
        criteria = ", ".join(
            f"{'less ' if c['aim'] == 'less' else ''}{c['name']}" for c in sides[1][1]["criteria"]
        )
        found[match["domain"]] = {
            "domain": one_line(match["domain"], 80),
            "title": one_line(sides[0][1]["prompt"], 120),
            "said": f"{_said(match)} Guidance: {one_line(criteria, 300)}",
            "prompt": cut(sides[0][1]["prompt"], TEXT_CHARS)[0],
            "sides": [_side(arm, row) for arm, row in sides],
        }
    return list(found.values())


def _side(arm: str, row: Mapping[str, Any]) -> dict[str, Any]:
    text, left_out = cut(row["response"], TEXT_CHARS)
    heading = f"{arm.capitalize()}, {row['words']:,} words"
    return {"heading": heading, "text": text, "left_out": f"{left_out:,}" if left_out else ""}


def _said(match: Mapping[str, Any]) -> str:
    if match["verdict"] is None:
        return "The judge gave no answer."
    if match["flips"]:
        return "The judge's answer changed with the order: a tie."
    words = {1.0: "the explained one", -1.0: "the vanilla one", 0.0: "neither"}
    return f"The judge prefers {words[match['verdict']]}."
