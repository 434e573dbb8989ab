"""`evaluate`: splits without leakage, scores that can be counted by hand, differences that hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import palate
from palate.concepts.imported import read_concepts
from palate.errors import DataError, FileFormatError, InputError, UnknownNameError
from palate.explanations.evaluation import IN_DOMAIN, NEW_DOMAIN, OURS
from palate.explanations.problem import Frame, Problem
from palate.explanations.protocol_fits import Protocol, grid, in_domain_splits, inner_folds
from palate.explanations.protocol_result import Evaluation
from palate.explanations.protocol_scores import MEAN_MECHANISM
from palate.explanations.protocol_splits import n_parts, repeated_splits
from palate.explanations.protocol_table import beyond, sentences
from palate.models.design import Design

from .worlds import World, planted, preferences_of

FAST = {"n_splits": 3, "test_share": 1 / 3, "n_folds": 2, "n_jobs": 1}


def domain_world(n: int = 240, mechanisms: int = 2) -> World:
    """Two concepts that count everywhere and one whose sign differs between domains."""
    domain = np.zeros((3, 4))
    domain[:, 2] = [2.5, -2.5, 2.5]
    return planted(n, shared=np.array([1.5, -1.0, 0.0, 0.0]), domain=domain, mechanisms=mechanisms)


@pytest.fixture(scope="module")
def world() -> World:
    """A world whose domains contradict each other in one concept."""
    return domain_world()


@pytest.fixture(scope="module")
def found(world: World) -> Evaluation:
    """Its evaluation."""
    return palate.evaluate(world.preferences, world.concepts, **FAST)


class TestSplits:
    """Random grouped splits, balanced by domain."""

    groups = np.random.default_rng(0).integers(0, 150, 300)
    domains = np.random.default_rng(1).integers(0, 3, 300)

    def splits(self, seed: int = 0, n_splits: int = 25) -> np.ndarray:
        """Splits with an eighth in each test."""
        return repeated_splits(
            self.groups, self.domains, n_splits=n_splits, test_share=0.125, seed=seed
        )

    def test_no_group_is_divided(self) -> None:
        for test in self.splits():
            assert not set(self.groups[test]) & set(self.groups[~test])

    def test_every_pair_is_tested_equally_often(self) -> None:
        times = self.splits(n_splits=25).sum(axis=0)
        assert set(times.tolist()) == {3, 4}  # 25 = 3 x 8 + 1
        assert set(self.splits(n_splits=16).sum(axis=0).tolist()) == {2}

    def test_tests_hold_an_eighth_of_every_domain(self) -> None:
        for test in self.splits():
            share = np.bincount(self.domains[test]) / np.bincount(self.domains)
            assert np.all(np.abs(share - 0.125) < 0.05)

    def test_repetitions_differ_and_seeds_are_kept(self) -> None:
        tests = self.splits(n_splits=16)
        assert not (tests[:8][:, None] == tests[8:]).all(axis=2).any()
        np.testing.assert_array_equal(tests, self.splits(n_splits=16))
        assert (tests != self.splits(seed=1, n_splits=16)).any()

    def test_the_share_is_one_over_a_whole_number(self) -> None:
        assert [n_parts(x) for x in (0.125, 0.2, 0.3, 0.5)] == [8, 5, 3, 2]
        for wrong in (0.0, -1.0, 0.6, float("nan")):
            with pytest.raises(InputError, match="test_share"):
                n_parts(wrong)


def test_folds_of_the_choice_lie_inside_the_training_part(world: World) -> None:
    frame = Frame.of(world.preferences, world.concepts, missing="zero", cluster=None)
    problem = Problem.of(frame, "judge 0", world.preferences.verdict("judge 0"))
    train = np.random.default_rng(0).random(problem.n_pairs) < 0.8
    folds = inner_folds(problem, train, Protocol(), stream=(1, 0))
    assert set(folds[~train].tolist()) == {-1}
    assert set(folds[train].tolist()) == {0, 1, 2, 3, 4}


def test_verdicts_of_the_test_do_not_change_what_is_predicted(world: World) -> None:
    frame = Frame.of(world.preferences, world.concepts, missing="zero", cluster=None)
    verdicts = world.preferences.verdict("judge 0")
    test = np.arange(verdicts.size) % 4 == 0
    protocol = Protocol(models=(OURS, "specific-only", "pooled"), n_folds=2)
    both = []
    for sign in (1.0, -1.0):
        problem = Problem.of(frame, "judge 0", np.where(test, sign * verdicts, verdicts))
        both.append(in_domain_splits(problem, protocol, test[None], np.array([0]))[0])
    np.testing.assert_array_equal(both[0], both[1])


class TestScores:
    """Rows of the table."""

    def test_hmdr_is_ahead_of_the_shared_part_alone_where_domains_contradict_each_other(
        self, found: Evaluation
    ) -> None:
        for mechanism in found.mechanisms:
            assert beyond(found.score(IN_DOMAIN, "shared-only", mechanism=mechanism)) == 1
        best = found.score(IN_DOMAIN, OURS)
        assert best is not None
        assert best["accuracy"] > 0.8

    def test_gains_are_differences_of_scores(self, found: Evaluation) -> None:
        keys = ["mechanism", "setting", "domain"]
        ours = found.scores.filter(model=OURS).select(
            *keys, pl.col("accuracy").alias("a"), pl.col("log_loss").alias("l")
        )
        rows = found.scores.filter(pl.col("model") != OURS).join(ours, on=keys)
        assert rows.height
        np.testing.assert_allclose(rows["gain"], rows["a"] - rows["accuracy"], atol=1e-12)
        np.testing.assert_allclose(rows["log_loss_gain"], rows["log_loss"] - rows["l"], atol=1e-12)
        assert (rows["gain_low"] <= rows["gain"]).all()
        assert (rows["gain"] <= rows["gain_high"]).all()

    def test_the_mean_row_is_the_mean_of_mechanisms(self, found: Evaluation) -> None:
        for model in found.models:
            rows = [found.score(IN_DOMAIN, model, mechanism=m) for m in found.mechanisms]
            mean = found.score(IN_DOMAIN, model, mechanism=MEAN_MECHANISM)
            assert mean is not None
            each = [r["accuracy"] for r in rows if r is not None]
            assert mean["accuracy"] == pytest.approx(np.mean(each), abs=1e-12)

    def test_the_longer_response_can_be_counted_by_hand(
        self, world: World, found: Evaluation
    ) -> None:
        pairs = world.preferences.pairs
        words = [
            pairs[c].str.split(" ").list.len().cast(pl.Int64).to_numpy()
            for c in ("response_a", "response_b")
        ]
        right = (1 + np.sign(words[0] - words[1]) * world.preferences.verdict("judge 0")) / 2
        for setting in (IN_DOMAIN, NEW_DOMAIN):
            for domain in world.preferences.domains:
                row = found.score(setting, "longer response", mechanism="judge 0", domain=domain)
                assert row is not None
                by_hand = right[(pairs["domain"] == domain).to_numpy()].mean()
                assert row["accuracy"] == pytest.approx(by_hand, abs=1e-12)

    def test_models_of_domains_say_nothing_about_a_new_one(self, found: Evaluation) -> None:
        for model in ("specific-only", "per domain"):
            assert found.score(NEW_DOMAIN, model) is None
            assert found.score(IN_DOMAIN, model) is not None

    def test_every_choice_is_told(self, found: Evaluation) -> None:
        choices = found.choices.filter(mechanism="judge 0")
        inside = choices.filter(setting=IN_DOMAIN)
        assert inside.height == 4 * 3  # models times splits
        assert choices.filter(setting=NEW_DOMAIN).height == 3 * 3  # without specific-only
        assert inside.filter(model="shared-only")["lambda_domain"].null_count() == 3
        assert choices.filter(model="dirty")["alpha"].unique().to_list() == [0.0]


def test_with_alpha_growing_the_shared_part_tends_to_that_of_the_shared_model(
    world: World,
) -> None:
    design = Design.build(
        world.concepts.values,
        world.preferences.verdict("judge 0"),
        world.preferences.pairs["domain"].to_list(),
    )
    alone = design.fit(alpha=0.0, lambda_shared=0.02, lambda_domain=np.inf, tol=1e-8)
    fit = design.fit(alpha=1e3, lambda_shared=1001 * 0.02, lambda_domain=0.02, tol=1e-7)
    np.testing.assert_allclose(fit.shared, alone.shared, atol=0.01)
    for config in grid(design, OURS, configs=9, alpha=1e3):
        assert config.alpha == 1e3
        assert config.lambda_shared > 90 * config.lambda_domain


def test_the_elastic_net_stands_beside_hmdr_where_it_is_asked_for(world: World) -> None:
    found = palate.evaluate(
        world.preferences,
        world.concepts,
        mechanisms=["judge 0"],
        models=["elastic net"],
        **FAST,
    )
    for setting in (IN_DOMAIN, NEW_DOMAIN):
        row = found.score(setting, "elastic net")
        assert row is not None
        assert abs(row["gain"]) < 0.1


class TestInvariance:
    """What must not change the result."""

    def test_presentation_order(self, world: World, found: Evaluation) -> None:
        from dataclasses import replace

        swapped = replace(world.concepts, values=-world.concepts.values)
        models = ["dirty", "longer response", "pooled"]  # others are rules about the side itself
        other = palate.evaluate(world.preferences.swap(), swapped, models=models, **FAST)
        same = found.scores.filter(pl.col("model").is_in([OURS, *models]))
        assert other.choices.equals(found.choices.filter(pl.col("model").is_in([OURS, *models])))
        # sums over more columns are rounded otherwise, in the last digit
        assert_frame_equal(other.scores, same, rel_tol=0, abs_tol=1e-12)

    @pytest.mark.slow
    def test_number_of_processes(self, world: World) -> None:
        options = FAST | {"n_splits": 12, "models": ["pooled"], "n_folds": 2}
        one = palate.evaluate(world.preferences, world.concepts, **options)
        two = palate.evaluate(world.preferences, world.concepts, **options | {"n_jobs": 2})
        assert one.scores.equals(two.scores)
        assert one.choices.equals(two.choices)


def test_on_verdicts_that_are_coins_nothing_is_ahead() -> None:
    world = planted(240, shared=np.zeros(4), domain=np.zeros((3, 4)), mechanisms=3, seed=3)
    found = palate.evaluate(
        world.preferences, world.concepts, models=["shared-only", "pooled"], level=0.999, **FAST
    )
    ours = found.score(IN_DOMAIN, OURS)
    assert ours is not None
    assert ours["accuracy_low"] < 0.5 < ours["accuracy_high"]
    assert not [s for s in sentences(found) if s.startswith("HMDR is ahead")]


class TestFiles:
    """What is written can be read."""

    def test_json_holds_everything(self, found: Evaluation, tmp_path: Path) -> None:
        found.save(tmp_path / "e.json")
        again = Evaluation.load(tmp_path / "e.json")
        assert again.scores.equals(found.scores)
        assert again.choices.equals(found.choices)
        assert again.to_markdown() == found.to_markdown()
        assert again.settings == found.settings

    def test_csv_holds_the_scores(self, found: Evaluation, tmp_path: Path) -> None:
        found.write_csv(tmp_path / "e.csv")
        assert pl.read_csv(tmp_path / "e.csv", schema=found.scores.schema).equals(found.scores)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "palate.evaluation/1"}'])
    def test_other_files_are_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(FileFormatError, match=r"x\.json"):
            Evaluation.load(tmp_path / "x.json")


class TestRefusals:
    """One sentence that names what is wrong."""

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"n_splits": 1}, "n_splits"),
            ({"n_folds": 1}, "n_folds"),
            ({"configs": 10}, "9 or 20"),
            ({"level": 1.0}, "level"),
            ({"seed": -1}, "seed"),
            ({"n_jobs": 0}, "n_jobs"),
            ({"max_pairs": 10}, "max_pairs"),
            ({"test_share": 0.9}, "test_share"),
            ({"alpha": -1.0}, "alpha"),
            ({"alpha": float("nan")}, "alpha"),
        ],
    )
    def test_settings(self, world: World, options: dict[str, float], words: str) -> None:
        with pytest.raises(InputError, match=words):
            palate.evaluate(world.preferences, world.concepts, **options)

    def test_unknown_names(self, world: World) -> None:
        with pytest.raises(UnknownNameError, match="dirtyy"):
            palate.evaluate(world.preferences, world.concepts, models=["dirtyy"])
        with pytest.raises(UnknownNameError, match="judge 9"):
            palate.evaluate(world.preferences, world.concepts, mechanisms=["judge 9"])

    def test_one_domain(self) -> None:
        world = planted(60, shared=np.ones(2), domain=np.zeros((1, 2)))
        with pytest.raises(DataError, match="one domain"):
            palate.evaluate(world.preferences, world.concepts)

    def test_too_few_groups(self) -> None:
        world = planted(60, shared=np.ones(2), domain=np.zeros((2, 2)))
        pairs = world.preferences.pairs.with_columns(
            prompt=pl.Series([f"q{i % 5}" for i in range(60)])
        )
        preferences = palate.Preferences(pairs=pairs, verdicts=world.preferences.verdicts)
        with pytest.raises(DataError, match=r"5 groups .* at least 8"):
            palate.evaluate(preferences, world.concepts)

    def test_a_mechanism_that_cannot_be_evaluated_is_told_beside_the_others(
        self, world: World
    ) -> None:
        one = world.preferences.pairs["domain"] == "domain 0"
        judged = pl.when(one).then(world.preferences.verdicts["judge 0"])
        verdicts = world.preferences.verdicts.select("judge 0", judged.alias("narrow"))
        preferences = palate.Preferences(pairs=world.preferences.pairs, verdicts=verdicts)
        found = palate.evaluate(preferences, world.concepts, models=[], **FAST)
        assert found.mechanisms == ("judge 0",)
        assert "one domain" in found.skipped["narrow"]
        with pytest.raises(DataError, match="one domain"):
            palate.evaluate(preferences, world.concepts, mechanisms=["narrow"])


def test_a_domain_too_small_to_be_tested_is_left_out_of_the_mean_and_told() -> None:
    world = planted(200, shared=np.ones(2), domain=np.zeros((2, 2)))
    domains = ["rare" if i < 2 else d for i, d in enumerate(world.preferences.pairs["domain"])]
    verdicts = {"judge": world.preferences.verdict("judge 0").tolist()}
    found = palate.evaluate(
        preferences_of(verdicts, domains), world.concepts, models=["shared-only"], **FAST
    )
    assert any("rare" in note for note in found.notes)
    assert "rare" not in found.scores["domain"]


@pytest.mark.slow
def test_people_on_annotated_concepts_are_predicted_as_known(shared_data: Path) -> None:
    # the README of the data: about 86 % in domain, 83 % leaving a domain out
    found = palate.evaluate(
        palate.read(shared_data / "judges.jsonl.gz"),
        read_concepts(
            shared_data / "judges_concepts.json", shared_data / "judges_concepts.jsonl.gz"
        ),
        mechanisms=["human"],
        models=["longer response"],
    )
    for setting, known in ((IN_DOMAIN, 0.86), (NEW_DOMAIN, 0.83)):
        row = found.score(setting, OURS)
        assert row is not None
        assert row["accuracy"] == pytest.approx(known, abs=0.03)
    longer = found.score(IN_DOMAIN, "longer response")
    assert longer is not None
    assert longer["accuracy"] < 0.45


@pytest.mark.slow
def test_domains_that_cannot_be_split_are_the_reason_that_is_given() -> None:
    demo = palate.load_demo()
    few = demo.select(list(range(0, demo.n_pairs, 8)))  # four pairs in each of eight domains
    matrix = palate.measure(few, families=["length"], n_jobs=1)
    with pytest.raises(DataError, match=r"^skimmer: no domain has the 8 usable verdicts"):
        palate.evaluate(few, matrix, mechanisms=["skimmer"], n_splits=2, configs=9, n_jobs=1)
    both = ["skimmer", "coach"]
    with pytest.raises(DataError, match=r"^None of the 2 mechanisms.* skimmer: no.* coach: no"):
        palate.evaluate(few, matrix, mechanisms=both, n_splits=2, configs=9, n_jobs=1)
