"""Which pairs are set apart for discovery, and which of their queries are looked at first.

Pairs that share a prompt, or both responses, stand on the same side. Everything is drawn in the
order of the ids, so the order of a file's rows changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from palate.concepts.discovery.settings import Settings
from palate.data.preferences import Preferences
from palate.data.splits import groups


def generator(seed: int, *what: object) -> np.random.Generator:
    """Return a random generator that follows from the seed and what it is for, and nothing else.

    Parameters
    ----------
    seed
        The recorded seed.
    what
        What it is for: texts and numbers.
    """
    data = repr((seed, *what)).encode("utf-8", "surrogatepass")
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(data, digest_size=8).digest()))


def sorted_by_id(preferences: Preferences) -> Preferences:
    """Return the same pairs in the order of their ids, and mechanisms in that of their names.

    Parameters
    ----------
    preferences
        The pairs.
    """
    ids = preferences.ids
    ordered = preferences.select(sorted(range(len(ids)), key=ids.__getitem__))
    return ordered.with_mechanisms(sorted(ordered.mechanisms))


def discovery_rows(preferences: Preferences, settings: Settings, *, seed: int) -> list[int]:
    """Return the rows of the pairs that discovery may look at, in order.

    Parameters
    ----------
    preferences
        Pairs in the order of their ids.
    settings
        Says how many of a domain.
    seed
        Seed of the choice.
    """
    domain = preferences.pairs["domain"].to_list()
    wanted = {d: settings.n_discovery(n) for d, n in Counter(domain).items()}
    group = groups(preferences).tolist()
    members: dict[int, list[int]] = {}
    for row, number in enumerate(group):
        members.setdefault(number, []).append(row)
    order = generator(seed, "discovery pairs").permutation(len(members)).tolist()
    held: Counter[str] = Counter()
    chosen: set[int] = set()

    def take(number: int) -> None:
        chosen.add(number)
        held.update(domain[row] for row in members[number])

    here: dict[str, list[int]] = {}  # groups of each domain, in their drawn order
    for number in order:
        size = Counter(domain[row] for row in members[number])
        if all(held[d] + n <= wanted[d] for d, n in size.items()):
            take(number)
        for name in size:
            here.setdefault(name, []).append(number)
    # a domain of few large groups: its smallest one, if something is left to be evaluated
    for name in sorted(wanted):
        if wanted[name] and not held[name] and len(here[name]) > 1:
            take(min(here[name], key=lambda number: len(members[number])))
    return sorted(row for number in chosen for row in members[number])


def sampled_queries(queries: Sequence[str], settings: Settings, *, seed: int) -> list[str]:
    """Return the queries from which subdomains and tasks are named: a share, at least ten.

    Parameters
    ----------
    queries
        Different queries of one domain, in order.
    settings
        Says which share.
    seed
        Seed of the choice.
    """
    number = min(len(queries), max(10, round(settings.topics_share * len(queries))))
    chosen = generator(seed, "queries", *queries[:1]).permutation(len(queries))[:number]
    return [queries[k] for k in sorted(chosen.tolist())]
