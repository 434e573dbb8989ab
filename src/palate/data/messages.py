"""Chat messages to the texts that concepts are measured on.

A message is `{role, content}`; content is text or a list of parts `{type, text, ...}`. A part that
is not text (an image) is shown as "[image]". One user message is rendered as its bare text;
anything longer as "role: text" turns with empty lines between them. A response of one assistant
message is its bare text. The messages themselves are kept as metadata, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the readers of formats import this file
    from palate.data.formats.base import Raw, Where

Messages = Sequence[Mapping[str, Any]]


def render_prompt(messages: Messages) -> str:
    """Return a prompt as text: the bare text of a single user message, else all turns."""
    return _render(messages, "user")


def render_response(messages: Messages) -> str:
    """Return a response as text: the bare text of a single assistant message, else all turns."""
    return _render(messages, "assistant")


def content_text(content: Any) -> str:
    """Return the text of one message's content, text or a list of typed parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    parts = []
    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif part.get("type", "text") == "text":
            parts.append(part.get("text") or "")
        else:
            parts.append(f"[{part['type']}]")
    return "\n".join(parts)


def check_messages(value: Any, where: Where, column: str) -> list[dict[str, Any]]:
    """Return chat messages as they are, if they are chat messages.

    Parameters
    ----------
    value
        What the file has.
    where
        Its row.
    column
        Its column.

    Raises
    ------
    RowError
        If it is not a list of `{role, content}` objects.
    """
    expected = "a list of messages {role, content}"
    if not isinstance(value, list):
        raise where.error(column, value, expected)
    for message in value:
        if not isinstance(message, dict) or "content" not in message:
            raise where.error(column, message, expected)
        if not isinstance(message.get("role", ""), str):
            raise where.error(column, message, "a message whose role is text")
        content = message["content"]
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            if part is not None and not isinstance(part, str | dict):
                raise where.error(column, part, "content that is text or a list of parts")
            text = part.get("text") if isinstance(part, dict) else None
            kind = part.get("type", "text") if isinstance(part, dict) else "text"
            if not (text is None or isinstance(text, str)) or not isinstance(kind, str):
                raise where.error(column, part, "a part {type, text}")
    return value


def pair_texts(
    raw: Raw,
    where: Where,
    *,
    prompt: str = "prompt",
    response_a: str = "response_a",
    response_b: str = "response_b",
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the three texts of a pair, and the message lists among them as metadata.

    Parameters
    ----------
    raw
        A raw row; each of the three columns holds text or chat messages.
    where
        Its place.
    prompt
        Name of the prompt's column.
    response_a
        Name of the column of response a.
    response_b
        Name of the column of response b.

    Raises
    ------
    RowError
        If a column is missing or is neither text nor messages.
    """
    texts: dict[str, str] = {}
    messages: dict[str, Any] = {}
    names = {"prompt": prompt, "response_a": response_a, "response_b": response_b}
    for target, column in names.items():
        value = where.need(raw, column)
        if isinstance(value, str):
            texts[target] = value
        elif isinstance(value, list):
            checked = check_messages(value, where, column)
            texts[target] = (render_prompt if target == "prompt" else render_response)(checked)
            messages[f"{target}_messages"] = value
        else:
            raise where.error(column, value, "text or a list of messages {role, content}")
    return texts, messages


def _render(messages: Messages, alone: str) -> str:
    if len(messages) == 1 and messages[0].get("role", alone) == alone:
        return content_text(messages[0]["content"])
    return "\n\n".join(f"{m.get('role', '')}: {content_text(m['content'])}" for m in messages)
