"""Bodies of the answers: OpenAI's chat completions and the typed decisions of `/v1/systemone`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from palate.llm.scripted.question import Question
from palate.llm.scripted.tokens import PrefixCache, tokens_of

SURE = 0.9
"""Probability of the option that a script chose, where it says nothing of probabilities."""


def chat_body(
    question: Question,
    text: str,
    order: int,
    cache: PrefixCache,
    *,
    limited: bool = True,
    tokens: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the body of a chat completion; an answer over `max_tokens` is cut off.

    Parameters
    ----------
    question
        What was asked.
    text
        The answer.
    order
        Number of the call.
    cache
        What was read before.
    limited
        Whether `max_tokens` is kept to.
    tokens
        The tokens of the answer with their log-probabilities; None says nothing of them.
    """
    body = question.body
    sent = _sent(body)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    finish = "stop"
    if limited and limit is not None and tokens_of(text) > limit:
        data = text.encode("utf-8", "surrogatepass")[: limit * 4]
        text, finish = data.decode("utf-8", "ignore"), "length"
    if body.get("tools") and not (body.get("response_format") or {}).get("json_schema"):
        call = {"name": question.name, "arguments": text}
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"call_{order}", "type": "function", "function": call}],
        }
        finish = "tool_calls" if finish == "stop" else finish
    else:
        message = {"role": "assistant", "content": text, "refusal": None}
    prompt, completion = tokens_of(sent), tokens_of(text)
    listed = {"content": tokens, "refusal": None} if tokens and finish == "stop" else None
    return {
        "id": f"chatcmpl-{order}",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", "scripted"),
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": listed}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cache.read(sent)},
        },
    }


def decision_body(question: Question, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a typed decision: probabilities for every question.

    Parameters
    ----------
    question
        What was asked.
    value
        Per field the chosen value (`SURE` of the probability goes to it), a probability of yes, or
        a mapping from options to probabilities.
    """
    asked = question.body["questions"]
    return {
        "model": question.body.get("model", "scripted"),
        "answers": {path: decision(asked[path], _at(value, path)) for path in asked},
        "usage": {"input_tokens": tokens_of(_sent(question.body)), "output_tokens": 0},
    }


def decision(question: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """Return the answer to one typed question.

    Parameters
    ----------
    question
        Its type and criteria.
    value
        As for `decision_body`.
    """
    if question["type"] == "noul":
        yes = (SURE if value else 1 - SURE) if isinstance(value, bool) else float(value or 0.0)
        return {"type": "noul", "noul": round(yes, 6)}
    options = [str(option) for option in question["criteria"]]
    if isinstance(value, Mapping):
        given = {str(option): float(share) for option, share in value.items()}
    else:
        rest = (1 - SURE) / max(len(options) - 1, 1)
        given = {option: SURE if option == str(value) else rest for option in options}
    total = sum(given.get(option, 0.0) for option in options) or 1.0
    shares = {option: given.get(option, 0.0) / total for option in options}
    best = max(shares, key=lambda option: shares[option])
    if question["type"] == "choice":
        return {
            "type": "choice",
            "choice": best,
            "confidence": shares[best],
            "probabilities": shares,
        }
    return {
        "type": "score",
        "score": sum(level * share for level, share in enumerate(shares.values())),
        "confidence": shares[best],
        "probabilities": {str(level): share for level, share in enumerate(shares.values())},
    }


def _at(value: Any, path: str) -> Any:
    """What an answer says of a field, which may stand in objects: `p1/c1`."""
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """Return an error as OpenAI words it.

    Parameters
    ----------
    message
        One sentence.
    kind
        Its type.
    code
        Its code, if it has one.
    """
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def model_list() -> dict[str, Any]:
    """Return the body of `/v1/models`."""
    model = {"id": "scripted", "object": "model", "created": 1, "owned_by": "palate"}
    return {"object": "list", "data": [model]}


def _sent(body: Mapping[str, Any]) -> str:
    """Everything of a body that a model would read, in the order of its prefix cache."""
    parts = [
        body[k] for k in ("tools", "response_format", "messages", "state", "questions") if k in body
    ]
    return json.dumps(parts, ensure_ascii=False)
