"""Provider batch APIs: all requests handed in at once, for half the price, within a day.

    backend = ProviderBatch(opened, journal=path)
    results = await backend.ask_all(requests)

Which batches were handed in is written to a journal, one line per batch, as soon as the provider
has taken it; a run that was killed finds them there and collects them instead of paying again.
What is lost is only a batch that the provider took in the moment before the kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.errors import InputError, OutputError
from palate.llm.backend import CallError, Reply
from palate.llm.chat import ChatBackend, conversation
from palate.llm.providers import OpenModel
from palate.llm.request import Request
from palate.llm.thinking import Thinking

if TYPE_CHECKING:
    from pydantic_ai.models.batch import Batch, BatchRequest, BatchResult, EncodedBatchRequest

KEPT_SECONDS = 29 * 86_400
"""Providers keep results for a month; batches older than this are not looked for."""
LARGEST = 10_000
FIRST_WAIT, LONGEST_WAIT, GROWTH = 15.0, 300.0, 1.5
FAILED_CHECKS = 20
"""Checks of a batch that may fail in a row; it goes on at the provider meanwhile."""


@dataclass(frozen=True)
class _HandedIn:
    batch: Batch
    keys: frozenset[str]


class ProviderBatch(ChatBackend):
    """Hands requests to the batch API of a model's provider.

    Parameters
    ----------
    opened
        The model, from `open_model(..., batch=True)`.
    journal
        File that remembers what was handed in; None forgets it with the process.
    temperature
        Temperature of sampling; not sent to models that take none. None leaves it to the model.
    seed
        Seed of sampling, plus the sample index of the request; None sends none.
    thinking
        How much the model is to think, where it can be told.
    timeout
        Seconds until a call to the provider counts as failed; not a limit on the batch.
    first_wait
        Seconds until a batch is looked at for the first time; later waits are longer.

    Raises
    ------
    InputError
        If the model has no batch API.
    """

    def __init__(
        self,
        opened: OpenModel,
        *,
        journal: Path | None = None,
        temperature: float | None = 0.0,
        seed: int | None = None,
        thinking: Thinking = "off",
        timeout: float = 120.0,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        super().__init__(
            opened, temperature=temperature, seed=seed, thinking=thinking, timeout=timeout
        )
        most = self._model.batch_max_requests
        if most is None:
            raise InputError(f"--batch: {opened.name} has no batch API.")
        for name in ("timeout", "max_retries"):  # a batch has neither
            self._settings.pop(name, None)
        self._most = min(most, LARGEST)
        self._journal = journal
        self._first_wait = first_wait
        self._forgotten: set[tuple[str, str]] = set()
        self._known: list[_HandedIn] = []

    async def ask(self, request: Request) -> Reply:
        """Hand in one request and wait for its reply.

        Parameters
        ----------
        request
            The request.

        Raises
        ------
        CallError
            If there is no answer.
        """
        (result,) = await self.ask_all([request])
        if isinstance(result, CallError):
            raise result
        return result

    async def ask_all(self, requests: Sequence[Request]) -> list[Reply | CallError]:
        """Hand in all requests, wait for the batches to end, and return one result each.

        Parameters
        ----------
        requests
            The requests; their results come in the same order.

        Raises
        ------
        OutputError
            If the journal cannot be written; then no batch is handed in.
        """
        asked = {request.key(self.sent).hex(): request for request in requests}
        prepared = {key: self._prepared(key, request) for key, request in asked.items()}
        results: dict[str, Reply | CallError] = {}
        waiting: list[_HandedIn] = []
        found: set[str] = set()
        for old in self._remembered():
            mine = {
                key
                for key in old.keys & asked.keys() - found
                if (old.batch.id, key) not in self._forgotten
            }
            if mine:
                found |= mine
                waiting.append(_HandedIn(old.batch, frozenset(mine)))
        unread = await self._collect(waiting, prepared, results)
        # what an earlier run's batch has no answer for is handed in again; what cannot be read
        # now is not, because its answer may be there and is paid for
        again = [
            key for key in asked if key not in unread and not isinstance(results.get(key), Reply)
        ]
        fresh: list[_HandedIn] = []
        async for chunk in self._chunks([prepared[key] for key in again], results):
            handed = await self._hand_in(chunk, results)
            if handed is not None:
                fresh.append(handed)
        await self._collect(fresh, prepared, results)
        return [results[request.key(self.sent).hex()] for request in requests]

    def _prepared(self, key: str, request: Request) -> BatchRequest:
        from pydantic_ai.models.batch import BatchRequest

        return BatchRequest(
            custom_id=key,
            messages=conversation(request.messages),
            model_settings=self.settings_of(request),
            model_request_parameters=self.parameters_of(request),
        )

    async def _chunks(
        self, requests: Sequence[BatchRequest], results: dict[str, Reply | CallError]
    ) -> AsyncIterator[list[EncodedBatchRequest]]:
        """The requests as the provider wants them, in parts that it takes."""
        parts: dict[str, list[EncodedBatchRequest]] = {}
        sizes: dict[str, int] = {}
        largest = self._model.batch_max_bytes
        for request in requests:
            try:
                encoded = await self._model.batch_encode(request)
            except Exception as error:  # the library refuses what the provider would
                results[request.custom_id] = self.failure(error)
                continue
            size = self._model.batch_request_size(encoded)
            part = parts.setdefault(encoded.group, [])
            full = largest is not None and sizes.get(encoded.group, 0) + size > largest
            if part and (full or len(part) == self._most):
                yield part
                part = parts[encoded.group] = []
                sizes[encoded.group] = 0
            part.append(encoded)
            sizes[encoded.group] = sizes.get(encoded.group, 0) + size
        for part in parts.values():
            if part:
                yield part

    async def _hand_in(
        self, part: list[EncodedBatchRequest], results: dict[str, Reply | CallError]
    ) -> _HandedIn | None:
        keys = frozenset(request.custom_id for request in part)
        try:
            self._append(b"\n")
        except OSError as error:
            raise OutputError(
                f"{self._journal}: cannot be written ({error.strerror}), so that no batch was "
                "handed in: after a kill it could not be found again."
            ) from None
        try:
            batch = await self._model.batch_create(part)
        except Exception as error:  # of whatever kind, no request of this part has an answer
            failed = self.failure(error)
            if failed.reason in ("connection", "timeout", "server error"):
                failed = CallError(
                    failed.reason,
                    f"{self.name} may or may not have taken a batch of {len(part)} requests: look "
                    "at the provider's list of batches before you ask again.",
                    fatal=True,
                )
            results.update(dict.fromkeys(keys, failed))
            return None
        handed = _HandedIn(batch, keys)
        self._remember(handed)
        return handed

    async def _collect(
        self,
        waiting: Sequence[_HandedIn],
        prepared: Mapping[str, BatchRequest],
        results: dict[str, Reply | CallError],
    ) -> set[str]:
        """Add the results of batches, and return the keys of batches that could not be read."""
        unread: set[str] = set()
        gathered = await asyncio.gather(*(self._results(handed) for handed in waiting))
        for handed, lines in zip(waiting, gathered, strict=True):
            if isinstance(lines, CallError):
                results.update(dict.fromkeys(handed.keys, lines))
                unread |= handed.keys
                continue
            for key in handed.keys:
                self._forgotten.add((handed.batch.id, key))  # asked again, it is asked anew
                if key not in lines:
                    results[key] = CallError(
                        "server error",
                        f"A batch of {self.name} ended without this answer.",
                        retry=True,
                    )
                else:
                    results[key] = self._read(lines[key], prepared[key])
        return unread

    async def _results(self, handed: _HandedIn) -> dict[str, BatchResult] | CallError:
        """The lines of a batch, once it has ended."""
        batch, wait, failures = handed.batch, self._first_wait, 0
        while True:
            try:
                if batch.status != "ended":
                    batch = await self._model.batch_status(batch)
                if batch.status == "ended":
                    return {r.custom_id: r for r in await self._model.batch_results(batch)}
                failures = 0
            except Exception as error:  # a failed look at a batch says nothing about the batch
                if getattr(error, "status_code", None) == 404:
                    return {}  # the provider has forgotten it
                failures += 1
                failed = self.failure(error)
                if failures > FAILED_CHECKS or not failed.retry:
                    return CallError(failed.reason, failed.detail, fatal=failed.fatal)
            await asyncio.sleep(wait)
            wait = min(wait * GROWTH, max(LONGEST_WAIT, self._first_wait))

    def _read(self, result: BatchResult, request: BatchRequest) -> Reply | CallError:
        if result.status == "expired":
            return CallError("timeout", f"A batch of {self.name} took too long.", retry=True)
        if result.status == "canceled":
            return CallError("declined", f"A batch of {self.name} was cancelled.")
        try:
            return self.reply(self._model.batch_decode(result, request))
        except CallError as failed:
            return failed
        except Exception as error:  # a body of the wrong shape fails anywhere in the library
            return self.failure(error)

    def _remember(self, handed: _HandedIn) -> None:
        self._known.append(handed)
        if self._journal is None:
            return
        entry = asdict(handed.batch)
        entry["created_at"] = handed.batch.created_at.isoformat()
        line = json.dumps({"model": self.name, "batch": entry, "keys": sorted(handed.keys)})
        # a line break on both sides: a line that a kill cut short spoils no other
        with contextlib.suppress(OSError):  # it is taken and paid: what follows still gets it
            self._append(f"\n{line}\n".encode())

    def _append(self, data: bytes) -> None:
        if self._journal is None:
            return
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        # one write in append mode: several processes may share the file
        descriptor = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remembered(self) -> list[_HandedIn]:
        if self._journal is None or not self._journal.exists():
            return list(self._known)
        return [
            handed
            for line in self._journal.read_text(encoding="utf-8").splitlines()
            if (handed := _handed_in(line, self.name)) is not None
        ]


def _handed_in(line: str, model: str) -> _HandedIn | None:
    """A line of the journal; None where it was cut short, is another model's, or too old."""
    from pydantic import TypeAdapter, ValidationError
    from pydantic_ai.models.batch import Batch

    try:
        entry: dict[str, Any] = json.loads(line)
        batch = TypeAdapter(Batch).validate_python(entry["batch"])
        keys = frozenset(entry["keys"])
    except (ValueError, KeyError, TypeError, ValidationError):
        return None
    if entry.get("model") != model or time.time() - batch.created_at.timestamp() > KEPT_SECONDS:
        return None
    return _HandedIn(batch, keys)
