"""`palate distil`: a local annotator from a language model's annotations, and its values."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palate.cli.concept_options import bundled
from palate.cli.reading import (
    BadRows,
    Columns,
    DomainColumn,
    FormatName,
    Overwrite,
    Quiet,
    Seed,
    located,
    read_file,
)

if TYPE_CHECKING:
    from palate.data.preferences import Preferences
    from palate.distil.student import Student


class Looks(StrEnum):
    """What a student looks at."""

    TEXT = "text"
    TFIDF = "tfidf"


def distil(
    file: Annotated[
        str,
        typer.Argument(
            callback=located,
            help="The pairs to annotate, those with annotations among them, in any known format.",
            metavar="FILE",
        ),
    ],
    concepts: Annotated[
        Path | None, typer.Option("--concepts", help="Annotated concepts: their definitions.")
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option("--values", help="Annotated concepts: their values on at least 50 pairs."),
    ] = None,
    values_again: Annotated[
        Path | None,
        typer.Option(
            "--values-again",
            help="Second annotations of some pairs, to compare with. May be the file of --values.",
        ),
    ] = None,
    annotation: Annotated[
        Path | None,
        typer.Option(
            "--annotation", help="Folder of `palate annotate`, for --concepts and --values."
        ),
    ] = None,
    student: Annotated[
        Path | None,
        typer.Option("--student", help="Folder of an earlier run: annotate with its student."),
    ] = None,
    features: Annotated[
        Looks | None,
        typer.Option(
            "--features",
            help="text: measured concepts and words (the default); tfidf: words and a few counts, "
            "several times faster.",
        ),
    ] = None,
    least: Annotated[
        float | None,
        typer.Option(
            "--least",
            min=0.0,
            max=0.99,
            help="Share of a concept's variance that the student must hold; 0.4 if absent.",
        ),
    ] = None,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results; palate-NAME if absent."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    folds: Annotated[int, typer.Option("--folds", min=3, help="Folds of the held-out values.")] = 5,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; all cores if absent.")
    ] = None,
    skip_bad_rows: BadRows = None,
    quiet: Quiet = False,
) -> None:
    """Train a local annotator on a language model's annotations, and annotate all pairs of FILE."""
    from palate.cli.distil_view import print_student
    from palate.cli.progress import Stages
    from palate.cli.run import folder_for
    from palate.concepts.discovery.provenance import PAIRS_FILE
    from palate.data.staged_run import staged_run

    concepts, values = bundled(concepts, values)
    concepts, values = _sources(concepts, values, values_again, annotation, student)
    _refuse_training(student, features=features, least=least)
    out = out or folder_for(file)
    with staged_run(out, overwrite=overwrite) as run, Stages(quiet=quiet) as stages:
        stages.stage(f"Reading {file}")
        preferences = read_file(
            file,
            format=format,
            domain_column=domain_column,
            column=column,
            skip_bad_rows=skip_bad_rows,
            seed=seed,
        )
        preferences, apart, known = _without_discovery(preferences, student or concepts)
        if student is not None:
            from palate.distil.student import Student

            trained = Student.load(student)
        else:
            stages.stage("Training the student")
            trained = _trained(
                preferences,
                concepts,
                values,
                values_again,
                features=(features or Looks.TEXT).value,
                least=least,
                seed=seed,
                folds=folds,
                jobs=jobs,
            )
        from palate.distil.output import definitions, left_over, with_given_up, write_values

        if annotation is not None and (annotation / "annotation.json").is_file():
            from palate.concepts.annotation.annotation import Annotation

            trained = with_given_up(trained, Annotation.load(annotation).dropped)

        stages.stage(f"Annotating {preferences.n_pairs:,} pairs")
        if trained.concepts or student is not None:
            with run.open("values.jsonl") as target:
                write_values(trained, preferences, target, n_jobs=jobs, progress=stages.advance)
            run.write_json("concepts.json", definitions(trained))
        if trained.left:
            run.write_json("concepts_left.json", left_over(trained))
        if known:
            run.write_json(PAIRS_FILE, sorted(known))
        run.write_text("table.csv", trained.table.write_csv())
        trained.save(run.path)
        run.write_run_json(
            arguments={
                "command": "distil",
                "file": file,
                "concepts": concepts,
                "values": values,
                "values_again": values_again,
                "student": student,
                "features": trained.settings["features"],
                "least": trained.settings["least"],
                "format": format,
                "domain_column": domain_column,
                "columns": column or [],
                "out": out,
                "overwrite": overwrite,
                "folds": trained.settings["n_folds"],
                "jobs": jobs,
                "skip_bad_rows": skip_bad_rows,
            },
            inputs=[
                p
                for p in (file, concepts, values, values_again)
                if p and not str(p).startswith("hf://")
            ],
            counts={
                "pairs": preferences.n_pairs,
                "discovery_pairs_left_out": apart,
                "annotated_pairs": trained.settings["n_pairs"],
                "concepts_distilled": len(trained.concepts),
                "concepts_left": len(trained.left),
            },
            seed=seed,
        )
    if apart:
        typer.echo(
            f"Left out: {apart:,} pairs that the concepts were discovered on, which would speak "
            "for them.\n"
        )
    print_student(trained, preferences, file=file, out=out)


