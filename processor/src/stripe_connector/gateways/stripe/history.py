"""Reads Stripe's objects in bulk: lists over a time span, and all objects of one PaymentIntent."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stripe_connector.gateways.outgoing import segment
from stripe_connector.gateways.stripe.decoding import ListedItem, Named, StripeList
from stripe_connector.gateways.stripe.gateway import EXPAND_LISTED_REFUNDS, EXPAND_REFUNDS, Stripe
from stripe_connector.gateways.stripe.signed_events import Delivery
from stripe_connector.ledger.stripe_objects import Dispute, PaymentIntent

PAGE = 100


class CreatedSpan(Struct, frozen=True):
    """When the objects of a list were created; Unix seconds, the second one excluded."""

    since: int
    until: int

    def params(self) -> dict[str, int]:
        return {"gte": self.since, "lt": self.until}


_intent = msgspec.json.Decoder(PaymentIntent)
_dispute = msgspec.json.Decoder(Dispute)
_event = msgspec.json.Decoder(Delivery)
_page = msgspec.json.Decoder(StripeList)
_raw = msgspec.json.Decoder(msgspec.Raw)


class StripeHistory(Stripe):
    """Reads the account page by page. `after` is the last id of the page before."""

    async def get_intent_with_refunds(self, intent_id: str) -> PaymentIntent:
        """Raises NotFound."""
        path = f"/v1/payment_intents/{segment(intent_id)}"
        return await self._call(_intent, "get", path, EXPAND_REFUNDS)

    async def get_foreign_intent(self, intent_id: str) -> ListedItem[PaymentIntent]:
        """Raises NotFound."""
        path = f"/v1/payment_intents/{segment(intent_id)}"
        raw = await self._call(_raw, "get", path, EXPAND_REFUNDS)
        return StripeList([raw]).items(_intent)[0]

    async def list_intents(
        self, created: CreatedSpan, after: str | None
    ) -> tuple[list[ListedItem[PaymentIntent]], bool]:
        """A page, and whether there is more."""
        params = {**_params(created, after), **EXPAND_LISTED_REFUNDS}
        page = await self._call(_page, "get", "/v1/payment_intents", params)
        return page.items(_intent), page.has_more

    async def list_refunds_created(
        self, created: CreatedSpan, after: str | None
    ) -> tuple[list[Named], bool]:
        """A page: the fields that show whose the objects are."""
        return await self._named("/v1/refunds", created, after)

    async def list_disputes_created(
        self, created: CreatedSpan, after: str | None
    ) -> tuple[list[Named], bool]:
        """The same of disputes."""
        return await self._named("/v1/disputes", created, after)

    async def list_disputes(self, intent_id: str) -> list[Dispute]:
        """All disputes of an intent."""
        return await self._all("/v1/disputes", _dispute, {"payment_intent": intent_id})

    async def list_events(
        self, created: CreatedSpan, after: str | None, *, undelivered: bool = False
    ) -> tuple[list[ListedItem[Delivery]], bool]:
        """Events, which Stripe keeps for 30 days; with `undelivered`, only those that some endpoint
        has not received."""
        params = _params(created, after)
        if undelivered:
            params["delivery_success"] = "false"
        page = await self._call(_page, "get", "/v1/events", params)
        return page.items(_event), page.has_more

    async def _named(
        self, path: str, created: CreatedSpan, after: str | None
    ) -> tuple[list[Named], bool]:
        page = await self._call(_page, "get", path, _params(created, after))
        return [named for named, _ in page.named()], page.has_more


def _params(created: CreatedSpan, after: str | None) -> dict[str, object]:
    params: dict[str, object] = {"created": created.params(), "limit": PAGE}
    if after is not None:
        params["starting_after"] = after
    return params
