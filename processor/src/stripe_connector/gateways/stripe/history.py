"""Stripe's objects in bulk: lists over a time span, and all that hangs on one PaymentIntent."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from stripe_connector.gateways.outgoing import segment
from stripe_connector.gateways.stripe.decoding import Item, Named, Page
from stripe_connector.gateways.stripe.gateway import EXPAND_LISTED_REFUNDS, EXPAND_REFUNDS, Stripe
from stripe_connector.gateways.stripe.webhooks import Delivery
from stripe_connector.ledger.stripe_objects import Dispute, PaymentIntent

PAGE = 100


class Created(Struct, frozen=True):
    """When the objects of a list were created; Unix seconds, the second one excluded."""

    since: int
    until: int

    def params(self) -> dict[str, int]:
        return {"gte": self.since, "lt": self.until}


_intent = msgspec.json.Decoder(PaymentIntent)
_dispute = msgspec.json.Decoder(Dispute)
_event = msgspec.json.Decoder(Delivery)
_page = msgspec.json.Decoder(Page)
_raw = msgspec.json.Decoder(msgspec.Raw)


class StripeHistory(Stripe):
    """The same account, read page by page. `after` is the last id of the page before."""

    async def whole_intent(self, intent_id: str) -> PaymentIntent:
        """Raises NotFound."""
        path = f"/v1/payment_intents/{segment(intent_id)}"
        return await self._call(_intent, "get", path, EXPAND_REFUNDS)

    async def intent_of_anybody(self, intent_id: str) -> Item[PaymentIntent]:
        """Raises NotFound."""
        path = f"/v1/payment_intents/{segment(intent_id)}"
        raw = await self._call(_raw, "get", path, EXPAND_REFUNDS)
        return Page([raw]).items(_intent)[0]

    async def intents(
        self, created: Created, after: str | None
    ) -> tuple[list[Item[PaymentIntent]], bool]:
        """A page, and whether there is more."""
        params = {**_params(created, after), **EXPAND_LISTED_REFUNDS}
        page = await self._call(_page, "get", "/v1/payment_intents", params)
        return page.items(_intent), page.has_more

    async def refunds(self, created: Created, after: str | None) -> tuple[list[Named], bool]:
        """A page, as far as it takes to see whose they are."""
        return await self._named("/v1/refunds", created, after)

    async def disputes(self, created: Created, after: str | None) -> tuple[list[Named], bool]:
        """The same of disputes."""
        return await self._named("/v1/disputes", created, after)

    async def disputes_of(self, intent_id: str) -> list[Dispute]:
        """All disputes of an intent."""
        return await self._all("/v1/disputes", _dispute, {"payment_intent": intent_id})

    async def events(
        self, created: Created, after: str | None, *, undelivered: bool = False
    ) -> tuple[list[Item[Delivery]], bool]:
        """Events, which Stripe keeps for 30 days; only those that some endpoint has missed where
        `undelivered` says so."""
        params = _params(created, after)
        if undelivered:
            params["delivery_success"] = "false"
        page = await self._call(_page, "get", "/v1/events", params)
        return page.items(_event), page.has_more

    async def _named(
        self, path: str, created: Created, after: str | None
    ) -> tuple[list[Named], bool]:
        page = await self._call(_page, "get", path, _params(created, after))
        return [named for named, _ in page.named()], page.has_more


def _params(created: Created, after: str | None) -> dict[str, Any]:
    params: dict[str, Any] = {"created": created.params(), "limit": PAGE}
    if after is not None:
        params["starting_after"] = after
    return params
