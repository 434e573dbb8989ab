"""`Conversation`: a prompt with one response, as turns and as two texts.

Turns are what a chat template takes. Where a file held chat messages they are these; else the
prompt is one turn of the user and the response one of the assistant.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from palate.data.messages import content_text
from palate.data.preferences import Preferences
from palate.data.shown import clean

Turn = tuple[str, str]
USER, ASSISTANT = "user", "assistant"


@dataclass(frozen=True)
class Conversation:
    """A prompt with one response.

    Parameters
    ----------
    prompt
        The prompt as text.
    response
        The response as text.
    turns
        Role and text of every message, the response last.
    """

    prompt: str
    response: str
    turns: tuple[Turn, ...]

    @property
    def plain(self) -> tuple[Turn, ...]:
        """The two texts as two turns, for a template that refuses the turns."""
        return ((USER, self.prompt), (ASSISTANT, self.response))

    @property
    def key(self) -> str:
        """A hash of everything in it."""
        whole = json.dumps([self.prompt, self.response, self.turns])
        return hashlib.blake2b(whole.encode("ascii"), digest_size=16).hexdigest()


def conversation(prompt: str, response: str) -> Conversation:
    """Return a prompt and a response as a conversation of two turns.

    Parameters
    ----------
    prompt
        The prompt.
    response
        The response.
    """
    prompt, response = clean(prompt)[0], clean(response)[0]
    return Conversation(prompt, response, ((USER, prompt), (ASSISTANT, response)))


def conversations(preferences: Preferences) -> list[tuple[Conversation, Conversation]]:
    """Return the prompt with response a and with response b of every pair, in row order.

    Parameters
    ----------
    preferences
        The pairs; chat messages in their metadata become the turns.
    """
    columns: dict[str, list[Any]] = {
        name: preferences.metadata[name].to_list()
        for name in ("prompt_messages", "response_a_messages", "response_b_messages")
        if name in preferences.json_metadata
    }
    found = []
    rows = preferences.pairs.select("prompt", "response_a", "response_b").iter_rows()
    for row, (prompt, a, b) in enumerate(rows):
        before = _turns(columns, "prompt_messages", row, USER, prompt)
        sides = [
            Conversation(
                clean(prompt)[0],
                clean(response)[0],
                (*before, *_turns(columns, f"response_{side}_messages", row, ASSISTANT, response)),
            )
            for side, response in (("a", a), ("b", b))
        ]
        found.append((sides[0], sides[1]))
    return found


def _turns(
    columns: dict[str, list[Any]], name: str, row: int, role: str, text: str
) -> tuple[Turn, ...]:
    value = columns[name][row] if name in columns else None
    messages = None if value is None else json.loads(value)
    if not messages:
        return ((role, clean(text)[0]),)
    return tuple(
        (str(m.get("role") or role), clean(content_text(m.get("content")))[0]) for m in messages
    )
