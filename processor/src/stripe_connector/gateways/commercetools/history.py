"""Reads Payments in bulk, for reconciliation."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from stripe_connector.gateways.commercetools.gateway import WITH_PAYMENTS_AND_CODES, Commercetools
from stripe_connector.gateways.commercetools.orders import PayableCart
from stripe_connector.gateways.commercetools.storefront_calls import quoted
from stripe_connector.ledger.payment import Payment

PAGE = 100
"""Payments per page; also the most that one query may name."""
_LARGEST_PAGE = 500
"""commercetools' limit (https://docs.commercetools.com/api/general-concepts#limit)."""


class _Payments(Struct):
    results: list[Payment]


class _Carts(Struct):
    results: list[PayableCart]


_payments = msgspec.json.Decoder(_Payments)
_carts = msgspec.json.Decoder(_Carts)


class CommercetoolsHistory(Commercetools):
    """Reads the project page by page."""

    async def list_payments_between(
        self, since: str, until: str | None, after: str | None
    ) -> list[Payment]:
        """A page of payments that were created or last modified in a span, ordered by id.

        Of every payment interface: sessions name their own, and only a Payment's proof says whose
        it is.
        Times are ISO 8601 in UTC, `until` None for a span that is still open. `after` is the last
        id of the page before: unlike an offset it costs the same on every page.
        """
        return await self._page([_within(since, until)], after)

    async def list_unfinished_payments(self, before: str, after: str | None) -> list[Payment]:
        """A page of payments with an Initial transaction not modified since `before`.

        Sources of the predicates: https://docs.commercetools.com/api/predicates/query and the
        Payment's query fields. Ordered and paged as above.
        """
        where = [f"lastModifiedAt < {quoted(before)}", 'transactions(state="Initial")']
        return await self._page(where, after)

    async def _page(self, where: list[str], after: str | None, limit: int = PAGE) -> list[Payment]:
        if after is not None:
            where = [*where, f"id > {quoted(after)}"]
        page = await self._client.call(
            f"{self._api}/payments",
            _payments,
            subject="payments",
            params={
                "where": " and ".join(where),
                "sort": "id asc",
                "limit": limit,
                "withTotal": "false",
            },
        )
        return page.results

    async def list_payments_of_intents(self, intent_ids: Sequence[str]) -> dict[str, Payment]:
        """The payments of up to a page of PaymentIntents, by the id of the intent."""
        if not intent_ids:
            return {}
        named = ", ".join(quoted(intent_id) for intent_id in intent_ids)
        found: dict[str, Payment] = {}
        after: str | None = None
        while True:
            # Others' payments may name the same intents, so there may be more than one of each.
            page = await self._page([f"interfaceId in ({named})"], after, _LARGEST_PAGE)
            found |= {each.interface_id or "": each for each in page if self.is_of_connector(each)}
            if len(page) < _LARGEST_PAGE:
                return found
            after = page[-1].id

    async def list_carts_of(self, payment_ids: Sequence[str]) -> dict[str, PayableCart]:
        """The carts that up to a page of payments are on, by the payment's id.

        A payment is on one cart at most.
        """
        if not payment_ids:
            return {}
        named = ", ".join(quoted(payment_id) for payment_id in payment_ids)
        page = await self._client.call(
            f"{self._api}/carts",
            _carts,
            subject="carts",
            params={
                "where": f"paymentInfo(payments(id in ({named})))",
                "limit": _LARGEST_PAGE,
                "withTotal": "false",
                **WITH_PAYMENTS_AND_CODES,
            },
        )
        return {
            reference.id: cart for cart in page.results for reference in cart.payment_info.payments
        }


def _within(since: str, until: str | None) -> str:
    if until is None:
        return f"lastModifiedAt >= {quoted(since)}"  # nothing is created after it was modified
    spans = (
        f"({field} >= {quoted(since)} and {field} < {quoted(until)})"
        for field in ("createdAt", "lastModifiedAt")
    )
    return f"({' or '.join(spans)})"
