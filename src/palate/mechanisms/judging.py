"""Matchups and a style -> requests -> what the judge said, in each order.

    judge            {"verdict": "first"|"second"}, with "tie" where ties are allowed
    judge_reasons    {"reasons": "...", "verdict": ...}
    follows          {"verdict": "first"|"second"|"equal"}

The system message holds nothing of the pair, and examples stand between it and the pair as turns
of their own, each with a code of its own, so that everything before the pair is the same, byte for
byte, for all pairs with the same examples: prefix caches hit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Literal, TypeAlias, get_args

from palate.data.shown import MAX_CHARS, b_first, clean, shorten
from palate.errors import InputError, UnknownNameError
from palate.llm.outcome import Answer, Asks, Failure, Outcome
from palate.llm.prompt import Prompt, load_prompt
from palate.llm.request import Message, Request
from palate.mechanisms.matchup import TIE, Judged, Matchup, Said
from palate.mechanisms.style import Example, JudgeStyle
from palate.mechanisms.used import Used

PACKAGE = "palate.mechanisms"
Orders = Literal["both", "ab", "ba", "random"]
Styles: TypeAlias = JudgeStyle | Callable[[Matchup], JudgeStyle]
BLOCK = 5_000
"""Questions handed to the client at a time: many for its concurrency, few for memory."""
VERDICT_TOKENS, REASON_TOKENS = 256, 1024


def judge_matchups(
    client: Asks,
    matchups: Sequence[Matchup],
    style: Styles = JudgeStyle(),  # noqa: B008 - frozen
    *,
    orders: Orders = "both",
    samples: int = 1,
    seed: int = 0,
    max_chars: int = MAX_CHARS,
    soft: bool = False,
    block: int = BLOCK,
    used: Used | None = None,
) -> list[Judged]:
    """Return what a judge says of each matchup, in their order.

    Two responses that are equal are a tie, and nobody is asked. Where an order has several
    samples, its verdict is the most frequent one, a tie where no single one is.

    Parameters
    ----------
    client
        Who answers, see `palate.llm.connect`.
    matchups
        The matchups.
    style
        How they are asked; or a function that says it of each one.
    orders
        "both" asks with a first and with b first, "ab" and "ba" with one of them, "random" with
        one that the id and the seed decide.
    samples
        How often each order is asked.
    seed
        Seed of the order "random".
    max_chars
        Longest prompt or response that is shown whole.
    soft
        Whether probabilities of the verdict are asked for.
    block
        Questions handed to the client at a time.
    used
        Where answers are counted.

    Raises
    ------
    InputError
        If a number is below 1, or nothing can be asked (a wrong key, an unknown model).
    UnknownNameError
        If the orders are none of those.
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    if orders not in get_args(Orders):
        raise UnknownNameError("choice of orders", orders, get_args(Orders))
    for name, number in (("samples", samples), ("max_chars", max_chars), ("block", block)):
        if number < 1:
            raise InputError(f"{name}: found {number}; expected at least 1.")
    styles = style if callable(style) else (lambda _: style)
    heard: dict[tuple[int, bool], list[Outcome]] = {}
    asked = _questions(matchups, orders, samples, seed)
    while few := list(islice(asked, block)):
        requests = [
            judge_request(
                matchups[one.row],
                styles(matchups[one.row]),
                swapped=one.swapped,
                sample=one.sample,
                max_chars=max_chars,
                soft=soft,
            )
            for one in few
        ]
        for one, request, outcome in zip(few, requests, client.ask(requests), strict=True):
            if used is not None:
                used.add(request, outcome)
            heard.setdefault((one.row, one.swapped), []).append(outcome)
    found = []
    for row, matchup in enumerate(matchups):
        said: dict[bool, Said] = {}
        for swapped in _orders_of(matchup, orders, seed):
            if matchup.a == matchup.b:
                said[swapped] = Said(TIE, soft=0.0)
            else:
                said[swapped] = said_of(heard[row, swapped], swapped=swapped)
        found.append(Judged(matchup.id, ab=said.get(False), ba=said.get(True)))
    return found


def judge_request(
    matchup: Matchup,
    style: JudgeStyle,
    *,
    swapped: bool,
    sample: int = 0,
    max_chars: int = MAX_CHARS,
    soft: bool = False,
) -> Request:
    """Return the question about a matchup in one order.

    Parameters
    ----------
    matchup
        The matchup.
    style
        How it is asked.
    swapped
        Whether b is shown first.
    sample
        Which of several answers to the same question is asked for.
    max_chars
        Longest prompt or response that is shown whole.
    soft
        Whether probabilities of the verdict are asked for.
    """
    first, second = (matchup.b, matchup.a) if swapped else (matchup.a, matchup.b)
    reasons = style.mode == "cot"
    system, user = prompt_of(style).messages(
        {"standard": style.standard, "verdicts": _verdicts(style)},
        _material(matchup.prompt, first, second, max_chars),
    )
    return Request(
        messages=(system, *_turns(style.examples, max_chars), user),
        schema=_schema(style.question, style.words, reasons=reasons),
        name="follows" if style.question == "follows" else f"judge{'_reasons' * reasons}",
        sample=sample,
        max_tokens=REASON_TOKENS if reasons else VERDICT_TOKENS,
        probabilities=soft,
        about=f"pair {matchup.id}, {'b first' if swapped else 'a first'}",
    )


