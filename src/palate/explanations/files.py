"""Explanations on disk: `explanation.json` (schema `palate.explanation/2`) and `pairs.parquet`.

The JSON holds everything but the pairs; docs/explanation_json.md describes every key. The parquet
file holds one row per pair: `id`, `domain`, per explanation k the columns `verdict:k`,
`probability:k` and `held_out_probability:k`, and the concept values, one column `value:m` for each
distinct column of values, which explanations of the same concepts share. Numbers are written in
full, so that what is read is what was written to the last bit; NaN is null in both files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import RELIABILITY_SCHEMA
from palate.errors import FileFormatError, InputError, OutputError, PalateError
from palate.explanations.calibration import CALIBRATION_SCHEMA
from palate.explanations.explanation import Array, Band, Explanation
from palate.inference.discoveries import Verdict

SCHEMA = "palate.explanation/2"
JSON_NAME, PAIRS_NAME = "explanation.json", "pairs.parquet"
SCORE_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("setting", "model", "domain"), pl.String),
    **dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"), pl.Float64),
    **dict.fromkeys(("log_loss", "log_loss_low", "log_loss_high"), pl.Float64),
    "n_pairs": pl.Int64,
    **dict.fromkeys(("gain", "gain_low", "gain_high"), pl.Float64),
}
COVERAGE_SCHEMA: dict[str, Any] = {
    "concept": pl.String,
    "measured": pl.Float64,
    "nonzero": pl.Float64,
}
PAIR_SCHEMA: dict[str, Any] = {
    "id": pl.String,
    "domain": pl.String,
    **dict.fromkeys(("verdict", "probability", "held_out_probability"), pl.Float64),
}
BANDS = ("shared", "domain", "total")
NUMBERS = ("weight", "estimate", "low", "high", "p_value", "selected")


def save_explanations(explanations: Sequence[Explanation], directory: str | PathLike[str]) -> None:
    """Write explanations of the same pairs into a directory, which is made if absent.

    Parameters
    ----------
    explanations
        At least one; mechanisms unique, all with the same pairs in the same order.
    directory
        Where to write; files of these names in it are replaced.

    Raises
    ------
    InputError
        If there is nothing to write, a mechanism repeats or the pairs differ.
    OutputError
        If the directory cannot be written.
    """
    if not explanations:
        raise InputError("There is no explanation to save; expected at least one.")
    first = explanations[0]
    names = [e.mechanism for e in explanations]
    for e in explanations:
        if names.count(e.mechanism) > 1:
            raise InputError(f"Mechanism {e.mechanism!r} is explained twice; expected once.")
        if e.concepts.ids != first.concepts.ids:
            raise InputError(
                f"Explanations of {first.mechanism!r} and {e.mechanism!r} are of different pairs; "
                "expected the same pairs in the same order."
            )
    frame = first.pairs.select("id", "domain").to_dict(as_series=True)
    column_of: dict[bytes, str] = {}
    entries = []
    for k, e in enumerate(explanations):
        for name in ("verdict", "probability", "held_out_probability"):
            frame[f"{name}:{k}"] = e.pairs[name]
        value_columns = []
        for values in e.concepts.values.T:
            key = np.ascontiguousarray(values).tobytes()
            if key not in column_of:
                column_of[key] = f"value:{len(column_of)}"
                frame[column_of[key]] = pl.Series(values, nan_to_null=True)
            value_columns.append(column_of[key])
        entries.append(to_dict(e) | {"pairs": k, "value_columns": value_columns})
    document = {"schema": SCHEMA, "pairs_file": PAIRS_NAME, "explanations": entries}
    text = json.dumps(finite(document), ensure_ascii=False, allow_nan=False, indent=1)
    target = Path(directory)
    try:
        target.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(frame).write_parquet(target / PAIRS_NAME, compression="zstd")
        (target / JSON_NAME).write_text(text + "\n", encoding="utf-8", errors="replace")
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{target}: explanations cannot be written here ({reason}).") from error


def to_dict(explanation: Explanation) -> dict[str, Any]:
    """Return all of an explanation but its pairs and values as data for JSON (NaN still NaN)."""
    e = explanation
    return {
        "mechanism": e.mechanism,
        "domains": list(e.domains),
        "concepts": [
            c.to_dict() | {"scale": scale, "step": float(step)}
            for c, scale, step in zip(
                e.concepts.concepts, e.concepts.scales, e.concepts.step, strict=True
            )
        ],
        "concept_provenance": dict(e.concepts.provenance),
        "weights": {
            band: {k: v.tolist() for k, v in vars(getattr(e, band)).items()} for band in BANDS
        },
        "exact_lift": {"shared": e.exact_shared.tolist(), "total": e.exact_total.tolist()},
        "scores": e.scores.to_dicts(),
        "calibration": e.calibration.to_dicts(),
        "ceiling": dict(e.ceiling),
        "reliability": e.reliability.to_dicts(),
        "coverage": e.coverage.to_dicts(),
        "settings": dict(e.settings),
        "counts": dict(e.counts),
        "notes": list(e.notes),
    }


def load_explanations(directory: str | PathLike[str]) -> list[Explanation]:
    """Read all explanations of a directory.

    Parameters
    ----------
    directory
        The directory that holds `explanation.json` and `pairs.parquet`.

    Raises
    ------
    FileFormatError
        If the files are absent, damaged or of another schema.
    """
    path = Path(directory) / JSON_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileFormatError(
            f"{path}: there is no such file; expected a directory that `palate explain` or "
            "`save` wrote."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: cannot be read as JSON ({error}).") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise FileFormatError(f"{path}: found schema {schema!r}; expected {SCHEMA!r}.")
    pairs_path = path.with_name(PAIRS_NAME)
    try:
        frame = pl.read_parquet(pairs_path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FileFormatError(f"{pairs_path}: cannot be read as parquet ({error}).") from error
    try:
        return [from_dict(entry, frame) for entry in document["explanations"]]
    except (
        AttributeError,
        IndexError,
        KeyError,
        PalateError,
        TypeError,
        ValueError,
        pl.exceptions.PolarsError,
    ) as error:
        raise FileFormatError(
            f"{path}: found {type(error).__name__} ({error}); expected the keys of schema "
            f"{SCHEMA!r} and the columns of {PAIRS_NAME} that they name."
        ) from error


def from_dict(entry: Mapping[str, Any], frame: pl.DataFrame) -> Explanation:
    """Build an explanation from one entry of the JSON and the frame of pairs."""
    k = entry["pairs"]
    pairs = pl.DataFrame(
        {
            "id": frame["id"],
            "domain": frame["domain"],
            **{c: frame[f"{c}:{k}"] for c in list(PAIR_SCHEMA)[2:]},
        },
        schema=PAIR_SCHEMA,
    )
    concepts, columns = entry["concepts"], entry["value_columns"]
    domains = tuple(entry["domains"])
    values = np.empty((frame.height, len(concepts)))
    for j, column in enumerate(columns):
        values[:, j] = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    matrix = ConceptMatrix(
        ids=tuple(frame["id"].to_list()),
        concepts=tuple(Concept.from_dict(c) for c in concepts),
        values=values,
        scales=tuple(c["scale"] for c in concepts),
        step=numbers([c["step"] for c in concepts], (len(concepts),)),
        provenance=entry["concept_provenance"],
    )
    flat, deep = (len(concepts),), (len(domains), len(concepts))
    bands = {
        band: Band(
            **{
                part: numbers(entry["weights"][band][part], flat if band == "shared" else deep)
                for part in NUMBERS
            },
            verdict=words(entry["weights"][band]["verdict"], flat if band == "shared" else deep),
        )
        for band in BANDS
    }
    return Explanation(
        mechanism=entry["mechanism"],
        concepts=matrix,
        domains=domains,
        **bands,
        exact_shared=numbers(entry["exact_lift"]["shared"], flat),
        exact_total=numbers(entry["exact_lift"]["total"], deep),
        pairs=pairs,
        scores=pl.DataFrame(entry["scores"], schema=SCORE_SCHEMA),
        coverage=pl.DataFrame(entry["coverage"], schema=COVERAGE_SCHEMA),
        calibration=pl.DataFrame(entry.get("calibration", []), schema=CALIBRATION_SCHEMA),
        ceiling=entry["ceiling"],
        reliability=reliability_frame(entry["reliability"]),
        settings=entry["settings"],
        counts=entry["counts"],
        notes=tuple(entry["notes"]),
    )


def reliability_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the reliability of concepts as a frame, empty if no concept was annotated twice."""
    return pl.DataFrame(rows, schema=RELIABILITY_SCHEMA) if rows else pl.DataFrame()


def numbers(values: Any, shape: tuple[int, ...]) -> Array:
    """Return nested lists of numbers and None as an array with NaN, of the expected shape."""
    array = np.array(values, dtype=np.float64).reshape(shape if 0 in shape else -1)
    if array.size != math.prod(shape):
        raise ValueError(f"{array.size} numbers where {shape} are expected")
    return array.reshape(shape)


def words(values: Any, shape: tuple[int, ...]) -> npt.NDArray[np.str_]:
    """Return nested lists of words as an array of the expected shape."""
    array = np.array(values, dtype=np.str_).reshape(shape)
    unknown = set(array.ravel().tolist()) - {"", *(v.value for v in Verdict)}
    if unknown:
        raise ValueError(f"verdict {sorted(unknown)[0]!r}")
    return array


def finite(value: Any) -> Any:
    """Return JSON-ready data: NaN as None, numpy numbers as Python's, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [finite(v) for v in value]
    if isinstance(value, np.generic | np.ndarray):
        return finite(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
