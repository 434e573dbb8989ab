"""`palate convert`: from one preference format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from palate.cli.reading import BadRows, Columns, DomainColumn, VerdictColumns, located, read_file


def convert(
    file: Annotated[
        str, typer.Argument(callback=located, help="Preferences in any known format.", metavar="IN")
    ],
    out: Annotated[Path, typer.Argument(help="The file to write.", metavar="OUT")],
    from_format: Annotated[
        str | None, typer.Option("--from", help="Format of IN; recognised if left out.")
    ] = None,
    to_format: Annotated[
        str | None, typer.Option("--to", help="Format of OUT; follows its ending if left out.")
    ] = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    mechanism: Annotated[
        str | None,
        typer.Option("--mechanism", help="Write this one only; for formats that hold just one."),
    ] = None,
    skip_bad_rows: BadRows = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the side shuffle.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace OUT if it is there.")
    ] = False,
) -> None:
    """Write the preferences of IN to OUT in another format, and say what it cannot hold."""
    from palate.cli.terminal_text import one_line
    from palate.data.formats import write, writer_for
    from palate.errors import OutputError

    writer_for(out, to_format)  # before the work of reading
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: found a file already; expected a new name, or --overwrite.")
    if skip_bad_rows is not None and skip_bad_rows.resolve() == out.resolve():
        raise OutputError(f"{out}: found one file for pairs and bad rows; expected two.")
    preferences = read_file(
        file,
        format=from_format,
        domain_column=domain_column,
        column=column,
        verdict_column=verdict_column,
        skip_bad_rows=skip_bad_rows,
        seed=seed,
    )
    report = write(preferences, out, format=to_format, mechanism=mechanism)
    source = preferences.provenance.get("format", "?")
    print(
        f"{one_line(file, 200)} ({source}) -> {one_line(out, 200)} ({report.format}): "
        f"{report.n_pairs:,} of {preferences.n_pairs:,} pairs."
    )
    rejected = preferences.provenance.get("rejected_rows")
    if rejected:
        print(f"Bad rows set aside: {rejected:,}, in {one_line(skip_bad_rows, 200)}.")
    for sentence in report.dropped:
        print(f"! {one_line(sentence, 400)}")
