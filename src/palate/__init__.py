"""Palate explains preferences: what people, LLM judges and reward models actually reward.

    preferences = palate.read("votes.jsonl")
    explanation = palate.explain(preferences, mechanism="human")
    print(explanation)

Names are imported when first used, so that `import palate` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from palate.actions.hack import hack as hack
    from palate.actions.hack_result import Hack as Hack
    from palate.actions.ties import break_ties as break_ties
    from palate.actions.ties_result import TieBreaks as TieBreaks
    from palate.concepts.annotation.annotate import annotate as annotate
    from palate.concepts.annotation.annotation import Annotation as Annotation
    from palate.concepts.concept import Concept as Concept
    from palate.concepts.discovery.discover import discover as discover
    from palate.concepts.imported import read_concepts as read_concepts
    from palate.concepts.matrix import ConceptMatrix as ConceptMatrix
    from palate.concepts.measured import measure as measure
    from palate.data.demo import load_demo as load_demo
    from palate.data.formats import read as read
    from palate.data.formats import write as write
    from palate.data.preferences import Preferences as Preferences
    from palate.errors import PalateError as PalateError
    from palate.explanations.comparison import Comparison as Comparison
    from palate.explanations.comparison_build import compare as compare
    from palate.explanations.comparison_matrix import ComparisonMatrix as ComparisonMatrix
    from palate.explanations.comparison_matrix import compare_all as compare_all
    from palate.explanations.explain import explain as explain
    from palate.explanations.explain import explain_all as explain_all
    from palate.explanations.explanation import Explanation as Explanation
    from palate.explanations.plan import plan as plan
    from palate.explanations.plan_result import Plan as Plan
    from palate.explanations.protocol import evaluate as evaluate
    from palate.explanations.protocol_result import Evaluation as Evaluation
    from palate.llm.connect import connect as connect
    from palate.mechanisms.judge import judge as judge
    from palate.mechanisms.judgement import Judgement as Judgement
    from palate.mechanisms.rating import rate as rate
    from palate.mechanisms.reward.scoring import score as score
    from palate.mechanisms.scored import Scored as Scored
    from palate.mechanisms.style import JudgeStyle as JudgeStyle
    from palate.models.hmdr import HMDR as HMDR
    from palate.models.hmdr_cv import HMDRCV as HMDRCV
    from palate.report.html import write_report as write_report
    from palate.validate.judge_quality import judge_quality as judge_quality
    from palate.validate.judge_quality_result import JudgeQuality as JudgeQuality
    from palate.validate.validation import Validation as Validation

__version__ = "0.1.0"

_HOME = {
    "Annotation": "palate.concepts.annotation.annotation",
    "Comparison": "palate.explanations.comparison",
    "ComparisonMatrix": "palate.explanations.comparison_matrix",
    "Concept": "palate.concepts.concept",
    "ConceptMatrix": "palate.concepts.matrix",
    "Evaluation": "palate.explanations.protocol_result",
    "Explanation": "palate.explanations.explanation",
    "HMDR": "palate.models.hmdr",
    "HMDRCV": "palate.models.hmdr_cv",
    "Hack": "palate.actions.hack_result",
    "JudgeQuality": "palate.validate.judge_quality_result",
    "JudgeStyle": "palate.mechanisms.style",
    "Judgement": "palate.mechanisms.judgement",
    "PalateError": "palate.errors",
    "Plan": "palate.explanations.plan_result",
    "Preferences": "palate.data.preferences",
    "Scored": "palate.mechanisms.scored",
    "TieBreaks": "palate.actions.ties_result",
    "Validation": "palate.validate.validation",
    "annotate": "palate.concepts.annotation.annotate",
    "break_ties": "palate.actions.ties",
    "compare": "palate.explanations.comparison_build",
    "compare_all": "palate.explanations.comparison_matrix",
    "connect": "palate.llm.connect",
    "discover": "palate.concepts.discovery.discover",
    "evaluate": "palate.explanations.protocol",
    "explain": "palate.explanations.explain",
    "explain_all": "palate.explanations.explain",
    "hack": "palate.actions.hack",
    "judge": "palate.mechanisms.judge",
    "judge_quality": "palate.validate.judge_quality",
    "load_demo": "palate.data.demo",
    "measure": "palate.concepts.measured",
    "plan": "palate.explanations.plan",
    "rate": "palate.mechanisms.rating",
    "read": "palate.data.formats",
    "read_concepts": "palate.concepts.imported",
    "score": "palate.mechanisms.reward.scoring",
    "write": "palate.data.formats",
    "write_report": "palate.report.html",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'palate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
