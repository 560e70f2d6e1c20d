"""The HTTP client of production, on aiohttp.

It is separate from `outgoing`, because tests use another client and aiohttp is slow to import.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

import aiohttp
import certifi
from msgspec import Struct
from yarl import URL

CONNECT_TIMEOUT = 3.0
"""Seconds to get a connection, whether from the pool or a new one."""
KEEP_ALIVE = 15.0
"""Seconds that an idle connection is kept: less than any backend keeps it. A write on a connection
that the other side has closed could not be repeated safely."""

_TIMEOUT = aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT, sock_connect=CONNECT_TIMEOUT)


class WholeResponse(Struct):
    """A response with its whole body, decompressed."""

    status_code: int
    headers: Mapping[str, str]
    """Names in any case."""
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300


class NoAnswer(Exception):
    """No whole answer arrived. Its text is free of the address, which may hold credentials."""

    def __init__(self, text: str, os_error: OSError | None = None) -> None:
        """`os_error` is why no connection came about."""
        super().__init__(text)
        self.os_error = os_error


class AiohttpClient:
    """Opens its connections in the event loop of its first request.

    Raises OSError where the authorities that the environment names cannot be read.
    """

    def __init__(self, max_connections: int) -> None:
        self._ssl_context = _ssl_context()
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None
    ) -> WholeResponse:
        """One request. Raises NoAnswer when no whole answer arrived."""
        session = self._session or self._open_session()
        # What is escaped already must arrive as it was written; yarl would decode some of it.
        escaped = url.isascii() and url.isprintable() and " " not in url
        try:
            async with session.request(
                method,
                URL(url, encoded=escaped),
                headers=headers,
                data=content or None,
                allow_redirects=False,
            ) as answer:
                return WholeResponse(answer.status, answer.headers, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            # The others tell the whole address.
            tells = isinstance(error, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError))
            text = f": {error}" if tells else ""
            why = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
            raise NoAnswer(f"{type(error).__name__}{text}", why) from None

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._max_connections, ssl=self._ssl_context, keepalive_timeout=KEEP_ALIVE
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_TIMEOUT,
        )
        return self._session


def _ssl_context() -> ssl.SSLContext:
    cafile, capath = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not (cafile or capath):
        cafile = certifi.where()
    return ssl.create_default_context(cafile=cafile, capath=capath)
