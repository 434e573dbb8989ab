"""Planted worlds, a model that reads their texts over real HTTP, and clients that tests write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from palate.data.preferences import Preferences
from palate.llm.client import Client
from palate.llm.connect import connect
from palate.llm.outcome import Answer, Failure, Outcome
from palate.llm.request import Request
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.server import ScriptedServer, serve
from palate.llm.store import Store


def world(n_pairs: int = 240, **more: Any) -> PlantedWorld:
    """A planted world with four domains."""
    return PlantedWorld(seed=3, n_pairs=n_pairs, **more)


def preferences(planted: PlantedWorld) -> Preferences:
    """Its pairs."""
    return Preferences.from_rows(planted.rows())


@contextmanager
def asked(
    planted: PlantedWorld, store: Path | None = None, **chaos: float
) -> Iterator[tuple[Client, ScriptedServer]]:
    """A real client of a real server that reads the texts."""
    with (
        serve(planted.script(), chaos=chaos) as server,
        connect(
            "openai:planted",
            base_url=server.base_url,
            store=None if store is None else Store(store),
            retries=2,
        ) as client,
    ):
        yield client, server


class Function:
    """Asks a function, and remembers the requests."""

    def __init__(self, answer: Callable[[Request], Mapping[str, Any] | Failure]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """One outcome each."""
        self.requests += requests
        found = [self.answer(request) for request in requests]
        return [x if isinstance(x, Failure) else Answer(x) for x in found]


def simple(request: Request) -> dict[str, Any]:
    """Plain answers to every question, from its schema alone."""
    fields = request.schema["properties"]
    if request.name == "topics":
        return {"subdomains": ["Basics", "Extras"], "tasks": ["Explaining"]}
    if request.name == "tagging":
        return {f: {"subdomains": ["Basics"], "tasks": ["Explaining"]} for f in fields}
    if request.name == "propose":
        return {"concepts": [{"name": "Warm tone", "description": "It is warm."}]}
    if request.name == "same":
        return dict.fromkeys(fields, False)
    return dict.fromkeys(fields, "High: it is warm; low: it is cold.")
