"""A judge hack in the terminal: what was found in sentences, then the tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.screen import console, paragraph, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from palate.actions.hack_result import Hack
    from palate.explanations.protocol_table import Table

NAME_WIDTH, WIDE, ROWS = 24, 78, 40
LEFT = ("domain", "concept", "scope", "response", "against")


def print_hack(
    found: Hack, *, notes: Iterable[str] = (), closing: Iterable[str] = (), out: Path
) -> None:
    """Print what came of a judge hack on standard output.

    Parameters
    ----------
    found
        What was found.
    notes
        Sentences about the concepts.
    closing
        The lines about what was spent.
    out
        Where it was written.
    """
    from palate.actions.hack_tables import tables
    from palate.actions.hack_text import LEGEND, about, sentences

    screen = console()
    for k, sentence in enumerate(sentences(found)):
        paragraph(screen, sentence, style="" if k else "bold")
    for table in tables(found, intervals=False):
        screen.print()
        screen.print(styled(table.caption, "bold"))
        screen.print(_grid(table))
        if len(table.rows) > ROWS:
            screen.print(styled(f"and {len(table.rows) - ROWS} more", "dim"))
    screen.print()
    for line in (LEGEND, about(found)):
        paragraph(screen, line)
    for note in (*notes, *found.notes):
        paragraph(screen, note, bullet=True)
    screen.print()
    for line in closing:
        screen.print(styled(line), soft_wrap=True)
    screen.print(styled(f"Page: {out / 'hack.html'}", "bold"), soft_wrap=True)
    names = "hack.json, responses.jsonl, matches.jsonl, rates.csv, run.json"
    screen.print(styled(f"Data: {names} in {out}"), soft_wrap=True)


def _grid(table: Table) -> Grid:
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in table.head:
        wide = title.startswith("concepts")
        grid.add_column(
            styled(title),
            justify="left" if wide or title in LEFT else "right",
            max_width=WIDE if wide else NAME_WIDTH,
        )
    for row in table.rows[:ROWS]:
        grid.add_row(*(styled(one_line(cell, 4 * WIDE)) for cell in row))
    return grid
