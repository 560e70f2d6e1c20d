"""The connector's own access token: fetched once for all callers, renewed before it expires."""

from __future__ import annotations

import asyncio

import msgspec
from msgspec import Struct

from stripe_connector.errors import BackendError, BackendUnavailable
from stripe_connector.gateways.commercetools.errors import BACKEND, commercetools_error
from stripe_connector.gateways.outgoing import REPEATABLE, Outgoing
from stripe_connector.single_flight import SingleFlight

_RENEW_AHEAD = 300.0
"""Seconds before expiry at which a new token is fetched (or a tenth of a shorter life)."""


class AccessToken(Struct, frozen=True):
    """A token and its scopes; times are the clock's monotonic seconds."""

    value: str
    scopes: frozenset[str]
    """As granted, with the project key: `manage_payments:my-project`."""
    renew_at: float
    expires_at: float

    def __repr__(self) -> str:
        return f"AccessToken(scopes={sorted(self.scopes)})"


class _Answer(Struct):
    access_token: str
    expires_in: int
    scope: str = ""


_answer = msgspec.json.Decoder(_Answer)


class TokenCache:
    """Client credentials flow (https://docs.commercetools.com/api/authorization)."""

    def __init__(
        self, outgoing: Outgoing, *, auth_url: str, client_id: str, client_secret: str
    ) -> None:
        self._outgoing = outgoing
        self._url = f"{auth_url}/oauth/token"
        self._credentials = (client_id, client_secret)
        self._current: AccessToken | None = None
        self._flights: SingleFlight[None, AccessToken] = SingleFlight()

    async def get(self, *, rejected: str | None = None) -> AccessToken:
        """A token that is not the `rejected` one.

        However many callers report the same token as rejected, it is replaced once. Raises
        BackendError when our credentials are refused, BackendUnavailable when the
        authorization server cannot be reached.
        """
        current = self._current
        if current is not None and current.value == rejected:
            self._current = current = None
        if current is not None and self._outgoing.clock.monotonic() < current.renew_at:
            return current
        try:
            async with asyncio.timeout(self._outgoing.time_left()):
                return await self._flights.do(None, self._fetch)
        except TimeoutError as error:
            failure = BackendUnavailable(
                "commercetools did not answer.", detail="no access token before the deadline"
            )
            failure.__cause__ = error
        except BackendUnavailable as error:
            failure = error
        if current is not None and self._outgoing.clock.monotonic() < current.expires_at:
            return current
        raise failure

    async def _fetch(self) -> AccessToken:
        asked_at = self._outgoing.clock.monotonic()
        response = await self._outgoing.send(
            "POST",
            self._url,
            backend=BACKEND,
            retry=REPEATABLE,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content="grant_type=client_credentials",
            auth=self._credentials,
        )
        if not response.is_success:
            raise commercetools_error(response, "access token", self._outgoing.clock)
        try:
            answer = _answer.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BackendError(
                "commercetools issued no usable access token.", detail=str(error)
            ) from error
        self._current = AccessToken(
            value=answer.access_token,
            scopes=frozenset(answer.scope.split()),
            renew_at=asked_at + answer.expires_in - min(_RENEW_AHEAD, answer.expires_in / 10),
            expires_at=asked_at + answer.expires_in,
        )
        return self._current
