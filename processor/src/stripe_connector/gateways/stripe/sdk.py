"""Stripe's SDK on the connector's outgoing client, with its pool, retries and deadlines."""

from __future__ import annotations

from collections.abc import Mapping

import stripe

from stripe_connector.gateways.outgoing import Outgoing, Retry
from stripe_connector.gateways.stripe.api_version import API_VERSION

AppInfo = stripe.AppInfo
"""The name of a program in Stripe's logs."""
BACKEND = "Stripe"

RETRY = Retry(conflict_tries=5)
"""Every write carries an idempotency key, so all calls are safe to repeat; a 409 means that the
key is in use."""


class OutgoingClient(stripe.HTTPClient):
    """The SDK's extension point for HTTP; the synchronous half is not implemented."""

    name = "aiohttp"

    def __init__(self, outgoing: Outgoing) -> None:
        super().__init__()
        self._outgoing = outgoing

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        response = await self._outgoing.send(
            method.upper(), url, backend=BACKEND, retry=RETRY, headers=headers, content=post_data
        )
        return response.content, response.status_code, response.headers


def create_client(
    *, secret_key: str, api_base: str, outgoing: Outgoing, app_info: stripe.AppInfo | None
) -> stripe.StripeClient:
    """A client whose only retries are those of `outgoing`."""
    # The SDK has these switches for the whole process only. Its telemetry would write a file
    # into the home directory and attribute one request's latency to another.
    stripe.enable_telemetry = False
    if app_info is not None:
        stripe.set_app_info(**app_info)
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base},
        http_client=OutgoingClient(outgoing),
        max_network_retries=0,
    )
