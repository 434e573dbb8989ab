"""Broken ties in words and tables of text, as terminal and page show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from palate.actions.ties_result import TieBreaks
from palate.actions.ties_scores import TIED
from palate.explanations.problem import few
from palate.explanations.protocol_table import NONE, Table

CLEAR = 0.05  # adjusted p-value below which a difference from a coin is called one
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
MOST = 8
BY = {
    "all": "All weights of the explained models decide",
    "weight": "The largest weights of the explained models decide, at most {n} in a domain",
    "supported": "The largest supported effects decide, at most {n} in a domain",
}
LEGEND = (
    "A tied pair counts 1 where it is decided as the reference does, 0 where not, one half where "
    "it stays a tie; p is that of an exact test against a coin, corrected (Holm) for the number of "
    "strategies."
)


def sentences(found: TieBreaks) -> list[str]:
    """Return what was found, in words.

    Parameters
    ----------
    found
        The result.
    """
    rows = found.strategies.to_dicts()
    n = rows[0]["n_tied"]
    asked = found.settings["asked"]
    how = "A model was asked again." if asked else "Explained models decided; no model was asked."
    told = [f"{found.judge} left {n:,} tie{'' if n == 1 else 's'}. {how}"]
    if not any(row["n_broken"] for row in rows):
        return [*told, "None was broken."]
    if not rows[0]["n_scored"]:
        return told
    clear = [r for r in rows if r["p_adjusted"] is not None and r["p_adjusted"] < CLEAR]
    better = [row["strategy"] for row in clear if row["accuracy"] > TIED]
    worse = [row["strategy"] for row in clear if row["accuracy"] < TIED]
    told.append(
        f"Of the ties, {_joined(better)} decide{'s' * (len(better) == 1)} more as "
        f"{found.reference} does than a coin would."
        if better
        else f"No strategy is shown to decide more as {found.reference} does than a coin would."
    )
    if worse:
        told.append(f"Worse than a coin: {_joined(worse)}.")
    best = max(rows, key=lambda row: float(row["accuracy"]))
    if best["strategy"] in better:
        name = f"The best is {best['strategy']}" if len(rows) > 1 else best["strategy"].title()
        told.append(
            f"{name}: {signed(best['gain'])} points over leaving them, "
            f"and {points(best['all_before'])} to {points(best['all_after'])} % on all pairs that "
            "were judged."
        )
    return told


def strategy_table(found: TieBreaks) -> Table:
    """Return the strategies, and leaving all ties as the last row.

    Parameters
    ----------
    found
        The result.
    """
    rows = found.strategies.to_dicts()
    many = [(r["strategy"], f"{r['n_broken']:,} of {r['n_tied']:,}") for r in rows]
    if found.reference is None:
        return Table("Ties", ("strategy", "broken"), tuple(many))
    level = f"{100 * found.settings['level']:g}"
    head = ("strategy", "broken", "tied pairs", "p", "of broken", "over random", "all pairs")
    cells = [
        (
            *start,
            f"{points(r['accuracy'])}{between(r, 'accuracy')}",
            p_words(r["p_adjusted"]),
            points(r["accuracy_broken"]),
            f"{signed(r['over_random'])}{between(r, 'over_random', sign=True)}",
            points(r["all_after"]),
        )
        for start, r in zip(many, rows, strict=True)
    ]
    left = ("ties left", "0", "50.0", NONE, NONE, NONE, points(rows[0]["all_before"]))
    caption = f"Per cent as {found.reference}, ties one half ({level} % intervals)"
    return Table(caption, head, (*cells, left))


def curve_table(found: TieBreaks) -> Table | None:
    """Return what comes of breaking only the surest ties, None without a reference.

    Parameters
    ----------
    found
        The result.
    """
    if not found.curve.height:
        return None
    rows = found.curve.to_dicts()
    cells = []
    for strategy in found.strategies["strategy"].to_list():
        own = {round(r["allowed"], 2): r for r in rows if r["strategy"] == strategy}
        cells.append((strategy, *(points(own[share]["accuracy"]) for share in SHARES)))
    head = ("broken at most", *(f"{100 * share:.0f} %" for share in SHARES))
    return Table("Per cent on the tied pairs if only the surest are broken", head, tuple(cells))


def domain_table(found: TieBreaks) -> Table | None:
    """Return accuracies by domain, None without a reference or with one domain.

    Parameters
    ----------
    found
        The result.
    """
    names = list(dict.fromkeys(found.domains["domain"].to_list()))
    if found.reference is None or len(names) < 2:
        return None
    of = {(r["strategy"], r["domain"]): r for r in found.domains.to_dicts()}
    strategies = found.strategies["strategy"].to_list()
    rows = [
        (
            name,
            f"{of[strategies[0], name]['n_scored']:,}",
            *(
                f"{points(of[s, name]['accuracy'])}{between(of[s, name], 'accuracy')}"
                for s in strategies
            ),
        )
        for name in names
    ]
    return Table(
        "Per cent on the tied pairs of each domain", ("domain", "ties", *strategies), tuple(rows)
    )


def concept_lines(found: TieBreaks) -> list[tuple[str, str]]:
    """Return, by strategy, the concepts that decide most often; none where all decide.

    Parameters
    ----------
    found
        The result.
    """
    if found.settings["by"] == "all":
        return []
    lines = []
    for strategy in found.strategies["strategy"].to_list():
        counts = Counter(
            f"{'more' if row['aim'] == 'more' else 'less'} {row['concept']}"
            for row in found.concepts.filter(strategy=strategy).to_dicts()
        )
        words = [f"{name} ({n})" for name, n in counts.most_common()]
        lines.append((strategy, few(words, MOST) or "none"))
    return lines


def about(found: TieBreaks) -> str:
    """Return how it was computed.

    Parameters
    ----------
    found
        The result.
    """
    settings = found.settings
    text = BY[settings["by"]].format(n=settings["n_concepts"])
    return (
        f"{text}. Explanations have seen neither the tied pairs nor what shares a prompt or "
        "responses with those they decide. Intervals are clustered by prompt."
    )


def meanings(found: TieBreaks) -> list[tuple[str, str]]:
    """Return, by strategy, what it decides by.

    Parameters
    ----------
    found
        The result.
    """
    settings = found.settings
    by = {
        "random": f"more of {settings['n_concepts']} concepts, drawn by seed {settings['seed']}",
        "own": f"what {found.judge} itself rewards",
        "reference": f"what {found.reference} rewards",
        "difference": f"what {found.reference} rewards more than {found.judge}, and less of what "
        f"{found.judge} rewards more",
    }
    return [(s, by[s]) for s in found.strategies["strategy"].to_list()]


def points(share: float | None) -> str:
    """Return a share in per cent with one digit, a dash where there is none.

    Parameters
    ----------
    share
        The share.
    """
    return NONE if share is None else f"{100 * share:.1f}"


def signed(share: float | None) -> str:
    """Return a difference in points with its sign, a dash where there is none.

    Parameters
    ----------
    share
        The difference.
    """
    return NONE if share is None else f"{100 * share:+.1f}".replace("-", "−")


def between(row: dict[str, Any], name: str, *, sign: bool = False) -> str:
    """Return the interval of a figure in brackets, nothing where there is none.

    Parameters
    ----------
    row
        A row of a table.
    name
        The figure.
    sign
        Whether it is a difference.
    """
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return ""
    show = signed if sign else points
    return f" ({show(low)} to {show(high)})"


def p_words(p: float | None) -> str:
    """Return a p-value with three digits, a dash where there is none.

    Parameters
    ----------
    p
        The p-value.
    """
    if p is None:
        return NONE
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
