"""What `palate validate` is given: options that contradict each other, concepts, questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from palate.errors import InputError, OutputError, UnknownNameError

if TYPE_CHECKING:
    from palate.concepts.concept import Concept
    from palate.concepts.matrix import ConceptMatrix
    from palate.data.preferences import Preferences
    from palate.validate.questions import Question
    from palate.validate.sheet import Key

Files = tuple[Path | None, Path | None, Path | None]


class Said(NamedTuple):
    """Concepts that people are asked about, with what a model said of them where it did."""

    concepts: tuple[Concept, ...]
    matrix: ConceptMatrix | None
    model: str
    notes: tuple[str, ...]


class Drawn(NamedTuple):
    """A sample that was written, and its files."""

    key: Key
    sheet: Path
    instructions: Path
    key_file: Path
    n_domains: int


def check_asked(
    sample: int | None,
    labels: Sequence[Path] | None,
    key: Path | None,
    people: Sequence[str] | None,
    mechanisms: Sequence[str] | None,
    out: Path | None,
    *,
    files: Files,
    concept: Sequence[str] | None,
    test: str,
) -> None:
    """Refuse options that contradict each other, before any work.

    Parameters
    ----------
    sample
        How many pairs to draw.
    labels
        Filled-in sheets.
    key
        The key of the sample.
    people
        Columns that are people.
    mechanisms
        Columns that are judges.
    out
        Where results go.
    files
        Definitions of concepts, their values, and the folder of an annotation.
    concept
        Names of concepts.
    test
        Name of the test.

    Raises
    ------
    InputError
        If none or several of the three ways are asked for, or an option does not fit.
    UnknownNameError
        If there is no such test.
    """
    ways = {"--sample": sample is not None, "--labels": bool(labels), "--people": bool(people)}
    given = [name for name, there in ways.items() if there]
    if len(given) != 1:
        raise InputError(
            f"palate validate: found {' and '.join(given) or 'none'} of {', '.join(ways)}; "
            "expected one of them."
        )
    concepts, values, annotation = files
    if annotation is not None and (concepts or values):
        raise InputError(
            "--annotation: found --concepts or --values beside it; expected the folder alone, "
            "which holds both."
        )
    if labels and key is None:
        raise InputError(
            "--labels: found no --key; expected the key that --sample wrote beside the sheet."
        )
    if key is not None and not labels:
        raise InputError("--key: found no --labels; expected the sheets that belong to it.")
    if people and len(people) < 2:
        raise InputError(f"--people: found {people[0]!r} alone; expected at least two people.")
    if people and any(files):
        raise InputError(
            "--people: found concepts beside it; expected --mechanism, as columns of people hold "
            "verdicts."
        )
    if mechanisms and any(files):
        raise InputError(
            "--mechanism: found concepts beside it; expected one of both, as a sheet asks for "
            "verdicts or for concepts."
        )
    if concept and not any(files):
        raise InputError(
            "--concept: found no concepts; expected --annotation, or --concepts with --values."
        )
    if sample is not None and out is None:
        raise InputError("--sample: found no --out; expected the sheet to write, as people.csv.")
    if sample is not None and out is not None and out.suffix.lower() != ".csv":
        raise InputError(f"--out: found {str(out)!r}; expected a file that ends in .csv.")
    if test not in ("score", "t"):
        raise UnknownNameError("test", test, ("score", "t"))


def refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Refuse to replace a sheet, its instructions or its key unasked.

    Parameters
    ----------
    out
        The sheet.
    overwrite
        Whether they may be replaced.

    Raises
    ------
    OutputError
        If one of them is there already.
    """
    for path in files_of(out):
        if path.exists() and not overwrite:
            raise OutputError(
                f"{path}: found a file; expected a free place, or --overwrite (people may be "
                "filling in copies of the sheet, which another key does not fit)."
            )


def files_of(out: Path) -> tuple[Path, Path, Path]:
    """Return the places of sheet, instructions and key.

    Parameters
    ----------
    out
        The sheet.
    """
    return out, out.with_suffix(".txt"), out.with_suffix(".key.json")


def concepts_said(
    preferences: Preferences,
    concepts: Path | None,
    values: Path | None,
    annotation: Path | None,
    *,
    only: Sequence[str],
) -> Said:
    """Return concepts, and what a model said of them unless definitions alone are given.

    Parameters
    ----------
    preferences
        The pairs.
    concepts
        Definitions.
    values
        Values.
    annotation
        The folder of an annotation.
    only
        Names of those wanted; all if empty.

    Raises
    ------
    InputError
        If a file is wrong or a name unknown.
    """
    if values is None and annotation is None and concepts is not None:
        from palate.concepts.imported_files import read_definitions

        found = read_definitions(concepts)
        return Said(_only(found, only), None, "", ())
    from palate.concepts.gather import gather

    gathered = gather(preferences, concepts=concepts, values=values, annotation=annotation)
    matrix = gathered.matrix
    model = str(matrix.provenance.get("model") or "annotation")
    wanted = _only(matrix.concepts, only)
    matrix = matrix.select_concepts([matrix.names.index(c.name) for c in wanted])
    return Said(wanted, matrix, model, gathered.notes)


