"""`palate compare`: two mechanisms on the same pairs, and gates that fail a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

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

GATE_FIRED = 1


def compare(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, or hf://organisation/name.",
            metavar="FILE",
        ),
    ],
    a: Annotated[str, typer.Argument(help="Name of one mechanism in FILE.", metavar="A")],
    b: Annotated[
        str, typer.Argument(help="Name of the other; differences are A minus B.", metavar="B")
    ],
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            help='Exit with 1 if this holds: "any supported difference > 5% lift", '
            '"supported difference in Length > 3%", "agreement < 80%", "kappa < .6"; may be '
            "repeated.",
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
        typer.Option("--out", "-o", help="Folder for page and tables; none is written if absent."),
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
    skip_bad_rows: BadRows = None,
    quiet: Quiet = False,
) -> None:
    """Compare what mechanisms A and B of FILE reward, on the pairs that both judged."""
    from contextlib import nullcontext

    from palate.cli.progress import Stages
    from palate.data.staged_run import staged_run
    from palate.errors import InputError
    from palate.explanations.comparison_gates import check_gates, parse_gate

    concepts, values = bundled(concepts, values)
    check_concepts(concepts, values, annotation, with_measured=with_measured)
    if overwrite and out is None:
        raise InputError("--overwrite: found no --out; expected the folder to replace.")
    if a == b:
        raise InputError(f"Mechanism {a!r} is given twice; expected two different ones.")
    gates = [parse_gate(text) for text in fail_on or ()]
    settings: dict[str, Any] = {"level": level, "fdr": fdr, "seed": seed, "cluster": cluster}
    with (
        nullcontext() if out is None else staged_run(out, overwrite=overwrite) as directory,
        Stages(quiet=quiet) as stages,
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
        preferences = preferences.with_mechanisms([a, b])
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
        from palate.explanations.comparison_build import compare as compare_mechanisms

        stages.stage(f"Comparing {a} and {b}")
        found = compare_mechanisms(preferences, a, b, gathered.matrix, n_jobs=jobs, **settings)
        outcomes = check_gates(gates, found)
        if directory is not None:
            from palate.report.comparison_page import write_comparison

            stages.stage("Writing the page")
            found.save(directory.file("comparison.json"))
            found.write_csv(directory.file("differences.csv"))
            record = directory.write_run_json(
                arguments={
                    "command": "compare",
                    "file": file,
                    "a": a,
                    "b": b,
                    "fail_on": fail_on or [],
                    "format": format,
                    "domain_column": domain_column,
                    "columns": column or [],
                    "verdict_columns": verdict_column or [],
                    "concepts": concepts,
                    "values": values,
                    "annotation": annotation,
                    "with_measured": with_measured,
                    "out": out,
                    "overwrite": overwrite,
                    "jobs": jobs,
                    "skip_bad_rows": skip_bad_rows,
                    **settings,
                },
                inputs=[
                    p
                    for p in (file, concepts, values, *annotation_files(annotation))
                    if p and not str(p).startswith("hf:")
                ],
                counts={
                    **found.counts,
                    "supported": found.supported().height,
                    "gates": len(outcomes),
                    "gates_failed": sum(o.fired for o in outcomes),
                    "rejected_rows": preferences.provenance.get("rejected_rows", 0),
                },
                seed=seed,
            )
            write_comparison(
                found,
                directory.file("comparison.html"),
                preferences,
                gates=outcomes,
                run=json.loads(record.read_text(encoding="utf-8")),
                notes=gathered.notes,
            )
    from palate.cli.comparison_view import print_comparison

    print_comparison(found, outcomes=outcomes, notes=gathered.notes, out=out)
    if any(outcome.fired for outcome in outcomes):
        raise SystemExit(GATE_FIRED)
