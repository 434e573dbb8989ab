"""How well held-out verdicts are predicted, in sentences, beside models that know no concept.

A gain is claimed only where the interval of the paired difference to every such model lies above
zero (`palate.explanations.yardsticks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from palate.explanations.evaluation import IN_DOMAIN
from palate.explanations.explanation import Explanation
from palate.explanations.yardsticks import WORDS, Yardstick, best_null
from palate.report.figures import Score, headline_score, level_of, n_scored
from palate.report.words import plain, shown, signed

FEW = 6  # up to so many mechanisms are named one by one
NO_SCORE = "How well this predicts new verdicts could not be estimated."


def score_sentence(explanation: Explanation) -> str:
    """Return how well held-out verdicts are predicted, beside the best null baseline.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    score = headline_score(explanation)
    if score is None:
        return NO_SCORE
    text = (
        f"The explanation predicts {round(100 * score.accuracy)} % of {_verdicts([explanation])} "
        f"on new prompts{_interval(score, explanation)}"
    )
    found = best_null(explanation)
    return f"{text}{gain_words(found, level_of(explanation))}." if found else f"{text}."


def gain_words(found: Yardstick, level: str) -> str:
    """Return the gain over the best null baseline as a clause: ", 22 points more (...) than ...".

    Parameters
    ----------
    found
        The yardstick.
    level
        Level of the interval in per cent.
    """
    rule = f"{WORDS[found.model]} ({round(100 * found.accuracy)} %)"
    gain = 100 * found.gain
    interval = ""
    if found.low is not None and found.high is not None:
        low, high = 100 * found.low, 100 * found.high
        interval = f"{level} % interval {_points(low)} to {_points(high)}"
    if found.beaten:
        return f", {plain(gain)} points more ({interval}) than {rule}"
    if gain <= 0:
        return f", no more than {rule}"
    beside = f"{signed(gain)} points, {interval}" if interval else f"{signed(gain)} points"
    return f"; whether that is more than {rule} is not clear ({beside})"


def scores_of_several(explanations: Sequence[Explanation]) -> str:
    """Return the range of the scores of several mechanisms, beside their best null baselines.

    Parameters
    ----------
    explanations
        One per mechanism.
    """
    scored = [(e, s) for e in explanations if (s := headline_score(e)) is not None]
    if not scored:
        return NO_SCORE
    low = min(scored, key=lambda x: x[1].accuracy)
    high = max(scored, key=lambda x: x[1].accuracy)
    text = (
        f"On new prompts the explanations predict {round(100 * low[1].accuracy)} % "
        f"({shown(low[0].mechanism)}) to {round(100 * high[1].accuracy)} % "
        f"({shown(high[0].mechanism)}) of {_verdicts([e for e, _ in scored])}"
    )
    if len(scored) > FEW:
        text += f", median {round(100 * median(s.accuracy for _, s in scored))} %"
    found = [y for e, _ in scored if (y := best_null(e)) is not None]
    if not found:
        return f"{text}."
    nulls = [round(100 * y.accuracy) for y in found]
    between = f"{min(nulls)}" if min(nulls) == max(nulls) else f"{min(nulls)} to {max(nulls)}"
    beaten, n = sum(y.beaten for y in found), len(found)
    count = "all of them" if beaten == n else "none of them" if not beaten else f"{beaten} of {n}"
    return (
        f"{text}; the best baselines that know no concept, {between} %. The gain over every such "
        f"baseline lies above zero with its {level_of(scored[0][0])} % interval for {count}."
    )


def _verdicts(explanations: Sequence[Explanation]) -> str:
    """Return "verdicts", or what is left of them where some are ties."""
    ties = any(e.counts.get("ties") for e in explanations)
    return "verdicts that are not ties" if ties else "verdicts"


def _points(value: float) -> str:
    text = plain(value)
    return f"−{text}" if value < 0 and text != "0" else text


def _interval(score: Score, explanation: Explanation) -> str:
    details: list[str] = []
    if score.domain == "(mean)" and (n := n_scored(explanation, setting=IN_DOMAIN)) > 1:
        details.append(f"mean of {n} domains")
    if score.low is not None and score.high is not None:
        details.append(
            f"{level_of(explanation)} % interval {round(100 * score.low)} to "
            f"{round(100 * score.high)}"
        )
    return f" ({', '.join(details)})" if details else ""
