"""What went wrong with a call, as a `CallError`: one sentence that holds no key and no header.

Providers echo what they were sent, keys included, so no message of theirs is passed on before
everything that the environment keeps secret is taken out of it.
"""

from __future__ import annotations

import os
import re

from palate.errors import shorten
from palate.llm.backend import CallError
from palate.llm.outcome import Usage
from palate.llm.secrets import redact

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(_ID)?$", re.IGNORECASE)
_LONGEST_DETAIL = 300


def hide_secrets(text: str) -> str:
    """Return a text without what the environment keeps secret, and without what looks like a key.

    Parameters
    ----------
    text
        Any text.
    """
    return redact(text, [v for name, v in os.environ.items() if _SECRET_NAME.search(name)])


def call_error(error: Exception, *, model: str, key_variable: str | None) -> CallError:
    """Return what a failed call means for the client: whether to ask again, wait or give up.

    Parameters
    ----------
    error
        What pydantic-ai raised.
    model
        Name of the model, for the sentence.
    key_variable
        Environment variable that holds the key, None where no key is needed.
    """
    from pydantic_ai import exceptions as kinds

    said = _said(error)
    after = getattr(error, "retry_after", None)
    status = getattr(error, "status_code", None)
    key = f"the environment variable {key_variable}" if key_variable else "the key"
    if isinstance(error, kinds.ModelContextWindowExceededError):
        return CallError("too long", f"The request is longer than {model} takes.")
    if isinstance(error, kinds.ModelQuotaExceededError):
        return CallError("rate limit", f"The account has no credit left for {model}.", fatal=True)
    if isinstance(error, kinds.ModelAuthenticationError):
        return CallError(
            "declined", f"{model} refused the key (status {status}): check {key}.", fatal=True
        )
    if isinstance(error, kinds.ModelNotFoundError):
        return CallError(
            "declined", f"The endpoint knows no model {model} (status {status}).", fatal=True
        )
    if isinstance(error, kinds.ModelRateLimitError):
        return CallError("rate limit", f"{model} asks for fewer calls.", retry=True, after=after)
    if isinstance(error, kinds.ModelTimeoutError):
        return CallError("timeout", f"{model} did not answer in time.", retry=True)
    if isinstance(error, kinds.ModelConnectionError):
        return CallError("connection", f"The connection to {model} failed: {said}", retry=True)
    if isinstance(error, kinds.ModelHTTPError):
        return _by_status(error.status_code, said, model, after)
    if isinstance(error, kinds.OutputTokenLimitExceeded):
        return CallError("cut off", "The answer reached its limit of tokens.", answered=True)
    if isinstance(error, kinds.ContentFilterError):
        return CallError("declined", f"A filter of {model} stopped the answer.", answered=True)
    if any(isinstance(e, UnicodeEncodeError) for e in (error, error.__cause__)):
        return CallError("declined", "The request holds half of a character and cannot be sent.")
    pointed = getattr(error.__cause__, "status_code", None)
    if isinstance(pointed, int) and 300 <= pointed < 400:
        # following it could carry the key to another host
        return CallError(
            "declined",
            f"The endpoint of {model} points to another address (status {pointed}), which is not "
            "followed: ask that one.",
            fatal=True,
        )
    if isinstance(error, kinds.UserError):
        return CallError("declined", f"{model} cannot be asked this: {said}", fatal=True)
    if isinstance(error, TimeoutError):
        return CallError("timeout", f"{model} did not answer in time.", retry=True)
    if isinstance(error, OSError):
        return CallError("connection", f"The connection to {model} failed: {said}", retry=True)
    return CallError(
        "server error", f"{model} answered nonsense: {said}", retry=True, answered=True
    )


def _by_status(status: int, said: str, model: str, after: float | None) -> CallError:
    if status in (408, 504):
        return CallError("timeout", f"{model} did not answer in time.", retry=True, after=after)
    if status in (409, 425) or status >= 500:
        return CallError(
            "server error", f"{model} failed (status {status}).", retry=True, after=after
        )
    return CallError("declined", f"{model} refused the request (status {status}): {said}")


def finished(reason: str | None, model: str, usage: Usage) -> CallError | None:
    """Return why an answer that came is none, None where it is one.

    Parameters
    ----------
    reason
        Why the model stopped.
    model
        Name of the model, for the sentence.
    usage
        Tokens of the call.
    """
    if reason == "length":
        return CallError("cut off", "The answer reached its limit of tokens.", usage=usage)
    if reason == "content_filter":
        return CallError("declined", f"{model} would not answer.", usage=usage)
    return None


def _said(error: Exception) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    text = message if isinstance(message, str) else str(error) or type(error).__name__
    text = shorten(hide_secrets(" ".join(text.split())), _LONGEST_DETAIL)[1:-1]
    return text if text.endswith(".") else f"{text}."
