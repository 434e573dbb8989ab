"""Conversations -> scores: each one once, in batches of like length, kept as they come.

Which texts share a batch follows from the texts alone, so the order of the rows changes nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.mechanisms.reward.batching import batches
from palate.mechanisms.reward.conversation import Conversation, conversations
from palate.mechanisms.reward.kept import Kept
from palate.mechanisms.reward.tokens import Tokens
from palate.mechanisms.scored import Score, Scored, check_room

BLOCK = 2048
"""Conversations that are turned into tokens together: many for batches, few for memory."""
NO_TOKENS, NO_NUMBER = "there is no token to score", "the model gave no finite number"
Progress = Callable[[int, int], None]


class Writes(Protocol):
    """Turns conversations into tokens."""

    def write(self, conversations: Sequence[Conversation]) -> list[Tokens]:
        """Return the tokens of every conversation."""
        ...


class Scores(Protocol):
    """Gives a number to conversations; `RewardModel` does."""

    @property
    def writer(self) -> Writes:
        """What turns them into tokens."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of everything that a score depends on beside the conversation."""
        ...

    def logits(self, batch: Sequence[Tokens]) -> list[float]:
        """Return the score of every conversation."""
        ...


def score(
    preferences: Preferences,
    model: Scores | str,
    *,
    name: str,
    hard: bool = False,
    batch_size: int = 8,
    kept: Kept | None = None,
    progress: Progress | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Scored:
    """Score both responses of each pair with a reward model.

    Parameters
    ----------
    preferences
        The pairs; verdicts are not looked at.
    model
        Folder or name on the hub, or a model of `palate.mechanisms.reward.model.open_model`.
    name
        Name of the column of verdicts.
    hard
        Whether verdicts are signs.
    batch_size
        Most conversations in a batch.
    kept
        Scores of an interrupted run, and where new ones are put.
    progress
        Called with the number of conversations done and in all.
    provenance
        What is recorded beside.

    Raises
    ------
    DataError
        If not a single conversation got a score.
    InputError
        If there is a column of this name, the batch size is below 1, or the model cannot score.
    MissingExtraError
        If torch or transformers is not installed.
    OutputError
        If scores cannot be kept.
    """
    check_room(preferences, name)
    if isinstance(model, str):
        from palate.mechanisms.reward.model import open_model

        model = open_model(model)
    pairs = conversations(preferences)
    found = score_conversations(
        model,
        [side for pair in pairs for side in pair],
        batch_size=batch_size,
        kept=kept,
        progress=progress,
    )
    if found and all(one.failure for one in found):
        raise DataError(
            f"None of the {len(pairs):,} pairs got a score; the first failure: {found[0].failure}."
        )
    return Scored(
        name=name,
        ids=tuple(preferences.ids),
        a=tuple(found[0::2]),
        b=tuple(found[1::2]),
        hard=hard,
        facts=dict(provenance or {}),
    )


def score_conversations(
    model: Scores,
    conversations: Sequence[Conversation],
    *,
    batch_size: int,
    kept: Kept | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Return the score of every conversation, in their order.

    Parameters
    ----------
    model
        What scores.
    conversations
        The conversations; equal ones are scored once.
    batch_size
        Most conversations in a batch.
    kept
        Scores of an interrupted run, and where new ones are put.
    progress
        Called with the number of conversations done and in all.

    Raises
    ------
    InputError
        If the batch size is below 1, or the model cannot score.
    OutputError
        If scores cannot be kept.
    """
    if batch_size < 1:
        raise InputError(f"--batch-size: found {batch_size}; expected at least 1.")
    kept = kept or Kept()
    keys = [_key(model.fingerprint, conversation) for conversation in conversations]
    wanted = dict(zip(keys, conversations, strict=True))
    rest = sorted(
        (item for item in wanted.items() if kept.get(item[0]) is None),
        key=lambda item: (-sum(len(text) for _, text in item[1].turns), item[0]),
    )
    done = len(wanted) - len(rest)
    kept.used += done
    for start in range(0, len(rest), BLOCK):
        block = rest[start : start + BLOCK]
        written = model.writer.write([conversation for _, conversation in block])
        readable = [i for i, tokens in enumerate(written) if tokens.ids]
        failed = [i for i, tokens in enumerate(written) if not tokens.ids]
        kept.put(_row(block[i][0], math.nan, written[i]) for i in failed)
        done += len(failed)
        for places in batches([len(written[i].ids) for i in readable], batch_size):
            batch = [readable[place] for place in places]
            values = model.logits([written[i] for i in batch])
            kept.put(
                _row(block[i][0], value, written[i]) for i, value in zip(batch, values, strict=True)
            )
            done += len(batch)
            if progress is not None:
                progress(done, len(wanted))
    return [_score(kept.get(key) or {}) for key in keys]


def _key(fingerprint: str, conversation: Conversation) -> str:
    whole = f"{fingerprint} {conversation.key}".encode()
    return hashlib.blake2b(whole, digest_size=16).hexdigest()


def _row(key: str, value: float, tokens: Tokens) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key, "score": value if math.isfinite(value) else None}
    row["tokens"] = len(tokens.ids)
    if tokens.left_out:
        row["left_out"] = tokens.left_out
    if tokens.plain:
        row["plain"] = True
    if row["score"] is None:
        row["failure"] = tokens.failure or (NO_NUMBER if tokens.ids else NO_TOKENS)
    return row


def _score(row: dict[str, Any]) -> Score:
    value = row.get("score")
    return Score(
        value=math.nan if value is None else float(value),
        tokens=int(row.get("tokens", 0)),
        left_out=int(row.get("left_out", 0)),
        plain=bool(row.get("plain", False)),
        failure=str(row.get("failure", "")),
    )
