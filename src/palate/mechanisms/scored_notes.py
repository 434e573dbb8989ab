"""What a reader of scores must know, in plain sentences."""

from __future__ import annotations

from collections import Counter

import numpy as np

from palate.mechanisms.scored import Scored
from palate.mechanisms.temperature import Calibration

COIN = "0.693"


def notes_of(scored: Scored) -> tuple[str, ...]:
    """Return the notes, the most important first.

    Parameters
    ----------
    scored
        The scores.
    """
    scores = [*scored.a, *scored.b]
    n = len(scores)
    notes = []
    reasons = Counter(score.failure for score in scores if score.failure)
    if reasons:
        pairs = int(np.isnan(scored.margins).sum())
        what = "; ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common(3))
        notes.append(
            f"{_of(sum(reasons.values()), n, 'response')} got no score, so that {_count(pairs)} "
            f"no verdict: {what}."
        )
    cut = sum(score.left_out > 0 for score in scores)
    if cut:
        limit = scored.facts.get("max_length") or scored.facts.get("max_chars")
        unit = "tokens with the prompt" if scored.facts.get("max_length") else "characters"
        notes.append(
            f"{_of(cut, n, 'response')} {_were(cut)} read with the middle of the longest texts "
            f"left out: more than {limit:,} {unit}."
        )
    plain = sum(score.plain for score in scores)
    if plain:
        notes.append(
            f"{_of(plain, n, 'conversation')} {_were(plain)} shown as one prompt and one response: "
            "the model's chat template refuses the turns."
        )
    if scored.facts.get("chat_template") is False:
        notes.append(
            "The model has no chat template: it was given prompt and response as a pair of texts."
        )
    if scored.facts.get("label") is not None:
        notes.append(f"The score is the output {scored.facts['label']!r} of several.")
    expected, answered = (scored.facts.get(k, 0) for k in ("expected_ratings", "answered"))
    if 0 < expected < answered:
        notes.append(
            f"{_of(answered - expected, answered, 'rating')} {_were(answered - expected)} taken as "
            "said, because their probabilities cannot be told; the rest are expected ratings."
        )
    ties = int((scored.margins == 0).sum())
    if ties:
        notes.append(
            f"{_of(ties, len(scored.ids), 'pair')} {'has' if ties == 1 else 'have'} equal scores, "
            "which is a tie"
            + (": ratings are whole numbers." if scored.facts.get("whole_numbers") else ".")
        )
    if scored.calibration is not None:
        notes += _fit(scored.calibration)
    elif not scored.hard:
        notes.append(
            "T = 1: no reference is named, so that the signs of the verdicts say something and "
            "their sizes do not (--reference MECHANISM fits T, --hard keeps the signs alone)."
        )
    return tuple(notes)


def _fit(c: Calibration) -> list[str]:
    interval = f"{c.low:.3g} and more" if c.high is None else f"{c.low:.3g} to {c.high:.3g}"
    gain = c.log_loss_at_one - c.log_loss
    notes = [
        f"T = {c.temperature:.3g} (95 % interval {interval}) fits {c.reference!r} best, on "
        f"{c.pairs:,} pairs of {c.groups:,} prompts. Held-out log loss {c.log_loss:.3f}; of a coin "
        f"{COIN}; at T = 1 {c.log_loss_at_one:.3f}, so that T gains {gain:+.3f} (95 % interval "
        f"{c.gain_low:+.3f} to {c.gain_high:+.3f})."
    ]
    if c.high is None:
        notes.append(
            f"It is not ruled out that the scores say nothing about {c.reference!r}: the sizes of "
            "the verdicts are not to be relied on."
        )
    return notes


def _of(count: int, n: int, what: str) -> str:
    return f"{count:,} of {n:,} {what}s"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _count(n: int) -> str:
    return f"{n:,} pair has" if n == 1 else f"{n:,} pairs have"
