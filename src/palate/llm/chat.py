"""Chat models: a JSON schema goes along with the messages, JSON text comes back.

Every provider that pydantic-ai knows is reached through its `direct.model_request`. Where the
model can be held to a schema it is; else the answer is the argument of a tool call, or, as a last
resort, the schema stands in the prompt. Retries are the client's work, so that of the provider's
own library is switched off.

A request may ask for probabilities. Endpoints of OpenAI's protocols are then asked for those of
the tokens (`palate.llm.token_probabilities`), with as many alternatives as they list; one that
refuses, or answers without them, is not asked for them again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from palate.llm.backend import CallError, Reply
from palate.llm.call_errors import call_error, finished
from palate.llm.outcome import Usage
from palate.llm.providers import OpenModel
from palate.llm.request import Message, Request
from palate.llm.thinking import Thinking, check_thinking, thinking_of
from palate.llm.token_probabilities import field_probabilities, tokens_of

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

_FENCED = re.compile(r"^```(?:json)?\s*\n(.*)\n```$", re.DOTALL)
_KEPT_SCHEMAS = 256
_ALTERNATIVES = (20, 5)
"""How many alternatives of a token are asked for: OpenAI's limit, then that of stricter servers."""
_REFUSED = (400, 422)


class ChatBackend:
    """Sends one request at a time to a chat model.

    Parameters
    ----------
    opened
        The model, from `open_model`.
    temperature
        Temperature of sampling; not sent to models that take none. None leaves it to the model.
    seed
        Seed of sampling, plus the sample index of the request; None sends none.
    thinking
        How much the model is to think, where it can be told.
    timeout
        Seconds until a call counts as failed.

    Raises
    ------
    UnknownNameError
        If there is no such level of thinking.
    """

    def __init__(
        self,
        opened: OpenModel,
        *,
        temperature: float | None = 0.0,
        seed: int | None = None,
        thinking: Thinking = "off",
        timeout: float = 120.0,
    ) -> None:
        check_thinking(thinking)
        self._opened = opened
        self._model: Model[Any] = opened.model
        self._seed = seed
        self._parameters: dict[str, ModelRequestParameters] = {}
        self._mode = output_mode(self._model)
        self._settings: dict[str, Any] = settings_for(self._model, timeout)
        self.name = opened.name
        self.sent: Mapping[str, Any] = {"model": opened.name}
        if temperature is not None and takes_temperature(self._model):
            temperature = float(temperature)  # 0 and 0.0 are one key
            self._settings["temperature"] = temperature
            self.sent = {**self.sent, "temperature": temperature}
        if seed is not None:
            self.sent = {**self.sent, "seed": seed}
        told, self.room = thinking_of(self._model, thinking)
        self._settings |= told
        if told or self.room:
            self.sent = {**self.sent, "thinking": thinking}
        listed = lists_tokens(self._model) and self._mode != "tool"
        self._alternatives: tuple[int, ...] = _ALTERNATIVES if listed else ()
        self._taken = 0  # the number of alternatives that the endpoint is known to list

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def ask(self, request: Request) -> Reply:
        """Send one request once and return the reply.

        Parameters
        ----------
        request
            The request.

        Raises
        ------
        CallError
            If there is no answer.
        """
        levels = self._alternatives if request.probabilities else ()
        for i, alternatives in enumerate((*levels, 0)):
            try:
                response = await self._send(request, alternatives)
            except Exception as error:  # a body of the wrong shape fails anywhere in the library
                refused = alternatives and getattr(error, "status_code", None) in _REFUSED
                if refused and alternatives != self._taken:
                    continue
                raise self.failure(error) from None
            reply = self.reply(response)
            if levels:
                tokens = tokens_of(token_list(response)) if alternatives else []
                self._noticed(levels[i:] if tokens else ())
                soft = field_probabilities(tokens, reply.text, request.schema)
                reply = Reply(reply.text, reply.usage, soft)
            return reply
        raise AssertionError("the last level returns or raises")

    def _noticed(self, alternatives: tuple[int, ...]) -> None:
        """Remember how many alternatives the endpoint lists; what was seen once holds."""
        if alternatives:
            self._taken = alternatives[0]
        if alternatives or not self._taken:
            self._alternatives = alternatives

    async def _send(self, request: Request, alternatives: int) -> ModelResponse:
        from pydantic_ai.direct import model_request

        settings: dict[str, Any] = dict(self.settings_of(request))
        if alternatives:
            settings |= {"openai_logprobs": True, "openai_top_logprobs": alternatives}
        return await model_request(
            self._model,
            conversation(request.messages),
            model_settings=settings,  # type: ignore[arg-type]
            model_request_parameters=self.parameters_of(request),
            instrument=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._opened.close()

    def settings_of(self, request: Request) -> ModelSettings:
        """Return the settings that a request is sent with.

        Parameters
        ----------
        request
            The request.
        """
        settings = {**self._settings, "max_tokens": request.max_tokens + self.room}
        if self._seed is not None:
            settings["seed"] = self._seed + request.sample
        return settings  # type: ignore[return-value]

    def parameters_of(self, request: Request) -> ModelRequestParameters:
        """Return how the answer is to look, in the provider's terms; built once per schema.

        Parameters
        ----------
        request
            The request.
        """
        key = f"{request.name} {json.dumps(request.schema)}"
        found = self._parameters.get(key)
        if found is None:
            if len(self._parameters) >= _KEPT_SCHEMAS:
                self._parameters.clear()
            found = self._parameters[key] = parameters_for(request, self._mode)
        return found

    def reply(self, response: ModelResponse) -> Reply:
        """Return what a response of the provider says.

        Parameters
        ----------
        response
            The response.

        Raises
        ------
        CallError
            If it was cut off, or the model would not answer.
        """
        usage = usage_of(response)
        failed = finished(response.finish_reason, self.name, usage)
        if failed is not None:
            raise failed
        return Reply(text_of(response), usage)

    def failure(self, error: Exception) -> CallError:
        """Return what an exception of the provider's library means.

        Parameters
        ----------
        error
            The exception.
        """
        return call_error(error, model=self.name, key_variable=self._opened.key_variable)


def output_mode(model: Model[Any]) -> str:
    """Return how a model is held to a schema: "native", "tool" or "prompted".

    Parameters
    ----------
    model
        The model.
    """
    if model.profile.get("supports_json_schema_output", False):
        return "native"
    return "tool" if model.profile.get("supports_tools", True) else "prompted"


def takes_temperature(model: Model[Any]) -> bool:
    """Return whether a model takes a temperature, as far as its profile says.

    Parameters
    ----------
    model
        The model.
    """
    profile: Mapping[str, Any] = dict(model.profile)
    if "temperature" in model.unsupported_settings:
        return False
    if profile.get("anthropic_disallows_sampling_settings"):
        return False
    if not profile.get("openai_supports_reasoning"):
        return True
    return bool(
        profile.get("openai_supports_reasoning_effort_none")
        and not profile.get("thinking_enabled_by_default")
    )


def lists_tokens(model: Model[Any]) -> bool:
    """Return whether a model can be asked for the probabilities of its tokens.

    Parameters
    ----------
    model
        The model.
    """
    kinds = {kind.__name__ for kind in type(model).__mro__}
    spoken = kinds & {"OpenAIChatModel", "OpenAIResponsesModel"}
    return bool(spoken) and takes_temperature(model)


def settings_for(model: Model[Any], timeout: float) -> dict[str, Any]:
    """Return the settings that every request to a model shares.

    Parameters
    ----------
    model
        The model.
    timeout
        Seconds until a call counts as failed.
    """
    settings: dict[str, Any] = {}
    if "timeout" not in model.unsupported_settings:
        settings["timeout"] = timeout
    switched_off = hasattr(getattr(model, "client", None), "max_retries")  # by `open_model`
    if not switched_off and "max_retries" not in model.unsupported_settings:
        settings["max_retries"] = 0
    if model.profile.get("supports_cache", False):
        # what all requests of a kind share is cached; the pair itself is never read again
        settings["cache"] = {"messages": False}
    if type(model).__name__ == "OpenAIResponsesModel":
        settings["openai_store"] = False  # texts of users are not left with the provider
    return settings


def parameters_for(request: Request, mode: str) -> ModelRequestParameters:
    """Return pydantic-ai's description of the answer that a request expects.

    Parameters
    ----------
    request
        The request.
    mode
        "native", "tool" or "prompted".
    """
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    schema = dict(request.schema)
    if mode == "tool":
        tool = ToolDefinition(
            name=request.name,
            description="Give the answer.",
            parameters_json_schema=schema,
            kind="output",
        )
        return ModelRequestParameters(
            output_mode="tool", output_tools=[tool], allow_text_output=False
        )
    shape = OutputObjectDefinition(json_schema=schema, name=request.name, strict=True)
    return ModelRequestParameters(
        output_mode="native" if mode == "native" else "prompted",
        output_object=shape,
        allow_text_output=True,
    )


def conversation(messages: tuple[Message, ...]) -> list[ModelMessage]:
    """Return messages as pydantic-ai holds them.

    Parameters
    ----------
    messages
        The messages.
    """
    from pydantic_ai.messages import (
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        UserPromptPart,
    )

    out: list[ModelMessage] = []
    parts: list[Any] = []
    for message in messages:
        if message.role == "assistant":
            if parts:
                out.append(ModelRequest(parts=parts))
                parts = []
            out.append(ModelResponse(parts=[TextPart(message.text)]))
        elif message.role == "system":
            parts.append(SystemPromptPart(message.text))
        else:
            parts.append(UserPromptPart(message.text))
    if parts:
        out.append(ModelRequest(parts=parts))
    return out


def text_of(response: ModelResponse) -> str:
    """Return the text of an answer, which should be JSON, without the fence around it.

    Parameters
    ----------
    response
        The response.
    """
    from pydantic_ai.messages import TextPart, ToolCallPart

    for part in response.parts:
        if isinstance(part, ToolCallPart):
            # as it came: parsing it would hide a key that stands there twice
            return part.args if isinstance(part.args, str) else part.args_as_json_str()
    text = "".join(p.content for p in response.parts if isinstance(p, TextPart)).strip()
    fenced = _FENCED.match(text)
    return fenced[1] if fenced else text


def token_list(response: ModelResponse) -> object:
    """Return the tokens of an answer with their log-probabilities; None where there are none.

    Parameters
    ----------
    response
        The response.
    """
    from pydantic_ai.messages import TextPart

    details: list[Mapping[str, Any] | None] = [response.provider_details]
    details += [part.provider_details for part in response.parts if isinstance(part, TextPart)]
    return next((found["logprobs"] for found in details if found and "logprobs" in found), None)


def usage_of(response: ModelResponse) -> Usage:
    """Return the tokens of a call.

    Parameters
    ----------
    response
        The response.
    """
    used = response.usage
    return Usage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cached_tokens=used.cache_read_tokens,
    )
