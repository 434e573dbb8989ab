"""Prices: the table as it ships, what the user says, and no network at any time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from palate.errors import InputError
from palate.llm.connect import known_price
from palate.llm.outcome import Usage
from palate.llm.prices import FREE, Price, price_of, read_price


def test_the_table_knows_models_by_provider() -> None:
    price = price_of("openai:gpt-4o-mini")
    assert price == Price(input=0.15, cached_input=0.075, output=0.6)
    assert price_of("openai-chat:gpt-4o-mini") == price


def test_batches_cost_what_the_table_says_and_else_half() -> None:
    assert price_of("openai:gpt-4o-mini", batch=True) == Price(0.075, 0.075, 0.3)
    usual = price_of("deepseek:deepseek-chat")
    batch = price_of("deepseek:deepseek-chat", batch=True)
    assert usual is not None
    assert batch == Price(usual.input / 2, usual.cached_input / 2, usual.output / 2)


@pytest.mark.parametrize("model", ["openai:no-such-model", "vllm:qwen3", "nobody:m", "gpt-4o", ""])
def test_a_model_that_the_table_does_not_know_has_no_price(model: str) -> None:
    assert price_of(model) is None


def test_a_server_of_ones_own_is_not_billed_like_the_provider() -> None:
    assert price_of("openai:gpt-4o-mini", base_url="http://127.0.0.1:8000/v1") is None
    elsewhere = price_of(
        "openai:meta-llama/llama-3.3-70b-instruct", base_url="https://openrouter.ai/api/v1"
    )
    assert elsewhere is not None, "an address that the table knows has its prices"
    assert known_price("scripted:demo") == FREE


def test_the_address_in_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")
    assert known_price("openai:gpt-4o-mini") is None


def test_cached_tokens_cost_their_own_price() -> None:
    price = Price(input=1.0, cached_input=0.1, output=4.0)
    assert price.cost(Usage(1_000_000, 500_000, 400_000)) == pytest.approx(0.6 + 0.04 + 2.0)
    assert price.cost(Usage(10, 0, 20)) == pytest.approx(20 * 0.1 / 1e6), "more cached than sent"


def test_a_price_of_ones_own() -> None:
    assert read_price("0.25,2") == Price(0.25, 0.25, 2.0)
    assert read_price("0.25, 2, 0.025") == Price(0.25, 0.025, 2.0)


@pytest.mark.parametrize("text", ["", "1", "1,2,3,4", "a,b", "1,-2", "nan,1", "inf,1", "1;2"])
def test_a_price_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="--price"):
        read_price(text)


def test_prices_come_without_network_and_without_threads() -> None:
    code = (
        "import socket, threading\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from palate.llm.prices import price_of\n"
        "assert price_of('openai:gpt-4o-mini') is not None\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
