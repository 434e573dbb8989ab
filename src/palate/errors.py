"""Every exception Palate raises on purpose.

    PalateError
    ├── InputError (ValueError)          something the user gave is wrong: one clear sentence
    │   ├── FileFormatError              a file cannot be read as what it should be
    │   │   └── RowError                 one row of it is wrong: knows file, row, column
    │   ├── UnknownNameError (KeyError)  a name that does not exist; lists the legal ones
    │   ├── DataError                    well-formed input that cannot be explained (all ties, ...)
    │   └── OutputError (OSError)        the place to write to is not usable
    ├── MissingExtraError (ImportError)  an optional dependency is absent; names the pip line
    ├── BudgetError                      what calls of models may cost is used up; knows how much
    ├── NotFittedError (ValueError, AttributeError)
    └── ConvergenceError (RuntimeError)  the solver could not certify its optimum

The command line turns every `PalateError` into one sentence on standard error and exit code 2,
`BudgetError` into exit code 3: nothing was wrong, and the same command goes on with more money.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from os import PathLike


class PalateError(Exception):
    """Base of everything Palate raises on purpose."""


class InputError(PalateError, ValueError):
    """Something the user gave is wrong; the message is one clear sentence."""


class FileFormatError(InputError):
    """A file cannot be read as the format it should be in."""


class RowError(FileFormatError):
    """One row of a file is wrong.

    The message reads "FILE, row N, column 'C': found X; expected Y". Rows are counted from 1;
    for line-based files the row is the line number, for tables the header is not counted.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        row: int | None,
        column: str | None,
        found: object,
        expected: str,
    ) -> None:
        self.path, self.row, self.column = str(path), row, column
        self.found, self.expected = found, expected
        where = str(path)
        if row is not None:
            where += f", row {row}"
        if column is not None:
            where += f", column {column!r}"
        super().__init__(f"{where}: found {shorten(found)}; expected {expected}.")


class UnknownNameError(InputError, KeyError):
    """A name that does not exist; the message lists the legal ones.

    `what` is the kind of thing ("mechanism"), `name` what was given, `legal` what exists.
    """

    def __init__(self, what: str, name: str, legal: Iterable[str]) -> None:
        self.what, self.name, self.legal = what, name, tuple(legal)
        close = difflib.get_close_matches(name, self.legal, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        shown = ", ".join(repr(x) for x in self.legal[:40])
        more = f", and {len(self.legal) - 40} more" if len(self.legal) > 40 else ""
        legal_ones = f"it must be one of {shown}{more}" if shown else "there is none here"
        self.message = f"Unknown {what} {name!r}; {legal_ones}.{hint}"
        super().__init__(self.message)

    def __str__(self) -> str:  # KeyError would print the repr
        return self.message


class DataError(InputError):
    """Well-formed input that cannot be explained, for instance verdicts that are all ties."""


class OutputError(InputError, OSError):
    """The place to write to is not usable."""


class MissingExtraError(PalateError, ImportError):
    """An optional dependency is absent; the message names the pip line that brings it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package: pip install 'palate[{extra}]'.")


class BudgetError(PalateError):
    """What calls of models may cost is used up; what was answered is stored.

    `spent` and `limit` are US dollars, `unsent` the number of requests that were not sent,
    `unsure` what calls may have cost that broke before they told.
    """

    def __init__(
        self, spent: float, limit: float, unsent: int, *, unsure: float = 0.0, stored: bool = True
    ) -> None:
        self.spent, self.limit, self.unsent, self.unsure = spent, limit, unsent, unsure
        maybe = f" and ${unsure:,.4g} more may have been by calls that broke" if unsure else ""
        goes_on = (
            "every answer is stored, and the same command with a larger --max-cost asks only the "
            "rest"
            if stored
            else "there is no store, so the answers are lost"
        )
        super().__init__(
            f"The budget of ${limit:,.4g} is used up: ${spent:,.4g} are spent{maybe}, {unsent:,} "
            f"{'request was' if unsent == 1 else 'requests were'} not sent; {goes_on}."
        )


class NotFittedError(PalateError, ValueError, AttributeError):
    """A model was asked for something it only knows after `fit`."""


class ConvergenceError(PalateError, RuntimeError):
    """The solver could not certify its optimum to the requested duality gap."""


def shorten(value: object, limit: int = 80) -> str:
    """Return a one-line, escaped `repr` of a value, at most `limit` characters long."""
    text = ascii(value[: limit + 1] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
