"""Scores in the terminal: how verdicts fall, what to know of them, what comes next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from palate.cli.screen import console, counted, paragraph, percent, styled

if TYPE_CHECKING:
    from palate.mechanisms.scored import Scored


def print_scored(
    scored: Scored, *, closing: str, out: Path, file: Path, others: Sequence[str]
) -> None:
    """Print what was scored on standard output.

    Parameters
    ----------
    scored
        The scores.
    closing
        The line about what it took.
    out
        Where it was written.
    file
        The file with the new column.
    others
        Other mechanisms in the file.
    """
    import numpy as np

    screen = console()
    verdicts = scored.verdicts[np.isfinite(scored.verdicts)]
    n = verdicts.size
    a, tie, b = (percent(float(np.mean(np.sign(verdicts) == k)) if n else None) for k in (1, 0, -1))
    paragraph(
        screen,
        f"{scored.name}: {n:,} of {counted(len(scored.ids), 'pair')} have a verdict; a better "
        f"{a}, equal {tie}, b better {b}.",
        style="bold",
    )
    values = np.array([s.value for s in (*scored.a, *scored.b) if not s.failure])
    margins = np.abs(scored.margins[np.isfinite(scored.margins)])
    if margins.size:
        paragraph(
            screen,
            f"Scores from {values.min():.3g} to {values.max():.3g}; the two of a pair differ by "
            f"{np.median(margins):.3g} (median).",
        )
    for note in scored.notes:
        paragraph(screen, note)
    screen.print()
    screen.print(styled(closing), soft_wrap=True)
    screen.print(styled(f"Verdicts: {file}"), soft_wrap=True)
    screen.print(styled(f"Scores:   {out}"), soft_wrap=True)
    commands = [["palate", "explain", str(file), "-m", scored.name]]
    if others:
        commands.append(["palate", "compare", str(file), others[0], scored.name])
    for k, command in enumerate(commands):
        screen.print(styled(f"{'' if k else 'Next:':<10}{shlex.join(command)}"), soft_wrap=True)
