"""The documentation is executed: Python blocks run, `palate` commands run, in a folder of its own.

The commands run in this process, one that stands in several places runs once, and the slow checks
run those word for word that are shortened here; that a process of its own does the same is shown by
`palate demo`, which tests/cli/test_cli_demo.py runs word for word. The blocks
of one document run in order and share their names. A block whose fence says `no-run`
(```python no-run) shows something that needs what a test does not have: a network, an extra. The
commands of a block whose fence says `session` run in order, in one folder. Blocks whose fence says
`story` run in order too, Python and commands of one section of a page together, and the parts of a
`text` block after them, with `...` between, must stand in what they printed. The files that the
documents speak of are there: `votes.jsonl` (the demo set), `concepts.json` and `values.jsonl.gz`
(its annotated concepts).
"""

from __future__ import annotations

import gzip
import re
import shlex
import shutil
from pathlib import Path

import pytest

from palate.cli import main
from palate.data.demo import demo_paths

from .sources import ROOT

FENCE = re.compile(r"^```(\w+)([^\n`]*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def blocks(path: Path, *languages: str, session: bool = False) -> list[tuple[int, str]]:
    """Line number and text of the blocks in these languages that a test runs."""
    text = path.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start()) + 1, match[3])
        for match in FENCE.finditer(text)
        if match[1] in languages
        and not {"no-run", "story"} & set(match[2].split())
        and ("session" in match[2]) is session
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the documents speak of."""
    paths = demo_paths()
    with gzip.open(paths.pairs) as packed, (tmp_path / "votes.jsonl").open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    shutil.copy(paths.concepts, tmp_path / "concepts.json")
    shutil.copy(paths.values, tmp_path / "values.jsonl.gz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


LONG = {
    *("python.md", "explanation_json.md", "statistics.md", "protocol.md"),
    *("report.md", "costs.md", "distil.md", "annotation.md"),
}
"""Pages whose Python takes seconds: they run with the slow checks."""
WITH_PYTHON = [
    pytest.param(path, marks=[pytest.mark.slow] if path.name in LONG else [])
    for path in DOCUMENTS
    if blocks(path, "python")
]


@pytest.mark.parametrize("path", WITH_PYTHON, ids=lambda p: p.name)
def test_python_blocks_run(path: Path, folder: Path) -> None:
    names: dict[str, object] = {"__name__": path.stem}
    for line, code in blocks(path, "python"):
        # so that a traceback names the line of the document
        exec(compile("\n" * line + code, str(path), "exec"), names)


def commands_in(block: str) -> list[tuple[int, str]]:
    """The `palate` command lines of a block, each with the number of its line."""
    rows = [
        row.removeprefix("$ ").split("  #")[0].strip()
        for row in block.replace("\\\n", " ").splitlines()
    ]
    return [(i + 1, row) for i, row in enumerate(rows) if row.startswith("palate ")]


def commands(path: Path) -> list[tuple[int, str]]:
    """The `palate` command lines of a document that run alone, each with its line."""
    return [
        (line + offset, row)
        for line, text in blocks(path, "sh", "console")
        for offset, row in commands_in(text)
    ]


SESSIONS = [
    pytest.param(text, id=f"{path.name}:{line}")
    for path in DOCUMENTS
    for line, text in blocks(path, "sh", "console", session=True)
]


def places() -> dict[str, list[str]]:
    """Every command of the documents, with the places where it stands."""
    found: dict[str, list[str]] = {}
    for path in DOCUMENTS:
        for line, command in commands(path):
            found.setdefault(" ".join(command.split()), []).append(f"{path.name}:{line}")
    return found


def demo_command() -> list[str]:
    """The words of the command in the documents that runs the demo."""
    (command,) = (c for c in places() if c.startswith("palate demo"))
    return shlex.split(command)


# Options that leave a command as it is but for the time it takes; the slow checks run without them.
LESS = {"explain": ["--bootstrap", "10"], "evaluate": ["--splits", "3"]}


def less(command: str) -> list[str]:
    """Options that shorten a command which does not say itself how much work to do."""
    words = shlex.split(command)
    options = LESS.get(words[1], [])
    return [] if options[:1] and options[0] in words else options


def late(command: str, where: list[str]) -> bool:
    """Whether a command runs with the slow checks only.

    Those that ask a model about a whole file do, and those that the slow checks run word for word
    anyway, but for the README's.
    """
    words = shlex.split(command)
    if words[1] == "annotate":
        return "--dry-run" not in words
    return words[1] in LESS and not any(place.startswith("README") for place in where)


def cases(*, long: bool) -> list[object]:
    """The commands but that of the demo: as they run here, or word for word if that is longer."""
    return [
        pytest.param(command, id=",".join(where))
        for command, where in places().items()
        if shlex.split(command) != demo_command()
        and (late(command, where) or less(command) if long else not late(command, where))
    ]


def run(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Run a command of the documents in this process."""
    assert arguments[0] == "palate"
    with pytest.raises(SystemExit) as left:
        main(arguments[1:])
    assert not left.value.code, capfd.readouterr().err


@pytest.mark.parametrize("command", cases(long=False))
def test_commands_run(command: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run([*shlex.split(command), *less(command)], capfd)


@pytest.mark.slow
@pytest.mark.parametrize("session", SESSIONS)
def test_sessions_run(session: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = [command for _, command in commands_in(session)]
    assert len(found) > 1
    for command in found:
        run([*shlex.split(command), *less(command)], capfd)


@pytest.mark.slow
@pytest.mark.parametrize("command", cases(long=True))
def test_commands_run_word_for_word(
    command: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(shlex.split(command), capfd)


def stories() -> list[object]:
    """The sections of pages that are stories, by their headings."""
    return [
        pytest.param(section, id=f"{path.name}:{section.partition(chr(10))[0]}")
        for path in DOCUMENTS
        for section in path.read_text(encoding="utf-8").split("\n## ")
        if any("story" in match[2].split() for match in FENCE.finditer(section))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("story", stories())
def test_stories_run(story: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "story"}
    printed = ""
    for language, words, text in FENCE.findall(story):
        if language == "text":
            for part in text.split("\n...\n"):
                assert " ".join(part.split()) in printed, f"{part}\nis not in\n{printed}"
        if "story" not in words.split():
            continue
        if language == "python":
            exec(compile(text, "story", "exec"), names)
        else:
            told = text.count("# exits with 1")
            codes = [code_of(command) for _, command in commands_in(text)]
            assert codes == [0] * (len(codes) - told) + [1] * told, capfd.readouterr().err
        printed = " ".join(capfd.readouterr().out.split())


def code_of(command: str) -> int:
    """The exit code of a command of the documents that runs in this process."""
    with pytest.raises(SystemExit) as left:
        main(shlex.split(command)[1:])
    return int(left.value.code or 0)


def test_the_session_in_the_readme_is_short() -> None:
    ((_, code),) = blocks(ROOT / "README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
