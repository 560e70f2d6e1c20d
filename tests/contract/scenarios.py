"""Walks through all that the processor does, so that every kind of call is made at least once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.commercetools.seed import identifier
from stripe_connector.payments.interactions import TYPE_KEY
from stripe_connector.payments.stored.customers import CONTAINER
from tests.behaviour.deployment import OLD_VERSION, OPERATIONS_TYPE, Deployment
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import dashboard_refund
from tests.wire import Call, Trouble
from tests.world import World, money

Json = dict[str, Any]

ADDRESS: Json = {
    "firstName": "Ada",
    "lastName": "Byron",
    "streetName": "Lindenstrasse",
    "streetNumber": "12",
    "additionalStreetInfo": "Hinterhaus",
    "postalCode": "10969",
    "city": "Berlin",
    "country": "DE",
    "phone": "+49301234567",
}
MANUAL = {"STRIPE_CAPTURE_METHOD": "manual"}
RETURN_URL = "https://shop.example/return"
IBAN = {
    "payment_method_data[type]": "sepa_debit",
    "payment_method_data[sepa_debit][iban]": "DE89370400440532013000",
}


async def guest(world: World) -> None:
    """Pays, confirms, is refunded in part twice; asks for all that a page needs."""
    cart = await world.cart(shippingAddress=ADDRESS)
    session = await world.session(cart["id"], checkoutTransactionItemId="item-1")
    for path in ("operations/config", "config-element/payment", "express-payment-data"):
        assert (await world.client.get(f"/{path}", headers=session)).is_success
    assert (await world.client.get("/customer/session", headers=session)).status_code == 204
    started = await world.start(session)
    await world.reprice(cart["id"], 1500)
    started = await world.start(session)
    await world.pay(started["clientSecret"])
    payment_id = started["paymentReference"]
    answer = await world.client.post(
        f"/confirmPayments/{payment_id}",
        json={"paymentIntent": started["clientSecret"].partition("_secret_")[0]},
        headers=session,
    )
    assert answer.status_code == 200, answer.text
    await world.deliver_all()
    charge = (await world.payment(payment_id))["transactions"][1]
    refund: Json = {"action": "refundPayment", "amount": money(300)}
    await world.modify(payment_id, key="first", merchantReference="RMA 1", **refund)
    await world.modify(payment_id, key="second", transactionId=charge["id"], **refund)
    await world.deliver_all()


async def express(world: World) -> None:
    """A wallet pays: the address is not sent along."""
    cart = await world.cart(customerId=identifier("customer", "ada"), shippingAddress=ADDRESS)
    session = await world.session(cart["id"])
    wallet = {"x-express-checkout": "true", "x-express-customer-session": "true"}
    started = await world.start({**session, **wallet})
    await world.pay(started["clientSecret"])
    await world.deliver_all()


async def capture(world: World) -> None:
    """Part of an authorization is captured, which releases the rest."""
    payment_id = await world.paid()
    await world.modify(payment_id, action="capturePayment", amount=money(400))
    await world.deliver_all()
    await world.modify(payment_id, action="reversePayment")
    await world.deliver_all()


async def captures(world: World) -> None:
    """Two captures, and the rest is released."""
    payment_id = await world.paid()
    for cents in (400, 300):
        await world.modify(payment_id, action="capturePayment", amount=money(cents))
    await world.modify(payment_id, action="cancelPayment")
    await world.deliver_all()


async def cancel(world: World) -> None:
    """An authorization is cancelled; an intent that nobody paid is withdrawn."""
    await world.modify(await world.paid(), action="cancelPayment")
    cart = await world.cart()
    started = await world.start(await world.session(cart["id"]))
    await world.modify(started["paymentReference"], action="cancelPayment")
    await world.start(await world.session(cart["id"]))
    await world.deliver_all()


async def delayed(world: World) -> None:
    """A bank debit is reversed while it is processing, and comes in all the same."""
    cart = await world.cart()
    started = await world.start(await world.session(cart["id"]))
    intent_id = started["clientSecret"].partition("_secret_")[0]
    confirm = f"/v1/payment_intents/{intent_id}/confirm"
    await world.ask_stripe("POST", confirm, return_url=RETURN_URL, **IBAN)
    await world.deliver_all()
    await world.modify(started["paymentReference"], action="reversePayment")
    await world.at_stripe(f"payment_intents/{intent_id}/settle", outcome="succeed")
    await world.deliver_all()


async def declined(world: World) -> None:
    """A card is declined, and another one is taken."""
    cart = await world.cart()
    started = await world.start(await world.session(cart["id"]))
    await world.pay(started["clientSecret"], "pm_card_visa_chargeDeclined")
    await world.deliver_all()
    await world.pay(started["clientSecret"], "pm_card_authenticationRequired")
    intent_id = started["clientSecret"].partition("_secret_")[0]
    await world.at_stripe(f"payment_intents/{intent_id}/authenticate", outcome="succeed")
    await world.deliver_all()


async def other_currency(world: World) -> None:
    """The cart's currency is another one when the shopper comes back."""
    cart = await world.cart(1250, "JPY")
    started = await world.start(await world.session(cart["id"]))
    await world.pay(started["clientSecret"])
    await world.deliver_all()


