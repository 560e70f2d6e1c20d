"""commercetools over HTTP: credentials, JSON in and out, errors; nothing about resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import UNSET

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

    async def call(
        self,
        url: str,
        decoder: msgspec.json.Decoder[T],
        body: object = UNSET,
        *,
        subject: str,
        params: Mapping[str, str | int | list[str]] | None = None,
        delete: bool = False,
    ) -> T:
        """Read a resource or a page of a query, write `body`, or delete; `subject` is for errors.

        A write is sent once: the caller decides whether to repeat, and knows what makes that safe.
        """
        content = None if body is UNSET else msgspec.json.encode(body)
        method = "DELETE" if delete else "GET" if content is None else "POST"
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
        return self._decoded(response, decoder, subject)

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
        return self._decoded(response, decoder, subject)

    def _decoded(self, response: Response, decoder: msgspec.json.Decoder[T], subject: str) -> T:
        if not response.is_success:
            raise commercetools_error(response, subject, self._outgoing.clock)
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
