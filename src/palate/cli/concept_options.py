"""The options that say which concepts a command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEMO = "demo"

ConceptsFile = Annotated[
    Path | None,
    typer.Option(
        "--concepts",
        help="Annotated concepts: their definitions, or demo for those of the demo set, with their "
        "values.",
    ),
]
ValuesFile = Annotated[
    Path | None, typer.Option("--values", help="Annotated concepts: their values by pair.")
]
AnnotationFolder = Annotated[
    Path | None,
    typer.Option(
        "--annotation",
        help="Concepts annotated by a language model: the folder that palate annotate wrote.",
    ),
]
WithMeasured = Annotated[
    bool,
    typer.Option(
        "--with-measured",
        help="Let measured concepts stand beside the annotated ones, which else stand alone.",
    ),
]


def bundled(concepts: Path | None, values: Path | None) -> tuple[Path | None, Path | None]:
    """Return the files of concepts and values, those of the demo set where they are named demo.

    Its concepts bring their values along unless there are others; a file of that name goes first.

    Parameters
    ----------
    concepts
        What `--concepts` names.
    values
        What `--values` names.
    """
    named = [path is not None and str(path) == DEMO for path in (concepts, values)]
    if not any(named) or Path(DEMO).exists():
        return concepts, values
    from palate.data.demo import demo_paths

    paths = demo_paths()
    if values is None or named[1]:
        values = paths.values
    return paths.concepts if named[0] else concepts, values


def check_concepts(
    concepts: Path | None,
    values: Path | None,
    annotation: Path | None,
    *,
    with_measured: bool,
    again: Path | None = None,
) -> None:
    """Refuse options of concepts that contradict each other, before any work.

    Parameters
    ----------
    concepts
        File of definitions.
    values
        File of values.
    annotation
        Folder of an annotation, which stands in the place of both.
    with_measured
        Whether measured concepts stand beside them.
    again
        File of second annotations.

    Raises
    ------
    InputError
        If there is something beside an annotation, or nothing that measured concepts could stand
        beside, or a second annotation without a first.
    """
    from palate.errors import InputError

    if annotation is not None and (concepts or values or again):
        raise InputError(
            "--annotation: found --concepts, --values or --values-again beside it; expected the "
            "folder alone, which holds all of them."
        )
    if with_measured and concepts is None and values is None and annotation is None:
        raise InputError(
            "--with-measured: found no annotated concepts; expected --concepts, --values or "
            "--annotation, without which the measured ones are used anyway."
        )
    if again is not None and concepts is None and values is None:
        raise InputError(
            "--values-again: found no first annotation; expected --concepts or --values as well."
        )


def annotation_files(folder: Path | None) -> tuple[Path, ...]:
    """Return the files of an annotation whose hashes are recorded.

    Parameters
    ----------
    folder
        The folder of the annotation; None if there is none.
    """
    if folder is None:
        return ()
    return tuple(folder / name for name in ("concepts.json", "values.jsonl", "annotation.json"))
