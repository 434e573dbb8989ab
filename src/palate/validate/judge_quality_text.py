"""How good judges are, in sentences that a reader can quote."""

from __future__ import annotations

from typing import Any

from palate.validate.judge_quality_result import ALL, JudgeQuality

NONE = "–"


def sentences(quality: JudgeQuality) -> list[str]:
    """Return the summary: who is most accurate, and who prefers a place.

    Parameters
    ----------
    quality
        What was found.
    """
    return [s for s in (_best(quality), _places(quality), _flips(quality)) if s]


def about_judge(quality: JudgeQuality, mechanism: str) -> list[str]:
    """Return what can be said of one judge over all pairs: accuracy, place, consistency.

    Parameters
    ----------
    quality
        What was found.
    mechanism
        The judge.

    Raises
    ------
    UnknownNameError
        If there is no such judge.
    """
    row = quality.row(mechanism)
    found = (accuracy(quality, row), place(quality, row), consistency(quality, row))
    return [s for s in found if s]


def accuracy(quality: JudgeQuality, row: dict[str, Any]) -> str:
    """Return how often a judge agrees with the reference, and how far it is behind the best.

    Parameters
    ----------
    quality
        What was found.
    row
        A row of its table.
    """
    if row["accuracy"] is None:
        return ""
    name = row["mechanism"]
    text = (
        f"{name} agrees with {quality.reference} on {_share(quality, row, 'accuracy')} of "
        f"{_counted(row['compared'], 'pair')}, a tie counting one half"
    )
    if row["accuracy_decided"] is not None and row["ties"]:
        text += f", and on {percent(row['accuracy_decided'])} of those it decides"
    if name == quality.best or row["behind"] is None:
        return f"{text}."
    word = "behind" if row["behind_p"] <= 1 - quality.level else "not told apart from"
    return (
        f"{text}. On the pairs that both judged it is {word} {quality.best}: "
        f"{points(-row['behind'])} points ({_level(quality)} interval "
        f"{points(-row['behind_high'])} to {points(-row['behind_low'])}; "
        f"adjusted {p_words(row['behind_p'])})."
    )


def place(quality: JudgeQuality, row: dict[str, Any]) -> str:
    """Return whether a judge prefers the response shown first or second.

    Parameters
    ----------
    quality
        What was found.
    row
        A row of its table.
    """
    if row["first_shown"] is None:
        return ""
    lean = leaning(quality, row)
    share = _share(quality, row, "first_shown")
    test = (
        "" if row["place_p_adjusted"] is None else f"; adjusted {p_words(row['place_p_adjusted'])}"
    )
    if not lean:
        return (
            f"{row['mechanism']} has no preference for a place beyond noise: the response shown "
            f"first gets {share} of its verdicts{test}."
        )
    return (
        f"{row['mechanism']} prefers the response shown {'first' if lean > 0 else 'second'}: the "
        f"one shown first gets {share} of its verdicts, {points(row['first_shown'] - 0.5)} points "
        f"from an even share{test}."
    )


def consistency(quality: JudgeQuality, row: dict[str, Any]) -> str:
    """Return how often the orders, and samples of one question, disagree.

    Parameters
    ----------
    quality
        What was found.
    row
        A row of its table.
    """
    parts = []
    if row["flips"] is not None:
        share = _share(quality, row, "flips")
        text = f"the orders disagree on {share} of {_counted(row['both_orders'], 'pair')}"
        if row["first_of_flips"] is not None:
            text += f", of which the response shown first wins {percent(row['first_of_flips'])}"
        parts.append(text)
    if row["samples_agree"] is not None:
        parts.append(f"two samples of a question agree in {_share(quality, row, 'samples_agree')}")
    return f"{row['mechanism']}: {'; '.join(parts)}." if parts else ""


def leaning(quality: JudgeQuality, row: dict[str, Any]) -> int:
    """Return +1 if the response shown first is preferred beyond noise, -1 the second, else 0.

    Parameters
    ----------
    quality
        What was found.
    row
        A row of its table.
    """
    p = row["place_p_adjusted"]
    if p is None or p > 1 - quality.level or row["first_shown"] == 0.5:
        return 0
    return 1 if row["first_shown"] > 0.5 else -1


