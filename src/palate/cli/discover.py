"""`palate discover`: a language model finds the concepts on which responses differ."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from palate.cli.llm_options import (
    CONCURRENCY,
    TEMPERATURE,
    THINKING,
    TIMEOUT,
    BaseUrl,
    Batch,
    Concurrency,
    DryRun,
    Llm,
    LlmOptions,
    MaxCost,
    NoStore,
    PriceText,
    Rpm,
    StorePath,
    Temperature,
    ThinkingLevel,
    Timeout,
    Tpm,
    closing_line,
    open_client,
)
from palate.cli.reading import (
    BadRows,
    Columns,
    DomainColumn,
    FormatName,
    Quiet,
    Seed,
    VerdictColumns,
    located,
    read_file,
)

HOW_MANY = "How much is asked and kept"


def discover(
    file: Annotated[
        str | None,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, hf://organisation/name, or demo.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    llm: Llm = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the concepts; concepts-NAME if absent."),
    ] = None,
    vocabulary: Annotated[
        str | None,
        typer.Option(
            "--vocabulary",
            help="In place of FILE, a fixed list: general for the built-in one, or a file (JSON, "
            "Markdown bullets, lines). With --llm, missing definitions are written.",
        ),
    ] = None,
    mechanism: Annotated[
        list[str] | None,
        typer.Option(
            "--mechanism",
            "-m",
            help="Whose verdicts say what was preferred; may be repeated. All if absent.",
        ),
    ] = None,
    no_labels: Annotated[
        bool,
        typer.Option("--no-labels", help="Use no verdicts: ask on what the responses differ."),
    ] = False,
    share: Annotated[
        float | None,
        typer.Option(
            "--share",
            help="Share of each domain's pairs set apart for discovery; by default 30 %, at most "
            "400 pairs.",
            rich_help_panel=HOW_MANY,
        ),
    ] = None,
    batches: Annotated[
        int | None,
        typer.Option(
            "--batches",
            min=1,
            help="Batches of pairs per domain, 300 in the paper; by default each pair once, 6 to "
            "60 batches.",
            rich_help_panel=HOW_MANY,
        ),
    ] = None,
    pairs_per_batch: Annotated[
        int, typer.Option("--pairs-per-batch", min=1, help="Pairs.", rich_help_panel=HOW_MANY)
    ] = 5,
    concepts_per_batch: Annotated[
        int,
        typer.Option(
            "--concepts-per-batch", min=1, help="Names asked for.", rich_help_panel=HOW_MANY
        ),
    ] = 10,
    max_shared: Annotated[
        int,
        typer.Option(
            "--max-shared",
            min=0,
            help="Shared concepts kept, the most frequent first.",
            rich_help_panel=HOW_MANY,
        ),
    ] = 40,
    max_specific: Annotated[
        int,
        typer.Option(
            "--max-specific",
            min=0,
            help="Specific concepts kept per domain.",
            rich_help_panel=HOW_MANY,
        ),
    ] = 12,
    keep_all: Annotated[
        bool,
        typer.Option("--keep-all", help="Keep all concepts.", rich_help_panel=HOW_MANY),
    ] = False,
    commonplace: Annotated[
        bool,
        typer.Option(
            "--commonplace/--no-commonplace",
            help="Add ten commonplace concepts, and ask half of the batches for others.",
            rich_help_panel=HOW_MANY,
        ),
    ] = True,
    similarity: Annotated[
        str | None,
        typer.Option(
            "--similarity",
            help="tfidf: compare names of similar descriptions as well, not only of common stems.",
            rich_help_panel=HOW_MANY,
        ),
    ] = None,
    max_chars: Annotated[
        int,
        typer.Option(
            "--max-chars",
            min=200,
            help="Longest prompt or response that is shown whole.",
            rich_help_panel=HOW_MANY,
        ),
    ] = 4_000,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace what the folder holds, hand-edited concepts included."
        ),
    ] = False,
    seed: Seed = 0,
    base_url: BaseUrl = None,
    store: StorePath = None,
    no_store: NoStore = False,
    max_cost: MaxCost = None,
    price: PriceText = None,
    concurrency: Concurrency = CONCURRENCY,
    rpm: Rpm = None,
    tpm: Tpm = None,
    timeout: Timeout = TIMEOUT,
    temperature: Temperature = TEMPERATURE,
    thinking: ThinkingLevel = THINKING,
    batch: Batch = False,
    dry_run: DryRun = False,
    skip_bad_rows: BadRows = None,
    quiet: Quiet = False,
) -> None:
    """Let a language model find the concepts on which the responses of the pairs in FILE differ."""
    from palate.cli.discover_view import print_discovery
    from palate.cli.progress import Stages
    from palate.cli.run import folder_for
    from palate.concepts.discovery.discover import discover as discover_in
    from palate.concepts.discovery.typical import typical_answer
    from palate.errors import InputError, UnknownNameError

    if (file is None) == (vocabulary is None):
        found = "neither" if file is None else "both"
        raise InputError(f"FILE and --vocabulary: found {found}; expected one of them.")
    if no_labels and mechanism:
        raise InputError("--no-labels and --mechanism exclude each other.")
    if similarity not in (None, "tfidf"):
        raise UnknownNameError("similarity", similarity, ("tfidf",))
    options = LlmOptions(
        llm=llm,
        base_url=base_url,
        store=store,
        no_store=no_store,
        max_cost=max_cost,
        price=price,
        concurrency=concurrency,
        rpm=rpm,
        tpm=tpm,
        timeout=timeout,
        temperature=temperature,
        thinking=thinking,
        batch=batch,
        dry_run=dry_run,
    )
    if vocabulary is not None:
        fixed_list(vocabulary, out or Path("concepts"), options, overwrite=overwrite, quiet=quiet)
        return
    given = str(file)
    out = out or Path(f"concepts-{folder_for(given).name.removeprefix('palate-')}")
    with (
        Stages(quiet=quiet) as stages,
        open_client(options, stages, answer=typical_answer) as client,
    ):
        stages.stage(f"Reading {given}")
        preferences = read_file(
            given,
            format=format,
            domain_column=domain_column,
            column=column,
            verdict_column=verdict_column,
            skip_bad_rows=skip_bad_rows,
            seed=seed,
        )
        discovery = discover_in(
            preferences,
            client,
            mechanisms=[] if no_labels else mechanism,
            seed=seed,
            folder=None if dry_run else out,
            overwrite=overwrite,
            progress=stages.stage,
            share=share,
            batches=batches,
            pairs_per_batch=pairs_per_batch,
            concepts_per_batch=concepts_per_batch,
            commonplace=commonplace,
            similarity=similarity,
            max_shared=None if keep_all else max_shared,
            max_specific=None if keep_all else max_specific,
            max_chars=max_chars,
        )
        closing = closing_line(client)
    if dry_run:
        typer.echo(closing)
        return
    command = ["palate", "annotate", given, "--concepts", str(out), "--llm", str(llm)]
    for name, value in (
        ("--base-url", base_url),
        ("--format", format),
        ("--domain-column", domain_column),
    ):
        command += [name, value] if value else []
    for name, values in (("--column", column), ("--verdict-column", verdict_column)):
        command += [part for value in values or () for part in (name, value)]
    print_discovery(discovery, closing=closing, out=out, command=shlex.join(command))


def fixed_list(
    source: str, out: Path, options: LlmOptions, *, overwrite: bool, quiet: bool
) -> None:
    """Write the concepts of a fixed list, with definitions where a model is named.

    Parameters
    ----------
    source
        "general", or a file.
    out
        The folder.
    options
        The model, if any.
    overwrite
        Whether the folder may hold files already.
    quiet
        Show no progress.

    Raises
    ------
    FileFormatError
        If the list cannot be read.
    OutputError
        If the folder cannot be written.
    """
    from palate.cli.discover_view import print_list
    from palate.cli.progress import Stages
    from palate.concepts.discovery.completing import complete
    from palate.concepts.discovery.discovery import Discovery
    from palate.concepts.discovery.typical import typical_answer
    from palate.concepts.vocabulary import read_vocabulary

    concepts = read_vocabulary(source)
    closing: str | None = None
    if options.llm is not None or options.dry_run:
        with (
            Stages(quiet=quiet) as stages,
            open_client(options, stages, answer=typical_answer) as client,
        ):
            stages.stage(f"Defining {sum(not c.definition for c in concepts)} concepts")
            concepts = complete(concepts, client)
            closing = closing_line(client)
        if options.dry_run:
            typer.echo(closing)
            return
    found = Discovery(concepts=concepts, provenance={}, pairs=frozenset())
    found.save(out, overwrite=overwrite)
    print_list(found, closing=closing, out=out)
