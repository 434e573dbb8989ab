"""The folder of `palate judge`: a file of preferences with all columns, and what lies behind them.

    preferences.jsonl.gz   the pairs, the verdicts that were there, and the new columns
    judgements.jsonl       what the models said, see `palate.mechanisms.judgement_files`
    judging.json           how they were asked, and what it took
    ensembles.json         which columns combine which others

A later run on the folder adds columns to it and keeps all that is there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.errors import FileFormatError

if TYPE_CHECKING:
    from palate.data.preferences import Preferences
    from palate.data.run_directory import RunDirectory
    from palate.mechanisms.judgement import Judgement

PREFERENCES_FILE, ENSEMBLES_FILE = "preferences.jsonl.gz", "ensembles.json"
REPORT_FILES = ("judge_report.html", "judge_report.json", "judge_report.csv")


@dataclass(frozen=True)
class Earlier:
    """What an earlier run left.

    Parameters
    ----------
    folder
        Its folder; None where FILE is no part of one.
    judgements
        Its judgements.
    ensembles
        Its ensembles: how, and of what, by name.
    """

    folder: Path | None = None
    judgements: tuple[Judgement, ...] = ()
    ensembles: Mapping[str, Any] | None = None


def judged_folder(file: str) -> Path | None:
    """Return the folder of an earlier run that FILE is, or lies in as its preferences.

    Parameters
    ----------
    file
        What the user named.
    """
    from palate.mechanisms.judgement_files import FACTS_FILE

    given = Path(file)
    folder = given if given.is_dir() else given.parent
    if given != folder and given.name != PREFERENCES_FILE:
        return None
    held = (folder / FACTS_FILE).is_file() or (folder / ENSEMBLES_FILE).is_file()
    return folder if held and (folder / PREFERENCES_FILE).is_file() else None


def earlier_of(folder: Path | None) -> Earlier:
    """Return what an earlier run left in its folder.

    Parameters
    ----------
    folder
        The folder; None if there is none.

    Raises
    ------
    FileFormatError
        If its files are damaged.
    """
    from palate.mechanisms.judgement_files import FACTS_FILE, load_judgements

    if folder is None:
        return Earlier()
    ensembles: Any = {}
    file = folder / ENSEMBLES_FILE
    if file.is_file():
        try:
            ensembles = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FileFormatError(f"{file}: cannot be read as JSON ({error}).") from error
    known = load_judgements(folder) if (folder / FACTS_FILE).is_file() else ()
    return Earlier(folder, known, ensembles)


def write_folder(
    directory: RunDirectory,
    preferences: Preferences,
    judgements: Sequence[Judgement],
    ensembles: Mapping[str, Any],
    earlier: Earlier,
) -> None:
    """Write the files, those of earlier runs included.

    Parameters
    ----------
    directory
        Where to.
    preferences
        The pairs with all columns.
    judgements
        The new judgements; earlier ones of the same name are left out.
    ensembles
        The new ensembles.
    earlier
        What was there before.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from palate.mechanisms.judgement_files import save_judgements

    new = {judgement.name for judgement in judgements} | ensembles.keys()
    kept = [judgement for judgement in earlier.judgements if judgement.name not in new]
    if earlier.judgements or judgements:
        save_judgements([*kept, *judgements], directory.path)
    known = {name: how for name, how in (earlier.ensembles or {}).items() if name not in new}
    if known or ensembles:
        directory.write_json(ENSEMBLES_FILE, {**known, **ensembles})
    preferences.save(directory.file(PREFERENCES_FILE))


def remove_stale(out: Path, written: Collection[str], *, kept: bool, replaced: bool) -> None:
    """Remove what an earlier run left in a folder and what no longer belongs to its pairs.

    Parameters
    ----------
    out
        The folder.
    written
        Names of the files that the run wrote, which stay.
    kept
        Whether the run added to what was there, rather than taking its place.
    replaced
        Whether it replaced a column, so that an earlier report is about verdicts that are gone.
    """
    from palate.mechanisms.judgement_files import FACTS_FILE, ROWS_FILE

    stale = {*REPORT_FILES} if replaced or not kept else set()
    if not kept:
        stale |= {ROWS_FILE, FACTS_FILE, ENSEMBLES_FILE}
    for name in stale.difference(written):
        (out / name).unlink(missing_ok=True)
