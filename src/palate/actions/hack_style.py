"""How the judge of a hack is asked: in one style, or in one for each domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from palate.actions.hack_plan import Game
from palate.errors import UnknownNameError
from palate.mechanisms.judge import Style
from palate.mechanisms.judging import Styles
from palate.mechanisms.style import JudgeStyle

UNKNOWN = (
    "Nothing says how the judge was asked for the verdicts that are explained, so it is asked in "
    "mode zero-shot, without persona and rubric; if it was another judge, these win rates do not "
    "test its explanation."
)


def check_styles(style: Style, domains: Collection[str]) -> None:
    """Refuse styles that leave a domain out.

    Parameters
    ----------
    style
        One style, or one for each domain.
    domains
        The domains in which the judge is asked.

    Raises
    ------
    UnknownNameError
        If a domain has no style.
    """
    if isinstance(style, JudgeStyle):
        return
    for domain in domains:
        if domain not in style:
            raise UnknownNameError("domain of a judge's style", domain, style)


def styles_of(style: Style, games: Sequence[Game]) -> Styles:
    """Return how each game is put to the judge.

    Parameters
    ----------
    style
        One style, or one for each domain.
    games
        The games.
    """
    if isinstance(style, JudgeStyle):
        return style
    by_game = {game.matchup.id: style[game.task.domain] for game in games}
    return lambda matchup: by_game[matchup.id]


def told(style: Style) -> Mapping[str, Any]:
    """Return how the judge was asked, for the settings of a result.

    Parameters
    ----------
    style
        One style, or one for each domain.
    """
    if isinstance(style, JudgeStyle):
        return {"mode": style.mode, "standard": style.standard}
    modes = dict.fromkeys(one.mode for one in style.values())
    return {
        "mode": ", ".join(modes),
        "standard": {domain: one.standard for domain, one in style.items()},
    }
