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
    held = await world.ask_stripe(
        "POST",
        "/v1/payment_intents",
        amount="1000",
        currency="eur",
        capture_method="manual",
        payment_method="pm_card_visa",
        confirm="true",
        return_url=RETURN_URL,
        **{"payment_method_options[card][request_incremental_authorization]": "if_available"},
        **{"automatic_payment_methods[enabled]": "true"},
    )
    more = f"/v1/payment_intents/{held['id']}/increment_authorization"
    await world.ask_stripe("POST", more, amount="1500")
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


async def checkout(world: World) -> None:
    """Sessions of every kind are paid, fail, expire and are looked at."""
    sessions = "/v1/checkout/sessions"
    coupon = await world.ask_stripe("POST", "/v1/coupons", percent_off="12.5", name="Welcome")
    other = await world.ask_stripe("POST", "/v1/coupons", amount_off="100", currency="eur")
    await world.ask_stripe("GET", f"/v1/coupons/{coupon['id']}")
    await world.ask_stripe("GET", "/v1/coupons")
    await world.ask_stripe("DELETE", f"/v1/coupons/{other['id']}")
    line = {
        "mode": "payment",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "1250",
        "line_items[0][price_data][product_data][name]": "Mug",
        "line_items[0][quantity]": "2",
    }
    rate = "shipping_options[0][shipping_rate_data]"
    shipping = {
        f"{rate}[display_name]": "Standard",
        f"{rate}[fixed_amount][amount]": "490",
        f"{rate}[fixed_amount][currency]": "eur",
    }
    hosted = {**line, "success_url": RETURN_URL, "cancel_url": RETURN_URL}
    framed = {**line, "ui_mode": "embedded_page", "return_url": RETURN_URL}
    paid = await world.ask_stripe(
        "POST",
        sessions,
        **{"discounts[0][coupon]": coupon["id"], "customer_email": "ada@example.com"},
        **{"payment_intent_data[setup_future_usage]": "off_session"},
        **{"payment_method_options[card][request_three_d_secure]": "automatic"},
        **hosted,
        **shipping,
    )
    unpaid = await world.ask_stripe("POST", sessions, **{**hosted, "customer_creation": "always"})
    recoverable = await world.ask_stripe(
        "POST", sessions, **{**framed, "after_expiration[recovery][enabled]": "true"}
    )
    changed = {
        "metadata[note]": "gift",
        "collected_information[shipping_details][name]": "Ada",
        "collected_information[shipping_details][address][line1]": "Lindenstrasse 12",
    }
    await world.ask_stripe("POST", f"{sessions}/{recoverable['id']}", **changed, **shipping)
    await world.ask_stripe("POST", f"{sessions}/{recoverable['id']}/expire")
    await world.at_stripe(f"checkout/sessions/{paid['id']}/pay", payment_method="pm_card_visa")
    for outcome in ("succeed", "fail"):
        session = await world.ask_stripe("POST", sessions, **hosted)
        debit = {"type": "sepa_debit", "sepa_debit[iban]": "DE89370400440532013000"}
        method = await world.ask_stripe("POST", "/v1/payment_methods", **debit)
        pay = f"checkout/sessions/{session['id']}/pay"
        session = await world.at_stripe(pay, payment_method=method["id"])
        settle = f"payment_intents/{session['payment_intent']}/settle"
        await world.at_stripe(settle, outcome=outcome)
    expand = "expand[]=line_items.data.price.product&expand[]=payment_intent.latest_charge"
    for each in (paid, unpaid):
        await world.ask_stripe("GET", f"{sessions}/{each['id']}?{expand}")
    await world.ask_stripe("GET", f"{sessions}/{paid['id']}?expand[]=shipping_cost.shipping_rate")
    await world.ask_stripe("GET", f"{sessions}/{paid['id']}/line_items")
    await world.ask_stripe("GET", f"{sessions}?status=complete")


async def catalogue(world: World) -> None:
    """A product and its price are made, looked at, and sold."""
    product = await world.ask_stripe("POST", "/v1/products", name="Mug", description="Blue")
    price = await world.ask_stripe(
        "POST", "/v1/prices", product=product["id"], currency="eur", unit_amount="1250"
    )
    for path in ("products", f"products/{product['id']}", "prices", f"prices/{price['id']}"):
        await world.ask_stripe("GET", f"/v1/{path}")
    line = {"line_items[0][price]": price["id"], "line_items[0][quantity]": "2"}
    session = await world.ask_stripe(
        "POST", "/v1/checkout/sessions", mode="payment", success_url=RETURN_URL, **line
    )
    assert session["amount_total"] == 2500


async def transferred(world: World) -> None:
    """Money comes in that nothing waits for."""
    customer = await world.ask_stripe("POST", "/v1/customers")
    path = f"/v1/test_helpers/customers/{customer['id']}/fund_cash_balance"
    funded = await world.ask_stripe("POST", path, amount="500", currency="eur")
    assert funded["net_amount"] == 500


async def accepted(world: World) -> None:
    """The merchant accepts a dispute: the money is lost."""
    payment_id = await world.paid(method="pm_card_createDispute")
    [dispute] = world.stripe.disputes
    closed = await world.ask_stripe("POST", f"/v1/disputes/{dispute['id']}/close")
    assert closed["status"] == "lost"
    await world.deliver_all()
    states = [(kind, state) for kind, _, state in await world.transactions(payment_id)]
    assert ("Chargeback", "Success") in states


async def endpoint(world: World) -> None:
    """A webhook endpoint's life."""
    fields = {"url": "https://shop.example/stripe/webhooks", "enabled_events[]": "*"}
    made = await world.ask_stripe("POST", "/v1/webhook_endpoints", **fields)
    path = f"/v1/webhook_endpoints/{made['id']}"
    await world.ask_stripe("GET", path)
    await world.ask_stripe("POST", path, disabled="true")
    await world.ask_stripe("GET", "/v1/webhook_endpoints")
    await world.ask_stripe("DELETE", path)


async def domain(world: World) -> None:
    """A shop's domain is registered for wallets, switched off and on, and looked at again."""
    made = await world.ask_stripe(
        "POST", "/v1/payment_method_domains", domain_name="shop.example", enabled="false"
    )
    path = f"/v1/payment_method_domains/{made['id']}"
    await world.ask_stripe("POST", path, enabled="true")
    await world.ask_stripe("POST", f"{path}/validate")
    await world.ask_stripe("GET", path)
    await world.ask_stripe("GET", "/v1/payment_method_domains?domain_name=shop.example")
    configurations = "/v1/payment_method_configurations"
    made = await world.ask_stripe(
        "POST", configurations, **{"name": "few", "klarna[display_preference][preference]": "on"}
    )
    path = f"{configurations}/{made['id']}"
    await world.ask_stripe("POST", path, **{"ideal[display_preference][preference]": "off"})
    await world.ask_stripe("GET", path)
    await world.ask_stripe("GET", configurations)


async def account(world: World) -> None:
    """Whether the account may take payments."""
    await world.ask_stripe("GET", "/v1/account")


WALKS = [
    every_type_of_method,
    money_moves,
    saved_methods,
    checkout,
    catalogue,
    transferred,
    accepted,
    endpoint,
    domain,
    account,
]
