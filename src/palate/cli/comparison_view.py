"""A comparison in the terminal: what was found in sentences, then the tables and the gates."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.terminal import console
from palate.cli.terminal_text import clean, one_line
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
    from rich.text import Text

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
        _paragraph(screen, sentence)
    _differences(screen, comparison)
    _agreement(screen, comparison)
    screen.print()
    for note in (*notes, *comparison.notes):
        _paragraph(screen, note, bullet=True)
    if out is not None:
        screen.print()
        screen.print(_text(f"Page: {out / 'comparison.html'}", "bold"), soft_wrap=True)
        names = "comparison.json, differences.csv, run.json"
        screen.print(_text(f"Data: {names} in {out}"), soft_wrap=True)
    if outcomes:
        screen.print()
    for outcome in outcomes:
        word, style = ("FAILED", "bold red") if outcome.fired else ("passed", "green")
        line = _text(f"{word}  ", style)
        line.append_text(_text(f"{outcome.gate.text}: {outcome.sentence}"))
        screen.print(line, soft_wrap=True)


def _differences(screen: Console, comparison: Comparison) -> None:
    from rich.table import Table

    found = comparison.supported()
    if not found.height:
        return
    level = f"{100 * comparison.settings['level']:g}"
    screen.print()
    more = f", the {SHOWN} largest of {found.height}" if found.height > SHOWN else ""
    screen.print(_text(f"Supported differences, lift per step in per cent{more}", "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    heads = ("Concept", "Where", comparison.a, comparison.b, "Difference", f"{level} %", "Verdict")
    for k, title in enumerate(heads):
        right = 2 <= k <= 5
        grid.add_column(
            _text(one_line(title, 16)), justify="right" if right else "left", overflow="fold"
        )
    for row in found.head(SHOWN).iter_rows(named=True):
        where = row["scope"] if row["scope"] != EVERYWHERE else "everywhere"
        grid.add_row(
            _text(one_line(row["concept"], NAME_WIDTH)),
            _text(one_line(where, NAME_WIDTH)),
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
    screen.print(_text("Agreement, per cent of the pairs that both judged", "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for k, title in enumerate(("Domain", "Pairs", "Same verdict", "Same side", "Kappa")):
        grid.add_column(title, justify="right" if k else "left", overflow="fold")
    for row in comparison.agreement.iter_rows(named=True):
        name = "all pairs" if row["domain"] == ALL else row["domain"]
        grid.add_row(
            _text(one_line(name, NAME_WIDTH)),
            f"{row['judged']:,}",
            share_words(row, "agreement").replace(" %", ""),
            share_words(row, "same_side").replace(" %", ""),
            number_words(row, "kappa"),
        )
    screen.print(grid)


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(clean(text), style=style)


def _paragraph(screen: Console, text: str, *, bullet: bool = False) -> None:
    """Print a text in lines that part no number from its per cent sign."""
    for line in textwrap.wrap(
        " ".join(clean(text).split()).replace(" %", "\u00a0%"),
        width=screen.width,
        initial_indent="· " if bullet else "",
        subsequent_indent="  " if bullet else "",
        break_on_hyphens=False,
    ):
        screen.print(_text(line.replace("\u00a0", " ")), soft_wrap=True)
