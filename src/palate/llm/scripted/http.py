"""The little of HTTP/1.1 that a scripted server needs: requests with a length, and responses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

LARGEST = 256 * 1024 * 1024


class BadRequestError(Exception):
    """What came is no request that this server reads."""


@dataclass(frozen=True)
class Received:
    """One request.

    Parameters
    ----------
    method
        For instance "POST".
    path
        Path without the query.
    headers
        Headers, names in lower case.
    body
        The body.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Received | None:
    """Return the next request of a connection, or None when it has ended.

    Parameters
    ----------
    reader
        The connection.

    Raises
    ------
    BadRequestError
        If it is not HTTP/1.1 with a length.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise BadRequestError("The request ends in its header.") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequestError("The header is too long.") from None
    first, *rest = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3:
        raise BadRequestError("The first line is no request line.")
    pairs = (line.partition(":") for line in rest if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal() or int(length) > LARGEST:
        raise BadRequestError("The request needs a Content-Length.")
    body = await reader.readexactly(int(length))
    return Received(parts[0], parts[1].partition("?")[0], headers, body)


def response(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a response as bytes; JSON unless the headers say otherwise.

    Parameters
    ----------
    status
        HTTP status.
    body
        The body.
    headers
        Further headers.
    """
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "keep-alive",
        **headers,
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
