"""Figures on reliability that came with concept values, from whoever made the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import (
    NOT_SHOWN,
    RELIABILITY_SCHEMA,
    status_of,
    variance_inflation,
)


def recorded(matrix: ConceptMatrix) -> pl.DataFrame | None:
    """Return the reliability that came with the values, as `reliability` does, None if none did.

    Values of a student (`palate.distil`) bring their own figures: the reliability is the share of
    the language model's variance that held-out values have in common with it, and the attenuation
    was measured there, as errors of this kind need not shrink an effect.

    Parameters
    ----------
    matrix
        The values; the figures stand under `reliability` in the provenance.
    """
    known = _recorded(matrix.provenance)
    if not known.keys() & set(matrix.names):
        return None
    inflation = variance_inflation(np.nan_to_num(matrix.values))
    rows = []
    for j, name in enumerate(matrix.names):
        figures = {k: v for k, v in known.get(name, {}).items() if k in RELIABILITY_SCHEMA}
        row: dict[str, Any] = {"status": NOT_SHOWN, **figures, "concept": name}
        if np.isfinite(inflation[j]):
            row["vif"] = float(inflation[j])
        r, low, high = (row.get(k) for k in ("reliability", "low", "high"))
        if r is not None and low is not None and high is not None:
            row["status"] = status_of(r, low, high)
        if name in known:
            rows.append(row)
    return pl.DataFrame(rows, schema=RELIABILITY_SCHEMA)


def _recorded(provenance: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    sides = (provenance.get(side) for side in ("left", "right"))  # two matrices side by side
    found: dict[str, Mapping[str, Any]] = {}
    for part in sides:
        found |= _recorded(part) if isinstance(part, Mapping) else {}
    return found | dict(provenance.get("reliability") or {})
