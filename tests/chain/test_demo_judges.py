"""The demo's judges: what was expected of their explanations beforehand, and what was found.

`docs/demo_judges.md` holds both. The expectations were committed before the judges were explained;
this reads them from the page, explains the judges, and checks that the page says what is found.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

import palate
from palate.concepts.gather import gather
from palate.concepts.matrix import ConceptMatrix
from palate.data.demo import demo_paths
from palate.data.preferences import Preferences
from palate.explanations.explanation import Explanation
from palate.inference.discoveries import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "demo_judges.md"
HIGH = 5  # places from either end that count as high
STYLE = ("Warmth", "Humour", "Itemised layout", "Confidence", "Upfront answer",
         "Technical vocabulary")  # fmt: skip

pytestmark = pytest.mark.slow


class Found(NamedTuple):
    """A concept of one judge: place among the shared ones, lift in per cent, what is supported."""

    place: int
    lift: float
    everywhere: bool
    somewhere: bool


@pytest.fixture(scope="module")
def demo() -> tuple[Preferences, ConceptMatrix]:
    preferences, paths = palate.load_demo(), demo_paths()
    return preferences, gather(preferences, concepts=paths.concepts, values=paths.values).matrix


@pytest.fixture(scope="module")
def found(demo: tuple[Preferences, ConceptMatrix]) -> dict[str, dict[str, Found]]:
    return {e.mechanism: of(e) for e in palate.explain_all(*demo, n_jobs=1)}


def of(explanation: Explanation) -> dict[str, Found]:
    table = explanation.to_frame()
    shared = table.filter(scope="everywhere").sort("estimate", descending=True)
    held = (Verdict.EVERYWHERE, Verdict.HERE, Verdict.DIFFERS)
    return {
        row["concept"]: Found(
            place,
            row["lift"],
            row["verdict"] == Verdict.EVERYWHERE,
            table.filter(concept=row["concept"])["verdict"].is_in(held).any(),
        )
        for place, row in enumerate(shared.iter_rows(named=True), 1)
    }


def cells(heading: str, columns: int) -> list[list[str]]:
    """Return the rows of the first table of so many columns below a heading of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(heading)[2]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("|")]  # fmt: skip
    wanted = [row for row in rows if len(row) == columns]
    return wanted[2:]


def expected() -> list[tuple[str, str, str]]:
    """Return judge, sign and concept of everything that must rank high."""
    out = []
    for judge, concepts in cells("**The rule.**", 2):
        for item in concepts.split(", "):
            sign, _, concept = item.partition(" ")
            out.append((judge, sign, concept))
    return out


def ranks_high(sign: str, said: Found, n: int = 16) -> bool:
    if sign == "+":
        return said.place <= HIGH and said.lift > 0
    return said.place > n - HIGH and said.lift < 0


def test_the_page_says_what_is_found(found: dict[str, dict[str, Found]]) -> None:
    lines = []
    for judge, sign, concept in expected():
        said = found[judge][concept]
        support = "everywhere" if said.everywhere else "in a domain" if said.somewhere else "no"
        lift = f"{'+' if said.lift > 0 else '−'}{abs(said.lift):.0f} %"
        high = "yes" if ranks_high(sign, said) else "**no**"
        lines.append([judge, f"{sign} {concept}", str(said.place), lift, support, high])
    assert len(lines) == 20
    assert cells("## What was found", 6) == lines, "\n".join(f"| {' | '.join(x)} |" for x in lines)


def test_fifteen_of_twenty_rank_high_and_all_have_the_expected_sign(
    found: dict[str, dict[str, Found]],
) -> None:
    missed = {
        (judge, concept)
        for judge, sign, concept in expected()
        if not ranks_high(sign, found[judge][concept])
    }
    assert missed == {
        ("skimmer", "Actionability"),
        ("expert", "Causal explanation"),
        ("expert", "Technical vocabulary"),
        ("coach", "Fallback option"),
        ("coach", "Actionability"),
    }
    for judge, sign, concept in expected():
        assert (found[judge][concept].lift > 0) == (sign == "+")


def test_what_else_was_expected(found: dict[str, dict[str, Found]]) -> None:
    lift = {(j, c): said.lift for j, of_j in found.items() for c, said in of_j.items()}

    def first(concept: str, *, least: bool = False) -> str:
        return (min if least else max)(found, key=lambda judge: lift[judge, concept])

    assert not any(found["checker"][c].everywhere for c in STYLE)  # 1
    assert first("Factual soundness", least=True) == "skimmer"  # 2
    assert first("Constraint compliance", least=True) == "skimmer"
    assert first("Warmth") == "coach"  # 3
    assert lift["coach", "Factual soundness"] > 0
    assert first("Technical vocabulary") == "expert"  # 4, of which the second half fails:
    assert lift["expert", "Confidence"] == pytest.approx(0, abs=2)
    # not expected: a judge who "does not count" rewards constraints more than anything else
    assert found["skimmer"]["Constraint compliance"].place == 1


def test_every_two_of_the_five_are_told_apart(demo: tuple[Preferences, ConceptMatrix]) -> None:
    preferences, matrix = demo
    listed = {}
    for a, b in itertools.combinations(preferences.mechanisms, 2):
        comparison = palate.compare(preferences, a, b, matrix, n_jobs=1)
        supported = comparison.supported()
        assert supported.height, f"{a} and {b}"
        top = supported.row(0, named=True)
        same = comparison.agreement.filter(domain="(all pairs)")["agreement"][0]
        more = a if top["lift"] > 0 else b
        listed[f"{a}, {b}"] = [f"{100 * same:.0f} %", str(supported.height),
                               f"{top['concept']} ({more} more)"]  # fmt: skip
    assert {row[0]: row[1:] for row in cells("## Told apart", 4)} == listed, "\n".join(
        f"| {couple} | {' | '.join(rest)} |" for couple, rest in listed.items()
    )


def test_the_page_names_concepts_that_exist(demo: tuple[Preferences, ConceptMatrix]) -> None:
    names = set(demo[1].names)
    assert {concept for _, _, concept in expected()} <= names
    assert not re.search(r"\bTODO\b", PAGE.read_text(encoding="utf-8"))