def method(quality: JudgeQuality) -> str:
    """Return how the numbers were made.

    Parameters
    ----------
    quality
        What was found.
    """
    c = quality.counts
    rows = _pooled(quality)
    alpha = f"{1 - quality.level:.2g}".lstrip("0")
    text = [
        f"{_counted(c['judges'], 'judge')}, {_counted(c['pairs'], 'pair')} in "
        f"{_counted(c['domains'], 'domain')}, {_counted(c['groups'], 'group')} (pairs with the "
        f"same prompt or responses). Intervals are of {_level(quality)}, clustered by these groups "
        "(Korn and Graubard)."
    ]
    tested = False
    if any(row["place_p_adjusted"] is not None for row in rows):
        tested = True
        text.append(
            "Preference for a place is tested by changing the signs of groups, exactly; p-values "
            "are adjusted over judges (Holm), in domains over judges and domains (Benjamini and "
            "Hochberg)."
        )
    if any(row["behind_p"] is not None for row in rows):
        tested = True
        text.append(
            "Differences of accuracy are tested by changing the signs of groups, exactly, on the "
            "pairs that both judged, and adjusted over all couples of judges (Holm), so that they "
            "hold whichever judge turns out best; ranks span the judges that cannot be told apart."
        )
    if tested:
        text.append(f"Beyond noise means an adjusted p of at most {alpha}.")
    return " ".join(text)


def percent(share: float | None) -> str:
    """Return a share in per cent with one digit, a dash where there is none.

    Parameters
    ----------
    share
        Between 0 and 1.
    """
    return NONE if share is None else f"{100 * share:.1f} %"


def points(share: float | None) -> str:
    """Return a difference of shares in points with its sign, a dash where there is none.

    Parameters
    ----------
    share
        Between -1 and 1.
    """
    if share is None:
        return NONE
    text = f"{abs(100 * share):.1f}"
    return text if text == "0.0" else f"{'+' if share > 0 else '−'}{text}"


def p_words(p: float) -> str:
    """Return a p-value in words: "p < .001", "p = .02".

    Parameters
    ----------
    p
        Between 0 and 1.
    """
    if p < 0.001:
        return "p < .001"
    return f"p = {p:.2g}".replace("0.", ".")


def ends(row: dict[str, Any], name: str, *, percents: bool = True) -> str:
    """Return an interval as words, a dash where there is none.

    Parameters
    ----------
    row
        A row of the table.
    name
        A measure.
    percents
        Whether it is a share; a difference otherwise.
    """
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None:
        return NONE
    if percents:
        return f"{100 * low:.1f} to {100 * high:.1f}"
    return f"{points(low)} to {points(high)}"


def _share(quality: JudgeQuality, row: dict[str, Any], name: str) -> str:
    interval = ends(row, name)
    text = percent(row[name])
    return text if interval == NONE else f"{text} ({_level(quality)} interval {interval})"


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _level(quality: JudgeQuality) -> str:
    return f"{100 * quality.level:g} %"


def _pooled(quality: JudgeQuality) -> list[dict[str, Any]]:
    return quality.frame.filter(domain=ALL).rows(named=True)


def _best(quality: JudgeQuality) -> str:
    if quality.best is None:
        return ""
    row = quality.row(quality.best)
    text = accuracy(quality, row)
    others = [r for r in _pooled(quality) if r["behind_p"] is not None]
    if not others:
        return text
    near = [r["mechanism"] for r in others if r["behind_p"] > 1 - quality.level]
    if not near:
        whom = others[0]["mechanism"] if len(others) == 1 else f"each of the {len(others)} others"
        return f"{text} It is ahead of {whom} beyond noise."
    if len(others) == 1:
        return f"{text} {near[0]} cannot be told apart from it."
    named = ", ".join(near[:3]) + (f" and {len(near) - 3} more" if len(near) > 3 else "")
    return f"{text} Of {len(others)} others, {len(near)} cannot be told apart from it: {named}."


def _places(quality: JudgeQuality) -> str:
    rows = [r for r in _pooled(quality) if r["first_shown"] is not None]
    if not rows:
        return ""
    if len(rows) == 1:
        return place(quality, rows[0])
    first = [r for r in rows if leaning(quality, r) > 0]
    second = [r for r in rows if leaning(quality, r) < 0]
    whose = f"Of {len(rows)} judges with verdicts in both orders, "
    if not first and not second:
        return f"{whose}none prefers a place beyond noise."
    most = max(first + second, key=lambda r: abs(r["first_shown"] - 0.5))
    return (
        f"{whose}{len(first)} prefer{'s' * (len(first) == 1)} the response shown first and "
        f"{len(second)} the one shown second, beyond noise. Most of all: {place(quality, most)}"
    )


def _flips(quality: JudgeQuality) -> str:
    rows = [r for r in _pooled(quality) if r["flips"] is not None]
    if not rows:
        return ""
    if len(rows) == 1:
        return consistency(quality, rows[0])
    least, most = (f(rows, key=lambda r: r["flips"]) for f in (min, max))
    if least["flips"] == most["flips"]:
        return f"The orders disagree on {percent(most['flips'])} of the pairs of each judge."
    return (
        f"The orders disagree on {percent(least['flips'])} of the pairs ({least['mechanism']}) to "
        f"{percent(most['flips'])} ({most['mechanism']})."
    )
