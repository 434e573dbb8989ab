"""Keys stay where they are: what may hold one is cleaned before anybody sees it.

Providers quote keys in their messages, whole or in part ("Incorrect API key provided:
sk-abcd****wxyz"). `redact` takes out the known secrets, every part of them of eight characters or
more, and whatever else looks like a key or an authorization header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[hidden]"
PART = 8  # characters of a secret that may not stand together
_LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk|pk|rk|hf|gsk|xai|key|api)[-_][\w*.\-]{6,}\b[*\w]*"
    r"|\bAIza[\w\-]{20,}"
    r"|\beyJ[\w\-]{10,}\.[\w\-]+\.[\w\-]+"
)
_HEADER = re.compile(
    r"(?i)\b(authorization|proxy-authorization|x-api-key|api[-_]key|x-goog-api-key)"
    r"(['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic)\s+)?[^\s'\",;}]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=.~\-*]{6,}")
_USER_OF_AN_ADDRESS = re.compile(r"(\w+://)[^/\s@]+@")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without the secrets, parts of them, and whatever looks like a key.

    Parameters
    ----------
    text
        Any text, for instance what a provider answered.
    secrets
        Keys that are known.
    """
    for secret in secrets:
        text = _without(text, secret)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _USER_OF_AN_ADDRESS.sub(rf"\1{HIDDEN}@", text)
    return _LOOKS_LIKE_A_KEY.sub(HIDDEN, text)


def _without(text: str, secret: str) -> str:
    """Take out a secret and its parts of `PART` characters or more."""
    if len(secret) < PART:  # too short to be told from words, except where it is the whole
        return text.replace(secret, HIDDEN) if len(secret) >= 4 else text
    text = text.replace(secret, HIDDEN)
    parts = {secret[i : i + PART] for i in range(len(secret) - PART + 1)}
    marked = bytearray(len(text))
    for part in parts:
        start = text.find(part)
        while start >= 0:
            marked[start : start + PART] = b"\1" * PART
            start = text.find(part, start + 1)
    if not any(marked):
        return text
    pieces, inside = [], False
    for character, mark in zip(text, marked, strict=True):
        if not mark:
            pieces.append(character)
        elif not inside:
            pieces.append(HIDDEN)
        inside = bool(mark)
    return "".join(pieces)
