"""How good judges are: published numbers, plain Python, symmetries, bad input, files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import palate
from palate.cli.judge_report import write_judge_report
from palate.data.preferences import Preferences
from palate.errors import FileFormatError, InputError, OutputError, UnknownNameError
from palate.mechanisms.matchup import Judged, Said
from palate.validate.judge_quality import judge_quality
from palate.validate.judge_quality_measures import MEASURES
from palate.validate.judge_quality_result import ALL, MEAN, JudgeQuality
from palate.validate.judge_quality_text import about_judge, method, p_words

# statistics.json of the evaluators in the authors' repository (github.com/princeton-nlp/LLMBar,
# Dataset/LLMBar, commit caa7bee): correct with either order, correct in both, equal in both; their
# paper (arXiv 2310.07641) prints the average of the two orders, in per cent with one digit. Judges
# without an answer that could not be read, which they count as wrong and we leave out.
PUBLISHED = {
    ("Natural", "GPT-4/CoT"): (100, 94, 95, 90, 91),
    ("Natural", "GPT-4/Swap"): (100, 94, 95, 93, 97),
    ("Natural", "Falcon/Swap"): (100, 58, 73, 37, 43),
    ("Neighbor", "GPT-4/CoT"): (134, 101, 100, 94, 121),
    ("Neighbor", "LLaMA2/Vanilla"): (134, 34, 32, 18, 104),
    ("GPTOut", "ChatGPT/Vanilla"): (47, 17, 22, 10, 28),
    ("GPTInst", "LLaMA2/Metrics_Reference"): (92, 34, 30, 17, 62),
    ("Manual", "ChatGPT-0301/Vanilla"): (46, 24, 17, 11, 27),
    ("FairEval", "ChatGPT/Metrics_Reference"): (66, 46, 33, 16, 19),
}
LETTER = {1.0: "a", -1.0: "b", 0.0: "t"}


def preferences_of(
    verdicts: dict[str, Sequence[float | None]],
    *,
    orders: dict[str, Sequence[str]] | None = None,
    prompts: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
) -> Preferences:
    n = len(next(iter(verdicts.values())))
    column = [json.dumps({m: said[i] for m, said in (orders or {}).items()}) for i in range(n)]
    return Preferences(
        pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(n)],
                "domain": list(domains or ["all"] * n),
                "prompt": list(prompts or [f"q{i}" for i in range(n)]),
                "response_a": [f"a{i}" for i in range(n)],
                "response_b": [f"b{i}" for i in range(n)],
            }
        ),
        pl.DataFrame({m: pl.Series(v, dtype=pl.Float64) for m, v in verdicts.items()}),
        pl.DataFrame({"orders": column}) if orders else pl.DataFrame(),
        frozenset({"orders"}) if orders else frozenset(),
    )


def world(
    *,
    n: int = 300,
    per_prompt: int = 1,
    together: float = 0.0,
    right: float = 0.8,
    bias: float = 0.0,
    judges: int = 1,
    seed: int = 0,
) -> Preferences:
    """People prefer a or b by a coin; a judge is right with `right`, and takes the first by `bias`.

    With probability `together` the pairs of one prompt share what the judge does.
    """
    random = np.random.default_rng(seed)
    prompt = np.repeat(np.arange(-(-n // per_prompt)), per_prompt)[:n]
    truth = random.choice([1.0, -1.0], size=n)
    verdicts: dict[str, Sequence[float | None]] = {"people": truth.tolist()}
    orders: dict[str, Sequence[str]] = {}
    for j in range(judges):
        draws = random.random((n, 2))
        shared = random.random((prompt.max() + 1, 2))[prompt]
        draws = np.where(random.random((prompt.max() + 1, 1))[prompt] < together, shared, draws)
        y = np.where(draws[:, 0] < right, truth, -truth)
        biased, to_first = draws[:, 1] < abs(bias) * 2, np.sign(bias)
        u, v = np.where(biased, to_first, y), np.where(biased, -to_first, y)
        verdicts[f"judge {j}"] = np.where(u == v, u, 0.0).tolist()
        orders[f"judge {j}"] = [LETTER[a] + LETTER[b] for a, b in zip(u, v, strict=True)]
    return preferences_of(verdicts, orders=orders, prompts=[f"q{k}" for k in prompt])


# -- known numbers ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> tuple[JudgeQuality, list[dict[str, Any]]]:
    path = shared_data / "judges.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return judge_quality(palate.read(path), reference="human"), rows


def test_the_recorded_judges_have_the_numbers_of_plain_counting(
    recorded: tuple[JudgeQuality, list[dict[str, Any]]],
) -> None:
    quality, rows = recorded
    assert len(quality.mechanisms) == 34
    for row in quality.frame.rows(named=True):
        mine = [
            (r["labels"][row["mechanism"]], r["labels"]["human"], r["meta"]["orders"])
            for r in rows
            if row["mechanism"] in r["labels"] and row["domain"] in (ALL, r["domain"])
        ]
        if row["domain"] == MEAN:
            continue
        points = sum(1.0 if said == gold else 0.5 if said == 0 else 0.0 for said, gold, _ in mine)
        assert row["judged"] == row["compared"] == len(mine)
        assert row["accuracy"] == pytest.approx(points / len(mine), abs=1e-12)
        both = [o[row["mechanism"]] for _, _, o in mine if "?" not in o[row["mechanism"]]]
        flips = [o for o in both if o[0] != o[1]]
        first = [(o[0] == "a") + (o[1] == "b") for o in both]
        assert row["flips"] == pytest.approx(len(flips) / len(both), abs=1e-12)
        assert row["first_shown"] == pytest.approx(sum(first) / len(both) / 2, abs=1e-12)
        if flips:
            assert row["first_of_flips"] == pytest.approx(flips.count("ab") / len(flips))
    by_domain = quality.frame.filter(~pl.col("domain").is_in([ALL, MEAN]))
    means = by_domain.group_by("mechanism").agg(pl.col("accuracy").mean())
    for name, mean in means.iter_rows():
        assert quality.row(name, MEAN)["accuracy"] == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize(("domain", "judge"), PUBLISHED)
def test_the_accuracies_are_those_that_were_published(
    recorded: tuple[JudgeQuality, list[dict[str, Any]]], domain: str, judge: str
) -> None:
    n, one, other, both, equal = PUBLISHED[domain, judge]
    row = recorded[0].row(judge, domain)
    assert row["both_orders"] == n
    assert row["accuracy_answers"] == pytest.approx((one + other) / 2 / n, abs=1e-12)
    assert row["orders_agree"] == pytest.approx(equal / n, abs=1e-12)
    assert row["accuracy"] == pytest.approx((both + (n - equal) / 2) / n, abs=1e-12)


@pytest.mark.slow
def test_the_report_of_the_recorded_judges(shared_data: Path, tmp_path: Path, capsys: Any) -> None:
    preferences = palate.read(shared_data / "judges.jsonl.gz")
    out = tmp_path / "report"
    found = write_judge_report(preferences, reference="human", out=out, quiet=True)
    printed = " ".join(capsys.readouterr().out.split())
    assert "GPT-4/Metrics_Reference agrees with human on 82.6 %" in printed
    assert "ahead of each of the 33 others" in printed
    files = {"judge_report.html", "judge_report.json", "judge_report.csv", "run.json", "COMPLETE"}
    assert {p.name for p in out.iterdir()} == files
    assert JudgeQuality.load(out / "judge_report.json").frame.equals(found.frame)
    with pytest.raises(OutputError):
        write_judge_report(preferences, reference="human", out=out, quiet=True)


# -- symmetries ---------------------------------------------------------------------------------


def test_exchanging_the_responses_changes_nothing() -> None:
    preferences = world(n=80, bias=0.15, judges=3)
    one = judge_quality(preferences, reference="people")
    other = judge_quality(preferences.swap(), reference="people")
    numbers = [c for c, kind in one.frame.schema.items() if kind == pl.Float64]
    assert one.best == other.best
    np.testing.assert_allclose(
        one.frame.select(numbers).to_numpy(), other.frame.select(numbers).to_numpy(), atol=1e-12
    )


def test_exchanging_the_places_turns_the_bias_only() -> None:
    preferences = world(n=80, bias=0.15)
    turned = preferences.metadata["orders"].map_elements(
        lambda text: json.dumps({k: v[::-1] for k, v in json.loads(text).items()}),
        return_dtype=pl.String,
    )
    other = Preferences(
        preferences.pairs, preferences.verdicts, pl.DataFrame({"orders": turned}),
        preferences.json_metadata,
    )  # fmt: skip
    a, b = (judge_quality(p, reference="people").row("judge 0") for p in (preferences, other))
    assert b["first_shown"] == pytest.approx(1 - a["first_shown"])
    assert b["first_shown_low"] == pytest.approx(1 - a["first_shown_high"])
    assert b["first_of_flips"] == pytest.approx(1 - a["first_of_flips"])
    for name in ("flips", "accuracy", "accuracy_answers", "place_p"):
        assert a[name] == pytest.approx(b[name])


# -- what is asked and what is missing ----------------------------------------------------------


def test_ties_that_were_said_and_answers_that_are_missing() -> None:
    preferences = preferences_of(
        {"people": [1, 1, -1, 0, 1], "judge": [1, 0, 0, 1, None]},
        orders={"judge": ["aa", "tt", "at", "ab", "-a"]},
    )
    row = judge_quality(preferences, reference="people").row("judge")
    assert (row["judged"], row["both_orders"], row["answers"], row["compared"]) == (4, 4, 9, 3)
    assert row["ties"] == 0.5
    assert row["said_ties"] == pytest.approx(3 / 9)
    assert row["flips"] == 0.5  # a side against a tie is a flip
    assert row["first_of_flips"] == 1.0
    assert row["first_shown"] == pytest.approx((0.5 + 0.5 + 0.75 + 1.0) / 4)
    assert row["accuracy"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert row["accuracy_decided"] == 1.0
    assert row["accuracy_answers"] == pytest.approx((2 + 1 + 0 + 0.5 + 1) / 7)
    assert any(
        "1 pair a tie" in note for note in judge_quality(preferences, reference="people").notes
    )


def test_without_orders_or_a_reference_columns_are_empty_and_it_says_why() -> None:
    preferences = world(n=30)
    bare = Preferences(preferences.pairs, preferences.verdicts)
    quality = judge_quality(bare, reference="people")
    row = quality.row("judge 0")
    for name in ("flips", "first_shown", "said_ties", "accuracy_answers", "place_p"):
        assert row[name] is None
    assert row["accuracy"] is not None
    assert any("No verdicts by order" in note for note in quality.notes)
    assert about_judge(quality, "judge 0")[0].startswith("judge 0 agrees with people on")
    alone = judge_quality(preferences, ["judge 0"])
    assert alone.best is None
    assert alone.row("judge 0")["accuracy"] is None
    assert any("No reference" in note for note in alone.notes)
    assert "judge 0" in str(alone)
    assert "30 pairs in 1 domain" in method(alone)


def test_a_domain_of_one_prompt_has_no_interval() -> None:
    preferences = preferences_of(
        {"people": [1, 1, 1, -1], "judge": [1, 1, -1, -1]},
        prompts=["same", "same", "q2", "q3"],
        domains=["one", "one", "two", "two"],
    )
    quality = judge_quality(preferences, reference="people")
    row = quality.row("judge", "one")
    assert (row["accuracy"], row["accuracy_low"]) == (1.0, None)
    assert quality.row("judge", "two")["accuracy_low"] is not None
    assert quality.row("judge", MEAN)["accuracy"] == 0.75
    assert quality.row("judge", MEAN)["accuracy_low"] is None


def test_samples_and_orders_of_what_was_judged() -> None:
    preferences = world(n=4)
    said = [
        Judged("p0", Said(1.0, (1.0, 1.0, -1.0)), Said(1.0, (1.0, 1.0, 1.0))),
        Judged("p1", Said(1.0, (1.0,)), Said(-1.0, (-1.0,))),
        Judged("p2", Said(0.0, (1.0, -1.0)), None),
    ]
    row = judge_quality(preferences, judged={"judge 0": said}).row("judge 0")
    assert row["samples_agree"] == pytest.approx(((1 / 3 + 1) / 2 + 0) / 2)
    assert (row["both_orders"], row["answers"], row["flips"]) == (2, 5, 0.5)
    with pytest.raises(UnknownNameError, match="'nowhere'"):
        judge_quality(preferences, judged={"judge 0": [Judged("nowhere", None, None)]})


def test_the_best_is_found_on_common_pairs() -> None:
    """A judge of easy pairs only is ahead in accuracy and behind where both judged."""
    n = 200
    easy = np.arange(n) < 100
    good = [1.0 if e or i % 2 else -1.0 for i, e in enumerate(easy)]  # 100 %, then 50 %
    poor = [(1.0 if i % 10 else -1.0) if e else None for i, e in enumerate(easy)]  # 90 %
    quality = judge_quality(
        preferences_of({"people": [1.0] * n, "good": good, "poor": poor}), reference="people"
    )
    assert quality.row("poor")["accuracy"] > quality.row("good")["accuracy"]
    assert quality.best == "good"
    assert quality.row("poor")["behind"] == pytest.approx(0.1)
    assert quality.row("poor")["behind_p"] == pytest.approx(2 / 2**10)
    assert quality.row("poor")["rank_low"] == quality.row("poor")["rank_high"] == 2
    assert any("different pairs" in note for note in quality.notes)


def test_bad_input_is_named() -> None:
    preferences = world(n=10)
    with pytest.raises(UnknownNameError, match="reference mechanism 'nobody'"):
        judge_quality(preferences, reference="nobody")
    with pytest.raises(UnknownNameError, match="nobody"):
        judge_quality(preferences, ["nobody"])
    with pytest.raises(UnknownNameError, match="nobody"):
        judge_quality(preferences, judged={"nobody": []})
    with pytest.raises(InputError, match="two different mechanisms"):
        judge_quality(preferences, ["people"], reference="people")
    with pytest.raises(InputError, match="no judge"):
        judge_quality(preferences, [])
    with pytest.raises(InputError, match="level=1"):
        judge_quality(preferences, level=1)
    with pytest.raises(InputError, match=r"a domain '\(mean of domains\)'"):
        judge_quality(preferences_of({"j": [1.0, 1.0]}, domains=["d", "(mean of domains)"]))
    quality = judge_quality(preferences)
    with pytest.raises(UnknownNameError):
        quality.row("nobody")
    with pytest.raises(UnknownNameError):
        quality.row("judge 0", "nowhere")


def test_no_pair_in_common_with_the_reference() -> None:
    preferences = preferences_of({"people": [1.0, None], "judge": [None, 1.0]})
    quality = judge_quality(preferences, reference="people")
    assert quality.best is None
    assert any("No pair was judged by people and by judge" in note for note in quality.notes)


def test_responses_that_are_the_same_are_told() -> None:
    pairs = preferences_of({"j": [1.0, 0.0]}, orders={"j": ["aa", "tt"]})
    assert not any("the same" in note for note in judge_quality(pairs).notes)
    same = replace(pairs, pairs=pairs.pairs.with_columns(response_b=pl.col("response_a")))
    assert any(n.startswith("2 pairs have two responses") for n in judge_quality(same).notes)


def test_no_pairs_and_one_pair() -> None:
    none = judge_quality(world(n=5).select([]), reference="people")
    assert none.best is None
    assert none.row("judge 0")["judged"] == 0
    one = judge_quality(world(n=1), reference="people").row("judge 0")
    assert one["accuracy"] is not None
    assert one["accuracy_low"] is None
    alone = judge_quality(world(n=1), ["judge 0"], reference="people")
    assert "of 1 pair, a tie" in str(alone)
    assert method(alone).startswith("1 judge, 1 pair in 1 domain, 1 group (")


def test_it_is_the_same_after_a_file(tmp_path: Path) -> None:
    quality = judge_quality(world(n=40, judges=2, bias=0.1), reference="people")
    quality.save(tmp_path / "q.json")
    again = JudgeQuality.load(tmp_path / "q.json")
    assert again.frame.equals(quality.frame)
    assert (again.best, again.reference, again.notes, dict(again.settings), dict(again.counts)) == (
        quality.best, quality.reference, quality.notes, dict(quality.settings),
        dict(quality.counts),
    )  # fmt: skip
    (tmp_path / "bad.json").write_text('{"schema": "palate.judge_quality/1", "frame": 3}')
    (tmp_path / "other.json").write_text('{"schema": "x"}')
    (tmp_path / "none.json").write_text("[")
    for name in ("bad", "other", "none", "absent"):
        with pytest.raises(FileFormatError):
            JudgeQuality.load(tmp_path / f"{name}.json")


def test_no_name_is_a_formula_in_the_table(tmp_path: Path) -> None:
    preferences = preferences_of({"=1+1": [1.0, -1.0]}, domains=["@sum", "@sum"])
    judge_quality(preferences).write_csv(tmp_path / "q.csv")
    table = pl.read_csv(tmp_path / "q.csv")
    assert set(table["mechanism"]) == {"'=1+1"}
    assert "'@sum" in table["domain"].to_list()
    assert set(MEASURES) <= set(table.columns)


@pytest.mark.parametrize(("p", "words"), [(0.0, "p < .001"), (0.0234, "p = .023"), (1.0, "p = 1")])
def test_p_values_in_words(p: float, words: str) -> None:
    assert p_words(p) == words
