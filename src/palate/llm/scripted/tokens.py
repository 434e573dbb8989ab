"""How a scripted server counts tokens: four bytes each; prefixes are cached 1,024 tokens a step."""

from __future__ import annotations

import hashlib

BYTES_PER_TOKEN = 4
STEP = 1024


def tokens_of(text: str) -> int:
    """Return the number of tokens of a text: its UTF-8 bytes / 4, rounded up.

    Parameters
    ----------
    text
        Any text.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


class PrefixCache:
    """Remembers what it has read, as providers do: whole steps of 1,024 tokens from the start."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def read(self, text: str) -> int:
        """Return how many leading tokens an earlier text shares with this one, in whole steps.

        Parameters
        ----------
        text
            All that is sent, in order.
        """
        data = text.encode("utf-8", "surrogatepass")
        width = STEP * BYTES_PER_TOKEN
        digest, cached, unbroken = hashlib.blake2b(digest_size=16), 0, True
        for end in range(width, len(data) + 1, width):
            digest.update(data[end - width : end])
            prefix = digest.digest()
            unbroken = unbroken and prefix in self._seen
            cached += STEP if unbroken else 0
            self._seen.add(prefix)
        return cached
