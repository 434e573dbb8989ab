"""`palate judge`: a language model says which response of each pair is better."""

from __future__ import annotations

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
)
from palate.cli.reading import (
    BadRows,
    Columns,
    DomainColumn,
    FormatName,
    Overwrite,
    Quiet,
    Seed,
    VerdictColumns,
)

ASKING = "How the judge is asked"
COMBINING = "Combining and reporting"


def judge(
    file: Annotated[
        str,
        typer.Argument(
            help="Preferences in any known format, hf://organisation/name, demo, or the folder of "
            "an earlier run, which gets the new columns.",
            metavar="FILE",
        ),
    ],
    llm: Llm = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            "--mode",
            help="zero-shot (the verdict at once), cot (reasons first) or k-shot (after examples "
            "with verdicts of --reference); may be repeated, a column each.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    persona: Annotated[
        list[str] | None,
        typer.Option(
            "--persona",
            help="Judge as assistant, checker, skimmer, expert or coach, or as this text says; may "
            "be repeated, a column each.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    rubric: Annotated[
        Path | None,
        typer.Option(
            "--rubric", help="File with the text that says what better is.", rich_help_panel=ASKING
        ),
    ] = None,
    criteria: Annotated[
        str | None,
        typer.Option(
            "--criteria",
            help="Judge by these concepts: a file or folder of palate discover, general, demo, or "
            "the folder of palate explain, for what it supports.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    criteria_mechanism: Annotated[
        str | None,
        typer.Option(
            "--criteria-mechanism",
            help="Whose explanation, where --criteria holds several.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    criteria_most: Annotated[
        int | None,
        typer.Option(
            "--criteria-most",
            min=1,
            help="Only this many of an explanation, the strongest in each domain.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    examples: Annotated[
        int,
        typer.Option(
            "--examples", min=1, help="How many examples k-shot shows.", rich_help_panel=ASKING
        ),
    ] = 4,
    allow_ties: Annotated[
        bool,
        typer.Option(
            "--allow-ties", help="Let the judge say that neither is better.", rich_help_panel=ASKING
        ),
    ] = False,
    orders: Annotated[
        str,
        typer.Option(
            "--orders",
            help="both (each pair is asked twice; where the two disagree the verdict is 0), ab "
            "(response a first), ba, or random (one, drawn for each pair).",
            rich_help_panel=ASKING,
        ),
    ] = "both",
    samples: Annotated[
        int,
        typer.Option(
            "--samples",
            min=1,
            help="Ask each order this often, at a --temperature above 0; the majority counts.",
            rich_help_panel=ASKING,
        ),
    ] = 1,
    soft: Annotated[
        bool,
        typer.Option(
            "--soft",
            help="Verdicts between -1 and 1 from the probabilities of the answer, where the "
            "endpoint gives them.",
            rich_help_panel=ASKING,
        ),
    ] = False,
    max_chars: Annotated[
        int,
        typer.Option(
            "--max-chars",
            min=200,
            help="Longest prompt or response that is shown whole.",
            rich_help_panel=ASKING,
        ),
    ] = 12_000,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="Name of the new column, where it is one; the model and mode if absent."
        ),
    ] = None,
    overwrite_column: Annotated[
        bool,
        typer.Option("--overwrite-column", help="Replace columns of the same name."),
    ] = False,
    ensemble: Annotated[
        str | None,
        typer.Option(
            "--ensemble",
            help="Add a column that combines those of this run and of --of: majority or mean.",
            rich_help_panel=COMBINING,
        ),
    ] = None,
    of: Annotated[
        list[str] | None,
        typer.Option(
            "--of",
            help="A mechanism of FILE for --ensemble; may be repeated.",
            rich_help_panel=COMBINING,
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Report on position bias, ties and accuracy; without --llm on the verdicts that "
            "are there.",
            rich_help_panel=COMBINING,
        ),
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="The mechanism of FILE that is right, people for instance: for the accuracies of "
            "--report and the examples of k-shot.",
            rich_help_panel=COMBINING,
        ),
    ] = None,
    mechanism: Annotated[
        list[str] | None,
        typer.Option(
            "--mechanism",
            "-m",
            help="Report on this one only; may be repeated.",
            rich_help_panel=COMBINING,
        ),
    ] = None,
    level: Annotated[
        float,
        typer.Option(
            "--level",
            min=0.5,
            max=0.999,
            help="Confidence of the report's intervals.",
            rich_help_panel=COMBINING,
        ),
    ] = 0.9,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for the results; judged-NAME if absent, judge-report-NAME for a report "
            "alone.",
        ),
    ] = None,
    overwrite: Overwrite = False,
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
    """Let a language model judge which response of each pair in FILE is better.

    The verdicts become a new column beside those of FILE, in a folder.

    With --report and without --llm: how good the judges in FILE are.
    """
    from palate.cli.judge_options import JudgeRun
    from palate.cli.judge_run import run_judge

    run = JudgeRun(
        file=file,
        reading={
            "format": format,
            "domain_column": domain_column,
            "column": column,
            "verdict_column": verdict_column,
            "skip_bad_rows": skip_bad_rows,
        },
        options=LlmOptions(
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
        ),
        modes=tuple(mode or ()),
        personas=tuple(persona or ()),
        rubric=rubric,
        criteria=criteria,
        criteria_mechanism=criteria_mechanism,
        criteria_most=criteria_most,
        examples=examples,
        ties=allow_ties,
        orders=orders,
        samples=samples,
        soft=soft,
        max_chars=max_chars,
        name=name,
        overwrite_column=overwrite_column,
        ensemble=ensemble,
        of=tuple(of or ()),
        report=report,
        reference=reference,
        mechanisms=tuple(mechanism or ()),
        level=level,
        out=out,
        overwrite=overwrite,
        seed=seed,
        quiet=quiet,
    )
    run_judge(run)
