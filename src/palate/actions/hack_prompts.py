"""The prompts of a judge hack: those that the explanation has not seen, each one once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from palate.data.preferences import Preferences
from palate.data.shown import draw
from palate.data.splits import grouped_folds, groups
from palate.errors import DataError, InputError
from palate.explanations.explanation import Explanation

PARTS = 20


@dataclass(frozen=True)
class Prompt:
    """A prompt that is responded to.

    Parameters
    ----------
    id
        Id of the first pair that has it.
    domain
        Domain of that pair.
    text
        The user's request.
    """

    id: str
    domain: str
    text: str


def held_out(
    preferences: Preferences, *, share: float, seed: int = 0, cluster: str | None = None
) -> tuple[Preferences, Preferences]:
    """Return the pairs to explain and those whose prompts are responded to.

    Pairs that share a prompt or the responses stay together, and every domain is divided alike as
    far as they allow.

    Parameters
    ----------
    preferences
        All pairs.
    share
        Share of the pairs in the second part, to a twentieth.
    seed
        Seed of the division.
    cluster
        Metadata column whose equal values stay together as well.

    Raises
    ------
    InputError
        If the share is not between 0 and 1.
    DataError
        If there are fewer than two groups of pairs.
    UnknownNameError
        If there is no such metadata column.
    """
    if not 0 < share < 1:
        raise InputError(f"share: found {share}; expected a number between 0 and 1.")
    group = groups(preferences, cluster_column=cluster)
    n_parts = max(2, min(PARTS, int(group.max(initial=-1)) + 1))
    domains = preferences.pairs["domain"].to_numpy()
    part = grouped_folds(group, n_parts, seed=seed, strata=domains)
    apart = part < min(max(round(share * n_parts), 1), n_parts - 1)
    return preferences.select(np.asarray(~apart)), preferences.select(np.asarray(apart))


def chosen_prompts(
    preferences: Preferences, domains: tuple[str, ...], most: int, seed: int
) -> tuple[list[Prompt], int]:
    """Return the prompts that are responded to, and how many pairs of the domains have none.

    Which ones depends on the prompts, their ids and the seed, and not on the order of the rows.

    Parameters
    ----------
    preferences
        The pairs.
    domains
        The domains in which there is something to try.
    most
        Most prompts of a domain.
    seed
        Seed of the draw.

    Raises
    ------
    DataError
        If there is none.
    """
    first: dict[str, Prompt] = {}
    empty = 0
    columns = (preferences.pairs[name].to_list() for name in ("id", "domain", "prompt"))
    for pair_id, domain, text in sorted(zip(*columns, strict=True)):
        if domain not in domains:
            continue
        if text.strip():
            first.setdefault(text, Prompt(pair_id, domain, text))
        else:
            empty += 1
    if not first:
        raise DataError("There is no pair with a prompt; expected prompts to respond to.")
    found = []
    for domain in domains:
        here = sorted(
            (p for p in first.values() if p.domain == domain),
            key=lambda p: (draw(p.id, seed, "prompts of a hack"), p.id),
        )
        found += here[:most]
    return found, empty


def refuse_seen(preferences: Preferences, explanation: Explanation) -> None:
    """Refuse pairs whose verdicts the explanation was fitted on.

    Parameters
    ----------
    preferences
        Pairs whose prompts are responded to.
    explanation
        The explanation.

    Raises
    ------
    InputError
        If it has seen a verdict on one of them.
    """
    judged = explanation.pairs.filter(explanation.pairs["verdict"].is_not_null())
    seen = set(judged["id"]) & set(preferences.ids)
    if seen:
        raise InputError(
            f"The explanation of {explanation.mechanism!r} was fitted on verdicts of {len(seen):,} "
            f"of these {preferences.n_pairs:,} pairs, for instance {min(seen)!r}; expected pairs "
            "that it has not seen (palate.actions.hack_prompts.held_out), or allow_seen=True."
        )
