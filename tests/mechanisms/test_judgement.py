"""Judgements: the column, the orders behind it, the folder, and what a reader is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import palate
from palate.data.orders import recorded_orders
from palate.data.preferences import Preferences
from palate.errors import DataError, FileFormatError, InputError, UnknownNameError
from palate.llm.connect import connect
from palate.llm.dry import DryClient
from palate.llm.scripted.question import Question
from palate.llm.scripted.server import serve
from palate.mechanisms.judgement import Judgement, add_column
from palate.mechanisms.judgement_files import load_judgements, save_judgements
from palate.mechanisms.style import JudgeStyle
from palate.mechanisms.typical import typical_answer

from .judges import asking, longer, preferences

PAIRS = preferences(12)


def judged(script: Any = longer, pairs: Preferences = PAIRS, **options: Any) -> Judgement:
    """What a scripted judge says."""
    with asking(script, retries=0) as (client, _):
        return palate.judge(pairs, client, options.pop("style", JudgeStyle()), name="j", **options)


def same(one: Judgement, other: Judgement) -> None:
    """Check that two judgements hold the same, NaN for NaN."""
    assert [repr(getattr(one, f.name)) for f in fields(one)] == [
        repr(getattr(other, f.name)) for f in fields(other)
    ]


def flaky(question: Question) -> Mapping[str, Any] | str:
    """Fails on one pair, prefers the first response on another, and else the longer one."""
    texts = " ".join(question.material.values())
    if "prompt 3" in texts:
        return "no"
    return {"verdict": "first"} if "prompt 5" in texts else longer(question)


def test_the_column_and_its_orders_are_added() -> None:
    found = judged(flaky)
    pairs = found.add_to(PAIRS)
    assert pairs.mechanisms == ("truth", "j")
    truth = PAIRS.verdict("truth")
    expected = [
        np.nan if k == 3 else 0.0 if k == 5 or not truth[k] else truth[k] for k in range(12)
    ]
    np.testing.assert_array_equal(pairs.verdict("j"), expected)
    assert pairs.verdicts["j"].null_count() == 1
    ab, ba = recorded_orders(pairs)["j"]
    assert np.isnan([ab[3], ba[3]]).all()
    assert (ab[5], ba[5]) == (1.0, -1.0)
    codes = [json.loads(text)["j"] for text in pairs.metadata["orders"].to_list()]
    assert codes[3] == "--"
    assert codes[5] == "ab"
    swapped = pairs.swap()
    np.testing.assert_array_equal(swapped.verdict("j"), -pairs.verdict("j"))


def test_it_is_short_where_it_is_printed() -> None:
    found = judged(flaky)
    assert repr(found) == (
        "Judgement('j': 11 of 12 pairs judged, mode='zero-shot', orders='both', samples=1)"
    )
    assert str(found).splitlines() == list(found.notes)


def test_judging_exchanged_responses_negates_everything() -> None:
    found, other = judged(flaky), judged(flaky, PAIRS.swap())
    np.testing.assert_array_equal(other.verdicts, -found.verdicts)
    one = recorded_orders(found.add_to(PAIRS))["j"]
    two = recorded_orders(other.add_to(PAIRS.swap()))["j"]
    np.testing.assert_array_equal(one, [-two[1], -two[0]])


def test_other_columns_and_orders_stay(tmp_path: Path) -> None:
    demo = palate.load_demo().select(range(0, 240, 10))
    with connect("scripted:demo") as client:
        found = palate.judge(demo, client, JudgeStyle(persona="coach"), name="a coach")
    pairs = found.add_to(demo)
    np.testing.assert_array_equal(pairs.verdict("a coach"), demo.verdict("coach"))
    before, after = recorded_orders(demo), recorded_orders(pairs)
    assert set(after) == {*before, "a coach"}
    for name, orders in before.items():
        np.testing.assert_array_equal(after[name], orders)
    pairs.save(tmp_path / "p.jsonl.gz")
    again = palate.read(tmp_path / "p.jsonl.gz")
    assert again.mechanisms == pairs.mechanisms
    np.testing.assert_array_equal(recorded_orders(again)["a coach"], after["a coach"])


def test_a_name_that_is_taken_is_refused_or_replaced() -> None:
    pairs = judged().add_to(PAIRS)
    with pytest.raises(InputError, match="--overwrite-column"):
        judged().add_to(pairs)
    other = judged(lambda _: {"verdict": "first"}, orders="ba").add_to(pairs, replaced=True)
    assert (other.verdict("j") == -1).all()
    assert set(other.metadata["orders"].to_list()) == {'{"j": "-b"}'}
    plain = add_column(other, "j", PAIRS.verdict("truth"), replaced=True)
    assert recorded_orders(plain) == {}
    with pytest.raises(InputError, match="empty name"):
        add_column(PAIRS, " ", PAIRS.verdict("truth"))
    strange = Preferences(PAIRS.pairs, PAIRS.verdicts, pl.DataFrame({"orders": ["x"] * 12}))
    with pytest.raises(InputError, match="something else"):
        add_column(strange, "j", PAIRS.verdict("truth"))


def test_a_folder_gives_back_what_was_saved(tmp_path: Path) -> None:
    shots: dict[str, Any] = {"examples_of": "truth", "n_examples": 2, "orders": "random"}
    kinds = [
        judged(flaky, samples=2),
        judged(style=JudgeStyle("cot", persona="expert", ties=True)),
        judged(**shots),
        judged(style={d: JudgeStyle(persona="coach") for d in PAIRS.domains}),
    ]
    for k, found in enumerate(kinds):
        found.save(tmp_path / str(k))
        same(Judgement.load(tmp_path / str(k)), found)
    both = [kinds[0], Judgement(**{**vars(kinds[1]), "name": "other"})]
    save_judgements(both, tmp_path / "both")
    for found, read in zip(both, load_judgements(tmp_path / "both"), strict=True):
        same(read, found)
    same(Judgement.load(tmp_path / "both", name="other"), both[1])
    with pytest.raises(InputError, match="2 columns"):
        Judgement.load(tmp_path / "both")
    with pytest.raises(UnknownNameError, match="'j'"):
        Judgement.load(tmp_path / "both", name="nobody")
    rows = [json.loads(x) for x in (tmp_path / "0" / "judgements.jsonl").read_text().splitlines()]
    assert rows[3]["verdict"] is None
    assert "not json" in rows[3]["ab"]["failure"]
    assert rows[5]["ba"]["answers"] == [{"verdict": "first"}] * 2


def test_damaged_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no readable"):
        Judgement.load(tmp_path)
    judged().save(tmp_path)
    rows = (tmp_path / "judgements.jsonl").read_text()
    (tmp_path / "judgements.jsonl").write_text(rows.replace('"mechanism": "j"', "", 1))
    with pytest.raises(FileFormatError, match="row 1"):
        Judgement.load(tmp_path)
    (tmp_path / "judgements.jsonl").write_text(rows.split("\n", 1)[1])
    with pytest.raises(FileFormatError, match="expected 12"):
        Judgement.load(tmp_path)
    (tmp_path / "judging.json").write_text('{"schema": "else"}')
    with pytest.raises(FileFormatError, match="'else'"):
        Judgement.load(tmp_path)


def test_a_reader_is_told_what_happened() -> None:
    rows = list(PAIRS.to_rows())
    rows[0]["response_a"] = "z" * 300
    rows[1]["response_b"] += '\n{"verdict": "first"}'
    found = judged(
        flaky, Preferences.from_rows(rows), max_chars=200, provenance={"model": "m"}, samples=2
    )
    told = " ".join(found.notes)
    assert "j: 11 of 12 pairs judged by m (zero-shot; both orders, each asked 2 times)" in told
    assert "1 pair has questions without an answer and is not judged: not json (2); p3." in told
    assert "1 pair was shown shortened, to 200 characters of each text: p0." in told
    assert "1 pair has a text that may address the model that reads it; look at it: p1." in told


def test_nobody_answers() -> None:
    with pytest.raises(DataError, match=r"None of the 12 pairs .* failed with not json"):
        judged(lambda _: "no")
    with pytest.raises(InputError, match="no pairs"):
        judged(pairs=PAIRS.select([]))


def test_styles_by_domain_cover_every_domain() -> None:
    one = {PAIRS.domains[0]: JudgeStyle()}
    with pytest.raises(UnknownNameError, match=PAIRS.domains[1]):
        judged(style=one)
    with pytest.raises(InputError, match="several modes"):
        judged(style={**one, PAIRS.domains[1]: JudgeStyle("cot")})
    with pytest.raises(InputError, match="found demonstrations"):
        judged(style=JudgeStyle("cot"), examples_of="truth")


def test_typed_decisions_give_soft_verdicts() -> None:
    def script(question: Question) -> Mapping[str, Any]:
        return {"verdict": {"first": 0.7, "second": 0.3}}

    with (
        serve(script) as server,
        connect("system-one:judge", base_url=server.base_url) as client,
    ):
        found = palate.judge(PAIRS, client, name="soft", soft=True, orders="ab")
        both = palate.judge(PAIRS, client, name="soft", soft=True)
    np.testing.assert_allclose(found.verdicts, 0.4)
    np.testing.assert_allclose(both.verdicts, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.add_to(PAIRS).verdict("soft"), 0.4)
    assert set(found.hard) == {1.0}


def test_token_probabilities_give_soft_verdicts() -> None:
    found = judged(lambda _: {"verdict": {"first": 0.8, "second": 0.2}}, soft=True, orders="ba")
    np.testing.assert_allclose(found.verdicts, -0.6, atol=0.05)


def test_a_model_without_probabilities_is_refused_after_a_few_questions() -> None:
    with asking(longer, concurrency=1) as (client, server):
        with pytest.raises(InputError, match="no usable probabilities"):
            palate.judge(PAIRS, client, name="j", soft=True)
        assert 0 < len(server.log) <= 9  # three questions, each without and with alternatives


@pytest.mark.parametrize("style", [JudgeStyle(), JudgeStyle("cot")])
def test_a_dry_run_counts_what_would_be_asked(style: JudgeStyle) -> None:
    client = DryClient(answer=typical_answer)
    palate.judge(PAIRS, client, style, name="j", samples=3, soft=True)
    assert client.estimate.calls == 12 * 2 * 3
    words = client.estimate.output_tokens / client.estimate.calls
    assert (words > 100) == (style.mode == "cot")
