"""AlpacaEval annotations: `instruction, output_1, output_2, annotator, preference`.

A file without the column `preference` has no verdicts (yet: a judge may give them).
`preference` p runs from 1 (output_1) to 2 (output_2); the verdict is 3 - 2 p. 1.5 and 0 are both
draws, null is an annotation that failed. The annotator is the mechanism; rows of several
annotators on the same pair become one pair. `generator_1/2` become `model_a/b`. Holds every
verdict, and all metadata except what its own column names stand for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from palate.data.formats.base import Format, Head, Raw, ReadOptions, Where, WriteReport
from palate.data.formats.rows import leftover, read_rows, write_rows
from palate.data.formats.source import Source
from palate.data.messages import pair_texts
from palate.data.preferences import Preferences

_USED = (
    *("id", "domain", "instruction", "output_1", "output_2"),
    *("generator_1", "generator_2", "annotator", "preference"),
)


def to_row(raw: Raw, where: Where, *, judged: bool = True) -> Raw:
    """Return the canonical row of one annotation, or of a pair that nobody annotated."""
    texts, messages = pair_texts(
        raw, where, prompt="instruction", response_a="output_1", response_b="output_2"
    )
    context = where.optional_text(raw, "input")
    if context:
        texts["prompt"] = f"{texts['prompt']}\n\n{context}"
    meta = leftover(raw, *_USED, "input") | messages
    for column, name in (("generator_1", "model_a"), ("generator_2", "model_b")):
        if raw.get(column) is not None:
            meta[name] = where.text(raw, column)
    annotator = where.optional_text(raw, "annotator") or "annotator"
    preference = where.need(raw, "preference") if judged else raw.get("preference")
    verdict = verdict_of_preference(preference, where)
    return {
        "id": raw.get("id"),
        "domain": raw.get("domain"),
        **texts,
        "labels": {} if verdict is None else {annotator: verdict},
        "meta": meta,
    }


def verdict_of_preference(preference: object, where: Where) -> float | None:
    """Return the verdict 3 - 2 p of a preference p in [1, 2]; 0 is a draw and None is missing.

    Raises
    ------
    RowError
        If it is anything else.
    """
    if preference is None:
        return None
    if isinstance(preference, int | float) and not isinstance(preference, bool):
        if preference == 0:
            return 0.0
        if 1 <= preference <= 2:
            return 3.0 - 2.0 * preference
    raise where.error("preference", preference, "a number in [1, 2], 0 for a draw, or null")


def read(source: Source, options: ReadOptions) -> Preferences:
    """Read AlpacaEval annotations."""
    row = partial(to_row, judged="preference" in source.head(options).keys)
    return read_rows(source, options, row, format="alpacaeval", merge=True)


def write(preferences: Preferences, path: Path) -> WriteReport:
    """Write AlpacaEval annotations, one row per pair and mechanism."""
    dropped = []
    n_unjudged = 0

    def rows() -> Iterator[Raw]:
        nonlocal n_unjudged
        for row in preferences.to_rows():
            meta = dict(row["meta"])
            head = {
                "id": row["id"],
                "domain": row["domain"],
                "instruction": row["prompt"],
                "output_1": row["response_a"],
                "generator_1": meta.pop("model_a", None),
                "output_2": row["response_b"],
                "generator_2": meta.pop("model_b", None),
            }
            for target, name in (
                ("instruction", "prompt_messages"),
                ("output_1", "response_a_messages"),
                ("output_2", "response_b_messages"),
            ):
                head[target] = meta.pop(name, head[target])
            extra = {k: v for k, v in meta.items() if k not in (*_USED, "input")}
            n_unjudged += not row["labels"]
            for mechanism, verdict in row["labels"].items():
                preference = (3.0 - verdict) / 2.0
                yield {**head, "annotator": mechanism, "preference": preference, **extra}

    write_rows(path, rows())
    if n_unjudged:
        dropped.append(f"Pairs left out because no mechanism judged them: {n_unjudged}.")
    clashing = sorted(set(_USED) & set(preferences.metadata.columns))
    if clashing:
        dropped.append(f"Metadata of the names {', '.join(clashing)} was left out.")
    return WriteReport(path, "alpacaeval", preferences.n_pairs - n_unjudged, tuple(dropped))


def _sniff(head: Head) -> bool:
    return head.has("instruction", "output_1", "output_2")


FORMAT = Format(
    name="alpacaeval",
    description="AlpacaEval annotations: instruction, output_1, output_2, annotator, preference",
    suffixes=(".json", ".jsonl"),
    sniff=_sniff,
    read=read,
    write=write,
    needs="instruction, output_1, output_2, preference where it was annotated",
)
