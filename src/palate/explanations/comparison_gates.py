"""Gates: conditions on a comparison that fail a build, in a small language.

    gate       = difference | agreement
    difference = ["any"] "supported" "difference" {"in" name} ["everywhere"]
                 (">" | ">=") number "%" ["lift"]
    agreement  = ("agreement" | "kappa") ["in" name] ("<" | "<=" | ">" | ">=") number ["%"]
    name       = a word, words, or a text in single or double quotes

A name is that of a concept or of a domain, at most one of each; `concept` or `domain` before it
says which where both have it. Words may be written in any case, numbers as 5, 5.0 or .6. A share
may be written as 80% or .8; kappa is written without per cent.

A difference counts if it is supported and the lift of the difference is beyond the number, in
either direction. Without a place the differences everywhere and those of single domains are looked
at; in a domain where the difference is the one that holds everywhere, that one is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import polars as pl

from palate.errors import InputError
from palate.explanations.comparison import ALL, EVERYWHERE, Comparison
from palate.explanations.comparison_text import signed_lift
from palate.inference.discoveries import Verdict

TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<operator>[<>]=?)|(?P<percent>%)"
    r"|(?P<word>[^\s<>%\"']+))"
)
NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)\Z")
KINDS = {"concept", "domain"}
NAMED = 3


@dataclass(frozen=True)
class Name:
    """A name in a gate: what it is a name of ("concept", "domain" or "" if not said)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Gate:
    """One condition: `measure` ("difference", "agreement", "kappa") beyond `number`.

    `number` is in per cent for differences, a share for agreement. `text` is how it was written.
    """

    measure: str
    operator: str
    number: float
    names: tuple[Name, ...] = ()
    everywhere: bool = False
    text: str = ""

    def __str__(self) -> str:
        """Write the gate so that `parse_gate` reads the same again."""
        words = ["any supported difference" if self.measure == "difference" else self.measure]
        for name in self.names:
            quote = "'" if '"' in name.text else '"'
            words += ["in", *([name.kind] if name.kind else []), f"{quote}{name.text}{quote}"]
        words += ["everywhere"] if self.everywhere else []
        number = self.number * 100 if self.measure == "agreement" else self.number
        unit = {"difference": "% lift", "agreement": "%", "kappa": ""}[self.measure]
        digits = f"{number:.10f}".rstrip("0").rstrip(".")
        return " ".join([*words, self.operator, digits + unit])


@dataclass(frozen=True)
class Outcome:
    """Whether a gate fired, and the sentence that says why."""

    gate: Gate
    fired: bool
    sentence: str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse_gate(text: str) -> Gate:
    """Read a gate.

    Parameters
    ----------
    text
        For instance "any supported difference > 5% lift".

    Raises
    ------
    InputError
        If it cannot be read; the message says at which position and what was expected there.
    """
    return _Parser(text).gate()


