"""`staged_run`: a run whose folder appears whole or not at all.

    with staged_run("out") as run:          # is "out" free and can it be written? asked at once
        ...                                 # minutes of work
        run.write_text("weights.csv", text)
    # here "out" holds the finished run

Files are written to a hidden folder beside the place, or inside it where it is there already, and
move into place when the block ends well, the completion mark last. If it ends badly, by an error
or by Ctrl-C, the hidden folder is removed and the place is as it was, an earlier run included.
What a killed run left behind is removed by the next one: nobody holds its lock any more.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from palate.data.run_directory import COMPLETE, INCOMPLETE, RunDirectory, refuse_taken
from palate.errors import OutputError

HIDDEN = ".palate-partial-"
YOUNG = 10.0
"""Seconds for which an unlocked hidden folder may be one whose run is just about to lock it."""


@contextmanager
def staged_run(path: str | PathLike[str], *, overwrite: bool = False) -> Iterator[RunDirectory]:
    """Yield the folder of a run that takes its place when the block ends well.

    Parameters
    ----------
    path
        The folder of the finished run.
    overwrite
        Whether it may hold a finished run or other files already. Those of the same name are
        replaced; nothing else is deleted.

    Raises
    ------
    OutputError
        If the place cannot be written, or is taken and `overwrite` is false.
    """
    target = Path(path)
    made = _missing_parents(target)
    try:
        if target.exists():
            held = {entry.name for entry in target.iterdir()}
            refuse_taken(
                target, {name for name in held if not name.startswith(HIDDEN)}, overwrite=overwrite
            )
            parent = target
        else:
            parent = target.parent
            parent.mkdir(parents=True, exist_ok=True)
        _remove_left(parent)
        hidden = parent / f"{HIDDEN}{os.getpid()}-{secrets.token_hex(4)}"
        hidden.mkdir()
    except OSError as error:
        _remove_empty(made)
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{target}: the folder cannot be made or written to ({error.strerror}); expected a "
            "writable place."
        ) from error
    lock = _lock(hidden)
    try:
        run = RunDirectory(hidden)
        yield run
        run.complete()
        try:
            _move(hidden, target)
        except OSError as error:
            raise OutputError(
                f"{target}: the results cannot be put in place ({error.strerror})."
            ) from error
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        _remove_empty(made)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _move(hidden: Path, target: Path) -> None:
    if not target.exists():
        hidden.rename(target)
        return
    (target / COMPLETE).unlink(missing_ok=True)
    for name in sorted((p.name for p in hidden.iterdir()), key=lambda name: name == COMPLETE):
        (hidden / name).replace(target / name)
    (target / INCOMPLETE).unlink(missing_ok=True)
    hidden.rmdir()


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as the process lives; None where that cannot be had.

    The lock goes with the process, however it ends; its number alone would not tell it from a
    later one of the same number, as in containers, where numbers repeat.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody holds it, or the file system has no locks
        os.close(held)
        return None
    return held


def _remove_left(parent: Path) -> None:
    """Remove the hidden folders of runs that were killed."""
    for folder in parent.glob(f"{HIDDEN}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime < YOUNG:
                continue
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _missing_parents(target: Path) -> list[Path]:
    """Folders above the target that are not there yet, the innermost first."""
    return [folder for folder in target.parents if not folder.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
