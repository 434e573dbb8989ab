"""`palate break-ties`: a judge's ties decided by what explanations say is rewarded."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palate.cli.concept_options import (
    AnnotationFolder,
    ConceptsFile,
    ValuesFile,
    WithMeasured,
    annotation_files,
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
    closing_line,
    open_client,
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
    read_file,
)

if TYPE_CHECKING:
    from palate.actions.ties_result import TieBreaks
    from palate.data.run_directory import RunDirectory

TABLE, RESULT, PAGE = "ties.csv", "ties.json", "ties.html"
PAIRS, PREFERENCES = "pairs.jsonl", "preferences.jsonl"


def break_ties(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, or hf://organisation/name.",
            metavar="FILE",
        ),
    ],
    mechanism: Annotated[
        str, typer.Option("--mechanism", "-m", help="The judge whose ties are broken.")
    ],
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="The mechanism that says what is right, for instance human: for accuracies, and "
            "for the strategies reference and difference.",
        ),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask no model: the explained models decide themselves."),
    ] = False,
    llm: Llm = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            help="random, own, reference or difference; may be repeated. All that are possible if "
            "absent.",
        ),
    ] = None,
    concepts_by: Annotated[
        str | None,
        typer.Option(
            "--concepts-by",
            help="supported (the largest supported effects), weight (the largest weights) or all "
            "(the whole model, with --offline only). With --offline: all; else: supported.",
        ),
    ] = None,
    n_concepts: Annotated[
        int, typer.Option("--n-concepts", min=1, help="Concepts that decide, at most.")
    ] = 4,
    soft: Annotated[
        bool,
        typer.Option(
            "--soft",
            help="Ask for probabilities of the answer: the surest ties are then those of which "
            "the model is surest, where the endpoint gives them.",
        ),
    ] = False,
    max_chars: Annotated[
        int | None,
        typer.Option(
            "--max-chars",
            min=1,
            help="Longest prompt or response that a model is shown whole; 12000 if absent.",
        ),
    ] = None,
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
        typer.Option("--out", "-o", help="Folder for the results; ties-NAME if absent."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.999, help="Level of the intervals.")
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
    """Decide the pairs of FILE that a judge left tied, as its orders disagree or it gave a 0."""
    from palate.actions.strategies import BY
    from palate.actions.ties import check_strategies
    from palate.cli.progress import Stages
    from palate.cli.run import folder_for
    from palate.cli.ties_view import print_ties
    from palate.data.staged_run import staged_run
    from palate.errors import InputError, UnknownNameError

    of_model = {"--llm": llm, "--dry-run": dry_run, "--soft": soft, "--max-chars": max_chars}
    beside = [option for option, given in of_model.items() if given]
    if offline and beside:
        raise InputError(
            f"--offline: found {beside[0]} beside it; expected one of them, as no model is asked."
        )
    if not offline and llm is None:
        raise InputError(
            "--llm: found no model; expected PROVIDER:MODEL, for instance openai:gpt-5-mini, or "
            "--offline, which asks none."
        )
    by = concepts_by or ("all" if offline else "supported")
    if by not in BY:
        raise UnknownNameError("choice of concepts", by, BY)
    strategies = check_strategies(
        strategy, by, n_concepts, reference=reference, asked=None if offline else llm
    )
    if reference == mechanism:
        raise InputError(
            f"--reference: found {mechanism!r}, the judge itself; expected another mechanism."
        )
    concepts, values = bundled(concepts, values)
    check_concepts(concepts, values, annotation, with_measured=with_measured)
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
    out = out or Path(f"ties-{folder_for(file).name.removeprefix('palate-')}")
    from palate.data.shown import MAX_CHARS

    settings: dict[str, Any] = {
        "reference": reference,
        "strategies": strategies,
        "by": by,
        "n_concepts": n_concepts,
        "level": level,
        "fdr": fdr,
        "seed": seed,
        "cluster": cluster,
        "soft": soft,
        "max_chars": max_chars or MAX_CHARS,
    }

    def work(directory: RunDirectory | None) -> tuple[TieBreaks, tuple[str, ...], str]:
        with (
            Stages(quiet=quiet) as stages,
            nullcontext() if offline else open_client(options, stages) as client,
        ):
            stages.stage(f"Reading {file}")
            preferences = read_file(
                file,
                format=format,
                domain_column=domain_column,
                column=column,
                verdict_column=verdict_column,
                skip_bad_rows=skip_bad_rows,
                seed=seed,
            )
            from palate.actions.ties import break_ties as break_them
            from palate.actions.ties_found import tied_pairs
            from palate.actions.ties_result import broken_name
            from palate.concepts.gather import gather

            if reference is not None:
                preferences.verdict(reference)
            n_tied = int(tied_pairs(preferences, mechanism).sum())
            for taken in (broken_name(mechanism, s) for s in strategies):
                if taken in preferences.mechanisms:
                    raise InputError(
                        f"{file}: found a mechanism {taken!r} already; expected a file without it, "
                        "for instance the one whose ties were broken first."
                    )
            stages.stage(f"Preparing concepts on {preferences.n_pairs:,} pairs")
            gathered = gather(
                preferences,
                concepts=concepts,
                values=values,
                annotation=annotation,
                with_measured=with_measured,
                n_jobs=jobs,
            )
            stages.stage(f"Breaking {n_tied:,} ties of {mechanism}")
            found = break_them(
                preferences,
                mechanism,
                gathered.matrix,
                client=client,
                n_jobs=jobs,
                **settings,
            )
            closing = "" if client is None else closing_line(client)
            if directory is not None:
                found.save(directory.file(RESULT))
                found.strategies.write_csv(directory.file(TABLE))
                found.pairs.write_ndjson(directory.file(PAIRS))
                found.add_to(preferences).save(directory.file(PREFERENCES))
                spent = None if client is None else client.spent
                record = directory.write_run_json(
                    arguments={
                        "command": "break-ties",
                        "file": file,
                        "mechanism": mechanism,
                        "offline": offline,
                        **settings,
                        "format": format,
                        "domain_column": domain_column,
                        "columns": column or [],
                        "verdict_columns": verdict_column or [],
                        "concepts": concepts,
                        "values": values,
                        "annotation": annotation,
                        "with_measured": with_measured,
                        "llm": llm,
                        "base_url": base_url,
                        "temperature": temperature,
                        "thinking": thinking,
                        "batch": batch,
                        "max_cost": max_cost,
                        "out": out,
                        "overwrite": overwrite,
                        "jobs": jobs,
                        "skip_bad_rows": skip_bad_rows,
                    },
                    inputs=[
                        p
                        for p in (file, concepts, values, *annotation_files(annotation))
                        if p and not str(p).startswith("hf:")
                    ],
                    counts={
                        "pairs": preferences.n_pairs,
                        "ties": n_tied,
                        "strategies": found.strategies.height,
                        "calls": 0 if spent is None else spent.calls + spent.stored,
                        "rejected_rows": preferences.provenance.get("rejected_rows", 0),
                    },
                    seed=seed,
                )
                from palate.report.ties_page import write_ties

                write_ties(
                    found,
                    directory.file(PAGE),
                    run=json.loads(record.read_text(encoding="utf-8")),
                    notes=gathered.notes,
                )
            return found, gathered.notes, closing

    if dry_run:
        typer.echo(work(None)[2])
        return
    with staged_run(out, overwrite=overwrite) as directory:
        found, notes, closing = work(directory)
    print_ties(found, notes=notes, closing=closing, out=out)
