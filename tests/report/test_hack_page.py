"""The page of a judge hack: what it says, and that no text of strangers gets out of its place."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from palate.actions.exploitable import EXPLOITABLE
from palate.actions.generate import Task, Written
from palate.actions.hack_rates import (
    ANOTHER,
    ANTI,
    EXPLAINED,
    MATCHED,
    RANDOM,
    RATES,
    VANILLA,
    Match,
    alone_table,
    length_table,
    rate_table,
)
from palate.actions.hack_result import CHOSEN, MATCHES, RESPONSES, Hack
from palate.report.hack_page import render_hack, write_hack

EVIL = '</td><script>alert(1)</script>"\x1b[31m\u202e=1+1'


def made(domain: str = "cooking", name: str = "Warmth", text: str = "a response") -> Hack:
    """A hack of twelve prompts in two domains, all of whose texts can be chosen."""
    arms = (VANILLA, EXPLAINED, RANDOM, ANTI, ANOTHER, MATCHED, f"only {name}")
    written, matches = [], []
    verdicts = {EXPLAINED: 1.0, RANDOM: 0.0, ANTI: -1.0, ANOTHER: 0.0, f"only {name}": 1.0}
    for i in range(12):
        where = domain if i % 2 else "travel"
        for arm in arms:
            written.append(Written(Task(f"p{i}", where, arm, f"prompt {text}"), f"{text} {arm}"))
        for arm, verdict in verdicts.items():
            matches.append(Match(f"p{i}", where, arm, VANILLA, verdict, arm == RANDOM))
        matches.append(Match(f"p{i}", where, EXPLAINED, MATCHED, 1.0, False))
    effect = {
        "estimate": 0.8,
        "low": 0.5,
        "high": 1.1,
        "lift": 38.0,
        "verdict": "supported everywhere",
    }
    numbers = {k: 0.5 for k, kind in EXPLOITABLE.items() if kind == pl.Float64}
    row = {"concept": name, "scope": "everywhere", "aim": "less", "verdict": "supported everywhere"}
    return Hack(
        mechanism=f"judge {text}",
        reference="people",
        domains=("travel", domain),
        chosen=pl.DataFrame(
            [
                {"domain": d, "concept": name, "aim": "less", "text": text} | effect
                for d in ("travel", domain)
            ],
            schema=CHOSEN,
        ),
        rates=rate_table(matches, level=0.9),
        alone=alone_table(matches, level=0.9),
        lengths=length_table(written),
        exploitable=pl.DataFrame([row | numbers | {"exploitable": True}], schema=EXPLOITABLE),
        responses=pl.DataFrame(
            [
                {
                    "prompt_id": w.task.prompt_id,
                    "domain": w.task.domain,
                    "arm": w.task.arm,
                    "prompt": w.task.prompt,
                    "criteria": [{"name": name, "text": text, "aim": "less"}],
                    "words": w.words,
                    "response": w.text,
                    "failure": "",
                }
                for w in written
            ],
            schema=RESPONSES,
        ),
        matches=pl.DataFrame(
            [
                {
                    "prompt_id": m.prompt_id,
                    "domain": m.domain,
                    "arm": m.arm,
                    "against": m.against,
                    "verdict": m.verdict,
                    "flips": m.flips,
                    "failure": "",
                }
                for m in matches
            ],
            schema=MATCHES,
        ),
        counts={"prompts": 12, "responses": 84},
        notes=(f"A note {text}.",),
        settings={
            "level": 0.9,
            "reference_level": 0.9,
            "max_words": 300,
            "mode": "zero-shot",
            "judge": None,
            "generator": f"model {text}",
        },
    )


class Reader(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)


def read(page: str) -> Reader:
    """The page, read."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def test_the_page_says_what_was_found(tmp_path: Path) -> None:
    path = write_hack(made(), tmp_path / "hack.html", run={"seed": 3})
    page = path.read_text(encoding="utf-8")
    text = " ".join(" ".join(read(page).words).split())
    assert "the win rate is 100" in text.replace("\u00a0", " ")
    for words in (
        "explained",
        "random, by prompt",
        "vanilla as long",
        "only Warmth",
        "less Warmth",
    ):
        assert words in text, words
    assert "what it rewards more than people does: less Warmth" in text
    assert "The judge prefers the explained one." in text
    assert "<.001" in text
    assert "default-src 'none'" in page
    assert len(re.findall('<details class="pair">', page)) == 2
    assert 'aria-label="explained against vanilla: win rate 100 %' in page


@pytest.mark.parametrize("place", ["domain", "name", "text"])
def test_hostile_texts_stay_texts(place: str) -> None:
    harmless = read(render_hack(made()))
    page = render_hack(made(**{place: EVIL}), notes=[EVIL], run={"file": EVIL})
    found = read(page)
    assert "script" not in found.tags
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert set(found.tags) <= {*harmless.tags, "details", "summary", "dl", "dt", "dd"}


def test_a_page_without_reference_failures_or_second_domain_is_made() -> None:
    full = made()
    one = replace(
        full,
        reference=None,
        domains=("travel",),
        alone=pl.DataFrame(schema=RATES),
        exploitable=pl.DataFrame(schema=EXPLOITABLE),
        matches=full.matches.with_columns(verdict=None),
    )
    page = render_hack(one)
    assert "What can be exploited" not in page
    assert "By domain" not in page
    assert "The judge gave no answer." in page
