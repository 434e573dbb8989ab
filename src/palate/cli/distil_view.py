"""A student in the terminal: what it can do, what it leaves, and where its values went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from palate.cli.screen import console, paragraph, percent, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from palate.data.preferences import Preferences
    from palate.distil.student import Student

HEAD = ("concept", "pairs", "not 0", "right sign", "kappa", "variance held", "result")


def print_student(student: Student, preferences: Preferences, *, file: str, out: Path) -> None:
    """Print how well a student does and what to do next.

    Parameters
    ----------
    student
        The student.
    preferences
        The pairs that were annotated.
    file
        Where they came from.
    out
        The folder of the results.
    """
    from rich.table import Table

    screen = console()
    paragraph(screen, student.notes[0], style="bold")
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for k, name in enumerate(HEAD):
        side: Literal["left", "right"] = "left" if k in (0, len(HEAD) - 1) else "right"
        grid.add_column(styled(name), justify=side, overflow="fold")
    order = ["verdict", "reliability", "n_nonzero"]
    table = student.table.sort(order, descending=[False, True, True], nulls_last=True)
    for row in table.iter_rows(named=True):
        cells = (
            one_line(row["concept"], 30),
            f"{row['n_pairs']:,}",
            f"{row['n_nonzero']:,}",
            percent(row["sign_agreement"] if row["reliability"] is not None else None),
            "–" if row["kappa"] is None or row["reliability"] is None else f"{row['kappa']:.2f}",
            percent(row["reliability"])
            + (
                f" ({percent(row['low'])[:-2]} to {percent(row['high'])[:-2]})"
                if row["reliability"] is not None
                else ""
            ),
            _result(row),
        )
        grid.add_row(*(styled(cell) for cell in cells))
    screen.print()
    screen.print(grid)
    screen.print()
    paragraph(
        screen,
        "Held out by prompt. Right sign: among annotations that are not 0. Kappa: of rounded "
        "values. Variance held: squared correlation with the annotations, 90 % interval.",
    )
    new = [d for d in preferences.domains if d not in student.domains]
    if new:
        named = ", ".join(one_line(d, 30) for d in new[:8]) + (", ..." if len(new) > 8 else "")
        paragraph(screen, f"Domains that the student was not trained on: {named}.")
    screen.print()
    if student.concepts:
        screen.print(styled(f"Values of {preferences.n_pairs:,} pairs: {out}"), soft_wrap=True)
        files = f"--concepts {out}/concepts.json --values {out}/values.jsonl"
        screen.print(styled(f"Next: palate explain {file} {files}"), soft_wrap=True)
    else:
        screen.print(styled(f"No values were written; what is left: {out}"), soft_wrap=True)
    if student.left:
        again = f"palate annotate {file} --concepts {out}/concepts_left.json --llm MODEL"
        screen.print(styled(f"Left to a language model: {again}"), soft_wrap=True)


def _result(row: Mapping[str, Any]) -> str:
    from palate.concepts.annotation.notes import kind_of
    from palate.distil.output import GIVEN_UP

    if not row["reason"]:
        return "distilled"
    reason = str(row["reason"])
    if reason.startswith(GIVEN_UP):
        return f"left: given up, {kind_of(reason)[0]}"
    known = row["reliability"] is not None  # then the column beside says why
    return "left" if known else "left: " + reason.split(";")[0]
