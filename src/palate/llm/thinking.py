"""How much a model thinks before it answers, and the tokens that this may take.

Questions with a short answer of known shape gain little from thinking, and thinking is billed as
output and counts against the limit of tokens. So the default is "off": as little as the model
allows. A model that cannot be stopped from thinking, or is asked to think, gets room beyond the
answer, so that the answer is not cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from palate.errors import UnknownNameError

if TYPE_CHECKING:
    from pydantic_ai.models import Model

Thinking = Literal["off", "minimal", "low", "medium", "high"]
ROOM: dict[str, int] = {
    "off": 2_048,  # where it cannot be switched off
    "minimal": 2_048,
    "low": 4_096,
    "medium": 8_192,
    "high": 16_384,
}
"""Tokens beyond the answer that a thinking model may use."""


def check_thinking(level: str) -> None:
    """Refuse a level that does not exist.

    Parameters
    ----------
    level
        The level.

    Raises
    ------
    UnknownNameError
        If there is no such level.
    """
    if level not in get_args(Thinking):
        raise UnknownNameError("level of thinking", level, get_args(Thinking))


def thinking_of(model: Model[Any], level: Thinking) -> tuple[dict[str, Any], int]:
    """Return the settings that tell a model how much to think, and the room that this takes.

    A model whose profile knows of no thinking is told nothing; it gets room all the same if it was
    asked to think, because servers of one's own are known by their address only.

    Parameters
    ----------
    model
        The model.
    level
        How much it is to think.
    """
    profile = model.profile
    always = bool(profile.get("thinking_always_enabled", False))
    settings: dict[str, Any] = {}
    if always or profile.get("supports_thinking", False):
        settings["thinking"] = False if level == "off" else level
    return settings, ROOM[level] if always or level != "off" else 0
