"""Small worlds in which concepts are planted in texts, and an annotator that reads them."""

from __future__ import annotations

from typing import Any

import numpy as np

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix, Scale
from palate.data.preferences import Preferences

WORDS = ("the", "pot", "of", "soup", "is", "warm", "on", "a", "table", "with", "bread", "for", "us")
PLANTED = ("please", "perhaps", "whisk")


def planted(n: int, *, seed: int = 0, domains: int = 2) -> tuple[Preferences, ConceptMatrix]:
    """Pairs and values: per planted word, the response that says it more often has more of it; a
    fourth concept is a coin, a fifth is always 0."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    values: list[list[float]] = []
    for i in range(n):
        said = random.integers(0, 4, size=(2, len(PLANTED)))
        texts = []
        for counts in said:
            words = [str(w) for w in random.choice(WORDS, size=random.integers(15, 30))]
            for word, count in zip(PLANTED, counts, strict=True):
                words += [word] * int(count)
            random.shuffle(words)
            texts.append(" ".join(words).capitalize() + ".")
        rows.append(
            {
                "id": f"{seed}/{i}",
                "domain": f"d{i % domains}",
                "prompt": f"What about number {seed} {i}?",
                "response_a": texts[0],
                "response_b": texts[1],
                "labels": {"m": 1 if said[0, 0] > said[1, 0] else -1},
            }
        )
        values.append([*np.sign(said[0] - said[1]), random.choice([-1, 0, 1]), 0])
    names = (*PLANTED, "coin", "constant")
    return Preferences.from_rows(rows), matrix_of(
        tuple(r["id"] for r in rows), names, np.array(values, dtype=float)
    )


def matrix_of(ids: tuple[str, ...], names: tuple[str, ...], values: np.ndarray) -> ConceptMatrix:
    """A comparative matrix of shared concepts."""
    scale: Scale = "comp"
    return ConceptMatrix(
        ids=ids,
        concepts=tuple(Concept(name=n, definition="High: more; low: less.") for n in names),
        values=values,
        scales=(scale,) * len(names),
        step=np.full(len(names), np.nan),
    )
