"""What the browser's elements are configured with, and what the Merchant Center is offered."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from tests.behaviour.steps import CONFIGURATION, switch
from tests.world import LIVE, ORIGIN, World, money

Json = dict[str, Any]

APPEARANCE = '{"theme": "night",  "variables": {"colorPrimary":"#123456"}}'
EXPRESS_APPEARANCE = '{"variables":{"borderRadius":"8px"}}'
TAXED: Json = {
    "taxMode": "Platform",
    "country": "DE",
    "shippingAddress": {"country": "DE"},
    "customLineItems": [],
    "lineItems": [{"sku": "task-lamp-1"}],
}


async def session_for(world: World, **fields: Any) -> Mapping[str, str]:
    cart = await world.cart(**fields)
    return await world.session(cart["id"])


async def read(world: World, path: str, headers: Mapping[str, str]) -> Json:
    answer = await world.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


# GET /operations/config


async def test_the_configuration_names_the_publishable_key_twice_and_no_other_key() -> None:
    world = World()
    answer = await world.client.get("/operations/config", headers=await session_for(world))
    assert answer.json() == {
        "clientKey": "pk_test_sandbox",
        "publishableKey": "pk_test_sandbox",
        "environment": "test",
        "captureMethod": "automatic",
        "stripeJsUrl": "https://js.stripe.com/endive/stripe.js",
        "storedPaymentMethodsConfig": {"isEnabled": False},
    }
    assert "sk_" not in answer.text
    assert "whsec" not in answer.text


async def test_the_configuration_says_what_is_set() -> None:
    world = World(
        {
            **LIVE,
            "ALLOWED_BACKEND_HOSTS": LIVE["ALLOWED_BACKEND_HOSTS"] + ",js.example.com",
            "STRIPE_CAPTURE_METHOD": "manual",
            "STRIPE_APPEARANCE_PAYMENT_ELEMENT": APPEARANCE,
            "STRIPE_EXPRESS_ELEMENT_OPTIONS": '{"buttonHeight":48}',
            "STRIPE_JS_URL": "https://js.example.com/stripe.js",
        }
    )
    assert await read(world, "/operations/config", await session_for(world)) == {
        "clientKey": LIVE["STRIPE_PUBLISHABLE_KEY"],
        "publishableKey": LIVE["STRIPE_PUBLISHABLE_KEY"],
        "environment": "live",
        "captureMethod": "manual",
        "appearance": APPEARANCE,
        "expressElementOptions": '{"buttonHeight":48}',
        "stripeJsUrl": "https://js.example.com/stripe.js",
        "storedPaymentMethodsConfig": {"isEnabled": False},
    }


async def test_the_configuration_is_the_same_for_every_cart_and_needs_none() -> None:
    world = World()
    sessions = [
        await session_for(world),
        await session_for(world, customLineItems=[]),
        await session_for(world, currency="EUR", country="DE"),
    ]
    cart = await world.cart()
    gone = await world.session(cart["id"])
    world.store.collection("cart").remove(cart["id"])
    answers = {
        (await world.client.get("/operations/config", headers=session)).content
        for session in [*sessions, gone]
    }
    assert len(answers) == 1


async def test_express_is_configured_without_a_session_alike() -> None:
    world = World({"STRIPE_EXPRESS_ELEMENT_OPTIONS": '{"buttonHeight":48}'})
    with_session = await world.client.get("/operations/config", headers=await session_for(world))
    for body in (b"{}", b"", b"not json"):
        answer = await world.client.post(
            "/express-config", headers={"Origin": ORIGIN}, content=body
        )
        assert answer.content == with_session.content


# GET /config-element


async def test_the_element_is_configured_for_the_cart() -> None:
    world = World()
    session = await session_for(world, cents=2599)
    assert await read(world, "/config-element/payment", session) == {
        "cartInfo": {"amount": 2599, "currency": "EUR"},
        "captureMethod": "automatic",
        "paymentElementOptions": "{}",
        "layout": '{"type":"tabs","defaultCollapsed":false}',
        "collectBillingAddress": "auto",
        "flowType": "deferred",
    }


@pytest.mark.parametrize(
    ("component", "appearance"),
    [
        ("payment", APPEARANCE),
        ("Payment", APPEARANCE),
        ("expressCheckout", EXPRESS_APPEARANCE),
        ("expresscheckout", EXPRESS_APPEARANCE),
    ],
)
@pytest.mark.parametrize("path", ["/config-element", "/get-config-element"])
async def test_each_component_has_its_own_appearance(
    path: str, component: str, appearance: str
) -> None:
    world = World(
        {
            "STRIPE_APPEARANCE_PAYMENT_ELEMENT": APPEARANCE,
            "STRIPE_APPEARANCE_EXPRESS_CHECKOUT": EXPRESS_APPEARANCE,
        }
    )
    body = await read(world, f"{path}/{component}", await session_for(world))
    assert body["appearance"] == appearance


async def test_what_is_not_set_is_not_there() -> None:
    world = World({"STRIPE_APPEARANCE_PAYMENT_ELEMENT": APPEARANCE})
    body = await read(world, "/config-element/expressCheckout", await session_for(world))
    assert "appearance" not in body
    assert "setupFutureUsage" not in body


@pytest.mark.parametrize("component", ["payment", "expressCheckout"])
async def test_the_older_name_of_the_route_answers_the_same(component: str) -> None:
    world = World()
    session = await session_for(world)
    assert await read(world, f"/config-element/{component}", session) == await read(
        world, f"/get-config-element/{component}", session
    )


async def test_settings_and_rules_reach_the_element() -> None:
    known = '"defaultValues":{"billingDetails":{"email":"ada@example.com"}}'
    options = f'{{"terms":{{"card":"never"}},"readOnly":false,{known}}}'
    rules = {
        "DE": {"flowType": "pi_first", "collectBillingAddress": "never"},
        "FR": {"captureMethod": "manual", "setupFutureUsage": "off_session"},
    }
    world = World(
        {
            "STRIPE_BEHAVIOR_PAYMENT_ELEMENT": options,
            "STRIPE_LAYOUT": '{"type":"accordion"}',
            "STRIPE_COLLECT_BILLING_ADDRESS": "if_required",
            "STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "on_session",
            "STRIPE_PAYMENT_BEHAVIOR_RULES": json.dumps(rules),
        }
    )
    common = {
        "cartInfo": {"amount": 1000, "currency": "EUR"},
        "paymentElementOptions": options,
        "layout": '{"type":"accordion"}',
    }
    german = await read(world, "/config-element/payment", await session_for(world, country="DE"))
    assert german == {
        **common,
        "captureMethod": "automatic",
        "collectBillingAddress": "never",
        "flowType": "pi_first",
    }
    french = await read(world, "/config-element/payment", await session_for(world, country="FR"))
    assert french == {
        **common,
        "captureMethod": "manual",
        "collectBillingAddress": "if_required",
        "flowType": "deferred",
        "setupFutureUsage": "off_session",
    }


async def test_the_element_begins_with_what_the_cart_says_of_its_buyer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World({"STRIPE_BEHAVIOR_PAYMENT_ELEMENT": '{"readOnly":false}'})
    parcel = {"country": "US", "postalCode": "10013", "city": "New York", "firstName": "Lin"}
    bill = {
        "country": "GB",
        "firstName": "Ada",
        "lastName": "Byron",
        "streetName": "St James's Square",
        "streetNumber": "12",
        "additionalStreetInfo": "Flat 3",
        "postalCode": "SW1Y 4JH",
        "city": "London",
    }
    carts: list[Json] = [
        {"country": "FR"},
        {"shippingAddress": parcel},
        {"shippingAddress": parcel, "billingAddress": bill, "customerEmail": " ada@example.com "},
        {},
    ]
    begins = []
    with caplog.at_level(logging.DEBUG):
        for cart in carts:
            session = await world.session((await world.cart(1000, **cart))["id"])
            body = await read(world, "/config-element/payment", session)
            options = json.loads(body["paymentElementOptions"])
            assert options["readOnly"] is False
            begins.append(options.get("defaultValues", {}).get("billingDetails"))
    assert begins == [
        {"address": {"country": "FR"}},
        {
            "name": "Lin",
            "address": {"country": "US", "postal_code": "10013", "city": "New York"},
        },
        {
            "name": "Ada Byron",
            "email": "ada@example.com",
            "address": {
                "country": "GB",
                "line1": "12 St James's Square",
                "line2": "Flat 3",
                "postal_code": "SW1Y 4JH",
                "city": "London",
            },
        },
        None,
    ]
    told = "".join(str(vars(each)) for each in caplog.records)
    assert "/config-element/payment" in told
    assert "ada@" not in told
    assert "Byron" not in told


@pytest.mark.parametrize(
    ("cents", "currency", "amount"),
    [(1234, "JPY", 1234), (12_340, "KWD", 12_340), (500, "ISK", 50_000)],
)
async def test_the_element_gets_stripes_minor_units(cents: int, currency: str, amount: int) -> None:
    world = World()
    session = await session_for(world, cents=cents, currency=currency)
    body = await read(world, "/config-element/payment", session)
    assert body["cartInfo"] == {"amount": amount, "currency": currency}


async def test_element_and_intent_agree_about_the_amount() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"], giftCardPlannedAmount=money(250))
    body = await read(world, "/config-element/payment", session)
    await world.start(session)
    [intent] = world.stripe.intents.newest({})
    assert body["cartInfo"]["amount"] == intent["amount"] == 750
    assert (await read(world, "/express-payment-data", session))["totalPrice"]["centAmount"] == 750


@pytest.mark.parametrize("path", ["/config-element/payment", "/express-payment-data"])
async def test_a_paid_cart_has_nothing_to_configure(path: str) -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    started = await world.start(session)
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    answer = await world.client.get(path, headers=session)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "InvalidOperation"


# GET /express-payment-data


def line(name: str, type_: str, cents: int) -> Json:
    return {"name": name, "type": type_, "amount": {**money(cents), "fractionDigits": 2}}


async def test_without_taxes_the_sheet_shows_the_subtotal() -> None:
    world = World()
    assert await read(world, "/express-payment-data", await session_for(world)) == {
        "totalPrice": {**money(1000), "fractionDigits": 2},
        "currencyCode": "EUR",
        "lineItems": [line("Subtotal", "SUBTOTAL", 1000)],
    }


async def test_with_taxes_the_sheet_shows_net_and_tax() -> None:
    world = World()
    body = await read(world, "/express-payment-data", await session_for(world, **TAXED))
    names = [(each["name"], each["type"]) for each in body["lineItems"]]
    assert names == [("Subtotal", "SUBTOTAL"), ("Tax", "TAX")]
    total = sum(each["amount"]["centAmount"] for each in body["lineItems"])
    assert total == body["totalPrice"]["centAmount"] == 12_900


async def test_shipping_is_a_line_of_its_own_where_no_taxes_are_known() -> None:
    world = World()
    session = await session_for(
        world,
        shippingAddress={"country": "DE"},
        shippingMethod={"typeId": "shipping-method", "key": "standard"},
    )
    body = await read(world, "/express-payment-data", session)
    assert body["totalPrice"]["centAmount"] == 1490
    assert body["lineItems"] == [
        line("Subtotal", "SUBTOTAL", 1000),
        line("Standard", "SHIPPING", 490),
    ]


async def test_the_lines_never_exceed_what_is_still_due() -> None:
    world = World()
    cart = await world.cart(**TAXED)
    session = await world.session(cart["id"], giftCardPlannedAmount=money(2900))
    body = await read(world, "/express-payment-data", session)
    assert body["totalPrice"]["centAmount"] == 10_000
    assert body["lineItems"] == [line("Total", "TOTAL", 10_000)]


# Apple Pay, and what the enabler can build


async def test_apple_pays_file_is_served_as_text_to_anybody() -> None:
    world = World({"STRIPE_APPLE_PAY_WELL_KNOWN": "7B2270737049\nABC"})
    answer = await world.client.get("/applePayConfig")
    assert (answer.status_code, answer.text) == (200, "7B2270737049\nABC")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_without_apple_pays_file_there_is_nothing() -> None:
    answer = await World().client.get("/applePayConfig")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "ResourceNotFound"


WHOLE = ["payment", "expressCheckout"]
WALLETS = ["applePay", "googlePay"]
OFFERED = ["card", "ideal", "sepa_debit", *WALLETS]
"""What the account as it is offers, of the methods for which the enabler has a component."""


async def components(world: World) -> list[str]:
    headers = await world.merchant_center()
    body = await read(world, "/operations/payment-components", headers)
    assert body["dropins"] == [{"type": "embedded"}]
    assert body["express"] == [{"type": "dropin"}]
    return [each["type"] for each in body["components"]]


@pytest.mark.parametrize(
    ("switched", "listed"),
    [
        ({}, OFFERED),
        ({"ideal": "off"}, ["card", "sepa_debit", *WALLETS]),
        (
            {"klarna": "on", "link": "on"},
            ["card", "klarna", "ideal", "sepa_debit", "link", *WALLETS],
        ),
        ({"apple_pay": "off"}, ["card", "ideal", "sepa_debit", "googlePay"]),
        ({"card": "off"}, ["ideal", "sepa_debit"]),
    ],
)
async def test_the_components_are_those_that_the_account_offers(
    switched: dict[str, str], listed: list[str]
) -> None:
    world = World()
    await switch(world, **switched)
    assert await components(world) == [*WHOLE, *listed]


async def test_the_components_are_those_of_all_methods_where_the_account_cannot_be_read() -> None:
    world = World()
    world.network.trouble = lambda call: "refused" if call.path == CONFIGURATION else None
    assert await components(world) == WHOLE


async def test_the_account_is_asked_for_components_once_in_ten_minutes() -> None:
    world = World()
    for _ in range(3):
        await components(world)
    await switch(world, ideal="off")
    assert "ideal" in await components(world)
    world.clock.advance(601)
    assert "ideal" not in await components(world)
    assert [call.path for call in world.network.calls].count(CONFIGURATION) == 2


@pytest.mark.parametrize(
    ("component", "types", "hidden"),
    [
        ("payment", None, None),
        ("card", ["card"], {"applePay", "googlePay", "link"}),
        ("ideal", ["ideal"], {"applePay", "googlePay", "link"}),
        ("link", ["link"], {"applePay", "googlePay"}),
        ("googlePay", ["card"], {"applePay", "googlePay", "link"}),
    ],
)
async def test_a_component_of_one_method_shows_no_wallets_beside_it(
    component: str, types: list[str] | None, hidden: set[str] | None
) -> None:
    world = World({"STRIPE_BEHAVIOR_PAYMENT_ELEMENT": '{"wallets":{"applePay":"auto"}}'})
    await switch(world, link="on")
    element = await read(world, f"/config-element/{component}", await session_for(world))
    assert element.get("allowedPaymentMethodTypes") == types
    wallets = json.loads(element["paymentElementOptions"])["wallets"]
    assert wallets == (dict.fromkeys(hidden, "never") if hidden else {"applePay": "auto"})
