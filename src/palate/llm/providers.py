"""Opens a model by its name, with connections of our own: as many kept alive as calls in flight.

"openai:NAME" with a base URL is any server that speaks OpenAI's chat protocol (vLLM, Ollama,
llama.cpp, a hosted one); without one it is OpenAI itself. Every other provider that pydantic-ai
knows is reached by name. Keys come from the environment and go nowhere else:

    a base URL            PALATE_API_KEY if it is set; else the provider's own key, but never to
                          this machine, whose servers get a placeholder
    no base URL           the provider's own variable, OPENAI_API_KEY for instance

OPENAI_BASE_URL and SYSTEM_ONE_BASE_URL stand for a base URL where none is given.
"""

from __future__ import annotations

import inspect
import ipaddress
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from palate.errors import InputError, MissingExtraError, UnknownNameError, shorten
from palate.llm.connections import http_client

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

OWN_KEY = "PALATE_API_KEY"
PLACEHOLDER = "no-key-needed"
_KEY_NAMES = {
    "openai-chat": "OPENAI_API_KEY",
    "openai-responses": "OPENAI_API_KEY",
    "openai-decisions": "OPENAI_API_KEY",
    "system-one": "SYSTEM_ONE_API_KEY",
    "huggingface": "HF_TOKEN",
    "heroku": "HEROKU_INFERENCE_KEY",
    "cohere": "CO_API_KEY",
    "voyageai": "VOYAGE_API_KEY",
    "snowflake": "SNOWFLAKE_TOKEN",
    "azure": "AZURE_OPENAI_API_KEY",
    "bedrock": "AWS_BEARER_TOKEN_BEDROCK",
}
_ADDRESS_VARIABLES = {
    "openai": "OPENAI_BASE_URL",
    "openai-chat": "OPENAI_BASE_URL",
    "openai-responses": "OPENAI_BASE_URL",
    "system-one": "SYSTEM_ONE_BASE_URL",
}
_PIP_LINE = re.compile(r"pip install \"?'?([\w\-]+\[[\w\-]+\])")
_VARIABLE = re.compile(r"`([A-Z][A-Z0-9_]+)`")


@dataclass(frozen=True)
class OpenModel:
    """A model that can be asked.

    Parameters
    ----------
    name
        Its name with its provider.
    model
        The model of pydantic-ai.
    key_variable
        Environment variable that holds the key, None where none is needed.
    close
        Closes its connections.
    """

    name: str
    model: Model[Any] = field(repr=False)
    key_variable: str | None
    close: Callable[[], Awaitable[None]] = field(repr=False)


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    connections: int = 32,
    timeout: float = 120.0,
    batch: bool = False,
) -> OpenModel:
    """Open a model by its name; nothing is sent yet.

    Parameters
    ----------
    name
        The name with its provider, "openai:gpt-5-mini".
    base_url
        Address of the endpoint, where it is not the provider's own.
    connections
        Connections that are kept alive.
    timeout
        Seconds until a call counts as failed.
    batch
        Whether it is for the provider's batch API, which OpenAI has for one of its protocols only.

    Raises
    ------
    InputError
        If the name has no provider, the address is none that can be asked, or the provider's key,
        address or library is missing.
    MissingExtraError
        If pydantic-ai is not installed.
    UnknownNameError
        If there is no such provider.
    """
    try:
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model
    except ImportError as error:
        raise MissingExtraError("Asking a language model", "llm") from error
    provider, bare = split_name(name)
    address = address_of(provider, base_url)
    if address is not None:
        _check_address(address)
    local = address is not None and is_loopback(address)
    http = http_client(connections, timeout=timeout, local=local)
    key_name = key_variable(provider)
    chat = provider == "openai" and address is not None and not batch
    try:
        model = infer_model(
            f"openai-chat:{bare}" if chat else name,
            lambda wanted: _provider(wanted, http, address, key_name),
        )
    except UserError as error:
        raise InputError(_missing_setting(name, str(error))) from None
    except ImportError as error:  # of the provider's own library, which the extra does not bring
        wanted = _PIP_LINE.search(str(error))
        package = wanted[1] if wanted else f"pydantic-ai-slim[{provider}]"
        raise InputError(f"{name} needs a package: pip install '{package}'.") from error
    if chat and not is_openai(address or ""):
        model = _plain(model)
    client = getattr(model, "client", None)
    if client is not None and hasattr(client, "max_retries"):
        client.max_retries = 0
    return OpenModel(name, model, OWN_KEY if local else key_name, http.aclose)


