"""The language of gates: what is read, what is refused and where, and when a gate fires."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palate.errors import InputError
from palate.explanations.comparison import (
    AGREEMENT,
    ALL,
    DIFFERENCES,
    DISAGREEMENTS,
    EVERYWHERE,
    PAIRS,
    Comparison,
)
from palate.explanations.comparison_gates import Gate, Name, check_gates, parse_gate
from palate.inference.discoveries import Verdict

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\"'", exclude_categories=("C", "Z")),
    min_size=1,
    max_size=12,
)
NUMBERS = st.integers(0, 9_999).map(lambda k: k / 100)


@st.composite
def gates(draw: st.DrawFn) -> Gate:
    """Any gate that the language can say."""
    measure = draw(st.sampled_from(["difference", "agreement", "kappa"]))
    if measure != "difference":
        names = tuple(Name("domain", n) for n in draw(st.lists(NAMES, max_size=1)))
        operator = draw(st.sampled_from(["<", "<=", ">", ">="]))
        return Gate(measure, operator, draw(NUMBERS) / 100, names)
    kinds = draw(st.sampled_from([(), ("concept",), ("domain",), ("concept", "domain"), ("",)]))
    names = tuple(Name(kind, draw(NAMES)) for kind in kinds)
    everywhere = "domain" not in kinds and draw(st.booleans())
    return Gate(measure, draw(st.sampled_from([">", ">="])), draw(NUMBERS), names, everywhere)


@settings(deadline=None)
@given(gates())
def test_what_is_written_is_read_again(gate: Gate) -> None:
    again = parse_gate(str(gate))
    assert (again.measure, again.operator) == (gate.measure, gate.operator)
    assert again.number == pytest.approx(gate.number)
    assert again.names == gate.names
    assert again.everywhere == gate.everywhere


def read(text: str) -> Gate | None:
    """Read a gate; None where it is refused with the one sentence that it should be."""
    refusal = ""
    try:
        return parse_gate(text)
    except InputError as error:
        refusal = str(error)
    assert "expected" in refusal
    assert "\n" not in refusal.replace(text, "")
    return None


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_gate_or_one_sentence(text: str) -> None:
    read(text)


WORDS = ["any", "supported", "difference", "in", "everywhere", "concept", "domain", "lift"]
SIGNS = [">", "<=", "5", "%", ".5", "agreement", "kappa", "'ab'", "law"]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(WORDS + SIGNS),
        max_size=10,
    )
)
def test_any_words_of_the_language_are_a_gate_or_one_sentence(words: list[str]) -> None:
    gate = read(" ".join(words))
    if gate is not None:
        assert parse_gate(str(gate)).number == pytest.approx(gate.number)


@pytest.mark.parametrize(
    ("text", "measure", "operator", "number", "names", "everywhere"),
    [
        ("any supported difference > 5% lift", "difference", ">", 5, (), False),
        ("supported difference in Length > 3%", "difference", ">", 3, (Name("", "Length"),), False),
        ("ANY supported differences everywhere >= 2.5 %", "difference", ">=", 2.5, (), True),
        (
            "supported difference in Question marks in law > 1%",
            "difference",
            ">",
            1,
            (Name("", "Question marks"), Name("", "law")),
            False,
        ),
        ("agreement < 80%", "agreement", "<", 0.8, (), False),
        (
            "agreement in domain 'my law' <= .8",
            "agreement",
            "<=",
            0.8,
            (Name("domain", "my law"),),
            False,
        ),
        ("kappa<.6", "kappa", "<", 0.6, (), False),
        ("kappa in domain < .6", "kappa", "<", 0.6, (Name("", "domain"),), False),
    ],
)
def test_examples(
    text: str,
    measure: str,
    operator: str,
    number: float,
    names: tuple[Name, ...],
    everywhere: bool,
) -> None:
    gate = parse_gate(text)
    assert gate == Gate(measure, operator, pytest.approx(number), names, everywhere, text)


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", None, "'supported difference', 'agreement' or 'kappa'"),
        ("any difference > 5%", 5, "'supported difference'"),
        ("supported > 5%", 11, "'difference'"),
        ("supported difference < 5%", 22, "'>' or '>='"),
        ("supported difference > 5", None, "'%'"),
        ("supported difference > %", 24, "a number"),
        ("supported difference > 100%", 24, "a lift below 100"),
        ("agreement << 80%", 12, "a number"),
        ("agreement < 180%", 13, "at most 100%"),
        ("agreement in concept x < 5%", 11, "'in' with a domain"),
        ("kappa < 60%", 11, "no percentage"),
        ("kappa < .6 or more", 12, "the end"),
        ("kappa in < .6", 10, "a name"),
        ("supported difference in 'Length > 5%", 25, "a closing quotation mark"),
        ("supported difference in a in b in c > 5%", 32, "an operator"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, position: int | None, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_gate(text)
    sentence = str(refused.value)
    assert expected in sentence
    where = "it ends too early" if position is None else f"at position {position};"
    assert where in sentence


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Length differs everywhere by 12 %, in law by 40 %; Hedging by 8 % in law only."""

    def row(concept: str, scope: str, lift: float, verdict: Verdict) -> dict[str, object]:
        return {"concept": concept, "scope": scope, "lift": lift, "verdict": verdict.value}

    differences = pl.DataFrame(
        [
            row("Length", EVERYWHERE, 12.0, Verdict.EVERYWHERE),
            row("Hedging", EVERYWHERE, 30.0, Verdict.NOT),
            row("Length", "law", -40.0, Verdict.DIFFERS),
            row("Hedging", "law", 8.0, Verdict.HERE),
            row("Length", "art", 50.0, Verdict.EVERYWHERE),
            row("Hedging", "art", 60.0, Verdict.NOT),
            row("art", EVERYWHERE, 0.0, Verdict.NOT),
        ],
        schema=DIFFERENCES,
    )
    agreement = pl.DataFrame(
        [
            {"domain": d, "judged": 40, "agreement": p, "kappa": k}
            for d, p, k in ((ALL, 0.8, 0.6), ("law", 0.5, 0.0), ("art", 0.9, None))
        ],
        schema=AGREEMENT,
    )
    return Comparison(
        a="A",
        b="B",
        differences=differences,
        agreement=agreement,
        disagreements=pl.DataFrame(schema=DISAGREEMENTS),
        pairs=pl.DataFrame(schema=PAIRS),
        domains=("law", "art"),
        counts={},
        notes=(),
        settings={},
    )


