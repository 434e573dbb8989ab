"""The tables of a judge hack: who won against what, and how long the responses are.

One row per prompt enters a comparison, so prompts are independent of each other. Per domain all
comparisons of all domains are one family for Holm's correction; those over all prompts are another
one, and concepts that are tried alone a third.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from palate.actions.generate import Written
from palate.actions.win_rates import WinRate, win_rate
from palate.inference.adjusted import holm

ALL = "(all prompts)"
VANILLA, ANOTHER = "vanilla", "another vanilla"
EXPLAINED, RANDOM, ANTI = "explained", "random", "anti"
MATCHED = "vanilla as long"
ARMS = (VANILLA, EXPLAINED, MATCHED, RANDOM, ANTI, ANOTHER)
JUDGED, PAIRED = "judged", "by prompt"
BETTER, WORSE, SAME = "wins", "loses", "no difference shown"
_COUNTS = ("prompts", "wins", "ties", "losses", "flips", "failed")
_NUMBERS = ("rate", "low", "high", "p_value", "p_corrected")
RATES: dict[str, Any] = {
    **dict.fromkeys(("domain", "arm", "against", "how"), pl.String),
    **dict.fromkeys(_COUNTS, pl.Int64),
    **dict.fromkeys(_NUMBERS, pl.Float64),
    "verdict": pl.String,
}
LENGTHS: dict[str, Any] = {
    **dict.fromkeys(("domain", "arm"), pl.String),
    **dict.fromkeys(("responses", "failed"), pl.Int64),
    **dict.fromkeys(("words", "median_words"), pl.Float64),
}
ALONE = "only "
"""Before the name of a concept that is the only guidance of an arm."""


@dataclass(frozen=True)
class Match:
    """What the judge said of a response against another one.

    Parameters
    ----------
    prompt_id
        Names the prompt.
    domain
        Its domain.
    arm
        What the response is for.
    against
        What the other one is for.
    verdict
        +1 = the response, -1 = the other one, 0 = tie, NaN = not judged.
    flips
        Whether the two orders disagree, which counts as a tie.
    """

    prompt_id: str
    domain: str
    arm: str
    against: str
    verdict: float
    flips: bool


def rate_table(matches: Sequence[Match], *, level: float) -> pl.DataFrame:
    """Return win rates per domain and over all prompts, columns of `RATES`.

    Parameters
    ----------
    matches
        What the judge said.
    level
        Level of the intervals; 1 - level is the chance of any wrong statement in a family.
    """
    judged = [m for m in matches if not m.arm.startswith(ALONE)]
    scored = [*judged, *_by_prompt(judged)]
    kinds = list(dict.fromkeys((m.arm, m.against) for m in scored))
    domains = list(dict.fromkeys(m.domain for m in judged))
    rows = [
        row
        for domain in (ALL, *domains)
        for kind in kinds
        if (row := _rate_row(domain, kind, scored, level)) is not None
    ]
    return _corrected(rows, level=level)


def alone_table(matches: Sequence[Match], *, level: float) -> pl.DataFrame:
    """Return win rates of single concepts over all prompts, columns of `RATES`.

    Parameters
    ----------
    matches
        What the judge said.
    level
        Level of the intervals and of the correction.
    """
    alone = [m for m in matches if m.arm.startswith(ALONE)]
    kinds = list(dict.fromkeys((m.arm, m.against) for m in alone))
    rows = [row for kind in kinds if (row := _rate_row(ALL, kind, alone, level)) is not None]
    return _corrected(rows, level=level)


def length_table(written: Sequence[Written]) -> pl.DataFrame:
    """Return how long the responses of each arm are, columns of `LENGTHS`.

    Parameters
    ----------
    written
        The responses.
    """
    arms = list(dict.fromkeys(w.task.arm for w in written))
    arms.sort(key=lambda arm: ARMS.index(arm) if arm in ARMS else len(ARMS))
    domains = list(dict.fromkeys(w.task.domain for w in written))
    rows = []
    for domain in (ALL, *domains):
        for arm in arms:
            of = [w for w in written if w.task.arm == arm and domain in (ALL, w.task.domain)]
            words = sorted(w.words for w in of if not w.failure)
            if not of:
                continue
            half = len(words) // 2
            rows.append(
                {
                    "domain": domain,
                    "arm": arm,
                    "responses": len(words),
                    "failed": len(of) - len(words),
                    "words": sum(words) / len(words) if words else None,
                    "median_words": (words[half] + words[-half - 1]) / 2 if words else None,
                }
            )
    return pl.DataFrame(rows, schema=LENGTHS)


def _by_prompt(matches: Sequence[Match]) -> list[Match]:
    """Explained against random on the same prompt, by what each did against vanilla."""
    random = {m.prompt_id: m for m in matches if (m.arm, m.against) == (RANDOM, VANILLA)}
    found = []
    for match in matches:
        other = random.get(match.prompt_id)
        if (match.arm, match.against) != (EXPLAINED, VANILLA) or other is None:
            continue
        gap = match.verdict - other.verdict
        sign = gap if math.isnan(gap) else float((gap > 0) - (gap < 0))
        found.append(Match(match.prompt_id, match.domain, EXPLAINED, RANDOM, sign, False))
    return found


def _rate_row(
    domain: str, kind: tuple[str, str], matches: Sequence[Match], level: float
) -> dict[str, Any] | None:
    of = [m for m in matches if (m.arm, m.against) == kind and domain in (ALL, m.domain)]
    if not of:
        return None
    found = win_rate([m.verdict for m in of], level=level)
    return {
        "domain": domain,
        "arm": kind[0],
        "against": kind[1],
        "how": PAIRED if kind == (EXPLAINED, RANDOM) else JUDGED,
        **_counts(found, of),
        "rate": found.rate,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
    }


def _counts(found: WinRate, of: Sequence[Match]) -> dict[str, int]:
    return {
        "prompts": found.n,
        "wins": found.wins,
        "ties": found.ties,
        "losses": found.losses,
        "flips": sum(m.flips for m in of),
        "failed": len(of) - found.n,
    }


def _corrected(rows: list[dict[str, Any]], *, level: float) -> pl.DataFrame:
    """The rows with corrected p-values: those over all prompts and those of domains apart."""
    for whole in (True, False):
        family = [row for row in rows if (row["domain"] == ALL) is whole]
        for row, p in zip(family, holm([row["p_value"] for row in family]), strict=True):
            row["p_corrected"] = float(p)
            row["verdict"] = _verdict(row, level)
    known = [{k: None if v != v else v for k, v in row.items()} for row in rows]
    return pl.DataFrame(known, schema=RATES)


def _verdict(row: Mapping[str, Any], level: float) -> str:
    if not row["p_corrected"] <= round(1 - level, 12):
        return SAME
    return BETTER if row["wins"] > row["losses"] else WORSE
