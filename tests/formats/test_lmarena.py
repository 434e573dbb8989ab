"""LMArena votes, in the layouts of its published sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import palate
from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.errors import RowError


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def typed(message: dict[str, Any]) -> dict[str, Any]:
    """A message as the 140k set has it: a list of typed parts."""
    part = {"type": "text", "text": message["content"], "image": None, "mimeType": None}
    return {"role": message["role"], "content": [part]}


def vote(i: int, winner: str, **more: Any) -> dict[str, Any]:
    """A row of the 140k set."""
    a, b = (
        [user(f"question {i}"), assistant(f"left {i}")],
        [user(f"question {i}"), assistant(f"right {i}")],
    )
    return {
        "id": f"v{i}",
        "model_a": "m1",
        "model_b": "m2",
        "winner": winner,
        "evaluation_session_id": f"s{i // 2}",
        "evaluation_order": i % 2 + 1,
        "conversation_a": [typed(m) for m in a],
        "conversation_b": [typed(m) for m in b],
        "full_conversation": [{"user": typed(a[0]), "model_side_a": typed(a[1])}],
        "conv_metadata": {"sum_assistant_a_tokens": 3, "bold_count_a": {"**": 0}},
        "category_tag": {
            "creative_writing_v0.1": {"creative_writing": i == 1, "score": "no"},
            "criteria_v0.1": {"complexity": True, "specificity": False},
            "if_v0.1": {"if": False, "score": 1},
            "math_v0.1": {"math": i < 2},
        },
        "language": "en" if i else "pl",
        "is_code": i == 3,
        **more,
    }


VOTES = [
    vote(0, "model_a"), vote(1, "model_b"), vote(2, "tie"), vote(3, "both_bad"),
]  # fmt: skip


@pytest.fixture(params=["jsonl", "parquet", "json"])
def votes(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Four votes, in each layout."""
    path = tmp_path / f"votes.{request.param}"
    if request.param == "parquet":
        pl.DataFrame(VOTES).write_parquet(path)
    elif request.param == "json":
        path.write_text(json.dumps(VOTES))
    else:
        path.write_text("".join(json.dumps(v) + "\n" for v in VOTES))
    return path


def test_the_layout_of_the_140k_set(votes: Path) -> None:
    found = palate.read(votes)
    assert found.provenance["format"] == "lmarena"
    assert found.mechanisms == ("human",)
    assert found.verdicts["human"].to_list() == [1, -1, 0, 0]
    assert found.ids == ["v0", "v1", "v2", "v3"]
    pair = found.pairs.row(1, named=True)
    assert (pair["prompt"], pair["response_a"], pair["response_b"]) == (
        "question 1", "left 1", "right 1",
    )  # fmt: skip
    assert found.domains == ("all",)
    meta = [row["meta"] for row in found.to_rows()]
    assert [m.get("winner") for m in meta] == [None, None, None, "both_bad"]
    assert (meta[0]["model_a"], meta[0]["model_b"]) == ("m1", "m2")
    assert "full_conversation" not in meta[0]  # the same text once more


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("category_tag", ["math", "creative_writing+math", "other", "other"]),
        ("language", ["pl", "en", "en", "en"]),
        ("is_code", ["false", "false", "false", "true"]),
    ],
)
def test_domains_by_column(votes: Path, column: str, expected: list[str]) -> None:
    assert palate.read(votes, domain_column=column).pairs["domain"].to_list() == expected


def test_sessions_are_offered_as_clusters(votes: Path) -> None:
    found = palate.read(votes)
    column = found.provenance["cluster_column"]
    same_session = groups(found, cluster_column=column)
    assert same_session[0] == same_session[1] != same_session[2] == same_session[3]


def lines(tmp_path: Path, *rows: dict[str, Any]) -> Preferences:
    path = tmp_path / "v.jsonl"
    path.write_text("".join(json.dumps(v) + "\n" for v in rows))
    return palate.read(path)


def older(judge: str, winner: str, a: Any, b: Any, **more: Any) -> dict[str, Any]:
    """A row of the 33k set or of the judgments of MT-bench."""
    return {"question_id": "q", "model_a": "m1", "model_b": "m2", "winner": winner} | {
        "judge": judge, "conversation_a": a, "conversation_b": b, "language": "English", **more
    }  # fmt: skip


