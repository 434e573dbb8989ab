"""Every command that asks a model, or lives on answers, against a real engine.

The engine is llama.cpp with a tiny model of random weights (tests/llm/engine.py): what it answers
means nothing, and must have the asked shape. Each command is the real one, run in this process,
with a store of its own; the counts that it tells are held against what the store then holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import palate
from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.files import FILES
from palate.concepts.discovery.provenance import discovery_pairs
from palate.concepts.imported import read_concepts
from palate.concepts.imported_files import read_definitions
from palate.data.demo import demo_paths, load_demo
from palate.llm.connect import connect
from palate.llm.outcome import Answer
from tests.cli.session import QUICK, Done, write_jsonl
from tests.house.test_prompts import script as prompts_page
from tests.llm.engine import serve_engine

from .commands import run

DOMAINS = ("cooking", "travel")
LONGEST = 120  # characters of a text: the engine reads on one processor
CALLS = re.compile(r"^([\d,]+) calls? \(([\d,]+) stored\)", re.MULTILINE)
PAIR = "cooking/000"


@dataclass(frozen=True)
class Work:
    """A folder with files, a store and an engine."""

    folder: Path
    base_url: str

    @property
    def few(self) -> Path:
        """40 pairs of two domains."""
        return self.folder / "few.jsonl"

    @property
    def more(self) -> Path:
        """All 60 pairs of the two domains."""
        return self.folder / "more.jsonl"

    @property
    def concepts(self) -> Path:
        """Definitions of four concepts."""
        return self.folder / "four.json"

    @property
    def store(self) -> Path:
        """The store of the answers."""
        return self.folder / "answers.sqlite"

    def ask(self, *arguments: object) -> Done:
        """Run a command that asks the engine; what it tells is what the store then holds more."""
        before = self.stored()
        done = run(
            *(*arguments, "--llm", "openai:tiny", "--base-url", self.base_url),
            *("--store", self.store, "--concurrency", 2, "--timeout", 300),
        )
        (told,) = CALLS.findall(done.out)
        calls, stored = (int(number.replace(",", "")) for number in told)
        assert self.stored() - before == calls - stored, done.out
        return done

    def stored(self, name: str | None = None) -> int:
        """How many answers are kept, in all or to one kind of question."""
        if not self.store.exists():
            return 0
        kept = json.loads(run("store", "show", "--json", "--store", self.store).out)["kept"]
        return sum(row["answers"] for row in kept if name in (None, row["name"]))


def whole(folder: Path, *names: str) -> Path:
    """Check that a folder holds a finished run with these files, each as it was written."""
    files: dict[str, str] = json.loads((folder / "COMPLETE").read_text())["files"]
    assert set(names) <= files.keys()
    assert {p.name for p in folder.iterdir()} == {*files, "COMPLETE"}
    for name, digest in files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    return folder


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if "step" not in row]  # a step of a discovery names itself first


def annotated(folder: Path, *, n_pairs: int, most: int = 1) -> Annotation:
    """Check that an annotation has every value that it asked for, in its range, and return it."""
    whole(folder, *FILES, "spent.json", "run.json")
    found = Annotation.load(folder)
    assert not found.failures
    assert not found.lost
    names = {concept.name for concept in read_definitions(folder / "concepts.json")}
    rows = rows_of(folder / "values.jsonl")
    assert len({row["id"] for row in rows}) == len(rows) == n_pairs
    table = found.table().rows(named=True)
    spared = {row["concept"] for row in table if row["dropped"] is not None or row["stopped_in"]}
    for row in rows:
        assert set(row["values"]) == names
        for name, value in row["values"].items():
            assert name in spared if value is None else -most <= value <= most, row
    matrix = read_concepts(folder / "concepts.json", folder / "values.jsonl")
    assert len(matrix.ids) == n_pairs
    return found


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """The engine and the files."""
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    folder = tmp_path_factory.mktemp("work")
    rows = [dict(row) for row in load_demo().to_rows() if row["domain"] in DOMAINS]
    for row in rows:
        row |= {key: row[key][:LONGEST] for key in ("prompt", "response_a", "response_b")}
    write_jsonl(folder / "more.jsonl", rows)
    write_jsonl(folder / "few.jsonl", [row for row in rows if int(row["id"][-3:]) < 20])
    defined = json.loads(demo_paths().concepts.read_text(encoding="utf-8"))
    (folder / "four.json").write_text(json.dumps(defined[:4]), encoding="utf-8")
    with serve_engine(tmp_path_factory.mktemp("engine")) as base_url:
        yield Work(folder, base_url)


@pytest.fixture(scope="module")
def recorded(work: Work) -> Path:
    """An explanation by the recorded annotations, in which some concepts have a weight."""
    files = ("--concepts", demo_paths().concepts, "--values", demo_paths().values)
    out = work.folder / "recorded"
    run("explain", work.more, *files, *QUICK, "-m", "checker", "-q", "-o", out)
    return whole(out, "explanation.json", "report.html", "run.json")


def test_every_prompt_is_answered(work: Work) -> None:
    requests = [use.ask() for use in prompts_page().USES.values()]
    with connect("openai:tiny", base_url=work.base_url, concurrency=2, timeout=300) as client:
        outcomes = client.ask(requests)
    assert len(outcomes) == 23
    assert all(isinstance(outcome, Answer) for outcome in outcomes), outcomes


@pytest.mark.slow
def test_discover_then_annotate(work: Work) -> None:
    found, values = work.folder / "found", work.folder / "of-found"
    sizes = ("--batches", 2, "--pairs-per-batch", 2)
    work.ask("discover", work.few, *sizes, "-q", "-o", found)
    whole(found, "concepts.json", "proposals.jsonl", "merges.jsonl", "discovery.json", "run.json")
    concepts = read_definitions(found / "concepts.json")
    assert len(concepts) >= 10  # the commonplace ones are among them
    assert len(discovery_pairs(found)) == 20
    assert not any(row["failure"] for row in rows_of(found / "proposals.jsonl"))
    assert not any(row["failed"] for row in rows_of(found / "topics.jsonl"))

    done = work.ask("annotate", work.few, "--concepts", found, "-q", "-o", values)
    assert "Left out: 20 pairs" in done.out
    annotation = annotated(values, n_pairs=20)
    assert {c.name for c in annotation.matrix.concepts} == {c.name for c in concepts}
    assert not discovery_pairs(found) & set(annotation.matrix.ids)


def test_a_fixed_list_is_defined(work: Work) -> None:
    names, listed = work.folder / "names.txt", work.folder / "listed"
    names.write_text("Brevity\nWarmth\nCandour\n")
    work.ask("discover", "--vocabulary", names, "-q", "-o", listed)
    assert [c.name for c in read_definitions(listed / "concepts.json")] == names.read_text().split()
    assert work.stored("define") > 0


@pytest.mark.parametrize(
    ("options", "most", "kinds"),
    [
        (["--protocol", "lean"], 1, ["compare_pairs"]),
        (["--protocol", "paper"], 1, ["relevance", "compare_reasons"]),
        (["--protocol", "score"], 6, ["score"]),
    ],
    ids=["lean", "paper", "score"],
)
def test_annotate_and_again(work: Work, options: list[str], most: int, kinds: list[str]) -> None:
    first, again = (work.folder / f"{options[1]}-{k}" for k in ("first", "again"))
    pairs = work.folder / f"{options[1]}.jsonl"
    write_jsonl(pairs, rows_of(work.few)[16:24])  # four of each domain
    before = {kind: work.stored(kind) for kind in kinds}
    command = ("annotate", pairs, "--concepts", work.concepts, *options, "-q", "-o")
    work.ask(*command, first)
    annotated(first, n_pairs=8, most=most)
    assert all(work.stored(kind) > before[kind] for kind in kinds)
    total = work.stored()
    told = CALLS.search(work.ask(*command, again).out)
    assert told is not None
    assert told[1] == told[2]  # all stored
    assert work.stored() == total
    for name in FILES:
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


@pytest.mark.slow
def test_annotate_explain_distil(work: Work) -> None:
    values, explained, out = (work.folder / k for k in ("values", "explained", "distilled"))
    work.ask("annotate", work.more, "--concepts", work.concepts, "-q", "-o", values)
    annotated(values, n_pairs=60)

    less = ("--bootstrap", 2, "--folds", 3, "-m", "checker")
    run("explain", work.more, "--annotation", values, *less, "-q", "-o", explained)
    whole(explained, "explanation.json", "pairs.parquet", "weights.csv", "report.html", "run.json")
    assert palate.Explanation.load(explained).counts["judged"] == 60
    page = (explained / "report.html").read_text(encoding="utf-8")
    assert "How the concepts were annotated" in page

    done = run(
        *("distil", work.more, "--annotation", values, "--features", "tfidf", "--folds", 3),
        *("-q", "-o", out),
    )
    assert re.match(r"\d of 4 concepts were distilled from 60 annotated pairs\.", done.out)
    whole(out, "student.json", "student.npz", "table.csv", "concepts_left.json", "run.json")
    left = json.loads((out / "concepts_left.json").read_text(encoding="utf-8"))
    held = 0
    if (out / "values.jsonl").exists():
        held = len(read_definitions(out / "concepts.json"))
        assert len(rows_of(out / "values.jsonl")) == 60
    assert len(left) + held == 4


def test_why(work: Work, recorded: Path) -> None:
    row = rows_of(work.more)[0]
    assert row["id"] == PAIR
    by_id = work.ask("why", work.more, "--pair", PAIR, "-e", recorded)
    assert f"Pair {PAIR} (cooking), checker: prefers" in by_id.out
    assert "2 calls" in by_id.out
    texts = [row[key] for key in ("prompt", "response_a", "response_b")]
    as_texts = work.ask("why", *texts, "--domain", "cooking", "-e", recorded)
    assert "2 calls (2 stored)" in as_texts.out  # the same questions
    assert "did not judge" in as_texts.out
    odds = [re.search(r"log-odds [+-][\d.]+", done.out) for done in (by_id, as_texts)]
    assert odds[0] is not None
    assert odds[1] is not None
    assert odds[0][0] == odds[1][0]


def test_the_store_is_shown_exported_and_pruned(work: Work) -> None:
    pairs = write_jsonl(work.folder / "five.jsonl", rows_of(work.few)[:5])
    alone = ("--pairs-per-call", 1)
    command = ("annotate", pairs, "--concepts", work.concepts, *alone, "-q", "-o")
    work.ask(*command, work.folder / "kept")
    total, compared = work.stored(), work.stored("compare")
    assert total >= compared >= 10
    shown = run("store", "show", "--store", work.store).out
    assert f"{total:,} answers" in shown
    assert re.search(rf"openai:tiny\s+compare\s+{compared:,}\s", shown)
    exported = work.folder / "kept.jsonl"
    run("store", "export", exported, "--store", work.store, "--name", "compare")
    rows = rows_of(exported)
    assert len(rows) == compared
    assert {value for row in rows for value in row["value"].values()} <= {
        *("first", "second", "equal", "irrelevant")
    }
    which = ("--store", work.store, "--name", "compare")
    assert f"{compared:,} answers would" in run("store", "prune", *which, "--dry-run").out
    assert work.stored() == total
    assert f"{compared:,} answers deleted" in run("store", "prune", *which, "--yes").out
    assert (work.stored(), work.stored("compare")) == (total - compared, 0)
    again = work.ask(*command, work.folder / "asked-again")
    assert "(0 stored)" in again.out
    for name in FILES:
        one, other = (work.folder / folder / name for folder in ("kept", "asked-again"))
        assert one.read_bytes() == other.read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [["--no-labels"], ["--no-commonplace", "--temperature", "1"], ["--similarity", "tfidf"]],
    ids=lambda options: options[0][2:],
)
def test_discover_in_other_ways(work: Work, options: list[str]) -> None:
    found = work.folder / f"found{options[0]}"
    done = work.ask("discover", work.more, *options, "--batches", 10, "-q", "-o", found)
    whole(found, "concepts.json", "proposals.jsonl", "run.json")
    concepts = json.loads((found / "concepts.json").read_text(encoding="utf-8"))
    assert ("Next:" in done.out) == bool(concepts)
    rows = rows_of(found / "proposals.jsonl")
    assert len(rows) == 20
    assert not any(row["failure"] for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--reasons", "--relevance", "none", "--policy", "all"],
        ["--relevance", "call", "--second-order", "always", "--concepts-per-call", "7"],
        ["--protocol", "paper", "--policy", "economical", "-m", "checker"],
    ],
    ids=["reasons", "call", "economical"],
)
def test_all_concepts_on_all_pairs_and_a_student(work: Work, options: list[str]) -> None:
    name = "-".join(options[:2]).strip("-")
    values, student, out = (work.folder / f"{name}-{k}" for k in ("values", "student", "out"))
    work.ask("annotate", work.more, "--concepts", "general", *options, "-q", "-o", values)
    assert not rows_of(values / "failures.jsonl")
    found = Annotation.load(values)
    assert not found.failures
    assert len(found.matrix.ids) == 60
    run("distil", work.more, "--annotation", values, "-q", "-o", student)
    whole(student, "student.json", "table.csv", "concepts_left.json")
    run("explain", work.more, "--annotation", values, *QUICK, "-q", "-o", out)
    whole(out, "report.html", "run.json")