async def disputed(world: World) -> None:
    """The shopper's bank takes the money back; a refund is refused meanwhile."""
    payment_id = await world.paid(method="pm_card_createDispute")
    answer = await world.modify(payment_id, action="refundPayment", amount=money(100))
    assert answer["outcome"] == "rejected"
    dispute = next(iter(world.stripe.disputes))
    for status in ("under_review", "lost"):
        await world.at_stripe(f"disputes/{dispute['id']}", status=status)
    await world.deliver_all()


async def refund_fails(world: World) -> None:
    """Refunds succeed and then fail at the bank: one of ours, and one from Stripe's Dashboard."""
    payment_id = await world.paid(method="pm_card_refundFail")
    await world.modify(payment_id, action="refundPayment", amount=money(700))
    payment = await world.payment(payment_id)
    await dashboard_refund(world, payment["interfaceId"], 300)
    await world.deliver_all()
    await world.at_stripe("../clock", advance=3600)
    await world.deliver_all()


async def customer(world: World) -> None:
    """A customer is made known to Stripe, saves a card, and is known the next time."""
    cart = await world.cart(
        customerId=identifier("customer", "ada"),
        customerEmail="ada@example.com",
        shippingAddress=ADDRESS,
        customLineItems=[
            {
                "name": {"en": "Coffee, every month"},
                "slug": "coffee",
                "money": money(1000),
                "recurrenceInfo": {
                    "recurrencePolicy": {"typeId": "recurrence-policy", "id": "monthly"}
                },
            }
        ],
    )
    session = await world.session(cart["id"], checkoutTransactionItemId=cart["id"])
    for _ in range(2):
        answer = await world.client.get("/customer/session", headers=session)
        assert answer.status_code == 200, answer.text
    started = await world.start(session)
    await world.pay(started["clientSecret"])
    await world.deliver_all()


async def customer_with_own_type(world: World) -> None:
    """A merchant's custom type is on the customer: the id is kept beside it, and replaced."""
    draft = {"key": "loyalty", "name": {"en": "Loyalty"}, "resourceTypeIds": ["customer"]}
    await world.commercetools("POST", "types", draft)
    grace = identifier("customer", "grace")
    found = await world.commercetools("GET", f"customers/{grace}")
    own = {"action": "setCustomType", "type": {"typeId": "type", "key": "loyalty"}, "fields": {}}
    await world.commercetools(
        "POST", f"customers/{grace}", {"version": found["version"], "actions": [own]}
    )
    session = await world.session((await world.cart(customerId=grace))["id"])
    assert (await world.client.get("/customer/session", headers=session)).status_code == 200
    kept = await world.commercetools("GET", f"custom-objects/{CONTAINER}/{grace}")
    await world.ask_stripe("DELETE", f"/v1/customers/{kept['value']}")
    assert (await world.client.get("/customer/session", headers=session)).status_code == 200


async def customer_deleted_at_stripe(world: World) -> None:
    """The remembered customer is gone at Stripe: another one takes its place."""
    ada = identifier("customer", "ada")
    session = await world.session((await world.cart(customerId=ada))["id"])
    first = (await world.client.get("/customer/session", headers=session)).json()
    await world.ask_stripe("DELETE", f"/v1/customers/{first['stripeCustomerId']}")
    assert (await world.client.get("/customer/session", headers=session)).status_code == 200


