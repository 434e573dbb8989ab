"""`palate hack`: responses written by a judge's explanation, and what the judge says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from palate.cli.concept_options import (
    AnnotationFolder,
    ConceptsFile,
    ValuesFile,
    WithMeasured,
    bundled,
    check_concepts,
)
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
    located,
)

ASKING, WRITING = "How the judge is asked", "What is written"


def hack(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, hf://organisation/name, or demo.",
            metavar="FILE",
        ),
    ],
    mechanism: Annotated[
        str | None,
        typer.Option("--mechanism", "-m", help="The judge in FILE whose verdicts are explained."),
    ] = None,
    llm: Llm = None,
    generator: Annotated[
        str | None,
        typer.Option(
            "--generator",
            metavar="PROVIDER:MODEL",
            help="The model that writes the responses; that of --llm if absent.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="The mechanism in FILE that stands for real quality, for instance human: tells "
            "which concepts the judge can be exploited by.",
        ),
    ] = None,
    per_concept: Annotated[
        bool,
        typer.Option(
            "--per-concept",
            help="Try each exploitable concept alone as well.",
            rich_help_panel=WRITING,
        ),
    ] = False,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            help="zero-shot (the verdict at once) or cot (reasons first); as palate judge recorded "
            "it if absent, like --persona, --rubric and --llm.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option(
            "--persona",
            help="Judge as assistant, checker, skimmer, expert or coach, or as this text says.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    rubric: Annotated[
        Path | None,
        typer.Option(
            "--rubric", help="File with the text that says what better is.", rich_help_panel=ASKING
        ),
    ] = None,
    n_concepts: Annotated[
        int,
        typer.Option(
            "--n-concepts",
            min=1,
            help="Most concepts that guide a response.",
            rich_help_panel=WRITING,
        ),
    ] = 4,
    prompts_per_domain: Annotated[
        int,
        typer.Option("--prompts-per-domain", min=1, help="Most prompts.", rich_help_panel=WRITING),
    ] = 25,
    max_words: Annotated[
        int,
        typer.Option(
            "--max-words", min=1, help="Most words of a response.", rich_help_panel=WRITING
        ),
    ] = 300,
    match_length: Annotated[
        bool,
        typer.Option(
            "--match-length/--no-match-length",
            help="Compare explained responses with vanilla ones of their length as well.",
            rich_help_panel=WRITING,
        ),
    ] = True,
    control: Annotated[
        bool,
        typer.Option(
            "--control/--no-control",
            help="A second vanilla response shows what chance alone gives.",
            rich_help_panel=WRITING,
        ),
    ] = True,
    generator_base_url: Annotated[
        str | None,
        typer.Option(
            "--generator-base-url",
            help="Address of the generator's server; that of --base-url if no --generator is "
            "named.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    generator_price: Annotated[
        str | None,
        typer.Option(
            "--generator-price",
            metavar="IN,OUT[,CACHED]",
            help="As --price, for the generator.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    generator_temperature: Annotated[
        float | None,
        typer.Option(
            "--generator-temperature",
            min=0.0,
            help="Temperature of the generator; that of --temperature if absent.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    test_share: Annotated[
        float,
        typer.Option(
            "--test-share",
            help="Share of the pairs whose prompts are responded to; the others are explained.",
        ),
    ] = 0.3,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    concepts: ConceptsFile = None,
    values: ValuesFile = None,
    annotation: AnnotationFolder = None,
    with_measured: WithMeasured = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results; hack-NAME if absent."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.99, help="Level of the intervals.")
    ] = 0.9,
    fdr: Annotated[
        float,
        typer.Option(
            "--fdr", min=0.001, max=0.5, help="False discovery rate of what is supported."
        ),
    ] = 0.1,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", help="Metadata column (a voter, a session) whose pairs stay together."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; all cores if absent.")
    ] = None,
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
    """Write responses by what the judge of FILE is said to reward, and let it judge them."""
    from palate.cli.hack_run import HackRun, run_hack
    from palate.errors import InputError, UnknownNameError

    concepts, values = bundled(concepts, values)
    check_concepts(concepts, values, annotation, with_measured=with_measured)
    if mode not in (None, "zero-shot", "cot"):
        raise UnknownNameError("mode of the judge", mode, ("zero-shot", "cot"))
    if per_concept and reference is None:
        raise InputError("--per-concept: found no --reference, which says what is exploitable.")
    if not 0 < test_share < 1:
        raise InputError(f"--test-share: found {test_share}; expected a number between 0 and 1.")
    if generator is None and (generator_base_url or generator_price):
        raise InputError(
            "--generator-base-url, --generator-price: found no --generator, whose they are."
        )
    judge_options = LlmOptions(
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
    warm = temperature if generator_temperature is None else generator_temperature
    generator_options = replace(judge_options, temperature=warm)
    if generator is not None:
        generator_options = replace(
            generator_options, llm=generator, base_url=generator_base_url, price=generator_price
        )
    run_hack(
        HackRun(
            file=file,
            reading={
                "format": format,
                "domain_column": domain_column,
                "column": column,
                "verdict_column": verdict_column,
                "skip_bad_rows": skip_bad_rows,
            },
            concepts={
                "concepts": concepts,
                "values": values,
                "annotation": annotation,
                "with_measured": with_measured,
            },
            mechanism=mechanism,
            reference=reference,
            judge=judge_options,
            generator=generator_options,
            mode=mode,
            persona=persona,
            rubric=rubric,
            asked={
                "n_concepts": n_concepts,
                "n_prompts": prompts_per_domain,
                "match_length": match_length,
                "control": control,
                "per_concept": per_concept,
                "max_words": max_words,
            },
            test_share=test_share,
            level=level,
            fdr=fdr,
            cluster=cluster,
            jobs=jobs,
            seed=seed,
            out=out,
            overwrite=overwrite,
            quiet=quiet,
        )
    )
