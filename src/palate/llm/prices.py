"""What tokens cost: from the table that ships with genai-prices, or as the user says.

The table is read where it lies: nothing is downloaded, at no time. A model that it does not hold
has no price (None), and then no cost is shown; `--price IN,OUT[,CACHED]` gives one. A model behind
a base URL is priced only where the table knows that address: what runs at home is not billed by
the provider whose protocol it speaks.

Batch APIs cost what the table says for them, and half where it says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from palate.errors import InputError, MissingExtraError
from palate.llm.outcome import Usage

BATCH_SHARE = 0.5
_MILLION = 1e6
_PROBE = 1000  # few enough tokens that a price that grows with the length is at its lowest step
_SAME_PROVIDER = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "openai-decisions": "openai",
    "google-cloud": "google",
    "google-decisions": "google",
    "azure-responses": "azure",
    "bedrock": "aws",
    "bedrock-mantle": "aws",
}


@dataclass(frozen=True)
class Price:
    """Price of a million tokens in US dollars.

    Parameters
    ----------
    input
        Tokens sent.
    cached_input
        Tokens sent that the provider had in its prefix cache.
    output
        Tokens generated.
    """

    input: float
    cached_input: float
    output: float

    def cost(self, usage: Usage) -> float:
        """Return what this many tokens cost, in US dollars.

        Parameters
        ----------
        usage
            The tokens.
        """
        fresh = max(usage.input_tokens - usage.cached_tokens, 0)
        return (
            fresh * self.input
            + usage.cached_tokens * self.cached_input
            + usage.output_tokens * self.output
        ) / _MILLION


FREE = Price(input=0.0, cached_input=0.0, output=0.0)


def price_of(model: str, *, base_url: str | None = None, batch: bool = False) -> Price | None:
    """Return the price of a model, None where the table does not know it.

    Parameters
    ----------
    model
        Its name with its provider, "openai:gpt-5-mini".
    base_url
        Address of the endpoint, where it is not the provider's own.
    batch
        Whether requests go through the provider's batch API.

    Raises
    ------
    MissingExtraError
        If genai-prices is not installed.
    """
    try:
        from genai_prices import Usage as Tokens
        from genai_prices import calc_price
    except ImportError as error:
        raise MissingExtraError("The price table", "llm") from error
    provider, _, name = model.partition(":")
    if not name:
        return None

    def cost(tokens: Tokens, context: dict[str, str] | None) -> float:
        if base_url is not None:
            found = calc_price(tokens, name, provider_api_url=base_url, price_context=context)
        else:
            known = _SAME_PROVIDER.get(provider, provider)
            found = calc_price(tokens, name, provider_id=known, price_context=context)
        return float(found.total_price) * _MILLION / _PROBE

    def table(context: dict[str, str] | None) -> Price:
        return Price(
            input=cost(Tokens(input_tokens=_PROBE), context),
            cached_input=cost(Tokens(input_tokens=_PROBE, cache_read_tokens=_PROBE), context),
            output=cost(Tokens(output_tokens=_PROBE), context),
        )

    try:
        usual = table(None)
        if not batch:
            return usual
        cheaper = table({"processing": "batch"})
    except LookupError:
        return None
    if cheaper.input < usual.input:
        return cheaper
    return Price(
        input=usual.input * BATCH_SHARE,
        cached_input=usual.cached_input * BATCH_SHARE,
        output=usual.output * BATCH_SHARE,
    )


def read_price(text: str) -> Price:
    """Return the price that a user wrote: "IN,OUT" or "IN,OUT,CACHED", dollars per million tokens.

    Where CACHED is left out, cached tokens cost as much as others.

    Parameters
    ----------
    text
        For instance "0.25,2" or "0.25,2,0.025".

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(math.isfinite(n) and n >= 0 for n in numbers):
        raise InputError(
            f"--price: found {text!r}; expected IN,OUT or IN,OUT,CACHED in US dollars per million "
            "tokens, for instance 0.25,2."
        )
    return Price(
        input=numbers[0], cached_input=numbers[-1 if len(numbers) == 3 else 0], output=numbers[1]
    )
