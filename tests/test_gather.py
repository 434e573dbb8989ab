"""`gather`: which concepts a run uses, from files, from the preferences, from the text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import palate
from palate.concepts.gather import gather
from palate.data.demo import demo_paths
from palate.errors import InputError


@pytest.fixture(scope="module")
def demo() -> palate.Preferences:
    """The demo set."""
    return palate.load_demo()


def test_without_files_the_concepts_are_measured(demo: palate.Preferences) -> None:
    found = gather(demo)
    assert found.matrix.ids == tuple(demo.ids)
    assert {c.origin for c in found.matrix.concepts} == {"measured"}
    assert len(found.matrix.concepts) >= 45
    assert found.notes == ()


def test_files_stand_alone_and_specific_concepts_are_masked(demo: palate.Preferences) -> None:
    paths = demo_paths()
    found = gather(demo, concepts=paths.concepts, values=paths.values)
    assert found.matrix.n_concepts == 28
    domains = np.array(demo.pairs["domain"].to_list())
    for j, concept in enumerate(found.matrix.concepts):
        if concept.domains is not None:
            assert not found.matrix.values[~np.isin(domains, concept.domains), j].any()


def test_files_can_stand_beside_the_measured_concepts(demo: palate.Preferences) -> None:
    paths = demo_paths()
    found = gather(demo, concepts=paths.concepts, values=paths.values, with_measured=True)
    origins = [c.origin for c in found.matrix.concepts]
    assert origins.count("imported") == 28
    assert origins.count("measured") >= 45
    assert any("28 imported concepts stand beside" in note for note in found.notes)
    assert len(set(found.matrix.names)) == found.matrix.n_concepts


def test_scores_that_a_file_holds_stand_beside_the_measured_concepts(tmp_path: Path) -> None:
    responses = [("Sodium chloride.", 4, 2), ("A mineral that people put on food.", 3, 4)]
    lines = [
        {
            "prompt": f"What is salt? ({i})",
            "response": f"{text} ({i})",
            "helpfulness": helpfulness,
            "correctness": 4,
            "coherence": 4,
            "complexity": 1,
            "verbosity": verbosity,
        }
        for i in range(30)
        for text, helpfulness, verbosity in responses
    ]
    path = tmp_path / "helpsteer2.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    preferences = palate.read(path)
    found = gather(preferences)
    imported = [c.name for c in found.matrix.concepts if c.origin == "imported"]
    assert "verbosity" in imported
    assert any("beside" in note for note in found.notes)


def test_principles_of_an_annotated_pairs_file_become_concepts(
    demo: palate.Preferences, tmp_path: Path
) -> None:
    path = tmp_path / "pairs.json"
    palate.write(demo.with_mechanisms(["skimmer"]), path)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["annotators"]["abcd1234"] = {
        "description": "Select the response that is shorter",
        "type": "principle",
    }
    for comparison in document["comparisons"]:
        texts = [comparison[f"response_{x}"]["text"] for x in "ab"]
        pref = "a" if len(texts[0]) < len(texts[1]) else "b"
        comparison["annotations"]["abcd1234"] = {"pref": pref}
    path.write_text(json.dumps(document), encoding="utf-8")
    preferences = palate.read(path)
    beside = gather(preferences)
    assert any("principle" in note for note in beside.notes)
    assert sum(c.origin == "imported" for c in beside.matrix.concepts) == 1
    alone = gather(preferences, concepts=path)
    assert alone.matrix.n_concepts == 1
    longer = [
        np.sign(len(b) - len(a))
        for a, b in preferences.pairs.select("response_a", "response_b").iter_rows()
    ]
    agree = (alone.matrix.values[:, 0] == longer).mean()
    assert agree > 0.95  # equal lengths aside, "shorter" is what was voted


def test_what_does_not_fit_is_refused(demo: palate.Preferences) -> None:
    paths = demo_paths()
    with pytest.raises(InputError, match="no values"):
        gather(demo, concepts=paths.concepts)
    with pytest.raises(InputError):
        gather(demo.select(range(5)), values=paths.pairs)


def test_pairs_without_annotation_have_no_value_of_specific_concepts_either(
    shared_data: Path,
) -> None:
    preferences = palate.read(shared_data / "judges.jsonl.gz")
    gathered = gather(
        preferences,
        concepts=shared_data / "judges_concepts.json",
        values=shared_data / "judges_concepts.jsonl.gz",
    )
    assert np.isfinite(gathered.matrix.values).any(axis=1).sum() == 453  # the README of the data
