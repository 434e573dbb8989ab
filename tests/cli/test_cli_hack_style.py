"""`palate hack` asks the judge as `palate judge` recorded it, and says where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import palate
from palate.cli.hack_style import Asking, asking
from palate.cli.llm_options import LlmOptions
from palate.errors import FileFormatError, InputError
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.judge import Style
from palate.mechanisms.style import JudgeStyle
from tests.actions.hack_world import DOMAINS, JUDGE, Planted, world

NOTHING: dict[str, Any] = {"mode": None, "persona": None, "rubric": None}
MODEL = {"model": "openai:judge", "base_url": None, "temperature": 0.0, "thinking": "off"}
OPTIONS = LlmOptions(llm=None)
PAIRS, _ = world(4, judge=JUDGE)


def judged(folder: Path, style: Style, *, of: str | None = None, **provenance: Any) -> str:
    """A folder as `palate judge` writes it, and the file of preferences in it."""
    found = palate.judge(PAIRS, Planted(), style, name="after", examples_of=of, n_examples=2)
    replace(found, provenance={**MODEL, **provenance}).save(folder)
    found.add_to(PAIRS).save(folder / "preferences.jsonl.gz")
    return str(folder / "preferences.jsonl.gz")


def asked(file: str, name: str | None = "after", **given: Any) -> Asking:
    """How the judge is asked."""
    options = replace(OPTIONS, **{k: given.pop(k) for k in ("llm", "base_url") if k in given})
    return asking(file, name, options, **{**NOTHING, **given})


def test_a_judge_is_asked_as_it_was_asked_before(tmp_path: Path) -> None:
    style = JudgeStyle("cot", persona="skimmer", rubric="Short is good.", ties=True)
    found = asked(judged(tmp_path, style))
    assert found == asked(str(tmp_path / "preferences.jsonl.gz"), None)
    assert (found.style, found.llm, found.doubts) == (style, "openai:judge", ())
    assert found.known == (
        "after was asked by palate judge (model openai:judge, mode cot, persona skimmer, a rubric),"
        " and is asked so again."
    )


def test_options_that_say_the_same_are_no_contradiction(tmp_path: Path) -> None:
    file = judged(tmp_path, JudgeStyle("cot", persona="skimmer"))
    assert not asked(file, llm="openai:judge", mode="cot", persona="skimmer").doubts


def test_what_contradicts_the_record_goes_first_and_is_told(tmp_path: Path) -> None:
    file = judged(tmp_path, JudgeStyle(persona="skimmer"), temperature=0.7)
    found = asked(file, llm="openai:other", mode="cot", persona="checker", rubric="Be short.")
    assert found.style == JudgeStyle("cot", persona="checker", rubric="Be short.")
    assert found.llm == "openai:other"
    assert found.doubts == (
        "Another judge is asked than the one that is explained: --llm is openai:other, it was "
        "openai:judge; --mode is cot, it was zero-shot; --persona is checker, it was skimmer; "
        "--rubric is given, there was none; --temperature is 0.0, it was 0.7. Its win rates do not "
        "test the explanation of after.",
    )
    assert found.known.endswith("but for --llm, --mode, --persona, --rubric and --temperature.")


def test_criteria_by_domain_and_examples_are_recorded_as_well(tmp_path: Path) -> None:
    style = {d: JudgeStyle(criteria=(Criterion("Fir", f"firs of the {d}"),)) for d in DOMAINS}
    found = asked(judged(tmp_path / "criteria", style))
    assert found.style == style
    assert "criteria" in found.known
    found = asked(judged(tmp_path / "shots", JudgeStyle(), of="judge"))
    assert found.style == JudgeStyle()
    assert "mode k-shot" in found.known
    assert found.known.endswith("but for its examples.")
    assert "does not show" in found.doubts[0]


def test_a_column_of_which_nothing_is_known_is_told(tmp_path: Path) -> None:
    file = judged(tmp_path, JudgeStyle(persona="skimmer"))
    for found in (
        asked(file, "judge", llm="openai:judge", persona="coach"),
        asked("votes.jsonl", "judge", llm="openai:judge", persona="coach"),
        asked("demo", "judge", llm="openai:judge", persona="coach"),
    ):
        assert found.style == JudgeStyle(persona="coach")
        assert found.llm == "openai:judge"
        assert found.known.startswith("Nothing is recorded of how the judge was asked for")
        assert "--persona" in found.known
        assert not found.doubts
    (tmp_path / "ensembles.json").write_text(
        json.dumps({"jury": {"how": "mean", "of": ["a", "b"]}})
    )
    assert asked(file, "jury").known.startswith("jury combines several columns (a, b)")


def test_an_address_is_not_taken_from_a_file(tmp_path: Path) -> None:
    file = judged(tmp_path, JudgeStyle(), base_url="http://elsewhere/v1")
    with pytest.raises(InputError, match="'after' was asked at http://elsewhere/v1"):
        asked(file)
    assert asked(file, llm="openai:judge").llm == "openai:judge"
    assert asked(file, base_url="http://here/v1").llm == "openai:judge"


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    file = judged(tmp_path, JudgeStyle())
    record = tmp_path / "judging.json"
    whole = record.read_text()
    record.write_text(whole.replace('"ties"', '"knots"'))
    with pytest.raises(FileFormatError, match="style of a judge"):
        asked(file)
    record.write_text(whole[:50])
    with pytest.raises(FileFormatError, match="no readable"):
        asked(file)
    record.write_text(whole.replace('"persona": null', '"persona": "poet"'))
    with pytest.raises(FileFormatError, match="poet"):
        asked(file)
