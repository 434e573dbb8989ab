"""AlpacaEval annotations: preferences from 1 to 2, several annotators on one pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import palate
from palate.data.preferences import Preferences
from palate.errors import RowError


def row(preference: Any, annotator: str = "weighted", **more: Any) -> dict[str, Any]:
    """An annotation as alpaca_eval writes it."""
    return {
        "instruction": "Name a colour.",
        "output_1": "Blue.",
        "generator_1": "text_davinci_003",
        "output_2": "It depends.",
        "generator_2": "mine",
        "dataset": "helpful_base",
        "annotator": annotator,
        "preference": preference,
        **more,
    }


def read(tmp_path: Path, *rows: dict[str, Any]) -> Preferences:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(list(rows)))
    return palate.read(path)


@pytest.mark.parametrize(
    ("preference", "verdict"),
    [(1, 1.0), (2, -1.0), (1.5, 0.0), (0, 0.0), (0.0, 0.0), (1.25, 0.5), (2.0, -1.0), (None, None)],
)
def test_preferences_run_from_one_to_two(
    tmp_path: Path, preference: float | None, verdict: float | None
) -> None:
    found = read(tmp_path, row(preference), row(1, instruction="another"))
    assert found.verdicts["weighted"].to_list() == [verdict, 1.0]
    assert found.metadata["model_a"].to_list() == ["text_davinci_003"] * 2
    assert found.pairs["prompt"][0] == "Name a colour."


def test_annotators_of_one_pair_are_merged(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        row(1, "one"),
        row(2, "two"),
        row(1, "one", output_2="other"),
        row(1.5, "three"),
        row(2, "one"),  # the same annotator again: a pair of its own
        row(1, "two", generator_2="else"),  # other models: a pair of its own
    )
    assert found.n_pairs == 4
    assert found.verdicts.rows() == [
        (1, -1, 0), (1, None, None), (-1, None, None), (None, 1, None),
    ]  # fmt: skip


def test_the_subset_can_be_the_domain(tmp_path: Path) -> None:
    read(tmp_path, row(1), row(2, instruction="x", dataset="koala"))
    found = palate.read(tmp_path / "annotations.json", domain_column="dataset")
    assert found.domains == ("helpful_base", "koala")


def test_an_input_belongs_to_the_prompt(tmp_path: Path) -> None:
    found = read(tmp_path, row(1, input="Not red."), row(1, input=""))
    assert found.pairs["prompt"].to_list() == ["Name a colour.\n\nNot red.", "Name a colour."]


@given(st.lists(st.none() | st.floats(-1, 1), min_size=3, max_size=3), st.sampled_from("ab"))
def test_what_was_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, verdicts: list[float | None], name: str
) -> None:
    base = {"domain": "d", "prompt": "p", "response_a": "x", "response_b": "y"}
    rows = [
        {**base, "id": "1", "labels": {"m": 1.0, name: verdicts[0]}, "meta": {"model_a": "A"}},
        {**base, "id": "2", "labels": {"m": verdicts[1], name: 0.5}, "meta": {"z": [1]}},
        {**base, "id": "3", "labels": {"m": verdicts[2], name: -1.0}, "meta": {}},
    ]
    written = Preferences.from_rows(rows)
    path = tmp_path_factory.getbasetemp() / "alpaca.json"
    report = palate.write(written, path, format="alpacaeval")
    assert report.dropped == ()
    found = palate.read(path)
    assert found.pairs.equals(written.pairs)
    assert list(found.metadata.columns) == list(written.metadata.columns)
    for one, other in zip(found.to_rows(), written.to_rows(), strict=True):
        assert one["meta"] == other["meta"]
        assert one["labels"] == pytest.approx(other["labels"], abs=1e-15)


def test_real_verdicts_come_back_exactly(shared_data: Path, tmp_path: Path) -> None:
    written = palate.read(shared_data / "pandalm.jsonl.gz")
    palate.write(written, tmp_path / "a.json", format="alpacaeval")
    assert list(palate.read(tmp_path / "a.json").to_rows()) == list(written.to_rows())


def test_unjudged_pairs_cannot_be_held(tmp_path: Path) -> None:
    rows = [
        {"id": x, "domain": "d", "prompt": x, "response_a": "x", "response_b": "y", "labels": m}
        for x, m in (("1", {"m": 1.0}), ("2", {}))
    ]
    report = palate.write(Preferences.from_rows(rows), tmp_path / "a.json", format="alpacaeval")
    assert report.n_pairs == 1
    assert report.dropped == ("Pairs left out because no mechanism judged them: 1.",)


@pytest.mark.parametrize("preference", [3, 0.5, -1, "1", True, [1]])
def test_other_preferences_are_refused(tmp_path: Path, preference: Any) -> None:
    with pytest.raises(RowError, match=r"row 1, column 'preference': found .*expected a number in"):
        read(tmp_path, row(preference))


def test_pairs_that_nobody_annotated_have_no_verdicts(tmp_path: Path) -> None:
    rows = [row(1, instruction=f"Name {k}.") for k in range(3)]
    for one in rows:
        del one["preference"], one["annotator"]
    pairs = read(tmp_path, *rows)
    assert (pairs.n_pairs, pairs.mechanisms) == (3, ())
    with pytest.raises(RowError, match="row 1, column 'preference'"):
        read(tmp_path, *rows, row(2))
