"""An annotation in the terminal: sentences, coverage and consistency, what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.cli.screen import console, paragraph, percent, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from palate.concepts.annotation.annotation import Annotation

NAME_WIDTH, STATE_WIDTH = 34, 40
MOST = 40
"""Concepts in the table; of more, those with the lowest coverage and consistency."""


def print_annotation(annotation: Annotation, *, closing: str, out: Path, command: str) -> None:
    """Print what an annotation gave on standard output.

    Parameters
    ----------
    annotation
        The annotation.
    closing
        The line about what was spent.
    out
        Where it was written.
    command
        The command to run next.
    """
    from palate.concepts.annotation.notes import notes_of

    screen = console()
    for k, note in enumerate(notes_of(annotation)):
        paragraph(screen, note, style="bold" if k == 0 else "")
    _table(screen, annotation)
    screen.print()
    screen.print(styled(closing), soft_wrap=True)
    screen.print(styled(f"Annotation: {out}"), soft_wrap=True)
    screen.print(styled(f"Next:       {command}"), soft_wrap=True)


def _table(screen: Console, annotation: Annotation) -> None:
    from rich.table import Table

    rows = annotation.table().to_dicts()
    left = len(rows) - MOST
    if left > 0:
        worst = sorted(rows, key=lambda r: (r["coverage"] or 0, r["consistency"] or 0))[:MOST]
        rows = [row for row in rows if row in worst]
    screen.print()
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("concept")
    for name in ("known", "same in both orders", "asked in both"):
        grid.add_column(name, justify="right")
    grid.add_column("")
    for row in rows:
        grid.add_row(*(styled(cell) for cell in _cells(row)))
    screen.print(grid)
    if left > 0:
        screen.print(styled(f"and {left} more, better known ones", "dim"))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    from palate.concepts.annotation.notes import FEW

    state = ""
    if row["dropped"] is not None:
        state = "given up"
    elif row["stopped_in"]:
        state = one_line(f"enough known in {', '.join(row['stopped_in'])}", STATE_WIDTH)
    return (
        one_line(row["concept"], NAME_WIDTH),
        percent(row["coverage"]),
        percent(row["consistency"]) + " (few)" * (0 < row["n_twice"] < FEW),
        f"{row['n_twice']:,}" if row["n_twice"] else "–",
        state,
    )
