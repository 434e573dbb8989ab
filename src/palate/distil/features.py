"""What a student sees of a pair: odd features for the direction, even ones for the relevance.

Odd features change sign when the responses are exchanged, even ones do not change:

    dense   d = m(a) - m(b), once as tanh(d / step) and once as d / (|m(a)| + |m(b)|)
    words   TF-IDF of the words and pairs of words of response a, minus that of response b; or,
            with an embedding, embedding of a minus embedding of b
    even    the sizes |.| of the dense features, centred on the training pairs

m are the measured concepts, or with `"tfidf"` a handful of counts that cost almost nothing. Steps
(1.4826 times the median size of the non-zero differences), vocabulary and document frequencies come
from all training pairs; no annotation enters them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from palate.concepts.measured import FAMILIES, measured_concepts
from palate.concepts.measured.engine import measure_chunk, robust_step
from palate.errors import InputError, shorten

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = npt.NDArray[np.float64]
Embed = Callable[[list[str]], npt.ArrayLike]
Kind = Literal["text", "tfidf", "embedding"]

MAX_WORDS = 50_000  # entries of the vocabulary, the most frequent ones
MIN_TEXTS = 2  # responses that a word must occur in
MAX_CHARS = 20_000  # of a response; what comes behind is not looked at for words
_WORD = re.compile(r"\w+|[^\w\s]")
_COUNTS = ("characters", "words", "lines", "digits", "marks", "questions", "bullets", "fences")


class Texts(NamedTuple):
    """Prompts and responses of some pairs, equally long lists."""

    prompts: list[str]
    first: list[str]
    second: list[str]


class Seen(NamedTuple):
    """Features of n pairs: dense (n, p) and words (n, v) odd, even (n, p)."""

    dense: Array
    words: Any  # csr_array, or a dense array with an embedding
    even: Array


@dataclass(frozen=True, eq=False)
class Features:
    """Turns texts into features the way the training pairs were.

    Parameters
    ----------
    kind
        "text" (measured concepts and words), "tfidf" (counts and words) or "embedding" (measured
        concepts and embeddings).
    step
        Size of one step of each measure.
    centre
        Mean of each even feature on the training pairs.
    vocabulary
        The words, in column order; empty with an embedding.
    idf
        Inverse document frequency of each word.
    width
        Number of columns of the words, or of the embedding.
    embed
        Texts to an array of one row each; None without an embedding.
    """

    kind: Kind
    step: Array
    centre: Array
    vocabulary: tuple[str, ...]
    idf: Array
    width: int
    embed: Embed | None = None
    _column: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_column", {w: j for j, w in enumerate(self.vocabulary)})

    @classmethod
    def learn(cls, texts: Texts, *, kind: Kind, embed: Embed | None = None) -> Features:
        """Return features for pairs like these.

        Parameters
        ----------
        texts
            The training pairs.
        kind
            What to look at.
        embed
            The embedding, for that kind.
        """
        high, low = _measures(texts, kind)
        step = robust_step(np.nan_to_num(high - low))
        sized = np.abs(_dense(high, low, step))
        if embed is not None:
            width = _embedded(embed, texts.first[:1]).shape[1]
            return cls(kind, step, sized.mean(axis=0), (), np.zeros(0), width, embed)
        vocabulary, idf = _vocabulary([*texts.first, *texts.second])
        return cls(kind, step, sized.mean(axis=0), vocabulary, idf, len(vocabulary))

    def see(self, texts: Texts) -> Seen:
        """Return the features of pairs.

        Parameters
        ----------
        texts
            The pairs.
        """
        dense = _dense(*_measures(texts, self.kind), self.step)
        words = self._rows(texts.first) - self._rows(texts.second)
        return Seen(dense, words, np.abs(dense) - self.centre)

    def _rows(self, texts: Sequence[str]) -> Any:
        if self.embed is not None:
            rows = _embedded(self.embed, texts)
            if rows.shape[1] != self.width:
                raise InputError(
                    f"The embedding gave {rows.shape[1]} numbers a text; expected {self.width}, "
                    "as when the student was trained."
                )
            return rows
        return _tfidf(texts, self._column, self.idf)


def measures_of(kind: Kind) -> tuple[str, ...]:
    """Return the names of the measures behind the dense features.

    Parameters
    ----------
    kind
        What is looked at.
    """
    if kind == "tfidf":
        return _COUNTS
    return tuple(concept.name for _, concept in measured_concepts())


def _measures(texts: Texts, kind: Kind) -> tuple[Array, Array]:
    """Return the measures of both responses, shape (n, p) each, NaN where not measured."""
    if kind == "tfidf":
        return _counts(texts.first), _counts(texts.second)
    families = tuple(FAMILIES)
    width = len(measured_concepts())
    first = measure_chunk(texts.first, texts.prompts, families).reshape(-1, width)
    second = measure_chunk(texts.second, texts.prompts, families).reshape(-1, width)
    return first, second


def _counts(texts: Sequence[str]) -> Array:
    rows = [
        (
            len(t),
            t.count(" ") + 1,
            t.count("\n"),
            sum(t.count(d) for d in "0123456789"),
            t.count(",") + t.count(".") + t.count("!"),
            t.count("?"),
            t.count("\n-") + t.count("\n*"),
            t.count("```"),
        )
        for t in texts
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(_COUNTS))


def _dense(high: Array, low: Array, step: Array) -> Array:
    """Return both odd transforms of the differences, shape (n, 2 p); not measured is no difference
    here, as a student must answer for every pair."""
    difference = np.nan_to_num(high - low)
    size = np.nan_to_num(np.abs(high) + np.abs(low))
    share = np.divide(difference, size, out=np.zeros_like(difference), where=size > 0)
    return np.hstack([np.tanh(difference / step), share])


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text[:MAX_CHARS].lower())
    return words + [f"{one} {two}" for one, two in pairwise(words)]


def _vocabulary(texts: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    seen: dict[str, int] = {}
    for text in texts:
        for term in set(_terms(text)):
            seen[term] = seen.get(term, 0) + 1
    kept = sorted((t for t, n in seen.items() if n >= MIN_TEXTS), key=lambda t: (-seen[t], t))
    kept = sorted(kept[:MAX_WORDS])
    often = np.array([seen[t] for t in kept], dtype=np.float64)
    return tuple(kept), np.log((1 + len(texts)) / (1 + often)) + 1


def _tfidf(texts: Sequence[str], column: dict[str, int], idf: Array) -> csr_array:
    """Return the TF-IDF rows of texts, of length 1 each: (1 + log count) * idf."""
    from scipy.sparse import csr_array

    indices: list[int] = []
    starts = [0]
    for text in texts:
        indices += [column[t] for t in _terms(text) if t in column]
        starts.append(len(indices))
    data = np.ones(len(indices))
    rows = csr_array((data, np.array(indices, dtype=np.int64), starts), (len(texts), len(column)))
    rows.sum_duplicates()
    rows.data = (1 + np.log(rows.data)) * idf[rows.indices]
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    rows.data /= np.repeat(np.where(length > 0, length, 1.0), np.diff(rows.indptr))
    return rows


def _embedded(embed: Embed, texts: Sequence[str]) -> Array:
    rows = np.asarray(embed(list(texts)), dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] != len(texts) or not np.isfinite(rows).all():
        found = shorten(f"an array of shape {rows.shape}")
        raise InputError(
            f"The embedding gave {found} for {len(texts)} texts; expected one row of finite "
            "numbers for each."
        )
    return rows
