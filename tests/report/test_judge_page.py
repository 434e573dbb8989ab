"""The page on judges: complete in itself, escaped, readable without sight, silent about noise."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from palate.data.preferences import Preferences
from palate.report.judge_page import render_judges, write_judges
from palate.validate.judge_quality import judge_quality
from palate.validate.judge_quality_result import JudgeQuality
from tests.report.test_browser import (
    CHROMIUM,
    DESK,
    PHONE,
    browser,  # noqa: F401  (a fixture)
    opened,
    violations,
)
from tests.report.test_report_file import HOSTILE, hostile
from tests.validate.test_judge_quality import world


def in_domains(
    *, judges: int = 3, bias: float = 0.2, n: int = 200, right: float = 0.8
) -> Preferences:
    one = world(n=n, judges=judges, bias=bias, right=right)
    domain = pl.Series(
        "domain", [("soup", "<i>cake</i>")[i % 2] for i in range(n - 4)] + ["few"] * 4
    )
    return Preferences(
        one.pairs.with_columns(domain), one.verdicts, one.metadata, one.json_metadata
    )


@pytest.fixture(scope="module")
def quality() -> JudgeQuality:
    return judge_quality(in_domains(), reference="people")


def test_the_page_is_complete_in_itself_and_says_what_was_found(
    quality: JudgeQuality, tmp_path: Path
) -> None:
    path = write_judges(quality, tmp_path / "j.html", run={"seed": 0}, notes=["A note."])
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "default-src 'none'" in page
    assert "<i>cake</i>" not in page
    assert "A note." in page
    text = page.replace("\u00a0", " ")
    assert "How good 3 judges are" in page
    assert "3 prefer the response shown first and 0 the one shown second" in text
    assert "judge 1 agrees with people on" in text
    bars = re.findall(r"<svg[^>]*role=\"img\"[^>]*>", page)
    assert len(bars) == 6
    for bar in bars:
        assert 'tabindex="0"' in bar
        assert "aria-label=" in bar
    assert page.count('<td class="rest"') == 6  # four pairs in the domain "few", in two tables


def test_without_noise_nothing_is_filled() -> None:
    page = render_judges(
        judge_quality(in_domains(bias=0.0, right=0.7, judges=2), reference="people")
    )
    assert 'class="dot"' not in page
    assert "none prefers a place beyond noise" in page


def test_names_divide_after_a_slash_and_nowhere_else() -> None:
    one = in_domains(judges=1)
    names = {"judge 0": "GPT/Swap_<b>CoT</b>"}
    orders = one.metadata["orders"].str.replace("judge 0", names["judge 0"], literal=True)
    page = render_judges(
        judge_quality(
            Preferences(
                one.pairs, one.verdicts.rename(names), pl.DataFrame({"orders": orders}),
                one.json_metadata,
            ),
            reference="people",
        )
    )  # fmt: skip
    assert "GPT/<wbr>Swap_<wbr>&lt;b&gt;CoT&lt;/<wbr>b&gt;" in page
    assert "<b>CoT" not in page


def test_without_a_reference_or_orders_there_are_no_such_figures() -> None:
    preferences = in_domains()
    page = render_judges(judge_quality(preferences, ["judge 0"]))
    assert 'id="accuracy"' not in page
    assert 'id="place"' in page
    bare = judge_quality(Preferences(preferences.pairs, preferences.verdicts), reference="people")
    page = render_judges(bare)
    assert 'id="accuracy"' in page
    assert 'id="place"' not in page
    assert "No verdicts by order" in page
    nothing = render_judges(judge_quality(Preferences(preferences.pairs, preferences.verdicts)))
    assert "Nothing is recorded of it but its verdicts." in nothing


def test_hostile_names_are_text() -> None:
    n = 60
    random = np.random.default_rng(0)
    preferences = Preferences(
        pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(n)],
                "domain": [hostile(f"d{i % 3}") for i in range(n)],
                "prompt": [f"q{i}" for i in range(n)],
                "response_a": ["a"] * n,
                "response_b": [f"b{i}" for i in range(n)],
            }
        ),
        pl.DataFrame(
            {hostile(f"judge {j}"): random.choice([1.0, 0.0, -1.0], size=n) for j in range(3)}
        ),
    )
    reference, *_ = preferences.mechanisms
    found = judge_quality(preferences, reference=reference)
    page = render_judges(found, title=HOSTILE, run={HOSTILE: HOSTILE}, notes=[HOSTILE])
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: see tests/report/test_browser.py")
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_violation(browser, quality, tmp_path, scheme, viewport):  # noqa: F811
    path = write_judges(quality, tmp_path / "j.html", run={"a": 1})
    settings = {"color_scheme": scheme, "viewport": viewport, "bypass_csp": True}
    with opened(browser, path, **settings) as page:
        assert violations(page) == []
        across = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert across <= 0
