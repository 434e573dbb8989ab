"""A typical answer of a judge, for counting what a run would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from palate.llm.dry import typical_answer as by_schema
from palate.llm.request import Request

REASONS = (
    "The request asks for three likely causes and rules one remedy out. Response 1 names three, "
    "each with how it comes about and what to do, and keeps to the number. Response 2 names three "
    "as well, opens with the most likely one and is easier to follow, but one of its explanations "
    "is doubtful: the powder that it blames does not do what it says. Both are complete and keep "
    "the constraint. Response 1 is dry and hedges where a plain word would do, which costs it "
    "little; the doubtful statement weighs more, because somebody would act on it. So response 1 "
    "is better."
)


def typical_answer(request: Request) -> Mapping[str, Any]:
    """Return an answer of the usual length that the schema of a request allows.

    Parameters
    ----------
    request
        A question of a judge.
    """
    value = dict(by_schema(request.schema))
    if "reasons" in value:
        value["reasons"] = REASONS
    return value
