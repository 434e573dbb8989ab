"""The folder of a run that added verdicts stands for the pairs in it, in every command."""

from __future__ import annotations

from pathlib import Path

import pytest

import palate
from palate.cli.reading import located
from palate.cli.run import folder_for


@pytest.mark.parametrize("name", ["preferences.jsonl.gz", "preferences.jsonl"])
def test_a_folder_stands_for_the_preferences_in_it(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "judged-votes"
    folder.mkdir()
    assert located(str(folder)) == str(folder)  # nothing in it: left to the reader's sentence
    palate.write(palate.load_demo().select([0, 1]), folder / name)
    assert located(str(folder)) == str(folder / name)
    assert located(str(folder / name)) == str(folder / name)
    assert folder_for(located(str(folder))) == Path("palate-judged-votes")


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("votes.jsonl.gz", "palate-votes"),
        ("preferences.jsonl", "palate-preferences"),
        ("some/where/preferences.jsonl.gz", "palate-where"),
        ("hf://organisation/name", "palate-name"),
        ("demo", "palate-demo"),
    ],
)
def test_results_go_to_a_folder_named_after_the_source(source: str, folder: str) -> None:
    assert folder_for(source) == Path(folder)
