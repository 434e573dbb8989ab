"""Relation to the prompt (language, overlap, copying) and code that can be read."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.concepts.measured import code, languages, relation
from palate.concepts.measured.text import Text
from tests.growth import assert_within

LANGUAGE, OVERLAP, COPIED = range(3)

# Written for this test; each says what the others say.
SENTENCES = {
    "en": "I would like to know how to make a good cheese sauce without lumps for tonight.",
    "fr": "Je voudrais savoir comment préparer une bonne sauce au fromage sans grumeaux ce soir.",
    "de": "Ich möchte wissen, wie man eine gute Käsesoße ohne Klümpchen für heute zubereitet.",
    "es": "Quiero saber cómo preparar una buena salsa de queso sin grumos para esta noche.",
    "it": "Vorrei sapere come si prepara una buona salsa al formaggio senza grumi per questa sera.",
    "pt": "Eu gostaria de saber como preparar um bom molho de queijo sem grumos para esta noite.",
    "nl": "Ik wil graag weten hoe je een goede kaassaus zonder klontjes maakt voor vanavond.",
    "sv": "Jag vill veta hur man gör en god ostsås och varför den inte blir slät.",
    "pl": "Chciałbym wiedzieć, jak przygotować dobry sos serowy, bo nie wiem co się z nim dzieje.",
    "tr": "Bu akşam için iyi bir peynir sosu nasıl yapılır bilmek istiyorum ve çok heyecanlıyım.",
    "ru": "Я хочу узнать, как приготовить хороший сырный соус без комочков на сегодня.",
    "uk": "Я хочу дізнатися, як приготувати добрий сирний соус без грудочок для цього вечора.",
    "el": "Θέλω να μάθω πώς να φτιάξω μια καλή σάλτσα τυριού για απόψε.",
    "he": "אני רוצה לדעת איך להכין רוטב גבינה טוב להערב.",
    "ar": "أريد أن أعرف كيف أحضر صلصة الجبن لهذا المساء",
    "hi": "मैं जानना चाहता हूँ कि आज रात के लिए पनीर सॉस कैसे बनाएं।",
    "th": "ฉันอยากรู้วิธีทำซอสชีสที่ดีสำหรับคืนนี้",
    "zh": "请告诉我今晚怎么做没有结块的奶酪酱。",
    "ja": "今夜のためにチーズソースの作り方を教えてください。",
    "ko": "오늘 밤 치즈 소스를 만드는 방법을 알려주세요.",
}


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_languages_are_told_apart(language: str) -> None:
    assert languages.detect(Text(SENTENCES[language])) == language


@pytest.mark.parametrize("text", ["", "42", "x + y = 4z, x*y", "A, B, C, D, E", "🙂🙂🙂"])
def test_what_is_no_language_has_none(text: str) -> None:
    assert languages.detect(Text(text)) == ""


@pytest.mark.parametrize(
    ("prompt", "response", "kept"),
    [
        (SENTENCES["en"], SENTENCES["en"], 1.0),
        (SENTENCES["en"], SENTENCES["fr"], 0.0),
        (SENTENCES["fr"], SENTENCES["fr"], 1.0),
        (SENTENCES["fr"], SENTENCES["en"], 0.0),
        (SENTENCES["en"], "42", 1.0),
        ("Explain how rain forms. Please answer in French.", SENTENCES["fr"], 1.0),
        ("Explain how rain forms. Please answer in French.", SENTENCES["en"], 0.0),
        ("Translate this sentence into German: I am very hungry.", SENTENCES["de"], 1.0),
        ("Translate this sentence: I am very hungry.", SENTENCES["de"], 0.0),
        ("42", SENTENCES["de"], 0.0),
    ],
)
def test_the_language_asked_for_is_kept(prompt: str, response: str, kept: float) -> None:
    assert relation.measure(Text(response), Text(prompt))[LANGUAGE] == kept


def test_a_prompt_whose_language_is_open_does_not_count() -> None:
    prompt = Text("Translate this sentence: I am very hungry and would like to eat.")
    assert relation.asked_language(prompt) == ""


def test_overlap_is_the_share_of_the_prompts_content_words() -> None:
    prompt = Text("How do I rescue a salty curry without cream?")
    # content words: rescue, salty, curry, cream (without, how, do, I, a are common words)
    answer = Text("Curries can be rescued: add cream. A salty one needs potatoes.")
    assert relation.measure(answer, prompt)[OVERLAP] == pytest.approx(75.0)
    assert relation.measure(Text("Add potatoes."), prompt)[OVERLAP] == 0.0
    assert relation.measure(Text("Add potatoes."), Text(""))[OVERLAP] == 0.0


def test_copying_is_the_share_of_runs_of_four_words() -> None:
    prompt = Text("The quick brown fox jumps over the lazy dog.")
    assert relation.measure(Text(prompt.raw), prompt)[COPIED] == 100.0
    # runs: "quick brown fox jumps", "brown fox jumps high", "fox jumps high today"
    answer = Text("Quick brown fox jumps high today.")
    assert relation.measure(answer, prompt)[COPIED] == pytest.approx(100 / 3)
    assert relation.measure(Text("Foxes jump."), prompt)[COPIED] == 0.0


# -- code ---------------------------------------------------------------------------------------


def broken(response: str) -> tuple[float, ...]:
    return code.measure(Text(response), Text(""))


@pytest.mark.parametrize(
    ("source", "parses"),
    [
        ("def f(x):\n    return x", True),
        ("    x = 1\n    y = 2", True),
        (">>> x = 1\n>>> x\n1", True),
        ("print 'hello'", False),
        ("def f(x)\n    return x", False),
        ("x = '\\d'", True),
        ("", True),
        ("a\x00b", False),
        ("(" * 5_000, False),
        ("-" * 15_000 + "1", False),
        ("x" + ".y" * 9_000, False),
        ("[" * 90 + "]" * 90, True),
    ],
)
def test_python_is_parsed_by_its_grammar(source: str, parses: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = code.python_parses(source)
    if len(source) < 4_000:  # how deep is too deep depends on the version of Python
        assert found == parses


@pytest.mark.parametrize(
    ("language", "source", "whole"),
    [
        ("javascript", "function f(a) { return [a, (a)]; }", True),
        ("javascript", "function f(a) { return [a; }", False),
        ("javascript", "let s = '(((' + \"[[\" + `{{`; // )))", True),
        ("c", "int main(void) { /* ((( */ return 0; }", True),
        ("c", "for (;;i--) { }", True),
        ("rust", "fn f<'a>(x: &'a str) -> &'a str { x }", True),
        ("sql", "SELECT f(a) -- :( sad\nFROM t", True),
        ("css", "#main { color: red; }", True),
        ("java", "class A { void f() { }", False),
        ("json", '{"a": [1, 2]}', True),
        ("json", '{"a": [1, 2}', False),
        ("text", "((((", True),
        ("bash", "case $x in a) echo;; esac", True),
    ],
)
def test_other_code_must_balance_its_brackets(language: str, source: str, whole: bool) -> None:
    assert code.parses(language, source) == whole


def test_broken_blocks_are_counted() -> None:
    good = "```python\nx = 1\n```"
    bad = "```python\nx = = 1\n```"
    assert broken("No code.") == (0.0, 0.0)
    assert broken(f"{good}\n\n{bad}\n\n{bad}") == (2.0, 0.0)
    assert broken("```\nx = = 1\n```") == (0.0, 0.0)  # without a label anything goes


@pytest.mark.parametrize(
    ("text", "unclosed"),
    [
        ("```python\nx = 1", True),
        ("```python\nx = 1\n```", False),
        ("~~~\nx\n~~~\n\n```\ny", True),
        ("````\n```\n````", False),
        ("Use ``` to open a block.", False),
    ],
)
def test_fences_left_open_are_seen(text: str, unclosed: bool) -> None:
    assert code.unclosed_fence(text) == unclosed


ALPHABET = st.sampled_from([*"()[]{}\"'`\\/#*-\n \tax:", "/*", "*/", "//", "```", "~~~", "é"])


@given(
    st.lists(ALPHABET, max_size=200).map("".join), st.sampled_from(["python", "js", "json", "sql"])
)
def test_any_code_gives_a_verdict(source: str, language: str) -> None:
    assert code.parses(language, source) in (True, False)
    assert code.measure(Text(f"```{language}\n{source}\n```\n{source}"), Text(""))[0] >= 0
    relation.measure(Text(source), Text(source))


@pytest.mark.parametrize(
    "piece",
    ['"', '\\"', "/*", "'", "`", "(", "x=(", "```\n", "~~~a\n", "a b c d ", "in french ", "é "],
)
def test_time_is_linear_in_hostile_text(piece: str) -> None:
    text = piece * (100_000 // len(piece))

    def measure() -> None:
        code.balanced(text)
        code.unclosed_fence(text)
        code.measure(Text("```js\n" + text + "\n```"), Text(""))
        relation.measure(Text(text), Text(text))

    assert_within(5.0, measure)
