"""Sentences on what did not go as planned; a discovery that went well has none but the limits."""

from __future__ import annotations

from collections.abc import Sequence

from palate.concepts.discovery.batches import DIFFERENCE
from palate.concepts.discovery.sharing import Merged
from palate.concepts.discovery.steps import Rows


def what_went_wrong(
    topics: Rows, tags: Rows, batches: Rows, proposals: Rows, merges: Rows
) -> list[str]:
    """Return sentences on questions without an answer and names that do not count.

    Parameters
    ----------
    topics, tags, batches, proposals, merges
        Rows of these steps.
    """
    unlabelled = sorted(
        {row["domain"] for row in batches if row["question"] == DIFFERENCE}
        if any(row["question"] != DIFFERENCE for row in batches)
        else ()
    )
    failed = sum(row["failed"] for row in topics)
    untagged = sum(row["failed"] for row in tags)
    unanswered = sum(row["failure"] is not None for row in proposals)
    refused = sum(len(row["refused"]) for row in proposals)
    uncompared = sum(row["same"] is None for row in merges)
    found = (
        (failed, f"Questions about subdomains and tasks without an answer: {failed}."),
        (untagged, f"Discovery pairs without tags, for want of an answer: {untagged}."),
        (
            len(unlabelled),
            f"No verdict but ties in {listed(unlabelled)}: its responses were shown without saying "
            "which was preferred.",
        ),
        (
            unanswered,
            f"Batches without an answer, which are left out: {unanswered} of {len(proposals)}.",
        ),
        (
            refused,
            f"Proposed names that do not count (they join two ideas, or are none): {refused}.",
        ),
        (
            uncompared,
            f"Pairs of names that were not compared, for want of an answer, and stay apart: "
            f"{uncompared}.",
        ),
    )
    return [sentence for number, sentence in found if number]


def what_was_left_out(merged: Sequence[Merged], defined: Rows) -> list[str]:
    """Return sentences on concepts beyond the limits and definitions of another form.

    Parameters
    ----------
    merged
        All concepts.
    defined
        Definitions of those that are kept.
    """
    dropped = [concept for concept in merged if not concept.kept]
    shared = sum(concept.domains is None for concept in dropped)
    formless = [row["name"] for row in defined if row["note"]]
    found = (
        (
            len(dropped),
            f"Concepts beyond the limits: {shared} shared and {len(dropped) - shared} specific "
            "ones, listed in merged.jsonl (max_shared, max_specific).",
        ),
        (
            len(formless),
            f'Definitions that are not of the form "High: ...; low: ...": {len(formless)} '
            f"({listed(formless)}).",
        ),
    )
    return [sentence for number, sentence in found if number]


def listed(names: Sequence[str]) -> str:
    """Return names in one line, the first eight of them.

    Parameters
    ----------
    names
        The names.
    """
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
