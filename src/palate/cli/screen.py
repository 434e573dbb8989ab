"""Standard output as the commands use it: plain unless it is a terminal, every text cleaned.

Nothing heavy is imported here, so that a command which prints a small table starts at once.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from palate.cli.terminal_text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PLAIN_WIDTH, WIDEST = 100, 120


def console() -> Console:
    """Return the console of standard output, plain and 100 columns wide unless it is a terminal."""
    from rich.console import Console

    here = Console(highlight=False, markup=False, emoji=False)
    if here.is_terminal:
        return Console(highlight=False, markup=False, emoji=False, width=min(here.width, WIDEST))
    return Console(
        highlight=False,
        markup=False,
        emoji=False,
        width=PLAIN_WIDTH,
        no_color=True,
        force_terminal=False,
        legacy_windows=False,
    )


def styled(words: object, style: str = "") -> Text:
    """Return a text that is cleaned and never read as markup.

    Parameters
    ----------
    words
        Anything; what is not text is shown by `str`.
    style
        Style of the console.
    """
    from rich.text import Text

    return Text(clean(words), style=style)


def paragraph(screen: Console, words: str, *, style: str = "", bullet: bool = False) -> None:
    """Print a text in lines that part no number from its per cent sign.

    Parameters
    ----------
    screen
        Where to.
    words
        The text.
    style
        Style of the console.
    bullet
        Whether a dot stands before it.
    """
    for line in textwrap.wrap(
        " ".join(clean(words).split()).replace(" %", "\u00a0%"),
        width=screen.width,
        initial_indent="· " if bullet else "",
        subsequent_indent="  " if bullet else "",
        break_on_hyphens=False,
    ):
        screen.print(styled(line.replace("\u00a0", " "), style), soft_wrap=True)


def percent(share: float | None) -> str:
    """Return a share in whole per cent, a dash where there is none.

    Parameters
    ----------
    share
        Between 0 and 1.
    """
    return "–" if share is None else f"{100 * share:.0f} %"


def counted(n: int, what: str) -> str:
    """Return a number with what it counts, "1 pair" or "1,200 pairs".

    Parameters
    ----------
    n
        The number.
    what
        One of them; its plural ends in s.
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"
