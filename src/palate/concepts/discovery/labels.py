"""Which response of a pair was preferred, by whichever of several mechanisms; or nobody says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from palate.concepts.discovery.proposals import ShownPair
from palate.concepts.discovery.sample import generator
from palate.data.preferences import Preferences
from palate.data.shown import draw


class Labels:
    """The verdicts that batches are labelled with.

    Parameters
    ----------
    preferences
        The discovery pairs, in the order of their ids.
    mechanisms
        Whose verdicts count; none for pairs in an order without meaning.
    seed
        Seed of the choice among several mechanisms.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    """

    def __init__(self, preferences: Preferences, mechanisms: Sequence[str], *, seed: int) -> None:
        self._seed = seed
        self._mechanisms = tuple(sorted(set(mechanisms)))
        self._signs = {
            name: np.sign(np.nan_to_num(preferences.verdict(name))).tolist()
            for name in self._mechanisms
        }
        self._texts = list(
            preferences.pairs.select("id", "prompt", "response_a", "response_b").iter_rows()
        )
        self._row = {row[0]: k for k, row in enumerate(self._texts)}

    def decided(self, pair_id: str) -> bool:
        """Whether any of the mechanisms prefers one response of a pair.

        Parameters
        ----------
        pair_id
            Id of the pair.
        """
        row = self._row[pair_id]
        return any(self._signs[name][row] for name in self._mechanisms)

    def shown(self, batch_id: str, pair_id: str) -> tuple[ShownPair, str | None]:
        """Return a pair with its preferred response first, and whose verdict that is.

        Each batch takes the mechanisms in an order of its own and a pair's verdict from the first
        that decided it. Where none did, the order follows from the texts and means nothing.

        Parameters
        ----------
        batch_id
            Id of the batch.
        pair_id
            Id of the pair.
        """
        row = self._row[pair_id]
        name, prompt, a, b = self._texts[row]
        for k in generator(self._seed, "mechanism", batch_id).permutation(len(self._mechanisms)):
            mechanism = self._mechanisms[k]
            if sign := self._signs[mechanism][row]:
                first, second = (a, b) if sign > 0 else (b, a)
                return ShownPair(name, prompt, first, second), mechanism
        low, high = sorted((a, b))  # so that exchanged responses give the same question
        if draw(pair_id, self._seed, "without labels") < 0.5:
            low, high = high, low
        return ShownPair(name, prompt, low, high), None
