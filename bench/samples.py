"""Samples of the backends' objects: one of each, created once by the sandbox's stand-ins."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from msgspec import Struct

from sandbox.clock import SandboxClock
from sandbox.commercetools import seed
from sandbox.commercetools.app import create_app as create_commercetools
from sandbox.commercetools.state import Store
from sandbox.stripe.app import create_app as create_stripe
from sandbox.stripe.state import StripeState

Json = dict[str, Any]

PROJECT = "sandbox"
_START = 1_790_000_000.0
_LINES = ("stoneware-mug-1", "task-lamp-1", "brass-pen-1")
_ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "streetName": "Torstrasse",
    "streetNumber": "1",
    "postalCode": "10119",
    "city": "Berlin",
    "country": "DE",
    "email": "ada@example.com",
}


class Samples(Struct):
    """Templates of the backends' answers."""

    cart: Json
    session: Json
    payment: Json
    customer: Json
    order: Json
    """An order placed from such a cart."""
    checkout_session: Json
    open_intent: Json
    """As created, unpaid."""
    paid_intent: Json
    """Paid by card, with its charge as an object."""
    held_intent: Json
    """Authorized, to be captured later."""
    refund: Json
    stripe_customer: Json
    event: Json
    ephemeral_key: Json
    customer_session: Json
    saved_card: Json
    """A payment method of the customer at Stripe."""


def make_samples() -> Samples:
    """Create one of each with the stand-ins, in this process."""
    return asyncio.run(_make())


async def _make() -> Samples:
    clock = SandboxClock(_START)
    store = Store(PROJECT, clock)
    seed.seed(store)
    stripe_state = StripeState(clock, seed=7)
    async with (
        _client(create_commercetools(store)) as commercetools,
        _client(create_stripe(stripe_state)) as stripe,
    ):
        token = await commercetools.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("sandbox-admin", "sandbox-admin-secret"),
        )
        commercetools.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        stripe.headers["Authorization"] = "Bearer sk_test_sandbox"
        return await _ask(commercetools, stripe, stripe_state)


async def _ask(
    commercetools: httpx.AsyncClient, stripe: httpx.AsyncClient, state: StripeState
) -> Samples:
    async def resource(path: str, draft: Json) -> Json:
        return _checked(await commercetools.post(f"/{PROJECT}/{path}", json=draft))

    async def at_stripe(path: str, **form: str) -> Json:
        return _checked(await stripe.post(f"/v1/{path}", data=form))

    async def confirmed(intent: Json) -> Json:
        path = f"payment_intents/{intent['id']}/confirm"
        form = {"payment_method": "pm_card_visa", "return_url": "http://localhost/"}
        return await at_stripe(path, **{**form, "expand[]": "latest_charge"})

    cart = await resource(
        "carts",
        {
            "currency": "EUR",
            "country": "DE",
            "lineItems": [{"sku": sku, "quantity": 1} for sku in _LINES],
            "shippingAddress": _ADDRESS,
            "billingAddress": _ADDRESS,
            "customerEmail": _ADDRESS["email"],
        },
    )
    amount = cart["totalPrice"]["centAmount"]
    planned = {"centAmount": amount, "currencyCode": "EUR"}
    paid = {
        "amount": str(amount),
        "currency": "eur",
        "automatic_payment_methods[enabled]": "true",
        "capture_method": "automatic",
    }
    opened = await at_stripe("payment_intents", **paid)
    held = await at_stripe("payment_intents", **{**paid, "capture_method": "manual"})
    customer = await at_stripe("customers", email="ada@example.com")
    session = await at_stripe(
        "checkout/sessions",
        **{
            "mode": "payment",
            "success_url": "http://localhost/",
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": str(amount),
            "line_items[0][price_data][product_data][name]": "Order",
            "line_items[0][quantity]": "1",
        },
    )
    saved = await at_stripe("payment_methods/pm_card_visa/attach", customer=customer["id"])
    signed_up = await resource("customers", {"email": "lin@example.com", "addresses": [_ADDRESS]})
    return Samples(
        cart=cart,
        session=await resource(
            "sessions", {"cart": {"cartRef": {"id": cart["id"]}}, "metadata": {}}
        ),
        payment=await resource("payments", {"amountPlanned": planned}),
        customer=signed_up["customer"],
        order=await resource("orders", {"cart": {"id": cart["id"]}, "version": cart["version"]}),
        checkout_session=session,
        open_intent=opened,
        paid_intent=await confirmed(opened),
        held_intent=await confirmed(held),
        refund=await at_stripe("refunds", payment_intent=opened["id"], amount="400"),
        stripe_customer=customer,
        event=dict(state.events[-1]),
        ephemeral_key={"id": "ephkey_1", "object": "ephemeral_key", "secret": "ek_test_1"},
        customer_session=await at_stripe(
            "customer_sessions",
            customer=customer["id"],
            **{"components[payment_element][enabled]": "true"},
        ),
        saved_card=saved,
    )


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://backend.test")


def _checked(answer: httpx.Response) -> Json:
    answer.raise_for_status()
    return dict(answer.json())
