"""`palate score`: from a file to a file with one more column, whatever ends it."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from palate.data.demo import load_demo
from palate.data.preferences import Preferences
from palate.llm.scripted.scripts import load_script
from palate.llm.scripted.server import serve
from palate.mechanisms.scored import Scored

from .session import QUICK, Done, Palate

FILES = {"preferences.jsonl.gz", "scores.jsonl", "scoring.json", "run.json", "COMPLETE"}


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALATE_STORE", str(tmp_path / "answers.sqlite"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A file with every eighth pair of the demo set."""
    demo = load_demo()
    demo.select(list(range(0, demo.n_pairs, 8))).save(tmp_path / "few.jsonl")
    return tmp_path / "few.jsonl"


def refused(done: Done, *words: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


def test_ratings_are_a_column_that_is_explained(palate: Palate, few: Path, tmp_path: Path) -> None:
    done = palate("score", few, "--llm", "scripted:demo")
    assert done.code == 0, done.err
    assert not done.errors
    folder = tmp_path / "scored-few"
    assert {p.name for p in folder.iterdir()} == FILES
    text = " ".join(done.out.split())
    assert "demo/rating: 30 of 30 pairs have a verdict" in text
    assert "T = 1: no reference is named" in text
    assert "60 calls (0 stored)" in text
    assert "palate explain scored-few/preferences.jsonl.gz -m demo/rating" in text
    run = json.loads((folder / "run.json").read_text())
    assert (run["arguments"]["llm"], run["counts"]["pairs"]) == ("scripted:demo", 30)
    found = Preferences.load(folder / "preferences.jsonl.gz")
    before = Preferences.load(few)
    assert found.mechanisms == (*before.mechanisms, "demo/rating")
    scored = Scored.load(folder)
    np.testing.assert_allclose(found.verdict("demo/rating"), scored.verdicts)
    margins = found.metadata["demo/rating_score_a"] - found.metadata["demo/rating_score_b"]
    np.testing.assert_array_equal(margins.to_numpy(), scored.margins)
    more = palate("score", folder, "--llm", "scripted:demo", "--persona", "coach", "--name", "c")
    assert more.code == 0, more.err
    named = Preferences.load(tmp_path / "scored-scored-few" / "preferences.jsonl.gz").mechanisms
    assert named[-2:] == ("demo/rating", "c")
    again = palate("score", few, "--llm", "scripted:demo", "--hard", "-o", "b", "-q")
    assert "60 calls (60 stored)" in again.out
    assert set(Scored.load(tmp_path / "b").verdicts.tolist()) <= {-1.0, 0.0, 1.0}
    refused(palate("score", few, "--llm", "scripted:demo"), "found a finished run")


@pytest.mark.slow
def test_a_calibrated_column_is_explained(palate: Palate, tmp_path: Path) -> None:
    done = palate("score", "demo", "--llm", "scripted:demo", "--reference", "coach", "-q")
    assert done.code == 0, done.err
    assert "fits 'coach' best, on 240 pairs of 240 prompts" in " ".join(done.out.split())
    told = json.loads((tmp_path / "scored-demo" / "scoring.json").read_text())
    assert told["calibration"]["reference"] == "coach"
    assert told["temperature"] == told["calibration"]["temperature"] > 0
    file = tmp_path / "scored-demo" / "preferences.jsonl.gz"
    done = palate("explain", file, "-m", "demo/rating", "-o", tmp_path / "e", *QUICK, "-q")
    assert done.code == 0, done.err
    assert "demo/rating" in done.out


def test_a_dry_run_sends_nothing_and_writes_nothing(
    palate: Palate, few: Path, tmp_path: Path
) -> None:
    done = palate("score", few, "--llm", "openai:some-model", "--dry-run", "--price", "1,2")
    assert done.code == 0, done.err
    assert "Nothing was sent. It would take 60 calls" in done.out
    assert {p.name for p in tmp_path.iterdir()} == {"few.jsonl"}


def test_a_budget_leaves_nothing_and_the_same_command_goes_on(
    palate: Palate, few: Path, tmp_path: Path
) -> None:
    with serve(load_script("demo")) as server:
        how = ("--llm", "openai:tiny", "--base-url", server.base_url, "--price", "1,1")
        done = palate("score", few, *how, "-q", "--concurrency", "2", "--max-cost", "0.01")
        assert done.code == 3, done
        assert not (tmp_path / "scored-few").exists()
        first = server.calls
        assert 0 < first < 60
        done = palate("score", few, *how, "-q")
        assert done.code == 0, done.err
        assert f"({first} stored)" in done.out
        assert server.calls == 60


def test_a_reference_that_fits_no_temperature_keeps_the_ratings_only_where_there_is_a_store(
    palate: Palate, tmp_path: Path
) -> None:
    few = tmp_path / "few.jsonl"
    load_demo().select([0, 1, 2]).save(few)
    with serve(lambda question: {"score": 5}) as server:
        how = ("--llm", "openai:tiny", "--base-url", server.base_url, "-q", "--reference", "coach")
        refused(palate("score", few, *how), "with different scores", "The scores are kept")
        done = palate("score", few, *how, "--no-store")
    refused(done, "with different scores")
    assert "kept" not in done.err
    assert not (tmp_path / "scored-few").exists()


def test_bad_input_is_one_sentence(palate: Palate, few: Path, tmp_path: Path) -> None:
    rating = ("--llm", "scripted:demo")

    def score(*options: object) -> Done:
        return palate("score", few, "-o", tmp_path / "never", *options)

    refused(score(), "--model, --llm", "found neither")
    refused(score(*rating, "--model", "x"), "--model, --llm", "found both")
    refused(score(*rating, "--dtype", "float32"), "--dtype", "--model")
    refused(score("--model", "x", "--max-cost", "1"), "--max-cost", "--llm")
    refused(score("--model", "x", "--persona", "coach"), "--persona", "--llm")
    refused(score(*rating, "--hard", "--reference", "coach"), "--reference, --hard")
    refused(score(*rating, "--reference", "nobody"), "Unknown mechanism 'nobody'", "coach")
    refused(score(*rating, "--name", "coach"), "'coach' in the file already", "--name")
    refused(score(*rating, "--persona", "nobody"), "Unknown persona")
    refused(score(*rating, "--rubric", tmp_path / "none.txt"), "--rubric", "cannot be read")
    refused(palate("score", tmp_path / "no.jsonl", *rating), "no.jsonl")
    assert not (tmp_path / "never").exists()


def test_a_missing_extra_is_told_with_its_pip_line(
    palate: Palate, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def absent(name: str, package: str | None = None) -> object:
        if name in ("torch", "transformers"):
            raise ModuleNotFoundError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)
    refused(palate("score", few, "--model", tmp_path), "pip install 'palate[reward]'")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The folder of a tiny reward model."""
    pytest.importorskip("torch", reason="needs the extra reward (torch)")
    pytest.importorskip("transformers", reason="needs the extra reward (transformers)")
    from tests.mechanisms.reward_models import save_model

    return save_model(tmp_path / "tiny", "llama")


@pytest.mark.slow
def test_a_reward_model_scores_a_file(
    palate: Palate, few: Path, model: Path, tmp_path: Path
) -> None:
    done = palate("score", few, "--model", model)
    assert done.code == 0, done.err
    assert not done.errors
    text = " ".join(done.out.split())
    assert "tiny: 30 of 30 pairs have a verdict" in text
    assert "60 responses scored, 512 tokens at most, float32 on cpu" in text
    assert "left out: more than 512 tokens with the prompt" in text
    assert {p.name for p in (tmp_path / "scored-few").iterdir()} == FILES
    assert not list(tmp_path.glob(".*"))
    one = Scored.load(tmp_path / "scored-few")
    again = palate("score", few, "--model", model, "--batch-size", "1", "-o", "b", "-q")
    assert again.code == 0, again.err
    np.testing.assert_allclose(Scored.load(tmp_path / "b").margins, one.margins, atol=2e-5)
    against = Preferences.load(tmp_path / "b" / "preferences.jsonl.gz")
    verdicts = against.verdicts.select((-against.verdicts["tiny"]).alias("people"))
    replace(against, verdicts=verdicts).save(tmp_path / "against.jsonl")
    command = ("score", "against.jsonl", "--model", model, "-o", "d", "-q", "--name", "new")
    refused(palate(*command, "--reference", "people"), "run against", "scores are kept")
    done = palate(*command)
    assert done.code == 0, done.err
    assert "0 responses scored" in done.out
    refused(palate("score", few, "-o", "c", "--model", tmp_path / "no"), "no such folder")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on(
    palate: Palate, few: Path, model: Path, tmp_path: Path, how: signal.Signals
) -> None:
    command = ("score", few, "--model", model, "--batch-size", "1", "-q")
    code = "import sys; from palate.cli import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    side, until = tmp_path / ".scored-few.scores.jsonl", time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if side.exists() and side.read_bytes().count(b"\n") >= 5:
            break
        time.sleep(0.005)
    process.send_signal(how)
    process.communicate(timeout=120)
    if process.returncode == 0:
        pytest.skip("the run ended before it could be interrupted")
    assert not (tmp_path / "scored-few").exists()
    known = side.read_bytes().count(b"\n")
    assert known >= 5
    done = palate(*command)
    assert done.code == 0, done.err
    assert f"{known} scores of an interrupted run were used" in " ".join(done.out.split())
    assert not side.exists()
