"""Write docs/prompts.md: every prompt from its file, with its hash, its use and its answer.

python scripts/prompts_page.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from palate.actions import generate
from palate.actions.generate import Task, respond_request
from palate.concepts.annotation import questions as annotation
from palate.concepts.annotation.questions import (
    compare_request,
    pairs_request,
    relevance_request,
    score_request,
)
from palate.concepts.concept import Concept
from palate.concepts.discovery import asking as discovery
from palate.concepts.discovery.batches import Batch
from palate.concepts.discovery.definitions import define_request
from palate.concepts.discovery.merging import Found, same_request
from palate.concepts.discovery.proposals import ShownPair, propose_request
from palate.concepts.discovery.settings import Settings
from palate.concepts.discovery.tagging import tagging_request
from palate.concepts.discovery.topics import Topics, topics_request
from palate.data.shown import Shown
from palate.llm.prompt import Prompt, load_prompt
from palate.llm.request import Request
from palate.mechanisms import judging
from palate.mechanisms.criteria import Criterion
from palate.mechanisms.judging import judge_request
from palate.mechanisms.matchup import Matchup
from palate.mechanisms.rating import rate_request
from palate.mechanisms.style import Example, JudgeStyle

PAGE = Path(__file__).resolve().parents[1] / "docs" / "prompts.md"
HEAD = """\
# Prompts

Written by `python scripts/prompts_page.py` from the files and the code; do not edit.

Every question that Palate asks a language model is a file, shown here whole. `{{name}}` is filled
with a text of ours, `{{material:name}}` with a text of strangers. Such a text stands in the user
message alone, between two lines with a code that occurs in none of the texts of the question, so
that no text can contain the line that ends it:

```text
<response_1 3f9c2a>
...
</response_1 3f9c2a>
```

A place such as `{{queries}}` or `{{pairs}}` holds as many of these as the question is about; a
user message with `request_1` is repeated with `request_2` and so on for each further pair. What
a question asks for by name stands in the system message, though a model may have proposed it:
definitions of concepts, one line each, without control and format characters; subdomains and tasks,
as a JSON list. An answer is a JSON object held to the schema whose short form is given here; one of
another shape is a failure.

## What changes the key of a stored answer

An [answer is kept](store.md) under a hash of everything that is sent: the model and its parameters
(temperature, seed), the messages with all that is filled in, the schema and its name, the limit on
the length of the answer and the number of the sample. So another word in a prompt, in a definition
or in a response, another order of the concepts or of the two responses, and another temperature
make a new question. The API key, the address of the server, the price, and how many questions are
asked at a time do not.

## Hashes

The first 12 hexadecimal digits of the SHA-256 of the file. A changed prompt changes what is
measured, and its stored answers are not used any more; so a test compares these hashes with the
files, and says what to do. A [discovery](discovery.md) makes a step again when one of its prompts
has changed.

