"""The options that say how a file is read and where results go, as the commands share them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palate.errors import InputError

if TYPE_CHECKING:
    from palate.data.preferences import Preferences

PREFERENCES = ("preferences.jsonl.gz", "preferences.jsonl")
"""The pairs in the folder of a run that added verdicts to them."""

DomainColumn = Annotated[
    str | None, typer.Option("--domain-column", help="Column or key to take as the domain.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="Name of a column in a table of your own, as response_a=answer1; may be repeated.",
    ),
]
VerdictColumns = Annotated[
    list[str] | None,
    typer.Option("--verdict-column", help="Column of verdicts in a table; may be repeated."),
]
FormatName = Annotated[
    str | None, typer.Option("--format", help="Format of FILE; told from its content.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; only the summary.")]
BadRows = Annotated[
    Path | None,
    typer.Option(
        "--skip-bad-rows", help="Leave bad rows out and write them with reasons to this file."
    ),
]


def located(file: str | None) -> str | None:
    """Return the file of preferences that FILE is, or that lies in it if it is a run's folder.

    Parameters
    ----------
    file
        What the user named; None for nothing.
    """
    if file is None:
        return None
    inside = (Path(file) / name for name in PREFERENCES)
    return next((str(path) for path in inside if path.is_file()), file)


def read_file(
    file: str,
    *,
    format: str | None = None,
    domain_column: str | None = None,
    column: Sequence[str] | None = None,
    verdict_column: Sequence[str] | None = None,
    skip_bad_rows: Path | None = None,
    seed: int = 0,
) -> Preferences:
    """Read preferences as the options of a command say.

    Parameters
    ----------
    file
        The file, the name of a dataset on the hub, or "demo" for the demo set.
    format
        Name of its format, None to recognise it.
    domain_column
        Column or key that holds the domain.
    column
        Renames, "response_a=answer1" each.
    verdict_column
        Columns of a table with verdicts.
    skip_bad_rows
        File that takes bad rows.
    seed
        Seed of the side shuffle.

    Raises
    ------
    InputError
        If a rename has no "=", or as `palate.read` does.
    """
    from palate.data.formats import read

    if file == "demo" and not Path(file).exists():
        from palate.data.demo import demo_paths

        file = str(demo_paths().pairs)
    return read(
        file,
        format=format,
        domain_column=domain_column,
        columns=renames(column or ()),
        verdict_columns=verdict_column,
        skip_bad_rows=skip_bad_rows,
        seed=seed,
    )


def renames(given: Sequence[str]) -> dict[str, str]:
    """Return the renames "a=b" as {a: b}.

    Parameters
    ----------
    given
        Texts "name in the format=name in the file".

    Raises
    ------
    InputError
        If one has no "=", an empty name, or a name that was given before.
    """
    out: dict[str, str] = {}
    for text in given:
        target, equals, source = text.partition("=")
        if not (equals and target and source) or target in out:
            raise InputError(
                f"--column: found {text!r}; expected response_a=answer1, each name once."
            )
        out[target] = source
    return out
