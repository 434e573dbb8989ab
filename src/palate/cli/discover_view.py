"""A discovery in the terminal: how many concepts, the most frequent ones, what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.screen import console, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from palate.concepts.discovery.discovery import Discovery

NAME_WIDTH, WHERE_WIDTH = 36, 44
MOST = 30
"""Rows of the table; the file lists all concepts."""


def print_discovery(discovery: Discovery, *, closing: str, out: Path, command: str) -> None:
    """Print what a discovery found on standard output.

    Parameters
    ----------
    discovery
        The discovery.
    closing
        The line about what was spent.
    out
        Where it was written.
    command
        The command to run next.
    """
    screen = console()
    shared = len(discovery.shared)
    screen.print(
        styled(
            f"{len(discovery.concepts)} concepts, {shared} of them shared by all domains, from "
            f"{len(discovery.pairs):,} pairs set apart for discovery.",
            "bold",
        )
    )
    for note in discovery.notes:
        screen.print(styled(f"! {note}"), soft_wrap=True)
    if discovery.concepts:
        _table(screen, discovery)
    else:
        screen.print(styled("Nothing can be annotated: ask more (--batches) or another model."))
    screen.print(styled(closing), soft_wrap=True)
    screen.print(
        styled(f"Concepts: {out / 'concepts.json'} (to be read, and edited)"), soft_wrap=True
    )
    if discovery.concepts:
        screen.print(styled(f"Next:     {command}"), soft_wrap=True)


def print_list(discovery: Discovery, *, closing: str | None, out: Path) -> None:
    """Print what became of a fixed list on standard output.

    Parameters
    ----------
    discovery
        Its concepts.
    closing
        The line about what was spent, if a model was asked.
    out
        Where it was written.
    """
    screen = console()
    screen.print(styled(f"{len(discovery.concepts)} concepts of a fixed list.", "bold"))
    without = [c.name for c in discovery.concepts if not c.definition]
    if without:
        names = ", ".join(one_line(name, NAME_WIDTH) for name in without[:8])
        screen.print(
            styled(
                f"! Without a definition: {len(without)} ({names}"
                f"{', ...' if len(without) > 8 else ''}); --llm writes it."
            ),
            soft_wrap=True,
        )
    if closing is not None:
        screen.print(styled(closing), soft_wrap=True)
    screen.print(styled(f"Concepts: {out / 'concepts.json'}"), soft_wrap=True)


def _table(screen: Console, discovery: Discovery) -> None:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("concept")
    grid.add_column("batches", justify="right")
    grid.add_column("applies to")
    for concept in discovery.concepts[:MOST]:
        batches = discovery.provenance.get(concept.name, {}).get("batches", 0)
        where = "all domains" if concept.domains is None else ", ".join(concept.domains)
        grid.add_row(
            styled(one_line(concept.name, NAME_WIDTH)),
            styled(f"{batches:,}" if batches else "given"),
            styled(one_line(where, WHERE_WIDTH)),
        )
    screen.print()
    screen.print(grid)
    if len(discovery.concepts) > MOST:
        screen.print(styled(f"and {len(discovery.concepts) - MOST} more", "dim"))
    screen.print()
