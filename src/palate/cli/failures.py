"""What a failed command says and which exit code it gives.

    2    something the user gave is wrong: one sentence on standard error
    3    the budget of --max-cost is used up: one sentence that says how to go on
    1    a fault of Palate: one sentence that says how to report it; or nothing, where the reader
         of standard output went away (`palate inspect votes.jsonl | head -n 3`)
    143  ended by the system, without a sentence
    130  interrupted by Ctrl-C: one sentence, and no results are written

`--debug` shows the traceback in every case.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from palate.cli.terminal_text import clean
from palate.errors import BudgetError, PalateError

USER_ERROR, FAULT, OVER_BUDGET, INTERRUPTED, TERMINATED = 2, 1, 3, 130, 143


def guarded(command: Callable[..., None], *, debug: bool) -> Callable[..., None]:
    """Return the command with every failure turned into one sentence and an exit code.

    Parameters
    ----------
    command
        The function of a command.
    debug
        Whether to show the traceback as well.
    """

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            leave(error, debug=debug)

    return run


def leave(error: BaseException, *, debug: bool) -> NoReturn:
    """Say what went wrong on standard error and exit.

    Parameters
    ----------
    error
        What was raised.
    debug
        Whether to show the traceback as well.

    Raises
    ------
    SystemExit
        Always, with the exit code of this kind of failure.
    """
    if isinstance(error, BrokenPipeError):
        # Python would flush the dead pipe once more at exit and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FAULT)
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    sentence, code = describe(error)
    print(clean(sentence), file=sys.stderr, flush=True)
    raise SystemExit(code)


def describe(error: BaseException) -> tuple[str, int]:
    """Return the sentence for an error and its exit code."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted; no results were written.", INTERRUPTED
    if isinstance(error, BudgetError):
        return str(error), OVER_BUDGET
    if isinstance(error, PalateError):
        return f"Error: {error}", USER_ERROR
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"Error: {where}{error.strerror}.", USER_ERROR
    if isinstance(error, MemoryError):
        return "Error: there is not enough memory for this file; try fewer pairs.", FAULT
    return (
        f"Error: Palate failed unexpectedly ({type(error).__name__}: {error}). This is a fault of "
        "Palate: please report it with the output of the same command and --debug.",
        FAULT,
    )
