"""On verdicts that depend on no concept the report says that it found nothing.

The sides of the demo set's verdicts are drawn anew with one random sign per prompt, so that nothing
can be found but by chance; everything else is the real run.
"""

from __future__ import annotations

import json
import re
from functools import cache

import numpy as np
import polars as pl
import pytest

import palate
from palate.data.demo import demo_paths
from palate.data.preferences import Preferences
from palate.explanations.explain import Explanations
from palate.report.effects import anything_supported
from palate.report.glance import glance
from palate.report.html import render
from palate.report.markdown import summary_markdown
from palate.report.notebook import explanation_html
from palate.report.payload import payload
from palate.report.sentences import mechanism_sentences, summary_sentences

SEEDS = (0, 1, 2)
TWO = ("expert", "skimmer")
JUDGES = ("assistant", "checker", "skimmer", "expert", "coach")


def shuffled(seed: int, mechanisms: tuple[str, ...]) -> Preferences:
    """The demo set with one random sign per prompt on the verdicts of each mechanism."""
    demo = palate.load_demo().with_mechanisms(mechanisms)
    _, prompt = np.unique(demo.pairs["prompt"].to_numpy(), return_inverse=True)
    random = np.random.default_rng(seed)
    signs = random.choice([-1.0, 1.0], size=(len(mechanisms), prompt.max() + 1))
    verdicts = {m: demo.verdicts[m] * signs[k, prompt] for k, m in enumerate(mechanisms)}
    return Preferences(demo.pairs, pl.DataFrame(verdicts))


@cache
def explained(seed: int, mechanisms: tuple[str, ...]) -> tuple[Preferences, Explanations]:
    """The shuffled demo set, explained as `palate demo` does with fewer refits."""
    preferences = shuffled(seed, mechanisms)
    paths = demo_paths()
    concepts = palate.read_concepts(paths.concepts, paths.values)
    return preferences, palate.explain_all(preferences, concepts, n_bootstrap=2, n_jobs=1)


def check_that_nothing_is_claimed(explanation, preferences):
    """Every view of one explanation without support says so and draws no bar."""
    first, *rest = summary_sentences([explanation])
    assert first.startswith("Nothing was found: of 28 concepts, none is supported as something")
    assert re.search(r"found with a probability of 80 % from a lift of \d+ % everywhere", first)
    assert len(rest) == 1  # the score, and no rate of errors among no statements
    assert mechanism_sentences(explanation)[0] == first
    (row,) = glance([explanation], top=3)
    assert row.rewards == row.penalises == ()
    data = payload([explanation], preferences)["mechanisms"][0]
    assert {r[1] for r in data["shared"]} == {3}  # "not supported", the last of the verdicts
    assert {r[1] for rows in data["domains"].values() for r in rows} == {3}
    assert all(x["concept"] is None for x in data["examples"])
    page = render([explanation], preferences)
    assert page.count("nothing supported</span>") == 2
    static = page.split('<script type="application/json"')[0]
    head = static.split("<nav")[0]
    assert not any(concept in head for concept in explanation.concepts.names)
    assert "raises the chance that" not in static
    assert "the chance of a response by" not in static
    assert "expected to be false" not in head
    assert "● everywhere" not in static
    assert 'height="10"' not in explanation_html(explanation)  # the bars of the notebook view
    markdown = summary_markdown([explanation])
    assert "Nothing was found" in markdown
    assert "|" not in markdown


def without_support(seed: int, mechanisms: tuple[str, ...]) -> tuple[Preferences, list]:
    """The explanations in which chance did not let any effect look supported."""
    preferences, explanations = explained(seed, mechanisms)
    return preferences, [e for e in explanations if not anything_supported([e])]


@pytest.mark.slow
def test_shuffled_verdicts_give_a_report_that_found_nothing():
    preferences, explanations = without_support(1, TWO)
    assert len(explanations) == 2  # chance has one try in ten each; see the slow test for the rate
    for explanation in explanations:
        check_that_nothing_is_claimed(explanation, preferences)
    first, *rest = summary_sentences(explanations)
    assert first.startswith(
        "Nothing was found: of 28 concepts, none is supported as something that"
    )
    assert "expert or skimmer" in first
    assert len(rest) == 1
    assert json.dumps(payload(explanations, preferences)).count("Nothing was found") == 2


@pytest.mark.slow
def test_chance_findings_are_as_rare_as_promised():
    runs = [(s, e, p) for s in SEEDS for p, found in [explained(s, JUDGES)] for e in found]
    found = [e for _, e, _ in runs if anything_supported([e])]
    # At a false discovery rate of .10 a report on chance alone names something in at most one run
    # of ten; of 15 runs more than 4 do so with a probability of .013 (binomial table).
    assert len(found) <= 4
    for _, explanation, preferences in runs:
        if not anything_supported([explanation]):
            check_that_nothing_is_claimed(explanation, preferences)


@pytest.mark.browser
@pytest.mark.slow
def test_no_bar_is_drawn_on_shuffled_verdicts(tmp_path):
    from tests.report.test_browser import ARGUMENTS, CHROMIUM, PATIENCE, opened

    if CHROMIUM is None:
        pytest.skip("no Chromium: install Debian's chromium or set PALATE_CHROMIUM to its path")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    preferences, explanations = without_support(1, TWO)
    path = palate.write_report(explanations, preferences, tmp_path / "null.html")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE
        )
        for domain in ("", "&d=law"):
            with opened(browser, path, fragment=f"#m=skimmer{domain}") as page:
                page.click("#all")
                assert page.locator("#lift-chart tbody tr").count() >= 16
                assert page.locator("#lift-chart rect.fill").count() == 0
                assert page.locator("#lift-chart .mark:not(.hollow)").count() == 0
                for part in ("heat", "side"):
                    assert page.locator(f"#{part}").inner_text() == "Nothing is supported here."
                    page.click(f"#{part}-all")
                    assert page.locator(f"#{part} tbody tr").count() >= 16
                    assert page.locator(f"#{part} td.held, #{part} td.same").count() == 0
        browser.close()
