"""`palate store`: show, export, prune, and what they refuse."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from palate.cli.store import age
from palate.errors import InputError
from palate.llm.outcome import Answer, Usage
from palate.llm.request import Message, Request
from palate.llm.store import Store

from .session import Done, Palate


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of five answers of two models, one with a hostile name."""
    path = tmp_path / "answers.sqlite"
    with Store(path) as kept:
        for i in range(5):
            model = "openai:small" if i < 3 else "evil\x1b[31m:\u202emodel"
            request = Request((Message("user", f"{i}"),), {}, "compare", about=f"pair {i}\n\x07")
            answer = Answer({"c1": "first\x1b"}, Usage(1000, 20), 0.5 if i < 3 else None)
            kept.put(request.key({"model": model}), request, model, answer)
    return path


def refused(done: Done, *words: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2
    assert not done.out
    assert len(done.errors) == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.errors[0]


def test_show_counts_per_model_and_question(palate: Palate, store: Path) -> None:
    done = palate("store", "show", "--store", store)
    assert done.code == 0, done.err
    assert "5 answers" in done.out
    row = next(line.split() for line in done.out.splitlines() if "openai:small" in line)
    assert row[1:6] == ["compare", "3", "3,000", "60", "$1.50"]
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    found = json.loads(palate("store", "show", "--store", store, "--json").out)
    assert [kept["answers"] for kept in found["kept"]] == [2, 3]
    assert found["bytes"] > 0


def test_show_takes_the_place_from_the_environment(
    palate: Palate, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALATE_STORE", str(store))
    assert "5 answers" in palate("store", "show").out


def test_export_writes_json_lines_to_a_file_or_the_screen(
    palate: Palate, store: Path, tmp_path: Path
) -> None:
    done = palate("store", "export", "--store", store)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert len(rows) == 5
    assert "\x1b" not in done.out
    assert rows[0]["value"] == {"c1": "first\x1b"}
    for out in (tmp_path / "rows.jsonl", tmp_path / "rows.jsonl.gz"):
        done = palate("store", "export", out, "--store", store, "--model", "openai:small")
        assert done.code == 0, done.err
        assert "3 answers written" in done.out
        text = gzip.decompress(out.read_bytes()) if out.suffix == ".gz" else out.read_bytes()
        assert [json.loads(line) for line in text.splitlines()] == rows[:3]


def test_an_export_replaces_no_file_unasked(palate: Palate, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text("mine")
    refused(palate("store", "export", out, "--store", store), "found a file already", "--overwrite")
    assert out.read_text() == "mine"
    done = palate("store", "export", out, "--store", store, "--overwrite")
    assert "5 answers written" in done.out
    assert len(out.read_text().splitlines()) == 5


def test_a_model_or_question_that_nobody_answered_is_told(
    palate: Palate, store: Path, tmp_path: Path
) -> None:
    for options in (("export",), ("export", tmp_path / "x"), ("prune", "--dry-run")):
        done = palate("store", *options, "--store", store, "--model", "no", "--name", "compare")
        assert done.code == 0
        assert "fits --model 'no' and --name 'compare'; `palate store show` lists" in done.err
    found = palate("store", "export", "--store", store, "--name", "compare")
    assert not found.err
    assert not palate("store", "export", "--store", store, "--older-than", "30d").err


def test_prune_deletes_only_when_told_to(palate: Palate, store: Path) -> None:
    where = ("--store", store, "--model", "openai:small")
    assert "3 answers would be deleted" in palate("store", "prune", *where, "--dry-run").out
    refused(palate("store", "prune", *where), "3 answers would be deleted", "--yes")
    assert "5 answers" in palate("store", "show", "--store", store).out
    done = palate("store", "prune", *where, "--yes")
    assert (done.code, done.out.startswith("3 answers deleted")) == (0, True)
    assert "2 answers" in palate("store", "show", "--store", store).out
    assert palate("store", "prune", *where).code == 0  # nothing left: nothing to confirm
    old = palate("store", "prune", "--store", store, "--older-than", "30d", "--dry-run")
    assert "0 answers would be deleted" in old.out


def test_bad_input_is_refused(palate: Palate, store: Path, tmp_path: Path) -> None:
    refused(palate("store", "prune", "--store", store, "--yes"), "Nothing says what to delete")
    for bad in ("soon", "-3d", "3 days", "1e9d", ""):
        done = palate("store", "prune", "--store", store, f"--older-than={bad}", "--yes")
        refused(done, "--older-than", "30d")
    for verb in ("show", "export"):
        refused(palate("store", verb, "--store", tmp_path / "none"), "none: no such file")
        refused(palate("store", verb, "--store", tmp_path), "found a directory")
        (tmp_path / "text").write_text("no database " * 100)
        refused(palate("store", verb, "--store", tmp_path / "text"), "no store of answers")
    taken = palate("store", "export", tmp_path, "--store", store)
    refused(taken, "found a directory")
    assert palate("store", "forget").code == 2
    assert palate("store").code in (0, 2)


def test_ages() -> None:
    assert age("90m") == 5400
    assert age("1.5d") == 1.5 * 86_400
    with pytest.raises(InputError):
        age("٣d")
