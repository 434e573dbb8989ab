"""Candidates for merging that share no stem: texts whose vectors point the same way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from palate.concepts.discovery.settings import Similarity
from palate.errors import InputError

ROWS = 1_000


def similar(
    texts: Sequence[str], similarity: Similarity, threshold: float
) -> list[tuple[int, int]]:
    """Return the pairs of texts with a cosine similarity of at least the threshold, in order.

    Parameters
    ----------
    texts
        The texts.
    similarity
        "tfidf" for groups of three to five letters, weighted by how rare they are; or a function
        from texts to an array with a row for each.
    threshold
        The least similarity.

    Raises
    ------
    InputError
        If the function gives no finite row for each text.
    """
    if len(texts) < 2:
        return []
    if similarity == "tfidf":
        return _similar_letters(texts, threshold)
    vectors = np.asarray(similarity(list(texts)), dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise InputError(
            f"similarity: found an array of shape {vectors.shape} for {len(texts)} texts; expected "
            "a row of finite numbers for each."
        )
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(length > 0, length, 1.0)
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(unit), ROWS):
        pairs += _pairs(unit[start : start + ROWS] @ unit.T, start, threshold)
    return pairs


def _similar_letters(texts: Sequence[str], threshold: float) -> list[tuple[int, int]]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(texts).tocsr()
    pairs: list[tuple[int, int]] = []
    for start in range(0, rows.shape[0], ROWS):
        block = (rows[start : start + ROWS] @ rows.T).toarray()
        pairs += _pairs(block, start, threshold)
    return pairs


def _pairs(cosine: npt.NDArray[np.float64], start: int, threshold: float) -> list[tuple[int, int]]:
    near = np.argwhere(cosine >= threshold - 1e-12)
    return [(i + start, j) for i, j in near.tolist() if i + start < j]
