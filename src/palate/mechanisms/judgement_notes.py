"""What a reader must know of a judgement, in plain sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from palate.mechanisms.judgement import Judgement

_ORDERS = {
    "both": "both orders",
    "ab": "response a first",
    "ba": "response b first",
    "random": "one order drawn for each pair",
}


def notes_of(judgement: Judgement) -> tuple[str, ...]:
    """Return the sentences, the most important first.

    Parameters
    ----------
    judgement
        The judgement.
    """
    sentences = (
        opening(judgement),
        _failures(judgement),
        _samples(judgement),
        _truncated(judgement),
        _flagged(judgement),
        _cleaned(judgement),
    )
    return tuple(sentence for sentence in sentences if sentence)


def opening(judgement: Judgement) -> str:
    """Return who judged what in which way, and how many pairs have a verdict.

    Parameters
    ----------
    judgement
        The judgement.
    """
    model = judgement.provenance.get("model") or "a language model"
    n, known = len(judgement.ids), int(np.isfinite(judgement.verdicts).sum())
    times = f", each asked {judgement.samples} times" if judgement.samples > 1 else ""
    soft = ", soft verdicts" if judgement.soft_verdicts else ""
    sentence = (
        f"{judgement.name}: {known:,} of {_pairs(n)} judged by {model} ({_manner(judgement)}; "
        f"{_ORDERS[judgement.orders]}{times}{soft})"
    )
    flips = sum(pair.flips for pair in judgement.judged)
    twice = sum(
        pair.ab is not None
        and pair.ba is not None
        and np.isfinite(pair.ab.verdict + pair.ba.verdict)
        for pair in judgement.judged
    )
    if twice and not flips:
        sentence += "; the orders agree on all of them"
    elif twice:
        zero = "" if judgement.soft_verdicts else ", which count as 0"
        sentence += f"; the orders disagree on {flips:,} ({100 * flips / twice:.1f} %){zero}"
    return sentence + "."


def reasons(judgement: Judgement) -> list[tuple[str, int]]:
    """Return why questions stayed without an answer, and how many; the most frequent first.

    Parameters
    ----------
    judgement
        The judgement.
    """
    return Counter(reason.split(":")[0] for _, _, reason in judgement.failures).most_common()


def _manner(judgement: Judgement) -> str:
    style = judgement.style
    parts = [str(style.get("mode", "zero-shot"))]
    if style.get("examples_of"):
        parts[0] += f" with verdicts of {style['examples_of']}"
    own = next(iter(style["by_domain"].values())) if "by_domain" in style else style
    if own.get("persona"):
        persona = own["persona"]
        parts.append(f"as {persona}" if len(persona.split()) == 1 else "as a reader described")
    parts += ["by a rubric"] * bool(own.get("rubric"))
    if "by_domain" in style:
        parts.append("by criteria of each domain")
    elif own.get("criteria"):
        n = len(own["criteria"])
        parts.append(f"by {n} criteri{'on' if n == 1 else 'a'}")
    return ", ".join([*parts, *["ties allowed"] * bool(own.get("ties"))])


def _failures(judgement: Judgement) -> str:
    names = list(dict.fromkeys(name for name, _, _ in judgement.failures))
    if not names:
        return ""
    why = ", ".join(f"{reason} ({count:,})" for reason, count in reasons(judgement))
    return (
        f"{'1 pair has' if len(names) == 1 else f'{len(names):,} pairs have'} questions without an "
        f"answer and {'is' if len(names) == 1 else 'are'} not judged: {why}; {_listed(names)}."
    )


def _samples(judgement: Judgement) -> str:
    said = [o for pair in judgement.judged for o in (pair.ab, pair.ba) if o is not None]
    short = sum(0 < len(order.samples) < judgement.samples for order in said)
    if judgement.soft_verdicts:
        lacking = sum(order.soft is None and not order.failure for order in said)
        if lacking:
            return (
                f"{lacking:,} answer{'' if lacking == 1 else 's'} came without probabilities; the "
                "pairs are not judged."
            )
    if not short:
        return ""
    return (
        f"In {short:,} order{'' if short == 1 else 's'} of a pair fewer than "
        f"{judgement.samples} samples were answered; the verdict is that of the others."
    )


def _truncated(judgement: Judgement) -> str:
    n = len(judgement.truncated)
    if not n:
        return ""
    return (
        f"{_pairs(n)} {'was' if n == 1 else 'were'} shown shortened, to "
        f"{judgement.max_chars:,} characters of each text: {_listed(list(judgement.truncated))}."
    )


def _flagged(judgement: Judgement) -> str:
    n = len(judgement.flagged)
    if not n:
        return ""
    it = "it" if n == 1 else "them"
    return (
        f"{'1 pair has a text' if n == 1 else f'{n:,} pairs have texts'} that may address the "
        f"model that reads {it}; look at {it}: {_listed(list(judgement.flagged))}."
    )


def _cleaned(judgement: Judgement) -> str:
    n = judgement.cleaned
    if not n:
        return ""
    return f"{n:,} character{'' if n == 1 else 's'} that cannot be sent became U+FFFD."


def _pairs(n: int) -> str:
    return "1 pair" if n == 1 else f"{n:,} pairs"


def _listed(names: list[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return shown + (f", and {len(names) - limit:,} more" if len(names) > limit else "")
