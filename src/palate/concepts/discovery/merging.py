"""Step 5: names that stand for the same quality become one concept, the most frequent of them.

Two names that share a Snowball stem are candidates, and so, as an option, are two whose names and
descriptions are similar; the model decides. A name outranks another that was found in fewer
domains, or in as many and fewer batches, or comes later in the alphabet; fixed concepts outrank
all. Decisions count in the order of the ranks of the two names, so nothing depends on the order in
which names were found. Two groups stay apart where the model told their first names apart, so that
a chain of near equals does not join what differs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from palate.concepts.discovery.asking import (
    an_object,
    ask_groups,
    in_groups,
    messages,
    refuse_if_most_failed,
)
from palate.concepts.discovery.settings import Settings
from palate.concepts.discovery.similarity import similar
from palate.llm.outcome import Answer, Asks, Outcome
from palate.llm.request import Request

PAIRS_PER_CALL = 20
PAIRS_PER_ROUND, ROUNDS = 500, 20
"""Candidates asked about before those that are settled by the answers are left out, at least; of
many candidates a twentieth."""
LEADING = 30
"""Names of a stem with which all others of it are compared: those of the first ranks. So the number
of candidates grows with that of names, not with its square."""
COMMON = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "to",
        "for",
        "with",
        "without",
        "by",
        "from",
        "as",
        "at",
        "its",
        "no",
        "not",
        "use",
        "usage",
        "level",
        "degree",
        "quality",
        "response",
        "answer",
    ]
)
"""Words of names that say nothing of what the quality is."""


@dataclass
class Found:
    """A name and where it was found.

    Parameters
    ----------
    name
        The name as it is written most often.
    fixed
        Whether it was given beforehand: it stays, with its definition.
    batches
        Ids of the batches that named it, by domain.
    descriptions
        What each batch said it is.
    """

    name: str
    fixed: bool = False
    batches: dict[str, set[str]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    @property
    def n_batches(self) -> int:
        """Number of batches."""
        return sum(map(len, self.batches.values()))

    @property
    def rank(self) -> tuple[bool, int, int, str]:
        """Sorts the name that stays first."""
        return (not self.fixed, -len(self.batches), -self.n_batches, self.name.casefold())


def collect(proposals: Iterable[Mapping[str, Any]], fixed: Sequence[str] = ()) -> list[Found]:
    """Return every name with where it was found, in the order of their ranks.

    Parameters
    ----------
    proposals
        Rows of `propose`.
    fixed
        Names that are there beforehand.
    """
    spelled: dict[str, dict[str, int]] = {}
    found = {name.casefold(): Found(name, fixed=True) for name in fixed}
    for row in proposals:
        for entry in row["concepts"]:
            folded = entry["name"].casefold()
            entry_of = found.setdefault(folded, Found(entry["name"]))
            entry_of.batches.setdefault(row["domain"], set()).add(row["batch"])
            entry_of.descriptions[row["batch"]] = entry["description"]
            count = spelled.setdefault(folded, {})
            count[entry["name"]] = count.get(entry["name"], 0) + 1
    for folded, one in found.items():
        if not one.fixed:
            one.name = min(spelled[folded].items(), key=lambda item: (-item[1], item[0]))[0]
    return sorted(found.values(), key=lambda one: one.rank)


def stems(name: str) -> frozenset[str]:
    """Return the Snowball stems of the words of a name that say what it is.

    Parameters
    ----------
    name
        A name.
    """
    words = [word for word in re.findall(r"\w+", name.casefold()) if word not in COMMON]
    return frozenset(_stem(word) for word in words)


@functools.lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@functools.cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def candidates(found: Sequence[Found], settings: Settings) -> list[tuple[int, int]]:
    """Return the pairs of names that may stand for the same quality, by number, the first first.

    Parameters
    ----------
    found
        Names in the order of their ranks.
    settings
        Says whether similarity makes candidates as well.
    """
    holders: dict[str, list[int]] = {}
    for number, one in enumerate(found):
        for stem in stems(one.name):
            holders.setdefault(stem, []).append(number)
    pairs = {
        (first, other)
        for numbers in holders.values()
        for k, first in enumerate(numbers[:LEADING])
        for other in numbers[k + 1 :]
    }
    if settings.similarity is not None:
        pairs |= set(similar([told(one) for one in found], settings.similarity, settings.threshold))
    return sorted(pair for pair in pairs if not (found[pair[0]].fixed and found[pair[1]].fixed))


def told(one: Found) -> str:
    """Return a name with one of its descriptions, as it is shown to the model.

    Parameters
    ----------
    one
        The name.
    """
    first = min(one.descriptions, default=None)
    return one.name if first is None else f"{one.name}: {one.descriptions[first]}"


class Groups:
    """Which names stand for the same quality, by what was decided so far.

    Parameters
    ----------
    found
        Names in the order of their ranks.
    """

    def __init__(self, found: Sequence[Found]) -> None:
        self._found = found
        self._first = list(range(len(found)))
        self._apart: set[tuple[int, int]] = set()

    def first(self, number: int) -> int:
        """Return the name that stands for the group of a name.

        Parameters
        ----------
        number
            A name.
        """
        while self._first[number] != number:
            self._first[number] = self._first[self._first[number]]
            number = self._first[number]
        return number

    def settled(self, one: int, other: int) -> bool:
        """Whether nothing would follow from deciding about two names.

        Parameters
        ----------
        one
            A name.
        other
            Another one.
        """
        low, high = sorted((self.first(one), self.first(other)))
        both_fixed = self._found[low].fixed and self._found[high].fixed
        return low == high or both_fixed or (low, high) in self._apart

    def decide(self, one: int, other: int, same: bool) -> bool:
        """Take in a decision and return whether two groups became one.

        Parameters
        ----------
        one
            A name.
        other
            Another one.
        same
            Whether the two stand for the same quality.
        """
        if not same:
            self._apart.add((min(one, other), max(one, other)))
            return False
        if self.settled(one, other):
            return False
        low, high = sorted((self.first(one), self.first(other)))
        self._first[high] = low
        return True

    def members(self) -> dict[int, list[int]]:
        """Return the names of every group by its first name, all in the order of their ranks."""
        groups: dict[int, list[int]] = {}
        for number in range(len(self._first)):
            groups.setdefault(self.first(number), []).append(number)
        return groups


def merge(found: Sequence[Found], client: Asks, settings: Settings) -> list[dict[str, Any]]:
    """Return the decisions about all candidates that were asked about, in order.

    Each row holds the two names, whether they are the same (None where the question failed), and
    whether two groups became one by it.

    Parameters
    ----------
    found
        Names in the order of their ranks.
    client
        Who answers.
    settings
        Says what makes candidates.

    Raises
    ------
    ManyFailuresError
        If more than half of the questions failed.
    """
    waiting = candidates(found, settings)
    size = max(PAIRS_PER_ROUND, -(-len(waiting) // ROUNDS))
    groups, rows = Groups(found), list[dict[str, Any]]()
    outcomes: list[Outcome] = []
    while waiting:
        asked = waiting[:size]
        answers = ask_groups(
            client, in_groups(asked, PAIRS_PER_CALL), lambda group: same_request(group, found)
        )
        for group, outcome in answers:
            outcomes.append(outcome)
            for k, (one, other) in enumerate(group, start=1):
                same = bool(outcome.value[f"m{k}"]) if isinstance(outcome, Answer) else None
                merged = same is not None and groups.decide(one, other, same)
                rows.append(
                    {"a": found[one].name, "b": found[other].name, "same": same, "merged": merged}
                )
        waiting = [pair for pair in waiting[size:] if not groups.settled(*pair)]
    refuse_if_most_failed("Merging concepts", outcomes)
    return rows


def same_request(pairs: Sequence[tuple[int, int]], found: Sequence[Found]) -> Request:
    """Return the question whether the two names of each pair stand for the same quality.

    Parameters
    ----------
    pairs
        Pairs of names by number.
    found
        The names.
    """
    material: dict[str, str] = {}
    for k, (one, other) in enumerate(pairs, start=1):
        material[f"concept_{k}_a"] = told(found[one])
        material[f"concept_{k}_b"] = told(found[other])
    return Request(
        messages=messages("same", "pairs", {}, material),
        schema=an_object({f"m{k}": {"type": "boolean"} for k in range(1, len(pairs) + 1)}),
        name="same",
        max_tokens=128 + 12 * len(pairs),
        about=f"{len(pairs)} pairs of concepts",
    )


def merged_names(
    found: Sequence[Found], decisions: Iterable[Mapping[str, Any]]
) -> list[tuple[Found, list[Found]]]:
    """Return each name that stays with all the names that it stands for, itself first.

    Parameters
    ----------
    found
        Names in the order of their ranks.
    decisions
        Rows of `merge`.
    """
    number = {one.name: k for k, one in enumerate(found)}
    groups = Groups(found)
    for row in decisions:
        if row["same"] is not None and row["a"] in number and row["b"] in number:
            groups.decide(number[row["a"]], number[row["b"]], row["same"])
    return [
        (found[first], [found[k] for k in numbers]) for first, numbers in groups.members().items()
    ]