@pytest.mark.parametrize(
    ("text", "fired", "sentence"),
    [
        ("any supported difference > 5% lift", True, "Length −40 % in law, Length +12 %"),
        ("any supported difference > 40% lift", False, "3 supported differences, the largest 40"),
        ("any supported difference >= 40% lift", True, "Length −40 % in law"),
        ("any supported difference everywhere > 12%", False, "1 supported difference, the largest"),
        ("any supported difference everywhere > 11%", True, "Length +12 %"),
        ("supported difference in Hedging > 5%", True, "Hedging +8.0 % in law"),
        ("supported difference in Hedging everywhere > 5%", False, "0 supported differences"),
        ("supported difference in domain art > 11%", True, "Length +12 %"),
        ("supported difference in domain art > 12%", False, "largest 12.0 %"),
        ("supported difference in Hedging in LAW > 5%", True, "Hedging +8.0 % in law"),
        ("agreement < 80%", False, "agreement is 80.0 % (40 pairs)"),
        ("agreement <= 80%", True, "agreement is 80.0 %"),
        ("agreement in law < .6", True, "agreement in law is 50.0 %"),
        ("kappa < .6", False, "kappa is 0.600"),
        ("kappa in art < .6", False, "cannot be computed"),
    ],
)
def test_when_a_gate_fires(comparison: Comparison, text: str, fired: bool, sentence: str) -> None:
    (outcome,) = check_gates([parse_gate(text)], comparison)
    assert outcome.fired is fired
    assert sentence in outcome.sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("supported difference in Lenght > 5%", "no concept or domain 'Lenght'"),
        ("supported difference in art > 5%", "'art' is a concept and a domain"),
        ("supported difference in law in art > 5%", "is a concept and a domain"),
        ("supported difference in law everywhere > 5%", "'law' is a second place"),
        ("supported difference in Length in Hedging > 5%", "'Hedging' is a second concept"),
        ("kappa in Length < .5", "no domain 'Length'"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    comparison: Comparison, text: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        check_gates([parse_gate(text)], comparison)
