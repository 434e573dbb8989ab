"""Connections for many calls at a time: several small pools instead of one large one.

For every call, the pool of httpx2 looks at each of its connections, so that a call costs more the
more are in flight: 200 in one pool take as much CPU as all the rest of a call. Behind a proxy the
library's own pool is used, because it reads the proxy from the environment.
"""

from __future__ import annotations

import itertools
import os
import urllib.request
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import ssl

    import httpx2

CONNECT_SECONDS = 10.0
PER_POOL = 8
_USUAL = 32  # connections from which several pools are worth it


class _Pools:
    """A transport of httpx2 that takes its pools in turn."""

    def __init__(self, pools: list[httpx2.AsyncHTTPTransport]) -> None:
        self._pools = pools
        self._turn = itertools.cycle(pools)

    async def __aenter__(self) -> _Pools:
        for pool in self._pools:
            await pool.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await next(self._turn).handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()


def http_client(connections: int, *, timeout: float, local: bool) -> httpx2.AsyncClient:
    """Return an HTTP client that keeps as many connections alive as calls are in flight.

    Parameters
    ----------
    connections
        Calls in flight.
    timeout
        Seconds until a call counts as failed.
    local
        Whether the server is on this machine, where no proxy is used.
    """
    import httpx2
    from pydantic_ai.models import get_user_agent

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=max(connections, 1))
    proxied = not local and any(
        scheme in urllib.request.getproxies() for scheme in ("http", "https", "all")
    )
    transport: httpx2.AsyncBaseTransport | None = None
    if not proxied:
        context = _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        count = -(-connections // PER_POOL) if connections >= _USUAL else 1
        pools = [httpx2.AsyncHTTPTransport(verify=context, limits=limits) for _ in range(count)]
        transport = cast("httpx2.AsyncBaseTransport", _Pools(pools))
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS, pool=None),
        limits=limits,
        transport=transport,
        headers={"User-Agent": get_user_agent()},
        trust_env=not local,
    )


@lru_cache(maxsize=4)
def _context(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates of a place, which take 20 ms to read, once for all clients."""
    import httpx2

    return httpx2.create_ssl_context()
