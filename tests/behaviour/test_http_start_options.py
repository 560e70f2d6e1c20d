"""What a started payment is made of: metadata, customer, behaviour rules, express, answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import shuffled
from tests.world import World

Json = dict[str, Any]

TAX_FIELD = "connectorStripeTax_calculationReferences"
ADDRESS = {
    "firstName": "Lin",
    "lastName": "Chen",
    "streetName": "Main Street",
    "streetNumber": "5",
    "additionalStreetInfo": "2nd floor",
    "postalCode": "10115",
    "city": "Berlin",
    "region": "BE",
    "country": "DE",
    "phone": "+49 30 1",
    "email": "lin@example.com",
}
STRIPE_ADDRESS = {
    "line1": "5 Main Street",
    "line2": "2nd floor",
    "city": "Berlin",
    "postal_code": "10115",
    "state": "BE",
    "country": "DE",
}


def the_intent(world: World) -> Json:
    [intent] = world.stripe.intents.newest({})
    return dict(intent)


async def started(
    world: World, headers: Mapping[str, str] | None = None, /, **cart_fields: Any
) -> Json:
    """The intent of a new cart."""
    cart = await world.cart(**cart_fields)
    session = await world.session(cart["id"])
    answer = await world.client.post("/payments", headers={**session, **(headers or {})})
    assert answer.status_code == 200, answer.text
    return the_intent(world)


async def known_customer(world: World, **fields: Any) -> tuple[str, str]:
    """The ids of a customer at commercetools and at Stripe."""
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com", **fields})
    customer_id = created["customer"]["id"]
    cart = await world.cart(customerId=customer_id)
    answer = await world.client.get("/customer/session", headers=await world.session(cart["id"]))
    return customer_id, answer.json()["stripeCustomerId"]


def recurring(customer_id: str) -> Json:
    """Fields of a cart whose only line recurs."""
    return {
        "customerId": customer_id,
        "country": "DE",
        "shippingAddress": {"country": "DE"},
        "taxMode": "Platform",
        "customLineItems": [],
        "lineItems": [
            {
                "sku": "task-lamp-1",
                "recurrenceInfo": {
                    "recurrencePolicy": {"typeId": "recurrence-policy", "key": "monthly"},
                    "priceSelectionMode": "Fixed",
                },
            }
        ],
    }


def rules(**by_key: Json) -> dict[str, str]:
    return {"STRIPE_PAYMENT_BEHAVIOR_RULES": json.dumps(by_key)}


async def tax_calculations(world: World, *references: str) -> Json:
    """Custom fields of a cart as Stripe's tax connector leaves them."""
    definition = {
        "name": TAX_FIELD,
        "type": {"name": "Set", "elementType": {"name": "String"}},
        "label": {"en": "Calculations"},
        "required": False,
    }
    await world.commercetools(
        "POST",
        "types",
        {
            "key": "tax",
            "name": {"en": "Tax"},
            "resourceTypeIds": ["order"],
            "fieldDefinitions": [definition],
        },
    )
    return {"type": {"typeId": "type", "key": "tax"}, "fields": {TAX_FIELD: list(references)}}


# Ties to commercetools


async def test_two_starts_at_once_send_the_same_body_under_the_same_key() -> None:
    """A correlation id in it would make the second a refused repetition at Stripe."""
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    shuffled(world, 1)
    answers = await asyncio.gather(
        *(
            world.client.post("/payments", headers={**session, "X-Correlation-ID": correlation_id})
            for correlation_id in ("first", "second")
        )
    )
    assert [answer.headers["X-Correlation-ID"] for answer in answers] == ["first", "second"]
    sent = [
        (call.headers["idempotency-key"], call.body)
        for call in world.network.calls
        if (call.method, call.path) == ("POST", "/v1/payment_intents")
    ]
    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert the_intent(world)["metadata"].keys() == {"cart_id", "ct_project_key", "ct_payment_id"}


async def test_commercetools_is_told_the_correlation_id() -> None:
    world = World()
    await started(world)  # what is read once per process concerns no single request
    session = await world.session((await world.cart())["id"])
    world.network.calls.clear()
    await world.client.post("/payments", headers={**session, "X-Correlation-ID": "abc-1"})
    told = {
        call.headers.get("x-correlation-id")
        for call in world.network.calls
        if call.backend == "commercetools"
    }
    assert told == {"abc-1"}


async def test_the_sessions_correlation_id_wins() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"], correlationId="from-checkout")
    answer = await world.client.post(
        "/payments", headers={**session, "X-Correlation-ID": "from-browser"}
    )
    assert answer.headers["X-Correlation-ID"] == "from-checkout"


