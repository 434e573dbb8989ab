"""`palate store`: what models answered and is kept, so that it is not paid twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palate.cli.screen import counted
from palate.errors import InputError, OutputError, shorten

if TYPE_CHECKING:
    from palate.llm.store_keeping import Which

HELP = "Show, export and prune the answers of language models that are kept."
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}

StorePath = Annotated[
    Path | None,
    typer.Option(
        "--store",
        help="The store; left out, PALATE_STORE or the one in the user's folder for data.",
        metavar="FILE",
    ),
]
Model = Annotated[str | None, typer.Option("--model", help="Answers of this model only.")]
Name = Annotated[
    str | None, typer.Option("--name", help="Answers to this kind of question only (compare).")
]
Age = Annotated[
    str | None,
    typer.Option("--older-than", help="Answers of at least this age only: 90m, 12h, 30d, 8w."),
]


def show(
    store: StorePath = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show answers, tokens and cost per model and kind of question."""
    from palate.llm.store_keeping import size, summarise

    path = _path(store)
    kept = summarise(path)
    if json:
        from dataclasses import asdict
        from json import dumps

        found = {"store": str(path), "bytes": size(path), "kept": [asdict(row) for row in kept]}
        print(dumps(found, ensure_ascii=True, indent=1))
        return
    from datetime import UTC, datetime

    from rich.table import Table

    from palate.cli.screen import console
    from palate.cli.terminal_text import one_line

    screen = console()
    answers = sum(row.answers for row in kept)
    screen.print(
        f"{one_line(path, 200)}: {counted(answers, 'answer')}, {size(path) / 1e6:,.1f} MB",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if not kept:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("Model", "Question"):
        table.add_column(column, overflow="fold")
    for column in ("answers", "tokens in", "out", "cost", "first", "last"):
        table.add_column(column, justify="right")
    from rich.text import Text

    for row in kept:
        dates = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in (row.first, row.last))
        table.add_row(
            Text(one_line(row.model, 60)),
            Text(one_line(row.name, 40)),
            f"{row.answers:,}",
            f"{row.input_tokens:,}",
            f"{row.output_tokens:,}",
            "-" if row.cost is None else f"${row.cost:,.2f}",
            *dates,
        )
    screen.print(table)


def export(
    out: Annotated[
        Path | None,
        typer.Argument(
            help="File of JSON lines, gzipped if it ends in .gz; left out, standard output.",
            metavar="[OUT]",
        ),
    ] = None,
    store: StorePath = None,
    model: Model = None,
    name: Name = None,
    older_than: Age = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace OUT if it is there.")
    ] = False,
) -> None:
    """Write the answers as JSON lines."""
    from json import dumps

    from palate.llm.store_keeping import export as rows

    which = _which(model, name, older_than)
    path = _path(store)
    if out is not None and out.is_file() and not overwrite:
        raise OutputError(f"{out}: found a file already; expected a new name, or --overwrite.")
    found = rows(path, which)
    n = 0
    if out is None:
        for row in found:
            print(dumps(row, ensure_ascii=True))
            n += 1
        if not n:
            _nothing(path, which)
        return
    from palate.data.atomic import atomic_write

    with atomic_write(out) as file:
        for row in found:
            file.write(dumps(row, ensure_ascii=True).encode("ascii") + b"\n")
            n += 1
    if not n:
        _nothing(path, which)
    _say(f"{counted(n, 'answer')} written to {out}.")


def prune(
    store: StorePath = None,
    model: Model = None,
    name: Name = None,
    older_than: Age = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be deleted; delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it nothing is.")] = False,
) -> None:
    """Delete answers by age, model or kind of question, and make the file smaller."""
    from palate.llm.store_keeping import prune as delete

    which = _which(model, name, older_than)
    if (model, name, older_than) == (None, None, None):
        raise InputError("Nothing says what to delete; give --older-than, --model or --name.")
    path = _path(store)
    n = delete(path, which, dry_run=True)
    if not n:
        _nothing(path, which)
    if dry_run:
        _say(f"{counted(n, 'answer')} would be deleted from {path}.")
        return
    if n and not yes:
        raise InputError(
            f"{counted(n, 'answer')} would be deleted from {path} for good; give --yes to do it."
        )
    _say(f"{counted(delete(path, which), 'answer')} deleted from {path}.")


COMMANDS: dict[str, Callable[..., None]] = {"show": show, "export": export, "prune": prune}


def age(text: str) -> float:
    """Return the seconds of an age such as 90m, 12h, 30d or 8w.

    Parameters
    ----------
    text
        As the user gave it.

    Raises
    ------
    InputError
        If it is something else.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([mhdw])", text.strip(), re.ASCII)
    if match is None:
        raise InputError(f"--older-than: found {shorten(text)}; expected an age like 12h or 30d.")
    return float(match[1]) * _UNITS[match[2]]


def _which(model: str | None, name: str | None, older_than: str | None) -> Which:
    from palate.llm.store_keeping import Which

    return Which(model, name, None if older_than is None else age(older_than))


def _path(given: Path | None) -> Path:
    from palate.llm.store import default_path

    return default_path() if given is None else given


def _nothing(path: Path, which: Which) -> None:
    """Say on standard error that no answer fits a model or a kind of question."""
    from palate.cli.terminal_text import one_line

    given = [
        f"--{option} {one_line(value, 60)!r}"
        for option, value in (("model", which.model), ("name", which.name))
        if value is not None
    ]
    if given:
        sentence = (
            f"Nothing in {one_line(path, 200)} fits {' and '.join(given)}; `palate store show` "
            "lists the models and the kinds of question."
        )
        typer.echo(sentence, err=True)


def _say(sentence: str) -> None:
    from palate.cli.terminal_text import clean

    print(clean(sentence))
