"""The report in a real browser: offline, accessible, operable, harmless.

Uses Debian's Chromium (or the one in PALATE_CHROMIUM) through Playwright, and axe-core.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import palate
from palate.inference.discoveries import Verdict
from palate.report.effect_words import SYMBOLS, effect_details, effect_sentence
from palate.report.effects import effects
from palate.report.html import write_report
from tests.annotation.test_annotation_files import planted as annotated
from tests.report.conftest import planted
from tests.report.test_report_file import HOSTILE, hostile

CHROMIUM = os.environ.get("PALATE_CHROMIUM") or shutil.which("chromium")
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PATIENCE = 120_000  # milliseconds, on the busiest machine
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}

WORDS = re.compile(r"[−+]?\d+(?:\.\d+)?|over 99(?:\.9)?|under 1")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None or not Path(CHROMIUM).is_file(),
        reason="no Chromium: install Debian's chromium or set PALATE_CHROMIUM to its path",
    ),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    explanations, preferences = planted(n_mechanisms=4, n_concepts=20, n_pairs=60)
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_report(explanations, preferences, path, run={"seed": 0})


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory) -> Path:
    explanations, preferences = planted(text=hostile, name=hostile)
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    return write_report(explanations, preferences, path, title=HOSTILE, run={HOSTILE: HOSTILE})


@contextmanager
def opened(browser, path: Path, *, fragment: str = "", **settings) -> Iterator:
    """Open a file, refuse and record every other request, and fail on any error in the console."""
    context = browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce", **settings})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []

    def route(request_route):
        asked.append(request_route.request.url)
        if request_route.request.url.startswith("file:"):
            request_route.continue_()
        else:
            request_route.abort()

    page.route("**/*", route)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri() + fragment)
    yield page
    assert said == []
    assert {url.split("#")[0] for url in asked} == {path.as_uri()}
    context.close()


def numbers(sentence: str) -> list[float]:
    words = {"over 99": "100", "over 99.9": "100", "under 1": "0"}
    return [float(words.get(x, x).replace("−", "-")) for x in WORDS.findall(sentence)]


def violations(page) -> list[str]:
    page.evaluate(
        "for (const d of [...document.querySelectorAll('details')].slice(0, 3)) d.open = true"
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then((r) => r.violations)")
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


def open_all(page):
    """Open everything that can be, and wait for the pairs, whose bodies are built when opened."""
    for summary in page.locator("summary").all():
        summary.click()
    for pair in page.locator("#pairs details").all():
        pair.locator(".body").wait_for(state="attached")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_violation(browser, report, scheme, viewport):
    settings = {"color_scheme": scheme, "viewport": viewport, "bypass_csp": True}
    with opened(browser, report, fragment="#m=judge+1&d=domain+2", **settings) as page:
        assert violations(page) == []


def test_no_request_and_no_error_offline_while_everything_is_used(browser, report):
    with opened(browser, report, offline=True) as page:
        for selector in ("#mechanism", "#domain"):
            page.select_option(selector, index=2)
        names = page.locator("button.plain").evaluate_all("(all) => all.map((x) => x.id)")
        assert len(names) == 6
        for name in names:
            page.locator(f"#{name}").dispatch_event("click")
        open_all(page)
        for link in page.locator("nav a").all():
            link.click()


def test_every_bar_can_be_reached_and_says_its_sentence(browser, report):
    explanations, _ = planted(n_mechanisms=4, n_concepts=20, n_pairs=60)
    with opened(browser, report, fragment="#m=judge+2&d=domain+1") as page:
        page.click("#all")
        buttons = page.locator("#lift-chart button.concept")
        expected = effects(explanations[2], domain="domain 1")
        assert {e.verdict for e in expected} == {v.value for v in Verdict} - {Verdict.UNRELIABLE}
        assert buttons.count() == len(expected)
        page.locator("#supported").focus()
        for effect, button in zip(expected, buttons.all(), strict=False):
            page.keyboard.press("Tab")
            assert button.evaluate("(x) => x === document.activeElement")
            sentence = effect_sentence(effect, explanations[2])
            more = effect_details(effect, explanations[2])
            definition = explanations[2].concepts.concepts[effect.index].definition
            spoken = button.locator(".vh").text_content()
            shown = page.locator("#readout").inner_text().replace("\u00a0", " ")
            below = page.locator("#readout-more").inner_text().replace("\u00a0", " ")
            assert spoken.startswith(": " + shown)
            assert below.endswith(definition)
            for here, there in ((shown, sentence), (below.removesuffix(" " + definition), more)):
                assert WORDS.sub("#", here) == WORDS.sub("#", there)
                # The file holds thousandths, so a rounded number may differ by one.
                for one, other in zip(numbers(here), numbers(there), strict=True):
                    assert one == pytest.approx(other, abs=1)


def test_a_bar_stands_only_where_something_is_supported(browser, report):
    explanations, _ = planted(n_mechanisms=4, n_concepts=20, n_pairs=60)
    for fragment, domain in (("#m=judge+2", None), ("#m=judge+2&d=domain+1", "domain 1")):
        expected = effects(explanations[2], domain=domain)
        with opened(browser, report, fragment=fragment) as page:
            page.click("#all")
            rows = page.locator("#lift-chart tbody tr").all()
            for effect, row in zip(expected, rows, strict=True):
                assert row.locator("svg rect.fill").count() == effect.supported
                assert row.locator(".mark.hollow").count() == (not effect.own)
                assert row.locator("td.verdict .symbol").inner_text() == SYMBOLS[effect.verdict]
            page.click("#supported")
            rows = page.locator("#lift-chart tbody tr")
            assert rows.count() == sum(e.supported for e in expected)


def test_a_cell_of_the_domains_says_its_sentence(browser, report):
    with opened(browser, report, fragment="#m=judge+2") as page:
        page.click("#heat-all")
        table = page.locator("#heat")
        assert table.locator("td.held button").count() > 5
        for verdict in (0, 1, 2):
            cell = table.locator(f"td.held.v{verdict} button").first
            cell.focus()
            said = page.locator("#heat-read").inner_text().replace("\u00a0", " ")
            assert cell.locator(".vh").text_content() == ": " + said
            assert said.endswith("; " + [v.value for v in Verdict][verdict] + ".")
        assert table.locator("td.rest button, td.same button").count() == 0
        assert "%" not in "".join(table.locator("td.rest").all_inner_texts())
        page.click("#heat-rest")
        numbers_shown = table.locator("td.rest").all_inner_texts()
        assert sum("+" in x or "−" in x for x in numbers_shown) > len(numbers_shown) / 2


def test_selectors_change_the_view_announce_it_and_keep_a_link(browser, report):
    explanations, _ = planted(n_mechanisms=4, n_concepts=20, n_pairs=60)
    with opened(browser, report) as page:
        assert (
            page.locator("#lift-chart caption").inner_text() == "judge 0, everywhere: lift per step"
        )
        page.locator("#mechanism").focus()
        page.keyboard.press("ArrowDown")
        page.select_option("#domain", label="domain 2")
        assert (
            page.locator("#lift-chart caption").inner_text() == "judge 1, domain 2: lift per step"
        )
        assert page.locator("#announce").inner_text().startswith("judge 1, domain 2: 12 of ")
        assert page.locator("#heat caption").inner_text().startswith("judge 1")
        assert page.locator("#by-domain caption").text_content().startswith("judge 1")
        assert page.locator("#baselines caption").text_content().startswith("judge 1")
        assert page.evaluate("location.hash") == "#m=judge+1&d=domain+2"
        held = [v for v in explanations[1].shared.verdict if v == Verdict.EVERYWHERE]
        assert 0 < len(held) <= page.locator("#heat tbody tr").count() <= 15
        page.click("#heat-all")
        assert page.locator("#heat tbody tr").count() == 20


def test_a_link_opens_the_right_view(browser, report):
    with opened(browser, report, fragment="#m=judge%203&d=domain%200") as page:
        assert (
            page.locator("#lift-chart caption").inner_text() == "judge 3, domain 0: lift per step"
        )
        assert page.locator("#mechanism").input_value() == "3"


def test_search_filters_concepts_and_pairs(browser, report):
    with opened(browser, report) as page:
        page.fill("#find-concept", "definition 1")
        assert page.locator("#concept-table tbody tr:visible").count() == 11  # 1 and 10 to 19
        assert page.locator("#found-concepts").inner_text() == "11 of 20 concepts"
        total = page.locator("#pairs details").count()
        page.select_option("#kind", "miss")
        assert page.locator("#pairs details").count() == 4 < total
        page.select_option("#kind", "")
        page.fill("#find-pair", "no pair says this")
        assert page.locator("#pairs details").count() == 0


def test_a_pair_shows_texts_and_contributions_that_sum(browser, report):
    with opened(browser, report) as page:
        page.locator("#pairs summary").first.click()
        body = page.locator("#pairs .body").first
        body.wait_for()  # it is built when the browser tells that the pair was opened
        assert body.locator(".text").count() == 3
        parts = body.locator(".local tbody tr td:last-child").all_inner_texts()
        numbers = [float(x.replace("−", "-")) for x in parts]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.05)


def test_hostile_texts_do_nothing(browser, hostile_report):
    with opened(browser, hostile_report) as page:
        page.select_option("#mechanism", index=1)
        open_all(page)
        assert page.title().startswith("</script><script>")  # the text itself, not "owned"
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
        text = page.locator("#pairs .text").first
        assert "</script><script>" in text.inner_text()
        assert "␀" in text.inner_text()
        assert "⟦RLO⟧" in text.inner_text()
        assert text.evaluate("(x) => getComputedStyle(x).unicodeBidi") == "isolate"


@pytest.mark.slow
def test_hostile_texts_are_accessible_too(browser, hostile_report):
    with opened(browser, hostile_report, bypass_csp=True, viewport=PHONE) as page:
        assert violations(page) == []


@pytest.mark.parametrize("which", ["report", "hostile_report"])
def test_a_phone_never_scrolls_sideways(browser, which, request):
    with opened(browser, request.getfixturevalue(which), viewport=PHONE) as page:
        open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_it_is_readable_without_a_script(browser, report):
    with opened(browser, report, java_script_enabled=False) as page:
        text = page.locator("body").inner_text()
        for part in ("Rewards", "The concepts", "Data and method", "judge 3: lift per step"):
            assert part in text
        assert page.locator("select:visible, button:visible, input:visible").count() == 0


def test_printed_everything_is_open_and_nothing_is_a_control(browser, report):
    with opened(browser, report) as page:
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert (
            page.locator("select:visible, button.plain:visible, input:visible, nav:visible").count()
            == 0
        )
        assert (
            page.locator("#pairs .text:visible").count()
            == 3 * page.locator("#pairs details").count()
        )


@pytest.mark.slow
def test_one_mechanism_in_one_domain_has_a_report_too(browser, tmp_path):
    explanations, preferences = planted(n_mechanisms=1, n_domains=1)
    path = write_report(explanations, preferences, tmp_path / "small.html")
    with opened(browser, path, bypass_csp=True) as page:
        assert page.title() == "What judge 0 rewards"
        assert page.locator("#side-by-side").count() == 0
        page.select_option("#domain", index=1)
        assert violations(page) == []


def test_the_likeness_of_mechanisms_stands_in_the_report_with_and_without_a_script(
    browser, tmp_path
):
    explanations, preferences = planted(n_mechanisms=4, n_pairs=60)
    found = palate.compare_all(preferences, explanations[0].concepts)
    path = tmp_path / "alike.html"
    write_report(explanations, preferences, path, comparison=found)
    for settings in ({"bypass_csp": True}, {"java_script_enabled": False}):
        with opened(browser, path, **settings) as page:
            assert page.locator("#likeness td:visible").count() == 16
            assert page.locator("#agree").count() == 0
            if "bypass_csp" in settings:
                assert violations(page) == []


@pytest.mark.slow
def test_many_mechanisms_stay_light(browser, tmp_path):
    explanations, preferences = planted(n_mechanisms=35, n_domains=13, n_concepts=60, n_pairs=120)
    path = write_report(explanations, preferences, tmp_path / "large.html")
    with opened(browser, path) as page:
        page.click("#side-all")
        assert page.evaluate("document.querySelectorAll('*').length") < 15_000
        took = page.evaluate(
            "() => { const t = performance.now(); const s = document.querySelector('#mechanism');"
            "s.value = '20'; s.dispatchEvent(new Event('change')); return performance.now() - t; }"
        )
        assert took < 1000


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_long_name_leaves_the_table_of_the_annotation_readable(browser, tmp_path, viewport):
    explanations, preferences = planted(n_mechanisms=1, n_concepts=3, n_pairs=60)
    made = annotated(palate.load_demo(), only=slice(4))
    long = replace(made.matrix.concepts[0], name="W" * 300)
    made = replace(made, matrix=replace(made.matrix, concepts=(long, *made.matrix.concepts[1:])))
    path = write_report(explanations, preferences, tmp_path / "report.html", annotation=made)
    with opened(browser, path, viewport=viewport) as page:
        cells = page.locator("#annotation table").first.locator("tbody td")
        right = max(cell["x"] + cell["width"] for cell in (c.bounding_box() for c in cells.all()))
        assert right <= viewport["width"]
