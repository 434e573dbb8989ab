"""An evaluation in the terminal: what was found in sentences, then the tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.screen import console, paragraph, styled
from palate.cli.terminal_text import one_line
from palate.explanations.protocol_table import (
    LEGEND,
    Table,
    about,
    sentences,
    short_table,
    tables,
)

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from palate.explanations.protocol_result import Evaluation

NAME_WIDTH = 32


def print_evaluation(
    evaluation: Evaluation, *, notes: Iterable[str] = (), out: Path | None = None
) -> None:
    """Print an evaluation on standard output.

    Parameters
    ----------
    evaluation
        What was found.
    notes
        Sentences about the concepts.
    out
        Where the tables lie; None if nothing was written.
    """
    screen = console()
    for sentence in sentences(evaluation):
        paragraph(screen, sentence)
    for table in (short_table(evaluation), *tables(evaluation)[1:]):
        screen.print()
        screen.print(styled(table.caption, "bold"))
        screen.print(_grid(table))
    screen.print()
    for line in (LEGEND, about(evaluation)):
        paragraph(screen, line)
    skipped = (f"Skipped: {reason}" for reason in evaluation.skipped.values())
    for note in (*notes, *evaluation.notes, *skipped):
        paragraph(screen, note, bullet=True)
    if out is not None:
        screen.print()
        screen.print(styled(f"Tables: {out / 'evaluation.html'}", "bold"), soft_wrap=True)
        names = "evaluation.json, evaluation.csv, evaluation.md, run.json"
        screen.print(styled(f"Data:   {names} in {out}"), soft_wrap=True)


def _grid(table: Table) -> Grid:
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for k, title in enumerate(table.head):
        # a hyphen would keep "shared-only" on one line of the head
        grid.add_column(
            styled(title.replace("-only", " only")),
            justify="right" if k else "left",
            max_width=NAME_WIDTH,
            overflow="fold",
        )
    for row in table.rows:
        grid.add_row(*(styled(one_line(cell, NAME_WIDTH)) for cell in row))
    return grid
