"""The noise ceiling and the reliability of concepts inside an explanation, on the demo set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import palate
from palate.concepts.matrix import ConceptMatrix
from palate.concepts.reliability import read_again
from palate.data.demo import demo_paths
from palate.errors import DataError, InputError
from palate.inference.discoveries import Verdict

QUICK = {"n_bootstrap": 2, "n_folds": 3, "n_jobs": 1}


@pytest.fixture(scope="module")
def concepts() -> ConceptMatrix:
    paths = demo_paths()
    return palate.read_concepts(paths.concepts, paths.values)


@pytest.mark.slow
def test_a_concept_that_is_annotated_at_random_gets_no_verdict(
    concepts: ConceptMatrix, tmp_path: Path
) -> None:
    paths = demo_paths()
    preferences = palate.load_demo().with_mechanisms(["skimmer"])
    again = read_again(paths.concepts, paths.values, paths.values)
    plain = palate.explain(preferences, concepts, **QUICK)
    # the second annotation of the surest concept is drawn anew
    j = int(np.nanargmin(plain.shared.p_value))
    name = plain.concepts.names[j]
    values = again.values.copy()
    k = again.names.index(name)
    values[:, k] = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], len(values))
    found = palate.explain(preferences, concepts, again=replace(again, values=values), **QUICK)
    assert plain.shared.verdict[j] == Verdict.EVERYWHERE
    assert found.shared.verdict[j] == Verdict.UNRELIABLE
    assert set(found.total.verdict[:, j]) == {Verdict.UNRELIABLE.value}
    np.testing.assert_array_equal(found.shared.estimate, plain.shared.estimate)
    others = np.arange(len(found.shared.verdict)) != j
    np.testing.assert_array_equal(found.shared.verdict[others], plain.shared.verdict[others])
    assert any(name in note for note in found.notes)
    row = found.reliability.filter(concept=name).row(0, named=True)
    assert row["status"] == "too unreliable"
    found.save(tmp_path)
    loaded = palate.Explanation.load(tmp_path)
    assert loaded.reliability.equals(found.reliability)
    np.testing.assert_array_equal(loaded.shared.verdict, found.shared.verdict)


@pytest.mark.slow
def test_replicates_give_a_ceiling_that_is_kept(concepts: ConceptMatrix, tmp_path: Path) -> None:
    preferences = palate.load_demo()
    names = ["expert", "assistant"]
    found = palate.explain(preferences, concepts, mechanism="expert", replicates=names, **QUICK)
    # agreement of the two, counted by hand
    one, two = (preferences.verdict(m) for m in names)
    both = ~np.isnan(one) & ~np.isnan(two) & (one != 0) & (two != 0)
    agreement = float((one[both] == two[both]).mean())
    assert found.ceiling["ceiling"]["agreement"][0] == pytest.approx(agreement)
    assert "Of what can be explained" in found.ceiling["sentence"]
    found.save(tmp_path)
    assert palate.Explanation.load(tmp_path).ceiling["share"] == found.ceiling["share"]
    assert palate.explain(preferences, concepts, mechanism="coach", **QUICK).ceiling == {}


def test_replicates_that_are_none_are_refused(concepts: ConceptMatrix) -> None:
    preferences = palate.load_demo()
    with pytest.raises((InputError, DataError), match="coach"):
        palate.explain(
            preferences, concepts, mechanism="coach", replicates=["expert", "skimmer"], **QUICK
        )
