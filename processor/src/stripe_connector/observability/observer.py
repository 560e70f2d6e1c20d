"""The interface for metrics and traces: the events of a processor that an observer may record."""

from __future__ import annotations

from starlette.types import Scope

from stripe_connector.context import Trace
from stripe_connector.gateways.outgoing import Called
from stripe_connector.http.middleware import Answered
from stripe_connector.http.routing import Refused
from stripe_connector.http.webhook_routes import Delivered


class Observer:
    """Receives every event and ignores it. Observers never raise and never wait."""

    def begun(self, _scope: Scope) -> Trace | None:
        """A request has arrived; returns the trace that it belongs to."""
        return None

    def answered(self, request: Answered) -> None:
        """A request has been answered; its context is still the current one."""

    def refused(self, refusal: Refused) -> None:
        """Authentication refused a request."""

    def called(self, call: Called) -> None:
        """A backend has been called, within the context of the request that needs it."""

    def delivered(self, delivery: Delivered) -> None:
        """A Stripe event has been handled."""

    def mismatched(self) -> None:
        """A Payment holds another amount than was planned."""

    def order_failed(self) -> None:
        """A cart was paid, and its order cannot be placed."""

    def job_refused(self) -> None:
        """Checkout refused the recurring payments of a payment."""

    def waiting(self, type_: str, lapses: bool) -> None:
        """The outcome of an operation is unknown until Stripe shows it; `lapses`: its
        authorization expires within a day."""
