"""`JudgeStyle`: how a judge is asked, everything but the model and the pair.

    JudgeStyle()                                            which response is better
    JudgeStyle("cot", persona="checker")                    reasons first, as a strict checker
    JudgeStyle(criteria=(Criterion("Warmth", "is warm"),))  better by these criteria
    JudgeStyle("k-shot", examples=(Example(...), ...))      after examples with the right answers

The mode says how the answer comes about; persona, rubric and criteria say what better means and
go with every mode, one of each at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from palate.data.shown import clean
from palate.errors import InputError, UnknownNameError
from palate.llm.prompt import one_line
from palate.mechanisms.criteria import Criterion, criteria_line
from palate.mechanisms.personas import HEAD, PERSONAS

Mode = Literal["zero-shot", "cot", "k-shot"]
Wanted = Literal["better", "follows"]
Word = Literal["first", "second"]

STANDARD = (
    "Better is the response that serves the user better overall: it follows the request, is "
    "accurate, helps, and is well written."
)
CRITERIA = (
    "Better is the response that meets these criteria better. Each has a name, what it looks like, "
    'and an aim: "more" of it is wanted, or "less".'
)
FOLLOWS = 'Each criterion has a name, what it looks like, and an aim: "more" or "less" of it.'
RUBRIC = "Better is the response that does better by this rubric:"
READER = "Judge as this reader, in whose words better means:"


@dataclass(frozen=True)
class Example:
    """A pair with the right answer, shown before the pair that is judged.

    Parameters
    ----------
    prompt
        The request.
    first
        The response that is shown first.
    second
        The other one.
    verdict
        Which of them is better: "first" or "second".
    """

    prompt: str
    first: str
    second: str
    verdict: Word


@dataclass(frozen=True)
class JudgeStyle:
    """How a judge is asked.

    Parameters
    ----------
    mode
        "zero-shot" asks for the verdict, "cot" for reasons before it, "k-shot" shows `examples`
        first.
    persona
        Whose place the judge takes: a name of `PERSONAS`, or an instruction of several words.
    rubric
        A text that says what better means.
    criteria
        What better means, one by one.
    question
        "better" asks which response is better, "follows" which one follows the criteria better.
    ties
        Whether a tie is an answer; "follows" always has "equal".
    examples
        Pairs with their right answers, for the mode "k-shot".

    Raises
    ------
    InputError
        If the parts contradict each other or one is empty.
    UnknownNameError
        If there is no such mode, or the persona is one word and none of `PERSONAS`.
    """

    mode: Mode = "zero-shot"
    persona: str | None = None
    rubric: str | None = None
    criteria: tuple[Criterion, ...] = ()
    question: Wanted = "better"
    ties: bool = False
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        for what, value, legal in (
            ("mode of a judge", self.mode, get_args(Mode)),
            ("question of a judge", self.question, get_args(Wanted)),
        ):
            if value not in legal:
                raise UnknownNameError(what, value, legal)
        if self.persona is not None:
            _check_persona(self.persona)
        if self.rubric is not None and not self.rubric.strip():
            raise InputError("JudgeStyle: found an empty rubric; expected a text.")
        if self.question == "follows":
            if not self.criteria:
                raise InputError("JudgeStyle: found no criteria to follow; expected at least one.")
            if self.mode != "zero-shot" or self.persona or self.rubric:
                raise InputError(
                    'JudgeStyle: found a mode, persona or rubric beside the question "follows", '
                    "which is about the criteria alone."
                )
        if bool(self.examples) != (self.mode == "k-shot"):
            raise InputError(
                f"JudgeStyle: found {len(self.examples)} examples with the mode {self.mode!r}; "
                'expected at least one with "k-shot", and none with the others.'
            )

    @property
    def words(self) -> tuple[str, ...]:
        """The answers that are allowed: first, second, and the one that prefers neither."""
        if self.question == "follows":
            return ("first", "second", "equal")
        return ("first", "second", "tie") if self.ties else ("first", "second")

    @property
    def standard(self) -> str:
        """What better means, as it stands in the system message."""
        if self.question == "follows":
            return f"{FOLLOWS}\n\n{criteria_line(self.criteria)}"
        parts: list[str] = []
        if self.persona is not None:
            known = PERSONAS.get(self.persona)
            parts.append(
                f"{READER}\n{_quoted(self.persona)}"
                if known is None
                else f"{HEAD}{self.persona}\n{known}"
            )
        if self.rubric is not None:
            parts.append(f"{RUBRIC}\n{_quoted(self.rubric)}")
        if self.criteria:
            parts.append(f"{CRITERIA}\n\n{criteria_line(self.criteria)}")
        return "\n\n".join(parts) if parts else STANDARD


def _check_persona(persona: str) -> None:
    words = persona.split()
    if not words:
        raise InputError(
            f"JudgeStyle: found an empty persona; expected one of {', '.join(PERSONAS)} or an "
            "instruction."
        )
    if len(words) == 1 and persona not in PERSONAS:
        raise UnknownNameError("persona", persona, PERSONAS)


def _quoted(text: str) -> str:
    """A text with a mark before each line, so that none is taken for a line of the message."""
    return "\n".join(f"> {one_line(line)}".rstrip() for line in clean(text)[0].strip().splitlines())
