"""`palate inspect`: what is in a file of preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from palate.cli.reading import BadRows, Columns, DomainColumn, VerdictColumns, located, read_file
from palate.cli.screen import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from palate.data.inspect import Inspection

WIDE = 8  # mechanisms above which agreement is listed by its extremes instead of as a square


def inspect(
    file: Annotated[
        str,
        typer.Argument(callback=located, help="Preferences in any known format.", metavar="FILE"),
    ],
    format: Annotated[
        str | None, typer.Option("--format", help="Format of FILE; recognised if left out.")
    ] = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    skip_bad_rows: BadRows = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the side shuffle.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show rows, domains, mechanisms, agreement, lengths, duplicates and leaks of FILE."""
    from palate.data.inspect import inspect as look

    preferences = read_file(
        file,
        format=format,
        domain_column=domain_column,
        column=column,
        verdict_column=verdict_column,
        skip_bad_rows=skip_bad_rows,
        seed=seed,
    )
    found = look(preferences)
    if json:
        from json import dumps

        print(dumps(found.to_dict(), ensure_ascii=True, indent=1, default=str))
    else:
        _show(found, file)


def _show(found: Inspection, file: str) -> None:
    from palate.cli.screen import console
    from palate.cli.terminal_text import one_line

    screen = console()
    screen.print(
        f"{one_line(file, 200)}: {counted(found.n_pairs, 'pair')}, "
        f"{counted(found.n_prompts, 'prompt')}, {counted(len(found.domains), 'domain')}, "
        f"{counted(len(found.mechanisms), 'mechanism')} "
        f"(format {found.provenance.get('format', '?')})"
    )
    screen.print(
        f"{found.n_groups:,} groups that share no prompt and no response pair with each other. "
        f"Duplicates: {found.duplicates:,}; with identical responses: "
        f"{found.identical_responses:,}; with an empty one: {found.empty_responses:,}."
    )
    for table in (_mechanisms(found), _domains(found), _lengths(found)):
        screen.print()
        screen.print(table)
    if found.agreement:
        screen.print()
        _show_agreement(found, screen)
    notes = found.notes()
    if notes:
        screen.print()
        for note in notes:
            screen.print("! " + one_line(note, 400))


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(title, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _mechanisms(found: Inspection) -> Table:
    from palate.cli.terminal_text import one_line

    table = _table(
        *("Mechanism", "judged", "missing", "a", "b", "ties", "longer wins", "wins of a"),
    )
    for m in found.mechanisms:
        side = "-" if m.a_rate is None else f"{m.a_rate:.0%}"
        table.add_row(
            one_line(m.name, 40),
            f"{m.judged:,}",
            f"{m.missing_rate:.0%}",
            f"{m.a:,}",
            f"{m.b:,}",
            "-" if m.tie_rate is None else f"{m.tie_rate:.0%}",
            "-" if m.longer is None else f"{m.longer:.0%}",
            f"always {m.leaks}" if m.leaks else side,
        )
    return table


def _domains(found: Inspection, most: int = 30) -> Table:
    from palate.cli.terminal_text import one_line

    table = _table("Domain", "pairs", "share")
    for name, n in found.domains[:most]:
        table.add_row(one_line(name, 50), f"{n:,}", f"{n / found.n_pairs:.0%}")
    if len(found.domains) > most:
        rest = found.domains[most:]
        n = sum(n for _, n in rest)
        table.add_row(f"and {len(rest):,} more", f"{n:,}", f"{n / found.n_pairs:.0%}")
    return table


def _lengths(found: Inspection) -> Table:
    table = _table("Words of", "shortest", "5 %", "median", "95 %", "longest")
    for row in found.lengths:
        numbers = (row.shortest, row.p5, row.median, row.p95, row.longest)
        table.add_row(row.text.replace("_", " "), *(f"{n:,.0f}" for n in numbers))
    return table


def _show_agreement(found: Inspection, screen: Console) -> None:
    from palate.cli.terminal_text import one_line

    names = [m.name for m in found.mechanisms]
    if len(names) <= WIDE:
        table = _table("Agreement", *(str(i + 1) for i in range(len(names))))
        share = {(x.first, x.second): x for x in found.agreement}
        for i, name in enumerate(names):
            cells = []
            for j, other in enumerate(names):
                entry = share.get((name, other)) or share.get((other, name))
                told = entry is not None and entry.share is not None
                cells.append("" if i == j else f"{entry.share:.0%}" if told else "-")  # type: ignore[union-attr]
            table.add_row(f"{i + 1} {one_line(name, 40)}", *cells)
        screen.print(table)
        return
    ranked = sorted((x for x in found.agreement if x.share is not None), key=lambda x: x.share or 0)
    table = _table("Agreement: the lowest and highest", "share", "pairs")
    for entry in [*ranked[:5], *ranked[-5:]]:
        table.add_row(
            f"{one_line(entry.first, 40)} / {one_line(entry.second, 40)}",
            f"{entry.share:.0%}",
            f"{entry.n_pairs:,}",
        )
    screen.print(table)
