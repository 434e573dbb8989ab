"""A short summary in Markdown, for a README, a pull request or a chat."""

from __future__ import annotations

import re
from collections.abc import Sequence

from palate.explanations.explanation import Explanation
from palate.report.figures import level_of
from palate.report.sentences import mechanism_sentences, summary_sentences
from palate.report.static import short_effects
from palate.report.words import shown

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def summary_markdown(explanations: Sequence[Explanation], *, top: int = 5) -> str:
    """Return the summary sentences and the supported shared effects of each mechanism.

    Characters that Markdown or HTML would interpret are escaped.

    Parameters
    ----------
    explanations
        One per mechanism.
    top
        At most so many concepts per mechanism.
    """
    lines = [_plain(" ".join(summary_sentences(explanations))), ""]
    for explanation in explanations:
        lines += [f"## {_plain(shown(explanation.mechanism))}", ""]
        if len(explanations) > 1:
            lines += [_plain(" ".join(mechanism_sentences(explanation))), ""]
        rows = short_effects(explanation, top=top, supported_only=True)
        if rows:
            lines += [
                f"| supported everywhere | lift, % per step | {level_of(explanation)} % interval |",
                "|---|---:|---:|",
            ]
            lines += [
                f"| {_plain(shown(r.effect.concept))} | {_plain(r.lift)} | {_plain(r.interval)} |"
                for r in rows
            ]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
