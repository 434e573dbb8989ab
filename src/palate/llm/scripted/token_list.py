"""What a scripted server says of its tokens: text in short pieces, each with its log-probability.

A script gives probabilities instead of a value: `{"verdict": {"first": .7, "second": .3}}`. The
server answers with the most probable option (`settled`), and where a body asks for `logprobs`,
lists the pieces that every option would have been written in (`token_list`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from palate.llm.token_probabilities import options_of

_PIECE = re.compile(r"[^\W\d_]{1,6}|[\W\d_]{1,4}")
"""Letters or other characters, a few at a time, as they often stand in one token."""


def settled(
    answer: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[Any, float]]]:
    """Return an answer without probabilities, and the probabilities it had.

    Parameters
    ----------
    answer
        Per field a value, or, where the schema leaves few (texts, true or false, whole numbers
        between limits), a mapping from options to probabilities.
    schema
        JSON schema of the answer.
    """
    value = dict(answer)
    spreads: dict[str, dict[Any, float]] = {}
    for name, part in schema.get("properties", {}).items():
        given, options = value.get(name), options_of(part)
        if not options or not isinstance(given, Mapping):
            continue
        named = {_label(option): float(share) for option, share in given.items()}
        shares: dict[Any, float] = {
            label if "enum" in part else json.loads(label): named.get(label, 0.0)
            for label in options
        }
        total = sum(shares.values())
        if total > 0:
            spreads[name] = {option: share / total for option, share in shares.items()}
            value[name] = max(shares, key=lambda option: shares[option])
    return value, spreads


def token_list(
    value: Mapping[str, Any], spreads: Mapping[str, Mapping[Any, float]], alternatives: int
) -> list[dict[str, Any]]:
    """Return the tokens of an answer as OpenAI lists them.

    Parameters
    ----------
    value
        The answer.
    spreads
        Probabilities of fields of which it holds one option each.
    alternatives
        How many alternatives are listed for each token.
    """
    written = pieces(value)
    chances = [{piece: 1.0} for piece in written]
    for name, shares in spreads.items():
        texts = [(pieces({**value, name: o}), share) for o, share in shares.items() if share]
        for i, piece in enumerate(written):
            following: dict[str, float] = {}
            for text, share in texts:
                if i < len(text) and text[:i] == written[:i]:
                    following[text[i]] = following.get(text[i], 0.0) + share
            if len(following) > 1:
                total = sum(following.values())
                chances[i] = {text: share / total for text, share in following.items()}
            texts = [(text, share) for text, share in texts if text[: i + 1] == written[: i + 1]]
            if not texts or piece not in chances[i]:
                break
    return [
        {**_listed(piece, chance[piece]), "top_logprobs": list(_top(chance, alternatives))}
        for piece, chance in zip(written, chances, strict=True)
    ]


def pieces(value: Mapping[str, Any]) -> list[str]:
    """Return the pieces that an answer is written in.

    Parameters
    ----------
    value
        The answer.
    """
    return _PIECE.findall(json.dumps(value, ensure_ascii=False))


def _label(option: object) -> str:
    return option if isinstance(option, str) else json.dumps(option)


def _top(chance: Mapping[str, float], alternatives: int) -> Iterator[dict[str, Any]]:
    best: Sequence[str] = sorted(chance, key=lambda text: -chance[text])[:alternatives]
    return (_listed(text, chance[text]) for text in best)


def _listed(text: str, probability: float) -> dict[str, Any]:
    data = text.encode("utf-8", "surrogatepass")
    return {"token": text, "bytes": list(data), "logprob": math.log(probability)}
