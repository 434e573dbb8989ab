"""`LoopThread`: an event loop in a thread of its own, for callers that know nothing of asyncio.

It lives as long as its client, so that connections are reused, and works where another loop runs
already (a notebook). A client that nobody closed ends its thread when it is forgotten.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Running(Generic[T]):
    """A coroutine at work in the other thread.

    Parameters
    ----------
    loop
        The loop of that thread.
    work
        The coroutine.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> None:
        self.ended: Future[T] = Future()
        self._loop = loop
        self._task: asyncio.Task[T] | None = None
        loop.call_soon_threadsafe(self._start, work)

    def _start(self, work: Coroutine[Any, Any, T]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self.ended.cancel()
            self.ended.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(task.result())

    def cancel(self) -> None:
        """Ask it to end early; `ended` tells when it has."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(
            target=_serve, args=(self._loop,), name="palate-models", daemon=True
        )
        thread.start()
        self._close = weakref.finalize(self, _stop, self._loop, thread)

    def start(self, work: Coroutine[Any, Any, T]) -> Running[T]:
        """Start a coroutine in the thread.

        Parameters
        ----------
        work
            The coroutine.
        """
        return Running(self._loop, work)

    def close(self) -> None:
        """End whatever runs, then the loop and its thread."""
        self._close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    if thread.is_alive():
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
