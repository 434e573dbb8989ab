"""Texts that address the model that reads them: flagged for the reader, never left out.

Fences and schemas keep data data (`palate.llm.prompt`), but a model may still be swayed by what it
reads. A pair whose text looks as if it tried is flagged with the place and the words, so that
somebody can look at it. The patterns are narrow: a text that merely speaks of prompts, or holds
JSON, XML or code of its own, is not flagged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

EXCERPT, LEAD = 120, 20
LOOKED_AT = 200_000  # characters of a text: half at its head, half at its tail, which are shown

_WORDS = r"(?:first|second|equal|irrelevant)"
_RESPONSE = r"(?:response|answer|option|candidate|assistant)[ _]?(?:1|2|a|b|one|two)\b"
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "instructions to drop the task": re.compile(
        r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}?"
        r"\b(?:above|previous|prior|preceding|earlier|your|system)\b[^.\n]{0,30}?"
        r"\b(?:instructions?|prompts?|rules|guidelines|directions|definitions|criteria|text)\b"
        r"|\b(?:ignore|disregard) (?:everything |all |all of )?(?:the )?above\b",
        re.IGNORECASE,
    ),
    "an answer dictated": re.compile(
        r"\banswer\b[^.\n]{0,10}?\b[\"']?(?:[0-7]|first|second)[\"']? (?:for|to|on) "
        r"(?:everything|all|every|each)\b"
        rf"|\b(?:choose|pick|select|prefer|vote for|declare)\b [^.\n]{{0,20}}?{_RESPONSE}"
        rf"[^.\n]{{0,30}}?\b(?:for|on|in|as|regardless|always|best|winner|better)\b"
        r"|(?<!would )(?<!i )(?<!to )\b(?:rate|score|grade|mark) (?:this|me|my)\b[^.\n]{0,30}?"
        r"\b(?:7|10|ten|seven|maximum|highest|full|perfect)\b"
        r"|\bgive (?:this|me|my)\b[^.\n]{0,20}? (?:a|the) (?:perfect|full|maximum|highest|top) "
        r"(?:score|rating|mark|grade)",
        re.IGNORECASE,
    ),
    "words to a judge": re.compile(
        r"\b(?:dear|attention|note to(?: the)?|message to(?: the)?|hey|hello),? "
        r"(?:judge|evaluator|grader|annotator|reviewer model|ai judge|llm judge)\b"
        r"|\bas (?:the|an?) (?:impartial )?(?:judge|evaluator|grader|annotator), (?:you )?"
        r"(?:must|should|please|choose|answer|rate)\b",
        re.IGNORECASE,
    ),
    "an answer of ours in JSON": re.compile(
        rf"[\"']c[0-9]{{1,3}}[\"']\s{{0,5}}:\s{{0,5}}"
        rf"(?:[\"']{_WORDS}[\"']|[0-7]\b|true\b|false\b|\{{\s{{0,5}}[\"'](?:reason|answer)[\"'])"
        rf"|[\"']verdict[\"']\s{{0,5}}:\s{{0,5}}[\"'](?:{_WORDS}|tie)[\"']"
    ),
    "a fence of ours": re.compile(
        r"^[ \t]{0,8}</?(?:request|response)(?:_[1-8]){0,2} [0-9a-fA-F]{6,16}>"
        r"|^[ \t]{0,8}</?response(?:_[1-8])?_[12]>",
        re.MULTILINE,
    ),
    "a fake tool call": re.compile(
        r"</?(?:tool_call|tool_calls|function_call|function_calls|tool_response)>"
        r"|<\|(?:tool_call|tool_calls_section|python_tag|plugin)[a-z_]{0,12}\|>"
        r"|<invoke name=\"|\[TOOL_CALLS\]"
    ),
    "a role marker": re.compile(
        r"<\|(?:im_start|im_end|system|user|assistant|start_header_id|eot_id|endofprompt|end|eom_id"
        r"|endoftext)\|>|<start_of_turn>|<end_of_turn>|\[/?INST\]|<</?SYS>>"
        r"|^#{1,4} ?(?:system|system prompt|system message|assistant|user):?[ \t]*$",
        re.IGNORECASE | re.MULTILINE,
    ),
}


@dataclass(frozen=True)
class Flag:
    """A place where a text addresses the model.

    Parameters
    ----------
    where
        "prompt", "response_a" or "response_b".
    what
        What it looks like, a key of `PATTERNS`.
    excerpt
        The words, with some around them.
    """

    where: str
    what: str
    excerpt: str


def find_attempts(text: str, where: str) -> tuple[Flag, ...]:
    """Return what a text tries, at most one flag of each kind.

    Parameters
    ----------
    text
        The whole text, before it is cut.
    where
        Which text of the pair it is.
    """
    looked_at = text
    if len(text) > LOOKED_AT:
        half = LOOKED_AT // 2
        looked_at = f"{text[:half]}\n…\n{text[-half:]}"  # no pattern reaches across this
    found = []
    for what, pattern in PATTERNS.items():
        match = pattern.search(looked_at)
        if match:
            before = looked_at[max(0, match.start() - LEAD) : match.start()]
            words = before.split(maxsplit=1)  # a first word that may be cut is left out
            lead = words[1] if len(before) == LEAD and len(words) == 2 else before
            start = match.start() - len(lead)
            found.append(Flag(where, what, looked_at[start : start + EXCERPT]))
    return tuple(found)


def flags_of(prompt: str, response_a: str, response_b: str) -> tuple[Flag, ...]:
    """Return what the texts of a pair try.

    Parameters
    ----------
    prompt
        The user's request.
    response_a
        One response.
    response_b
        The other one.
    """
    return (
        find_attempts(prompt, "prompt")
        + find_attempts(response_a, "response_a")
        + find_attempts(response_b, "response_b")
    )
