"""`Settings`: every number that discovery depends on, and how the defaults follow from the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from palate.errors import InputError

Similarity: TypeAlias = "Literal['tfidf'] | Callable[[Sequence[str]], npt.NDArray[np.floating]]"

LEAST_PAIRS = 20
MOST_DISCOVERY_PAIRS = 400
LEAST_DISCOVERY_PAIRS = 10
LEAST_BATCHES, MOST_BATCHES = 6, 60
PAPER_BATCHES = 300


@dataclass(frozen=True)
class Settings:
    """Numbers of a discovery; None means that the default follows from the data.

    Parameters
    ----------
    share
        Share of the pairs of a domain that are set apart for discovery.
    batches
        Batches per domain; the paper has 300.
    pairs_per_batch
        Pairs shown in one question.
    concepts_per_batch
        Concepts asked for in one question.
    topics_share
        Share of the discovery queries from which subdomains and tasks are named.
    topics_kept
        Subdomains, and tasks, kept per domain.
    commonplace
        Whether the ten commonplace concepts are added, and half of the batches keep away from them.
    similarity
        Makes further candidates for merging: "tfidf", or a function from texts to vectors.
    threshold
        Least cosine similarity of such candidates.
    max_shared
        Shared concepts kept, the most frequent first; None for all.
    max_specific
        Specific concepts kept per domain, the most frequent first; None for all.
    max_chars
        Characters of a response that are shown, the same for both.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    share: float | None = None
    batches: int | None = None
    pairs_per_batch: int = 5
    concepts_per_batch: int = 10
    topics_share: float = 0.1
    topics_kept: int = 10
    commonplace: bool = True
    similarity: Similarity | None = None
    threshold: float = 0.5
    max_shared: int | None = 40
    max_specific: int | None = 12
    max_chars: int = 4_000

    def __post_init__(self) -> None:
        shares: dict[str, float | None] = {
            "share": self.share,
            "topics_share": self.topics_share,
            "threshold": self.threshold,
        }
        for name, value in shares.items():
            if value is not None and not 0 < value <= 1:
                raise InputError(f"{name}: found {value}; expected more than 0 and at most 1.")
        counts: dict[str, int | None] = {
            "batches": self.batches,
            "pairs_per_batch": self.pairs_per_batch,
            "concepts_per_batch": self.concepts_per_batch,
            "topics_kept": self.topics_kept,
        }
        for name, count in counts.items():
            if count is not None and count < 1:
                raise InputError(f"{name}: found {count}; expected at least 1.")
        for name, most in (("max_shared", self.max_shared), ("max_specific", self.max_specific)):
            if most is not None and most < 0:
                raise InputError(f"{name}: found {most}; expected at least 0, or None for all.")
        if self.max_chars < 200:
            raise InputError(f"max_chars: found {self.max_chars}; expected at least 200.")
        if not (self.similarity in (None, "tfidf") or callable(self.similarity)):
            raise InputError(
                f"similarity: found {self.similarity!r}; expected 'tfidf', or a function from a "
                "list of texts to an array with a row for each."
            )

    def n_discovery(self, n_pairs: int) -> int:
        """Return how many pairs of a domain are set apart for discovery.

        By default 30 %, at least ten, at most half of a small domain and at most 400 of a large
        one, which is what the paper takes.

        Parameters
        ----------
        n_pairs
            Pairs of the domain.
        """
        if self.share is not None:
            return max(1, round(self.share * n_pairs))
        least = min(LEAST_DISCOVERY_PAIRS, n_pairs // 2)
        return min(MOST_DISCOVERY_PAIRS, max(round(0.3 * n_pairs), least))

    def n_batches(self, n_pairs: int) -> int:
        """Return how many batches a domain gets.

        By default as many as show every discovery pair once, at least 6 and at most 60, and no
        more than there are pairs.

        Parameters
        ----------
        n_pairs
            Discovery pairs of the domain.
        """
        if self.batches is not None:
            return self.batches
        once = math.ceil(n_pairs / self.pairs_per_batch)
        return min(MOST_BATCHES, max(LEAST_BATCHES, once), max(1, n_pairs))

    def recorded(self) -> dict[str, Any]:
        """Return the settings as JSON-ready data."""
        similarity = self.similarity if isinstance(self.similarity, str | None) else "a function"
        return {**self.__dict__, "similarity": similarity}
