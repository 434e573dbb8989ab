"""Conversation -> tokens: the model's chat template or a pair of texts, and what is left out.

What strangers wrote never becomes a control token: where a text holds the words of one, such as
"<|im_end|>", they are turned into tokens as plain words, apart from the rest. All other texts are
turned into tokens whole, exactly as the model saw its training data.

A conversation that is longer than the model takes loses the middle of its longest texts: turns keep
their frame, and both the beginning and the end of the response are seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from palate.data.shown import shorten
from palate.errors import InputError
from palate.errors import shorten as shorten_repr
from palate.mechanisms.reward.conversation import ASSISTANT, USER, Conversation, Turn

CHARS_PER_TOKEN = 32
"""A longer text than so many characters per token is shortened before it is looked at."""
SHORTEST = 8
PRIVATE = range(0xF0000, 0x10FFFE)
"""Characters without a meaning; one that a conversation does not hold stands for a control word."""
REPLACED = "\ufffd"
NO_ROOM = "too long even with its texts left out"


@dataclass(frozen=True)
class Tokens:
    """A conversation as a model reads it.

    Parameters
    ----------
    ids
        Token ids.
    types
        Token types of a pair of texts, where the model has them.
    left_out
        Characters of the prompt and the response that were left out.
    plain
        Whether the template refused the turns, so that the two texts are shown as two turns.
    failure
        Why it cannot be scored; empty where it can.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...] | None = None
    left_out: int = 0
    plain: bool = False
    failure: str = ""


