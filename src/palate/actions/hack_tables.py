"""A judge hack in tables of text, as the terminal and the page show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from palate.actions.hack_rates import (
    ALL,
    ANOTHER,
    ANTI,
    BETTER,
    EXPLAINED,
    MATCHED,
    RANDOM,
    SAME,
    VANILLA,
)
from palate.actions.hack_text import NONE, arm_words, ends, lift, p_words, percent
from palate.explanations.comparison_text import signed_lift
from palate.explanations.protocol_table import Table
from palate.inference.discoveries import Verdict

if TYPE_CHECKING:
    from palate.actions.hack_result import Hack

MARKS = {BETTER: "▲", SAME: "", "loses": "▼"}
KINDS = (
    (EXPLAINED, VANILLA),
    (RANDOM, VANILLA),
    (ANTI, VANILLA),
    (ANOTHER, VANILLA),
    (EXPLAINED, MATCHED),
    (EXPLAINED, RANDOM),
)


def rate_rows(hack: Hack) -> list[dict[str, Any]]:
    """Return the rows over all prompts in the order of reading.

    Parameters
    ----------
    hack
        What was found.
    """
    found = [hack.rate(arm, against) for arm, against in KINDS]
    return [row for row in found if row is not None] + hack.alone.rows(named=True)


def tables(hack: Hack, *, intervals: bool = True) -> list[Table]:
    """Return the tables behind the sentences: win rates, domains, concepts, lengths, audit.

    Parameters
    ----------
    hack
        What was found.
    intervals
        Whether the win rates of domains have their intervals.
    """
    level = f"{100 * hack.settings['level']:g}"
    head = (
        "response",
        "against",
        "prompts",
        "won",
        "tied",
        "lost",
        "win rate",
        f"{level} %",
        "p",
        "",
    )
    found = [
        Table(
            "Win rates, over all prompts",
            head,
            tuple(
                (
                    arm_words(row["arm"]),
                    arm_words(row["against"]) if row["how"] == "judged" else "random, by prompt",
                    *(f"{row[k]:,}" for k in ("prompts", "wins", "ties", "losses")),
                    percent(row["rate"]),
                    ends(row),
                    p_words(row["p_corrected"]),
                    MARKS[row["verdict"]],
                )
                for row in rate_rows(hack)
            ),
        )
    ]
    if len(hack.domains) > 1:
        found.append(_by_domain(hack, intervals=intervals))
    found += [_guidance(hack), _length(hack)]
    if hack.exploitable.height:
        found.append(_audit(hack))
    return found


def price_words(row: Mapping[str, Any]) -> str:
    """Return the judge's effect per unit of the reference's, with its interval.

    Parameters
    ----------
    row
        A row of the audit.
    """
    if row["ratio"] is None:
        return "no bound"
    return f"{row['ratio']:.1f} ({row['ratio_low']:.1f} to {row['ratio_high']:.1f})"


def _by_domain(hack: Hack, *, intervals: bool) -> Table:
    kinds = [kind for kind in KINDS if hack.rate(*kind) is not None]
    by = {(r["domain"], r["arm"], r["against"]): r for r in hack.rates.iter_rows(named=True)}
    rows = []
    for domain in hack.domains:
        cells = [by.get((domain, *kind)) for kind in kinds]
        prompts = max((c["prompts"] for c in cells if c is not None), default=0)
        rows.append((domain, f"{prompts:,}", *(_cell(c, intervals=intervals) for c in cells)))
    head = ("domain", "prompts", *(_kind_words(*kind) for kind in kinds))
    return Table(
        f"Win rates by domain{', with intervals' if intervals else ', %'}", head, tuple(rows)
    )


def _kind_words(arm: str, against: str) -> str:
    if against == RANDOM:
        return "explained, random"
    return arm if against == VANILLA else "explained, as long"


def _cell(row: Mapping[str, Any] | None, *, intervals: bool) -> str:
    if row is None or row["rate"] is None:
        return NONE
    interval = f" ({ends(row)})" if intervals else ""
    return f"{percent(row['rate'])}{interval} {MARKS[row['verdict']]}".rstrip()


def _guidance(hack: Hack) -> Table:
    by: dict[str, list[str]] = {}
    for row in hack.chosen.iter_rows(named=True):
        more = {Verdict.HERE.value: ", only here", Verdict.DIFFERS.value: ", differs here"}
        less = "less " if row["aim"] == "less" else ""
        text = f"{less}{row['concept']} ({signed_lift(row['lift'])}{more.get(row['verdict'], '')})"
        by.setdefault(row["domain"], []).append(text)
    alike: dict[str, list[str]] = {}
    for domain, texts in by.items():
        alike.setdefault("; ".join(texts), []).append(domain)
    rows = tuple(
        (f"all {len(by)} domains" if 1 < len(by) == len(domains) else ", ".join(domains), texts)
        for texts, domains in alike.items()
    )
    return Table(
        "Concepts that guide, the strongest first", ("domain", "concepts, lift in %"), rows
    )


def _length(hack: Hack) -> Table:
    rows = tuple(
        (
            arm_words(r["arm"]),
            f"{r['responses']:,}",
            NONE if r["words"] is None else f"{r['words']:.0f}",
            NONE if r["median_words"] is None else f"{r['median_words']:.0f}",
        )
        for r in hack.lengths.filter(domain=ALL).iter_rows(named=True)
    )
    return Table("Length of the responses", ("response", "number", "words", "median"), rows)


def _audit(hack: Hack) -> Table:
    rows = tuple(
        (
            f"{'less ' if r['aim'] == 'less' else ''}{r['concept']}",
            r["scope"],
            lift(r["judge"]),
            lift(r["reference"]),
            f"{lift(r['difference'])} ({lift(r['low'])} to {lift(r['high'])})",
            price_words(r),
            "yes" if r["exploitable"] else "",
        )
        for r in hack.exploitable.iter_rows(named=True)
    )
    level = f"{100 * hack.settings['reference_level']:g}"
    return Table(
        f"What {hack.mechanism} rewards, and what {hack.reference} makes of it: lifts, %",
        (
            "concept",
            "scope",
            "judge",
            "reference",
            f"difference ({level} %)",
            "judge / reference",
            "exploitable",
        ),
        rows,
    )
