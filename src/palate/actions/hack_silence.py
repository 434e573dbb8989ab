"""A model that answers nothing: a judge hack ends there instead of reporting nothing."""

from __future__ import annotations

from collections.abc import Sequence

from palate.errors import DataError
from palate.mechanisms.matchup import Judged


def refuse_silent(what: str, failures: Sequence[str]) -> None:
    """Refuse to go on where every single question failed.

    Parameters
    ----------
    what
        What did not come about, for instance "responses could be written".
    failures
        Why each question failed, "" where it did not.

    Raises
    ------
    DataError
        If all of them failed.
    """
    if failures and all(failures):
        raise DataError(
            f"None of the {len(failures):,} {what}; the first question failed with "
            f"{failures[0].rstrip('.')}."
        )


def failures_of(judged: Judged) -> list[str]:
    """Return why each question about a comparison failed, "" where it did not.

    Parameters
    ----------
    judged
        What the judge said; nobody was asked about equal responses.
    """
    said = [order for order in (judged.ab, judged.ba) if order is not None]
    return [order.failure for order in said if order.samples or order.failure]
