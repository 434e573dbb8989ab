"""Merging: who may be the same, who stays, and that the order of what was found plays no part."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.concepts.discovery.merging import (
    LEADING,
    PAIRS_PER_CALL,
    Groups,
    candidates,
    collect,
    merge,
    merged_names,
    stems,
)
from palate.concepts.discovery.settings import Settings
from palate.concepts.discovery.sharing import least_domains, share
from palate.concepts.discovery.similarity import similar
from palate.errors import InputError
from palate.llm.outcome import Failure
from palate.llm.prompt import read_fences
from palate.llm.request import Request

from .worlds import Function

WORDS = ["warm", "clear", "tone", "tones", "step", "steps", "detail", "detailed"]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True).map(" ".join)
proposals = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(names, max_size=6, unique=True)), max_size=12
).map(
    lambda rows: [
        {
            "batch": f"{domain} {k}",
            "domain": domain,
            "concepts": [{"name": n, "description": f"It has {n}."} for n in found],
        }
        for k, (domain, found) in enumerate(rows)
    ]
)


def by_words(request: Request) -> dict[str, bool]:
    """Two names are the same if their first words begin alike."""
    texts = read_fences(request.messages[-1].text)
    return {
        f: texts[f"concept_{f[1:]}_a"][:4] == texts[f"concept_{f[1:]}_b"][:4]
        for f in request.schema["properties"]
    }


@given(proposals, st.randoms(use_true_random=False))
def test_the_order_in_which_names_were_found_plays_no_part(
    rows: list[dict[str, Any]], shuffled: random.Random
) -> None:
    other = [{**row, "concepts": row["concepts"][::-1]} for row in rows]
    shuffled.shuffle(other)
    results = []
    for given_rows in (rows, other):
        found = collect(given_rows, ["Clear"])
        decisions = merge(found, Function(by_words), Settings())
        groups = merged_names(found, decisions)
        results.append([c.to_dict() for c in share(groups, n_domains=3, settings=Settings())])
    assert results[0] == results[1]


@given(proposals)
def test_every_name_is_in_one_group_and_the_most_frequent_one_leads_it(
    rows: list[dict[str, Any]],
) -> None:
    found = collect(rows, ["Clear"])
    client = Function(by_words)
    decisions = merge(found, client, Settings())
    groups = merged_names(found, decisions)
    listed = [one.name for _, members in groups for one in members]
    assert sorted(listed) == sorted(one.name for one in found)
    for first, members in groups:
        assert first is min(members, key=lambda one: one.rank)
    for row in decisions:
        assert stems(row["a"]) & stems(row["b"])
    batches = sum(len({c["name"] for c in row["concepts"]}) for row in rows)
    assert sum(one.n_batches for one in found) == batches


def test_stems_tell_what_a_name_is_about() -> None:
    assert stems("Use of the Examples") == stems("Example")  # Snowball's English stemmer
    assert stems("Clarity of explanation") & stems("Explanations")
    assert not stems("Warm tone") & stems("Level of detail")


def test_candidates_of_a_frequent_stem_grow_with_the_names_and_not_their_square() -> None:
    def number(n: int) -> int:
        concepts = [{"name": f"Tone {k}", "description": "A tone."} for k in range(n)]
        found = collect([{"batch": "d 1", "domain": "d", "concepts": concepts}])
        return len(candidates(found, Settings()))

    assert number(20) == 20 * 19 // 2
    assert number(400) - number(300) == 100 * LEADING


def test_a_chain_does_not_join_what_the_model_told_apart() -> None:
    rows = [
        {
            "batch": f"d {k}",
            "domain": "d",
            "concepts": [{"name": n, "description": n} for n in found],
        }
        for k, found in enumerate(
            [["Tone a", "Tone b", "Tone c"], ["Tone a", "Tone b"], ["Tone a"]]
        )
    ]
    found = collect(rows)
    assert [one.name for one in found] == ["Tone a", "Tone b", "Tone c"]
    groups = Groups(found)
    assert groups.decide(0, 1, True)
    assert not groups.decide(0, 2, False)
    assert not groups.decide(1, 2, True)  # b is a by now, and a is not c
    assert groups.members() == {0: [0, 1], 2: [2]}


def test_two_fixed_concepts_never_become_one() -> None:
    found = collect([], ["Clarity", "Accuracy"])
    assert Groups(found).settled(0, 1)
    assert candidates(found, Settings(similarity="tfidf", threshold=0.01)) == []


def test_a_proposal_that_is_the_same_as_a_fixed_concept_joins_it() -> None:
    rows = [
        {
            "batch": f"{d} 1",
            "domain": d,
            "concepts": [{"name": "Clarity of words", "description": "Clear words."}],
        }
        for d in "abcd"
    ]
    found = collect(rows, ["Clarity"])
    decisions = merge(found, Function(lambda r: {"m1": True}), Settings())
    (concept,) = share(merged_names(found, decisions), n_domains=4, settings=Settings())
    assert (concept.name, concept.merged, concept.n_batches) == (
        "Clarity",
        ("Clarity of words",),
        4,
    )


def test_questions_that_fail_for_their_shape_are_asked_in_halves() -> None:
    concepts = [{"name": f"Tone {k}", "description": "A tone."} for k in range(7)]
    found = collect([{"batch": "d 1", "domain": "d", "concepts": concepts}])

    def answer(request: Request) -> Any:
        fields = request.schema["properties"]
        return Failure("wrong shape") if len(fields) > 5 else dict.fromkeys(fields, False)

    client = Function(answer)
    decisions = merge(found, client, Settings())
    assert len(decisions) == 21
    assert all(row["same"] is False for row in decisions)
    assert max(len(r.schema["properties"]) for r in client.requests) == PAIRS_PER_CALL


def test_similar_texts_are_candidates_as_well() -> None:
    def embed(texts: Any) -> Any:
        return np.array(
            [[1.0, 0.0] if "brief" in t or "concise" in t else [0.0, 1.0] for t in texts]
        )

    assert similar(["brief", "long", "concise"], embed, 0.9) == [(0, 2)]
    texts = ["Sensory imagery: sights and smells", "Detail for senses: sights and smells", "Law"]
    assert similar(texts, "tfidf", 0.3) == [(0, 1)]
    with pytest.raises(InputError, match="row of finite numbers"):
        similar(["a", "b"], lambda t: np.zeros(2), 0.5)
    with pytest.raises(InputError, match="row of finite numbers"):
        similar(["a", "b"], lambda t: np.full((2, 2), np.nan), 0.5)


def test_shared_means_half_of_the_domains_and_two_at_least() -> None:
    assert [least_domains(n) for n in range(1, 9)] == [1, 2, 2, 2, 3, 3, 4, 4]
