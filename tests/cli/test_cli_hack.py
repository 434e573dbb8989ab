"""`palate hack`: from a file of verdicts to win rates, with two models and one budget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from palate.actions.hack_result import Hack
from palate.llm.scripted.server import ScriptedServer, serve
from tests.actions.hack_world import JUDGE, NAMES, PEOPLE, SEED, concepts, script, world

from .session import Done, Palate

DATA = ("hack.json", "responses.jsonl", "matches.jsonl", "rates.csv")
PAGES = ("hack.html", "run.json", "COMPLETE")


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALATE_STORE", str(tmp_path / "answers.sqlite"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")


@pytest.fixture
def trees(tmp_path: Path) -> list[object]:
    """A file of planted verdicts, and the options that name its concepts."""
    preferences, matrix = world(600, seed=SEED, judge=JUDGE, people=PEOPLE)
    preferences.save(tmp_path / "trees.jsonl")
    (tmp_path / "concepts.json").write_text(json.dumps([c.to_dict() for c in concepts()]))
    rows: list[dict[str, Any]] = [
        {"id": pair_id, "values": dict(zip(NAMES, values, strict=True))}
        for pair_id, values in zip(matrix.ids, matrix.values.tolist(), strict=True)
    ]
    (tmp_path / "values.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [
        *("hack", tmp_path / "trees.jsonl", "--concepts", tmp_path / "concepts.json"),
        *("--values", tmp_path / "values.jsonl", "-q", "--jobs", "1"),
    ]


def models(judge: ScriptedServer, writer: ScriptedServer) -> tuple[str, ...]:
    """The options that name a judge and a generator on loopback."""
    return (
        *("-m", "judge", "--llm", "openai:judge", "--base-url", judge.base_url),
        *("--generator", "openai:writer", "--generator-base-url", writer.base_url),
        *("--price", "1,1", "--generator-price", "1,1", "--max-words", "60"),
    )


def refused(done: Done, *words: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


@pytest.mark.slow
def test_two_models_share_a_budget_and_go_on(
    palate: Palate, trees: list[object], tmp_path: Path
) -> None:
    with serve(script()) as judge, serve(script()) as writer:
        asked = [*trees, *models(judge, writer), "--prompts-per-domain", "4", "-o", tmp_path / "h"]
        dry = palate(*asked, "--dry-run")
        assert dry.code == 0, dry.err
        assert "Generator: Nothing was sent. It would take 48 calls" in dry.out
        assert "Judge: Nothing was sent. It would take 80 calls" in dry.out
        assert not (tmp_path / "h").exists()
        assert judge.calls == writer.calls == 0
        # enough for the generator, and too little for all of the judge
        stopped = palate(*asked, "--max-cost", "0.03", "--concurrency", "4")
        assert stopped.code == 3, stopped
        assert "The budget of $0.03 is used up" in stopped.err
        assert not (tmp_path / "h").exists()
        assert writer.calls == 48
        assert 0 < judge.calls < 64
        done = palate(*asked, "--reference", "people")
        assert done.code == 0, done.err
        assert writer.calls == 48  # nothing was paid twice
        assert judge.calls == 64  # a second vanilla response that equals the first is a tie
    assert {p.name for p in (tmp_path / "h").iterdir()} == {*DATA, *PAGES}
    text = " ".join(done.out.split())
    assert "Guided by what judge is said to reward, the win rate is" in text
    assert "judge can be exploited by what it rewards more than people does: Alder" in text
    assert "Generator: 48 calls (48 stored)" in text
    assert "same model" not in text
    found = Hack.load(tmp_path / "h")
    assert found.settings["judge"] == "openai:judge"
    assert found.counts["prompts"] == 8
    run = json.loads((tmp_path / "h" / "run.json").read_text())
    assert run["counts"]["explained_pairs"] == 420
    assert run["arguments"]["generator"] == "openai:writer"


def test_one_model_in_both_places_is_told(
    palate: Palate, trees: list[object], tmp_path: Path
) -> None:
    with serve(script()) as server:
        done = palate(
            *(*trees, "-m", "judge", "--llm", "openai:judge", "--base-url", server.base_url),
            *("--persona", "checker", "--mode", "cot", "--no-control", "--no-match-length"),
            *("--prompts-per-domain", "2", "-o", tmp_path / "h"),
        )
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert "The generator is the same model as the judge" in text
    assert "40 calls (0 stored)" in text  # 16 responses, 4 prompts in 3 comparisons and 2 orders
    assert "Generator:" not in text
    matches = Hack.load(tmp_path / "h").matches
    assert matches["reasons_ab"].list.len().to_list() == [1] * 12


def test_what_cannot_be_is_refused_before_any_call(
    palate: Palate, trees: list[object], tmp_path: Path
) -> None:
    llm = ("--llm", "openai:judge", "--base-url", "http://127.0.0.1:9/v1")
    refused(palate(*trees, *llm), "--mechanism: found none, and 2 mechanisms", "'judge', 'people'")
    refused(palate(*trees, "-m", "judge"), "--llm: found no model")
    refused(palate(*trees, *llm, "-m", "jugde"), "'jugde'", "Did you mean 'judge'")
    judge = (*trees, *llm, "-m", "judge")
    refused(palate(*judge, "--reference", "judge"), "the judge itself")
    refused(palate(*judge, "--reference", "human"), "Unknown mechanism 'human'")
    refused(palate(*judge, "--per-concept"), "found no --reference")
    refused(palate(*judge, "--mode", "k-shot"), "Unknown mode of the judge 'k-shot'")
    refused(palate(*judge, "--persona", "poet"), "Unknown persona 'poet'")
    refused(palate(*judge, "--test-share", "1"), "--test-share: found 1.0")
    refused(palate(*judge, "--generator-price", "1,2"), "found no --generator")
    refused(palate(*judge, "--rubric", tmp_path / "none.md"), "none.md", "cannot be read")
    refused(palate(*judge, "--max-cost", "1"), "price of openai:judge is not known")
    both = (*judge, "--generator", "openai:writer", "--price", "1,1", "--max-cost", "1")
    refused(palate(*both), "price of openai:writer is not known")
