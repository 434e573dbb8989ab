"""A plan in the terminal: sentences, then the concepts that are easiest and hardest to find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from palate.cli.screen import console, paragraph, styled
from palate.cli.terminal_text import one_line
from palate.explanations.plan_result import DIFFERENCE, DOMAIN, SHARED, rounded

if TYPE_CHECKING:
    from rich.console import Console

    from palate.explanations.plan_result import Plan

NAME_WIDTH, DOMAIN_WIDTH = 30, 16
SHOWN = 5
TITLES = {SHARED: "all domains", DOMAIN: "one domain", DIFFERENCE: "difference"}
HEAD = ("concept", "domain", "effect", "pairs per domain", "alone", "power now", "smallest now")


def print_plan(
    plan: Plan,
    *,
    domain: str | None = None,
    concept: str | None = None,
    notes: Iterable[str] = (),
    out: Path | None = None,
) -> None:
    """Print a plan on standard output.

    Parameters
    ----------
    plan
        What was found.
    domain
        Show the concepts of this domain only, all of them.
    concept
        Show this concept only.
    notes
        Sentences about the concepts.
    out
        Where the plan was written; None if nowhere.
    """
    screen = console()
    for k, sentence in enumerate(plan.sentences):
        paragraph(screen, sentence, style="bold" if k == 0 else "")
    if domain is not None or concept is not None:
        rows = plan.table.filter(
            (pl.col("domain") == domain) if domain is not None else (pl.col("concept") == concept)
        )
        _table(screen, f"Where {domain if domain is not None else concept} is concerned", rows)
    else:
        for target, words in TITLES.items():
            rows = plan.known(target)
            if rows.height > 2 * SHOWN:
                _table(screen, f"Easiest, {words}", rows.head(SHOWN))
                _table(screen, f"Hardest, {words}", rows.tail(SHOWN))
            elif rows.height:
                _table(screen, f"Effects: {words}", rows)
    screen.print()
    paragraph(
        screen,
        "Pairs: with a verdict that is no tie, in every domain. Alone: if no other concept is "
        "supported. Now: with the data at hand. –: more than 10,000,000, or not known.",
    )
    for note in (*notes, *plan.notes):
        paragraph(screen, note, bullet=True)
    if out is not None:
        screen.print()
        screen.print(styled(f"Plan: {out}"), soft_wrap=True)


def _table(screen: Console, title: str, rows: pl.DataFrame) -> None:
    from rich.table import Table

    screen.print()
    screen.print(styled(one_line(title), "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for k, name in enumerate(HEAD):
        grid.add_column(styled(name), justify="left" if k < 3 else "right", overflow="fold")
    for row in rows.iter_rows(named=True):
        grid.add_row(*(styled(cell) for cell in _cells(row)))
    screen.print(grid)


def _cells(row: dict[str, Any]) -> Sequence[str]:
    now, smallest = row["power_now"], row["smallest_lift_now"]
    return (
        one_line(row["concept"], NAME_WIDTH),
        "all" if row["domain"] is None else one_line(row["domain"], DOMAIN_WIDTH),
        TITLES[row["target"]],
        *("–" if row[c] is None else rounded(row[c]) for c in ("pairs", "pairs_alone")),
        "–" if now is None else f"{now:.2f}",
        "–" if smallest is None else f"{smallest:.0f} %",
    )
