"""The outgoing HTTP client: every call to Stripe, commercetools and key servers passes here.

One pool of connections, one retry policy and one rule about time: no call outlives the request
that needs it (`context.RequestContext.deadline`).
"""

from __future__ import annotations

import asyncio
import base64
import logging
import random
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

from stripe_connector import __version__, context
from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, NotFound

USER_AGENT = f"stripe-connector/{__version__}"
"""The User-Agent; Stripe's SDK sends its own."""
TRY_TIMEOUT = 10.0
"""Seconds that one try may take as a whole."""

_BUSY_OR_DOWN = frozenset({429, 500, 502, 503, 504})

logger = logging.getLogger(__name__)


class Response(Protocol):
    """An answer with its whole body."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""

    @property
    def content(self) -> bytes: ...
    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""


class HttpClient(Protocol):
    """The HTTP client underneath: in production that of `transport`, in tests an httpx.AsyncClient.

    It follows no redirects (credentials go to the configured hosts only) and keeps no cookies (all
    shoppers would share them).
    """

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None
    ) -> Response:
        """The answer; raises whatever the client raises where none arrived."""

    async def aclose(self) -> None: ...


def create_http_client(*, max_connections: int = 400) -> HttpClient:
    """The client for production; the caller closes it.

    Proxies of the environment are ignored, `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured; raises
    OSError where these cannot be read.
    """
    from stripe_connector.gateways.transport import AiohttpClient

    return AiohttpClient(max_connections)


class Retry(Struct, frozen=True):
    """How often, and after which pauses, a call is repeated."""

    tries: int = 3
    conflict_tries: int = 1
    """Tries while the answer is 409, where that means that an equal call is still running."""
    first_pause: float = 0.2
    """Seconds; doubles with every try, and up to half of it is taken off at random."""
    longest_pause: float = 5.0
    """Seconds; where a backend asks for a longer wait, the call is not repeated."""

    def allows(self, response: Response, tries: int) -> bool:
        """Whether to ask again after `tries` tries of which the last brought this response."""
        if response.status_code == 409:
            return tries < self.conflict_tries
        if tries >= self.tries:
            return False
        match response.headers.get("stripe-should-retry"):
            case "true":
                return True
            case "false":
                return False
        # Stripe repeats a stored failure for the lifetime of the key.
        replayed = response.headers.get("idempotent-replayed") == "true"
        return response.status_code in _BUSY_OR_DOWN and not replayed


REPEATABLE = Retry()
"""For reads, token requests, and other calls without an effect or with an idempotent one."""

ONCE = Retry(tries=1)
"""For writes that only their version or key protects: the caller decides."""


class Called(Struct, frozen=True):
    """One try of a call, for metrics and traces."""

    backend: str
    method: str
    url: str
    status: int | None
    """None where no answer came in time."""
    seconds: float
    tries: int
    """Which try of the call it was: 1 is the first."""

    @property
    def path(self) -> str:
        """As sent, without the query. It holds ids, and credentials of shoppers."""
        return urlsplit(self.url).path


class Outgoing:
    """Sends requests, repeats those that may be repeated, and observes the deadline."""

    def __init__(
        self,
        client: HttpClient,
        clock: Clock,
        *,
        uniform: Callable[[float, float], float] = random.uniform,
        observe: Callable[[Called], None] = lambda _: None,
    ) -> None:
        self.clock = clock
        self._client = client
        self._uniform = uniform
        self._observe = observe

    async def send(
        self,
        method: str,
        url: str,
        *,
        backend: str,
        retry: Retry,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int | list[str]] | None = None,
        content: str | bytes | None = None,
        auth: tuple[str, str] | None = None,
        per_try: float = TRY_TIMEOUT,
    ) -> Response:
        """The last response, whatever its status.

        `backend` names the other side in errors; `per_try` is the limit of one try in seconds.
        Raises BackendUnavailable when no response arrived in time.
        """
        headers = {"User-Agent": USER_AGENT, **(headers or {})}
        if params:
            url = f"{url}?{urlencode(params, doseq=True)}"
        if isinstance(content, str):
            content = content.encode()
        if auth is not None:
            credentials = base64.b64encode(":".join(auth).encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        tries = 0
        with context.waiting_for(backend):
            while True:
                tries += 1
                outcome = await self._try(method, url, headers, content, backend, per_try, tries)
                pause = self._pause_before_next(retry, tries, outcome)
                if pause is not None:
                    logger.info("%s: try %d failed, again in %.2f s", backend, tries, pause)
                    await self.clock.sleep(pause)
                elif isinstance(outcome, BackendUnavailable):
                    raise outcome
                else:
                    return outcome

    def time_left(self) -> float | None:
        """Seconds until the deadline of the current request; None where it has none."""
        request = context.current.get()
        if request is None or request.deadline is None:
            return None
        return request.deadline - self.clock.monotonic()

    def pause(self, retry: Retry, tries: int) -> float:
        """Seconds to wait after `tries` tries, partly random so that equal callers drift apart."""
        longest = min(retry.first_pause * 2 ** (tries - 1), retry.longest_pause)
        return self._uniform(longest / 2, longest)

    async def _try(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        backend: str,
        per_try: float,
        tries: int,
    ) -> Response | BackendUnavailable:
        left = self.time_left()
        limit = per_try if left is None else min(per_try, left)
        if limit <= 0:
            return BackendUnavailable(
                f"No time was left to call {backend}.", detail="the request's deadline has passed"
            )
        status: int | None = None
        began = self.clock.monotonic()
        try:
            async with asyncio.timeout(limit):
                response = await self._client.request(method, url, headers=headers, content=content)
        except Exception as error:  # noqa: BLE001
            # The errors of clients share no class. Whatever it was, the request may have arrived.
            failure = BackendUnavailable(
                f"{backend} did not answer.",
                # Without the path: it may hold a shopper's credentials.
                detail=f"{method} {urlsplit(url).hostname}: {type(error).__name__} {error}",
            )
            failure.__cause__ = error
            return failure
        else:
            status = response.status_code
            return response
        finally:
            seconds = self.clock.monotonic() - began
            self._observe(Called(backend, method, url, status, seconds, tries))

    def _pause_before_next(
        self, retry: Retry, tries: int, outcome: Response | BackendUnavailable
    ) -> float | None:
        """Seconds to wait before another try; None where one is not allowed or is useless."""
        pause = self.pause(retry, tries)
        if not isinstance(outcome, BackendUnavailable):
            if not retry.allows(outcome, tries):
                return None
            pause = max(pause, retry_after(outcome.headers, self.clock) or 0)
        elif tries >= retry.tries:
            return None
        left = self.time_left()
        if pause > retry.longest_pause or (left is not None and pause >= left):
            return None
        return pause


def retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds until the moment named by `Retry-After`; None where it is absent or invalid."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        if value.isascii() and value.isdigit():
            return int(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock.time())
    except (ValueError, OverflowError):
        return None


def segment(value: str) -> str:
    """A value as exactly one segment of a path.

    Raises NotFound for texts that cannot be escaped into one segment: no resource has such an id.
    """
    if value in {"", ".", ".."}:
        raise NotFound("The resource was not found.")
    return quote(value, safe="")
