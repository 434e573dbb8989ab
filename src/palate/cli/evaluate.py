"""`palate evaluate`: the models side by side on held-out verdicts, as the paper compares them."""

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
    Seed,
    VerdictColumns,
    located,
    read_file,
)


def evaluate(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="Preferences in any known format, or hf://organisation/name.",
            metavar="FILE",
        ),
    ],
    mechanism: Annotated[
        list[str] | None,
        typer.Option("--mechanism", "-m", help="Evaluate this one only; may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="Set HMDR beside this model only; may be repeated."),
    ] = None,
    splits: Annotated[int, typer.Option("--splits", min=2, help="Random splits in domain.")] = 25,
    test_share: Annotated[
        float, typer.Option("--test-share", help="Share of the pairs in each test.")
    ] = 0.125,
    folds: Annotated[
        int, typer.Option("--folds", min=2, help="Folds inside the training part.")
    ] = 5,
    configs: Annotated[
        int, typer.Option("--configs", help="Configurations to choose from: 9 or 20.")
    ] = 9,
    alpha: Annotated[
        float | None,
        typer.Option("--alpha", help="Weight of HMDR's shared part alone; 1 / domains if absent."),
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
        typer.Option("--out", "-o", help="Folder for the tables; none is written if absent."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.999, help="Level of the intervals.")
    ] = 0.9,
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
        bool, typer.Option("--quiet", "-q", help="No progress; only the tables.")
    ] = False,
) -> None:
    """Compare HMDR with its variants and with baselines on held-out verdicts of FILE."""
    from contextlib import nullcontext

    from palate.cli.progress import Stages
    from palate.data.staged_run import staged_run
    from palate.errors import InputError
    from palate.explanations.protocol import MAX_PAIRS, check_protocol, chosen_models
    from palate.explanations.protocol_splits import n_parts

    concepts, values = bundled(concepts, values)
    check_concepts(concepts, values, annotation, with_measured=with_measured)
    if overwrite and out is None:
        raise InputError("--overwrite: found no --out; expected the folder to replace.")
    check_protocol(splits, folds, configs, level, seed, MAX_PAIRS, jobs, alpha)
    chosen_models(model)
    n_parts(test_share)
    settings: dict[str, Any] = {
        "models": model,
        "n_splits": splits,
        "test_share": test_share,
        "n_folds": folds,
        "configs": configs,
        "alpha": alpha,
        "level": level,
        "seed": seed,
        "cluster": cluster,
    }
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
        if mechanism:
            preferences = preferences.with_mechanisms(mechanism)
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
        from palate.explanations.protocol import evaluate as evaluate_preferences

        n = len(preferences.mechanisms)
        stages.stage(f"Evaluating {n:,} mechanism{'s' * (n != 1)} in {splits} splits")
        found = evaluate_preferences(
            preferences, gathered.matrix, n_jobs=jobs, progress=stages.advance, **settings
        )
        if directory is not None:
            from palate.report.evaluation_page import write_evaluation

            stages.stage("Writing the tables")
            found.save(directory.file("evaluation.json"))
            found.write_csv(directory.file("evaluation.csv"))
            directory.write_text("evaluation.md", found.to_markdown())
            record = directory.write_run_json(
                arguments={
                    "command": "evaluate",
                    "file": file,
                    "mechanisms": mechanism or "all",
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
                    "pairs": preferences.n_pairs,
                    "domains": len(preferences.domains),
                    "concepts": gathered.matrix.n_concepts,
                    "evaluated": len(found.mechanisms),
                    "skipped": len(found.skipped),
                    "rejected_rows": preferences.provenance.get("rejected_rows", 0),
                },
                seed=seed,
            )
            write_evaluation(
                found,
                directory.file("evaluation.html"),
                run=json.loads(record.read_text(encoding="utf-8")),
                notes=gathered.notes,
            )
    from palate.cli.evaluation_view import print_evaluation

    print_evaluation(found, notes=gathered.notes, out=out)
