"""Words for names, numbers and steps, the same in every view."""

from __future__ import annotations

from collections.abc import Sequence

from palate.explanations.explanation import Explanation
from palate.report.effects import lift
from palate.report.visible import one_line

NAME = 80  # characters of a name that a sentence shows
NEARLY_ALL = 99.5, 99.95  # lifts beyond these have a digit behind the point, or are "over 99.9"


def shown(name: str) -> str:
    """Return a name as a sentence shows it: one visible line, at most 80 characters.

    Parameters
    ----------
    name
        Name of a mechanism, concept or domain.
    """
    return one_line(name, NAME)


def listed(items: Sequence[str], *, last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c".

    Parameters
    ----------
    items
        At least one text.
    last
        The word before the last item.
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def step_words(explanation: Explanation, index: int) -> str:
    """Return what one step of a concept is, in its own unit.

    Parameters
    ----------
    explanation
        The explanation whose concept it is.
    index
        Column of the concept.
    """
    matrix = explanation.concepts
    step, unit = float(matrix.step[index]), one_line(matrix.concepts[index].unit, 40)
    if matrix.scales[index] == "comp" or not step > 0:
        return "more of it than the other response"
    if matrix.scales[index] == "score" and not unit:
        unit = "point" if step == 1 else "points"
    if "=" in unit:  # "1 = kept, 0 = broken" is a legend, not a noun
        return f"{quantity(step)} more, where {unit}"
    if unit.startswith("share of "):
        return f"{quantity(100 * step)} % {unit.removeprefix('share ')} more"
    noun, _, legend = unit.partition(", ")
    return f"{quantity(step)} {noun}".strip() + " more" + (f" ({legend})" if legend else "")


def quantity(value: float) -> str:
    """Return a size in natural units with as many digits as a reader wants.

    Parameters
    ----------
    value
        A positive number.
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def signed(value: float) -> str:
    """Return a rounded number with its sign, "−12", "0" or "+0.3".

    Parameters
    ----------
    value
        Any finite number.
    """
    text = plain(value)
    return text if text == "0" else f"{'+' if value > 0 else '−'}{text}"


def plain(value: float) -> str:
    """Return the size of a number without its sign: "12", "0.3" or "0".

    Parameters
    ----------
    value
        Any finite number.
    """
    text = f"{abs(value):,.0f}" if abs(value) >= 0.95 else f"{abs(value):.1f}"
    return "0" if text == "0.0" else text


def size(weight: float) -> str:
    """Return the size of a lift in per cent: "6", "0.4", "99.7" or "over 99.9".

    Parameters
    ----------
    weight
        Log-odds per step.
    """
    value = abs(lift(weight))
    if value < NEARLY_ALL[0]:
        return plain(value)
    return f"{value:.1f}" if value < NEARLY_ALL[1] else "over 99.9"


def lift_words(weight: float) -> str:
    """Return a lift in per cent with its sign: "+6", "−36", ">+99.9"; an en dash for NaN.

    Parameters
    ----------
    weight
        Log-odds per step.
    """
    if weight != weight:
        return "–"
    text = size(weight)
    if text.startswith("over "):
        return ">+99.9" if weight > 0 else "<−99.9"
    return text if text == "0" else f"{'+' if weight > 0 else '−'}{text}"


def interval_words(low: float, high: float) -> str:
    """Return an interval of lifts with signs: "−36 to +97"; an en dash for NaN.

    Parameters
    ----------
    low
        Lower end, log-odds per step.
    high
        Upper end.
    """
    ends = lift_words(low), lift_words(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def size_interval(low: float, high: float) -> str:
    """Return an interval on one side of zero as sizes, the smaller first: "2 to 10".

    Parameters
    ----------
    low
        Lower end, log-odds per step.
    high
        Upper end, of the same sign.
    """
    near, far = (size(x) for x in sorted((low, high), key=abs))
    return near if near == far else f"{near} to {far}"
