"""Step 2: which of its domain's subdomains and tasks each discovery query belongs to, if any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from palate.concepts.discovery.asking import (
    an_object,
    ask_groups,
    in_groups,
    messages,
    refuse_if_most_failed,
)
from palate.concepts.discovery.topics import Topics, shown_queries
from palate.llm.outcome import Answer, Asks
from palate.llm.request import Request

QUERIES_PER_CALL = 8
Tags = tuple[list[str], list[str]]
"""Subdomains and tasks of a query; both may be empty. None: its question failed."""


def tag_queries(
    queries: Mapping[str, Sequence[str]], topics: Mapping[str, Topics], client: Asks
) -> tuple[dict[tuple[str, str], Tags | None], int]:
    """Return the tags of every query by domain and query, and how many questions failed.

    Parameters
    ----------
    queries
        Different queries of each domain, in order.
    topics
        Subdomains and tasks of each domain; where there are none, nothing is asked.
    client
        Who answers.

    Raises
    ------
    ManyFailuresError
        If more than half of the questions failed.
    """
    tags: dict[tuple[str, str], Tags | None] = {}
    groups: list[tuple[tuple[str, str], ...]] = []
    for domain in sorted(queries):
        here = [(domain, query) for query in queries[domain]]
        if topics[domain].subdomains or topics[domain].tasks:
            groups += in_groups(here, QUERIES_PER_CALL)
        else:
            tags |= dict.fromkeys(here, ([], []))

    def build(group: Sequence[tuple[str, str]]) -> Request:
        return tagging_request([query for _, query in group], topics[group[0][0]])

    found = ask_groups(client, groups, build)
    for group, outcome in found:
        for k, (domain, query) in enumerate(group, start=1):
            tags[domain, query] = (
                tags_of(outcome.value[f"q{k}"], topics[domain])
                if isinstance(outcome, Answer)
                else None
            )
    return tags, refuse_if_most_failed("Tagging queries", [outcome for _, outcome in found])


def tagging_request(queries: Sequence[str], topics: Topics) -> Request:
    """Return the question for the tags of a few queries.

    Parameters
    ----------
    queries
        The queries.
    topics
        The names to choose from.
    """
    kinds = {"subdomains": topics.subdomains, "tasks": topics.tasks}
    one = an_object({kind: _some_of(names) for kind, names in kinds.items()})
    lists = {kind: json.dumps(list(names), ensure_ascii=False) for kind, names in kinds.items()}
    return Request(
        messages=messages("tagging", "queries", lists, shown_queries(queries)),
        schema=an_object({f"q{k}": one for k in range(1, len(queries) + 1)}),
        name="tagging",
        max_tokens=128 + 96 * len(queries),
        about=f"tags of {len(queries)} queries of {topics.domain}",
    )


def tags_of(answer: Mapping[str, Any], topics: Topics) -> Tags:
    """Return those subdomains and tasks of an answer that exist, each once, in our order.

    Parameters
    ----------
    answer
        What the model said about one query.
    topics
        The names that exist.
    """
    return (
        [name for name in topics.subdomains if name in answer["subdomains"]],
        [name for name in topics.tasks if name in answer["tasks"]],
    )


def _some_of(names: Sequence[str]) -> dict[str, Any]:
    """Schema of a list of names; an empty enumeration would be no schema."""
    items: dict[str, Any] = {"type": "string"}
    return {"type": "array", "items": {**items, "enum": list(names)} if names else items}
