"""`palate explain`: pairs in, report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from palate.data.preferences import Preferences


def explain(
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
        typer.Option("--mechanism", "-m", help="Explain this one only; may be repeated."),
    ] = None,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    concepts: ConceptsFile = None,
    values: ValuesFile = None,
    annotation: AnnotationFolder = None,
    with_measured: WithMeasured = False,
    values_again: Annotated[
        Path | None,
        typer.Option(
            "--values-again",
            help="The same concepts annotated a second time, for some pairs: shows how reliable "
            "they are. May be the file of --values if its rows hold `values_swapped`.",
        ),
    ] = None,
    replicates: Annotated[
        str | None,
        typer.Option(
            "--replicates",
            help="Mechanisms that judged the same thing independently (ann1,ann2,ann3): gives the "
            "noise ceiling. Told from the names where absent.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results; palate-NAME if absent."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    folds: Annotated[
        int, typer.Option("--folds", min=3, help="Folds of the held-out evaluation.")
    ] = 5,
    bootstrap: Annotated[
        int, typer.Option("--bootstrap", min=2, help="Bootstrap draws of the prompts.")
    ] = 100,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.999, help="Level of the intervals.")
    ] = 0.9,
    fdr: Annotated[
        float,
        typer.Option(
            "--fdr", min=0.001, max=0.5, help="False discovery rate of what is called supported."
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
    """Explain what each mechanism of FILE rewards, everywhere and in each domain."""
    from palate.cli.run import Request, execute, folder_for

    concepts, values = bundled(concepts, values)
    check_concepts(concepts, values, annotation, with_measured=with_measured, again=values_again)
    out = out or folder_for(file)
    settings = {
        "n_folds": folds,
        "n_bootstrap": bootstrap,
        "level": level,
        "fdr": fdr,
        "replicates": None if replicates is None else [r.strip() for r in replicates.split(",")],
        "cluster": cluster,
        "seed": seed,
    }

    def read() -> Preferences:
        return read_file(
            file,
            format=format,
            domain_column=domain_column,
            column=column,
            verdict_column=verdict_column,
            skip_bad_rows=skip_bad_rows,
            seed=seed,
        )

    execute(
        Request(
            read=read,
            source=file,
            inputs=tuple(
                Path(p)
                for p in (file, concepts, values, values_again, *annotation_files(annotation))
                if p and not str(p).startswith("hf://")
            ),
            arguments={
                "command": "explain",
                "file": file,
                "mechanisms": mechanism or "all",
                "format": format,
                "domain_column": domain_column,
                "columns": column or [],
                "verdict_columns": verdict_column or [],
                "concepts": concepts,
                "values": values,
                "values_again": values_again,
                "annotation": annotation,
                "with_measured": with_measured,
                "out": out,
                "overwrite": overwrite,
                "jobs": jobs,
                "skip_bad_rows": skip_bad_rows,
                **settings,
            },
            out=out,
            overwrite=overwrite,
            mechanisms=tuple(mechanism or ()),
            concepts=concepts,
            values=values,
            annotation=annotation,
            again=values_again,
            with_measured=with_measured,
            settings={**settings, "n_jobs": jobs},
            quiet=quiet,
        )
    )
