"""The page of broken ties: complete in itself, hostile names are text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from actions.ties_world import tied_world

from palate.actions.ties import break_ties
from palate.actions.ties_result import TieBreaks
from palate.report.ties_page import render_ties

EVIL = "<script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def found() -> TieBreaks:
    preferences, concepts = tied_world(80, seed=6)
    return break_ties(preferences, "judge", concepts, reference="people", by="weight")


def test_the_page_says_what_was_found(found: TieBreaks) -> None:
    page = render_ties(found, notes=("A note.",), run={"arguments": {"seed": 0}})
    for words in ("The ties of judge", "A note.", "ties left", "By domain", "Concepts that decide"):
        assert words in page
    for row in found.strategies.to_dicts():
        assert f"<b>{100 * row['accuracy']:.1f}</b>" in page
    assert "<b>own</b>, <bdi>what judge itself rewards</bdi>" in page
    assert page.count("corrected (Holm)") == 1
    assert page.count("<script") == 0
    assert "http:" not in page
    assert "https:" not in page


def test_names_of_strangers_are_text(found: TieBreaks) -> None:
    page = render_ties(replace(found, judge=EVIL, reference=EVIL, notes=(EVIL,)))
    assert "<script" not in page
    assert "\u202e" not in page


def test_without_a_reference_it_shows_how_many_were_broken() -> None:
    preferences, concepts = tied_world(80, seed=6)
    page = render_ties(break_ties(preferences, "judge", concepts))
    assert "nobody knows how many rightly" in page
    assert "Breaking only the surest" not in page
