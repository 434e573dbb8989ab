"""The whole discovery, over real HTTP: planted concepts are found, and nothing else decides."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palate
from palate.concepts.discovery.asking import ManyFailuresError
from palate.concepts.discovery.discover import discover
from palate.concepts.discovery.discovery import Discovery
from palate.concepts.discovery.provenance import discovery_pairs
from palate.concepts.imported_files import read_definitions
from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.errors import DataError, FileFormatError, InputError, OutputError, UnknownNameError
from palate.llm.connect import connect
from palate.llm.outcome import Failure
from palate.llm.prompt import read_fences
from palate.llm.request import Request
from palate.llm.scripted.planted_concepts import concept_of
from palate.llm.scripted.question import Question
from palate.llm.scripted.server import serve

from .worlds import Function, asked, preferences, simple, world

FILES = (
    "discovery.json",
    "discovery_pairs.json",
    *(f"{step}.jsonl" for step in ("topics", "tags", "batches", "proposals", "merges", "merged")),
    "definitions.jsonl",
    "concepts.json",
)


@pytest.fixture(scope="module")
def pairs() -> Preferences:
    """A small planted world."""
    return preferences(world())


@pytest.fixture(scope="module")
def uninterrupted(pairs: Preferences, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a discovery in it."""
    folder = tmp_path_factory.mktemp("whole") / "concepts"
    with asked(world()) as (client, _):
        discover(pairs, client, folder=folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """What the files hold that a run leaves, but for the times in run.json."""
    return {name: (folder / name).read_bytes() for name in FILES}


def test_planted_concepts_are_found_merged_and_shared_where_they_were_planted() -> None:
    planted = world(400)
    with asked(planted) as (client, _):
        found = palate.discover(preferences(planted), client, similarity="tfidf")
    library = {name: c for c in planted.concepts for name in c.names}
    known = [(c, concept_of(c.name, planted.concepts)) for c in found.concepts]
    named = [truth.name for _, truth in known if truth is not None]
    assert len(named) == len(set(named)), "a synonym was not merged"
    everywhere = set(planted.shared)
    assert everywhere <= set(named)
    own = {n for weights in planted.specific.values() for n in weights} - everywhere
    assert len(own & set(named)) >= 0.8 * len(own)
    for concept, truth in known:
        if truth is None:
            assert concept.family == "commonplace"
        elif truth.name in everywhere:
            assert concept.shared
        else:
            where = {d for d, weights in planted.specific.items() if truth.name in weights}
            assert concept.domains is not None
            assert set(concept.domains) == where
    assert any(found.provenance[c.name]["merged"] for c in found.concepts)
    for c in found.concepts:
        for other in found.provenance[c.name]["merged"]:
            assert library[other] is library[c.name]


def test_neither_the_order_of_rows_nor_that_of_responses_or_mechanisms_matters(
    pairs: Preferences,
) -> None:
    order = np.random.default_rng(0).permutation(pairs.n_pairs)
    other = pairs.select(order).swap().with_mechanisms(pairs.mechanisms[::-1])
    with asked(world()) as (client, server):
        first = discover(pairs, client)
        bodies = {call.body for call in server.log}
        assert discover(other, client) == first
        assert {call.body for call in server.log} == bodies


def test_a_discovery_that_failed_in_the_middle_goes_on_and_gives_the_same_bytes(
    pairs: Preferences, uninterrupted: Path, tmp_path: Path
) -> None:
    class Power(Exception):  # noqa: N818
        pass

    for step in ("topics", "tagging", "propose", "same", "define"):
        folder = tmp_path / step
        with asked(world(), tmp_path / f"{step}.sqlite") as (client, server):
            ask = client.ask

            def failing(requests: list[Request], step: str = step, ask: Any = ask) -> Any:
                if requests and requests[0].name == step:
                    ask(requests[: len(requests) // 2])  # half of them are stored
                    raise Power
                return ask(requests)

            client.ask = failing  # type: ignore[method-assign, assignment]
            with pytest.raises(Power):
                discover(pairs, client, folder=folder)
            assert not (folder / "COMPLETE").exists()
            client.ask = ask  # type: ignore[method-assign]
            discover(pairs, client, folder=folder)
            assert len({call.body for call in server.log}) == len(server.log)
        assert contents(folder) == contents(uninterrupted)


def test_a_finished_discovery_is_read_again_without_a_question(
    pairs: Preferences, uninterrupted: Path
) -> None:
    before = contents(uninterrupted)
    with asked(world()) as (client, server):
        found = discover(pairs, client, folder=uninterrupted)
        assert server.calls == 0
    assert contents(uninterrupted) == before
    loaded = Discovery.load(uninterrupted)
    assert loaded.pairs == found.pairs
    assert [c.name for c in loaded.concepts] == [c.name for c in found.concepts]
    assert json.loads((uninterrupted / "run.json").read_text())["counts"]["discovery_pairs"] == 72


def test_queries_carry_the_topics_that_were_named(uninterrupted: Path) -> None:
    def rows(step: str) -> list[dict[str, Any]]:
        return [json.loads(x) for x in (uninterrupted / f"{step}.jsonl").read_text().splitlines()]

    topics = {row["domain"]: row for row in rows("topics")[1:]}
    tags = {row["id"]: row for row in rows("tags")[1:]}
    assert all(row["subdomains"] for row in topics.values())
    for row in tags.values():
        for kind in ("subdomains", "tasks"):
            assert set(row[kind]) <= set(topics[row["domain"]][kind])
    assert sum(bool(row["subdomains"] and row["tasks"]) for row in tags.values()) > len(tags) / 2
    batches = rows("batches")[1:]
    assert any(batch["combination"] not in (["*", "*"], [None, None]) for batch in batches)
    for batch in batches:
        subdomain, task = batch["combination"]
        for name in batch["pairs"]:
            assert subdomain in ("*", *(tags[name]["subdomains"] or [None]))
            assert task in ("*", *(tags[name]["tasks"] or [None]))


def test_other_settings_and_edited_concepts_are_not_written_over(
    pairs: Preferences, tmp_path: Path
) -> None:
    client, folder = Function(simple), tmp_path / "concepts"
    discover(pairs, client, folder=folder)
    with pytest.raises(OutputError, match="other data, settings or model"):
        discover(pairs, client, folder=folder, seed=1)
    concepts = folder / "concepts.json"
    concepts.write_text(concepts.read_text().replace("it is warm", "it glows"))
    with pytest.raises(OutputError, match="was changed since it was written"):
        discover(pairs, client, folder=folder)
    found = discover(pairs, client, folder=folder, seed=1, overwrite=True)
    assert "it glows" not in concepts.read_text()
    assert found.pairs == discovery_pairs(folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="another origin"):
        discover(pairs, client, folder=tmp_path / "mine")


def test_an_edited_intermediate_is_honoured(pairs: Preferences, tmp_path: Path) -> None:
    client, folder = Function(simple), tmp_path / "concepts"
    discover(pairs, client, folder=folder)
    file = folder / "proposals.jsonl"
    file.write_text(file.read_text().replace("Warm tone", "Glowing tone"))
    asked_before = len(client.requests)
    found = discover(pairs, client, folder=folder)
    assert "Glowing tone" in [c.name for c in found.concepts]
    assert {r.name for r in client.requests[asked_before:]} == {"define"}


def test_concepts_are_read_as_definitions_and_name_their_pairs(uninterrupted: Path) -> None:
    file = uninterrupted / "concepts.json"
    concepts = read_definitions(file)
    assert concepts == read_definitions(file)
    assert all(c.definition.startswith("High: ") for c in concepts)
    ids = discovery_pairs(uninterrupted)
    assert ids == discovery_pairs(file)
    assert len(ids) == 72
    batches = [json.loads(x) for x in (uninterrupted / "batches.jsonl").read_text().splitlines()]
    for entry in json.loads(file.read_text()):
        example = entry["provenance"]["example"]
        if example is not None:
            (batch,) = [b for b in batches[1:] if b["id"] == example["batch"]]
            assert batch["pairs"] == example["pairs"]
            assert set(example["pairs"]) <= ids


def test_discovered_concepts_without_their_pairs_are_refused(
    uninterrupted: Path, tmp_path: Path
) -> None:
    lone = tmp_path / "concepts.json"
    lone.write_bytes((uninterrupted / "concepts.json").read_bytes())
    with pytest.raises(FileFormatError, match=r"no discovery_pairs\.json"):
        discovery_pairs(lone)
    (tmp_path / "discovery_pairs.json").write_text("[1]")
    with pytest.raises(FileFormatError, match="list of ids"):
        discovery_pairs(tmp_path)
    (tmp_path / "discovery_pairs.json").write_text('["p1"]')
    lone.write_text('[{"name": "Rewritten"}]')  # without its provenance
    assert discovery_pairs(tmp_path) == {"p1"}
    (tmp_path / "discovery_pairs.json").unlink()
    assert discovery_pairs(tmp_path) == frozenset()


def test_discovery_pairs_share_no_prompt_with_the_others(pairs: Preferences) -> None:
    prompts = [f"{text[:18]} {k % 31}" for k, text in enumerate(pairs.pairs["prompt"])]
    together = replace(pairs, pairs=pairs.pairs.with_columns(prompt=np.array(prompts)))
    found = discover(together, Function(simple))
    apart = np.array([name in found.pairs for name in together.ids])
    group = groups(together)
    assert 0 < apart.sum() < together.n_pairs / 2
    assert not set(group[apart].tolist()) & set(group[~apart].tolist())


def test_failures_are_counted_and_tolerated(pairs: Preferences) -> None:
    planted = world().script()

    def script(question: Question) -> Any:
        """No JSON for every third batch: whichever call comes first."""
        text = "".join(question.material.values())
        if question.name == "propose" and sha256(text.encode()).digest()[0] % 3 == 0:
            return "I would rather not."
        return planted(question)

    with (
        serve(script) as server,
        connect("openai:planted", base_url=server.base_url) as client,
    ):
        found = discover(pairs, client)
    assert any("without an answer" in note for note in found.notes)
    assert len(found.concepts) > 15


def test_if_most_questions_fail_it_says_why(pairs: Preferences, tmp_path: Path) -> None:
    def declines(request: Request) -> Any:
        if request.name == "propose":
            return Failure("declined", "the model would not answer", 1)
        return simple(request)

    with pytest.raises(ManyFailuresError, match=r"declined.*would not answer"):
        discover(pairs, Function(declines), folder=tmp_path / "concepts")
    with asked(world(), html=1.0) as (client, _), pytest.raises(palate.PalateError):
        discover(pairs, client)


def test_without_labels_both_responses_are_shown_in_an_order_without_meaning(
    pairs: Preferences,
) -> None:
    client = Function(simple)
    discover(pairs, client, mechanisms=[])
    shown = [read_fences(r.messages[-1].text) for r in client.requests if r.name == "propose"]
    assert all(not any(name.startswith("preferred") for name in texts) for texts in shown)
    texts = {frozenset(row) for row in pairs.pairs.select("response_a", "response_b").iter_rows()}
    for batch in shown:
        for k in range(1, 6):
            assert frozenset((batch[f"other_{k}_a"], batch[f"other_{k}_b"])) in texts
    other = Function(simple)
    discover(pairs.swap(), other, mechanisms=[])
    assert [r.key({}) for r in other.requests] == [r.key({}) for r in client.requests]


def test_the_preferred_response_is_the_one_that_the_mechanism_preferred(
    pairs: Preferences,
) -> None:
    client = Function(simple)
    discover(pairs, client, mechanisms=["judge"])
    verdict = pairs.verdict("judge")
    rows = list(pairs.pairs.select("response_a", "response_b").iter_rows())
    won = {rows[k][0 if v > 0 else 1] for k, v in enumerate(verdict) if v}
    lost = {rows[k][1 if v > 0 else 0] for k, v in enumerate(verdict) if v}
    seen = [
        (name.split("_")[0], text)
        for r in client.requests
        if r.name == "propose"
        for name, text in read_fences(r.messages[-1].text).items()
    ]
    assert {kind for kind, _ in seen} == {"request", "preferred", "other"}
    assert all(text in won for kind, text in seen if kind == "preferred")
    assert all(text in lost for kind, text in seen if kind == "other")


def test_one_domain_has_shared_concepts_only(pairs: Preferences) -> None:
    one = pairs.select((pairs.pairs["domain"] == "travel").to_numpy())
    found = discover(one, Function(simple))
    assert all(c.shared for c in found.concepts)
    assert "Warm tone" in [c.name for c in found.concepts]


def test_pairs_without_prompts_are_batched_without_topics(pairs: Preferences) -> None:
    empty = replace(pairs, pairs=pairs.pairs.with_columns(prompt=np.array([""] * pairs.n_pairs)))
    client = Function(simple)
    found = discover(empty, client)
    assert "no prompts" in found.notes[0]
    assert {r.name for r in client.requests} == {"propose", "define"}


def test_a_domain_of_ties_is_asked_without_labels(pairs: Preferences) -> None:
    law = (pairs.pairs["domain"] == "law").to_numpy()
    verdicts = pairs.verdicts.to_numpy().copy()
    verdicts[law] = 0
    tied = replace(
        pairs,
        verdicts=pairs.verdicts.clear().vstack(
            type(pairs.verdicts)(verdicts, schema=pairs.verdicts.schema)
        ),
    )
    found = discover(tied, Function(simple))
    assert any("No verdict but ties in law" in note for note in found.notes)


def test_definitions_of_another_form_are_asked_again_and_then_replaced(pairs: Preferences) -> None:
    def formless(request: Request) -> Any:
        if request.name == "define":
            return dict.fromkeys(request.schema["properties"], "A warm tone is good.")
        return simple(request)

    client = Function(formless)
    found = discover(pairs, client)
    assert [r.sample for r in client.requests if r.name == "define"] == [0, 1]
    (warm,) = [c for c in found.concepts if c.name == "Warm tone"]
    assert warm.definition == "It is warm."
    assert "no definition of the form" in found.provenance["Warm tone"]["note"]


def test_limits_keep_the_most_frequent_concepts(pairs: Preferences) -> None:
    with asked(world()) as (client, _):
        everything = discover(pairs, client, max_shared=None, max_specific=None)
        few = discover(pairs, client, max_shared=14, max_specific=1)
        none = discover(pairs, client, commonplace=False, max_specific=0)
    assert len(few.shared) == 14
    assert sum(c.family == "commonplace" for c in few.concepts) == 10
    kept = {c.name for c in few.concepts}
    order = [
        (len(everything.provenance[c.name]["found_in"]), everything.provenance[c.name]["batches"])
        for c in everything.shared
        if c.family != "commonplace"
    ]
    assert order == sorted(order, reverse=True)
    assert [c.name for c in everything.shared][:14] == [c.name for c in few.shared]
    assert kept < {c.name for c in everything.concepts}
    for domain in world().domains:
        assert sum(domain in (c.domains or ()) for c in few.concepts) <= 1
    assert all(c.shared for c in none.concepts)
    assert not any(c.family for c in none.concepts)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda p: p.select(range(19)), DataError, "19 pairs"),
        (lambda p: replace(p, verdicts=p.verdicts * 0), DataError, "no tie"),
        (
            lambda p: replace(p, pairs=p.pairs.with_columns(domain=p.pairs["id"])),
            DataError,
            "None of the 240 pairs can be set apart",
        ),
        (
            lambda p: replace(
                p, pairs=p.pairs.with_columns(prompt=p.pairs["id"].str.slice(0, 0) + "x")
            ),
            DataError,
            "None of the 240 pairs can be set apart",
        ),
    ],
)
def test_data_that_cannot_do_are_refused(
    pairs: Preferences, change: Any, error: type[Exception], words: str
) -> None:
    client = Function(simple)
    with pytest.raises(error, match=words):
        discover(change(pairs), client)
    assert not client.requests


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mechanisms": ["nobody"]}, UnknownNameError),
        ({"batchs": 3}, UnknownNameError),
        ({"batches": 0}, InputError),
        ({"share": 1.5}, InputError),
        ({"max_chars": 10}, InputError),
        ({"similarity": "cosine"}, InputError),
        ({"max_shared": -1}, InputError),
    ],
)
def test_options_that_cannot_do_are_refused(
    pairs: Preferences, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        discover(pairs, Function(simple), **options)
