"""Explanations as flat tables: one row per concept and scope."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from palate.data.documents import write_csv
from palate.explanations.lifts import at_even, first_order

if TYPE_CHECKING:
    from palate.explanations.explanation import Explanation

EVERYWHERE = "everywhere"
EFFECT = ("estimate", "low", "high", "p_value")
DIFFERENCE = {
    "estimate": "difference",
    "low": "difference_low",
    "high": "difference_high",
    "p_value": "difference_p_value",
}
FRAME_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("mechanism", "concept", "family", "origin", "scope"), pl.String),
    "verdict": pl.String,
    **dict.fromkeys(("lift", "lift_low", "lift_high"), pl.Float64),
    **dict.fromkeys(EFFECT, pl.Float64),
    **dict.fromkeys(DIFFERENCE.values(), pl.Float64),
    **dict.fromkeys(("weight", "selected", "domain_weight", "domain_selected"), pl.Float64),
    **dict.fromkeys(("first_order_lift", "exact_lift"), pl.Float64),
    "unit": pl.String,
    "step": pl.Float64,
}


def weights_frame(explanation: Explanation) -> pl.DataFrame:
    """Return one row per concept and scope; see `Explanation.to_frame` for the columns."""
    rows: list[dict[str, Any]] = []
    matrix = explanation.concepts
    for j, concept in enumerate(matrix.concepts):
        head = {
            "mechanism": explanation.mechanism,
            "concept": concept.name,
            "family": concept.family,
            "origin": concept.origin,
            "unit": concept.unit,
            "step": matrix.step[j],
        }
        shared = explanation.shared
        if not np.isnan(shared.weight[j]):
            rows.append(
                head
                | {"scope": EVERYWHERE, "exact_lift": explanation.exact_shared[j]}
                | {k: getattr(shared, k)[j] for k in (*EFFECT, "verdict", "weight", "selected")}
            )
        for d, domain in enumerate(explanation.domains):
            total, deviation = explanation.total, explanation.domain
            if np.isnan(total.weight[d, j]):
                continue
            rows.append(
                head
                | {"scope": domain, "exact_lift": explanation.exact_total[d, j]}
                | {k: getattr(total, k)[d, j] for k in (*EFFECT, "verdict", "weight", "selected")}
                | {name: getattr(deviation, k)[d, j] for k, name in DIFFERENCE.items()}
                | {f"domain_{k}": getattr(deviation, k)[d, j] for k in ("weight", "selected")}
            )
    columns = {k: [row.get(k) for row in rows] for k in FRAME_SCHEMA}
    for lift, weight in (("lift", "estimate"), ("lift_low", "low"), ("lift_high", "high")):
        columns[lift] = at_even(np.array(columns[weight], dtype=np.float64)).tolist()
    columns["first_order_lift"] = first_order(
        np.array(columns["weight"], dtype=np.float64)
    ).tolist()
    return pl.DataFrame(columns, schema=FRAME_SCHEMA).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def write_weights_csv(explanations: Sequence[Explanation], path: str | PathLike[str]) -> None:
    """Write the weights of all explanations to one CSV file, columns as in `to_frame`.

    Parameters
    ----------
    explanations
        What to write, at least one.
    path
        The file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_csv(path, pl.concat([weights_frame(e) for e in explanations]))
