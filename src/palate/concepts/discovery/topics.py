"""Step 1: the subdomains and tasks of each domain, named from a sample of its queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palate.concepts.discovery.asking import (
    an_object,
    messages,
    refuse_if_most_failed,
)
from palate.concepts.discovery.names import topic_name
from palate.concepts.discovery.sample import sampled_queries
from palate.concepts.discovery.settings import Settings
from palate.data.shown import clean, shorten
from palate.llm.outcome import Answer, Asks
from palate.llm.request import Request

QUERIES_PER_CALL = 5
QUERY_CHARS = 1_500


@dataclass(frozen=True)
class Topics:
    """What a domain's queries are about and ask for, the most frequent first.

    Parameters
    ----------
    domain
        The domain.
    subdomains
        Its subdomains.
    tasks
        Its tasks.
    """

    domain: str
    subdomains: tuple[str, ...]
    tasks: tuple[str, ...]


def find_topics(
    queries: Mapping[str, Sequence[str]], client: Asks, settings: Settings, *, seed: int
) -> list[dict[str, Any]]:
    """Return one row per domain: its subdomains and tasks, and how many questions failed.

    Parameters
    ----------
    queries
        Different queries of each domain, in order.
    client
        Who answers.
    settings
        Says how many queries are looked at and how many names are kept.
    seed
        Seed of the sample.

    Raises
    ------
    ManyFailuresError
        If more than half of the questions failed.
    """
    asked: list[tuple[str, tuple[str, ...]]] = []
    for domain in sorted(queries):
        sample = sampled_queries(queries[domain], settings, seed=seed)
        for start in range(0, len(sample), QUERIES_PER_CALL):
            asked.append((domain, tuple(sample[start : start + QUERIES_PER_CALL])))
    found = client.ask([topics_request(queries) for _, queries in asked])
    refuse_if_most_failed("Naming subdomains and tasks", found)
    rows = []
    for domain in sorted(queries):
        answers = [o for (name, _), o in zip(asked, found, strict=True) if name == domain]
        values = [outcome.value for outcome in answers if isinstance(outcome, Answer)]
        rows.append(
            {
                "domain": domain,
                "subdomains": most_frequent(
                    [v["subdomains"] for v in values], settings.topics_kept
                ),
                "tasks": most_frequent([v["tasks"] for v in values], settings.topics_kept),
                "failed": len(answers) - len(values),
            }
        )
    return rows


def topics_request(queries: Sequence[str]) -> Request:
    """Return the question for subdomains and tasks of a few queries.

    Parameters
    ----------
    queries
        The queries.
    """
    names = {"type": "array", "items": {"type": "string"}}
    return Request(
        messages=messages("topics", "queries", {}, shown_queries(queries)),
        schema=an_object({"subdomains": names, "tasks": names}),
        name="topics",
        max_tokens=512,
        about=f"subdomains and tasks of {len(queries)} queries",
    )


def shown_queries(queries: Sequence[str]) -> dict[str, str]:
    """Return queries as they are shown: by name, cut to a length.

    Parameters
    ----------
    queries
        The queries.
    """
    return {
        f"query_{k}": shorten(clean(query)[0], QUERY_CHARS)[0]
        for k, query in enumerate(queries, start=1)
    }


def most_frequent(lists: Sequence[Sequence[str]], kept: int) -> list[str]:
    """Return the names that stand in most lists, at most `kept`; case and marks do not count.

    Parameters
    ----------
    lists
        Names, one list per answer.
    kept
        Most names in the result.
    """
    spelled: dict[str, Counter[str]] = {}
    for names in lists:
        once: dict[str, str] = {}
        for name in filter(None, map(topic_name, names)):
            once.setdefault(name.casefold(), name)
        for folded, name in once.items():
            spelled.setdefault(folded, Counter())[name] += 1
    order = sorted(spelled, key=lambda folded: (-spelled[folded].total(), folded))[:kept]
    return [min(spelled[f].items(), key=lambda item: (-item[1], item[0]))[0] for f in order]