| prompt | hash | question |
|---|---|---|
"""
CONCEPTS = tuple(
    Concept(name, f"High: it is {name}; low: it is not.") for name in ("Brevity", "Warmth")
)
PAIR = Shown("1", "a request", "one response", "another response")
PAIRS = [(PAIR, False), (Shown("2", "a second request", "one more", "another one"), True)]
MATCHUP = Matchup("1", "a request", "one response", "another response")
RESPONSE = Task("1", "x", "explained", "a request", (Criterion("Warmth", "is warm"),), words=120)
FOUND = [
    Found(name, batches={"x": {"x 1"}}, descriptions={"x 1": "It is so."})
    for name in ("Brevity", "Warmth")
]


class Use(NamedTuple):
    """When a prompt is used, and a question that is made of it."""

    package: str
    when: str
    ask: Callable[[], Request]


def _compare(when: str, *, folded: bool, reasons: bool) -> Use:
    def ask() -> Request:
        return compare_request(PAIR, CONCEPTS, swapped=False, folded=folded, reasons=reasons)

    return Use(annotation.PACKAGE, when, ask)


def _propose(question: str, when: str) -> Use:
    def ask() -> Request:
        batch = Batch("x 1", "x", (None, None), ("1",), question, True)
        return propose_request(batch, [ShownPair("1", "ask", "good", "bad")], Settings())

    return Use(discovery.PACKAGE, f"`palate discover`, proposals: {when}", ask)


def _discover(when: str, ask: Callable[[], Request]) -> Use:
    return Use(discovery.PACKAGE, f"`palate discover`, {when}", ask)


def _judge(when: str, style: JudgeStyle) -> Use:
    def ask() -> Request:
        return judge_request(MATCHUP, style, swapped=False)

    return Use(judging.PACKAGE, when, ask)


USES: Mapping[str, Use] = {
    "compare_pairs": Use(
        annotation.PACKAGE,
        "`palate annotate` as it is (`--protocol lean`): which response of each pair has more of "
        "each concept, relevance among the answers.",
        lambda: pairs_request(PAIRS, CONCEPTS, folded=True),
    ),
    "compare": _compare(
        "`palate annotate --pairs-per-call 1`, pairs that are left alone or asked again, and "
        "`palate why`: the same about one pair.",
        folded=True,
        reasons=False,
    ),
    "compare_reasons": _compare(
        "`palate annotate --reasons`: the same, with a short reason before each answer.",
        folded=True,
        reasons=True,
    ),
    "compare_relevant_pairs": Use(
        annotation.PACKAGE,
        "`palate annotate --relevance none`: about concepts that are taken to be relevant, so that "
        '"irrelevant" is no answer.',
        lambda: pairs_request(PAIRS, CONCEPTS, folded=False),
    ),
    "compare_relevant": _compare(
        "`palate annotate --relevance call`, or `none` about one pair: about concepts that are "
        'known or taken to be relevant, so that "irrelevant" is no answer.',
        folded=False,
        reasons=False,
    ),
    "compare_relevant_reasons": _compare(
        "`palate annotate --protocol paper`, after relevance: the same, with a short reason before "
        "each answer.",
        folded=False,
        reasons=True,
    ),
    "relevance": Use(
        annotation.PACKAGE,
        "`palate annotate --protocol paper` or `--relevance call`: which concepts matter, by the "
        "request alone, before any comparison.",
        lambda: relevance_request(PAIR, CONCEPTS),
    ),
    "score": Use(
        annotation.PACKAGE,
        "`palate annotate --protocol score`: one response at a time; the value of a pair is the "
        "difference.",
        lambda: score_request(PAIR, CONCEPTS, side="a"),
    ),
    "topics": _discover(
        "subdomains and tasks: what a few queries of a domain are about.",
        lambda: topics_request(["one query", "another query"]),
    ),
    "tagging": _discover(
        "tagging: which of these a query belongs to.",
        lambda: tagging_request(["one query"], Topics("x", ("tax",), ("explaining",))),
    ),
    "propose_preferred": _propose("preferred", "both responses, why the preferred ones won."),
    "propose_rejected": _propose("rejected", "both responses, why the others lost."),
    "propose_only_preferred": _propose("only_preferred", "the preferred responses alone."),
    "propose_only_rejected": _propose("only_rejected", "the rejected responses alone."),
    "propose_difference": _propose("difference", "without verdicts, how the two differ."),
    "same": _discover(
        "merging: whether two names stand for the same quality.",
        lambda: same_request([(0, 1)], FOUND),
    ),
    "define": _discover(
        "definitions, and `palate discover` on a list of names without them.",
        lambda: define_request([(f.name, tuple(f.descriptions.values())) for f in FOUND]),
    ),
    "judge": _judge(
        "`palate judge`: which response is better; `{{standard}}` says what better means: a "
        "persona, a rubric or criteria where there are any.",
        JudgeStyle(),
    ),
    "judge_reasons": _judge(
        "`palate judge --mode cot`: the same, reasons before the verdict.", JudgeStyle("cot")
    ),
    "judge_examples": _judge(
        "`palate judge --mode k-shot`: the same, after pairs with their right answers, each a turn "
        "of the conversation.",
        JudgeStyle("k-shot", examples=(Example("a request", "good", "bad", "first"),)),
    ),
    "rate": Use(
        judging.PACKAGE,
        "`palate score --llm`: how good one response is, shown alone; `{{standard}}` as for "
        "`judge`.",
        lambda: rate_request("a request", "one response", JudgeStyle()),
    ),
    "follows": _judge(
        "Tie break: which response follows the criteria better.",
        JudgeStyle(question="follows", criteria=(Criterion("Warmth", "is warm"),)),
    ),
    "respond": Use(
        generate.PACKAGE,
        "`palate hack`: a response to a request; `{{guidance}}` holds the criteria it is to do "
        "well by, `{{length}}` the wanted number of words, both nothing for a vanilla response.",
        lambda: respond_request(RESPONSE, max_words=300),
    ),
}


def files() -> dict[str, Prompt]:
    """Return every prompt file by name, those of the annotation first."""
    found: dict[str, Prompt] = {}
    for module in (annotation, discovery, judging, generate):
        folder = Path(module.__file__).parent / "prompts"
        for path in sorted(folder.glob("*.md")):
            found[path.stem] = load_prompt(module.PACKAGE, path.stem)
    return found


def told(schema: Mapping[str, Any]) -> str:
    """Return the short form of a schema, with one of many like properties."""
    if "enum" in schema:
        values = [json.dumps(value) for value in schema["enum"]]
        return f"{values[0]} to {values[-1]}" if schema["type"] == "integer" else "|".join(values)
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    if schema["type"] == "object":
        fields = schema["properties"]
        numbered = [name for name in fields if name[1:].isdigit()]
        shown = [f'"{name}": {told(fields[name])}' for name in ([*numbered[:1]] or fields)]
        return "{" + ", ".join([*shown, *(["..."] if numbered else [])]) + "}"
    if schema["type"] == "array":
        return f"[{told(schema['items'])}, ...]"
    return {"boolean": "true|false", "string": '"text"'}[schema["type"]]


def page() -> str:
    """Return the text of the page."""
    prompts = files()
    asked = {name: use.ask() for name, use in USES.items()}
    order = [name for name in USES if name in prompts]
    rows = [f"| [{n}](#{n}) | `{prompts[n].hash}` | `{asked[n].name}` |\n" for n in order]
    parts = [HEAD, *rows]
    for name in order:
        request = asked[name]
        parts.append(
            f"\n## {name}\n\n`{prompts[name].hash}`. {USES[name].when}\n\n"
            f"Answer, `{request.name}`: `{told(request.schema)}`\n\n"
            f"````text\n{prompts[name].text.rstrip()}\n````\n"
        )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
