"""Judge hack: what is asked, what is found, and what is said of what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import palate
from palate.actions.choose import drawn, others_in, supported_effects
from palate.actions.generate import Task, Written, respond_request, typical_response
from palate.actions.hack import hack
from palate.actions.hack_prompts import chosen_prompts, held_out
from palate.actions.hack_result import Hack
from palate.actions.hack_tables import tables
from palate.actions.hack_text import sentences
from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.errors import BudgetError, DataError, FileFormatError, InputError, UnknownNameError
from palate.explanations.comparison import Comparison
from palate.explanations.explanation import Explanation
from palate.llm.outcome import Failure, Outcome
from palate.llm.prices import Price
from palate.llm.prompt import read_fences
from palate.llm.request import Request
from palate.llm.scripted.server import serve
from palate.llm.store import Store
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.style import JudgeStyle

from .hack_world import JUDGE, NAMES, Planted, explained, said_of, script, world

CHOSEN = {"Alder", "Birch", "Cedar", "Dogwood"}


@pytest.fixture(scope="module")
def found(known: tuple[Explanation, Comparison], new: Preferences) -> Hack:
    """A hack with everything."""
    return hack(
        new, known[0], Planted(), Planted(), reference=known[1], per_concept=True, n_prompts=40
    )


def system_of(request: Request) -> str:
    """The system message."""
    return request.messages[0].text


# -- what is found ----------------------------------------------------------------------------


def test_explained_beats_random_and_anti_loses(found: Hack) -> None:
    rates = {arm: found.rate(arm) for arm in ("explained", "random", "anti", "another vanilla")}
    values = {arm: row["rate"] for arm, row in rates.items() if row is not None}
    assert values["explained"] > values["random"] > values["anti"]
    assert [rates[a]["verdict"] for a in ("explained", "anti")] == ["wins", "loses"]  # type: ignore[index]
    paired, long = found.rate("explained", "random"), found.rate("explained", "vanilla as long")
    assert paired is not None
    assert long is not None
    assert paired["verdict"] == long["verdict"] == "wins"
    assert found.chosen.filter(domain="forest")["concept"].to_list()[0] == "Alder"
    aims = dict(found.chosen.filter(domain="garden").select("concept", "aim").iter_rows())
    assert aims == {"Alder": "more", "Birch": "more", "Cedar": "less", "Dogwood": "more"}
    assert set(found.alone["arm"]) == {"only Alder", "only Dogwood"}
    text = str(found)
    assert "can be exploited by what it rewards more than people does: Alder (" in text
    assert "Explained responses have 70 words on average, vanilla ones 30" in text
    assert repr(found).startswith("Hack('judge', 80 prompts, win rate 0.")


def test_every_response_and_comparison_is_kept(found: Hack, tmp_path: Path) -> None:
    found.save(tmp_path / "h")
    again = Hack.load(tmp_path / "h")
    for name in ("chosen", "rates", "alone", "lengths", "exploitable", "responses", "matches"):
        assert getattr(again, name).equals(getattr(found, name)), name
    assert (again.notes, again.domains, again.counts) == (found.notes, found.domains, found.counts)
    assert sentences(again) == sentences(found)
    assert tables(again) == tables(found)
    rows = found.responses.filter(arm="anti").rows(named=True)
    assert {c["name"]: c["aim"] for c in rows[0]["criteria"]} == {
        "Alder": "less",
        "Birch": "less",
        "Cedar": "more",
        "Dogwood": "less",
    }
    assert found.responses.height == 80 * 8
    assert found.matches.height == 80 * 7


def test_a_damaged_folder_is_refused(found: Hack, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"hack\.json: cannot be read"):
        Hack.load(tmp_path)
    found.save(tmp_path)
    (tmp_path / "matches.jsonl").write_text('{"prompt_id": 1')
    with pytest.raises(FileFormatError, match=r"matches\.jsonl"):
        Hack.load(tmp_path)
    (tmp_path / "hack.json").write_text(json.dumps({"schema": "palate.comparison/1"}))
    with pytest.raises(FileFormatError, match=r"expected 'palate\.hack/1'"):
        Hack.load(tmp_path)


def test_a_spreadsheet_finds_no_formula(found: Hack, tmp_path: Path) -> None:
    rates = found.rates.with_columns(domain=pl.lit("=1+1"))
    replace(found, rates=rates).write_csv(tmp_path / "rates.csv")
    read = pl.read_csv(tmp_path / "rates.csv")
    assert read["domain"][0] == "'=1+1"


# -- what is asked ----------------------------------------------------------------------------


def test_a_vanilla_question_has_no_guidance_and_others_have_their_lines() -> None:
    plain = respond_request(Task("1", "x", "vanilla", "a request"), max_words=50)
    assert "Criteria: " not in system_of(plain)
    assert "Words: " not in system_of(plain)
    assert "at most 50 words" in system_of(plain)
    assert read_fences(plain.messages[1].text) == {"request": "a request"}
    task = Task("1", "x", "y", "a request", (Criterion("Warm", "is\nwarm", "less"),), words=7)
    assert Written(task, "我喜欢树。").words == 4  # a language without spaces has a length as well
    lines = system_of(respond_request(task, max_words=50)).split("\n")
    assert 'Criteria: [{"name": "Warm", "text": "is warm", "aim": "less"}]' in lines
    assert "Words: 7" in lines
    assert plain.schema["required"] == ["response"]
    assert len(typical_response(plain)["response"].split()) == 26


def test_the_judge_is_asked_in_its_style_and_the_generator_by_the_concepts(
    explanation: Explanation, new: Preferences
) -> None:
    judge, generator = Planted(), Planted()
    hack(new, explanation, judge, generator, style=JudgeStyle(persona="checker"), n_prompts=3)
    assert len(judge.asked) == 6 * 5 * 2
    assert all("\nPersona: checker\n" in f"\n{system_of(r)}" for r in judge.asked)
    criteria = [said_of(system_of(r), "Criteria: ") for r in generator.asked]
    assert sum(c is None for c in criteria) == 6 * 3  # vanilla, another one, one as long
    for found in filter(None, criteria):
        names = {c["name"] for c in json.loads(found)}
        assert names in (CHOSEN, set(NAMES) - CHOSEN)  # random guidance has none of the chosen
    assert {r.sample for r in generator.asked} == {0, 1}


def test_the_order_of_the_rows_changes_nothing(explanation: Explanation, new: Preferences) -> None:
    one = hack(new, explanation, Planted(), Planted(), n_prompts=4)
    rows = np.random.default_rng(0).permutation(new.n_pairs)
    other = hack(new.select(rows), explanation, Planted(), Planted(), n_prompts=4)
    key = ["prompt_id", "arm"]
    assert one.responses.sort(key).equals(other.responses.sort(key))
    assert set(one.rates["rate"]) == set(other.rates["rate"])


def test_options_take_away_what_they_say(explanation: Explanation, new: Preferences) -> None:
    found = hack(
        new,
        explanation,
        Planted(),
        Planted(),
        concepts=["Birch", "Elm"],
        n_prompts=2,
        match_length=False,
        control=False,
    )
    assert set(found.responses["arm"]) == {"vanilla", "explained", "random", "anti"}
    assert set(found.chosen["concept"]) == {"Birch"}
    assert any("Fewer than 4 concepts are supported" in note for note in found.notes)


def test_random_concepts_are_those_of_the_prompt_and_the_seed(explanation: Explanation) -> None:
    pool = others_in(explanation, "forest", CHOSEN)
    assert [c.name for c in pool] == ["Elm", "Fir", "Ginkgo", "Hazel"]
    draws = {tuple(c.name for c in drawn(pool, 2, f"p{i}", 0)) for i in range(40)}
    assert len(draws) > 8
    assert drawn(pool, 2, "p1", 0) == drawn(pool, 2, "p1", 0)
    assert len(drawn(pool, 9, "p1", 0)) == 4


def test_an_unknown_domain_has_the_shared_effects(explanation: Explanation) -> None:
    names = [e.concept.name for e in supported_effects(explanation, "desert")]
    assert set(names) == CHOSEN
    lifts = [abs(e.lift) for e in supported_effects(explanation, "desert")]
    assert lifts == sorted(lifts, reverse=True)


# -- what is refused, and what is said --------------------------------------------------------


def test_prompts_that_were_seen_are_refused(explanation: Explanation) -> None:
    seen, _ = world(600, judge=JUDGE)
    with pytest.raises(InputError, match=r"fitted on verdicts of 600 of these 600 pairs"):
        hack(seen, explanation, Planted(), Planted())
    found = hack(seen, explanation, Planted(), Planted(), allow_seen=True, n_prompts=2)
    assert any("may have seen" in note for note in found.notes)


def test_a_judge_without_supported_concepts_is_refused(new: Preferences) -> None:
    preferences, matrix = world(60, noise=dict.fromkeys(NAMES, 0.0))
    nothing = explained(preferences, matrix, "noise")
    with pytest.raises(DataError, match="No concept of 'noise' is supported in any domain"):
        hack(new, nothing, Planted(), Planted())


def test_a_domain_without_support_is_left_out_and_said(
    explanation: Explanation, new: Preferences
) -> None:
    concepts = replace(
        explanation.concepts,
        concepts=tuple(replace(c, domains=("forest",)) for c in explanation.concepts.concepts),
    )
    total, shared = explanation.total, explanation.shared
    words = np.where(shared.verdict == "supported everywhere", "supported in this domain", "")
    only = replace(
        explanation,
        concepts=concepts,
        shared=replace(shared, verdict=np.full(shared.verdict.shape, "not supported")),
        total=replace(total, verdict=np.stack([words, np.full(words.shape, "not supported")])),
    )
    found = hack(new, only, Planted(), Planted(), n_prompts=2)
    assert found.domains == ("forest",)
    assert "Left out, because no concept is supported there: garden." in found.notes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_concepts": 0}, "n_concepts: found 0"),
        ({"max_words": 0}, "max_words: found 0"),
        ({"level": 1.0}, "level: found 1.0"),
        ({"per_concept": True}, "per_concept: found no reference"),
    ],
)
def test_bad_options_are_refused(
    explanation: Explanation, new: Preferences, options: dict[str, float], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        hack(new, explanation, Planted(), Planted(), **options)  # type: ignore[arg-type]


def test_an_unknown_concept_and_missing_prompts_are_refused(
    explanation: Explanation, new: Preferences
) -> None:
    with pytest.raises(UnknownNameError, match=r"'Aldr'.*Did you mean 'Alder'"):
        hack(new, explanation, Planted(), Planted(), concepts=["Aldr"])
    silent = replace(new, pairs=new.pairs.with_columns(prompt=pl.lit(" ")))
    with pytest.raises(DataError, match="no pair with a prompt"):
        hack(silent, explanation, Planted(), Planted())


def test_one_model_in_both_places_is_said(explanation: Explanation, new: Preferences) -> None:
    one = Planted()
    found = hack(new, explanation, one, one, n_prompts=1)
    assert any("same model as the judge" in note for note in found.notes)
    found = hack(new, explanation, one, Planted(), n_prompts=1)
    assert not any("same model" in note for note in found.notes)


class Failing(Planted):
    """Fails on every n-th question."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer most requests."""
        outcomes = super().ask(requests)
        return [
            Failure("declined", "no: thanks") if k % self.every == 0 else o
            for k, o in enumerate(outcomes)
        ]


