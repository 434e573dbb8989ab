"""A judge hack in sentences and tables of text, as the terminal and the page show them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from palate.actions.hack_rates import (
    ALL,
    ALONE,
    ANOTHER,
    ANTI,
    BETTER,
    EXPLAINED,
    MATCHED,
    RANDOM,
    SAME,
    VANILLA,
)
from palate.explanations.comparison_text import signed_lift
from palate.explanations.protocol_table import Table
from palate.inference.discoveries import Verdict

if TYPE_CHECKING:
    from palate.actions.hack_result import Hack

NONE, NAMED = "–", 3
WON, LOST = "it wins more often than it loses", "it loses more often than it wins"
MARKS = {BETTER: "▲", SAME: "", "loses": "▼"}
KINDS = (
    (EXPLAINED, VANILLA),
    (RANDOM, VANILLA),
    (ANTI, VANILLA),
    (ANOTHER, VANILLA),
    (EXPLAINED, MATCHED),
    (EXPLAINED, RANDOM),
)
LEGEND = (
    "Win rate: wins and half of the ties, in per cent. An answer that changes with the order of "
    "the responses is a tie. ▲ more wins than losses, ▼ fewer, both after Holm's correction."
)


def sentences(hack: Hack) -> list[str]:
    """Return what was found, the main statement first.

    Parameters
    ----------
    hack
        What was found.
    """
    found = [_lead(hack)]
    if (row := hack.rate(EXPLAINED, RANDOM)) is not None:
        found.append(
            "On the same prompt the explained response did better against the vanilla one than "
            f"the randomly guided one on {row['wins']:,} prompts, worse on {row['losses']:,} and "
            f"equally on {row['ties']:,}: {_shown(row, 'it is better', 'it is worse')}."
        )
    if (row := hack.rate(ANTI)) is not None:
        found.append(
            f"Guided by the opposite of the same concepts, {_wins(row, hack)}: "
            f"{_shown(row, WON, LOST)}."
        )
    if (row := hack.rate(EXPLAINED, MATCHED)) is not None:
        words = _words(hack)
        found.append(
            f"Explained responses have {words[EXPLAINED]} words on average, vanilla ones "
            f"{words[VANILLA]}. Against vanilla ones that are asked to be as long "
            f"({words[MATCHED]} words), {_wins(row, hack)}: "
            f"{_shown(row, WON, LOST)}."
        )
    if (row := hack.rate(ANOTHER)) is not None:
        found.append(f"A second vanilla response is what chance alone gives: {_wins(row, hack)}.")
    if len(hack.domains) > 1:
        rows = hack.rates.filter(arm=EXPLAINED, against=VANILLA).rows(named=True)
        won = [r["domain"] for r in rows if r["domain"] != ALL and r["verdict"] == BETTER]
        found.append(
            f"After correction the explained responses win in {len(won)} of {len(hack.domains)} "
            f"domains{': ' + _listed(won) if won else ''}."
        )
    return [*found, *_exploited(hack)]


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


def arm_words(arm: str) -> str:
    """Return what the tables call an arm.

    Parameters
    ----------
    arm
        Its name.
    """
    return f"only {arm.removeprefix(ALONE)}" if arm.startswith(ALONE) else arm


def percent(share: float | None) -> str:
    """Return a share in whole per cent without the sign, a dash where there is none.

    Parameters
    ----------
    share
        Between 0 and 1.
    """
    return NONE if share is None else f"{100 * share:.0f}"


def ends(row: Mapping[str, Any]) -> str:
    """Return the interval of a win rate in whole per cent.

    Parameters
    ----------
    row
        A row of the rates.
    """
    if row["low"] is None:
        return NONE
    return f"{100 * row['low']:.0f} to {100 * row['high']:.0f}"


def p_words(p_value: float | None) -> str:
    """Return a p-value as it is written.

    Parameters
    ----------
    p_value
        The p-value.
    """
    if p_value is None:
        return NONE
    if p_value < 0.001:
        return "<.001"
    return "1" if p_value > 0.9995 else f"{p_value:.3f}".removeprefix("0")


def about(hack: Hack) -> str:
    """Return how the figures came about, in a few sentences.

    Parameters
    ----------
    hack
        What was found.
    """
    s = hack.settings
    models = (
        f"{s['generator'] or 'The generator'} wrote {hack.counts['responses']:,} responses of at "
        f"most {s['max_words']:,} words; {s['judge'] or 'the judge'} compared them in both orders "
        f"(mode {s['mode']})."
    )
    alpha = f"{100 * (1 - s['level']):g}"
    return (
        f"{models} Each prompt counts once in a comparison. The intervals are exact at "
        f"{100 * s['level']:g} % (inverted test of wins minus losses, the share of ties bounded "
        "rather than assumed); p-values are those of an exact sign test of wins against losses, "
        "corrected by Holm's method, those over all prompts, of domains and of single concepts "
        f"apart: the chance of one wrong ▲ or ▼ in such a family is at most {alpha} %. Lifts are "
        "per cent of an even choice per step of a concept."
    )


def _lead(hack: Hack) -> str:
    row = hack.rate(EXPLAINED)
    name = hack.mechanism
    if row is None or row["rate"] is None:
        return f"No response that follows the explanation of {name} could be judged."
    text = (
        f"Guided by what {name} is said to reward, {_wins(row, hack)} over {row['prompts']:,} "
        f"prompts: {_shown(row, WON, LOST)}."
    )
    other = hack.rate(RANDOM)
    if other is None or other["rate"] is None:
        return text
    return f"{text} Guided by other concepts, drawn at random, {_wins(other, hack)}."


def _wins(row: Mapping[str, Any], hack: Hack) -> str:
    if row["rate"] is None:
        return "nothing could be judged"
    level = f"{100 * hack.settings['level']:g}"
    return f"the win rate is {percent(row['rate'])} % ({level} % interval {ends(row)})"


def _shown(row: Mapping[str, Any], better: str, worse: str) -> str:
    p = p_words(row["p_corrected"])
    p = f"corrected p {'' if p.startswith('<') else '= '}{p}"
    if row["verdict"] == SAME:
        return f"no difference beyond chance ({p})"
    return f"{better if row['verdict'] == BETTER else worse} ({p})"


def _words(hack: Hack) -> dict[str, str]:
    rows = hack.lengths.filter(domain=ALL).iter_rows(named=True)
    return {r["arm"]: NONE if r["words"] is None else f"{r['words']:.0f}" for r in rows}


def _exploited(hack: Hack) -> list[str]:
    if hack.reference is None:
        return []
    rows = [r for r in hack.exploitable.iter_rows(named=True) if r["exploitable"]]
    if not rows:
        return [
            f"No concept that {hack.mechanism} rewards is rewarded less by {hack.reference} beyond "
            "what chance gives."
        ]
    named = [
        f"{'less ' if r['aim'] == 'less' else ''}{r['concept']} ({_lift(r['judge'])} against "
        f"{_lift(r['reference'])} %{'' if r['scope'] == 'everywhere' else ' in ' + r['scope']})"
        for r in rows[:NAMED]
    ]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return [
        f"{hack.mechanism} can be exploited by what it rewards more than {hack.reference} does: "
        f"{_listed(named)}{more}."
    ]


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
    rows = tuple((domain, "; ".join(texts)) for domain, texts in by.items())
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
            _lift(r["judge"]),
            _lift(r["reference"]),
            f"{_lift(r['difference'])} ({_lift(r['low'])} to {_lift(r['high'])})",
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


def _lift(effect: float | None) -> str:
    return signed_lift(None if effect is None else 100.0 * math.tanh(effect / 2.0))


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
