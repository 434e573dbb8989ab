"""`palate.plan`: the demo set, a file of its own, sentences, files and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import palate
from palate.concepts.imported import read_concepts
from palate.data.demo import demo_paths
from palate.errors import DataError, InputError
from palate.explanations.plan_result import COLUMNS, rounded


@pytest.fixture(scope="module")
def demo() -> tuple[palate.Preferences, palate.ConceptMatrix]:
    pairs, paths = palate.load_demo(), demo_paths()
    return pairs, read_concepts(paths.concepts, paths.values).align(pairs.ids)


@pytest.fixture(scope="module")
def plan(demo: tuple[palate.Preferences, palate.ConceptMatrix]) -> palate.Plan:
    return palate.plan(*demo, mechanism="skimmer", lift=30.0)


def test_every_concept_and_target_has_a_row(
    plan: palate.Plan, demo: tuple[palate.Preferences, palate.ConceptMatrix]
) -> None:
    table = plan.to_frame()
    assert dict(table.schema) == COLUMNS
    assert set(table["target"]) == {"shared", "one domain", "difference"}
    shared = table.filter(target="shared")
    assert shared["domain"].null_count() == shared.height
    assert set(table["concept"]) <= set(demo[1].names)
    known = table.filter(pl.col("pairs").is_not_null())
    assert (known["pairs"] >= 1).all()
    both = known.filter(pl.col("pairs_alone").is_not_null())
    assert (both["pairs_alone"] >= both["pairs"]).all()
    assert known["power_now"].is_between(0, 1).all()
    assert known["smallest_lift_now"].drop_nulls().is_between(0, 100).all()


def test_the_headline_is_the_median_of_an_effect_in_one_domain(plan: palate.Plan) -> None:
    needed = plan.median("one domain")
    assert needed is not None
    assert plan.headline == (
        f"To find a lift of 30 % in one domain with probability 0.8 you need about "
        f"{rounded(needed)} pairs per domain for the median concept (you have 30)."
    )
    assert str(plan).startswith(plan.headline)
    assert "one pair per prompt" in plan.about_prompts
    assert repr(plan).startswith("Plan('skimmer', lift 30 %, power 0.8: shared ")


def test_a_plan_is_the_same_twice(
    plan: palate.Plan, demo: tuple[palate.Preferences, palate.ConceptMatrix]
) -> None:
    again = palate.plan(*demo, mechanism="skimmer", lift=30.0)
    assert again.to_frame().equals(plan.to_frame())


def test_it_is_saved_as_json_and_as_csv(plan: palate.Plan, tmp_path: Path) -> None:
    plan.save(tmp_path / "plan.json")
    document = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert document["schema"] == "palate.plan/1"
    assert document["headline"] == plan.headline
    assert pl.DataFrame(document["table"], schema=COLUMNS).equals(plan.to_frame())
    plan.save(tmp_path / "plan.csv")
    assert pl.read_csv(tmp_path / "plan.csv").height == plan.to_frame().height


def preferences(n: int, *, domains: int = 1, same: int = 1) -> palate.Preferences:
    """Pairs of their own prompts, or `same` equal pairs on each."""
    random = np.random.default_rng(0)
    of = np.repeat(np.arange(n), same)
    verdicts = random.choice([-1.0, 1.0], size=n)[of]
    pairs = pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(of.size)],
            "domain": [f"d{k % domains}" for k in of],
            "prompt": [f"question {k}" for k in of],
            "response_a": [f"a {k}" for k in of],
            "response_b": [f"b {k}" for k in of],
        }
    )
    return palate.Preferences(pairs=pairs, verdicts=pl.DataFrame({"m": verdicts}))


def values(preferences: palate.Preferences, n_concepts: int = 2) -> palate.ConceptMatrix:
    random = np.random.default_rng(1)
    prompts = preferences.pairs["prompt"].rank("dense").to_numpy().astype(int) - 1
    drawn = random.choice([-1.0, 0.0, 1.0], size=(prompts.max() + 1, n_concepts))[prompts]
    return palate.ConceptMatrix(
        ids=tuple(preferences.ids),
        concepts=tuple(
            palate.Concept(f"C{j}", "High: more; low: less.") for j in range(n_concepts)
        ),
        values=drawn,
        scales=("comp",) * n_concepts,
        step=np.full(n_concepts, np.nan),
    )


def test_one_domain_has_shared_effects_only() -> None:
    pairs = preferences(200)
    found = palate.plan(pairs, values(pairs))
    assert set(found.to_frame()["target"]) == {"shared"}
    assert "in one domain" not in found.headline
    assert "per domain" not in found.headline


def test_repeated_prompts_are_spoken_of() -> None:
    pairs = preferences(100, domains=2, same=3)
    found = palate.plan(pairs, values(pairs), lift=40.0)
    assert "3.0 pairs per prompt" in found.about_prompts
    assert "New prompts help more" in found.about_prompts
    single = found.prompts["single"]
    needed = found.median("one domain")
    assert single is not None
    assert needed is not None
    assert single < 0.6 * needed


def test_effects_that_cannot_be_found_in_practice_are_called_so() -> None:
    pairs = preferences(200, domains=2)
    found = palate.plan(pairs, values(pairs), lift=0.01)
    assert "more than 10,000,000 pairs" in found.headline
    assert "cannot be found in practice" in found.headline
    assert found.to_frame()["pairs"].null_count() == found.to_frame().height


def test_pilots_that_are_too_small_are_refused() -> None:
    pairs = preferences(19)
    with pytest.raises(DataError, match="19 verdicts"):
        palate.plan(pairs, values(pairs))
    repeated = preferences(4, same=6)
    with pytest.raises(DataError, match=r"no concept differs|prefer|expected"):
        palate.plan(repeated, values(repeated))


def test_a_small_pilot_is_said_to_be_a_guess() -> None:
    pairs = preferences(30)
    assert any("30 prompts only" in note for note in palate.plan(pairs, values(pairs)).notes)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lift": 0}, "lift"),
        ({"lift": 100}, "lift"),
        ({"lift": float("nan")}, "lift"),
        ({"power": 1.0}, "power"),
        ({"power": 0.05}, "power"),
        ({"fdr": 0.0}, "fdr"),
        ({"seed": -1}, "seed"),
        ({"mechanism": "nobody"}, "nobody"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], words: str) -> None:
    pairs = preferences(40)
    with pytest.raises(InputError, match=words):
        palate.plan(pairs, values(pairs), **settings)  # type: ignore[arg-type]