def write_sample(
    preferences: Preferences,
    n: int,
    out: Path,
    said: Said | None,
    mechanisms: Sequence[str],
    *,
    cluster: str | None,
    seed: int,
) -> Drawn:
    """Draw pairs and write sheet, instructions and key.

    Parameters
    ----------
    preferences
        The pairs.
    n
        How many.
    out
        The sheet.
    said
        Concepts that people are asked about; None for the verdict.
    mechanisms
        Judges whose verdicts are all to be there.
    cluster
        A metadata column whose equal values belong together.
    seed
        Seed of everything random.

    Raises
    ------
    InputError
        If there are too few pairs, or a file cannot be written.
    """
    import numpy as np

    from palate.data.atomic import write_text
    from palate.validate.sample import draw_sample
    from palate.validate.sheet import Key, instructions, sheet_text

    values = None
    if said is not None and said.matrix is not None:
        values = said.matrix.align(preferences.ids).values
    elif mechanisms:
        values = np.column_stack([preferences.verdict(m) for m in mechanisms])
    pairs = draw_sample(preferences, n, values=values, cluster=cluster, seed=seed)
    concepts = said.concepts if said is not None else ()
    key = Key(pairs, tuple(c.name for c in concepts), seed)
    sheet, told, key_file = files_of(out)
    text = sheet_text(preferences, key, concepts)
    write_text(sheet, "\ufeff" + text)
    write_text(told, instructions(key, concepts))
    key.save(key_file)
    domains = {preferences.pairs["domain"][preferences.row(p.id)] for p in pairs}
    return Drawn(key, sheet, told, key_file, len(domains))


def questions_of(
    preferences: Preferences,
    labels: Sequence[Path] | None,
    key: Path | None,
    people: Sequence[str] | None,
    mechanisms: Sequence[str],
    said: Said | None,
    only: Sequence[str],
    cluster: str | None,
) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    """Return what people and models said, and notes about it.

    Parameters
    ----------
    preferences
        The pairs.
    labels
        Filled-in sheets; None where people are columns.
    key
        The key of the sample.
    people
        Columns that are people.
    mechanisms
        Columns that are judges.
    said
        Values of concepts.
    only
        Names of the concepts wanted; all if empty.
    cluster
        A metadata column whose equal values are one observation.

    Raises
    ------
    InputError
        If sheets, key and options do not belong together.
    """
    from palate.validate.labels import read_labels
    from palate.validate.questions import from_columns, from_sheets
    from palate.validate.sheet import Key

    if people:
        found = (from_columns(preferences, people, mechanisms, cluster=cluster),)
        return found, _softness(preferences, [*people, *mechanisms])
    sheet = Key.load(key or "")
    if sheet.concepts and mechanisms:
        raise InputError(
            "--mechanism: the sheet asks for concepts; expected --annotation, or --concepts with "
            "--values."
        )
    if not sheet.concepts and said is not None:
        raise InputError("The sheet asks for verdicts; expected --mechanism instead of concepts.")
    written = read_labels(labels or (), sheet, preferences)
    matrices = {}
    if said is not None and said.matrix is not None:
        matrices[said.model] = said.matrix
    if only:
        for name in only:
            if name not in sheet.concepts:
                raise UnknownNameError("concept of the sheet", name, sheet.concepts)
        sheet = Key(sheet.pairs, tuple(c for c in sheet.concepts if c in only), sheet.seed)
    return (
        from_sheets(
            preferences,
            sheet,
            written,
            mechanisms=mechanisms,
            matrices=matrices,
            cluster=cluster,
        ),
        (*written.notes, *_softness(preferences, mechanisms), *(said.notes if said else ())),
    )


def _only(concepts: tuple[Concept, ...], only: Sequence[str]) -> tuple[Concept, ...]:
    names = [c.name for c in concepts]
    for name in only:
        if name not in names:
            raise UnknownNameError("concept", name, names)
    return tuple(c for c in concepts if c.name in only or not only)


def _softness(preferences: Preferences, names: Sequence[str]) -> tuple[str, ...]:
    soft = [n for n in names if (abs(v := preferences.verdict(n)) % 1 > 0).any() and v.size]
    if not soft:
        return ()
    return (f"Soft verdicts count by their side: {', '.join(soft)}.",)
