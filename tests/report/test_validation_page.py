"""The page of a validation: complete in itself, escaped, and true to the tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from palate.report.validation_page import render_validation, write_validation
from palate.validate.questions import Question
from palate.validate.ratings import Ratings
from palate.validate.validation import Validation, validate

HOSTILE = "<script>alert(1)</script>\u202e"


def found(*, concepts: int = 2, models: bool = True) -> Validation:
    rng = np.random.default_rng(0)
    questions = []
    for k in range(concepts):
        truth = rng.integers(-1, 2, 40).astype(float)
        values = np.where(rng.random((40, 3)) < 0.8, truth[:, None], rng.integers(-1, 2, (40, 3)))
        people = Ratings((HOSTILE, "ben", "cy"), values, np.arange(40))
        said = {f"judge {HOSTILE}": truth} if models else {}
        questions.append(Question(f"concept {k} {HOSTILE}", people, said))
    return validate(questions, notes=[HOSTILE])


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]).split())


def test_the_page_shows_the_tables_and_runs_nothing(tmp_path: Path) -> None:
    validation = found()
    page = render_validation(validation, run={"file": HOSTILE})
    assert "<script" not in page
    assert "\u202e" not in page
    assert "http" not in page.replace("http-equiv", "")
    text = text_of(page)
    assert "built-in" not in text
    assert text.count("beaten") >= 3
    assert "passes, 3 of 3" in text
    assert "By concept" in text
    alpha = validation.agreement.filter(
        question="all concepts", between="people", measure="Krippendorff's alpha"
    ).row(0, named=True)
    assert f"{alpha['value']:.2f}" in text
    assert f"{alpha['low']:.2f} to {alpha['high']:.2f}" in text
    path = write_validation(validation, tmp_path / "v.html", title="People")
    assert "<title>People</title>" in path.read_text(encoding="utf-8")


def test_people_alone_and_one_question() -> None:
    text = text_of(render_validation(found(concepts=1, models=False)))
    assert "By concept" not in text
    assert "Alternative annotator test Each" not in text
    assert "Agreement" in text
    text = text_of(render_validation(found(concepts=2, models=False)))
    assert "By concept" in text


def test_the_drawing_stays_inside() -> None:
    page = render_validation(found())
    places = [float(x) for x in re.findall(r'(?:cx|x1|x2)="(-?[0-9.]+)%"', page)]
    assert places
    assert all(0 <= x <= 100 for x in places)
