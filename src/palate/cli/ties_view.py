"""Broken ties in the terminal: sentences, the strategies, the concepts, what comes next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from palate.actions.ties_text import (
    concept_lines,
    curve_table,
    sentences,
    strategy_table,
)
from palate.cli.screen import console, paragraph, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from palate.actions.ties_result import TieBreaks

WIDTH = 40


def print_ties(
    found: TieBreaks,
    *,
    notes: Iterable[str] = (),
    closing: str = "",
    out: Path,
) -> None:
    """Print what became of a judge's ties on standard output.

    Parameters
    ----------
    found
        The result.
    notes
        Sentences about the concepts.
    closing
        The line about what was spent; empty where no model was asked.
    out
        Where it was written.
    """
    from rich.table import Table

    screen = console()
    for sentence in sentences(found):
        paragraph(screen, sentence)
    for table in (strategy_table(found), curve_table(found)):
        if table is None:
            continue
        screen.print()
        screen.print(styled(one_line(table.caption, 100), "bold"))
        grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for k, head in enumerate(table.head):
            grid.add_column(head, justify="right" if k else "left")
        for row in table.rows:
            grid.add_row(*(styled(one_line(cell, WIDTH)) for cell in row))
        screen.print(grid)
    lines = concept_lines(found)
    if lines:
        screen.print()
        screen.print(styled("Concepts that decide, and in how many domains and parts", "bold"))
    for strategy, words in lines:
        paragraph(screen, f"{strategy}: {words}", bullet=True)
    said = (*notes, *found.notes)
    if said:
        screen.print()
    for note in said:
        paragraph(screen, note, bullet=True)
    screen.print()
    if closing:
        screen.print(styled(closing), soft_wrap=True)
    names = ", ".join(found.mechanism(s) for s in found.strategies["strategy"].to_list())
    screen.print(styled(f"Page:     {out / 'ties.html'}", "bold"), soft_wrap=True)
    screen.print(styled(f"Verdicts: {names} in {out / 'preferences.jsonl'}"), soft_wrap=True)
    screen.print(
        styled(f"Data:     ties.json, ties.csv, pairs.jsonl, run.json in {out}"), soft_wrap=True
    )
    command = shlex.join(["palate", "inspect", str(out / "preferences.jsonl")])
    screen.print(styled(f"Next:     {command}"), soft_wrap=True)
