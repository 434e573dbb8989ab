"""Subdomains and tasks that a script gives to queries, from their words alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from palate.llm.scripted.chaos import uniform
from palate.llm.scripted.question import Question

PARTS = ("basics", "planning", "troubleshooting", "special cases")
# the first task one of whose words stands in the query
TASKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("writing", ("write", "draft", "poem", "story", "letter", "compose")),
    ("explaining", ("why", "explain", "what is", "how does", "mean")),
    ("instructing", ("how do", "how can", "how to", "steps", "fix")),
    ("recommending", ("recommend", "suggest", "which", "should", "best")),
)
OTHER_TASK = "answering"


def topic(query: str, domain: str) -> tuple[str, str]:
    """Return the subdomain and the task of a query.

    Parameters
    ----------
    query
        Its text.
    domain
        Where it belongs.
    """
    part = PARTS[int(uniform("part", query) * len(PARTS))]
    words = query.lower()
    for task, signs in TASKS:
        if any(sign in words for sign in signs):
            return f"{domain} {part}", task
    return f"{domain} {part}", OTHER_TASK


def topics(queries: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the answer to "topics": the different subdomains and tasks of some queries.

    Parameters
    ----------
    queries
        Query and domain.
    """
    found = [topic(query, domain) for query, domain in queries]
    return {
        "subdomains": list(dict.fromkeys(subdomain for subdomain, _ in found)),
        "tasks": list(dict.fromkeys(task for _, task in found)),
    }


def tag(question: Question, field: str, query: str, domain: str) -> dict[str, list[str]]:
    """Return the answer to one field of "tagging"; what the schema does not list is left out.

    Parameters
    ----------
    question
        What is asked.
    field
        The field, for instance "q1".
    query
        Its text.
    domain
        Where it belongs.
    """
    subdomain, task = topic(query, domain)
    return {
        "subdomains": _listed(question, field, "subdomains", subdomain),
        "tasks": _listed(question, field, "tasks", task),
    }


def _listed(question: Question, field: str, kind: str, name: str) -> list[str]:
    part: Any = question.schema["properties"][field]
    items = part.get("properties", {}).get(kind, {}).get("items", {})
    allowed = items.get("enum")
    return [name] if allowed is None or name in allowed else []
