"""What merchants, browsers and deployments ask of Stripe: the routes beside the processor's."""

from __future__ import annotations

from typing import Any

from tests.contract.scenarios import IBAN, RETURN_URL
from tests.world import World

Json = dict[str, Any]


async def every_type_of_method(world: World) -> None:
    """Cards, debits and redirects are paid with, declined, settled and returned."""

    async def paid(currency: str = "eur", **method: str) -> Json:
        return await world.ask_stripe(
            "POST",
            "/v1/payment_intents",
            amount=1000,
            currency=currency,
            confirm="true",
            return_url=RETURN_URL,
            **method,
        )

    await paid(payment_method="pm_card_visa_chargeDeclined")
    await paid(payment_method="pm_card_createDisputeInquiry")
    challenged = await paid(payment_method="pm_card_threeDSecure2Required")
    account = {
        "payment_method_data[type]": "us_bank_account",
        "payment_method_data[us_bank_account][account_number]": "000123456789",
    }
    american = await paid("usd", **account)
    debit = await paid(**IBAN)
    ideal = await paid(**{"payment_method_data[type]": "ideal"})
    for waiting in (challenged, ideal):
        await world.at_stripe(f"payment_intents/{waiting['id']}/authenticate", outcome="succeed")
    await world.at_stripe(f"payment_intents/{debit['id']}/settle", outcome="succeed")
    await world.at_stripe(f"payment_intents/{american['id']}/settle", outcome="fail")
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=ideal["id"])
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=debit["id"])
    for intent in (challenged, american, debit, ideal):
        await world.ask_stripe("GET", f"/v1/payment_intents/{intent['id']}?expand[]=latest_charge")
    for path in ("payment_intents?limit=100", "charges", "balance_transactions", "customers"):
        await world.ask_stripe("GET", f"/v1/{path}")


async def money_moves(world: World) -> None:
    """A merchant looks at what was paid, annotates it, refunds it and disputes it."""
    payment = await world.payment(await world.paid(method="pm_card_createDispute"))
    intent = await world.ask_stripe("GET", f"/v1/payment_intents/{payment['interfaceId']}")
    charge = f"/v1/charges/{intent['latest_charge']}"
    await world.ask_stripe("POST", charge, description="A note")
    found = await world.ask_stripe("GET", f"{charge}?expand[]=refunds")
    await world.ask_stripe("GET", f"/v1/balance_transactions/{found['balance_transaction']}")
    disputes = await world.ask_stripe("GET", "/v1/disputes")
    dispute = f"/v1/disputes/{disputes['data'][0]['id']}"
    await world.ask_stripe("POST", dispute, **{"evidence[customer_name]": "Ada", "submit": "true"})
    payment = await world.payment(await world.paid())
    refund = await world.ask_stripe("POST", "/v1/refunds", payment_intent=payment["interfaceId"])
    path = f"/v1/refunds/{refund['id']}"
    await world.ask_stripe("POST", path, **{"metadata[note]": "damaged"})
    await world.ask_stripe("GET", f"{path}?expand[]=charge&expand[]=balance_transaction")
    await world.at_stripe(f"refunds/{refund['id']}", status="requires_action")
    await world.ask_stripe("POST", f"{path}/cancel")
    events = await world.ask_stripe("GET", "/v1/events?limit=3")
    await world.ask_stripe("GET", f"/v1/events/{events['data'][0]['id']}")


async def saved_methods(world: World) -> None:
    """Cards are saved, changed and removed; tokens are made for browsers."""
    shipping = {"shipping[name]": "Ada", "shipping[address][city]": "Berlin"}
    customer = await world.ask_stripe("POST", "/v1/customers", email="ada@example.com", **shipping)
    card = {"type": "card", "card[number]": "4242424242424242"}
    method = await world.ask_stripe("POST", "/v1/payment_methods", **card)
    path = f"/v1/payment_methods/{method['id']}"
    await world.ask_stripe("POST", path, allow_redisplay="always")
    await world.ask_stripe("POST", f"{path}/attach", customer=customer["id"])
    await world.ask_stripe("GET", f"/v1/payment_methods?customer={customer['id']}")
    saved = f"/v1/customers/{customer['id']}/payment_methods"
    await world.ask_stripe("GET", saved)
    await world.ask_stripe("GET", f"{saved}/{method['id']}?expand[]=customer")
    await world.ask_stripe("POST", f"{path}/detach")
    for route in ("/v1/confirmation_tokens", "/v1/test_helpers/confirmation_tokens"):
        token = await world.ask_stripe(
            "POST", route, payment_method="pm_card_visa", return_url=RETURN_URL, **shipping
        )
    await world.ask_stripe("GET", f"/v1/confirmation_tokens/{token['id']}")


async def endpoint(world: World) -> None:
    """A webhook endpoint's life."""
    fields = {"url": "https://shop.example/stripe/webhooks", "enabled_events[]": "*"}
    made = await world.ask_stripe("POST", "/v1/webhook_endpoints", **fields)
    path = f"/v1/webhook_endpoints/{made['id']}"
    await world.ask_stripe("GET", path)
    await world.ask_stripe("POST", path, disabled="true")
    await world.ask_stripe("GET", "/v1/webhook_endpoints")
    await world.ask_stripe("DELETE", path)


WALKS = [every_type_of_method, money_moves, saved_methods, endpoint]
