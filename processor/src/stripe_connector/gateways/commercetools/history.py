"""Reads Payments in bulk, for reconciliation."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.storefront_calls import quoted
from stripe_connector.ledger.payment import Payment

PAGE = 100
"""Payments per page; also the most that one query may name."""
_LARGEST_PAGE = 500
"""commercetools' limit (https://docs.commercetools.com/api/general-concepts#limit)."""


class _Payments(Struct):
    results: list[Payment]


class _Total(Struct):
    total: int


_payments = msgspec.json.Decoder(_Payments)
_total = msgspec.json.Decoder(_Total)


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
        """A page of payments with an Initial transaction that nobody has modified since `before`.

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

    async def count_carts_with(self, payment_ids: Sequence[str]) -> int:
        """How many carts any of these payments are on; a payment is on one at most."""
        return await self._holders("carts", payment_ids)

    async def count_orders_with(self, payment_ids: Sequence[str]) -> int:
        """The same for orders."""
        return await self._holders("orders", payment_ids)

    async def _holders(self, resource: str, payment_ids: Sequence[str]) -> int:
        named = ", ".join(quoted(payment_id) for payment_id in payment_ids)
        counted = await self._client.call(
            f"{self._api}/{resource}",
            _total,
            subject=resource,
            params={
                "where": f"paymentInfo(payments(id in ({named})))",
                "limit": 1,
                "withTotal": "true",
            },
        )
        return counted.total


def _within(since: str, until: str | None) -> str:
    if until is None:
        return f"lastModifiedAt >= {quoted(since)}"  # nothing is created after it was modified
    spans = (
        f"({field} >= {quoted(since)} and {field} < {quoted(until)})"
        for field in ("createdAt", "lastModifiedAt")
    )
    return f"({' or '.join(spans)})"
