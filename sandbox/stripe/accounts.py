"""Several accounts and modes at one address: the key of a call says whose it is.

Accounts share nothing, and neither do the modes of one account: objects of one are unknown under
another's keys (https://docs.stripe.com/keys#test-live-modes). The keys are the sandbox's own; at
Stripe they open nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.clock import SandboxClock
from sandbox.stripe.app import create_app, sent_key
from sandbox.stripe.state import StripeState


class Side(Struct, frozen=True):
    """An account in one of its modes, as a second processor would have it."""

    name: str
    account: str
    live: bool
    secret_key: str
    publishable_key: str
    webhook_secret: str
    port: int
    """Where its processor is expected on this machine."""

    def state(self, clock: SandboxClock, public_url: str) -> StripeState:
        return StripeState(
            clock,
            live=self.live,
            account=self.account,
            secret_keys=[self.secret_key],
            publishable_key=self.publishable_key,
            public_url=public_url,
        )


SIDES = {
    side.name: side
    for side in (
        Side(
            name="second",
            account="acct_sandbox_second",
            live=False,
            secret_key="sk_test_sandbox_second",
            publishable_key="pk_test_sandbox_second",
            webhook_secret="whsec_sandbox0123456789second",
            port=8081,
        ),
        Side(
            name="live",
            account="acct_sandbox",
            live=True,
            secret_key="sk_live_sandbox",
            publishable_key="pk_live_sandbox",
            webhook_secret="whsec_sandbox0123456789live",
            port=8082,
        ),
    )
}
"""Beside the first account's test mode, by name."""


class Accounts:
    """Serves the first account, and the others to callers with their keys or objects."""

    def __init__(self, first: ASGIApp, others: Iterable[StripeState]) -> None:
        self._first = first
        self._others = [(state, create_app(state)) for state in others]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._owner(Request(scope))(scope, receive, send)

    def _owner(self, request: Request) -> ASGIApp:
        """By its key; a shopper's page, which has none, by the object that its address names."""
        key = sent_key(request)
        for state, app in self._others:
            if key in (*state.secret_keys, state.publishable_key):
                return app
            if key == "" and any(
                part in table
                for part in request.url.path.split("/")
                for table in (state.sessions, state.intents)
            ):
                return app
        return self._first
