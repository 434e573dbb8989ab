"""What the sentences claim, and what they must not claim."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from palate.inference.discoveries import Verdict
from palate.report.effect_words import effect_details, effect_sentence
from palate.report.effects import (
    Difference,
    Effect,
    chance,
    domain_statements,
    effects,
    lift,
    supported_effects,
)
from palate.report.reach import reach, reach_sentence
from palate.report.score_words import score_sentence
from palate.report.sentences import mechanism_sentences, summary_sentences
from palate.report.words import (
    interval_words,
    lift_words,
    listed,
    quantity,
    signed,
    size_interval,
    step_words,
)

EVERYWHERE, HERE, DIFFERS, NOT, UNRELIABLE = (v.value for v in Verdict)
GAIN = ("gain", "gain_low", "gain_high")
TYPES = (pl.String, *(pl.Float64,) * 6)


def scores(rows, domains=("(mean)",)):
    """Scores of all domains together: (model, accuracy, low, high), and the gain with its ends."""
    columns = ("model", "accuracy", "accuracy_low", "accuracy_high", *GAIN)
    full = [(*row, *(None,) * (len(columns) - len(row))) for row in rows]
    frame = pl.DataFrame(full, schema=dict(zip(columns, TYPES, strict=True)), orient="row")
    frame = frame.with_columns(
        setting=pl.lit("in domain"),
        log_loss=pl.lit(0.5),
        log_loss_low=pl.lit(0.4),
        log_loss_high=pl.lit(0.6),
        n_pairs=pl.lit(100),
    )
    return pl.concat([frame.with_columns(domain=pl.lit(d)) for d in domains])


def weight(per_cent):
    """Log-odds of a lift: 100 tanh(w / 2) solved for w."""
    return 2 * np.arctanh(per_cent / 100)


def hedging(verdict, *, per_cent=(6, 2, 10), elsewhere=2.0, domain="law", shared=3.0):
    """An effect of Hedging in law with given lifts."""
    estimate, low, high = (weight(x) for x in per_cent)
    difference = None if elsewhere is None else Difference(estimate - weight(elsewhere), 0.01, 0.3)
    return Effect(
        *("Hedging", 0, domain, estimate, low, high, 0.012, verdict, weight(2), 0.8),
        shared=weight(shared),
        difference=difference,
    )


@pytest.fixture
def expert(with_shared):
    """An explanation of `expert` in eleven domains, for the sentences of single effects."""
    return dataclasses.replace(with_shared([0.4], [0.2], [1.0]), mechanism="expert")


IN_LAW = "In law, one step more of Hedging raises the chance that expert prefers a response by 6 % "


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (
            hedging(DIFFERS),
            IN_LAW + "(90 % interval 2 to 10), 4 points more than elsewhere; differs in this "
            "domain.",
        ),
        (
            hedging(DIFFERS, elsewhere=16.0),
            IN_LAW + "(90 % interval 2 to 10), 10 points less than elsewhere; differs in this "
            "domain.",
        ),
        (
            hedging(DIFFERS, elsewhere=-20.0),
            IN_LAW + "(90 % interval 2 to 10), against −20 % elsewhere; differs in this domain.",
        ),
        (
            hedging(HERE, elsewhere=None),
            IN_LAW + "(90 % interval 2 to 10); supported in this domain.",
        ),
        (
            hedging(EVERYWHERE),
            IN_LAW + "(90 % interval 2 to 10); supported everywhere (+3 %), no difference from it "
            "was found here.",
        ),
        (
            hedging(EVERYWHERE, per_cent=(-30, -50, -5), domain=None),
            "Everywhere, one step more of Hedging lowers the chance that expert prefers a "
            "response by 30 % (90 % interval 5 to 50); supported everywhere.",
        ),
        (
            hedging(EVERYWHERE, per_cent=(6, -2, 14)),
            "In law, one step more of Hedging is estimated to change the chance that expert "
            "prefers a response by +6 % (90 % interval −2 to +14); supported everywhere (+3 %), "
            "no difference from it was found here.",
        ),
        (
            hedging(NOT, per_cent=(6, -2, 14)),
            "In law, one step more of Hedging is estimated to change the chance that expert "
            "prefers a response by +6 % (90 % interval −2 to +14); not supported: the interval "
            "includes no effect.",
        ),
        (
            hedging(NOT),
            "In law, one step more of Hedging is estimated to change the chance that expert "
            "prefers a response by +6 % (90 % interval +2 to +10); not supported: among so many "
            "concepts, chance alone gives such intervals.",
        ),
        (
            hedging(UNRELIABLE),
            "In law, one step more of Hedging is estimated to change the chance that expert "
            "prefers a response by +6 % (90 % interval +2 to +10); nothing can be said: annotated "
            "again, it got other values.",
        ),
        (
            dataclasses.replace(hedging(NOT), estimate=np.nan, low=np.nan, high=np.nan),
            "In law, too few pairs differ in Hedging to say what it does to the chance that "
            "expert prefers a response.",
        ),
    ],
)
def test_the_sentence_of_an_effect(expert, effect, said):
    assert effect_sentence(effect, expert) == said


def test_the_details_of_an_effect(expert):
    # 50 to 53 %: an even choice lifted by 6 %; 3.9 points: 6 - 2; the ends by hand from tanh.
    assert effect_details(hedging(DIFFERS), expert) == (
        "One step: 40 words more. It takes an even choice from 50 to 53 %. Elsewhere +2 %: a "
        "difference of +4 points, interval +0.5 to +15. p = 0.012. Weight in the predicting model "
        "(drawn towards zero): lift +2 %, kept in 80 % of refits."
    )


def test_the_surest_reward_is_named_with_lift_and_interval(with_shared):
    explanation = with_shared([0.46, 1.0, -0.5], [0.3, 0.66, -0.9], [0.6, 1.32, -0.1])
    first, _, penalty, within = mechanism_sentences(explanation)
    # 100 tanh(w / 2) for w = 1, 0.66, 1.32 and -0.5, -0.9, -0.1, by hand.
    assert first == (
        "checker rewards concept 1: one step more raises the chance of a response by 46 % "
        "(90 % interval 32 to 58). It also rewards concept 0."
    )
    assert penalty == (
        "checker penalises concept 2: one step more lowers the chance of a response by 24 % "
        "(90 % interval 5 to 42)."
    )
    assert within == "No effect that is limited to a domain, or different in one, is supported."


def test_a_large_uncertain_effect_comes_after_a_sure_one(with_shared):
    explanation = with_shared([3.0, 1.0], [0.1, 0.8], [6.0, 1.2])
    assert [e.concept for e in supported_effects(explanation)] == ["concept 1", "concept 0"]
    # In the chart, supported effects come by size, before all others.
    mixed = with_shared([3.0, 1.0, 2.0], [-1.0, 0.8, 1.5], [6.0, 1.2, 2.5])
    assert [e.concept for e in effects(mixed)] == ["concept 2", "concept 1", "concept 0"]


def test_what_is_not_supported_is_never_named(with_shared):
    # The second interval excludes zero, but the verdict says that this is not enough.
    explanation = with_shared([2.0, 0.5], [-0.1, 0.2], [3.0, 0.9], [NOT, NOT])
    text = " ".join(mechanism_sentences(explanation) + summary_sentences([explanation]))
    assert "concept 0" not in text
    assert "concept 1" not in text
    assert text.startswith(
        "Nothing was found: of 3 concepts, none is supported as something that checker rewards or "
        "penalises, neither everywhere nor in a single domain, at a false discovery rate of 10 %. "
        "With these data, a typical concept would have been found with a probability of 80 % from "
        "a lift of "
    )
    assert "expected to be false" not in text


def test_the_smallest_lift_that_could_have_been_found(with_shared):
    # Half-widths of 0.4 at 90 %: se = 0.4 / 1.6449 = 0.2432. Three concepts in three domains at a
    # rate of .1: p <= .1 / 6 everywhere, z = 2.3940; p <= .1 / 18 in a domain, z = 2.7730; and
    # z = 0.8416 for a power of .8. Lift = 100 tanh(w / 2). From tables of the normal distribution.
    found = reach(with_shared([0.1, 0.2], [-0.3, -0.2], [0.5, 0.6]))
    assert found.everywhere == pytest.approx(100 * np.tanh(0.2432 * (2.3940 + 0.8416) / 2), abs=0.1)
    assert found.domain == pytest.approx(100 * np.tanh(0.2432 * (2.7730 + 0.8416) / 2), abs=0.1)
    nothing = with_shared([np.nan], [np.nan], [np.nan], [NOT])
    assert (
        reach_sentence(dataclasses.replace(nothing, total=nothing.domain)).count("everywhere") == 0
    )


def test_the_error_rate_is_said_once(make):
    for n in (1, 3, 9):
        explanations, _ = make(n_mechanisms=n)
        text = " ".join(summary_sentences(explanations))
        assert text.count("at most 10 % is expected to be false") == 1


def test_nothing_is_called_significant(make):
    explanations, _ = make(n_mechanisms=5)
    text = " ".join(summary_sentences(explanations)) + " ".join(
        s for e in explanations for s in mechanism_sentences(e)
    )
    assert "significan" not in text.lower()


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        # The two intervals (80 to 88, 78 to 86) overlap; the paired difference is what counts.
        (
            (0.02, 0.01, 0.03),
            ", 2 points more (90 % interval 1 to 3) than always picking the longer response (82 %)",
        ),
        ((0.02, -0.01, 0.05), "is not clear (+2 points, 90 % interval \u22121 to 5)."),
        ((0.02, 0.0, 0.05), "is not clear (+2 points, 90 % interval 0 to 5)."),
        ((-0.02, -0.05, 0.01), ", no more than always picking the longer response (82 %)."),
        ((None, None, None), "more (90 % interval 30 to 50) than always picking the side that"),
    ],
)
def test_a_gain_is_claimed_only_where_the_paired_difference_says_so(with_shared, gain, said):
    rows = [
        ("HMDR", 0.84, 0.80, 0.88),
        ("longer response", 0.82, 0.78, 0.86, *gain),
        ("majority", 0.4, 0.3, 0.5, 0.4, 0.3, 0.5),
    ]
    assert said in score_sentence(with_shared([1.0], [0.5], [1.5], scores=scores(rows)))


def test_the_score_stands_beside_the_best_null_baseline(with_shared):
    rows = [
        ("HMDR", 0.84, 0.80, 0.88),
        ("longer response", 0.54, 0.5, 0.58, 0.3, 0.24, 0.36),
        ("majority", 0.51, 0.47, 0.55, 0.33, 0.27, 0.39),
        ("pooled", 0.83, 0.8, 0.86, 0.01, -0.01, 0.03),  # knows the concepts, so it is no null
    ]
    # Two of the three domains have a score of their own; one has fewer verdicts than folds.
    found = scores(rows, ["domain 0", "domain 1", "(mean)", "(all pairs)"])
    explanation = with_shared([1.0], [0.5], [1.5], scores=found)
    said = (
        "The explanation predicts 84 % of verdicts on new prompts (mean of 2 domains, 90 % "
        "interval 80 to 88), 30 points more (90 % interval 24 to 36) than always picking the "
        "longer response (54 %)."
    )
    assert score_sentence(explanation) == said
    tied = dataclasses.replace(explanation, counts={"ties": 5})
    assert score_sentence(tied) == said.replace("verdicts", "verdicts that are not ties")


def test_without_scores_the_sentence_says_so(with_shared):
    explanation = with_shared([1.0], [0.5], [1.5], scores=scores([("HMDR", None, None, None)]))
    assert score_sentence(explanation) == (
        "How well this predicts new verdicts could not be estimated."
    )


def test_two_opposed_mechanisms_are_named(with_shared):
    likes = with_shared([1.0, 0.2], [0.6, -0.1], [1.4, 0.5])
    dislikes = dataclasses.replace(
        with_shared([-0.8, 0.2], [-1.2, -0.1], [-0.4, 0.5]), mechanism="skimmer"
    )
    found = summary_sentences([likes, dislikes])
    assert "checker rewards concept 0, while skimmer penalises it." in found
    assert "Nothing is supported that skimmer rewards everywhere." in found[0]


def test_many_mechanisms_are_summed_up(make):
    explanations, _ = make(n_mechanisms=9)
    first, second, *_ = summary_sentences(explanations)
    assert first.startswith("Counting only what is supported, the 9 mechanisms most")
    assert "median 80 %" in second
    assert second.endswith("lies above zero with its 90 % interval for all of them.")


def test_an_effect_limited_to_one_domain_is_said_to_be_there(with_shared):
    explanation = with_shared([0.0], [-0.2], [0.2])
    total = explanation.total
    for band, value in ((total.estimate, -1.0), (total.low, -1.3), (total.high, -0.7)):
        band[1, 0] = value
    assert mechanism_sentences(explanation)[0].startswith("Nothing was found")
    total.verdict[1, 0] = HERE
    assert [e.domain for e in domain_statements(explanation)] == ["domain 1"]
    first, _, within = mechanism_sentences(explanation)
    assert first == "Nothing is supported that checker rewards or penalises everywhere."
    assert within == (  # 100 tanh of half of 1, 0.7 and 1.3
        "In domain 1, one step more of concept 0 lowers the chance that checker prefers a response "
        "by 46 % (90 % interval 34 to 57); supported in this domain."
    )


def test_a_domain_that_follows_makes_no_statement_of_its_own(with_shared):
    explanation = with_shared([1.0], [0.5], [1.5])
    assert effects(explanation, domain="domain 1")[0].verdict == EVERYWHERE
    assert supported_effects(explanation, domain="domain 1") == []
    assert domain_statements(explanation) == []


def test_a_comparative_step_has_no_unit(with_shared):
    explanation = with_shared([0.4], [0.2], [1.0])
    matrix = dataclasses.replace(
        explanation.concepts, scales=("comp", "score"), step=np.array([np.nan, 1.0])
    )
    explanation = dataclasses.replace(explanation, concepts=matrix)
    assert step_words(explanation, 0) == "more of it than the other response"
    assert step_words(explanation, 1) == "1 words more"


@pytest.mark.parametrize(
    ("unit", "step", "text"),
    [
        ("words", 40.0, "40 words more"),
        ("per 100 words", 9.88, "9.9 per 100 words more"),
        ("share of lines", 0.988, "99 % of lines more"),
        ("1 = kept, 0 = broken", 1.48, "1.5 more, where 1 = kept, 0 = broken"),
        ("points, -2 to 2", 0.741, "0.74 points more (-2 to 2)"),
        ("", 1.5, "1.5 more"),
    ],
)
def test_steps_read_as_quantities(with_shared, unit, step, text):
    explanation = with_shared([0.4], [0.2], [1.0])
    concept = dataclasses.replace(explanation.concepts.concepts[0], unit=unit)
    matrix = dataclasses.replace(
        explanation.concepts,
        concepts=(concept, *explanation.concepts.concepts[1:]),
        step=np.array([step, 1.0]),
    )
    assert step_words(dataclasses.replace(explanation, concepts=matrix), 0) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12.4, "+12"), (-12.6, "−13"), (0.3, "+0.3"), (-0.04, "0"), (1234, "+1,234")],
)
def test_signed_numbers(value, text):
    assert signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.12"), (2.345, "2.3"), (41.2, "41"), (1234.0, "1,234")],
)
def test_quantities(value, text):
    assert quantity(value) == text


def test_lifts_and_intervals_as_words():
    # 100 tanh(w / 2) = 99.7 % at w = 6.5 and 99.99 % at w = 10.
    assert [lift_words(w) for w in (weight(6), weight(-36), 6.5, 10.0, -10.0, 0.0, np.nan)] == [
        *("+6", "−36", "+99.7", ">+99.9", "<−99.9", "0", "–"),
    ]
    assert interval_words(weight(-36), weight(97)) == "−36 to +97"
    assert size_interval(weight(-42), weight(-5)) == "5 to 42"
    assert size_interval(weight(5.1), weight(5.2)) == "5"


def test_lift_and_chance():
    # An even choice becomes sigmoid(beta); the lift is its relative change, to first order 50 beta.
    assert lift(np.log(3.0)) == pytest.approx(50.0)
    assert lift(-np.log(3.0)) == pytest.approx(-50.0)
    assert lift(1e-4) == pytest.approx(50e-4)
    assert lift(800.0) == 100.0
    assert chance(np.log(3.0)) == pytest.approx(75.0)
    assert chance(-np.log(3.0)) == pytest.approx(25.0)
    assert chance(-800.0) == 0.0
    assert chance(800.0) == 100.0


def test_listing():
    assert [listed(x) for x in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_no_explanation_has_a_sentence_too():
    assert summary_sentences([]) == ["No mechanism could be explained."]
