"""Which texts share a batch, and a batch as a rectangle of tokens.

Texts of like length share a batch, so that few tokens are padding; the longest come first, so that
what does not fit into memory shows at once and the time left is not underestimated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
USUAL_LENGTH = 1024
"""Length of text that a batch has room for in each of its rows; longer ones share it with fewer."""


def batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Return the places of texts in batches, longest first.

    A batch holds at most `batch_size` texts, and at most `batch_size * USUAL_LENGTH` tokens with
    its padding, unless it is a single text.

    Parameters
    ----------
    lengths
        Tokens of every text.
    batch_size
        Most texts in a batch.
    """
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        longest = lengths[found[-1][0]] if found else 0
        room = min(batch_size, max(1, batch_size * USUAL_LENGTH // max(longest, 1)))
        if found and len(found[-1]) < room:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def padded(rows: Sequence[Sequence[int]], filler: int) -> tuple[Ints, Ints]:
    """Return rows filled up at their right end to the longest, and 1 where a token is theirs.

    Parameters
    ----------
    rows
        Token ids of every text, none of them empty.
    filler
        The id that fills up.

    Returns
    -------
    ids : (n_rows, longest)
    mask : (n_rows, longest)
    """
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), filler, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def unused_id(rows: Sequence[Sequence[int]], vocabulary: int) -> int | None:
    """Return an id of the vocabulary that stands in none of the rows; None if all do.

    Parameters
    ----------
    rows
        Token ids of every text.
    vocabulary
        Number of ids.
    """
    used = set().union(*map(set, rows))
    return next((i for i in range(vocabulary) if i not in used), None)
