"""The report as a file: data, escaping, size, examples, agreement, notebook and Markdown."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from palate.errors import InputError, OutputError
from palate.inference.discoveries import Verdict
from palate.report.agreement import agreement
from palate.report.effects import supported_effects
from palate.report.examples import choose_examples
from palate.report.html import render, write_report
from palate.report.markdown import summary_markdown
from palate.report.notebook import explanation_html
from palate.report.payload import embed, payload
from palate.report.tables import facts, score_table
from palate.report.visible import cut, one_line, visible

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<!-- {{ 7*7 }} {% raw %} \x00 \x1b[31mred\x1b[0m \x07 \u202eevil\u202c \u2066x\u2069 \u2028 "
    "&amp; `${document.title='owned'}` \x85 ' \" "
)


class Tags(HTMLParser):
    """Collects start tags and the text of embedded data."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.data, self._inside = [], [], "", False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = ("id", "palate-data") in attrs

    def handle_data(self, data):
        if self._inside:
            self.data += data


def parsed(page):
    tags = Tags()
    tags.feed(page)
    return tags


def hostile(what):
    return f"{what} {HOSTILE}"


def test_hostile_texts_stay_text(make):
    explanations, preferences = make(text=hostile, name=hostile)
    page = render(explanations, preferences, title=HOSTILE, run={HOSTILE: HOSTILE})
    found = parsed(page)
    assert found.tags.count("script") == 2
    assert found.tags.count("img") == 0
    assert not any(key.startswith("on") for key, _ in found.attributes)
    assert "49" not in re.findall(r"<h1>.*?</h1>", page, re.S)[0]
    data = json.loads(found.data)
    assert "</script>" in data["pairs"][0]["response_a"]
    assert not set("\x00\x1b\x07\x85\u202e\u2066\u2028\u2029") & set(page)


def test_embedded_data_cannot_end_its_element():
    text = embed({"a": "</script><!--\u2028&", "b": 1.5})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028&", "b": 1.5}


def test_controls_are_made_visible():
    # Control Pictures: U+2400 + code; bidirectional controls by their Unicode abbreviations.
    assert visible("a\x00\x1b\x7f\t\n") == "a␀␛␡\t\n"
    assert visible("\u202e\u2066\u2069\x85") == "⟦RLO⟧⟦LRI⟧⟦PDI⟧⟦U+0085⟧"
    assert visible("a\r\nb\rc") == "a\nb\nc"
    assert visible("\ud800") == "\ufffd"
    assert visible("עברית 👩\u200d👧") == "עברית 👩\u200d👧"


def test_long_texts_are_cut_and_counted():
    assert cut("abcdef", 4) == ("abcd", 2)
    assert cut("abc", 4) == ("abc", 0)
    assert one_line("a\n  b " * 50, 10) == "a b a b a…"


def test_ten_megabytes_do_not_enter_the_report(make):
    explanations, preferences = make(n_pairs=3, text=lambda what: what + "x" * 10_000_000)
    page = render(explanations[:1], preferences)
    assert len(page) < 300_000
    data = json.loads(parsed(page).data)
    assert all(n > 9_990_000 for pair in data["pairs"] for n in pair["cut"])


def test_the_policy_allows_only_this_style_and_script(make):
    page = render(*make())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    for kind, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_script_never_writes_markup(make):
    page = render(*make())
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert sink not in script


@pytest.mark.slow
def test_thirty_five_mechanisms_fit_into_two_megabytes(make):
    explanations, preferences = make(n_mechanisms=35, n_domains=13, n_concepts=60, n_pairs=200)
    page = render(explanations, preferences)
    texts = sum(
        len(pair[key])
        for pair in json.loads(parsed(page).data)["pairs"]
        for key in ("prompt", "response_a", "response_b")
    )
    assert len(page.encode()) - texts <= 2_000_000


def test_the_payload_gives_the_effects_back(make):
    explanations, preferences = make()
    mechanism = payload(explanations, preferences)["mechanisms"][1]
    explanation = explanations[1]
    rows = {row[0]: row for row in mechanism["domains"]["0"]}
    words = [v.value for v in Verdict]
    for j in range(explanation.concepts.n_concepts):
        total, part = explanation.total, explanation.domain
        assert words[rows[j][1]] == total.verdict[0, j]
        numbers = [x[0, j] for x in (total.estimate, total.low, total.high, total.p_value)]
        assert rows[j][2:6] == pytest.approx(1000 * np.array(numbers), abs=0.5)
        assert rows[j][6] == pytest.approx(1000 * total.weight[0, j], abs=0.5)
        assert rows[j][7] == 100
        numbers = [x[0, j] for x in (part.estimate, part.low, part.high)]
        assert rows[j][8:] == pytest.approx(1000 * np.array(numbers), abs=0.5)
    specific = explanation.concepts.n_concepts - 1
    assert specific not in {row[0] for row in mechanism["shared"]}
    assert specific not in {row[0] for row in mechanism["domains"]["1"]}
    unknown = {row[0]: row for row in mechanism["domains"]["2"]}[specific - 1]
    assert unknown[2:6] == [*unknown[8:], None] == [None] * 4


