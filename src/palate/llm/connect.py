"""`connect("openai:gpt-5-mini")`: a client that is ready to be asked, from the name of a model.

    with connect("openai:gpt-5-mini", max_cost=2.0) as client:
        outcomes = client.ask(requests)

"openai:NAME" with a base URL is any server that speaks OpenAI's protocol; "system-one:NAME" is a
server of typed decisions; "scripted:demo" starts a server inside the process that answers from
recorded annotations: it needs no key and costs nothing.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.errors import InputError, MissingExtraError
from palate.llm.prices import FREE, Price, price_of

if TYPE_CHECKING:
    from palate.llm.backend import Backend
    from palate.llm.client import Client
    from palate.llm.spending import Progress
    from palate.llm.store import Store
    from palate.llm.thinking import Thinking

SCRIPTED = "scripted"
DECISIONS = "system-one"
JOURNAL = ".batches"
"""What the name of the file that remembers batches adds to the name of the store."""


def connect(
    model: str,
    *,
    base_url: str | None = None,
    store: Store | None = None,
    batch: bool = False,
    temperature: float | None = 0.0,
    seed: int | None = None,
    thinking: Thinking = "off",
    price: Price | None = None,
    max_cost: float | None = None,
    concurrency: int = 32,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    retries: int = 8,
    timeout: float = 120.0,
    progress: Progress | None = None,
) -> Client:
    """Return a client for a model; nothing is sent yet.

    Parameters
    ----------
    model
        Name of the model with its provider: "openai:gpt-5-mini".
    base_url
        Address of the endpoint, where it is not the provider's own.
    store
        Where answers are kept; None keeps none.
    batch
        Use the provider's batch API: half the price, and up to a day of waiting.
    temperature
        Temperature of sampling; not sent to models that take none. None leaves it to the model.
    seed
        Seed of sampling; None sends none.
    thinking
        How much a thinking model is to think: "off" (as little as it allows), "minimal", "low",
        "medium" or "high". What it thinks is billed as output.
    price
        Price of the tokens; None looks it up.
    max_cost
        US dollars that may be spent.
    concurrency
        Calls in flight at a time.
    requests_per_minute
        Calls begun in a minute; None for no limit.
    tokens_per_minute
        Tokens in a minute; None for no limit.
    retries
        How often a call that may yet succeed is sent again.
    timeout
        Seconds until a call counts as failed.
    progress
        Called as requests get their answers, as `Client` says.

    Raises
    ------
    InputError
        If the name, the key or the address of the provider is missing, or `max_cost` is given
        for a model without a price.
    MissingExtraError
        If a package is not installed.
    UnknownNameError
        If there is no such provider, or no such script.
    """
    backend = _backend(
        model,
        base_url=base_url,
        batch=batch,
        temperature=temperature,
        seed=seed,
        thinking=thinking,
        concurrency=concurrency,
        timeout=timeout,
        journal=None if store is None else store.path.with_name(store.path.name + JOURNAL),
    )
    from palate.llm.client import Client
    from palate.llm.providers import keys_of

    return Client(
        backend,
        store=store,
        concurrency=concurrency,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        max_cost=max_cost,
        retries=retries,
        timeout=timeout,
        price=price or known_price(model, base_url=base_url, batch=batch),
        progress=progress,
        secrets=keys_of(model.partition(":")[0]),  # no message may show them, whoever wrote it
    )


def known_price(model: str, *, base_url: str | None = None, batch: bool = False) -> Price | None:
    """Return the price of a model, None where it is not known; scripted ones are free.

    Parameters
    ----------
    model
        Name of the model with its provider.
    base_url
        Address of the endpoint, where it is not the provider's own.
    batch
        Whether the provider's batch API is used.
    """
    from palate.llm.providers import address_of

    provider = model.partition(":")[0]
    if provider == SCRIPTED:
        return FREE
    try:
        return price_of(model, base_url=address_of(provider, base_url), batch=batch)
    except MissingExtraError:
        return None


def _backend(
    model: str,
    *,
    base_url: str | None,
    batch: bool,
    temperature: float | None,
    seed: int | None,
    thinking: Thinking,
    concurrency: int,
    timeout: float,
    journal: Path | None,
) -> Backend:
    from palate.llm.providers import open_model

    kind = model.partition(":")[0]
    if batch and kind in (SCRIPTED, DECISIONS):
        raise InputError(f"--batch: {kind!r} has no batch API.")
    if kind == SCRIPTED:
        if base_url is not None:
            raise InputError("--base-url: a scripted model runs inside the process and takes none.")
        return _scripted(model, concurrency=concurrency, timeout=timeout)
    opened = open_model(
        model, base_url=base_url, connections=concurrency, timeout=timeout, batch=batch
    )
    settings: dict[str, Any] = {
        "temperature": temperature,
        "seed": seed,
        "thinking": thinking,
        "timeout": timeout,
    }
    if batch:
        from palate.llm.batch import ProviderBatch

        return ProviderBatch(opened, journal=journal, **settings)
    if kind == DECISIONS:
        from palate.llm.decisions import DecisionBackend

        return DecisionBackend(opened, timeout=timeout)
    from palate.llm.chat import ChatBackend

    return ChatBackend(opened, **settings)


def _scripted(model: str, *, concurrency: int, timeout: float) -> Backend:
    from palate.llm.chat import ChatBackend
    from palate.llm.providers import open_model
    from palate.llm.scripted.scripts import load_script
    from palate.llm.scripted.server import serve

    name = model.partition(":")[2]
    with ExitStack() as stack:
        server = stack.enter_context(serve(load_script(name)))
        opened = open_model(
            f"openai:{name}",
            base_url=server.base_url,
            connections=concurrency,
            timeout=timeout,
        )
        stop = stack.pop_all()

    async def close() -> None:
        await opened.close()
        stop.close()

    backend = ChatBackend(
        replace(opened, name=model, key_variable=None, close=close), timeout=timeout
    )
    if name != "demo":  # a file that was written anew is another model
        backend.sent = {**backend.sent, "script": _digest(name)}
    return backend


def _digest(path: str) -> str:
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