async def interactions(world: World) -> None:
    """What was said to and by Stripe is kept with the Payment."""
    names = {"interactionId": "String", "createdAt": "DateTime", "type": "String"}
    definitions = [
        {"name": name, "type": {"name": kind}, "label": {"en": name}, "required": name in names}
        for name, kind in {**names, "request": "String", "response": "String"}.items()
    ]
    draft = {
        "key": TYPE_KEY,
        "name": {"en": "Interaction"},
        "resourceTypeIds": ["payment-interface-interaction"],
        "fieldDefinitions": definitions,
    }
    await world.commercetools("POST", "types", draft)
    payment_id = await world.paid()
    await world.modify(payment_id, action="refundPayment", amount=money(1000))
    payment = await world.payment(payment_id)
    assert payment["interfaceInteractions"]


async def taxed(world: World) -> None:
    """Stripe's tax connector has left a calculation on the cart."""
    field = "connectorStripeTax_calculationReferences"
    draft = {
        "key": "stripe-tax",
        "name": {"en": "Stripe Tax"},
        "resourceTypeIds": ["order"],
        "fieldDefinitions": [
            {
                "name": field,
                "type": {"name": "Set", "elementType": {"name": "String"}},
                "label": {"en": "Calculations"},
                "required": False,
            }
        ],
    }
    await world.commercetools("POST", "types", draft)
    custom = {"type": {"typeId": "type", "key": "stripe-tax"}, "fields": {field: ["taxcalc_1"]}}
    await world.start(await world.session((await world.cart(custom=custom))["id"]))


async def stored_method(world: World) -> None:
    """A customer stores a card, pays with it, is charged while away, and removes it."""
    ada = identifier("customer", "ada")
    session = await world.session((await world.cart(customerId=ada))["id"])
    consent = {"storePaymentMethod": True}
    answer = await world.client.post("/payments", headers=session, json=consent)
    assert answer.status_code == 200, answer.text
    await world.pay(answer.json()["clientSecret"])
    path = "/stored-payment-methods"
    listed = await world.client.get(path, headers=session)
    [shown] = listed.json()["storedPaymentMethods"]
    again = await world.session((await world.cart(customerId=ada))["id"])
    for body in ({"storedPaymentMethodId": shown["id"]}, {}, consent):
        answer = await world.client.post("/payments", headers=again, json=body)
        assert answer.status_code == 200, answer.text

    async def charge(cart: Json, status: int) -> None:
        answer = await world.client.post(
            "/operations/transactions",
            json={
                "cartId": cart["id"],
                "checkoutTransactionItemId": cart["id"],
                "type": "Recurring",
                "paymentMethodId": shown["id"],
                "futureOrderNumber": "2026-1",
            },
            headers=await world.checkout(),
        )
        assert answer.status_code == status, answer.text

    cart = await world.cart(customerId=ada)
    world.network.trouble = lambda call: "busy" if call.path == "/v1/payment_intents" else None
    await charge(cart, 503)
    world.network.trouble = lambda _: None
    await charge(cart, 201)
    await charge(await world.cart(100, customerId=ada), 201)
    removed = await world.client.delete(f"{path}/{shown['id']}", headers=session)
    assert removed.status_code == 200, removed.text
    await world.deliver_all()


async def status(world: World) -> None:
    """The Merchant Center asks how we are."""
    answer = await world.client.get("/operations/status", headers=await world.merchant_center())
    assert answer.status_code == 200, answer.text


async def stored_errors(world: World) -> None:
    """Stripe fails and repeats that for each key: it is searched, and asked with a new key."""
    failing = {"/v1/payment_intents", "/v1/refunds"}

    def fail_once(call: Call) -> Trouble | None:
        if call.method != "POST" or call.path not in failing:
            return None
        failing.remove(call.path)
        return "stored before"

    world.network.trouble = fail_once
    await world.start(await world.session((await world.cart())["id"]))
    payment_id = await world.paid()
    await world.modify(payment_id, action="refundPayment", amount=money(400))


