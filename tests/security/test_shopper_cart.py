"""A shopper who changes their own cart by commercetools' `/me` while they pay for it.

Each right of theirs is used, before the payment and right after it. They never get more than they
paid for: what is approved was paid to the cent, and all that was taken is recorded as theirs, so
that the merchant can give it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.commercetools import me
from sandbox.commercetools.seed import identifier
from stripe_connector.payments.intents import TAX_REFERENCES
from tests.behaviour.steps import intent_of, operate
from tests.behaviour.storefront import ADDRESS
from tests.world import World

Json = dict[str, Any]

ADA = identifier("customer", "ada")
ABROAD: Json = {**ADDRESS, "country": "US"}

WRITES: dict[str, Callable[[Json], Json]] = {
    "addDiscountCode": lambda _: {"code": "SAVE10"},
    "addLineItem": lambda _: {"sku": "stoneware-mug-2", "quantity": 3},
    "changeLineItemQuantity": lambda cart: {
        "lineItemId": cart["lineItems"][0]["id"],
        "quantity": 50,
    },
    "recalculate": lambda _: {"updateProductData": True},
    "removeDiscountCode": lambda cart: {"discountCode": cart["discountCodes"][0]["discountCode"]},
    "removeLineItem": lambda cart: {"lineItemId": cart["lineItems"][0]["id"]},
    "removePayment": lambda cart: {"payment": cart["paymentInfo"]["payments"][0]},
    "setBillingAddress": lambda _: {"address": ABROAD},
    "setCountry": lambda _: {"country": "US"},
    "setCustomerEmail": lambda _: {"email": "victim@example.com"},
    "setLocale": lambda _: {"locale": "en"},
    "setShippingAddress": lambda _: {"address": ABROAD},
    "setShippingMethod": lambda _: {},
}
TAX_TYPE: Json = {
    "key": "tax",
    "name": {"en": "Tax"},
    "resourceTypeIds": ["order"],
    "fieldDefinitions": [
        {
            "name": TAX_REFERENCES,
            "type": {"name": "Set", "elementType": {"name": "String"}},
            "label": {"en": "Calculations"},
            "required": False,
        }
    ],
}
ELSEWHERE = {
    "addPayment": "test_shopper_writes.py: one that they made pays for nothing",
    "setCustomField": "below: one field of a cart is read",
    "setCustomType": "below: one field of a cart is read",
}


def test_every_right_of_a_shopper_over_a_cart_is_used() -> None:
    assert {*WRITES, *ELSEWHERE} == set(me.RIGHTS["carts"].actions)


@pytest.mark.parametrize("paid", [False, True], ids=["before it is paid", "once it is paid"])
@pytest.mark.parametrize("name", WRITES)
async def test_what_is_approved_was_paid_and_what_was_paid_is_recorded(
    name: str, *, paid: bool
) -> None:
    world = World()
    cart = await world.cart(
        1000,
        customerId=ADA,
        country="DE",
        lineItems=[{"sku": "stoneware-mug-1", "quantity": 2}],
        discountCodes=["SAVE10"] if name == "removeDiscountCode" else [],
    )
    session = await world.session(cart["id"])
    started = await world.start(session)
    payment_id = started["paymentReference"]
    intent = await intent_of(world, payment_id)
    if paid:
        await world.pay(started["clientSecret"])
    now = await world.commercetools("GET", f"carts/{cart['id']}")
    answer = await world.change_mine(
        f"me/carts/{cart['id']}", {"action": name, **WRITES[name](now)}
    )
    assert answer.status_code == 200, answer.text
    if not paid:
        await world.pay(started["clientSecret"])
    confirmed = await world.client.post(
        f"/confirmPayments/{payment_id}", headers=session, json={"paymentIntent": intent["id"]}
    )
    await world.deliver_all()
    taken = sum(each["amount_received"] for each in world.stripe.intents.newest({}))
    assert taken == intent["amount"]
    total = (await world.commercetools("GET", f"carts/{cart['id']}"))["totalPrice"]["centAmount"]
    if confirmed.status_code == 200:
        assert taken == total
    else:
        assert confirmed.status_code in (400, 409), confirmed.text
        assert taken != total or name == "removePayment"
    payment = await world.payment(payment_id)
    assert payment["customer"]["id"] == ADA
    charged = [t for t in await world.transactions(payment_id) if t[0] == "Charge"]
    assert charged == [("Charge", taken, "Success")]
    refunded = await operate(world, payment_id, "refundPayment", taken)
    assert refunded.json().get("outcome") == "approved", refunded.text


@pytest.mark.parametrize("reference", ["taxcalc_of_another_cart", "", "../x", 5, None])
async def test_a_tax_calculation_that_a_shopper_names_changes_no_amount(reference: Any) -> None:
    """Stripe's tax connector leaves its id in a field of the cart, which shoppers may write. Stripe
    keeps the intent's amount (https://docs.stripe.com/tax/payment-intent/simplified); only whose
    tax it records follows (docs/security.md, What remains).
    """
    world = World()
    await world.commercetools("POST", "types", TAX_TYPE)
    cart = await world.cart(1000, customerId=ADA)
    custom = {
        "type": {"typeId": "type", "key": "tax"},
        "fields": {} if reference is None else {TAX_REFERENCES: [reference]},
    }
    answer = await world.change_mine(
        f"me/carts/{cart['id']}", {"action": "setCustomType", **custom}
    )
    if answer.status_code != 200:
        assert reference == 5, answer.text  # no text: commercetools refuses it
        return
    session = await world.session(cart["id"])
    started = await world.client.post("/payments", headers=session)
    assert started.status_code == 200, started.text
    [intent] = world.stripe.intents.newest({})
    assert (intent["amount"], intent["currency"]) == (1000, "eur")
    await world.pay(started.json()["clientSecret"])
    await world.deliver_all()
    payment_id = started.json()["paymentReference"]
    assert ("Charge", 1000, "Success") in await world.transactions(payment_id)
