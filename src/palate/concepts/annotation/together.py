"""Which pairs share a call.

Ids are hashed with the seed, and the hash is read as a path through a binary tree: pairs that share
a branch are put together first, what is left over in two branches meets where they join. So the
groups do not depend on the order of rows, and another pair in a file moves a few of them, one a
level at most, not all that stand behind it: nearly every stored answer is still one to the same
question.
"""

from __future__ import annotations

from collections.abc import Sequence

from palate.concepts.annotation.shown import draw

LEVELS = 48
"""Digits of the hash."""
Placed = tuple[float, str, int]


def together(
    ids: Sequence[str], rows: Sequence[int], size: int, *, seed: int
) -> list[tuple[int, ...]]:
    """Return rows in groups of this size; one group may be smaller.

    Parameters
    ----------
    ids
        Ids of all pairs.
    rows
        Rows of those that may share a call.
    size
        Pairs in a call.
    seed
        The recorded seed.
    """
    placed = sorted((draw(ids[row], seed, "together"), ids[row], row) for row in rows)
    groups: list[tuple[int, ...]] = []
    rest = _group(placed, size, 0.0, 1.0, LEVELS, groups)
    if rest:
        groups.append(tuple(row for _, _, row in rest))
    return groups


def _group(
    placed: list[Placed],
    size: int,
    low: float,
    high: float,
    levels: int,
    groups: list[tuple[int, ...]],
) -> list[Placed]:
    """Group what lies between two places and return what is left over, fewer than `size`."""
    if len(placed) < size:
        return placed
    rest = placed
    if levels:
        middle = (low + high) / 2
        cut = next((k for k, item in enumerate(placed) if item[0] >= middle), len(placed))
        rest = _group(placed[:cut], size, low, middle, levels - 1, groups)
        rest = rest + _group(placed[cut:], size, middle, high, levels - 1, groups)
    while len(rest) >= size:
        groups.append(tuple(row for _, _, row in rest[:size]))
        rest = rest[size:]
    return rest
