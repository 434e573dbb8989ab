"""Progress on standard error: a bar with the time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from palate.cli.terminal_text import clean

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Stages:
    """Shows which stage of a run is at work, how far it is and how long it will take.

    In a terminal each stage is a bar with an estimate of the time left. Elsewhere (a file, a
    pipe) a stage is one line when it starts, and one when it ends after more than a second.

    Parameters
    ----------
    quiet
        Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        self._started = 0.0

    def __enter__(self) -> Stages:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._bars = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[done]}", markup=False),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._started = 0.0  # it is not done
        self._end()
        if self._bars is not None:
            self._bars.stop()

    def stage(self, name: str) -> None:
        """Begin a stage; the one before has ended.

        Parameters
        ----------
        name
            What it does, for instance "Reading votes.jsonl".
        """
        self._end()
        self._started = time.monotonic()
        if self._bars is not None:
            self._task = self._bars.add_task(clean(name), total=None, done="", left="")
        elif not self._quiet:
            print(f"{clean(name)} ...", file=sys.stderr, flush=True)

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Say how far the stage is.

        Parameters
        ----------
        done
            Parts that are done.
        total
            Parts in all.
        note
            What else there is to say, for instance the money spent.
        """
        if self._bars is not None and self._task is not None:
            left = time_left(time.monotonic() - self._started, done, total)
            shown = f"{done}/{total} {note}".rstrip()
            self._bars.update(self._task, completed=done, total=total, done=shown, left=left)

    def _end(self) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, visible=False)
        elif not self._quiet and self._started:
            seconds = time.monotonic() - self._started
            if seconds > 1:
                print(f"  done in {seconds:.1f} s", file=sys.stderr, flush=True)
        self._task, self._started = None, 0.0


def time_left(elapsed: float, done: int, total: int) -> str:
    """Return "about 1 min 20 s left", or nothing where no part is done yet.

    Parameters
    ----------
    elapsed
        Seconds since the stage began.
    done
        Parts that are done.
    total
        Parts in all.
    """
    if not 0 < done < total:
        return ""
    seconds = round(elapsed / done * (total - done))
    minutes, seconds = divmod(seconds, 60)
    return f"about {f'{minutes} min ' if minutes else ''}{seconds} s left"
