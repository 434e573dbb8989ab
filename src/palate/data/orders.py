"""What a judge said in each order of presentation, as the metadata column `orders` keeps it.

The column holds one JSON object per pair, in one of two forms:

    {"judge": "ab"}                   the first letter is the response that won where a was shown
                                      first, the second the one that won where b was; t = a tie
    {"judge": {"ab": 1, "ba": -1}}    the same as verdicts, already mapped back to the responses

`-` and `?`, and whatever else is no verdict, say that there is no answer. Letters and signs name
responses, never places, so the first response won where the first letter is a or the second is b.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from palate.data.preferences import Preferences

Array = npt.NDArray[np.float64]
ORDERS = "orders"
SIGNS = {"a": 1.0, "b": -1.0, "t": 0.0}
_TURNED = str.maketrans("ab", "ba")


def recorded_orders(preferences: Preferences) -> dict[str, tuple[Array, Array]]:
    """Return the verdicts in each order of presentation, by mechanism.

    The first array of a mechanism holds its verdicts where a was shown first, the second those
    where b was, both of shape (n_pairs,): +1 = a won, -1 = b, 0 = a tie, NaN = not asked or not
    answered. Mechanisms without any such verdict, and names that are no mechanism, are left out.

    Parameters
    ----------
    preferences
        The pairs.
    """
    if ORDERS not in preferences.metadata.columns or ORDERS not in preferences.json_metadata:
        return {}
    known = set(preferences.mechanisms)
    out: dict[str, tuple[Array, Array]] = {}
    for i, text in enumerate(preferences.metadata[ORDERS].to_list()):
        said = json.loads(text) if text else None
        for name, verdicts in said.items() if isinstance(said, dict) else ():
            pair = order_signs(verdicts)
            if name not in known or all(math.isnan(v) for v in pair):
                continue
            if name not in out:
                n = preferences.n_pairs
                out[name] = np.full(n, np.nan), np.full(n, np.nan)
            for order, sign in zip(out[name], pair, strict=True):
                order[i] = sign
    return {name: out[name] for name in preferences.mechanisms if name in out}


def order_signs(said: Any) -> tuple[float, float]:
    """Return one entry of the column as two signs, NaN where there is no verdict.

    Parameters
    ----------
    said
        "aa", "ab", "t-" and the like, or `{"ab": v, "ba": v}` with v in [-1, 1].
    """
    if isinstance(said, str) and len(said) == 2:
        return SIGNS.get(said[0], math.nan), SIGNS.get(said[1], math.nan)
    if isinstance(said, dict):
        return _sign(said.get("ab")), _sign(said.get("ba"))
    return math.nan, math.nan


def read_orders(values: Sequence[Any]) -> list[Any]:
    """Return the column as objects where a format that holds no objects made texts of them.

    Parameters
    ----------
    values
        One per pair; None where there is none. Texts stay if one of them is no such object.
    """
    found: list[Any] = []
    for value in values:
        try:
            said = json.loads(value) if isinstance(value, str) and value else value or None
        except (ValueError, RecursionError):
            return list(values)
        if said is not None and not isinstance(said, dict):
            return list(values)
        found.append(said)
    return found


def turned_orders(text: str | None) -> str | None:
    """Return one row of the column for the same pair with its two responses exchanged.

    Parameters
    ----------
    text
        JSON text of the row; None where there is none.
    """
    said = json.loads(text) if text else None
    if not isinstance(said, dict):
        return text
    return json.dumps({k: _turned(v) for k, v in said.items()}, ensure_ascii=False, sort_keys=True)


def _sign(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 1:
        return math.nan
    return math.copysign(1.0, value) if value else 0.0


def _turned(said: Any) -> Any:
    if isinstance(said, str) and len(said) == 2:
        return said[::-1].translate(_TURNED)
    if isinstance(said, dict) and said.keys() <= {"ab", "ba"}:
        return {
            {"ab": "ba", "ba": "ab"}[k]: v if math.isnan(_sign(v)) else -v for k, v in said.items()
        }
    return said
