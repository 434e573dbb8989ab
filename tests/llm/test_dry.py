"""The client that only counts, the guess of tokens, and what the command line makes of them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.cli.llm_options import (
    LlmOptions,
    closing_line,
    dollars,
    duration,
    money_note,
    open_client,
    progress_of,
)
from palate.cli.progress import Stages
from palate.errors import InputError
from palate.llm.dry import SECONDS_PER_CALL, DryClient, typical_answer
from palate.llm.outcome import Answer
from palate.llm.prices import Price
from palate.llm.request import Message, Request
from palate.llm.spending import Spent
from palate.llm.tokens import count_tokens
from tests.growth import assert_linear

SCHEMA = {"type": "object", "properties": {"c1": {"type": "boolean"}}, "required": ["c1"]}


def request(text: str, system: str = "Judge.") -> Request:
    """A request with these messages."""
    return Request((Message("system", system), Message("user", text)), SCHEMA, "relevance")


def test_calls_tokens_cost_and_time_are_counted_and_equal_requests_once() -> None:
    price = Price(input=1.0, cached_input=0.1, output=4.0)
    client = DryClient(price, lambda _: {"c1": False}, concurrency=2)
    outcomes = client.ask([request("a" * 4000), request("b"), request("b")])
    assert [o.value for o in outcomes if isinstance(o, Answer)] == [{"c1": False}] * 3
    told = client.estimate
    assert told.calls == 2
    assert told.input_tokens > 700
    assert told.cost is not None
    assert told.cost == pytest.approx(sum_of(outcomes[:2], price))
    assert told.seconds == SECONDS_PER_CALL
    assert client.spent.calls == 0


def sum_of(outcomes: list[object], price: Price) -> float:
    return sum(price.cost(o.usage) for o in outcomes if isinstance(o, Answer))


def test_a_long_system_message_is_cached_from_its_second_use() -> None:
    client = DryClient()
    client.ask([request(str(k), "definition " * 1000) for k in range(3)])
    one = count_tokens("definition " * 1000)
    assert client.estimate.cached_tokens == pytest.approx(2 * one, abs=20)
    short = DryClient()
    short.ask([request(str(k)) for k in range(3)])
    assert short.estimate.cached_tokens == 0


def test_limits_per_minute_lengthen_the_run() -> None:
    calls = [request(str(k)) for k in range(10)]
    for limits in ({"requests_per_minute": 2.0}, {"tokens_per_minute": 10.0}):
        client = DryClient(**limits)  # type: ignore[arg-type]
        client.ask(calls)
        assert client.estimate.seconds >= 300
    assert DryClient().estimate.seconds == 0


def test_typical_answers_fit_their_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"enum": ["first", "second"]},
            "b": {"type": "integer", "minimum": 1, "maximum": 7},
            "c": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "d": {"type": "object", "properties": {"e": {"const": 4}}},
        },
    }
    value = typical_answer(schema)
    assert value["a"] == "first"
    assert value["b"] == 1
    assert len(value["c"]) == 2
    assert value["d"] == {"e": 4}


@given(st.text())
def test_any_text_has_a_number_of_tokens(text: str) -> None:
    assert 0 <= count_tokens(text) <= 3 * len(text.encode("utf-8", "surrogatepass"))


TEKKEN = {  # tokens in Mistral's Tekken vocabulary
    "The price of a language model depends on how many words go in and come out of it, so that "
    "short instructions save money.": 26,
    "def total(rows):\n"
    "    return sum(row['cost'] for row in rows if row['cost'] is not None)\n": 24,
    "语言模型的价格取决于输入和输出的词元数量，因此提示的长度会直接影响成本。": 32,
}


@pytest.mark.parametrize("text", list(TEKKEN))
def test_tokens_of_known_texts(text: str) -> None:
    assert count_tokens(text) == pytest.approx(TEKKEN[text], rel=0.25)


def test_tokens_of_no_text_and_of_broken_text() -> None:
    assert count_tokens("") == 0
    assert count_tokens("\ud800") > 0


def test_counting_is_linear() -> None:
    assert_linear(lambda n: count_tokens("Hello, world 12 \u4e16\u754c. " * n), 20_000)


def test_a_dry_run_needs_no_key_and_no_model_library() -> None:
    code = (
        "import sys\n"
        "for name in ('pydantic_ai', 'openai', 'httpx2', 'genai_prices'):\n"
        "    sys.modules[name] = None\n"
        "from palate.cli.llm_options import *\n"
        "client = open_client(LlmOptions('openai:gpt-5-mini', dry_run=True))\n"
        "print(closing_line(client))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing was sent" in done.stdout
    assert "no price is known" in done.stdout


def test_a_dry_run_refuses_a_name_that_the_run_would_refuse() -> None:
    with pytest.raises(InputError, match="expected PROVIDER:MODEL"):
        open_client(LlmOptions("gpt-5-mini", dry_run=True))
    with pytest.raises(InputError, match="Did you mean 'openai'"):
        open_client(LlmOptions("openia:gpt-5-mini", dry_run=True))


def test_the_closing_line_of_a_dry_run() -> None:
    client = open_client(LlmOptions("openai:gpt-4o-mini", dry_run=True, price="1,2"))
    client.ask([request("text")])
    line = closing_line(client)
    assert line.startswith("Nothing was sent. It would take 1 calls, about ")
    assert line.endswith("about 3 s.")


def test_options_that_contradict_each_other(tmp_path: object) -> None:
    with pytest.raises(InputError, match="--llm: found no model"):
        open_client(LlmOptions(None, dry_run=True))
    with pytest.raises(InputError, match="exclude each other"):
        open_client(LlmOptions("openai:m", store="x", no_store=True))  # type: ignore[arg-type]


def test_progress_reaches_the_stage_with_the_money() -> None:
    told: list[tuple[int, int, str]] = []

    class Shown(Stages):
        def advance(self, done: int, total: int, note: str = "") -> None:
            told.append((done, total, note))

    progress_of(Shown(quiet=True))(3, 10, Spent(cost=0.5), 2.0, 9.0)
    assert told == [(3, 10, "$0.50 of about $2.00")]


def test_amounts_for_people() -> None:
    assert [dollars(x) for x in (0, 1234.5, 0.0123, 0.0012, 1e-9)] == [
        "$0.00",
        "$1,234.50",
        "$0.01",
        "$0.0012",
        "less than $0.0001",
    ]
    assert [duration(x) for x in (3, 120, 7200)] == ["about 3 s", "about 2 min", "about 2.0 h"]
    assert money_note(0.1, 1.0) == "$0.10 of about $1.00"
    assert money_note(None, None) == ""
