"""The tables of `benchmarks/annotation_cost.py` as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from palate.concepts.annotation.protocols import PROTOCOLS
from palate.explanations.annotation_policies import growing_rounds
from palate.llm.prices import Price

PRICES = {
    "gpt-5-nano": Price(input=0.05, cached_input=0.005, output=0.40),
    "gpt-5-mini": Price(input=0.25, cached_input=0.025, output=2.00),
    "claude-sonnet-4-5": Price(input=3.00, cached_input=0.30, output=15.00),
}
"""US dollars per million tokens, from the price table of genai-prices in November 2026."""
EXAMPLE = "gpt-5-mini"
DISCOUNT = 0.1  # what a token read from the prefix cache costs, of one that is not
NAMES = {"demo": "Demo set", "judges": "LLMBar with judges_concepts"}


def cost(count: Mapping[str, float], price: Price) -> float:
    """US dollars of a pair."""
    fresh = count["sent"] - count["prefix"]
    return (
        fresh * price.input
        + count["prefix"] * price.cached_input
        + count["answered"] * price.output
    ) / 1e6


def raw(count: Mapping[str, float]) -> float:
    """Tokens in and out."""
    return count["sent"] + count["answered"]


def print_tables(found: Mapping[str, Any]) -> None:
    """Print everything."""
    for name, part in found.items():
        if "tokens" in part:
            print(f"\n### {NAMES.get(name, name)}: {part['tokens']['pairs']} pairs\n")
            print(tokens_table(part["tokens"]))
            if "call" in part["tokens"]:
                print("\n" + sizes_table(part["tokens"]))
        if "fits" in part:
            print("\n" + fits_table(part["fits"]))


def tokens_table(part: Mapping[str, Any]) -> str:
    """Tokens and cost per pair."""
    ways, ends = part["ways"], part["yardstick"]
    base = next(iter(ways.values()))
    price = PRICES[EXAMPLE]
    lines = [
        "| way of asking | calls | in | of them cached | out | share of tokens | billed as | "
        f"$ per 1,000 pairs ({EXAMPLE}) | share of cost |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, c in ways.items():
        billed = raw(c) - (1 - DISCOUNT) * c["prefix"]
        lines.append(
            f"| {name} | {c['calls']:.2f} | {c['sent']:,.0f} | {c['prefix']:,.0f} | "
            f"{c['answered']:,.0f} | {100 * raw(c) / raw(base):.1f} % | {billed:,.0f} | "
            f"{1000 * cost(c, price):.2f} | {100 * cost(c, price) / cost(base, price):.1f} % |"
        )
    default = raw(ways["default"])
    spread = ", ".join(
        f"{100 * default / tokens:.1f} % where the relevance call keeps {words}"
        for tokens, words in (
            (ends["0.0"], "only what differs"),
            (ends["1.0"], "everything"),
        )
    )
    return "\n".join([*lines, "", f"Share of tokens of the default: {spread}."])


def fits_table(fits: Mapping[str, Any]) -> str:
    """Accuracy and effects."""
    lines = [
        "| way of asking | held-out accuracy | difference, points (90 %) | rank correlation | "
        "statements kept | lost | new |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, f in fits.items():
        gain = f"{f['gain']:+.2f} ({f['gain_low']:+.2f} to {f['gain_high']:+.2f})"
        lines.append(
            f"| {name} | {f['accuracy']:.1f} % | {gain} | {f['correlation']:.2f} | "
            f"{f['kept']:.1f} | {f['lost']:.1f} | {f['new']:.1f} |"
        )
    return "\n".join(lines)


SIZES = {1_000: (1.0, 0.87), 10_000: (0.96, 0.79), 100_000: (0.20, 0.20)}
"""Pairs, and the shares of pairs and of answers that the policy asks for: worlds with known truth
(`benchmarks/annotation_worlds.py`), one mechanism, eight domains."""
DOMAINS, AUDIT = 8, 0.05
DISTILLED = 4_000  # pairs that a student learns from


def shares_of_concepts() -> list[float]:
    """Shares of the concepts in the calls that are made."""
    return [answers / pairs for pairs, answers in SIZES.values()]


def calls(n: float, rounds: tuple[float, ...]) -> int:
    """Calls for n pairs in equal domains; in each round of each the last call may be smaller."""
    size = PROTOCOLS["lean"].pairs_per_call
    return sum(DOMAINS * ceil(round(n * share / DOMAINS) / size) for share in rounds)


def study(n: float, rounds: tuple[float, ...], call: Mapping[str, float]) -> dict[str, float]:
    """Tokens of n pairs in one order and of the audit in the other."""
    made, pairs = calls(n, rounds) + calls(AUDIT * n, rounds), n * (1 + AUDIT)
    return {
        "calls": made,
        "sent": made * call["system"] + pairs * call["user"],
        "prefix": made * call["prefix"],
        "answered": pairs * call["answered"],
    }


def sizes_table(part: Mapping[str, Any]) -> str:
    """What studies of some sizes take, by protocol and price."""
    call, paper = part["call"], next(iter(part["ways"].values()))
    lines = [
        "| pairs | protocol | calls | tokens in | out | share of tokens | "
        + " | ".join(PRICES)
        + " |",
        "|--:|---|--:|--:|--:|--:|" + "--:|" * len(PRICES),
    ]

    def row(n: int, name: str, total: Mapping[str, float]) -> str:
        money = " | ".join(f"${cost(total, p):,.2f}" for p in PRICES.values())
        share = raw(total) / (n * raw(paper))
        return (
            f"| {n:,} | {name} | {total['calls']:,.0f} | {total['sent'] / 1e6:,.1f}M | "
            f"{total['answered'] / 1e6:,.2f}M | {100 * share:.1f} % | {money} |"
        )

    for n, (pairs, answers) in SIZES.items():
        default = study(n * pairs, growing_rounds(n), call[str(answers / pairs)])
        lines += [row(n, "paper", {k: n * v for k, v in paper.items()}), row(n, "default", default)]
        if n > DISTILLED:
            few = study(DISTILLED, (1.0,), call["1.0"])
            lines.append(row(n, f"default on {DISTILLED:,}, the rest distilled", few))
    return "\n".join(lines)
