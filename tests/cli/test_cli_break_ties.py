"""`palate break-ties`: from a file with ties to one without, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from actions.ties_world import tied_world

import palate as package
from palate.actions.ties_result import TieBreaks
from palate.llm.scripted.server import serve

from .session import Done, Palate, write_jsonl

FILES = {
    "preferences.jsonl",
    "ties.json",
    "ties.csv",
    "ties.html",
    "pairs.jsonl",
    "run.json",
    "COMPLETE",
}


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALATE_STORE", str(tmp_path / "answers.sqlite"))
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 90 pairs, some of them tied, and their concepts."""
    place = tmp_path_factory.mktemp("ties")
    preferences, concepts = tied_world(90, seed=2)
    preferences.save(place / "votes.jsonl")
    rows = [
        {"id": i, "values": dict(zip(concepts.names, map(int, x), strict=True))}
        for i, x in zip(concepts.ids, concepts.values, strict=True)
    ]
    write_jsonl(place / "values.jsonl", rows)
    return place


def words(folder: Path, *more: object, judge: str = "judge") -> list[object]:
    """The words of a command on that file."""
    file, values = folder / "votes.jsonl", folder / "values.jsonl"
    return ["break-ties", file, "-m", judge, "--values", values, *more]


def refused(done: Done, *parts: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert len(done.errors) == 1, done.err
    for part in parts:
        assert part in done.errors[0]


def test_ties_are_broken_without_a_model_and_the_result_is_read(
    palate: Palate, folder: Path, tmp_path: Path
) -> None:
    done = palate(*words(folder, "--reference", "people", "--offline"))
    assert done.code == 0, done.err
    out = tmp_path / "ties-votes"
    assert {p.name for p in out.iterdir()} == FILES
    assert "no model was asked" in done.out
    assert "ties left" in done.out
    found = TieBreaks.load(out / "ties.json")
    assert found.settings["by"] == "all"
    preferences = package.read(out / "preferences.jsonl")
    assert preferences.mechanisms[2:] == tuple(
        f"judge+{s}" for s in ("random", "own", "reference", "difference")
    )
    assert preferences.n_pairs == 90
    lines = (out / "pairs.jsonl").read_text().splitlines()
    assert len(lines) == 4 * found.strategies["n_tied"][0]
    run = json.loads((out / "run.json").read_text())
    assert run["arguments"]["mechanism"] == "judge"
    assert run["counts"]["ties"] == found.strategies["n_tied"][0]
    command = done.out.split("Next:")[1].split()
    assert command[1:] == ["inspect", "ties-votes/preferences.jsonl"]
    assert palate(*command[1:]).code == 0
    assert "ties-votes: found a finished run" in palate(*words(folder, "--offline")).err


def test_a_model_is_asked_and_the_same_command_goes_on_after_its_budget(
    palate: Palate, folder: Path, tmp_path: Path
) -> None:
    with serve(lambda question: {"verdict": "first"}) as server:
        model = ("--llm", "openai:x", "--base-url", server.base_url, "--price", "1,1")
        ask = words(folder, "--concepts-by", "weight", "--strategy", "own", *model)
        dry = palate(*ask, "--dry-run")
        assert dry.code == 0, dry.err
        calls = int(dry.out.split("It would take ")[1].split()[0])
        assert calls > 40
        assert not server.calls
        stopped = palate(*ask, "--max-cost", "0.004", "--concurrency", "1")
        assert stopped.code == 3, stopped
        assert not (tmp_path / "ties-votes").exists()
        asked = server.calls
        assert 0 < asked < calls
        done = palate(*ask)
        assert done.code == 0, done.err
        assert server.calls == calls
    assert f"{calls} calls ({asked} stored)" in done.out
    table = TieBreaks.load(tmp_path / "ties-votes" / "ties.json").strategies
    assert table["n_broken"].to_list() == [0]  # "first" in both orders is no side


def test_a_file_whose_ties_were_broken_is_refused_before_a_model_is_paid(
    palate: Palate, folder: Path, tmp_path: Path
) -> None:
    preferences = package.read(folder / "votes.jsonl")
    judge = preferences.verdicts["judge"].alias("judge+own")
    taken = replace(preferences, verdicts=preferences.verdicts.with_columns(judge))
    taken.save(tmp_path / "taken.jsonl")
    with serve(lambda question: {"verdict": "first"}) as server:
        ask = ["break-ties", "taken.jsonl", "-m", "judge", "--values", folder / "values.jsonl"]
        ask += ["--llm", "openai:x", "--base-url", server.base_url, "-q"]
        refused(palate(*ask), "taken.jsonl", "'judge+own' already")
        assert not server.calls


def test_long_texts_are_shortened_and_probabilities_asked_for(
    palate: Palate, folder: Path, tmp_path: Path
) -> None:
    seen = []

    def script(question: Any) -> dict[str, str]:
        seen.append(question.material["request"])
        return {"verdict": "first" if question.material["response_1"][0] == "a" else "second"}

    with serve(script) as server:
        ask = words(folder, "--llm", "openai:x", "--base-url", server.base_url, "-q")
        ask += ["--strategy", "random", "--soft", "--max-chars", "8"]
        done = palate(*ask)
    assert done.code == 0, done.err
    assert all("Question" not in text or "left out" in text for text in seen)
    assert "not every side has a probability" in done.out.replace("\n  ", " ")
    run = json.loads((tmp_path / "ties-votes" / "run.json").read_text())
    assert (run["arguments"]["soft"], run["arguments"]["max_chars"]) == (True, 8)


def test_what_cannot_be_done_is_refused_before_any_work(palate: Palate, folder: Path) -> None:
    refused(palate(*words(folder)), "--llm: found no model", "--offline")
    refused(palate(*words(folder, "--offline", "--llm", "openai:x")), "--offline", "--llm")
    refused(palate(*words(folder, "--offline", "--dry-run")), "--dry-run")
    refused(palate(*words(folder, "--offline", "--soft")), "--soft")
    refused(palate(*words(folder, "--offline", "--max-chars", 9)), "--max-chars")
    refused(palate(*words(folder, "--offline", "--strategy", "reference")), "needs a reference")
    refused(palate(*words(folder, "--offline", "--strategy", "luck")), "luck", "difference")
    refused(palate(*words(folder, "--offline", "--concepts-by", "luck")), "luck", "weight")
    refused(palate(*words(folder, "--llm", "openai:x", "--concepts-by", "all")), "few concepts")
    refused(palate(*words(folder, "--offline", "--reference", "judge")), "the judge itself")


def test_what_the_file_lacks_is_said(palate: Palate, folder: Path) -> None:
    refused(palate(*words(folder, "--offline", "-q", judge="people")), "found no tie")
    refused(palate(*words(folder, "--offline", "-q", judge="nobody")), "'nobody'", "'judge'")
    refused(palate(*words(folder, "--offline", "-q", "--reference", "all")), "'all'", "'people'")
