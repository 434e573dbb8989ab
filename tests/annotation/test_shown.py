"""How a pair is shown: order, truncation, characters that cannot be sent."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.concepts.annotation.rounds import rounds_of
from palate.concepts.annotation.second_order import audited
from palate.data.shown import b_first, clean, may_cut, shorten, show

# one visible character each, written in several code points
WHOLE = [
    "e\u0301",  # e and an accent
    "\U0001f44d\U0001f3fd",  # thumb, skin colour
    "\U0001f469\u200d\U0001f4bb",  # woman, joiner, computer
    "\U0001f1e8\U0001f1ed",  # a flag of two letters
    "\u1100\u1161\u11a8",  # a Hangul syllable in three letters
    "\u0915\u094d\u0937",  # Devanagari, joined by a virama
    "\u2764\ufe0f",  # heart, as a picture
    "\u0e01\u0e49",  # Thai letter with a tone
    "\r\n",
]


@pytest.mark.parametrize("whole", WHOLE, ids=[w.encode("unicode_escape").decode() for w in WHOLE])
def test_a_cut_never_breaks_a_character(whole: str) -> None:
    text = "x" * 3 + whole * 30 + "y" * 3
    for limit in range(8, len(text)):
        short, left_out = shorten(text, limit)
        head, _, rest = short.partition("\n[... ")
        tail = rest.partition(" left out ...]\n")[2]
        assert len(head) + len(tail) + left_out == len(text)
        assert head in [text[:3][:k] for k in range(4)] or head == text[:3] + whole * (
            (len(head) - 3) // len(whole)
        )
        assert (len(tail) - 3) % len(whole) == 0 or len(tail) <= 3


def test_flags_in_a_row_are_cut_between_flags_only() -> None:
    text = "\U0001f1e8\U0001f1ed" * 4
    assert [may_cut(text, k) for k in range(9)] == [k % 2 == 0 for k in range(9)]


@given(st.text(max_size=300), st.integers(0, 120))
def test_truncation_keeps_head_and_tail_and_says_how_much_is_gone(text: str, limit: int) -> None:
    short, left_out = shorten(text, limit)
    if len(text) <= limit:
        assert (short, left_out) == (text, 0)
        return
    marker = f"\n[... {left_out:,} characters left out ...]\n"
    at = short.index(marker) if short.count(marker) == 1 else short.rindex(marker, 0, limit + 60)
    head, tail = short[:at], short[at + len(marker) :]
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + len(tail) + left_out == len(text)
    assert len(head) + len(tail) <= limit
    if tail:
        assert not unicodedata.category(tail[0]).startswith("M")


def test_both_responses_and_the_prompt_have_the_same_limit() -> None:
    shown = show("p", "q" * 500, "a" * 2000, "b" * 900, max_chars=300)
    assert shown.cut == ("prompt", "response_a", "response_b")
    assert shown.a.startswith("a" * 200 + "\n[... 1,700 characters left out ...]\n" + "a" * 100)
    assert shown.b == "b" * 200 + "\n[... 600 characters left out ...]\n" + "b" * 100
    assert show("p", "q", "a" * 301, "b" * 300, max_chars=300).cut == ("response_a",)


def test_what_cannot_be_sent_is_replaced_and_counted() -> None:
    assert clean("a\x00b\ud800c") == ("a\ufffdb\ufffdc", 2)
    assert clean("\ud83d\ude00 is one character in two halves")[0].startswith("\U0001f600")
    assert clean("plain, \u202e and \x1b") == ("plain, \u202e and \x1b", 0)
    assert show("p", "\x00", "\x00\x00", "\udc00").cleaned == 4


@given(st.text())
def test_what_is_sent_can_be_encoded(text: str) -> None:
    for given_text in (text, text + "\ud800", "\udfff\ud83d" + text):
        sent, _ = clean(given_text)
        sent.encode("utf-8")
        assert "\x00" not in sent


def test_order_depends_on_id_and_seed_alone_and_is_balanced() -> None:
    ids = [f"pair {i}" for i in range(4000)]
    first = [b_first(x, 0) for x in ids]
    assert [b_first(x, 0) for x in reversed(ids)] == first[::-1]
    assert abs(sum(first) / 4000 - 0.5) < 0.04  # 5 standard errors
    assert sum(a != b_first(x, 1) for a, x in zip(first, ids, strict=True)) > 1000


def test_rounds_and_audit_follow_the_pair_wherever_its_row_is() -> None:
    ids = [f"p{i}" for i in range(90)]
    domains = [f"d{i % 3}" for i in range(90)]
    rounds = rounds_of(ids, domains, (0.2, 0.3), seed=4)
    assert [r.size for r in rounds] == [18, 27, 45]
    assert all(sum(domains[i] == "d1" for i in r) == r.size / 3 for r in rounds)
    turned = rounds_of(ids[::-1], domains[::-1], (0.2, 0.3), seed=4)
    assert [{ids[i] for i in r} for r in rounds] == [{ids[::-1][i] for i in r} for r in turned]
    chosen = audited(ids, domains, share=0.1, at_least=30, seed=4)
    again = audited(ids[::-1], domains[::-1], share=0.1, at_least=30, seed=4)
    assert chosen.sum() == 30
    assert chosen.tolist() == again[::-1].tolist()
    assert audited(ids, domains, share=0.0, at_least=0, seed=4).sum() == 0
    assert audited(ids[:7], domains[:7], share=0.1, at_least=30, seed=4).all()
