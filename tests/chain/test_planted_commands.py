"""`palate hack` and `palate break-ties` in planted worlds: what a budget ended goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from palate.data.preferences import Preferences
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.server import serve
from tests.cli.session import Done

from .commands import attempt
from .planted_actions import hack_world, planted_matrix, ties_world

pytestmark = pytest.mark.slow


def write(world: PlantedWorld, folder: Path) -> tuple[object, ...]:
    """Write the pairs of a world and the planted values of its concepts, and return the options."""
    rows = world.rows(both_orders=["judge"])
    matrix = planted_matrix(world, Preferences.from_rows(rows))
    concepts = [
        {"name": c.name, "definition": c.definition, "domains": list(c.domains or ()) or "all"}
        for c in matrix.concepts
    ]
    values = [
        {"id": i, "values": dict(zip(matrix.names, row, strict=True))}
        for i, row in zip(matrix.ids, matrix.values.tolist(), strict=True)
    ]
    (folder / "concepts.json").write_text(json.dumps(concepts), encoding="utf-8")
    for name, lines in (("pairs", rows), ("values", values)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    known = ("--concepts", folder / "concepts.json", "--values", folder / "values.jsonl")
    return (folder / "pairs.jsonl", "--mechanism", "judge", *known, "--jobs", 1, "--quiet")


def results(folder: Path) -> dict[str, bytes]:
    """The bytes of all results, without what tells when and where they were made."""
    made = {"run.json", "COMPLETE"}
    files = [p for p in folder.iterdir() if p.name not in made and p.suffix != ".html"]
    return {p.name: p.read_bytes() for p in files}


def goes_on(
    world: PlantedWorld, folder: Path, verb: str, *options: object, generator: bool
) -> None:
    """Run a command whole, and again with a budget that ends it twice."""
    given = write(world, folder)
    with serve(world.script(judge="judge")) as server:

        def run(name: str, *more: object) -> Done:
            model = ["--llm", "openai:judge", "--base-url", server.base_url, "--price", "100,100"]
            if generator:
                model += ["--generator", "openai:writer", "--generator-base-url", server.base_url]
                model += ["--generator-price", "100,100"]
            where = ("--store", folder / f"{name}.sqlite", "--out", folder / name)
            return attempt(verb, *given, *options, *model, "--concurrency", 2, *where, *more)

        done = run("whole")
        assert done.code == 0, done.err
        once, costs = server.calls, [float(x) for x in re.findall(r"\$([0-9.]+)", done.out)]
        assert len(costs) == 1 + generator
        # the first model in the middle, then the last one
        for limit in (0.5 * costs[0], (0.5 * costs[0] if generator else 0.0) + 0.3 * costs[-1]):
            before = server.calls
            stopped = run("parts", "--max-cost", f"{limit:.4f}")
            assert stopped.code == 3, stopped
            assert "--max-cost" in stopped.err
            assert before + 5 < server.calls < 2 * once - 5
            assert not (folder / "parts").exists()
        done = run("parts")
        assert done.code == 0, done.err
        assert server.calls == 2 * once  # nothing was paid for twice
    assert len(results(folder / "whole")) > 2
    assert results(folder / "parts") == results(folder / "whole")


def test_a_hack_goes_on_with_the_same_command(tmp_path: Path) -> None:
    world = hack_world(seed=7, n_pairs=320)
    goes_on(world, tmp_path, "hack", "--prompts-per-domain", 3, generator=True)


def test_breaking_ties_goes_on_with_the_same_command(tmp_path: Path) -> None:
    world = ties_world(seed=7, n_pairs=160)
    goes_on(world, tmp_path, "break-ties", "--reference", "people", generator=False)
