"""commercetools over HTTP: credentials, JSON in and out, errors; nothing about resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from stripe_connector import context
from stripe_connector.clock import ServerClock
from stripe_connector.errors import BackendError
from stripe_connector.gateways.commercetools.errors import BACKEND, commercetools_error
from stripe_connector.gateways.commercetools.token import TokenCache
from stripe_connector.gateways.outgoing import ONCE, REPEATABLE, Outgoing, Response

T = TypeVar("T")


class Client:
    """Sends authenticated requests; a rejected token is replaced and the request sent again."""

    def __init__(self, outgoing: Outgoing, tokens: TokenCache) -> None:
        self.tokens = tokens
        self.clock = ServerClock(outgoing.clock)
        self._outgoing = outgoing

    async def get(
        self,
        url: str,
        decoder: msgspec.json.Decoder[T],
        *,
        subject: str,
        params: Mapping[str, str | int | list[str]] | None = None,
    ) -> T:
        """Read a resource or a page of a query; `subject` names it in errors."""
        return self._decoded(
            await self._send("GET", url, subject=subject, params=params), decoder, subject
        )

    async def post(
        self,
        url: str,
        body: object,
        decoder: msgspec.json.Decoder[T],
        *,
        subject: str,
        params: Mapping[str, str | int | list[str]] | None = None,
    ) -> T:
        """Write once: the caller decides whether to repeat, as it knows what makes that safe."""
        content = msgspec.json.encode(body)
        return self._decoded(
            await self._send("POST", url, subject=subject, params=params, content=content),
            decoder,
            subject,
        )

    async def delete(self, url: str, decoder: msgspec.json.Decoder[T], *, subject: str) -> T:
        """Delete a resource, whatever its version is."""
        return self._decoded(await self._send("DELETE", url, subject=subject), decoder, subject)

    async def post_form(
        self,
        url: str,
        content: str,
        decoder: msgspec.json.Decoder[T],
        *,
        auth: tuple[str, str],
        subject: str,
    ) -> T:
        """Call the authorization server, with client id and secret."""
        response = await self._outgoing.send(
            "POST",
            url,
            backend=BACKEND,
            retry=REPEATABLE,
            headers={"Content-Type": "application/x-www-form-urlencoded", **_correlation()},
            content=content,
            auth=auth,
        )
        return self._decoded(self._checked(response, subject), decoder, subject)

    async def _send(
        self,
        method: str,
        url: str,
        *,
        subject: str,
        params: Mapping[str, str | int | list[str]] | None = None,
        content: bytes | None = None,
    ) -> Response:
        token = await self.tokens.get()
        for last in (False, True):
            headers = {"Authorization": f"Bearer {token.value}", **_correlation()}
            if content is not None:
                headers["Content-Type"] = "application/json"
            response = await self._outgoing.send(
                method,
                url,
                backend=BACKEND,
                retry=REPEATABLE if method == "GET" else ONCE,
                headers=headers,
                params=params,
                content=content,
            )
            self.clock.heard(response.headers.get("date"))
            if response.status_code != 401 or last:
                break
            token = await self.tokens.get(rejected=token.value)
        return self._checked(response, subject)

    def _checked(self, response: Response, subject: str) -> Response:
        if not response.is_success:
            raise commercetools_error(response, subject, self._outgoing.clock)
        return response

    def _decoded(self, response: Response, decoder: msgspec.json.Decoder[T], subject: str) -> T:
        try:
            return decoder.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BackendError(
                "commercetools sent an answer that the connector cannot read.",
                detail=f"{subject}: {error}",
            ) from error


def _correlation() -> dict[str, str]:
    correlation_id = context.correlation_id()
    return {"X-Correlation-ID": correlation_id} if correlation_id else {}
