"""`Request`: one structured question to a model, and the key under which its answer is kept.

    request = Request(messages=(Message("system", "..."), Message("user", "...")),
                      schema={"type": "object", ...}, name="compare")
    request.key({"model": "openai:gpt-5-mini", "temperature": 0})

The key is a hash of everything that is sent: what the backend sends with every request (model and
parameters), the messages, the schema and its name, the limit on the answer, the sample index, and
whether probabilities were asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
KEY_BYTES = 16


@dataclass(frozen=True)
class Message:
    """One message of a conversation.

    Parameters
    ----------
    role
        Who speaks: "system", "user" or "assistant".
    text
        What is said.
    """

    role: Role
    text: str


@dataclass(frozen=True)
class Request:
    """One structured question.

    Parameters
    ----------
    messages
        The conversation; what many requests share stands first, so that prefix caches hit.
    schema
        JSON schema of the answer, an object.
    name
        Name of the schema, in lower case with underscores: the kind of question.
    sample
        Which of several answers to the same question this is.
    max_tokens
        Limit on the answer.
    about
        What it is about, for people ("pair 12, both orders"); neither sent nor part of the key.
    probabilities
        Whether the endpoint is to say how probable each option of an answer was, where it can.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    name: str
    sample: int = 0
    max_tokens: int = 1024
    about: str = ""
    probabilities: bool = False

    def key(self, sent: Mapping[str, Any]) -> bytes:
        """Return the 16-byte key of this request when it is sent with these parameters.

        Parameters
        ----------
        sent
            What the backend sends with every request: model, temperature and the like.
        """
        whole = {
            "sent": dict(sent),
            "messages": [[m.role, m.text] for m in self.messages],
            "schema": self.schema,
            "name": self.name,
            "sample": self.sample,
            "max_tokens": self.max_tokens,
        }
        if self.probabilities:  # else absent, so that answers stored before it existed are found
            whole["probabilities"] = True
        text = json.dumps(whole, sort_keys=False, ensure_ascii=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode("ascii"), digest_size=KEY_BYTES).digest()
