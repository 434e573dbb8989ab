"""`connect`: names of models, what is missing for one, and a client that works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from palate.cli.llm_options import LlmOptions, closing_line, open_client
from palate.errors import InputError, MissingExtraError, UnknownNameError
from palate.llm.connect import connect
from palate.llm.outcome import Answer, Failure
from palate.llm.providers import (
    OWN_KEY,
    PLACEHOLDER,
    is_loopback,
    open_model,
    provider_names,
)
from palate.llm.request import Message, Request
from palate.llm.scripted.scripts import recorded_script, save_script
from palate.llm.store import Store

from .loopback import Said, completion, loopback
from .talk import compare_schema, fenced

SCHEMA = {
    "type": "object",
    "properties": {"c1": {"type": "boolean", "description": "Clarity"}},
    "required": ["c1"],
    "additionalProperties": False,
}
REQUESTS = [
    Request((Message("system", "Judge."), Message("user", f"Text {k}.")), SCHEMA, "relevance")
    for k in range(20)
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "SYSTEM_ONE_BASE_URL", OWN_KEY):
        monkeypatch.delenv(name, raising=False)


def test_a_client_asks_and_keeps_the_answers(tmp_path: Path) -> None:
    with loopback(lambda _: Said(completion('{"c1": true}'))) as server:
        options = LlmOptions(
            "openai:m", base_url=server.url, store=tmp_path / "answers.sqlite", price="1,2"
        )
        with open_client(options) as client:
            first = client.ask(REQUESTS)
            line = closing_line(client)
        with open_client(options) as client:
            second = client.ask(REQUESTS)
            again = closing_line(client)
    assert [o.value for o in first if isinstance(o, Answer)] == [{"c1": True}] * 20
    assert all(isinstance(o, Answer) and o.stored for o in second)
    assert len(server.heard) == 20
    assert line == "20 calls (0 stored), 2.4k tokens in, 140 out, $0.0027"
    assert again == "20 calls (20 stored), 0 tokens in, 0 out, $0.00"


def test_a_wrong_key_is_one_sentence_that_names_the_variable() -> None:
    with (
        loopback(lambda _: Said({"error": {"message": "no"}}, 401)) as server,
        connect("openai:m", base_url=server.url) as client,
        pytest.raises(InputError, match=r"refused the key.*PALATE_API_KEY"),
    ):
        client.ask(REQUESTS)


def test_no_file_holds_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "planted-4f1d9c2277e8"
    monkeypatch.setenv(OWN_KEY, key)
    with loopback(lambda _: Said(completion('{"c1": true}'))) as server:
        store = Store(tmp_path / "answers.sqlite", keep_prompts=True)
        with connect("openai:m", base_url=server.url, store=store) as client:
            client.ask(REQUESTS)
            assert key not in repr(vars(client.backend))
        assert server.heard[0].headers["authorization"] == f"Bearer {key}"
    files = list(tmp_path.iterdir())
    assert files
    for file in files:
        assert key.encode() not in file.read_bytes()


def test_the_client_hides_the_key_whoever_writes_the_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(OWN_KEY, "planted-4f1d9c2277e8")
    answer = json.dumps({"c1": True, "planted-4f1d9c2277e8": True})
    with (
        loopback(lambda _: Said(completion(answer))) as server,
        connect("openai:m", base_url=server.url) as client,
    ):
        (outcome,) = client.ask(REQUESTS[:1])
    assert isinstance(outcome, Failure)
    assert "[hidden]" in outcome.detail
    assert "4f1d9c" not in outcome.detail


@pytest.mark.parametrize(
    "url",
    ["localhost:8000/v1", "http://", "ftp://h/v1", "http://h:99999/v1", "http://h 8/v1", " ", ""],
)
def test_an_address_that_cannot_be_asked_is_refused_at_once(url: str) -> None:
    with pytest.raises(InputError, match=r"--base-url.*expected http://HOST:PORT/v1"):
        connect("openai:m", base_url=url)


@pytest.mark.parametrize(
    "url",
    ["http://bob:planted-4f1d@h/v1", "http://h/v1?key=planted-4f1d", "http://h/v1#planted-4f1d"],
)
def test_an_address_that_holds_a_secret_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InputError, match=OWN_KEY) as caught:
        connect("openai:m", base_url=url)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("own", [None, "own-key"])
@pytest.mark.parametrize("provider", ["openai", "openai-chat", "openai-responses"])
def test_an_address_in_the_environment_is_a_base_url(
    provider: str, own: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "planted-4f1d9c2277e8")
    if own is not None:
        monkeypatch.setenv(OWN_KEY, own)
    with loopback(lambda _: Said(completion('{"c1": true}'))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with connect(f"{provider}:m", retries=0) as client:
            client.ask(REQUESTS[:1])
        assert server.heard[0].headers["authorization"] == f"Bearer {own or PLACEHOLDER}"


def test_names_that_are_none() -> None:
    with pytest.raises(InputError, match="expected PROVIDER:MODEL"):
        connect("gpt-5")
    with pytest.raises(UnknownNameError, match="Did you mean 'openai'"):
        connect("openia:gpt-5")
    with pytest.raises(InputError, match="'demo'"):
        connect("scripted:no-such-script")


def test_what_a_provider_lacks_is_said() -> None:
    with pytest.raises(InputError, match="set the environment variable OPENAI_API_KEY"):
        connect("openai:gpt-5-mini")
    with pytest.raises(InputError, match="SYSTEM_ONE_BASE_URL"):
        connect("system-one:judge")
    with pytest.raises(InputError, match="no batch API"):
        connect("system-one:judge", batch=True)
    with pytest.raises(InputError, match="takes none"):
        connect("scripted:demo", base_url="http://localhost:1/v1")


def test_without_the_extra_the_pip_line_is_named() -> None:
    code = (
        "import sys\n"
        "for name in ('pydantic_ai', 'openai', 'httpx2'): sys.modules[name] = None\n"
        "from palate.errors import MissingExtraError\n"
        "from palate.llm.connect import connect\n"
        "try: connect('openai:m')\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert "pip install 'palate[llm]'" in done.stdout, done.stderr


def test_a_provider_whose_library_is_missing_names_its_pip_line() -> None:
    try:
        import anthropic  # noqa: F401
    except ImportError:
        with pytest.raises((InputError, MissingExtraError), match="pydantic-ai-slim"):
            open_model("anthropic:claude-haiku-4-5")
    else:
        pytest.skip("the library is installed")


def test_the_libraries_warn_of_nothing() -> None:
    code = (
        "import pydantic_ai.direct, pydantic_ai.models.openai, pydantic_ai.models.system_one\n"
        "import openai, genai_prices\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_the_scripted_demo_answers_in_the_process_and_costs_nothing() -> None:
    with connect("scripted:demo", max_cost=0.0) as client:
        (outcome,) = client.ask(REQUESTS[:1])
        assert client.spent.cost == 0.0
    assert isinstance(outcome, Answer)
    assert isinstance(outcome.value["c1"], bool)


def test_a_script_that_was_written_anew_is_not_answered_from_the_store(tmp_path: Path) -> None:
    row = {"id": "1", "domain": "x", "prompt": "P", "response_a": "A", "response_b": "B"}
    concept = {"name": "Clarity", "definition": "d", "domains": "all"}
    texts = {"request": "P", "response_1": "A", "response_2": "B"}
    schema = compare_schema(["Clarity"])
    asked = Request((Message("user", fenced(texts)),), schema, name="compare")
    found = []
    for value in (1, 1, -1):
        annotated = [{"id": "1", "values": {"Clarity": value}}]
        save_script(recorded_script([row], annotated, [concept]), tmp_path / "s.json")
        store = Store(tmp_path / "answers.sqlite")
        with connect(f"scripted:{tmp_path / 's.json'}", store=store) as client:
            (outcome,) = client.ask([asked])
            assert isinstance(outcome, Answer)
            found.append((*outcome.value.values(), outcome.stored))
    assert found == [("first", False), ("first", True), ("second", False)]


def test_providers_and_addresses() -> None:
    names = provider_names()
    assert {"openai", "anthropic", "ollama", "vllm", "system-one", "google"} <= set(names)
    assert is_loopback("http://127.0.0.3:80/v1")
    assert is_loopback("http://[::1]:80/v1")
    assert is_loopback("http://localhost/v1")
    assert not is_loopback("https://api.openai.com/v1")
    assert not is_loopback("http://127.0.0.1.evil.example/v1")


def test_batches_are_remembered_beside_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "answers.sqlite")
    url = "http://127.0.0.1:9/v1"
    with connect("openai:gpt-4o-mini", base_url=url, batch=True, store=store) as client:
        journal = client.backend._journal  # type: ignore[attr-defined]
    assert journal == tmp_path / "answers.sqlite.batches"
