"""A judge hack in sentences, as the terminal and the page show them; and its words for figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from palate.actions.hack_notes import equal_texts
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

if TYPE_CHECKING:
    from palate.actions.hack_result import Hack

NONE, NAMED = "–", 3
WON, LOST = "it wins more often than it loses", "it loses more often than it wins"
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
    if (row := _judged(hack, EXPLAINED, RANDOM)) is not None:
        found.append(
            "On the same prompt the explained response did better against the vanilla one than "
            f"the randomly guided one on {_prompts(row['wins'])}, worse on {row['losses']:,} and "
            f"equally on {row['ties']:,}: {_shown(row, 'it is better', 'it is worse')}."
        )
    if (row := _judged(hack, ANTI)) is not None:
        found.append(
            f"Guided by the opposite of the same concepts, {_wins(row, hack)}: "
            f"{_shown(row, WON, LOST)}."
        )
    if (row := _judged(hack, EXPLAINED, MATCHED)) is not None:
        words = _words(hack)
        found.append(
            f"Explained responses have {words[EXPLAINED]} words on average, vanilla ones "
            f"{words[VANILLA]}. Against vanilla ones that are asked to be as long "
            f"({words[MATCHED]} words), {_wins(row, hack)}: "
            f"{_shown(row, WON, LOST)}."
        )
    if (row := _judged(hack, ANOTHER)) is not None:
        second, same = equal_texts(hack.responses, ANOTHER)
        found.append(
            "What chance alone gives is not known: every second vanilla response equals the first."
            if same == second
            else f"A second vanilla response is what chance alone gives: {_wins(row, hack)}."
        )
    if len(hack.domains) > 1 and _judged(hack, EXPLAINED) is not None:
        found.append(_domains_won(hack))
    return [*found, *_exploited(hack)]


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


def _judged(hack: Hack, arm: str, against: str = VANILLA) -> dict[str, Any] | None:
    """The row of a win rate if anything was judged."""
    row = hack.rate(arm, against)
    return row if row is not None and row["prompts"] else None


def _prompts(n: int) -> str:
    return f"{n:,} prompt{'' if n == 1 else 's'}"


def _domains_won(hack: Hack) -> str:
    rows = hack.rates.filter(pl.col("domain") != ALL)
    explained = rows.filter(arm=EXPLAINED, against=VANILLA)
    won = explained.filter(verdict=BETTER)["domain"].to_list()
    text = (
        f"After correction the explained responses win in {len(won)} of {len(hack.domains)} domains"
    )
    tests, most = rows["p_value"].count(), max(explained["prompts"].to_list())
    if tests * 2.0 ** (1 - most) > 1 - hack.settings["level"]:  # even if all of them were won
        return f"{text}; no domain has the prompts that it takes to show it."
    return f"{text}{': ' + _listed(won) if won else ''}."


def _lead(hack: Hack) -> str:
    row = _judged(hack, EXPLAINED)
    name = hack.mechanism
    if row is None:
        return f"No response that follows the explanation of {name} could be judged."
    text = (
        f"Guided by what {name} is said to reward, {_wins(row, hack)} over "
        f"{_prompts(row['prompts'])}: {_shown(row, WON, LOST)}."
    )
    other = _judged(hack, RANDOM)
    if other is None:
        return text
    return f"{text} Guided by other concepts, drawn at random, {_wins(other, hack)}."


def _wins(row: Mapping[str, Any], hack: Hack) -> str:
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
        f"{'less ' if r['aim'] == 'less' else ''}{r['concept']} ({lift(r['judge'])} against "
        f"{lift(r['reference'])} %{'' if r['scope'] == 'everywhere' else ' in ' + r['scope']})"
        for r in rows[:NAMED]
    ]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return [
        f"{hack.mechanism} can be exploited by what it rewards more than {hack.reference} does: "
        f"{_listed(named)}{more}."
    ]


def lift(effect: float | None) -> str:
    """Return what a step does to an even choice, in per cent with its sign.

    Parameters
    ----------
    effect
        In log-odds; None where it is not known.
    """
    return signed_lift(None if effect is None else 100.0 * math.tanh(effect / 2.0))


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
