"""`palate annotate`: a language model says which response has more of each concept."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    Overwrite,
    Quiet,
    Seed,
    VerdictColumns,
    located,
    read_file,
)

if TYPE_CHECKING:
    from palate.concepts.annotation.annotation import Annotation
    from palate.data.run_directory import RunDirectory

ASKING = "How it is asked"
BATCH_BLOCK = 50_000  # questions that a provider takes in one batch


def annotate(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, hf://organisation/name, or demo.",
            metavar="FILE",
        ),
    ],
    concepts: Annotated[
        str,
        typer.Option(
            "--concepts",
            help="Definitions of the concepts, as palate discover writes them; general for the "
            "built-in list, demo for those of the demo set.",
        ),
    ],
    llm: Llm = None,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="lean (one short call for three pairs), paper (relevance first, reasons, both "
            "orders) or score (1 to 7 for one response at a time).",
        ),
    ] = "lean",
    relevance: Annotated[
        str | None,
        typer.Option(
            "--relevance",
            help="folded (an answer of the comparison), call (asked before) or none.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    reasons: Annotated[
        bool | None,
        typer.Option(
            "--reasons/--no-reasons",
            help="A short reason before each answer.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    second_order: Annotated[
        str | None,
        typer.Option(
            "--second-order",
            help="Ask again with the responses exchanged: always, audit (a random share, and "
            "where the policy wants it), policy or never.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    concepts_per_call: Annotated[
        int | None,
        typer.Option(
            "--concepts-per-call", min=1, help="Most concepts in a call.", rich_help_panel=ASKING
        ),
    ] = None,
    pairs_per_call: Annotated[
        int | None,
        typer.Option(
            "--pairs-per-call",
            min=1,
            max=8,
            help="Most pairs in a call, each compared by itself. lean: 3, without reasons and "
            "a relevance call; else: 1.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            help="economical (drop what cannot become supported, stop where enough is known, given "
            "the verdicts of FILE) or all (ask everything). lean: economical; else: all.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    mechanism: Annotated[
        list[str] | None,
        typer.Option(
            "--mechanism",
            "-m",
            help="The economical policy looks at this mechanism only; may be repeated.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    definitions: Annotated[
        str | None,
        typer.Option(
            "--definitions",
            help="full, or high (without the low end); full if absent.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    audit_share: Annotated[
        float | None,
        typer.Option(
            "--audit-share",
            min=0.0,
            max=1.0,
            help="Share of the pairs asked in both orders, at least 20 pairs unless it is 0.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    max_chars: Annotated[
        int | None,
        typer.Option(
            "--max-chars",
            help="Longest prompt or response that is shown whole; 12000 if absent.",
            rich_help_panel=ASKING,
        ),
    ] = None,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results; annotated-NAME if absent."),
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
    """Let a language model say which response of each pair in FILE has more of each concept."""
    from palate.cli.annotate_inputs import concepts_of, policy_of
    from palate.cli.annotate_view import print_annotation
    from palate.cli.progress import Stages
    from palate.cli.run import folder_for
    from palate.concepts.annotation.annotate import annotate as annotate_pairs
    from palate.concepts.annotation.asking import BLOCK
    from palate.concepts.annotation.notes import SET_APART
    from palate.concepts.annotation.protocols import choose
    from palate.concepts.annotation.typical import typical_answer
    from palate.concepts.discovery.provenance import (
        PAIRS_FILE,
        discovery_pairs,
        without_discovery_pairs,
    )
    from palate.data.staged_run import staged_run
    from palate.errors import UnknownNameError

    policy = policy or ("economical" if protocol == "lean" else "all")
    if policy not in ("economical", "all"):
        raise UnknownNameError("policy", policy, ("economical", "all"))
    choices: dict[str, Any] = {
        "relevance": relevance,
        "reasons": reasons,
        "second_order": second_order,
        "concepts_per_call": concepts_per_call,
        "pairs_per_call": pairs_per_call,
        "definitions": definitions,
        "audit_share": audit_share,
        "audit_pairs": 0 if audit_share == 0 else None,
        "max_chars": max_chars,
    }
    choose(protocol, with_policy=policy == "economical", **choices)  # refused before any work
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
    out = out or Path(f"annotated-{folder_for(file).name.removeprefix('palate-')}")

    def work(directory: RunDirectory | None) -> tuple[Annotation, str]:
        with (
            Stages(quiet=quiet) as stages,
            open_client(options, stages, answer=typical_answer) as client,
        ):
            stages.stage(f"Reading {file}")
            defined = concepts_of(concepts)
            preferences = read_file(
                file,
                format=format,
                domain_column=domain_column,
                column=column,
                verdict_column=verdict_column,
                skip_bad_rows=skip_bad_rows,
                seed=seed,
            )
            apart = 0  # pairs that the concepts were discovered on
            if Path(concepts).exists():
                preferences, apart = without_discovery_pairs(preferences, concepts)
            decides, rounds = policy_of(policy, preferences, mechanism, seed=seed)
            if dry_run:  # typical answers tell a policy nothing
                decides, rounds = None, None
            about = f"{len(defined):,} concept{'s' if len(defined) != 1 else ''}"
            stages.stage(f"Asking about {about} on {preferences.n_pairs:,} pairs")
            found = annotate_pairs(
                preferences,
                defined,
                client,
                protocol=protocol,  # type: ignore[arg-type]
                **choices,
                rounds=rounds,
                policy=decides,
                seed=seed,
                block=BATCH_BLOCK if batch else BLOCK,
                provenance={"model": llm, "temperature": temperature}
                | ({SET_APART: apart} if apart else {}),
            )
            if directory is not None:
                found.save(directory.path)
                if Path(concepts).exists() and (known := discovery_pairs(concepts)):
                    directory.write_json(PAIRS_FILE, sorted(known))  # for what comes of these
                directory.write_run_json(
                    arguments={
                        "command": "annotate",
                        "file": file,
                        "format": format,
                        "domain_column": domain_column,
                        "columns": column or [],
                        "verdict_columns": verdict_column or [],
                        "concepts": concepts,
                        "protocol": protocol,
                        **choices,
                        "policy": policy,
                        "mechanisms": mechanism or "all",
                        "llm": llm,
                        "base_url": base_url,
                        "temperature": temperature,
                        "thinking": thinking,
                        "batch": batch,
                        "max_cost": max_cost,
                        "out": out,
                        "overwrite": overwrite,
                        "skip_bad_rows": skip_bad_rows,
                    },
                    inputs=[p for p in (file, concepts) if not p.startswith("hf://")],
                    counts={
                        "pairs": preferences.n_pairs,
                        "discovery_pairs_left_out": apart,
                        "domains": len(preferences.domains),
                        "concepts": len(defined),
                        "failed_pairs": len(found.failures),
                        "truncated_pairs": len(found.truncated),
                        "flagged_pairs": len(found.flagged),
                        "rejected_rows": preferences.provenance.get("rejected_rows", 0),
                    },
                    seed=seed,
                )
            return found, closing_line(client)

    if dry_run:
        _, closing = work(None)
        typer.echo(closing)
        if policy == "economical":
            typer.echo("The economical policy usually asks less: this is without it.")
        return
    with staged_run(out, overwrite=overwrite) as directory:
        found, closing = work(directory)
    command = ["palate", "explain", file, "--annotation", str(out)]
    for name, value in (("--format", format), ("--domain-column", domain_column)):
        command += [name, value] if value else []
    for name, values in (("--column", column), ("--verdict-column", verdict_column)):
        command += [part for value in values or () for part in (name, value)]
    print_annotation(found, closing=closing, out=out, command=shlex.join(command))
