"""`--concepts demo` names the concepts of the demo set and their values, in every command."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from palate.cli import COMMANDS
from palate.cli.concept_options import bundled
from palate.data.demo import demo_paths
from palate.errors import InputError

from .session import Palate

DEMO, MINE = Path("demo"), Path("mine.jsonl")
TAKING = sorted(
    name
    for name, command in COMMANDS.items()
    if inspect.isfunction(command)
    and {"concepts", "values"} <= set(inspect.signature(command).parameters)
)
MORE = {
    "compare": ("checker", "coach"),
    "hack": ("-m", "coach"),
    "break-ties": ("-m", "coach", "--offline"),
}


def test_demo_names_concepts_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = demo_paths()
    assert bundled(DEMO, None) == bundled(DEMO, DEMO) == (paths.concepts, paths.values)
    assert bundled(None, DEMO) == (None, paths.values)
    assert bundled(DEMO, MINE) == (paths.concepts, MINE)
    assert bundled(MINE, MINE) == (MINE, MINE)
    assert bundled(None, None) == (None, None)
    (tmp_path / "demo").touch()
    assert bundled(DEMO, None) == (DEMO, None)


@pytest.mark.parametrize("name", TAKING)
def test_every_command_knows_them(
    palate: Palate, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def asked_for() -> None:
        raise InputError("The demo set is asked for.")

    monkeypatch.setattr("palate.data.demo.demo_paths", asked_for)
    done = palate(name, "votes.jsonl", *MORE.get(name, ()), "--concepts", "demo")
    assert (done.code, done.errors) == (2, ["Error: The demo set is asked for."])


def test_the_commands_are_all_there() -> None:
    assert [
        *("break-ties", "compare", "distil", "evaluate", "explain", "hack", "plan", "validate"),
    ] == TAKING