def split_name(name: str) -> tuple[str, str]:
    """Return the provider and the bare name of "provider:name".

    Parameters
    ----------
    name
        The name of a model.

    Raises
    ------
    InputError
        If one of the two is missing.
    UnknownNameError
        If there is no such provider.
    """
    provider, _, bare = name.partition(":")
    if not provider or not bare:
        raise InputError(
            f"--llm: found {name!r}; expected PROVIDER:MODEL, for instance openai:gpt-5-mini."
        )
    legal = provider_names()
    if provider not in legal and not provider.startswith("gateway/"):
        raise UnknownNameError("provider of models", provider, legal)
    return provider, bare


def provider_names() -> tuple[str, ...]:
    """Return the names of the providers that can be asked.

    Raises
    ------
    MissingExtraError
        If pydantic-ai is not installed.
    """
    try:
        from pydantic_ai.models import KnownModelName, OpenAIChatCompatibleProvider
    except ImportError as error:
        raise MissingExtraError("Asking a language model", "llm") from error
    known = {str(name).split(":")[0] for name in get_args(KnownModelName.__value__) if ":" in name}
    known |= set(get_args(OpenAIChatCompatibleProvider.__value__))
    known |= {"openai", "openai-chat", "openai-responses", "system-one"}
    return tuple(sorted(name for name in known if not name.startswith("gateway/")))


def key_variable(provider: str) -> str:
    """Return the environment variable in which a provider's key is looked for.

    Parameters
    ----------
    provider
        Name of the provider.
    """
    return _KEY_NAMES.get(provider, provider.upper().replace("-", "_") + "_API_KEY")


def address_of(provider: str, base_url: str | None) -> str | None:
    """Return the address that is asked, None for the provider's own.

    Parameters
    ----------
    provider
        Name of the provider.
    base_url
        The address that the user gave.
    """
    if base_url is None and provider in _ADDRESS_VARIABLES:
        return os.environ.get(_ADDRESS_VARIABLES[provider]) or None
    return base_url


def keys_of(provider: str) -> tuple[str, ...]:
    """Return the keys in the environment that may travel to a provider.

    Parameters
    ----------
    provider
        Name of the provider.
    """
    found = (os.environ.get(name) for name in (OWN_KEY, key_variable(provider)))
    return tuple(key for key in found if key)


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine.

    Parameters
    ----------
    url
        The address.
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_openai(url: str) -> bool:
    """Return whether an address is OpenAI's own.

    Parameters
    ----------
    url
        The address.
    """
    host = urlsplit(url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _check_address(url: str) -> None:
    """Refuse an address that would fail on every call, or that holds a secret."""
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket that does not close
        complete = False
    if "@" in url or "?" in url or "#" in url:
        # not shown: logs of the libraries and run.json would, which is why it is refused
        raise InputError(
            "--base-url: found an address with '@', '?' or '#'; expected http://HOST:PORT/v1 "
            "without a password or parameters: a key belongs into the environment variable "
            f"{OWN_KEY}."
        )
    if not complete or any(character.isspace() for character in url):
        raise InputError(f"--base-url: found {shorten(url)}; expected http://HOST:PORT/v1.")


def _provider(
    wanted: str, http: httpx2.AsyncClient, base_url: str | None, key_name: str
) -> Provider[Any]:
    from pydantic_ai.providers import infer_provider, infer_provider_class

    if wanted.startswith("gateway/"):
        return infer_provider(wanted)
    kind = infer_provider_class(wanted)
    takes = inspect.signature(kind.__init__).parameters
    given: dict[str, Any] = {"http_client": http} if "http_client" in takes else {}
    if base_url is not None:
        if "base_url" not in takes:
            raise InputError(f"--base-url: the provider {wanted!r} takes none.")
        given["base_url"] = base_url
        if "api_key" in takes:
            key = os.environ.get(OWN_KEY)
            if not key and not is_loopback(base_url):
                key = os.environ.get(key_name)
            given["api_key"] = key or PLACEHOLDER
    return kind(**given)


def _plain(model: Model[Any]) -> Model[Any]:
    """The model as servers other than OpenAI's understand it: the schema as it is, max_tokens."""
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile

    assert isinstance(model, OpenAIChatModel)  # `infer_model` gives no other for openai-chat
    profile = OpenAIModelProfile(
        json_schema_transformer=None,
        supports_json_schema_output=True,
        openai_chat_supports_max_completion_tokens=False,
        openai_system_prompt_role="system",
        openai_chat_supports_multiple_system_messages=False,
    )
    provider = model.provider
    assert provider is not None
    return OpenAIChatModel(model.model_name, provider=provider, profile=profile)


def _missing_setting(name: str, said: str) -> str:
    variables = list(dict.fromkeys(_VARIABLE.findall(said)))
    if variables:
        return f"{name}: set the environment variable {' or '.join(variables)}."
    return f"{name}: {said}"
