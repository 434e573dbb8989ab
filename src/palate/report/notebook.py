"""A small static view of one explanation for notebooks."""

from __future__ import annotations

from html import escape

from palate.explanations.explanation import Explanation
from palate.report.figures import OURS, TOTALS, level_of, scores_of
from palate.report.sentences import fdr_sentences, mechanism_sentences
from palate.report.static import ShortEffect, short_effects
from palate.report.visible import one_line
from palate.report.words import shown, step_words

_CELL = 'style="text-align:left;padding:2px 10px 2px 0;border:0"'
_NUMBER = 'style="text-align:right;padding:2px 10px 2px 0;border:0;white-space:nowrap"'
_SUPPORTED, _REST = "#5b94d0", "#8a929c"  # readable on white and on dark paper


def explanation_html(explanation: Explanation, *, top: int = 10) -> str:
    """Return the shared effects with bars and verdicts, and the held-out scores, as static HTML.

    A bar stands only where an effect is supported. Colours are readable on light and dark pages;
    every text is escaped.

    Parameters
    ----------
    explanation
        The explained mechanism.
    top
        At most so many concepts.
    """
    level = level_of(explanation)
    rows = "".join(_row(explanation, r) for r in short_effects(explanation, top=top))
    head = "".join(
        f"<th {style}>{text}</th>"
        for text, style in (
            ("Concept", _CELL),
            ("", _CELL),
            ("Lift, %", _NUMBER),
            (f"{level} % interval", _NUMBER),
            ("Supported", _CELL),
        )
    )
    table = (
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        if rows
        else "<p>No effect everywhere could be estimated.</p>"
    )
    said = [*mechanism_sentences(explanation), *fdr_sentences([explanation])]
    return (
        '<div style="font-family:system-ui,sans-serif;max-width:52em">'
        f"<p><b>{escape(shown(explanation.mechanism))}</b></p><p>{escape(' '.join(said))}</p>"
        f"{table}{_scores(explanation)}</div>"
    )


def _row(explanation: Explanation, row: ShortEffect) -> str:
    effect = row.effect
    definition = one_line(explanation.concepts.concepts[effect.index].definition, 300)
    step = step_words(explanation, effect.index)
    title = escape(f"{row.sentence} One step: {step}. {definition}")
    colour = _SUPPORTED if effect.supported else _REST
    bar = f'<rect x="{row.start}%" width="{row.width}%" y="3" height="10" fill="{colour}"/>'
    dot = "currentColor" if effect.supported else "none"
    drawing = (
        '<svg width="180" height="16" aria-hidden="true">'
        f'<line x1="{row.zero}%" x2="{row.zero}%" y1="0" y2="16" stroke="#8a929c"/>'
        f"{bar if effect.supported else ''}"
        f'<line x1="{row.low_at}%" x2="{row.high_at}%" y1="8" y2="8" '
        f'stroke="{"currentColor" if effect.supported else colour}"/>'
        f'<circle cx="{row.at}%" cy="8" r="3" fill="{dot}" '
        f'stroke="{"currentColor" if effect.supported else colour}"/></svg>'
    )
    return (
        f'<tr title="{title}"><th scope="row" {_CELL}>{escape(shown(effect.concept))}</th>'
        f"<td {_CELL}>{drawing}</td><td {_NUMBER}>{escape(row.lift)}</td>"
        f"<td {_NUMBER}>{escape(row.interval)}</td><td {_CELL}>{row.symbol} {row.verdict}</td></tr>"
    )


def _scores(explanation: Explanation) -> str:
    found = scores_of(explanation)
    kept = {s.domain for s in found}
    total = next((d for d in TOTALS if d in kept), None)
    parts = []
    for setting, words in (("in domain", "new prompts"), ("new domain", "a domain left out")):
        listed = [
            f"{'explanation' if s.model == OURS else escape(one_line(s.model, 40))} "
            f"{100 * s.accuracy:.0f} %"
            for s in found
            if s.setting == setting and s.domain == total
        ]
        if listed:
            parts.append(f"<p>Held-out accuracy on {words}: {', '.join(listed)}.</p>")
    return "".join(parts)
