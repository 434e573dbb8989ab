"""`Criterion`: something that a model is told to look for, or to write more or less of.

Criteria stand in the system message on one line of JSON, so that nothing in them can be mistaken
for a line of the message, and so that prefix caches hit:

    Criteria: [{"name": "Warm tone", "text": "is warm and kind", "aim": "more"}]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from palate.data.shown import clean
from palate.llm.prompt import one_line

Aim = Literal["more", "less"]
HEAD = "Criteria: "


@dataclass(frozen=True)
class Criterion:
    """Something to look for in a response.

    Parameters
    ----------
    name
        Its name.
    text
        What a response looks like that has it as the aim says.
    aim
        Whether more or less of it is wanted.
    """

    name: str
    text: str
    aim: Aim = "more"


def criteria_line(criteria: Sequence[Criterion]) -> str:
    """Return the line of a system message that holds criteria.

    Parameters
    ----------
    criteria
        The criteria, in the order in which they are to be read.
    """
    rows = [
        {"name": one_line(clean(c.name)[0]), "text": one_line(clean(c.text)[0]), "aim": c.aim}
        for c in criteria
    ]
    return HEAD + json.dumps(rows, ensure_ascii=False)
