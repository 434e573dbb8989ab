"""A comparison in plain sentences, made from supported statements only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from palate.explanations.comparison import ALL, EVERYWHERE
from palate.inference.discoveries import Verdict

if TYPE_CHECKING:
    from palate.explanations.comparison import Comparison

NAMED = 3
WORDS = {
    Verdict.EVERYWHERE.value: "supported everywhere",
    Verdict.HERE.value: "supported here",
    Verdict.DIFFERS.value: "differs here",
    Verdict.NOT.value: "not supported",
}


def sentences(comparison: Comparison) -> list[str]:
    """Return what was found, the main statement first.

    Parameters
    ----------
    comparison
        What was found.
    """
    return [lead(comparison), agreement_sentence(comparison), *_apart(comparison)]


def lead(comparison: Comparison) -> str:
    """Return the sentence about supported differences.

    Parameters
    ----------
    comparison
        What was found.
    """
    c = comparison
    found = c.supported()
    if not found.height:
        return (
            f"On the {c.counts['decided']:,} pairs that both decided, no concept is rewarded "
            f"differently by {c.a} and {c.b} beyond what chance gives "
            f"(false discovery rate {100 * c.settings['fdr']:g} %)."
        )
    everywhere = found.filter(scope=EVERYWHERE)
    parts = []
    for more, who, other in ((True, c.a, c.b), (False, c.b, c.a)):
        rows = everywhere.filter((everywhere["difference"] > 0) == more)
        if rows.height:
            named = [_named(r) for r in rows.head(NAMED).iter_rows(named=True)]
            rest = rows.height - len(named)
            tail = f" and {rest} more" if rest else ""
            parts.append(f"{who} rewards {_listed(named)}{tail} more than {other} does")
    domains = found.filter(found["scope"] != EVERYWHERE)
    if domains.height:
        named = [f"{_named(r)} in {r['scope']}" for r in domains.head(NAMED).iter_rows(named=True)]
        rest = domains.height - len(named)
        tail = f" and {rest} more" if rest else ""
        parts.append(
            f"{'in' if parts else 'In'} single domains {domains.height} "
            f"difference{'s are' if domains.height > 1 else ' is'} supported: "
            f"{_listed(named)}{tail}"
        )
    text = "; ".join(parts) + "."
    return f"{text} Per cent: lift of the difference per step, {c.a} minus {c.b}."


def agreement_sentence(comparison: Comparison) -> str:
    """Return the sentence about agreement.

    Parameters
    ----------
    comparison
        What was found.
    """
    c = comparison
    row = c.agreement_in(ALL)
    if row is None:
        return ""
    text = (
        f"They agree on {share_words(row, 'agreement')} of the {row['judged']:,} pairs that both "
        f"judged"
    )
    if row["kappa"] is not None:
        text += f" (kappa {number_words(row, 'kappa')})"
    ties = row["ties_a"] + row["ties_b"]
    if ties and row["same_side"] is not None:
        text += (
            f", and on {100 * row['same_side']:.0f} % of the {row['decided']:,} that both decided"
        )
    return text + "."


def difference_sentence(comparison: Comparison, row: dict[str, Any]) -> str:
    """Return the sentence that a row of the differences stands for.

    Parameters
    ----------
    comparison
        What was found.
    row
        A row of its `differences`.
    """
    c, level = comparison, f"{100 * comparison.settings['level']:g}"
    where = "Everywhere" if row["scope"] == EVERYWHERE else f"In {row['scope']}"
    sides = [
        f"{name} {signed_lift(row[f'lift_{side}'])} %"
        for side, name in (("a", c.a), ("b", c.b))
        if row[f"lift_{side}"] is not None
    ]
    return (
        f"{where}, one step more of {row['concept']}: difference {signed_lift(row['lift'])} % lift "
        f"({level} % interval {interval_words(row)}), "
        f"{WORDS[row['verdict']]}. By itself: {', '.join(sides)}."
    )


def interval_words(row: dict[str, Any]) -> str:
    """Return the interval of the lift of a difference, "+2 to +10".

    Parameters
    ----------
    row
        A row of the differences.
    """
    low, high = signed_lift(row["lift_low"]), signed_lift(row["lift_high"])
    return low if low == high else f"{low} to {high}"


def share_words(row: dict[str, Any], name: str) -> str:
    """Return a share with its interval, "81 % (78 to 84)".

    Parameters
    ----------
    row
        A row of the agreement table.
    name
        Name of the measure.
    """
    if row[name] is None:
        return "–"
    text = f"{100 * row[name]:.0f} %"
    if row[f"{name}_low"] is None:
        return text
    return f"{text} ({100 * row[f'{name}_low']:.0f} to {100 * row[f'{name}_high']:.0f})"


def number_words(row: dict[str, Any], name: str) -> str:
    """Return a coefficient with its interval, "0.61 (0.55 to 0.67)".

    Parameters
    ----------
    row
        A row of the agreement table.
    name
        Name of the measure.
    """
    if row[name] is None:
        return "–"
    text = f"{row[name]:.2f}"
    if row[f"{name}_low"] is not None:
        text += f" ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})"
    return text.replace("-", "−")


def _apart(comparison: Comparison) -> list[str]:
    c = comparison
    rows = c.disagreements.filter(c.disagreements["verdict"] != Verdict.NOT.value)
    if not c.counts["disagreements"] or not rows.height:
        return []
    named = [
        f"{'more' if r['effect'] > 0 else 'less'} {r['concept']}"
        for r in rows.head(NAMED).iter_rows(named=True)
    ]
    return [
        f"On the {c.counts['disagreements']:,} pairs where they take different sides, {c.a} is "
        f"the one that takes the response with {_listed(named)}, other concepts held equal."
    ]


def _named(row: dict[str, Any]) -> str:
    return f"{row['concept']} ({signed_lift(row['lift'])} %, {interval_words(row)})"


def signed_lift(value: float | None) -> str:
    """Return a lift in per cent with its sign: "+12", "−3.4", "0" or "over +99".

    Parameters
    ----------
    value
        The lift, or None.
    """
    if value is None:
        return "–"
    if abs(value) >= 99.5:  # a lift never reaches 100
        return "over +99" if value > 0 else "under −99"
    text = f"{abs(value):.0f}" if abs(value) >= 9.5 else f"{abs(value):.1f}"
    return "0" if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
