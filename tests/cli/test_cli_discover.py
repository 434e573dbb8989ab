"""`palate discover`: in a terminal, killed and resumed, on fixed lists, and on bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from palate.concepts.discovery.provenance import discovery_pairs
from palate.concepts.imported_files import read_definitions
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.server import serve

from .session import PATIENCE, QUICK, Done, Palate, write_jsonl


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own, in a folder of its own."""
    monkeypatch.setenv("PALATE_STORE", str(tmp_path / "answers.sqlite"))
    monkeypatch.chdir(tmp_path)


def refused(done: Done, *words: str) -> None:
    """Check that a command was refused with one sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0], done.errors[0]


def test_the_demo_set_gives_concepts_that_are_told_and_written(palate: Palate) -> None:
    done = palate("discover", "demo", "--llm", "scripted:demo", "--quiet")
    assert done.code == 0, done.err
    assert not done.errors
    folder = Path("concepts-demo")
    concepts = read_definitions(folder / "concepts.json")
    assert f"{len(concepts)} concepts" in done.out
    assert "all domains" in done.out
    assert "86 calls (0 stored)" in done.out
    assert f"palate annotate demo --concepts {folder} --llm scripted:demo" in done.out
    assert len(discovery_pairs(folder)) == 80
    again = palate("discover", "demo", "--llm", "scripted:demo", "--out", "other", "--quiet")
    assert "(86 stored)" in again.out
    assert Path("other/concepts.json").read_bytes() == (folder / "concepts.json").read_bytes()


@pytest.mark.slow
def test_annotating_leaves_out_the_pairs_that_the_concepts_come_from(palate: Palate) -> None:
    planted = PlantedWorld(seed=5, n_pairs=80)
    write_jsonl(Path("votes.jsonl"), planted.rows())
    with serve(planted.script()) as server:
        ask = ["--llm", "openai:p", "--base-url", server.base_url, "--quiet"]
        assert palate("discover", "votes.jsonl", *ask, "-o", "found").code == 0
        done = palate("annotate", "votes.jsonl", "--concepts", "found", *ask, "-o", "annotated")
        assert done.code == 0, done.err
        assert "Left out: 40 pairs" in done.out
        annotated = Path("annotated/values.jsonl").read_text().splitlines()
        ids = {json.loads(row)["id"] for row in annotated}
        assert len(ids) == 40
        assert "40 of the 80 pairs were annotated" in " ".join(done.out.split())
        explain = ("explain", "votes.jsonl", "--annotation", "annotated", *QUICK, "-q", "-o", "e")
        done = palate(*explain)
        assert done.code == 0, done.err
        text = " ".join(done.out.split())
        assert "; 40 pairs have none because the concepts were discovered on them." in text
        assert "40 of the 80 pairs were annotated" in text
        assert not ids & discovery_pairs("found")
        assert palate("discover", "votes.jsonl", *ask, "--share", "1", "-o", "all").code == 0
        refused(
            palate("annotate", "votes.jsonl", "--concepts", "all", *ask, "-o", "none"),
            "all 80 pairs were set apart",
        )
    Path("found/discovery_pairs.json").unlink()
    refused(
        palate("annotate", "votes.jsonl", "--concepts", "found/concepts.json", *ask),
        "discovery_pairs.json",
    )


def test_a_dry_run_writes_nothing_and_needs_no_key(palate: Palate, tmp_path: Path) -> None:
    done = palate("discover", "demo", "--llm", "openai:gpt-5-mini", "--dry-run", "--quiet")
    assert done.code == 0, done.err
    assert "Nothing was sent. It would take" in done.out
    assert "$" in done.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # three processes, each of which imports a provider library
def test_a_killed_run_goes_on_asks_nothing_again_and_ends_in_the_same_bytes(
    tmp_path: Path,
) -> None:
    planted = PlantedWorld(seed=5, n_pairs=160)
    file = write_jsonl(tmp_path / "votes.jsonl", planted.rows())
    command = [sys.executable, "-c", "from palate.cli import main; main()", "discover", str(file)]

    def run(url: str, name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*command, "--llm", "openai:planted", "--base-url", url, "--out", name, "--quiet"],
            env=os.environ | {"PALATE_STORE": str(tmp_path / f"{name}.sqlite")},
            stdout=subprocess.DEVNULL,
        )

    with serve(planted.script(), latency=0.02) as server:
        assert run(server.base_url, "whole").wait(PATIENCE) == 0
        whole = server.calls
        killed = run(server.base_url, "killed")
        until = time.monotonic() + PATIENCE
        while server.calls < whole + whole // 2 and time.monotonic() < until:
            time.sleep(0.005)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(PATIENCE) == -signal.SIGKILL
        assert not (tmp_path / "killed" / "COMPLETE").exists()
        assert run(server.base_url, "killed").wait(PATIENCE) == 0
        # those under way when it was killed may be asked again, acknowledged ones may not
        assert server.calls <= 2 * whole + 32
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert names == {path.name for path in (tmp_path / "killed").iterdir()}
    for name in names - {"run.json", "COMPLETE"}:
        one, other = (tmp_path / folder / name for folder in ("whole", "killed"))
        assert one.read_bytes() == other.read_bytes(), name


def test_a_budget_stops_the_run_and_more_money_goes_on(palate: Palate) -> None:
    planted = PlantedWorld(seed=5, n_pairs=80)
    write_jsonl(Path("votes.jsonl"), planted.rows())
    with serve(planted.script()) as server:
        ask = ["discover", "votes.jsonl", "--llm", "openai:p", "--base-url", server.base_url]
        ask += ["--price", "1,1", "--out", "found", "--quiet", "--concurrency", "1"]
        stopped = palate(*ask, "--max-cost", "0.03")
        assert stopped.code == 3, stopped
        assert "--max-cost" in stopped.err
        done = palate(*ask, "--max-cost", "5")
        assert done.code == 0, done.err
        assert len({call.body for call in server.log}) == len(server.log)


def test_a_fixed_list_needs_no_model(palate: Palate) -> None:
    done = palate("discover", "--vocabulary", "general", "--out", "mine")
    assert done.code == 0, done.err
    assert len(read_definitions(Path("mine/concepts.json"))) == 32
    assert discovery_pairs(Path("mine")) == frozenset()
    refused(palate("discover", "--vocabulary", "general", "--out", "mine"), "--overwrite")


def test_a_model_completes_a_fixed_list(palate: Palate) -> None:
    Path("rubric.md").write_text("- Warmth\n- Tact: High: tactful; low: blunt.\n")
    done = palate("discover", "--vocabulary", "rubric.md", "--out", "bare")
    assert "Without a definition: 1 (Warmth)" in done.out
    told = palate("discover", "--vocabulary", "rubric.md", "--llm", "scripted:demo", "-o", "full")
    assert told.code == 0, told.err
    warmth, tact = read_definitions(Path("full/concepts.json"))
    assert warmth.definition.startswith("High: ")
    assert tact.definition == "High: tactful; low: blunt."
    dry = palate("discover", "--vocabulary", "rubric.md", "--llm", "openai:gpt-5-mini", "--dry-run")
    assert "It would take 1 call" in dry.out


def test_hostile_names_do_not_reach_the_terminal(palate: Palate) -> None:
    Path("list.json").write_text(json.dumps([{"name": "\x1b[31mRed\u202e"}]))
    done = palate("discover", "--vocabulary", "list.json", "--out", "mine")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "FILE and --vocabulary: found neither"),
        (["votes.jsonl", "--vocabulary", "general"], "found both"),
        (["votes.jsonl"], "--llm: found no model"),
        (["votes.jsonl", "--no-labels", "-m", "long"], "exclude each other"),
        (["votes.jsonl", "--similarity", "cosine"], "similarity"),
        (["votes.jsonl", "--llm", "scripted:demo", "-m", "nobody"], "mechanism 'nobody'"),
        (["votes.jsonl", "--llm", "scripted:demo", "--share", "2"], "share"),
        (["none.jsonl", "--llm", "scripted:demo"], "no such file"),
        (["few.jsonl", "--llm", "scripted:demo"], "expected at least 20"),
        (["ties.jsonl", "--llm", "scripted:demo"], "no tie"),
        (["--vocabulary", "none.md"], "no such file"),
        (["--vocabulary", "general", "--dry-run"], "--llm"),
    ],
)
def test_bad_input_is_one_sentence(
    palate: Palate, file: Path, arguments: list[str], words: str
) -> None:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    write_jsonl(Path("few.jsonl"), rows[:19])
    for row in rows:
        row["labels"] = dict.fromkeys(row["labels"], 0)
    write_jsonl(Path("ties.jsonl"), rows)
    refused(palate("discover", *arguments, "--quiet"), words)
    assert not Path("concepts-votes").exists()


@pytest.mark.slow
def test_what_is_made_of_discovered_concepts_knows_their_pairs(palate: Palate) -> None:
    planted = PlantedWorld(seed=5, n_pairs=160)
    write_jsonl(Path("votes.jsonl"), planted.rows())
    with serve(planted.script()) as server:
        ask = ["--llm", "openai:p", "--base-url", server.base_url, "--quiet"]
        assert palate("discover", "votes.jsonl", *ask, "-o", "found").code == 0
        apart = discovery_pairs("found")
        done = palate(
            *("annotate", "votes.jsonl", "--concepts", "found", *ask, "-o", "annotated"),
            *("--policy", "all"),
        )
        assert done.code == 0, done.err
        done = palate(
            *("distil", "votes.jsonl", "--annotation", "annotated", "-o", "distilled"),
            *("--features", "tfidf", "--least", "0", "--quiet", "--jobs", "1"),
        )
        assert done.code == 0, done.err
        assert f"Left out: {len(apart)} pairs" in done.out
        edited = Path("annotated/values.jsonl")
        rows = [json.loads(row) for row in edited.read_text().splitlines()]
        rows[2]["values"] = dict.fromkeys(rows[2]["values"], 7)
        Path("edited").mkdir()
        for file in Path("annotated").iterdir():
            Path("edited", file.name).write_bytes(file.read_bytes())
        write_jsonl(Path("edited/values.jsonl"), rows)
        refused(
            palate("distil", "votes.jsonl", "--annotation", "edited", "-o", "no"),
            *("edited/values.jsonl, row 3", "found 7.0"),
        )
        again = palate("distil", "votes.jsonl", "--student", "distilled", "-o", "again", "-q")
        assert again.code == 0, again.err
        left = ("annotate", "votes.jsonl", "--concepts", "distilled/concepts_left.json")
        done = palate(*left, *ask, "-o", "left")
        assert done.code == 0, done.err
    for folder in ("annotated", "distilled", "again", "left"):
        rows = Path(folder, "values.jsonl").read_text().splitlines()
        assert not {json.loads(row)["id"] for row in rows} & apart, folder
