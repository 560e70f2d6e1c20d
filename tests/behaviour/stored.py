"""Customers with payment methods on file, for the behaviours that are about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from msgspec import Struct

from tests.behaviour.steps import Json
from tests.world import Processor, World, money

ENABLED: Mapping[str, str] = {"STORED_PAYMENT_METHODS_ENABLED": "true"}
PATH = "/stored-payment-methods"
ITEM = "3f1c7a52-9a3e-4a7e-8f0e-5f0f8f5b1c01"
OTHER_ITEM = "3f1c7a52-9a3e-4a7e-8f0e-5f0f8f5b1c02"
DEBIT = {
    "type": "sepa_debit",
    "sepa_debit[iban]": "DE89370400440532013000",
    "billing_details[name]": "Lin",
    "billing_details[email]": "lin@example.com",
}
NOBODY = "3f1c7a52-9a3e-4a7e-8f0e-5f0f8f5b1c99"


class Regular(Struct):
    """A customer who is known to Stripe."""

    world: World
    id: str
    stripe_id: str

    async def saves(self, method: str = "pm_card_visa") -> str:
        """A method is attached at Stripe; its id there."""
        attached = await self.world.ask_stripe(
            "POST", f"/v1/payment_methods/{method}/attach", customer=self.stripe_id
        )
        return str(attached["id"])

    async def on_file(self, method: str = "pm_card_visa") -> str:
        """A method on file; the id of its record."""
        token = await self.saves(method)
        await self.shown()
        [record] = [each for each in await records(self.world) if each["token"]["value"] == token]
        return str(record["id"])

    async def session(self, cents: int = 1000, **cart: Any) -> Mapping[str, str]:
        made = await self.world.cart(cents, customerId=self.id, **cart)
        return await self.world.session(made["id"])

    async def shown(self) -> list[Json]:
        """What the customer sees."""
        answer = await self.world.client.get(PATH, headers=await self.session())
        assert answer.status_code == 200, answer.text
        return list(answer.json()["storedPaymentMethods"])


async def regular(world: World, email: str = "lin@example.com") -> Regular:
    created = await world.commercetools("POST", "customers", {"email": email})
    customer_id = str(created["customer"]["id"])
    cart = await world.cart(customerId=customer_id)
    answer = await world.client.get("/customer/session", headers=await world.session(cart["id"]))
    assert answer.status_code == 200, answer.text
    return Regular(world, customer_id, answer.json()["stripeCustomerId"])


async def records(world: World) -> list[Json]:
    """All records of stored methods."""
    return list((await world.commercetools("GET", "payment-methods?limit=100"))["results"])


def body_of(cart_id: str, method_id: str, **fields: Any) -> Json:
    """The body of POST /operations/transactions."""
    return {
        "cartId": cart_id,
        "checkoutTransactionItemId": ITEM,
        "type": "Recurring",
        "paymentMethodId": method_id,
        **fields,
    }


async def charge(
    world: World,
    cart_id: str,
    method_id: str,
    *,
    processor: Processor | None = None,
    cents: int | None = None,
    **fields: Any,
) -> httpx.Response:
    """POST /operations/transactions, whatever the answer."""
    if cents is not None:
        fields["amount"] = money(cents)
    return await (processor or world.processor).client.post(
        "/operations/transactions",
        json=body_of(cart_id, method_id, **fields),
        headers=await world.checkout(),
    )


def state_of(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["transactionStatus"]["state"])
