"""`palate validate`: can judges and annotators be trusted, measured against people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from palate.cli.concept_options import (
    AnnotationFolder,
    ConceptsFile,
    ValuesFile,
    annotation_files,
    bundled,
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
from palate.cli.validate_inputs import (
    check_asked,
    concepts_said,
    questions_of,
    refuse_existing,
    write_sample,
)


def validate(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, hf://organisation/name, or demo.",
            metavar="FILE",
        ),
    ],
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            min=1,
            help="Draw this many pairs for people to label, 50 to 100 are usual; the sheet is "
            "written to --out, a CSV file.",
        ),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            "--labels",
            help="A filled-in sheet, named after its person, or a folder of them; may be repeated.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="The key that --sample wrote beside the sheet."),
    ] = None,
    people: Annotated[
        list[str] | None,
        typer.Option("--people", help="A column of FILE that is one person; may be repeated."),
    ] = None,
    mechanism: Annotated[
        list[str] | None,
        typer.Option(
            "--mechanism",
            "-m",
            help="A judge: a column of FILE that is set beside the people; may be repeated.",
        ),
    ] = None,
    annotation: AnnotationFolder = None,
    concepts: ConceptsFile = None,
    values: ValuesFile = None,
    concept: Annotated[
        list[str] | None,
        typer.Option("--concept", help="Ask people about this concept only; may be repeated."),
    ] = None,
    epsilon: Annotated[
        float,
        typer.Option(
            "--epsilon",
            min=0,
            max=0.99,
            help="What people cost more than a model: .2 experts, .15 skilled, .1 crowd.",
        ),
    ] = 0.1,
    fdr: Annotated[
        float,
        typer.Option("--fdr", min=0.001, max=0.5, help="False discovery rate over people."),
    ] = 0.05,
    test: Annotated[
        str, typer.Option("--test", help="Test of one person: score, or t as in the paper.")
    ] = "score",
    least_items: Annotated[
        int, typer.Option("--least-items", min=2, help="Items below which a person is not tested.")
    ] = 30,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.999, help="Level of the intervals.")
    ] = 0.9,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            help="Metadata column (a voter, a session) whose pairs are one observation.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="With --sample the sheet; else a folder for the results."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    skip_bad_rows: BadRows = None,
    quiet: Quiet = False,
) -> None:
    """Measure how far people agree, and whether a judge or annotator may stand in for one.

    --sample draws a blinded sheet for people to fill in.

    --labels and --key read what they wrote, and compare.

    --people compares people whose verdicts are columns of FILE.
    """
    from contextlib import nullcontext

    from palate.cli.progress import Stages
    from palate.data.staged_run import staged_run

    concepts, values = bundled(concepts, values)
    files = (concepts, values, annotation)
    check_asked(
        sample, labels, key, people, mechanism, out, files=files, concept=concept, test=test
    )
    reading: dict[str, Any] = {
        "format": format,
        "domain_column": domain_column,
        "column": column,
        "verdict_column": verdict_column,
        "skip_bad_rows": skip_bad_rows,
        "seed": seed,
    }
    if sample is not None and out is not None:
        refuse_existing(out, overwrite=overwrite)
    with (
        nullcontext()
        if out is None or sample is not None
        else staged_run(out, overwrite=overwrite) as directory,
        Stages(quiet=quiet) as stages,
    ):
        stages.stage(f"Reading {file}")
        preferences = read_file(file, **reading)
        said = None
        if any(files):
            stages.stage("Reading concepts")
            said = concepts_said(preferences, concepts, values, annotation, only=concept or ())
        if sample is not None and out is not None:
            stages.stage(f"Drawing {sample:,} of {preferences.n_pairs:,} pairs")
            drawn = write_sample(
                preferences, sample, out, said, mechanism or (), cluster=cluster, seed=seed
            )
        else:
            from palate.validate.validation import validate as measure

            stages.stage("Comparing labels")
            questions, notes = questions_of(
                preferences, labels, key, people, mechanism or (), said, concept or (), cluster
            )
            found = measure(
                questions,
                epsilon=epsilon,
                q=fdr,
                test="t" if test == "t" else "score",
                least_items=least_items,
                level=level,
                notes=notes,
            )
        if directory is not None:
            from palate.validate.labels import sheets_of

            found.save(directory.path)
            record = directory.write_run_json(
                arguments={
                    "command": "validate",
                    "file": file,
                    "labels": [str(p) for p in labels or ()],
                    "key": key,
                    "people": people or [],
                    "mechanisms": mechanism or [],
                    "concepts": concepts,
                    "values": values,
                    "annotation": annotation,
                    "concept": concept or [],
                    "epsilon": epsilon,
                    "fdr": fdr,
                    "test": test,
                    "least_items": least_items,
                    "level": level,
                    "cluster": cluster,
                    "out": out,
                    "overwrite": overwrite,
                    **reading,
                },
                inputs=[
                    *(
                        p
                        for p in (file, key, concepts, values, *annotation_files(annotation))
                        if p and not str(p).startswith("hf:")
                    ),
                    *(sheets_of(labels) if labels else ()),
                ],
                counts={
                    **found.counts,
                    "rejected_rows": preferences.provenance.get("rejected_rows", 0),
                },
                seed=seed,
            )
            from palate.report.validation_page import write_validation

            run = json.loads(record.read_text(encoding="utf-8"))
            write_validation(found, directory.file("validation.html"), run=run)
    from palate.cli.validate_view import print_sample, print_validation

    if sample is not None:
        given = [("--concepts", concepts), ("--values", values), ("--annotation", annotation)]
        print_sample(drawn, file=file, given=[*given, *(("-m", m) for m in mechanism or ())])
    else:
        print_validation(found, out=out)
