"""A comparison in the terminal: what was found in sentences, then the tables and the gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.screen import console, paragraph, styled
from palate.cli.terminal_text import one_line
from palate.explanations.comparison import ALL, EVERYWHERE
from palate.explanations.comparison_text import (
    WORDS,
    interval_words,
    number_words,
    sentences,
    share_words,
    signed_lift,
)

if TYPE_CHECKING:
    from rich.console import Console

    from palate.explanations.comparison import Comparison
    from palate.explanations.comparison_gates import Outcome

NAME_WIDTH, SHOWN = 28, 12


def print_comparison(
    comparison: Comparison,
    *,
    outcomes: Sequence[Outcome] = (),
    notes: Iterable[str] = (),
    out: Path | None = None,
) -> None:
    """Print a comparison on standard output.

    Parameters
    ----------
    comparison
        What was found.
    outcomes
        The gates that were checked.
    notes
        Sentences about the concepts.
    out
        Where page and tables lie; None if nothing was written.
    """
    screen = console()
    for sentence in sentences(comparison):
        paragraph(screen, sentence)
    _differences(screen, comparison)
    _agreement(screen, comparison)
    screen.print()
    for note in (*notes, *comparison.notes):
        paragraph(screen, note, bullet=True)
    if out is not None:
        screen.print()
        screen.print(styled(f"Page: {out / 'comparison.html'}", "bold"), soft_wrap=True)
        names = "comparison.json, differences.csv, run.json"
        screen.print(styled(f"Data: {names} in {out}"), soft_wrap=True)
    if outcomes:
        screen.print()
    for outcome in outcomes:
        word, style = ("FAILED", "bold red") if outcome.fired else ("passed", "green")
        line = styled(f"{word}  ", style)
        line.append_text(styled(f"{outcome.gate.text}: {outcome.sentence}"))
        screen.print(line, soft_wrap=True)


def _differences(screen: Console, comparison: Comparison) -> None:
    from rich.table import Table

    found = comparison.supported()
    if not found.height:
        return
    level = f"{100 * comparison.settings['level']:g}"
    screen.print()
    more = f", the {SHOWN} largest of {found.height}" if found.height > SHOWN else ""
    screen.print(styled(f"Supported differences, lift per step in per cent{more}", "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    heads = ("Concept", "Where", comparison.a, comparison.b, "Difference", f"{level} %", "Verdict")
    for k, title in enumerate(heads):
        right = 2 <= k <= 5
        grid.add_column(
            styled(one_line(title, 16)), justify="right" if right else "left", overflow="fold"
        )
    for row in found.head(SHOWN).iter_rows(named=True):
        where = row["scope"] if row["scope"] != EVERYWHERE else "everywhere"
        grid.add_row(
            styled(one_line(row["concept"], NAME_WIDTH)),
            styled(one_line(where, NAME_WIDTH)),
            signed_lift(row["lift_a"]),
            signed_lift(row["lift_b"]),
            signed_lift(row["lift"]),
            interval_words(row),
            WORDS[row["verdict"]],
        )
    screen.print(grid)


def _agreement(screen: Console, comparison: Comparison) -> None:
    from rich.table import Table

    if comparison.agreement.height < 3:  # one domain says what all pairs say
        return
    screen.print()
    screen.print(styled("Agreement, per cent of the pairs that both judged", "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for k, title in enumerate(("Domain", "Pairs", "Same verdict", "Same side", "Kappa")):
        grid.add_column(title, justify="right" if k else "left", overflow="fold")
    for row in comparison.agreement.iter_rows(named=True):
        name = "all pairs" if row["domain"] == ALL else row["domain"]
        grid.add_row(
            styled(one_line(name, NAME_WIDTH)),
            f"{row['judged']:,}",
            share_words(row, "agreement").replace(" %", ""),
            share_words(row, "same_side").replace(" %", ""),
            number_words(row, "kappa"),
        )
    screen.print(grid)
