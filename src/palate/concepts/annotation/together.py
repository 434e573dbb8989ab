"""Which pairs share a call.

Ids are hashed with the seed, and the hash is read as a path through a binary tree: pairs that share
a branch are put together first, what is left over in two branches meets where they join. So the
groups do not depend on the order of rows, and another pair in a file moves a few of them, one a
level at most, not all that stand behind it: nearly every stored answer is still one to the same
question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from palate.data.shown import draw

LEVELS = 48
"""Digits of the hash."""
Asked = tuple[int, bool]
"""Row of a pair, and whether it is asked with the responses exchanged."""
_Placed = tuple[float, str, Asked]


def together(
    ids: Sequence[str], asked: Iterable[Asked], size: int, *, seed: int
) -> list[tuple[Asked, ...]]:
    """Return pairs in groups of this size, as few of them smaller as there must be.

    A pair never stands beside itself in the other order.

    Parameters
    ----------
    ids
        Ids of all pairs.
    asked
        Those that may share a call.
    size
        Pairs in a call.
    seed
        The recorded seed.
    """
    placed = sorted(
        (
            draw(ids[row], seed, "together again" if exchanged else "together"),
            ids[row],
            (row, exchanged),
        )
        for row, exchanged in asked
    )
    groups: list[tuple[Asked, ...]] = []
    rest = _group(placed, size, 0.0, 1.0, LEVELS, groups)
    if rest:
        groups.append(tuple(item for _, _, item in rest))
    return _apart(groups, size)


def _group(
    placed: list[_Placed],
    size: int,
    low: float,
    high: float,
    levels: int,
    groups: list[tuple[Asked, ...]],
) -> list[_Placed]:
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
        groups.append(tuple(item for _, _, item in rest[:size]))
        rest = rest[size:]
    return rest


def _apart(groups: list[tuple[Asked, ...]], size: int) -> list[tuple[Asked, ...]]:
    """Move what stands beside itself to a group with a place, or exchange it for another one."""
    found: list[dict[int, Asked]] = []
    moved: list[tuple[Asked, dict[int, Asked]]] = []
    for group in groups:
        rows: dict[int, Asked] = {}
        for item in group:
            if rows.setdefault(item[0], item) != item:
                moved.append((item, rows))
        found.append(rows)
    for item, left in moved:
        others = [rows for rows in found if item[0] not in rows]
        place = next((rows for rows in others if len(rows) < size), None)
        if place is None and len(left) < size:
            place = next((rows for rows in others if not rows.keys() <= left.keys()), None)
            if place is not None:
                row = next(row for row in place if row not in left)
                left[row] = place.pop(row)
        if place is None:
            found.append(place := {})
        place[item[0]] = item
    return [tuple(rows.values()) for rows in found]