def test_what_failed_is_missing_and_told(explanation: Explanation, new: Preferences) -> None:
    found = hack(new, explanation, Failing(7), Failing(5), n_prompts=6)
    assert found.counts["responses_failed"] > 0
    assert found.counts["matches_failed"] > 0
    assert any("responses failed" in n and "declined (" in n for n in found.notes)
    assert any("comparisons failed" in n for n in found.notes)
    lost = found.responses.filter(pl.col("failure") != "")
    assert lost["words"].is_null().all()
    for row in found.rates.filter(how="judged").iter_rows(named=True):
        assert row["prompts"] == row["wins"] + row["ties"] + row["losses"]


# -- prompts ----------------------------------------------------------------------------------


def test_a_division_keeps_prompts_together_in_every_domain() -> None:
    preferences, _ = world(200, judge=JUDGE)
    doubled = replace(
        preferences,
        pairs=preferences.pairs.with_columns(
            prompt=pl.col("prompt").str.replace(
                r"\d+", (pl.col("prompt").str.len_chars()).cast(str)
            )
        ),
    )
    for data, share in ((preferences, 0.3), (doubled, 0.5)):
        known, apart = held_out(data, share=share, seed=1)
        assert known.n_pairs + apart.n_pairs == data.n_pairs
        assert not set(known.pairs["prompt"]) & set(apart.pairs["prompt"])
    known, apart = held_out(preferences, share=0.3)
    assert apart.n_pairs == 60
    assert apart.pairs["domain"].value_counts()["count"].to_list() == [30, 30]
    assert len(groups(apart)) == 60
    with pytest.raises(InputError, match=r"share: found 1\.5"):
        held_out(preferences, share=1.5)


