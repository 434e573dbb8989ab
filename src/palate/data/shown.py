"""A pair as it is shown to a model: cleaned, cut to a length, in an order that a seed decides.

Texts longer than the limit keep their head and their tail, with a line between them that says how
much was left out; the limit is the same for both responses and for the prompt. A cut never
separates what is read as one character: letter and accent, emoji and its colour, a flag, a
Hangul syllable written in parts.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

MAX_CHARS = 12_000
HEAD_SHARE = 2 / 3
MARKER = "\n[... {n:,} characters left out ...]\n"
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_ZWJ = "\u200d"


@dataclass(frozen=True)
class Shown:
    """A pair as it is shown.

    Parameters
    ----------
    id
        Its id.
    prompt
        The user's request.
    a
        Response a.
    b
        Response b.
    cut
        Which of "prompt", "response_a", "response_b" were shortened.
    cleaned
        Characters that cannot be sent (null bytes, half surrogates) and were replaced.
    """

    id: str
    prompt: str
    a: str
    b: str
    cut: tuple[str, ...] = ()
    cleaned: int = 0


def show(
    pair_id: str, prompt: str, response_a: str, response_b: str, *, max_chars: int = MAX_CHARS
) -> Shown:
    """Return a pair as it is shown.

    Parameters
    ----------
    pair_id
        Its id.
    prompt
        The user's request.
    response_a
        One response.
    response_b
        The other one.
    max_chars
        Longest text that is shown whole.
    """
    texts: list[str] = []
    cut: list[str] = []
    cleaned = 0
    for name, text in (
        ("prompt", prompt),
        ("response_a", response_a),
        ("response_b", response_b),
    ):
        sendable, replaced = clean(text)
        short, left_out = shorten(sendable, max_chars)
        texts.append(short)
        cleaned += replaced
        if left_out:
            cut.append(name)
    return Shown(pair_id, texts[0], texts[1], texts[2], cut=tuple(cut), cleaned=cleaned)


def b_first(pair_id: str, seed: int) -> bool:
    """Return whether response b is shown first where a pair is asked once.

    Depends on the id and the seed alone, so the order of a file's rows changes nothing.

    Parameters
    ----------
    pair_id
        Id of the pair.
    seed
        The recorded seed.
    """
    return draw(pair_id, seed, "order") < 0.5


def draw(pair_id: str, seed: int, what: str) -> float:
    """Return a number in [0, 1) that depends on the pair, the seed and the purpose alone.

    Parameters
    ----------
    pair_id
        Id of the pair.
    seed
        The recorded seed.
    what
        What it is drawn for.
    """
    data = f"{what}\n{seed}\n{pair_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=6).digest(), "big") / 2**48


def clean(text: str) -> tuple[str, int]:
    """Return a text that can be sent as UTF-8 JSON, and how many characters were replaced.

    Two halves of a surrogate pair become the character they stand for; null bytes and half
    surrogates become U+FFFD.

    Parameters
    ----------
    text
        Any text.
    """
    if not _UNSENDABLE.search(text):
        return text, 0
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _UNSENDABLE.subn("\ufffd", whole)


def shorten(text: str, limit: int) -> tuple[str, int]:
    """Return a text with its middle left out if it is too long, and how much was left out.

    Parameters
    ----------
    text
        A text that `clean` returned.
    limit
        Most characters of it that are kept.
    """
    if len(text) <= limit:
        return text, 0
    head = int(limit * HEAD_SHARE)
    tail = len(text) - (limit - head)
    while head > 0 and not may_cut(text, head):
        head -= 1
    while tail < len(text) and not may_cut(text, tail):
        tail += 1
    n = tail - head
    return text[:head] + MARKER.format(n=n) + text[tail:], n


def may_cut(text: str, at: int) -> bool:
    """Return whether a text may be cut before this position without breaking a character.

    Parameters
    ----------
    text
        The text.
    at
        The position, from 0 to its length.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    if (
        unicodedata.category(after).startswith("M")
        or _ZWJ in (before, after)
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # colours of an emoji
        or "\U000e0020" <= after <= "\U000e007f"  # tags behind a flag
        or unicodedata.combining(before) == 9  # a virama joins two letters
    ):
        return False
    if _is_flag(before) and _is_flag(after):
        start = at
        while start > 0 and _is_flag(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return not (_vowel_or_tail(after) or (_lead(before) and (_lead(after) or _syllable(after))))


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _lead(char: str) -> bool:
    """Whether it is a Hangul letter that opens a syllable."""
    return "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c"


def _vowel_or_tail(char: str) -> bool:
    """Whether it is a Hangul letter that continues a syllable."""
    return "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7fb"


def _syllable(char: str) -> bool:
    return "\uac00" <= char <= "\ud7a3"