def test_summary_scores_concepts_and_notes_need_no_script(make):
    explanations, preferences = make()
    page = render(
        explanations,
        preferences,
        run={"versions": {"palate": "0.1"}},
        skipped={"lazy judge": "It has no verdicts."},
        notes=["The data are synthetic."],
    )
    static = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    for text in (
        "Rewards",
        "judge 2",
        "definition 3",
        "One note for all.",
        "A note of mechanism 1.",
        "lazy judge: It has no verdicts.",
        "The data are synthetic.",
        "versions palate",
    ):
        assert text in static


def test_numbers_that_differ_between_mechanisms_are_a_table(make):
    found = facts(make()[0])
    assert ("pairs in the file", "40") in found.common
    assert found.columns == ("ties (left out of the fit)", "lambda of the shared part")
    assert found.rows[2] == ("judge 2", "2", "0.03")


def test_examples_are_cases_of_the_strongest_concepts_and_the_worst_misses(make):
    explanation = make(n_pairs=120)[0][0]
    chosen = choose_examples(explanation, n_concepts=2, per_concept=2, n_misses=3)
    assert len({x.pair_id for x in chosen}) == len(chosen)
    cases = [x for x in chosen if x.concept is not None]
    assert [x.concept for x in cases[::2]] == [e.index for e in supported_effects(explanation)[:2]]
    for x in cases:
        local = explanation.local(x.pair_id)
        name = explanation.concepts.names[x.concept]
        part = next(c.contribution for c in local.contributions if c.concept == name)
        assert part * local.verdict > 0
    # The misses are the first three contradicted pairs that are not shown already.
    miss = -pl.col("verdict") * (pl.col("held_out_probability") - 0.5)
    ranked = explanation.pairs.sort(miss, descending=True)["id"].to_list()
    shown = {x.pair_id for x in cases}
    expected = [i for i in ranked if i not in shown][:3]
    assert [x.pair_id for x in chosen if x.concept is None] == expected


def test_a_noise_ceiling_and_reliabilities_stand_beside_the_scores(make):
    explanations, preferences = make(n_mechanisms=2)
    limit = {
        "accuracy": 0.8,
        "share": 0.75,
        "low": 0.6,
        "high": 0.9,
        "ceiling": {"accuracy": [0.9, 0.85, 0.95]},
        "sentence": "Three quarters of what can be explained are explained.",
    }
    table = {"concept": "concept 1", "reliability": 0.81, "low": 0.7, "high": 0.9}
    with_both = dataclasses.replace(
        explanations[0], ceiling=limit, reliability=pl.DataFrame([table])
    )
    first, second = score_table([with_both, explanations[1]], setting="in domain").rows
    assert (first.ceiling, first.share, first.share_interval) == ("90 %", "75 %", "60 to 90")
    assert first.ceiling_at == pytest.approx(
        100 * (90 - 40) / (100 - 40), abs=0.01
    )  # axis 40 to 100
    assert (second.ceiling, second.share, second.ceiling_at) == ("–", "–", None)
    page = render([with_both, explanations[1]], preferences)
    for text in (limit["sentence"], "noise ceiling", "0.81 (0.70 to 0.90)", ">Ceiling<"):
        assert text in page
    assert "noise ceiling" not in render(explanations, preferences)


def test_agreement_counts_pairs_where_both_took_a_side(make):
    explanations, _ = make(n_mechanisms=2, n_pairs=6)
    verdicts = ([1.0, -1.0, 1.0, 0.0, None, 1.0], [1.0, 1.0, 0.5, 1.0, 1.0, -0.2])
    for explanation, values in zip(explanations, verdicts, strict=True):
        frame = explanation.pairs.with_columns(pl.Series("verdict", values))
        object.__setattr__(explanation, "pairs", frame)
    found = agreement(explanations)
    assert found.n_pairs[0, 1] == 4
    assert found.share[0, 1] == pytest.approx(2 / 4)
    assert found.share[0, 0] == 1.0


def test_the_report_is_written_and_errors_are_clear(make, tmp_path):
    explanations, preferences = make()
    path = write_report(explanations, preferences, tmp_path / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(explanations, preferences, tmp_path / "absent" / "report.html")
    with pytest.raises(InputError, match="at least one explanation"):
        write_report([], preferences, tmp_path / "report.html")


def test_the_same_input_gives_the_same_file(make):
    assert render(*make()) == render(*make())


def test_the_notebook_view_is_escaped_and_static(make):
    html = explanation_html(make(text=hostile, name=hostile)[0][0])
    found = parsed(html)
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert found.tags.count("tr") > 3


def test_an_explanation_shows_itself_in_a_notebook(make):
    explanation = make()[0][0]
    assert explanation._repr_html_() == explanation_html(explanation)


def test_markdown_holds_summary_and_tables(make):
    from markdown_it import MarkdownIt

    explanations, _ = make(name=lambda what: f"{what} | *x* <b>")
    html = MarkdownIt("commonmark").enable("table").render(summary_markdown(explanations))
    assert html.count("<table>") == 3
    assert "<b>" not in html
    assert "<em>" not in html
    assert "judge 2 | *x* &lt;b&gt;" in html
