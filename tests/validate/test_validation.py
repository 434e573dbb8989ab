"""`validate`: all questions in tables and sentences, saved and read back, and on real people."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import palate
from palate.errors import DataError, FileFormatError
from palate.validate.agreement import agreement, find
from palate.validate.alternative import alternative_test
from palate.validate.coefficients import ALPHA, ORDINAL, RAW
from palate.validate.questions import Question, from_columns
from palate.validate.ratings import Array, Ratings
from palate.validate.validation import Validation, validate

PEOPLE = ["human/annotator1", "human/annotator2", "human/annotator3"]
JUDGES = ["gpt-3.5-turbo/PandaLM-prompt", "PandaLM-7B/pairwise"]


def question(name: str, *, n: int = 60, right: float = 0.8, seed: int = 0) -> Question:
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, 2, n).astype(float)

    def labels(share: float) -> Array:
        return np.where(rng.random(n) < share, truth, rng.integers(-1, 2, n))

    values = np.column_stack([labels(right) for _ in range(3)])
    people = Ratings(("a", "b", "c"), values, np.arange(n))
    return Question(name, people, {"good": labels(0.95), "random": labels(0.0)})


def test_a_good_and_a_random_model_are_told_apart(tmp_path: Path) -> None:
    found = validate([question("warmth"), question("=rhyme", seed=1)], epsilon=0.1)
    assert found.questions == ("all concepts", "warmth", "=rhyme")
    main = found.alternative.filter(
        (pl.col("question") == "all concepts") & pl.col("person").is_null()
    )
    assert dict(zip(main["model"], main["passes"], strict=True)) == {"good": True, "random": False}
    text = str(found)
    assert "3 people share 120 labels of pairs and concepts in 60 groups" in text
    assert "good passes the alternative annotator test at epsilon 0.1 (crowd)" in text
    assert "random does not pass" in text
    assert "not over concepts" in text
    found.save(tmp_path)
    again = Validation.load(tmp_path)
    assert again.to_dict() == found.to_dict()
    assert "'=rhyme" in (tmp_path / "agreement.csv").read_text()
    assert pl.read_csv(tmp_path / "alternative.csv").height == found.alternative.height


def test_all_concepts_together_are_clustered_by_prompt() -> None:
    one = question("warmth")
    found = validate([one, Question("again", one.people, one.annotators)])
    rows = found.agreement.filter(between="people", measure=RAW)
    assert rows["n_groups"].to_list() == [60, 60, 60]
    assert rows["low"][0] == pytest.approx(rows["low"][1]), "the same again is nothing new"


def test_people_who_guess_are_told() -> None:
    found = validate([question("mood", right=0.0, seed=1)])
    assert any("passing says nothing" in note for note in found.notes), found.notes
    one = question("mood")
    few = Ratings(("a", "b"), one.people.values[:20, :2], np.arange(20))
    said = validate([Question("mood", few, {"good": one.annotators["good"][:20]})])
    assert any("With two people" in note for note in said.notes)
    assert any("2 people have fewer than 30 items" in note for note in said.notes)
    assert "was not done" in str(said)


def test_questions_that_nobody_shares_are_left_out_and_told() -> None:
    one = question("warmth")
    alone = one.people.values.copy()
    alone[:, 1:] = np.nan
    lonely = Question("lonely", Ratings(one.people.raters, alone, np.arange(60)), one.annotators)
    found = validate([one, lonely])
    assert found.questions == ("all concepts", "warmth")
    assert any("lonely" in note for note in found.notes)
    with pytest.raises(DataError, match="no item that two"):
        validate([lonely])
    with pytest.raises(DataError, match="at least 2"):
        validate([Question("x", one.people.of(["a"]), {})])
    with pytest.raises(DataError, match="no question"):
        validate([])


def test_what_is_no_validation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="validation"):
        Validation.load(tmp_path)
    (tmp_path / "validation.json").write_text('{"schema": "other"}')
    with pytest.raises(FileFormatError, match="other"):
        Validation.load(tmp_path)


def test_pandalms_annotators_agree_and_its_judges_cannot_stand_in(shared_data: Path) -> None:
    """Raw agreement of two people .91 to .93; both judges are 20 points behind any of them."""
    preferences = palate.read(shared_data / "pandalm.jsonl.gz")
    found = validate([from_columns(preferences, PEOPLE, JUDGES)], epsilon=0.2)
    people = found.agreement.filter(between="people", measure=ALPHA).row(0, named=True)
    assert people["value"] == pytest.approx(0.861, abs=0.001)
    assert people["low"] == pytest.approx(0.824, abs=0.001)
    assert people["n_groups"] < people["n_items"] == 863
    two = found.agreement.filter(between="two people", measure=RAW)["value"].to_list()
    assert two == pytest.approx([0.912, 0.928, 0.917], abs=0.001)
    tests = found.alternative.filter(pl.col("person").is_null())
    assert tests["winning_rate"].to_list() == [0.0, 0.0]
    assert tests["advantage"].to_list() == pytest.approx([0.764, 0.724], abs=0.001)


def test_a_person_of_pandalm_can_stand_in_for_another(shared_data: Path) -> None:
    preferences = palate.read(shared_data / "pandalm.jsonl.gz")
    found = validate([from_columns(preferences, PEOPLE[:2], PEOPLE[2:])], epsilon=0.1)
    row = found.alternative.filter(pl.col("person").is_null()).row(0, named=True)
    assert (row["n_beaten"], row["passes"]) == (2, True)


def test_hannas_people_agree_little_and_not_at_all_on_coherence(shared_data: Path) -> None:
    """Where people agree no better than chance, models pass; a note says that it means nothing."""
    with gzip.open(shared_data / "hanna_scores.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]

    def column(name: str) -> Array:
        return np.array([row["scores"][name] for row in rows], dtype=float)

    prompts = np.array([row["prompt_index"] for row in rows])
    by = {}
    for short in ("CX", "CH"):
        labels = np.column_stack([column(f"Human {j} {short}") for j in (1, 2, 3)])
        by[short] = Ratings(("1", "2", "3"), labels, prompts, "ordinal")
    complexity = find(agreement(by["CX"]), ORDINAL)
    assert complexity.n_groups == 96
    assert complexity.low > 0.2
    assert find(agreement(by["CH"]), ORDINAL).high < 0
    test = alternative_test(by["CH"], column("Llama-13B CH 1"), epsilon=0.1)
    assert test.align == "rmse"
    assert test.passes
    said = validate([Question("Coherence", by["CH"], {"llama": column("Llama-13B CH 1")})])
    assert any("passing says nothing" in note for note in said.notes)
    assert said.sentences[-1].endswith(
        "That says nothing, as people may agree no better than chance."
    ), "whoever quotes the sentence alone quotes this as well"
