"""A scripted server and the client that asks it, and the demo set with its recorded values."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from palate.concepts.concept import Concept
from palate.concepts.imported_files import read_definitions
from palate.data.demo import demo_paths, load_demo
from palate.data.preferences import Preferences
from palate.llm.client import Client
from palate.llm.connect import connect
from palate.llm.scripted.question import Script, pair_by_pair
from palate.llm.scripted.scripts import load_script
from palate.llm.scripted.server import ScriptedServer, serve

demo_script = cache(load_script)


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """The recorded rows of the demo set by id."""
    with gzip.open(demo_paths().values, "rt", encoding="utf-8") as file:
        return {row["id"]: row for row in map(json.loads, file)}


@cache
def demo_concepts() -> tuple[Concept, ...]:
    """The concepts of the demo set."""
    return read_definitions(demo_paths().concepts)


def demo_pairs(every: int = 1) -> Preferences:
    """Every so many-th pair of the demo set."""
    pairs = load_demo()
    return pairs.select(list(range(0, pairs.n_pairs, every)))


@contextmanager
def asking(
    script: Script | None = None, *, model: str = "openai:tiny", **options: Any
) -> Iterator[tuple[Client, ScriptedServer]]:
    """A client and the server that it asks; by default it replays the demo set.

    The script is asked about one pair at a time.
    """
    settings = {"timeout": 20.0, **options}
    with (
        serve(
            pair_by_pair(script or demo_script("demo")), chaos=settings.pop("chaos", None)
        ) as server,
        connect(model, base_url=server.base_url, **settings) as client,
    ):
        yield client, server


def names(fields: Mapping[str, str]) -> list[str]:
    """Names of the concepts of a question."""
    return list(fields.values())