async def storefront(world: World) -> None:
    """A guest shops through the storefront's routes, up to an order that is placed twice."""

    async def ask(method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = await world.client.request(method, f"/api/v1{path}", **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    root, *categories = await ask("GET", "/categories")
    for category in (root, *categories):
        await ask("GET", "/products", params={"categoryId": category["id"], "limit": 2})
    await ask("GET", "/products/brass-pen-1")
    await ask("GET", "/discount-codes", params={"code": "SAVE10"})
    cart = await ask("POST", "/carts", 201)
    path = f"/carts/{cart['id']}"

    async def change(action: str, **payload: Any) -> Any:
        body = {"version": cart["version"], "action": action, action: payload}
        return await ask("PUT", path, json=body)

    await change("AddLineItem", variantId="brass-pen-1", quantity=3)
    filled = await change("AddLineItem", variantId="task-lamp-1", quantity=1)
    pen, lamp = (line["id"] for line in filled["lineItems"])
    await change("ChangeLineItemQuantity", lineItemId=pen, quantity=2)
    await change("RemoveLineItem", lineItemId=lamp, quantity=1)
    await change("RemoveLineItem", lineItemId=pen, quantity=1)
    await change("SetShippingAddress", **{**ADDRESS, "email": "ada@example.com"})
    for code in ("FIVEOFF", "SAVE10"):
        discounted = await change("AddDiscountCode", code=code)
    await change("RemoveDiscountCode", **discounted["discountCodes"][0]["discountCode"])
    await ask("GET", path)
    order = await ask("POST", f"{path}/order", 201)
    await ask("POST", f"{path}/order", 200)
    await ask("GET", f"/orders/{order['id']}")

    other = await ask("POST", "/carts", 201)
    placed: Json = {"version": other["version"], "actions": []}
    placed["actions"] += [
        {"action": "addLineItem", "sku": "brass-pen-1", "quantity": 1},
        {"action": "setShippingAddress", "address": ADDRESS},
    ]
    ready = await world.commercetools("POST", f"carts/{other['id']}", placed)
    reference = {"typeId": "cart", "id": other["id"]}
    draft = {"cart": reference, "version": ready["version"]}
    await world.commercetools("POST", "orders", draft, client="sandbox-storefront")
    await ask("POST", f"/carts/{other['id']}/order", 200)


async def refused(world: World) -> None:
    """Stripe takes no such amount: the Payment says why."""
    cart = await world.cart(10)
    answer = await world.client.post("/payments", headers=await world.session(cart["id"]))
    assert answer.status_code == 400, answer.text


async def deployed(world: World) -> None:
    """The scripts make, mend, stop and remove all that they know of."""
    deployment = Deployment(world, ALLOWED_ORIGINS="https://shop.example,https://shop.invalid")
    await deployment.type(OPERATIONS_TYPE, "transaction", stripeConnector_final="Boolean")
    await deployment.endpoint(api_version=OLD_VERSION)
    await deployment.disable(await deployment.endpoint(**{"enabled_events[]": "*"}))
    await deployment.deploy(retire_old=True)
    await deployment.deploy()
    await deployment.undeploy()
    await deployment.undeploy(delete_endpoint=True, delete_types=True)
    await deployment.deploy()


async def reconciled(world: World) -> None:
    """A run looks from every direction at what was paid, refunded and disputed unheard."""
    for method in ("pm_card_visa", "pm_card_createDispute"):
        started = await world.start(await world.session((await world.cart())["id"]))
        await world.pay(started["clientSecret"], method)
    paid, _ = world.stripe.intents
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=paid["id"], amount=300)
    assert (await reconcile(world, apply=True)).code == 0
    assert (await reconcile(world, since="2026-01-01", until="PT0S")).code == 0
    await reconcile(world, events_only=True, apply=True)


WALKS: list[tuple[Callable[[World], Awaitable[None]], dict[str, str]]] = [
    (guest, {}),
    (express, {}),
    (capture, MANUAL),
    (captures, {**MANUAL, "STRIPE_ENABLE_MULTI_OPERATIONS": "true"}),
    (cancel, MANUAL),
    (delayed, {}),
    (declined, {}),
    (other_currency, {}),
    (disputed, {}),
    (refund_fails, {}),
    (customer, {"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session"}),
    (customer_with_own_type, {}),
    (customer_deleted_at_stripe, {}),
    (interactions, {"STRIPE_INTERFACE_INTERACTIONS": "true"}),
    (taxed, {}),
    (
        stored_method,
        {
            "STORED_PAYMENT_METHODS_ENABLED": "true",
            "STORED_PAYMENT_METHODS_INTERFACE_ACCOUNT": "acct-berlin",
        },
    ),
    (status, {}),
    (deployed, {}),
    (stored_errors, {}),
    (reconciled, {}),
    (storefront, {}),
    (refused, {}),
]