def test_the_same_prompt_is_asked_once() -> None:
    preferences, _ = world(40, judge=JUDGE)
    same = replace(
        preferences,
        pairs=preferences.pairs.with_columns(
            prompt=pl.when(pl.col("domain") == "forest")
            .then(pl.lit("Trees?"))
            .otherwise(pl.lit(""))
        ),
    )
    prompts, empty = chosen_prompts(same, ("forest", "garden"), 25, 0)
    assert ([p.text for p in prompts], empty) == (["Trees?"], 20)


# -- over HTTP --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_budget_stops_it_and_the_store_goes_on(
    explanation: Explanation, new: Preferences, tmp_path: Path
) -> None:
    with serve(script()) as server:

        def run(name: str, max_cost: float | None) -> Hack:
            with palate.connect(
                "openai:planted",
                base_url=server.base_url,
                store=Store(tmp_path / f"{name}.sqlite"),
                price=Price(1.0, 1.0, 1.0),
                max_cost=max_cost,
                concurrency=2,
            ) as client:
                return hack(new, explanation, client, client, n_prompts=2, max_words=60)

        whole = run("one", None)
        asked = server.calls
        with pytest.raises(BudgetError):
            run("two", 0.012)
        assert asked < server.calls < 2 * asked
        resumed = run("two", None)
        assert server.calls == 2 * asked  # nothing was paid twice
    whole.save(tmp_path / "a")
    resumed.save(tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    assert whole.settings["judge"] == "openai:planted"
    assert whole.counts["generator"]["cost"] > 0
