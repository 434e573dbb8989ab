"""The whole chain, discover, annotate, explain, in a world whose weights are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

import palate
from palate.concepts.annotation.annotate import annotate
from palate.concepts.discovery.discover import discover
from palate.data.preferences import Preferences
from palate.explanations.explanation import Explanation
from palate.inference.discoveries import Verdict
from palate.llm.connect import connect
from palate.llm.scripted.planted import PlantedWorld
from palate.llm.scripted.planted_concepts import concept_of
from palate.llm.scripted.server import serve

SAID = {Verdict.EVERYWHERE.value, Verdict.DIFFERS.value, Verdict.HERE.value}


def chain(world: PlantedWorld, **options: object) -> tuple[Explanation, dict[str, str]]:
    """Return the explanation of people, and the planted concept of each one that was found."""
    preferences = Preferences.from_rows(world.rows())
    with (
        serve(world.script()) as server,
        connect("openai:planted", base_url=server.base_url) as client,
    ):
        found = discover(preferences, client, mechanisms=["people"])
        rest = preferences.select([i not in found.pairs for i in preferences.ids])
        annotation = annotate(rest, found.concepts, client, **options)
    assert not annotation.failures
    explanation = palate.explain(rest, annotation.matrix, mechanism="people", n_bootstrap=2)
    planted = {c.name: concept_of(c.name, world.concepts) for c in annotation.matrix.concepts}
    return explanation, {name: c.name for name, c in planted.items() if c is not None}


def truth(world: PlantedWorld, concept: str) -> np.ndarray:
    """The planted effect b + s(d) of a concept in each domain; NaN where it is not planted."""
    return np.array(
        [
            world.shared_weights.get(concept, 0.0) + world.domain_weights[d].get(concept, 0.0)
            if concept in world.planted_in(d)
            else np.nan
            for d in world.domains
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_planted_weights_come_back(seed: int) -> None:
    """The model errs in 10 % of its answers and favours the first response in 5 %."""
    world = PlantedWorld(seed=seed, n_pairs=2_400)
    explanation, planted = chain(world)
    order = [world.domains.index(d) for d in explanation.domains]
    concepts = [c.name for c in explanation.concepts.concepts]
    assert set(planted.values()) == {c.name for c in world.concepts}  # each is found, once
    assert len(planted) == len(world.concepts)
    true = np.array(
        [truth(world, planted[c])[order] if c in planted else [0.0] * 4 for c in concepts]
    )
    shared, everywhere = explanation.shared, ~np.isnan(true).any(axis=1)

    known = everywhere & np.isin(concepts, list(planted))
    assert spearmanr(shared.estimate[known], true[known].mean(axis=1)).statistic >= 0.9
    found = explanation.total.estimate.T
    both = np.isin(concepts, list(planted))[:, None] & np.isfinite(found) & np.isfinite(true)
    assert both.sum() > 50
    assert spearmanr(found[both], true[both]).statistic >= 0.9

    # Supported at a false discovery rate of .1: nearly all that is large, with the right sign.
    stated = np.isin(explanation.total.verdict.T, list(SAID))
    wrong = stated & (true * found <= 0)
    assert wrong.sum() <= 0.1 * stated.sum()
    large = np.abs(np.nan_to_num(true)) >= 1.0
    assert (stated & large).sum() >= 0.9 * large.sum()


def test_concepts_of_a_small_world_are_found_annotated_and_explained() -> None:
    world = PlantedWorld(seed=3, n_pairs=320, error=0.0, position_bias=0.0)
    explanation, planted = chain(world, second_order="never")
    assert len(set(planted.values())) >= 0.8 * len(world.concepts)
    named = [
        (planted[c.name], estimate)
        for c, estimate, verdict in zip(
            explanation.concepts.concepts,
            explanation.shared.estimate,
            explanation.shared.verdict,
            strict=True,
        )
        if verdict == Verdict.EVERYWHERE.value
    ]
    assert named
    assert all(estimate * np.nanmean(truth(world, name)) > 0 for name, estimate in named)
