"""Bad input of every command: exit code 2, one sentence, no traceback, nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .session import QUICK, Done, Palate, votes, write_jsonl

COMMANDS = ("explain", "inspect", "convert")


def call(palate: Palate, command: str, file: object, folder: Path, *more: object) -> Done:
    """Run a command on a file, with a place to write to where it needs one."""
    out = {"explain": ["--out", folder / "out"], "convert": [folder / "out.parquet"]}
    return palate(command, file, *out.get(command, []), *more)


def refused(done: Done, folder: Path, *words: str) -> str:
    """Check that a command was refused properly, and return its sentence."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert not done.out
    assert len(done.errors) == 1, done.err
    sentence = done.errors[0]
    for word in words:
        assert word in sentence, sentence
    assert not (folder / "out").exists()
    assert not (folder / "out.parquet").exists()
    assert not list(folder.rglob("*.partial"))
    return sentence


def changed(folder: Path, name: str, **changes: Any) -> Path:
    """A file of votes whose third row is changed; a value of ... removes the key."""
    rows = votes(12)
    for key, value in changes.items():
        if value is ...:
            del rows[2][key]
        else:
            rows[2][key] = value
    return write_jsonl(folder / name, rows)


@pytest.mark.parametrize("command", COMMANDS)
class TestFiles:
    """What can be wrong with a file, for every command that reads one."""

    def test_missing_file(self, palate: Palate, command: str, tmp_path: Path) -> None:
        done = call(palate, command, tmp_path / "absent.jsonl", tmp_path)
        refused(done, tmp_path, "absent.jsonl", "no such file")

    def test_directory(self, palate: Palate, command: str, tmp_path: Path) -> None:
        folder = tmp_path / "folder.jsonl"
        folder.mkdir()
        refused(call(palate, command, folder, tmp_path), tmp_path, "folder.jsonl", "director")

    @pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv", "empty.json", "empty.parquet"])
    def test_empty_file(self, palate: Palate, command: str, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        refused(call(palate, command, tmp_path / name, tmp_path), tmp_path, name, "empty")

    def test_wrong_encoding(self, palate: Palate, command: str, tmp_path: Path) -> None:
        row = json.dumps(votes(1)[0] | {"prompt": "Crème brûlée?"}, ensure_ascii=False)
        (tmp_path / "latin.jsonl").write_bytes(row.encode("latin-1") + b"\n")
        refused(
            call(palate, command, tmp_path / "latin.jsonl", tmp_path),
            tmp_path,
            "latin.jsonl",
            "UTF-8",
        )

    def test_truncated_gzip(self, palate: Palate, command: str, tmp_path: Path) -> None:
        whole = gzip.compress("".join(json.dumps(r) + "\n" for r in votes(40)).encode())
        (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
        refused(
            call(palate, command, tmp_path / "cut.jsonl.gz", tmp_path), tmp_path, "cut.jsonl.gz"
        )

    def test_malformed_json_names_the_line(
        self, palate: Palate, command: str, tmp_path: Path
    ) -> None:
        lines = [json.dumps(row) for row in votes(12)]
        lines[6] = lines[6][:-9]
        (tmp_path / "broken.jsonl").write_text("\n".join(lines), encoding="utf-8")
        refused(
            call(palate, command, tmp_path / "broken.jsonl", tmp_path),
            tmp_path,
            "broken.jsonl, row 7",
            "JSON",
        )

    def test_missing_column(self, palate: Palate, command: str, tmp_path: Path) -> None:
        file = changed(tmp_path, "hole.jsonl", response_b=...)
        refused(call(palate, command, file, tmp_path), tmp_path, "hole.jsonl, row 3", "response_b")

    def test_unknown_label_is_named_with_the_legal_ones(
        self, palate: Palate, command: str, tmp_path: Path
    ) -> None:
        file = changed(tmp_path, "words.jsonl", labels={"long": "leftish"})
        sentence = refused(
            call(palate, command, file, tmp_path), tmp_path, "words.jsonl, row 3", "long", "leftish"
        )
        assert re.search(r"expected .*\ba\b.*\btie\b", sentence), sentence

    def test_label_outside_its_range(self, palate: Palate, command: str, tmp_path: Path) -> None:
        file = changed(tmp_path, "far.jsonl", labels={"long": 3})
        refused(call(palate, command, file, tmp_path), tmp_path, "far.jsonl, row 3", "long", "3")

    def test_duplicate_ids(self, palate: Palate, command: str, tmp_path: Path) -> None:
        file = changed(tmp_path, "twice.jsonl", id="pair/0")
        refused(
            call(palate, command, file, tmp_path),
            tmp_path,
            "twice.jsonl, row 3",
            "pair/0",
            "unique",
        )

    def test_unknown_format(self, palate: Palate, command: str, tmp_path: Path, file: Path) -> None:
        option = "--from" if command == "convert" else "--format"
        done = call(palate, command, file, tmp_path, option, "palat")
        refused(done, tmp_path, "palat", "Did you mean 'palate'")

    def test_unknown_domain_column(
        self, palate: Palate, command: str, tmp_path: Path, file: Path
    ) -> None:
        done = call(palate, command, file, tmp_path, "--domain-column", "topic")
        refused(done, tmp_path, "topic")

    def test_a_file_in_no_known_format(self, palate: Palate, command: str, tmp_path: Path) -> None:
        (tmp_path / "other.csv").write_text("x,y\n1,2\n", encoding="utf-8")
        refused(
            call(palate, command, tmp_path / "other.csv", tmp_path), tmp_path, "other.csv", "x, y"
        )


@pytest.mark.parametrize("command", COMMANDS)
def test_bad_rows_are_skipped_written_and_counted(
    palate: Palate, command: str, tmp_path: Path
) -> None:
    rows = votes(60)
    rows[4]["labels"]["long"] = "leftish"
    del rows[9]["prompt"]
    file = write_jsonl(tmp_path / "some.jsonl", rows)
    rejected = tmp_path / "rejected.jsonl"
    more = [*QUICK] if command == "explain" else []
    done = call(palate, command, file, tmp_path, "--skip-bad-rows", rejected, *more)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in rejected.read_text("utf-8").splitlines()]
    assert [line["row"] for line in lines] == [5, 10]
    assert "leftish" in lines[0]["reason"]
    assert "prompt" in lines[1]["reason"]
    assert re.search(r"(?i)\b2 bad rows|bad rows[^.]*\b2\b", done.out + done.err), done.out


class TestVerdicts:
    """What can be wrong with the verdicts, for `explain`."""

    def explain(self, palate: Palate, tmp_path: Path, rows: list[Any], *more: object) -> Done:
        file = write_jsonl(tmp_path / "votes.jsonl", rows)
        return call(palate, "explain", file, tmp_path, *QUICK, *more)

    def test_unknown_mechanism(self, palate: Palate, tmp_path: Path) -> None:
        done = self.explain(palate, tmp_path, votes(), "--mechanism", "lang")
        refused(done, tmp_path, "lang", "'long', 'short'", "Did you mean 'long'")

    def test_no_mechanism_at_all(self, palate: Palate, tmp_path: Path) -> None:
        rows = [row | {"labels": {}} for row in votes()]
        refused(self.explain(palate, tmp_path, rows), tmp_path, "verdict")

    def test_one_class_only(self, palate: Palate, tmp_path: Path) -> None:
        rows = [row | {"labels": {"long": 1}} for row in votes()]
        refused(self.explain(palate, tmp_path, rows), tmp_path, "long")

    def test_all_ties(self, palate: Palate, tmp_path: Path) -> None:
        rows = [row | {"labels": {"long": 0}} for row in votes()]
        refused(self.explain(palate, tmp_path, rows), tmp_path, "long", "tie")

    def test_one_that_cannot_be_explained_is_skipped_among_several(
        self, palate: Palate, tmp_path: Path
    ) -> None:
        rows = [row | {"labels": row["labels"] | {"silent": 0}} for row in votes()]
        done = self.explain(palate, tmp_path, rows)
        assert done.code == 0, done.err
        assert "silent" in done.out
        again = self.explain(palate, tmp_path, rows, "--mechanism", "silent", "--overwrite")
        assert again.code == 2
        assert "silent" in again.errors[0]

    def test_no_concept_that_differs(self, palate: Palate, tmp_path: Path) -> None:
        same = {"response_a": "Stir it well.", "response_b": "Stir it well."}
        rows = [row | same for row in votes()]
        refused(self.explain(palate, tmp_path, rows), tmp_path, "concept")

    def test_one_domain_only_is_explained_with_a_note(self, palate: Palate, tmp_path: Path) -> None:
        done = self.explain(palate, tmp_path, votes(domains=["soup"]))
        assert done.code == 0, done.err
        assert "one domain" in done.out

    def test_a_domain_with_fewer_pairs_than_folds_is_kept_with_a_note(
        self, palate: Palate, tmp_path: Path
    ) -> None:
        rows = votes()
        for row in rows[:2]:
            row["domain"] = "tiny"
        done = self.explain(palate, tmp_path, rows)
        assert done.code == 0, done.err
        assert "tiny" in done.out


class TestConcepts:
    """What can be wrong with annotated concepts."""

    def values(self, tmp_path: Path, ids: list[str], name: str = "Warmth") -> list[object]:
        concepts = tmp_path / "concepts.json"
        definition = {"name": "Warmth", "definition": "High: warm; low: cold.", "domains": "all"}
        concepts.write_text(json.dumps([definition]), encoding="utf-8")
        rows = [{"id": x, "values": {name: (-1) ** i}} for i, x in enumerate(ids)]
        values = write_jsonl(tmp_path / "values.jsonl", rows)
        return ["--concepts", concepts, "--values", values]

    def test_values_for_unknown_pairs(self, palate: Palate, tmp_path: Path, file: Path) -> None:
        options = self.values(tmp_path, [f"nobody/{i}" for i in range(30)])
        done = call(palate, "explain", file, tmp_path, *options)
        refused(done, tmp_path, "values.jsonl", "votes.jsonl", "nobody/0")

    def test_values_for_three_per_cent_of_the_pairs(self, palate: Palate, tmp_path: Path) -> None:
        file = write_jsonl(tmp_path / "votes.jsonl", votes(1000))
        options = self.values(tmp_path, [f"pair/{i}" for i in range(30)])
        done = call(palate, "explain", file, tmp_path, *options)
        refused(done, tmp_path, "values.jsonl", "30", "1000", "3.0 %")

    def test_a_concept_without_definition(self, palate: Palate, tmp_path: Path, file: Path) -> None:
        options = self.values(tmp_path, [f"pair/{i}" for i in range(60)], name="Coldness")
        done = call(palate, "explain", file, tmp_path, *options)
        refused(done, tmp_path, "values.jsonl, row 1", "Coldness", "concepts.json")

    def test_definitions_without_values(self, palate: Palate, tmp_path: Path, file: Path) -> None:
        options = self.values(tmp_path, ["pair/0"])[:2]
        done = call(palate, "explain", file, tmp_path, *options)
        refused(done, tmp_path, "concepts.json", "values")

    @pytest.mark.parametrize("which", ["--concepts", "--values"])
    def test_a_missing_file(self, palate: Palate, tmp_path: Path, file: Path, which: str) -> None:
        options = self.values(tmp_path, [f"pair/{i}" for i in range(60)])
        options[options.index(which) + 1] = tmp_path / "absent.json"
        done = call(palate, "explain", file, tmp_path, *options)
        refused(done, tmp_path, "absent.json", "no such file")


class TestOutput:
    """What can be wrong with the place to write to: found before any work is done."""

    def test_a_finished_run_is_not_overwritten(
        self, palate: Palate, tmp_path: Path, file: Path, quick: list[object]
    ) -> None:
        options = ["--out", tmp_path / "run", "--mechanism", "long", *quick]
        assert palate("explain", file, *options).code == 0
        before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
        done = palate("explain", file, *options)
        refused(done, tmp_path, "run", "--overwrite")
        assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before
        assert palate("explain", file, *options, "--overwrite").code == 0

    def test_a_folder_of_somebody_else_is_left_alone(
        self, palate: Palate, tmp_path: Path, file: Path
    ) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
        refused(palate("explain", file, "--out", folder), tmp_path, "mine")
        assert [p.name for p in folder.iterdir()] == ["thesis.txt"]

    def test_a_file_where_the_folder_should_be(
        self, palate: Palate, tmp_path: Path, file: Path
    ) -> None:
        place = tmp_path / "taken"
        place.write_text("here already", encoding="utf-8")
        refused(palate("explain", file, "--out", place), tmp_path, "taken")
        refused(palate("explain", file, "--out", place / "below"), tmp_path, "taken")
        assert place.read_text(encoding="utf-8") == "here already"

    @pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
    def test_an_unwritable_folder(self, palate: Palate, tmp_path: Path, file: Path) -> None:
        if os.geteuid() == 0:
            target = Path("/proc/palate-run")  # not writable even for root
        else:
            target = tmp_path / "locked" / "run"
            target.parent.mkdir(mode=0o500)
        refused(palate("explain", file, "--out", target), tmp_path, str(target))
        refused(palate("demo", "--out", target), tmp_path, str(target))
        refused(palate("convert", file, f"{target}.parquet"), tmp_path, str(target))

    def test_convert_to_an_unknown_ending(self, palate: Palate, tmp_path: Path, file: Path) -> None:
        refused(palate("convert", file, tmp_path / "out.docx"), tmp_path, "out.docx", ".jsonl")


def test_options_that_make_no_sense(palate: Palate, tmp_path: Path, file: Path) -> None:
    done = call(palate, "explain", file, tmp_path, "--column", "response_a")
    refused(done, tmp_path, "--column", "response_a=answer1")
    done = call(
        palate, "explain", file, tmp_path, "--column", "response_a=nowhere", "--format", "palate"
    )
    refused(done, tmp_path, "nowhere")
    done = call(palate, "explain", file, tmp_path, "--with-measured")
    refused(done, tmp_path, "--with-measured", "--values")


def test_second_annotations_and_replicates_that_make_no_sense(
    palate: Palate, tmp_path: Path, file: Path
) -> None:
    def refuse(*options: object) -> str:
        return refused(palate("explain", file, "--out", tmp_path / "out", *options), tmp_path)

    assert "--concepts or --values" in refuse("--values-again", tmp_path / "again.jsonl")
    assert "nobody" in refuse("--replicates", "nobody,nowhere")
    assert "--fdr" in palate("explain", file, "--out", tmp_path / "out", "--fdr", "2").err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(find_spec("huggingface_hub") is not None, reason="the extra is installed")
def test_a_missing_extra_prints_its_pip_line(palate: Palate, tmp_path: Path) -> None:
    done = call(palate, "explain", "hf://organisation/name", tmp_path)
    refused(done, tmp_path, "pip install 'palate[hub]'")


def test_debug_shows_the_traceback_wherever_it_stands(palate: Palate, tmp_path: Path) -> None:
    for arguments in (
        ["--debug", "inspect", tmp_path / "absent.jsonl"],
        ["inspect", "--debug", tmp_path / "absent.jsonl"],
        ["inspect", tmp_path / "absent.jsonl", "--debug"],
    ):
        done = palate(*arguments)
        assert done.code == 2
        assert "Traceback" in done.err
        assert done.err.rstrip().splitlines()[-1].startswith("Error: ")
