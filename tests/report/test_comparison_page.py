"""The page of a comparison: complete in itself, escaped, and silent where nothing is supported."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import palate
from palate.data.preferences import Preferences
from palate.explanations.comparison import Comparison
from palate.explanations.comparison_gates import check_gates, parse_gate
from palate.report.comparison_page import render_comparison, write_comparison
from tests.report.test_browser import (
    CHROMIUM,
    DESK,
    PHONE,
    browser,  # noqa: F401  (a fixture)
    opened,
    violations,
)


def world(difference: float, *, seed: int = 0, n: int = 300) -> tuple[Preferences, Comparison]:
    """Two judges with hostile names that differ in the length of a response."""
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 60, size=(n, 2))
    longer = np.log(sizes[:, 0] / sizes[:, 1])
    verdicts = {}
    for name, weight in (("<b>one</b>", 0.5 + difference), ("two & more", 0.5)):
        p = 1 / (1 + np.exp(-weight * longer))
        verdicts[name] = np.where(random.random(n) < p, 1.0, -1.0)
    words = [random.choice(list("abcdefgh"), size=(k, 3)) for k in sizes.ravel()]
    texts = [" ".join("".join(w) for w in of).capitalize() + "." for of in words]
    preferences = Preferences(
        pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(n)],
                "domain": ["soup" if i % 2 else "<i>cake</i>" for i in range(n)],
                "prompt": [f"<script>alert({i})</script>" for i in range(n)],
                "response_a": texts[::2],
                "response_b": texts[1::2],
            }
        ),
        pl.DataFrame(verdicts),
    )
    matrix = palate.measure(preferences, families=["length", "readability"], n_jobs=1)
    names = preferences.mechanisms
    return preferences, palate.compare(preferences, *names, matrix, n_bootstrap=50, n_jobs=1)


@pytest.fixture(scope="module")
def differing() -> tuple[Preferences, Comparison]:
    """One judge rewards length much more."""
    return world(2.0)


def test_the_page_is_complete_in_itself_and_escaped(
    differing: tuple[Preferences, Comparison], tmp_path: Path
) -> None:
    preferences, comparison = differing
    gates = check_gates([parse_gate("any supported difference > 5% lift")], comparison)
    path = write_comparison(
        comparison, tmp_path / "c.html", preferences, gates=gates, run={"seed": 0}
    )
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "<b>one</b>" not in page
    assert "<i>cake</i>" not in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "default-src 'none'" in page
    assert "Failed" in page


def test_every_bar_says_its_sentence_and_can_be_reached(
    differing: tuple[Preferences, Comparison],
) -> None:
    preferences, comparison = differing
    page = render_comparison(comparison, preferences)
    bars = re.findall(r"<svg[^>]*role=\"img\"[^>]*>", page)
    assert bars
    for bar in bars:
        assert 'tabindex="0"' in bar
        assert "aria-label=" in bar
    supported = comparison.supported()
    assert supported.height
    assert len(re.findall(r'class="fill v[012]"', page)) == supported.height
    assert page.count('class="dot open"') == page.count('class="w thin"')


def test_pairs_are_shown_with_reasons_or_left_out(
    differing: tuple[Preferences, Comparison],
) -> None:
    preferences, comparison = differing
    page = render_comparison(comparison, preferences)
    assert page.count('<details class="pair">') == min(30, comparison.pairs.height)
    assert "log-odds" in page
    without = render_comparison(comparison)
    assert '<details class="pair">' not in without


def test_equal_judges_are_said_to_differ_in_nothing() -> None:
    preferences, comparison = world(0.0, seed=2)
    assert comparison.supported().is_empty()
    page = render_comparison(comparison, preferences)
    assert "no concept is rewarded differently" in page
    assert "No difference is supported everywhere" in page
    assert "No difference is supported in a single domain." in page
    assert 'class="fill' not in page.partition("</style>")[2]


def test_a_comparison_with_hostile_concept_names(
    differing: tuple[Preferences, Comparison],
) -> None:
    preferences, comparison = differing
    rename = pl.lit("<img src=x onerror=alert(1)>").alias("concept")
    hostile = dataclasses.replace(
        comparison,
        differences=comparison.differences.with_columns(rename),
        disagreements=comparison.disagreements.with_columns(rename),
    )
    page = render_comparison(hostile, preferences)
    assert "<img" not in page


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: see tests/report/test_browser.py")
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_violation(browser, differing, tmp_path, scheme, viewport):  # noqa: F811
    preferences, comparison = differing
    gates = check_gates([parse_gate("agreement < 99%")], comparison)
    path = write_comparison(comparison, tmp_path / "c.html", preferences, gates=gates, run={"a": 1})
    settings = {"color_scheme": scheme, "viewport": viewport, "bypass_csp": True}
    with opened(browser, path, **settings) as page:
        assert violations(page) == []
        across = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert across <= 0