@pytest.mark.parametrize("theirs", ["a b", "x" * 257, "<script>", "", "ü"])
async def test_a_correlation_id_that_could_do_harm_is_replaced(theirs: str) -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"], correlationId=theirs)
    answer = await world.client.post(
        "/payments",
        headers=[
            (b"x-session-id", session["x-session-id"].encode()),
            (b"X-Correlation-ID", theirs.encode("latin-1")),
        ],
    )
    ours = answer.headers["X-Correlation-ID"]
    assert ours != theirs
    told = {call.headers.get("x-correlation-id") for call in world.network.calls}
    assert theirs not in told


async def test_checkouts_transaction_item_is_on_the_payment() -> None:
    world = World()
    cart = await world.cart()
    item = "2d0cf1a4-0000-4000-8000-000000000001"
    answer = await world.start(await world.session(cart["id"], checkoutTransactionItemId=item))
    payment = await world.payment(answer["paymentReference"])
    assert payment["checkoutTransactionItemId"] == item


async def test_the_payment_belongs_to_the_customer() -> None:
    world = World()
    customer_id, _ = await known_customer(world)
    cart = await world.cart(customerId=customer_id)
    answer = await world.start(await world.session(cart["id"]))
    payment = await world.payment(answer["paymentReference"])
    assert payment["customer"]["id"] == customer_id
    assert "anonymousId" not in payment
    assert the_intent(world)["metadata"]["ct_customer_id"] == customer_id


async def test_a_guests_payment_belongs_to_their_anonymous_id() -> None:
    world = World()
    cart = await world.cart(anonymousId="anon-1")
    answer = await world.start(await world.session(cart["id"]))
    payment = await world.payment(answer["paymentReference"])
    assert payment["anonymousId"] == "anon-1"
    assert "customer" not in payment
    assert the_intent(world)["customer"] is None


async def test_a_payment_interface_of_ones_own_is_kept() -> None:
    world = World({"PAYMENT_INTERFACE": "stripe-eu"})
    cart = await world.cart()
    answer = await world.start(await world.session(cart["id"]))
    payment = await world.payment(answer["paymentReference"])
    assert payment["paymentMethodInfo"]["paymentInterface"] == "stripe-eu"


async def test_the_payment_interface_that_the_session_names_goes_into_the_payment() -> None:
    """Source 004; recognised by proof, the Payment is told by events and found by reconcile."""
    world = World({"PAYMENT_INTERFACE": "stripe-eu"})
    cart = await world.cart()
    session = await world.session(cart["id"], paymentInterface="shop-cards")
    answer = await world.start(session)
    payment = await world.payment(answer["paymentReference"])
    assert payment["paymentMethodInfo"]["paymentInterface"] == "shop-cards"
    await world.pay(answer["clientSecret"])
    assert (await reconcile(world)).found == ["missing_transaction", "missing_transaction"]
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=payment["interfaceId"], amount=100)
    await world.deliver_all()
    assert ("Refund", 100, "Success") in await world.transactions(payment["id"])


# What Stripe is asked for


async def test_stripe_gets_the_shipping_address_without_gaps() -> None:
    intent = await started(World(), shippingAddress=ADDRESS)
    assert intent["shipping"]["name"] == "Lin Chen"
    assert intent["shipping"]["phone"] == "+49 30 1"
    assert intent["shipping"]["address"] == STRIPE_ADDRESS


@pytest.mark.parametrize("address", [{"country": "DE"}, None])
async def test_without_a_name_stripe_gets_no_shipping_address(address: Json | None) -> None:
    fields = {"shippingAddress": address} if address else {}
    assert (await started(World(), **fields))["shipping"] is None


@pytest.mark.parametrize("method", ["automatic", "automatic_async", "manual"])
async def test_the_capture_method_is_the_configured_one(method: str) -> None:
    intent = await started(World({"STRIPE_CAPTURE_METHOD": method}))
    assert intent["capture_method"] == method
    assert intent["automatic_payment_methods"]["enabled"] is True


@pytest.mark.parametrize("switch", ["true", "false"])
async def test_several_captures_are_asked_for_where_that_is_switched_on(switch: str) -> None:
    intent = await started(World({"STRIPE_ENABLE_MULTI_OPERATIONS": switch}))
    asked = intent["payment_method_options"]["card"].get("request_multicapture")
    assert asked == ("if_available" if switch == "true" else None)


