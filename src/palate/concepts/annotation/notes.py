"""What a reader must know of an annotation, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from palate.concepts.annotation.annotation import Annotation

SET_APART = "discovery_pairs_left_out"
"""Key in the provenance of an annotation: how many pairs the concepts were discovered on."""
FEW = 10
"""Pairs asked in both orders below which a concept's consistency says little."""
LONGEST_NAME = 34
"""Longer names are cut in the sentences, as they are in the terminal's table."""
OTHERWISE = ("for another reason", "for other reasons")
KINDS = {
    "differ in it": ("hardly ever differs", "hardly ever differ"),
    "become supported": ("cannot become supported", "cannot become supported"),
}
"""Words in a policy's reasons, and what they come to, of one concept and of several."""
_ORDERS = {
    "always": "both orders",
    "audit": "one order, a random share in both",
    "policy": "one order, both where it can matter",
    "never": "one order",
}


def notes_of(annotation: Annotation) -> tuple[str, ...]:
    """Return the sentences, the most important first.

    Parameters
    ----------
    annotation
        The annotation.
    """
    return tuple(
        sentence
        for sentence in (
            opening(annotation),
            _set_apart(annotation),
            _elsewhere(annotation),
            _undefined(annotation),
            _failures(annotation),
            _dropped(annotation),
            _stopped(annotation),
            _truncated(annotation),
            _flagged(annotation),
            _cleaned(annotation),
        )
        if sentence
    )


def opening(annotation: Annotation) -> str:
    """Return who annotated what, how much of it is known and how often both orders agree.

    Parameters
    ----------
    annotation
        The annotation.
    """
    model = annotation.provenance.get("model")
    who = f"by {model}" if model else "by a language model"
    how = f"protocol {annotation.protocol!r}"
    if annotation.protocol != "score":
        how += f", {_ORDERS.get(str(annotation.choices.get('second_order')), 'one order')}"
    n = annotation.matrix.n_concepts
    sentence = (
        f"{_counted(n, 'concept')} annotated {who} ({how}): "
        f"{_percent(known_share(annotation))} of the values are known"
    )
    twice, same = agreement(annotation)
    if twice:
        sentence += (
            f"; both orders give the same answer on {_percent(same / twice)} of "
            f"{twice:,} values asked in both"
        )
    zeros = annotation.n_inconsistent
    if zeros:
        sentence += f", and {zeros:,} that differ count as equal"
    return sentence + "."


def known_share(annotation: Annotation) -> float:
    """Return the share of values that are known, of those that apply.

    Parameters
    ----------
    annotation
        The annotation.
    """
    applies = annotation.applies
    return float(np.isfinite(annotation.matrix.values[applies]).mean()) if applies.any() else 0.0


def agreement(annotation: Annotation) -> tuple[int, int]:
    """Return how many values were asked in both orders, and on how many these agree.

    Parameters
    ----------
    annotation
        The annotation.
    """
    return sum(o.n for o in annotation.order), sum(o.same for o in annotation.order)


