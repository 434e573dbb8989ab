"""Running commands in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from palate.cli import main

from .session import QUICK, Done, Palate, votes, write_jsonl


@pytest.fixture
def palate(capfd: pytest.CaptureFixture[str]) -> Palate:
    """Run `palate ARGUMENTS` in this process."""

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        code = left.value.code
        return Done(code if isinstance(code, int) else 0, out, err)

    return run


@pytest.fixture
def quick(tmp_path: Path) -> list[object]:
    """Options that make a run fast: one annotated concept, few folds, few resamples."""
    rows = [{"id": r["id"], "values": {"Size": r["labels"]["long"]}} for r in votes()]
    values = write_jsonl(tmp_path / "sizes.jsonl", rows)
    return ["--values", values, *QUICK]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small good file: 60 pairs, two domains, two mechanisms."""
    return write_jsonl(tmp_path / "votes.jsonl", votes())
