"""Step 3: batches of pairs that are alike in subject and task, drawn as often as these occur.

A query carries every combination of its subdomains and tasks, with None where it has none. A
combination that too few pairs carry to fill a batch gives its share to the same subdomain with any
task, and where that is too rare as well, to any pair of the domain. Combinations are drawn by
systematic sampling: each of frequency p comes B p times, rounded down or up. Within a combination
the pairs that were shown least come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from palate.concepts.discovery.sample import generator

ANY = "*"
"""In place of a subdomain or task: whatever it is."""
Combination = tuple[str | None, str | None]
ALL_PAIRS: Combination = (ANY, ANY)

QUESTIONS = ("preferred", "rejected", "only_preferred", "only_rejected")
DIFFERENCE = "difference"


@dataclass(frozen=True)
class Tagged:
    """A pair that may stand in a batch.

    Parameters
    ----------
    id
        Its id.
    subdomains
        Subdomains of its query.
    tasks
        Tasks of its query.
    """

    id: str
    subdomains: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def combinations(self) -> list[Combination]:
        """Return the combinations that it carries."""
        return [(s, t) for s in self.subdomains or (None,) for t in self.tasks or (None,)]

    def carries(self, combination: Combination) -> bool:
        """Whether it carries a combination.

        Parameters
        ----------
        combination
            Subdomain and task; None = has none, `ANY` = whatever it has.
        """
        subdomain, task = combination
        return (subdomain == ANY or subdomain in (self.subdomains or (None,))) and (
            task == ANY or task in (self.tasks or (None,))
        )


@dataclass(frozen=True)
class Batch:
    """Pairs that are shown in one question.

    Parameters
    ----------
    id
        Its domain and number.
    domain
        The domain.
    combination
        What all its pairs carry.
    pairs
        Ids of the pairs.
    question
        Which question is asked about them.
    keeps_away
        Whether the commonplace concepts are forbidden.
    """

    id: str
    domain: str
    combination: Combination
    pairs: tuple[str, ...]
    question: str
    keeps_away: bool


def make_batches(
    domain: str,
    pairs: Sequence[Tagged],
    *,
    number: int,
    size: int,
    labelled: bool,
    commonplace: bool,
    seed: int,
) -> list[Batch]:
    """Return the batches of a domain.

    Parameters
    ----------
    domain
        Its name.
    pairs
        Its discovery pairs, in the order of their ids, at least one.
    number
        Number of batches.
    size
        Pairs in a batch, fewer where the domain has fewer.
    labelled
        Whether it is known which response was preferred.
    commonplace
        Whether half of the batches keep away from the commonplace concepts.
    seed
        Seed of everything drawn.
    """
    random = generator(seed, "batches", domain)
    frequency = frequencies(pairs, size=size)
    names = sorted(frequency, key=repr)
    drawn = systematic([frequency[name] for name in names], number, random)
    questions = QUESTIONS if labelled else (DIFFERENCE,)
    asked = random.permutation(np.arange(number) % len(questions))
    away = random.permutation(np.arange(number) % 2 == 0) & commonplace
    shown: Counter[str] = Counter()
    batches = []
    for k, which in enumerate(drawn):
        combination = names[which]
        carriers = [pair.id for pair in pairs if pair.carries(combination)]
        order = [carriers[i] for i in random.permutation(len(carriers))]
        chosen = sorted(sorted(order, key=shown.__getitem__)[:size])
        shown.update(chosen)
        batches.append(
            Batch(
                id=f"{domain} {k + 1}",
                domain=domain,
                combination=combination,
                pairs=tuple(chosen),
                question=questions[asked[k]],
                keeps_away=bool(away[k]),
            )
        )
    return batches


def frequencies(pairs: Sequence[Tagged], *, size: int) -> Mapping[Combination, int]:
    """Return how often each combination occurs, the rare ones counted as wider ones.

    Parameters
    ----------
    pairs
        The pairs of a domain.
    size
        Pairs that a combination needs.
    """
    exact = Counter(c for pair in pairs for c in pair.combinations())
    carriers: Counter[Combination] = Counter(exact)
    carriers.update((s, ANY) for pair in pairs for s in pair.subdomains or (None,))
    wide: Counter[Combination] = Counter()
    for (subdomain, task), n in exact.items():
        wider: tuple[Combination, ...] = ((subdomain, task), (subdomain, ANY))
        wide[next((c for c in wider if carriers[c] >= size), ALL_PAIRS)] += n
    return wide


def systematic(weights: Sequence[int], number: int, random: np.random.Generator) -> list[int]:
    """Return `number` draws with these weights, each as often as its weight, within one.

    Parameters
    ----------
    weights
        Positive weights.
    number
        Number of draws.
    random
        Where the one random number and the order come from.
    """
    edges = np.cumsum(weights) / np.sum(weights) * number
    points = random.random() + np.arange(number)
    drawn = np.minimum(np.searchsorted(edges, points, side="right"), len(weights) - 1)
    return random.permutation(drawn).tolist()  # type: ignore[no-any-return]
