"""Scripted judges on loopback, and a few pairs for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from palate.data.preferences import Preferences
from palate.llm.client import Client
from palate.llm.connect import connect
from palate.llm.scripted.question import Question
from palate.llm.scripted.server import ScriptedServer, serve
from palate.mechanisms.matchup import Matchup

Script = Callable[[Question], Mapping[str, Any] | str]


@contextmanager
def asking(script: Script, **options: Any) -> Iterator[tuple[Client, ScriptedServer]]:
    """A client of a server that follows a script."""
    with (
        serve(script) as server,
        connect("openai:judge", base_url=server.base_url, **options) as client,
    ):
        yield client, server


def longer(question: Question) -> Mapping[str, Any]:
    """Prefers the longer response; the first one of two that are equally long."""
    first, second = question.material["response_1"], question.material["response_2"]
    found = {"verdict": "first" if len(first) >= len(second) else "second"}
    return {"reasons": "It says more.", **found} if "reasons" in question.fields else found


def matchups(*pairs: tuple[str, str]) -> list[Matchup]:
    """Matchups of these pairs of responses, with ids from 0."""
    return [Matchup(str(k), f"request {k}", a, b) for k, (a, b) in enumerate(pairs)]


def preferences(n: int = 24, *, prompts: int = 12, domains: int = 2) -> Preferences:
    """Pairs of which several share a prompt; "truth" prefers the longer response."""
    rows = []
    for k in range(n):
        a, b = "x" * (1 + (7 * k) % 11), "y" * (1 + (3 * k) % 13)
        sign = (len(a) > len(b)) - (len(a) < len(b))
        rows.append(
            {
                "id": f"p{k}",
                "domain": f"d{k % prompts % domains}",
                "prompt": f"prompt {k % prompts}",
                "response_a": f"{a} {k}",
                "response_b": f"{b} {k}",
                "labels": {"truth": sign},
            }
        )
    return Preferences.from_rows(rows)
