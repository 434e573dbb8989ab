"""The public list of names is pinned: adding or losing one is a decision, made here."""

from __future__ import annotations

import subprocess
import sys

import pytest

import palate
from palate import _HOME

PUBLIC = [
    "Annotation",
    "Comparison",
    "ComparisonMatrix",
    "Concept",
    "ConceptMatrix",
    "Evaluation",
    "Explanation",
    "HMDR",
    "HMDRCV",
    "Hack",
    "JudgeQuality",
    "JudgeStyle",
    "Judgement",
    "PalateError",
    "Plan",
    "Preferences",
    "Scored",
    "TieBreaks",
    "Validation",
    "__version__",
    "annotate",
    "break_ties",
    "compare",
    "compare_all",
    "connect",
    "discover",
    "evaluate",
    "explain",
    "explain_all",
    "hack",
    "judge",
    "judge_quality",
    "load_demo",
    "measure",
    "plan",
    "rate",
    "read",
    "read_concepts",
    "score",
    "write",
    "write_report",
]


def test_the_public_names_are_these() -> None:
    assert sorted(palate.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(palate))


def test_every_name_has_one_home_and_can_be_imported() -> None:
    for name in PUBLIC:
        if name == "__version__":
            continue
        thing = getattr(palate, name)
        home = _HOME[name]
        assert f"{thing.__module__}.".startswith(f"{home}."), f"{name} is in {thing.__module__}"


def test_an_unknown_name_raises_and_says_so() -> None:
    with pytest.raises(AttributeError, match="explian"):
        palate.explian  # noqa: B018


def test_explain_stays_the_function_whatever_is_imported_first() -> None:
    # a room of the same name would take the function's place in the package
    code = (
        "import palate, palate.cli.explain, palate.explanations, palate.explanations.explain;"
        "print(callable(palate.explain), palate.explain.__name__)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "explain"]
