"""Stripe's objects in bulk: lists over a time span, and all that hangs on one PaymentIntent."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from stripe_connector.gateways.outgoing import segment
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.webhooks import Delivery
from stripe_connector.ledger.stripe_objects import Charge, Dispute, PaymentIntent, Refund

T = TypeVar("T")

PAGE = 100
_REFUNDS = "latest_charge.refunds"


class Listed(Struct, Generic[T], frozen=True):
    """A page of a list, newest first."""

    data: list[T]
    has_more: bool = False


class WholeCharge(Charge, frozen=True):
    """A charge with its latest refunds."""

    disputed: bool = False
    """Whether it ever was."""
    refunds: Listed[Refund] | None = None


class WholeIntent(PaymentIntent, frozen=True):
    """An intent with its charge and what was refunded of it, from one call."""

    latest_charge: str | WholeCharge | None = None


class ListedRefund(Refund, frozen=True):
    created: int = 0


class ListedDispute(Dispute, frozen=True):
    created: int = 0


class Created(Struct, frozen=True):
    """When the objects of a list were created; Unix seconds, the second one excluded."""

    since: int
    until: int

    def params(self) -> dict[str, int]:
        return {"gte": self.since, "lt": self.until}


_intent = msgspec.json.Decoder(WholeIntent)
_intents = msgspec.json.Decoder(Listed[WholeIntent])
_refunds = msgspec.json.Decoder(Listed[ListedRefund])
_disputes = msgspec.json.Decoder(Listed[ListedDispute])
_events = msgspec.json.Decoder(Listed[Delivery])


class StripeHistory(Stripe):
    """The same account, read page by page. `after` is the last id of the page before."""

    async def whole_intent(self, intent_id: str) -> WholeIntent:
        """Raises NotFound."""
        path = f"/v1/payment_intents/{segment(intent_id)}"
        return await self._call(_intent, "get", path, {"expand": [_REFUNDS]})

    async def intents(self, created: Created, after: str | None) -> Listed[WholeIntent]:
        params = {**_page(created, after), "expand": [f"data.{_REFUNDS}"]}
        return await self._call(_intents, "get", "/v1/payment_intents", params)

    async def refunds(self, created: Created, after: str | None) -> Listed[ListedRefund]:
        return await self._call(_refunds, "get", "/v1/refunds", _page(created, after))

    async def disputes(self, created: Created, after: str | None) -> Listed[ListedDispute]:
        return await self._call(_disputes, "get", "/v1/disputes", _page(created, after))

    async def disputes_of(self, intent_id: str) -> list[Dispute]:
        """All disputes of an intent."""
        disputes: list[Dispute] = []
        params: dict[str, Any] = {"payment_intent": intent_id, "limit": PAGE}
        while True:
            page = await self._call(_disputes, "get", "/v1/disputes", params)
            disputes += page.data
            if not page.has_more or not page.data:
                return disputes
            params["starting_after"] = page.data[-1].id

    async def events(
        self, created: Created, after: str | None, *, undelivered: bool = False
    ) -> Listed[Delivery]:
        """Events, which Stripe keeps for 30 days; only those that some endpoint has missed where
        `undelivered` says so."""
        params = _page(created, after)
        if undelivered:
            params["delivery_success"] = "false"
        return await self._call(_events, "get", "/v1/events", params)


def _page(created: Created, after: str | None) -> dict[str, Any]:
    params: dict[str, Any] = {"created": created.params(), "limit": PAGE}
    if after is not None:
        params["starting_after"] = after
    return params