def test_older_sets_and_their_judges(tmp_path: Path) -> None:
    a, b = [user("q"), assistant("x")], [user("q"), assistant("y")]
    found = lines(
        tmp_path,
        older("arena_user_973", "tie (bothbad)", a, b),
        older("expert_2", "model_a", a, b),
        older("gpt4_pair", "model_b", a, b),
    )
    assert found.mechanisms == ("human", "expert", "gpt4_pair")
    assert found.verdicts["human"].to_list() == [0, None, None]
    assert found.metadata["winner"].to_list() == ["tie (bothbad)", None, None]
    assert found.metadata["judge"].to_list() == ["arena_user_973", "expert_2", "gpt4_pair"]


def test_several_turns_are_split_where_they_part(tmp_path: Path) -> None:
    start = [user("one"), assistant("same"), user("two")]
    found = lines(
        tmp_path,
        older("h", "tie", [*start, assistant("x")], [*start, assistant("y")]),
        older(
            "h", "tie",
            [user("one"), assistant("x"), user("two"), assistant("z")],
            [user("one"), assistant("y"), user("two"), assistant("z")],
        ),
        older("h", "tie", [user("one"), assistant("x")], [user("one"), assistant("x")]),
    )  # fmt: skip
    pairs = found.pairs.rows(named=True)
    assert pairs[0]["prompt"] == "user: one\n\nassistant: same\n\nuser: two"
    assert (pairs[0]["response_a"], pairs[0]["response_b"]) == ("x", "y")
    assert pairs[1]["prompt"] == "one"
    assert pairs[1]["response_a"] == "assistant: x\n\nuser: two\n\nassistant: z"
    assert (pairs[2]["prompt"], pairs[2]["response_a"]) == ("one", "x")


def test_later_turns_that_were_not_judged_are_left_out(tmp_path: Path) -> None:
    a = [user("one"), assistant("x"), user("two"), assistant("later")]
    b = [user("one"), assistant("y"), user("two"), assistant("later too")]
    found = lines(tmp_path, older("h", "model_a", a, b, turn=1))
    assert found.pairs.row(0)[2:] == ("one", "x", "y")


def test_conversations_as_texts(tmp_path: Path) -> None:
    row = older("h", "model_a", "What is it? Blue.", "What is it? Green.")
    assert lines(tmp_path, row).pairs.row(0)[2:] == ("What is it? ", "Blue.", "Green.")


def test_images_are_named(tmp_path: Path) -> None:
    picture = {"role": "user", "content": [{"type": "image", "image": "u"}, {"type": "text",
               "text": "What is it?"}]}  # fmt: skip
    row = older("h", "model_a", [picture, assistant("x")], [picture, assistant("y")])
    assert lines(tmp_path, row).pairs["prompt"][0] == "[image]\nWhat is it?"


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".json"])
def test_what_was_written_comes_back(votes: Path, tmp_path: Path, ending: str) -> None:
    written = palate.read(votes, domain_column="language")
    report = palate.write(written, tmp_path / f"w{ending}", format="lmarena")
    assert report.dropped == ()
    found = palate.read(tmp_path / f"w{ending}")
    assert list(found.to_rows()) == list(written.to_rows())


def test_a_mechanism_and_missing_verdicts_come_back(tmp_path: Path) -> None:
    demo = palate.load_demo().with_mechanisms(["checker"])
    palate.write(demo, tmp_path / "w.jsonl", format="lmarena")
    found = palate.read(tmp_path / "w.jsonl")
    assert found.mechanisms == ("checker",)
    assert found.verdicts.equals(demo.verdicts)
    assert found.pairs.equals(demo.pairs)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"winner": "A"}, "column 'winner': found 'A'; expected one of model_a, model_b, tie"),
        ({"winner": 1}, "column 'winner': found 1"),
        ({"conversation_a": None}, "column 'conversation_a': found None; expected a list of"),
        ({"conversation_b": [{"role": "user"}]}, "column 'conversation_b'"),
        ({"judge": 4}, "column 'judge': found 4; expected text"),
    ],
)
def test_bad_rows_name_the_column(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RowError, match="row 2, " + sentence):
        lines(tmp_path, VOTES[0], {**VOTES[1], **change})


def test_battles_that_nobody_voted_on_have_no_verdicts(tmp_path: Path) -> None:
    rows = [vote(i, "model_a") for i in range(3)]
    for row in rows:
        del row["winner"]
    (tmp_path / "battles.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pairs = palate.read(tmp_path / "battles.jsonl")
    assert pairs.mechanisms == ()
    assert pairs.pairs["response_b"].to_list() == ["right 0", "right 1", "right 2"]
    rows[1]["winner"] = "model_b"
    (tmp_path / "votes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(RowError, match="row 1, column 'winner'"):
        palate.read(tmp_path / "votes.jsonl")