def prompt_of(style: JudgeStyle) -> Prompt:
    """Return the prompt file of a style.

    Parameters
    ----------
    style
        How it is asked.
    """
    return _prompt("follows" if style.question == "follows" else _FILES[style.mode])


def said_of(outcomes: Sequence[Outcome], *, swapped: bool) -> Said:
    """Return what the samples of one order come to.

    Parameters
    ----------
    outcomes
        One per sample.
    swapped
        Whether b was shown first.
    """
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    if not answers:
        return Said(failure=_why(outcomes))
    sign = -1.0 if swapped else 1.0
    verdicts = [sign * SIGN[str(answer.value["verdict"])] + 0.0 for answer in answers]
    soft = [sign * p for answer in answers if (p := _leaning(answer)) is not None]
    return Said(
        verdict=majority(verdicts),
        samples=tuple(verdicts),
        soft=sum(soft) / len(soft) + 0.0 if soft else None,
        reasons=tuple(str(a.value["reasons"]) for a in answers if "reasons" in a.value),
    )


def majority(verdicts: Sequence[float]) -> float:
    """Return the most frequent verdict, 0 where no single one is.

    Parameters
    ----------
    verdicts
        Verdicts +1, -1 and 0, at least one.
    """
    (top, n), *rest = Counter(verdicts).most_common()
    return TIE if rest and rest[0][1] == n else top


@dataclass(frozen=True)
class _Question:
    row: int
    swapped: bool
    sample: int


SIGN = {"first": 1.0, "second": -1.0, "tie": TIE, "equal": TIE}
_FILES = {"zero-shot": "judge", "cot": "judge_reasons", "k-shot": "judge_examples"}
_FIELDS = ("request", "response_1", "response_2")


def _questions(
    matchups: Sequence[Matchup], orders: Orders, samples: int, seed: int
) -> Iterator[_Question]:
    for row, matchup in enumerate(matchups):
        if matchup.a == matchup.b:
            continue
        for swapped in _orders_of(matchup, orders, seed):
            for sample in range(samples):
                yield _Question(row, swapped, sample)


def _orders_of(matchup: Matchup, orders: Orders, seed: int) -> tuple[bool, ...]:
    if orders == "both":
        return (False, True)
    return (orders == "ba" or (orders == "random" and b_first(matchup.id, seed)),)


def _leaning(answer: Answer) -> float | None:
    """P(first) - P(second), of what the probabilities say of the verdict; None without them."""
    spread = (answer.probabilities or {}).get("verdict")
    if not spread:
        return None
    total = sum(spread.get(word, 0.0) for word in SIGN)
    if total <= 0:
        return None
    return sum(sign * spread.get(word, 0.0) for word, sign in SIGN.items()) / total


def _why(outcomes: Sequence[Outcome]) -> str:
    failure = next(outcome for outcome in outcomes if isinstance(outcome, Failure))
    return f"{failure.reason}: {failure.detail}" if failure.detail else failure.reason


def _material(prompt: str, first: str, second: str, max_chars: int) -> dict[str, str]:
    texts = (shorten(clean(text)[0], max_chars)[0] for text in (prompt, first, second))
    return dict(zip(_FIELDS, texts, strict=True))


@lru_cache(maxsize=1024)
def _turns(examples: tuple[Example, ...], max_chars: int) -> tuple[Message, ...]:
    """Each example as a turn of the user and the right answer."""
    turns: list[Message] = []
    for k, example in enumerate(examples, 1):
        texts = _material(example.prompt, example.first, example.second, max_chars)
        named = {f"example_{k}_{name}": text for name, text in texts.items()}
        body = "\n\n".join(f"{{{{material:{name}}}}}" for name in named)
        turns += Prompt("example", f"# user\n{body}").messages(material=named)
        turns.append(Message("assistant", f'{{"verdict": "{example.verdict}"}}'))
    return tuple(turns)


def _verdicts(style: JudgeStyle) -> str:
    if style.question == "follows":
        return (
            '"first" if response_1 follows the criteria better, "second" if response_2 does, or '
            '"equal" if there is no difference'
        )
    if style.ties:
        return (
            '"first" if response_1 is better, "second" if response_2 is better, or "tie" if '
            "neither is"
        )
    return (
        '"first" if response_1 is better or "second" if response_2 is better; where both seem '
        "alike, the one that is better in the least respect"
    )


@cache
def _schema(question: str, words: tuple[str, ...], *, reasons: bool) -> Mapping[str, Any]:
    asked = "follows the criteria better" if question == "follows" else "is better"
    fields: dict[str, Any] = {
        "verdict": {
            "type": "string",
            "enum": list(words),
            "description": f"Which response {asked}?",
        }
    }
    if reasons:
        fields = {"reasons": {"type": "string"}, **fields}
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


@cache
def _prompt(name: str) -> Prompt:
    return load_prompt(PACKAGE, name)