class _Parser:
    """One pass over the tokens, from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.tokens: list[_Token] = []
        position = 0
        while position < len(text.rstrip()):
            match = TOKEN.match(text, position)
            if match is None:
                start = position + len(text[position:]) - len(text[position:].lstrip())
                self.fail(start, "a closing quotation mark")
            kind = str(match.lastgroup)
            self.tokens.append(_Token(kind, match[kind], match.start(kind)))
            position = match.end()

    def fail(self, position: int, expected: str) -> NoReturn:
        found = self.text[position : position + 30].strip()
        what = f"found {found!r} at position {position + 1}" if found else "it ends too early"
        raise InputError(f"Gate {self.text!r}: {what}; expected {expected}.")

    def peek(self) -> _Token:
        if self.at < len(self.tokens):
            return self.tokens[self.at]
        return _Token("end", "", len(self.text))

    def word(self, *words: str) -> str:
        """Take one of these words, "" if another token comes."""
        token = self.peek()
        if token.kind == "word" and token.text.lower() in words:
            self.at += 1
            return token.text.lower()
        return ""

    def gate(self) -> Gate:
        measure = self.word("agreement", "kappa")
        if not measure:
            started = self.word("any")
            if not self.word("supported"):
                expected = "'supported difference'"
                self.fail(
                    self.peek().at, expected if started else f"{expected}, 'agreement' or 'kappa'"
                )
            if not self.word("difference", "differences"):
                self.fail(self.peek().at, "'difference'")
            measure = "difference"
        names: list[Name] = []
        everywhere = False
        while self.peek().kind == "word":
            token = self.peek()
            if self.word("everywhere"):
                if measure != "difference" or everywhere or any(n.kind == "domain" for n in names):
                    self.fail(token.at, "an operator")
                everywhere = True
            elif self.word("in"):
                name = self.name()
                most = 1 if measure != "difference" or everywhere else 2
                if len(names) >= most or (name.kind and name.kind in {n.kind for n in names}):
                    self.fail(token.at, "an operator")
                if name.kind == "concept" and measure != "difference":
                    self.fail(token.at, "'in' with a domain")
                names.append(name)
            else:
                self.fail(token.at, "'in', 'everywhere' or an operator")
        operator = self.peek()
        legal = (">", ">=") if measure == "difference" else ("<", "<=", ">", ">=")
        if operator.kind != "operator" or operator.text not in legal:
            self.fail(operator.at, " or ".join(repr(o) for o in legal))
        self.at += 1
        number = self.number(measure)
        if self.peek().kind != "end":
            self.fail(self.peek().at, "the end")
        return Gate(measure, operator.text, number, tuple(names), everywhere, self.text)

    def name(self) -> Name:
        kind = ""
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        if after is not None and after.kind in ("word", "quoted"):
            kind = self.word(*KINDS)
        token = self.peek()
        if token.kind == "quoted":
            self.at += 1
            if not token.text[1:-1].strip():
                self.fail(token.at, "a name")
            return Name(kind, token.text[1:-1])
        words: list[str] = []
        while self.peek().kind == "word" and not (
            words and self.peek().text.lower() in ("in", "everywhere")
        ):
            words.append(self.peek().text)
            self.at += 1
        if not words:
            self.fail(token.at, "a name")
        return Name(kind, " ".join(words))

    def number(self, measure: str) -> float:
        token = self.peek()
        if token.kind != "word" or not NUMBER.match(token.text):
            self.fail(token.at, "a number")
        self.at += 1
        value = float(token.text)
        percent = self.peek()
        if percent.kind == "percent":
            self.at += 1
            if measure == "kappa":
                self.fail(percent.at, "the end, as kappa is no percentage")
        if measure == "difference":
            if percent.kind != "percent":
                self.fail(percent.at, "'%'")
            self.word("lift")
            if value >= 100:
                self.fail(token.at, "a lift below 100")
        elif measure == "agreement":
            value = value / 100 if percent.kind == "percent" else value
        if measure != "difference" and value > 1:
            self.fail(token.at, "at most 100%" if measure == "agreement" else "at most 1")
        return value


def check_gates(gates: Sequence[Gate], comparison: Comparison) -> list[Outcome]:
    """Return, for every gate, whether it fired.

    Parameters
    ----------
    gates
        The conditions.
    comparison
        What was found.

    Raises
    ------
    InputError
        If a gate names a concept or domain that the comparison does not have.
    """
    return [_check(gate, comparison) for gate in gates]


def _check(gate: Gate, comparison: Comparison) -> Outcome:
    concept, domain = _resolved(gate, comparison)
    if gate.measure == "difference":
        return _check_difference(gate, comparison, concept, domain)
    row = comparison.agreement_in(domain or ALL)
    value = None if row is None else row[gate.measure]
    where = f" in {domain}" if domain else ""
    if row is None or value is None:
        return Outcome(gate, False, f"{gate.measure}{where} cannot be computed")
    shown = f"{100 * value:.1f} %" if gate.measure == "agreement" else f"{value:.3f}"
    fired = _beyond(value, gate)
    return Outcome(gate, fired, f"{gate.measure}{where} is {shown} ({row['judged']:,} pairs)")


def _check_difference(
    gate: Gate, comparison: Comparison, concept: str | None, domain: str | None
) -> Outcome:
    rows = comparison.differences
    if concept is not None:
        rows = rows.filter(concept=concept)
    verdict, shared = pl.col("verdict"), pl.col("scope") == EVERYWHERE
    own = verdict.is_in([Verdict.HERE.value, Verdict.DIFFERS.value])
    held = verdict == Verdict.EVERYWHERE.value
    if gate.everywhere:
        rows = rows.filter(shared & held)
    elif domain is not None:
        here = rows.filter(scope=domain)
        same = here.filter(held)["concept"].implode()
        rows = pl.concat(
            [here.filter(own), rows.filter(shared & held & pl.col("concept").is_in(same))]
        )
    else:
        rows = rows.filter((shared & held) | (~shared & own))
    found = [r for r in rows.iter_rows(named=True) if _beyond(abs(r["lift"]), gate)]
    found.sort(key=lambda r: -abs(r["lift"]))
    n = rows.height
    if not found:
        largest = max((abs(r) for r in rows["lift"].to_list()), default=0.0)
        most = f", the largest {largest:.1f} %" if n else ""
        return Outcome(gate, False, f"{n} supported difference{'s' * (n != 1)}{most}")
    named = ", ".join(
        f"{r['concept']} {signed_lift(r['lift'])} %"
        + ("" if r["scope"] == EVERYWHERE else f" in {r['scope']}")
        for r in found[:NAMED]
    )
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return Outcome(gate, True, named + more)


def _beyond(value: float, gate: Gate) -> bool:
    return {
        ">": value > gate.number,
        ">=": value >= gate.number,
        "<": value < gate.number,
        "<=": value <= gate.number,
    }[gate.operator]


def _resolved(gate: Gate, comparison: Comparison) -> tuple[str | None, str | None]:
    """Return the concept and the domain that the names of a gate mean."""
    concepts = comparison.differences["concept"].unique(maintain_order=True).to_list()
    domains = [d for d in comparison.agreement["domain"].to_list() if d != ALL]
    found: dict[str, str] = {}
    for name in gate.names:
        legal = {
            kind: match
            for kind, of in (("concept", concepts), ("domain", domains))
            if name.kind in ("", kind)
            and (kind == "domain" or gate.measure == "difference")
            and (match := _match(name.text, of)) is not None
        }
        if not legal:
            wanted = domains if name.kind == "domain" or gate.measure != "difference" else concepts
            what = "domain" if wanted is domains else name.kind or "concept or domain"
            raise InputError(
                f"Gate {gate.text!r}: found no {what} {name.text!r}; expected one of "
                f"{', '.join(repr(w) for w in wanted[:12])}{' ...' if len(wanted) > 12 else ''}."
            )
        if len(legal) > 1:
            raise InputError(
                f"Gate {gate.text!r}: {name.text!r} is a concept and a domain; expected 'in "
                f"concept {name.text}' or 'in domain {name.text}'."
            )
        ((kind, match),) = legal.items()
        if kind in found or (kind == "domain" and gate.everywhere):
            what = "place" if kind == "domain" else kind
            raise InputError(f"Gate {gate.text!r}: {name.text!r} is a second {what}; expected one.")
        found[kind] = match
    return found.get("concept"), found.get("domain")


def _match(name: str, names: Sequence[str]) -> str | None:
    """Return the name itself, or the only one that equals it in another case."""
    if name in names:
        return name
    close = [n for n in names if n.lower() == name.lower()]
    return close[0] if len(close) == 1 else None