def reasons(annotation: Annotation) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return why questions stayed without an answer: reason, questions, ids of the pairs.

    Parameters
    ----------
    annotation
        The annotation.
    """
    count = Counter(lost.reason for lost in annotation.lost)
    return [
        (reason, n, tuple(dict.fromkeys(x.id for x in annotation.lost if x.reason == reason)))
        for reason, n in count.most_common()
    ]


def _set_apart(annotation: Annotation) -> str:
    n, kept = int(annotation.provenance.get(SET_APART) or 0), len(annotation.ids)
    if not n:
        return ""
    return (
        f"Left out: {_counted(n, 'pair')}"
        " that the concepts were discovered on, which would speak for them; "
        f"{kept:,} of the {kept + n:,} pairs were annotated."
    )


def _elsewhere(annotation: Annotation) -> str:
    here = set(annotation.domains)
    others = [
        f"{_short(c.name)!r} ({_listed([_short(d) for d in c.domains], 3)})"
        for c in annotation.matrix.concepts
        if c.domains is not None and here.isdisjoint(c.domains)
    ]
    if not others:
        return ""
    return (
        f"{_counted(len(others), 'concept', 'belongs', 'belong')}"
        " to domains that the annotated pairs do not have and "
        f"{'was' if len(others) == 1 else 'were'} not asked: {_listed(others)}."
    )


def _undefined(annotation: Annotation) -> str:
    here = set(annotation.domains)
    bare = [
        _short(c.name)
        for c in annotation.matrix.concepts
        if not c.definition.strip() and (c.domains is None or here & set(c.domains))
    ]
    if not bare:
        return ""
    return (
        f"{_counted(len(bare), 'concept', 'has', 'have')} no definition and "
        f"{'was' if len(bare) == 1 else 'were'} asked by name only: {_listed(bare)}; "
        "`palate discover --vocabulary FILE --llm MODEL` writes definitions."
    )


def kind_of(reason: str) -> tuple[str, str]:
    """Return why a concept was given up in a few words, of one concept and of several.

    Parameters
    ----------
    reason
        The policy's reason.
    """
    return next((kind for words, kind in KINDS.items() if words in reason), OTHERWISE)


def _failures(annotation: Annotation) -> str:
    n = len(annotation.failures)
    if not n:
        return ""
    why = ", ".join(f"{reason} ({count:,})" for reason, count, _ in reasons(annotation))
    return (
        f"{_counted(n, 'pair', 'has', 'have')}"
        " questions without an answer; what they were about is not measured unless the "
        f"other order was answered: {why}."
    )


def _dropped(annotation: Annotation) -> str:
    n = len(annotation.dropped)
    if not n:
        return ""
    named = [_short(name) for name in annotation.dropped]
    why = ""
    if n == 1:
        why = f" ({next(iter(annotation.dropped.values()))})"
    elif kinds := _kinds(annotation.dropped.values()):
        why = f" ({kinds})"
    return (
        f"{_counted(n, 'concept', 'was', 'were')}"
        f" given up during the annotation and {'is' if n == 1 else 'are'} left out: "
        f"{_listed(named, 10)}{why}."
    )


def _kinds(given: Iterable[str]) -> str:
    """Return how many concepts were given up for each kind of reason, the most frequent first."""
    count = Counter(map(kind_of, given))
    if set(count) == {OTHERWISE}:
        return ""
    return ", ".join(f"{n:,} {kind[0 if n == 1 else 1]}" for kind, n in count.most_common())


def _stopped(annotation: Annotation) -> str:
    n = len(annotation.stopped)
    if not n:
        return ""
    return (
        f"{_counted(n, 'concept', 'was', 'were')}"
        " not asked of every pair, because enough was known in some domains before: "
        f"{_listed([_short(name) for name in annotation.stopped])}."
    )


def _truncated(annotation: Annotation) -> str:
    n = len(annotation.truncated)
    if not n:
        return ""
    return (
        f"{_counted(n, 'pair', 'was', 'were')}"
        f" shown shortened, to {annotation.choices.get('max_chars', 0):,} characters of "
        f"each text: {_listed(list(annotation.truncated))}."
    )


def _flagged(annotation: Annotation) -> str:
    n = len(annotation.flagged)
    if not n:
        return ""
    return (
        f"{_counted(n, 'pair', 'has a text', 'have texts')}"
        f" that may address the model that reads {'it' if n == 1 else 'them'}; look at "
        f"{'it' if n == 1 else 'them'}: {_listed(list(annotation.flagged))}."
    )


def _cleaned(annotation: Annotation) -> str:
    n = annotation.cleaned
    if not n:
        return ""
    return f"{_counted(n, 'character')} that cannot be sent became U+FFFD."


def _counted(n: int, what: str, one: str = "", several: str = "") -> str:
    """Return "1 pair was" or "1,200 pairs were"."""
    return (f"{n:,} {what} {one}" if n == 1 else f"{n:,} {what}s {several}").rstrip()


def _short(name: str) -> str:
    line = " ".join(name[: 4 * LONGEST_NAME].split())
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…"


def _listed(names: list[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return shown + (f", and {len(names) - limit:,} more" if len(names) > limit else "")


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"
