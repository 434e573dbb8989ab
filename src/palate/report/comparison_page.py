"""A comparison as one self-contained HTML file without any script, in the look of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from palate.data.atomic import write_text
from palate.data.preferences import Preferences
from palate.explanations.comparison import ALL, EVERYWHERE, Comparison
from palate.explanations.comparison_gates import Outcome
from palate.explanations.comparison_text import (
    WORDS,
    difference_sentence,
    interval_words,
    number_words,
    sentences,
    share_words,
    signed_lift,
)
from palate.explanations.lifts import at_even
from palate.inference.discoveries import Verdict
from palate.report.effect_words import SYMBOLS, VERDICTS
from palate.report.page import page
from palate.report.tables import run_rows
from palate.report.visible import one_line, visible

SHOWN, MOST_DOMAINS, MOST_TOLD, MOST_PAIRS = 8, 30, 10, 30
HALF = 46.0  # per cent of the width on either side of the middle of a chart
NAME, LONG = 60, 20_000
LEAST_SCALE = 10.0  # per cent: the axis reaches at least this far
NOT = Verdict.NOT.value
ABOUT_PAIRS = (
    "Those first that the two fits explain best. Reasons are value times weight of the "
    "concepts, by the effects of each mechanism on these pairs, small ones shrunk; they say what "
    "goes with a side and not what caused it."
)


def write_comparison(
    comparison: Comparison,
    path: str | PathLike[str],
    preferences: Preferences | None = None,
    *,
    title: str | None = None,
    gates: Sequence[Outcome] = (),
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write a comparison as one HTML file and return its path.

    Parameters
    ----------
    comparison
        What was found.
    path
        The file; it is replaced.
    preferences
        The pairs, for the texts of those on which the two disagree; None leaves them out.
    title
        Heading of the page; by default it names the mechanisms.
    gates
        Conditions that were checked.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    page = render_comparison(
        comparison, preferences, title=title, gates=gates, run=run, notes=notes
    )
    write_text(path, page)
    return Path(path)


def render_comparison(
    comparison: Comparison,
    preferences: Preferences | None = None,
    *,
    title: str | None = None,
    gates: Sequence[Outcome] = (),
    run: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return a comparison as the text of an HTML file; see `write_comparison`.

    Parameters
    ----------
    comparison
        What was found.
    preferences
        The pairs, for the texts of those on which the two disagree; None leaves them out.
    title
        Heading of the page; by default it names the mechanisms.
    gates
        Conditions that were checked.
    run
        Facts about the run (arguments, versions, hashes).
    notes
        Plain sentences about the data.
    """
    a, b = one_line(comparison.a, NAME), one_line(comparison.b, NAME)
    lead, *rest = sentences(comparison)
    everywhere, others = _everywhere(comparison)
    supported = comparison.supported()
    domains = supported.filter(supported["scope"] != EVERYWHERE).head(MOST_DOMAINS)
    drawn = [*everywhere, *others, *domains.iter_rows(named=True)]
    most = _scale(drawn)
    told = comparison.disagreements.filter(comparison.disagreements["effect"].is_not_null())
    return page(
        "comparison.html.j2",
        title=one_line(title, 200) if title else f"How {a} and {b} differ",
        a=a,
        b=b,
        lead=one_line(lead, 1_200),
        sentences=[one_line(s, 1_200) for s in rest],
        gates=[Outcome(g.gate, g.fired, one_line(g.sentence, 400)) for g in gates],
        level=f"{100 * comparison.settings['level']:g}",
        ticks=_ticks(most),
        everywhere=[_row(comparison, r, most) for r in everywhere],
        n_everywhere=supported.filter(scope=EVERYWHERE).height,
        rest=[_row(comparison, r, most) for r in others],
        domains=[_row(comparison, r, most, scope=True) for r in domains.iter_rows(named=True)],
        agreement=[_agreement(r) for r in comparison.agreement.iter_rows(named=True)],
        told=[_told(r) for r in told.head(MOST_TOLD).iter_rows(named=True)],
        about_disagreements=_about_disagreements(comparison, a),
        about_pairs=ABOUT_PAIRS,
        pairs=_pairs(comparison, preferences, a, b),
        about=about(comparison),
        notes=[one_line(n, 600) for n in (*notes, *comparison.notes)],
        run=run_rows(run),
    )


def about(comparison: Comparison) -> str:
    """Return how the numbers came about, in a few sentences.

    Parameters
    ----------
    comparison
        What was found.
    """
    c, s = comparison.counts, comparison.settings
    return (
        f"{c['judged']:,} pairs were judged by both, {c['decided']:,} decided by both, on "
        f"{c['prompts']:,} prompts in {c['domains']} domain{'s' * (c['domains'] != 1)}. "
        "Differences are estimated from the pairs on which the two part, so what they have in "
        "common cancels pair by pair; intervals and p-values are clustered by prompt; supported "
        f"means at a false discovery rate of {100 * s['fdr']:g} % over concepts and domains. What "
        "the concepts leave unexplained in the verdicts of the two is correlated by "
        f"{s['correlation']:.2f}. The lift of a difference is 100 tanh(difference / 2): what one "
        "step does to the chance of the first mechanism beyond what it does to that of the "
        "second, at an even choice. They are associations, not causes."
    )