@pytest.mark.parametrize(
    ("references", "calculation"),
    [(["taxcalc_1"], "taxcalc_1"), (["taxcalc_1", "taxcalc_2"], None), ([], None)],
)
async def test_the_carts_one_tax_calculation_goes_along(
    references: list[str], calculation: str | None
) -> None:
    world = World()
    intent = await started(world, custom=await tax_calculations(world, *references))
    expected = {"inputs": {"tax": {"calculation": calculation}}} if calculation else None
    assert intent["hooks"] == expected


async def test_with_a_new_amount_goes_its_new_tax_calculation() -> None:
    world = World()
    cart = await world.cart(custom=await tax_calculations(world, "taxcalc_1"))
    session = await world.session(cart["id"])
    await world.start(session)
    await world.reprice(cart["id"], 1300)
    await world.change_cart(
        cart["id"], {"action": "setCustomField", "name": TAX_FIELD, "value": ["taxcalc_2"]}
    )
    await world.start(session)
    assert the_intent(world)["amount"] == 1300
    assert the_intent(world)["hooks"] == {"inputs": {"tax": {"calculation": "taxcalc_2"}}}


# Saving the method


@pytest.mark.parametrize(
    ("environment", "usage"),
    [
        ({}, None),
        ({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session"}, "off_session"),
        ({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "on_session"}, "on_session"),
        ({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": ""}, None),
        ({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "none"}, None),
        (
            {
                "STRIPE_SAVED_PAYMENT_METHODS_CONFIG": '{"payment_method_save":"enabled",'
                '"payment_method_save_usage":"on_session"}'
            },
            "on_session",
        ),
        (
            {
                "STRIPE_SAVED_PAYMENT_METHODS_CONFIG": '{"payment_method_save":"enabled",'
                '"payment_method_save_usage":"on_session"}',
                "STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "none",
            },
            None,
        ),
        (
            {
                "STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session",
                **rules(DE={"setupFutureUsage": "on_session"}),
            },
            "on_session",
        ),
        (
            {
                "STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session",
                **rules(DE={"setupFutureUsage": "none"}),
            },
            None,
        ),
        (
            {
                "STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session",
                "STRIPE_PAYMENT_FLOW": "pi_first",
            },
            None,
        ),
    ],
    ids=str,
)
async def test_the_method_is_saved_as_configured(
    environment: dict[str, str], usage: str | None
) -> None:
    world = World(environment)
    customer_id, stripe_id = await known_customer(world)
    intent = await started(world, customerId=customer_id, country="DE")
    assert intent["customer"] == stripe_id
    assert intent["setup_future_usage"] == usage


async def test_a_guests_method_is_never_saved() -> None:
    world = World({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session"})
    intent = await started(world)
    assert (intent["customer"], intent["setup_future_usage"]) == (None, None)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"STRIPE_PAYMENT_FLOW": "pi_first"},
        {"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "on_session"},
        rules(DE={"setupFutureUsage": "none", "flowType": "pi_first"}),
    ],
    ids=str,
)
async def test_a_recurring_cart_always_saves_for_charges_without_the_shopper(
    environment: dict[str, str],
) -> None:
    world = World(environment)
    customer_id, _ = await known_customer(world)
    intent = await started(world, **recurring(customer_id))
    assert intent["setup_future_usage"] == "off_session"


# Behaviour rules


MANUAL = {"captureMethod": "manual"}
ASYNC = {"captureMethod": "automatic_async"}


@pytest.mark.parametrize(
    ("table", "cart", "capture"),
    [
        ({"DE": MANUAL}, {"country": "DE"}, "manual"),
        ({"DE": MANUAL}, {"country": "FR"}, "automatic"),
        ({"DE": MANUAL}, {}, "automatic"),
        ({"FR": MANUAL}, {"billingAddress": {"country": "FR"}}, "manual"),
        ({"FR": MANUAL}, {"shippingAddress": {"country": "FR"}}, "manual"),
        ({"shop": MANUAL}, {"store": {"typeId": "store", "key": "shop"}}, "manual"),
        (
            {"shop": MANUAL},
            {
                "country": "DE",
                "billingAddress": {"country": "FR"},
                "shippingAddress": {"country": "IT"},
                "store": {"typeId": "store", "key": "shop"},
            },
            "manual",
        ),
        (
            {"shop": MANUAL, "IT": ASYNC},
            {
                "country": "DE",
                "shippingAddress": {"country": "IT"},
                "store": {"typeId": "store", "key": "shop"},
            },
            "automatic_async",
        ),
        (
            {"IT": MANUAL, "FR": ASYNC},
            {"billingAddress": {"country": "FR"}, "shippingAddress": {"country": "IT"}},
            "automatic_async",
        ),
        (
            {"DE": MANUAL, "FR": ASYNC},
            {"country": "DE", "billingAddress": {"country": "FR"}},
            "manual",
        ),
        ({"DE": {"flowType": "pi_first"}}, {"country": "DE"}, "automatic"),
        ({"de": MANUAL}, {"country": "DE"}, "automatic"),
    ],
    ids=str,
)
async def test_the_first_candidate_that_has_a_rule_decides(
    table: dict[str, Json], cart: Json, capture: str
) -> None:
    world = World(rules(**table))
    intent = await started(world, **cart)
    assert intent["capture_method"] == capture
    [session] = world.store.collection("session")
    answer = await world.client.get(
        "/config-element/payment", headers={"x-session-id": session["id"]}
    )
    assert answer.json()["captureMethod"] == capture


async def test_a_rule_that_begins_to_match_changes_the_open_intent() -> None:
    world = World(rules(FR=MANUAL))
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.change_cart(
        cart["id"], {"action": "setBillingAddress", "address": {"country": "FR"}}
    )
    assert await world.start(session) == first
    assert the_intent(world)["capture_method"] == "manual"


# Express checkout


@pytest.mark.parametrize(
    ("headers", "with_customer", "with_shipping"),
    [
        ({}, True, True),
        ({"x-express-checkout": "true"}, False, False),
        ({"x-express-checkout": "1"}, False, False),
        ({"x-express-checkout": "false"}, True, True),
        ({"x-express-checkout": "yes"}, True, True),
        ({"x-express-customer-session": "true"}, True, True),
        (
            {"x-express-checkout": "true", "x-express-customer-session": "true"},
            True,
            False,
        ),
        ({"x-express-checkout": "1", "x-express-customer-session": "1"}, False, False),
    ],
    ids=str,
)
async def test_express_checkout_leaves_the_address_to_the_wallet_and_the_customer_optional(
    headers: dict[str, str], with_customer: bool, with_shipping: bool
) -> None:
    world = World({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "on_session"})
    customer_id, stripe_id = await known_customer(world)
    intent = await started(world, headers, customerId=customer_id, shippingAddress=ADDRESS)
    assert intent["customer"] == (stripe_id if with_customer else None)
    assert intent["setup_future_usage"] == ("on_session" if with_customer else None)
    assert (intent["shipping"] is not None) == with_shipping


# The answer


async def test_the_sessions_return_url_wins() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"], merchantReturnUrl="https://shop.example/thanks")
    assert (await world.start(session))["merchantReturnUrl"] == "https://shop.example/thanks"


@pytest.mark.parametrize("collect", ["never", "if_required"])
async def test_where_the_element_asks_for_no_address_the_browser_gets_the_carts(
    collect: str,
) -> None:
    world = World({"STRIPE_COLLECT_BILLING_ADDRESS": collect})
    cart = await world.cart(
        billingAddress=ADDRESS,
        shippingAddress={"country": "FR"},
        customerEmail="chen@example.com",
    )
    answer = await world.start(await world.session(cart["id"]))
    assert json.loads(answer["billingAddress"]) == {
        "name": "Lin Chen",
        "phone": "+49 30 1",
        "email": "chen@example.com",
        "address": STRIPE_ADDRESS,
    }


async def test_the_shipping_address_stands_in_and_gaps_are_empty() -> None:
    world = World({"STRIPE_COLLECT_BILLING_ADDRESS": "never"})
    cart = await world.cart(shippingAddress={"country": "FR", "mobile": "+33 1"})
    answer = await world.start(await world.session(cart["id"]))
    assert json.loads(answer["billingAddress"]) == {
        "name": "",
        "phone": "+33 1",
        "email": "",
        "address": {
            "line1": "",
            "line2": "",
            "city": "",
            "postal_code": "",
            "state": "",
            "country": "FR",
        },
    }


@pytest.mark.parametrize(
    ("environment", "cart"),
    [
        ({}, {"billingAddress": ADDRESS}),
        ({"STRIPE_COLLECT_BILLING_ADDRESS": "never"}, {}),
        (
            {
                "STRIPE_COLLECT_BILLING_ADDRESS": "never",
                **rules(DE={"collectBillingAddress": "auto"}),
            },
            {"billingAddress": ADDRESS},
        ),
    ],
    ids=str,
)
async def test_otherwise_there_is_no_address_in_the_answer(
    environment: dict[str, str], cart: Json
) -> None:
    world = World(environment)
    made = await world.cart(**cart)
    assert "billingAddress" not in await world.start(await world.session(made["id"]))
