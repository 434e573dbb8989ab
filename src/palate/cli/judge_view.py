"""What judges said, in the terminal: sentences, a table of the new columns, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.screen import console, counted, paragraph, percent, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from palate.data.preferences import Preferences
    from palate.mechanisms.judgement import Judgement

NAME_WIDTH = 40


def print_judging(
    preferences: Preferences,
    judgements: Sequence[Judgement],
    ensembles: Sequence[str],
    *,
    notes: Sequence[str],
    closing: str,
    out: Path,
    commands: Sequence[str],
) -> None:
    """Print what a run added on standard output.

    Parameters
    ----------
    preferences
        The pairs with the new columns.
    judgements
        What models said.
    ensembles
        Names of the columns that combine others.
    notes
        Further sentences.
    closing
        The line about what was spent; empty where nothing was asked.
    out
        Where it was written.
    commands
        The commands to run next.
    """
    screen = console()
    for judgement in judgements:
        for k, note in enumerate(judgement.notes):
            paragraph(screen, note, style="" if k else "bold")
    for name in ensembles:
        judged = preferences.verdicts[name].count()
        paragraph(screen, f"{name}: {judged:,} of {counted(preferences.n_pairs, 'pair')} combined.")
    for note in notes:
        paragraph(screen, note)
    screen.print()
    screen.print(_table(preferences, judgements, ensembles))
    screen.print()
    if closing:
        screen.print(styled(closing), soft_wrap=True)
    screen.print(styled(f"Verdicts: {out}"), soft_wrap=True)
    for k, command in enumerate(commands):
        screen.print(styled(f"{'' if k else 'Next:':<10}{command}"), soft_wrap=True)


def _table(
    preferences: Preferences, judgements: Sequence[Judgement], ensembles: Sequence[str]
) -> object:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("column")
    for name in ("judged", "a better", "neither", "b better", "first shown", "orders agree"):
        grid.add_column(name, justify="right")
    by_name = {judgement.name: judgement for judgement in judgements}
    for name in [*by_name, *ensembles]:
        verdicts = preferences.verdicts[name].drop_nulls()
        n = len(verdicts)
        three = (verdicts > 0).sum(), (verdicts == 0).sum(), (verdicts < 0).sum()
        shares = [found / n if n else None for found in three]
        more = _orders(by_name[name]) if name in by_name else (None, None)
        cells = (f"{n:,}", *map(percent, (*shares, *more)))
        grid.add_row(styled(one_line(name, NAME_WIDTH)), *map(styled, cells))
    return grid


def _orders(judgement: Judgement) -> tuple[float | None, float | None]:
    """Share of answers for the response shown first, of those that are no tie; orders agree.

    With one order per pair neither is known: whoever stood first may have been better.
    """
    first = second = agree = twice = 0
    for pair in judgement.judged:
        if pair.ab is None or pair.ba is None or pair.verdict != pair.verdict:
            continue
        twice += 1
        agree += not pair.flips
        for said, sign in ((pair.ab, 1.0), (pair.ba, -1.0)):
            if said.samples:
                first += said.verdict == sign
                second += said.verdict == -sign
    sides = first + second
    return first / sides if sides else None, agree / twice if twice else None