def _sources(
    concepts: Path | None,
    values: Path | None,
    values_again: Path | None,
    annotation: Path | None,
    student: Path | None,
) -> tuple[Path | None, Path | None]:
    """Return the files of definitions and values after checking which options go together."""
    from palate.errors import FileFormatError, InputError

    given = {"--concepts": concepts, "--values": values, "--values-again": values_again}
    named = [name for name, path in given.items() if path is not None]
    if student is not None:
        named += ["--annotation"] * (annotation is not None)
        if named:
            raise InputError(
                f"--student and {named[0]}: found both; expected a trained student, or annotations "
                "to train one on."
            )
        return None, None
    if annotation is not None:
        if concepts is not None or values is not None:
            raise InputError(f"--annotation and {named[0]}: found both; expected one of them.")
        for name in ("concepts.json", "values.jsonl"):
            if not (annotation / name).is_file():
                raise FileFormatError(
                    f"{annotation}: found no {name}; expected a folder of `palate annotate`."
                )
        if (annotation / "annotation.json").is_file():
            from palate.concepts.annotation.annotation import Annotation

            Annotation.load(annotation)  # says where its files were edited and no longer fit
        return annotation / "concepts.json", annotation / "values.jsonl"
    if values is None:
        raise InputError(
            "Found no annotations to learn from; expected --values (with --concepts), "
            "--annotation, or a trained --student."
        )
    return concepts, values


def _without_discovery(
    preferences: Preferences, concepts: Path | None
) -> tuple[Preferences, int, frozenset[str]]:
    """Return the pairs to annotate, how many others there were, and what may not be evaluated."""
    from palate.concepts.discovery.provenance import (
        concepts_file,
        discovery_pairs,
        without_discovery_pairs,
    )

    if concepts is None or not concepts_file(concepts).is_file():  # a student may have none
        return preferences, 0, frozenset()
    return *without_discovery_pairs(preferences, concepts), discovery_pairs(concepts)


def _refuse_training(student: Path | None, *, features: Looks | None, least: float | None) -> None:
    from palate.errors import InputError

    for name, value in (("--features", features), ("--least", least)):
        if student is not None and value is not None:
            raise InputError(
                f"--student and {name}: found both; a trained student keeps what it was trained "
                "with."
            )


def _trained(
    preferences: Preferences,
    concepts: Path | None,
    values: Path | None,
    values_again: Path | None,
    *,
    features: str,
    least: float | None,
    seed: int,
    folds: int,
    jobs: int | None,
) -> Student:
    from palate.concepts.imported import read_concepts
    from palate.concepts.reliability import POOR, read_again
    from palate.distil.train import distil as train

    if values is None:
        raise ValueError("values of concepts are needed here")  # _sources has seen to it
    matrix = read_concepts(concepts, values)
    again = None if values_again is None else read_again(concepts, values, values_again)
    return train(
        preferences,
        matrix,
        features="tfidf" if features == "tfidf" else "text",
        again=again,
        least=POOR if least is None else least,
        seed=seed,
        n_folds=folds,
        n_jobs=jobs,
    )
