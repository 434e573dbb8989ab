"""Structure and tone: openings, conclusions, formality, sentiment, technical words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.concepts.measured import structure, tone, tone_words
from palate.concepts.measured.lexicon import wordlist
from palate.concepts.measured.text import Text
from tests.growth import assert_within

STRUCTURE = [concept.name for concept in structure.CONCEPTS]
TONE = [concept.name for concept in tone.CONCEPTS]
EMPTY = Text("")


def of_structure(name: str, response: str, prompt: str = "") -> float:
    return structure.measure(Text(response), Text(prompt))[STRUCTURE.index(name)]


def of_tone(name: str, response: str) -> float:
    return tone.measure(Text(response), EMPTY)[TONE.index(name)]


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("Sure! Use less salt.", 1.0),
        ("Great question! It depends.", 1.0),
        ("Here are three ideas:\n\n- Walk\n- Swim", 1.0),
        ("I’d be happy to help. Use less salt.", 1.0),
        ("Use less salt.", 0.0),
        ("The sea is blue because of scattering.", 0.0),
        ("", 0.0),
    ],
)
def test_lead_ins_are_seen(response: str, value: float) -> None:
    assert of_structure("Lead-in before the answer", response) == value


def test_restating_the_question_is_the_share_of_its_long_words_in_the_first_sentence() -> None:
    prompt = "Why does bread rise in the oven?"
    # words of five letters and more: bread is one of bread, rises, because, yeast
    answer = "Your bread rises because of yeast. More follows."
    assert of_structure("Restates the question", answer, prompt) == 25.0
    assert of_structure("Restates the question", "Yeast makes gas.", prompt) == 0.0


def test_an_answer_that_comes_first_scores_above_one_that_is_led_up_to() -> None:
    direct = [
        "No, two-pin chargers fit.",
        "Salt them the day before.",
        "Take the train.",
    ]
    led_up_to = [
        "When salt lands on meat, osmosis first draws moisture to the surface, where it stays.",
        "What a trip for you both!",
        "Sure, here is what you asked for:",
    ]
    highest = max(of_structure("Opens with the answer", text) for text in led_up_to)
    assert all(of_structure("Opens with the answer", text) > highest for text in direct)


def test_a_late_conclusion_is_where_it_stands() -> None:
    text = "Salt draws water. Heat dries it. So salt it the day before."
    assert of_structure("Concludes late", text) == 100.0
    assert of_structure("Concludes late", "Salt draws water. Heat dries it.") == 0.0
    assert of_structure("Concludes late", "So it is.") == 0.0  # the first sentence is no end


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("Salt helps.\n\nIn summary, use salt.", 1.0),
        ("Salt helps.\n\n**Overall**, use salt.", 1.0),
        ("Salt helps.\n\nHeat dries.\n\n## Conclusion\n\nUse salt.", 1.0),
        ("Salt helps. Heat dries. Overall, use salt.", 1.0),
        ("Overall, salt helps. Heat dries. Use it.", 0.0),
        ("Salt helps.\n\nUse it.", 0.0),
    ],
)
def test_summaries_at_the_end_are_seen(response: str, value: float) -> None:
    assert of_structure("Summary at the end", response) == value


def test_formal_wording_scores_above_colloquial_wording() -> None:
    formal = "One should therefore retain sufficient documentation prior to commencing."
    colloquial = "Yeah, just grab a bit of that stuff, it's no big deal, mate."
    assert of_tone("Formality", formal) > 10
    assert of_tone("Formality", colloquial) < -10


def test_contractions_are_a_rate_per_100_words() -> None:
    assert of_tone("Contractions", "I don't know and you can’t tell.") == pytest.approx(200 / 7)
    assert of_tone("Contractions", "I do not know.") == 0.0
    assert of_tone("Contractions", "Anna's dog and my sister's cat.") == 0.0


def test_sentiment_is_good_words_minus_bad_words() -> None:
    assert of_tone("Sentiment", "What a lovely, wonderful day") == 40.0
    assert of_tone("Sentiment", "What a terrible, awful day") == -40.0
    assert of_tone("Sentiment", "A lovely day, an awful night") == 0.0
    assert of_tone("Words of feeling", "A lovely day, an awful night") == pytest.approx(200 / 6)


def test_technical_words_are_long_with_a_learned_ending() -> None:
    technical = ["oxidation", "statutory", "vestibular", "withdrawals", "sensitisation"]
    everyday = ["children", "breakfast", "something", "different", "potatoes", "wonderful"]
    assert [w for w in technical if tone.is_technical(w)] == [
        "oxidation", "statutory", "vestibular", "sensitisation",
    ]  # fmt: skip
    assert not any(map(tone.is_technical, everyday))
    assert not tone.is_technical("a" * 5000 + "tion")


def test_lists_do_not_contradict_each_other() -> None:
    assert not wordlist(tone_words.GOOD) & wordlist(tone_words.BAD)
    assert not wordlist(tone_words.FORMAL) & wordlist(tone_words.INFORMAL)
    every = tone_words.GOOD + tone_words.BAD + tone_words.FORMAL + tone_words.INFORMAL
    assert every == every.lower()
    assert all(len(word) >= 4 for word in tone_words.PLAIN_LONG)


@given(st.text(max_size=300), st.text(max_size=100))
def test_any_text_gives_finite_values(response: str, prompt: str) -> None:
    values = structure.measure(Text(response), Text(prompt)) + tone.measure(Text(response), EMPTY)
    assert all(abs(value) < 1e6 for value in values)


@pytest.mark.parametrize("piece", ["sure ", "So ", "so. ", "!", "in summary\n\n", "**", "a-", "’"])
def test_time_is_linear_in_hostile_text(piece: str) -> None:
    def measure() -> None:
        text = Text(piece * (300_000 // len(piece)))
        structure.measure(text, EMPTY)
        tone.measure(text, EMPTY)

    assert_within(5.0, measure)
