"""`palate plan`: how many pairs per domain a study needs, from a pilot."""

from __future__ import annotations

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
from palate.cli.reading import (
    BadRows,
    Columns,
    DomainColumn,
    FormatName,
    Seed,
    VerdictColumns,
    located,
    read_file,
)


def plan(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="The pilot: preferences in any known format, or hf://organisation/name.",
            metavar="FILE",
        ),
    ],
    mechanism: Annotated[
        str | None,
        typer.Option("--mechanism", "-m", help="Whose verdicts; needed if there are several."),
    ] = None,
    lift: Annotated[
        float, typer.Option("--lift", help="Lift to be found, per cent per step.")
    ] = 10.0,
    power: Annotated[float, typer.Option("--power", help="Probability of finding it.")] = 0.8,
    fdr: Annotated[float, typer.Option("--fdr", help="False discovery rate.")] = 0.1,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    concepts: ConceptsFile = None,
    values: ValuesFile = None,
    annotation: AnnotationFolder = None,
    with_measured: WithMeasured = False,
    domain: Annotated[
        str | None, typer.Option("--domain", help="Show the concepts of this domain only.")
    ] = None,
    concept: Annotated[
        str | None, typer.Option("--concept", help="Show this concept only, in every domain.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File for the plan: .json, or .csv for the table alone."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace this file.")] = False,
    seed: Seed = 0,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", help="Metadata column (a voter, a session) whose pairs stay together."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; all cores if absent.")
    ] = None,
    skip_bad_rows: BadRows = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress; only the plan.")
    ] = False,
) -> None:
    """Say how many pairs per domain are needed to find a lift, from the pilot data in FILE."""
    from palate.cli.plan_view import print_plan
    from palate.cli.progress import Stages
    from palate.errors import InputError, OutputError, UnknownNameError
    from palate.explanations.plan import check_plan
    from palate.explanations.plan import plan as plan_of

    check_plan(lift, power, fdr, seed)
    concepts, values = bundled(concepts, values)
    check_concepts(concepts, values, annotation, with_measured=with_measured)
    if overwrite and out is None:
        raise InputError("--overwrite: found no --out; expected the file to replace.")
    if domain is not None and concept is not None:
        raise InputError("--domain and --concept: found both; expected one of them at most.")
    if out is not None and out.suffix.lower() not in (".json", ".csv"):
        raise InputError(f"--out: found {out.name!r}; expected a name that ends in .json or .csv.")
    if out is not None and out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already; expected another name, or --overwrite.")
    with Stages(quiet=quiet) as stages:
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
        if mechanism is not None:
            preferences = preferences.with_mechanisms([mechanism])
        elif len(preferences.mechanisms) > 1:
            named = ", ".join(repr(m) for m in preferences.mechanisms[:40])
            raise InputError(
                f"--mechanism: found none, and {len(preferences.mechanisms)} in {file}; expected "
                f"one of {named}."
            )
        stages.stage(f"Preparing concepts on {preferences.n_pairs:,} pairs")
        from palate.concepts.gather import gather

        gathered = gather(
            preferences,
            concepts=concepts,
            values=values,
            annotation=annotation,
            with_measured=with_measured,
            n_jobs=jobs,
        )
        if concept is not None and concept not in gathered.matrix.names:
            raise UnknownNameError("concept", concept, gathered.matrix.names)
        stages.stage("Planning")
        found = plan_of(
            preferences,
            gathered.matrix,
            lift=lift,
            power=power,
            fdr=fdr,
            cluster=cluster,
            seed=seed,
            n_jobs=jobs,
        )
        if domain is not None and domain not in found.domains:
            raise UnknownNameError("domain", domain, found.domains)
        if out is not None:
            found.save(out)
    print_plan(found, domain=domain, concept=concept, notes=gathered.notes, out=out)