def _everywhere(comparison: Comparison) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of the main chart, and the others."""
    rows = [r for r in comparison.differences.iter_rows(named=True) if r["scope"] == EVERYWHERE]
    rows.sort(key=_rank)
    n = max(sum(r["verdict"] != NOT for r in rows), SHOWN)
    return rows[:n], rows[n:]


def _rank(row: dict[str, Any]) -> tuple[bool, float]:
    """Supported differences first, by size; then the others, by p-value."""
    if row["verdict"] != NOT:
        return False, -abs(row["lift"])
    return True, row["p_value"]


def _scale(rows: Sequence[dict[str, Any]]) -> float:
    """Return where the axis ends: at the largest supported difference and its interval."""
    ends = [LEAST_SCALE]
    for row in rows:
        if row["verdict"] != NOT:
            ends += [abs(row["lift_low"]), abs(row["lift_high"])]
    return float(min(max(ends) * 1.05, 100.0))


def _ticks(most: float) -> list[dict[str, Any]]:
    step = next(s for s in (2, 5, 10, 20, 50) if most / s <= 3 or s == 50)
    values = [k * step for k in range(-int(most // step), int(most // step) + 1)]
    return [
        {"at": _at(v, most), "label": f"{v:+d}".replace("-", "−") if v else "0"} for v in values
    ]


def _at(lift: float, most: float) -> float:
    return float(round(50 + HALF * np.clip(lift / most, -1, 1), 2))


def _row(
    comparison: Comparison, row: dict[str, Any], most: float, *, scope: bool = False
) -> dict[str, Any]:
    return {
        "concept": one_line(row["concept"], NAME),
        "scope": one_line(row["scope"], NAME) if scope else "",
        "a": signed_lift(row["lift_a"]),
        "b": signed_lift(row["lift_b"]),
        "lift": signed_lift(row["lift"]),
        "interval": interval_words(row),
        "at": _at(row["lift"], most),
        "low_at": _at(row["lift_low"], most),
        "high_at": _at(row["lift_high"], most),
        "supported": row["verdict"] != NOT,
        "verdict": WORDS[row["verdict"]],
        **_mark(row["verdict"]),
        "sentence": one_line(difference_sentence(comparison, row), 600),
    }


def _mark(verdict: str) -> dict[str, Any]:
    """Return the number of a verdict in the style, and its symbol."""
    return {"kind": VERDICTS.index(verdict), "symbol": SYMBOLS[verdict]}


def _agreement(row: dict[str, Any]) -> dict[str, Any]:
    name = "All pairs" if row["domain"] == ALL else one_line(row["domain"], NAME)
    bounds = {end: row[f"agreement_{end}"] for end in ("low", "high")}
    return {
        "domain": name,
        **{k: f"{row[k]:,}" for k in ("judged", "ties_a", "ties_b")},
        "agreement": share_words(row, "agreement").replace(" %", ""),
        "same_side": "–" if row["same_side"] is None else f"{100 * row['same_side']:.0f}",
        "kappa": number_words(row, "kappa"),
        "ac1": "–" if row["ac1"] is None else f"{row['ac1']:.2f}".replace("-", "−"),
        "at": round(100 * row["agreement"], 2),
        **{end: None if v is None else round(100 * v, 2) for end, v in bounds.items()},
        "sentence": f"{name}: the same verdict on {share_words(row, 'agreement')} of "
        f"{row['judged']:,} pairs, kappa {number_words(row, 'kappa')}.",
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    lift, low, high = (
        signed_lift(float(at_even(np.array(row[k])))) for k in ("effect", "low", "high")
    )
    return {
        "concept": one_line(row["concept"], NAME),
        "n_pairs": f"{row['n_pairs']:,}",
        "with_a": f"{100 * row['with_a']:.0f}",
        "lift": lift,
        "interval": f"{low} to {high}",
        "verdict": "supported" if row["verdict"] != NOT else "not supported",
        **_mark(row["verdict"]),
    }


def _about_disagreements(comparison: Comparison, a: str) -> str:
    n = comparison.counts["disagreements"]
    if not n:
        return "The two take the same side wherever both take one."
    return (
        f"The two take different sides on {n:,} pairs. The table says which concepts tell the "
        f"side of {a} there, the others held equal; because only pairs on which they part are "
        "looked at, effects are larger than the differences above where the two have much in "
        "common."
    )


def _pairs(
    comparison: Comparison, preferences: Preferences | None, a: str, b: str
) -> list[dict[str, Any]]:
    if preferences is None:
        return []
    position = {name: i for i, name in enumerate(preferences.ids)}
    out = []
    for row in comparison.pairs.head(MOST_PAIRS).iter_rows(named=True):
        texts = preferences.pairs.row(position[row["id"]], named=True)
        reasons = [
            {
                "who": who,
                "concept": one_line(r["concept"], NAME),
                "value": f"{r['value']:+.1f}".replace("-", "−"),
                "contribution": f"{r['contribution']:+.2f}".replace("-", "−"),
            }
            for who, side in ((a, "a"), (b, "b"))
            for r in row[f"reasons_{side}"]
        ]
        out.append(
            {
                "domain": one_line(row["domain"], NAME),
                "prompt_start": one_line(texts["prompt"] or row["id"], 90),
                **{f"side_{s}": "a" if row[f"verdict_{s}"] > 0 else "b" for s in ("a", "b")},
                **{
                    f"why_{s}": one_line(
                        ", ".join(_why(r, row[f"verdict_{s}"]) for r in row[f"reasons_{s}"][:2]),
                        160,
                    )
                    for s in ("a", "b")
                },
                **{k: visible(texts[k][:LONG]) for k in ("prompt", "response_a", "response_b")},
                "reasons": reasons,
            }
        )
    return out


def _why(reason: dict[str, Any], verdict: float) -> str:
    more = "more" if reason["value"] * verdict > 0 else "less"
    return f"{more} {reason['concept']}"
