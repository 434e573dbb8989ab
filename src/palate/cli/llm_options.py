"""The options that say which model is asked and what it may take, as the commands share them.

options = LlmOptions(llm=llm, base_url=base_url, ...)
with Stages() as stages, open_client(options, stages) as client:
    ...
print(closing_line(client))
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palate.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from palate.cli.progress import Stages
    from palate.llm.client import Client
    from palate.llm.dry import DryClient
    from palate.llm.request import Request
    from palate.llm.spending import Progress, Spent

PANEL = "The model that is asked"

Llm = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="PROVIDER:MODEL",
        help="The model, for instance openai:gpt-5-mini; scripted:demo needs no key.",
        rich_help_panel=PANEL,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        help="Address of a server that speaks the provider's protocol, http://localhost:8000/v1.",
        rich_help_panel=PANEL,
    ),
]
StorePath = Annotated[
    Path | None,
    typer.Option(
        "--store",
        help="File that keeps answers, so that none is paid twice; PALATE_STORE if absent.",
        rich_help_panel=PANEL,
    ),
]
NoStore = Annotated[
    bool, typer.Option("--no-store", help="Keep no answers.", rich_help_panel=PANEL)
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        min=0.0,
        help="Stop before more than this many US dollars are spent; the same command goes on.",
        rich_help_panel=PANEL,
    ),
]
PriceText = Annotated[
    str | None,
    typer.Option(
        "--price",
        metavar="IN,OUT[,CACHED]",
        help="US dollars per million tokens, where the price table has none.",
        rich_help_panel=PANEL,
    ),
]
Concurrency = Annotated[
    int,
    typer.Option("--concurrency", min=1, help="Calls in flight.", rich_help_panel=PANEL),
]
Rpm = Annotated[
    float | None,
    typer.Option("--rpm", min=0.01, help="Calls per minute.", rich_help_panel=PANEL),
]
Tpm = Annotated[
    float | None,
    typer.Option("--tpm", min=1.0, help="Tokens per minute.", rich_help_panel=PANEL),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", min=0.1, help="Seconds until a call counts as failed.", rich_help_panel=PANEL
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temperature",
        min=0.0,
        help="Temperature; models that take none get none.",
        rich_help_panel=PANEL,
    ),
]
ThinkingLevel = Annotated[
    str,
    typer.Option(
        "--thinking",
        help="How much a thinking model thinks: off (as little as it allows), minimal, low, medium "
        "or high. Billed as output.",
        rich_help_panel=PANEL,
    ),
]
Batch = Annotated[
    bool,
    typer.Option(
        "--batch",
        help="Use the provider's batch API: half the price, up to a day.",
        rich_help_panel=PANEL,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say what it would take in calls, tokens, cost and time, and send nothing.",
        rich_help_panel=PANEL,
    ),
]
CONCURRENCY, TIMEOUT, TEMPERATURE, THINKING = 32, 120.0, 0.0, "off"


@dataclass(frozen=True)
class LlmOptions:
    """What the options of a command say about the model.

    Parameters
    ----------
    llm
        Name of the model with its provider.
    base_url
        Address of the endpoint, where it is not the provider's own.
    store
        File that keeps answers; the default one if None.
    no_store
        Keep none.
    max_cost
        US dollars that may be spent.
    price
        Price as the user wrote it.
    concurrency
        Calls in flight.
    rpm
        Calls per minute.
    tpm
        Tokens per minute.
    timeout
        Seconds until a call counts as failed.
    temperature
        Temperature of sampling.
    thinking
        How much a thinking model thinks.
    batch
        Use the provider's batch API.
    dry_run
        Send nothing.
    """

    llm: str | None
    base_url: str | None = None
    store: Path | None = None
    no_store: bool = False
    max_cost: float | None = None
    price: str | None = None
    concurrency: int = CONCURRENCY
    rpm: float | None = None
    tpm: float | None = None
    timeout: float = TIMEOUT
    temperature: float = TEMPERATURE
    thinking: str = THINKING
    batch: bool = False
    dry_run: bool = False


def open_client(
    options: LlmOptions,
    stages: Stages | None = None,
    *,
    answer: Callable[[Request], Mapping[str, Any]] | None = None,
) -> Client | DryClient:
    """Return the client that the options ask for; `--dry-run` needs no key and no package.

    Parameters
    ----------
    options
        The options.
    stages
        Shows how far the calls are.
    answer
        Typical answers of a dry run, from a request; by its schema if None.

    Raises
    ------
    InputError
        If no model is named, options contradict each other, or as `connect` does.
    MissingExtraError
        If a package is not installed.
    UnknownNameError
        If there is no such provider.
    """
    from palate.llm.connect import connect, known_price
    from palate.llm.prices import read_price
    from palate.llm.thinking import check_thinking

    if options.llm is None:
        raise InputError(
            "--llm: found no model; expected PROVIDER:MODEL, for instance openai:gpt-5-mini, or "
            "scripted:demo, which needs no key."
        )
    if options.no_store and options.store is not None:
        raise InputError("--store and --no-store exclude each other.")
    price = None if options.price is None else read_price(options.price)
    check_thinking(options.thinking)
    if options.dry_run:
        from palate.llm.dry import DryClient
        from palate.llm.providers import split_name

        if not options.llm.startswith("scripted:"):
            with contextlib.suppress(MissingExtraError):  # then only the real run can tell
                split_name(options.llm)

        return DryClient(
            price or known_price(options.llm, base_url=options.base_url, batch=options.batch),
            answer,
            concurrency=options.concurrency,
            requests_per_minute=options.rpm,
            tokens_per_minute=options.tpm,
        )
    from palate.llm.store import Store

    store = None if options.no_store else Store(options.store)
    try:
        return connect(
            options.llm,
            base_url=options.base_url,
            store=store,
            batch=options.batch,
            temperature=options.temperature,
            thinking=options.thinking,  # type: ignore[arg-type]
            price=price,
            max_cost=options.max_cost,
            concurrency=options.concurrency,
            requests_per_minute=options.rpm,
            tokens_per_minute=options.tpm,
            timeout=options.timeout,
            progress=None if stages is None else progress_of(stages),
        )
    except BaseException:
        if store is not None:
            store.close()
        raise


def progress_of(stages: Stages) -> Progress:
    """Return what a client calls to show its progress in a stage, with the money spent.

    Parameters
    ----------
    stages
        The stages of the command.
    """

    def show(
        done: int, total: int, spent: Spent, cost: float | None, seconds: float | None
    ) -> None:
        stages.advance(done, total, money_note(spent.cost, cost))

    return show


def money_note(spent: float | None, expected: float | None) -> str:
    """Return "$0.12 of about $1.00", or nothing where no price is known.

    Parameters
    ----------
    spent
        US dollars spent so far.
    expected
        US dollars in the end.
    """
    if not spent and not expected:
        return ""
    if spent is None or expected is None:
        return dollars(spent or expected or 0.0)
    return f"{dollars(spent)} of about {dollars(expected)}"


def closing_line(client: Client | DryClient) -> str:
    """Return one line about what was spent, or what a dry run would take.

    Parameters
    ----------
    client
        The client.
    """
    from palate.llm.dry import DryClient

    if isinstance(client, DryClient):
        told = client.estimate
        cached = f" ({_count(told.cached_tokens)} of them cached)" if told.cached_tokens else ""
        money = (
            "no price is known (give one with --price IN,OUT)"
            if told.cost is None
            else f"about {dollars(told.cost)}"
        )
        return (
            f"Nothing was sent. It would take {told.calls:,} calls, about "
            f"{_count(told.input_tokens)} tokens in{cached}, {_count(told.output_tokens)} out, "
            f"{money}, {duration(told.seconds)}."
        )
    spent = client.spent
    parts = [
        f"{spent.calls + spent.stored:,} calls ({spent.stored:,} stored)",
        f"{_count(spent.usage.input_tokens)} tokens in",
        f"{_count(spent.usage.output_tokens)} out",
    ]
    if spent.cost is not None:
        parts.append(dollars(spent.cost))
    if spent.failed:
        parts.append(f"{spent.failed:,} without an answer")
    return ", ".join(parts)


def dollars(amount: float) -> str:
    """Return an amount of US dollars, to the cent or to two digits.

    Parameters
    ----------
    amount
        The amount.
    """
    if amount == 0 or amount >= 0.01:
        return f"${amount:,.2f}"
    return f"${amount:.2g}" if amount >= 0.0001 else "less than $0.0001"


def duration(seconds: float) -> str:
    """Return "about 2 min" for a length of time.

    Parameters
    ----------
    seconds
        The length.
    """
    if seconds < 90:
        return f"about {round(seconds)} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _count(number: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return str(number)
