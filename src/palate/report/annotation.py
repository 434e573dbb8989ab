"""The section of a report on concepts that a language model annotated."""

from __future__ import annotations

from typing import Any

from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.notes import FEW, notes_of, reasons
from palate.report.visible import one_line
from palate.report.words import shown

MOST_IDS = 20
MOST_FLAGS = 50
_WHERE = {"prompt": "prompt", "response_a": "response\u00a0A", "response_b": "response\u00a0B"}


def annotation_section(annotation: Annotation) -> dict[str, Any]:
    """Return what the section shows, texts made safe to look at.

    Parameters
    ----------
    annotation
        The annotation.
    """
    flags = []
    for pair_id, found in annotation.flagged.items():
        for where in dict.fromkeys(flag.where for flag in found):
            here = [flag for flag in found if flag.where == where]
            flags.append(
                {
                    "id": shown(pair_id),
                    "where": _WHERE.get(where, shown(where)),
                    "what": ", ".join(shown(flag.what) for flag in here),
                    "excerpt": one_line(max((f.excerpt for f in here), key=len), 140),
                }
            )
    return {
        "notes": [one_line(note, 600) for note in notes_of(annotation)],
        "concepts": [_concept(row) for row in annotation.table().to_dicts()],
        "few": FEW if any(0 < order.n < FEW for order in annotation.order) else 0,
        "twice": any(order.n for order in annotation.order),
        "cut_short": bool(annotation.dropped or annotation.stopped),
        "failures": [
            {"reason": shown(reason), "n": n, "pairs": _ids(ids)}
            for reason, n, ids in reasons(annotation)
        ],
        "flags": flags[:MOST_FLAGS],
        "more_flags": max(0, len(flags) - MOST_FLAGS),
        "truncated": _ids(tuple(annotation.truncated)),
    }


def _concept(row: dict[str, Any]) -> dict[str, Any]:
    state = ""
    if row["dropped"] is not None:
        state = f"given up: {one_line(row['dropped'], 160)}"
    elif row["stopped_in"]:
        state = f"enough known in {', '.join(shown(d) for d in row['stopped_in'])}"
    return {
        "name": shown(row["concept"]),
        "asked": f"{row['n_asked']:,} of {row['n_pairs']:,}",
        "coverage": _percent(row["coverage"]),
        "twice": f"{row['n_twice']:,}",
        "few": 0 < row["n_twice"] < FEW,
        "consistency": _percent(row["consistency"]),
        "opposite": f"{row['n_opposite']:,}" if row["n_twice"] else "–",
        "state": state,
    }


def _ids(ids: tuple[str, ...]) -> str:
    more = f", and {len(ids) - MOST_IDS:,} more" if len(ids) > MOST_IDS else ""
    return ", ".join(shown(x) for x in ids[:MOST_IDS]) + more


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
