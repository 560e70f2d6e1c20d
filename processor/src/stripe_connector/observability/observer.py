"""What may be watched of a processor: each observer takes what it wants of it."""

from __future__ import annotations

from starlette.types import Scope

from stripe_connector.context import Trace
from stripe_connector.gateways.outgoing import Called
from stripe_connector.http.middleware import Answered
from stripe_connector.http.routing import Refused
from stripe_connector.http.webhook_routes import Delivered


class Observer:
    """Is told of everything and does nothing with it; never raises, never waits."""

    def begun(self, _scope: Scope) -> Trace | None:
        """A request has come in; the result is the trace that it belongs to."""
        return None

    def answered(self, request: Answered) -> None:
        """A request has been answered; its context is still the current one."""

    def refused(self, refusal: Refused) -> None:
        """Authentication did not let a request pass."""

    def called(self, call: Called) -> None:
        """A backend has been called, within the context of the request that needs it."""

    def delivered(self, delivery: Delivered) -> None:
        """An event of Stripe's has been handled."""

    def mismatched(self) -> None:
        """A Payment has been found to hold another amount than was planned."""

    def order_failed(self) -> None:
        """A cart was paid, and its order cannot be placed."""

    def waiting(self, type_: str, lapses: bool) -> None:
        """The outcome of an operation is unknown until Stripe shows it; `lapses` says that the
        authorization behind it ends within a day."""