class Writer:
    """Turns conversations into tokens.

    Parameters
    ----------
    tokenizer
        A tokenizer of transformers.
    max_length
        Most tokens of a conversation.
    """

    def __init__(self, tokenizer: Any, max_length: int) -> None:
        self._tokenizer, self.max_length = tokenizer, max_length
        self.with_template = bool(getattr(tokenizer, "chat_template", None))
        words = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
        words |= set(tokenizer.all_special_tokens)
        longest_first = sorted(words - {""}, key=lambda word: (-len(word), word))
        self._control = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)", re.I)

    def write(self, conversations: Sequence[Conversation]) -> list[Tokens]:
        """Return the tokens of every conversation.

        Parameters
        ----------
        conversations
            The conversations.

        Raises
        ------
        InputError
            If the chat template takes no prompt with a response.
        """
        limit = CHARS_PER_TOKEN * self.max_length
        drafts = [self._cut(conversation, limit) for conversation in conversations]
        found = self._encode(drafts)
        return [
            tokens if len(tokens.ids) <= self.max_length else self._fitted(conversation, tokens)
            for conversation, tokens in zip(conversations, found, strict=True)
        ]

    def _fitted(self, conversation: Conversation, tokens: Tokens) -> Tokens:
        """The tokens with the longest texts shortened alike until all fit."""
        lengths = [len(text) for _, text in conversation.turns]
        limit = min(max(lengths), CHARS_PER_TOKEN * self.max_length)
        while len(tokens.ids) > self.max_length:
            if limit <= SHORTEST:
                return Tokens((), failure=NO_ROOM)
            kept = sum(min(length, limit) for length in lengths)
            wanted = kept * 0.98 * self.max_length / len(tokens.ids)
            limit = max(SHORTEST, min(_level(lengths, wanted), limit - 1))
            tokens = self._encode([self._cut(conversation, limit)])[0]
        return tokens

    def _cut(self, conversation: Conversation, limit: int) -> _Draft:
        """The conversation with no text longer than a limit."""
        pieces = [shorten(text, limit) for _, text in conversation.turns]
        turns = tuple(
            (role, text) for (role, _), (text, _) in zip(conversation.turns, pieces, strict=True)
        )
        prompt, lost_p = shorten(conversation.prompt, limit)
        response, lost_r = shorten(conversation.response, limit)
        lost = sum(n for _, n in pieces) if self.with_template else lost_p + lost_r
        return _Draft(turns, prompt, response, lost)

    def _encode(self, drafts: Sequence[_Draft]) -> list[Tokens]:
        if not self.with_template:
            return self._pairs(drafts)
        framed = [self._framed(draft) for draft in drafts]
        pieces = list(chain.from_iterable(parts for parts, _ in framed))
        ids: list[Any] = [()] * len(pieces)
        for control in (False, True):
            places = [i for i, (text, words) in enumerate(pieces) if words == control and text]
            for i, row in zip(
                places, self._ids([pieces[i][0] for i in places], control), strict=True
            ):
                ids[i] = row
        rows = iter(ids)
        return [
            Tokens(
                tuple(chain.from_iterable(next(rows) for _ in parts)),
                left_out=draft.left_out,
                plain=plain,
            )
            for (parts, plain), draft in zip(framed, drafts, strict=True)
        ]

    def _ids(self, texts: list[str], control: bool) -> list[list[int]]:
        """Token ids; words of control tokens become plain ones."""
        if not texts:
            return []
        extra = {"split_special_tokens": True} if control else {}
        encoded = self._tokenizer(texts, add_special_tokens=False, verbose=False, **extra)
        return list(encoded["input_ids"])

    def _pairs(self, drafts: Sequence[_Draft]) -> list[Tokens]:
        if not drafts:
            return []
        encoded = self._tokenizer(
            [draft.prompt for draft in drafts],
            [draft.response for draft in drafts],
            split_special_tokens=True,
            verbose=False,
        )
        types = encoded.get("token_type_ids")
        return [
            Tokens(tuple(row), None if types is None else tuple(types[i]), drafts[i].left_out)
            for i, row in enumerate(encoded["input_ids"])
        ]

    def _framed(self, draft: _Draft) -> tuple[list[tuple[str, bool]], bool]:
        """The conversation in its frame, in parts: text, and whether it is kept plain."""
        plain = False
        turns, words = self._marked(draft.turns)
        try:
            whole = self._template(turns)
        except Exception as error:  # a template may raise anything, in its own words
            turns, words = self._marked(((USER, draft.prompt), (ASSISTANT, draft.response)))
            try:
                whole = self._template(turns)
            except Exception:
                raise InputError(
                    "The model's chat template takes no prompt of a user with a response of an "
                    f"assistant ({type(error).__name__}: {shorten_repr(str(error))})."
                ) from None
            plain = True
        if not words:
            return [(whole, False)], plain
        split = re.split(f"([{re.escape(''.join(words))}])", whole)
        return [(words.get(part, part), part in words) for part in split], plain

    def _template(self, turns: Sequence[Turn]) -> str:
        messages = [{"role": role, "content": text} for role, text in turns]
        return str(self._tokenizer.apply_chat_template(messages, tokenize=False))

    def _marked(self, turns: Sequence[Turn]) -> tuple[list[Turn], dict[str, str]]:
        """The turns with a private character for each control word, and what it stands for."""
        found = dict.fromkeys(chain.from_iterable(self._control.findall(text) for _, text in turns))
        if not found:
            return list(turns), {}
        present = set(chain.from_iterable(text for _, text in turns))
        free = (char for char in map(chr, PRIVATE) if char not in present)
        marks = dict(zip(found, free, strict=False))
        swapped = [
            (role, self._control.sub(lambda m: marks.get(m[0], REPLACED), text))
            for role, text in turns
        ]
        return swapped, {mark: word for word, mark in marks.items()}


@dataclass(frozen=True)
class _Draft:
    turns: tuple[Turn, ...]
    prompt: str
    response: str
    left_out: int


def _level(lengths: Sequence[int], wanted: float) -> int:
    """The largest limit at which texts cut to it have so many characters in all."""
    low, high = 0, max(lengths)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(length, middle) for length in lengths) <= wanted:
            low = middle
        else:
            high = middle - 1
    return low
