"""What `explain` finds in planted worlds, and the symmetries it has to keep."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from palate.concepts.matrix import ConceptMatrix
from palate.errors import DataError, InputError, UnknownNameError
from palate.explanations.explain import explain, explain_all
from palate.explanations.explanation import Explanation
from tests.explanations.worlds import matrix_of, planted, preferences_of

SHARED = np.array([1.5, -1.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0])
DOMAIN = np.zeros((3, 8))
DOMAIN[0, 3], DOMAIN[1, 0], DOMAIN[2, 4] = 1.5, -1.2, -1.0
QUICK = {"n_bootstrap": 20, "n_jobs": 1}
ROUGH = {"n_bootstrap": 5, "n_folds": 3, "n_jobs": 1}  # for what no figure depends on


@pytest.fixture(scope="module")
def world():  # type: ignore[no-untyped-def]
    return planted(1500, shared=SHARED, domain=DOMAIN, missing=0.02)


@pytest.fixture(scope="module")
def found(world) -> Explanation:  # type: ignore[no-untyped-def]
    return explain(world.preferences, world.concepts, **QUICK)


def test_planted_weights_are_recovered_in_sign_and_rank(found: Explanation) -> None:
    effects = SHARED + DOMAIN
    assert found.domains == ("domain 0", "domain 1", "domain 2")
    assert np.corrcoef(found.total.weight.ravel(), effects.ravel())[0, 1] > 0.95
    strong = np.abs(effects) >= 0.5
    assert (np.sign(found.total.weight[strong]) == np.sign(effects[strong])).all()
    assert np.argsort(-np.abs(found.shared.weight))[:3].tolist() == [0, 1, 2]
    for d, j in ((0, 3), (1, 0), (2, 4)):
        assert int(np.argmax(np.abs(found.domain.weight[d]))) == j
        assert np.sign(found.domain.weight[d, j]) == np.sign(DOMAIN[d, j])
    assert (found.shared.selected[:3] == 1).all()


def test_intervals_hold_the_estimate_and_the_parts_add_up(found: Explanation) -> None:
    for band in (found.shared, found.domain, found.total):
        assert (band.low <= band.weight).all()
        assert (band.weight <= band.high).all()
        assert ((band.selected >= 0) & (band.selected <= 1)).all()
    np.testing.assert_array_equal(found.total.weight, found.shared.weight + found.domain.weight)


def test_held_out_accuracy_is_near_the_best_possible(world, found: Explanation) -> None:  # type: ignore[no-untyped-def]
    # The best any model can do is to know the planted weights: its accuracy on the same verdicts.
    codes = np.array([int(d[-1]) for d in world.preferences.pairs["domain"]])
    x = world.concepts.filled(missing="zero")
    z = np.einsum("ij,ij->i", x, (SHARED + DOMAIN)[codes])
    y = world.preferences.verdict("judge 0")
    best = np.mean((1 + np.sign(z) * y) / 2)
    rows = {(r["setting"], r["model"], r["domain"]): r for r in found.scores.iter_rows(named=True)}
    ours = rows["in domain", "HMDR", "(all pairs)"]
    assert abs(ours["accuracy"] - best) < 0.02
    assert ours["accuracy_low"] < ours["accuracy"] < ours["accuracy_high"]
    assert ours["log_loss"] < rows["in domain", "pooled", "(all pairs)"]["log_loss"]
    assert 0.6 < rows["new domain", "HMDR", "(mean)"]["accuracy"] < ours["accuracy"]


def swapped(matrix: ConceptMatrix) -> ConceptMatrix:
    """Return the values of the same pairs with their responses exchanged."""
    return matrix_of(-matrix.values, matrix.ids)


def test_swapping_the_responses_changes_no_weight_and_no_score(world, found: Explanation) -> None:  # type: ignore[no-untyped-def]
    other = explain(world.preferences.swap(), swapped(world.concepts), **QUICK)
    for band in ("shared", "domain", "total"):
        for part in ("weight", "estimate", "low", "high", "p_value", "verdict", "selected"):
            np.testing.assert_array_equal(
                getattr(getattr(other, band), part), getattr(getattr(found, band), part)
            )
    np.testing.assert_allclose(other.exact_shared, found.exact_shared, rtol=1e-12)
    np.testing.assert_allclose(other.exact_total, found.exact_total, rtol=1e-12)
    numbers = [c for c, t in found.scores.schema.items() if t.is_float()]
    scored = [e.scores.filter(pl.col("model") != "first response") for e in (other, found)]
    np.testing.assert_allclose(
        *(s.select(numbers).to_numpy().astype(float) for s in scored), rtol=1e-12
    )
    assert other.settings == found.settings
    assert other.counts == found.counts
    for column in ("probability", "held_out_probability"):
        np.testing.assert_allclose(
            1 - other.pairs[column].to_numpy(), found.pairs[column].to_numpy(), atol=1e-12
        )
    one = found.local("p00007", swapped=True)
    two = other.local("p00007")
    assert one.log_odds == two.log_odds
    assert one.contributions == two.contributions
    assert one.flips == two.flips


def same(a: Explanation, b: Explanation) -> None:
    """Compare everything two explanations hold, to the last bit."""
    for band in ("shared", "domain", "total"):
        for part in ("weight", "estimate", "low", "high", "p_value", "verdict", "selected"):
            np.testing.assert_array_equal(
                getattr(getattr(a, band), part), getattr(getattr(b, band), part)
            )
    np.testing.assert_array_equal(a.exact_total, b.exact_total)
    assert a.pairs.equals(b.pairs)
    assert a.scores.equals(b.scores)
    assert a.settings == b.settings
    assert a.notes == b.notes


def test_the_same_seed_gives_the_same_explanation() -> None:
    world = planted(300, shared=SHARED, domain=DOMAIN)
    one, two = (explain(world.preferences, world.concepts, **ROUGH) for _ in range(2))
    same(one, two)
    other = explain(world.preferences, world.concepts, **(ROUGH | {"seed": 1}))
    assert not np.array_equal(other.shared.selected, one.shared.selected)


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing() -> None:
    world = planted(1000, shared=SHARED, domain=DOMAIN, mechanisms=2)
    calls: list[tuple[int, int]] = []
    quick = {"n_bootstrap": 3, "n_folds": 3}
    alone = explain_all(world.preferences, world.concepts, n_jobs=1, **quick)
    both = explain_all(
        world.preferences,
        world.concepts,
        n_jobs=2,
        **quick,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert [e.mechanism for e in both] == ["judge 0", "judge 1"]
    for a, b in zip(alone, both, strict=True):
        same(a, b)
    assert calls == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.slow
def test_the_work_of_one_mechanism_can_be_divided_too() -> None:
    world = planted(2000, shared=SHARED[:4], domain=DOMAIN[:, :4], seed=1)
    quick = {"n_bootstrap": 12, "n_folds": 3}
    same(
        explain(world.preferences, world.concepts, n_jobs=1, **quick),
        explain(world.preferences, world.concepts, n_jobs=2, **quick),
    )


def test_shuffled_verdicts_are_predicted_no_better_than_by_chance() -> None:
    world = planted(1000, shared=0 * SHARED, domain=0 * DOMAIN, seed=3)
    found = explain(world.preferences, world.concepts, **QUICK)
    scores = found.scores.filter(found.scores["domain"] == "(all pairs)")
    # The standard error of a coin over 1,000 verdicts is 1.6 %.
    assert ((scores["accuracy"] - 0.5).abs() < 0.06).all()
    assert (scores["log_loss"] > 0.68).all()


def test_nothing_leaks_between_pairs_that_share_a_prompt() -> None:
    # A verdict per prompt, drawn by a coin, and a concept per prompt: whoever has seen one pair
    # of a prompt knows the other four, so only a leak does better than chance.
    random = np.random.default_rng(0)
    n_prompts = 60
    prompt = np.repeat(np.arange(n_prompts), 5)
    verdict = random.choice([-1.0, 1.0], n_prompts)[prompt]
    values = np.zeros((prompt.size, n_prompts))
    values[np.arange(prompt.size), prompt] = 1.0
    preferences = preferences_of(
        {"judge": verdict.tolist()},
        [f"domain {i % 3}" for i in range(prompt.size)],
        prompts=[f"Question {p}?" for p in prompt],
    )
    found = explain(preferences, matrix_of(values, preferences.ids), **QUICK)
    for row in found.scores.filter(found.scores["domain"] == "(all pairs)").iter_rows(named=True):
        if row["model"] in ("HMDR", "pooled", "per domain"):
            assert row["accuracy"] == 0.5, row  # no weight for any unseen prompt: all undecided
    assert found.counts["prompts"] == found.counts["clusters"] == n_prompts


def test_specific_concepts_have_weights_in_their_domains_only() -> None:
    world = planted(900, shared=SHARED, domain=DOMAIN, specific={3: ("domain 0",)})
    found = explain(world.preferences, world.concepts, **ROUGH)
    assert np.isnan(found.shared.weight[3])
    assert np.isnan(found.total.weight[1:, 3]).all()
    assert np.isnan(found.exact_shared[3])
    assert found.total.weight[0, 3] > 0.5
    outside = np.array(found.pairs["domain"]) != "domain 0"
    assert (found.concepts.values[outside, 3] == 0).all()
    frame = found.to_frame()
    assert frame.filter(frame["concept"] == "c3")["scope"].to_list() == ["domain 0"]


def test_one_domain_gives_the_shared_part_alone_and_a_note() -> None:
    world = planted(400, shared=SHARED, domain=np.zeros((1, 8)))
    found = explain(world.preferences, world.concepts, **ROUGH)
    assert np.isnan(found.domain.weight).all()
    np.testing.assert_array_equal(found.total.weight[0], found.shared.weight)
    assert any("one domain only" in note for note in found.notes)
    assert set(found.scores["setting"]) == {"in domain"}


def test_two_domains_are_left_out_one_by_one() -> None:
    world = planted(400, shared=SHARED, domain=np.zeros((2, 8)))
    found = explain(world.preferences, world.concepts, **ROUGH)
    new = found.scores.filter(
        (found.scores["setting"] == "new domain") & (found.scores["model"] == "HMDR")
    )
    assert new["accuracy"].min() > 0.6


def test_a_domain_with_fewer_pairs_than_folds_is_kept_and_not_scored() -> None:
    world = planted(300, shared=SHARED, domain=DOMAIN[:2])
    frame = world.preferences.pairs.to_dict(as_series=False)
    frame["domain"][:3] = ["tiny"] * 3
    preferences = preferences_of(
        {"judge": world.preferences.verdict("judge 0").tolist()}, frame["domain"]
    )
    found = explain(preferences, world.concepts, **QUICK)
    assert "tiny" in found.domains
    assert "tiny" not in set(found.scores["domain"])
    assert any(note.startswith("tiny: fewer usable verdicts") for note in found.notes)


def test_constant_concepts_are_left_out_and_named() -> None:
    world = planted(300, shared=SHARED, domain=DOMAIN)
    values = world.concepts.values.copy()
    values[:, 5] = 0.0
    found = explain(world.preferences, matrix_of(values, world.preferences.ids), **ROUGH)
    assert "c5" not in found.concepts.names
    assert found.settings["dropped"] == ["c5"]
    assert any("never differ" in note and "c5" in note for note in found.notes)


@pytest.mark.parametrize(("pairs", "covered"), [(600, 200), (1000, 30)])
def test_pairs_without_any_value_are_left_out_and_counted(pairs: int, covered: int) -> None:
    world = planted(pairs, shared=SHARED, domain=DOMAIN)
    some = world.concepts.align(world.concepts.ids[:covered])
    found = explain(world.preferences, some, **ROUGH)
    assert found.counts["used"] == covered
    assert found.counts["without_values"] == pairs - covered
    assert found.pairs["probability"].is_null().sum() == pairs - covered
    assert found.pairs["held_out_probability"].is_null().sum() == pairs - covered
    assert any("without any concept value" in note for note in found.notes)


def test_low_coverage_is_reported_and_can_be_refused() -> None:
    world = planted(300, shared=SHARED, domain=DOMAIN, missing=0.2)
    found = explain(world.preferences, world.concepts, **ROUGH)
    assert found.coverage["measured"].max() < 0.9
    assert any("could be measured on fewer than 90 %" in note for note in found.notes)
    with pytest.raises(DataError, match="was not measured on pair"):
        explain(world.preferences, world.concepts, missing="raise", **ROUGH)


def test_soft_verdicts_and_ties() -> None:
    world = planted(400, shared=SHARED, domain=DOMAIN)
    soft = 0.6 * world.preferences.verdict("judge 0")
    soft[:50] = 0.0
    preferences = preferences_of({"judge": soft.tolist()}, world.preferences.pairs["domain"])
    found = explain(preferences, world.concepts, **ROUGH)
    assert found.counts["ties"] == 50
    assert found.counts["used"] == 350
    assert found.pairs["held_out_probability"].is_null().sum() == 50
    # A verdict of .6 is a probability of .8, so no log-odds should go far beyond log 4.
    assert found.pairs["probability"].max() < 0.9


@pytest.mark.parametrize(
    ("verdicts", "message"),
    [
        ([0.0] * 60, "all 60 verdicts are ties"),
        ([None] * 60, "judged no pair"),
        ([1.0] * 60, "all 60 usable verdicts prefer the first response"),
        ([-1.0] * 60, "all 60 usable verdicts prefer the second response"),
        ([1.0, -1.0] * 5 + [None] * 50, "found 10 verdicts that are not ties"),
    ],
)
def test_a_mechanism_that_cannot_be_explained(verdicts: list[float], message: str) -> None:
    random = np.random.default_rng(0)
    values = random.choice([-1.0, 0.0, 1.0], size=(60, 3))
    fine = random.choice([-1.0, 1.0], 60).tolist()
    preferences = preferences_of({"bad": verdicts, "fine": fine}, ["x", "y"] * 30)
    matrix = matrix_of(values, preferences.ids)
    with pytest.raises(DataError, match=message):
        explain(preferences, matrix, mechanism="bad", **ROUGH)
    found = explain_all(preferences, matrix, **ROUGH)
    assert [e.mechanism for e in found] == ["fine"]
    assert message in found.skipped["bad"]
    with pytest.raises(DataError, match="None of the 2 mechanisms can be explained"):
        explain_all(preferences_of({"bad": verdicts, "worse": verdicts}, ["x"] * 60), matrix)


def test_what_cannot_be_explained_is_said_in_one_sentence() -> None:
    random = np.random.default_rng(0)
    y = random.choice([-1.0, 1.0], 60).tolist()
    preferences = preferences_of({"one": y, "two": y}, ["x", "y"] * 30)
    zeros = matrix_of(np.zeros((60, 2)), preferences.ids)
    with pytest.raises(DataError, match="none of the 2 concepts has a value other than 0"):
        explain(preferences, zeros, mechanism="one")
    strange = matrix_of(np.ones((5, 2)), [f"other{i}" for i in range(5)])
    with pytest.raises(DataError, match="None of the 60 pairs has a value"):
        explain(preferences, strange, mechanism="one")
    few = matrix_of(np.ones((2, 2)), preferences.ids[:2])
    with pytest.raises(DataError, match=r"found 2 verdicts .* expected at least 20"):
        explain(preferences, few, mechanism="one")
    with pytest.raises(InputError, match=r"There are 2 mechanisms; say which one .*'one', 'two'"):
        explain(preferences, zeros)
    with pytest.raises(UnknownNameError, match="Did you mean 'two'"):
        explain(preferences, zeros, mechanism="tow")
    with pytest.raises(UnknownNameError, match="cluster column"):
        explain(preferences, zeros, mechanism="one", cluster="session")
    together = preferences_of({"one": y}, ["x", "y"] * 30, prompts=["Same?"] * 60)
    values = matrix_of(random.choice([-1.0, 1.0], (60, 2)), together.ids)
    with pytest.raises(DataError, match="on 1 groups of pairs"):
        explain(together, values)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("n_folds", 2),
        ("n_folds", 2.5),
        ("n_bootstrap", 1),
        ("level", 1.0),
        ("level", 0.0),
        ("seed", -1),
        ("max_pairs", 10),
        ("n_jobs", 0),
        ("missing", "mean"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(setting: str, value: object) -> None:
    world = planted(60, shared=SHARED, domain=DOMAIN)
    with pytest.raises(InputError, match=f"{setting}: found"):
        explain(world.preferences, world.concepts, **{setting: value})  # type: ignore[arg-type]


@pytest.mark.slow
def test_many_pairs_are_evaluated_on_a_part_and_resampled_in_bags() -> None:
    from palate.explanations import resampling

    world = planted(11_000, shared=SHARED, domain=DOMAIN, seed=5)
    found = explain(world.preferences, world.concepts, max_pairs=1_500, n_bootstrap=40)
    assert found.settings["evaluated_pairs"] < 1_700
    assert found.settings["bags"] == 11_000 // resampling.BAG_SIZE
    assert any("from a random" in note for note in found.notes)
    effects = SHARED + DOMAIN
    assert np.abs(found.total.weight - effects).max() < 0.25
    # By theory the standard error in a domain is 1 / sqrt(n E[x^2] E[p (1 - p)]), with a third of
    # the pairs 1 / sqrt(3,667 2/3 .18) = .048, so a 90 % interval is about .16
    # wide, and a little more for what is not known about the other concepts.
    width = (found.total.high - found.total.low)[:, :3]
    assert ((width > 0.13) & (width < 0.25)).all()
    assert found.pairs["held_out_probability"].is_null().sum() > 9_000
