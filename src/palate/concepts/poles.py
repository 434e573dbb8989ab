"""The two ends of a definition of the form "High: the response ...; low: the response ..."."""

from __future__ import annotations

import re

_POLES = re.compile(
    r"high:\s+(?:the response\s+)?(.*?\S)\s*[;.]\s*low:\s+(?:the response\s+)?(.*?\S)\s*[;.]?\s*",
    re.IGNORECASE | re.DOTALL,
)


def high_only(definition: str) -> str:
    """Return what a response with much of a quality does, without the low end of the definition.

    Which response has more follows from the high end alone. Of "High: the response runs to many
    words; low: it is short" this is "runs to many words"; a definition of another form stays as it
    is.

    Parameters
    ----------
    definition
        The definition.
    """
    ends = _POLES.fullmatch(definition.strip())
    return ends[1] if ends else definition


def low_only(definition: str) -> str | None:
    """Return what a response with little of a quality does, None if the definition has no low end.

    Of "High: the response runs to many words; low: it is short" this is "it is short".

    Parameters
    ----------
    definition
        The definition.
    """
    ends = _POLES.fullmatch(definition.strip())
    return ends[2] if ends else None
