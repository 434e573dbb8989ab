"""Judge hack with a judge or a generator that fails, says nothing, or always says the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from palate.actions.hack import hack
from palate.actions.hack_result import Hack
from palate.actions.hack_tables import tables
from palate.actions.hack_text import sentences
from palate.data.preferences import Preferences
from palate.errors import DataError, OutputError, UnknownNameError
from palate.explanations.explanation import Explanation
from palate.llm.outcome import Answer, Failure, Outcome
from palate.llm.request import Request
from palate.mechanisms.style import JudgeStyle
from palate.report.hack_page import render_hack

from .hack_world import DOMAINS, Planted

Instead = Callable[[Request], Mapping[str, Any] | None]


class Bad(Planted):
    """Gives an answer of its own where there is one, fails where it is None."""

    def __init__(self, instead: Instead) -> None:
        super().__init__()
        self.instead = instead

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """One outcome per request."""
        right = super().ask(requests)
        given = [self.instead(r) for r in requests]
        return [
            Failure("declined", "no: thanks.") if value is None else Answer(value) if value else a
            for a, value in zip(right, given, strict=True)
        ]


def guided(request: Request) -> bool:
    """Whether the generator is told criteria."""
    return "Criteria: " in request.messages[0].text


NOTHING, RIGHT = None, dict[str, Any]()  # the planted answer in the place of RIGHT


@pytest.fixture
def run(explanation: Explanation, new: Preferences) -> Callable[..., Hack]:
    """A small hack."""

    def hacked(judge: Instead, generator: Instead, **options: Any) -> Hack:
        return hack(new, explanation, Bad(judge), Bad(generator), **{"n_prompts": 3, **options})

    return hacked


def right(request: Request) -> Mapping[str, Any]:
    """What is planted."""
    return RIGHT


def test_models_that_answer_nothing_end_the_run(run: Callable[..., Hack]) -> None:
    why = "the first question failed with declined: no: thanks.$"
    with pytest.raises(DataError, match=f"None of the 30 responses could be written; {why}"):
        run(right, lambda _: NOTHING)
    with pytest.raises(DataError, match=f"comparisons could be judged; {why}"):
        run(lambda _: NOTHING, right)


@pytest.mark.parametrize("text", ["", " \n\t\u3000", "\u200b\ufeff\u2060", "\x00\x1b"])
def test_what_nobody_can_see_is_no_response(run: Callable[..., Hack], text: str) -> None:
    found = run(right, lambda r: {"response": text} if guided(r) else RIGHT)
    assert found.counts["responses_failed"] == 18
    assert any("an empty response (18)" in note for note in found.notes)
    assert str(found).startswith("No response that follows the explanation of judge")
    for sentence in sentences(found):
        assert "–" not in sentence
        assert "in 0 of" not in sentence
    assert tables(found)
    assert "No response that follows" in render_hack(found)


def test_a_sign_without_words_is_a_response(run: Callable[..., Hack]) -> None:
    found = run(right, lambda r: {"response": "\U0001f44d"} if guided(r) else RIGHT)
    assert not found.counts["responses_failed"]


def test_equal_texts_are_not_what_chance_gives(run: Callable[..., Hack]) -> None:
    found = run(right, lambda _: {"response": "Always the same."})
    text = str(found)
    assert "What chance alone gives is not known: every second vanilla response equals" in text
    assert "is what chance alone gives" not in text
    notes = " ".join(found.notes)
    assert "The explained response equals the vanilla one on 6 of 6 prompts" in notes
    assert "explained response equals" not in " ".join(run(right, right).notes)


def test_too_few_prompts_of_a_domain_to_show_anything_are_told(run: Callable[..., Hack]) -> None:
    assert "no domain has the prompts that it takes to show it" in str(run(right, right))
    assert "it takes to show it" not in str(run(right, right, n_prompts=20))


def test_domains_with_the_same_guidance_share_a_row(run: Callable[..., Hack]) -> None:
    (guidance,) = [t for t in tables(run(right, right)) if t.caption.startswith("Concepts that")]
    assert [row[0] for row in guidance.rows] == ["all 2 domains"]


def test_counts_of_one_are_singular(run: Callable[..., Hack]) -> None:
    assert "over 2 prompts:" in str(run(right, right, n_prompts=1))
    assert "1 prompts" not in str(run(right, right, n_prompts=1))


def test_styles_by_domain_reach_the_judge(explanation: Explanation, new: Preferences) -> None:
    judge = Planted()
    style = {domain: JudgeStyle("cot", rubric=f"For the {domain}.") for domain in DOMAINS}
    found = hack(new, explanation, judge, Planted(), style=style, n_prompts=1)
    said = {line for r in judge.asked for line in r.messages[0].text.split("\n") if "> For" in line}
    assert said == {"> For the forest.", "> For the garden."}
    assert found.settings["mode"] == "cot"
    assert set(found.settings["standard"]) == set(DOMAINS)
    assert not any("Nothing says how the judge was asked" in note for note in found.notes)
    unknown = hack(new, explanation, Planted(), Planted(), n_prompts=1)
    assert "Nothing says how the judge was asked" in unknown.notes[0]
    del style["garden"]
    with pytest.raises(UnknownNameError, match="garden"):
        hack(new, explanation, judge, Planted(), style=style)


def test_a_file_in_the_place_of_the_folder_is_told(
    run: Callable[..., Hack], tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError, match=r"taken: the folder cannot be made"):
        run(right, right).save(tmp_path / "taken")
