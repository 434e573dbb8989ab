"""Demonstrations of a k-shot judge: pairs with a verdict of a reference mechanism, without leakage.

A pair is never shown beside one of its own group (`palate.data.splits.groups`: equal prompts or
equal responses), and half of the right answers are "first". All pairs of a domain share the same
demonstrations, but for the few that belong to the group of one of these, which see another one in
its place; so what stands before a pair is the same for nearly all of a domain, and prefix caches
hit. Demonstrations come from the pair's domain where it has enough, and then from others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from palate.data.preferences import Preferences
from palate.data.shown import draw
from palate.data.splits import groups
from palate.errors import DataError, InputError
from palate.mechanisms.style import Example


@dataclass(frozen=True)
class Demonstration:
    """An example and the pair that it is.

    Parameters
    ----------
    id
        Id of the pair.
    example
        The pair with the right answer, in the order in which it is shown.
    """

    id: str
    example: Example


def draw_examples(
    preferences: Preferences, reference: str, *, n: int = 4, seed: int = 0
) -> dict[str, tuple[Demonstration, ...]]:
    """Return the demonstrations of every pair by its id.

    What is drawn depends on the ids and the seed, not on the order of the rows. Pairs get fewer
    than n where there are not enough other groups.

    Parameters
    ----------
    preferences
        The pairs.
    reference
        The mechanism whose verdicts are the right answers; ties are no demonstrations.
    n
        Demonstrations of a pair.
    seed
        The recorded seed.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If n is below 1.
    DataError
        If a pair has no other group with a verdict of the reference.
    """
    if n < 1:
        raise InputError(f"Examples: found {n}; expected at least 1.")
    sign = np.nan_to_num(np.sign(preferences.verdict(reference)))
    group = groups(preferences)
    ids, domains = preferences.ids, preferences.pairs["domain"].to_list()
    rows = sorted(
        np.flatnonzero(sign).tolist(), key=lambda row: (draw(ids[row], seed, "example"), ids[row])
    )
    seen: set[int] = set()
    order = [row for row in rows if not (int(group[row]) in seen or seen.add(int(group[row])))]  # type: ignore[func-returns-value]
    texts = preferences.pairs.select("prompt", "response_a", "response_b").rows()
    found: dict[str, tuple[Demonstration, ...]] = {}
    for domain in preferences.domains:
        near = [row for row in order if domains[row] == domain]
        line = near + [row for row in order if domains[row] != domain]
        firsts = _places(domain, n, seed)
        made: dict[tuple[int, bool], Demonstration] = {}
        for row in (row for row, name in enumerate(domains) if name == domain):
            chosen = _chosen(line[: n + 1], group, int(group[row]), n)
            if not chosen:
                raise DataError(
                    f"Pair {ids[row]!r} has no demonstrations: mechanism {reference!r} has no "
                    "verdict but ties on pairs with other prompts; expected at least one."
                )
            shots = []
            for other, first in zip(chosen, firsts, strict=False):
                if (other, first) not in made:
                    made[other, first] = _shown(ids[other], texts[other], sign[other], first=first)
                shots.append(made[other, first])
            found[ids[row]] = tuple(shots)
    return {pair: found[pair] for pair in ids}


def _chosen(line: list[int], group: np.ndarray, own: int, n: int) -> list[int]:
    """The first n of a line of n + 1 groups; who is of the pair's own gives its place to the last.

    Each group stands in the line once, so one in reserve is enough.
    """
    chosen, reserve = line[:n], line[n:]
    at = next((k for k, row in enumerate(chosen) if int(group[row]) == own), None)
    if at is not None:
        chosen = [*chosen[:at], *reserve, *chosen[at + 1 :]]
    return chosen


def _places(domain: str, n: int, seed: int) -> list[bool]:
    """Whether the right answer of each demonstration is "first": half of them, in random order."""
    order = sorted(range(n), key=lambda k: draw(f"{domain}\n{k}", seed, "place of the answer"))
    odd = draw(domain, seed, "odd place") < 0.5
    firsts = set(order[: n // 2 + (n % 2 and odd)])
    return [k in firsts for k in range(n)]


def _shown(pair_id: str, texts: tuple[str, str, str], sign: float, *, first: bool) -> Demonstration:
    prompt, a, b = texts
    better, worse = (a, b) if sign > 0 else (b, a)
    example = (
        Example(prompt, better, worse, "first")
        if first
        else Example(prompt, worse, better, "second")
    )
    return Demonstration(pair_id, example)
